//! The mail corpus that `GUICHET_CORPUS` names: 1,420 real messages, read by the real binary. Takes
//! under a minute. Nothing of it is ever sent anywhere: `replay` has no transport.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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
