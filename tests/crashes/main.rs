//! The real binary under attack: killed at each step and at random moments, stopped in the middle, out
//! of disk or memory, fed what breaks parsers, and lied to about who writes. Afterwards nothing is
//! lost and nothing is there twice. Takes about two minutes; with `--ignored` it kills at every
//! passing of every step.

mod desks;
mod kills;
mod memory;
mod outcome;
mod post;
mod promises;
mod random;
mod senders;
mod stops;
mod stores;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::Desk;

pub const NO_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
                         new_users = \"off\"\nauto_mails_per_address = \"off\"\n";

/// The desk of the attacks, whose mailbox does `after` with what is decided.
pub fn desk(after: &str, more: &str) -> Desk {
    Desk::new(&format!("after = \"{after}\"\nmove_to = \"done\"\n{NO_LIMITS}{more}"))
}

/// A maildir name of a message that arrives now, the `n`-th.
pub fn name(n: usize) -> String {
    let now = seconds_now();
    format!("{now}.M{n:06}P1.attack")
}

// The time is that of a file just written: nothing else here may ask a clock.
pub fn seconds_now() -> u64 {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let written = file.as_file().metadata().and_then(|file| file.modified()).expect("its time");
    written.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

pub fn totals(desk: &Desk) -> BTreeMap<String, i64> {
    let totals = desk.json(&["log", "--totals"]);
    let rows = totals.as_array().expect("a list of totals");
    rows.iter()
        .map(|row| {
            let reason = row["reason"].as_str().expect("a reason").to_owned();
            (reason, row["messages"].as_i64().expect("a number"))
        })
        .collect()
}

pub fn field(mail: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(mail);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let line = head.lines().find(|line| {
        line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    })?;
    Some(line[name.len()..].trim_start_matches(':').trim().to_owned())
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
