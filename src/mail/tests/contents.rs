//! The cases of mail.md section 9 about bodies and attachments: bytes from fixtures, variants as rows.

use super::fixtures::{fixture, names};
use super::*;

/// A message of several parts, each given with its header.
fn parts(kind: &str, parts: &[&str]) -> String {
    let all: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
    format!("Message-ID: <a@b>\nContent-Type: multipart/{kind}; boundary=b\n\n{all}--b--\n")
}

fn bytes(raw: &[u8], read: &InboundMessage, n: usize) -> Vec<u8> {
    cut(raw, &read.attachments[n]).expect("an attachment of this message")
}

#[test]
fn e_37_a_type_nobody_knows_is_the_nearest_one() {
    let raw = parts("mixed", &["Content-Type: text\n\nHello", "Content-Type: pdf;\n\n%PDF"]);
    let read = message(raw.as_bytes());
    assert_eq!((read.text.as_str(), names(&read)), ("Hello", vec!["part-1.pdf"]));
    assert_eq!(read.attachments[0].content_type, "application/pdf");
}

#[test]
fn e_39_m_04_a_hundred_attachments_are_listed() {
    for (count, listed, is_cut) in [(70, 70, false), (100, 100, false), (101, 100, true)] {
        let all = vec!["Content-Type: image/png\n\nx"; count];
        let read = message(parts("mixed", &all).as_bytes());
        assert_eq!(read.attachments.len(), listed);
        assert_eq!(flags(&read).contains(&"limit_attachments".to_owned()), is_cut, "{count}");
    }
}

#[test]
fn e_40_html_with_too_many_links_is_cut_and_attached() {
    let html = |links: usize| {
        let link = "<a href='https://x.example/'>a link</a> ";
        format!("Message-ID: <a@b>\nContent-Type: text/html\n\n{}", link.repeat(links))
    };
    for (links, is_cut) in [(5000, false), (5001, true)] {
        let raw = html(links);
        let read = message(raw.as_bytes());
        assert_eq!(flags(&read).contains(&"limit_links".to_owned()), is_cut, "{links}");
        assert_eq!(names(&read).contains(&"message.html"), is_cut, "{links}");
        assert_eq!(read.text.contains("[cut here: "), is_cut, "{links}");
    }
}

#[test]
fn e_41_several_html_in_one_part_are_all_read() {
    let two = "<html><body><p>first</p></body></html>\n<html><body><p>second</p></body></html>";
    let before = "<blockquote>quoted</blockquote><html><body><p>answer</p></body></html>";
    for (html, words) in [(two, ["first", "second"]), (before, ["quoted", "answer"])] {
        let text = message(format!("Content-Type: text/html\n\n{html}").as_bytes()).text;
        let at = words.map(|word| text.find(word).unwrap_or(usize::MAX));
        assert!(at[0] < at[1] && at[1] < usize::MAX, "{text}");
    }
}

#[test]
fn e_42_the_rest_of_a_long_log_is_attached() {
    let line = "12:00:00 the printer says nothing at all\n";
    let raw = format!("Message-ID: <a@b>\n\n{}", line.repeat(100_000));
    let read = message(raw.as_bytes());
    assert!(read.text.len() <= 1024 * 1024 && read.text.len() > 1000 * 1000);
    assert_eq!(
        (names(&read), flags(&read)),
        (vec!["rest-of-text.txt"], vec!["limit_text".to_owned()])
    );
    assert_eq!(read.text.len() as u64 + read.attachments[0].size, 100_000 * line.len() as u64);
}

#[test]
fn e_44_m_21_the_files_of_a_winmail_dat_are_attached() {
    let raw = fixture("files_in_a_winmail_dat");
    let read = message(&raw);
    assert_eq!(read.text, "The projector in room 4 shows no picture.\n\nGrüße, Claire");
    assert_eq!(read.text_from, TextFrom::Html);
    assert_eq!(names(&read), ["projector without picture.png", "serial.csv"]);
    assert_eq!(read.attachments[0].content_type, "image/png");
    assert_eq!(bytes(&raw, &read, 0), b"\x89PNG picture of the projector");
    assert_eq!(bytes(&raw, &read, 1), b"serial;4711\r\n");
    assert!(read.flags.is_empty(), "{:?}", read.flags);
}

