//! `guichet mailbox unknown-recipients`: addresses that mail of people came by and that no mailbox is
//! known to have (M-72). Their senders get no acknowledgement until one is in `aliases`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::desk::Desk;
use crate::cli::exit::Exit;
use crate::cli::explain::reading;
use crate::cli::listing::Listing;
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Globals, replay};
use crate::config::Settings;
use crate::mail;
use crate::store::{StoreError, decisions, spool};
use crate::triage::recipients;

#[derive(Args)]
pub(in crate::cli) struct UnknownArgs {
    /// Only of this mailbox
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Only of mail decided since then: `12h`, a date, a date and time
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

const COLUMNS: [&str; 4] = ["address", "mailbox", "messages", "last_seen"];

pub(super) fn run(globals: &Globals, settings: Arc<Settings>, args: &UnknownArgs) -> Result<Exit> {
    let mailbox = args.mailbox.as_deref();
    if mailbox.is_some() {
        replay::mailbox(&settings, mailbox)?;
    }
    let desk = Desk::of(settings)?;
    let times = Times::new(globals, &desk.settings);
    let since = times.since(&args.since, desk.clock.now())?;
    let found = reading(|| gather(&desk, mailbox, since))?;
    let listing = Listing { what: "recipient", shown: &COLUMNS, all: &COLUMNS, limit: args.limit };
    listing.print(globals, &found, |one| row(one, &times))?;
    if !found.is_empty() {
        hint(
            globals,
            "put those that lead to a mailbox into its `aliases`; senders of mail to the others get no acknowledgement",
        );
    }
    Ok(Exit::Done)
}

/// An address that mail to a mailbox was sent to.
struct Unknown {
    address: String,
    mailbox: String,
    messages: u32,
    last_seen: Timestamp,
}

/// The recipients of mail that was sent to none of ours, most frequent first. What has become an
/// alias since is known.
fn gather(desk: &Desk, mailbox: Option<&str>, since: Timestamp) -> Result<Vec<Unknown>> {
    let key = recipients::UNKNOWN_KEY;
    let owing = desk.store.read_only(|sql| decisions::owing_to(sql, key, mailbox, since))?;
    let mut found: BTreeMap<(String, String), Unknown> = BTreeMap::new();
    for one in owing {
        let raw = match desk.store.read_only(|sql| spool::raw(sql, &one.message)) {
            // `db verify` is there for it.
            Err(StoreError::DamagedMessage { .. }) => continue,
            raw => raw?,
        };
        let Some(message) = raw.and_then(|raw| mail::read(&raw).ok()) else { continue };
        if recipients::is_addressed_to_us(&message, &desk.settings.policy) {
            continue;
        }
        for key in recipients::keys_of(&message) {
            let (address, mailbox) = (key.to_string(), one.mailbox.clone());
            let unknown = found.entry((address.clone(), mailbox.clone())).or_insert(Unknown {
                address,
                mailbox,
                messages: 0,
                last_seen: one.arrived_at,
            });
            unknown.messages += 1;
            unknown.last_seen = unknown.last_seen.max(one.arrived_at);
        }
    }
    let mut found: Vec<Unknown> = found.into_values().collect();
    found.sort_by_key(|one| Reverse(one.messages));
    Ok(found)
}

fn row(unknown: &Unknown, times: &Times) -> Value {
    json!({
        "address": unknown.address,
        "mailbox": unknown.mailbox,
        "messages": unknown.messages,
        "last_seen": times.value(unknown.last_seen),
    })
}
