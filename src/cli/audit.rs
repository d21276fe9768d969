//! `guichet audit`: the books (P-17). Every message that came in is accounted for once, or it says
//! which are not; with `--online` every message that is in a mailbox, too.

mod online;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::desk::Desk;
use super::exit::Exit;
use super::output::{self, escape, line};
use super::times::Times;
use super::words::hint;
use super::{Format, Globals};
use crate::store::audit::{self, Books, Equation};

#[derive(Args)]
pub(super) struct AuditArgs {
    /// Also looks into the mailboxes themselves: every message there is known, or why not
    #[arg(long)]
    online: bool,
}

pub(super) fn run(globals: &Globals, args: &AuditArgs) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    let looks = if args.online { Some(online::look(&desk)?) } else { None };
    let books = desk.store.read_only(audit::audit)?;
    let times = Times::new(globals, &desk.settings);
    match globals.format() {
        Format::Table => {
            print(&books)?;
            looks.iter().flatten().try_for_each(|look| look.print(globals, &times))?;
        }
        format => {
            let mut fields = object(&books);
            if let Some(looks) = &looks {
                fields["mailboxes"] = looks.iter().map(|look| look.fields(&times)).collect();
            }
            output::object(format, &fields)?;
        }
    }
    if books.balance() {
        return Ok(looks.as_deref().map_or(Exit::Done, online::exit));
    }
    hint(
        globals,
        "keep a copy with `guichet db backup FILE`, look at the messages named with `guichet explain ID`, and report it",
    );
    Ok(Exit::Negative)
}

fn object(books: &Books) -> serde_json::Value {
    let equations: Vec<_> = books
        .equations
        .iter()
        .map(|equation| {
            json!({
                "what": equation.what,
                "left": equation.left,
                "right": equation.right,
                "holds": equation.holds(),
                "examples": equation.examples,
            })
        })
        .collect();
    json!({
        "stored": books.stored,
        "accepted": books.accepted,
        "ignored": books.ignored,
        "held": books.held,
        "pending": books.pending,
        "balances": books.balance(),
        "equations": equations,
    })
}

fn print(books: &Books) -> Result<()> {
    let Books { stored, accepted, ignored, held, pending, .. } = books;
    line(format_args!(
        "{stored} stored = {accepted} accepted + {ignored} ignored + {held} held + {pending} pending"
    ))?;
    for equation in &books.equations {
        let mark = if equation.holds() { "holds" } else { "FAILS" };
        line(format_args!("  {mark}  {}", said(equation)))?;
    }
    line(if books.balance() { "the books balance" } else { "the books do NOT balance" })?;
    Ok(())
}

/// An equation in words, with its sides when they differ.
pub(super) fn said(equation: &Equation) -> String {
    let Equation { what, left, right, examples } = equation;
    if equation.holds() {
        return (*what).to_owned();
    }
    let examples: Vec<String> = examples.iter().map(|example| escape(example)).collect();
    let such_as = match examples.is_empty() {
        true => String::new(),
        false => format!(", such as {}", examples.join(", ")),
    };
    format!("{what}: {left} against {right}{such_as}")
}
