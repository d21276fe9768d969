//! `guichet outbox`: mail of ours, queued, sent or given up. What is shown of a mail is its copy
//! without secrets (T-26).

use std::collections::BTreeSet;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::listing::Listing;
use super::output::{self, confirm, escape_lines};
use super::times::Times;
use super::words::{counted, hint, one_of, said};
use super::{Format, Globals};
use crate::store::outbox::{self, Entry, Filter, OutboxState, Page};
use crate::store::{Sql, StoreError};

#[derive(Subcommand)]
pub(super) enum OutboxCommand {
    /// Takes mails out that have not gone
    Cancel(Choice),
    /// Lists mails of ours, newest first
    List(ListArgs),
    /// Queues mails again that were given up, parked, cancelled or only recorded
    Retry(Choice),
    /// Shows a mail as it was last written, without secrets
    Show {
        /// Its number
        id: i64,
    },
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    narrow: Narrow,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// Which mails are meant: each of these narrows it.
#[derive(Args)]
pub(super) struct Narrow {
    /// Only those to this address
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Only those that stand so
    #[arg(long, value_parser = one_of(OutboxState::ALL.map(OutboxState::as_str), OutboxState::parse))]
    state: Option<OutboxState>,
    /// Only those about this ticket
    #[arg(long, value_name = "NUMBER")]
    ticket: Option<i64>,
    /// Only those queued since then: `2h`, `30d`, a date, a date and time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those with these words in the response, which says why they stand so
    #[arg(long, value_name = "WORDS")]
    response: Option<String>,
}

/// Which mails to do something with.
#[derive(Args)]
pub(super) struct Choice {
    /// The numbers of mails
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<i64>,
    /// All that stand as `--state` says
    #[arg(long, requires = "state")]
    all: bool,
    #[command(flatten)]
    narrow: Narrow,
    /// Only says what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const SHOWN: [&str; 7] = ["id", "state", "template", "to", "ticket", "queued_at", "response"];
const COLUMNS: [&str; 18] = [
    "id",
    "state",
    "template",
    "to",
    "ticket",
    "user",
    "mailbox",
    "locale",
    "message_id",
    "message",
    "subject",
    "attempts",
    "queued_at",
    "due_at",
    "sent_at",
    "response",
    "bounced_at",
    "bounce",
];

pub(super) fn run(globals: &Globals, command: OutboxCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        OutboxCommand::Cancel(choice) => cancel(globals, &desk, &choice),
        OutboxCommand::List(args) => list(globals, &desk, &args),
        OutboxCommand::Retry(choice) => retry(globals, &desk, &choice),
        OutboxCommand::Show { id } => show(globals, &desk, id),
    }
}

impl Narrow {
    fn filter(&self, globals: &Globals, desk: &Desk) -> Result<Filter> {
        let (times, now) = (Times::new(globals, &desk.settings), desk.clock.now());
        let since = self.since.as_deref().map(|written| times.since(written, now)).transpose()?;
        Ok(Filter {
            to: self.to.clone(),
            state: self.state,
            ticket: self.ticket,
            message: None,
            after: None,
            since,
            response: self.response.clone(),
        })
    }
}

fn list(globals: &Globals, desk: &Desk, args: &ListArgs) -> Result<Exit> {
    let filter = args.narrow.filter(globals, desk)?;
    let listing = Listing { what: "mail", shown: &SHOWN, all: &COLUMNS, limit: args.limit };
    let page = Page { before: None, limit: listing.wanted() };
    let entries = desk.store.read_only(|sql| outbox::list(sql, &filter, page))?;
    let times = Times::new(globals, &desk.settings);
    listing.print(globals, &entries, |entry| row(entry, &times))?;
    Ok(Exit::Done)
}

fn show(globals: &Globals, desk: &Desk, id: i64) -> Result<Exit> {
    let entry = desk.store.read_only(|sql| outbox::show(sql, id))?.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!("there is no mail {id}\nhint: `guichet outbox list` lists them"),
        )
    })?;
    let mut fields = row(&entry, &Times::new(globals, &desk.settings));
    if globals.format() != Format::Table {
        fields["body"] = json!(entry.body);
        output::object(globals.format(), &fields)?;
        return Ok(Exit::Done);
    }
    output::object(Format::Table, &said(fields))?;
    match &entry.body {
        Some(body) => {
            output::line("")?;
            for text in escape_lines(body.trim_end()).lines() {
                output::line(format!("  | {text}").trim_end())?;
            }
        }
        None => hint(globals, "it was not written yet: a running guichet does that when it is due"),
    }
    Ok(Exit::Done)
}

fn row(entry: &Entry, times: &Times) -> Value {
    json!({
        "id": entry.id,
        "state": entry.state.as_str(),
        "template": entry.template,
        "to": entry.to,
        "ticket": entry.ticket,
        "user": entry.person,
        "mailbox": entry.mailbox,
        "locale": entry.locale,
        "message_id": entry.message_id,
        "message": entry.message,
        "subject": entry.subject,
        "attempts": entry.attempts,
        "queued_at": times.value(entry.queued_at),
        "due_at": times.value(entry.due_at),
        "sent_at": times.value_of(entry.sent_at),
        "response": entry.response,
        "bounced_at": times.value_of(entry.bounced_at),
        "bounce": entry.bounce,
        "bounces": entry.bounces,
    })
}

