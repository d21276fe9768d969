//! Finds the message that a bounce returns, as a part or below a line of the text (M-63), and reads
//! its header: whose mail it was (M-64) and whom it went to (M-62 source 4).

use super::tables::{DASHED_MARKER, MARKER};
use crate::mail::MessageId;
use crate::mail::address::list::AddressList;
use crate::mail::headers::{Fields, LineEnd, read_block};
use crate::mail::structure::{Contents, Structure};
use crate::mail::thread::read_ids;
use crate::mail::transfer::decode_text;

/// How much is read of a returned header.
const HEADER_LIMIT: usize = 100 * 1024;

/// Lines between the line that announces the returned message and its header.
const GAP: usize = 12;

/// Field names that begin a header when mail systems print it.
const FIRST_FIELDS: [&str; 4] = ["dkim-signature:", "received:", "return-path:", "x-received:"];

/// What the header of a returned message says.
#[derive(Debug, Default)]
pub struct Returned {
    pub message_id: Option<MessageId>,
    /// X-Guichet-Message-ID.
    pub given_id: Option<MessageId>,
    /// To or X-Original-To, when it holds one address (M-62 source 4).
    pub only_recipient: Option<String>,
}

/// A text in which a returned message may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// What the bounce itself says.
    pub above: &'a str,
    /// The returned message, and the line that announces it.
    pub below: Option<&'a str>,
    pub marker: Marker,
}

/// How a returned message is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A line as mail systems write it, or the header itself.
    Machine,
    None,
    /// As people's mail programs set off what they quote or forward.
    Quote,
}

impl Returned {
    /// Reads the header of the part that is the returned message.
    pub fn in_parts(structure: &Structure, root: usize) -> Option<Returned> {
        structure.parts_of(root).into_iter().skip(1).find_map(|id| {
            let part = &structure.parts[id];
            if let Contents::Message(inner) = part.contents {
                return Some(Returned::read(&structure.parts[inner].fields));
            }
            if !is_returned_type(part.media_type()) {
                return None;
            }
            let bytes = structure.bytes(part);
            let header = decode_text(&bytes[..bytes.len().min(HEADER_LIMIT)], part.encoding);
            Returned::parse(&header)
        })
    }

