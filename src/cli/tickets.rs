//! `guichet tickets`: tickets with their messages, and the bytes behind them.

mod attachment;
mod quick;
mod set;
mod show;
mod write;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::bytes::{Target, hand_out};
use super::desk::Desk;
use super::exit::{Exit, failure};
use super::listing::Listing;
use super::times::Times;
use super::words::{counted, hint, one_of};
use super::{Format, Globals, sites, users};
use crate::counter::CounterError;
use crate::store::tickets::{self, Filter, Shown, Ticket};
use crate::store::{decisions, spool, users as people};
use crate::triage::facts::TicketStatus;

pub(super) use write::Who;

#[derive(Subcommand)]
pub(super) enum TicketsCommand {
    /// Opens a ticket for somebody, e.g. on the telephone, and makes them a user
    Add(write::AddArgs),
    /// Writes out an attachment of a ticket
    Attachment(attachment::AttachmentArgs),
    /// Closes a ticket
    Close(set::CloseArgs),
    /// Lists tickets, newest first
    List(ListArgs),
    /// Brings all of one ticket to another
    Merge(set::MergeArgs),
    /// Writes out a message as it came
    Raw(RawArgs),
    /// Lets the people of a ticket have a file that was locked
    Release(attachment::ReleaseArgs),
    /// Answers the requester of a ticket by mail
    Reply(write::ReplyArgs),
    /// Changes a ticket
    Set(set::SetArgs),
    /// Shows a ticket with its messages
    Show { number: String },
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those of this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Only those with this status
    #[arg(long, value_parser = one_of(["open", "pending", "closed"], TicketStatus::parse))]
    status: Option<TicketStatus>,
    /// Only those of this user or address
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// Only those written to since then: `2h`, `30d`, a date, a date and time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

#[derive(Args)]
pub(super) struct RawArgs {
    /// The id of a message; the number of a ticket for its first one, `12/2` for its second
    #[arg(value_name = "MESSAGE|NUMBER")]
    message: String,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(globals: &Globals, command: TicketsCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        TicketsCommand::Add(args) => write::add(globals, &desk, &args),
        TicketsCommand::Attachment(args) => attachment::run(globals, &desk, &args),
        TicketsCommand::Close(args) => set::close(globals, &desk, &args),
        TicketsCommand::List(args) => list(globals, &desk, args),
        TicketsCommand::Merge(args) => set::merge(globals, &desk, &args),
        TicketsCommand::Raw(args) => raw(globals, &desk, &args),
        TicketsCommand::Release(args) => attachment::release(globals, &desk, &args),
        TicketsCommand::Reply(args) => write::reply(globals, &desk, &args),
        TicketsCommand::Set(args) => set::set(globals, &desk, &args),
        TicketsCommand::Show { number } => show::run(globals, &desk, &number),
    }
}

fn list(globals: &Globals, desk: &Desk, args: ListArgs) -> Result<Exit> {
    let times = Times::new(globals, &desk.settings);
    let now = desk.clock.now();
    let site = args.site.map(|name| sites::named(desk, &name)).transpose()?;
    let filter = Filter {
        site: site.map(|site| site.name),
        status: args.status,
        user: args.user.map(|who| user(desk, &who)).transpose()?,
        since: args.since.map(|written| times.since(&written, now)).transpose()?,
        before: None,
    };
    let listing = Listing {
        what: "ticket",
        shown: &["number", "status", "site", "requester", "subject", "messages", "last_message_at"],
        all: COLUMNS,
        limit: args.limit,
    };
    let tickets = desk.store.read_only(|sql| tickets::list(sql, &filter, listing.wanted()))?;
    listing.print(globals, &tickets, |ticket| {
        let mut row = row(ticket, &times);
        // M-20: programs get it empty, as it is stored.
        if globals.format() == Format::Table && ticket.subject.is_empty() {
            row["subject"] = json!("(no subject)");
        }
        row
    })?;
    Ok(Exit::Done)
}

/// The id of the user meant; for an address that nobody has, its key: a requester needs no user.
fn user(desk: &Desk, who: &str) -> Result<String> {
    let wanted = users::id_or_key(who, &desk.settings.policy)?;
    let user = desk.store.read_only(|sql| people::show(sql, &wanted))?;
    Ok(user.map_or(wanted, |user| user.id))
}

pub(super) const COLUMNS: &[&str] = &[
    "number",
    "subject",
    "status",
    "requester",
    "requester_address",
    "requester_name",
    "user",
    "user_name",
    "site",
    "mailbox",
    "department",
    "staff_only",
    "assignee",
    "priority",
    "linked_to",
    "messages",
    "created_at",
    "updated_at",
    "last_message_at",
    "closed_at",
];

pub(super) fn row(ticket: &Ticket, times: &Times) -> Value {
    json!({
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status.as_str(),
        "requester": requester(ticket),
        "requester_address": ticket.requester_address,
        "requester_name": ticket.requester_name,
        "user": ticket.user.as_ref().map(|(id, _)| id),
        "user_name": ticket.user.as_ref().map(|(_, name)| name),
        "site": ticket.site,
        "mailbox": ticket.mailbox,
        "department": ticket.department,
        "staff_only": ticket.staff_only,
        "assignee": ticket.assignee,
        "priority": ticket.priority,
        "linked_to": ticket.linked_to,
        "merged_into": ticket.merged_into,
        "messages": ticket.messages,
        "created_at": times.value(ticket.created_at),
        "updated_at": times.value(ticket.updated_at),
        "last_message_at": times.value(ticket.last_message_at),
        "closed_at": times.value_of(ticket.closed_at),
    })
}

/// The user's name, else the name beside the address, else the address.
fn requester(ticket: &Ticket) -> &str {
    let named = |name: &&str| !name.is_empty();
    let user = ticket.user.as_ref().map(|(_, name)| name.as_str()).filter(named);
    let written = ticket.requester_name.as_deref().filter(named);
    user.or(written).unwrap_or(&ticket.requester_address)
}

/// What the counter does not do, with the exit code that says why.
pub(super) fn refused(error: CounterError) -> anyhow::Error {
    let exit = match &error {
        CounterError::Store(_) => None,
        CounterError::Full | CounterError::Unread => Some(Exit::Temporary),
        CounterError::NoTicket(_) | CounterError::Unknown { .. } | CounterError::NoMailbox(_) => {
            Some(Exit::InputMissing)
        }
        CounterError::TooLarge { .. } | CounterError::TooManyFiles { .. } => Some(Exit::Input),
        CounterError::Empty | CounterError::Nobody => Some(Exit::Usage),
        CounterError::Account | CounterError::Refused { .. } => Some(Exit::Negative),
    };
    match (exit, error) {
        (None, CounterError::Store(error)) => error.into(),
        (exit, error) => failure(exit.unwrap_or(Exit::Bug), error.to_string()),
    }
}

/// The number of a ticket, written `12` or `#12`.
fn number_of(written: &str) -> Result<i64> {
    written.trim().trim_start_matches('#').parse().map_err(|_| {
        failure(
            Exit::Usage,
            format!(
                "`{}` is no ticket number\nhint: write it as `12` or `#12`",
                written.escape_debug()
            ),
        )
    })
}

/// The ticket of this number, written `12` or `#12`.
pub(super) fn ticket(desk: &Desk, written: &str) -> Result<Shown> {
    let number = number_of(written)?;
    desk.store.read_only(|sql| tickets::show(sql, number))?.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!("there is no ticket {number}\nhint: `guichet tickets list` lists them"),
        )
    })
}

