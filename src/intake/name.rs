//! The names of maildir files: `SECONDS.UNIQUE.HOST:2,FLAGS`. The part up to the colon, the base
//! name, says which message it is for as long as it lives; the rest is changed by every mail client.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use jiff::Timestamp;

/// The base name of a file, as the ledger knows it; `None` for a file that is no message: a dot
/// file, or nothing before the colon. Bytes that are no UTF-8 are escaped, so that two files stay
/// two messages.
pub(super) fn base(name: &OsStr) -> Option<String> {
    let bytes = base_bytes(name);
    if bytes.is_empty() || bytes[0] == b'.' {
        return None;
    }
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.escape_ascii().to_string(),
    })
}

/// When the message was delivered, as its base name says: the seconds before the first dot, and the
/// microseconds after an `M` in the second part.
pub(super) fn arrival(base: &str) -> Option<Timestamp> {
    let mut parts = base.split('.');
    let seconds = parts.next()?;
    // Fewer digits would be a time before 1973: such a name is numbered, not dated.
    if !(9..=11).contains(&seconds.len()) {
        return None;
    }
    let micros = parts.next().and_then(micros).unwrap_or(0);
    Timestamp::new(digits(seconds)?, i32::try_from(micros * 1_000).ok()?).ok()
}

/// Whether a client marked the message as read: the flag `S`.
pub(super) fn is_seen(name: &OsStr) -> bool {
    flags(name).is_some_and(|flags| flags.contains(&b'S'))
}

/// The name with the flag `S` added, the other flags kept, in ASCII order as the format asks;
/// `None` when there is nothing to add, or the part after the colon is of an unknown kind.
pub(super) fn with_seen(name: &OsStr) -> Option<OsString> {
    let mut flags = match flags(name) {
        Some(flags) => flags.to_vec(),
        None if name.as_bytes().contains(&b':') => return None,
        None => Vec::new(),
    };
    if flags.contains(&b'S') {
        return None;
    }
    flags.push(b'S');
    flags.sort_unstable();
    Some(OsString::from_vec([base_bytes(name), b":2,", &flags].concat()))
}

/// The name with `.n` after its base name: for a message whose own name is taken.
pub(super) fn numbered(name: &OsStr, n: u32) -> OsString {
    let base = base_bytes(name);
    let info = &name.as_bytes()[base.len()..];
    OsString::from_vec([base, format!(".{n}").as_bytes(), info].concat())
}

fn base_bytes(name: &OsStr) -> &[u8] {
    let bytes = name.as_bytes();
    let end = bytes.iter().position(|&byte| byte == b':').unwrap_or(bytes.len());
    &bytes[..end]
}

fn flags(name: &OsStr) -> Option<&[u8]> {
    name.as_bytes()[base_bytes(name).len()..].strip_prefix(b":2,")
}

fn micros(part: &str) -> Option<i64> {
    let (_, after) = part.split_once('M')?;
    let end = after.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(after.len());
    digits(&after[..end]).filter(|micros| *micros < 1_000_000)
}

// `str::parse` alone would take a sign.
fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_name_ends_at_the_colon() {
        for (name, expected) in [
            ("1767600000.M1P1.demo", Some("1767600000.M1P1.demo")),
            ("1767600000.M1P1.demo:2,FS", Some("1767600000.M1P1.demo")),
            ("letter.eml", Some("letter.eml")),
            (".gitkeep", None),
            (":2,S", None),
        ] {
            assert_eq!(base(OsStr::new(name)).as_deref(), expected, "{name}");
        }
        assert_eq!(base(OsStr::from_bytes(b"a\xff:2,")).as_deref(), Some("a\\xff"));
    }

    #[test]
    fn the_arrival_is_in_the_name() {
        for (base, micros) in [
            ("1767600000.M000042P1.demo", Some(1_767_600_000_000_042)),
            ("1767600000.V801I12cdM999999.demo", Some(1_767_600_000_999_999)),
            ("1767600000.1234_5.demo", Some(1_767_600_000_000_000)),
            ("1767600000.M9999999P1.demo", Some(1_767_600_000_000_000)),
            ("1767600000", Some(1_767_600_000_000_000)),
            ("17.M1P1.demo", None),
            ("+767600000.M1P1.demo", None),
            ("letter.eml", None),
            ("99999999999999999999.x", None),
        ] {
            let expected = micros.map(|n| Timestamp::from_microsecond(n).expect("in range"));
            assert_eq!(arrival(base), expected, "{base}");
        }
    }

    #[test]
    fn the_flag_for_read_is_added_in_order() {
        for (name, expected) in [
            ("a", Some("a:2,S")),
            ("a:2,", Some("a:2,S")),
            ("a:2,FT", Some("a:2,FST")),
            ("a:2,Ra", Some("a:2,RSa")),
            ("a:2,S", None),
            ("a:1,x", None),
        ] {
            assert_eq!(with_seen(OsStr::new(name)), expected.map(OsString::from), "{name}");
        }
    }

    #[test]
    fn a_number_goes_before_the_flags() {
        assert_eq!(numbered(OsStr::new("a:2,S"), 2), "a.2:2,S");
    }
}
