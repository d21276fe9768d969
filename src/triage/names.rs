//! Makes a person's name from their address, or from the name beside it (mail.md section 3). A name
//! is plain text everywhere: never a link, never expanded in a template.

use unicode_normalization::UnicodeNormalization;

use super::policy::{NameFrom, NamePolicy, NoSplit, UserPolicy};
use crate::mail::address::PlusTag;
use crate::mail::{Address, AddressKey};

/// Characters kept of each of the two names (M-49).
pub const NAME_LIMIT: usize = 64;

/// Characters of a display name that are looked at (M-52).
const HEADER_LIMIT: usize = 128;

/// Words that stay with the first name (M-52), without their dot.
const TITLES: &[&str] = &["dr", "prof", "mr", "mrs", "ms", "herr", "frau", "mme"];

/// A first and a last name; either may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub first: String,
    pub last: String,
    pub source: NameSource,
}

/// What a name was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameSource {
    /// The local part (M-47): the name is `derived`.
    Address,
    /// The `[[agent]]` of the address.
    Agent,
    /// The display name (M-52).
    Header,
    /// There was nothing to make a name from.
    #[default]
    Nothing,
}

impl NameSource {
    /// The word of `user.name_from`; `None` when there is no name.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            NameSource::Address => Some("address"),
            NameSource::Agent => Some("agent"),
            NameSource::Header => Some("header"),
            NameSource::Nothing => None,
        }
    }
}

/// Names the owner of `address`, beside which `header` stood (M-47…M-52).
pub fn name(address: &Address, header: Option<&str>, policy: &UserPolicy) -> Name {
    let plus_tag = plus_tag(policy);
    let from_header = || header.and_then(|written| from_header(written, address));
    match policy.name_from {
        NameFrom::Address => from_address(address, plus_tag, &policy.names),
        NameFrom::Header => from_header().unwrap_or_default(),
        NameFrom::HeaderThenAddress => {
            from_header().unwrap_or_else(|| from_address(address, plus_tag, &policy.names))
        }
    }
}

/// Whether a `+tag` belongs to the person, by `users.strip_plus_tag`.
pub fn plus_tag(policy: &UserPolicy) -> PlusTag {
    if policy.strip_plus_tag { PlusTag::Strip } else { PlusTag::Keep }
}

/// What is shown for a person (M-50): both names, or the address when there is neither.
pub fn display(first: &str, last: &str, address: &str) -> String {
    match (first.is_empty(), last.is_empty()) {
        (true, true) => address.to_owned(),
        (true, false) => last.to_owned(),
        (false, true) => first.to_owned(),
        (false, false) => format!("{first} {last}"),
    }
}

/// The local part of a match key.
pub fn local_of(key: &AddressKey) -> &str {
    key.as_str().rsplit_once('@').map_or(key.as_str(), |(local, _)| local)
}

/// M-47, M-48: the local part, split at the first separator.
pub fn from_address(address: &Address, plus_tag: PlusTag, policy: &NamePolicy) -> Name {
    let key = address.key(plus_tag);
    let local: String = local_of(&key).nfc().filter(|c| !is_unwanted(*c) && *c != '"').collect();
    let Some((first, last)) = split(&local, &policy.split_on) else {
        return Name::default();
    };
    let last = match (last, policy.no_split) {
        (Some(last), _) => last,
        (None, NoSplit::Blank) => String::new(),
        (None, NoSplit::Repeat) => first.clone(),
    };
    Name { first: capitals(&first), last: capitals(&last), source: NameSource::Address }
}

/// M-52: the display name, or `None` when it is of no use.
pub fn from_header(written: &str, address: &Address) -> Option<Name> {
    let cleaned = cleaned(written);
    let text = without_note(unquoted(&cleaned));
    let useful = !text.contains('@')
        && text.chars().any(char::is_alphabetic)
        && text.to_lowercase() != address.local().to_lowercase();
    if !useful {
        return None;
    }
    let (first, last) = header_parts(text);
    Some(Name { first: cut(&first), last: cut(&last), source: NameSource::Header })
}

