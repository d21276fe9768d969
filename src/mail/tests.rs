//! Whole messages (mail.md section 1): a fixture for each behaviour, limits, and what must hold for
//! any bytes at all.

mod cases;
mod contents;
mod fixtures;
pub mod growth;
mod hostile;
mod wrapped;

use super::*;

fn message(raw: &[u8]) -> InboundMessage {
    read(raw).expect("a readable message")
}

fn flags(message: &InboundMessage) -> Vec<String> {
    message.flags.iter().map(Flag::name).collect()
}

fn addresses(entries: &[NamedAddress]) -> Vec<&str> {
    entries.iter().map(|entry| entry.address.as_str()).collect()
}

#[test]
fn m_08_m_46_the_id_is_the_first_usable_one_or_made_up() {
    for (fields, id) in [
        ("Message-ID: <a@b>", Some("a@b")),
        ("Message-ID:\r\n\t<a@b>", Some("a@b")),
        ("Message-ID: <>\nMessage-ID: <a b>\nMessage-ID: <c@d>\nMessage-ID: <e@f>", Some("c@d")),
        ("Message-ID: a@b", Some("a@b")),
        ("Message-ID: <a b>", None),
        ("Subject: x", None),
    ] {
        let raw = format!("{fields}\n\nbody");
        let read = message(raw.as_bytes());
        let has_flag = read.flags.contains(&Flag::NoMessageId);
        match id {
            Some(id) => assert_eq!((read.message_id.as_str(), has_flag), (id, false), "{fields}"),
            None => {
                assert!(has_flag && read.message_id.as_str().ends_with("@missing.invalid"));
                assert_eq!(read.message_id, message(raw.as_bytes()).message_id);
            }
        }
    }
}

#[test]
fn m_20_subjects_are_joined_and_cut() {
    let subject = |raw: &str| message(format!("{raw}\n\n").as_bytes()).subject;
    assert_eq!(subject("Subject: a\nSubject:\nSubject: b"), "a b");
    assert_eq!(subject("From: a@b"), "");
    assert_eq!(subject("Subject: [#12]\n\t two lines"), "[#12] two lines");
    for length in [499, 500, 501] {
        let read = subject(&format!("Subject: {}", "é".repeat(length)));
        assert_eq!(read.chars().count(), length.min(500));
    }
}

#[test]
fn m_41_several_senders_are_told() {
    for (from, flag, senders) in [
        ("From: a@b.example", None, &["a@b.example"][..]),
        ("From: a@b.example\nFrom: A <A@B.example>", None, &["a@b.example"]),
        (
            "From: a@b.example\nFrom: c@d.example",
            Some(Flag::SeveralFromFields),
            &["a@b.example", "c@d.example"],
        ),
        (
            "From: c@d.example\nFrom: a@b.example",
            Some(Flag::SeveralFromFields),
            &["c@d.example", "a@b.example"],
        ),
        (
            "From: a@b.example, c@d.example",
            Some(Flag::SeveralFrom),
            &["a@b.example", "c@d.example"],
        ),
        ("From: Friends: a@b.example;", Some(Flag::GroupInFrom), &[]),
        ("From: Johnson, Claire <a@b.example>", None, &["a@b.example"]),
        ("From: Claire Johnson", None, &[""]),
        ("From:", None, &[]),
    ] {
        let read = message(format!("{from}\nMessage-ID: <a@b>\n\nbody").as_bytes());
        assert_eq!(addresses(&read.from), senders, "{from}");
        assert_eq!(read.flags.into_iter().collect::<Vec<_>>(), Vec::from_iter(flag), "{from}");
    }
}

#[test]
fn m_34_m_40_the_other_addresses_stand_beside_the_sender() {
    let read = message(
        b"Return-Path: <bounce@b.example>\nReturn-Path: <other@b.example>\n\
          Received: from x by y\n\tfor <in@helpdesk.example>; Mon, 2 Mar 2026 10:00:00 +0100\n\
          Delivered-To: in@helpdesk.example\nX-Original-To: alias@helpdesk.example\n\
          X-Forwarded-For: a@b.example in@helpdesk.example\n\
          From: a@b.example\nSender: s@b.example\nReply-To: r@b.example, ,\nResent-From: f@b.example\n\
          To: one@x.example, Two <two@x.example>\nTo: three@x.example\nCc: undisclosed-recipients:;\n\nbody",
    );
    assert_eq!(read.return_path, ReturnPath::Address("bounce@b.example".to_owned()));
    assert_eq!(read.sender.as_ref().map(|sender| sender.address.as_str()), Some("s@b.example"));
    assert_eq!(addresses(&read.reply_to), ["r@b.example"]);
    assert_eq!(addresses(&read.to), ["one@x.example", "two@x.example", "three@x.example"]);
    assert!(read.cc.is_empty());
    assert_eq!(read.delivered_to, ["in@helpdesk.example", "alias@helpdesk.example", "a@b.example"]);
    assert_eq!(read.received, 1);
    assert_eq!(flags(&read), ["no_message_id", "resent", "sent_on_behalf"]);
}

