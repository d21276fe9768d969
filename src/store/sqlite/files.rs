//! The files of a SQLite store: the database (readable by nobody else, C-rules and T-26 rest on it),
//! the lock beside it, backups.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::adapter::explain;
use crate::store::{Durability, Location, Role, StoreError};

const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
// Statements kept prepared on each connection: all of ours, with their lists of different lengths.
const STATEMENTS: usize = 256;
const OWNER_ONLY: u32 = 0o600;

/// The file whose lock is the daemon's role on `database`.
pub fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// The connection that writes.
pub(super) fn connect(
    location: &Location,
    durability: Durability,
    path: &str,
) -> Result<Connection, StoreError> {
    let connection = match location {
        Location::Memory => {
            Connection::open_in_memory().map_err(|error| explain(error, path, "open"))?
        }
        Location::Postgres(_) => unreachable!("it is no SQLite"),
        Location::Sqlite(file) => {
            make_private(file).map_err(|error| unopened(path, &error))?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(file, flags).map_err(|error| unopened(path, &error))?
        }
    };
    prepare(&connection, path)?;
    let set = |pragma: &str| {
        connection.execute_batch(pragma).map_err(|error| explain(error, path, pragma))
    };
    // Only heeded before there is any table.
    set("PRAGMA auto_vacuum = INCREMENTAL")?;
    set("PRAGMA journal_mode = WAL")?;
    set("PRAGMA journal_size_limit = 67108864")?;
    // In pages, 16 MiB: a page of an index is written by many transactions, and moved once.
    set("PRAGMA wal_autocheckpoint = 4096")?;
    // A statement that changes several rows keeps what it may have to undo here: otherwise in a file.
    set("PRAGMA temp_store = MEMORY")?;
    set("PRAGMA cache_size = -8192")?;
    set(match durability {
        Durability::Full => "PRAGMA synchronous = FULL",
        Durability::None => "PRAGMA synchronous = OFF",
    })?;
    set("PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn open_to_read(file: &Path, path: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(file, flags).map_err(|error| unopened(path, &error))?;
    prepare(&connection, path)?;
    Ok(connection)
}

/// Takes the lock beside the database and leaves our process id in it.
pub(super) fn take_role(database: &Path, store: &str) -> Result<Role, StoreError> {
    let path = lock_path(database);
    let failed = |error: std::io::Error| unopened(&path.display().to_string(), &error);
    make_private(&path).map_err(failed)?;
    let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
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

/// Copies the database at `location` to a new file, in one step: the copy is of one moment, and no
/// writer can make it begin again.
pub(super) fn back_up(location: &Location, path: &str, target: &Path) -> Result<(), StoreError> {
    let Location::Sqlite(source) = location else {
        return Err(StoreError::Open { path: path.to_owned(), said: "it has no file".to_owned() });
    };
    let shown = target.display().to_string();
    let from = open_to_read(source, path)?;
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(OWNER_ONLY)
        .open(target)
        .map_err(|error| unopened(&shown, &error))?;
    let failed = |error| explain(error, &shown, "backup");
    let mut to = Connection::open(target).map_err(failed)?;
    let step = Backup::new(&from, &mut to).and_then(|backup| backup.step(-1)).map_err(failed)?;
    if step != StepResult::Done {
        return Err(StoreError::Busy(path.to_owned()));
    }
    to.close().map_err(|(_, error)| failed(error))?;
    File::open(target).and_then(|file| file.sync_all()).map_err(|error| unopened(&shown, &error))
}

fn prepare(connection: &Connection, path: &str) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| explain(error, path, "busy_timeout"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it SQLite plans a statement with `LIMIT ?` anew each time it is run.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| explain(error, path, "ENABLE_QPSG"))?;
    Ok(())
}

// SQLite gives the WAL and its index the permissions of the database, so this is all there is to
// do. A file that exists keeps what its owner chose.
fn make_private(file: &Path) -> std::io::Result<()> {
    match OpenOptions::new().create_new(true).write(true).mode(OWNER_ONLY).open(file) {
        Ok(made) => made.set_permissions(Permissions::from_mode(OWNER_ONLY)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn unopened(path: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Open { path: path.to_owned(), said: error.to_string() }
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
        let found = std::fs::metadata(file).map_err(|_| StoreError::Removed(path.to_owned()))?;
        Ok(Some(Place { file: file.clone(), device: found.dev(), inode: found.ino() }))
    }

    /// Refuses when another file stands there now, or none (P-01).
    pub fn check(&self, path: &str) -> Result<(), StoreError> {
        let is_there = std::fs::metadata(&self.file)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_there { Ok(()) } else { Err(StoreError::Removed(path.to_owned())) }
    }
}
