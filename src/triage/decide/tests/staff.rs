//! What staff hears and says: notices of new tickets and answers, answers by mail (M-81), what did not
//! come by mail at all.

use std::collections::BTreeSet;

use super::*;
use crate::triage::ask_at;
use crate::triage::facts::{
    CredentialsState, Door, Intake, RequesterFacts, TicketEvidence, UserFacts, UserStatus,
};
use crate::triage::plan::{MadeBy, MailCause, OutgoingMail, StaffAuthor, Thread};
use crate::triage::policy::{Agent, Notified, Portal};

const OTTO: &str = "otto@helpdesk.example";

/// A desk with two agents who hear of everything.
fn staffed(policy: Policy) -> Policy {
    let mut policy = policy;
    for (name, written) in [("Anna Weiss", AGENT), ("Otto", OTTO)] {
        let notify = BTreeSet::from([Notified::Created, Notified::Replied]);
        let agent =
            Agent { name: name.to_owned(), address: address(written), sites: Vec::new(), notify };
        policy.agents.insert(key(written), agent);
    }
    policy
}

/// The mails of this template, in their order.
fn mails<'a>(plan: &'a Plan, template: &str) -> Vec<&'a OutgoingMail> {
    let queued = plan.effects.iter().filter_map(|effect| match effect {
        Effect::Queue(mail) => Some(mail),
        _ => None,
    });
    queued.filter(|mail| mail.template == template).collect()
}

fn to(mails: &[&OutgoingMail]) -> Vec<String> {
    mails.iter().map(|mail| mail.to.to_string()).collect()
}

fn told(plan: &Plan) -> Vec<String> {
    to(&mails(plan, "agent_notice"))
}

/// Ticket 7, which is Claire's, as what staff writes asks for it.
fn of_claire(evidence: TicketEvidence) -> TicketFacts {
    let thread = Thread { parent: Some(id("last@mail.example")), references: vec![] };
    TicketFacts {
        evidence,
        requester: Some(RequesterFacts {
            address: address(CLAIRE),
            user: Some("user-claire".to_owned()),
            locale: Some("fr".to_owned()),
            mailbox: MAILBOX.to_owned(),
            thread,
        }),
        ..ticket(None)
    }
}

fn about(evidence: TicketEvidence) -> Facts {
    Facts { tickets: vec![of_claire(evidence)], ..facts() }
}

/// A mail of an agent's to the reply address of their own for ticket 7.
fn to_own_address(agent: &str) -> InboundMessage {
    let own = key_of_ours().agent_address(7, &key(AGENT), &address(DESK)).expect("it is short");
    let own = own.to_string();
    InboundMessage {
        subject: "Re: [#7] Printer".to_owned(),
        delivered_to: vec![own.clone()],
        to: vec![named(&own)],
        text: "Switch it off and on again.\n\n-- \nAnna Weiss, Example IT\n".to_owned(),
        ..mail_from(agent)
    }
}

fn our_answer(agent: &str) -> InboundMessage {
    let ours = id(&key_of_ours().message_id(7, 5, "helpdesk.example"));
    InboundMessage {
        to: vec![named(DESK)],
        delivered_to: vec![DESK.to_owned()],
        in_reply_to: vec![ours],
        ..to_own_address(agent)
    }
}

const PASS: &str = "dmarc=pass header.from=helpdesk.example";
const FAIL: &str = "dmarc=fail header.from=helpdesk.example";

#[test]
fn a_new_ticket_and_an_answer_are_told_those_who_wish_to_hear_of_them() {
    let policy = staffed(policy());
    let opened = plan_by(&mail_from(CLAIRE), &facts(), &policy);
    assert_eq!(told(&opened), [AGENT, OTTO]);
    let notice = mails(&opened, "agent_notice")[0];
    assert!(notice.user.is_none() && !notice.brings_credentials());
    let cause = MailCause::News { agent: Some(key(AGENT)), thread: Thread::default() };
    assert_eq!(notice.cause, cause);
    let answered = plan_by(&reply(), &about_ticket(Some(TicketRole::Requester)), &policy);
    assert_eq!(told(&answered), [AGENT, OTTO]);
    let mut deaf = policy.clone();
    deaf.agents.get_mut(&key(OTTO)).expect("he is there").notify = [Notified::Created].into();
    assert_eq!(
        told(&plan_by(&reply(), &about_ticket(Some(TicketRole::Requester)), &deaf)),
        [AGENT]
    );
}