fn raw(globals: &Globals, desk: &Desk, args: &RawArgs) -> Result<Exit> {
    let id = message(globals, desk, args.message.trim())?;
    hand_out_raw(globals, desk, &id, &args.target)
}

/// Writes out the bytes of a message.
pub(super) fn hand_out_raw(
    globals: &Globals,
    desk: &Desk,
    id: &str,
    target: &Target,
) -> Result<Exit> {
    let raw = desk.store.read_only(|sql| spool::raw(sql, id))?.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!(
                "the store has no bytes of a message `{}`\nhint: `guichet log` lists the ids",
                id.escape_debug()
            ),
        )
    })?;
    hand_out(globals, &raw, &format!("message {id}"), target)?;
    Ok(Exit::Done)
}

/// The id of the message meant: of a ticket by its place there, else by either of its ids.
pub(super) fn message(globals: &Globals, desk: &Desk, written: &str) -> Result<String> {
    if let Some((number, place)) = place(written) {
        return of_ticket(globals, desk, number, place);
    }
    match desk.store.read_only(|sql| decisions::find(sql, written))?.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(failure(
            Exit::InputMissing,
            format!(
                "there is no message `{}`\nhint: `guichet log` lists their ids",
                written.escape_debug()
            ),
        )),
        several => Err(failure(
            Exit::Usage,
            format!(
                "several messages have the id `{}`\nhint: name one of {}",
                written.escape_debug(),
                several.join(", ")
            ),
        )),
    }
}

/// The ticket that a message is on.
pub(super) fn ticket_of(desk: &Desk, message: &str) -> Result<Shown> {
    let number = desk.store.read_only(|sql| tickets::of_message(sql, message))?;
    let number = number.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!(
                "the message {message} is on no ticket\nhint: `guichet explain {message}` says why"
            ),
        )
    })?;
    ticket(desk, &number.to_string())
}

/// `12`, `#12` or `12/2`: a ticket, and perhaps the place of a message on it.
fn place(written: &str) -> Option<(&str, Option<usize>)> {
    let (number, place) = match written.split_once('/') {
        Some((number, place)) => (number, Some(place.parse().ok()?)),
        None => (written, None),
    };
    let digits = number.trim_start_matches('#');
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    is_number.then_some((number, place))
}

fn of_ticket(globals: &Globals, desk: &Desk, number: &str, place: Option<usize>) -> Result<String> {
    let Shown { ticket, messages, .. } = ticket(desk, number)?;
    let number = ticket.number;
    let count = counted(messages.len(), "message");
    let wanted = place.unwrap_or(1);
    let message = wanted.checked_sub(1).and_then(|at| messages.get(at)).ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!("ticket {number} has no message {wanted}\nhint: it has {count}"),
        )
    })?;
    if place.is_none() && messages.len() > 1 {
        hint(
            globals,
            format_args!(
                "ticket {number} has {count}, this is the first; `{number}/2` is the second"
            ),
        );
    }
    Ok(message.message.clone())
}
