//! What makes a message itself: its content hash and its id (M-07, M-08, M-46).

use encoding_rs::Encoding;
use memchr::memchr;
use sha2::{Digest, Sha256};

use super::headers::{Fields, LineEnd};
use super::thread::read_ids;
use super::words;
use super::{ContentHash, MessageId};

/// The fields that make a message itself; those that travelling adds do not count (M-07).
const FIELDS: [&str; 6] = ["from", "to", "cc", "date", "subject", "message-id"];

/// The hash that two deliveries of one mail share (M-07): the decoded fields, spaces collapsed, and
/// the body with LF line ends and without the empty lines at its end.
pub fn content_hash(
    fields: &Fields,
    body: &[u8],
    line_end: LineEnd,
    own: Option<&'static Encoding>,
) -> ContentHash {
    let mut hash = Sha256::new();
    for name in FIELDS {
        hash.update(name);
        for raw in fields.all(name) {
            hash.update(b"\n");
            for word in words::decode(raw, own).split_whitespace() {
                hash.update(b" ");
                hash.update(word);
            }
        }
        hash.update(b"\0");
    }
    let mut rest = body.trim_ascii_end();
    if line_end == LineEnd::Cr {
        let lines = rest.split(|byte| *byte == b'\r');
        for line in lines {
            hash.update(line);
            hash.update(b"\n");
        }
        return ContentHash(hash.finalize().into());
    }
    while let Some(at) = memchr(b'\n', rest) {
        hash.update(rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]));
        hash.update(b"\n");
        rest = &rest[at + 1..];
    }
    hash.update(rest);
    hash.update(b"\n");
    ContentHash(hash.finalize().into())
}

/// The first usable id of the Message-ID fields (M-46).
pub fn written_id(fields: &Fields) -> Option<MessageId> {
    fields.all("message-id").find_map(|raw| read_ids(raw).into_iter().next())
}

/// The id of a message without one: the same for the same bytes (M-08, R-19).
pub fn made_up_id(content: &ContentHash) -> MessageId {
    let hash = content.to_string();
    MessageId::parse(&format!("{}@missing.invalid", &hash[..32]))
        .expect("32 hexadecimal digits and a domain are a usable id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::structure::Structure;

    fn hash(raw: &[u8]) -> ContentHash {
        let structure = Structure::read(raw).expect("a readable message");
        let part = &structure.parts[0];
        content_hash(&part.fields, structure.bytes(part), structure.line_end, None)
    }

    #[test]
    fn m_07_two_deliveries_of_one_mail_are_equal() {
        let first = hash(
            b"Received: a\r\nFrom: a@b\r\nSubject: =?utf-8?q?caf=C3=A9?= x\r\n\r\nHi\r\nthere\r\n",
        );
        for same in [
            &b"Received: b\nDelivered-To: x\nFrom: a@b\nSubject: =?utf-8?q?caf=C3=A9?= x\n\nHi\nthere"[..],
            b"Subject: =?utf-8?b?Y2Fmw6k=?=\r\n\t x\r\nFrom: a@b\r\n\r\nHi\r\nthere\r\n\r\n \r\n",
            b"From: a@b\rSubject: =?utf-8?q?caf=C3=A9?= x\r\rHi\rthere\r",
        ] {
            assert_eq!(hash(same), first, "{}", String::from_utf8_lossy(same));
        }
        for other in [
            &b"From: a@c\n\nHi\nthere"[..],
            b"From: a@b\nSubject: =?utf-8?q?caf=C3=A9?= x\n\nHi there",
            b"From: a@b\nTo: a@b\nSubject: =?utf-8?q?caf=C3=A9?= x\n\nHi\nthere",
        ] {
            assert_ne!(hash(other), first, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn m_08_a_message_without_an_id_gets_a_stable_one() {
        let made_up = made_up_id(&ContentHash([0xab; 32]));
        assert_eq!(made_up.as_str(), format!("{}@missing.invalid", "ab".repeat(16)));
    }
}
