//! Gives each line a class (M-92) and finds the places where an older message may begin. A line
//! looked at twice costs the same twice: nothing here reads further than a window of 16 lines.

use super::separators::{is_framed, separator};
use super::{attribution, headers};

/// Beyond these a text is no longer searched for boundaries (M-89).
const MOST_LINES: usize = 2_000;
const MOST_BYTES: usize = 256 * 1024;

/// What a line is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Empty,
    /// Inside a fence or an indented block: text whatever it looks like.
    Literal,
    Quote,
    Text,
}

/// Lines that may stand above an older message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boundary {
    pub kind: BoundaryKind,
    /// The first of its lines and the first behind them.
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoundaryKind {
    Attribution(attribution::Certainty),
    Forward,
    Header,
    Original,
}

/// A text as lines, each with its class, and its boundaries in order.
pub(super) struct Lines<'a> {
    pub text: Vec<&'a str>,
    pub class: Vec<Class>,
    pub boundaries: Vec<Boundary>,
}

impl<'a> Lines<'a> {
    pub(super) fn read(text: Vec<&'a str>) -> Self {
        let class = classes(&text);
        let boundaries = boundaries(&text, &class);
        Self { text, class, boundaries }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether somebody's words stand in the line, outside any quote.
    pub(super) fn is_text(&self, line: usize) -> bool {
        matches!(self.class[line], Class::Literal | Class::Text)
    }
}

fn classes(text: &[&str]) -> Vec<Class> {
    let mut class: Vec<Class> = text
        .iter()
        .map(|line| match line.trim_start().as_bytes().first() {
            None => Class::Empty,
            Some(b'>') => Class::Quote,
            Some(b'|') if is_bar_quote(line) => Class::Quote,
            Some(_) => Class::Text,
        })
        .collect();
    literals(text, &mut class);
    indented_attributions(text, &mut class);
    enclosed(text, &mut class);
    initials(text, &mut class);
    broken_quotes(text, &mut class);
    class
}

/// `| quoted`: a bar in front and none behind it, which would be a table.
fn is_bar_quote(line: &str) -> bool {
    let rest = &line.trim_start()[1..];
    (rest.is_empty() || rest.starts_with(' ')) && !rest.contains('|')
}

/// Fenced blocks, and lines indented by four or more below an empty line (M-89).
fn literals(text: &[&str], class: &mut [Class]) {
    let is_fence = |line: &&str| line.trim_start().starts_with("```");
    let fences: Vec<usize> = (0..text.len()).filter(|&n| is_fence(&text[n])).collect();
    // A fence without its end is no fence: it would swallow the rest of the mail.
    for pair in fences.chunks_exact(2) {
        class[pair[0]..=pair[1]].fill(Class::Literal);
    }
    let mut indented = false;
    for n in 0..text.len() {
        if class[n] == Class::Empty {
            continue;
        }
        let below_empty = n == 0 || class[n - 1] == Class::Empty;
        let deep = text[n].starts_with("    ") || text[n].starts_with('\t');
        indented = deep && (below_empty || indented);
        if indented && class[n] != Class::Quote {
            class[n] = Class::Literal;
        }
    }
}

/// Yahoo indents its attribution by four blanks, and what it quotes by one: a paragraph that is
/// nothing but an attribution is no example in a text.
fn indented_attributions(text: &[&str], class: &mut [Class]) {
    let mut n = 0;
    while n < text.len() {
        let length = class[n..].iter().take_while(|class| **class == Class::Literal).count();
        let end = n + length;
        let is_paragraph = (1..=attribution::MOST_WINDOW).contains(&length)
            && class.get(end) == Some(&Class::Empty)
            && class[end..].iter().find(|class| **class != Class::Empty) == Some(&Class::Text);
        if is_paragraph && attribution::is_whole(&text[n..end]) {
            class[n..end].fill(Class::Text);
        }
        n = end.max(n + 1);
    }
}

/// `>>>>` above and `<<<<` below: all between is quoted.
fn enclosed(text: &[&str], class: &mut [Class]) {
    let is_run = |line: &str, of: char| {
        let line = line.trim();
        line.len() >= 4 && line.chars().all(|c| c == of)
    };
    let mut open = None;
    for n in 0..text.len() {
        if is_run(text[n], '>') {
            open = open.or(Some(n));
        } else if is_run(text[n], '<')
            && let Some(start) = open.take()
        {
            class[start..=n].fill(Class::Quote);
        }
    }
}

/// `ab> quoted`: up to three initials of the person quoted, on two lines or more. Prompts look the
/// same and are text.
fn initials(text: &[&str], class: &mut [Class]) {
    const PROMPTS: [&str; 8] = ["cmd", "db", "ftp", "gdb", "irb", "php", "ps", "sql"];
    let mark = |line: &str| -> Option<String> {
        let line = line.trim_start();
        let at = line.bytes().take(4).position(|b| b == b'>')?;
        let (name, rest) = (&line[..at], &line[at + 1..]);
        let is_mark = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphabetic())
            && (rest.is_empty() || rest.starts_with([' ', '>']))
            && !PROMPTS.contains(&name.to_ascii_lowercase().as_str());
        is_mark.then(|| name.to_owned())
    };
    let mut above: Option<(usize, String)> = None;
    for n in 0..text.len() {
        if class[n] != Class::Text {
            continue;
        }
        let Some(name) = mark(text[n]) else {
            above = None;
            continue;
        };
        if let Some((first, known)) = &above
            && *known == name
        {
            class[*first] = Class::Quote;
            class[n] = Class::Quote;
        }
        above = Some((n, name));
    }
}

