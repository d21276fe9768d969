//! `guichet db`: looks after the database. All of it but `copy` and `restore` works while the daemon
//! runs.

mod copy;
mod restore;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::output::{self, escape};
use super::words::{counted, hint};
use super::{Format, Globals, audit, ways};
use crate::store::audit as books;

#[derive(Subcommand)]
pub(super) enum DbCommand {
    /// Copies the database to a new file, as of one moment
    Backup(BackupArgs),
    /// Moves the store to another database, from SQLite to PostgreSQL or back
    Copy(copy::CopyArgs),
    /// Brings the tables up to date
    Migrate,
    /// Puts a backup in the place of the store, which is kept aside; mails nobody by itself
    Restore(restore::RestoreArgs),
    /// Looks for damage in the database and for gaps in the books
    Verify,
}

#[derive(Args)]
pub(super) struct BackupArgs {
    /// The file to make; it must not be there yet
    file: PathBuf,
    /// While guichet runs: a backup always may be made then, so this changes nothing
    #[arg(long)]
    online: bool,
}

pub(super) fn run(globals: &Globals, command: DbCommand) -> Result<Exit> {
    // What is there may be damaged, which is why it is replaced.
    if let DbCommand::Restore(args) = &command {
        return restore::run(globals, args);
    }
    // To open it is to migrate it: no command ever works on older tables.
    let desk = Desk::open(globals)?;
    match command {
        DbCommand::Backup(args) => backup(globals, &desk, &args),
        DbCommand::Copy(args) => copy::run(globals, &desk, &args),
        DbCommand::Migrate => migrate(globals, &desk),
        DbCommand::Restore(_) => unreachable!("it was run above"),
        DbCommand::Verify => verify(globals, &desk),
    }
}

fn migrate(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let place = ways::store(&desk.settings.store.location);
    match globals.format() {
        Format::Table => output::line(format_args!("the tables of `{place}` are up to date"))?,
        format => output::object(format, &json!({ "store": place, "up_to_date": true }))?,
    }
    Ok(Exit::Done)
}

fn verify(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let mut problems = desk.store.verify()?;
    let books = desk.store.read_only(books::audit)?;
    problems.extend(
        books.imbalances().map(|equation| format!("the books are off: {}", audit::said(equation))),
    );
    let place = ways::store(&desk.settings.store.location);
    match globals.format() {
        Format::Table => {
            for problem in &problems {
                output::line(escape(problem))?;
            }
            match problems.is_empty() {
                true => output::line(format_args!("`{place}` is sound, and its books balance"))?,
                false => output::line(format_args!(
                    "`{place}` has {}",
                    counted(problems.len(), "problem")
                ))?,
            }
        }
        format => {
            let fields =
                json!({ "store": place, "sound": problems.is_empty(), "problems": problems });
            output::object(format, &fields)?;
        }
    }
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    hint(
        globals,
        "stop guichet, and put the last good backup back with `guichet db restore FILE`, which keeps what is there",
    );
    Ok(Exit::Negative)
}

fn backup(globals: &Globals, desk: &Desk, args: &BackupArgs) -> Result<Exit> {
    let target = &args.file;
    let shown = target.display();
    if target.as_os_str() == "-" {
        return Err(failure(
            Exit::Usage,
            "a backup goes to a file, not to standard output\nhint: name a new file",
        ));
    }
    if target.symlink_metadata().is_ok() {
        return Err(failure(
            Exit::CannotCreate,
            format!("`{shown}` is there already, and is not overwritten\nhint: name another file"),
        ));
    }
    desk.store.back_up(target)?;
    let size = std::fs::metadata(target)?.len();
    match globals.format() {
        Format::Table => output::line(format_args!("copied the store to `{shown}`, {size} bytes"))?,
        format => output::object(format, &json!({ "path": shown.to_string(), "size": size }))?,
    }
    hint(globals, "keep it as safe as the store: it holds all mail");
    Ok(Exit::Done)
}
