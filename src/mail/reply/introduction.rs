//! Reads what stands above a forwarded text (M-104): the header block with its labels of any
//! language, or the attribution. The same places that end an answer begin a forward (M-92).

use super::headers::{Label, label};
use super::lines::{Boundary, BoundaryKind, Lines};
use super::normalise::normalise;

/// Lines that a header block may have, and those that may stand empty above it.
const MOST_LINES: usize = 24;
const MOST_EMPTY: usize = 3;

/// Lines that one value is folded over.
const MOST_FOLDS: usize = 3;

/// What introduces the first older message in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// A client wrote, outside any quote, that what follows is forwarded.
    pub is_marked_forward: bool,
    /// The values of the header block's labels, as written.
    pub from: Option<String>,
    pub date: Option<String>,
    pub subject: Option<String>,
    /// The line above a quote, when there is no header block.
    pub attribution: Option<String>,
}

/// What stands above the first older message in `text`, if there is one (M-104).
pub fn introduction(text: &str) -> Option<Introduction> {
    let normalised = normalise(text);
    let lines = Lines::read(normalised.split('\n').collect());
    if let Some(first) = lines.boundaries.first() {
        return Some(at(&lines, first));
    }
    let lines = unquoted_lines(lines)?;
    Some(Introduction { is_marked_forward: false, ..at(&lines, lines.boundaries.first()?) })
}

/// The words above the first older message in `text`, and the rest (M-105); `None` when there is
/// none.
pub fn parted(text: &str) -> Option<(String, String)> {
    let normalised = normalise(text);
    let all: Vec<&str> = normalised.split('\n').collect();
    let lines = Lines::read(all.clone());
    let first = |lines: &Lines| lines.boundaries.first().map(|boundary| boundary.start);
    let start = first(&lines).or_else(|| first(&unquoted_lines(lines)?))?;
    let joined = |lines: &[&str]| lines.join("\n").trim().to_owned();
    Some((joined(&all[..start]), joined(&all[start..])))
}

/// Apple Mail quotes all that it forwards, header and separator too. An answer without an
/// attribution looks the same.
fn unquoted_lines(lines: Lines) -> Option<Lines> {
    let lines = Lines::read(lines.text.iter().map(|line| unquoted(line)).collect());
    (!lines.boundaries.is_empty()).then_some(lines)
}

fn unquoted(line: &str) -> &str {
    let Some(line) = line.strip_prefix('>') else { return line };
    line.strip_prefix(' ').unwrap_or(line)
}

/// What stands at a boundary.
fn at(lines: &Lines, boundary: &Boundary) -> Introduction {
    match boundary.kind {
        BoundaryKind::Attribution(_) => Introduction {
            attribution: Some(lines.text[boundary.start..boundary.end].join(" ")),
            ..Introduction::default()
        },
        BoundaryKind::Forward => {
            Introduction { is_marked_forward: true, ..block(lines, boundary.end) }
        }
        BoundaryKind::Header => block(lines, first_label(lines, boundary)),
        BoundaryKind::Original => block(lines, boundary.end),
    }
}

/// The first line of a header block, whose boundary may begin with a rule.
fn first_label(lines: &Lines, boundary: &Boundary) -> usize {
    let is_label = |line: &usize| label(lines.text[*line]).is_some();
    (boundary.start..boundary.end).find(is_label).unwrap_or(boundary.start)
}

/// Reads the labels from line `from` on, in a quote or not.
fn block(lines: &Lines, from: usize) -> Introduction {
    let mut read = Introduction::default();
    let (mut empty, mut folds, mut open) = (0, 0, None);
    for line in lines.text.iter().skip(from).take(MOST_LINES) {
        let line = line.trim_start_matches(['>', '|', ' ', '\t']);
        if line.trim().is_empty() {
            empty += 1;
            // An empty line ends the block, once it has begun.
            if read != Introduction::default() || empty > MOST_EMPTY {
                break;
            }
            continue;
        }
        let Some(found) = label(line) else {
            folds += 1;
            match (open, folds <= MOST_FOLDS) {
                (Some(class), true) => {
                    if let Some(value) = read.value(class) {
                        value.push(' ');
                        value.push_str(line.trim());
                    }
                }
                _ => break,
            }
            continue;
        };
        (folds, open) = (0, Some(found.label));
        // What is written twice counts as it stands first.
        // Thunderbird writes a table, whose cells a bar parts.
        let value = found.value.trim_start_matches(['|', ' ', '\t']).trim_end();
        if let Some(place) = read.place(found.label).filter(|place| place.is_none()) {
            *place = Some(value.to_owned());
        } else {
            open = Some(Label::Other);
        }
    }
    read.date = read.date.filter(|date| date.contains(|c: char| c.is_numeric()));
    read.subject = read.subject.filter(|subject| !subject.is_empty());
    read
}

impl Introduction {
    fn place(&mut self, label: Label) -> Option<&mut Option<String>> {
        match label {
            Label::Date => Some(&mut self.date),
            Label::From => Some(&mut self.from),
            Label::Subject => Some(&mut self.subject),
            Label::Cc | Label::Other | Label::To => None,
        }
    }

    fn value(&mut self, label: Label) -> Option<&mut String> {
        self.place(label)?.as_mut()
    }
}
