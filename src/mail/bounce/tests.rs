//! Bounces and reports by their structure (M-59, M-60, M-62, M-63b, M-68).

mod families;
mod languages;
mod people;
mod text;

use super::*;
use crate::mail::InboundMessage;

fn message(raw: &str) -> InboundMessage {
    crate::mail::read(raw.as_bytes()).expect("a readable message")
}

fn bounce(raw: &str) -> Bounce {
    match message(raw).report {
        Some(MachineReport::Bounce(bounce)) => bounce,
        other => panic!("no bounce but {other:?}: {raw}"),
    }
}

fn what(raw: &str) -> Option<&'static str> {
    match message(raw).report {
        Some(MachineReport::Report { what, .. }) => Some(what),
        Some(MachineReport::Bounce(_)) => Some("bounce"),
        Some(MachineReport::Complaint(_)) => Some("complaint"),
        None => None,
    }
}

fn dsn(groups: &str) -> String {
    format!(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n\
         --b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{groups}\n\
         --b\nContent-Type: message/rfc822\n\nMessage-ID: <m@us.example>\nTo: to@x.example\n\nHi\n--b--\n"
    )
}

// Found by fuzzing: a header may repeat a field of many addresses as often as it likes.
#[test]
fn m_04_m_62_no_more_than_500_recipients_are_named() {
    let field = |n: usize| {
        let names: Vec<String> = (0..400).map(|m| format!("u{n}x{m}@x.example")).collect();
        format!("X-Failed-Recipients: {}\n", names.join(", "))
    };
    let raw = format!("From: a@b.example\n{}\nSorry.\n", (0..4).map(field).collect::<String>());
    assert_eq!(bounce(&raw).recipients.len(), 500);
}

#[test]
fn m_59_m_62_m_63b_groups_name_recipients_and_codes() {
    for (group, address, status) in [
        (
            "Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.1.1",
            "a@x.example",
            Some("5.1.1"),
        ),
        (
            "Final-Recipient: RFC822;<a@x.example>\nAction: failed\nStatus: 5.1.1 (x)",
            "a@x.example",
            Some("5.1.1"),
        ),
        (
            "Final-Recipient: utf-8; a@x.example\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.7.1 no",
            "a@x.example",
            Some("5.7.1"),
        ),
        (
            "Final-Recipient: rfc822;\nOriginal-Recipient: rfc822; b@x.example\nAction: failed",
            "b@x.example",
            None,
        ),
        (
            "Final-Recipient: rfc822; a@local\nOriginal-Recipient: rfc822; b@x.example\nAction: failed",
            "b@x.example",
            None,
        ),
        (
            "Final-Recipient: x400; a\nX-Actual-Recipient: rfc822; c@x.example\nAction: failed",
            "c@x.example",
            None,
        ),
        (
            "Final-Recipient: rfc822; a@x.example\nDiagnostic-Code: smtp; 450 later",
            "a@x.example",
            Some("4.0.0"),
        ),
        (
            "Final-Recipient: rfc822; a@x.example\nDiagnostic-Code: mailbox full",
            "a@x.example",
            Some("5.2.2"),
        ),
    ] {
        let bounce = bounce(&dsn(group));
        let first = &bounce.recipients[0];
        assert_eq!((first.address.as_str(), first.status.as_deref()), (address, status), "{group}");
        assert_eq!(
            bounce.original_message_id.as_ref().map(MessageId::as_str),
            Some("m@us.example")
        );
    }
    let two =
        bounce(&dsn("Final-Recipient: rfc822; a@x.example\nAction: delivered\nStatus: 2.0.0\n\n\
         Final-Recipient: rfc822; b@x.example\nAction: Delayed\nStatus: 4.4.1\n\n\
         Final-Recipient: rfc822; c@x.example\nAction: failed\nStatus: 5.1.1"));
    let names: Vec<_> =
        two.recipients.iter().map(|r| (r.address.as_str(), r.action.as_deref())).collect();
    assert_eq!(names, [("b@x.example", Some("delayed")), ("c@x.example", Some("failed"))]);
}

#[test]
fn e_133_a_success_report_is_no_bounce() {
    for group in [
        "Final-Recipient: rfc822; a@x.example\nAction: delivered\nStatus: 2.0.0",
        "Final-Recipient: rfc822; a@x.example\nAction: deliverable",
        "Final-Recipient: rfc822; a@x.example\nAction: relayed",
        "Final-Recipient: rfc822; a@x.example\nStatus: 2.1.5",
    ] {
        assert_eq!(what(&dsn(group)), Some("dsn-success"), "{group}");
    }
}

#[test]
fn m_59_m_62_other_sources() {
    let unreadable = bounce(&dsn("nothing readable"));
    assert_eq!(unreadable.recipients[0].address, "to@x.example");
    let failed = bounce("X-Failed-Recipients: a@x.example, b@x.example\n\nSorry.");
    assert_eq!(failed.recipients.len(), 2);
    let ses = bounce(
        "A: b\n\n{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\
         \"a@x.example\",\"action\":\"failed\",\"status\":\"5.1.1\"}]},\"mail\":{\"commonHeaders\":\
         {\"messageId\":\"<m@us.example>\"}}}\n-- \nfooter",
    );
    assert_eq!(ses.recipients[0].status.as_deref(), Some("5.1.1"));
    assert_eq!(ses.original_message_id.as_ref().map(MessageId::as_str), Some("m@us.example"));
    assert_eq!(what("A: b\n\n{\"notificationType\":\"Complaint\"}"), Some("arf"));
}

