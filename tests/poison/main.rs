//! Messages that end whoever reads them, between good ones, through the real binary on both stores:
//! the good ones are ticketed, the process ends once at most, the bad ones are held with their bytes.
//! The readers have no such fault that we know of: one is put in for messages with `X-Guichet-Fault`
//! (`src/faults/message.rs`). Takes about a minute, most of it waiting for time limits.

mod killers;
mod limits;
#[path = "../support/mod.rs"]
mod support;
mod trials;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use support::postgres::{self, PASSWORD};
use support::{Desk, message};

const GOOD: usize = 60;
const NO_LIMITS: &str =
    "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\nnew_users = \"off\"\n";

fn on_sqlite() -> Desk {
    Desk::new(NO_LIMITS)
}

fn on_postgres() -> Desk {
    let url = postgres::fresh_schema().url;
    Desk::new(&format!(
        "{NO_LIMITS}[store]\nurl = \"{url}\"\npassword = \"{PASSWORD}\"\ntls = \"none\"\nworkers = 1\n"
    ))
}

fn name(n: usize) -> String {
    format!("{}.M{n:06}P1.poison", 1_767_600_000 + n)
}

/// Delivers a message that arrived as the `n`-th, with this fault, if any.
fn deliver(desk: &Desk, n: usize, fault: &str) -> Vec<u8> {
    let more = match fault {
        "" => String::new(),
        fault => format!("X-Guichet-Fault: {fault}\r\n"),
    };
    let from = format!("u{n}@d{n}.example");
    let raw = message(&from, &format!("Printer {n} {fault}"), &format!("p{n}@x"), &more, "hello");
    desk.deliver(&name(n), &raw);
    raw
}

/// Good mail, and among the first a message of each of these faults.
fn deliver_among_good(desk: &Desk, faults: &[&str]) -> Vec<Vec<u8>> {
    let mut bad = Vec::new();
    for n in 0..GOOD {
        deliver(desk, 2 * n, "");
        if let Some(fault) = faults.get(n) {
            bad.push(deliver(desk, 2 * n + 1, fault));
        }
    }
    bad
}

/// Runs `run --once` again and again as a service manager would, until it ends well; answers how
/// often it died.
fn run_to_the_end(desk: &Desk) -> usize {
    for deaths in 0..9 {
        let output = desk.run(&["run", "--once"]);
        if output.status.success() {
            return deaths;
        }
        assert!(output.status.signal().is_some(), "{}", said(&output));
    }
    panic!("a message ends the process again and again");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn totals(desk: &Desk) -> BTreeMap<String, i64> {
    let totals = desk.json(&["log", "--totals"]);
    let rows = totals.as_array().expect("a list of totals");
    rows.iter()
        .map(|row| {
            let reason = row["reason"].as_str().expect("a reason").to_owned();
            (reason, row["messages"].as_i64().expect("a number"))
        })
        .collect()
}

/// The ids of what is held after its attempts, and what is said of each.
fn held(desk: &Desk) -> Vec<(String, String)> {
    let mut held: Vec<(String, String)> = desk
        .lines(&["held", "list", "--reason", "internal_error"])
        .iter()
        .map(|row| {
            let id = row["id"].as_str().expect("an id").to_owned();
            let shown = desk.json(&["held", "show", &id]);
            // One that was released before begins with who did it.
            let mut steps = shown["steps"].as_array().expect("steps").iter();
            let held = steps.find(|step| step["rule"] == "P-12").expect("it is told why");
            (id, held["said"].as_str().expect("words").to_owned())
        })
        .collect();
    // As they arrived.
    held.sort();
    held
}

/// Makes one held message of a desk: it was tried, and is guilty.
fn with_one_held(desk: &Desk, fault: &str) -> String {
    deliver(desk, 1, fault);
    assert_eq!(run_to_the_end(desk), 1);
    held(desk).pop().expect("it is held").0
}

fn raw_of(desk: &Desk, id: &str) -> Vec<u8> {
    desk.run(&["held", "raw", id]).stdout
}
