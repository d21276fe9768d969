//! Charsets of two and four bytes a character, whose byte order the sender forgot to tell.

use encoding_rs::{UTF_16BE, UTF_16LE};

/// The text of UTF-16: without a byte order mark, the order in which its zeros stand.
pub fn utf_16(bytes: &[u8]) -> String {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    match bytes {
        [0xff, 0xfe, rest @ ..] => UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xfe, 0xff, rest @ ..] => UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        _ if zeros(0) > zeros(1) => UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
        _ => UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The text of UTF-32, in the same way.
pub fn utf_32(bytes: &[u8]) -> String {
    let is_big_endian = matches!(bytes, [0, 0, ..]);
    let unit = |unit: &[u8]| {
        let unit = <[u8; 4]>::try_from(unit).ok()?;
        let number = match is_big_endian {
            true => u32::from_be_bytes(unit),
            false => u32::from_le_bytes(unit),
        };
        char::from_u32(number)
    };
    let text = bytes.chunks(4).map(|bytes| unit(bytes).unwrap_or(char::REPLACEMENT_CHARACTER));
    text.skip_while(|c| *c == '\u{feff}').collect()
}

/// Whether bytes begin with the byte order mark of UTF-32 and are as many as it wants.
pub fn has_utf_32_mark(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(4)
        && (bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_12_the_byte_order_is_found() {
        for bytes in [&b"\xff\xfea\0\xe9\0"[..], b"\xfe\xff\0a\0\xe9", b"a\0\xe9\0", b"\0a\0\xe9"] {
            assert_eq!(utf_16(bytes), "aé", "{bytes:?}");
        }
        for bytes in [
            &b"\xff\xfe\0\0a\0\0\0\xe9\0\0\0"[..],
            b"\0\0\xfe\xff\0\0\0a\0\0\0\xe9",
            b"a\0\0\0\xe9\0\0\0",
            b"\0\0\0a\0\0\0\xe9",
        ] {
            assert_eq!(utf_32(bytes), "aé", "{bytes:?}");
        }
        assert!(utf_32(b"\xff\xff\xff\xffa").chars().all(|c| c == char::REPLACEMENT_CHARACTER));
        assert_eq!(utf_16(b""), "");
    }
}
