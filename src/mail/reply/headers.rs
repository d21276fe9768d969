//! Recognises the header block that clients put above an answered or forwarded message (M-94).
//! Labels of all languages count together: a French client may sit behind an English gateway.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memchr;

use super::lines::{Class, is_rule};
use super::words::{is_spaceless, locales};

/// What a label line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
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
/// The labels over an attribution.
const MOST_LABELS_ABOVE: usize = 3;
const MOST_LABEL_CHARS: usize = 24;
const MOST_LABEL_BYTES: usize = 96;
/// Of a line that may hold a sender and a date.
const MOST_WORDS: usize = 64;

/// The line after the header block that begins at line `n`, if one does.
pub(super) fn block(text: &[&str], class: &[Class], n: usize) -> Option<usize> {
    let is_text = |line: usize| class[line] == Class::Text;
    let above = n.checked_sub(1).map(|n| text[n]);
    let end = labels(text, n, &is_text, above)?;
    (!is_raw(text, n, end) && !is_setting(text[n], above)).then_some(end)
}

/// Fields that servers read and clients hide: above a quote none of them stands.
const RAW_FIELDS: [&str; 10] = [
    "arc-",
    "authentication-results:",
    "content-type:",
    "delivered-to:",
    "dkim-signature:",
    "message-id:",
    "mime-version:",
    "received:",
    "return-path:",
    "x-",
];

/// Whether the lines `start..end` stand among fields of a message as servers write it: somebody has
/// pasted the source of a mail.
fn is_raw(text: &[&str], start: usize, end: usize) -> bool {
    let is_raw_field = |line: &str| {
        line.contains(':')
            && RAW_FIELDS.iter().any(|field| {
                line.get(..field.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(field))
            })
    };
    let folded = text[..start].iter().rev().take(MOST_LINES);
    let above = folded.copied().find(|line| !line.starts_with([' ', '\t']));
    above.is_some_and(is_raw_field) || text.get(end).copied().is_some_and(is_raw_field)
}

/// Whether the line is a key of a configuration, `from: …` below `[mail]` or `mailbox:`. Clients
/// write labels large, or small in a paragraph of their own.
fn is_setting(line: &str, above: Option<&str>) -> bool {
    line.trim_start().starts_with(char::is_lowercase)
        && above.is_some_and(|above| !above.trim().is_empty() && !is_rule(above))
}

/// The rule above the labels that stand right above line `n`, if they do: Yandex writes `Кому` and
/// `Тема` over its attribution.
pub(super) fn ruled_labels_above(text: &[&str], n: usize, free: usize) -> Option<usize> {
    let is_label = |line: &&str| {
        label(line)
            .is_some_and(|found| matches!(found.label, Label::Cc | Label::Subject | Label::To))
    };
    let count =
        text[free..n].iter().rev().take(MOST_LABELS_ABOVE).take_while(|l| is_label(l)).count();
    let rule = n.checked_sub(count + 1).filter(|&rule| count > 0 && rule >= free)?;
    is_rule(text[rule]).then_some(rule)
}

/// The same for lines already known to belong together, as the content of a quote.
pub(super) fn block_in(content: &[&str]) -> bool {
    (0..content.len()).any(|n| {
        let above = n.checked_sub(1).map(|n| content[n]);
        labels(content, n, &|line| !content[line].trim().is_empty(), above).is_some()
    })
}

/// A sender and a date, each with its label, in this order and on one line or two: enough where a
/// client has drawn a rule right above (M-100).
pub(super) fn is_short_block(lines: &[&str]) -> bool {
    let Some(first) = lines.first() else { return false };
    let is_from = label(first).is_some_and(|found| {
        found.label == Label::From && !found.value.is_empty() && has_address(found.value)
    });
    let has_date = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().take(MOST_WORDS).collect();
        words.iter().enumerate().any(|(at, word)| {
            let name = word.strip_suffix([':', '：']).map(str::to_lowercase);
            name.is_some_and(|name| class_of(&name) == Some(Label::Date))
                && words[at + 1..].iter().any(|word| word.bytes().any(|b| b.is_ascii_digit()))
        })
    };
    is_from && lines.iter().take(2).any(|line| has_date(line))
}

fn labels(
    text: &[&str],
    start: usize,
    counts: &dyn Fn(usize) -> bool,
    above: Option<&str>,
) -> Option<usize> {
    let first = label(text[start])?;
    let mut seen = Seen { first: first.label, ..Seen::default() };
    let (mut end, mut gaps, mut folds, mut bare) = (start, 0, 0, false);
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
                bare = found.value.is_empty();
                seen.add(&found);
                end = line + 1;
            }
            None if folds < MOST_FOLDS => {
                folds += 1;
                // `To:` alone may have its value on the next line.
                seen.labels += usize::from(folds == 1 && bare);
                bare = false;
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
        self.labels += usize::from(!found.value.is_empty());
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
            && (self.address && (self.date || self.first == Label::From)
                || ruled
                || self.bold
                || whole)
    }
}

pub(super) struct Found<'a> {
    pub label: Label,
    pub value: &'a str,
    is_bold: bool,
}

/// The label a line begins with: a few characters, then a colon.
pub(super) fn label(line: &str) -> Option<Found<'_>> {
    let line = line.trim();
    let is_bold = line.starts_with('*');
    let line = line.trim_start_matches('*');
    let at = colon(line)?;
    let name = line[..at].trim_end_matches(['*', ' ']);
    if name.is_empty() || name.chars().count() > MOST_LABEL_CHARS {
        return None;
    }
    let value = line[at..].trim_start_matches([':', '：', '*', ' ']);
    let label = class_of(&name.to_lowercase())?;
    Some(Found { label, value, is_bold })
}

/// The first colon, of either width, where a label may end. Most lines have none there.
fn colon(line: &str) -> Option<usize> {
    const WIDE_FIRST_BYTE: u8 = 0xef;
    let near = &line.as_bytes()[..line.len().min(MOST_LABEL_BYTES)];
    let narrow = memchr(b':', near);
    if memchr(WIDE_FIRST_BYTE, near).is_none() {
        return narrow;
    }
    let mut chars = line.char_indices().take(MOST_LABEL_CHARS + 4);
    chars.find(|(_, c)| matches!(c, ':' | '：')).map(|(at, _)| at)
}

fn class_of(name: &str) -> Option<Label> {
    LABELS.get(name).copied().or_else(|| {
        // `主　题` and `보낸 사람` are written with and without the space.
        let tight = || name.split_whitespace().collect::<String>();
        is_spaceless(name).then(|| LABELS.get(tight().as_str()).copied()).flatten()
    })
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
