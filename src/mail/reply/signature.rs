//! Finds signatures (M-97), the footers of lists (M-96) and what is left of rules at the end
//! (M-98). Works on the lines still kept, from the last one up.

use super::Sender;
use super::lines::{Class, Lines};
use super::words::{DEVICE_JOINTS, DEVICE_NOUNS, DEVICES, POSSESSIVES, locales};

/// What ends a text, from which of its kept lines on, and why.
pub(super) struct Tail {
    /// An index into the kept lines.
    pub from: usize,
    pub is_footer: bool,
    pub rule: &'static str,
}

const MOST_SIGNATURE_LINES: usize = 11;
const MOST_SIGNATURE_CHARS: usize = 100;
const MOST_FOOTER_LINES: usize = 6;
const MOST_MOBILE_CHARS: usize = 160;
const MOST_DEVICE_WORDS: usize = 6;

/// The signature or footer that ends the kept lines, if any. `blocked(line)` tells the lines that
/// no signature may reach over.
pub(super) fn ending(
    lines: &Lines<'_>,
    kept: &[usize],
    sender: &Sender,
    blocked: &dyn Fn(usize) -> bool,
) -> Option<Tail> {
    let end = kept.iter().rposition(|&n| lines.class[n] != Class::Empty)? + 1;
    let kept = &kept[..end];
    let tail = footer(lines, kept, blocked)
        .or_else(|| delimited(lines, kept, blocked))
        .or_else(|| mobile(lines, kept, blocked))
        .or_else(|| name(lines, kept, sender, blocked))?;
    let has_text_above = kept[..tail.from].iter().any(|&n| lines.class[n] != Class::Empty);
    has_text_above.then_some(tail)
}

/// The kept lines that count before M-98: rules and empty lines at the end go.
pub(super) fn without_rules(lines: &Lines<'_>, kept: &[usize]) -> usize {
    let is_rest = |&n: &usize| {
        lines.class[n] != Class::Quote
            && lines.text[n].chars().all(|c| {
                c.is_whitespace() || matches!(c, '-' | '_' | ',' | '=' | '+' | '~' | '#' | '*')
                    // U+1427 is the mark a mail tracker for Gmail leaves behind.
                    || matches!(c, '—' | '–' | 'ᐧ')
            })
    };
    kept.iter().rposition(|n| !is_rest(n)).map_or(0, |last| last + 1)
}

/// A line of underscores with few lines below it, or a line that tells how to unsubscribe (M-96).
/// With a second such line near above them, underscores are the layout of a text.
fn footer(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let (mut below, mut unsubscribe, mut rule) = (0, None, None);
    for (at, &n) in kept.iter().enumerate().rev() {
        if lines.class[n] == Class::Empty {
            continue;
        }
        if blocked(n) || !lines.is_text(n) || below > 2 * MOST_FOOTER_LINES + 1 {
            break;
        }
        let line = lines.text[n].trim();
        if line.len() >= 7 && line.bytes().all(|b| b == b'_') {
            rule = Some((at, below));
        }
        if below < 3 && is_unsubscribe(line) {
            unsubscribe = Some(at);
        }
        below += 1;
    }
    rule.filter(|(_, below)| *below <= MOST_FOOTER_LINES)
        .map(|(at, _)| at)
        .or(unsubscribe)
        .map(|from| Tail { from, is_footer: true, rule: "M-96" })
}

/// `Unsubscribe: https://…`, as a list writes it; a person asks without a link or in a sentence.
fn is_unsubscribe(line: &str) -> bool {
    if !line.contains("://") && !line.contains('@') || line.len() > 300 {
        return false;
    }
    let lower = line.to_lowercase();
    [
        "unsubscribe",
        "to unsubscribe",
        "se désabonner",
        "pour vous désabonner",
        "abmelden",
        "um sich",
    ]
    .iter()
    .any(|start| lower.starts_with(start))
        && (lower.contains("nsubscribe") || lower.contains("abm") || lower.contains("désabonner"))
}

/// `-- ` and the like, alone on a line (M-97).
fn delimited(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let mut below = 0;
    let mut from = None;
    for (at, &n) in kept.iter().enumerate().rev() {
        if blocked(n) || lines.class[n] == Class::Quote {
            break;
        }
        if is_delimiter(lines.text[n]) && lines.class[n] == Class::Text {
            // Two of them are a layout, not a signature, unless both fit into one.
            from = Some((at, below));
        }
        if lines.class[n] != Class::Empty {
            below += 1;
            if lines.text[n].trim().chars().nth(MOST_SIGNATURE_CHARS).is_some() {
                break;
            }
        }
        if below > 2 * MOST_SIGNATURE_LINES + 1 {
            break;
        }
    }
    from.filter(|(_, below)| *below <= MOST_SIGNATURE_LINES).map(|(from, _)| Tail {
        from,
        is_footer: false,
        rule: "M-97",
    })
}

