//! `guichet keys`: the keys that sign the ids of our mail (M-73). The keys themselves are never
//! shown.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::Exit;
use super::output;
use super::times::Times;
use super::words::hint;
use super::{Format, Globals};
use crate::store::keys::{self, KnownKey};

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Lists the keys, newest first
    List,
    /// Makes a new key, which signs from now on; the others go on verifying
    Rotate,
}

const COLUMNS: [&str; 3] = ["id", "made_at", "part"];

pub(super) fn run(globals: &Globals, command: KeysCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    let (ids, now) = (desk.ids.clone(), desk.clock.now());
    desk.store.transact(move |sql| keys::begin(sql, &ids, now).map(drop))?;
    match command {
        KeysCommand::List => list(globals, &desk),
        KeysCommand::Rotate => rotate(globals, &desk),
    }
}

fn list(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let known = desk.store.read_only(keys::list)?;
    let times = Times::new(globals, &desk.settings);
    let rows: Vec<Value> = known.iter().map(|key| row(key, &times)).collect();
    output::rows(globals.format(), &COLUMNS, &rows)?;
    Ok(Exit::Done)
}

fn rotate(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let (ids, now) = (desk.ids.clone(), desk.clock.now());
    let known = desk.store.transact(move |sql| {
        keys::rotate(sql, &ids, now)?;
        keys::list(sql)
    })?;
    let times = Times::new(globals, &desk.settings);
    for key in known.iter().take(1) {
        match globals.format() {
            Format::Table => output::line(format_args!(
                "key `{}` signs from now on; the older ones go on verifying",
                key.id
            ))?,
            format => output::object(format, &row(key, &times))?,
        }
    }
    hint(
        globals,
        "a running guichet has it at once; answers to older mail still find their ticket",
    );
    Ok(Exit::Done)
}

fn row(key: &KnownKey, times: &Times) -> Value {
    json!({
        "id": key.id.to_string(),
        "made_at": times.value(key.made_at),
        "part": key.part.as_str(),
    })
}
