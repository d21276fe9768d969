//! Coming back to what was owed, and the plans that need no facts.

use super::*;
use crate::mail::Unreadable;
use crate::triage::facts::{
    CredentialsBudget, CredentialsState, FoundIn, Room, TicketEvidence, UserFacts, UserStatus,
};

fn owed(message: &InboundMessage, facts: &Facts) -> Plan {
    let policy = policy();
    decide_owed(message, &ask(message, MAILBOX, &policy, &keys()), facts, &policy)
}

/// The ticket that the message itself opened.
fn opened() -> TicketFacts {
    let evidence = TicketEvidence::Reference {
        id: id("new@mail.example"),
        found_in: FoundIn::OwnId,
        seen: true,
    };
    TicketFacts { number: 20, evidence, ..ticket(Some(TicketRole::Requester)) }
}

#[test]
fn with_room_the_user_is_made_gets_the_ticket_and_the_credentials() {
    let plan = owed(&mail_from(CLAIRE), &Facts { tickets: vec![opened()], ..facts() });
    assert_eq!(plan.verdict, Verdict::Stands);
    assert_eq!(
        effects(&plan),
        ["CreateUser claire.johnson@myorg.example", "AttachUser new", "Queue credentials",]
    );
}

#[test]
fn a_user_made_meanwhile_gets_the_ticket_and_no_second_credentials() {
    let facts = Facts { user: Some(claire()), tickets: vec![opened()], ..facts() };
    assert_eq!(effects(&owed(&mail_from(CLAIRE), &facts)), ["AttachUser user-claire"]);
}

#[test]
fn without_room_it_is_owed_again() {
    let until = noon() + hours(1);
    let room = Room { new_users: Some(until), ..Room::default() };
    let plan = owed(&mail_from(CLAIRE), &Facts { room, ..facts() });
    assert_eq!(effects(&plan), [format!("Owe {until}")]);
}

#[test]
fn c_10_credentials_wait_again_and_then_go_out() {
    let until = noon() + hours(1);
    let user = Some(UserFacts { credentials: CredentialsState::Due, ..claire() });
    let budget = CredentialsBudget { total: Some(until), ..CredentialsBudget::default() };
    let waits = owed(&mail_from(CLAIRE), &Facts { user: user.clone(), budget, ..facts() });
    assert_eq!(
        effects(&waits),
        [
            "AttachUser user-claire".to_owned(),
            "WithholdCredentials C-10".to_owned(),
            format!("Owe {until}"),
        ]
    );
    let sent = owed(&mail_from(CLAIRE), &Facts { user, ..facts() });
    assert_eq!(effects(&sent), ["AttachUser user-claire", "Queue credentials"]);
}

#[test]
fn m_81_a_stranger_stays_one() {
    let message = InboundMessage { from: vec![named(STRANGER)], ..reply() };
    let facts = Facts { sites: Vec::new(), tickets: vec![opened(), ticket(None)], ..facts() };
    let plan = owed(&message, &facts);
    assert!(has(&plan, "CreateUser eve@evil.example"));
    assert!(!has(&plan, "Queue"));
}

#[test]
fn a_user_deleted_meanwhile_is_owed_nothing() {
    let user = Some(UserFacts { status: UserStatus::Deleted, ..claire() });
    assert!(owed(&mail_from(CLAIRE), &Facts { user, ..facts() }).effects.is_empty());
}

#[test]
fn m_04_m_05_what_cannot_be_read_is_held() {
    let rule = |plan: &Plan| plan.story.steps[0].rule.clone();
    let too_much = unreadable(&Unreadable::TooMuch { what: "parts", limit: 1000 });
    assert_eq!(
        (ended(&too_much).as_str(), rule(&too_much).as_str()),
        ("held/parse_failed", "M-04")
    );
    let plan = unreadable(&Unreadable::Excuse);
    assert_eq!((ended(&plan).as_str(), rule(&plan).as_str()), ("held/parse_failed", "E-12"));
    for why in [Unreadable::Empty, Unreadable::NoHeader, Unreadable::Reader("x".to_owned())] {
        let plan = unreadable(&why);
        assert_eq!((ended(&plan).as_str(), rule(&plan).as_str()), ("held/parse_failed", "M-05"));
        assert_eq!(plan.story.steps[0].said, why.to_string());
    }
}

#[test]
fn p_12_what_failed_too_often_is_held_and_e_09_old_mail_is_left_alone() {
    let plan = gave_up(3, "the store refused it");
    assert_eq!(ended(&plan), "held/internal_error");
    let said = "given up after 3 attempts: the store refused it";
    assert_eq!(plan.story.steps[0].said, said);
    assert_eq!(ended(&before_start()), "ignored/before_start");
}
