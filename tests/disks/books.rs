//! What there is when all work is done, so that a run on a broken disk can be compared with one on a
//! whole one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::support::Desk;

/// All that a run leaves behind, without ids and times.
#[derive(Debug, PartialEq, Eq)]
pub struct Books {
    messages: Vec<String>,
    people: Vec<String>,
    tickets: Vec<String>,
    outbox: Vec<String>,
    /// How many files there are of mail to this recipient with this subject.
    mails: BTreeMap<String, u32>,
    /// The files of the mailbox, and of the folder that what is done moves to.
    mailbox: BTreeSet<String>,
}

impl Books {
    /// As they are now; `None` while there is no store.
    pub fn of(desk: &Desk) -> Option<Books> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let store = Connection::open_with_flags(database(desk), flags).ok()?;
        let rows = |statement: &str| -> Option<Vec<String>> {
            let mut statement = store.prepare(statement).ok()?;
            let rows = statement.query_map([], |row| row.get(0)).ok()?;
            rows.collect::<Result<_, _>>().ok()
        };
        Some(Books {
            messages: rows(
                "SELECT origin || ' ' || state || ' ' || acknowledgement || ' ' || \
                   coalesce(outcome || ' ' || reason, '') \
                 FROM message LEFT JOIN decision ON decision.message = message.id ORDER BY 1",
            )?,
            people: rows(
                "SELECT address || ' ' || first_name || ' ' || credentials \
                 FROM person JOIN person_address ON person = person.id ORDER BY 1",
            )?,
            tickets: rows(
                "SELECT subject || ' ' || requester_address || ' ' || \
                   (SELECT count(*) FROM ticket_message WHERE ticket = number) \
                 FROM ticket ORDER BY 1",
            )?,
            outbox: rows(
                "SELECT template || ' ' || to_address || ' ' || state FROM outbox ORDER BY 1",
            )?,
            mails: mails(desk),
            mailbox: names(desk, &["mail/new", "mail/cur", "mail/done/new", "mail/done/cur"]),
        })
    }
}

pub fn database(desk: &Desk) -> PathBuf {
    desk.path().join("state/guichet.db")
}

/// What was begun in the folders for drafts and left there.
pub fn drafts(desk: &Desk) -> BTreeSet<String> {
    names(desk, &["mail/tmp", "mail/done/tmp", "outgoing/tmp"])
}

fn mails(desk: &Desk) -> BTreeMap<String, u32> {
    let mut mails = BTreeMap::new();
    for mail in desk.sent() {
        let text = String::from_utf8_lossy(&mail).into_owned();
        let field = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or("");
        // The numbers of tickets follow the order in which mail could be read.
        let subject: String = field("Subject:").chars().filter(|c| !c.is_ascii_digit()).collect();
        *mails.entry(format!("{} {subject}", field("To:"))).or_default() += 1;
    }
    mails
}

fn names(desk: &Desk, folders: &[&str]) -> BTreeSet<String> {
    folders.iter().flat_map(|folder| files(&desk.path().join(folder), folder)).collect()
}

fn files(path: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy())).collect()
}
