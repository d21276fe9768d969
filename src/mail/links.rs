//! Links, tokens and temporary passwords of ours in what people send us (M-87, T-22, T-26). Whoever
//! quotes or forwards one has shown it to others: it is revoked wherever it stands, and taken out of
//! what a ticket keeps and shows. Here is only found what may be one; the store knows which are.

mod scan;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use sha2::{Digest, Sha256};

use self::scan::{Sign, Suspect};
use super::Header;
use super::html::Mark;
use super::structure::{Part, Structure};
use super::transfer::{decode, decode_text};

const REDACTED: &str = "[redacted]";
/// The most hashes that are taken of a message: links go first, then words, in the order they stand.
pub const HASHES: usize = 200;
/// The largest file of no text's type that is looked into, encoded.
const SMALL: usize = 512 * 1024;

/// The hashes of what may be a secret of ours in a message, each once, as the store keeps them:
/// SHA-256 in lower-case hexadecimal; at most [`HASHES`]. Looks into every text and small file, since
/// a bounce or a forward brings our mail back attached, and into `text`, where what HTML spells out
/// is plain. Shows each text part, decoded, to `look`, so that nobody has to decode it again.
pub(super) fn in_message(
    structure: &Structure,
    headers: &[Header],
    text: &str,
    mut look: impl FnMut(usize, &[u8]),
) -> Vec<String> {
    let mut found = Hashes::default();
    for header in headers {
        found.add_links(header.value.as_bytes());
        if header.name.eq_ignore_ascii_case("subject") {
            found.add_words(header.value.as_bytes());
        }
    }
    found.add(text.as_bytes());
    for (n, part) in structure.parts.iter().enumerate().filter(|(_, part)| part.is_leaf()) {
        if is_text(part) {
            let decoded = decode_text(structure.bytes(part), part.encoding);
            found.add(&decoded);
            found.add_message(&decoded, part);
            look(n, &decoded);
        } else if is_small_file(structure, part) {
            let decoded = decode(structure.bytes(part), part.encoding);
            found.add(&decoded);
            found.add_message(&decoded, part);
        }
    }
    found.first()
}

fn is_text(part: &Part) -> bool {
    part.media_type().starts_with("text/") || part.media_type() == "message/rfc822"
}

// Programs that do not know what a file is call it so.
fn is_small_file(structure: &Structure, part: &Part) -> bool {
    let is_of_type = part.media_type() == "application/octet-stream"
        || part.media_type().starts_with("message/");
    is_of_type && structure.bytes(part).len() <= SMALL
}

/// Each with how much it looks like a secret, and in which place it was found.
#[derive(Default)]
struct Hashes(BTreeMap<Sign, (HashSet<String>, Vec<String>)>);

impl Hashes {
    fn add(&mut self, text: &[u8]) {
        self.add_links(text);
        self.add_words(text);
    }

    fn add_links(&mut self, text: &[u8]) {
        self.take(scan::links(text));
    }

    fn add_words(&mut self, text: &[u8]) {
        self.take(scan::words(text));
    }

    /// What is inside a message that its part did not say it was, one level deep.
    fn add_message(&mut self, decoded: &[u8], part: &Part) {
        if part.media_type().starts_with("text/") {
            return;
        }
        let Ok(inner) = Structure::read(decoded) else { return };
        if !inner.parts[0].fields.has("from") {
            return;
        }
        for part in inner.parts.iter().filter(|part| part.is_leaf() && is_text(part)) {
            self.add(&decode_text(inner.bytes(part), part.encoding));
        }
    }

    fn take(&mut self, suspects: impl Iterator<Item = Suspect>) {
        for suspect in suspects {
            let (known, in_order) = self.0.entry(suspect.sign).or_default();
            if in_order.len() >= HASHES {
                continue;
            }
            let hash = hash(&suspect.secret);
            if known.insert(hash.clone()) {
                in_order.push(hash);
            }
        }
    }

    fn first(self) -> Vec<String> {
        let mut known = HashSet::new();
        let in_order = self.0.into_values().flat_map(|(_, in_order)| in_order);
        in_order.filter(|hash| known.insert(hash.clone())).take(HASHES).collect()
    }
}

fn hash(secret: &[u8]) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `text` with the token of every link replaced by `[redacted]`, whether it is live or not.
pub fn redacted(text: &str) -> Cow<'_, str> {
    match replaced(text, scan::links(text.as_bytes()).collect()) {
        Some((redacted, _)) => Cow::Owned(redacted),
        None => Cow::Borrowed(text),
    }
}

/// `text` with every secret that has one of these hashes replaced by `[redacted]`; `marks`, which
/// name places in it, move along. Its lines stay.
pub fn without(text: &str, hashes: &[String], marks: &mut [Mark]) -> String {
    let bytes = text.as_bytes();
    let mut leaked: Vec<Suspect> = scan::links(bytes)
        .chain(scan::words(bytes))
        .filter(|suspect| hashes.contains(&hash(&suspect.secret)))
        .collect();
    leaked.sort_by_key(|suspect| suspect.pieces[0].start);
    let Some((redacted, ends)) = replaced(text, leaked) else { return text.to_owned() };
    // Where a piece ended, and how far what stands behind it has moved.
    let moved = |at: usize| {
        let behind = ends.partition_point(|(end, _)| *end <= at);
        behind.checked_sub(1).map_or(at, |last| at.saturating_add_signed(ends[last].1))
    };
    for mark in marks {
        mark.range = moved(mark.range.start)..moved(mark.range.end);
    }
    redacted
}

/// `None` when there is nothing to replace. `suspects` stand in the order of the text.
fn replaced(text: &str, suspects: Vec<Suspect>) -> Option<(String, Vec<(usize, isize)>)> {
    let (mut redacted, mut kept, mut ends) = (String::new(), 0, Vec::new());
    for suspect in &suspects {
        // Of two that overlap, the first one hides both.
        if suspect.pieces[0].start < kept {
            continue;
        }
        for (n, Range { start, end }) in suspect.pieces.iter().cloned().enumerate() {
            redacted.push_str(&text[kept..start]);
            if n == 0 {
                redacted.push_str(REDACTED);
            }
            kept = end;
            ends.push((end, redacted.len() as isize - end as isize));
        }
    }
    redacted.push_str(&text[kept..]);
    (kept > 0).then_some((redacted, ends))
}

#[cfg(test)]
mod tests;
