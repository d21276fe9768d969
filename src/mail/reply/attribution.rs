//! Recognises the line a client writes above a quote (M-93): `On DATE, NAME <ADDRESS> wrote:`, in
//! any language, wrapped over one to four lines. Only lines that end like one are looked at; a
//! window is read once, forward.

mod reading;

use reading::{Reading, Search, Start, Where, verb_in};

use super::dates::{has_day_month_year, has_time, has_year};
use super::headers::has_address;
use super::lines::Class;

/// How sure it is that a client wrote the line, not a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    Strong,
    /// Counts only above a quoted line.
    Weak,
}

/// Over how many lines an attribution may be wrapped.
pub(super) const MOST_WINDOW: usize = 4;
const MOST_CHARS: usize = 400;
const MOST_NAME_CHARS: usize = 80;
const MOST_NAME_WORDS: usize = 5;

/// The attribution whose last line is `n`: its first line, none before `free`. The latest start
/// wins of those that begin best ([`Start`]).
pub(super) fn ending_at(
    text: &[&str],
    class: &[Class],
    n: usize,
    free: usize,
) -> Option<(usize, Certainty)> {
    let lines = window(text, class, n, free)?;
    let quote_below = (n + 1..text.len())
        .find(|&line| class[line] != Class::Empty)
        .is_some_and(|line| class[line] == Class::Quote);

    let mut best: Option<(usize, Reading)> = None;
    let mut joined = String::new();
    for (count, &start) in lines.iter().enumerate() {
        joined = join(text[start], &joined);
        if joined.chars().nth(MOST_CHARS).is_some() {
            break;
        }
        // A sentence that ends on an earlier line is somebody's own.
        if count > 0 && ends_sentence(text[start]) {
            break;
        }
        let Some(read) = Reading::of(&joined, Search::Dated) else { continue };
        if !read.is_strong(quote_below) {
            continue;
        }
        // `at 10:05, NAME wrote:` may be the rest of `On DATE`; a start with the day is better.
        if best.as_ref().is_none_or(|(_, known)| read.start > known.start) {
            let is_whole = read.start == Start::Prefix;
            best = Some((count, read));
            if is_whole {
                break;
            }
        }
    }
    if let Some((count, read)) = best {
        return Some((with_name(text, &lines, count, &read), Certainty::Strong));
    }
    if !quote_below || class[n] != Class::Text {
        return None;
    }
    let last = Reading::of(text[n], Search::Always)?;
    last.is_weak().then_some((n, Certainty::Weak))
}

/// Whether one of the lines, or up to four of them together, is a strong attribution.
pub(super) fn is_within(content: &[&str]) -> bool {
    let class: Vec<Class> = content
        .iter()
        .map(|line| if line.trim().is_empty() { Class::Empty } else { Class::Text })
        .collect();
    (0..content.len()).any(|n| {
        class[n] == Class::Text
            && matches!(ending_at(content, &class, n, 0), Some((_, Certainty::Strong)))
    })
}

/// Whether the lines together say what only a client says: when, who, from which address, wrote.
pub(super) fn is_whole(lines: &[&str]) -> bool {
    let joined = lines.iter().rev().fold(String::new(), |below, line| join(line, &below));
    joined.len() <= MOST_CHARS
        && Reading::of(&joined, Search::Dated).is_some_and(|read| read.is_client_line())
}

/// Whether a line behind three quote marks is an attribution, be it that three more end it.
pub(super) fn is_marked(line: &str) -> bool {
    let line = line.trim_end();
    let read =
        |line: &str| Reading::of(line, Search::Dated).is_some_and(|read| read.is_strong(false));
    match line.strip_suffix(">>>") {
        Some(inner) => inner.len() <= MOST_CHARS && has_time(inner) && has_day_month_year(inner),
        None => line.len() <= MOST_CHARS && read(line),
    }
}

/// Whether a paragraph of its own is an attribution without an address or colon: `Posted by NAME on
/// DATE`, and Gmail's `2026-03-02 10:05 GMT+01:00 NAME` whose address a list has hidden.
pub(super) fn is_alone(line: &str) -> bool {
    let line = line.trim();
    if line.len() > MOST_CHARS {
        return false;
    }
    if let Some(posted) = line.strip_prefix("Posted by ") {
        return posted.rsplit_once(" on ").is_some_and(|(name, date)| {
            is_name(name) && date.len() <= 40 && (has_day_month_year(date) || has_year(date))
        });
    }
    let Some((date, name)) = line.split_once(" GMT") else { return false };
    let Some((offset, name)) = name.split_once(' ') else { return false };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_alphabetic() && !c.is_lowercase())
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '-' | '\'' | '’'))
    };
    date.len() == "2026-03-02 10:05".len()
        && has_day_month_year(date)
        && has_time(date)
        && offset.starts_with(['+', '-'])
        && has_time(offset)
        && name.split(' ').count() <= MOST_NAME_WORDS
        && name.split(' ').all(is_word)
}

