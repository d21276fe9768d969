//! Charsets that switch between sets of characters by escapes: the ISO 2022 family and HZ. The
//! decoders made for the web know one of them, and refuse what mailers do with it.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030};

/// A set of characters that bytes are read in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Chinese,
    /// JIS X 0208 with the rows that NEC and IBM added; also the first plane of JIS X 0213, which
    /// holds the same characters where both have one.
    Japanese,
    /// JIS X 0212.
    JapaneseSupplement,
    /// Half-width katakana.
    Kana,
    Korean,
    /// ASCII with a yen sign and an overline.
    Roman,
    Unknown,
}

/// The text of ISO-2022-JP with all its extensions, ISO-2022-KR and ISO-2022-CN (RFC 1468, RFC 1554,
/// RFC 1557, RFC 1922). Each line begins in ASCII.
pub fn iso_2022(bytes: &[u8]) -> String {
    let mut decoder = Decoder { set: Set::Ascii, text: String::new(), pending: Vec::new() };
    // What a line begins with, and what the next shift-out goes to.
    let mut shifted = Set::Kana;
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            0x1b => match escape(after) {
                Some((Escape::Now(set), length)) => {
                    decoder.switch(set);
                    rest = &after[length..];
                }
                Some((Escape::Shifted(set), length)) => {
                    shifted = set;
                    rest = &after[length..];
                }
                Some((Escape::Ignored, length)) => rest = &after[length..],
                None => (),
            },
            0x0e => decoder.switch(shifted),
            0x0f => decoder.switch(Set::Ascii),
            b'\n' => {
                decoder.switch(Set::Ascii);
                decoder.pending.push(b'\n');
            }
            byte => decoder.pending.push(*byte),
        }
    }
    decoder.flush();
    decoder.text
}

/// The text of HZ (RFC 1843): GB 2312 between `~{` and `~}`.
pub fn hz(bytes: &[u8]) -> String {
    let mut decoder = Decoder { set: Set::Ascii, text: String::new(), pending: Vec::new() };
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after.first()) {
            (b'~', Some(b'{')) => decoder.switch(Set::Chinese),
            (b'~', Some(b'}')) => decoder.switch(Set::Ascii),
            (b'~', Some(b'~')) => decoder.pending.push(b'~'),
            (b'~', Some(b'\n')) => (),
            (byte, _) => {
                decoder.pending.push(*byte);
                continue;
            }
        }
        rest = &after[1..];
    }
    decoder.flush();
    decoder.text
}

enum Escape {
    Ignored,
    Now(Set),
    /// From the next shift-out on.
    Shifted(Set),
}

/// What the bytes after an escape character mean, and how many they are.
fn escape(after: &[u8]) -> Option<(Escape, usize)> {
    Some(match after {
        [b'(', b'B' | b'H', ..] => (Escape::Now(Set::Ascii), 2),
        [b'(', b'I', ..] => (Escape::Now(Set::Kana), 2),
        [b'(', b'J', ..] => (Escape::Now(Set::Roman), 2),
        [b'(', _, ..] => (Escape::Now(Set::Unknown), 2),
        [b'$', b'@' | b'B', ..] => (Escape::Now(Set::Japanese), 2),
        [b'$', b'A', ..] => (Escape::Now(Set::Chinese), 2),
        [b'$', b'(', set, ..] => (Escape::Now(double_byte(*set)), 3),
        [b'$', b')' | b'*' | b'+', set, ..] => (Escape::Shifted(double_byte(*set)), 3),
        // The version of a set that follows, and sets for single characters.
        [b'&' | b'.' | b')', _, ..] => (Escape::Ignored, 2),
        _ => return None,
    })
}

fn double_byte(set: u8) -> Set {
    match set {
        b'@' | b'B' | b'O' | b'Q' => Set::Japanese,
        b'A' | b'E' => Set::Chinese,
        b'C' => Set::Korean,
        b'D' => Set::JapaneseSupplement,
        _ => Set::Unknown,
    }
}

