//! Message ids: the threads of mail hang on them (M-46). And the prefixes by which a subject says
//! that it answers or forwards (mail.md 6.2).

use memchr::memchr;

/// How many ids of References are kept: the first 10 and the last 40 (M-04, M-79).
const FIRST_REFERENCES: usize = 10;
const LAST_REFERENCES: usize = 40;
/// How many that are together.
pub const REFERENCES: usize = FIRST_REFERENCES + LAST_REFERENCES;

/// A usable message id, without angle brackets: 3 to 998 characters, no space, control, `<` or `>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Takes `written`, with or without its brackets, or `None` when it is not usable (M-46).
    pub fn parse(written: &str) -> Option<MessageId> {
        let id = written.trim();
        let id = id.strip_prefix('<').unwrap_or(id);
        let id = id.strip_suffix('>').unwrap_or(id);
        let usable = (3..=998).contains(&id.chars().count())
            && !id.chars().any(|c| c.is_whitespace() || c.is_control() || c == '<' || c == '>');
        usable.then(|| MessageId(id.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// All usable ids of a field, in the order written (M-46): missing brackets, commas, tabs and
/// comments between them are tolerated. A bare word is an id only when it holds an `@` or is all
/// there is, since In-Reply-To used to be prose.
pub fn read_ids(raw: &[u8]) -> Vec<MessageId> {
    let mut ids = Vec::new();
    let mut rest = raw.trim_ascii();
    // A comment that is never closed is not looked for again: reading stays linear.
    let mut is_unclosed = false;
    if !rest.iter().any(|byte| is_separator(*byte) || matches!(byte, b'<' | b'(')) {
        return Vec::from_iter(to_id(rest));
    }
    while let [first, after @ ..] = rest {
        match first {
            b'<' => {
                let end = after.iter().position(|byte| matches!(byte, b'<' | b'>'));
                let (written, after) = after.split_at(end.unwrap_or(after.len()));
                ids.extend(to_id(written));
                rest = after.strip_prefix(b">").unwrap_or(after);
            }
            b'(' => match memchr(b')', after).filter(|_| !is_unclosed) {
                Some(end) => rest = &after[end + 1..],
                None => (is_unclosed, rest) = (true, after),
            },
            byte if is_separator(*byte) => rest = after,
            _ => {
                let end = rest.iter().position(|byte| is_separator(*byte) || *byte == b'<');
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                if memchr(b'@', word).is_some() {
                    ids.extend(to_id(word));
                }
                rest = after;
            }
        }
    }
    ids
}

/// The first 10 and the last 40 ids, and whether any had to go (M-04).
pub fn keep_ends(mut ids: Vec<MessageId>) -> (Vec<MessageId>, Cut) {
    if ids.len() <= REFERENCES {
        return (ids, Cut::No);
    }
    ids.drain(FIRST_REFERENCES..ids.len() - LAST_REFERENCES);
    (ids, Cut::Yes)
}

/// Whether something was cut at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    No,
    Yes,
}

fn to_id(written: &[u8]) -> Option<MessageId> {
    std::str::from_utf8(written).ok().and_then(MessageId::parse)
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'>' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_46_ids_are_read_however_they_are_separated() {
        for (raw, ids) in [
            ("<a@b>", &["a@b"][..]),
            ("\t<a@b>", &["a@b"]),
            ("a@b", &["a@b"]),
            ("no-at-sign", &["no-at-sign"]),
            ("<no-at-sign>", &["no-at-sign"]),
            ("<a@b> <c@d>", &["a@b", "c@d"]),
            ("<a@b>,<c@d>\r\n\t<e@f>", &["a@b", "c@d", "e@f"]),
            ("<a@b><c@d>", &["a@b", "c@d"]),
            ("a@b c@d", &["a@b", "c@d"]),
            ("<a@b> (a comment) <c@d>", &["a@b", "c@d"]),
            ("Your message of \"Mon, 2 Mar\" <a@b>", &["a@b"]),
            ("<a b@c> <>", &[]),
            ("<ab> <c@d", &["c@d"]),
            ("(open <a@b>", &["a@b"]),
            ("", &[]),
        ] {
            let got = read_ids(raw.as_bytes());
            assert_eq!(got.iter().map(MessageId::as_str).collect::<Vec<_>>(), ids, "{raw}");
        }
        assert!(MessageId::parse(&"a".repeat(998)).is_some());
        assert!(MessageId::parse(&"a".repeat(999)).is_none());
    }

    #[test]
    fn m_04_the_first_10_and_the_last_40_references_are_kept() {
        let ids = |count: usize| (0..count).map(|n| format!("<{n:03}@x>")).collect::<String>();
        for (count, cut) in [(49, Cut::No), (50, Cut::No), (51, Cut::Yes)] {
            let (kept, was_cut) = keep_ends(read_ids(ids(count).as_bytes()));
            assert_eq!((kept.len(), was_cut), (count.min(50), cut));
        }
        let (kept, _) = keep_ends(read_ids(ids(100).as_bytes()));
        assert_eq!((kept[9].as_str(), kept[10].as_str()), ("009@x", "060@x"));
    }
}
