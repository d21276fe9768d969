//! A generated workload whose right outcome is known.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Desk;

/// A workload of the generator that `GUICHET_BENCH` names.
pub struct Workload {
    folder: tempfile::TempDir,
    pub expected: Value,
}

impl Workload {
    /// Answers `None`, aloud, where there is no generator; under `CI=true` that is an error.
    pub fn generate(count: u32, seed: u32) -> Option<Workload> {
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

    /// In the order of their arrival.
    pub fn messages(&self) -> Vec<PathBuf> {
        let folder = self.folder.path().join("Maildir/new");
        let mut messages: Vec<PathBuf> = fs::read_dir(folder)
            .expect("a maildir")
            .map(|entry| entry.expect("a readable maildir").path())
            .collect();
        messages.sort();
        messages
    }

    /// A desk with the workload's sites and users, and no mail yet.
    pub fn desk(&self) -> Desk {
        self.desk_on("")
    }

    /// As [`Workload::desk`], with `more` in its configuration.
    pub fn desk_on(&self, more: &str) -> Desk {
        let sites: String = self
            .rows("sites.tsv")
            .iter()
            .map(|(site, domain)| {
                format!("[[site]]\nname = \"{site}\"\ndomains = [\"{domain}\"]\n")
            })
            .collect();
        let desk = Desk::new(&format!(
            "[threading]\nsender_check = \"anyone\"\n[limits]\nper_sender = \"off\"\n\
             per_domain = \"off\"\nnew_users = \"off\"\nauto_mails_per_address = \"off\"\n[credentials]\nmax_age = \"3650d\"\n{more}{sites}"
        ));
        for (address, name) in self.rows("users.tsv") {
            let name: &[&str] = if name.is_empty() { &[] } else { &["--name", &name] };
            desk.ok(&[&["users", "add", &address, "--no-mail"], name].concat());
        }
        desk
    }

    /// What is in the store is what a correct reading gives.
    pub fn check(&self, desk: &Desk) {
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

    /// No reply was decided before what it answers: each is on the ticket of that.
    pub fn check_order(&self, desk: &Desk) {
        let decided = desk.lines(&["log", "--limit", "1000000"]);
        let subject = |entry: &Value| entry["subject"].as_str().unwrap_or_default().to_owned();
        let is_reply = |entry: &&Value| subject(entry).starts_with("Re: ");
        let early = decided.iter().filter(is_reply).filter(|entry| {
            !matches!(entry["reason"].as_str(), Some("reply_added" | "ticket_reopened"))
        });
        let shown: Vec<String> = early
            .map(|reply| {
                let of_thread = subject(reply).trim_start_matches("Re: ").to_owned();
                let thread = decided.iter().filter(|entry| subject(entry).ends_with(&of_thread));
                let thread: Vec<String> = thread.map(Value::to_string).collect();
                thread.join("\n")
            })
            .collect();
        assert!(shown.is_empty(), "decided before their parents:\n{}", shown.join("\n\n"));
    }

    /// Auto-replies are notes on their tickets, which were there before them.
    pub fn check_notes(&self, desk: &Desk) {
        let totals = desk.json(&["log", "--totals"]);
        let rows = totals.as_array().expect("a list of totals");
        let notes = rows.iter().find(|row| row["reason"] == "auto_reply_attached");
        let notes = notes.and_then(|row| row["messages"].as_i64());
        assert_eq!(notes, self.expected["kinds"]["auto"].as_i64(), "{totals:#}");
    }
}

/// Delivers the messages to the desk's mailbox.
pub fn fill(desk: &Desk, messages: &[PathBuf]) {
    for message in messages {
        let name = message.file_name().expect("a file");
        let target = desk.maildir().join("new").join(name);
        fs::copy(message, &target).expect("a copy");
    }
}
