//! `guichet tickets attachment`: cuts an attached file out of the raw message, and sees that it is
//! the one that was listed. Its name is a label: it never becomes a path (T-33). `release` lets the
//! people of the ticket have one that was locked (M-25).

use anyhow::Result;
use clap::Args;

use super::show::attachments;
use super::write::Who;
use super::{set, ticket};
use crate::cli::Globals;
use crate::cli::bytes::{Target, hand_out};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::escape;
use crate::cli::words::hint;
use crate::counter::TicketChange;
use crate::mail::attachment::cut;
use crate::store::spool;
use crate::store::tickets::{Shown, StoredAttachment, TicketMessage};

#[derive(Args)]
pub(in crate::cli) struct AttachmentArgs {
    /// The ticket
    number: String,
    /// The attachment's number on the ticket, or its name
    #[arg(value_name = "N|NAME")]
    attachment: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub(in crate::cli) struct ReleaseArgs {
    /// The ticket
    number: String,
    /// The attachment's number on the ticket, or its name
    #[arg(value_name = "N|NAME")]
    attachment: String,
    #[command(flatten)]
    who: Who,
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: &AttachmentArgs) -> Result<Exit> {
    let shown = ticket(desk, &args.number)?;
    let (number, message, stored) = find(&shown, args.attachment.trim())?;
    let damaged = |said: String| {
        let what = format!("attachment {number} of ticket {}", shown.ticket.number);
        failure(
            Exit::Input,
            format!(
                "{what} cannot be cut out of its message: {said}\nhint: `guichet tickets raw {}` writes the whole message",
                message.message
            ),
        )
    };
    let raw = desk.store.read_only(|sql| spool::raw(sql, &message.message))?;
    let raw = raw.ok_or_else(|| damaged("the store no longer has its bytes".to_owned()))?;
    let attachment =
        stored.as_read().ok_or_else(|| damaged("its checksum is not one".to_owned()))?;
    let bytes = cut(&raw, &attachment).map_err(|error| damaged(error.to_string()))?;
    if stored.is_locked(&desk.settings.policy.filters) {
        hint(
            globals,
            format_args!(
                "`{}` is of a blocked type: whoever opens it may run what a stranger sent; `guichet tickets release {} {number}` lets those of the ticket have it",
                escape(&stored.name),
                shown.ticket.number
            ),
        );
    }
    hand_out(globals, &bytes, &format!("attachment {number}"), &args.target)?;
    Ok(Exit::Done)
}

pub(super) fn release(globals: &Globals, desk: &Desk, args: &ReleaseArgs) -> Result<Exit> {
    let shown = ticket(desk, &args.number)?;
    let (number, message, _) = find(&shown, args.attachment.trim())?;
    let before = attachments(&shown).into_iter().filter(|(_, of, _)| of.n == message.n);
    let first = before.map(|(number, ..)| number).min().unwrap_or(number);
    let change = TicketChange::Release { message: message.n, file: number - first };
    set::change(globals, desk, &args.number, &args.who, &[change])
}

fn find<'a>(
    shown: &'a Shown,
    wanted: &str,
) -> Result<(usize, &'a TicketMessage, &'a StoredAttachment)> {
    let all = attachments(shown);
    let by_number = wanted.parse::<usize>().ok();
    let by_number = by_number.and_then(|wanted| all.iter().find(|(number, ..)| *number == wanted));
    if let Some(found) = by_number {
        return Ok(*found);
    }
    let named: Vec<_> = all.iter().filter(|(.., attachment)| attachment.name == wanted).collect();
    match named.as_slice() {
        [found] => Ok(**found),
        [] => {
            let listed: Vec<String> = all
                .iter()
                .map(|(number, _, attachment)| format!("{number} `{}`", escape(&attachment.name)))
                .collect();
            let hint = match listed.is_empty() {
                true => format!(
                    "it has none; `guichet tickets show {}` shows what it has",
                    shown.ticket.number
                ),
                false => format!("it has {}", listed.join(", ")),
            };
            let number = shown.ticket.number;
            Err(failure(
                Exit::InputMissing,
                format!("ticket {number} has no attachment `{}`\nhint: {hint}", escape(wanted)),
            ))
        }
        several => {
            let numbers: Vec<String> = several.iter().map(|(n, ..)| n.to_string()).collect();
            Err(failure(
                Exit::Usage,
                format!(
                    "several attachments are named `{}`\nhint: name one by its number: {}",
                    escape(wanted),
                    numbers.join(", ")
                ),
            ))
        }
    }
}
