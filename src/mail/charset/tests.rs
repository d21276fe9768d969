//! Which charset a name means, and what bytes mean (M-11…M-14).

use super::*;

fn body(bytes: &[u8], label: &str) -> String {
    decode_body(bytes, Charset::named(label), Bits::Seven).0
}

#[test]
fn m_13_charset_names_are_cleaned_and_widened() {
    for (label, bytes, text) in [
        ("ISO-8859-1", &b"\x80"[..], "€"),
        ("us-ascii", b"\x93a\x94", "“a”"),
        ("\"utf-8\"", b"\xc3\xa9", "é"),
        (" UTF_8 ", b"\xc3\xa9", "é"),
        ("cp1251", b"\xcf\xf0\xe8", "При"),
        ("cp-1250", b"\x9a", "š"),
        ("gb2312", b"\x816\xa5\x31", "㐁"),
        ("ks_c_5601-1987", b"\x8c\x63", "똠"),
        ("cp949", b"\x8c\x63", "똠"),
        ("Shift_JIS", b"\x87\x40", "①"),
        ("cp932", b"\x87\x40", "①"),
        ("iso-2022-jp-2", b"\x1b$B%O\x1b(B", "ハ"),
        ("iso-8859-8-i", b"\xf9", "ש"),
        ("utf-7", b"+AOk-", "é"),
        ("ibm850", b"\x9b", "ø"),
        ("unicode-1-1-utf-7", b"+AOk-", "é"),
        ("cp65000", b"+AOk-", "é"),
        ("iso-2022-jp-2004", b"\x1b$(Q%O\x1b(B", "ハ"),
        ("iso-2022-jp-ms", b"\x1b$B-!\x1b(B", "①"),
        ("cp50221", b"\x1b(IA2\x1b(B", "ﾁｲ"),
        ("iso-2022-kr", b"\x1b$)C\x0eGQ\x0f", "한"),
        ("hz-gb-2312", b"~{VP~}", "中"),
        ("koi8-u", b"\xa6", "і"),
        ("cp21866", b"\xa6", "і"),
        ("big5-hkscs", b"\x87\x40", "䏰"),
        ("cp950", b"\xa4\xa4", "中"),
        ("gb18030", b"\x81\x30\x84\x36", "¥"),
        ("euc-kr", b"\x8c\x63", "똠"),
        ("windows-949", b"\x8c\x63", "똠"),
        ("windows-874", b"\xa1", "ก"),
        ("tis-620", b"\xa1", "ก"),
        ("x-mac-roman", b"\x8a", "ä"),
        ("macintosh", b"\x8a", "ä"),
        ("x-mac-cyrillic", b"\x80", "А"),
        ("x-mac-japanese", b"\x83n", "ハ"),
        ("utf-16", b"\xff\xfea\0", "a"),
        ("utf-16", b"\0a", "a"),
        ("utf-16le", b"a\0", "a"),
        ("utf-16be", b"\0a", "a"),
        ("utf-32", b"a\0\0\0", "a"),
        ("iso-8859-15", b"\xa4", "€"),
        ("latin9", b"\xa4", "€"),
        ("windows 1251", b"\xcf", "П"),
        ("win-1251", b"\xcf", "П"),
        ("x-sjis", b"\x83n", "ハ"),
        ("koi8-r", b"\xf0", "П"),
    ] {
        let (got, _) = Charset::named(label).expect(label).decode(bytes);
        if label == "gb2312" {
            // A four-byte sequence that only GB 18030 has.
            assert!(!got.contains('\u{fffd}'), "{label}: {got}");
        } else {
            assert_eq!(got, text, "{label}");
        }
    }
    for unknown in ["", "unknown-8bit", "x-nobody-knows", "x-unknown", "cp", "win"] {
        assert!(Charset::named(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn m_12_the_bytes_decide_where_the_sender_is_vague() {
    assert_eq!(body(b"\xef\xbb\xbf\xc3\xa9", "iso-8859-1"), "é");
    assert_eq!(body(b"\xff\xfea\0", "utf-8"), "a");
    assert_eq!(body(b"\xff\xfe\0\0a\0\0\0", ""), "a");
    for label in ["utf-16", "utf-16le", "unicode", "utf-32"] {
        assert_eq!(body(b"only ASCII", label), "only ASCII", "{label}");
    }
    assert_eq!(body(b"\xc3\xa9", ""), "é");
    assert_eq!(body(b"\xe9", ""), "é");
    assert_eq!(body(b"\xc3\xa9", "iso-8859-1"), "Ã©");
    let latin = Charset::named("iso-8859-1");
    assert_eq!(decode_body(b"\xc3\xa9", latin, Bits::Eight).0, "é");
    assert_eq!(body(b"\x1b$B%O\x1b(B", ""), "ハ");
    assert_eq!(body(b"\x1b$B%O\x1b(B", "iso-2022-jp"), "ハ");
    let (text, repair) = decode_body(b"a\xe9b", Charset::named("utf-8"), Bits::Eight);
    assert_eq!((text.as_str(), repair), ("a\u{fffd}b", Repair::Made));
}

#[test]
fn m_11_raw_header_bytes_are_utf_8_or_what_the_message_uses() {
    assert_eq!(decode_header(b"\xc3\xa9", Some(WINDOWS_1252)), "é");
    assert_eq!(decode_header(b"\xcf\xf0", Some(encoding_rs::WINDOWS_1251)), "Пр");
    assert_eq!(decode_header(b"\xe9", Some(UTF_8)), "é");
    assert_eq!(decode_header(b"\xe9", None), "é");
    assert_eq!(decode_word(b"+AOk-", "utf-7", Utf7::Kept), "+AOk-");
    assert_eq!(decode_word(b"+AOk-", "utf-7", Utf7::Decoded), "é");
}

#[test]
fn m_12_html_may_name_its_charset_itself() {
    let html = b"<html><head><meta charset=\"windows-1251\"></head>";
    assert!(matches!(
        named_in_html(html),
        Some(Charset::Known(known)) if known == encoding_rs::WINDOWS_1251
    ));
    assert!(named_in_html(b"<meta charset=utf-16>").is_none());
    assert!(named_in_html(b"<p>charset</p>").is_none());
}
