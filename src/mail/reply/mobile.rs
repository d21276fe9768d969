//! Recognises the line that phones and web mailers add by themselves (6.2 M): `Sent from my
//! iPhone`. People write about sending and about their phones too (E-92): the line must name a
//! device or client and say no more.

use std::borrow::Cow;

use super::words::{
    DEVICE_JOINTS, DEVICE_NOUNS, DEVICES, INFLECTED_DEVICES, POSSESSIVES, SPACELESS_DEVICES,
    is_spaceless, locales,
};

const MOST_CHARS: usize = 160;
const MOST_WORDS_TO_DEVICE: usize = 6;
const MOST_STORE_WORDS: usize = 8;

/// Whether a mobile client wrote the line: the verb of some language, within six words a device or
/// client, and then no sentence of a person (`From my phone it works`).
pub(super) fn is_mobile(line: &str) -> bool {
    let line = line.trim().trim_matches(['*', '_']);
    if line.chars().nth(MOST_CHARS).is_some() {
        return false;
    }
    if is_store_line(line) {
        return true;
    }
    let line = without_link(line);
    let line = without_address(&line);
    // A link behind the client's name is no word of the sentence.
    let line = line.split(['<', '(', '[']).next().unwrap_or_default();
    let line = line.trim().trim_matches(['.', '!', '-', ' ', '。']);
    if line.contains('?') {
        return false;
    }
    let lower = line.to_lowercase();
    locales().flat_map(|locale| locale.mobile).any(|(begin, finish)| {
        let Some(rest) = lower.strip_prefix(begin) else { return false };
        if is_spaceless(begin) || is_spaceless(finish) {
            return rest.strip_suffix(finish).is_some_and(is_bare_device);
        }
        if begin.is_empty() {
            let words: Vec<&str> = rest.split_whitespace().collect();
            return rest.ends_with(finish) && words.len() <= 2 && is_device(&bare(words[0]));
        }
        if !rest.starts_with([' ', ':']) || !rest.contains(finish) {
            return false;
        }
        let count = rest.split_whitespace().count();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(said) = words.len().checked_sub(count) else { return false };
        names_device(&words[said..], words[..said].last().copied().unwrap_or_default())
            && (!begin.starts_with("from") || count <= 3)
    })
}

/// `[Outlook for iOS](https://…)` as its words.
fn without_link(line: &str) -> String {
    let link = line
        .split_once('[')
        .and_then(|(above, rest)| Some((above, rest.split_once("](")?)))
        .and_then(|(above, (words, rest))| Some((above, words, rest.split_once(')')?.1)));
    match link {
        Some((above, words, below)) => format!("{above}{words}{below}"),
        None => line.to_owned(),
    }
}

/// Outlook's line in any language: where to get it for what system, with Microsoft's own link.
fn is_store_line(line: &str) -> bool {
    let is_link = |word: &str| word.contains("://aka.ms/");
    if !is_link(line) {
        return false;
    }
    let lower = line.to_lowercase();
    let words: Vec<&str> =
        lower.split([' ', '<', '(', '[', ']']).filter(|word| !word.is_empty()).collect();
    let begins = |names: &[&str]| {
        words.iter().any(|word| !is_link(word) && names.iter().any(|name| word.starts_with(name)))
    };
    words.len() <= MOST_STORE_WORDS
        && words.iter().filter(|word| !is_link(word)).all(|word| !word.ends_with([':', ',', '.']))
        && begins(&["outlook"])
        && (begins(&["android", "ios"]) || words.contains(&"mac"))
}

/// `Outlook für iOS<https://…> beziehen` as its words.
fn without_address(line: &str) -> Cow<'_, str> {
    let link = line.split_once('<').and_then(|(above, rest)| Some((above, rest.split_once('>')?)));
    match link {
        Some((above, (address, below))) if address.contains("://") => {
            Cow::Owned(format!("{above}{below}"))
        }
        _ => Cow::Borrowed(line),
    }
}

/// In a script without spaces: a device and nothing around it that could be a sentence.
fn is_bare_device(inner: &str) -> bool {
    let inner = inner.trim().trim_start_matches("私の");
    let starts_well = DEVICES.iter().chain(SPACELESS_DEVICES).any(|name| inner.starts_with(name));
    let mut rest = inner.to_owned();
    for name in SPACELESS_DEVICES {
        rest = rest.replace(name, "");
    }
    starts_well && rest.is_ascii()
}

/// Whether a device stands in the words behind the verb, and only its client behind it.
fn names_device(words: &[&str], verb: &str) -> bool {
    let owned = std::iter::once(verb)
        .chain(words.iter().copied().take(2))
        .any(|word| bare(word).split('/').any(|word| POSSESSIVES.contains(&word)));
    words.iter().take(MOST_WORDS_TO_DEVICE).enumerate().any(|(at, word)| {
        let name = bare(word);
        let is_noun = DEVICE_NOUNS.contains(&name.as_str())
            && (owned
                || word.starts_with(char::is_uppercase)
                || (words.len() == at + 1 && words.len() == 1 && verb.ends_with("om")));
        if !(is_device(&name) || is_noun) {
            return false;
        }
        let breaks = word.ends_with([',', '.', ';', '!', '-', '–', '|']);
        let next = words.get(at + 1).copied().unwrap_or_default();
        breaks
            || next.is_empty()
            || next != "I" && next.starts_with(|c: char| !c.is_lowercase())
            || DEVICE_JOINTS.contains(&bare(next).as_str())
    })
}

/// Whether the word is a device or client by name. Finnish, Polish and others inflect even these:
/// `iPhonesta`, `iPhone'a`; German and Hebrew join them: `Samsung-Tablet`.
fn is_device(name: &str) -> bool {
    DEVICES.contains(&name)
        || name.split('-').any(|part| DEVICES.contains(&part))
        || INFLECTED_DEVICES.iter().any(|device| name.starts_with(device))
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}
