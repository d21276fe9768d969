//! Writes text in ASCII for the way: header values as RFC 2047 wants them, bodies as
//! quoted-printable, no line of which can be taken for the end of the mail or an mbox's next one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};

// 52 characters of base64, 64 with `=?utf-8?B?` and `?=`: RFC 2047 §2 allows 75, but the first one
// stands behind the header's name.
const WORD_BYTES: usize = 39;
// RFC 2045 §6.7.
const QUOTED_LINE: usize = 76;

/// A header of free text, folded at 78: as it is when that is possible, else encoded.
pub fn header(name: &'static str, text: &str) -> HeaderValue {
    let header = HeaderName::new_from_ascii_str(name);
    let is_plain = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        // A word that a reader would decode, or that leaves nowhere to fold.
        && !text.contains("=?")
        && text.split(' ').all(|word| word.len() <= 60);
    if is_plain {
        return HeaderValue::new(header, text.to_owned());
    }
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > WORD_BYTES {
            words.push(word(&chunk));
            chunk.clear();
        }
        chunk.push(c);
    }
    words.push(word(&chunk));
    HeaderValue::dangerous_new_pre_encoded(header, text.to_owned(), words.join("\r\n "))
}

/// `text` in quoted-printable with CRLF line ends.
pub fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    for line in text.split_terminator('\n') {
        push_line(&mut out, line.strip_suffix('\r').unwrap_or(line).as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// `bytes` in base64 with CRLF line ends.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes);
    let mut out = Vec::with_capacity(encoded.len() + encoded.len() / 38 + 2);
    for line in encoded.as_bytes().chunks(QUOTED_LINE) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn word(chunk: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(chunk))
}

fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    let mut column = 0;
    for (at, byte) in line.iter().enumerate() {
        let is_last = at + 1 == line.len();
        let is_plain = match byte {
            b'=' => false,
            b' ' | b'\t' => !is_last,
            byte => byte.is_ascii_graphic(),
        };
        let width = if is_plain { 1 } else { 3 };
        // One column is left for the `=` of a soft line end, unless this ends the line.
        if column + width > QUOTED_LINE - usize::from(!is_last) {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        // T-14: no line begins with a dot, and none looks like an mbox's `From `.
        let is_risky =
            column == 0 && (*byte == b'.' || (*byte == b'F' && line[at..].starts_with(b"From ")));
        if is_plain && !is_risky {
            out.push(*byte);
            column += 1;
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
            column += 3;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        String::from_utf8(quoted_printable(text)).expect("quoted-printable is ASCII")
    }

    #[test]
    fn t_14_no_line_begins_with_a_dot_or_from() {
        assert_eq!(quoted(".\nFrom me\n..\nFrom\n"), "=2E\r\n=46rom me\r\n=2E.\r\nFrom\r\n");
        let long = format!("{}.From x", "a".repeat(75));
        assert_eq!(quoted(&long), format!("{}=\r\n=2EFrom x\r\n", "a".repeat(75)));
    }

    #[test]
    fn r_18_lines_are_short_and_ends_are_crlf() {
        let text = format!("{}\n{}é\nx \n\u{1f600}", "é".repeat(300), "b".repeat(2_000));
        let quoted = quoted(&text);
        assert!(quoted.split("\r\n").all(|line| line.len() <= 76), "{quoted}");
        assert!(quoted.contains("x=20\r\n"));
        assert!(!quoted.replace("\r\n", "").contains(['\r', '\n']));
    }

    #[test]
    fn a_long_or_foreign_header_is_encoded_in_short_words() {
        for text in ["é".repeat(200), "x".repeat(500), "=?utf-8?q?=0D=0ABcc:_x?=".to_owned()] {
            let header = header("Subject", &text);
            let mut headers = lettre::message::header::Headers::new();
            headers.insert_raw(header);
            let shown = headers.to_string();
            assert!(shown.lines().all(|line| line.len() <= 78), "{shown}");
            assert!(shown.starts_with("Subject: =?utf-8?B?"), "{shown}");
        }
    }
}
