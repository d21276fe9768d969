//! Decides which lines stay (M-95, M-99). One pass cuts by the rules in their order; passes repeat
//! until nothing changes, so that a text cut once is never cut again. A text that does not come to
//! rest is too strange to cut and is kept whole.

use std::ops::Range;

use super::attribution::{self, Certainty};
use super::disclaimer::is_disclaimer;
use super::headers;
use super::html;
use super::known;
use super::lines::{Boundary, BoundaryKind, Class, Lines};
use super::separators::separator;
use super::signature::{self, Tail, TailKind};
use super::{Confidence, Context, Prefix, Reply, Scope, Segment, SegmentKind};

const MOST_PASSES: usize = 4;
/// How many signatures, or notices, may stand below each other in one pass.
const MOST_SIGNATURES: usize = 8;
/// Of the bytes of a text; a weak rule that takes more is not trusted (M-99).
const MOST_WEAKLY_CUT: usize = 90;
/// How many lines of a quote are searched for the attribution that proves it one.
const PROOF_LINES: usize = 12;

/// Why a line is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    kind: SegmentKind,
    rule: &'static str,
    stays: bool,
}

impl Fate {
    pub(super) fn gone(kind: SegmentKind, rule: &'static str) -> Self {
        Self { kind, rule, stays: false }
    }

    pub(super) fn stays(kind: SegmentKind, rule: &'static str) -> Self {
        Self { kind, rule, stays: true }
    }
}

/// What the passes learned besides the fate of each line.
#[derive(Clone, Copy, Debug, Default)]
struct Findings {
    forward: bool,
    weak: bool,
}

/// Cuts a text that M-89 has normalised; what HTML marks in it is settled first (M-100).
pub(super) fn cut(normalised: String, marks: &[html::Marked], context: &Context) -> Reply {
    let all: Vec<&str> = normalised.split('\n').collect();
    let mut fates = vec![Fate::stays(SegmentKind::Reply, "M-88"); all.len()];
    let mut findings = Findings::default();
    let mut kept: Vec<usize> = (0..all.len()).collect();
    if !marks.is_empty() {
        let settled = html::settle(&all, marks, context);
        findings.forward = settled.forward;
        kept.retain(|&n| settled.fates[n].map(|fate| fates[n] = fate).is_none());
    }
    let mut rests = false;
    for _ in 0..MOST_PASSES {
        let mut pass = Pass::new(kept.iter().map(|&n| all[n]).collect());
        pass.run(context);
        findings.forward |= pass.findings.forward;
        findings.weak |= pass.findings.weak;
        for (&n, fate) in kept.iter().zip(&pass.fate) {
            fates[n] = *fate;
        }
        let before = kept.len();
        kept.retain(|&n| fates[n].stays);
        rests = kept.len() == before;
        if rests {
            break;
        }
    }
    if !rests {
        fates.fill(Fate::stays(SegmentKind::Reply, "M-99"));
    }
    let reply = assemble(&all, &fates, findings, rests);
    Reply { normalised, ..reply }
}

fn assemble(all: &[&str], fates: &[Fate], findings: Findings, rests: bool) -> Reply {
    let text = joined(all, |n| fates[n].stays);
    let signature = joined(all, |n| {
        !fates[n].stays
            && matches!(fates[n].kind, SegmentKind::Footer | SegmentKind::Signature)
            && fates[n].rule != "M-98"
    });
    let whole = joined(all, |_| true);
    let sizes = |n: usize| all[n].trim().len();
    let total: usize = (0..all.len()).map(sizes).sum();
    let cut: usize =
        (0..all.len()).filter(|&n| fates[n].kind == SegmentKind::Quoted).map(sizes).sum();
    let emptied = text.is_empty() && !whole.is_empty();
    let confidence = if emptied || !rests || findings.weak && cut * 100 > total * MOST_WEAKLY_CUT {
        Confidence::Low
    } else if findings.weak || findings.forward {
        Confidence::Medium
    } else {
        Confidence::High
    };
    let shows_whole = confidence == Confidence::Low || findings.forward;
    Reply {
        visible: if shows_whole { whole } else { text.clone() },
        text,
        signature: (!signature.is_empty()).then_some(signature),
        confidence,
        normalised: String::new(),
        segments: segments(all, fates),
    }
}

