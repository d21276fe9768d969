//! `guichet audit`: the books (P-17). Every message that came in is accounted for once, or it says
//! which are not.

use anyhow::Result;
use serde_json::json;

use super::desk::Desk;
use super::exit::Exit;
use super::output::{self, escape, line};
use super::words::hint;
use super::{Format, Globals};
use crate::store::audit::{self, Books, Equation};

pub(super) fn run(globals: &Globals) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    let books = desk.store.read_only(audit::audit)?;
    match globals.format() {
        Format::Table => print(&books)?,
        format => output::object(format, &object(&books))?,
    }
    if books.balance() {
        return Ok(Exit::Done);
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
