//! The text of header fields: encoded-words decoded, then made into one clean line (M-10, M-11,
//! T-13). Addresses and ids never pass through here.

use encoding_rs::Encoding;
use memchr::memmem;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::charset::{Utf7, decode_header, decode_word};
use super::transfer;

/// The text of an unstructured field, a phrase, a comment or a file name: one clean line (M-10,
/// M-11).
pub fn decode(raw: &[u8], own: Option<&'static Encoding>) -> String {
    if raw.iter().all(|byte| matches!(byte, b' '..=b'~')) && memmem::find(raw, b"=?").is_none() {
        return String::from_utf8_lossy(raw.trim_ascii()).into_owned();
    }
    clean(&decode_words(raw, own))
}

/// The same for the subject, which people only read: it may be written in UTF-7 (M-14, T-39).
pub fn decode_subject(raw: &[u8], own: Option<&'static Encoding>) -> String {
    clean(&decode_in(raw, own, Utf7::Decoded))
}

/// Decodes the encoded-words of a text; what is not one is raw header text (M-10, M-11, R-27, R-28).
pub fn decode_words(raw: &[u8], own: Option<&'static Encoding>) -> String {
    decode_in(raw, own, Utf7::Kept)
}

fn decode_in(raw: &[u8], own: Option<&'static Encoding>, utf_7: Utf7) -> String {
    let mut decoded = String::with_capacity(raw.len());
    // The bytes of neighbours in one charset are joined first: a character may be split over two.
    let mut run: Option<Run> = None;
    let (mut plain_from, mut search_from) = (0, 0);
    while let Some(at) = memmem::find(&raw[search_from..], b"=?").map(|at| at + search_from) {
        let Some(word) = Word::at_start(&raw[at..]) else {
            search_from = at + "=?".len();
            continue;
        };
        let plain = &raw[plain_from..at];
        let is_gap = plain.trim_ascii().is_empty();
        match &mut run {
            Some(run) if is_gap && run.charset.eq_ignore_ascii_case(word.charset) => {
                word.decode_into(&mut run.bytes);
            }
            _ => {
                let follows_word = run.is_some();
                flush(&mut run, &mut decoded, utf_7);
                if !(follows_word && is_gap) {
                    decoded.push_str(&decode_header(plain, own));
                }
                let mut bytes = Vec::new();
                word.decode_into(&mut bytes);
                run = Some(Run { charset: word.charset, bytes });
            }
        }
        search_from = at + word.length;
        plain_from = search_from;
    }
    flush(&mut run, &mut decoded, utf_7);
    decoded.push_str(&decode_header(&raw[plain_from..], own));
    decoded
}

/// The length of the encoded-word that the bytes begin with.
pub fn word_length(bytes: &[u8]) -> Option<usize> {
    Word::at_start(bytes).map(|word| word.length)
}

/// NFC, on one line, without controls or characters that change the direction of writing (M-11,
/// T-13); outer white space is cut.
pub fn clean(text: &str) -> String {
    let text = text.trim();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_break(c) || (c == ' ' && chars.peek().is_some_and(|next| is_break(*next))) {
            while chars.next_if(|next| *next == ' ' || is_break(*next)).is_some() {}
            line.push(' ');
        } else if !c.is_control() && !is_bidi(c) {
            line.push(c);
        }
    }
    let line = line.trim();
    if is_nfc(line) { line.to_owned() } else { line.nfc().collect() }
}

/// Characters that change the direction of writing.
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no room: zero-width ones, byte order marks, bidi controls.
pub fn is_invisible(c: char) -> bool {
    is_bidi(c)
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}')
        || matches!(c, '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn is_break(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The bytes of neighbouring encoded-words in one charset.
struct Run<'a> {
    charset: &'a [u8],
    bytes: Vec<u8>,
}

fn flush(run: &mut Option<Run>, decoded: &mut String, utf_7: Utf7) {
    if let Some(run) = run.take() {
        decoded.push_str(&decode_word(&run.bytes, &String::from_utf8_lossy(run.charset), utf_7));
    }
}

/// `=?charset?B?text?=` or `=?charset?Q?text?=` (RFC 2047 §2).
struct Word<'a> {
    charset: &'a [u8],
    is_base64: bool,
    text: &'a [u8],
    length: usize,
}

