//! Finds in a text what may be a secret of ours: links, bare tokens, temporary passwords. One pass
//! for each; whether something is a secret, only the store knows.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::mail::transfer::hex_pair;

/// 32 bytes in base64url without padding.
const TOKEN: usize = 43;
/// The characters of a temporary password.
const PASSWORD: usize = 16;
/// What an undecoded `%20` or `=3D` adds to a password at most.
const GLUED: usize = 4;

/// What stands before the token in a link of ours. Scanners that wrap a link into one of their own
/// encode its slashes, some more than once; Proofpoint writes `_` for them, and HTML a character
/// reference.
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    let slash = r"(?:(?:\\?/|%(?:25){0,3}2f|&#0{0,4}47;|&#x0{0,4}2f;){1,3}|_)";
    Regex::new(&format!("(?i-u)portal{slash}(?:activate|confirm){slash}"))
        .expect("the pattern is good")
});

/// Something that may be a secret.
pub struct Suspect {
    pub sign: Sign,
    /// Where it stands: mail programs break long lines and put quote marks before the rest.
    pub pieces: Vec<Range<usize>>,
    /// As it was before anybody rewrote it.
    pub secret: Vec<u8>,
}

/// How much it looks like a secret: the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// It stands in a link of ours.
    Link,
    /// A word of its length.
    Word,
    /// The beginning or the end of a longer word.
    End,
}

/// The tokens of links.
pub fn links(text: &[u8]) -> impl Iterator<Item = Suspect> + '_ {
    LINK.find_iter(text).filter_map(|link| token(text, link.end(), text[link.end() - 1] == b'_'))
}

/// Bare tokens and temporary passwords.
pub fn words(text: &[u8]) -> impl Iterator<Item = Suspect> + '_ {
    let long = runs(text, is_of_token).filter(|run| run.len() >= PASSWORD);
    long.flat_map(|run| {
        let word = &text[run.clone()];
        let tokens = ends(run.clone(), TOKEN, usize::MAX);
        let tokens = tokens.map(|(sign, at)| {
            let secret = text[at.clone()].to_vec();
            Suspect { sign, pieces: vec![at], secret }
        });
        let passwords = runs(word, |byte| byte.is_ascii_alphanumeric()).flat_map(move |inner| {
            ends(run.start + inner.start..run.start + inner.end, PASSWORD, PASSWORD + GLUED)
        });
        let passwords = passwords.filter_map(|(sign, at)| {
            // Telephones begin a line with a capital.
            let secret = text[at.clone()].to_ascii_lowercase();
            let is_one = secret.iter().all(|byte| !matches!(byte, b'0' | b'1' | b'l' | b'o'));
            is_one.then(|| Suspect { sign, pieces: vec![at], secret })
        });
        tokens.chain(passwords).collect::<Vec<_>>()
    })
}

/// The longest stretches of such bytes.
fn runs(text: &[u8], is_in: fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].iter().position(|byte| is_in(*byte))?;
        let length = text[start..].iter().position(|byte| !is_in(*byte));
        at = length.map_or(text.len(), |length| start + length);
        Some(start..at)
    })
}

/// The whole of a run of this length; of one that is longer, but not beyond `most`, both ends.
fn ends(
    run: Range<usize>,
    length: usize,
    most: usize,
) -> impl Iterator<Item = (Sign, Range<usize>)> {
    let found = match run.len() {
        n if n == length => vec![(Sign::Word, run)],
        n if n > length && n <= most => {
            vec![(Sign::End, run.end - length..run.end), (Sign::End, run.start..run.start + length)]
        }
        _ => Vec::new(),
    };
    found.into_iter()
}

fn token(text: &[u8], start: usize, is_underscored: bool) -> Option<Suspect> {
    let (mut pieces, mut secret) = (Vec::new(), Vec::with_capacity(TOKEN));
    let (mut at, mut from) = (start, start);
    while secret.len() < TOKEN {
        if let Some((byte, length)) = letter(&text[at..], is_underscored) {
            secret.push(byte);
            at += length;
            continue;
        }
        let gap = line_break(&text[at..]).filter(|_| at > from)?;
        pieces.push(from..at);
        at += gap;
        from = at;
    }
    pieces.push(from..at);
    Some(Suspect { sign: Sign::Link, pieces, secret })
}

/// A character of a token, and how many bytes stand for it.
fn letter(text: &[u8], is_underscored: bool) -> Option<(u8, usize)> {
    let first = *text.first()?;
    let rewritten = |at: usize| {
        let byte = hex_pair(text.get(at..)?).filter(|byte| is_of_token(*byte))?;
        Some((byte, at + 2))
    };
    match first {
        b'%' => {
            let again = text[1..].chunks(2).take(3).take_while(|pair| *pair == b"25").count();
            rewritten(1 + 2 * again)
        }
        // There `-2D` is a hyphen, `-5F` an underscore, and an underscore a slash.
        b'-' if is_underscored => rewritten(1),
        b'_' if is_underscored => None,
        _ => is_of_token(first).then_some((first, 1)),
    }
}

/// The length of a line break with the quote marks after it, if one is here; be it a soft one of a
/// source that somebody pasted.
fn line_break(bytes: &[u8]) -> Option<usize> {
    let soft = usize::from(bytes.starts_with(b"="));
    let first = soft + usize::from(bytes[soft..].starts_with(b"\r"));
    (bytes.get(first) == Some(&b'\n')).then(|| {
        let marks =
            bytes[first + 1..].iter().take_while(|byte| matches!(byte, b'>' | b' ')).count();
        first + 1 + marks
    })
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}