#[test]
fn e_137_an_attached_bounce_is_its_forwarders_mail() {
    let inner = dsn("Final-Recipient: rfc822; a@x.example\nAction: failed");
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nSee below.\n--o\n\
         Content-Type: message/rfc822\n\n{inner}\n--o--\n"
    );
    assert_eq!(what(&raw), None);
}

#[test]
fn e_145_m_60_reports_are_no_bounces() {
    let part = |kind: &str, body: &str| {
        format!(
            "Content-Type: multipart/report; boundary=b\n\n--b\n\ntext {body}\n--b\nContent-Type: {kind}\n\n{body}\n--b--\n"
        )
    };
    let mdn = "message/disposition-notification";
    for (raw, expected) in [
        (part("message/feedback-report", "Feedback-Type: abuse"), Some("arf")),
        (part(mdn, "Final-Recipient: rfc822; a@x.example\nDisposition: manual-action/x; displayed"), Some("mdn")),
        (part(mdn, "Final-Recipient: rfc822; a@x.example\nDisposition: automatic-action/x; deleted\n\nrejected"), Some("bounce")),
        ("Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\n\nx\n--b--".to_owned(), Some("tlsrpt")),
        ("Subject: Report Domain: x.example Submitter: y Report-ID: <1>\nContent-Type: application/gzip\n\nx".to_owned(), Some("dmarc")),
        ("Subject: Report Domain: x.example Report-ID: 1\n\nx".to_owned(), None),
        ("Subject: hello\n\nx".to_owned(), None),
    ] {
        assert_eq!(what(&raw), expected, "{raw}");
    }
}

#[test]
fn e_138_m_68_a_challenge_in_the_words_of_a_bounce_is_none() {
    for text in [
        "This message was created automatically by mail delivery software (TMDA). To release your message, reply.",
        "Your message could not be delivered yet: you are not on my whitelist.",
        "Undelivered mail: it requires verification.",
        "Ihre Nachricht wurde nicht zugestellt. Bitte bestätigen Sie Ihre Nachricht.",
        "Votre message n'a pas pu être remis. Merci de confirmer votre message.",
        "Su mensaje no fue entregado. Para enviarlo debe confirmar su mensaje.",
    ] {
        let raw = |from: &str| {
            format!(
                "Return-Path: <>\nFrom: {from}\nTo: support@us.example\nSubject: Your \
                 ticket\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
            )
        };
        let read = message(&raw("Ravi <ravi@x.example>"));
        assert_eq!(read.report, None, "{text}");
        let is_told = read.signals.iter().any(|signal| signal.rule == "M-68" && signal.answers);
        assert!(is_told, "{text}");
        assert_eq!(what(&raw("mailer-daemon@x.example")), Some("bounce"), "{text}");
    }
    let held = "Return-Path: <>\nFrom: Mail <system@x.example>\nSubject: Delayed\n\nYour message \
                is being held in the queue: it could not be delivered to a@x.example.\n";
    assert_eq!(what(held), Some("bounce"));
}

#[test]
fn m_62_a_delivery_status_under_another_type_names_the_recipients() {
    for kind in ["application/octet-stream; name=details.txt", "text/plain; name=ATT00001.txt"] {
        let raw = |from: &str| {
            format!(
                "From: {from}\nTo: support@us.example\nSubject: Undeliverable\nContent-Type: \
                 multipart/mixed; boundary=b\n\n--b\n\nYour message could not be delivered.\n--b\n\
                 Content-Type: {kind}\nContent-Disposition: attachment\n\nReporting-MTA: dns; \
                 mx.example\n\nFinal-Recipient: rfc822; a@x.example\nAction: failed\nStatus: \
                 5.1.1\n\n--b--\n"
            )
        };
        let bounce = bounce(&raw("postmaster@mx.example"));
        assert_eq!(bounce.recipients.len(), 1, "{kind}");
        assert_eq!(bounce.recipients[0].address, "a@x.example");
        assert_eq!(bounce.recipients[0].status.as_deref(), Some("5.1.1"));
        // A person may attach what came back.
        assert_eq!(what(&raw("Anna <anna@x.example>")), None);
    }
}

#[test]
fn e_138_m_68_a_challenge_shaped_as_a_bounce_is_none() {
    for words in ["X-Boxbe-Notice; confirm", "smtp; 550 Sender not pre-approved"] {
        let raw = dsn(&format!(
            "Final-Recipient: rfc822; a@x.example\nAction: failed\nDiagnostic-Code: {words}"
        ));
        let read = message(&raw);
        assert_eq!(read.report, None);
        let said: Vec<_> = read.signals.iter().filter(|signal| signal.rule == "M-68").collect();
        assert_eq!(said[0].said, format!("Diagnostic-Code={words}"));
    }
}
