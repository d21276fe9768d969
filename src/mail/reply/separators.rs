//! Recognises the line that clients put above an older message (6.2 F and O): a phrase between
//! dashes, or a sentence with a colon at its end.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::lines::BoundaryKind;
use super::words::locales;

const LEAST_BYTES: usize = 6;
const MOST_BYTES: usize = 240;
/// The characters of a frame on each side of the phrase.
const LEAST_FRAME: usize = 2;

/// Whether the line is a separator, and of what.
pub(super) fn separator(line: &str) -> Option<BoundaryKind> {
    let line = line.trim().trim_matches(['*', ' ']);
    if line.len() < LEAST_BYTES || line.len() > MOST_BYTES {
        return None;
    }
    let framed = framed(line);
    let is_sentence = framed.is_none() && line.ends_with([':', '：']);
    if framed.is_none() && !is_sentence {
        return None;
    }
    let phrase = framed.unwrap_or(line).replace('：', ":").replace('’', "'").to_lowercase();
    // "Début du message transféré :" is written with and without the space.
    let (phrase, ends_with_colon) = match phrase.trim().strip_suffix(':') {
        Some(phrase) => (phrase.trim_end(), true),
        None => (phrase.trim(), false),
    };
    if let Some(found) = PHRASES.get(phrase)
        && (found.stands_alone && ends_with_colon || framed.is_some())
    {
        return Some(found.kind);
    }
    framed?;
    // `Forwarded by Ann/Desk on 03/02/2026 10:05`, `Forwarded message from ann@desk.example`.
    let told = phrase.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '>' | ')'))
        || phrase.contains('@');
    let (_, found) = PHRASES.iter().find(|(begin, _)| {
        told && phrase.strip_prefix(**begin).is_some_and(|rest| rest.starts_with(' '))
    })?;
    Some(found.kind)
}

/// Whether the line is words between two rows of dashes.
pub(super) fn is_framed(line: &str) -> bool {
    let line = line.trim();
    line.len() <= MOST_BYTES && framed(line).is_some()
}

/// What stands between two rows of dashes, or of `=` as Zoho draws them.
fn framed(line: &str) -> Option<&str> {
    let is_frame = |c: char| matches!(c, '-' | '=' | '_' | '\u{2010}'..='\u{2015}' | '\u{2500}');
    let length = |side: &str| side.chars().filter(|&c| is_frame(c)).count();
    let inner = line.trim_start_matches(is_frame);
    let left = &line[..line.len() - inner.len()];
    let phrase = inner.trim_end_matches(is_frame);
    let right = &inner[phrase.len()..];
    let is_framed = length(left) >= LEAST_FRAME && length(right) >= LEAST_FRAME;
    // QQ writes its spaces as entities even in plain text.
    let phrase = phrase.trim_start_matches("&nbsp;").trim_end_matches("&nbsp;").trim();
    (is_framed && !phrase.is_empty()).then_some(phrase)
}

struct Phrase {
    kind: BoundaryKind,
    /// Needs no frame when it ends with a colon.
    stands_alone: bool,
}

static PHRASES: LazyLock<HashMap<&str, Phrase>> = LazyLock::new(|| {
    let mut phrases = HashMap::new();
    for locale in locales() {
        let kinds =
            [(locale.forward, BoundaryKind::Forward), (locale.original, BoundaryKind::Original)];
        for (words, kind) in kinds {
            for word in words {
                let bare = word.strip_suffix(':').map(str::trim_end);
                let phrase = Phrase { kind, stands_alone: bare.is_some() };
                let known: &mut Phrase = phrases.entry(bare.unwrap_or(word)).or_insert(phrase);
                known.stands_alone |= bare.is_some();
            }
        }
    }
    phrases
});