#[test]
fn e_44_m_21_a_broken_winmail_dat_stays_an_attachment() {
    let raw = fixture("a_broken_winmail_dat");
    let read = message(&raw);
    assert_eq!(read.text, "The projector shows no picture.");
    assert_eq!(
        (names(&read), flags(&read)),
        (vec!["winmail.dat"], vec!["tnef_unreadable".to_owned()])
    );
    assert_eq!(bytes(&raw, &read, 0), b"this was no TNEF");
}

#[test]
fn e_45_an_attached_message_is_named_by_its_subject_and_not_read() {
    let inner = "Subject: The old\n\tticket\nX-Failed-Recipients: a@b.example\n\nnot to be read";
    let raw = parts("mixed", &["\nsee below", &format!("Content-Type: message/rfc822\n\n{inner}")]);
    let read = message(raw.as_bytes());
    assert_eq!(names(&read), ["The old ticket.eml"]);
    assert_eq!((read.text.as_str(), read.report.is_none()), ("see below", true));
    assert_eq!(bytes(raw.as_bytes(), &read, 0), inner.as_bytes());
}

#[test]
fn e_46_e_47_a_text_with_a_name_is_a_file_and_the_last_of_two_is_the_body() {
    let named = "Content-Type: text/plain\nContent-Disposition: inline; filename=log.txt\n\nlog";
    let read = message(parts("mixed", &["\nbody", named]).as_bytes());
    assert_eq!((read.text.as_str(), names(&read)), ("body", vec!["log.txt"]));
    let read = message(parts("alternative", &["\nfirst", "\nsecond"]).as_bytes());
    assert_eq!(read.text, "second");
}

#[test]
fn e_50_m_19_a_uuencoded_file_is_an_attachment() {
    let raw = fixture("a_uuencoded_file_in_the_text");
    let read = message(&raw);
    assert_eq!(read.text, "Here is the log of the printer:\n\n\nThanks, Claire\n");
    assert_eq!(names(&read), ["printer.log"]);
    assert_eq!(bytes(&raw, &read, 0), b"all good\npaper jam in tray 2\nall good again\n");
    assert!(read.flags.is_empty());
    // Nothing but a file, in a text that is encoded once more; and one longer than a text may be.
    let file = "begin 644 a.bin\n#0V%T\n`\nend\n";
    let raw =
        format!("Content-Transfer-Encoding: quoted-printable\n\n{}", file.replace('`', "=60"));
    let read = message(raw.as_bytes());
    assert_eq!((bytes(raw.as_bytes(), &read, 0), read.text.as_str()), (b"Cat".to_vec(), ""));
    let line = format!("M{}\n", "86QL".repeat(15));
    let raw = format!("A: b\n\nbegin 644 a.bin\n{}`\nend\nafter", line.repeat(80_000));
    let read = message(raw.as_bytes());
    assert_eq!((read.attachments[0].size, read.text.as_str()), (80_000 * 45, "after"));
    assert_eq!(bytes(raw.as_bytes(), &read, 0).len(), 80_000 * 45);
}

#[test]
fn e_51_m_18_doubled_line_breaks_are_halved() {
    let raw = fixture("outlook_doubles_the_line_breaks");
    let halved = "Hello,\nthe scanner sends no mail since Friday.\nIt says: connection refused.\n\n\
                  Regards\nClaire\n";
    assert_eq!(message(&raw).text, halved);
    let doubled = "one\n\ntwo\n\nthree\n";
    for (fields, is_halved) in [
        ("X-Mailer: Microsoft Outlook 14.0", true),
        ("X-MS-Has-Attach: yes", false),
        ("X-Mailer: Microsoft Outlook 16.0\nX-MS-Has-Attach:", false),
        ("User-Agent: Mozilla Thunderbird\nX-MS-Exchange-Organization-SCL: 0", false),
        ("X-Google-DKIM-Signature: v=1\nX-MS-Exchange-Organization-SCL: 0", false),
        ("Subject: x", false),
    ] {
        let read = message(format!("{fields}\n\n{doubled}").as_bytes());
        assert_eq!(read.text == "one\ntwo\nthree\n", is_halved, "{fields}");
    }
    // The marks of an Exchange alone prove nothing: an empty line must be doubled too.
    let doubled = "one\n\ntwo\n\n\n\nthree\n";
    let plain = format!("X-MS-Has-Attach: yes\n\n{doubled}");
    assert_eq!(message(plain.as_bytes()).text, "one\ntwo\n\nthree\n");
    let both = format!(
        "X-MS-Has-Attach: yes\nContent-Type: multipart/alternative; boundary=b\n\n\
         --b\n\n{doubled}\n--b\nContent-Type: text/html\n\n<p>one<p>two<p>three\n--b--\n"
    );
    assert_eq!(message(both.as_bytes()).text, doubled);
}