/// Whether the lines, none of them empty, end with a strong attribution.
pub(super) fn ends_with(lines: &[&str]) -> bool {
    let class = vec![Class::Text; lines.len()];
    let last = lines.len().checked_sub(1);
    last.is_some_and(|n| matches!(ending_at(lines, &class, n, 0), Some((_, Certainty::Strong))))
}

/// Where an attribution begins that shares its line with the reply before it: some mobile clients
/// forget the line break.
pub(super) fn shared_line(line: &str) -> Option<usize> {
    if !line.trim_end().ends_with(':') || line.len() > MOST_CHARS {
        return None;
    }
    let on = line.rfind("On ").filter(|&at| at > 0 && line[..at].ends_with([' ', '-']))?;
    let at = line[..on].trim_end_matches([' ', '-']).len();
    let words = line[..at].trim_start_matches(['>', ' ']);
    let read = Reading::of(&line[on..], Search::Dated)?;
    (!words.is_empty() && !line.starts_with('>') && read.is_client_line()).then_some(at)
}

/// The lines that may belong to one attribution, the last first. One empty line may stand before a
/// continuation that begins with `<`.
fn window(text: &[&str], class: &[Class], n: usize, free: usize) -> Option<Vec<usize>> {
    match class[n] {
        Class::Text if is_end(text[n]) => {}
        // `> wrote:` closes an address, it quotes nothing.
        Class::Quote if is_closing(text[n]) && n > free && class[n - 1] == Class::Text => {}
        _ => return None,
    }
    let mut lines = vec![n];
    let mut line = n;
    while lines.len() < MOST_WINDOW && line > free {
        line -= 1;
        match class[line] {
            Class::Text => lines.push(line),
            Class::Empty
                if line > free
                    && class[line - 1] == Class::Text
                    && text[line + 1].trim_start().starts_with('<') => {}
            _ => break,
        }
    }
    Some(lines)
}

/// A cheap look at how the line ends.
fn is_end(line: &str) -> bool {
    let line = line.trim_end_matches(['*', ' ', '\t', '_']);
    if line.len() > 4 * MOST_CHARS {
        return false;
    }
    match line.as_bytes().last() {
        Some(b':' | b'>') => true,
        Some(b'-') => line.ends_with("--"),
        _ => line.ends_with('：'),
    }
}

fn is_closing(line: &str) -> bool {
    let Some(rest) = line.trim().strip_prefix('>') else { return false };
    let rest = rest.trim_start_matches(['>', ' ']);
    rest.len() <= 60
        && rest.ends_with([':', '：'])
        && (rest.len() <= 3 || verb_in(&rest.to_lowercase()).is_some())
}

fn join(upper: &str, lower: &str) -> String {
    let mut joined = String::with_capacity(upper.len() + lower.len() + 1);
    joined.push_str(upper.trim());
    if !lower.is_empty() {
        joined.push(' ');
        joined.push_str(lower);
    }
    joined
}

/// A full stop after a long word. After a short one it may be a month or a day (`28.`, `janv.`).
fn ends_sentence(line: &str) -> bool {
    let line = line.trim_end();
    if line.ends_with(['!', '?', '。']) {
        return true;
    }
    let Some(line) = line.strip_suffix('.') else { return false };
    let is_date = line.split_whitespace().count() <= 4 && line.bytes().any(|b| b.is_ascii_digit());
    let word = line.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    word.chars().count() > 5 && !is_date
}

/// `<address> wrote:` may have the name on the line above, `wrote on DATE:` both name and address.
fn with_name(text: &[&str], lines: &[usize], count: usize, read: &Reading) -> usize {
    let mut start = lines[count];
    let mut above = lines[count + 1..].iter().copied();
    if read.lacks_sender
        && let Some(line) = above.next()
    {
        if !is_name(text[line]) {
            return start;
        }
        start = line;
    }
    if read.address == Where::Nowhere
        && !read.lacks_sender
        && let Some(line) = above.clone().next()
        && has_address(text[line])
        && text[line].contains('<')
        && is_name(text[line])
    {
        above.next();
        start = line;
    }
    if text[start].trim_start().starts_with('<')
        && let Some(line) = above.next().filter(|&line| is_name(text[line]))
    {
        start = line;
    }
    start
}

/// Whether the line may be a name, with an address or not: short, and nothing that a sentence ends
/// with.
fn is_name(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() <= MOST_NAME_CHARS
        && line.split_whitespace().count() <= MOST_NAME_WORDS
        && !line.trim_end_matches(">,").ends_with(['.', '!', '?', ',', ':', ';'])
}
