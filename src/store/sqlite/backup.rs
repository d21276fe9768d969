//! Backups of a SQLite store: a copy as of one moment, made beside the daemon, checked before it
//! bears its name, and durable when it does.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::adapter::{explain, refused};
use super::files::{OWNER_ONLY, open_to_read};
use crate::store::{Location, StoreError};

// What is wrong with a database, as far as it is said.
const SAID: usize = 3;

/// Copies the database at `location` to a new file, in one step: the copy is of one moment, and no
/// writer can make it begin again.
pub(super) fn back_up(location: &Location, path: &str, target: &Path) -> Result<(), StoreError> {
    let Location::Sqlite(source) = location else {
        return Err(StoreError::Open { path: path.to_owned(), said: "it has no file".to_owned() });
    };
    let shown = target.display().to_string();
    let partial = beside(target, ".partial");
    let copied = copy(source, path, &partial, &shown).and_then(|()| {
        renameat_with(CWD, &partial, CWD, target, RenameFlags::NOREPLACE)
            .map_err(|error| refused(&error.into(), &shown))?;
        sync_folder(target)
    });
    if copied.is_err() {
        // The first failure is the one that is told.
        let _ = std::fs::remove_file(&partial);
    }
    copied
}

fn copy(source: &Path, path: &str, partial: &Path, shown: &str) -> Result<(), StoreError> {
    let from = open_to_read(source, path)?;
    // One that a crash left is nobody's.
    let _ = std::fs::remove_file(partial);
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(OWNER_ONLY)
        .open(partial)
        .map_err(|error| refused(&error, shown))?;
    let failed = |error| explain(error, shown, "backup");
    let mut to = Connection::open(partial).map_err(failed)?;
    let step = Backup::new(&from, &mut to).and_then(|backup| backup.step(-1)).map_err(failed)?;
    if step != StepResult::Done {
        return Err(StoreError::Busy(path.to_owned()));
    }
    // Whoever keeps three backups must not lose the last good one to a copy of the damage.
    check(&to, path)?;
    to.close().map_err(|(_, error)| failed(error))?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(|error| refused(&error, shown))
}

/// Refuses a database that is damaged, saying where.
pub(super) fn check(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let pragma = "PRAGMA integrity_check";
    let failed = |error| explain(error, path, pragma);
    let mut statement = connection.prepare(pragma).map_err(failed)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let said: Vec<String> =
        rows.take(SAID).collect::<Result<_, _>>().map_err(|error| explain(error, path, pragma))?;
    if said.iter().all(|said| said == "ok") {
        return Ok(());
    }
    Err(StoreError::Damaged { path: path.to_owned(), said: said.join("; ") })
}

/// The file of this name with `ending` behind it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// What was made, removed and renamed beside `file` stays so after a power cut.
pub(super) fn sync_folder(file: &Path) -> Result<(), StoreError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| refused(&error, &file.display().to_string()))
}