/// The chosen lines, without the empty ones at both ends.
fn joined(all: &[&str], chosen: impl Fn(usize) -> bool) -> String {
    let is_full = |n: &usize| !all[*n].trim().is_empty();
    let lines: Vec<usize> = (0..all.len()).filter(|&n| chosen(n)).collect();
    let Some(first) = lines.iter().position(is_full) else { return String::new() };
    let last = lines.iter().rposition(is_full).map_or(first, |last| last);
    let lines: Vec<&str> = lines[first..=last].iter().map(|&n| all[n]).collect();
    let mut text = lines.join("\n");
    text.truncate(text.trim_end().len());
    text
}

fn segments(all: &[&str], fates: &[Fate]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut at = 0;
    for (n, fate) in fates.iter().enumerate() {
        let last = n + 1 == all.len();
        let end = at + all[n].len() + usize::from(!last);
        match segments.last_mut() {
            Some(open) if open.kind == fate.kind && open.rule == fate.rule => open.range.end = end,
            _ => segments.push(Segment { kind: fate.kind, range: at..end, rule: fate.rule }),
        }
        at = end;
    }
    segments.retain(|segment| !segment.range.is_empty());
    segments
}

/// One walk through the rules over the lines still kept.
struct Pass<'a> {
    lines: Lines<'a>,
    fate: Vec<Fate>,
    findings: Findings,
}

impl<'a> Pass<'a> {
    fn new(text: Vec<&'a str>) -> Self {
        let lines = Lines::read(text);
        let fate = lines
            .class
            .iter()
            .map(|class| match class {
                Class::Quote => Fate::stays(SegmentKind::InlineQuote, "M-95"),
                _ => Fate::stays(SegmentKind::Reply, "M-95"),
            })
            .collect();
        Self { lines, fate, findings: Findings::default() }
    }

    fn run(&mut self, context: &Context) {
        if context.scope == Scope::Standalone {
            for fate in &mut self.fate {
                *fate = Fate::stays(SegmentKind::Reply, "M-88");
            }
            self.cut_signatures(context, self.lines.len());
            return;
        }
        if self.is_forwarded_whole(context) {
            return;
        }
        let mut end = self.lines.len();
        for (from, rule) in [
            (known::marked(&self.lines, &context.marks), "M-90"),
            (known::known_from(&self.lines, &context.known), "M-91"),
        ] {
            if let Some(from) = from.filter(|&from| from < end) {
                self.cut(from..end, SegmentKind::Quoted, rule);
                end = from;
            }
        }
        self.cut_signatures(context, end);
        self.cut_disclaimers(end);
        let end = self.fate[..end].iter().rposition(|fate| fate.stays).map_or(0, |last| last + 1);
        self.cut_quotes(context, end);
        self.cut_signatures(context, end);
        self.cut_rules();
    }

    fn cut(&mut self, range: Range<usize>, kind: SegmentKind, rule: &'static str) {
        self.fate[range].fill(Fate::gone(kind, rule));
    }

    /// A forwarded mail under a forward's subject is what the sender wants to show: all of it stays
    /// (M-95).
    fn is_forwarded_whole(&mut self, context: &Context) -> bool {
        let Some(first) = self.lines.boundaries.first() else { return false };
        let structured = !matches!(first.kind, BoundaryKind::Attribution(_));
        let is_forward = matches!(context.prefix, Prefix::Forward | Prefix::PerhapsForward);
        if !(is_forward && structured) {
            return false;
        }
        self.fate[first.start..].fill(Fate::stays(SegmentKind::Forward, "M-95"));
        self.findings.forward = true;
        true
    }

