//! Recognises the header block that clients put above an answered or forwarded message (M-94).
//! Labels of all languages count together: a French client may sit behind an English gateway.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memchr;

use super::lines::{Class, is_rule};
use super::words::locales;

/// What a label line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Cc,
    Date,
    From,
    Other,
    Subject,
    To,
}

/// The most lines a block has, and the most that one value is folded over.
const MOST_LINES: usize = 16;
const MOST_FOLDS: usize = 3;

/// The line after the header block that begins at line `n`, if one does.
pub(super) fn block(text: &[&str], class: &[Class], n: usize) -> Option<usize> {
    let is_text = |line: usize| class[line] == Class::Text;
    let above = n.checked_sub(1).map(|n| text[n]);
    labels(text, n, &is_text, above)
}

/// The same for lines already known to belong together, as the content of a quote.
pub(super) fn block_in(content: &[&str]) -> bool {
    (0..content.len()).any(|n| {
        let above = n.checked_sub(1).map(|n| content[n]);
        labels(content, n, &|line| !content[line].trim().is_empty(), above).is_some()
    })
}

fn labels(
    text: &[&str],
    start: usize,
    counts: &dyn Fn(usize) -> bool,
    above: Option<&str>,
) -> Option<usize> {
    let first = label(text[start])?;
    let mut seen = Seen { first: first.label, ..Seen::default() };
    let (mut end, mut gaps, mut folds) = (start, 0, 0);
    for (line, &written) in text.iter().enumerate().skip(start).take(MOST_LINES) {
        if written.trim().is_empty() {
            gaps += 1;
            if gaps > 1 {
                break;
            }
            continue;
        }
        if !counts(line) {
            break;
        }
        match label(written) {
            Some(found) => {
                folds = 0;
                seen.add(&found);
                end = line + 1;
            }
            None if folds < MOST_FOLDS => {
                folds += 1;
                seen.address |= has_address(written) && folds == 1 && end == line;
                // Only an indented fold, or one that is an address, belongs to the block for sure;
                // others do when another label follows.
                if end == line && is_fold(written) {
                    end = line + 1;
                }
            }
            None => break,
        }
    }
    let ruled = above.is_some_and(is_rule);
    seen.is_header(ruled).then_some(end)
}

fn is_fold(line: &str) -> bool {
    line.starts_with([' ', '\t']) || line.starts_with('<')
}

/// What the label lines of a block hold together.
struct Seen {
    first: Label,
    labels: usize,
    from: bool,
    date: bool,
    to: bool,
    cc: bool,
    subject: bool,
    address: bool,
    bold: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            first: Label::Other,
            labels: 0,
            from: false,
            date: false,
            to: false,
            cc: false,
            subject: false,
            address: false,
            bold: false,
        }
    }
}

impl Seen {
    fn add(&mut self, found: &Found<'_>) {
        self.labels += 1;
        // One word may name two classes (Swedish `Kopia`, Italian `A`): the first counts.
        match found.label {
            Label::Cc => self.cc = true,
            Label::Date => self.date |= found.value.bytes().any(|b| b.is_ascii_digit()),
            Label::From => self.from = true,
            Label::Other => {}
            Label::Subject => self.subject = true,
            Label::To => self.to = true,
        }
        self.address |= has_address(found.value);
        self.bold |= found.is_bold;
    }

    fn is_header(&self, ruled: bool) -> bool {
        let whole = self.first == Label::From
            && self.labels >= 4
            && self.date
            && [self.to, self.cc, self.subject].into_iter().filter(|&is| is).count() >= 2;
        self.labels >= 3
            && self.from
            && (self.date || self.to || self.subject)
            && (self.address || ruled || self.bold || whole)
    }
}

struct Found<'a> {
    label: Label,
    value: &'a str,
    is_bold: bool,
}

/// The label a line begins with: at most 24 characters, then a colon.
fn label(line: &str) -> Option<Found<'_>> {
    let line = line.trim();
    let is_bold = line.starts_with('*');
    let line = line.trim_start_matches('*');
    let at = memchr(b':', &line.as_bytes()[..line.len().min(64)]).or_else(|| wide_colon(line))?;
    let name = line[..at].trim_end_matches(['*', ' ']);
    if name.is_empty() || name.chars().count() > 24 {
        return None;
    }
    let value = line[at..].trim_start_matches([':', '：', '*', ' ']);
    let label = class_of(&name.to_lowercase())?;
    Some(Found { label, value, is_bold })
}

// Within the first 24 characters. Nearly every line has none: then none of them begins as it does.
fn wide_colon(line: &str) -> Option<usize> {
    const FIRST_BYTE: u8 = 0xef;
    memchr(FIRST_BYTE, &line.as_bytes()[..line.len().min(24 * 4)])?;
    line.char_indices().take(24).find(|(_, c)| *c == '：').map(|(at, _)| at)
}

fn class_of(name: &str) -> Option<Label> {
    LABELS.get(name).copied()
}

// A word that several languages use counts as the first of them has it.
static LABELS: LazyLock<HashMap<&str, Label>> = LazyLock::new(|| {
    let mut labels = HashMap::new();
    for locale in locales() {
        let classes = [
            (locale.from, Label::From),
            (locale.date, Label::Date),
            (locale.to, Label::To),
            (locale.cc, Label::Cc),
            (locale.subject, Label::Subject),
            (locale.other, Label::Other),
        ];
        for (words, label) in classes {
            for &word in words {
                labels.entry(word).or_insert(label);
            }
        }
    }
    labels
});

/// Whether an `@` with a letter before and a dotted name behind it stands in the line.
pub(super) fn has_address(line: &str) -> bool {
    line.match_indices('@').any(|(at, _)| is_address_at(line, at))
}

pub(super) fn is_address_at(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    let domain = line[at + 1..]
        .bytes()
        .take(255)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || *b >= 0x80);
    let dot = domain.enumerate().any(|(at, byte)| byte == b'.' && at > 0);
    before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '"')) && dot
}
