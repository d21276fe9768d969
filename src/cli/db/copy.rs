//! `guichet db copy`: moves the store to another database. Everything in `[store]` but its `url` is
//! that of the configuration, so that afterwards one line of it is changed.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::desk::{self, Desk};
use crate::cli::exit::{Exit, failure};
use crate::cli::output;
use crate::cli::ways;
use crate::cli::words::{called, counted, hint};
use crate::cli::{Format, Globals, logging};
use crate::config::settings::Need;
use crate::config::{self, Settings};
use crate::store::copy::{self, Copied};
use crate::store::{Location, Store};

const COLUMNS: [&str; 2] = ["table", "rows"];

#[derive(Args)]
pub(in crate::cli) struct CopyArgs {
    /// What `store.url` will be: `postgres://user@host/database`, or `sqlite:FILE`
    target: String,
    /// Says what would be copied
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: &CopyArgs) -> Result<Exit> {
    let target = target(globals, args)?;
    let (from, to) = (&desk.settings.store.location, &target.store.location);
    match (from, to) {
        (Location::Postgres(_), Location::Sqlite(_))
        | (Location::Sqlite(_), Location::Postgres(_)) => {}
        _ => {
            return Err(failure(
                Exit::Usage,
                "a store is copied from SQLite to PostgreSQL or back\nhint: a copy of the same kind is made with `guichet db backup FILE`, or with `pg_dump`",
            ));
        }
    }
    if args.dry_run {
        let copied = copy::survey(&desk.store, desk.clock.now())?;
        show(globals, to, &copied)?;
        hint(globals, "nothing was copied, and the target was not looked at");
        return Ok(Exit::Done);
    }
    // No daemon begins to work on a file while it is copied, or while it is made.
    let _role = desk.store.take_role()?;
    desk.store.must_not_have_gone_back()?;
    let store = Store::open(&target.store, desk.clock.now())?;
    let _role_there = store.take_role()?;
    let told = |one: &Copied| tracing::info!("copied {} of `{}`", rows(one.rows), one.table);
    let copied = copy::copy(&desk.store, &store, desk.clock.now(), told)?;
    show(globals, to, &copied)?;
    hint(
        globals,
        format_args!(
            "set `store.url = \"{}\"`, see that `{} audit` is content, and start guichet; keep the old store until then, and never run both",
            args.target,
            called(globals)
        ),
    );
    Ok(Exit::Done)
}

/// The settings with the target as their store.
fn target(globals: &Globals, args: &CopyArgs) -> Result<Settings> {
    let mut request = desk::request(globals);
    // Several workers are for the day it is used, and then for PostgreSQL only.
    request.set.extend([format!("store.url={}", args.target), "store.workers=1".to_owned()]);
    let loaded = config::load(&request)
        .map_err(|invalid| failure(Exit::Configuration, invalid.render(logging::paint(globals))))?;
    desk::require(&loaded.settings, |need| *need == Need::Store)?;
    Ok(loaded.settings)
}

fn show(globals: &Globals, to: &Location, copied: &[Copied]) -> Result<()> {
    let rows: Vec<Value> =
        copied.iter().map(|one| json!({ "table": one.table, "rows": one.rows })).collect();
    if globals.format() != Format::Table {
        return output::rows(globals.format(), &COLUMNS, &rows);
    }
    let sum: u64 = copied.iter().map(|one| one.rows).sum();
    let rows: Vec<Value> = rows.into_iter().filter(|row| row["rows"] != 0).collect();
    output::rows(globals.format(), &COLUMNS, &rows)?;
    output::line(format_args!("{} for `{}`", self::rows(sum), ways::store(to)))?;
    Ok(())
}

fn rows(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "row")
}
