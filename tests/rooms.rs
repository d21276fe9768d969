//! The rooms of design.md §2: who may use whom, and what a pure room may never touch. And that each
//! case of mail.md about a message has its test. Takes about a second.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may use. `clock` is added for every room that is not pure, `faults` for every room.
const EDGES: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "config", "counter", "daemon", "ingest", "intake", "mail", "net", "outbox", "portal",
            "store", "triage",
        ],
    ),
    ("clock", &[]),
    ("config", &["ingest", "intake", "mail", "net", "outbox", "portal", "store", "triage"]),
    ("counter", &["mail", "store", "triage"]),
    (
        "daemon",
        &["config", "counter", "ingest", "intake", "mail", "outbox", "portal", "store", "triage"],
    ),
    ("faults", &[]),
    ("ingest", &["mail", "store", "triage"]),
    ("intake", &["mail", "net", "store"]),
    ("mail", &[]),
    ("net", &[]),
    ("outbox", &["mail", "net", "store", "triage"]),
    ("portal", &["counter", "ingest", "mail", "outbox", "store", "triage"]),
    ("store", &["mail", "net", "triage"]),
    ("triage", &["mail"]),
];

const PURE: &[&str] = &["mail", "triage"];

/// What a pure room never sees: clocks, chance, files, sockets, locks, async, output.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::thread",
    "SystemTime",
    "Instant::",
    "Timestamp::now",
    "getrandom",
    "tokio",
    "async fn",
    "println!",
    "tracing::",
];

#[test]
fn every_room_uses_only_the_rooms_it_may() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        let allowed = allowed(&room);
        for used in rooms_used(&text, is_top_level(&path)) {
            if used != room && !allowed.contains(used.as_str()) {
                wrong.push(format!("{}: `{room}` may not use `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that design.md §2 does not have:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_has_its_edges_written_down() {
    let known: BTreeSet<&str> = EDGES.iter().map(|(room, _)| *room).collect();
    for (room, path, _) in sources() {
        assert!(
            known.contains(room.as_str()),
            "{}: room `{room}` is not in the table",
            path.display()
        );
    }
}

#[test]
fn a_pure_room_touches_nothing_of_the_world() {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if !PURE.contains(&room.as_str()) || is_test(&path) {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            for word in IMPURE {
                if !line.trim_start().starts_with("//") && line.contains(word) {
                    wrong.push(format!("{}:{}: `{word}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "pure rooms that touch the world:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_finds_what_it_must() {
    let uses = "use crate::mail::{read};\nuse crate::{store::Store, triage::{self, Plan}, args};\nfn f() { super::clock::x() }";
    let names: Vec<String> = rooms_used(uses, true).into_iter().collect();
    assert_eq!(names, ["clock", "mail", "store", "triage"]);
    assert!(!rooms_used(uses, false).contains("clock"));
}

fn allowed(room: &str) -> BTreeSet<&'static str> {
    let table: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut allowed: BTreeSet<&str> =
        table.get(room).map(|names| names.iter().copied().collect()).unwrap_or_default();
    allowed.insert("faults");
    if !PURE.contains(&room) {
        allowed.insert("clock");
    }
    allowed
}

/// Every source file with the room it is in: `src/main.rs` and `src/lib.rs` are the doors, not rooms.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in rust_files(&root) {
        let inside = path.strip_prefix(&root).expect("it was found below it");
        let first = inside.components().next().expect("a file has a name").as_os_str();
        let room = first.to_string_lossy().trim_end_matches(".rs").to_owned();
        if room != "main" && room != "lib" {
            let text = fs::read_to_string(&path).expect("the source tree is readable");
            found.push((room, path, text));
        }
    }
    assert!(found.len() > 10, "the source tree was not found");
    found
}

/// Every file of Rust below a folder.
fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the source tree is readable") {
            let path = entry.expect("the source tree is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// Whether a file is compiled for tests only: these may do what they like.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs" || name == "samples.rs")
}

/// The cases of mail.md section 9 about what a message says: each has a test named after it.
#[test]
fn every_case_of_a_message_has_a_test_named_after_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = BTreeSet::new();
    for folder in ["src", "tests"] {
        for path in rust_files(&root.join(folder)) {
            let text = fs::read_to_string(&path).expect("a source file");
            // The tests of a store are public: `conformance!` runs each of them on both.
            let lines = text.lines().map(|line| line.trim_start().trim_start_matches("pub "));
            let names = lines.filter_map(|line| line.strip_prefix("fn "));
            names.for_each(|name| cases.extend(cases_in(&leading_name(name))));
        }
    }
    let untested: Vec<String> =
        (23..=156).filter(|case| !cases.contains(case)).map(|case| format!("E-{case}")).collect();
    assert!(untested.is_empty(), "cases without a test: {}", untested.join(", "));
}

/// `e_83_e_84_the_longer_domain_wins` names 83 and 84.
fn cases_in(name: &str) -> Vec<u32> {
    let words: Vec<&str> = name.split('_').collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "e");
    pairs.filter_map(|pair| pair[1].parse().ok()).collect()
}

fn is_top_level(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "src")
}

/// The rooms that a file names by `crate::…`, or by `super::…` when it lies at the top.
fn rooms_used(text: &str, top_level: bool) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let prefixes: &[&str] = if top_level { &["crate::", "super::"] } else { &["crate::"] };
    for prefix in prefixes {
        for (at, _) in text.match_indices(prefix) {
            let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            if text[line_start..at].trim_start().starts_with("//") {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                used.extend(first_names(group));
            } else {
                used.insert(leading_name(rest));
            }
        }
    }
    // `args!` lives at the root of the crate because macros must; it is the store's.
    used.remove("args");
    used.remove("");
    used.retain(|name| EDGES.iter().any(|(room, _)| room == name));
    used
}

/// The first name of each entry of a `use` group, the group's own braces opened already.
fn first_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && (c.is_alphanumeric() || c == '_') => {
                names.push(leading_name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The text up to its test module: tests may do what they like.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |at| &text[..at])
}
