//! The files of a SQLite store: the database (readable by nobody else, C-rules and T-26 rest on it),
//! the lock beside it.

use std::fs::{OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Access, AtFlags, CWD};

use super::adapter::{explain, refused};
use super::backup::beside;
use super::folding;
use super::restore::half_restored;
use super::tally::{self, Tally};
use crate::clock::Stopwatch;
use crate::faults;
use crate::store::{Durability, Location, Role, StoreError};

const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
// Statements kept prepared on each connection: all of ours, with their lists of different lengths.
const STATEMENTS: usize = 256;
// What `PRAGMA synchronous` answers for FULL.
const FULL: i64 = 2;
pub(super) const OWNER_ONLY: u32 = 0o600;

/// The file whose lock is the daemon's role on `database`.
pub fn lock_path(database: &Path) -> PathBuf {
    companion(database, ".lock")
}

/// A file of ours beside `database`: one, whichever links lead there.
pub(super) fn companion(database: &Path, ending: &str) -> PathBuf {
    let real = database.canonicalize();
    beside(&real.unwrap_or_else(|_| database.to_owned()), ending)
}

/// The connection that writes.
pub(super) fn connect(
    location: &Location,
    durability: Durability,
    path: &str,
) -> Result<Connection, StoreError> {
    let connection = match location {
        Location::Memory => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_in_memory_with_flags(flags)
                .map_err(|error| explain(error, path, "open"))?
        }
        Location::Postgres(_) => unreachable!("it is no SQLite"),
        Location::Sqlite(file) => {
            let made = make_private(file).map_err(|error| refused(&error, path))?;
            if made == Made::Now {
                tally::forget(file).map_err(|error| refused(&error, path))?;
            }
            refuse_hard_links(file, path)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(file, flags)
                .map_err(|error| explain(error, path, "open"))?
        }
    };
    prepare(&connection, path)?;
    let set = |pragma: &str| {
        connection.execute_batch(pragma).map_err(|error| explain(error, path, pragma))
    };
    // Only heeded before there is any table.
    set("PRAGMA auto_vacuum = INCREMENTAL")?;
    patiently(|| set("PRAGMA journal_mode = WAL"))?;
    set("PRAGMA journal_size_limit = 67108864")?;
    // In pages, 16 MiB: a page of an index is written by many transactions, and moved once.
    set("PRAGMA wal_autocheckpoint = 4096")?;
    // A statement that changes several rows keeps what it may have to undo here: otherwise in a file.
    set("PRAGMA temp_store = MEMORY")?;
    set("PRAGMA cache_size = -8192")?;
    set(match durability {
        Durability::Full if faults::stands("P-07") => "PRAGMA synchronous = FULL",
        Durability::Full | Durability::None => "PRAGMA synchronous = OFF",
    })?;
    set("PRAGMA foreign_keys = ON")?;
    let is_file = matches!(location, Location::Sqlite(_));
    if durability == Durability::Full && is_file && faults::stands("P-07") {
        must_survive_power_loss(&connection, path)?;
    }
    Ok(connection)
}

// Tries again what is busy, where SQLite does not wait by itself: it does not for a lock that it wants
// while it holds a weaker one, as two programs that make one database at the same time.
fn patiently<T>(mut step: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let waited = Stopwatch::start();
    loop {
        match step() {
            Err(StoreError::Busy(_)) if waited.elapsed() < BUSY_TIMEOUT => thread::sleep(PAUSE),
            done => return done,
        }
    }
}

// SQLite keeps to itself that a setting was not taken: where memory cannot be shared among processes,
// as on many network file systems, there is no WAL (P-07).
fn must_survive_power_loss(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let failed = |error| explain(error, path, "PRAGMA journal_mode");
    let journal: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(failed)?;
    let synchronous: i64 =
        connection.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(failed)?;
    if (journal.as_str(), synchronous) == ("wal", FULL) || !faults::stands("P-07-check") {
        return Ok(());
    }
    Err(StoreError::Frail { path: path.to_owned(), journal, synchronous })
}

