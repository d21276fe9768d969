//! Recognises the line a client writes above a quote (M-93): `On DATE, NAME <ADDRESS> wrote:`, in
//! any language, wrapped over one to four lines. Only lines that end like one are looked at; a
//! window is read once, forward.

use super::dates::{has_day_month_year, has_time, has_year};
use super::headers::is_address_at;
use super::lines::Class;
use super::words::{NARRATION, locales};

/// How sure it is that a client wrote the line, not a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    Strong,
    /// Counts only above a quoted line.
    Weak,
}

const MOST_WINDOW: usize = 4;
const MOST_CHARS: usize = 400;

/// The attribution whose last line is `n`: its first line, none before `free`. The latest start
/// wins that begins as an attribution does; else the latest that matches.
pub(super) fn ending_at(
    text: &[&str],
    class: &[Class],
    n: usize,
    free: usize,
) -> Option<(usize, Certainty)> {
    let lines = window(text, class, n, free)?;
    let quote_below = (n + 1..text.len())
        .find(|&line| class[line] != Class::Empty)
        .is_some_and(|line| class[line] == Class::Quote);

    let mut best = None;
    let mut joined = String::new();
    for (count, &start) in lines.iter().enumerate() {
        joined = join(text[start], &joined);
        if joined.chars().nth(MOST_CHARS).is_some() {
            break;
        }
        // A sentence that ends on an earlier line is somebody's own.
        if count > 0 && ends_sentence(text[start]) {
            break;
        }
        let Some(read) = Reading::of(&joined, Search::Dated) else { continue };
        if !read.is_strong(quote_below) {
            continue;
        }
        if read.begins && read.full_date {
            return Some((start, Certainty::Strong));
        }
        // `at 10:05, NAME wrote:` may be the rest of `On DATE`; a start with the day is better.
        best = Some(match best {
            Some((known, true)) => (known, true),
            Some((known, false)) if !read.begins => (known, false),
            _ => (count, read.begins),
        });
    }
    if let Some((count, _)) = best {
        return Some((with_name(text, &lines, count), Certainty::Strong));
    }
    if !quote_below || class[n] != Class::Text {
        return None;
    }
    let last = Reading::of(text[n], Search::Always)?;
    last.is_weak().then_some((n, Certainty::Weak))
}

/// Whether one of the lines, or up to four of them together, is a strong attribution.
pub(super) fn is_within(content: &[&str]) -> bool {
    let class: Vec<Class> = content
        .iter()
        .map(|line| if line.trim().is_empty() { Class::Empty } else { Class::Text })
        .collect();
    (0..content.len()).any(|n| {
        class[n] == Class::Text
            && matches!(ending_at(content, &class, n, 0), Some((_, Certainty::Strong)))
    })
}

/// Where an attribution begins that shares its line with the reply before it: some mobile clients
/// forget the line break.
pub(super) fn shared_line(line: &str) -> Option<usize> {
    if !line.trim_end().ends_with(':') || line.len() > MOST_CHARS {
        return None;
    }
    let on = line.rfind("On ").filter(|&at| at > 0 && line[..at].ends_with([' ', '-']))?;
    let at = line[..on].trim_end_matches([' ', '-']).len();
    let words = line[..at].trim_start_matches(['>', ' ']);
    let read = Reading::of(&line[on..], Search::Dated)?;
    (!words.is_empty() && !line.starts_with('>') && read.is_client_line()).then_some(at)
}

/// The lines that may belong to one attribution, the last first. One empty line may stand before a
/// continuation that begins with `<`.
fn window(text: &[&str], class: &[Class], n: usize, free: usize) -> Option<Vec<usize>> {
    match class[n] {
        Class::Text if is_end(text[n]) => {}
        // `> wrote:` closes an address, it quotes nothing.
        Class::Quote if is_closing(text[n]) && n > free && class[n - 1] == Class::Text => {}
        _ => return None,
    }
    let mut lines = vec![n];
    let mut line = n;
    while lines.len() < MOST_WINDOW && line > free {
        line -= 1;
        match class[line] {
            Class::Text => lines.push(line),
            Class::Empty
                if line > free
                    && class[line - 1] == Class::Text
                    && text[line + 1].trim_start().starts_with('<') => {}
            _ => break,
        }
    }
    Some(lines)
}

