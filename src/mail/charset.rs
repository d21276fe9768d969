//! Turns bytes into text, whatever the sender claims they are (M-12…M-14, M-11). Never fails: bytes
//! that make no sense become U+FFFD.

mod seven_bit;
#[cfg(test)]
mod tests;
mod wide;

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::decoders::charsets::DecoderFnc;
use mail_parser::decoders::charsets::map::charset_decoder;
use memchr::{memchr, memmem};

/// A charset that we can read.
#[derive(Clone, Copy)]
pub enum Charset {
    /// IBM 850, HZ, UTF-32 and the like: not on the web, but in mail.
    Archaic(DecoderFnc),
    Known(&'static Encoding),
    /// Never in the fields that say who somebody is (M-14, T-39).
    Utf7(DecoderFnc),
}

/// Whether a field may be written in UTF-7: who can smuggle signs past a reader of addresses gains
/// by it, who writes an old-fashioned subject is only to be read (M-14, T-39).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf7 {
    Decoded,
    Kept,
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
        if let Some(special) = special(label) {
            return Some(special);
        }
        if let Some(known) = Encoding::for_label_no_replacement(label.as_bytes()) {
            return Some(Charset::Known(known));
        }
        let label = label.to_ascii_lowercase().replace(['_', ' '], "-");
        let label = label.strip_prefix("x-").unwrap_or(&label);
        let widened = match label {
            "cp932" | "mac-japanese" | "ms932" | "shift-jis" | "sjis" | "windows-932" => {
                "shift_jis"
            }
            "cp936" | "gb18030-2000" | "mac-chinesesimp" | "ms936" | "windows-936" => "gb18030",
            "cp949" | "euckr" | "ks-c-5601-1987" | "mac-korean" | "ms949" | "uhc"
            | "windows-949" => "euc-kr",
            "big5hkscs" | "cp950" | "cp951" | "mac-chinesetrad" | "ms950" | "windows-950" => "big5",
            "cp51932" | "eucjp" | "eucjp-ms" => "euc-jp",
            "cp65001" | "utf-8-sig" | "utf8mb4" | "windows-65001" => "utf-8",
            "cp10000" | "mac-roman" | "macroman" => "macintosh",
            "7bit" | "8bit" | "ansi" | "iso-latin-1" | "iso8859" | "latin-1" => "windows-1252",
            "latin-2" => "iso-8859-2",
            "latin-9" | "latin9" => "iso-8859-15",
            "cp28591" => "iso-8859-1",
            "cp28592" => "iso-8859-2",
            "cp28605" => "iso-8859-15",
            "cp20866" => "koi8-r",
            "cp21866" => "koi8-u",
            _ if label.starts_with("iso-2022-jp") || is_iso_2022_page(label) => "iso-2022-jp",
            _ => label,
        };
        let page = ["cp", "win"].iter().find_map(|prefix| widened.strip_prefix(prefix));
        let page = page.map(|page| page.trim_start_matches('-'));
        let page = page.filter(|page| page.bytes().all(|byte| byte.is_ascii_digit()));
        let known = match page {
            Some(page) => Encoding::for_label_no_replacement(format!("windows-{page}").as_bytes()),
            None => Encoding::for_label_no_replacement(widened.as_bytes()),
        };
        match known {
            Some(known) => Some(Charset::Known(known)),
            None => special(widened)
                .or_else(|| charset_decoder(widened.as_bytes()).map(Charset::Archaic)),
        }
    }

    /// The charset as one that raw header bytes may be in.
    pub fn in_header(self) -> Option<&'static Encoding> {
        match self {
            Charset::Known(known) => Some(known),
            Charset::Archaic(_) | Charset::Utf7(_) => None,
        }
    }

    fn is_ascii_compatible(self) -> bool {
        match self {
            Charset::Known(known) => known.is_ascii_compatible(),
            Charset::Archaic(_) | Charset::Utf7(_) => false,
        }
    }

    /// Whether letters of ASCII take more than a byte, so that there are zeros in most texts.
    fn is_wide(self) -> bool {
        match self {
            Charset::Archaic(decode) => decode(b"a") != "a",
            Charset::Known(known) => [UTF_16BE, UTF_16LE].contains(&known),
            Charset::Utf7(_) => false,
        }
    }

    fn decode(self, bytes: &[u8]) -> (String, Repair) {
        let text = match self {
            Charset::Archaic(decode) | Charset::Utf7(decode) => decode(bytes),
            Charset::Known(known) if known == ISO_2022_JP => seven_bit::iso_2022(bytes),
            Charset::Known(known) => {
                // GB 18030 holds all of GBK and GB 2312, which senders write instead.
                let known = if known == encoding_rs::GBK { GB18030 } else { known };
                let (text, had_errors) = known.decode_without_bom_handling(bytes);
                let repair = if had_errors { Repair::Made } else { Repair::NotNeeded };
                return (text.into_owned(), repair);
            }
        };
        let repair = match text.contains(char::REPLACEMENT_CHARACTER) {
            true => Repair::Made,
            false => Repair::NotNeeded,
        };
        (text, repair)
    }
}

