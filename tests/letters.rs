//! Our own letters: mail of persons in seven languages as their programs write it, and mail of
//! machines, each with what a good person at the counter would make of it. The real binary explains
//! all of them at once; each test lists every letter that is wrong. Takes a few seconds.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use support::Desk;

/// The smallest collection that proves something: letters of persons, of those in one language, and
/// of machines.
const PERSONS: usize = 120;
const PERSONS_OF_A_LANGUAGE: usize = 12;
const MACHINES: usize = 60;
const LANGUAGES: [&str; 7] = ["de", "en", "es", "fr", "it", "ja", "nl"];

#[derive(Deserialize)]
struct Labels {
    letter: Vec<Label>,
}

/// What is true of one letter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    file: String,
    from: String,
    kind: String,
    language: String,
    /// Of a bounce: the address that failed.
    recipient: Option<String>,
    /// Of a person's letter: the words that are new in it.
    reply: Option<String>,
    subject: String,
}

impl Label {
    fn is_of_a_person(&self) -> bool {
        self.kind == "person"
    }
}

static LABELS: LazyLock<Vec<Label>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(folder().join("labels.toml")).expect("the labels are there");
    toml::from_str::<Labels>(&text).expect("the labels are TOML").letter
});

/// What the program says about each letter, by file name.
static EXPLAINED: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let paths: Vec<String> =
        LABELS.iter().map(|label| folder().join(&label.file).display().to_string()).collect();
    let mut args = vec!["explain", "--json"];
    args.extend(paths.iter().map(String::as_str));
    let told = Desk::new("").ok(&args);
    let objects = told.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    LABELS.iter().map(|label| label.file.clone()).zip(objects).collect()
});

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/letters")
}

/// Asks `wrong` about every letter, and fails with the list of all it objects to.
#[track_caller]
fn none_is_wrong(wrong: impl Fn(&Label, &Value) -> Option<String>) {
    let mut report = String::new();
    for label in LABELS.iter() {
        let explained = EXPLAINED.get(&label.file).expect("every letter is explained");
        if let Some(complaint) = wrong(label, explained) {
            writeln!(report, "{}: {complaint}", label.file).expect("a string takes all");
        }
    }
    assert!(report.is_empty(), "{} letters are wrong\n{report}", report.lines().count());
}

/// Complains when `got` is not `expected`.
fn differs(expected: &str, got: &str) -> Option<String> {
    (expected != got).then(|| format!("expected {expected:?}, got {got:?}"))
}

/// Text without what no reader sees: blanks at line ends, empty lines around it (M-112 `trim`).
fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

#[test]
fn every_letter_has_a_label_and_every_label_a_letter() {
    let labelled: BTreeSet<String> = LABELS.iter().map(|label| label.file.clone()).collect();
    assert_eq!(labelled.len(), LABELS.len(), "no letter is labelled twice");
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the letters are there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .filter(|name| name != "labels.toml")
        .collect();
    assert_eq!(labelled, found);
}

#[test]
fn the_letters_are_many_and_of_every_language_and_kind() {
    let of_persons = LABELS.iter().filter(|label| label.is_of_a_person());
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    for label in of_persons {
        *languages.entry(&label.language).or_default() += 1;
    }
    let persons: usize = languages.values().sum();
    assert!(persons >= PERSONS, "{persons} letters of persons");
    assert_eq!(languages.keys().copied().collect::<Vec<_>>(), LANGUAGES);
    for (language, count) in &languages {
        assert!(*count >= PERSONS_OF_A_LANGUAGE, "{count} letters of persons in `{language}`");
    }
    let machines = LABELS.len() - persons;
    assert!(machines >= MACHINES, "{machines} letters of machines");
    let kinds: BTreeSet<&str> = LABELS.iter().map(|label| label.kind.as_str()).collect();
    let all = ["auto_generated", "auto_reply", "bounce", "list", "person", "report"];
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn m_54_every_letter_is_taken_for_what_it_is() {
    none_is_wrong(|label, explained| {
        let kind = explained["kind"].as_str().unwrap_or_default();
        let complaint = differs(&label.kind, kind)?;
        Some(format!("{complaint} by {}", explained["kind_evidence"]))
    });
}

#[test]
fn m_99_the_reply_is_what_a_person_would_call_new() {
    let replies = LABELS.iter().filter(|label| label.reply.is_some()).count();
    assert!(replies >= PERSONS, "{replies} letters say what is new in them");
    none_is_wrong(|label, explained| {
        let expected = label.reply.as_deref()?;
        let reply = explained["message"]["reply"].as_str().unwrap_or_default();
        differs(&trimmed(expected), &trimmed(reply))
    });
}

#[test]
fn m_34_sender_and_subject_are_read_from_every_letter() {
    none_is_wrong(|label, explained| {
        let message = &explained["message"];
        let from = message["from"]["address"].as_str().unwrap_or_default();
        let subject = message["subject"].as_str().unwrap_or_default();
        differs(&label.from, from).or_else(|| differs(&label.subject, subject))
    });
}

#[test]
fn m_62_every_bounce_names_the_address_that_failed() {
    none_is_wrong(|label, explained| {
        if label.kind != "bounce" {
            return None;
        }
        let expected = label.recipient.as_deref().expect("the label of a bounce names it");
        let failed = explained["bounce"]["recipients"].as_array();
        let failed = failed.into_iter().flatten().filter_map(|one| one["address"].as_str());
        differs(expected, &failed.collect::<Vec<_>>().join(" "))
    });
}

#[test]
fn m_55_every_person_gets_a_ticket_and_no_machine_an_answer() {
    none_is_wrong(|label, explained| {
        if label.is_of_a_person() {
            return differs("accepted", explained["outcome"].as_str().unwrap_or_default());
        }
        let outgoing = explained["outgoing"].as_array();
        let sent = outgoing.into_iter().flatten().filter(|mail| mail["withheld"].is_null()).count();
        (sent > 0).then(|| format!("{sent} mails answer a machine"))
    });
}
