//! `guichet audit --online`: the mailboxes themselves against the ledger. One that cannot be reached
//! stops no other.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::Globals;
use crate::cli::desk::{self, Desk};
use crate::cli::exit::{Exit, exit_of_intake};
use crate::cli::mailbox::trial::{self, Failure};
use crate::cli::mailbox::unrest;
use crate::cli::output::{escape, line};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::config::settings::Need;
use crate::intake::stock::{self, Standing, Stock, Target};
use crate::intake::{IntakeError, Options, SourceOptions, imap};

/// One mailbox, as far as it could be looked at.
pub(super) struct Look {
    name: String,
    found: Result<Stock, Failure>,
}

/// Looks into every mailbox that is watched.
pub(super) fn look(desk: &Desk) -> Result<Vec<Look>> {
    desk::require(&desk.settings, |need| matches!(need, Need::Mailbox(_)))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let watched = desk.settings.mailboxes.iter().filter_map(|mailbox| mailbox.watched.as_ref());
    let looks = watched.map(|options| {
        let found = take_stock(desk, options, &runtime).map_err(|error| {
            let exit = exit_of_intake(&error);
            Failure::new(exit, &error.to_string())
        });
        Look { name: options.name.clone(), found }
    });
    Ok(looks.collect())
}

/// The exit code of all of them: what is not accounted for weighs more than what is not known.
pub(super) fn exit(looks: &[Look]) -> Exit {
    if looks.iter().any(|look| look.found.as_ref().is_ok_and(|stock| stock.unaccounted > 0)) {
        return Exit::Negative;
    }
    trial::exit(looks.iter().filter_map(|look| look.found.as_ref().err()))
}

fn take_stock(
    desk: &Desk,
    options: &Options,
    runtime: &tokio::runtime::Runtime,
) -> Result<Stock, IntakeError> {
    let now = desk.clock.now();
    let contents = match options.source {
        SourceOptions::Imap(_) => runtime.block_on(imap::contents(options, &desk.store, now))?,
        SourceOptions::Maildir { .. } => stock::maildir_contents(options, now)?,
    };
    stock::compare(options, &contents, &desk.store)
        .map_err(|cause| IntakeError::Store { mailbox: options.name.clone(), cause })
}

impl Look {
    /// For people.
    pub(super) fn print(&self, globals: &Globals, times: &Times) -> Result<()> {
        let Look { name, found } = self;
        match found {
            Ok(stock) => print(name, stock, globals, times),
            Err(failure) => {
                line(format_args!(
                    "mailbox `{name}` was not looked at: {}",
                    escape(&failure.message)
                ))?;
                hint(globals, &failure.hint);
                Ok(())
            }
        }
    }

    /// For programs.
    pub(super) fn fields(&self, times: &Times) -> Value {
        let stock = match &self.found {
            Ok(stock) => stock,
            Err(failure) => {
                return json!({
                    "name": self.name,
                    "reached": false,
                    "failure": failure.message,
                    "hint": failure.hint,
                });
            }
        };
        let target = stock.target.as_ref().map(|Target { present, unknown, examples }| {
            json!({ "present": present, "unknown": unknown, "examples": examples })
        });
        json!({
            "name": self.name,
            "reached": true,
            "standing": word(stock.standing),
            "present": stock.present,
            "decided": stock.decided,
            "held": stock.held,
            "pending": stock.pending,
            "before_start": stock.before_start,
            "new": stock.new,
            "owed": stock.owed,
            "deleted": stock.deleted,
            "unaccounted": stock.unaccounted,
            "examples": stock.examples,
            "left": stock.left,
            "gone": stock.gone,
            "gone_told": stock.gone_told,
            "target": target,
            "renumbered": unrest::fields(stock.unrest.as_ref(), times),
        })
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Known => "known",
        Standing::New => "new",
        Standing::Renumbered => "renumbered",
        Standing::Reused => "reused",
        Standing::Rewound => "rewound",
    }
}

fn print(name: &str, stock: &Stock, globals: &Globals, times: &Times) -> Result<()> {
    line(format_args!(
        "mailbox `{name}`: {} present = {} decided + {} held + {} pending + {} before its start \
         + {} not fetched yet + {} owed + {} marked as deleted + {} unaccounted for",
        stock.present,
        stock.decided,
        stock.held,
        stock.pending,
        stock.before_start,
        stock.new,
        stock.owed,
        stock.deleted,
        stock.unaccounted,
    ))?;
    if let Some(said) = said(stock.standing) {
        line(format_args!("  {said}"))?;
    }
    if let Some(unrest) = &stock.unrest {
        line(format_args!("  {}", unrest::sentence(unrest, times)))?;
    }
    if stock.gone > 0 {
        line(format_args!(
            "  {} more are stored and not there any more; guichet was done with {} of them",
            stock.gone, stock.gone_told
        ))?;
    }
    if stock.left > 0 {
        line(format_args!(
            "  {} decided ones are still there, though the mailbox was told to let them go",
            stock.left
        ))?;
    }
    if let Some(Target { present, unknown, examples }) = &stock.target {
        line(format_args!("  {present} are in the folder that messages are moved to"))?;
        if *unknown > 0 {
            let examples = escape(&examples.join(", "));
            line(format_args!("  {unknown} of these never came in, such as {examples}"))?;
            hint(
                globals,
                "what a restored backup does not know is there: move it back into the mailbox and it is taken in; what is known changes nothing",
            );
        }
    }
    if stock.unaccounted > 0 {
        let examples = escape(&stock.examples.join(", "));
        line(format_args!("  NOT accounted for: {examples}"))?;
        hint(
            globals,
            "the next sweep of a guichet that runs takes them in, else `guichet run --once`; should they stay, please report it",
        );
    }
    Ok(())
}

fn said(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Known => None,
        Standing::New => Some("it was never looked at"),
        Standing::Renumbered => Some(
            "its folder was made anew on the server (another UIDVALIDITY): all of it is read again",
        ),
        Standing::Reused => Some(
            "its server gives out UIDs again that were in use before (UIDNEXT has gone back), as one does that was restored from a backup: all of it is read again",
        ),
        Standing::Rewound => Some("it was set back, and is read again"),
    }
}
