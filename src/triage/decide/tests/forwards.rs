//! What staff forwards (M-103…M-106): E-125.

use super::*;
use crate::mail::{AttachedMessage, Flag, MessageId, NamedAddress, Strength};
use crate::triage::facts::{CredentialsState, TicketRole, UserFacts, UserStatus};
use crate::triage::plan::{MessageAuthor, NewMessage, NewTicket, OpenedBy, StaffNote};

const BLOCK: &str = "Please help her.\n\n---------- Forwarded message ---------\n\
    From: Claire Johnson <claire.johnson@myorg.example>\nDate: Mon, 5 Jan 2026 10:05\n\
    Subject: Printer\nTo: anna@helpdesk.example\n\nIt smokes.\n";

/// Anna forwards what Claire wrote to her.
fn forwarded() -> InboundMessage {
    InboundMessage {
        subject: "Fwd: Printer".to_owned(),
        text: BLOCK.to_owned(),
        ..mail_from(AGENT)
    }
}

fn opened(plan: &Plan) -> (&NewTicket, &NewMessage) {
    let ticket = plan.effects.iter().find_map(|effect| match effect {
        Effect::OpenTicket(ticket) => Some(ticket),
        _ => None,
    });
    let message = plan.effects.iter().find_map(|effect| match effect {
        Effect::AddMessage(message) => Some(message),
        _ => None,
    });
    (ticket.expect("a ticket"), message.expect("a message"))
}

fn said(plan: &Plan, rule: &str) -> String {
    let step = plan.story.steps.iter().find(|step| step.rule == rule);
    step.map(|step| step.said.clone()).unwrap_or_default()
}