#[test]
fn an_assigned_ticket_concerns_its_agent_alone_and_sites_limit_whom_it_concerns() {
    let mut facts = about_ticket(Some(TicketRole::Requester));
    facts.tickets[0].assignee = Some(key(OTTO));
    assert_eq!(told(&plan_by(&reply(), &facts, &staffed(policy()))), [OTTO]);
    let mut of_others = staffed(policy());
    of_others.agents.get_mut(&key(OTTO)).expect("he is there").sites = vec!["Contoso".to_owned()];
    assert!(told(&plan_by(&reply(), &facts, &of_others)).is_empty());
    assert_eq!(told(&plan_by(&mail_from(CLAIRE), &self::facts(), &of_others)), [AGENT]);
}

#[test]
fn m_81_an_agent_answers_tickets_of_their_sites_and_those_assigned_to_them() {
    let mut facts = about(TicketEvidence::AgentAddress);
    let mut policy = staffed(policy());
    let mut end = |sites: &[&str], facts: &Facts| {
        let agent = policy.agents.get_mut(&key(AGENT)).expect("she is there");
        agent.sites = sites.iter().map(|site| (*site).to_owned()).collect();
        ended(&plan_by(&to_own_address(AGENT), facts, &policy))
    };
    let own = facts.tickets[0].site.name.clone();
    assert_eq!(end(&[], &facts), "accepted/reply_added");
    assert_eq!(end(&["Elsewhere", &own], &facts), "accepted/reply_added");
    assert_eq!(end(&["Elsewhere"], &facts), "held/sender_not_participant");
    facts.tickets[0].assignee = Some(key(AGENT));
    assert_eq!(end(&["Elsewhere"], &facts), "accepted/reply_added");
}

#[test]
fn nobody_is_told_of_their_own_words_of_old_mail_or_of_what_was_not_accepted() {
    let policy = staffed(policy());
    assert_eq!(told(&plan_by(&mail_from(AGENT), &facts(), &policy)), [OTTO]);
    let old = Facts { intake: Intake::Backfill, ..facts() };
    assert!(told(&plan_by(&mail_from(CLAIRE), &old, &policy)).is_empty());
    let copy = Facts { duplicate_of: Some("m".to_owned()), ..facts() };
    assert!(told(&plan_by(&mail_from(CLAIRE), &copy, &policy)).is_empty());
    let held = plan_by(&mail_from("nobody"), &facts(), &policy);
    assert!(ended(&held).starts_with("held/") && told(&held).is_empty());
}

#[test]
fn m_81_an_agent_answers_by_their_own_reply_address() {
    for (policy, message) in [
        (policy(), to_own_address(AGENT)),
        (trusting_policy(), verified_as(PASS, to_own_address(AGENT))),
    ] {
        let facts = about(TicketEvidence::AgentAddress);
        let plan = plan_by(&message, &facts, &staffed(policy));
        assert_eq!(ended(&plan), "accepted/reply_added");
        assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("agent_address"));
        assert_eq!(plan.reply.text.trim(), "Switch it off and on again.");
        let author = StaffAuthor {
            agent: Some(key(AGENT)),
            address: AGENT.to_owned(),
            name: Some("Anna Weiss".to_owned()),
        };
        let added = plan.effects.iter().find_map(|effect| match effect {
            Effect::AddMessage(new) => Some(&new.author),
            _ => None,
        });
        assert_eq!(added, Some(&MessageAuthor::Staff(author)));
        let sent = mails(&plan, "ticket_reply");
        assert_eq!(to(&sent), [CLAIRE]);
        assert_eq!(sent[0].locale, "fr");
        let thread = Thread { parent: Some(id("last@mail.example")), references: vec![] };
        assert_eq!(sent[0].cause, MailCause::Words { agent: Some(key(AGENT)), thread });
        assert!(told(&plan).is_empty() && !has(&plan, "CreateUser") && !has(&plan, "Reopen"));
        assert!(plan.counts.is_some(), "an agent's mail counts like anybody's");
    }
}

#[test]
fn m_81_an_agent_answers_our_mail_when_their_server_vouches_for_them() {
    let ours = TicketEvidence::MessageId { id: id("ours@helpdesk.example") };
    let plan = |findings: &str, evidence: &TicketEvidence| {
        let message = verified_as(findings, our_answer(AGENT));
        plan_by(&message, &about(evidence.clone()), &staffed(trusting_policy()))
    };
    for evidence in [&ours, &TicketEvidence::ReplyAddress] {
        let answered = plan(PASS, evidence);
        assert_eq!(ended(&answered), "accepted/reply_added");
        assert_eq!(to(&mails(&answered, "ticket_reply")), [CLAIRE]);
    }
    for evidence in [TicketEvidence::BodyToken, TicketEvidence::SubjectTag] {
        let weak = plan(PASS, &evidence);
        assert_eq!(ended(&weak), "held/sender_not_participant", "{evidence:?}");
        assert!(!has(&weak, "Queue"));
    }
}

