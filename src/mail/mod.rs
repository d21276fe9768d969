//! Turns the bytes of a message into an [`InboundMessage`]: who wrote, what it says, which marks it
//! carries. Pure: no clock, no settings, no store. What a mark *means* is decided in `triage`.

pub mod address;
mod armour;
pub mod attachment;
pub mod authentication;
mod body;
pub mod bounce;
mod calendar;
mod charset;
mod complaint;
mod date;
mod excuse;
mod flowed;
mod fold;
pub mod forward;
mod headers;
pub mod html;
mod identity;
pub mod kind;
pub mod links;
mod marks;
mod parameters;
mod read;
pub mod reply;
mod smime;
mod spam;
mod structure;
pub mod thread;
mod tnef;
mod transfer;
mod uuencode;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

pub use address::{Address, AddressKey, AddressProblem, PlusTag, Spelling};
pub use attachment::{Attachment, AttachmentSource, CutError, cut};
pub use authentication::{Authentication, Dmarc};
pub use bounce::{Bounce, BouncedRecipient, MachineReport};
pub use complaint::Complaint;
pub use excuse::{EXCHANGE as EXCUSE, holds_excuse};
pub use fold::fold;
pub use forward::AttachedMessage;
pub use kind::{Automatic, Signal, Strength, automatic, list_marks};
pub use marks::Marks;
pub use read::read;
pub use thread::MessageId;

/// A message as read (mail.md section 1). Owns all it says; nothing borrows from the raw bytes.
#[derive(Clone, Debug)]
pub struct InboundMessage {
    /// Bytes of the raw message.
    pub size: u64,
    pub flags: BTreeSet<Flag>,
    /// Equal for two deliveries of one mail (M-07).
    pub content_hash: ContentHash,
    /// The message's own id; a stable made-up one when it has none (M-08).
    pub message_id: MessageId,
    /// In the order written.
    pub in_reply_to: Vec<MessageId>,
    /// In the order written: oldest first. At most the first 10 and the last 40.
    pub references: Vec<MessageId>,
    pub date: WrittenDate,
    /// Decoded, cleaned, cut at 500 characters (M-20); empty when there is none.
    pub subject: String,
    /// Every address of every From field, as read (before M-30).
    pub from: Vec<NamedAddress>,
    pub sender: Option<NamedAddress>,
    pub reply_to: Vec<NamedAddress>,
    pub to: Vec<NamedAddress>,
    pub cc: Vec<NamedAddress>,
    pub resent_from: Option<NamedAddress>,
    pub return_path: ReturnPath,
    /// Where it was delivered, from Delivered-To, X-Delivered-To, Envelope-To, X-Envelope-To,
    /// X-Original-To, X-Forwarded-To, X-Forwarded-For and `for` of Received, as read.
    pub delivered_to: Vec<String>,
    /// How many Received fields there are (M-58 counts them).
    pub received: usize,
    /// What mail servers found out about the author; counts only by whom wrote it.
    pub authentication: Authentication,
    /// What spam filters wrote into the header, e.g. `X-Spam-Flag=YES`: only that it is spam.
    pub spam: Vec<String>,
    /// Every header field, decoded and cleaned, in the order written, for `header.NAME` in rules
    /// and for signals that need settings (X-Loop). None of ours.
    pub headers: Vec<Header>,
    /// What may be a mark of ours; it counts only with its MAC.
    pub marks: Marks,
    /// The body as text, LF line ends (M-15…M-19).
    pub text: String,
    /// The hashes of what may be links, tokens or temporary passwords of ours, wherever they stand: in
    /// the header, the texts, the HTML, small files, messages inside it; at most
    /// [`links::HASHES`] (M-87, T-22).
    pub secret_hashes: Vec<String>,
    /// Whether `text` was made from HTML.
    pub text_from: TextFrom,
    /// What clients say of the lines of `text` that were made from HTML (M-100).
    pub text_marks: Vec<html::Mark>,
    /// The HTML's text of an answer whose `text` is the plain one (M-101).
    pub html: Option<html::HtmlText>,
    pub attachments: Vec<Attachment>,
    /// The header of the message attached to it, when there is exactly one (M-103).
    pub attached_message: Option<AttachedMessage>,
    /// What in its header and subject says that a machine or a list wrote it (M-66…M-71).
    pub signals: Vec<Signal>,
    /// Set when the message is a bounce or a report (M-59…M-63).
    pub report: Option<MachineReport>,
}

