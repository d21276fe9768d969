//! Who is not heard, and what was heard before: E-61…E-68, E-81, M-09, E-147.

use super::*;
use crate::mail::{Attachment, AttachmentSource, Flag, ReturnPath};

#[test]
fn m_09_a_duplicate_plans_nothing() {
    let duplicate_of = Some("first".to_owned());
    let plan = plan(&mail_from(CLAIRE), &Facts { duplicate_of, ..facts() });
    assert_eq!(ended(&plan), "ignored/duplicate");
    assert!(plan.effects.is_empty());
    assert_eq!(plan.counts, None);
}

#[test]
fn e_24_the_same_id_with_other_content_is_a_message_of_its_own() {
    let plan = plan(&mail_from(CLAIRE), &Facts { message_id_known: true, ..facts() });
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(plan.flags.contains(&Flag::MessageIdReused));
}

#[test]
fn e_61_e_64_without_a_sender_a_message_is_held() {
    let several = InboundMessage {
        from: vec![named("a@x.example"), named("b@x.example")],
        headers: vec![header("From", "a@x.example"), header("From", "b@x.example")],
        ..mail_from(CLAIRE)
    };
    let held = plan(&several, &facts());
    assert_eq!(ended(&held), "held/no_sender");
    assert!(held.flags.contains(&Flag::SeveralFromFields));
    assert!(held.effects.is_empty());
    let nobody = InboundMessage { return_path: ReturnPath::Absent, ..mail_from("x@unknown") };
    assert_eq!(ended(&plan(&nobody, &facts())), "held/no_sender");
}

#[test]
fn e_62_of_several_senders_the_first_without_any_mail() {
    let several =
        InboundMessage { from: vec![named(CLAIRE), named("b@x.example")], ..mail_from(CLAIRE) };
    let plan = plan(&several, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(plan.flags.contains(&Flag::SeveralFrom));
    assert!(!has(&plan, "Queue"));
    assert!(has(&plan, "WithholdCredentials C-01"));
}

#[test]
fn e_63_a_fallback_opens_a_ticket_without_any_mail() {
    let message = InboundMessage {
        from: Vec::new(),
        reply_to: vec![named(CLAIRE)],
        return_path: ReturnPath::Absent,
        ..mail_from(CLAIRE)
    };
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(plan.flags.contains(&Flag::SenderFallback));
    assert!(!has(&plan, "Queue"));
}

#[test]
fn e_81_denied_senders_are_ignored() {
    let mut policy = policy();
    policy.users.deny = list(&["@myorg.example"]);
    assert_eq!(ended(&plan_by(&mail_from(CLAIRE), &facts(), &policy)), "ignored/sender_denied");
    policy.users.deny = list(&["other@myorg.example"]);
    assert_eq!(ended(&plan_by(&mail_from(CLAIRE), &facts(), &policy)), "accepted/ticket_created");
}

#[test]
fn an_allow_list_lets_only_its_own_in() {
    let mut policy = policy();
    policy.users.allow = list(&["@other.example"]);
    assert_eq!(ended(&plan_by(&mail_from(CLAIRE), &facts(), &policy)), "ignored/sender_denied");
    policy.users.allow = list(&[CLAIRE]);
    let tagged = mail_from("Claire.Johnson+x@myorg.example");
    assert_eq!(ended(&plan_by(&tagged, &facts(), &policy)), "accepted/ticket_created");
}

#[test]
fn e_147_a_ticket_opens_and_its_blocked_file_is_locked() {
    let file = Attachment {
        name: "invoice.pdf.js".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        size: 10,
        inline: false,
        sha256: [0; 32],
        source: AttachmentSource::Whole,
    };
    let message = InboundMessage { attachments: vec![file], ..mail_from(CLAIRE) };
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(plan.flags.contains(&Flag::AttachmentLocked));
}

#[test]
fn a_mailbox_taken_out_of_the_configuration_still_gets_its_tickets() {
    let policy = policy();
    let message = mail_from(CLAIRE);
    let questions = ask(&message, "gone", &policy, &keys());
    let plan = decide(&message, &questions, &facts(), &policy);
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(!has(&plan, "Queue"));
}
