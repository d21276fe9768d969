//! Who is not answered (M-72, R-13), from the bytes to the plan.

use super::kinds::{is_silent, message, planned, raw};
use super::*;
use crate::mail::ReturnPath;
use crate::triage::facts::Intake;

#[test]
fn m_72_each_field_that_names_us_is_enough() {
    let policy = policy();
    let elsewhere = raw("").replace(&format!("To: {DESK}"), "To: hotline@other.example");
    let withheld = planned(&elsewhere);
    assert_eq!(ended(&withheld), "accepted/ticket_created");
    assert!(!has(&withheld, "Queue"));
    let step =
        withheld.story.steps.iter().find(|step| step.key.as_deref() == Some("mailbox.aliases"));
    assert_eq!(step.map(|step| step.rule.as_str()), Some("M-72"));
    for field in [
        format!("Cc: {DESK}"),
        format!("Delivered-To: {DESK}"),
        format!("X-Original-To: {DESK}"),
        format!("X-Forwarded-To: {DESK}"),
        format!("X-Forwarded-For: a@x.example {DESK}"),
        format!("Envelope-To: {DESK}"),
        format!("Resent-To: Desk <{DESK}>"),
        format!("Received: from a by b for <{DESK}>; Mon, 5 Jan 2026 11:59:30 +0000"),
    ] {
        let plan = plan_by(&message(&format!("{field}\r\n{elsewhere}")), &facts(), &policy);
        assert!(has(&plan, "Queue ticket_received"), "{field}");
    }
    let mut policy = policy;
    policy.own.insert(key("hotline@other.example"));
    let plan = plan_by(&message(&elsewhere), &facts(), &policy);
    assert!(has(&plan, "Queue ticket_received"), "an alias that leads to us");
}

#[test]
fn m_72_r_13_the_sender_of_two_large_replies_is_told_once() {
    let stub = Facts { intake: Intake::Stub, ..about_ticket(Some(TicketRole::Requester)) };
    assert!(has(&plan(&reply(), &stub), "Queue too_large"));
    for (told_too_large, is_told) in [(vec![7], false), (vec![8], true)] {
        let plan = plan(&reply(), &Facts { told_too_large, ..stub.clone() });
        assert_eq!(ended(&plan), "accepted/reply_added");
        assert_eq!(has(&plan, "Queue too_large"), is_told);
    }
}

#[test]
fn e_144_m_04_a_machine_or_a_null_path_is_not_told_that_its_mail_was_too_large() {
    let stub = Facts { intake: Intake::Stub, ..facts() };
    for fields in ["Return-Path: <>", "Auto-Submitted: auto-generated", "Precedence: list"] {
        let message = message(&raw(fields));
        assert!(is_silent(&plan(&message, &stub)), "{fields}");
    }
    let null = InboundMessage { return_path: ReturnPath::Null, ..mail_from(CLAIRE) };
    assert!(!has(&plan(&null, &stub), "Queue"));
}
