//! The phrases by which bounces are known when their structure does not tell (M-61…M-63b): one table
//! for each place, sorted by language, compiled once. Patterns look at text in any case with single
//! spaces; a gap between two words is `GAP`.

mod body;
mod places;
mod subject;

use std::sync::LazyLock;

use regex::Regex;

use body::{
    BODY_PHRASES, CHALLENGE_PHRASES, DELAY_PHRASES, FULL_PHRASES, INTRODUCTIONS,
    UNKNOWN_USER_PHRASES,
};
use places::{CUES, DASHED_MARKERS, HINT_WORDS, MARKERS, RECIPIENT_WORDS};
use subject::{SUBJECT_PHRASES, SUCCESS_PHRASES};

/// How much a phrase says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Only a mail system writes so.
    Alone,
    /// A mail system writes so, and others do too.
    Beside,
}

/// A phrase found, with what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub weight: Weight,
    pub said: &'a str,
}

impl Found<'_> {
    /// Whether it needs nothing beside it.
    pub fn is_enough(self) -> bool {
        self.weight == Weight::Alone
    }
}

/// Subject phrases, S of M-61.
pub static SUBJECT: LazyLock<Table> = LazyLock::new(|| Table::compile(&SUBJECT_PHRASES));

/// Body phrases, B of M-61.
pub static BODY: LazyLock<Table> = LazyLock::new(|| Table::compile(&BODY_PHRASES));

/// Subjects of notices that nothing failed (M-59).
pub static SUCCESS: LazyLock<Regex> = LazyLock::new(|| any(SUCCESS_PHRASES));

/// Requests to prove something before mail is let through (M-68).
pub static CHALLENGE: LazyLock<Regex> = LazyLock::new(|| any(CHALLENGE_PHRASES));

/// Words that announce a list of addresses (M-63a).
pub static CUE: LazyLock<Regex> = LazyLock::new(|| any(CUES));

/// Words before an address that make it the recipient's (M-63d).
pub static RECIPIENT: LazyLock<Regex> = LazyLock::new(|| any(RECIPIENT_WORDS));

/// Words before an address that make it somebody else's: whom to ask, who sent (M-62).
pub static HINT: LazyLock<Regex> = LazyLock::new(|| any(HINT_WORDS));

/// Lines between dashes, in brackets of any kind, that begin the returned message (M-63).
pub static DASHED_MARKER: LazyLock<Regex> = LazyLock::new(|| any(DASHED_MARKERS));

/// Lines that begin the returned message without dashes (M-63).
pub static MARKER: LazyLock<Regex> = LazyLock::new(|| any(MARKERS));

/// The first words of a notice, by which a mail system says what it is.
pub static INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| any(INTRODUCTIONS));

/// Words of a notice that the mail is still on its way (M-63b).
pub static DELAY: LazyLock<Regex> = LazyLock::new(|| any(DELAY_PHRASES));

/// Words that nobody has the address, for a derived 5.1.1 (M-63b).
pub static UNKNOWN_USER: LazyLock<Regex> = LazyLock::new(|| any(UNKNOWN_USER_PHRASES));

/// Words that the mailbox takes no more, for a derived 5.2.2 (M-63b).
pub static FULL: LazyLock<Regex> = LazyLock::new(|| any(FULL_PHRASES));

/// Phrases compiled into one expression for each weight.
pub struct Table {
    alone: Regex,
    beside: Regex,
}

impl Table {
    fn compile(rows: &[(&str, Weight, &str)]) -> Table {
        let of = |weight| {
            let rows = rows.iter().filter(|(_, own, _)| *own == weight);
            any(rows.map(|(language, _, pattern)| (*language, *pattern)))
        };
        Table { alone: of(Weight::Alone), beside: of(Weight::Beside) }
    }

    /// The phrase that weighs most.
    pub fn find<'a>(&self, text: &'a str) -> Option<Found<'a>> {
        let alone = self.alone.find(text).map(|found| (Weight::Alone, found));
        let found = alone.or_else(|| self.beside.find(text).map(|found| (Weight::Beside, found)));
        found.map(|(weight, found)| Found { weight, said: found.as_str() })
    }
}

fn any<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> Regex {
    let patterns: Vec<&str> = rows.into_iter().map(|(_, pattern)| pattern).collect();
    // Word boundaries of ASCII and gaps of Latin letters keep the automaton small.
    let pattern = patterns.join("|").replace("GAP", "[ -~\u{c0}-\u{17f}’]{0,60}");
    let pattern = format!("(?i)(?:{})", pattern.replace(r"\b", r"(?-u:\b)"));
    Regex::new(&pattern).expect("the phrases of the tables are expressions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_of_language() {
        let weighed = [&SUBJECT_PHRASES[..], &BODY_PHRASES[..]];
        for table in weighed {
            assert!(table.is_sorted_by_key(|(language, _, _)| *language));
        }
        let plain: [&[(&str, &str)]; 11] = [
            &SUCCESS_PHRASES,
            &CUES,
            &RECIPIENT_WORDS,
            &HINT_WORDS,
            &DASHED_MARKERS,
            &MARKERS,
            &DELAY_PHRASES,
            &UNKNOWN_USER_PHRASES,
            &FULL_PHRASES,
            &CHALLENGE_PHRASES,
            &INTRODUCTIONS,
        ];
        for table in plain {
            assert!(table.is_sorted_by_key(|(language, _)| *language));
        }
    }
}