impl<'a> Word<'a> {
    /// The encoded-word that the bytes begin with. It looks no further than the next `=?`, so that a
    /// text full of beginnings takes linear time (M-102).
    fn at_start(bytes: &'a [u8]) -> Option<Word<'a>> {
        let inner = bytes.strip_prefix(b"=?")?;
        let charset_end = inner.iter().position(|byte| !is_charset_byte(*byte))?;
        let (charset, rest) = inner.split_at(charset_end);
        let (is_base64, rest) = match rest {
            [b'?', b'B' | b'b', b'?', rest @ ..] => (true, rest),
            [b'?', b'Q' | b'q', b'?', rest @ ..] => (false, rest),
            _ => return None,
        };
        let (mut end, mut stop) = (None, rest.len());
        for (at, pair) in rest.windows(2).enumerate() {
            match pair {
                b"?=" => {
                    end = Some(at);
                    break;
                }
                // The padding of base64 before the end is `=?=`.
                b"=?" if rest.get(at + 2) != Some(&b'=') => {
                    stop = at;
                    break;
                }
                _ => (),
            }
        }
        let (end, mark) = match end {
            Some(end) => (end, "?=".len()),
            None => (unclosed(&rest[..stop])?, 0),
        };
        // RFC 2231 §5 adds a language to the charset.
        let charset = charset.split(|byte| *byte == b'*').next().unwrap_or_default();
        let length = bytes.len() - rest.len() + end + mark;
        Some(Word { charset, is_base64, text: &rest[..end], length })
    }

    fn decode_into(&self, bytes: &mut Vec<u8>) {
        if self.is_base64 {
            transfer::Base64::default().feed_all(self.text, bytes);
        } else {
            transfer::decode_q(self.text, bytes);
        }
    }
}

/// The length of the text of a word that was cut off before its end: it must be all that is left of
/// the field, or of what stands before the next word.
fn unclosed(rest: &[u8]) -> Option<usize> {
    let rest = rest.trim_ascii_end();
    let is_text = !rest.is_empty() && !rest.iter().any(u8::is_ascii_whitespace);
    is_text.then_some(rest.len())
}

fn is_charset_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'.' | b':' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_10_encoded_words_are_decoded_and_joined() {
        for (raw, text) in [
            ("=?utf-8?q?caf=C3=A9?=", "café"),
            ("=?UTF-8?B?Y2Fmw6k=?= au lait", "café au lait"),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?=\r\n =?iso-8859-1?q?=e9?=", "aé"),
            ("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
            // A character split over two words.
            ("=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=", "café"),
            ("=?utf-8?b?Y2Fmw?= =?utf-8?b?6k=?=", "caf\u{fffd}"),
            ("=?iso-2022-jp?B?GyRCJU8bKEI=?=", "ハ"),
            ("=?iso-2022-jp?B?GyRCJU8bKEI=?= =?iso-2022-jp?B?GyRCJU8bKEI=?=", "ハハ"),
            ("=?utf-8*en?q?a_b?=", "a b"),
            ("=?x-unknown?q?caf=C3=A9?=", "café"),
            ("=?utf-7?q?+AOk-?=", "+AOk-"),
            ("=?utf-8?q?un closed", "=?utf-8?q?un closed"),
            ("=?utf-8?q?caf=C3=A9", "café"),
            ("Re: =?utf-8?b?Y2Fmw6k =?utf-8?q?_x?=", "Re: café x"),
            ("=?utf-8?q?a long word, with spaces inside?=", "a long word, with spaces inside"),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?what??=", "what?"),
            ("=?utf-8?q?100=?=", "100="),
            ("a=?utf-8?q?b?=c", "abc"),
            ("Re: =?utf-8?q?=5B=23?= 12", "Re: [# 12"),
        ] {
            let decoded = decode(raw.as_bytes(), None);
            if raw.contains("Y2Fmw?=") {
                assert!(decoded.starts_with("caf"), "{raw}");
            } else {
                assert_eq!(decoded, text, "{raw}");
            }
        }
    }

    #[test]
    fn t_13_a_field_is_one_line_without_controls() {
        for (raw, text) in [
            (&b"a\r\n\tb"[..], "a b"),
            (b"a \t  b", "a b"),
            (b"a  b", "a  b"),
            (b"a\0b", "ab"),
            (b"=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
            (b"=?utf-8?q?=E2=80=AEevil=E2=80=A8x?=", "evil x"),
            (b"jose\xcc\x81", "jos\u{e9}"),
            (b" a ", "a"),
        ] {
            assert_eq!(decode(raw, None), text);
        }
    }

    #[test]
    fn m_11_raw_bytes_are_read_in_the_charset_of_the_message() {
        assert_eq!(decode(b"\xcf\xf0", Some(encoding_rs::WINDOWS_1251)), "Пр");
        // Raw bytes inside an encoded-word are in its charset.
        assert_eq!(decode(b"=?iso-8859-1?q?Fr\xf6sche?=", None), "Frösche");
        assert_eq!(decode("né".as_bytes(), Some(encoding_rs::WINDOWS_1251)), "né");
    }
}