    /// M-95, boundary by boundary: a quote that is answered below stays, one that is not goes.
    fn cut_quotes(&mut self, context: &Context, end: usize) {
        let boundaries: Vec<Boundary> =
            self.lines.boundaries.iter().filter(|b| b.end <= end).cloned().collect();
        if boundaries.is_empty() {
            self.cut_unintroduced(context, end);
            return;
        }
        let mut above = false;
        let mut at = 0;
        for (n, boundary) in boundaries.iter().enumerate() {
            above |= self.has_text(at..boundary.start);
            let next = boundaries.get(n + 1).map_or(end, |next| next.start);
            let runs = self.runs(boundary.end..next);
            let answered = matches!(&runs[..], [Run::Quote(_), _, ..]);
            if boundary.kind == BoundaryKind::Attribution(Certainty::Weak) {
                self.findings.weak = true;
            }
            match boundary.kind {
                BoundaryKind::Forward if above => {
                    self.cut(boundary.start..end, SegmentKind::Forward, "M-95");
                    self.findings.forward = true;
                    return;
                }
                BoundaryKind::Forward => self.findings.forward = true,
                BoundaryKind::Attribution(_) if above && answered => {}
                _ if above => {
                    self.cut(boundary.start..end, SegmentKind::Quoted, "M-95");
                    return;
                }
                _ => {}
            }
            self.cut(boundary.start..boundary.end, SegmentKind::Quoted, "M-95");
            if let ([Run::Quote(quote)] | [Run::Quote(quote), Run::Text(_)], false) =
                (&runs[..], above)
            {
                self.cut(quote.clone(), SegmentKind::Quoted, "M-95");
            }
            at = boundary.end;
        }
        let runs = self.runs(at..end);
        if let [.., Run::Text(text), Run::Quote(quote)] = &runs[..]
            && (!self.introduces(text) || self.is_proven(context, quote))
        {
            self.cut(quote.start..end, SegmentKind::Quoted, "M-95");
        }
    }

    /// No boundary: quotes between two texts are answered and stay; one at the end goes when
    /// something proves that it is one.
    fn cut_unintroduced(&mut self, context: &Context, end: usize) {
        let runs = self.runs(0..end);
        let texts = runs.iter().filter(|run| matches!(run, Run::Text(_))).count();
        let quote = match &runs[..] {
            [Run::Quote(quote)] => quote.clone(),
            [.., Run::Text(text), Run::Quote(quote)] if texts == 1 => {
                let content = self.content(quote.clone());
                let forwarded =
                    content.iter().any(|line| separator(line) == Some(BoundaryKind::Forward));
                if forwarded {
                    self.findings.forward = true;
                    self.cut(quote.start..end, SegmentKind::Forward, "M-95");
                    return;
                }
                if !self.is_proven(context, quote) {
                    // A single quoted line may be a prompt too.
                    if self.introduces(text) || content.len() < 2 {
                        return;
                    }
                    self.findings.weak = true;
                }
                quote.clone()
            }
            _ => return,
        };
        self.cut(quote.start..end, SegmentKind::Quoted, "M-95");
    }

    /// Whether a text announces what stands below it: `I typed:` above `> dir`.
    fn introduces(&self, text: &Range<usize>) -> bool {
        self.lines.text[text.end - 1].trim_end().ends_with([':', '：'])
    }

    /// Whether a client's line inside a quote proves it one, or that the ticket knows what it says.
    fn is_proven(&self, context: &Context, quote: &Range<usize>) -> bool {
        let content = self.content(quote.clone());
        attribution::is_within(&content)
            || headers::block_in(&content)
            || known::is_known(&self.lines.text[quote.clone()], &context.known)
    }