#[test]
fn t_04_mail_in_the_name_of_staff_that_nothing_proves_is_held_and_nobody_is_mailed() {
    let ours = || TicketEvidence::MessageId { id: id("ours@helpdesk.example") };
    let trusting = staffed(trusting_policy());
    let rows = [
        // No server is known: only an address that they alone were told proves anything.
        (our_answer(AGENT), ours(), staffed(policy())),
        (our_answer(AGENT), ours(), trusting.clone()),
        (to_own_address(AGENT), TicketEvidence::AgentAddress, trusting.clone()),
        (verified_as(FAIL, our_answer(AGENT)), ours(), trusting.clone()),
        (verified_as(FAIL, to_own_address(AGENT)), TicketEvidence::AgentAddress, trusting),
    ];
    for (n, (message, evidence, policy)) in rows.into_iter().enumerate() {
        let plan = plan_by(&message, &about(evidence), &policy);
        assert_eq!(ended(&plan), "held/sender_not_participant", "{n}");
        assert!(!has(&plan, "Queue") && !has(&plan, "AddMessage"), "{n}");
    }
    // Of another agent's address nobody is the owner.
    let others = plan_by(&to_own_address(OTTO), &facts(), &staffed(policy()));
    assert_eq!(ended(&others), "held/sender_not_participant");
}

#[test]
fn an_answer_that_says_nothing_is_sent_to_nobody() {
    let quoted = "On Mon, 5 Jan 2026 at 12:00, Support <support@helpdesk.example> wrote:\n\
                  > It stops after each page.\n";
    let message = InboundMessage { text: quoted.to_owned(), ..to_own_address(AGENT) };
    let plan = plan_by(&message, &about(TicketEvidence::AgentAddress), &staffed(policy()));
    assert_eq!(ended(&plan), "held/sender_not_participant");
    assert!(!has(&plan, "Queue"));
}

#[test]
fn what_an_agents_machine_answers_is_no_answer_of_theirs() {
    use crate::mail::Strength;
    let away = InboundMessage {
        signals: vec![signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied")],
        ..to_own_address(AGENT)
    };
    let plan = plan_by(&away, &about(TicketEvidence::AgentAddress), &staffed(policy()));
    assert_eq!(ended(&plan), "ignored/auto_reply");
    assert!(!has(&plan, "Queue") && !has(&plan, "AddMessage"));
}

#[test]
fn an_agents_own_ticket_is_theirs_like_anybodys() {
    let mut facts = about(TicketEvidence::AgentAddress);
    facts.tickets[0].sender_role = Some(TicketRole::Requester);
    let plan = plan_by(&to_own_address(AGENT), &facts, &staffed(policy()));
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert!(mails(&plan, "ticket_reply").is_empty());
    assert_eq!(told(&plan), [OTTO]);
}

/// What was written at the counter.
fn plan_at(door: Door, message: &InboundMessage, facts: &Facts, policy: &Policy) -> Plan {
    let questions = ask_at(&door, message, MAILBOX, policy, &keys());
    decide(message, &questions, facts, policy)
}

fn portal(ticket: Option<i64>) -> Door {
    Door::Portal { user: "user-claire".to_owned(), ticket }
}

fn by_agent(ticket: Option<i64>) -> Door {
    Door::Staff { agent: Some(address(AGENT)), ticket }
}

fn by_claire(role: Option<TicketRole>) -> Facts {
    let ticket = TicketFacts { evidence: TicketEvidence::Portal, ..ticket(role) };
    Facts { user: Some(claire()), tickets: vec![ticket], ..facts() }
}

#[test]
fn what_a_user_writes_in_the_portal_goes_to_the_ticket_that_it_was_written_for() {
    let message = mail_from(CLAIRE);
    let policy = staffed(policy());
    for role in [TicketRole::Requester, TicketRole::Participant] {
        let plan = plan_at(portal(Some(7)), &message, &by_claire(Some(role)), &policy);
        assert_eq!(ended(&plan), "accepted/reply_added");
        assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("portal"));
        assert_eq!(told(&plan), [AGENT, OTTO]);
        assert!(mails(&plan, "ticket_received").is_empty());
        assert_eq!(plan.counts, Some(key(CLAIRE)), "it counts like mail of theirs");
    }
    let mut closed = by_claire(Some(TicketRole::Requester));
    closed.tickets[0].status = TicketStatus::Closed;
    closed.tickets[0].closed_at = Some(noon() - hours(1));
    let again = plan_at(portal(Some(7)), &message, &closed, &policy);
    assert_eq!(ended(&again), "accepted/ticket_reopened");
    closed.tickets[0].closed_at = Some(noon() - hours(24 * 15));
    let anew = plan_at(portal(Some(7)), &message, &closed, &policy);
    assert_eq!(ended(&anew), "accepted/follow_up_linked");
    let opened = plan_at(portal(None), &message, &by_claire(None), &policy);
    assert_eq!(ended(&opened), "accepted/ticket_created");
    assert_eq!(mails(&opened, "ticket_received").len(), 1);
}