/// A header field, its value decoded and unfolded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// An address as it stands in a header field, with the name beside it. Not yet checked: see
/// [`Address::parse`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamedAddress {
    pub address: String,
    pub name: Option<String>,
}

/// The Date field (M-27). Whether it can be believed depends on when the message arrived, so the
/// repair happens in `triage`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenDate {
    /// The first readable Date, if there is one.
    pub at: Option<Timestamp>,
    /// The field as written.
    pub written: Option<String>,
}

/// The topmost Return-Path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReturnPath {
    #[default]
    Absent,
    Address(String),
    /// `<>`: nobody wants to hear of it.
    Null,
}

/// What the text of a message was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFrom {
    Html,
    #[default]
    None,
    Plain,
}

/// A SHA-256 over what makes a message itself (M-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A fact kept with the message and shown to staff. Its text is the name used in JSON and the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    AddressRepaired,
    AttachmentLocked,
    /// The domain that From names disowns it, by a server that we trust (`dmarc=fail`).
    AuthFailed,
    BadHeaderLine,
    BodyUnreadable,
    Calendar,
    CharsetRepaired,
    DateRepaired,
    Encrypted,
    ForgedId,
    /// Staff forwarded what somebody else wrote, who is the requester (M-105).
    ForwardedByStaff,
    /// M-41: nobody can be a group.
    GroupInFrom,
    /// A limit of M-04 was met and the rest cut; the name of the limit (`limit_addresses`, …).
    Limit(&'static str),
    MessageIdReused,
    MixedScript,
    NameContainsAddress,
    NoMessageId,
    NoText,
    Resent,
    Robot,
    Role,
    SenderFallback,
    SenderRelayed,
    SentOnBehalf,
    SeveralFrom,
    SeveralFromFields,
    /// A spam filter says that it is spam.
    SpamFlagged,
    TnefUnreadable,
    TooLarge,
    Unwrapped,
}

impl Flag {
    /// The flag's name in JSON, in the store and in mail.md.
    pub fn name(&self) -> String {
        let name = match self {
            Flag::Limit(which) => return format!("limit_{which}"),
            Flag::AddressRepaired => "address_repaired",
            Flag::AttachmentLocked => "attachment_locked",
            Flag::AuthFailed => "auth_failed",
            Flag::BadHeaderLine => "bad_header_line",
            Flag::BodyUnreadable => "body_unreadable",
            Flag::Calendar => "calendar",
            Flag::CharsetRepaired => "charset_repaired",
            Flag::DateRepaired => "date_repaired",
            Flag::Encrypted => "encrypted",
            Flag::ForgedId => "forged_id",
            Flag::ForwardedByStaff => "forwarded_by_staff",
            Flag::GroupInFrom => "group_in_from",
            Flag::MessageIdReused => "message_id_reused",
            Flag::MixedScript => "mixed_script",
            Flag::NameContainsAddress => "name_contains_address",
            Flag::NoMessageId => "no_message_id",
            Flag::NoText => "no_text",
            Flag::Resent => "resent",
            Flag::Robot => "robot",
            Flag::Role => "role",
            Flag::SenderFallback => "sender_fallback",
            Flag::SenderRelayed => "sender_relayed",
            Flag::SentOnBehalf => "sent_on_behalf",
            Flag::SeveralFrom => "several_from",
            Flag::SeveralFromFields => "several_from_fields",
            Flag::SpamFlagged => "spam_flagged",
            Flag::TnefUnreadable => "tnef_unreadable",
            Flag::TooLarge => "too_large",
            Flag::Unwrapped => "unwrapped",
        };
        name.to_owned()
    }
}

/// Why a message cannot be read at all (M-04, M-05): held as `parse_failed`, its bytes kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the message is empty")]
    Empty,
    /// E-12.
    #[error("the server could not give out the message, and gave an excuse in its place")]
    Excuse,
    #[error("the message has no header field at all")]
    NoHeader,
    #[error("the reader gave up on it: {0}")]
    Reader(String),
    /// Beyond a limit of M-04 that cannot be cut at.
    #[error("{what}: more than {limit}")]
    TooMuch { what: &'static str, limit: usize },
}

#[cfg(test)]
mod tests;