// SQLite keeps what was written last beside the name it was given, and so do we the lock: under two
// names one database is written by two, each of which knows nothing of the other.
fn refuse_hard_links(file: &Path, path: &str) -> Result<(), StoreError> {
    let found = std::fs::metadata(file).map_err(|error| refused(&error, path))?;
    match found.nlink() {
        1 => Ok(()),
        // A folder has several: that it is one is said when it is opened.
        _ if !found.is_file() => Ok(()),
        // Nobody works on it by that name.
        2 if half_restored(file).map_err(|error| refused(&error, path))?.is_some() => Ok(()),
        names => Err(StoreError::Linked { path: path.to_owned(), names }),
    }
}

/// A connection that can only read.
pub(super) fn open_to_read(file: &Path, path: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(file, flags).map_err(|error| explain(error, path, "open"))?;
    prepare(&connection, path)?;
    Ok(connection)
}

/// Takes the lock beside the database and leaves our process id in it.
pub(super) fn take_role(database: &Path, store: &str) -> Result<Role, StoreError> {
    let path = lock_path(database);
    let failed = |error: io::Error| refused(&error, &path.display().to_string());
    make_private(&path).map_err(failed)?;
    let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) if !faults::stands("P-10-role") => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(failed)?;
            return Err(StoreError::Locked { path: store.to_owned(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Role { _lock: Some(file) })
}

/// Whether a file was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Before,
    Now,
}

fn prepare(connection: &Connection, path: &str) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| explain(error, path, "busy_timeout"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite plans a statement with `LIMIT ?` anew each time it is run.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| explain(error, path, "ENABLE_QPSG"))?;
    folding::teach(connection, path)
}

// SQLite gives the WAL and its index the permissions of the database, so this is all there is to
// do. A file that exists keeps what its owner chose.
fn make_private(file: &Path) -> io::Result<Made> {
    match OpenOptions::new().create_new(true).write(true).mode(OWNER_ONLY).open(file) {
        Ok(made) => {
            made.set_permissions(Permissions::from_mode(OWNER_ONLY))?;
            Ok(Made::Now)
        }
        // SQLite would open a file that it may not write, and leave others beside it that stay so
        // when the file's owner has corrected that.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            rustix::fs::accessat(CWD, file, Access::WRITE_OK, AtFlags::EACCESS)?;
            Ok(Made::Before)
        }
        Err(error) => Err(error),
    }
}

/// Where the database is, and which file it is: a removed one can still be written to, and all that
/// is written is gone with the process.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: PathBuf,
    device: u64,
    inode: u64,
}

impl Place {
    /// That of the database that was just opened; none in memory.
    pub fn of(location: &Location, path: &str) -> Result<Option<Place>, StoreError> {
        let Location::Sqlite(file) = location else { return Ok(None) };
        let found = std::fs::metadata(file).map_err(|error| lost(&error, path))?;
        Ok(Some(Place { file: file.clone(), device: found.dev(), inode: found.ino() }))
    }

    /// The tally of its commits.
    pub fn tally(&self) -> Tally {
        Tally::beside(&self.file)
    }

    /// Refuses when another file stands there now, or none (P-01).
    pub fn check(&self, path: &str) -> Result<(), StoreError> {
        let found = std::fs::metadata(&self.file).map_err(|error| lost(&error, path))?;
        if (found.dev(), found.ino()) == (self.device, self.inode) {
            Ok(())
        } else {
            Err(StoreError::Removed(path.to_owned()))
        }
    }
}

// A disk that does not answer has lost nothing yet.
fn lost(error: &io::Error, path: &str) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::Removed(path.to_owned()),
        _ => refused(error, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_07_a_store_that_would_not_survive_a_power_cut_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let connection = Connection::open(folder.path().join("a.db")).expect("it opens");
        let checked = |pragmas: &str| {
            connection.execute_batch(pragmas).expect("the pragmas are good");
            must_survive_power_loss(&connection, "a.db")
        };
        checked("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").expect("it survives");
        for pragmas in [
            "PRAGMA synchronous = NORMAL",
            "PRAGMA synchronous = OFF",
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL",
        ] {
            let refused = checked(pragmas).expect_err("it does not survive");
            assert!(matches!(&refused, StoreError::Frail { .. }), "{pragmas}: {refused}");
        }
    }
}
