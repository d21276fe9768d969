//! `guichet held`: messages set aside, each with the reason. A person lets one walk again, or drops
//! it; until then its bytes stay, and its mailbox is told nothing.

use std::collections::BTreeSet;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bytes::Target;
use super::desk::Desk;
use super::exit::{Exit, failure};
use super::listing::{Extent, Listing};
use super::output::{self, confirm, escape};
use super::times::Times;
use super::words::{counted, hint, one_of, said};
use super::{Format, Globals, ingest, tickets, users};
use crate::counter::Actor;
use crate::store::decisions::{self, Entry, Filter};
use crate::store::tickets::By;
use crate::store::{Sql, StoreError, spool};
use crate::triage::plan::{Outcome, Reason, Story};

#[derive(Subcommand)]
pub(super) enum HeldCommand {
    /// Drops messages: they are counted as ignored, and their mailbox may be told
    Drop(Choice),
    /// Lists the messages set aside, newest first
    List(ListArgs),
    /// Writes out a message as it came
    Raw {
        /// The id of the message
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Sends messages on their way again, to be decided anew
    Release {
        #[command(flatten)]
        choice: Choice,
        /// Makes users of their senders first, with the access of those whom a mail makes
        /// (`users.access`); their credentials go out as for any new user
        #[arg(long)]
        create_user: bool,
    },
    /// Shows a message set aside, and the steps that led there
    Show {
        /// The id of the message
        id: String,
    },
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those held for this reason
    #[arg(long, value_parser = one_of(REASONS.map(Reason::as_str), Reason::parse))]
    reason: Option<Reason>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// Which messages are meant.
#[derive(Args)]
pub(super) struct Choice {
    /// The ids of messages
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All that are held for `--reason`
    #[arg(long, requires = "reason")]
    all: bool,
    /// The reason, with `--all`
    #[arg(long, requires = "all", value_parser = one_of(REASONS.map(Reason::as_str), Reason::parse))]
    reason: Option<Reason>,
    /// Only says what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    who: tickets::Who,
}

/// The reasons of interfaces §4 to hold a message.
const REASONS: [Reason; 8] = [
    Reason::AuthFailed,
    Reason::AutoCreateOff,
    Reason::InternalError,
    Reason::NoSender,
    Reason::ParseFailed,
    Reason::RuleHeld,
    Reason::SenderNotParticipant,
    Reason::SpamFlagged,
];

const COLUMNS: [&str; 8] =
    ["id", "reason", "mailbox", "from", "subject", "size", "arrived_at", "since"];

pub(super) fn run(globals: &Globals, command: HeldCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        HeldCommand::Drop(choice) => drop_chosen(globals, &desk, &choice),
        HeldCommand::List(args) => list(globals, &desk, &args),
        HeldCommand::Raw { id, target } => {
            let (entry, _) = held(&desk, &id)?;
            tickets::hand_out_raw(globals, &desk, &entry.message, &target)
        }
        HeldCommand::Release { choice, create_user } => {
            let senders = if create_user { Senders::MadeUsers } else { Senders::AsTheyAre };
            release(globals, &desk, &choice, senders)
        }
        HeldCommand::Show { id } => show(globals, &desk, &id),
    }
}

fn list(globals: &Globals, desk: &Desk, args: &ListArgs) -> Result<Exit> {
    let listing = Listing { what: "message", shown: &COLUMNS, all: &COLUMNS, limit: args.limit };
    let entries = all(desk, args.reason, listing.wanted())?;
    let times = Times::new(globals, &desk.settings);
    let extent = listing.print(globals, &entries, |entry| row(entry, &times))?;
    if extent == Extent::Whole && !entries.is_empty() {
        hint(
            globals,
            "`guichet held show ID` says why; `guichet held release ID` decides it anew, `guichet held drop ID` ignores it",
        );
    }
    Ok(Exit::Done)
}

fn all(desk: &Desk, reason: Option<Reason>, limit: u32) -> Result<Vec<Entry>> {
    let filter = Filter { outcome: Some(Outcome::Held), reason, ..Filter::default() };
    Ok(desk.store.read_only(|sql| decisions::list(sql, &filter, limit))?)
}

fn row(entry: &Entry, times: &Times) -> Value {
    json!({
        "id": entry.message,
        "reason": entry.reason.as_str(),
        "mailbox": entry.mailbox,
        "from": entry.from,
        "subject": entry.subject,
        "size": entry.size,
        "kind": entry.kind,
        "arrived_at": times.value(entry.arrived_at),
        "since": times.value(entry.decided_at),
    })
}

fn show(globals: &Globals, desk: &Desk, id: &str) -> Result<Exit> {
    let (entry, story) = held(desk, id)?;
    let mut fields = row(&entry, &Times::new(globals, &desk.settings));
    if globals.format() != Format::Table {
        fields["kind_evidence"] = json!(story.kind_evidence);
        fields["steps"] = json!(story.steps);
        output::object(globals.format(), &fields)?;
        return Ok(Exit::Done);
    }
    output::object(Format::Table, &said(fields))?;
    for (at, step) in story.steps.iter().enumerate() {
        let label = if at == 0 { "why" } else { "" };
        let key = step.key.as_deref().map(|key| format!("  [{key}]")).unwrap_or_default();
        output::line(format_args!("{label:11} {:7}{}{key}", step.rule, escape(&step.said)))?;
    }
    let id = &entry.message;
    hint(
        globals,
        format_args!(
            "`guichet held release {id}` decides it anew, `guichet held drop {id}` ignores it"
        ),
    );
    Ok(Exit::Done)
}

/// The decision about a message that is held.
fn held(desk: &Desk, id: &str) -> Result<(Entry, Story)> {
    let found = desk.store.read_only(|sql| decisions::one(sql, id.trim()))?;
    found.filter(|(entry, _)| entry.outcome == Outcome::Held).ok_or_else(|| not_held(id))
}

fn not_held(id: &str) -> anyhow::Error {
    failure(
        Exit::InputMissing,
        format!(
            "no message `{}` is held\nhint: `guichet held list` lists those that are",
            id.trim().escape_debug()
        ),
    )
}

/// The decisions about the messages that were chosen, each once.
fn chosen(desk: &Desk, choice: &Choice) -> Result<Vec<Entry>> {
    if choice.all {
        return all(desk, choice.reason, u32::MAX);
    }
    let mut chosen: Vec<Entry> = Vec::with_capacity(choice.ids.len());
    for id in &choice.ids {
        // One that is not held is told before anything is changed.
        let (entry, _) = held(desk, id)?;
        if chosen.iter().all(|known| known.message != entry.message) {
            chosen.push(entry);
        }
    }
    Ok(chosen)
}

/// The ids of the messages to go on with: none when there are none, or in a dry run, which shows
/// what would be done.
fn to_change(
    globals: &Globals,
    desk: &Desk,
    choice: &Choice,
    done: &str,
) -> Result<Option<Vec<String>>> {
    let chosen = chosen(desk, choice)?;
    if !choice.dry_run && !chosen.is_empty() {
        return Ok(Some(chosen.into_iter().map(|entry| entry.message).collect()));
    }
    let times = Times::new(globals, &desk.settings);
    let rows: Vec<Value> = chosen.iter().map(|entry| row(entry, &times)).collect();
    output::rows(globals.format(), &COLUMNS, &rows)?;
    match chosen.len() {
        0 => hint(globals, "nothing is held for that reason"),
        count => {
            let count = counted(count, "message");
            hint(globals, format_args!("{count} would be {done}; without `-n` they are"));
        }
    }
    Ok(None)
}

/// Who acts, as stories name them.
fn by(desk: &Desk, choice: &Choice) -> Result<By> {
    match choice.who.actor()? {
        Actor::Operator => Ok(By::Operator),
        actor => desk.counter()?.by(&actor).map_err(tickets::refused),
    }
}

/// What becomes of the senders of released messages before these are decided anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Senders {
    AsTheyAre,
    MadeUsers,
}

