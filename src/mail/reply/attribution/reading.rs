//! Reads what a candidate for an attribution says (M-93): how it begins and ends, its verb, date
//! and address.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::dates::{ascii_digits, has_day_month_year, has_time, has_year};
use super::super::headers::is_address_at;
use super::super::words::{NARRATION, SELF, is_spaceless, locales};

/// What a candidate says.
pub(super) struct Reading {
    pub start: Start,
    /// Begins with a prefix of some language or, within three words, with a number; and closes no
    /// bracket that opens on a line above.
    begins: bool,
    prefixes: u64,
    pub address: Where,
    /// A year, or day, month and year.
    full_date: bool,
    time: bool,
    verb: Option<Verb>,
    ending: Ending,
    narrated: bool,
    is_own_story: bool,
    /// `mail:` or `from=<…>` in it, as programs write.
    is_log: bool,
    words: usize,
    words_after_address: usize,
    is_iso_start: bool,
    /// Begins with the verb: whose words these are stands on the line above.
    pub lacks_sender: bool,
}

/// How good a beginning of an attribution the beginning is, the best last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Start {
    /// Of a piece: a verb, the year or hour of a date, an address whose name is missing.
    Piece,
    Other,
    /// Of a name with an address; the date may stand on the line above.
    Named,
    /// Of a date with an hour, or of a name with a date behind it.
    Dated,
    /// With a word that only begins attributions, and a date.
    Prefix,
}

/// Where an address stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
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
pub(super) enum Search {
    Always,
    /// Only beside a date or an address: without them a verb proves nothing.
    Dated,
}

pub(super) struct Verb {
    locales: u64,
    is_loose: bool,
}

impl Reading {
    pub(super) fn of(joined: &str, verb: Search) -> Option<Self> {
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
        let body = &*ascii_digits(body);
        let lower = body.to_lowercase();
        let words: Vec<&str> = body.split(is_gap).filter(|word| !word.is_empty()).collect();
        let prefixes = prefixes_of(&lower);
        let (address, words_after_address) = address_in(body);
        let full_date = has_year(&lower) || has_day_month_year(&lower);
        let time = has_time(&lower);
        // Most lines that end with a colon are prose; the search for a verb costs the most.
        let is_candidate = full_date || time || address != Where::Nowhere || verb == Search::Always;
        let verb = if is_candidate { verb_in(&lower) } else { None };
        let closes_more = body.matches('>').count() > body.matches('<').count();
        let is_open = !closes_more && !body.starts_with('<');
        let begins = is_open
            && (prefixes != 0 && has_digit(&words)
                || has_number(&words, 3)
                || is_name_and_date(&words));
        let told_first = verb.is_some()
            && words.iter().take(2).any(|word| verb_in(&word.to_lowercase()).is_some());
        let dated_first = has_number(&words, 3) && full_date && time;
        let named_first = verb.is_some()
            && address != Where::Nowhere
            && words.iter().take(5).any(|word| word.contains('@'));
        let day_first = has_number(&words, 5)
            && words.iter().find(|word| is_number(word)).is_some_and(|word| !has_time(word));
        let is_one_language = verb.as_ref().is_none_or(|verb| verb.locales & prefixes != 0);
        let start = if !is_open || is_rest_of_date(&words) {
            Start::Piece
        } else if prefixes != 0 && is_one_language && (full_date || day_first && time) {
            Start::Prefix
        } else if told_first && address == Where::Nowhere && prefixes == 0 {
            Start::Piece
        } else if dated_first || named_first && full_date {
            Start::Dated
        } else if begins || named_first {
            Start::Named
        } else {
            Start::Other
        };
        Some(Self {
            start,
            begins,
            prefixes,
            address,
            full_date,
            time,
            verb,
            ending,
            narrated: words.iter().any(|word| NARRATION.contains(word)),
            is_own_story: words.iter().any(|word| SELF.contains(word)),
            is_log: words.iter().any(|word| word.ends_with([':', '=']) || word.contains("]:")),
            words: words.len(),
            words_after_address,
            is_iso_start: has_day_month_year(words.first().copied().unwrap_or_default()),
            lacks_sender: address == Where::Nowhere
                && (told_first && prefixes == 0 || tells_only_when(&words)),
        })
    }

    pub(super) fn is_strong(&self, quote_below: bool) -> bool {
        if self.is_own_story {
            return false;
        }
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
                let dated_address = self.begins
                    && addressed
                    && self.full_date
                    && self.words_after_address <= 12
                    && !(self.is_log && self.verb.is_none());
                dated_address || self.is_dated_verb(addressed) || self.is_addressed_verb()
            }
        }
    }

    /// Prefix, verb of the same language and a date. What people say too needs an address, and an
    /// hour at the beginning may be a line of a log.
    fn is_dated_verb(&self, addressed: bool) -> bool {
        let Some(verb) = &self.verb else { return false };
        let is_one_language =
            self.prefixes & verb.locales != 0 || (self.prefixes == 0 && self.begins);
        let is_named_first = self.full_date && self.time && self.words <= 12;
        let is_timed = self.time && (self.prefixes != 0 || addressed);
        (self.begins && is_one_language || is_named_first)
            && (self.full_date || is_timed)
            && (addressed || !(verb.is_loose || self.narrated))
    }

    /// Verb and an address in brackets, or nothing but the address.
    fn is_addressed_verb(&self) -> bool {
        self.verb.is_some()
            && match self.address {
                Where::Bare => self.words <= 3 || self.full_date && self.words <= 12,
                Where::Bracketed => self.words_after_address <= 12 && self.words <= 24,
                Where::Nowhere => false,
            }
    }

    pub(super) fn is_weak(&self) -> bool {
        let told = self.verb.is_some() && self.words <= 14;
        let dated = self.full_date && self.begins;
        self.ending == Ending::Colon && !self.narrated && (told || dated)
    }

    /// Only what a client writes: date, address and verb, all three.
    pub(super) fn is_client_line(&self) -> bool {
        self.begins
            && self.ending == Ending::Colon
            && self.address != Where::Nowhere
            && (self.full_date || self.time)
            && self.verb.as_ref().is_some_and(|verb| !verb.is_loose)
    }
}

