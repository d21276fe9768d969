//! Whole days at the desk: the real binary on real maildirs, with a generated workload whose right
//! outcome is known. Takes about two minutes.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Desk, wait_for};

/// A workload of the generator that `GUICHET_BENCH` names.
struct Workload {
    folder: tempfile::TempDir,
    expected: Value,
}

impl Workload {
    /// Answers `None`, aloud, where there is no generator; under `CI=true` that is an error.
    fn generate(count: u32, seed: u32) -> Option<Workload> {
        let Some(bench) = std::env::var_os("GUICHET_BENCH") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "GUICHET_BENCH is not set");
            eprintln!("NOT RUN: GUICHET_BENCH does not name the workload generator");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = Command::new("python3")
            .arg(Path::new(&bench).join("make_workload.py"))
            .args(["--count", &count.to_string(), "--seed", &seed.to_string()])
            .args(["--format", "maildir", "--out"])
            .arg(folder.path())
            .output()
            .expect("python3 runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let expected = fs::read_to_string(folder.path().join("expected.json")).expect("its totals");
        let expected = serde_json::from_str(&expected).expect("they are JSON");
        Some(Workload { folder, expected })
    }

    fn rows(&self, name: &str) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.folder.path().join(name)).expect("a table");
        text.lines()
            .map(|line| line.split_once('\t').expect("two columns"))
            .map(|(first, second)| (first.to_owned(), second.to_owned()))
            .collect()
    }

    fn messages(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("Maildir/new");
        let mut messages: Vec<PathBuf> = fs::read_dir(folder)
            .expect("a maildir")
            .map(|entry| entry.expect("a readable maildir").path())
            .collect();
        messages.sort();
        messages
    }

    /// A desk with the workload's sites and users, and no mail yet.
    fn desk(&self) -> Desk {
        let sites: String = self
            .rows("sites.tsv")
            .iter()
            .map(|(site, domain)| {
                format!("[[site]]\nname = \"{site}\"\ndomains = [\"{domain}\"]\n")
            })
            .collect();
        let desk = Desk::new(&format!(
            "[threading]\nsender_check = \"anyone\"\n[limits]\nper_sender = \"off\"\n\
             per_domain = \"off\"\nnew_users = \"off\"\nauto_mails_per_address = \"off\"\n{sites}"
        ));
        for (address, name) in self.rows("users.tsv") {
            desk.ok(&["users", "add", &address, "--name", &name, "--no-mail"]);
        }
        desk
    }

    /// What is in the store is what a correct reading gives.
    fn check(&self, desk: &Desk) {
        let count = |kind: &str| self.expected[kind].as_i64().expect("a total");
        let reasons = desk.json(&["log", "--totals"]);
        let reason = |name: &str| -> i64 {
            reasons
                .as_array()
                .expect("a list of totals")
                .iter()
                .filter(|row| row["reason"] == name)
                .map(|row| row["messages"].as_i64().expect("a number"))
                .sum()
        };
        let tickets = desk.lines(&["tickets", "list", "--limit", "1000000"]);
        let users = desk.lines(&["users", "list", "--limit", "1000000"]);
        let made_by_mail = users.iter().filter(|user| user["made_by"] == "mail").count();
        assert_eq!(tickets.len() as i64, count("tickets"), "tickets, {reasons:#}");
        let replies = reason("reply_added") + reason("ticket_reopened");
        assert_eq!(replies, count("followups"), "follow-ups, {reasons:#}");
        assert_eq!(made_by_mail as i64, count("users_to_create"), "new users");
        assert_eq!(
            reason("auto_reply_attached") + reason("auto_reply") + reason("bounce_unmatched"),
            count("suppressed"),
            "automatic mails, {reasons:#}"
        );
        desk.audit();
    }
}

fn fill(desk: &Desk, messages: &[PathBuf]) {
    for message in messages {
        let name = message.file_name().expect("a file");
        let target = desk.maildir().join("new").join(name);
        fs::copy(message, &target).expect("a copy");
    }
}

#[test]
fn the_workload_gives_exactly_what_a_correct_reading_gives() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk();
    fill(&desk, &workload.messages());
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
    let auto = workload.expected["kinds"]["auto"].as_i64();
    let totals = desk.json(&["log", "--totals"]);
    let notes = totals
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["reason"] == "auto_reply_attached");
    assert_eq!(
        notes.and_then(|row| row["messages"].as_i64()),
        auto,
        "auto-replies are notes on their tickets"
    );

    // P-02: a second pass adds nothing.
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
}

#[test]
fn the_order_of_the_files_in_the_folder_does_not_matter() {
    let Some(workload) = Workload::generate(500, 2) else { return };
    let desk = workload.desk();
    let mut messages = workload.messages();
    // A fixed shuffle: by the last digits of the name, backwards.
    messages.sort_by_key(|path| {
        path.file_name().expect("a file").to_string_lossy().chars().rev().collect::<String>()
    });
    fill(&desk, &messages);
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
}

#[test]
fn messages_that_arrive_in_any_order_find_their_tickets() {
    let Some(workload) = Workload::generate(300, 3) else { return };
    let desk = workload.desk();
    for (place, message) in workload.messages().iter().rev().enumerate() {
        let name = format!("{}.M{place:06}P1.shuffled", 1_767_600_000 + place);
        fs::copy(message, desk.maildir().join("new").join(name)).expect("a copy");
    }
    desk.ok(&["run", "--once"]);
    let count = |kind: &str| workload.expected[kind].as_i64().expect("a total");
    let tickets = desk.lines(&["tickets", "list", "--limit", "1000000"]);
    assert_eq!(
        tickets.len() as i64,
        count("tickets"),
        "a reply that comes first opens the ticket (M-83b)"
    );
    desk.audit();
}

#[test]
fn p_04_kill_9_in_the_middle_changes_nothing() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk();
    fill(&desk, &workload.messages());
    for round in 1..=3 {
        let daemon = desk.start();
        let decided = || -> usize {
            let output = desk.run(&["log", "--totals", "--json"]);
            let totals: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let count = |row: &Value| row["messages"].as_u64().unwrap_or_default() as usize;
            totals.as_array().map(|rows| rows.iter().map(count).sum()).unwrap_or_default()
        };
        wait_for("the daemon to be in the middle", 60, || decided() > round * 150);
        daemon.kill();
    }
    let daemon = desk.start();
    wait_for("the rest", 120, || {
        let output = desk.run(&["audit", "--json"]);
        let books: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        books["stored"] == 2000 && books["pending"] == 0
    });
    assert_eq!(daemon.stop(), Some(0), "SIGTERM is a clean stop (P-14)");
    workload.check(&desk);
}