/// Lines that lost their mark when a mail server wrapped a quote (M-95): between two quoted lines,
/// the upper one long and ending within a sentence, or ending in a link.
fn broken_quotes(text: &[&str], class: &mut [Class]) {
    for n in 1..text.len().saturating_sub(1) {
        if class[n] != Class::Text || class[n - 1] != Class::Quote {
            continue;
        }
        let below = if class[n + 1] == Class::Text { n + 2 } else { n + 1 };
        if class.get(below) != Some(&Class::Quote) {
            continue;
        }
        let (upper, line) = (text[n - 1].trim_end(), text[n].trim());
        let wrapped = upper.len() >= 60 && !upper.ends_with(['.', '?', '!', ':', ';', '…']);
        let last_word = upper.rsplit(' ').next().unwrap_or_default();
        let link = last_word.contains("://") && !line.contains(' ');
        if (wrapped || link) && line.len() <= 60 {
            class[n] = Class::Quote;
        }
    }
}

fn boundaries(text: &[&str], class: &[Class]) -> Vec<Boundary> {
    let mut found: Vec<Boundary> = Vec::new();
    let (mut n, mut free, mut bytes) = (0, 0, 0);
    while n < text.len().min(MOST_LINES) && bytes <= MOST_BYTES {
        let boundary = boundary_at(text, class, n, free);
        let next = boundary.as_ref().map_or(n + 1, |b| b.end);
        bytes += text[n..next].iter().map(|line| line.len() + 1).sum::<usize>();
        if let Some(boundary) = boundary {
            free = boundary.end;
            found.push(boundary);
        }
        n = next;
    }
    found
}

/// The boundary that ends at line `n` (an attribution) or begins there, above it no line before
/// `free`.
fn boundary_at(text: &[&str], class: &[Class], n: usize, free: usize) -> Option<Boundary> {
    if class[n] == Class::Text {
        if let Some(kind) = separator(text[n]) {
            return Some(Boundary { kind, start: n, end: n + 1 });
        }
        if let Some(end) = headers::block(text, class, n) {
            // Who knows no phrase of a language knows the frame around it.
            let ruled = n > free
                && class[n - 1] == Class::Text
                && (is_rule(text[n - 1]) || is_framed(text[n - 1]));
            let start = if ruled { n - 1 } else { n };
            return Some(Boundary { kind: BoundaryKind::Header, start, end });
        }
    }
    if is_marked_attribution(text, class, n) {
        let kind = BoundaryKind::Attribution(attribution::Certainty::Strong);
        return Some(Boundary { kind, start: n, end: n + 1 });
    }
    if stands_alone(class, n) && attribution::is_alone(text[n]) {
        let kind = BoundaryKind::Attribution(attribution::Certainty::Weak);
        return Some(Boundary { kind, start: n, end: n + 1 });
    }
    let (start, certainty) = attribution::ending_at(text, class, n, free)?;
    let start = headers::ruled_labels_above(text, start, free).unwrap_or(start);
    Some(Boundary { kind: BoundaryKind::Attribution(certainty), start, end: n + 1 })
}

/// A paragraph of one line that something follows.
fn stands_alone(class: &[Class], n: usize) -> bool {
    class[n] == Class::Text
        && (n == 0 || class[n - 1] != Class::Text)
        && class.get(n + 1).is_some_and(|below| *below != Class::Text)
}

/// GroupWise marks the attribution, `>>> NAME DATE >>>`, and not what it quotes.
fn is_marked_attribution(text: &[&str], class: &[Class], n: usize) -> bool {
    if class[n] != Class::Quote || !text[n].starts_with(">>> ") {
        return false;
    }
    let is_alone = (n == 0 || class[n - 1] != Class::Quote)
        && (n + 1..text.len())
            .find(|&line| class[line] != Class::Empty)
            .is_some_and(|line| class[line] != Class::Quote);
    is_alone && attribution::is_marked(&text[n][4..])
}

/// A line of at least five `_`, `-` or `=` and nothing else.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 5 && line.bytes().all(|b| matches!(b, b'_' | b'-' | b'='))
}