#[test]
fn e_52_m_18_flowed_text_is_joined() {
    let read = message(&fixture("flowed_text_with_delsp"));
    assert_eq!(
        read.text,
        "Der Bildschirm im Besprechungsraum flackert, seit gestern.\n> Bitte senden Sie ein Bild.\n-- \nClaire\n"
    );
    let read = message(&fixture("flowed_text_with_quotes"));
    assert_eq!(
        read.text,
        "The screen flickers since yesterday.\n\n> Please send a picture.\n>> It is dark.\n\
         From the window it looks fine.\n\n-- \nClaire\n"
    );
}

#[test]
fn e_53_m_15_of_a_message_inside_its_signature_the_text_is_the_body() {
    let raw = fixture("a_message_inside_its_signature");
    let read = message(&raw);
    assert_eq!(read.text.trim(), "The lamp of the projector in room 4 is broken. Grüße, Claire");
    assert!(!read.flags.contains(&Flag::NoText) && !read.flags.contains(&Flag::Encrypted));
    let names: Vec<&str> = read.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["serial.csv", "smime.p7m"]);
    assert_eq!(cut(&raw, &read.attachments[0]).as_deref(), Ok(&b"serial;4711\r\n"[..]));
    // One that does not say what it is, and one that is broken.
    let raw = String::from_utf8(raw).expect("ASCII");
    let silent = raw.replace("smime-type=signed-data; ", "");
    assert_eq!(message(silent.as_bytes()).text, read.text);
    let (head, body) = raw.split_once("\r\n\r\n").expect("a body");
    let broken = format!("{head}\r\n\r\n{}", &body[..body.len() / 8]);
    let broken = message(broken.as_bytes());
    assert!(broken.flags.contains(&Flag::NoText) && broken.text.is_empty());
    assert_eq!(broken.attachments.len(), 1);
}

#[test]
fn e_53_e_60_m_19_of_a_signed_mail_the_inner_text_is_the_body() {
    let read = message(&fixture("a_clear_signed_text"));
    assert_eq!(read.text, "My key card opens no door.\n\n-- \nClaire\n");
    assert!(read.attachments.is_empty() && read.flags.is_empty());
    let read = message(&fixture("a_mail_signed_by_pgp_mime"));
    assert_eq!(read.text, "My key card opens no door.\n");
    assert_eq!(names(&read), ["signature.asc"]);
    assert!(read.flags.is_empty());
}

#[test]
fn e_54_e_60_m_19_an_encrypted_mail_leaves_a_notice() {
    let raw = fixture("an_encrypted_mail");
    let read = message(&raw);
    assert_eq!(read.text, "[encrypted: the message is attached]\n");
    assert_eq!(flags(&read), ["encrypted"]);
    assert_eq!(names(&read), ["part-1.asc", "encrypted.asc"]);
    let raw = fixture("an_encrypted_text");
    let read = message(&raw);
    assert_eq!(read.text, "As agreed:\n\n[encrypted: the message is attached]\n");
    assert_eq!((names(&read), flags(&read)), (vec!["encrypted.asc"], vec!["encrypted".to_owned()]));
    let armour = bytes(&raw, &read, 0);
    assert!(armour.starts_with(b"-----BEGIN PGP MESSAGE-----\r\n"));
    assert!(armour.ends_with(b"-----END PGP MESSAGE-----\r\n"));
    for (kind, is_encrypted) in
        [("enveloped-data", true), ("authenveloped-data", true), ("signed-data", false)]
    {
        let raw = format!("Content-Type: application/pkcs7-mime; smime-type={kind}\n\nx");
        assert_eq!(
            message(raw.as_bytes()).flags.contains(&Flag::Encrypted),
            is_encrypted,
            "{kind}"
        );
    }
}

