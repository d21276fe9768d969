//! Finds what the ticket already holds: our own marks (M-90) and lines of its earlier messages
//! (M-91). A person's paragraph between known ones is never folded: one unknown paragraph ends it.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::lines::{Class, Lines};

/// Shorter lines stand in every mail and prove nothing.
const LEAST_CHARS: usize = 20;
/// How far the cut moves up over attributions, header lines and empty lines.
const MOST_ABOVE: usize = 6;

/// The hash of a line for [`Context::known`](super::Context): quote marks removed, spaces
/// collapsed, lower case; none for a line under 20 characters (M-91). Stable over versions: it is
/// the start of a SHA-256.
pub fn known_line(line: &str) -> Option<u64> {
    let line = line.trim_start_matches(['>', '|', ' ', '\t']);
    let mut words = String::with_capacity(line.len());
    for word in line.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(word.chars().flat_map(char::to_lowercase));
    }
    words.chars().nth(LEAST_CHARS - 1)?;
    let hash = Sha256::digest(words.as_bytes());
    let first: [u8; 8] = hash[..8].try_into().expect("a SHA-256 has more than 8 bytes");
    Some(u64::from_be_bytes(first))
}

/// The line from which on all is one of ours, by one of our marks (M-90). A mark inside a quote
/// with an answer below it does not count: the quote rules find the answer.
pub(super) fn marked(lines: &Lines<'_>, marks: &[String]) -> Option<usize> {
    if marks.is_empty() {
        return None;
    }
    let at = (0..lines.len())
        .find(|&n| marks.iter().any(|mark| !mark.is_empty() && lines.text[n].contains(mark)))?;
    let answered = (at + 1..lines.len()).any(|n| lines.is_text(n));
    let quoted = lines.class[at] == Class::Quote;
    (!(quoted && answered)).then(|| with_attribution(lines, at))
}

/// The line from which on the text is known (M-91): walking up by paragraphs, each of which begins
/// and ends with a known line or holds only lines too short to tell; at least 80 % of the others
/// are known.
pub(super) fn known_from(lines: &Lines<'_>, known: &HashSet<u64>) -> Option<usize> {
    if known.is_empty() {
        return None;
    }
    let mut start = None;
    let (mut familiar, mut strange) = (0_usize, 0_usize);
    let mut end = lines.len();
    while end > 0 {
        let first = paragraph(lines, end);
        let mut top = None;
        let mut between = 0;
        for n in (first..end).rev() {
            if lines.class[n] == Class::Quote {
                return start;
            }
            match known_line(lines.text[n]) {
                Some(hash) if known.contains(&hash) => {
                    familiar += 1;
                    strange += std::mem::take(&mut between);
                    top = Some(n);
                }
                // Below the last known line somebody answers.
                Some(_) if top.is_none() => return start,
                Some(_) => between += 1,
                None => {}
            }
        }
        if let Some(top) = top {
            if familiar * 5 >= (familiar + strange) * 4 {
                start = Some(with_attribution(lines, top));
            }
            if between > 0 {
                return start;
            }
        }
        end = first.saturating_sub(1);
    }
    start
}

/// The first line of the paragraph whose last line is before `end`; `end` itself when that is
/// empty.
fn paragraph(lines: &Lines<'_>, end: usize) -> usize {
    let mut first = end;
    while first > 0 && lines.class[first - 1] != Class::Empty {
        first -= 1;
    }
    first
}

/// Moves up over the attribution or header that introduces the line, and the empty lines between.
fn with_attribution(lines: &Lines<'_>, line: usize) -> usize {
    lines
        .boundaries
        .iter()
        .rev()
        .find(|boundary| boundary.end <= line)
        .filter(|boundary| {
            line - boundary.end <= MOST_ABOVE
                && (boundary.end..line).all(|n| lines.class[n] == Class::Empty)
        })
        .map_or(line, |boundary| boundary.start)
}
