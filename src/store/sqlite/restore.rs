//! Puts a backup in the place of a SQLite store. It is copied beside the store, checked and made ready
//! there, and takes the store's name in one step; the store that was there is kept under a dated one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::adapter::{On, explain, refused};
use super::backup::{beside, check, sync_folder};
use super::files::{self, OWNER_ONLY};
use super::tally;
use super::thread::in_transaction;
use crate::faults;
use crate::store::audit::{self, Books};
use crate::store::restored::{self, Numbers, Settled};
use crate::store::{Dialect, Durability, Location, Sql, StoreError, migrate};

/// What became of it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Where the store is that was there before.
    pub aside: Option<PathBuf>,
    /// Whether that store could say which numbers it had given out.
    pub are_numbers_known: bool,
    pub settled: Settled,
    /// The books of the store as it is now.
    pub books: Books,
}

// Between the name of a store that was replaced and the time.
const ASIDE: &str = ".before-restore-";
// What SQLite keeps beside a database.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Puts `backup` in the place of the store `database`, which nobody may work on. What it needs to
/// know of the world since the backup is seen to (`restored`). Refuses a file that is damaged, that is
/// no store, or that a newer guichet made; then nothing is changed.
pub fn restore(backup: &Path, database: &Path, now: Timestamp) -> Result<Restored, StoreError> {
    let shown = database.display().to_string();
    let _role = files::take_role(database, &shown)?;
    let staged = beside(database, ".restoring");
    remove(&staged)?;
    let present = last_numbers(database);
    let failed = |error: io::Error| refused(&error, &shown);
    let ready = stage(backup, &staged, present, now);
    let (settled, books) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            remove(&staged)?;
            return Err(match error {
                StoreError::Damaged { path, said } => StoreError::DamagedBackup { path, said },
                other => other,
            });
        }
    };
    let aside = set_aside(database, now).map_err(failed)?;
    faults::point("restore.aside");
    // Whoever dies between the two has the store that was there, whole.
    tally::forget(database).map_err(failed)?;
    fs::rename(&staged, database).map_err(failed)?;
    sync_folder(database)?;
    Ok(Restored { aside, are_numbers_known: present.is_some(), settled, books })
}

/// Refuses when somebody works on the store `database`: who is asked first answers in vain.
pub fn must_be_free(database: &Path) -> Result<(), StoreError> {
    files::take_role(database, &database.display().to_string()).map(drop)
}

// A copy of the backup, fit to be the store.
fn stage(
    backup: &Path,
    staged: &Path,
    present: Option<Numbers>,
    now: Timestamp,
) -> Result<(Settled, Books), StoreError> {
    let shown = backup.display().to_string();
    let failed = |error: io::Error| refused(&error, &shown);
    copy_private(backup, staged).map_err(failed)?;
    // A copy that somebody made of the files of a store has this one beside it.
    let wal = beside(backup, "-wal");
    if wal.exists() {
        copy_private(&wal, &beside(staged, "-wal")).map_err(failed)?;
    }
    let location = Location::Sqlite(staged.to_owned());
    let mut connection = files::connect(&location, Durability::Full, &shown)?;
    check(&connection, &shown)?;
    let tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'";
    if (On { connection: &connection, path: &shown }).query_one(tables, &[])?.is_none() {
        return Err(StoreError::Foreign(shown));
    }
    migrate::migrate(&shown, Dialect::Sqlite, now, |step| {
        in_transaction(&mut connection, &shown, |sql| step(sql))
    })?;
    let ready = in_transaction(&mut connection, &shown, |sql| {
        let settled = restored::settle(sql, present, now)?;
        Ok((settled, audit::audit(sql)?))
    })?;
    // Closing moves the WAL into the file, which is then all there is.
    connection.close().map_err(|(_, error)| explain(error, &shown, "close"))?;
    File::open(staged).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(ready)
}

// The last numbers of the store that is there. It may be damaged, or have gone back in time: then it
// says nothing. What its WAL holds is moved into its file on the way, when it can be.
fn last_numbers(database: &Path) -> Option<Numbers> {
    let path = database.display().to_string();
    if !database.exists() {
        return None;
    }
    let connection = Connection::open_with_flags(
        database,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .ok()?;
    let sql = &mut On { connection: &connection, path: &path };
    let is_whole = tally::lost(database, sql).is_ok_and(|lost| lost == 0);
    let numbers = restored::numbers(sql).ok();
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    numbers.filter(|_| is_whole)
}

// Its name stays until another file takes it, so that at no time there is no store. Only what SQLite
// keeps beside it goes first: it would be taken for the other's.
fn set_aside(database: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let aside = match half_restored(database)? {
        Some(aside) => aside,
        None => {
            let dated = now.strftime(&format!("{ASIDE}%Y%m%dT%H%M%S%.3fZ")).to_string();
            let aside = beside(database, &dated);
            fs::hard_link(database, &aside)?;
            aside
        }
    };
    for companion in COMPANIONS {
        let file = beside(database, companion);
        if file.exists() {
            fs::rename(&file, beside(&aside, companion))?;
        }
    }
    Ok(Some(aside))
}

/// The name under which a restore that was killed wanted to keep the store, which has both names now.
pub(super) fn half_restored(database: &Path) -> io::Result<Option<PathBuf>> {
    let database = database.canonicalize()?;
    let (Some(folder), store) = (database.parent(), fs::metadata(&database)?) else {
        return Ok(None);
    };
    let begins = beside(&database, ASIDE);
    for entry in fs::read_dir(folder)? {
        let (name, file) = {
            let entry = entry?;
            (entry.path(), entry.metadata()?)
        };
        let is_aside = name.as_os_str().as_bytes().starts_with(begins.as_os_str().as_bytes());
        if is_aside && (file.dev(), file.ino()) == (store.dev(), store.ino()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    let mut to = OpenOptions::new().create_new(true).write(true).mode(OWNER_ONLY).open(to)?;
    io::copy(&mut from, &mut to)?;
    to.sync_all()
}

// What an earlier try left, if it did.
fn remove(staged: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm"] {
        let file = beside(staged, ending);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(refused(&error, &file.display().to_string()));
            }
            _ => {}
        }
    }
    Ok(())
}
