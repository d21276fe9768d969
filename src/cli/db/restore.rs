//! `guichet db restore`: puts a backup in the place of the store. Says plainly what the backup cannot
//! know, and sees to it that nobody is mailed twice by that.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::cli::desk::{self, Desk};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, confirm, line};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Format, Globals, audit, ways};
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::config::settings::Need;
use crate::store::audit::Books;
use crate::store::restored::{self, Settled};
use crate::store::{Location, Sql, StoreError, audit as books, sqlite, workers};

#[derive(Args)]
pub(in crate::cli) struct RestoreArgs {
    /// A backup that `guichet db backup` made
    #[arg(required_unless_present = "in_place")]
    file: Option<PathBuf>,
    /// The store was put back already, by `pg_restore` or with its whole machine: does the rest
    #[arg(long, conflicts_with = "file")]
    in_place: bool,
}

/// What was done, for people and for programs.
struct Told {
    aside: Option<PathBuf>,
    are_numbers_known: bool,
    settled: Settled,
    books: Books,
}

pub(super) fn run(globals: &Globals, args: &RestoreArgs) -> Result<Exit> {
    let settings = desk::settings(globals)?;
    let told = match &args.file {
        Some(file) => from_file(globals, &settings, file)?,
        None => in_place(globals)?,
    };
    show(globals, &settings, &told)?;
    if told.books.balance() {
        return Ok(Exit::Done);
    }
    hint(globals, "the books of the backup were off already: `guichet audit` says where");
    Ok(Exit::Negative)
}

fn from_file(globals: &Globals, settings: &Settings, file: &Path) -> Result<Told> {
    desk::require(settings, |need| *need == Need::Store)?;
    let place = ways::store(&settings.store.location);
    let Location::Sqlite(database) = &settings.store.location else {
        return Err(StoreError::NoFile(place).into());
    };
    if !file.is_file() {
        let shown = file.display();
        return Err(failure(
            Exit::InputMissing,
            format!(
                "there is no backup `{shown}`\nhint: name a file that `guichet db backup` made"
            ),
        ));
    }
    if database.exists() {
        sqlite::must_be_free(database)?;
        confirm(
            globals,
            &format!("put `{}` in the place of the store `{place}`?", file.display()),
        )?;
    }
    desk::make_state(settings)?;
    let restored = sqlite::restore(file, database, SystemClock.now())?;
    Ok(Told {
        aside: restored.aside,
        are_numbers_known: restored.are_numbers_known,
        settled: restored.settled,
        books: restored.books,
    })
}

fn in_place(globals: &Globals) -> Result<Told> {
    let desk = Desk::open(globals)?;
    let place = ways::store(&desk.settings.store.location);
    let _role = desk.store.take_role()?;
    let clock = desk.clock.clone();
    let must_be_idle = move |sql: &mut dyn Sql| {
        let (patience, own) = (workers::Pace::default().patience, workers::Process::own());
        let working = workers::registered(sql)?;
        let now = clock.now();
        match working.iter().any(|other| !other.is_gone(&own, now, patience)) {
            true => Err(StoreError::InUse),
            false => Ok(()),
        }
    };
    desk.store.read_only(&must_be_idle)?;
    confirm(globals, &format!("take `{place}` for a store that was put back from a backup?"))?;
    let now = desk.clock.now();
    let (settled, books) = desk.store.transact(move |sql| {
        must_be_idle(sql)?;
        Ok((restored::settle(sql, None, now)?, books::audit(sql)?))
    })?;
    desk.store.take_as_it_is()?;
    Ok(Told { aside: None, are_numbers_known: false, settled, books })
}

fn show(globals: &Globals, settings: &Settings, told: &Told) -> Result<()> {
    let Told { aside, are_numbers_known, settled, books } = told;
    let Settled { parked, ended, numbers, newest } = settled;
    let times = Times::new(globals, settings);
    let aside = aside.as_ref().map(|aside| aside.display().to_string());
    if globals.format() != Format::Table {
        let fields = json!({
            "store": ways::store(&settings.store.location),
            "kept_aside": aside,
            "newest_message": times.value_of(*newest),
            "mails_parked": parked,
            "credentials_ended": ended,
            "last_ticket": numbers.ticket,
            "last_mail": numbers.mail,
            "numbers_known": are_numbers_known,
            "balances": books.balance(),
        });
        return output::object(globals.format(), &fields);
    }
    let newest = newest.map_or_else(|| "nothing".to_owned(), |newest| times.short(newest));
    line(format_args!("the store is that of the backup; its newest message came in: {newest}"))?;
    if let Some(aside) = aside {
        line(format_args!("the store that was there is kept as `{aside}`"))?;
    }
    line(format_args!("mails parked, which may have been sent since: {parked}"))?;
    line(format_args!("links and passwords ended, which may have been used since: {ended}"))?;
    let why = match are_numbers_known {
        true => "those that were given out since are not given out again",
        false => "how many were given out since is not known, so some are left out",
    };
    line(format_args!("new tickets are numbered above {}: {why}", numbers.ticket))?;
    for equation in books.imbalances() {
        line(format_args!("the books are off: {}", audit::said(equation)))?;
    }
    for next in [
        "what is in a mailbox and not in the backup is taken in again by the next `guichet run`, and mails that it causes are parked: `guichet outbox list --state parked` shows them, `guichet outbox retry ID` sends one, `guichet outbox retry --all --state parked` all of them",
        "what was moved out of a mailbox since the backup is named by `guichet audit --online`; what was deleted there is in the store that was kept aside alone",
    ] {
        hint(globals, next);
    }
    Ok(())
}