/// A cheap look at how the line ends.
fn is_end(line: &str) -> bool {
    let line = line.trim_end_matches(['*', ' ', '\t', '_']);
    if line.len() > 4 * MOST_CHARS {
        return false;
    }
    match line.as_bytes().last() {
        Some(b':' | b'>') => true,
        Some(b'-') => line.ends_with("--"),
        _ => line.ends_with('：'),
    }
}

fn is_closing(line: &str) -> bool {
    let Some(rest) = line.trim().strip_prefix('>') else { return false };
    let rest = rest.trim_start_matches(['>', ' ']);
    rest.len() <= 60
        && rest.ends_with([':', '：'])
        && (rest.len() <= 3 || verb_in(&rest.to_lowercase()).is_some())
}

fn join(upper: &str, lower: &str) -> String {
    let mut joined = String::with_capacity(upper.len() + lower.len() + 1);
    joined.push_str(upper.trim());
    if !lower.is_empty() {
        joined.push(' ');
        joined.push_str(lower);
    }
    joined
}

/// A full stop after a long word. After a short one it may be a month or a day (`28.`, `janv.`).
fn ends_sentence(line: &str) -> bool {
    let line = line.trim_end();
    if line.ends_with(['!', '?', '。']) {
        return true;
    }
    let Some(line) = line.strip_suffix('.') else { return false };
    let word = line.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    word.chars().count() > 5
}

/// `<address> wrote:` may have the name on the line above.
fn with_name(text: &[&str], lines: &[usize], count: usize) -> usize {
    let start = lines[count];
    let begins_with_address = text[start].trim_start().starts_with('<');
    match lines.get(count + 1) {
        Some(&above)
            if begins_with_address
                && text[above].trim().chars().count() <= 60
                && !text[above].trim_end().ends_with(['.', '!', '?', ',', ':', ';']) =>
        {
            above
        }
        _ => start,
    }
}

/// What a candidate says.
struct Reading {
    /// Begins with a prefix of some language or, within three words, with a number; and closes no
    /// bracket that opens on a line above.
    begins: bool,
    prefixes: u32,
    address: Where,
    /// A year, or day, month and year.
    full_date: bool,
    time: bool,
    verb: Option<Verb>,
    ending: Ending,
    narrated: bool,
    words: usize,
    words_after_address: usize,
    is_iso_start: bool,
}

/// Where an address stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Bare,
    Bracketed,
    Nowhere,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Bracket,
    Colon,
    /// `---- On DATE NAME wrote ----`.
    Dashes,
}

/// When a candidate is searched for a verb.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    Always,
    /// Only beside a date or an address: without them a verb proves nothing.
    Dated,
}

struct Verb {
    locales: u32,
    is_loose: bool,
}

