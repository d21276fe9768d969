//! A mail as bytes, as the rules for mail of ours want it (R-06…R-18, T-13, T-14): one recipient,
//! one header of each kind, nothing that a server or a reader could take for something else.

mod encode;
mod marks;

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Message, MultiPart, SinglePart};

pub use marks::{BodyToken, answers_by_mail};

use marks::Marks;

use super::template::Rendered;
use super::{SenderOptions, Unwritable, clean};
use crate::mail::MessageId;
use crate::store::outbox::Letter;
use crate::triage::keys::SigningKey;
use crate::triage::plan::MailCause;

// enough for any client to find the thread.
const REFERENCES: usize = 20;
// So that `References: <…>` stays under 998 octets.
const LONGEST_ID: usize = 900;
const LONGEST_NAME: usize = 128;
const LONGEST_SUBJECT: usize = 600;
const LONGEST_FILE_NAME: usize = 128;

/// A mail of ours, ready to be handed over. Its bytes may hold a secret: they go to the transport
/// and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// The row it belongs to.
    pub outbox: i64,
    /// The mailbox it comes from, by whose relay it leaves.
    pub mailbox: String,
    pub queued_at: Timestamp,
    /// How often it was tried before.
    pub attempts: i64,
    /// Without angle brackets.
    pub message_id: String,
    /// The envelope sender; `None` is `<>`, which nothing answers.
    pub envelope_from: Option<String>,
    /// The one recipient, as it stands in the envelope.
    pub to: String,
    /// CRLF line ends, at most 998 octets between them.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RenderedMail {{ outbox: {}, {} bytes }}", self.outbox, self.bytes.len())
    }
}

/// Who a mail is from and to, besides what its letter says.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    pub sender: &'a SenderOptions,
    /// The recipient's name, as the store has it; may be empty.
    pub recipient_name: &'a str,
    /// What the subject of mail about a ticket carries (M-78), with `{number}` in it.
    pub subject_tag: &'a str,
    /// What signs its marks.
    pub key: &'a SigningKey,
    pub body_token: BodyToken,
}

/// A file that a mail brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// A label, never a path.
    pub name: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// The subject as it will be sent: with the tag of its ticket, unless the template wrote it.
pub fn subject(rendered: &str, letter: &Letter, subject_tag: &str) -> String {
    subject_of(rendered, letter.ticket.as_ref().map(|ticket| (subject_tag, ticket.number)))
}

/// As [`subject`], for the tag and the number of a ticket.
pub fn subject_of(rendered: &str, ticket: Option<(&str, i64)>) -> String {
    let tag = ticket
        .map(|(subject_tag, number)| subject_tag.replace("{number}", &number.to_string()))
        .filter(|tag| !rendered.contains(tag.as_str()))
        .unwrap_or_default();
    clean::line(&format!("{tag} {rendered}"), LONGEST_SUBJECT)
}

/// Puts a mail together.
pub fn render(
    letter: &Letter,
    rendered: &Rendered,
    files: &[File],
    parties: Parties<'_>,
    now: Timestamp,
) -> Result<RenderedMail, Unwritable> {
    let to = address(&letter.to)?;
    let from = address(&parties.sender.address)?;
    let envelope_to = to.to_string();
    let marks = Marks::of(letter, parties.sender, parties.key, parties.body_token);
    let bytes = build(letter, rendered, files, parties, &marks, [from, to], now)?;
    if let Some(why) = unlawful(&bytes) {
        return Err(Unwritable::Builder(why.to_owned()));
    }
    Ok(RenderedMail {
        outbox: letter.id,
        mailbox: letter.mailbox.clone(),
        queued_at: letter.queued_at,
        attempts: letter.attempts,
        message_id: letter.message_id.clone(),
        envelope_from: marks.envelope_from,
        to: envelope_to,
        bytes,
    })
}