    /// Reads the header of a returned message that stands in the text.
    pub fn in_text(below: &str) -> Option<Returned> {
        let mut lines = below.lines();
        let is_field = |line: &str| {
            let name = line.split_once(':').map_or("", |(name, _)| name);
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let near = lines.by_ref().take(GAP).collect::<Vec<_>>();
        let first = near.iter().position(|line| is_field(unquoted(line)))?;
        let indent = near[first].len() - unquoted(near[first]).len();
        let mut header = String::new();
        for line in near[first..].iter().copied().chain(lines) {
            // The whole header is indented or quoted alike.
            let line = line.get(indent..).unwrap_or_default();
            if line.trim().is_empty() || header.len() > HEADER_LIMIT / 2 {
                break;
            }
            header.push_str(line);
            header.push('\n');
        }
        Returned::parse(header.as_bytes())
    }

    fn parse(header: &[u8]) -> Option<Returned> {
        let block = read_block(header, 0, LineEnd::of(header), |_| false).ok()?;
        Some(Returned::read(&block.fields))
    }

    fn read(fields: &Fields) -> Returned {
        let only = |name| {
            let list = AddressList::read(fields.first(name)?, None);
            match &list.entries[..] {
                [entry] if entry.address.contains('@') => Some(entry.address.clone()),
                _ => None,
            }
        };
        let id = |name| fields.all(name).find_map(|raw| read_ids(raw).into_iter().next());
        Returned {
            message_id: id("message-id"),
            given_id: id("x-guichet-message-id"),
            only_recipient: only("to").or_else(|| only("x-original-to")),
        }
    }
}

impl<'a> Split<'a> {
    /// Splits a text where the returned message begins (M-63).
    pub fn of(text: &'a str) -> Split<'a> {
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let marker = marker(line.trim());
            if marker != Marker::None {
                let (above, below) = text.split_at(start);
                return Split { above, below: Some(below), marker };
            }
            start += line.len();
        }
        Split { above: text, below: None, marker: Marker::None }
    }
}

/// Whether a part of that type is a returned message or its header.
pub fn is_returned_type(media_type: &str) -> bool {
    matches!(
        media_type,
        "message/global"
            | "message/global-headers"
            | "message/rfc822"
            | "message/rfc822-headers"
            | "text/rfc822"
            | "text/rfc822-headers"
    )
}

fn marker(line: &str) -> Marker {
    let is_first_field =
        |name: &&str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if FIRST_FIELDS.iter().any(is_first_field) {
        return Marker::Machine;
    }
    if line.len() > 200 || line.contains('@') {
        return Marker::None;
    }
    let words = line.trim_matches(|c: char| matches!(c, '-' | '_' | '=' | '~' | '*' | ' ' | '>'));
    let dashes = line.bytes().take_while(|byte| *byte == b'-').count();
    if dashes >= 2 {
        let is_quote = ["original message", "forwarded message", "original appointment"];
        if is_quote.iter().any(|quote| words.eq_ignore_ascii_case(quote)) && dashes >= 4 {
            return Marker::Quote;
        }
        return if DASHED_MARKER.is_match(words) { Marker::Machine } else { Marker::None };
    }
    if MARKER.is_match(words) { Marker::Machine } else { Marker::None }
}

/// A line without what quotes or indents it.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '>', '|'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_63_the_returned_message_begins_at_a_line_that_says_so() {
        for line in [
            "--- Below this line is a copy of the message.",
            "------ This is a copy of the message, including all the headers. ------",
            "   ----- Original message follows -----",
            "   ----- Unsent message follows -----",
            "   ----- Message header follows -----",
            "---- START OF RETURNED MESSAGE ----",
            "--- The header of the original message is following. ---",
            "Below is a copy of the original message:",
            "The original message follows:",
            "Original message headers:",
            "Message headers follow.",
            "Included is a copy of the message header:",
            "Here is a copy of the first part of the message, including",
            "----- Ursprüngliche Nachricht -----",
            "---------- 元のメール ----------",
            "Received: from mail.example by mx.example; Mon, 2 Mar 2026 10:00:00 +0000",
            "    Return-Path: <a@x.example>",
        ] {
            let text = format!("Sorry.\n{line}\nSubject: x\n");
            let split = Split::of(&text);
            assert_eq!((split.above, split.marker), ("Sorry.\n", Marker::Machine), "{line}");
        }
        for line in [
            "The original message was received at Mon, 2 Mar 2026 10:00:00 +0000",
            "   ----- The following addresses had permanent fatal errors -----",
            "   ----- Transcript of session follows -----",
            "-------server message",
            "Your message to a@x.example was returned.",
            "Received >>> 550 no",
            "Message from x.example.",
        ] {
            let text = format!("Sorry.\n{line}\nSubject: x\n");
            assert_eq!(Split::of(&text).below, None, "{line}");
        }
        assert_eq!(Split::of("a\n-----Original Message-----\nFrom: b\n").marker, Marker::Quote);
    }

    #[test]
    fn m_64_the_header_in_the_text_names_the_mail() {
        for below in [
            "--- copy\n\nReturn-Path: <us@us.example>\nMessage-ID:\n <m@us.example>\nTo: <a@x.example>\n\nHi",
            "Original message:\n\n> Subject: x\n> Message-Id: <m@us.example>\n> To: a@x.example\n>\n> Hi",
            "Received: by mx\n\tfor a\nMessage-ID: <m@us.example>\nTo: A <a@x.example>\n",
        ] {
            let returned = Returned::in_text(below).expect("a header");
            assert_eq!(returned.message_id.as_ref().map(MessageId::as_str), Some("m@us.example"));
            assert_eq!(returned.only_recipient.as_deref(), Some("a@x.example"), "{below}");
        }
        assert!(Returned::in_text("--- copy\n\nno header here\n").is_none());
    }
}