fn retry(globals: &Globals, desk: &Desk, choice: &Choice) -> Result<Exit> {
    use OutboxState::{Cancelled, Failed, Parked, Recorded};
    let from = [Cancelled, Failed, Parked, Recorded];
    let Some(ids) = chosen(globals, desk, choice, &from, "queued again")? else {
        return Ok(Exit::Done);
    };
    let now = desk.clock.now();
    let moved = change_all(desk, ids, &from, move |sql, id| outbox::retry(sql, id, now))?;
    tell(globals, desk, &moved, "queued again")?;
    if !moved.ids.is_empty() {
        hint(globals, "a running guichet sends it; else `guichet run --once` does");
    }
    Ok(moved.exit)
}

fn cancel(globals: &Globals, desk: &Desk, choice: &Choice) -> Result<Exit> {
    use OutboxState::{Failed, Parked, Queued};
    let from = [Failed, Parked, Queued];
    let Some(ids) = chosen(globals, desk, choice, &from, "cancelled")? else {
        return Ok(Exit::Done);
    };
    let moved = change_all(desk, ids, &from, outbox::cancel)?;
    tell(globals, desk, &moved, "cancelled")?;
    if !moved.ids.is_empty() {
        hint(globals, "`guichet outbox retry ID` queues it again");
    }
    Ok(moved.exit)
}

/// The mails to go on with: none when there are none, or in a dry run, which shows them. Many are
/// asked about.
fn chosen(
    globals: &Globals,
    desk: &Desk,
    choice: &Choice,
    from: &[OutboxState],
    done: &str,
) -> Result<Option<BTreeSet<i64>>> {
    if !choice.all && !choice.dry_run {
        return Ok(Some(choice.ids.iter().copied().collect()));
    }
    if let Some(state) = choice.narrow.state.filter(|state| !from.contains(state)) {
        let words: Vec<&str> = from.iter().map(|state| state.as_str()).collect();
        let (state, words) = (state.as_str(), words.join("`, `"));
        return Err(failure(
            Exit::Usage,
            format!("what is {state} cannot be {done}\nhint: `--state` may be `{words}`"),
        ));
    }
    let filter = choice.narrow.filter(globals, desk)?;
    let page = Page { before: None, limit: i32::MAX.cast_unsigned() };
    let mut entries = desk.store.read_only(|sql| match choice.all {
        true => outbox::list(sql, &filter, page),
        false => choice.ids.iter().filter_map(|id| outbox::show(sql, *id).transpose()).collect(),
    })?;
    entries.retain(|entry| from.contains(&entry.state));
    let count = counted(entries.len(), "mail");
    if !choice.dry_run && !entries.is_empty() {
        confirm(globals, &format!("is it right that {count} are {done}?"))?;
        return Ok(Some(entries.iter().map(|entry| entry.id).collect()));
    }
    let times = Times::new(globals, &desk.settings);
    let rows: Vec<Value> = entries.iter().map(|entry| row(entry, &times)).collect();
    let columns = match globals.format() {
        Format::Table => &SHOWN[..],
        Format::Csv | Format::Json | Format::Jsonl => &COLUMNS[..],
    };
    output::rows(globals.format(), columns, &rows)?;
    match entries.is_empty() {
        true => hint(globals, "no mail stands so"),
        false => hint(globals, format_args!("{count} would be {done}; without `-n` they are")),
    }
    Ok(None)
}

/// The mails that a command moved, and how it ends because of the others.
struct Moved {
    ids: Vec<i64>,
    exit: Exit,
}

/// Tries to move each mail once, and says of those that stay where they are. `change` answers where
/// a mail stood; it moves one that stood at one of `from`.
fn change_all(
    desk: &Desk,
    ids: BTreeSet<i64>,
    from: &[OutboxState],
    change: impl Fn(&mut dyn Sql, i64) -> Result<Option<OutboxState>, StoreError> + Send + 'static,
) -> Result<Moved> {
    let before = desk.store.transact(move |sql| {
        ids.iter().map(|id| Ok((*id, change(sql, *id)?))).collect::<Result<Vec<_>, _>>()
    })?;
    let mut moved = Moved { ids: Vec::new(), exit: Exit::Done };
    for (id, before) in before {
        match before {
            Some(state) if from.contains(&state) => {
                moved.ids.push(id);
                continue;
            }
            Some(state) => output::aside(format_args!(
                "guichet: mail {id} is {}, and stays so",
                state.as_str()
            )),
            None => output::aside(format_args!("guichet: there is no mail {id}")),
        }
        moved.exit = Exit::Negative;
    }
    Ok(moved)
}

fn tell(globals: &Globals, desk: &Desk, moved: &Moved, done: &str) -> Result<()> {
    if globals.format() == Format::Table {
        for id in &moved.ids {
            output::line(format_args!("mail {id} is {done}"))?;
        }
        return Ok(());
    }
    let entries = desk.store.read_only(|sql| {
        moved.ids.iter().map(|id| outbox::show(sql, *id)).collect::<Result<Vec<_>, _>>()
    })?;
    let times = Times::new(globals, &desk.settings);
    let rows: Vec<Value> = entries.iter().flatten().map(|entry| row(entry, &times)).collect();
    output::rows(globals.format(), &COLUMNS, &rows)
}
