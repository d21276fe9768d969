//! Recognises PGP armour in a text (M-19, RFC 9580 §6, RFC 4880 §7). Nothing is decrypted, no
//! signature is checked.

use memchr::{memchr, memmem};

/// A piece of armour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armour {
    pub kind: ArmourKind,
    /// Where the line after its last one begins.
    pub end: usize,
}

/// What is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArmourKind {
    Encrypted,
    /// A key that somebody sends along.
    Key,
    /// A text and, after it, its signature.
    Signed {
        inner: std::ops::Range<usize>,
    },
}

/// What the first line of armour begins with.
pub const MARK: &[u8] = b"-----BEGIN PGP ";

/// Finds armour in one text. It remembers where the next end of each kind is, so that a text full of
/// beginnings takes linear time (M-102).
pub struct Finder<'a> {
    text: &'a [u8],
    /// Where the next line begins that begins with the mark; `None` when there is none.
    next: Vec<(&'static [u8], Option<usize>)>,
}

impl<'a> Finder<'a> {
    pub fn new(text: &'a [u8]) -> Finder<'a> {
        Finder { text, next: Vec::new() }
    }

    /// The armour whose first line begins at `at`, or `None` when that line begins none or it never
    /// ends. To be asked from the start of the text to its end.
    pub fn armour(&mut self, at: usize) -> Option<Armour> {
        let (label, at) = self.label(at)?;
        match label {
            b"MESSAGE" => {
                let end = self.line_after(at, b"-----END PGP MESSAGE-----")?;
                Some(Armour { kind: ArmourKind::Encrypted, end })
            }
            b"PUBLIC KEY BLOCK" => {
                let end = self.line_after(at, b"-----END PGP PUBLIC KEY BLOCK-----")?;
                Some(Armour { kind: ArmourKind::Key, end })
            }
            b"SIGNED MESSAGE" => {
                let inner = self.after_fields(at)?;
                let signature = self.line_start(inner, b"-----BEGIN PGP SIGNATURE-----")?;
                let end = self.line_after(signature, b"-----END PGP SIGNATURE-----")?;
                Some(Armour { kind: ArmourKind::Signed { inner: inner..signature }, end })
            }
            _ => None,
        }
    }

    /// What the first line says is inside, and where the next line begins.
    fn label(&self, at: usize) -> Option<(&'a [u8], usize)> {
        let (first, next) = line(self.text, at)?;
        Some((first.strip_prefix(MARK)?.trim_ascii_end().strip_suffix(b"-----")?, next))
    }

    /// Where the text begins that follows the armour's own fields and an empty line.
    fn after_fields(&self, mut at: usize) -> Option<usize> {
        loop {
            let (line, next) = line(self.text, at)?;
            at = next;
            if line.trim_ascii().is_empty() {
                return Some(at);
            }
            memchr(b':', line)?;
        }
    }

    /// Where the line begins that begins with `mark`.
    fn line_start(&mut self, from: usize, mark: &'static [u8]) -> Option<usize> {
        let known = self.next.iter().position(|(known, _)| *known == mark);
        if let Some(known) = known
            && self.next[known].1.is_none_or(|start| start >= from)
        {
            return self.next[known].1;
        }
        let mut found = memmem::find_iter(&self.text[from..], mark).map(|at| from + at);
        let start = found.find(|at| *at == 0 || self.text[at - 1] == b'\n');
        match known {
            Some(known) => self.next[known].1 = start,
            None => self.next.push((mark, start)),
        }
        start
    }

    /// Where the line after the one that begins with `mark` begins.
    fn line_after(&mut self, from: usize, mark: &'static [u8]) -> Option<usize> {
        line(self.text, self.line_start(from, mark)?).map(|(_, next)| next)
    }
}

/// The ranges of a signed text without the dashes that protect its lines (RFC 9580 §7.2).
pub fn without_dashes(text: &[u8], range: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let (mut from, mut at) = (range.start, range.start);
    while at < range.end {
        let next = memchr(b'\n', &text[at..range.end]).map_or(range.end, |end| at + end + 1);
        if text[at..next].starts_with(b"- ") {
            ranges.push(from..at);
            from = at + 2;
        }
        at = next;
    }
    ranges.push(from..range.end);
    ranges.retain(|range| !range.is_empty());
    ranges
}

/// The line that begins at `at`, without its end, and where the next one begins.
fn line(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let end = memchr(b'\n', rest).unwrap_or(rest.len());
    Some((&rest[..end], (at + end + 1).min(text.len())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn armour(text: &[u8]) -> Option<Armour> {
        Finder::new(text).armour(0)
    }

    #[test]
    fn m_19_armour_is_recognised() {
        let encrypted = b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----\nafter";
        let end = encrypted.len() - "after".len();
        assert_eq!(armour(encrypted), Some(Armour { kind: ArmourKind::Encrypted, end }));
        let key = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----";
        assert_eq!(armour(key), Some(Armour { kind: ArmourKind::Key, end: key.len() }));
        let signed =
            b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\r\n- -- \r\nMe\r\n\
            -----BEGIN PGP SIGNATURE-----\r\n\r\niQ==\r\n-----END PGP SIGNATURE-----\r\n";
        let found = armour(signed).expect("a signed text");
        let ArmourKind::Signed { inner } = found.kind else { panic!("not signed") };
        assert_eq!(found.end, signed.len());
        let bare: Vec<u8> =
            without_dashes(signed, inner).into_iter().flat_map(|at| signed[at].to_vec()).collect();
        assert_eq!(bare, b"Hello\r\n-- \r\nMe\r\n");
    }

    #[test]
    fn m_19_what_only_speaks_of_armour_is_text() {
        for text in [
            "-----BEGIN PGP MESSAGE----- is how it starts\n-----END PGP MESSAGE-----\n",
            "-----BEGIN PGP MESSAGE-----\nand then nothing\n",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nno signature\n",
            "-----BEGIN PGP SIGNED MESSAGE-----\nis what stands there\n\n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "",
        ] {
            assert_eq!(armour(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_armour_or_none(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "-----BEGIN PGP ", "SIGNED MESSAGE-----\n", "MESSAGE-----\n", "\n", "Hash: x\n", "- ",
                "-----BEGIN PGP SIGNATURE-----\n", "-----END PGP SIGNATURE-----", "text",
                "-----END PGP MESSAGE-----\n",
            ]), 0..12),
        ) {
            let text = pieces.concat();
            if let Some(found) = armour(text.as_bytes()) {
                prop_assert!(found.end <= text.len());
                if let ArmourKind::Signed { inner } = found.kind {
                    without_dashes(text.as_bytes(), inner);
                }
            }
        }
    }
}
