//! Folds what a mail client has marked in its HTML, before the lines are looked at (M-100). A mark
//! says where a quote is, never what may be lost: words below or between quotes stay, and what is
//! not clear is left to the rules for lines.

use std::ops::Range;

use super::cut::Fate;
use super::lines::{Boundary, BoundaryKind, Class, Lines, is_rule};
use super::separators::separator;
use super::{Context, Prefix, Scope, SegmentKind, attribution, headers, normalise};
use crate::mail::html::{Mark, MarkKind};

const RULE: &str = "M-100";

/// An attribution has no more lines.
const ATTRIBUTION_LINES: usize = 4;
/// Within so many bytes an attribution or a header ends above a blockquote.
const ABOVE: usize = 2048;
/// How many full lines below a rule may hold the header of a message.
const HEADER_LINES: usize = 8;

/// What the marks decide: the fate of some lines, and whether a forward is among them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// One for each line; none where the marks say nothing.
    pub fates: Vec<Option<Fate>>,
    pub forward: bool,
}

/// Lines with a mark.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    kind: MarkKind,
    lines: Range<usize>,
}

/// The text after M-89, and the marks in its lines: what stands between two marks is normalised by
/// itself, so that no line changes its side.
pub(super) fn normalised(text: &str, marks: &[Mark]) -> (String, Vec<Marked>) {
    let is_cut = |at: usize| at == 0 || at == text.len() || text.as_bytes()[at - 1] == b'\n';
    let valid = |mark: &&Mark| {
        let Range { start, end } = mark.range;
        start <= end && end <= text.len() && is_cut(start) && is_cut(end)
    };
    let marks: Vec<&Mark> = marks.iter().filter(valid).collect();
    let mut cuts: Vec<usize> = marks.iter().flat_map(|m| [m.range.start, m.range.end]).collect();
    cuts.push(text.len());
    cuts.sort_unstable();
    cuts.dedup();
    let mut out = String::with_capacity(text.len());
    // Where each cut is in the text, and how many lines stand before it.
    let mut lines_before: Vec<(usize, usize)> = vec![(0, 0)];
    let (mut from, mut lines) = (0, 0);
    for cut in cuts.into_iter().filter(|&cut| cut > 0) {
        let piece = &text[from..cut];
        let ends_line = cut < text.len();
        let piece = piece.strip_suffix('\n').filter(|_| ends_line).unwrap_or(piece);
        let piece = normalise(piece);
        lines += 1 + piece.bytes().filter(|&byte| byte == b'\n').count();
        out.push_str(&piece);
        if ends_line {
            out.push('\n');
        }
        lines_before.push((cut, lines));
        from = cut;
    }
    let line = |at: usize| {
        let found = lines_before.binary_search_by_key(&at, |(cut, _)| *cut);
        found.map_or(lines, |found| lines_before[found].1)
    };
    let marked = |mark: &Mark| Marked {
        kind: mark.kind,
        lines: line(mark.range.start)..line(mark.range.end),
    };
    let marked = marks.into_iter().map(marked).collect();
    (out, marked)
}

/// Whether what ends here introduces a quote: an attribution, a separator or the header of a
/// message (M-100).
pub(in crate::mail) fn introduces_quote(above: &str) -> bool {
    let mut from = above.len().saturating_sub(ABOVE);
    while !above.is_char_boundary(from) {
        from += 1;
    }
    let full = above[from..].rsplit('\n').filter(|line| !line.trim().is_empty());
    let mut last: Vec<&str> = full.take(HEADER_LINES).collect();
    last.reverse();
    introduces(&last)
}

fn introduces(lines: &[&str]) -> bool {
    let Some(last) = lines.last() else { return false };
    let attribution = &lines[lines.len().saturating_sub(ATTRIBUTION_LINES)..];
    separator(last).is_some() || attribution::ends_with(attribution) || headers::block_in(lines)
}

/// What the marks say of the lines (M-100), by the one that comes first in the source.
pub(super) fn settle(all: &[&str], marks: &[Marked], context: &Context) -> Settled {
    let mut desk = Settling::new(all, marks);
    match context.scope {
        Scope::Answer => desk.quotes(marks, context.prefix),
        // M-88: only the signature is folded.
        Scope::Standalone => desk.signatures(marks),
    }
    desk.settled
}

struct Settling<'a> {
    lines: Lines<'a>,
    settled: Settled,
    /// How many lines before each one hold words of the sender, as far as the marks tell.
    own: Vec<usize>,
    /// The first line, from each one on, that is neither empty nor a rule: a page of rules is not
    /// searched again for each of them (M-102).
    full: Vec<usize>,
}

