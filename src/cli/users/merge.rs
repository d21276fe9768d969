//! `guichet users merge`: one person with two accounts has one from now on.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{find, name, refused, set};
use crate::cli::desk::Desk;
use crate::cli::exit::Exit;
use crate::cli::output::{self, confirm, escape};
use crate::cli::words::{counted, hint};
use crate::cli::{Format, Globals};
use crate::store::users;
use crate::triage::facts::UserStatus;

#[derive(Args)]
pub(in crate::cli) struct MergeArgs {
    /// Who ends: an address or an id
    from: String,
    /// Who stays: an address or an id
    into: String,
    /// Only says what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: &MergeArgs) -> Result<Exit> {
    let (from, into) = (find(desk, &args.from)?, find(desk, &args.into)?);
    for user in [&from, &into] {
        if user.status == UserStatus::Deleted {
            return Err(set::deleted(&name(user)));
        }
    }
    let (gone, stays) = (escape(&name(&from)), escape(&name(&into)));
    let addresses: Vec<&str> = from.addresses.iter().map(|one| one.address.as_str()).collect();
    if args.dry_run {
        output::line(format_args!(
            "`{gone}` would become `{stays}`: {} and all tickets of theirs would be theirs",
            escape(&addresses.join(", "))
        ))?;
        return Ok(Exit::Done);
    }
    confirm(globals, &format!("make `{gone}` and `{stays}` one user, `{stays}`, for good?"))?;
    let (from_id, into_id, now) = (from.id.clone(), into.id.clone(), desk.clock.now());
    let keys = from.addresses.iter().chain(&into.addresses);
    let keys = keys.map(|one| format!("address {}", one.key)).collect();
    let merged = desk
        .store
        .transact_keyed(keys, move |sql| users::merge(sql, &from_id, &into_id, now))
        .map_err(refused)?;
    match globals.format() {
        Format::Table => {
            output::line(format_args!(
                "`{gone}` is `{stays}` now: {}, {} and {} went over",
                counted(merged.addresses as usize, "address"),
                counted(merged.tickets as usize, "ticket"),
                counted(merged.messages as usize, "message")
            ))?;
            output::line(format_args!(
                "the links, passwords and sessions of `{gone}` ended; mail from {} is that of `{stays}`",
                escape(&addresses.join(", "))
            ))?;
            hint(globals, format_args!("`guichet users show {}` shows them", into.id));
        }
        format => output::object(
            format,
            &json!({
                "from": from.id,
                "into": into.id,
                "addresses": merged.addresses,
                "tickets": merged.tickets,
                "messages": merged.messages,
            }),
        )?,
    }
    Ok(Exit::Done)
}
