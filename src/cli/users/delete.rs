//! `guichet users delete`: a tombstone stays, and tickets as was asked for.

use std::io::{self, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{find, name, print, set};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, confirm, escape, is_interactive};
use crate::cli::words::{counted, hint};
use crate::cli::{Format, Globals};
use crate::store::users::{self, Cleared, Clearing, User};
use crate::triage::facts::UserStatus;

#[derive(Args)]
pub(in crate::cli) struct DeleteArgs {
    /// An address or an id
    who: String,
    /// What becomes of their tickets; they stay when nobody is asked
    #[arg(long, value_enum)]
    tickets: Option<Tickets>,
}

/// What becomes of the tickets of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tickets {
    /// They stay, but nothing says whose they were; attachments and raw mail go
    Anonymize,
    /// Nothing of what they say is left
    Delete,
    /// They stay, with the requester's name and address
    Keep,
}

impl Tickets {
    fn said(self) -> &'static str {
        match self {
            Tickets::Anonymize => {
                "their tickets stay without their name; attachments and raw mail go"
            }
            Tickets::Delete => "their tickets go, with every word on them",
            Tickets::Keep => "their tickets stay",
        }
    }

    fn clearing(self) -> Option<Clearing> {
        match self {
            Tickets::Anonymize => Some(Clearing::Anonymize),
            Tickets::Delete => Some(Clearing::Delete),
            Tickets::Keep => None,
        }
    }
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: &DeleteArgs) -> Result<Exit> {
    let user = find(desk, &args.who)?;
    let shown = escape(&name(&user));
    let is_gone = user.status == UserStatus::Deleted;
    // What was kept at first may go later.
    let clears = args.tickets.is_some_and(|tickets| tickets != Tickets::Keep);
    if user.merged_into.is_some() || (is_gone && !clears) {
        return Err(set::deleted(&name(&user)));
    }
    let tickets = match args.tickets {
        Some(tickets) => tickets,
        None => ask(globals, &shown)?,
    };
    confirm(globals, &format!("delete the user `{shown}` for good ({})?", tickets.said()))?;
    let cleared = delete(desk, &user, tickets)?;
    tell(globals, desk, &user, tickets, cleared)?;
    Ok(Exit::Done)
}

fn delete(desk: &Desk, user: &User, tickets: Tickets) -> Result<Cleared> {
    let (id, ids, now) = (user.id.clone(), desk.ids.clone(), desk.clock.now());
    let keys = user.addresses.iter().map(|one| format!("address {}", one.key)).collect();
    Ok(desk.store.transact_keyed(keys, move |sql| {
        users::delete(sql, &id, now)?;
        match tickets.clearing() {
            Some(clearing) => users::clear_tickets(sql, &id, clearing, &ids, now),
            None => Ok(Cleared::default()),
        }
    })?)
}

fn tell(
    globals: &Globals,
    desk: &Desk,
    user: &User,
    tickets: Tickets,
    cleared: Cleared,
) -> Result<()> {
    let shown = escape(&name(user));
    match globals.format() {
        Format::Table => {
            output::line(format_args!(
                "deleted `{shown}`; {}, and their links, passwords and sessions ended",
                tickets.said()
            ))?;
            if tickets != Tickets::Keep {
                output::line(format_args!(
                    "cleared: {}, {}, {}{}",
                    counted_large(cleared.tickets, "ticket"),
                    counted_large(cleared.messages, "message"),
                    counted_large(cleared.mails, "mail of ours"),
                    match cleared.dropped {
                        0 => String::new(),
                        dropped => format!("; {dropped} held messages of theirs were dropped"),
                    }
                ))?;
                hint(globals, "backups made before still hold what was cleared");
            }
            output::line("mail from their addresses still becomes tickets, but makes no user")?;
        }
        _ if tickets == Tickets::Keep => print(globals, desk, &find(desk, &user.id)?)?,
        format => output::object(
            format,
            &json!({
                "id": user.id,
                "status": "deleted",
                "tickets": cleared.tickets,
                "messages": cleared.messages,
                "mails": cleared.mails,
                "dropped": cleared.dropped,
            }),
        )?,
    }
    Ok(())
}

fn counted_large(count: u64, what: &str) -> String {
    match what.split_once(' ') {
        Some((noun, rest)) => format!("{count} {noun}{} {rest}", if count == 1 { "" } else { "s" }),
        None => counted(usize::try_from(count).unwrap_or(usize::MAX), what),
    }
}

// Whoever says yes to everything, or cannot be asked, is not taken to wish that anything goes.
fn ask(globals: &Globals, shown: &str) -> Result<Tickets> {
    if globals.yes || globals.no_input || !is_interactive() {
        return Ok(Tickets::Keep);
    }
    let question =
        format!("what becomes of the tickets of `{shown}`: [k]eep, [a]nonymize, [d]elete? [k] ");
    let _ = write!(io::stderr().lock(), "{question}");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim() {
        "" | "k" | "keep" => Ok(Tickets::Keep),
        "a" | "anonymize" => Ok(Tickets::Anonymize),
        "d" | "delete" => Ok(Tickets::Delete),
        other => Err(failure(
            Exit::Usage,
            format!(
                "`{}` is none of them\nhint: answer `k`, `a` or `d`, or say `--tickets keep|anonymize|delete`",
                escape(other)
            ),
        )),
    }
}
