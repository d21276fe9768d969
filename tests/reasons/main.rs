//! Every reason code of interfaces §4 that this release can give, by a fixture that the real binary
//! decides about. Takes about twenty seconds.

mod desks;
mod rows;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use guichet::triage::plan::Reason;
use rows::ROWS;
use serde_json::Value;
use support::Desk;

const AGENT: &str =
    "[[agent]]\nname = \"Anna Weiss\"\nemail = \"anna@helpdesk.example\"\nnotify = []\n";

/// The server that writes the desk's Authentication-Results, and one key beside it.
macro_rules! trusting {
    ($more:literal) => {
        concat!("[filters]\nauthserv_id = \"mx.helpdesk.example\"\n", $more)
    };
}
use trusting;

/// Those that need a desk of their own, in `desks`.
const BY_A_DESK: [Reason; 6] = [
    Reason::BeforeStart,
    Reason::BounceAttached,
    Reason::Dropped,
    Reason::InternalError,
    Reason::TicketReopened,
    Reason::UserIngestionOff,
];

/// Nothing in this release gives these: there are no rules yet.
const NOT_YET: [Reason; 2] = [Reason::RuleHeld, Reason::RuleIgnored];

#[test]
fn every_reason_is_proven_here_or_cannot_be_given_yet() {
    let proven: BTreeSet<Reason> =
        ROWS.iter().map(|row| row.reason).chain(BY_A_DESK).chain(NOT_YET).collect();
    assert_eq!(proven, BTreeSet::from(Reason::ALL));
}

#[test]
fn each_fixture_is_decided_for_its_reason() {
    for row in &ROWS {
        let desk = Desk::new(row.config);
        for mail in row.mails {
            receive(&desk, mail);
        }
        let decided = desk.run(&["replay", "mail", "-o", "jsonl"]);
        let lines = String::from_utf8(decided.stdout).expect("output is UTF-8");
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), row.mails.len(), "{:?}", row.mails);
        let last = lines.last().expect("a line for each mail");
        let became = (last["outcome"].as_str(), last["reason"].as_str());
        assert_eq!(became, (Some(row.outcome), Some(row.reason.as_str())), "{:?}", row.mails);
        assert_ne!(last["steps"].as_array().map(Vec::len), Some(0), "{last:#}");
        if last["kind"] != "person" {
            assert_eq!(last["outgoing"], Value::Array(Vec::new()), "M-55 {last:#}");
            assert_eq!(last["user"], Value::Null, "M-55 {last:#}");
        }
    }
}

/// The fixtures are old, and are answered all the same.
const FRESH: &str = "[credentials]\nmax_age = \"36500d\"\n";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail");
    fs::read(folder.join(format!("{name}.eml"))).expect("a fixture")
}

/// Delivers a fixture, a second after the one before.
fn receive(desk: &Desk, name: &str) {
    let delivered = fs::read_dir(desk.maildir().join("new")).expect("a maildir").count();
    let base = format!("{}.{delivered}.{name}", 1_772_441_000 + delivered);
    desk.deliver(&base, &fixture(name));
}

/// Outcome and reason of each decision, newest first.
fn reasons(desk: &Desk) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let rows = desk.lines(&["log"]);
    rows.iter().map(|row| (text(&row["outcome"]), text(&row["reason"]))).collect()
}

fn newest(desk: &Desk) -> (String, String) {
    reasons(desk).swap_remove(0)
}

fn store(desk: &Desk) -> rusqlite::Connection {
    rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("the store opens")
}
