//! A mail as bytes, as the rules for mail of ours want it (R-06…R-18, T-13, T-14): one recipient,
//! one header of each kind, nothing that a server or a reader could take for something else.

mod encode;

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};

use super::template::Rendered;
use super::{SenderOptions, Unwritable, clean};
use crate::mail::MessageId;
use crate::store::outbox::Letter;
use crate::triage::plan::MailCause;

// enough for any client to find the thread.
const REFERENCES: usize = 20;
// So that `References: <…>` stays under 998 octets.
const LONGEST_ID: usize = 900;
const LONGEST_NAME: usize = 128;
const LONGEST_SUBJECT: usize = 600;

/// A mail of ours, ready to be handed over. Its bytes may hold a secret: they go to the transport
/// and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// The row it belongs to.
    pub outbox: i64,
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
}

/// The subject as it will be sent: with the tag of its ticket, unless the template wrote it.
pub fn subject(rendered: &str, letter: &Letter, subject_tag: &str) -> String {
    let tag = letter
        .ticket
        .as_ref()
        .map(|ticket| subject_tag.replace("{number}", &ticket.number.to_string()))
        .filter(|tag| !rendered.contains(tag.as_str()))
        .unwrap_or_default();
    clean::line(&format!("{tag} {rendered}"), LONGEST_SUBJECT)
}

/// Puts a mail together.
pub fn render(
    letter: &Letter,
    rendered: &Rendered,
    parties: Parties<'_>,
    now: Timestamp,
) -> Result<RenderedMail, Unwritable> {
    let to = address(&letter.to)?;
    let from = address(&parties.sender.address)?;
    let envelope_to = to.to_string();
    let bytes = build(letter, rendered, parties, from, to, now)?;
    if let Some(why) = unlawful(&bytes) {
        return Err(Unwritable::Builder(why.to_owned()));
    }
    Ok(RenderedMail {
        outbox: letter.id,
        queued_at: letter.queued_at,
        attempts: letter.attempts,
        message_id: letter.message_id.clone(),
        envelope_from: None,
        to: envelope_to,
        bytes,
    })
}

fn build(
    letter: &Letter,
    rendered: &Rendered,
    parties: Parties<'_>,
    from: lettre::Address,
    to: lettre::Address,
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
        .message_id(Some(format!("<{}>", letter.message_id)));
    let automatic = match &letter.cause {
        MailCause::Answer { parent, parent_references } => {
            if let Some(parent) = written(parent) {
                builder = builder.in_reply_to(parent);
            }
            let references = references(parent, parent_references);
            if !references.is_empty() {
                builder = builder.references(references.join(" "));
            }
            "auto-replied"
        }
        MailCause::Notice => "auto-generated",
    };
    let message = builder
        .raw_header(plain_header("Auto-Submitted", automatic))
        .raw_header(plain_header("X-Auto-Response-Suppress", "All"))
        .multipart(
            MultiPart::alternative()
                // A body is quoted-printable, which writes every `=` as `=3D`.
                .boundary(format!("=_{}", letter.message_id.replace(['@', '.'], "_")))
                .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
                .singlepart(part(ContentType::TEXT_HTML, &rendered.html)),
        )
        .map_err(|error| Unwritable::Builder(error.to_string()))?;
    Ok(message.formatted())
}

fn part(content_type: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(content_type).body(Body::dangerous_pre_encoded(
        encode::quoted_printable(text),
        ContentTransferEncoding::QuotedPrintable,
    ))
}

fn plain_header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

// A mail goes out as ASCII: the transports offer no SMTPUTF8 (R-31, M-33).
fn address(written: &str) -> Result<lettre::Address, Unwritable> {
    let refused =
        |why: &str| Unwritable::Address { address: written.to_owned(), why: why.to_owned() };
    let (local, domain) = written.rsplit_once('@').ok_or_else(|| refused("it has no `@`"))?;
    if !local.is_ascii() {
        return Err(refused("its local part is not ASCII, which needs SMTPUTF8"));
    }
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
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

// the first, which began the thread, then the newest.
fn references(parent: &MessageId, parent_references: &[MessageId]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in parent_references.iter().filter(|id| *id != parent).chain([parent]) {
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