fn build(
    letter: &Letter,
    rendered: &Rendered,
    files: &[File],
    parties: Parties<'_>,
    marks: &Marks,
    [from, to]: [lettre::Address; 2],
    now: Timestamp,
) -> Result<Vec<u8>, Unwritable> {
    let subject = subject(&rendered.subject, letter, parties.subject_tag);
    // Given, as the builder reads no quoted local part back from a header.
    let envelope = Envelope::new(None, vec![to.clone()])
        .map_err(|error| Unwritable::Builder(error.to_string()))?;
    let mut builder = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(name(parties.sender.name.as_deref().unwrap_or_default()), from))
        .to(Mailbox::new(name(parties.recipient_name), to))
        .raw_header(encode::header("Subject", &subject))
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{}>", letter.message_id)))
        .raw_header(plain_header("X-Guichet-Message-ID", &format!("<{}>", letter.message_id)))
        .raw_header(plain_header("X-Guichet-Loop", &marks.loop_mark));
    if let Some(reply_to) = &marks.reply_to {
        let reply_to = address(&reply_to.to_string())?;
        let name = name(parties.sender.name.as_deref().unwrap_or_default());
        builder = builder.reply_to(Mailbox::new(name, reply_to));
    }
    let (automatic, parent) = match &letter.cause {
        MailCause::Answer { parent, .. } => (Some("auto-replied"), Some(parent)),
        MailCause::News { thread, .. } => (Some("auto-generated"), thread.parent.as_ref()),
        MailCause::Notice => (Some("auto-generated"), None),
        // A person wrote it, and it may be answered as a person's mail is (RFC 3834 §2).
        MailCause::Words { thread, .. } => (None, thread.parent.as_ref()),
    };
    if let Some(parent) = parent.and_then(written) {
        builder = builder.in_reply_to(parent);
    }
    let references = references(&letter.cause, marks.anchor.as_deref());
    if !references.is_empty() {
        builder = builder.references(references.join(" "));
    }
    if let Some(automatic) = automatic {
        builder = builder
            .raw_header(plain_header("Auto-Submitted", automatic))
            .raw_header(plain_header("X-Auto-Response-Suppress", "All"));
    }
    // A body is quoted-printable, which writes every `=` as `=3D`; base64 has no `_`.
    let boundary =
        |prefix: &str| format!("={prefix}_{}", letter.message_id.replace(['@', '.'], "_"));
    let text = MultiPart::alternative()
        .boundary(boundary(""))
        .singlepart(part(ContentType::TEXT_PLAIN, &marks.text(&rendered.text)))
        .singlepart(part(ContentType::TEXT_HTML, &marks.html(&rendered.html)));
    let body = match files {
        [] => text,
        files => files
            .iter()
            .fold(MultiPart::mixed().boundary(boundary("_")).multipart(text), |body, file| {
                body.singlepart(attached(file))
            }),
    };
    let message =
        builder.multipart(body).map_err(|error| Unwritable::Builder(error.to_string()))?;
    Ok(message.formatted())
}

/// What a mail to try things out is made of.
pub(super) struct Probe<'a> {
    /// The mailbox's name.
    pub mailbox: &'a str,
    pub from: &'a SenderOptions,
    pub to: &'a str,
    /// Without angle brackets.
    pub message_id: String,
    /// By which guichet knows it again when it takes it in; without one it goes to somebody else.
    pub mark: Option<String>,
}

/// Puts a probe together. It leaves in the name of the mailbox, whatever else its mail does: a relay
/// that lets nobody else through lets this through, and a bounce changes nothing.
pub(super) fn probe(probe: &Probe<'_>, now: Timestamp) -> Result<RenderedMail, Unwritable> {
    let from = address(&probe.from.mailbox_address)?;
    let to = address(probe.to)?;
    let envelope_from = Some(from.to_string());
    let envelope = Envelope::new(Some(from.clone()), vec![to.clone()])
        .map_err(|error| Unwritable::Builder(error.to_string()))?;
    let message = Message::builder()
        .envelope(envelope)
        .from(Mailbox::new(None, from))
        .to(Mailbox::new(None, to))
        .raw_header(plain_header("Subject", probe.subject()))
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{}>", probe.message_id)))
        .raw_header(plain_header("Auto-Submitted", "auto-generated"));
    let message = match &probe.mark {
        Some(mark) => message.raw_header(plain_header("X-Guichet-Probe", mark)),
        None => message,
    };
    let message = message
        .singlepart(part(ContentType::TEXT_PLAIN, probe.text()))
        .map_err(|error| Unwritable::Builder(error.to_string()))?;
    Ok(RenderedMail {
        outbox: 0,
        mailbox: probe.mailbox.to_owned(),
        queued_at: now,
        attempts: 0,
        message_id: probe.message_id.clone(),
        envelope_from,
        to: probe.to.to_owned(),
        bytes: message.formatted(),
    })
}

