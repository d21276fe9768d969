//! `guichet tickets set`, `close` and `merge`: what staff changes about tickets.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::write::{Who, address};
use super::{number_of, refused};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, confirm, escape};
use crate::cli::words::{hint, one_of, text};
use crate::cli::{Format, Globals};
use crate::counter::{Changed, TicketChange};
use crate::store::tickets::{self, Event, EventKind};
use crate::triage::facts::TicketStatus;
use crate::triage::policy::Priority;

#[derive(Args)]
pub(in crate::cli) struct SetArgs {
    /// The ticket
    number: String,
    /// Its state
    #[arg(long, value_parser = one_of(["open", "pending", "closed"], TicketStatus::parse))]
    status: Option<TicketStatus>,
    /// The agent who looks after it, by their address; `none` for nobody
    #[arg(long, value_name = "AGENT")]
    assignee: Option<String>,
    /// Whose it is: an address of a user
    #[arg(long, value_name = "ADDRESS")]
    requester: Option<String>,
    /// The site that it belongs to
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Adds tags
    #[arg(long, value_name = "TAG", num_args = 1..)]
    tag: Vec<String>,
    /// Takes tags away
    #[arg(long, value_name = "TAG", num_args = 1..)]
    untag: Vec<String>,
    /// How pressing it is
    #[arg(long, value_parser = one_of(["low", "normal", "high", "urgent"], Priority::parse))]
    priority: Option<Priority>,
    /// The department that it belongs to; empty for none
    #[arg(long, value_name = "NAME", value_parser = text)]
    department: Option<String>,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
pub(in crate::cli) struct CloseArgs {
    /// The ticket
    number: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
pub(in crate::cli) struct MergeArgs {
    /// The ticket that ends
    from: String,
    /// The ticket that goes on
    into: String,
    #[command(flatten)]
    who: Who,
}

pub(super) fn set(globals: &Globals, desk: &Desk, args: &SetArgs) -> Result<Exit> {
    let mut changes = Vec::new();
    changes
        .extend(args.requester.as_deref().map(address).transpose()?.map(TicketChange::Requester));
    changes.extend(args.site.clone().map(TicketChange::Site));
    changes.extend(
        args.department
            .clone()
            .map(|name| TicketChange::Department(Some(name).filter(|name| !name.is_empty()))),
    );
    changes.extend(args.priority.map(|priority| TicketChange::Priority(Some(priority))));
    changes.extend(args.tag.iter().cloned().map(TicketChange::Tag));
    changes.extend(args.untag.iter().cloned().map(TicketChange::Untag));
    match args.assignee.as_deref() {
        Some("none") => changes.push(TicketChange::Assignee(None)),
        Some(written) => changes.push(TicketChange::Assignee(Some(address(written)?))),
        None => {}
    }
    changes.extend(args.status.map(TicketChange::Status));
    if changes.is_empty() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed\nhint: `guichet tickets set --help` lists what can be",
        ));
    }
    change(globals, desk, &args.number, &args.who, &changes)
}

pub(super) fn close(globals: &Globals, desk: &Desk, args: &CloseArgs) -> Result<Exit> {
    let changes = [TicketChange::Status(TicketStatus::Closed)];
    change(globals, desk, &args.number, &args.who, &changes)
}

pub(super) fn merge(globals: &Globals, desk: &Desk, args: &MergeArgs) -> Result<Exit> {
    let (from, into) = (number_of(&args.from)?, number_of(&args.into)?);
    let (counter, actor) = (desk.counter()?, args.who.actor()?);
    counter.mergeable(from, into, &actor).map_err(refused)?;
    let shown = |number| desk.store.read_only(|sql| tickets::show(sql, number));
    if let (Some(one), Some(other)) = (shown(from)?, shown(into)?) {
        let (one, other) = (one.ticket.requester_address, other.ticket.requester_address);
        let question = match one == other {
            true => {
                format!("Merge ticket {from} into ticket {into}? It cannot be taken apart again.")
            }
            false => format!(
                "Merge ticket {from} of {} into ticket {into} of {}? Each will see what the other wrote, and it cannot be taken apart again.",
                escape(&one),
                escape(&other)
            ),
        };
        confirm(globals, &question)?;
    }
    let merged = counter.merge(from, into, &actor).map_err(refused)?;
    match globals.format() {
        Format::Table => output::line(format_args!(
            "ticket {} is merged into ticket {}",
            merged.from, merged.into
        ))?,
        format => output::object(format, &json!({ "from": merged.from, "into": merged.into }))?,
    }
    hint(globals, format_args!("`guichet tickets show {}` shows all of it", merged.into));
    Ok(Exit::Done)
}

pub(super) fn change(
    globals: &Globals,
    desk: &Desk,
    number: &str,
    who: &Who,
    changes: &[TicketChange],
) -> Result<Exit> {
    let counter = desk.counter()?;
    let changed = counter.change(number_of(number)?, &who.actor()?, changes).map_err(refused)?;
    let Changed { ticket, events, mail } = &changed;
    if globals.format() != Format::Table {
        let rows: Vec<Value> = events.iter().map(row).collect();
        let fields = json!({ "ticket": ticket, "changes": rows, "mail": mail });
        output::object(globals.format(), &fields)?;
        return Ok(Exit::Done);
    }
    if events.is_empty() {
        output::line(format_args!("ticket {ticket}: it is so already"))?;
    }
    for event in events {
        output::line(format_args!("ticket {ticket}: {}", said(event)))?;
    }
    match mail {
        Some(mail) => hint(
            globals,
            format_args!("its requester is told; `guichet outbox show {mail}` shows the mail"),
        ),
        None => hint(globals, format_args!("`guichet tickets show {ticket}` shows it")),
    }
    Ok(Exit::Done)
}

fn row(event: &Event) -> Value {
    json!({ "kind": event.kind.as_str(), "before": event.before, "after": event.after })
}

/// A change in words.
pub(super) fn said(event: &Event) -> String {
    let written = |value: &Option<String>| match value {
        Some(value) => escape(value),
        None => "none".to_owned(),
    };
    let (before, after) = (&event.before, &event.after);
    match (event.kind, before, after) {
        (EventKind::Tags, None, Some(tag)) => format!("tagged `{}`", escape(tag)),
        (EventKind::Tags, Some(tag), None) => format!("no longer tagged `{}`", escape(tag)),
        (EventKind::Closed, _, _) => "closed".to_owned(),
        (EventKind::Opened, _, _) => "opened".to_owned(),
        (EventKind::Reopened, _, _) => "open again".to_owned(),
        (EventKind::Readers, _, _) => "no longer for staff only".to_owned(),
        (EventKind::Released, _, Some(file)) => format!("released `{}`", escape(file)),
        (EventKind::Merged, None, Some(into)) => format!("merged into ticket {}", escape(into)),
        (EventKind::Merged, Some(from), _) => format!("ticket {} was merged into it", escape(from)),
        (kind, before, after) => {
            format!("{} {} → {}", kind.as_str(), written(before), written(after))
        }
    }
}