#[test]
fn t_02_a_user_writes_to_nothing_that_they_may_not_see() {
    let message = mail_from(CLAIRE);
    let plan = |facts: &Facts| plan_at(portal(Some(7)), &message, facts, &policy());
    let refused = |facts: &Facts, what: &str| {
        let plan = plan(facts);
        assert_eq!(ended(&plan), "held/sender_not_participant", "{what}");
        assert!(plan.effects.is_empty(), "{what}");
    };
    refused(&by_claire(None), "a colleague, who may answer by mail, and sees nothing");
    refused(&by_claire(Some(TicketRole::Correspondent)), "a correspondent");
    refused(&Facts { tickets: Vec::new(), ..by_claire(None) }, "it is gone");
    let mut staff_only = by_claire(Some(TicketRole::Requester));
    staff_only.tickets[0].staff_only = true;
    refused(&staff_only, "for staff alone");
    for status in [UserStatus::Deleted, UserStatus::Disabled] {
        let user = UserFacts { status, ..claire() };
        let facts = Facts { user: Some(user), ..by_claire(Some(TicketRole::Requester)) };
        refused(&facts, status.as_str());
    }
    let mut primary = by_claire(None);
    primary.tickets[0].site.sender_is_primary = true;
    assert_eq!(ended(&plan(&primary)), "accepted/reply_added", "she sees the site's tickets");
}

#[test]
fn t_46_nothing_in_what_was_written_at_the_counter_leads_anywhere() {
    use crate::mail::{Marks, Strength};
    let token = key_of_ours().body_token(9);
    let message = InboundMessage {
        subject: "Re: [#9] Fwd: Out of office".to_owned(),
        marks: Marks { tokens: vec![token.clone()], ..Marks::default() },
        in_reply_to: vec![id(&key_of_ours().message_id(9, 1, "helpdesk.example"))],
        signals: vec![signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied")],
        text: format!("> quoted\n\n{token}\n-- \nClaire\n"),
        ..mail_from(CLAIRE)
    };
    let questions = ask_at(&portal(Some(7)), &message, MAILBOX, &policy(), &keys());
    assert!(questions.references.is_empty() && questions.tagged.is_empty());
    let numbers: Vec<i64> = questions.signed.tickets.iter().map(|ticket| ticket.number).collect();
    assert_eq!(numbers, [7]);
    let facts = by_claire(Some(TicketRole::Requester));
    let plan = plan_at(portal(Some(7)), &message, &facts, &policy());
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert_eq!(plan.reply.visible, message.text.trim_end(), "nothing of it is cut off");
}

#[test]
fn e_142_what_a_user_writes_waits_for_room_and_what_staff_writes_does_not() {
    let message = mail_from(CLAIRE);
    let mut facts = by_claire(Some(TicketRole::Requester));
    facts.room.sender = Some(noon() + hours(1));
    let plan = plan_at(portal(Some(7)), &message, &facts, &policy());
    assert!(ended(&plan).starts_with("deferred"));
    facts.tickets = vec![of_claire(TicketEvidence::Staff)];
    let plan = plan_at(by_agent(Some(7)), &mail_from(AGENT), &facts, &policy());
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert_eq!(plan.counts, None);
}

#[test]
fn what_staff_writes_goes_to_the_requester_and_changes_nothing_else() {
    let policy = staffed(policy());
    for status in [TicketStatus::Open, TicketStatus::Pending, TicketStatus::Closed] {
        let mut facts = about(TicketEvidence::Staff);
        facts.tickets[0].status = status;
        let plan = plan_at(by_agent(Some(7)), &mail_from(AGENT), &facts, &policy);
        assert_eq!(effects(&plan), ["AddMessage Existing(7)", "Queue ticket_reply"]);
        assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("staff"));
    }
    let operator = Door::Staff { agent: None, ticket: Some(7) };
    let plan = plan_at(operator, &mail_from(DESK), &about(TicketEvidence::Staff), &policy);
    assert_eq!(ended(&plan), "accepted/reply_added", "our own address is no loop here (M-57)");
    let gone = plan_at(by_agent(Some(7)), &mail_from(AGENT), &facts(), &policy);
    assert_eq!(ended(&gone), "held/sender_not_participant");
}