/// The charsets that only mail knows, or that only mail needs to be told the byte order of.
fn special(label: &str) -> Option<Charset> {
    let utf_7 = || charset_decoder(b"utf-7").map(Charset::Utf7);
    match label.to_ascii_lowercase().replace('_', "-").as_str() {
        "csiso2022kr" | "iso-2022-cn" | "iso-2022-cn-ext" | "iso-2022-kr" => {
            Some(Charset::Archaic(seven_bit::iso_2022))
        }
        "csucs4" | "iso-10646-ucs-4" | "ucs-4" | "utf-32" | "utf-32be" | "utf-32le" | "utf32" => {
            Some(Charset::Archaic(wide::utf_32))
        }
        "csunicode" | "iso-10646-ucs-2" | "ucs-2" | "unicode" | "utf-16" | "utf16" => {
            Some(Charset::Archaic(wide::utf_16))
        }
        "cp65000"
        | "csunicode11utf7"
        | "unicode-1-1-utf-7"
        | "unicode-2-0-utf-7"
        | "utf-7"
        | "utf7"
        | "x-unicode-1-1-utf-7"
        | "x-unicode-2-0-utf-7" => utf_7(),
        "hz" | "hz-gb-2312" => Some(Charset::Archaic(seven_bit::hz)),
        _ => None,
    }
}

/// Windows numbers for ISO-2022-JP with half-width katakana.
fn is_iso_2022_page(label: &str) -> bool {
    matches!(label, "cp50220" | "cp50221" | "cp50222" | "windows-50220" | "windows-50221")
}

/// The text of a body: a byte order mark wins; then UTF-8 when the part says so, says nothing or
/// says 8bit, and the bytes are; then what it says; then windows-1252 (M-12).
pub fn decode_body(bytes: &[u8], declared: Option<Charset>, bits: Bits) -> (String, Repair) {
    if wide::has_utf_32_mark(bytes) {
        return Charset::Archaic(wide::utf_32).decode(bytes);
    }
    if let Some((known, mark)) = Encoding::for_bom(bytes) {
        return Charset::Known(known).decode(&bytes[mark..]);
    }
    let may_be_utf8 = match declared {
        None => true,
        Some(Charset::Known(known)) if known == UTF_8 => true,
        // Bytes without a zero are in no wide charset, whatever the sender took from the HTML.
        Some(declared) if declared.is_wide() => memchr(0, bytes).is_none(),
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
pub fn decode_word(bytes: &[u8], label: &str, utf_7: Utf7) -> String {
    match (Charset::named(label), utf_7) {
        (None, _) | (Some(Charset::Utf7(_)), Utf7::Kept) => decode_header(bytes, None).into_owned(),
        (Some(declared), _) => declared.decode(bytes).0,
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

/// Japanese mailers send this 7-bit charset without naming it; its escapes are unmistakable.
fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    memchr(0x1b, bytes).is_some_and(|at| matches!(bytes[at..], [_, b'$', b'B' | b'@', ..]))
}