impl<'a> Settling<'a> {
    fn new(all: &[&'a str], marks: &[Marked]) -> Self {
        let lines = Lines::read(all.to_vec());
        let mut is_own: Vec<bool> =
            (0..all.len()).map(|n| lines.is_text(n) && !is_rule(all[n])).collect();
        for boundary in &lines.boundaries {
            is_own[boundary.start..boundary.end].fill(false);
        }
        for mark in marks {
            match mark.kind {
                MarkKind::Indented | MarkKind::Ruled => {}
                MarkKind::QuoteToEnd => is_own[mark.lines.start..].fill(false),
                MarkKind::Attribution | MarkKind::Cite | MarkKind::Quote | MarkKind::Signature => {
                    is_own[mark.lines.clone()].fill(false)
                }
            }
        }
        let mut own = vec![0];
        for is in is_own {
            own.push(own.last().copied().unwrap_or_default() + usize::from(is));
        }
        let mut full = vec![all.len(); all.len() + 1];
        for n in (0..all.len()).rev() {
            let is_full = lines.class[n] != Class::Empty && !is_rule(all[n]);
            full[n] = if is_full { n } else { full[n + 1] };
        }
        let settled = Settled { fates: vec![None; all.len()], forward: false };
        Self { lines, settled, own, full }
    }

    fn has_own(&self, range: Range<usize>) -> bool {
        self.own[range.end] > self.own[range.start]
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn settle(&mut self, range: Range<usize>, fate: Fate) {
        for settled in &mut self.settled.fates[range] {
            settled.get_or_insert(fate);
        }
    }

    fn signatures(&mut self, marks: &[Marked]) {
        for mark in marks.iter().filter(|mark| mark.kind == MarkKind::Signature) {
            self.signature(mark);
        }
    }

    /// A signature is folded where it can be the sender's own: below words of theirs, and not in a
    /// quote that only its header tells.
    fn signature(&mut self, mark: &Marked) {
        let start = mark.lines.start;
        let above = self.lines.boundaries.iter().rev().find(|boundary| boundary.end <= start);
        let is_quoted = above.is_some_and(|boundary| {
            !(boundary.end..start).any(|n| self.lines.class[n] == Class::Quote)
        });
        if self.has_own(0..start) && !is_quoted {
            self.settle(mark.lines.clone(), Fate::gone(SegmentKind::Signature, RULE));
        }
    }

    fn quotes(&mut self, marks: &[Marked], prefix: Prefix) {
        let is_forward = matches!(prefix, Prefix::Forward | Prefix::PerhapsForward);
        let mut is_answered = false;
        let mut marks = marks.iter().peekable();
        while let Some(mark) = marks.next() {
            let is_place = matches!(mark.kind, MarkKind::QuoteToEnd | MarkKind::Ruled);
            if mark.lines.is_empty() && !is_place
                || mark.lines.start >= self.len()
                || self.settled.fates[mark.lines.start].is_some()
            {
                continue;
            }
            let mut quoted = mark.lines.clone();
            match mark.kind {
                MarkKind::Signature => {
                    self.signature(mark);
                    continue;
                }
                MarkKind::Ruled if !self.has_header_below(mark.lines.start) => continue,
                MarkKind::QuoteToEnd | MarkKind::Ruled => quoted.end = self.len(),
                MarkKind::Indented if !self.begins_as_quote(&quoted) => continue,
                MarkKind::Attribution => {
                    let next = marks.next_if(|next| {
                        next.kind != MarkKind::Signature
                            && (quoted.end..next.lines.start.min(self.len()))
                                .all(|n| self.lines.class[n] == Class::Empty)
                    });
                    match next {
                        Some(next) => quoted.end = next.lines.end,
                        None => self.extend_over_quote(&mut quoted),
                    }
                }
                MarkKind::Cite | MarkKind::Indented | MarkKind::Quote => {}
            }
            let is_to_end = quoted.end == self.len();
            let separated = self.introduction(&mut quoted);
            let is_separated = separated == Some(BoundaryKind::Forward);
            let is_headed = matches!(separated, Some(BoundaryKind::Header))
                || matches!(mark.kind, MarkKind::QuoteToEnd | MarkKind::Ruled);
            let above = self.has_own(0..quoted.start);
            if is_forward && (is_separated || is_headed) || is_separated && !above {
                // M-95: what somebody wants to show stays.
                let rest = quoted.start..self.len();
                self.settle(rest, Fate::stays(SegmentKind::Forward, RULE));
                self.settled.forward = true;
                return;
            }
            if is_to_end && !above && is_headed || is_answered {
                continue;
            }
            let below = self.has_own(quoted.end..self.len());
            let is_answered_between =
                !above && marks.peek().is_some_and(|next| self.is_answered_between(&quoted, next));
            if self.is_answered_inside(&quoted) || above && below || is_answered_between {
                is_answered = true;
                if matches!(separated, None | Some(BoundaryKind::Attribution(_))) {
                    self.attribution(quoted);
                }
                continue;
            }
            let kind = if is_separated { SegmentKind::Forward } else { SegmentKind::Quoted };
            self.settled.forward |= is_separated;
            self.settle(quoted, Fate::gone(kind, RULE));
        }
    }

    /// Of a quote that is answered only the attribution goes (M-95).
    fn attribution(&mut self, quoted: Range<usize>) {
        let first = quoted.clone().find(|&n| self.lines.class[n] == Class::Quote);
        let above = quoted.start..first.unwrap_or(quoted.start);
        let full = above.clone().filter(|&n| self.lines.class[n] != Class::Empty);
        let count = full.clone().count();
        if let Some(start) = full.min().filter(|_| count <= ATTRIBUTION_LINES) {
            self.settle(start..above.end, Fate::gone(SegmentKind::Quoted, RULE));
        }
    }

    /// Moves the start up over the attribution, the separator or the header right above the quote,
    /// over rules and empty lines between; tells what introduces the quote, above it or inside.
    fn introduction(&self, quoted: &mut Range<usize>) -> Option<BoundaryKind> {
        let is_space =
            |n: usize| self.lines.class[n] == Class::Empty || is_rule(self.lines.text[n]);
        let first = Some(self.full[quoted.start]).filter(|first| *first < quoted.end);
        let inside = first.and_then(|first| self.boundary_around(first));
        if let Some(inside) = inside {
            quoted.start = quoted.start.min(inside.start);
        }
        let above = (0..quoted.start).rev().find(|&n| !is_space(n));
        let above = above.and_then(|n| self.lines.boundaries.iter().find(|b| b.end == n + 1));
        if let Some(above) = above {
            quoted.start = above.start;
        }
        while quoted.start > 0 && is_space(quoted.start - 1) {
            quoted.start -= 1;
        }
        let inside = inside.map(|boundary| boundary.kind);
        let quoted_separator =
            first.and_then(|n| separator(self.lines.text[n].trim_start_matches(['>', ' '])));
        match above.map(|boundary| boundary.kind) {
            // `Begin forwarded message:` above, the header in the quote.
            Some(kind) => Some(kind),
            None => inside.or(quoted_separator),
        }
    }

    fn boundary_around(&self, line: usize) -> Option<&Boundary> {
        let found = self.lines.boundaries.partition_point(|boundary| boundary.end <= line);
        self.lines.boundaries.get(found).filter(|boundary| boundary.start <= line)
    }

    /// Quoted lines follow an attribution whose blockquote has lost its own mark.
    fn extend_over_quote(&self, quoted: &mut Range<usize>) {
        let is_quote = |n: &usize| matches!(self.lines.class[*n], Class::Empty | Class::Quote);
        quoted.end = (quoted.end..self.len()).find(|n| !is_quote(n)).unwrap_or(self.len());
    }

    /// Words stand between or below quoted lines of one quote. Where a client puts all of a quote
    /// into one element without quote marks, quoted lines further down are only older quotes.
    fn is_answered_inside(&self, quoted: &Range<usize>) -> bool {
        let is_quote = |n: &usize| self.lines.class[*n] == Class::Quote;
        let Some(first) = quoted.clone().find(is_quote) else { return false };
        let above = (quoted.start..first).filter(|&n| self.lines.class[n] != Class::Empty).count();
        above <= ATTRIBUTION_LINES
            && (first..quoted.end).any(|n| self.lines.is_text(n) && !is_rule(self.lines.text[n]))
    }

    /// Words stand between the quote and the next one, which no attribution introduces: both are
    /// parts of one message.
    fn is_answered_between(&self, quoted: &Range<usize>, next: &Marked) -> bool {
        let Range { start, end } = next.lines;
        let boundaries = &self.lines.boundaries;
        let below = boundaries.partition_point(|boundary| boundary.start < quoted.end);
        next.kind == MarkKind::Cite
            && start >= quoted.end
            && self.has_own(quoted.end..start)
            && boundaries.get(below).is_none_or(|boundary| boundary.start >= end)
    }

    /// The header of a message, or an attribution, comes first below a rule (M-100). A header that
    /// nothing but its rule proves needs only a sender and a date.
    fn has_header_below(&self, rule: usize) -> bool {
        let first = self.full[rule];
        if first == self.len() {
            return false;
        }
        self.boundary_around(first).is_some()
            || headers::is_short_block(&self.full_lines(first..self.len()))
    }

    /// Some clients put the attribution into the blockquote, as its first lines.
    fn begins_as_quote(&self, quoted: &Range<usize>) -> bool {
        // Orange and others quote by both, an element and marks.
        let mut lines = self.full_lines(quoted.clone());
        for line in &mut lines {
            *line = line.trim_start_matches(['>', ' ']);
        }
        (1..=lines.len()).any(|count| introduces(&lines[..count])) && self.has_own(0..quoted.start)
    }

    fn full_lines(&self, range: Range<usize>) -> Vec<&'a str> {
        let full = range.filter(|&n| self.lines.class[n] != Class::Empty);
        full.take(ATTRIBUTION_LINES).map(|n| self.lines.text[n].trim()).collect()
    }
}

#[cfg(test)]
mod tests;