fn release(globals: &Globals, desk: &Desk, choice: &Choice, senders: Senders) -> Result<Exit> {
    let by = by(desk, choice)?;
    let Some(ids) = to_change(globals, desk, choice, "decided anew")? else {
        return Ok(Exit::Done);
    };
    if senders == Senders::MadeUsers {
        for id in &ids {
            if let (Entry { from: Some(from), .. }, _) = held(desk, id)? {
                users::make_of_sender(desk, &from)?;
            }
        }
    }
    let released = changed(desk, ids, move |sql, id| spool::release_held(sql, id, &by))?;
    ingest::decide(globals, desk, &released)?;
    let mut told = BTreeSet::new();
    for id in &released {
        let decided = desk.store.read_only(|sql| decisions::one(sql, id))?;
        let again = decided.filter(|(entry, _)| entry.outcome == Outcome::Held);
        if let Some(said) = again.and_then(|(entry, _)| way_in(entry.reason))
            && told.insert(said)
        {
            hint(globals, said);
        }
    }
    Ok(Exit::Done)
}

/// How a message that is held again can be let in.
fn way_in(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::AuthFailed => Some(
            "held again; `guichet --set filters.dmarc_fail=flag held release ID` opens a ticket for staff",
        ),
        Reason::AutoCreateOff => {
            Some("held again; `guichet held release --create-user ID` makes its sender a user")
        }
        Reason::SpamFlagged => Some(
            "held again; `guichet --set filters.spam_headers=flag held release ID` opens a ticket for staff",
        ),
        _ => None,
    }
}

fn drop_chosen(globals: &Globals, desk: &Desk, choice: &Choice) -> Result<Exit> {
    let by = by(desk, choice)?;
    let Some(ids) = to_change(globals, desk, choice, "dropped")? else { return Ok(Exit::Done) };
    let count = counted(ids.len(), "message");
    confirm(globals, &format!("drop {count}, so that no ticket is made of it?"))?;
    let now = desk.clock.now();
    let dropped = changed(desk, ids, move |sql, id| spool::drop_held(sql, id, &by, now))?;
    match globals.format() {
        Format::Table => {
            output::line(format_args!("dropped {}", counted(dropped.len(), "message")))?;
        }
        format => {
            let (outcome, reason) = (Outcome::Ignored.as_str(), Reason::Dropped.as_str());
            let row = |id| json!({ "message": id, "outcome": outcome, "reason": reason });
            let rows: Vec<Value> = dropped.iter().map(row).collect();
            output::rows(format, &["message", "outcome", "reason"], &rows)?;
        }
    }
    hint(globals, "their bytes are kept: `guichet tickets raw ID` still writes them out");
    Ok(Exit::Done)
}

/// The ids of those that `change` found held, all in one transaction.
fn changed(
    desk: &Desk,
    ids: Vec<String>,
    change: impl Fn(&mut dyn Sql, &str) -> Result<bool, StoreError> + Send + 'static,
) -> Result<Vec<String>> {
    Ok(desk.store.transact(move |sql| {
        let mut changed = Vec::with_capacity(ids.len());
        for id in &ids {
            if change(sql, id)? {
                changed.push(id.clone());
            }
        }
        Ok(changed)
    })?)
}
