//! `guichet tickets add` and `reply`: what staff writes, for a requester or to one. It walks like a
//! mail: at once, or in the hands of the guichet that runs.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::quick::{self, Quick};
use super::{number_of, refused};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::ingest::{self, Walked};
use crate::cli::output::{self, escape};
use crate::cli::words::{hint, text};
use crate::cli::{Format, Globals};
use crate::counter::{Actor, Answered, Mails, Requester, Upload, Writing};
use crate::mail::Address;
use crate::store::outbox;

#[derive(Args)]
pub(in crate::cli) struct AddArgs {
    /// Who asks
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// Their name
    #[arg(long, value_name = "NAME", value_parser = text)]
    name: Option<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT", value_parser = text)]
    subject: String,
    /// The mailbox it belongs to; the first one when not given
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Sends them neither an acknowledgement nor, as a new user, credentials
    #[arg(long)]
    no_mail: bool,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
pub(in crate::cli) struct ReplyArgs {
    /// The ticket
    number: String,
    /// An answer kept ready, by its name in the configuration
    #[arg(long, value_name = "NAME", conflicts_with_all = ["text", "file"])]
    quick: Option<String>,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    who: Who,
}

/// Who acts.
#[derive(Args)]
pub(in crate::cli) struct Who {
    /// The agent who does it, by their address
    #[arg(long = "as", value_name = "AGENT")]
    agent: Option<String>,
}

/// What is written.
#[derive(Args)]
pub(in crate::cli) struct Words {
    /// The text
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// A file with the text; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Files to attach
    #[arg(long, value_name = "FILE", num_args = 1..)]
    attach: Vec<PathBuf>,
}

pub(super) fn add(globals: &Globals, desk: &Desk, args: &AddArgs) -> Result<Exit> {
    let writing = Writing {
        mailbox: args.mailbox.clone(),
        subject: args.subject.clone(),
        text: args.words.read()?,
        attachments: args.words.files()?,
        requester: Some(Requester { address: address(&args.from)?, name: args.name.clone() }),
        mails: if args.no_mail { Mails::Withheld } else { Mails::Sent },
        ..Writing::default()
    };
    write(globals, desk, &args.who.actor()?, writing)
}

pub(super) fn reply(globals: &Globals, desk: &Desk, args: &ReplyArgs) -> Result<Exit> {
    let actor = args.who.actor()?;
    let ticket = number_of(&args.number)?;
    let (text, credentials) = match &args.quick {
        Some(name) => match quick::draft(desk, ticket, name, &actor)? {
            Quick::Credentials { template, text } => (text, Some(template)),
            Quick::Text(text) => (text, None),
        },
        None => (args.words.read()?, None),
    };
    let attachments = args.words.files()?;
    let writing = Writing { ticket: Some(ticket), text, attachments, ..Writing::default() };
    let Some(template) = credentials else { return write(globals, desk, &actor, writing) };
    let newest = desk.store.read_only(outbox::newest)?;
    let answered = desk.counter()?.answer_with_credentials(&actor, writing, &template);
    let answered = answered.map_err(refused)?;
    tell(globals, desk, &answered, What::Credentials(&template), newest)
}

fn write(globals: &Globals, desk: &Desk, actor: &Actor, writing: Writing) -> Result<Exit> {
    let what = if writing.ticket.is_none() { What::Ticket } else { What::Answer };
    let newest = desk.store.read_only(outbox::newest)?;
    let message = desk.counter()?.write(actor, writing).map_err(refused)?;
    tell(globals, desk, &Answered { message, mail: None }, what, newest)
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What<'a> {
    Answer,
    /// By this template.
    Credentials(&'a str),
    Ticket,
}

fn tell(
    globals: &Globals,
    desk: &Desk,
    answered: &Answered,
    what: What,
    newest: i64,
) -> Result<Exit> {
    let Answered { message, mail } = answered;
    let walked = ingest::walk_one(desk, message, newest)?;
    let mut row = match walked {
        Walked::Decided(mut rows) => rows.pop().unwrap_or_else(|| json!({ "message": message })),
        Walked::Left { pid } => {
            if globals.format() != Format::Table {
                let fields = json!({ "message": message, "ticket": null, "credentials": mail });
                output::object(globals.format(), &fields)?;
            }
            hint(
                globals,
                format_args!(
                    "it is written down for the guichet that runs as process {pid}; `guichet explain {message}` shows what becomes of it"
                ),
            );
            return Ok(Exit::Done);
        }
    };
    let is_accepted = row["outcome"] == "accepted";
    if globals.format() == Format::Table {
        print(&row, *mail, what)?;
    } else {
        row["message"] = message.clone().into();
        row["credentials"] = json!(mail);
        output::object(globals.format(), &row)?;
    }
    if !is_accepted {
        hint(globals, format_args!("`guichet explain {message}` says why"));
        return Ok(Exit::Negative);
    }
    match (what == What::Ticket, row["ticket"].as_i64()) {
        (true, Some(number)) => hint(
            globals,
            format_args!(
                "`guichet tickets set {number} --assignee AGENT` gives it to somebody; `guichet tickets show {number}` shows it"
            ),
        ),
        (false, Some(number)) => {
            hint(globals, format_args!("`guichet tickets close {number}` when that settles it"));
        }
        (_, None) => {}
    }
    Ok(Exit::Done)
}

fn print(row: &Value, credentials: Option<i64>, what: What) -> Result<()> {
    let said = row["said"].as_str().unwrap_or("it waits until there is room");
    output::line(escape(said))?;
    for mail in row["queued"].as_array().into_iter().flatten() {
        let (id, to) = (&mail["id"], mail["to"].as_str().unwrap_or_default());
        let template = mail["template"].as_str().unwrap_or_default();
        output::line(format_args!("  mail {id}, `{template}`, goes to {}", escape(to)))?;
    }
    if what == What::Ticket && row["reason"] == "staff_ticket_created" {
        output::line("  nobody reads that address: no user is made of it, and no mail goes out")?;
    }
    if let (Some(mail), What::Credentials(template)) = (credentials, what) {
        output::line(format_args!(
            "  mail {mail}, `{template}`, brings the credentials; the ticket keeps a copy without them"
        ))?;
    } else if what != What::Ticket && row["queued"].as_array().is_none_or(Vec::is_empty) {
        output::line("  no mail goes out")?;
    }
    Ok(())
}

impl Who {
    pub(in crate::cli) fn actor(&self) -> Result<Actor> {
        match &self.agent {
            Some(written) => Ok(Actor::Agent(address(written)?)),
            None => Ok(Actor::Operator),
        }
    }
}

impl Words {
    fn read(&self) -> Result<String> {
        let nothing = || {
            failure(
                Exit::Usage,
                "there is no text\nhint: write it with `--text`, or name a file; `-` is standard input",
            )
        };
        match (&self.text, self.file.as_deref()) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(path)) if path != Path::new("-") => {
                in_utf_8(self::bytes(path)?, &format!("`{}`", path.display()))
            }
            (None, Some(_)) => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                read.context("standard input cannot be read")?;
                in_utf_8(bytes, "standard input")
            }
            (None, None) if self.attach.is_empty() => Err(nothing()),
            (None, None) => Ok(String::new()),
        }
    }

    fn files(&self) -> Result<Vec<Upload>> {
        let upload = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok(Upload {
                name: name.unwrap_or_default(),
                content_type: "application/octet-stream".to_owned(),
                bytes: bytes(path)?,
            })
        };
        self.attach.iter().map(upload).collect()
    }
}

// It goes to a person: nobody guesses at what it says.
fn in_utf_8(bytes: Vec<u8>, what: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| {
        failure(
            Exit::Input,
            format!("{what} is no text in UTF-8\nhint: convert it, e.g. with `iconv -f WINDOWS-1252 -t UTF-8`, or attach it with `--attach`"),
        )
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        failure(
            Exit::InputMissing,
            format!(
                "`{}` cannot be read: {error}\nhint: name a file that is there",
                path.display()
            ),
        )
    })
}

/// An address as written on the command line.
pub(super) fn address(written: &str) -> Result<Address> {
    Address::parse(written).map_err(|problem| {
        failure(
            Exit::Usage,
            format!("`{}`: {problem}\nhint: write it as `name@example.com`", escape(written)),
        )
    })
}
