//! A desk with mail, and what a test looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::dovecot::now;
use crate::support::{Desk, message, wait_for};

/// Everything is decided at once.
pub const NO_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
    new_users = \"off\"\nauto_mails_per_address = \"off\"\n";

pub fn database(desk: &Desk) -> PathBuf {
    desk.path().join("state/guichet.db")
}

pub fn open(database: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(database).expect("the database opens")
}

/// A message of a sender of its own.
pub fn letter(name: &str) -> Vec<u8> {
    let from = format!("{name}@contoso.example");
    message(&from, &format!("About {name}"), &format!("{name}@contoso.example"), "", "Help!")
}

/// Delivers such a message, arrived now.
pub fn deliver(desk: &Desk, name: &str) {
    desk.deliver(&format!("{}.M1P1.{name}", now().as_second()), &letter(name));
}

/// How many are stored, and how many of them are not decided.
pub fn stored(desk: &Desk) -> (i64, i64) {
    let output = desk.run(&["audit", "--json"]);
    let books: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let count = |name: &str| books[name].as_i64().unwrap_or(-1);
    (count("stored"), count("pending"))
}

/// Waits until so many messages are decided and their mails sent.
pub fn wait_for_all(desk: &Desk, messages: i64) {
    wait_for("every message to be decided", 60, || stored(desk) == (messages, 0));
    wait_for("every mail to be sent", 60, || {
        ["queued", "sending"].iter().all(|state| in_state(desk, state).is_empty())
    });
}

/// The numbers of the mails that stand so.
pub fn in_state(desk: &Desk, state: &str) -> Vec<i64> {
    let mails = desk.lines(&["outbox", "list", "--state", state, "--limit", "10000"]);
    mails.iter().map(|mail| mail["id"].as_i64().expect("a number")).collect()
}

/// The tickets by their subjects.
pub fn tickets(desk: &Desk) -> BTreeMap<String, Vec<i64>> {
    let mut tickets: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for ticket in desk.lines(&["tickets", "list", "--limit", "10000"]) {
        let subject = ticket["subject"].as_str().expect("a subject").to_owned();
        tickets.entry(subject).or_default().push(ticket["number"].as_i64().expect("a number"));
    }
    tickets
}

/// How many mails went to each address.
pub fn mailed(desk: &Desk) -> BTreeMap<String, usize> {
    let mut mailed = BTreeMap::new();
    for mail in desk.sent() {
        let text = String::from_utf8_lossy(&mail).into_owned();
        let to = text.lines().find(|line| line.starts_with("To:")).expect("each has one");
        *mailed.entry(to.to_owned()).or_default() += 1;
    }
    mailed
}

/// The names in the maildir.
pub fn listing(desk: &Desk) -> BTreeSet<String> {
    let files = |half: &str| fs::read_dir(desk.maildir().join(half)).expect("a maildir");
    let names = ["new", "cur"].into_iter().flat_map(files);
    names.map(|file| file.expect("it reads").file_name().to_string_lossy().into_owned()).collect()
}

pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must end so; answers what it said on standard error.
#[track_caller]
pub fn ends(desk: &Desk, args: &[&str], code: i32) -> String {
    let output = desk.run(args);
    let said = told(&output);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "guichet {args:?}:\n{out}\n{said}");
    said
}