#[test]
fn t_22_a_copy_of_what_went_out_by_itself_is_mailed_to_nobody() {
    let mut message = mail_from(AGENT);
    message.headers.push(header("X-Auto-Response-Suppress", "All"));
    let facts = about(TicketEvidence::Staff);
    let plan = plan_at(by_agent(Some(7)), &message, &facts, &staffed(policy()));
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
}

#[test]
fn a_ticket_by_telephone_makes_its_requester_a_user_and_tells_them() {
    let mut policy = staffed(policy());
    policy.users.auto_create = false;
    let mut facts = facts();
    facts.room.new_users = Some(noon() + hours(1));
    let plan = plan_at(by_agent(None), &mail_from(CLAIRE), &facts, &policy);
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert_eq!(to(&mails(&plan, "ticket_received")), [CLAIRE]);
    assert_eq!(to(&mails(&plan, "credentials")), [CLAIRE]);
    assert_eq!(told(&plan), [OTTO], "who wrote it knows");
    let made = plan.effects.iter().find_map(|effect| match effect {
        Effect::CreateUser(user) => Some(user),
        _ => None,
    });
    let made = made.expect("a user is made, whatever mail may do");
    assert_eq!((made.made_by, made.credentials), (MadeBy::Hand, CredentialsState::Due));
    assert_eq!((made.first_name.as_str(), made.last_name.as_str()), ("Claire", "Johnson"));
}

#[test]
fn a_requester_is_told_nothing_when_staff_wishes_so() {
    let header = header("X-Auto-Response-Suppress", "All");
    let mut message = mail_from(CLAIRE);
    message.headers.push(header);
    let plan = plan_at(by_agent(None), &message, &facts(), &staffed(policy()));
    assert_eq!(told(&plan), [OTTO]);
    assert_eq!(effects(&plan).iter().filter(|short| short.starts_with("Queue")).count(), 1);
    let due = plan.effects.iter().any(|effect| {
        matches!(effect, Effect::CreateUser(user) if user.credentials == CredentialsState::NotDue)
    });
    assert!(due, "nor later");
}

#[test]
fn of_the_gate_only_what_concerns_the_account_holds_for_a_user_made_by_hand() {
    let codes = |change: fn(&mut Facts, &mut Policy)| {
        let (mut facts, mut policy) = (facts(), policy());
        change(&mut facts, &mut policy);
        let plan = plan_at(by_agent(None), &mail_from(CLAIRE), &facts, &policy);
        let withheld = plan.story.outgoing.iter().find(|mail| mail.template == "credentials");
        withheld.and_then(|mail| mail.withheld.clone())
    };
    assert_eq!(codes(|facts, _| facts.budget.total = Some(noon())).as_deref(), Some("C-10"));
    let undeliverable = |facts: &mut Facts, _: &mut Policy| {
        let credentials = CredentialsState::Due;
        facts.user = Some(UserFacts { undeliverable: true, credentials, ..claire() });
    };
    assert_eq!(codes(undeliverable).as_deref(), Some("C-12"));
    assert_eq!(codes(|facts, _| facts.arrived_at = noon() - hours(24 * 30)), None);
    assert_eq!(codes(|_, policy| policy.credentials.unassigned = false), None);
    assert_eq!(codes(|_, policy| policy.portal = Portal::Absent), None);
}

#[test]
fn t_54_whose_account_was_deleted_gets_a_ticket_and_no_user() {
    let user = UserFacts { status: UserStatus::Deleted, ..claire() };
    let facts = Facts { user: Some(user), ..facts() };
    let plan = plan_at(by_agent(None), &mail_from(CLAIRE), &facts, &policy());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(!has(&plan, "CreateUser") && !has(&plan, "Queue credentials"));
}
