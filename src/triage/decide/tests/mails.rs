//! Mails of ours: M-72, E-141, and when credentials go out.

use super::*;
use crate::mail::ReturnPath;
use crate::triage::facts::{
    CredentialsBudget, CredentialsState, Intake, Room, SiteFacts, UserFacts,
};
use crate::triage::plan::{MailCause, OutgoingMail, TicketRef};
use crate::triage::policy::{CredentialsMode, Portal};

fn queued<'a>(plan: &'a Plan, template: &str) -> &'a OutgoingMail {
    let found = plan.effects.iter().find_map(|effect| match effect {
        Effect::Queue(mail) if mail.template == template => Some(mail),
        _ => None,
    });
    found.expect("the mail is queued")
}

fn due() -> UserFacts {
    UserFacts { credentials: CredentialsState::Due, ..claire() }
}

#[test]
fn m_72_each_reason_alone_leaves_a_ticket_without_acknowledgement() {
    type Spoil = fn(&mut InboundMessage, &mut Facts);
    let reasons: [(&str, Spoil); 8] = [
        ("R-03", |message, _| message.return_path = ReturnPath::Null),
        ("M-72", |message, _| {
            message.headers.push(header("X-Auto-Response-Suppress", "AutoReply"))
        }),
        ("M-72", |message, _| message.from.push(named("b@x.example"))),
        ("M-72", |message, _| {
            message.to.clear();
            message.delivered_to.clear();
        }),
        ("M-72", |_, facts| facts.arrived_at = noon() - hours(24 * 7 + 1)),
        ("M-72", |_, facts| facts.room.auto_mails = Some(noon())),
        ("C-14", |_, facts| facts.intake = Intake::Backfill),
        ("M-81", |_, facts| {
            facts.user = None;
            facts.sites.clear();
            facts.tickets = vec![ticket(None)];
        }),
    ];
    for (row, (rule, spoil)) in reasons.into_iter().enumerate() {
        let (mut message, mut facts) = (mail_from(CLAIRE), facts());
        spoil(&mut message, &mut facts);
        let plan = plan(&message, &facts);
        assert!(has(&plan, "OpenTicket"), "row {row}");
        assert!(!has(&plan, "Queue ticket_received"), "row {row}");
        let told = plan.story.outgoing.first().expect("told of");
        assert_eq!(
            (told.template.as_str(), told.withheld.as_deref()),
            ("ticket_received", Some(rule))
        );
        assert!(plan.story.steps.iter().any(|step| step.rule == rule), "row {row}");
    }
}

#[test]
fn m_72_what_is_no_reason() {
    let dr = header("X-Auto-Response-Suppress", "DR, NDR, RN, NRN");
    let mut message = mail_from(CLAIRE);
    message.headers.push(dr);
    message.to.clear();
    assert!(has(&plan(&message, &facts()), "Queue ticket_received"));
}

#[test]
fn e_141_the_loop_brake_stops_acknowledgements_only() {
    let room = Room { auto_mails: Some(noon() + hours(1)), ..Room::default() };
    let plan = plan(&mail_from(CLAIRE), &Facts { room, ..facts() });
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(!has(&plan, "Queue ticket_received"));
}

#[test]
fn e_144_m_04_the_sender_of_what_was_too_large_is_told_once() {
    let stub = Facts { intake: Intake::Stub, ..facts() };
    let opened = plan(&mail_from(CLAIRE), &stub);
    assert_eq!(ended(&opened), "accepted/ticket_created");
    assert_eq!(queued(&opened, "too_large").ticket, Some(TicketRef::New));
    let names = |plan: &Plan| -> Vec<String> {
        plan.story.outgoing.iter().map(|mail| mail.template.clone()).collect()
    };
    assert_eq!(names(&opened), ["too_large", "credentials"], "instead of an acknowledgement");
    assert!(has(&opened, "WithholdCredentials C-11"));

    let stub = Facts { intake: Intake::Stub, ..about_ticket(Some(TicketRole::Requester)) };
    let added = plan(&reply(), &stub);
    assert_eq!(ended(&added), "accepted/reply_added");
    assert!(matches!(queued(&added, "too_large").ticket, Some(TicketRef::Existing(_))));

    // Never on a null path or an automatic mail.
    let null = InboundMessage { return_path: ReturnPath::Null, ..mail_from(CLAIRE) };
    let null = plan(&null, &Facts { intake: Intake::Stub, ..facts() });
    assert!(!has(&null, "Queue"), "{:?}", effects(&null));
}

