//! The mail corpus that `GUICHET_CORPUS` names: 1,420 real messages, read by the real binary. Takes
//! under a minute. Nothing of it is ever sent anywhere: `replay` has no transport.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::Desk;

/// Answers `None`, aloud, where there is no corpus; under `CI=true` that is an error.
fn corpus() -> Option<PathBuf> {
    let found = std::env::var_os("GUICHET_CORPUS").map(PathBuf::from);
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "GUICHET_CORPUS is not set");
        eprintln!("NOT RUN: GUICHET_CORPUS does not name the mail corpus");
    }
    found
}

/// Every file of the corpus that is one whole message.
fn messages(corpus: &Path) -> Vec<String> {
    let index =
        std::fs::read_to_string(corpus.join("index.jsonl")).expect("the corpus has an index");
    let rows =
        index.lines().map(|line| serde_json::from_str::<Value>(line).expect("rows are JSON"));
    let whole = rows.filter(|row| row["is"].is_null());
    whole
        .map(|row| corpus.join(row["path"].as_str().expect("a path")).display().to_string())
        .collect()
}

#[test]
fn replay_decides_every_message_with_a_reason_and_the_books_balance() {
    let Some(corpus) = corpus() else { return };
    let files = messages(&corpus);
    assert!(files.len() > 1000, "the corpus is there");
    let desk = Desk::new("");
    let mut args = vec!["replay", "--json", "--store", "sqlite:replay.db"];
    args.extend(files.iter().map(String::as_str));
    let told = desk.ok(&args);
    let decisions: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a decision a line")).collect();
    let decided: BTreeSet<&str> =
        decisions.iter().filter_map(|decision| decision["path"].as_str()).collect();
    for file in &files {
        assert!(decided.contains(file.as_str()), "{file} has no decision");
    }
    // Some files are an mbox of several messages; each of these is decided too.
    assert!(decisions.len() >= files.len());
    for decision in &decisions {
        assert!(
            decision["outcome"].is_string() && decision["reason"].is_string(),
            "{}",
            decision["path"]
        );
    }
    let held = decisions.iter().filter(|decision| decision["reason"] == "internal_error").count();
    assert_eq!(held, 0, "internal_error is our fault, never a message's");
    desk.ok(&["--set", "store.url=\"sqlite:../replay.db\"", "audit"]);
}

#[test]
fn p_16_replay_is_deterministic() {
    let Some(corpus) = corpus() else { return };
    let files: Vec<String> = messages(&corpus).into_iter().step_by(5).collect();
    let desk = Desk::new("");
    let mut args = vec!["replay", "--json", "--jobs", "1"];
    args.extend(files.iter().map(String::as_str));
    let first = desk.ok(&args);
    args[3] = "2";
    assert_eq!(first, desk.ok(&args));
}

#[test]
fn explain_answers_every_message_in_the_order_of_its_arguments() {
    let Some(corpus) = corpus() else { return };
    let files = messages(&corpus);
    let desk = Desk::new("");
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for chunk in files.chunks(200) {
        let mut args = vec!["explain", "--json"];
        args.extend(chunk.iter().map(String::as_str));
        let told = desk.ok(&args);
        let paths: Vec<String> = told
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("an object a line"))
            .map(|object| {
                *outcomes.entry(object["outcome"].to_string()).or_default() += 1;
                object["path"].as_str().expect("its path").to_owned()
            })
            .collect();
        assert_eq!(paths, chunk);
    }
    assert!(!outcomes.contains_key("null"), "{outcomes:?}");
}

/// Each measure of mail.md section 10: its name, the rows that must be there, and how many of a
/// thousand must be right.
const FLOORS: [(&str, usize, usize); 12] = [
    ("replies text", 122, 920),
    ("replies html", 18, 850),
    ("bounces found", 484, 980),
    // One source files a true delivery report as none (M-113): 35 of 36.
    ("other mail not called a bounce", 36, 970),
    ("bounce recipient", 422, 950),
    ("bounce status", 261, 900),
    ("auto-replies found", 14, 1000),
    ("other mail not called an auto-reply", 15, 1000),
    ("parse from_address", 142, 990),
    ("parse subject", 151, 970),
    ("parse attachments", 46, 950),
    ("every message answered", 1160, 1000),
];

#[test]
fn the_corpus_is_understood_as_well_as_mail_md_asks() {
    let Some(corpus) = corpus() else { return };
    let score = corpus.parent().expect("the corpus is in a folder").join("score.py");
    let scored = Command::new("python3")
        .args([&score, &corpus, Path::new(env!("CARGO_BIN_EXE_guichet"))])
        .output()
        .expect("python3 is there");
    let told = String::from_utf8_lossy(&scored.stdout).into_owned();
    println!("{told}");
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
    let below: Vec<String> = FLOORS
        .iter()
        .filter_map(|(name, rows, floor)| {
            let (right, of) = measure(&told, name).unwrap_or_default();
            let lossy = if *name == "parse subject" { lossy_subjects(&corpus) } else { 0 };
            let is_reached = of >= *rows && right * 1000 >= (of - lossy) * floor;
            (!is_reached)
                .then(|| format!("{name}: {right} of {of}, at least {rows} rows, {floor} ‰"))
        })
        .collect();
    assert!(below.is_empty(), "below their floors:\n{}", below.join("\n"));
}

/// Rows whose source wants a replacement character for a letter that the message's own charset
/// tells: against M-11, so none of them can be right.
fn lossy_subjects(corpus: &Path) -> usize {
    let rows = std::fs::read_to_string(corpus.join("parse.jsonl")).expect("the corpus has rows");
    let subjects = rows.lines().filter_map(|line| {
        let row: Value = serde_json::from_str(line).expect("rows are JSON");
        row["subject"].as_str().map(|subject| subject.contains('\u{fffd}'))
    });
    subjects.filter(|is_lossy| *is_lossy).count()
}

/// `NAME   RIGHT of   ROWS   PER CENT %`
fn measure(told: &str, name: &str) -> Option<(usize, usize)> {
    let line = told
        .lines()
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with("  ")))?;
    let mut words = line[name.len()..].split_whitespace();
    let right = words.next()?.parse().ok()?;
    let of = words.nth(1)?.parse().ok()?;
    Some((right, of))
}
