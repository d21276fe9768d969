//! Finds and decodes uuencoded files in a text (M-19): `begin 644 name`, lines, `end`. Works on
//! bytes; what does not end as it should is text.

use memchr::memchr;

/// A uuencoded file that a text begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// As written, not yet cleaned.
    pub name: &'a [u8],
    /// Bytes of the text that it takes, the line break after `end` included.
    pub length: usize,
}

/// The file that the text begins with, or `None` when the first line begins none or what follows is
/// not one (M-19).
pub fn block(text: &[u8]) -> Option<Block<'_>> {
    let mut lines = Lines { text, at: 0 };
    let name = name_in(lines.next()?)?;
    let mut is_ended = false;
    let mut has_content = false;
    while let Some(line) = lines.next() {
        if line == b"end" {
            return has_content.then_some(Block { name, length: lines.at });
        }
        // After the empty line that ends the content only `end` may come, perhaps after blank lines.
        let is_blank = line.iter().all(|byte| matches!(byte, b' ' | b'`'));
        match length_of(line) {
            _ if is_blank => is_ended |= has_content,
            Some(_) if !is_ended => has_content = true,
            _ => return None,
        }
    }
    None
}

/// The bytes of the file that `text` begins with; `None` when it begins none.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let block = block(text)?;
    let mut lines = Lines { text: &text[..block.length], at: 0 };
    lines.next();
    let mut decoded = Vec::with_capacity(block.length / 4 * 3);
    while let Some(line) = lines.next() {
        if line == b"end" {
            break;
        }
        let Some(length) = length_of(line) else { continue };
        let end = decoded.len() + length;
        for digits in line[1..].chunks(4) {
            // Mailers cut the spaces that stand for zeros at the end of a line.
            let digit = |n: usize| u32::from(digits.get(n).map_or(0, |byte| (byte - b' ') & 0x3f));
            let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
            decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
        }
        decoded.resize(end, 0);
    }
    Some(decoded)
}

/// The name after `begin` and the file's mode: three or four octal digits.
fn name_in(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"begin ")?;
    let mode = memchr(b' ', rest)?;
    let (mode, name) = rest.split_at(mode);
    let is_mode =
        matches!(mode.len(), 3 | 4) && mode.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let name = name.trim_ascii();
    (is_mode && !name.is_empty()).then_some(name)
}

/// How many bytes a line stands for: its first character says so, and the line must be long enough
/// to hold them, but for spaces that were cut at its end, and at most one group and a checksum
/// longer.
fn length_of(line: &[u8]) -> Option<usize> {
    if !line.iter().all(|byte| (b' '..=b'`').contains(byte)) {
        return None;
    }
    let length = usize::from((line.first()? - b' ') & 0x3f);
    let digits = length.div_ceil(3) * 4;
    let written = line.len() - 1;
    let is_long_enough = written * 2 >= digits;
    (is_long_enough && written <= digits + 5).then_some(length)
}

/// Lines without their LF or CRLF.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        Some(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `uuencode` writes a file, zeros as grave accents.
    fn encoded(name: &str, bytes: &[u8]) -> String {
        let mut text = format!("begin 644 {name}\n");
        let char_of = |digit: u32| match digit & 0x3f {
            0 => '`',
            digit => char::from_u32(digit + 0x20).expect("a printable character"),
        };
        for line in bytes.chunks(45) {
            text.push(char_of(u32::try_from(line.len()).expect("at most 45")));
            for group in line.chunks(3) {
                let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or_default());
                let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
                text.extend([18, 12, 6, 0].map(|shift| char_of(bits >> shift)));
            }
            text.push('\n');
        }
        text + "`\nend\n"
    }

    #[test]
    fn m_19_a_uuencoded_file_is_found_and_decoded() {
        let text = b"begin 644 cat.txt\n#0V%T\n`\nend\nafter";
        assert_eq!(block(text), Some(Block { name: b"cat.txt", length: text.len() - 5 }));
        assert_eq!(decode(text).as_deref(), Some(&b"Cat"[..]));
        for written in [
            "begin 0755 a b.txt\r\n#0V%T\r\n \r\nend",
            "begin 644 cat.txt\n#0V%T\nend\n",
            "begin 644 cat.txt\n\n#0V%T\n\n\nend\n",
        ] {
            assert_eq!(decode(written.as_bytes()).as_deref(), Some(&b"Cat"[..]), "{written}");
        }
        // The spaces at the end of a line of zeros were cut.
        assert_eq!(decode(b"begin 644 z\n$9@  \n`\nend").map(|bytes| bytes.len()), Some(4));
    }

    #[test]
    fn m_19_prose_is_not_uuencoded() {
        for text in [
            "begin 644 reasons to stay\nbecause it is so.\nend\n",
            "begin 644 x\nend\n",
            "begin 644 x\n#0V%T\n`\n",
            "begin 644 x\n#0V%T\n`\nmore\nend\n",
            "begin 999 x\n#0V%T\n`\nend\n",
            "begin again\n",
            "begin 644 \n#0V%T\n`\nend\n",
            "begin 644 x\nM0V%T\n`\nend\n",
            "",
        ] {
            assert_eq!(block(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            let text = encoded("x", &bytes);
            prop_assert_eq!(decode(text.as_bytes()), Some(bytes));
        }

        #[test]
        fn any_text_is_a_file_or_none(text in "(begin 644 x\n)?[ -b\n\r]{0,80}(\nend)?") {
            let found = block(text.as_bytes());
            prop_assert_eq!(decode(text.as_bytes()).is_some(), found.is_some());
            prop_assert!(found.is_none_or(|found| found.length <= text.len()));
        }
    }
}