impl Probe<'_> {
    fn subject(&self) -> &'static str {
        match self.mark {
            Some(_) => "Does mail to tagged addresses arrive?",
            None => "Does mail of the helpdesk arrive?",
        }
    }

    fn text(&self) -> &'static str {
        match self.mark {
            Some(_) => {
                "This mail was sent by `guichet mailbox test`, and is taken in by guichet.\n"
            }
            None => "This mail was sent by `guichet mailbox test`. It asks for no answer.\n",
        }
    }
}

fn part(content_type: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(content_type).body(Body::dangerous_pre_encoded(
        encode::quoted_printable(text),
        ContentTransferEncoding::QuotedPrintable,
    ))
}

// What a reader of ours took for a label is no name of a file of anybody's (T-33).
fn attached(file: &File) -> SinglePart {
    let name = clean::line(&file.name, LONGEST_FILE_NAME).replace(['/', '\\', '"'], "_");
    // A message in base64 is none (RFC 2046 §5.2.1): it goes as a file like any other.
    let is_whole = |written: &&str| !written.starts_with("message/") && !written.contains(';');
    let content_type = Some(file.content_type.as_str()).filter(is_whole);
    let content_type = content_type.and_then(|written| ContentType::parse(written).ok());
    let plain = || {
        ContentType::parse("application/octet-stream").expect("it is a type, and has no parameters")
    };
    Attachment::new(name).body(
        Body::dangerous_pre_encoded(encode::base64(&file.bytes), ContentTransferEncoding::Base64),
        content_type.unwrap_or_else(plain),
    )
}

fn plain_header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

// A local part beyond ASCII is written as it is: whether it can go is for the transport (R-31, M-33).
fn address(written: &str) -> Result<lettre::Address, Unwritable> {
    let refused =
        |why: &str| Unwritable::Address { address: written.to_owned(), why: why.to_owned() };
    let (local, domain) = written.rsplit_once('@').ok_or_else(|| refused("it has no `@`"))?;
    let is_atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_dot_atom = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom));
    let local = if is_dot_atom || local.starts_with('"') {
        local.to_owned()
    } else {
        // Such as `a..b@`, which some providers hand out.
        format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""))
    };
    lettre::Address::new(local, domain).map_err(|error| refused(&error.to_string()))
}

// T-13: what is left of a name is one line without anything that decodes into something else.
fn name(written: &str) -> Option<String> {
    let name = clean::line(written, LONGEST_NAME).replace("=?", "= ?");
    (!name.is_empty()).then_some(name)
}

// The ticket's anchor, then the newest of the thread: of the mail answered, and itself.
fn references(cause: &MailCause, anchor: Option<&str>) -> Vec<String> {
    let mut ids: Vec<String> = anchor.map(|anchor| format!("<{anchor}>")).into_iter().collect();
    let (parent, references) = match cause {
        MailCause::Answer { parent, parent_references } => (Some(parent), &parent_references[..]),
        MailCause::News { thread, .. } | MailCause::Words { thread, .. } => {
            (thread.parent.as_ref(), &thread.references[..])
        }
        MailCause::Notice => (None, &[][..]),
    };
    for id in references.iter().filter(|id| Some(*id) != parent).chain(parent) {
        if let Some(id) = written(id)
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    if ids.len() > REFERENCES {
        ids.drain(1..=ids.len() - REFERENCES);
    }
    ids
}

// F-10: an id with anything but plain characters would be written as garbage.
fn written(id: &MessageId) -> Option<String> {
    let id = id.as_str();
    let plain = id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| format!("<{id}>"))
}

// The last look before a mail leaves (R-18, T-14).
fn unlawful(bytes: &[u8]) -> Option<&'static str> {
    if bytes.contains(&0) {
        return Some("it would hold a NUL");
    }
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\r\n").unwrap_or(line);
        if bare.contains(&b'\n') || bare.contains(&b'\r') {
            return Some("it would hold a bare line feed or carriage return");
        }
        if bare.len() > 998 {
            return Some("it would hold a line longer than 998 octets");
        }
        if bare == b"." {
            return Some("it would hold a lone dot");
        }
    }
    None
}

#[cfg(test)]
mod tests;