impl Reading {
    fn of(joined: &str, verb: Search) -> Option<Self> {
        let whole = joined.trim();
        let body = whole.trim_matches(['*', ' ', '\t', '_']);
        let (ending, body) = if body.starts_with("--") && body.ends_with('-') {
            (Ending::Dashes, body.trim_matches(['-', ' ', '*']))
        } else if body.ends_with([':', '：']) {
            (Ending::Colon, body.trim_start_matches(['-', ' ']).trim_end_matches([':', '：', ' ']))
        } else if body.ends_with('>') {
            (Ending::Bracket, body)
        } else {
            return None;
        };
        let lower = body.to_lowercase();
        let words: Vec<&str> = body
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '，' | '"' | '(' | ')' | '<'))
            .filter(|word| !word.is_empty())
            .collect();
        let prefixes = prefixes_of(&lower);
        let early_number = words.iter().take(3).any(|w| {
            w.len() <= 12 && !w.contains('@') && w.starts_with(|c: char| c.is_ascii_digit())
        });
        let closes_more = body.matches('>').count() > body.matches('<').count();
        let (address, words_after_address) = address_in(body);
        let full_date = has_year(&lower) || has_day_month_year(&lower);
        let time = has_time(&lower);
        // Most lines that end with a colon are prose; the search for a verb costs the most.
        let is_candidate = full_date || time || address != Where::Nowhere || verb == Search::Always;
        Some(Self {
            begins: !closes_more
                && !body.starts_with('<')
                && (prefixes != 0 && has_digit(&words) || early_number),
            prefixes,
            address,
            full_date,
            time,
            verb: if is_candidate { verb_in(&lower) } else { None },
            ending,
            narrated: words.iter().any(|word| NARRATION.contains(word)),
            words: words.len(),
            words_after_address,
            is_iso_start: has_day_month_year(words.first().copied().unwrap_or_default()),
        })
    }

    fn is_strong(&self, quote_below: bool) -> bool {
        let addressed = self.address != Where::Nowhere;
        match self.ending {
            // `2013/7/20 NAME <ADDRESS>` of old Gmail has neither verb nor colon.
            Ending::Bracket => {
                quote_below
                    && self.is_iso_start
                    && self.address == Where::Bracketed
                    && self.words_after_address == 0
                    && self.words <= 12
            }
            Ending::Dashes => self.verb.is_some() && (self.full_date || self.time),
            Ending::Colon => {
                let dated_address =
                    self.begins && addressed && self.full_date && self.words_after_address <= 8;
                dated_address || self.is_dated_verb(addressed) || self.is_addressed_verb()
            }
        }
    }

    /// Prefix, verb of the same language and a date. What people say too needs an address.
    fn is_dated_verb(&self, addressed: bool) -> bool {
        let Some(verb) = &self.verb else { return false };
        let is_one_language =
            self.prefixes & verb.locales != 0 || (self.prefixes == 0 && self.begins);
        self.begins
            && is_one_language
            && (self.full_date || self.time)
            && (addressed || !(verb.is_loose || self.narrated))
    }

    /// Verb and an address in brackets, or nothing but the address.
    fn is_addressed_verb(&self) -> bool {
        self.verb.is_some()
            && match self.address {
                Where::Bare => self.words <= 3,
                Where::Bracketed => self.words_after_address <= 12 && self.words <= 24,
                Where::Nowhere => false,
            }
    }

    fn is_weak(&self) -> bool {
        let told = self.verb.is_some() && self.words <= 14;
        let dated = self.full_date && self.begins;
        self.ending == Ending::Colon && !self.narrated && (told || dated)
    }

    /// Only what a client writes: date, address and verb, all three.
    fn is_client_line(&self) -> bool {
        self.begins
            && self.ending == Ending::Colon
            && self.address != Where::Nowhere
            && (self.full_date || self.time)
            && self.verb.as_ref().is_some_and(|verb| !verb.is_loose)
    }
}

fn prefixes_of(lower: &str) -> u32 {
    let mut found = 0;
    for (n, locale) in locales().enumerate() {
        let begins = locale.prefixes.iter().any(|prefix| {
            lower.strip_prefix(prefix).is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_whitespace() || c.is_ascii_digit())
                    || !prefix.is_ascii()
            })
        });
        if begins {
            found |= 1 << n;
        }
    }
    found
}

/// The languages whose verb stands in the line; a firm one wins over what people say too.
fn verb_in(lower: &str) -> Option<Verb> {
    let spaceless = |verb: &str| verb.starts_with(|c: char| c >= '\u{3000}');
    let (mut firm, mut loose) = (0, 0);
    if !lower.is_ascii() {
        // Chinese, Japanese and Korean write no spaces around it.
        for (n, locale) in locales().enumerate() {
            if locale.verbs.iter().any(|verb| spaceless(verb) && lower.contains(verb)) {
                firm |= 1 << n;
            }
        }
    }
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2) {
        for (n, locale) in locales().enumerate() {
            if locale.verbs.contains(&word) {
                firm |= 1 << n;
            } else if locale.loose_verbs.contains(&word) {
                loose |= 1 << n;
            }
        }
    }
    match (firm, loose) {
        (0, 0) => None,
        (0, locales) => Some(Verb { locales, is_loose: true }),
        (locales, _) => Some(Verb { locales, is_loose: false }),
    }
}

fn address_in(body: &str) -> (Where, usize) {
    let Some((at, _)) = body.rmatch_indices('@').find(|(at, _)| is_address_at(body, *at)) else {
        return (Where::Nowhere, 0);
    };
    let end = body[at..].find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | '&' | ']'));
    let rest = end.map_or("", |end| &body[at + end..]);
    let bracketed = rest.starts_with(['>', ')', '&', ']']);
    let rest = rest.trim_start_matches(['>', ')', ']', '"', ' ']).trim_start_matches("&gt;");
    let place = if bracketed { Where::Bracketed } else { Where::Bare };
    (place, rest.split_whitespace().count())
}

fn has_digit(words: &[&str]) -> bool {
    words.iter().any(|word| word.bytes().any(|b| b.is_ascii_digit()))
}