#[test]
fn e_148_m_22_an_invitation_is_told_and_kept() {
    let raw = fixture("an_invitation");
    let read = message(&raw);
    assert_eq!(
        read.text,
        "Can you be there?\n\n[invitation: Move of the server room, part two, \
         2026-03-09 14:00–15:30 Europe/Paris, Basement, door 3]\n"
    );
    assert_eq!((names(&read), flags(&read)), (vec!["invite.ics"], vec!["calendar".to_owned()]));
    assert!(bytes(&raw, &read, 0).starts_with(b"BEGIN:VCALENDAR"));
    // The method may stand in the calendar only.
    let raw = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n";
    let read = message(raw.as_bytes());
    assert_eq!(
        (read.text.as_str(), read.flags.contains(&Flag::Calendar)),
        ("[cancelled: x]\n", true)
    );
}

#[test]
fn e_55_m_24_m_25_every_attachment_has_a_name() {
    let long = "x".repeat(4096);
    for (fields, name) in [
        (
            "Content-Disposition: attachment; filename*1*=%20b.txt; filename*0*=utf-8''caf%C3%A9"
                .to_owned(),
            "café b.txt",
        ),
        (
            "Content-Disposition: attachment; filename=a.txt; filename*=UTF-8''b.txt".to_owned(),
            "b.txt",
        ),
        (
            "Content-Disposition: attachment; filename=\"=?utf-8?q?caf=C3=A9?= =?utf-8?q?.txt?=\""
                .to_owned(),
            "café.txt",
        ),
        ("Content-Type: image/png; name*=utf-8''n.png; name=m.png".to_owned(), "n.png"),
        ("Content-Disposition: attachment; filename=\"../../x\"".to_owned(), "....x"),
        ("Content-Type: image/png\nContent-ID: <a@b>".to_owned(), "image-1.png"),
        ("Content-Type: image/png\nContent-Location: file:///C:/pics/p.png".to_owned(), "p.png"),
        ("Content-Type: application/pdf".to_owned(), "part-1.pdf"),
        (
            format!("Content-Disposition: attachment; filename={long}.pdf"),
            &format!("{}.pdf", &long[..251]),
        ),
    ] {
        let read = message(parts("mixed", &[&format!("{fields}\n\nx")]).as_bytes());
        assert_eq!(names(&read), [name], "{fields:.80}");
    }
    let same = "Content-Disposition: attachment; filename=a.txt\n\nx";
    let read = message(parts("mixed", &[same, same]).as_bytes());
    assert_eq!(names(&read), ["a.txt", "a (2).txt"]);
}

#[test]
fn e_58_an_attached_html_is_a_file_and_never_the_body() {
    let page = "Content-Type: text/html; name=page.html\n\n<script>alert(1)</script>";
    let read = message(parts("mixed", &["\nsee the page", page]).as_bytes());
    assert_eq!((read.text.as_str(), names(&read)), ("see the page", vec!["page.html"]));
}

#[test]
fn e_60_m_19_a_key_in_the_text_is_attached() {
    let key =
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMExample\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let raw = format!("A: b\n\nHere is my key:\n{key}Claire\n");
    let read = message(raw.as_bytes());
    assert_eq!(
        (read.text.as_str(), names(&read)),
        ("Here is my key:\nClaire\n", vec!["public-key.asc"])
    );
    assert_eq!(bytes(raw.as_bytes(), &read, 0), key.as_bytes());
    // Quoted armour belongs to the quote.
    let quoted = "> -----BEGIN PGP MESSAGE-----\n> x\n> -----END PGP MESSAGE-----\n";
    assert_eq!(message(format!("A: b\n\n{quoted}").as_bytes()).text, quoted);
}