struct Decoder {
    set: Set,
    text: String,
    pending: Vec<u8>,
}

impl Decoder {
    fn switch(&mut self, set: Set) {
        if self.set != set {
            self.flush();
            self.set = set;
        }
    }

    /// Decodes what was collected: each of these sets is half of a charset that sets the high bit.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return;
        }
        let high = |byte: &u8| byte | 0x80;
        let prefixed = |prefix: u8, size: usize| -> Vec<u8> {
            pending
                .chunks(size)
                .flat_map(|c| [prefix].into_iter().chain(c.iter().map(high)))
                .collect()
        };
        let (charset, bytes): (&Encoding, Vec<u8>) = match self.set {
            // Of the bytes above 127 only half-width katakana are ever sent so.
            Set::Ascii => {
                let signs = pending.iter().map(|byte| match byte {
                    0x00..=0x7f => char::from(*byte),
                    0xa1..=0xdf => {
                        let sign = u32::from(*byte) - 0xa1 + u32::from('\u{ff61}');
                        char::from_u32(sign).expect("half-width katakana are characters")
                    }
                    _ => char::REPLACEMENT_CHARACTER,
                });
                return self.text.extend(signs);
            }
            Set::Chinese => (GB18030, pending.iter().map(high).collect()),
            Set::Japanese => (EUC_JP, pending.iter().map(high).collect()),
            Set::JapaneseSupplement => (EUC_JP, prefixed(0x8f, 2)),
            Set::Kana => (EUC_JP, prefixed(0x8e, 1)),
            Set::Korean => (EUC_KR, pending.iter().map(high).collect()),
            Set::Roman => {
                let signs = pending.iter().map(|byte| match byte {
                    b'\\' => '¥',
                    b'~' => '\u{203e}',
                    byte => char::from(*byte),
                });
                return self.text.extend(signs);
            }
            Set::Unknown => return self.text.push(char::REPLACEMENT_CHARACTER),
        };
        self.text.push_str(&charset.decode_without_bom_handling(&bytes).0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_13_every_member_of_the_iso_2022_family_is_read() {
        for (bytes, text) in [
            (&b"a\x1b$B%O\x1b(Bb"[..], "aハb"),
            (b"\x1b$@%O\x1b(Jx\\", "ハx¥"),
            // NEC row 13, which no standard has.
            (b"\x1b$B-!\x1b(B", "①"),
            (b"\x1b(IA2\x1b(B.", "ﾁｲ."),
            (b"\x0eA2\x0f.", "ﾁｲ."),
            (b"\xc1\xb2 \xf3a", "ﾁｲ \u{fffd}a"),
            (b"\x1b$(D0!\x1b(B", "丂"),
            (b"\x1b$(Q0!\x1b(B", "亜"),
            (b"\x1b&@\x1b$B0!\x1b(B", "亜"),
            (b"\x1b$AVP\x1b(B", "中"),
            (b"\x1b$(CGQ\x1b(B", "한"),
            (b"\x1b$)C\n\x0eGQ\x0fx", "\n한x"),
            (b"\x1b$)A\x0eVP\x0fx", "中x"),
            // One escape at once after another, and one that is never undone.
            (b"\x1b$B%O\x1b(B\x1b$B%O\nx", "ハハ\nx"),
            (b"\x1b$(Pxx\x1b(By", "\u{fffd}y"),
            (b"\x1b", ""),
            (b"\x1b[0mred", "[0mred"),
        ] {
            assert_eq!(iso_2022(bytes), text, "{bytes:?}");
        }
    }

    #[test]
    fn m_13_hz_is_read() {
        for (bytes, text) in
            [(&b"a~{VP~}b~~c"[..], "a中b~c"), (b"~{VP", "中"), (b"a~\nb", "ab"), (b"a~", "a~")]
        {
            assert_eq!(hz(bytes), text);
        }
    }
}
