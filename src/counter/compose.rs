//! Puts what was written together as a message, which is read back like any mail. Nothing that
//! somebody typed becomes a header of its own or a part of another kind (T-13, T-46).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::write::{Mails, Upload};
use crate::mail::Address;

/// A message to put together.
pub(super) struct Letter<'a> {
    pub from: &'a Address,
    pub name: Option<&'a str>,
    pub to: &'a Address,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub date: Timestamp,
    pub subject: &'a str,
    pub text: &'a str,
    pub attachments: &'a [Upload],
    pub mails: Mails,
}

// RFC 2047 §2: 75 characters with `=?utf-8?B?` and `?=`.
const WORD_BYTES: usize = 39;
// RFC 2045 §6.8.
const LINE: usize = 76;
const LONGEST_SUBJECT: usize = 500;
const LONGEST_NAME: usize = 255;

/// The message as bytes, with CRLF line ends.
pub(super) fn compose(letter: &Letter) -> Vec<u8> {
    let mut out = String::new();
    let mut header = |name: &str, value: &str| {
        out.push_str(name);
        out.push_str(": ");
        out.push_str(value);
        out.push_str("\r\n");
    };
    let name = letter.name.map(|name| line(name, LONGEST_NAME)).filter(|name| !name.is_empty());
    let from = match name {
        Some(name) => format!("{}\r\n <{}>", words(&name), letter.from),
        None => format!("<{}>", letter.from),
    };
    header("From", &from);
    header("To", &format!("<{}>", letter.to));
    header("Subject", &words(&line(letter.subject, LONGEST_SUBJECT)));
    header(
        "Date",
        &rfc2822::to_string(&letter.date.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default(),
    );
    header("Message-ID", &format!("<{}>", letter.message_id));
    if letter.mails == Mails::Withheld {
        header("X-Auto-Response-Suppress", "All");
    }
    header("MIME-Version", "1.0");
    if letter.attachments.is_empty() {
        out.push_str(&text_part(letter.text));
        return out.into_bytes();
    }
    // Base64 has no `_`, so no line of a part can be taken for it.
    let boundary = format!("=_{}", letter.message_id.replace(['@', '.', '-'], "_"));
    out.push_str(&format!("Content-Type: multipart/mixed;\r\n boundary=\"{boundary}\"\r\n\r\n"));
    out.push_str(&format!("--{boundary}\r\n{}", text_part(letter.text)));
    for attachment in letter.attachments {
        out.push_str(&format!("--{boundary}\r\n{}", file_part(attachment)));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    out.into_bytes()
}

fn text_part(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(text.as_bytes())
    )
}

fn file_part(file: &Upload) -> String {
    let name = percent(&line(&file.name, LONGEST_NAME));
    format!(
        "Content-Type: {}\r\nContent-Disposition: attachment;\r\n filename*=utf-8''{name}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        content_type(&file.content_type),
        base64(&file.bytes)
    )
}

/// A type without parameters. What would be read as more of the message is a file like any other.
fn content_type(written: &str) -> String {
    let plain = "application/octet-stream";
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |word: &str| {
        !word.is_empty()
            && word.len() <= 60
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    match essence.split_once('/') {
        Some((kind, sub)) if is_token(kind) && is_token(sub) => match (kind, sub) {
            ("multipart" | "message", _) | (_, "ms-tnef" | "vnd.ms-tnef" | "calendar") => {
                plain.to_owned()
            }
            _ => essence,
        },
        _ => plain.to_owned(),
    }
}

/// One line without anything that a header would take for its end.
fn line(written: &str, longest: usize) -> String {
    let plain: String =
        written.chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Encoded words, folded: whatever is in it, it is text and nothing else.
fn words(text: &str) -> String {
    let mut words = Vec::new();
    let mut chunk = String::new();
    for c in text.chars() {
        if chunk.len() + c.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(c);
    }
    words.push(chunk);
    let encoded = words.iter().filter(|word| !word.is_empty());
    let encoded: Vec<String> =
        encoded.map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    encoded.join("\r\n ")
}

/// RFC 8187 §3.2.
fn percent(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut out = String::with_capacity(encoded.len() + encoded.len() / LINE * 2 + 2);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, later) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push_str("\r\n");
        rest = later;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{self, InboundMessage, attachment};

    fn letter<'a>(text: &'a str, from: &'a Address, attachments: &'a [Upload]) -> Letter<'a> {
        Letter {
            from,
            name: Some("Claire, \"the\" Jöhnson"),
            to: from,
            message_id: "0190-abc@helpdesk.example",
            date: "2026-01-05T12:00:00Z".parse().expect("a time"),
            subject: "Drücker\r\nBcc: eve@evil.example",
            text,
            attachments,
            mails: Mails::Sent,
        }
    }

    fn read(raw: &[u8]) -> InboundMessage {
        mail::read(raw).expect("it can be read")
    }

    fn claire() -> Address {
        Address::parse("claire.johnson@myorg.example").expect("an address")
    }

    #[test]
    fn t_13_what_is_read_back_is_what_was_written_and_nothing_else() {
        let from = claire();
        let text = "Good morning,\n\n.\n--=_0190_abc_helpdesk_example--\nFrom me\n> quoted\n-- \nC";
        let raw = compose(&letter(text, &from, &[]));
        let message = read(&raw);
        assert_eq!(message.subject, "Drücker Bcc: eve@evil.example");
        assert_eq!(message.from[0].address, from.to_string());
        assert_eq!(message.from[0].name.as_deref(), Some("Claire, \"the\" Jöhnson"));
        assert_eq!(message.message_id.as_str(), "0190-abc@helpdesk.example");
        assert_eq!(message.text.trim_end(), text);
        assert!(message.attachments.is_empty() && message.headers.iter().all(|h| h.name != "Bcc"));
        assert!(raw.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
    }

    #[test]
    fn t_33_t_46_a_file_is_a_file_whatever_it_calls_itself() {
        let file = |name: &str, content_type: &str| Upload {
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            bytes: b"From: eve@evil.example\r\n\r\nX-Guichet-Loop: mine\n".to_vec(),
        };
        let files = [
            file("../../Ümläut \"a\"\r\nX: y.txt", "text/plain; charset=utf-7"),
            file("a.eml", "message/rfc822"),
            file("b", "multipart/mixed; boundary=x"),
            file("c.html", "nonsense\r\nX-Evil: 1"),
            file("winmail.dat", "application/ms-tnef"),
        ];
        let from = claire();
        let raw = compose(&letter("see below", &from, &files));
        let message = read(&raw);
        assert_eq!(message.text.trim_end(), "see below");
        assert_eq!(message.attachments.len(), files.len());
        assert!(message.attached_message.is_none() && message.report.is_none());
        for (attachment, file) in message.attachments.iter().zip(&files) {
            let bytes = attachment::cut(&raw, attachment).expect("it is there");
            assert_eq!(bytes, file.bytes, "{}", file.name);
        }
        let name = &message.attachments[0].name;
        assert!(name.contains("Ümläut") && !name.contains(['/', '\r', '\n']), "{name}");
        assert!(message.headers.iter().all(|header| header.name != "X-Evil"));
    }
}
