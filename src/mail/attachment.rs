//! What is attached to a message, and how to cut it out of the raw bytes again (M-23…M-26).

mod list;
mod name;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

pub(super) use list::list;

use super::{smime, transfer, uuencode};

/// An attached file. Its bytes are not kept apart from the raw message: [`AttachmentSource`] says
/// where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// A label, never a path (M-24, M-25, T-33).
    pub name: String,
    /// Type and subtype in lower case, without parameters.
    pub content_type: String,
    /// Bytes once decoded.
    pub size: u64,
    /// Whether the kept HTML shows it by its Content-ID (M-26).
    pub inline: bool,
    /// SHA-256 of the decoded bytes.
    pub sha256: [u8; 32],
    pub source: AttachmentSource,
}

/// Where in the raw message the bytes of an attachment are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum AttachmentSource {
    /// A part of the message inside a signed part (M-15): these bytes of it, encoded as `inner`.
    InSigned {
        start: u64,
        end: u64,
        encoding: TransferEncoding,
        from: u64,
        to: u64,
        inner: TransferEncoding,
    },
    /// A file inside a TNEF part (M-21): these bytes of the decoded part.
    InTnef { start: u64, end: u64, encoding: TransferEncoding, from: u64, to: u64 },
    /// The body of a MIME part: a range of the raw message, and how it is encoded.
    Part { start: u64, end: u64, encoding: TransferEncoding },
    /// PGP armour inside a text (M-19): these bytes of the decoded text.
    PieceOfText { start: u64, end: u64, encoding: TransferEncoding, from: u64, to: u64 },
    /// What was beyond the limit of a text part (M-04): the decoded text from this byte on.
    RestOfText { start: u64, end: u64, encoding: TransferEncoding, from: u64 },
    /// A uuencoded file inside a text (M-19): these bytes of the decoded text hold it, encoded.
    Uuencoded { start: u64, end: u64, encoding: TransferEncoding, from: u64, to: u64 },
    /// The whole raw message (M-05).
    Whole,
}

/// RFC 2045 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferEncoding {
    Base64,
    /// 7bit, 8bit, binary, and what nobody knows (M-14).
    Identity,
    QuotedPrintable,
}

/// Why an attachment could not be cut out of its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    #[error("the raw message does not hold `{name}` as it was read\nhint: run `guichet db verify`")]
    Changed { name: String },
    #[error("the raw message is too short to hold `{name}`\nhint: run `guichet db verify`")]
    OutOfRange { name: String },
}

/// The bytes of an attachment, exactly as sent (M-23), checked against its SHA-256.
pub fn cut(raw: &[u8], attachment: &Attachment) -> Result<Vec<u8>, CutError> {
    let bytes = bytes_of(raw, &attachment.source)
        .ok_or_else(|| CutError::OutOfRange { name: attachment.name.clone() })?;
    if Sha256::digest(&bytes).as_slice() != attachment.sha256 {
        return Err(CutError::Changed { name: attachment.name.clone() });
    }
    Ok(bytes.into_owned())
}

/// The decoded bytes that a source stands for, or `None` when they are outside the message.
fn bytes_of<'a>(raw: &'a [u8], source: &AttachmentSource) -> Option<Cow<'a, [u8]>> {
    match source {
        AttachmentSource::InSigned { start, end, encoding, from, to, inner } => {
            let part = transfer::decode(range(raw, *start, *end)?, *encoding);
            let message = smime::signed_content(&part)?;
            let bytes = transfer::decode(range(&message, *from, *to)?, *inner);
            Some(Cow::Owned(bytes.into_owned()))
        }
        AttachmentSource::InTnef { start, end, encoding, from, to } => {
            let part = transfer::decode(range(raw, *start, *end)?, *encoding);
            Some(Cow::Owned(range(&part, *from, *to)?.to_vec()))
        }
        AttachmentSource::Part { start, end, encoding } => {
            Some(transfer::decode(range(raw, *start, *end)?, *encoding))
        }
        AttachmentSource::PieceOfText { start, end, encoding, from, to } => {
            let text = transfer::decode_text(range(raw, *start, *end)?, *encoding);
            Some(Cow::Owned(range(&text, *from, *to)?.to_vec()))
        }
        AttachmentSource::RestOfText { start, end, encoding, from } => {
            let text = transfer::decode_text(range(raw, *start, *end)?, *encoding);
            Some(Cow::Owned(text.get(usize::try_from(*from).ok()?..)?.to_vec()))
        }
        AttachmentSource::Uuencoded { start, end, encoding, from, to } => {
            let text = transfer::decode_text(range(raw, *start, *end)?, *encoding);
            uuencode::decode(range(&text, *from, *to)?).map(Cow::Owned)
        }
        AttachmentSource::Whole => Some(Cow::Borrowed(raw)),
    }
}

fn range(raw: &[u8], start: u64, end: u64) -> Option<&[u8]> {
    raw.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// How many bytes a source stands for, and their SHA-256.
fn measure(raw: &[u8], source: &AttachmentSource) -> Option<(u64, [u8; 32])> {
    let mut hash = Sha256::new();
    let mut size = 0;
    match source {
        AttachmentSource::Part { start, end, encoding } => {
            transfer::decode_pieces(range(raw, *start, *end)?, *encoding, |piece| {
                hash.update(piece);
                size += piece.len() as u64;
            });
        }
        AttachmentSource::InSigned { .. }
        | AttachmentSource::InTnef { .. }
        | AttachmentSource::PieceOfText { .. }
        | AttachmentSource::RestOfText { .. }
        | AttachmentSource::Uuencoded { .. }
        | AttachmentSource::Whole => {
            let bytes = bytes_of(raw, source)?;
            hash.update(&bytes);
            size = bytes.len() as u64;
        }
    }
    Some((size, hash.finalize().into()))
}