#[test]
fn e_125_m_105_what_staff_forwards_is_the_ticket_of_its_writer() {
    let plan = plan(&forwarded(), &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    let (ticket, message) = opened(&plan);
    assert_eq!(ticket.requester_address, CLAIRE);
    assert_eq!(ticket.requester_name.as_deref(), Some("Claire Johnson"));
    assert_eq!(ticket.subject, "Printer");
    assert_eq!(ticket.site, "site-1", "by the writer's domain");
    assert!(!ticket.staff_only);
    assert_eq!(ticket.user, Some(UserRef::New));
    assert_eq!(message.author, MessageAuthor::Person(None));
    let people = [(key(CLAIRE), TicketRole::Requester), (key(AGENT), TicketRole::Participant)];
    assert_eq!(message.people, people);
    assert!(has(&plan, &format!("CreateUser {}", key(CLAIRE))));
    assert!(plan.flags.contains(&Flag::ForwardedByStaff));
    let user = plan.story.user.as_ref().expect("the writer");
    assert_eq!((user.address.as_str(), user.is_new), (CLAIRE, true));
    assert_eq!(
        said(&plan, "M-104"),
        "staff forwards what `claire.johnson@myorg.example` wrote, by the header above the \
         forwarded text (high confidence), written `Mon, 5 Jan 2026 10:05`"
    );
}

#[test]
fn m_106_the_writer_hears_nothing_until_they_write() {
    for user in [None, Some(UserFacts { credentials: CredentialsState::Due, ..claire() })] {
        let plan = plan(&forwarded(), &Facts { user, ..facts() });
        assert!(!has(&plan, "Queue"), "{:?}", effects(&plan));
        assert!(has(&plan, "WithholdCredentials M-106"));
        let withheld: Vec<_> = plan.story.outgoing.iter().map(|mail| &mail.withheld).collect();
        assert_eq!(withheld, [&Some("M-106".to_owned())]);
    }
    // Who had theirs is owed none.
    let sent = plan(&forwarded(), &Facts { user: Some(claire()), ..facts() });
    assert!(!has(&sent, "WithholdCredentials"));
    // Once they write themselves, they get them.
    let due = UserFacts { credentials: CredentialsState::Due, ..claire() };
    let own = plan(&mail_from(CLAIRE), &Facts { user: Some(due), ..facts() });
    assert!(has(&own, "Queue credentials"));
}

#[test]
fn m_105_an_account_that_exists_is_used_and_not_changed() {
    let known = UserFacts { undeliverable: true, ..claire() };
    let found = plan(&forwarded(), &Facts { user: Some(known), ..facts() });
    let (ticket, _) = opened(&found);
    assert_eq!(ticket.user, Some(UserRef::Existing("user-claire".to_owned())));
    assert_eq!(effects(&found).len(), 2, "{:?}", effects(&found));
    let deleted = UserFacts { status: UserStatus::Deleted, ..claire() };
    let gone = plan(&forwarded(), &Facts { user: Some(deleted), ..facts() });
    assert_eq!(opened(&gone).0.user, None);
    assert_eq!(opened(&gone).0.requester_address, CLAIRE);
    let mut policy = policy();
    policy.users.auto_create = false;
    let closed = plan_by(&forwarded(), &facts(), &policy);
    assert_eq!(ended(&closed), "accepted/ticket_created");
    assert_eq!(opened(&closed).0.user, None);
}

#[test]
fn m_104_m_105_an_attached_message_gives_its_ids() {
    let attached = AttachedMessage {
        from: Some(NamedAddress { name: Some("Claire".to_owned()), ..named(CLAIRE) }),
        date: None,
        message_id: Some(id("one@myorg.example")),
        references: vec![id("root@myorg.example"), id("one@myorg.example")],
    };
    let message = InboundMessage {
        subject: "for you".to_owned(),
        attached_message: Some(attached),
        ..mail_from(AGENT)
    };
    let plan = plan(&message, &facts());
    let (ticket, message) = opened(&plan);
    assert_eq!(ticket.requester_address, CLAIRE);
    let ids: Vec<&str> = message.ids.iter().map(MessageId::as_str).collect();
    assert_eq!(ids, ["new@mail.example", "one@myorg.example", "root@myorg.example"]);
    assert!(said(&plan, "M-104").contains("by the attached message (high confidence)"));
}

/// Whose ticket it is.
fn requester(message: &InboundMessage, facts: &Facts, policy: &Policy) -> String {
    opened(&plan_by(message, facts, policy)).0.requester_address.clone()
}

#[test]
fn m_103_only_staff_that_is_proven_where_proof_can_be_had_forwards_for_others() {
    let theirs = InboundMessage { from: vec![named("bob@myorg.example")], ..forwarded() };
    assert_eq!(requester(&theirs, &facts(), &policy()), "bob@myorg.example");
    let policy = trusting_policy();
    let unproven = plan_by(&forwarded(), &facts(), &policy);
    assert_eq!(opened(&unproven).0.requester_address, AGENT, "no verdict");
    assert_eq!(
        said(&unproven, "M-103"),
        "nothing proves that staff forwards it: its sender stays the requester"
    );
    let pass = verified_as("dmarc=pass header.from=helpdesk.example", forwarded());
    assert_eq!(requester(&pass, &facts(), &policy), CLAIRE);
    assert_eq!(said(&plan_by(&pass, &facts(), &policy), "M-103"), "");
    let other = verified_as("dmarc=pass header.from=evil.example", forwarded());
    assert_eq!(requester(&other, &facts(), &policy), AGENT);
    let fail = verified_as("dmarc=fail header.from=helpdesk.example", forwarded());
    assert_eq!(ended(&plan_by(&fail, &facts(), &policy)), "accepted/staff_ticket_created");
}

#[test]
fn t_04_m_103_a_form_that_names_staff_as_its_writer_proves_nothing() {
    let mut policy = trusting_policy();
    policy.users.reply_to_senders = list(&[DESK]);
    let filled_in =
        InboundMessage { from: vec![named(DESK)], reply_to: vec![named(AGENT)], ..forwarded() };
    let form = verified_as("dmarc=pass header.from=helpdesk.example", filled_in);
    assert_eq!(requester(&form, &facts(), &policy), AGENT);
}

#[test]
fn m_103_what_answers_a_ticket_or_is_a_machines_is_no_forward() {
    let answer = InboundMessage {
        in_reply_to: vec![id(&key_of_ours().message_id(7, 5, "helpdesk.example"))],
        ..forwarded()
    };
    let questions = ask(&answer, MAILBOX, &policy(), &keys());
    assert_eq!(questions.signed.tickets.len(), 1, "it answers mail of ours");
    assert!(questions.forwarded.is_none());
    let reply = signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied");
    let automatic = InboundMessage { signals: vec![reply], ..forwarded() };
    assert!(ask(&automatic, MAILBOX, &policy(), &keys()).forwarded.is_none());
    let plain = InboundMessage { subject: "Printer".to_owned(), ..forwarded() };
    assert!(ask(&plain, MAILBOX, &policy(), &keys()).forwarded.is_some(), "a forward segment");
    let text = "It smokes.\n".to_owned();
    let none = InboundMessage { text, ..plain };
    assert!(ask(&none, MAILBOX, &policy(), &keys()).forwarded.is_none());
}

#[test]
fn m_104_own_staff_and_robot_addresses_are_skipped() {
    let written = |from: &str| {
        let text = BLOCK.replace("claire.johnson@myorg.example", from);
        InboundMessage { text, ..forwarded() }
    };
    for skipped in [AGENT, DESK, "no-reply@shop.example", "anna+x@helpdesk.example"] {
        let questions = ask(&written(skipped), MAILBOX, &policy(), &keys());
        assert!(questions.forwarded.is_none(), "{skipped}: {:?}", questions.forwarded);
        assert_eq!(requester(&written(skipped), &facts(), &policy()), AGENT);
    }
    // Behind one of these the next source counts.
    let attached = AttachedMessage { from: Some(named(AGENT)), ..AttachedMessage::default() };
    let both = InboundMessage { attached_message: Some(attached), ..forwarded() };
    assert_eq!(requester(&both, &facts(), &policy()), CLAIRE);
}

#[test]
fn m_105_a_mere_suggestion_leaves_staff_the_requester() {
    let text = format!("Somebody should call {CLAIRE} about it.\n");
    let message = InboundMessage { text, ..forwarded() };
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert_eq!(opened(&plan).0.requester_address, AGENT);
    assert!(said(&plan, "M-105").contains(CLAIRE), "{:?}", plan.story.steps);
    assert!(!plan.flags.contains(&Flag::ForwardedByStaff));
}

#[test]
fn m_85_a_forward_from_a_ticket_of_the_writer_is_linked_to_it() {
    let message = InboundMessage {
        references: vec![id("root@mail.example")],
        subject: "Fwd: [#7] Printer".to_owned(),
        ..forwarded()
    };
    let facts = about_ticket(Some(TicketRole::Requester));
    let plan = plan(&message, &facts);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
    assert_eq!(plan.story.ticket.linked_to, Some(7));
    let (ticket, _) = opened(&plan);
    assert_eq!((ticket.requester_address.as_str(), ticket.subject.as_str()), (CLAIRE, "Printer"));
}

#[test]
fn m_103_the_story_says_why_what_staff_forwards_is_their_own_ticket() {
    let policy = trusting_policy();
    let told = |message: &InboundMessage| said(&plan_by(message, &facts(), &policy), "M-103");
    let attached = AttachedMessage { from: Some(named(CLAIRE)), ..AttachedMessage::default() };
    let attached = InboundMessage { attached_message: Some(attached), ..mail_from(AGENT) };
    for message in [forwarded(), attached] {
        assert!(told(&message).contains("nothing proves that staff forwards it"));
    }
    assert_eq!(told(&mail_from(AGENT)), "", "it forwards nothing");
    let theirs = InboundMessage { from: vec![named("bob@myorg.example")], ..forwarded() };
    assert_eq!(told(&theirs), "", "not in the name of staff");
    let proven = verified_as("dmarc=pass header.from=helpdesk.example", forwarded());
    assert_eq!(told(&proven), "");
    assert_eq!(
        said(&plan_by(&proven, &facts(), &policy), "R-34"),
        format!(
            "the mail server `{SERVER}` found that the sender's domain vouches for it: \
             dmarc=pass header.from=helpdesk.example"
        )
    );
}

#[test]
fn m_105_the_note_above_a_forward_is_internal() {
    let note = |message: &InboundMessage| {
        let plan = plan(message, &facts());
        let (_, added) = opened(&plan);
        (added.note.clone(), said(&plan, "M-105"))
    };
    let (found, told) = note(&forwarded());
    let found = found.expect("a note");
    assert_eq!(found.note, "Please help her.");
    assert!(found.forwarded.starts_with("---------- Forwarded message"), "{}", found.forwarded);
    assert!(found.forwarded.ends_with("It smokes."), "{}", found.forwarded);
    assert_eq!(told, "the words above it are internal");
    // Apple Mail quotes what it forwards.
    let quoted = InboundMessage {
        text: "VIP, be quick.\n\n> Begin forwarded message:\n> \n> From: Claire \
               <claire.johnson@myorg.example>\n> Subject: Printer\n> Date: 5 January 2026\n> \n\
               > It smokes.\n"
            .to_owned(),
        ..forwarded()
    };
    let found = note(&quoted).0.expect("a note");
    assert_eq!(found.note, "VIP, be quick.");
    assert!(found.forwarded.starts_with("> Begin forwarded message:"), "{}", found.forwarded);
    let bare = BLOCK.strip_prefix("Please help her.\n\n").expect("its note");
    let bare = InboundMessage { text: bare.to_owned(), ..forwarded() };
    assert_eq!(note(&bare), (None, String::new()));
    let attached = AttachedMessage { from: Some(named(CLAIRE)), ..AttachedMessage::default() };
    let attached = InboundMessage {
        text: "He is angry.\n".to_owned(),
        attached_message: Some(attached),
        ..mail_from(AGENT)
    };
    let whole = StaffNote { note: "He is angry.".to_owned(), forwarded: String::new() };
    assert_eq!(note(&attached).0, Some(whole));
    let own = plan(&mail_from(CLAIRE), &facts());
    assert_eq!(opened(&own).1.note, None);
}

#[test]
fn m_106_a_writer_whose_user_had_to_wait_is_still_told_nothing() {
    let message = forwarded();
    let policy = policy();
    let mut waiting = facts();
    waiting.room.new_users = Some(noon() + hours(1));
    let first = plan_by(&message, &waiting, &policy);
    assert!(has(&first, "Owe") && !has(&first, "CreateUser"));
    let questions = ask(&message, MAILBOX, &policy, &keys());
    let later = decide_owed(&message, &questions, &facts(), &policy);
    assert_eq!(
        effects(&later),
        [
            format!("CreateUser {}", key(CLAIRE)),
            "AttachUser new".to_owned(),
            "WithholdCredentials M-106".to_owned()
        ]
    );
    let opened_by = |plan: &Plan| {
        plan.effects.iter().find_map(|effect| match effect {
            Effect::AttachUser { opened_by, .. } => Some(*opened_by),
            _ => None,
        })
    };
    assert_eq!(opened_by(&later), Some(OpenedBy::Staff));
    let own = mail_from(CLAIRE);
    let questions = ask(&own, MAILBOX, &policy, &keys());
    let later = decide_owed(&own, &questions, &facts(), &policy);
    assert_eq!(opened_by(&later), Some(OpenedBy::Requester));
}
