//! The cases of mail.md section 9 about identity, fields and characters: bytes from fixtures, variants
//! as rows.

use super::fixtures::fixture;
use super::*;

#[test]
fn e_23_a_message_without_an_id_is_known_again() {
    let first = message(b"Received: a\r\nFrom: a@b.example\r\nSubject: x\r\n\r\nHello\r\n");
    let second = message(b"Received: b\nFrom: a@b.example\nSubject: x\n\nHello\n\n");
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(first.content_hash, second.content_hash);
    let other = message(b"From: a@b.example\nSubject: x\n\nHello again\n");
    assert_ne!(first.message_id, other.message_id);
}

#[test]
fn e_26_an_id_on_a_second_line_is_read() {
    for break_ in ["\r\n\t", "\n ", "\r\n \t"] {
        let read = message(format!("Message-ID:{break_}<a@b.example>\n\nx").as_bytes());
        assert_eq!(read.message_id.as_str(), "a@b.example");
    }
}

#[test]
fn e_31_e_32_e_33_subjects_are_cleaned_and_cut() {
    for (written, subject) in [
        ("", ""),
        (" \r\n ", ""),
        ("=?utf-8?q?=0D=0A?=", ""),
        ("a\0b =?utf-8?q?c=0D=0Ad=00?=", "ab c d"),
        (
            "Re: printer in the room at the end of\r\n\t[#12]",
            "Re: printer in the room at the end of [#12]",
        ),
        ("=?utf-8?q?Re:_=5B=23?=\r\n =?utf-8?q?12=5D_Drucker?=", "Re: [#12] Drucker"),
    ] {
        let read = message(format!("From: a@b.example\nSubject: {written}\n\nx").as_bytes());
        assert_eq!(read.subject, subject, "{written:?}");
    }
    let read = message(format!("Subject: {}\n\nx", "é".repeat(600)).as_bytes());
    assert_eq!(read.subject.chars().count(), 500);
}

#[test]
fn e_34_an_unknown_transfer_encoding_leaves_the_text_as_it_is() {
    for encoding in ["x-nobody-knows", "8-bit", "utf-8", "quoted", "x-uuencode-not"] {
        let raw = format!("Content-Transfer-Encoding: {encoding}\n\na=20b aGVsbG8=\n");
        assert_eq!(message(raw.as_bytes()).text, "a=20b aGVsbG8=\n", "{encoding}");
    }
}

#[test]
fn e_35_a_body_in_any_charset_is_readable() {
    for (declared, body, text, is_repaired) in [
        ("koi8-r", &b"\xf0\xd2\xc9"[..], "При", false),
        ("big5", b"\xa6\x4c\xaa\xed\xbe\xf7", "印表機", false),
        ("iso-8859-15", b"5 \xa4", "5 €", false),
        ("gb2312", b"\xb4\xf2\xd3\xa1\x810\x846", "打印¥", false),
        ("iso-2022-jp", b"\x1b$B-!\x1b(B", "①", false),
        ("iso-2022-jp", b"\x1b(IA2\x1b(B", "ﾁｲ", false),
        ("\"UTF-8\"", b"caf\xc3\xa9", "café", false),
        ("'iso-8859-1'", b"caf\xe9", "café", false),
        ("utf-7", b"caf+AOk-", "café", false),
        ("x-unknown", b"caf\xe9", "café", false),
        ("x-unknown", b"caf\xc3\xa9", "café", false),
        ("unknown-8bit", b"caf\xe9", "café", false),
        ("", b"caf\xe9", "café", false),
        ("utf-8", b"caf\xe9!", "caf\u{fffd}!", true),
    ] {
        let head = format!("Message-ID: <a@b>\nContent-Type: text/plain; charset={declared}\n\n");
        let read = message(&[head.as_bytes(), body].concat());
        assert_eq!(read.text, text, "{declared}");
        assert_eq!(read.flags.contains(&Flag::CharsetRepaired), is_repaired, "{declared}");
    }
}

#[test]
fn m_14_t_39_a_subject_may_be_in_utf_7_and_a_name_may_not() {
    let read = message(&fixture("a_subject_in_utf_7"));
    assert_eq!(read.subject, "Drücker im Büro");
    assert_eq!(read.text, "Er druckt nicht é.\n");
    assert_eq!(read.from[0].name.as_deref(), Some("J+APw-rgen"));
    let is_subject = |header: &&Header| header.name == "Subject";
    let header = read.headers.iter().find(is_subject).map(|header| header.value.as_str());
    assert_eq!(header, Some("Drücker im Büro"));
}

#[test]
fn e_36_encoded_words_of_mixed_charsets_are_joined() {
    for (written, subject) in [
        ("=?iso-8859-1?q?Gr=FC?= =?utf-8?b?w59l?=", "Grüße"),
        ("=?utf-8?b?R3LDvMM=?=\r\n =?utf-8?b?n2U=?=", "Grüße"),
        ("=?gb2312?b?tPI=?= =?big5?b?qu0=?=", "打表"),
        ("=?iso-2022-jp?b?GyRCJVc=?= =?iso-2022-jp?b?JWobKEI=?=", "プリ"),
        ("=?UTF-8?Q?over=20long_word_?= =?UTF-8?Q?and_more", "over long word and more"),
    ] {
        let read = message(format!("Subject: {written}\n\nx").as_bytes());
        assert_eq!(read.subject, subject, "{written}");
    }
}

#[test]
fn e_56_e_57_m_27_the_first_readable_date_counts() {
    for (fields, at, written) in [
        ("Subject: x", None, None),
        ("Date: yesterday, I think", None, Some("yesterday, I think")),
        (
            "Date: soon\nDate: Mon, 2 Mar 2026 10:00:00 +0100",
            Some("2026-03-02T09:00:00Z"),
            Some("Mon, 2 Mar 2026 10:00:00 +0100"),
        ),
        (
            "Date: Mon, 2 Mar 2026 10:00:00 +0000\nDate: Tue, 3 Mar 2026 10:00:00 +0000",
            Some("2026-03-02T10:00:00Z"),
            Some("Mon, 2 Mar 2026 10:00:00 +0000"),
        ),
        (
            "Date: Thu, 1 Jan 1970 00:00:00 +0000",
            Some("1970-01-01T00:00:00Z"),
            Some("Thu, 1 Jan 1970 00:00:00 +0000"),
        ),
    ] {
        let date = message(format!("{fields}\n\nx").as_bytes()).date;
        assert_eq!(date.at.map(|at| at.to_string()).as_deref(), at, "{fields}");
        assert_eq!(date.written.as_deref(), written, "{fields}");
    }
}

#[test]
fn e_59_the_senders_priority_is_kept_as_a_field() {
    let read = message(b"X-Priority: 1 (Highest)\nImportance: high\n\nx");
    let all: Vec<(&str, &str)> =
        read.headers.iter().map(|header| (header.name.as_str(), header.value.as_str())).collect();
    assert_eq!(all, [("X-Priority", "1 (Highest)"), ("Importance", "high")]);
}

#[test]
fn e_76_m_33_a_local_part_beyond_ascii_is_a_good_identity() {
    let read = message("From: José <josé@bücher.example>\n\nx".as_bytes());
    let (address, _) = Address::repaired(&read.from[0].address).expect("a good address");
    assert_eq!(address.key(PlusTag::Strip).to_string(), "josé@xn--bcher-kva.example");
    let decomposed = Address::parse("jose\u{301}@b\u{fc}cher.example").expect("a good address");
    assert_eq!(decomposed.key(PlusTag::Strip), address.key(PlusTag::Strip));
}
