//! Turns bytes into text, whatever the sender claims they are (M-12…M-14, M-11). Never fails: bytes
//! that make no sense become U+FFFD.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, ISO_2022_JP, UTF_8, WINDOWS_1252};
use mail_parser::decoders::charsets::DecoderFnc;
use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::{memchr, memmem};

/// A charset that we can read.
#[derive(Clone, Copy)]
pub enum Charset {
    /// UTF-7, IBM 850 and the like: not on the web, but in mail. Bodies only (M-14, T-39).
    Archaic(DecoderFnc),
    Known(&'static Encoding),
}

/// Whether bytes had to be replaced (`charset_repaired`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    Made,
    NotNeeded,
}

/// Whether a part says that it holds bytes above 127 as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    Eight,
    Seven,
}

impl Charset {
    /// The charset of that name, cleaned and widened (M-13), or `None` when nobody knows it.
    pub fn named(label: &str) -> Option<Charset> {
        let label = label.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        if let Some(known) = Encoding::for_label_no_replacement(label.as_bytes()) {
            return Some(Charset::Known(known));
        }
        let label = label.to_ascii_lowercase().replace('_', "-");
        let label = label.strip_prefix("x-").unwrap_or(&label);
        let widened = match label {
            "cp932" | "ms932" | "windows-932" | "sjis" | "shift-jis" => "shift_jis",
            "cp936" | "ms936" | "windows-936" => "gb18030",
            "cp949" | "ms949" | "uhc" | "euckr" | "ks-c-5601-1987" => "euc-kr",
            "cp950" | "ms950" | "windows-950" => "big5",
            "cp65001" | "windows-65001" | "utf-8-sig" => "utf-8",
            "eucjp" => "euc-jp",
            "ansi" | "latin-1" | "iso-latin-1" | "iso8859" | "8bit" | "7bit" => "windows-1252",
            _ if label.starts_with("iso-2022-jp") => "iso-2022-jp",
            _ => label,
        };
        let known = match widened.strip_prefix("cp").map(|page| page.trim_start_matches('-')) {
            Some(page) => Encoding::for_label_no_replacement(format!("windows-{page}").as_bytes()),
            None => Encoding::for_label_no_replacement(widened.as_bytes()),
        };
        match known {
            Some(known) => Some(Charset::Known(known)),
            // The reader answers with U+FFFD for these two: better as undeclared.
            None if matches!(widened, "iso-2022-kr" | "csiso2022kr" | "hz-gb-2312") => None,
            None => charset_decoder(widened.as_bytes()).map(Charset::Archaic),
        }
    }

    /// The charset as one that may be used in header fields, where UTF-7 never is (T-39).
    pub fn in_header(self) -> Option<&'static Encoding> {
        match self {
            Charset::Known(known) => Some(known),
            Charset::Archaic(_) => None,
        }
    }

    fn is_ascii_compatible(self) -> bool {
        match self {
            Charset::Known(known) => known.is_ascii_compatible(),
            Charset::Archaic(_) => false,
        }
    }

    fn decode(self, bytes: &[u8]) -> (String, Repair) {
        match self {
            Charset::Archaic(decode) => (decode(bytes), Repair::NotNeeded),
            Charset::Known(known) => {
                // GB 18030 holds all of GBK and GB 2312, which senders write instead.
                let known = if known == encoding_rs::GBK { GB18030 } else { known };
                let plain = if known == ISO_2022_JP { single_escapes(bytes) } else { bytes.into() };
                let (text, had_errors) = known.decode_without_bom_handling(&plain);
                (text.into_owned(), if had_errors { Repair::Made } else { Repair::NotNeeded })
            }
        }
    }
}

