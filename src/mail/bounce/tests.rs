//! Structured bounces and reports (M-59, M-60, M-62, M-63b, M-68).

use super::*;

fn reported(raw: &str) -> Reported {
    let structure = Structure::read(raw.as_bytes()).expect("a readable message");
    let fields = &structure.parts[0].fields;
    let subject = fields.first("subject").map(|raw| String::from_utf8_lossy(raw).into_owned());
    let text = raw.split_once("\n\n").map(|(_, text)| text).unwrap_or_default();
    read(&Seen {
        structure: &structure,
        root: 0,
        fields,
        subject: &subject.unwrap_or_default(),
        text,
    })
}

fn bounce(raw: &str) -> Bounce {
    match reported(raw).report {
        Some(MachineReport::Bounce(bounce)) => bounce,
        other => panic!("no bounce but {other:?}: {raw}"),
    }
}

fn what(raw: &str) -> Option<&'static str> {
    match reported(raw).report {
        Some(MachineReport::Report { what, .. }) => Some(what),
        Some(MachineReport::Bounce(_)) => Some("bounce"),
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
fn m_59_success_is_a_report() {
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
fn m_59_a_forwarded_bounce_is_a_persons() {
    let inner = dsn("Final-Recipient: rfc822; a@x.example\nAction: failed");
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nSee below.\n--o\n\
         Content-Type: message/rfc822\n\n{inner}\n--o--\n"
    );
    assert_eq!(what(&raw), None);
}

#[test]
fn m_60_reports() {
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
fn m_68_a_challenge_shaped_as_a_bounce_is_none() {
    for words in ["X-Boxbe-Notice; confirm", "smtp; 550 Sender not pre-approved"] {
        let raw = dsn(&format!(
            "Final-Recipient: rfc822; a@x.example\nAction: failed\nDiagnostic-Code: {words}"
        ));
        let reported = reported(&raw);
        assert_eq!(reported.report, None);
        assert_eq!(reported.challenge, Some(format!("Diagnostic-Code={words}")));
    }
}
