//! Who wrote what a message forwards (M-104): read from the message attached to it, from the header
//! block or the attribution above the forwarded text, or merely suspected. Whether it is believed is
//! `triage`'s to say.

use std::collections::BTreeSet;

use encoding_rs::Encoding;

use super::address::list::AddressList;
use super::address::scan::{self, Found};
use super::date;
use super::headers::{Fields, LineEnd, read_block};
use super::reply::{self, Confidence, Introduction, Prefix};
use super::structure::{Contents, Structure};
use super::thread::read_ids;
use super::transfer::decode_text;
use super::{Address, InboundMessage, MessageId, NamedAddress, identity};

/// How many addresses of a text are looked at, when nothing else names the writer.
const MENTION_LIMIT: usize = 20;

/// The header of a message that is attached to another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachedMessage {
    pub from: Option<NamedAddress>,
    pub date: Option<String>,
    pub message_id: Option<MessageId>,
    /// Of In-Reply-To and References, in the order written.
    pub references: Vec<MessageId>,
}

/// Somebody who may have written what is forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub from: NamedAddress,
    pub found_by: FoundBy,
    pub confidence: Confidence,
    /// As written.
    pub date: Option<String>,
    pub message_id: Option<MessageId>,
    pub references: Vec<MessageId>,
}

/// Where the writer of a forwarded message was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// From of the one message attached.
    Attached,
    /// The line above a quote.
    Attribution,
    /// The header block above the text.
    HeaderBlock,
    /// An address that stands somewhere in the text.
    Mention,
}

impl FoundBy {
    /// The place in words.
    pub fn said(self) -> &'static str {
        match self {
            FoundBy::Attached => "the attached message",
            FoundBy::Attribution => "the line above the quote",
            FoundBy::HeaderBlock => "the header above the forwarded text",
            FoundBy::Mention => "an address in the text",
        }
    }
}

/// Whether the message forwards another one: by the outermost prefix of its subject, by what stands
/// in its text, or because exactly one message is attached to it (M-103).
pub fn is_forward(message: &InboundMessage) -> bool {
    if message.attached_message.is_some() {
        return true;
    }
    let introduction = || reply::introduction(&message.text);
    match reply::subject_prefix(&message.subject) {
        Prefix::Forward => true,
        Prefix::None | Prefix::Reply => introduction().is_some_and(|found| found.is_marked_forward),
        Prefix::PerhapsForward => introduction().is_some_and(|found| found.attribution.is_none()),
    }
}

/// Everybody who may have written what `message` forwards, the most certain first (M-104).
pub fn originals(message: &InboundMessage) -> Vec<Original> {
    let attached = message.attached_message.as_ref().and_then(|attached| {
        Some(Original {
            from: attached.from.clone()?,
            found_by: FoundBy::Attached,
            confidence: Confidence::High,
            date: attached.date.clone(),
            message_id: attached.message_id.clone(),
            references: attached.references.clone(),
        })
    });
    // Under a subject that answers, a header block is what the sender answers.
    let is_answer = reply::subject_prefix(&message.subject) == Prefix::Reply;
    let introduction = reply::introduction(&message.text)
        .filter(|found| found.is_marked_forward || !is_answer)
        .and_then(introduced);
    let mut found: Vec<Original> = attached.into_iter().chain(introduction).collect();
    // What is attached to a message that is forwarded in the text is part of it: who reports a
    // suspicious mail must not become the one who wrote that.
    if let [attached, in_text] = found.as_mut_slice()
        && in_text.found_by == FoundBy::HeaderBlock
        && !attached.from.address.eq_ignore_ascii_case(&in_text.from.address)
    {
        found.swap(0, 1);
    }
    let mentioned = addresses(&message.text).take(MENTION_LIMIT);
    found.extend(mentioned.map(|(_, address)| Original {
        from: NamedAddress { address: address.to_owned(), name: None },
        found_by: FoundBy::Mention,
        confidence: Confidence::Low,
        date: None,
        message_id: None,
        references: Vec::new(),
    }));
    found
}

/// The words of whoever forwards `message`, and what is forwarded (M-105), by where its writer was
/// found. What is attached is no part of the text: all of it is theirs.
pub fn parted(message: &InboundMessage, found_by: FoundBy) -> Option<(String, String)> {
    match found_by {
        FoundBy::Attached => Some((message.text.trim().to_owned(), String::new())),
        FoundBy::Attribution | FoundBy::HeaderBlock => reply::parted(&message.text),
        FoundBy::Mention => None,
    }
}

