//! Tells what in a plain text is no text: uuencoded files and PGP armour (M-19). Works on the decoded
//! bytes of a part, so that each piece can be cut out of the message again.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};

use crate::mail::armour::{self, ArmourKind, Finder};
use crate::mail::uuencode;

/// A text without the pieces that are none.
#[derive(Debug, Default)]
pub struct Pieces<'a> {
    pub text: Cow<'a, [u8]>,
    pub found: Vec<Piece>,
    /// Where the ranges that make up the text begin: in it, and in the bytes that it was made from.
    /// Empty when nothing was taken out.
    origins: Vec<(usize, usize)>,
}

/// Something that is no text, with its range of the bytes of the part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub range: Range<usize>,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Encrypted,
    Key,
    /// The name as written.
    Uuencoded(Vec<u8>),
}

/// What is left in the place of an encrypted text.
pub const ENCRYPTED_NOTICE: &str = "[encrypted: the message is attached]";

impl Pieces<'_> {
    /// Whether the bytes may hold a piece.
    pub fn may_be_in(bytes: &[u8]) -> bool {
        memmem::find(bytes, armour::MARK).is_some() || memmem::find(bytes, b"begin ").is_some()
    }

    /// Splits the decoded bytes of a text (M-19).
    pub fn read(bytes: &[u8]) -> Pieces<'_> {
        if !Pieces::may_be_in(bytes) {
            return Pieces { text: Cow::Borrowed(bytes), ..Pieces::default() };
        }
        let mut splitter = Splitter::default();
        let mut armours = Finder::new(bytes);
        let (mut at, mut text_from) = (0, 0);
        while at < bytes.len() {
            let line = &bytes[at..];
            let armour = match line.starts_with(armour::MARK) {
                true => armours.armour(at),
                false => None,
            };
            let end = if let Some(armour) = armour {
                splitter.keep(bytes, text_from..at);
                splitter.armour(bytes, at..armour.end, armour.kind);
                armour.end
            } else if let Some(file) = uuencode::block(line) {
                let range = at..at + file.length;
                splitter.keep(bytes, text_from..at);
                splitter.found(PieceKind::Uuencoded(file.name.to_vec()), range.clone());
                range.end
            } else {
                at = memchr(b'\n', line).map_or(bytes.len(), |end| at + end + 1);
                continue;
            };
            (at, text_from) = (end, end);
        }
        if text_from == 0 {
            return Pieces { text: Cow::Borrowed(bytes), ..Pieces::default() };
        }
        splitter.keep(bytes, text_from..bytes.len());
        let Splitter { text, found, origins } = splitter;
        Pieces { text: Cow::Owned(text), found, origins }
    }

    /// Where the byte of the text stands in the bytes that it was made from.
    pub fn origin(&self, at: usize) -> usize {
        match self.origins.partition_point(|(start, _)| *start <= at) {
            0 => at,
            n => self.origins[n - 1].1 + at - self.origins[n - 1].0,
        }
    }
}

#[derive(Default)]
struct Splitter {
    text: Vec<u8>,
    found: Vec<Piece>,
    origins: Vec<(usize, usize)>,
}

impl Splitter {
    fn keep(&mut self, bytes: &[u8], range: Range<usize>) {
        if !range.is_empty() {
            self.origins.push((self.text.len(), range.start));
            self.text.extend_from_slice(&bytes[range]);
        }
    }

    fn found(&mut self, kind: PieceKind, range: Range<usize>) {
        self.found.push(Piece { kind, range });
    }

    fn armour(&mut self, bytes: &[u8], range: Range<usize>, kind: ArmourKind) {
        match kind {
            ArmourKind::Encrypted => {
                self.origins.push((self.text.len(), range.start));
                self.text.extend_from_slice(ENCRYPTED_NOTICE.as_bytes());
                self.text.push(b'\n');
                self.found(PieceKind::Encrypted, range);
            }
            ArmourKind::Key => self.found(PieceKind::Key, range),
            ArmourKind::Signed { inner } => {
                for inner in armour::without_dashes(bytes, inner) {
                    self.keep(bytes, inner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_19_files_and_armour_are_taken_out_of_a_text() {
        let file = "begin 644 cat.txt\n#0V%T\n`\nend\n";
        let message = "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n";
        let key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let signed = "-----BEGIN PGP SIGNED MESSAGE-----\n\nHello\n- -- \nMe\n\
            -----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n";
        let raw = format!("one\n{file}two\n{message}three\n{key}{signed}four");
        let pieces = Pieces::read(raw.as_bytes());
        assert_eq!(
            String::from_utf8_lossy(&pieces.text),
            format!("one\ntwo\n{ENCRYPTED_NOTICE}\nthree\nHello\n-- \nMe\nfour")
        );
        let found: Vec<&str> = pieces.found.iter().map(|piece| &raw[piece.range.clone()]).collect();
        assert_eq!(found, [file, message, key]);
        assert_eq!(pieces.found[0].kind, PieceKind::Uuencoded(b"cat.txt".to_vec()));
        for word in ["one", "two", "three", "Hello", "-- ", "Me", "four"] {
            let at = memmem::find(&pieces.text, word.as_bytes()).expect(word);
            assert!(raw[pieces.origin(at)..].starts_with(word), "{word}");
        }
    }

    #[test]
    fn a_text_without_pieces_stays_as_it_is() {
        for raw in
            ["", "x\n", "to begin with\nbegin 644 x\nno\nend\n", "-----BEGIN PGP MESSAGE-----\n"]
        {
            let pieces = Pieces::read(raw.as_bytes());
            assert_eq!((&*pieces.text, pieces.origin(0)), (raw.as_bytes(), 0));
            assert!(pieces.found.is_empty());
        }
    }
}
