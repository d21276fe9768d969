//! Finds the marks in the header (M-66…M-71), by the rows of `tables`.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::calendar::adds_nothing;
use super::phrases::{Standing, automatic_phrase};
use super::tables::{
    CLIENT_FIELDS, CLIENT_IDS, CLIENTS, LIST_FIELDS, MARKS, Mark, Name, QUOTING, QUOTING_STARTS,
    Says, Test,
};
use super::{Signal, Strength};
use crate::mail::address::local_part::is_robot;
use crate::mail::headers::{Field, Fields, keyword, unfold};
use crate::mail::reply::{Prefix, subject_prefix};
use crate::mail::{NamedAddress, ReturnPath};

/// What was read of the message before, as far as marks hang on it.
pub struct Seen<'a> {
    pub subject: &'a str,
    pub from: &'a [NamedAddress],
    pub return_path: &'a ReturnPath,
    /// It has In-Reply-To or References.
    pub has_references: bool,
    /// The method of a calendar's answer, `METHOD=reply` or `METHOD=counter` (M-22).
    pub calendar_answer: Option<&'a str>,
    pub text: &'a str,
    /// The words of a delivery report that is a challenge (M-68).
    pub challenge: Option<&'a str>,
}

static AUTO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i-u)auto[-_ ]?(response|submitted|replied|reply|generated|respond)")
        .expect("a literal expression")
});

/// All marks of the message: those of its parts, of its fields in their order, of its subject, of
/// its sender. What says most is told first.
pub fn collect(fields: &Fields, seen: &Seen) -> Vec<Signal> {
    let mut found = Found { signals: Vec::new(), weak: Vec::new() };
    if let Some(said) = seen.challenge {
        found.add(Strength::Strong, "M-68", said.to_owned(), Says::Answer);
    }
    let answer = seen.calendar_answer.filter(|_| adds_nothing(seen.text));
    if let Some(said) = answer {
        found.add(Strength::Strong, "M-67", said.to_owned(), Says::Answer);
    }
    found.fields(fields);
    found.subject(fields, seen.subject);
    found.sender(seen);
    // M-70b: a reply prefix, a reference or the answer of a calendar says of every mark that the
    // mail answers something.
    let is_reply = subject_prefix(seen.subject) == Prefix::Reply;
    if is_reply || seen.has_references || seen.calendar_answer.is_some() {
        for signal in &mut found.signals {
            signal.answers |= matches!(signal.strength, Strength::Strong | Strength::Weak);
        }
    }
    found.signals
}

struct Found {
    signals: Vec<Signal>,
    /// The weak rows that were seen: a field that stands there twice is one mark, not two (M-69).
    weak: Vec<usize>,
}

impl Found {
    fn add(&mut self, strength: Strength, rule: &'static str, said: String, says: Says) {
        let answers = says == Says::Answer;
        self.signals.push(Signal { strength, rule, said, answers });
    }

    fn fields(&mut self, fields: &Fields) {
        let fields: Vec<Compared> = fields.0.iter().map(Compared::new).collect();
        let is_list = fields.iter().any(|field| {
            let mut lists = MARKS.iter().filter(|mark| mark.strength == Strength::List);
            lists.any(|mark| field.is(mark))
        });
        for field in &fields {
            let counts = |mark: &Mark| !(is_list && matches!(mark.value, Test::Bulk));
            let mut marks = MARKS.iter().enumerate();
            let found = marks.find(|(_, mark)| field.is(mark) && counts(mark));
            let Some((row, mark)) = found else { continue };
            if mark.strength == Strength::Weak {
                if self.weak.contains(&row) {
                    continue;
                }
                self.weak.push(row);
            }
            self.add(mark.strength, mark.rule, field.said(), mark.says);
        }
    }

    fn sender(&mut self, seen: &Seen) {
        if *seen.return_path == ReturnPath::Null {
            self.add(Strength::Strong, "M-67", "Return-Path=<>".to_owned(), Says::Nothing);
        }
        let Some(from) = seen.from.first() else { return };
        let local = from.address.split('@').next().unwrap_or_default();
        let said = || format!("From={}", shortened(&from.address));
        if local.eq_ignore_ascii_case("mailer-daemon") {
            self.add(Strength::Strong, "M-67", said(), Says::Nothing);
        } else if is_robot(local) {
            self.add(Strength::Weak, "M-69", said(), Says::Nothing);
        }
    }

