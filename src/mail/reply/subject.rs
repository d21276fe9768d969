//! Reads the prefixes of a subject (mail.md 6.2): `Re: `, `AW[2]: `, `WG: `.

use super::words::{FORWARD_PREFIXES, REPLY_PREFIXES};

/// The outermost prefix of a subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefix {
    Forward,
    #[default]
    None,
    /// `I:`, Italian for a forward, but also a plain letter: it counts only when the body holds a
    /// forwarded message.
    PerhapsForward,
    Reply,
}

/// The outermost prefix of the subject; tags in brackets before it (`[EXTERNAL] Re: …`) are passed
/// over.
pub fn subject_prefix(subject: &str) -> Prefix {
    let mut rest = subject.trim_start();
    while let Some(tagged) = rest.strip_prefix('[') {
        let Some((_, behind)) = tagged.split_once(']') else { break };
        rest = behind.trim_start();
    }
    first(rest).map_or(Prefix::None, |(prefix, _)| prefix)
}

/// The subject without the prefixes of answers before it.
pub fn without_reply_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim_start();
    while let Some((Prefix::Reply, behind)) = first(rest) {
        rest = behind.trim_start();
    }
    rest
}

/// The subject without the prefixes of forwards before it; tags in brackets before them stay.
pub fn without_forward_prefixes(subject: &str) -> String {
    let mut rest = subject.trim_start();
    while let Some(tagged) = rest.strip_prefix('[') {
        let Some((_, behind)) = tagged.split_once(']') else { break };
        rest = behind.trim_start();
    }
    let tags = &subject[..subject.len() - rest.len()];
    while let Some((Prefix::Forward | Prefix::PerhapsForward, behind)) = first(rest) {
        rest = behind.trim_start();
    }
    format!("{tags}{rest}").trim().to_owned()
}

/// The prefix a subject begins with, and what stands behind it.
fn first(subject: &str) -> Option<(Prefix, &str)> {
    let (word, behind) = colon(subject)?;
    let word = word.trim_end();
    let word = counted(word).unwrap_or(word);
    let word = word.to_lowercase();
    let prefix = if REPLY_PREFIXES.contains(&word.as_str()) {
        Prefix::Reply
    } else if FORWARD_PREFIXES.contains(&word.as_str()) {
        Prefix::Forward
    } else if word == "i" {
        Prefix::PerhapsForward
    } else {
        return None;
    };
    Some((prefix, behind))
}

/// The subject around its first colon, when that is near enough to end a prefix.
fn colon(subject: &str) -> Option<(&str, &str)> {
    let (at, colon) = subject.char_indices().take(20).find(|(_, c)| matches!(c, ':' | '：'))?;
    Some((&subject[..at], &subject[at + colon.len_utf8()..]))
}

/// The word without its counter, `[2]` or `(2)`.
fn counted(word: &str) -> Option<&str> {
    let (open, inner) = match word.as_bytes().last()? {
        b']' => ('[', &word[..word.len() - 1]),
        b')' => ('(', &word[..word.len() - 1]),
        _ => return None,
    };
    let (word, number) = inner.rsplit_once(open)?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| word.trim_end())
}
