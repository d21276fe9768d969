//! Reads a message without ever holding more of it than is allowed: what is too large is cut to a
//! stub of its headers and its first text (M-04, T-37).

use std::io::{self, Read};

use crate::store::spool::Intake;

/// How much of the body of an oversize message is kept (M-04).
pub const STUB_BODY: usize = 256 * 1024;
// Headers beyond 100 KiB are refused anyway (M-04): what is looked through to find their end.
const STUB_HEADERS: usize = 128 * 1024;

/// Reads a message of at most `limit` bytes; of a larger one its header block and the first
/// 256 KiB after it.
pub fn read_bounded(source: impl Read, limit: u64) -> io::Result<(Vec<u8>, Intake)> {
    let mut raw = Vec::new();
    // One byte more tells whether there is more.
    let mut source = source.take(limit.saturating_add(1));
    source.read_to_end(&mut raw)?;
    if raw.len() as u64 <= limit {
        return Ok((raw, Intake::Mailbox));
    }
    if raw.len() < STUB_HEADERS + STUB_BODY {
        source.set_limit((STUB_HEADERS + STUB_BODY - raw.len()) as u64);
        source.read_to_end(&mut raw)?;
    }
    raw.truncate(header_end(&raw).saturating_add(STUB_BODY));
    raw.shrink_to_fit();
    Ok((raw, Intake::Stub))
}

// Where the body begins; where the search ends when the headers do not.
fn header_end(raw: &[u8]) -> usize {
    let searched = &raw[..raw.len().min(STUB_HEADERS)];
    let mut blank = true;
    for (at, &byte) in searched.iter().enumerate() {
        match byte {
            b'\n' if blank => return at + 1,
            b'\n' => blank = true,
            b'\r' => {}
            _ => blank = false,
        }
    }
    searched.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_04_a_message_within_the_limit_is_read_whole() {
        let (raw, intake) = read_bounded(&b"A: b\n\nbody"[..], 10).expect("memory reads");
        assert_eq!((raw.as_slice(), intake), (&b"A: b\n\nbody"[..], Intake::Mailbox));
    }

    #[test]
    fn m_04_a_larger_one_is_cut_to_its_headers_and_first_text() {
        let headers = b"Subject: big\r\nX: y\r\n\r\n";
        for (limit, body) in [(1_000, 300 * 1024), (600 * 1024, 900 * 1024), (1_000, 2_000)] {
            let message = [headers.as_slice(), &vec![b'x'; body]].concat();
            let (raw, intake) = read_bounded(message.as_slice(), limit).expect("memory reads");
            assert_eq!(intake, Intake::Stub);
            assert_eq!(raw.len(), headers.len() + body.min(STUB_BODY));
            assert!(message.starts_with(&raw));
        }
    }

    #[test]
    fn t_37_headers_without_an_end_are_bounded_too() {
        let message = vec![b'x'; 3 * 1024 * 1024];
        let (raw, _) = read_bounded(message.as_slice(), 2 * 1024 * 1024).expect("memory reads");
        assert_eq!(raw.len(), STUB_HEADERS + STUB_BODY);
    }
}