/// The first word and the rest, both without separators; `None` when nothing is left.
fn split(text: &str, separators: &str) -> Option<(String, Option<String>)> {
    let mut words = text.split(|c| separators.contains(c)).filter(|word| !word.is_empty());
    let first = words.next()?.to_owned();
    let rest: Vec<&str> = words.collect();
    let last = (!rest.is_empty()).then(|| rest.join(" "));
    Some((first, last))
}

fn header_parts(text: &str) -> (String, String) {
    let mut sides = text.split(',').map(str::trim);
    if let (Some(last), Some(first), None) = (sides.next(), sides.next(), sides.next())
        && !last.is_empty()
        && !first.is_empty()
    {
        return (first.to_owned(), last.to_owned());
    }
    let text = text.trim_matches(|c: char| c == ',' || c.is_whitespace());
    let Some(_) = text.find(' ') else {
        return match split(&text.to_lowercase(), ".") {
            Some((first, Some(last))) => (capitals(&first), capitals(&last)),
            _ => (text.to_owned(), String::new()),
        };
    };
    // Titles stay with the first name: the split is at the first space after them.
    let mut from = 0;
    for word in text.split(' ') {
        let end = from + word.len();
        if !is_title(word) {
            let (first, last) = text.split_at(end);
            return (first.to_owned(), last.trim_start().to_owned());
        }
        from = end + 1;
    }
    (text.to_owned(), String::new())
}

fn is_title(word: &str) -> bool {
    // An M without its dot is an initial.
    word.eq_ignore_ascii_case("m.")
        || TITLES.iter().any(|title| word.trim_end_matches('.').eq_ignore_ascii_case(title))
}

/// NFC, no controls, single spaces, at most 128 characters.
fn cleaned(written: &str) -> String {
    let mut text = String::with_capacity(written.len().min(HEADER_LIMIT * 4));
    let mut count = 0;
    for c in written.nfc() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if is_unwanted(c) || (c == ' ' && (text.is_empty() || text.ends_with(' '))) {
            continue;
        }
        text.push(c);
        count += 1;
        if count == HEADER_LIMIT {
            break;
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Cuts the quotes that enclose the whole.
fn unquoted(text: &str) -> &str {
    const QUOTES: [(char, char); 5] =
        [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('«', '»')];
    let mut text = text.trim();
    while let Some(inner) = QUOTES.iter().find_map(|(open, close)| {
        text.strip_prefix(*open).and_then(|rest| rest.strip_suffix(*close))
    }) {
        text = inner.trim();
    }
    text
}

/// Cuts one `(…)` or `[…]` at the end, unless nothing else is there.
fn without_note(text: &str) -> &str {
    let open = match text.chars().last() {
        Some(')') => '(',
        Some(']') => '[',
        _ => return text,
    };
    match text.rfind(open) {
        Some(at) if at > 0 => text[..at].trim_end(),
        _ => text,
    }
}

/// M-49. `text` is in lower case where it has case.
fn capitals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters_in_word = 0;
    let mut starts = true;
    for (at, c) in text.char_indices() {
        out.push(if starts { upper(c) } else { c });
        starts = match c {
            ' ' => {
                letters_in_word = 0;
                true
            }
            '-' => true,
            '\'' | '’' => {
                let mut after = text[at + c.len_utf8()..].chars();
                letters_in_word == 1
                    && after.next().is_some_and(char::is_alphabetic)
                    && after.next().is_some_and(char::is_alphabetic)
            }
            _ => false,
        };
        if c.is_alphabetic() {
            letters_in_word += 1;
        }
    }
    cut(&out)
}

/// The capital of `c`, unless that is more than one character (`ß`).
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(capital), None) if c.is_alphabetic() => capital,
        _ => c,
    }
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(NAME_LIMIT) {
        Some((end, _)) => name[..end].trim_end().to_owned(),
        None => name.to_owned(),
    }
}

/// Controls, and marks that turn or hide text (T-13, T-56). The joiners stay: Persian names need
/// them.
fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
