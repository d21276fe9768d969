//! What a filter speaks against: E-146, E-106, E-119, E-153, T-01, T-02.

use super::*;
use crate::mail::{Dmarc, Flag, MessageId, ReturnPath, Strength};
use crate::triage::facts::{TicketEvidence, TicketRole, UserFacts, UserStatus};
use crate::triage::plan::MessageAuthor;
use crate::triage::policy::SuspicionFilter;

const FAIL: &str = "dmarc=fail (p=reject) header.from=myorg.example";
const PASS: &str = "dmarc=pass header.from=myorg.example";

fn failed() -> InboundMessage {
    verified_as(FAIL, mail_from(CLAIRE))
}

fn spam() -> InboundMessage {
    InboundMessage { spam: vec!["X-Spam-Flag=YES".to_owned()], ..mail_from(CLAIRE) }
}

/// A staff ticket with a warning: no user, no mail, nobody's part in it.
fn is_for_staff_alone(plan: &Plan, flag: Flag) {
    assert_eq!(ended(plan), "accepted/staff_ticket_created");
    assert!(plan.flags.contains(&flag), "{:?}", plan.flags);
    assert!(plan.story.outgoing.is_empty() && plan.story.user.is_none());
    for effect in &plan.effects {
        match effect {
            Effect::OpenTicket(ticket) => assert!(ticket.staff_only && ticket.user.is_none()),
            Effect::AddMessage(message) => {
                assert_eq!(message.author, MessageAuthor::Person(None));
                assert!(message.people.is_empty());
            }
            Effect::LinkTickets { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn e_146_m_72_a_spam_header_or_a_failed_verdict_makes_a_ticket_for_staff() {
    for facts in [facts(), Facts { user: Some(claire()), ..facts() }] {
        let by_spam = plan(&spam(), &facts);
        is_for_staff_alone(&by_spam, Flag::SpamFlagged);
        let by_verdict = plan_by(&failed(), &facts, &trusting_policy());
        is_for_staff_alone(&by_verdict, Flag::AuthFailed);
        let step = |plan: &Plan, key: &str| {
            plan.story.steps.iter().any(|step| step.key.as_deref() == Some(key))
        };
        assert!(step(&by_spam, "filters.spam_headers"));
        assert!(step(&by_verdict, "filters.dmarc_fail"));
    }
}

#[test]
fn e_146_with_hold_it_is_held_and_with_ignore_it_is_ignored() {
    let mut policy = trusting_policy();
    for (filter, outcome) in [(SuspicionFilter::Hold, "held"), (SuspicionFilter::Ignore, "ignored")]
    {
        policy.filters.spam_headers = filter;
        let plan = plan_by(&spam(), &facts(), &policy);
        assert_eq!(ended(&plan), format!("{outcome}/spam_flagged"));
        assert!(plan.effects.is_empty() && plan.counts.is_none());
        policy.filters.dmarc_fail = filter;
        let both = InboundMessage { spam: spam().spam, ..failed() };
        let plan = plan_by(&both, &facts(), &policy);
        assert_eq!(ended(&plan), format!("{outcome}/auth_failed"));
        assert!(plan.effects.is_empty());
        assert!(plan.flags.contains(&Flag::SpamFlagged) && plan.flags.contains(&Flag::AuthFailed));
    }
}

#[test]
fn e_146_the_verdict_of_a_foreign_server_or_about_another_domain_is_none() {
    let foreign = {
        let mut policy = policy();
        let mailbox = policy.mailboxes.get_mut(MAILBOX).expect("the desk's");
        mailbox.server = crate::triage::policy::TrustedServer::Named("mx.other.example".to_owned());
        policy
    };
    let other = verified_as("dmarc=fail header.from=evil.example", mail_from(CLAIRE));
    for (message, policy) in
        [(failed(), &foreign), (failed(), &policy()), (other, &trusting_policy())]
    {
        let plan = plan_by(&message, &facts(), policy);
        assert_eq!(ended(&plan), "accepted/ticket_created");
        assert!(!plan.flags.contains(&Flag::AuthFailed));
        assert!(has(&plan, "Queue ticket_received"));
    }
}

#[test]
fn m_01_the_order_of_what_decides_about_suspect_mail() {
    let policy = |change: fn(&mut Policy)| {
        let mut policy = trusting_policy();
        change(&mut policy);
        policy
    };
    let denied = policy(|policy| policy.users.deny = list(&["@myorg.example"]));
    assert_eq!(ended(&plan_by(&spam(), &facts(), &denied)), "ignored/sender_denied");
    let held = policy(|policy| {
        policy.users.deny = list(&["@myorg.example"]);
        policy.filters.spam_headers = SuspicionFilter::Hold;
    });
    assert_eq!(ended(&plan_by(&spam(), &facts(), &held)), "held/spam_flagged");
    let closed = policy(|policy| policy.users.auto_create = false);
    assert_eq!(ended(&plan_by(&spam(), &facts(), &closed)), "held/auto_create_off");
    let off = Facts { user: Some(UserFacts { no_tickets: true, ..claire() }), ..facts() };
    assert_eq!(ended(&plan(&spam(), &off)), "ignored/user_ingestion_off");
    // Own mail and bounces are told before.
    let own = InboundMessage { spam: spam().spam, ..mail_from(DESK) };
    assert_eq!(ended(&plan(&own, &facts())), "ignored/own_message");
    // What machines and lists write is treated as theirs, with the flag.
    let reply = signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied");
    let automatic = InboundMessage { signals: vec![reply], ..spam() };
    let ignored = plan(&automatic, &facts());
    assert_eq!(ended(&ignored), "ignored/auto_reply");
    assert!(ignored.flags.contains(&Flag::SpamFlagged));
}

#[test]
fn m_80_t_02_what_failed_is_not_appended_and_draws_no_mail_to_its_ticket() {
    let message = verified_as(FAIL, reply());
    for role in [None, Some(TicketRole::Requester)] {
        let plan = plan_by(&message, &about_ticket(role), &trusting_policy());
        is_for_staff_alone(&plan, Flag::AuthFailed);
        assert_eq!(plan.story.ticket.linked_to, Some(7));
        let Some(Effect::AddMessage(added)) =
            plan.effects.iter().find(|effect| matches!(effect, Effect::AddMessage(_)))
        else {
            panic!("{:?}", plan.effects)
        };
        // Not the ids that it names: they are another ticket's.
        let ids: Vec<&str> = added.ids.iter().map(MessageId::as_str).collect();
        assert_eq!(ids, ["new@mail.example"]);
    }
    // Nor is a machine's answer noted.
    let signals = vec![signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied")];
    let automatic = InboundMessage { signals, ..message };
    let facts = about_ticket(Some(TicketRole::Requester));
    assert_eq!(ended(&plan_by(&automatic, &facts, &trusting_policy())), "ignored/auto_reply");
    let unproven = InboundMessage { authentication: Default::default(), ..automatic };
    assert_eq!(
        ended(&plan_by(&unproven, &facts, &trusting_policy())),
        "accepted/auto_reply_attached"
    );
}

#[test]
fn c_02_with_a_known_server_only_a_pass_brings_credentials() {
    let policy = trusting_policy();
    let passed = plan_by(&verified_as(PASS, mail_from(CLAIRE)), &facts(), &policy);
    assert!(has(&passed, "Queue credentials") && has(&passed, "Queue ticket_received"));
    let unknown = plan_by(&mail_from(CLAIRE), &facts(), &policy);
    assert_eq!(ended(&unknown), "accepted/ticket_created");
    assert!(has(&unknown, "WithholdCredentials C-02") && has(&unknown, "Queue ticket_received"));
}

#[test]
fn e_106_t_04_staff_without_proof_gets_no_word_onto_a_ticket() {
    let from_agent = |findings: Option<&str>| {
        let message = InboundMessage { from: vec![named(AGENT)], ..reply() };
        match findings {
            Some(findings) => verified_as(findings, message),
            None => message,
        }
    };
    for findings in [
        None,
        Some("dmarc=fail header.from=helpdesk.example"),
        Some("dmarc=none header.from=helpdesk.example"),
        Some("dmarc=pass header.from=evil.example"),
    ] {
        let facts = Facts { tickets: vec![ticket(None)], ..facts() };
        let plan = plan_by(&from_agent(findings), &facts, &trusting_policy());
        assert_eq!(ended(&plan), "held/sender_not_participant", "{findings:?}");
        assert!(plan.effects.is_empty());
    }
    // With no ticket claimed, what failed in the name of staff is suspect as anybody's.
    let failed = from_agent(Some("dmarc=fail header.from=helpdesk.example"));
    let alone = plan_by(&failed, &facts(), &trusting_policy());
    assert_eq!(ended(&alone), "accepted/staff_ticket_created");
}

#[test]
fn e_119_t_07_a_robot_with_our_id_in_name_and_text_is_not_on_the_ticket() {
    let robot = "no-reply@idp.example";
    let token = key_of_ours().body_token(7);
    let mut message = InboundMessage {
        text: format!("Confirm your address, {token}: 123456\n"),
        subject: "Confirm [#7]".to_owned(),
        ..mail_from(robot)
    };
    message.from[0].name = Some(token.clone());
    message.marks.tokens = vec![token];
    let named = |evidence| TicketFacts { evidence, ..ticket(None) };
    let facts = Facts {
        tickets: vec![named(TicketEvidence::BodyToken), named(TicketEvidence::SubjectTag)],
        sites: Vec::new(),
        ..facts()
    };
    let pass = verified_as("dmarc=pass header.from=idp.example", message.clone());
    for (message, policy) in [(message, policy()), (pass, trusting_policy())] {
        let plan = plan_by(&message, &facts, &policy);
        assert_eq!(ended(&plan), "accepted/staff_ticket_created");
        assert!(!has(&plan, "AddMessage Existing"), "{:?}", effects(&plan));
        assert!(!has(&plan, "Queue"));
    }
}

#[test]
fn e_153_with_one_field_missing_every_guard_still_counts() {
    let missing: [fn(&mut InboundMessage); 3] = [
        |message| message.return_path = ReturnPath::Absent,
        |message| message.date = Default::default(),
        |message| {
            // The sender is somewhere else, and From vouches for nobody.
            message.from.clear();
            message.headers.retain(|header| header.name != "From");
            message.reply_to = vec![named(CLAIRE)];
        },
    ];
    for (row, spoil) in missing.into_iter().enumerate() {
        let spoiled = |mut message: InboundMessage| {
            spoil(&mut message);
            message
        };
        is_for_staff_alone(&plan(&spoiled(spam()), &facts()), Flag::SpamFlagged);
        let failed = plan_by(&spoiled(failed()), &facts(), &trusting_policy());
        match row {
            2 => assert_eq!(ended(&failed), "accepted/ticket_created"),
            _ => is_for_staff_alone(&failed, Flag::AuthFailed),
        }
        // No verdict, no credentials; and none by a pass that is not the sender's.
        let unknown = plan_by(&spoiled(mail_from(CLAIRE)), &facts(), &trusting_policy());
        assert!(!has(&unknown, "Queue credentials"), "row {row}");
        let passed = spoiled(verified_as(PASS, mail_from(CLAIRE)));
        let passed = plan_by(&passed, &facts(), &trusting_policy());
        assert_eq!(has(&passed, "Queue credentials"), row != 2, "row {row}");
        // A machine stays one, a stranger one, and who is gone gone.
        let null = InboundMessage {
            signals: vec![signal(Strength::Strong, "M-67", "Return-Path=<>")],
            ..spoiled(mail_from(CLAIRE))
        };
        assert_eq!(ended(&plan(&null, &facts())), "accepted/staff_ticket_created");
        let deleted = UserFacts { status: UserStatus::Deleted, ..claire() };
        let gone = Facts { user: Some(deleted), ..facts() };
        let gone = plan(&spoiled(mail_from(CLAIRE)), &gone);
        assert!(!has(&gone, "CreateUser") && !has(&gone, "Queue credentials"));
        let stranger = Facts { tickets: vec![ticket(None)], sites: Vec::new(), ..facts() };
        assert_eq!(ended(&plan(&spoiled(reply()), &stranger)), "accepted/follow_up_linked");
    }
}

#[test]
fn t_01_a_thousand_forged_mails_bring_no_credentials_once_a_server_is_known() {
    for n in 0..1000 {
        let victim = format!("victim{n}@myorg.example");
        let forged = match n % 3 {
            0 => verified_as(FAIL, mail_from(&victim)),
            1 => verified_as("spf=pass smtp.mailfrom=evil.example", mail_from(&victim)),
            _ => mail_from(&victim),
        };
        let questions = ask(&forged, MAILBOX, &trusting_policy(), &keys());
        assert_eq!(questions.dmarc.is_fail(), n % 3 == 0);
        assert_eq!(questions.dmarc == Dmarc::Unknown, n % 3 != 0);
        let plan = decide(&forged, &questions, &facts(), &trusting_policy());
        assert!(!has(&plan, "Queue credentials"), "{victim}");
    }
}