fn prefixes_of(lower: &str) -> u64 {
    let mut found = 0;
    for (n, locale) in locales().enumerate() {
        let begins = locale.prefixes.iter().any(|prefix| {
            lower.strip_prefix(prefix).is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_whitespace() || c.is_ascii_digit())
                    || is_spaceless(prefix)
            })
        });
        if begins {
            found |= 1 << n;
        }
    }
    found
}

/// The languages that have a verb, as bits.
#[derive(Clone, Copy, Default)]
struct Speakers {
    firm: u64,
    loose: u64,
}

static VERBS: LazyLock<HashMap<&str, Speakers>> = LazyLock::new(|| {
    let mut verbs: HashMap<&str, Speakers> = HashMap::new();
    for (n, locale) in locales().enumerate() {
        for verb in locale.verbs {
            verbs.entry(verb).or_default().firm |= 1 << n;
        }
        for verb in locale.loose_verbs {
            verbs.entry(verb).or_default().loose |= 1 << n;
        }
    }
    verbs
});

static SPACELESS_VERBS: LazyLock<Vec<(&str, u64)>> = LazyLock::new(|| {
    let firm = VERBS.iter().map(|(verb, speakers)| (*verb, speakers.firm));
    firm.filter(|(verb, _)| is_spaceless(verb)).collect()
});

/// The languages whose verb stands in the line; a firm one wins over what people say too.
pub(super) fn verb_in(lower: &str) -> Option<Verb> {
    let mut found = Speakers::default();
    if !lower.is_ascii() {
        for (verb, locales) in SPACELESS_VERBS.iter() {
            if lower.contains(verb) {
                found.firm |= locales;
            }
        }
    }
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2) {
        if let Some(speakers) = VERBS.get(word) {
            found.firm |= speakers.firm;
            found.loose |= speakers.loose;
        }
    }
    match found {
        Speakers { firm: 0, loose: 0 } => None,
        Speakers { firm: 0, loose } => Some(Verb { locales: loose, is_loose: true }),
        Speakers { firm, .. } => Some(Verb { locales: firm, is_loose: false }),
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

fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | '，' | '、' | '،' | '"' | '(' | ')' | '<' | '[' | ']' | '«' | '»')
}

fn has_digit(words: &[&str]) -> bool {
    words.iter().any(|word| word.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether a number, a date or an hour is among the first words.
fn has_number(words: &[&str], most: usize) -> bool {
    words.iter().take(most).any(|word| is_number(word))
}

fn is_number(word: &str) -> bool {
    word.len() <= 12 && !word.contains('@') && word.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether the words are a name, an address and right behind it a date: `NAME <ADDRESS> [DATE]`.
fn is_name_and_date(words: &[&str]) -> bool {
    let Some(at) = words.iter().take(6).position(|word| word.contains('@')) else { return false };
    words[..at].iter().all(|word| !word.starts_with(char::is_lowercase))
        && words.get(at + 1).is_some_and(|word| is_number(word))
}

/// Whether there is nothing but the day and hour between the first word and the verb at the end.
fn tells_only_when(words: &[&str]) -> bool {
    let [_, when @ .., verb] = words else { return false };
    !when.is_empty()
        && when.iter().all(|word| is_number(word) || matches!(*word, "um" | "Uhr"))
        && verb_in(&verb.to_lowercase()).is_some()
}

/// Whether the words begin with the month, year, hour or offset of a date whose day stands above.
fn is_rest_of_date(words: &[&str]) -> bool {
    let is_when = |word: &&str| is_number(word) || word.starts_with('+');
    let Some(at) = words.iter().take(2).position(is_when) else { return false };
    let (first, rest) = (words[at].trim_end_matches(['.', ';']), &words[at + 1..]);
    let is_year = first.len() == 4 && has_year(first);
    let is_offset = first.starts_with('+') && first[1..].starts_with(|c: char| c.is_ascii_digit());
    if !(is_year || has_time(first) || is_offset) {
        return false;
    }
    let is_day = |word: &&str| {
        let day = word.trim_end_matches(['.', ':']);
        matches!(day.len(), 1 | 2) && day.bytes().all(|b| b.is_ascii_digit())
            || has_day_month_year(word)
    };
    !rest.iter().any(is_day)
}