/// The header of the one message attached to the message at `root`; `None` when there is none or
/// more than one.
pub(super) fn attached(
    structure: &Structure,
    root: usize,
    own: Option<&'static Encoding>,
) -> Option<AttachedMessage> {
    let parts = structure.parts_of(root).into_iter().filter(|part| *part != root);
    let mut messages = parts.map(|part| &structure.parts[part]).filter(|part| {
        matches!(part.contents, Contents::Message(_)) || part.media_type() == "message/rfc822"
    });
    let only = messages.next()?;
    if messages.next().is_some() {
        return None;
    }
    if let Contents::Message(inner) = only.contents {
        return Some(header_of(&structure.parts[inner].fields, own));
    }
    // Some encode it, against the standard.
    let decoded = decode_text(structure.bytes(only), only.encoding);
    let block = read_block(&decoded, 0, LineEnd::of(&decoded), |_| false).ok()?;
    Some(header_of(&block.fields, own))
}

fn header_of(fields: &Fields, own: Option<&'static Encoding>) -> AttachedMessage {
    let from = fields.first("from").map(|raw| AddressList::read(raw, own).entries);
    let ids = ["in-reply-to", "references"].into_iter().flat_map(|name| fields.all(name));
    let mut seen = BTreeSet::new();
    AttachedMessage {
        from: from.unwrap_or_default().into_iter().find(|entry| entry.address.contains('@')),
        date: date::read(fields).written,
        message_id: identity::written_id(fields),
        references: ids
            .flat_map(read_ids)
            .filter(|id| seen.insert(id.clone()))
            .take(super::thread::REFERENCES)
            .collect(),
    }
}

/// The writer that the text above what is forwarded names.
fn introduced(introduction: Introduction) -> Option<Original> {
    let (written, found_by) = match (introduction.from, introduction.attribution) {
        (Some(from), _) => (from, FoundBy::HeaderBlock),
        (None, Some(attribution)) => (attribution, FoundBy::Attribution),
        (None, None) => return None,
    };
    let shown = address_of(&written)?;
    // A list that writes in the place of its members shows theirs in the name (M-38), as anybody can.
    let is_via = |(start, _): &(usize, &str)| written[..*start].contains(" via ");
    let before = addresses(&written).next().filter(|first| *first != shown && is_via(&shown));
    let (start, address) = before.unwrap_or(shown);
    let name = match found_by {
        FoundBy::HeaderBlock => name_in(&written[..start]),
        FoundBy::Attached | FoundBy::Attribution | FoundBy::Mention => {
            name_at_end(&written[..start])
        }
    };
    let is_whole = introduction.date.is_some() && introduction.subject.is_some();
    let confidence = match found_by {
        _ if before.is_some() => Confidence::Low,
        FoundBy::HeaderBlock if is_whole => Confidence::High,
        FoundBy::Attached | FoundBy::Attribution | FoundBy::HeaderBlock | FoundBy::Mention => {
            Confidence::Medium
        }
    };
    Some(Original {
        from: NamedAddress { address: address.to_owned(), name },
        found_by,
        confidence,
        date: introduction.date,
        message_id: None,
        references: Vec::new(),
    })
}

/// The address that a line names somebody by: the last one in brackets, since what stands before
/// that may be a name that shows another (T-11), else the first.
fn address_of(written: &str) -> Option<(usize, &str)> {
    let is_bracketed = |(at, _): &(usize, &str)| written[..*at].ends_with(['<', '[', ':']);
    let found: Vec<(usize, &str)> = addresses(written).take(MENTION_LIMIT).collect();
    let (_, named) = found.iter().rfind(|found| is_bracketed(found)).or(found.first())?;
    // The name ends where it is written first: `a@b.example [mailto:a@b.example]`.
    found.iter().copied().find(|(_, address)| address == named)
}

/// What stands before an address, without what is put around one.
fn name_in(before: &str) -> Option<String> {
    let name = before.trim_end();
    let name = name.strip_suffix("mailto:").unwrap_or(name);
    let name = name.trim_matches(|c: char| c.is_whitespace() || "<[(\"'*“”„".contains(c));
    (!name.is_empty()).then(|| name.to_owned())
}

/// The name at the end of a line that begins with a date and, in some languages, a verb.
fn name_at_end(before: &str) -> Option<String> {
    let before = name_in(before)?;
    let after_comma = before.rsplit(',').next().unwrap_or_default();
    let words: Vec<&str> = after_comma.split_whitespace().collect();
    let is_of_date = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let behind_date = words.iter().rposition(is_of_date).map_or(0, |last| last + 1);
    // Names begin with a capital, verbs do not.
    let is_between =
        |word: &&&str| ["AM", "PM", "Uhr"].contains(word) || word.starts_with(char::is_lowercase);
    let name: Vec<&str> = words[behind_date..].iter().skip_while(is_between).copied().collect();
    name_in(&name.join(" "))
}

/// The good addresses of a text, each with the byte that it begins at.
fn addresses(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let good = |found: &Found| Address::parse(found.address).is_ok();
    scan::addresses(text).filter(good).map(|found| (found.begins_at(), found.address))
}

#[cfg(test)]
mod tests;