fn is_delimiter(line: &str) -> bool {
    let line = line.trim_end();
    matches!(line, "--" | "—" | "__" | "–")
}

/// `Sent from my iPhone` among the last three lines (M-97).
fn mobile(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let mut seen = 0;
    for (at, &n) in kept.iter().enumerate().rev() {
        if lines.class[n] == Class::Empty {
            continue;
        }
        if blocked(n) || !lines.is_text(n) {
            return None;
        }
        if is_mobile(lines.text[n]) {
            return Some(Tail { from: at, is_footer: false, rule: "M-97" });
        }
        seen += 1;
        if seen == 3 {
            return None;
        }
    }
    None
}

/// Whether a mobile client wrote the line: the verb of some language, within six words a device or
/// client, and then no sentence of a person (`From my phone it works`).
pub(super) fn is_mobile(line: &str) -> bool {
    let line = line.trim().trim_matches(['*', '_']);
    if line.chars().nth(MOST_MOBILE_CHARS).is_some() {
        return false;
    }
    // A link behind the client's name is no word of the sentence.
    let line = line.split(['<', '(', '[']).next().unwrap_or_default().trim();
    let line = line.trim_matches(['.', '!', '-', ' ']);
    if line.contains('?') {
        return false;
    }
    let lower = line.to_lowercase();
    locales().flat_map(|locale| locale.mobile).any(|(begin, finish)| {
        let Some(rest) = lower.strip_prefix(begin) else { return false };
        let spaced = !begin.is_ascii() || begin.is_empty() || rest.starts_with([' ', ':']);
        if !spaced || !rest.contains(finish) {
            return false;
        }
        if !finish.is_ascii() {
            return DEVICES.iter().chain(DEVICE_NOUNS).any(|device| rest.contains(device));
        }
        let count = rest.split_whitespace().count();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(said) = words.len().checked_sub(count) else { return false };
        names_device(&words[said..], words[..said].last().copied().unwrap_or_default())
            && (begin.starts_with("from") && count <= 3 || !begin.starts_with("from"))
    })
}

/// Whether a device stands in the words behind the verb, and only its client behind it.
fn names_device(words: &[&str], verb: &str) -> bool {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let owned = std::iter::once(verb)
        .chain(words.iter().copied().take(2))
        .any(|word| POSSESSIVES.contains(&bare(word).as_str()));
    words.iter().take(MOST_DEVICE_WORDS).enumerate().any(|(at, word)| {
        let name = bare(word);
        let first = name.split('-').next().unwrap_or_default();
        // Finnish, Polish and others inflect even these: `iPhonesta`, `iPhone'a`.
        let is_name = DEVICES.iter().any(|device| {
            name == *device || first == *device || device.len() > 4 && name.starts_with(device)
        });
        let is_noun = DEVICE_NOUNS.contains(&name.as_str())
            && (owned
                || word.starts_with(char::is_uppercase)
                || (words.len() == at + 1 && words.len() == 1 && verb.ends_with("om")));
        if !(is_name || is_noun) {
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

/// The sender's own name alone on the last line (M-97).
fn name(
    lines: &Lines<'_>,
    kept: &[usize],
    sender: &Sender,
    blocked: &dyn Fn(usize) -> bool,
) -> Option<Tail> {
    let from = kept.len().checked_sub(1)?;
    let n = kept[from];
    let is_name =
        lines.class[n] == Class::Text && !blocked(n) && is_own_name(lines.text[n], sender);
    is_name.then_some(Tail { from, is_footer: false, rule: "M-97" })
}

fn is_own_name(line: &str, sender: &Sender) -> bool {
    if line.len() > 80 {
        return false;
    }
    let words = words_of(line);
    if words.is_empty() || words.len() > 5 {
        return false;
    }
    let local = sender.address.split('@').next().unwrap_or_default();
    let own: Vec<String> = words_of(&sender.name).into_iter().chain(words_of(local)).collect();
    words.iter().any(|word| word.chars().count() > 1) && words.iter().all(|word| own.contains(word))
}

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