#[test]
fn r_03_a_null_return_path_is_told_from_none() {
    let path = |raw: &str| message(format!("{raw}\n\n").as_bytes()).return_path;
    assert_eq!(path("Return-Path: <>"), ReturnPath::Null);
    assert_eq!(path("Return-Path:"), ReturnPath::Absent);
    assert_eq!(path("From: a@b"), ReturnPath::Absent);
}

#[test]
fn m_04_what_is_over_a_limit_is_cut_and_flagged() {
    let is_cut = |raw: &str, flag: &str| flags(&message(raw.as_bytes())).contains(&flag.to_owned());
    for (build, limit, flag) in [
        (
            (|n| format!("To: {}\n\n", "a@b.example, ".repeat(n))) as fn(usize) -> String,
            500,
            "limit_addresses",
        ),
        (|n| format!("References: {}\n\n", "<a@b> ".repeat(n)), 50, "limit_references"),
        (|n| format!("{}\n", "Received: x\n".repeat(n)), 50, "limit_received"),
        (
            |n| {
                let part = "--b\nContent-Type: image/png\n\nx\n";
                format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--", part.repeat(n))
            },
            100,
            "limit_attachments",
        ),
        (
            |n| format!("Content-Type: multipart/mixed; boundary={}\n\n", "b".repeat(n)),
            2048,
            "limit_boundary",
        ),
    ] {
        for (count, expected) in [(limit - 1, false), (limit, false), (limit + 1, true)] {
            assert_eq!(is_cut(&build(count), flag), expected, "{flag} at {count}");
        }
    }
}

#[test]
fn m_04_the_rest_of_a_long_text_can_be_cut_out() {
    let line = "a line of some log file\r\n";
    let raw = format!("Subject: log\r\n\r\n{}", line.repeat(60_000));
    let read = message(raw.as_bytes());
    let [rest] = &read.attachments[..] else { panic!("one attachment") };
    let bytes = cut(raw.as_bytes(), rest).expect("the rest of the text");
    let all = read.text.replace('\n', "\r\n") + &String::from_utf8(bytes).expect("text");
    assert_eq!(all, line.repeat(60_000));
    assert_eq!(flags(&read), ["limit_text", "no_message_id"]);
}

#[test]
fn m_24_parts_without_a_name_get_one() {
    let raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\nContent-ID: <x>\n\n1\n\
        --b\nContent-Type: application/pdf\n\n2\n--b\nContent-Type: message/rfc822\n\nSubject: Hello/World\n\n3\n\
        --b\nContent-Type: message/rfc822\n\nFrom: a@b\n\n4\n--b\nContent-Type: text/calendar; method=REQUEST\n\n5\n\
        --b\nContent-Type: image/gif\nContent-Location: http://x.example/pics/y.gif\n\n6\n--b--";
    let read = message(raw);
    let names: Vec<&str> = read.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(
        names,
        ["image-1.png", "part-2.pdf", "HelloWorld.eml", "part-4.eml", "invite.ics", "y.gif"]
    );
    assert_eq!(flags(&read), ["calendar", "no_message_id"]);
    assert_eq!(cut(raw, &read.attachments[2]).expect("a message"), b"Subject: Hello/World\n\n3");
}

#[test]
fn m_23_a_changed_message_is_not_cut_from() {
    let raw = b"Content-Type: application/pdf\n\nsome bytes";
    let attachment = &message(raw).attachments[0];
    assert_eq!(cut(raw, attachment).expect("unchanged"), b"some bytes");
    let changed = b"Content-Type: application/pdf\n\nSome bytes";
    assert!(matches!(cut(changed, attachment), Err(CutError::Changed { .. })));
    assert!(matches!(cut(&raw[..40], attachment), Err(CutError::OutOfRange { .. })));
}

#[test]
fn m_05_a_body_that_cannot_be_read_is_attached_whole() {
    let raw = b"Subject: x\nMessage-ID: <a@b>\nContent-Type: multipart/mixed; boundary=b\n\nHello";
    let read = message(raw);
    assert_eq!((read.text.as_str(), flags(&read)), ("Hello", vec!["body_unreadable".to_owned()]));
    assert_eq!(read.attachments[0].name, "message.eml");
    assert_eq!(cut(raw, &read.attachments[0]).expect("the message"), raw);
}

#[test]
fn m_22_m_67_a_calendars_answer_is_automatic() {
    let raw = |text: &str| {
        format!(
            "Subject: Accepted\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{text}\n--b\n\
             Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\n--b--"
        )
    };
    let found = automatic(&message(raw("").as_bytes()).signals).expect("an automatic mail");
    assert_eq!(found.evidence, ["M-67 METHOD=reply"]);
    assert_eq!(automatic(&message(raw("I shall be late.").as_bytes()).signals), None);
}

#[test]
fn f_07_t_13_no_field_brings_a_line_break_along() {
    let read = message(
        b"From: =?utf-8?q?a=0D=0ABcc:_x?= <a@b.example>\nSubject: =?utf-8?q?a=0D=0Ab=00?=\n\
          X-Guichet-Ticket: =?utf-8?q?=E2=80=AE1?=\n\n",
    );
    assert_eq!(read.subject, "a b");
    assert_eq!(read.from[0].name.as_deref(), Some("a Bcc: x"));
    assert!(read.headers.iter().all(|header| !header.value.contains(char::is_control)));
    assert_eq!(read.marks.fields[0].value, "1");
}
