//! What the answer to a FETCH says of a message.

use async_imap::imap_proto::{AttributeValue, MessageSection, SectionPath};
use jiff::Timestamp;

use crate::mail::MessageId;

/// What a server tells of a message without giving it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighted {
    pub(super) uid: u32,
    /// Bytes, as announced.
    pub(super) size: u64,
    /// INTERNALDATE.
    pub(super) arrived_at: Timestamp,
    pub(super) is_deleted: bool,
    pub(super) is_seen: bool,
}

pub(super) fn uid_in(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

// The bytes of the whole message or of one part of it, if they came.
pub(super) fn section_in<'a>(
    attributes: &'a [AttributeValue<'_>],
    part: Option<MessageSection>,
) -> Option<&'a [u8]> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::BodySection { section, data: Some(data), .. } => {
            let is_it = match (section, &part) {
                (None, None) => true,
                (Some(SectionPath::Full(found)), Some(part)) => found == part,
                _ => false,
            };
            is_it.then_some(data.as_ref())
        }
        _ => None,
    })
}

pub(super) fn sighted_in(attributes: &[AttributeValue<'_>], now: Timestamp) -> Option<Sighted> {
    let uid = uid_in(attributes)?;
    let (mut size, mut arrived_at) = (None, now);
    let (mut is_deleted, mut is_seen) = (false, false);
    for attribute in attributes {
        match attribute {
            AttributeValue::Rfc822Size(bytes) => size = Some(u64::from(*bytes)),
            AttributeValue::InternalDate(text) => arrived_at = date(text).unwrap_or(now),
            AttributeValue::Flags(flags) => {
                let has = |flag: &str| flags.iter().any(|one| one.eq_ignore_ascii_case(flag));
                (is_deleted, is_seen) = (has("\\Deleted"), has("\\Seen"));
            }
            _ => {}
        }
    }
    // A change of flags that nobody asked about has no size.
    size.map(|size| Sighted { uid, size, arrived_at, is_deleted, is_seen })
}

/// The id in a field `Message-ID` as it stands.
pub(super) fn id_in(field: &[u8]) -> Option<MessageId> {
    let text = std::str::from_utf8(field).ok()?;
    let (_, rest) = text.split_once('<')?;
    let (id, _) = rest.split_once('>')?;
    MessageId::parse(id)
}

// `date-time` of RFC 3501 §9: ` 7-Feb-1994 21:52:25 -0800`.
fn date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_servers_write_them() {
        for (text, second) in [
            (" 7-Feb-1994 21:52:25 -0800", Some(760_686_745)),
            ("17-Jul-1996 02:44:25 +0000", Some(837_571_465)),
            ("yesterday", None),
        ] {
            assert_eq!(date(text).map(Timestamp::as_second), second, "{text}");
        }
    }

    #[test]
    fn an_id_is_read_from_its_field_however_it_is_folded() {
        let id = |field: &[u8]| id_in(field).map(|id| id.as_str().to_owned());
        assert_eq!(id(b"Message-ID:\r\n <a@b.example>\r\n\r\n").as_deref(), Some("a@b.example"));
        assert_eq!(id(b"\r\n"), None);
    }
}
