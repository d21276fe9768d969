//! `guichet log`: the decisions about messages, newest first; or as they come; or how many there are
//! of each kind.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::listing::Listing;
use super::output::{self, escape};
use super::times::Times;
use super::words::one_of;
use super::{Format, Globals};
use crate::store::decisions::{self, Entry, Filter};
use crate::triage::plan::{Outcome, Reason};

#[derive(Args)]
pub(super) struct LogArgs {
    /// Only of this mailbox
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Only from senders with this in their address
    #[arg(long, value_name = "PART")]
    from: Option<String>,
    /// Only those that ended so
    #[arg(long, value_parser = one_of(Outcome::ALL.map(Outcome::as_str), Outcome::parse))]
    outcome: Option<Outcome>,
    /// Only those with this reason
    #[arg(long, value_parser = one_of(Reason::ALL.map(Reason::as_str), Reason::parse))]
    reason: Option<Reason>,
    /// Only those since then: `2h`, `30d`, a date, a date and time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Goes on with new ones as they come, oldest first
    #[arg(short, long, conflicts_with = "totals")]
    follow: bool,
    /// How many there are of each outcome and reason
    #[arg(long)]
    totals: bool,
}

// Decisions are committed in order, but the clock of the machine may be set back a little.
const LOOK_BACK: SignedDuration = SignedDuration::from_secs(5);
const POLL: Duration = Duration::from_secs(1);
const PAGE: u32 = 1_000;

const COLUMNS: [&str; 12] = [
    "decided_at",
    "outcome",
    "reason",
    "kind",
    "from",
    "subject",
    "ticket",
    "mailbox",
    "message",
    "arrived_at",
    "size",
    "duplicate_of",
];

pub(super) fn run(globals: &Globals, args: &LogArgs) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    let times = Times::new(globals, &desk.settings);
    let now = desk.clock.now();
    let filter = Filter {
        mailbox: args.mailbox.clone(),
        from: args.from.clone(),
        outcome: args.outcome,
        reason: args.reason,
        since: args.since.as_deref().map(|written| times.since(written, now)).transpose()?,
        before: None,
    };
    match (args.follow, args.totals) {
        (true, _) => follow(globals, &desk, &times, filter, args.limit),
        (false, true) => totals(globals, &desk, filter),
        (false, false) => list(globals, &desk, &times, &filter, args.limit),
    }
}

fn list(
    globals: &Globals,
    desk: &Desk,
    times: &Times,
    filter: &Filter,
    limit: u32,
) -> Result<Exit> {
    let listing = Listing {
        what: "decision",
        shown: &["decided_at", "outcome", "reason", "from", "subject", "ticket", "message"],
        all: &COLUMNS,
        limit,
    };
    let entries = desk.store.read_only(|sql| decisions::list(sql, filter, listing.wanted()))?;
    listing.print(globals, &entries, |entry| row(entry, times))?;
    Ok(Exit::Done)
}

fn row(entry: &Entry, times: &Times) -> Value {
    json!({
        "decided_at": times.value(entry.decided_at),
        "outcome": entry.outcome.as_str(),
        "reason": entry.reason.as_str(),
        "kind": entry.kind,
        "from": entry.from,
        "subject": entry.subject,
        "ticket": entry.ticket,
        "mailbox": entry.mailbox,
        "message": entry.message,
        "arrived_at": times.value(entry.arrived_at),
        "size": entry.size,
        "duplicate_of": entry.duplicate_of,
    })
}

fn totals(globals: &Globals, desk: &Desk, mut filter: Filter) -> Result<Exit> {
    let mut counts: BTreeMap<(Outcome, Reason), i64> = BTreeMap::new();
    let is_everything = filter.mailbox.is_none()
        && filter.from.is_none()
        && filter.outcome.is_none()
        && filter.reason.is_none()
        && filter.since.is_none();
    if is_everything {
        let all = desk.store.read_only(decisions::counts)?;
        counts.extend(all.into_iter().map(|(outcome, reason, count)| ((outcome, reason), count)));
    } else {
        desk.store.read_only(|sql| {
            loop {
                let page = decisions::list(sql, &filter, PAGE)?;
                for entry in &page {
                    *counts.entry((entry.outcome, entry.reason)).or_default() += 1;
                }
                match page.last() {
                    Some(last) if page.len() == PAGE as usize => {
                        filter.before = Some((last.decided_at, last.message.clone()));
                    }
                    _ => return Ok(()),
                }
            }
        })?;
    }
    let rows: Vec<Value> = counts
        .iter()
        .map(|((outcome, reason), count)| {
            json!({ "outcome": outcome.as_str(), "reason": reason.as_str(), "messages": count })
        })
        .collect();
    output::rows(globals.format(), &["outcome", "reason", "messages"], &rows)?;
    Ok(Exit::Done)
}

/// Prints the last ones, then each new one, until somebody stops it.
fn follow(
    globals: &Globals,
    desk: &Desk,
    times: &Times,
    mut filter: Filter,
    limit: u32,
) -> Result<Exit> {
    if globals.format() == Format::Csv {
        return Err(failure(
            Exit::Usage,
            "what goes on for ever is no CSV table\nhint: take `-o jsonl`",
        ));
    }
    let (mut entries, recent) = desk.store.read_only(|sql| {
        let entries = decisions::list(sql, &filter, limit)?;
        let newest = entries.first().map(|entry| entry.decided_at);
        // Before the first decision of all there is nothing to count from but now.
        filter.since = filter.since.max(Some(back(newest.unwrap_or_else(|| desk.clock.now()))));
        Ok((entries, decisions::list(sql, &filter, u32::MAX)?))
    })?;
    entries.reverse();
    for entry in &entries {
        tell(globals, times, entry)?;
    }
    // A message may be decided again, so the time belongs to what was told.
    let mut told: HashSet<(String, Timestamp)> =
        recent.into_iter().map(|entry| (entry.message, entry.decided_at)).collect();
    loop {
        thread::sleep(POLL);
        let mut entries = desk.store.read_only(|sql| decisions::list(sql, &filter, u32::MAX))?;
        entries.reverse();
        for entry in &entries {
            if told.insert((entry.message.clone(), entry.decided_at)) {
                tell(globals, times, entry)?;
            }
        }
        filter.since = filter.since.max(entries.last().map(|entry| back(entry.decided_at)));
        told.retain(|(_, decided_at)| Some(*decided_at) >= filter.since);
    }
}

fn back(at: Timestamp) -> Timestamp {
    at.saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN)
}

fn tell(globals: &Globals, times: &Times, entry: &Entry) -> Result<()> {
    if globals.format() != Format::Table {
        return Ok(output::line(row(entry, times))?);
    }
    let ticket = entry.ticket.map(|number| format!(" #{number}")).unwrap_or_default();
    let from = entry.from.as_deref().unwrap_or("nobody");
    let subject = entry.subject.as_deref().unwrap_or_default();
    Ok(output::line(format_args!(
        "{}  {:8} {}{ticket}  {}  {}",
        times.exact(entry.decided_at),
        entry.outcome.as_str(),
        entry.reason.as_str(),
        escape(from),
        escape(subject)
    ))?)
}
