//! Turns HTML into the text that a person would read (M-17): in one pass, in linear time, fetching
//! nothing (T-30). The HTML itself stays in the raw message and is never served (T-29). On the way
//! it notes where a mail client says that a quote or a signature begins (M-100).

mod client;
mod element;
mod entity;
mod link;
mod style;
mod token;
mod writer;

use std::ops::Range;

use memchr::memchr;

use token::Tokens;
use writer::Writer;

pub use client::MarkKind;
pub use token::text_estimate;

/// The most links that are followed by their address (M-17).
pub const LINK_LIMIT: usize = 5000;

/// The longest text made from HTML, in bytes (M-17).
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// HTML as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlText {
    pub text: String,
    /// In the order of the text; what lies inside a quote is not marked again.
    pub marks: Vec<Mark>,
    pub limit: Option<Limit>,
}

impl HtmlText {
    /// Bytes of the text that no client has marked as quoted.
    pub fn unquoted(&self) -> usize {
        let (mut unquoted, mut from) = (0, 0);
        for mark in &self.marks {
            let behind = match mark.kind {
                MarkKind::Attribution | MarkKind::Cite | MarkKind::Quote => mark.range.end,
                MarkKind::QuoteToEnd => self.text.len(),
                MarkKind::Indented | MarkKind::Ruled | MarkKind::Signature => continue,
            };
            unquoted += mark.range.start.saturating_sub(from);
            from = from.max(behind);
        }
        unquoted + self.text.len().saturating_sub(from)
    }
}

/// What a client says of some lines of its mail (M-100).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub kind: MarkKind,
    /// Bytes of the text; whole lines with their ends.
    pub range: Range<usize>,
}

/// The limit at which a text was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Links,
    Text,
}

/// The text of an HTML text (M-17), and what its client says of it (M-100).
pub fn to_text(html: &str) -> HtmlText {
    let written = Writer::default().write_all(Tokens::of(html));
    let marks = written.marks.into_iter().map(|mark| whole_lines(&written.text, mark)).collect();
    HtmlText { marks, ..written }
}

/// A mark is noted where the text before it ends, and ends where its own text does: line breaks are
/// written late. An empty line above it belongs to neither.
fn whole_lines(text: &str, mark: Mark) -> Mark {
    let after_line_end = |at: usize| {
        memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found + 1)
    };
    let Range { start, end } = mark.range;
    let first = if start == 0 { 0 } else { after_line_end(start) };
    let first = first + usize::from(text[first..].starts_with('\n'));
    let behind = if end <= first { first } else { after_line_end(end) };
    Mark { kind: mark.kind, range: first..behind }
}

#[cfg(test)]
mod tests;
