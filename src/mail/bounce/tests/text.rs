//! Who writes bounces and what makes them such (M-61), their sources (M-62) and their codes (M-63b).

use proptest::prelude::*;

use super::*;
use crate::mail::tests::growth::assert_linear;

fn notice(from: &str, subject: &str, text: &str) -> String {
    format!("From: {from}\nTo: support@us.example\nSubject: {subject}\n\n{text}")
}

fn fixture(name: &str) -> InboundMessage {
    let path = format!("{}/fixtures/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    let raw = std::fs::read(&path).unwrap_or_else(|error| panic!("`{path}`: {error}"));
    crate::mail::read(&raw).expect("a readable message")
}

#[test]
fn m_61_m_64_a_notice_in_words_names_our_mail() {
    let Some(MachineReport::Bounce(bounce)) = fixture("a_failure_notice_in_words").report else {
        panic!("no bounce");
    };
    assert_eq!(
        bounce.original_message_id.as_ref().map(MessageId::as_str),
        Some("ours@helpdesk.example")
    );
    let [recipient] = &bounce.recipients[..] else { panic!("{bounce:?}") };
    assert_eq!(recipient.address, "claire.johnson@myorg.example");
    assert_eq!(recipient.status.as_deref(), Some("5.1.1"));
    assert_eq!(
        recipient.diagnostic.as_deref(),
        Some(
            "192.0.2.25 does not like recipient. Remote host said: 550 5.1.1 there is nobody of that \
             name Giving up on 192.0.2.25."
        )
    );
}

#[test]
fn e_137_a_failure_notice_that_somebody_forwards_is_theirs() {
    assert_eq!(fixture("a_forwarded_failure_notice").report, None);
}

#[test]
fn m_61_who_writes_decides_how_much_it_takes() {
    let (subject, body) = ("failure notice", "Unable to deliver your message.\n");
    let (none, returned) =
        ("Hello", "Hello.\n\n--- Original message follows.\n\nReceived: by mx\n");
    let both = format!("{body}\n{returned}");
    for (from, subject, text, is_bounce) in [
        ("MAILER-DAEMON@mx.example", subject, "x", true),
        ("MAILER-DAEMON", none, body, true),
        ("mailer-daemon@mx.example", none, returned, true),
        ("mailer-daemon@mx.example", none, "x", false),
        ("Mail Delivery System <>", subject, "x", true),
        ("<>", none, body, true),
        ("\"Courier mail server at mx.example\" <@>", none, body, true),
        ("MDaemon@mx.example", "Re: failure notice", "x", true),
        ("E9_SMTP_Mail_Service@mx.example", subject, "x", true),
        ("Mail.Delivery.System@mx.example", subject, "x", true),
        ("postmaster@mx.example", subject, body, true),
        ("post_master@mx.example", subject, body, true),
        ("System Administrator <admin@mx.example>", subject, body, true),
        ("Mail Delivery Subsystem <x@mx.example>", none, &both, true),
        ("postmaster@mx.example", subject, returned, true),
        ("postmaster@mx.example", subject, "x", false),
        ("postmaster@mx.example", none, body, false),
        ("postmaster@mx.example", none, returned, false),
        ("postmaster@mx.example", "Re: failure notice", &both, false),
        ("no-reply@mx.example", none, &both, true),
        ("no-reply@mx.example", subject, body, false),
        ("no-reply@mx.example", subject, returned, false),
        ("claire@mx.example", subject, &both, false),
    ] {
        let read = message(&notice(from, subject, text)).report;
        assert_eq!(read.is_some(), is_bounce, "{from} {subject} {text}: {read:?}");
    }
}

#[test]
fn m_61_the_evidence_says_what_was_seen() {
    let raw = notice(
        "postmaster@mx.example",
        "Undeliverable: x",
        "Unable to deliver your message to:\n<a@x.example>\n\nuser unknown\n\nReceived: by mx\n",
    );
    assert_eq!(
        bounce(&raw).evidence,
        [
            "M-61 postmaster, subject \"Undeliver\", text \"Unable to deliver\", a returned message",
            "M-63b 5.1.1 derived from \"user unknown\"",
        ]
    );
    let daemon = bounce(&notice("MAILER-DAEMON@mx.example", "failure notice", "x"));
    assert_eq!(daemon.evidence, ["M-61 daemon, subject \"failure notice\""]);
}

#[test]
fn e_149_m_62_x_failed_recipients_alone_make_a_bounce() {
    let raw = "X-Failed-Recipients: a@x.example,\n b@x.example\nFrom: x@y.example\n\nSorry.\n\n  \
               a@x.example\n    550 5.1.1 nobody\n  b@x.example\n    mailbox is full\n";
    let said: Vec<_> = bounce(raw)
        .recipients
        .into_iter()
        .map(|recipient| (recipient.address, recipient.action, recipient.status))
        .collect();
    let row = |address: &str, status: &str| {
        (address.to_owned(), Some("failed".to_owned()), Some(status.to_owned()))
    };
    assert_eq!(said, [row("a@x.example", "5.1.1"), row("b@x.example", "5.2.2")]);
}

#[test]
fn e_132_a_status_report_is_matched_by_what_it_returns() {
    let parts = [
        (
            "message/rfc822",
            "Message-ID: <m@us.example>\nTo: a@x.example\n\nHi",
            Some("m@us.example"),
        ),
        (
            "text/rfc822-headers",
            "Message-ID: <m@us.example>\nTo: a@x.example\n",
            Some("m@us.example"),
        ),
        ("text/plain", "nothing", None),
    ];
    for (status, action) in [("5.1.1", "failed"), ("4.4.1", "delayed")] {
        for (kind, returned, id) in parts {
            let raw = format!(
                "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; \
                 report-type=delivery-status; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: \
                 message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; \
                 a@x.example\nAction: {action}\nStatus: {status}\n--b\nContent-Type: {kind}\n\n\
                 {returned}\n--b--\n"
            );
            let bounce = bounce(&raw);
            assert_eq!(bounce.original_message_id.as_ref().map(MessageId::as_str), id, "{kind}");
            assert_eq!(bounce.recipients[0].status.as_deref(), Some(status));
            assert_eq!(bounce.recipients[0].action.as_deref(), Some(action));
        }
    }
}

#[test]
fn e_134_a_void_final_recipient_gives_way_to_the_original_one() {
    for (group, address) in [
        ("Final-Recipient: rfc822;\nOriginal-Recipient: rfc822; a@x.example", "a@x.example"),
        (
            "Final-Recipient: rfc822; <>\nOriginal-Recipient: rfc822; a+2Bt@x.example",
            "a+t@x.example",
        ),
        ("Final-Recipient: x400; /O=Y\nX-Actual-Recipient: rfc822; a@x.example", "a@x.example"),
        (
            "Final-Recipient: rfc822; a@mailhub\nOriginal-Recipient: rfc822; a@x.example",
            "a@x.example",
        ),
    ] {
        let raw = format!(
            "From: MAILER-DAEMON@mx.example\nContent-Type: message/delivery-status\n\n{group}\n\
             Action: failed\nStatus: 5.1.1\n"
        );
        assert_eq!(bounce(&raw).recipients[0].address, address, "{group}");
    }
}

#[test]
fn e_151_m_63b_of_two_codes_the_temporary_one_counts() {
    let text = "<a@x.example>:\n550 5.1.1 nobody\n451 4.2.1 try later\n";
    let bounce = bounce(&notice("MAILER-DAEMON@mx.example", "failure notice", text));
    assert_eq!(bounce.recipients[0].status.as_deref(), Some("4.2.1"));
}

#[test]
fn m_63b_a_code_that_says_nothing_gives_way_to_the_text() {
    for (status, text, expected) in [
        ("5.0.0", "a@x.example: 550 5.7.1 no", "5.7.1"),
        ("5.0.0", "a@x.example: 451 4.3.0 later", "5.0.0"),
        ("5.0.0", "b@x.example: no", "5.0.0"),
        ("5.1.1", "a@x.example: 550 5.7.1 no", "5.1.1"),
    ] {
        let raw = format!(
            "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=b\n\n--b\n\n\
             {text}\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; \
             a@x.example\nAction: failed\nStatus: {status}\n--b--\n"
        );
        assert_eq!(bounce(&raw).recipients[0].status.as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn m_62_whom_to_ask_is_not_who_failed() {
    let text = "Your mail was rejected.\n\nFor assistance, please contact <help@x.example>\nor send mail \
                to <postmaster@x.example>. The sender was support@us.example.\nhelp@x.example will answer.\n";
    let none = bounce(&notice("MAILER-DAEMON@mx.example", "failure notice", text));
    assert_eq!(none.recipients, []);
    let text = format!("{text}\nIt was meant for anna@x.example.\n");
    let told = bounce(&notice("MAILER-DAEMON@mx.example", "failure notice", &text));
    assert_eq!(told.recipients[0].address, "anna@x.example");
}

#[test]
fn m_62_m_64_the_returned_header_in_the_text_names_recipient_and_mail() {
    let text = "Sorry, it could not be delivered.\n\n--- Original message follows.\n\nReceived: by \
                mx\nMessage-ID: <m@us.example>\nX-Guichet-Message-ID: <g@us.example>\nTo: Anna \
                <anna@x.example>\n\nben@y.example\n";
    let bounce = bounce(&notice("MAILER-DAEMON@mx.example", "Mail failure", text));
    assert_eq!(bounce.recipients[0].address, "anna@x.example");
    assert_eq!(bounce.original_message_id.as_ref().map(MessageId::as_str), Some("m@us.example"));
    assert_eq!(bounce.given_message_id.as_ref().map(MessageId::as_str), Some("g@us.example"));
}

#[test]
fn m_62_a_gateway_that_wraps_a_report_tells_its_recipient() {
    let inner = "Content-Type: multipart/report; report-type=delivery-status; boundary=i\n\n--i\n\nx\n--i\n\
                 Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; \
                 anna@x.example\nAction: failed\nStatus: 5.1.1\n--i--\n";
    let raw = format!(
        "From: MAILER-DAEMON@mx.example\nTo: admin@us.example\nSubject: Returned mail\nContent-Type: \
         multipart/mixed; boundary=b\n\n--b\n\nSee attachment.\n--b\nContent-Type: \
         message/rfc822\n\n{inner}\n--b--\n"
    );
    let bounce = bounce(&raw);
    assert_eq!(bounce.recipients[0].address, "anna@x.example");
    assert_eq!(bounce.recipients[0].status.as_deref(), Some("5.1.1"));
}

#[test]
fn e_133_a_success_in_words_is_no_bounce() {
    for subject in [
        "Delivery Status Notification (Success)",
        "Successful Mail Delivery Report",
        "Relayed: your ticket",
    ] {
        let raw = notice(
            "MAILER-DAEMON@mx.example",
            subject,
            "Your message was delivered to a@x.example.\n",
        );
        assert_ne!(what(&raw), Some("bounce"), "{subject}");
    }
}

#[test]
fn m_59_notices_of_ses_are_read_in_every_wrapping() {
    let notice = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Transient","bouncedRecipients":[{"emailAddress":"a@x.example"}]}}"#;
    let event = notice.replace("notificationType", "eventType").replace("Transient", "Permanent");
    let wrapped = serde_json::json!({"Type": "Notification", "Message": notice}).to_string();
    let broken = notice.replace("bouncedRecipients", "bounced!\n Recipients");
    let delay = r#"{"eventType":"DeliveryDelay","deliveryDelay":{"delayedRecipients":[{"emailAddress":"a@x.example","status":"4.4.1"}]}}"#;
    for (text, action, status) in [
        (notice, "failed", "4.0.0"),
        (&event, "failed", "5.0.0"),
        (&wrapped, "failed", "4.0.0"),
        (&broken, "failed", "4.0.0"),
        (delay, "delayed", "4.4.1"),
    ] {
        let bounce = bounce(&format!("From: no-reply@sns.example\n\n{text}\n\n--\nfooter\n"));
        let [recipient] = &bounce.recipients[..] else { panic!("{text}: {bounce:?}") };
        assert_eq!(recipient.address, "a@x.example");
        assert_eq!(
            (recipient.action.as_deref(), recipient.status.as_deref()),
            (Some(action), Some(status))
        );
    }
    assert_eq!(
        what("From: a@x.example\n\n{\"notificationType\":\"Delivery\"}"),
        Some("dsn-success")
    );
    assert_eq!(what("From: a@x.example\n\n{\"note\":\"Bounce\"}"), None);
}

proptest! {
    #[test]
    fn m_63_any_text_is_read_without_panic(text in "(<|>|@|a|\\.|é|宛先|:|\n| |5\\.1\\.1|550|following|-{3} original|Received:|\"|=|#|Final-Recipient:|c=|SMTP=){0,60}") {
        let bounce = bounce(&notice("MAILER-DAEMON@mx.example", "failure notice", &text));
        for recipient in bounce.recipients {
            prop_assert!(recipient.address.contains('@') && recipient.action.is_some());
        }
    }
}

/// Texts at which a careless reader of bounces takes quadratic time, of the length that is read of a
/// notice.
#[test]
fn m_63_long_texts_take_linear_time() {
    for start in [
        "a@x.example failed\n",
        "@",
        "a@",
        "<a@x.example>: 550 5.1.1 ",
        "following ",
        "\"@",
        "5.1.",
        "550 ",
        "- message ",
        "your following ",
        "Final-Recipient: rfc822; a@x.example\n\n",
        "Action: failed\n",
    ] {
        let text = |size| {
            notice(
                "MAILER-DAEMON@mx.example",
                "failure notice",
                &str::repeat(start, size / start.len()),
            )
        };
        assert_linear(start, 15_000, text, |raw| assert!(message(raw).report.is_some()));
    }
}