#[test]
fn t_12_an_answer_never_goes_to_reply_to() {
    let reply_to = vec![named("victim@other.example")];
    let message = InboundMessage { reply_to, ..mail_from(CLAIRE) };
    let plan = plan(&message, &facts());
    assert_eq!(queued(&plan, "ticket_received").to, address(CLAIRE));
    assert!(has(&plan, "WithholdCredentials C-05"));
}

#[test]
fn r_14_an_answer_names_its_parent_and_credentials_have_a_thread_of_their_own() {
    let references = vec![id("a@x"), id("b@x")];
    let message = InboundMessage { in_reply_to: vec![id("b@x")], ..mail_from(CLAIRE) };
    let single = plan(&message, &facts());
    let cause = |plan: &Plan| queued(plan, "ticket_received").cause.clone();
    let answer =
        |parent_references| MailCause::Answer { parent: id("new@mail.example"), parent_references };
    assert_eq!(cause(&single), answer(vec![id("b@x")]));
    let message = InboundMessage { references: references.clone(), ..message };
    let plan = plan(&message, &facts());
    assert_eq!(cause(&plan), answer(references));
    let credentials = queued(&plan, "credentials");
    assert_eq!((credentials.cause.clone(), credentials.ticket), (MailCause::Notice, None));
}

#[test]
fn the_locale_of_the_user_then_of_the_site_then_of_the_desk() {
    let locale =
        |facts: &Facts| queued(&plan(&mail_from(CLAIRE), facts), "ticket_received").locale.clone();
    assert_eq!(locale(&facts()), "en");
    let french = SiteFacts { locale: Some("fr".to_owned()), ..my_org() };
    assert_eq!(locale(&Facts { sites: vec![french.clone()], ..facts() }), "fr");
    let user = UserFacts { locale: Some("de".to_owned()), site: french, ..claire() };
    assert_eq!(locale(&Facts { user: Some(user), ..facts() }), "de");
}

#[test]
fn t_28_credentials_go_to_the_stored_address() {
    let stored = address("claire@private.example");
    let user = UserFacts { address: stored.clone(), ..due() };
    let plan = plan(&mail_from(CLAIRE), &Facts { user: Some(user), ..facts() });
    assert_eq!(queued(&plan, "credentials").to, stored);
    assert_eq!(queued(&plan, "ticket_received").to, address(CLAIRE));
}

#[test]
fn credentials_withheld_first_and_clear_later_are_sent_exactly_once() {
    let by_delivery_only =
        InboundMessage { to: Vec::new(), delivered_to: Vec::new(), ..mail_from(CLAIRE) };
    let first = plan(&by_delivery_only, &facts());
    assert!(has(&first, "WithholdCredentials C-13"));
    assert!(!has(&first, "Queue credentials"));
    let second =
        plan(&reply(), &Facts { user: Some(due()), ..about_ticket(Some(TicketRole::Requester)) });
    assert_eq!(effects(&second), ["AddMessage Existing(7)", "Queue credentials"]);
    let third = plan(&reply(), &about_ticket(Some(TicketRole::Requester)));
    assert_eq!(effects(&third), ["AddMessage Existing(7)"]);
}

#[test]
fn c_06_users_who_are_not_due_are_not_even_told_of() {
    let user = UserFacts { credentials: CredentialsState::NotDue, ..claire() };
    let plan = plan(&mail_from(CLAIRE), &Facts { user: Some(user), ..facts() });
    assert!(plan.story.outgoing.iter().all(|mail| mail.template == "ticket_received"));
}

#[test]
fn c_10_over_budget_credentials_wait() {
    let until = noon() + hours(3);
    let budget = CredentialsBudget { site: Some(until), ..CredentialsBudget::default() };
    let waits = plan(&mail_from(CLAIRE), &Facts { budget: budget.clone(), ..facts() });
    assert!(has(&waits, "WithholdCredentials C-10"));
    assert!(has(&waits, &format!("Owe {until}")));
    // What would be withheld anyway is not waited for.
    let message = InboundMessage { reply_to: vec![named(STRANGER)], ..mail_from(CLAIRE) };
    let never = plan(&message, &Facts { budget, ..facts() });
    assert!(has(&never, "WithholdCredentials C-05"));
    assert!(!has(&never, "Owe"));
}

#[test]
fn no_portal_no_credentials() {
    let mut without = [policy(), policy(), policy()];
    without[0].portal = Portal::Absent;
    without[1].credentials.send = false;
    without[2].credentials.mode = CredentialsMode::None;
    for policy in without {
        let plan = plan_by(&mail_from(CLAIRE), &facts(), &policy);
        assert!(has(&plan, "CreateUser"));
        assert!(!has(&plan, "Queue credentials"));
        assert!(!has(&plan, "WithholdCredentials"));
    }
}