    /// The first full lines of a quote without their marks.
    fn content(&self, quote: Range<usize>) -> Vec<&'a str> {
        quote
            .map(|n| self.lines.text[n].trim_start_matches(['>', '|', ' ']).trim_end())
            .filter(|line| !line.is_empty())
            .take(PROOF_LINES)
            .collect()
    }

    fn has_text(&self, range: Range<usize>) -> bool {
        range.into_iter().any(|n| self.fate[n].stays && self.lines.is_text(n))
    }

    /// The quotes and texts of some lines, in turn; empty lines belong to the run around them.
    fn runs(&self, range: Range<usize>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for n in range {
            if !self.fate[n].stays {
                continue;
            }
            match (self.lines.class[n], runs.last_mut()) {
                (Class::Empty, _) => {}
                (Class::Quote, Some(Run::Quote(run))) => run.end = n + 1,
                (Class::Quote, _) => runs.push(Run::Quote(n..n + 1)),
                (_, Some(Run::Text(run))) => run.end = n + 1,
                (_, _) => runs.push(Run::Text(n..n + 1)),
            }
        }
        runs
    }

    /// M-96 and M-97, as often as they apply at the end of the first `end` lines.
    fn cut_signatures(&mut self, context: &Context, end: usize) {
        let mut kept: Vec<usize> = (0..end).filter(|&n| self.fate[n].stays).collect();
        let mut blocked = vec![false; self.lines.len()];
        for boundary in &self.lines.boundaries {
            blocked[boundary.start..boundary.end].fill(true);
        }
        for _ in 0..MOST_SIGNATURES {
            let found = signature::ending(&self.lines, &kept, &context.sender, &|n| blocked[n]);
            let is_senders = |tail: &Tail| {
                tail.kind == TailKind::Name && context.scope == Scope::Standalone
                    || self.is_senders(kept[tail.from])
            };
            let Some(tail) = found.filter(is_senders) else { break };
            let kind = match tail.kind {
                TailKind::Footer => SegmentKind::Footer,
                TailKind::Mobile | TailKind::Name | TailKind::Signature => SegmentKind::Signature,
            };
            for &n in &kept[tail.from..] {
                self.fate[n] = Fate::gone(kind, tail.rule);
            }
            kept.truncate(tail.from);
        }
    }

    /// What gateways add below a quote answers nothing: it does not keep the quote.
    fn cut_disclaimers(&mut self, mut end: usize) {
        for _ in 0..MOST_SIGNATURES {
            let runs = self.runs(0..end);
            let [.., Run::Quote(_), Run::Text(text)] = &runs[..] else { return };
            let is_empty = |n: &usize| self.lines.class[*n] == Class::Empty;
            let start = text.clone().rev().find(is_empty).map_or(text.start, |gap| gap + 1);
            if !is_disclaimer(&self.lines.text[start..text.end]) {
                return;
            }
            self.cut(start..end, SegmentKind::Footer, "M-96");
            end = start;
        }
    }

    /// Whether a signature beginning at the line can be the sender's: below an attribution or a
    /// header it is only below a quote.
    fn is_senders(&self, line: usize) -> bool {
        let above = self.lines.boundaries.iter().rev().find(|boundary| boundary.end <= line);
        above.is_none_or(|boundary| {
            !self.fate[boundary.start].stays
                || (boundary.end..line).any(|n| self.lines.class[n] == Class::Quote)
        })
    }

    /// M-98.
    fn cut_rules(&mut self) {
        let kept: Vec<usize> = (0..self.lines.len()).filter(|&n| self.fate[n].stays).collect();
        let count = signature::without_rules(&self.lines, &kept);
        for &n in kept[count..].iter().filter(|&&n| self.lines.class[n] != Class::Empty) {
            self.fate[n] = Fate::gone(SegmentKind::Footer, "M-98");
        }
    }
}

/// Quoted or written lines without a change between them.
enum Run {
    Quote(Range<usize>),
    Text(Range<usize>),
}