/// The text of a body: a byte order mark wins; then UTF-8 when the part says so, says nothing or
/// says 8bit, and the bytes are; then what it says; then windows-1252 (M-12).
pub fn decode_body(bytes: &[u8], declared: Option<Charset>, bits: Bits) -> (String, Repair) {
    if let Some((known, mark)) = Encoding::for_bom(bytes) {
        return Charset::Known(known).decode(&bytes[mark..]);
    }
    let may_be_utf8 = match declared {
        None => true,
        Some(Charset::Known(known)) if known == UTF_8 => true,
        Some(declared) => bits == Bits::Eight && declared.is_ascii_compatible(),
    };
    if declared.is_none() && is_iso_2022_jp(bytes) {
        return Charset::Known(ISO_2022_JP).decode(bytes);
    }
    if may_be_utf8 && let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), Repair::NotNeeded);
    }
    declared.unwrap_or(Charset::Known(WINDOWS_1252)).decode(bytes)
}

/// Raw header bytes: UTF-8 if valid, else the charset that the message itself uses, else
/// windows-1252 (M-11).
pub fn decode_header<'a>(bytes: &'a [u8], own: Option<&'static Encoding>) -> Cow<'a, str> {
    if is_iso_2022_jp(bytes) {
        return Cow::Owned(Charset::Known(ISO_2022_JP).decode(bytes).0);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let own = own.filter(|own| own.is_ascii_compatible() && *own != UTF_8);
            own.unwrap_or(WINDOWS_1252).decode_without_bom_handling(bytes).0
        }
    }
}

/// The text of an encoded-word or of a file name in that charset; an unknown one is as undeclared.
pub fn decode_word(bytes: &[u8], label: &str) -> String {
    let declared = Charset::named(label).and_then(Charset::in_header);
    match declared {
        Some(known) => Charset::Known(known).decode(bytes).0,
        None => decode_header(bytes, None).into_owned(),
    }
}

/// The charset that an HTML text names in its own head, when its part names none.
pub fn named_in_html(bytes: &[u8]) -> Option<Charset> {
    const HEAD: usize = 1024;
    let head = bytes[..bytes.len().min(HEAD)].to_ascii_lowercase();
    let at = memmem::find(&head, b"charset=")? + b"charset=".len();
    let label = head[at..].trim_ascii_start();
    let label = label.strip_prefix(b"\"").or(label.strip_prefix(b"'")).unwrap_or(label);
    let end =
        label.iter().position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
    let label = &label[..end.unwrap_or(label.len())];
    // A text whose markup could be found byte by byte is in no 16-bit charset.
    Charset::named(std::str::from_utf8(label).ok()?).filter(|charset| charset.is_ascii_compatible())
}

/// Where two pieces of ISO-2022-JP were joined, one escape follows another at once. The decoder, made
/// for the web, takes that for an attack; only the last one counts.
fn single_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let escape = |at: usize| match bytes.get(at..) {
        Some([0x1b, b'$', b'(', _, ..]) => 4,
        Some([0x1b, b'$' | b'(', _, ..]) => 3,
        _ => 0,
    };
    let mut kept: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < bytes.len() {
        let length = escape(at);
        if length > 0 && escape(at + length) > 0 {
            kept.get_or_insert_with(|| bytes[..at].to_vec());
            at += length;
        } else {
            if let Some(kept) = &mut kept {
                kept.push(bytes[at]);
            }
            at += 1;
        }
    }
    kept.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Japanese mailers send this 7-bit charset without naming it; its escapes are unmistakable.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    memchr(0x1b, bytes).is_some_and(|at| matches!(bytes[at..], [_, b'$', b'B' | b'@', ..]))
}

#[cfg(test)]
mod tests {
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
        for unknown in ["", "unknown-8bit", "x-nobody-knows", "hz-gb-2312"] {
            assert!(Charset::named(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn m_12_the_bytes_decide_where_the_sender_is_vague() {
        assert_eq!(body(b"\xef\xbb\xbf\xc3\xa9", "iso-8859-1"), "é");
        assert_eq!(body(b"\xff\xfea\0", "utf-8"), "a");
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
        assert_eq!(decode_word(b"+AOk-", "utf-7"), "+AOk-");
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
}
