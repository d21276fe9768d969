//! The number of the last commit, in the database and in a small file beside it. SQLite cannot tell a
//! database that lost its WAL, or was copied back, from one that is as it should be; the file can:
//! it is written after each commit and before anybody hears of it, so it is never ahead of the
//! database by itself. It is not synced: what a power cut takes from it is missed, and no alarm.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::adapter::explain;
use super::files::{OWNER_ONLY, companion};
use crate::faults;
use crate::store::{Sql, StoreError};

/// The file beside a database.
pub(super) struct Tally {
    /// Absent when it cannot be written: then less is noticed, and nothing else is the worse for it.
    file: Option<File>,
    noted: Cell<Option<u32>>,
}

impl Tally {
    /// Of a database that was just opened.
    pub fn beside(database: &Path) -> Tally {
        let path = path(database);
        let noted = Cell::new(read(&path));
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true).truncate(false).mode(OWNER_ONLY);
        Tally { file: options.open(path).ok(), noted }
    }

    /// Notes the last commit. What was noted before stays when it is ahead, so that a database that
    /// went back is known until somebody has seen to it.
    pub fn note(&self, connection: &Connection) {
        let Some(file) = &self.file else { return };
        let Ok(count) = count(connection) else { return };
        let is_news = self.noted.get().is_none_or(|noted| ahead(count, noted) > 0);
        if is_news && write(file, count).is_ok() {
            self.noted.set(Some(count));
        }
    }
}

/// Counts the transaction that is about to be committed.
pub(super) fn add(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let failed = |error| explain(error, path, "PRAGMA user_version");
    let next = count(connection).map_err(failed)?.wrapping_add(1);
    connection.pragma_update(None, "user_version", next.cast_signed()).map_err(failed)
}

/// How many commits were answered that the database, as `sql` sees it, does not have.
pub(super) fn lost(database: &Path, sql: &mut dyn Sql) -> Result<u32, StoreError> {
    // The file first: commits that are made meanwhile are in the database.
    let Some(noted) = read(&path(database)) else { return Ok(0) };
    let row = sql.query_one("PRAGMA user_version", &[])?;
    let count = row.map_or(Ok(0), |row| row.int(0))?;
    let count = i32::try_from(count).unwrap_or_default().cast_unsigned();
    Ok(if faults::stands("P-03-back") { ahead(noted, count) } else { 0 })
}

/// Takes the database for what it is: nothing is known of more commits than it has.
pub(super) fn forget(database: &Path) -> io::Result<()> {
    match fs::remove_file(path(database)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn path(database: &Path) -> PathBuf {
    companion(database, ".commits")
}

fn count(connection: &Connection) -> rusqlite::Result<u32> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    statement.query_row([], |row| row.get(0)).map(i32::cast_unsigned)
}

// What cannot be read says nothing.
fn read(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

// Always of the same length, so that one write replaces another.
fn write(file: &File, count: u32) -> io::Result<()> {
    file.write_all_at(format!("{count:010}\n").as_bytes(), 0)
}

// By how much; the numbers begin anew after the last one.
fn ahead(one: u32, other: u32) -> u32 {
    let distance = one.wrapping_sub(other);
    if distance <= u32::MAX / 2 { distance } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_ahead_of_those_before_it_also_where_they_begin_anew() {
        for (one, other, by) in [(5, 5, 0), (7, 5, 2), (5, 7, 0), (1, u32::MAX, 2)] {
            assert_eq!(ahead(one, other), by, "{one} after {other}");
        }
    }

    #[test]
    fn what_is_noted_never_becomes_less() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join("a.db");
        let connection = Connection::open(&database).expect("it opens");
        let tally = Tally::beside(&database);
        for (count, noted) in [(3, 3), (9, 9), (4, 9)] {
            connection.pragma_update(None, "user_version", count).expect("it is set");
            tally.note(&connection);
            assert_eq!(read(&path(&database)), Some(noted));
        }
        fs::write(path(&database), "no number").expect("it is written");
        assert_eq!(read(&path(&database)), None, "what does not read is no alarm");
    }
}