    /// People ask about answering machines, and answer them: what a person's client has sent needs
    /// a second mark (E-129).
    fn subject(&mut self, fields: &Fields, subject: &str) {
        if let Some((phrase, standing)) = automatic_phrase(subject) {
            let strength = match standing {
                Standing::Strong if !is_of_a_client(fields) => Strength::Strong,
                Standing::Strong | Standing::Weak => Strength::Weak,
            };
            self.add(strength, "M-70", format!("subject {phrase}"), Says::Answer);
        }
    }
}

/// Whether a program that only sends what a person wrote in it says so, by its name or by the ids
/// that it gives.
fn is_of_a_client(fields: &Fields) -> bool {
    let lower = |raw: &[u8]| String::from_utf8_lossy(&unfold(raw)).trim().to_lowercase();
    let begins_word = |value: &str, at: usize| !value[..at].ends_with(char::is_alphanumeric);
    let is_named = CLIENT_FIELDS.iter().flat_map(|name| fields.all(name)).any(|raw| {
        let value = lower(raw);
        let mut found = CLIENTS.iter().filter_map(|client| value.find(client));
        found.any(|at| begins_word(&value, at))
    });
    is_named
        || fields.first("message-id").is_some_and(|raw| {
            let id = lower(raw);
            CLIENT_IDS.iter().any(|end| id.trim_end_matches('>').ends_with(end))
        })
}

/// A field as it is compared (M-56).
struct Compared<'a> {
    name: String,
    value: String,
    field: &'a Field<'a>,
}

impl<'a> Compared<'a> {
    fn new(field: &'a Field<'a>) -> Compared<'a> {
        Compared { name: field.name.to_ascii_lowercase(), value: keyword(field.raw), field }
    }

    fn is(&self, mark: &Mark) -> bool {
        self.is_named(&mark.name) && self.fits(&mark.value)
    }

    fn is_named(&self, wanted: &Name) -> bool {
        let name = self.name.as_str();
        match wanted {
            Name::Begins(start) => name.starts_with(start),
            Name::Holds(word) => name.contains(word),
            Name::Is(wanted) => name == *wanted,
            Name::OneOf(names) => names.contains(&name),
            Name::Other => {
                !QUOTING.contains(&name)
                    && !LIST_FIELDS.contains(&name)
                    && !QUOTING_STARTS.iter().any(|start| name.starts_with(start))
            }
        }
    }

    fn fits(&self, test: &Test) -> bool {
        let value = self.value.as_str();
        match test {
            Test::Begins(start) => value.starts_with(start),
            Test::Bulk => matches!(value, "bulk" | "junk"),
            Test::Contains(word) => value.contains(word),
            Test::Given => !value.is_empty(),
            Test::NotDenied => !is_denied(value),
            Test::OneOf(values) => values.contains(&value),
            Test::SpeaksOfAnswers => {
                !is_denied(value)
                    && (AUTO.is_match(self.name.as_bytes()) || AUTO.is_match(self.field.raw))
            }
            Test::Word(wanted) => words(value).any(|word| wanted.contains(&word)),
        }
    }

    /// `Name=value`, the value cut at 80 characters (M-54); of List-Id what stands in brackets
    /// (M-71).
    fn said(&self) -> String {
        let value = String::from_utf8_lossy(&unfold(self.field.raw)).into_owned();
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        let in_brackets = || value.rsplit_once('<')?.1.split_once('>').map(|(inside, _)| inside);
        let list_id = if self.name == "list-id" { in_brackets() } else { None };
        let value = list_id.unwrap_or(&value);
        format!("{}={}", self.field.name, shortened(value.trim()))
    }
}

/// The words of X-Auto-Response-Suppress.
pub(super) fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ';', ' ', '\t', '"']).filter(|word| !word.is_empty())
}

/// A value that takes the mark back, or says nothing.
fn is_denied(value: &str) -> bool {
    matches!(value, "" | "no" | "false")
}

fn shortened(value: &str) -> &str {
    match value.char_indices().nth(80) {
        Some((at, _)) => &value[..at],
        None => value,
    }
}

#[cfg(test)]
mod tests;
