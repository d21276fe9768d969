//! `guichet mailbox`: where mail comes from, by which server answers leave, and whether both work.

mod send;
pub(super) mod trial;
mod unknown;
pub(super) mod unrest;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::{self, Desk};
use super::exit::{Exit, exit_of_imap, failure};
use super::output::{self, escape, line};
use super::times::Times;
use super::words::{counted, hint};
use super::{Format, Globals, ways};
use crate::config::Settings;
use crate::config::settings::{Mailbox, Need};
use crate::intake::SourceOptions;
use crate::intake::imap::{self, Unrest};
use crate::mail::Address;
use crate::store::StoreError;
use crate::store::mailboxes::{self, Known, Tags};
use send::Sent;
use trial::Trial;
use unknown::UnknownArgs;

#[derive(Subcommand)]
pub(super) enum MailboxCommand {
    /// Lists the folders there are on the server of a mailbox
    Folders {
        /// The mailbox
        name: String,
    },
    /// Lists the mailboxes: where their mail comes from, and how answers leave
    List,
    /// Goes back to a date: what arrived since then and was left alone is taken in
    Rewind(RewindArgs),
    /// Tries the servers of a mailbox out, step by step; on failure says the likely fix
    Test(TestArgs),
    /// Lists addresses that mail came by though no mailbox is known to have them
    UnknownRecipients(UnknownArgs),
}

#[derive(Args)]
pub(super) struct RewindArgs {
    /// The mailbox
    name: String,
    /// A date, a date and time, or so long ago, e.g. `2d`
    #[arg(long, value_name = "DATE")]
    since: String,
}

#[derive(Args)]
pub(super) struct TestArgs {
    /// The mailbox
    name: String,
    /// Also sends one mail from it to this address; to its own, it tells whether tags arrive
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    send_to: Option<Address>,
}

pub(super) fn run(globals: &Globals, command: MailboxCommand) -> Result<Exit> {
    let settings = Arc::new(desk::settings(globals)?);
    match command {
        MailboxCommand::Folders { name } => folders(globals, &settings, &name),
        MailboxCommand::List => list(globals, settings),
        MailboxCommand::Rewind(args) => rewind(globals, settings, &args),
        MailboxCommand::Test(args) => test(globals, settings, &args),
        MailboxCommand::UnknownRecipients(args) => unknown::run(globals, settings, &args),
    }
}

const COLUMNS: [&str; 10] = [
    "name",
    "address",
    "from",
    "answers_by",
    "watched_since",
    "messages",
    "owed",
    "tags",
    "tags_since",
    "tags_seen",
];

fn list(globals: &Globals, settings: Arc<Settings>) -> Result<Exit> {
    let desk = Desk::of(settings)?;
    let times = Times::new(globals, &desk.settings);
    let known: BTreeMap<String, Known> = desk
        .store
        .read_only(mailboxes::known)?
        .into_iter()
        .map(|known| (known.name.clone(), known))
        .collect();
    let now = desk.clock.now();
    let unrests = desk.store.read_only(|sql| {
        let names = desk.settings.mailboxes.iter().map(|mailbox| &mailbox.name);
        let unrests = names.map(|name| imap::unrest(sql, name, now));
        unrests.collect::<Result<Vec<Option<Unrest>>, StoreError>>()
    })?;
    let rows: Vec<Value> = desk
        .settings
        .mailboxes
        .iter()
        .zip(&unrests)
        .map(|(mailbox, unrest)| {
            let known = known.get(&mailbox.name);
            json!({
                "name": mailbox.name,
                "address": desk.settings.policy.mailboxes[&mailbox.name].address.to_string(),
                "from": ways::source(mailbox),
                "answers_by": ways::way_out(&desk.settings, mailbox),
                "watched_since": times.value_of(known.map(|known| known.started_at)),
                "messages": known.map_or(0, |known| known.messages),
                "owed": known.map_or(0, |known| known.owed),
                "tags": known.map_or(Tags::Unknown, |known| known.tags).as_str(),
                "tags_since": times.value_of(known.and_then(|known| known.tags_since)),
                "tags_seen": known.and_then(|known| known.tags_seen.as_deref()),
                "renumbered": unrest::fields(unrest.as_ref(), &times),
            })
        })
        .collect();
    output::rows(globals.format(), &COLUMNS, &rows)?;
    if globals.format() == Format::Table {
        for (mailbox, unrest) in desk.settings.mailboxes.iter().zip(&unrests) {
            if let Some(unrest) = unrest {
                let said = unrest::sentence(unrest, &times);
                line(format_args!("mailbox `{}`: {said}", mailbox.name))?;
            }
        }
    }
    if !desk.settings.missing.is_empty() {
        hint(globals, "a password is missing: `guichet check` says which");
    }
    Ok(Exit::Done)
}

fn folders(globals: &Globals, settings: &Settings, name: &str) -> Result<Exit> {
    let mailbox = named(settings, name)?;
    desk::require(settings, |need| *need == Need::Mailbox(name.to_owned()))?;
    let Some(SourceOptions::Imap(options)) = mailbox.watched.as_ref().map(|one| &one.source) else {
        return Err(failure(
            Exit::Usage,
            format!(
                "the mailbox `{name}` is a maildir, which has no folders on a server\nhint: `guichet mailbox test {name}` looks at it"
            ),
        ));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let names = runtime
        .block_on(imap::folders(options))
        .map_err(|error| failure(exit_of_imap(&error), error.to_string()))?;
    let rows: Vec<Value> = names.iter().map(|folder| json!({ "folder": folder })).collect();
    output::rows(globals.format(), &["folder"], &rows)?;
    Ok(Exit::Done)
}

fn rewind(globals: &Globals, settings: Arc<Settings>, args: &RewindArgs) -> Result<Exit> {
    let name = &args.name;
    named(&settings, name)?;
    let desk = Desk::of(settings)?;
    let times = Times::new(globals, &desk.settings);
    let since = times.since(&args.since, desk.clock.now())?;
    let Some(left_alone) = imap::rewind(&desk.store, name, since)? else {
        return Err(failure(
            Exit::Negative,
            format!(
                "the mailbox `{name}` was never looked at, so there is nothing to go back to\nhint: set its `start`, and see it begin with `guichet run`"
            ),
        ));
    };
    match globals.format() {
        Format::Table => line(format_args!(
            "`{name}` is read again from {}; {} had been left alone since then",
            times.short(since),
            counted(left_alone, "message")
        ))?,
        format => {
            let fields =
                json!({ "mailbox": name, "since": since.to_string(), "left_alone": left_alone });
            output::object(format, &fields)?;
        }
    }
    hint(
        globals,
        "a guichet that runs does it at its next look, else `guichet run --once`; what is known already changes nothing",
    );
    Ok(Exit::Done)
}

fn test(globals: &Globals, settings: Arc<Settings>, args: &TestArgs) -> Result<Exit> {
    let name = &args.name;
    let mailbox = named(&settings, name)?;
    let (reads, sends) = (Need::Mailbox(name.clone()), Need::Relay(name.clone()));
    desk::require(&settings, |need| [&reads, &sends].contains(&need))?;
    let mut trials = Vec::new();
    if let Some(options) = &mailbox.watched {
        heading(globals, "from", ways::source(mailbox))?;
        trials.push(told(globals, trial::source(options, &mut listener(globals)))?);
    }
    let sender = settings.outbox.senders.get(name).expect("each mailbox is a sender");
    heading(globals, "answers by", ways::way_out(&settings, mailbox))?;
    let mut way_out = trial::way_out(&settings, sender, &mut listener(globals));
    let mut sent = None;
    if let (Some(to), None) = (&args.send_to, &way_out.failure) {
        // Only the probe needs the store: the rest works without it.
        let desk = Desk::of(settings.clone())?;
        match send::send(&desk, name, sender, to)? {
            Ok(mail) => {
                listener(globals)("sent", &format!("to {}: {}", mail.to(), mail.said));
                sent = Some(mail);
            }
            Err(failure) => way_out.failure = Some(failure),
        }
    }
    trials.push(told(globals, way_out)?);
    let failures = || trials.iter().filter_map(|trial| trial.failure.as_ref());
    let works = failures().next().is_none();
    match globals.format() {
        Format::Table if works => line(format_args!("`{name}` works"))?,
        Format::Table => {}
        format => {
            let tried: Vec<Value> = trials.iter().map(Trial::fields).collect();
            let sent = sent.as_ref().map(Sent::fields);
            let fields = json!({ "mailbox": name, "works": works, "tried": tried, "sent": sent });
            output::object(format, &fields)?;
        }
    }
    if let Some(sent) = sent {
        hint(globals, sent.next());
    }
    Ok(trial::exit(failures()))
}

/// Shows each step to people as it is taken.
fn listener(globals: &Globals) -> impl FnMut(&str, &str) + Send + use<> {
    let is_table = globals.format() == Format::Table;
    move |step: &str, seen: &str| {
        if is_table {
            // A reader that went away is noticed at the end.
            let _ = line(format_args!("  {step:14} {}", escape(seen)));
        }
    }
}

fn heading(globals: &Globals, what: &str, place: Option<String>) -> Result<()> {
    if globals.format() == Format::Table {
        line(format_args!("{what} {}", escape(&place.unwrap_or_default())))?;
    }
    Ok(())
}

/// Shows where a trial ended, when it failed.
fn told(globals: &Globals, trial: Trial) -> Result<Trial> {
    if let Some(failure) = &trial.failure
        && globals.format() == Format::Table
    {
        line(format_args!("  {:14} {}", "failed", escape(&failure.message)))?;
        hint(globals, &failure.hint);
    }
    Ok(trial)
}

fn address(written: &str) -> Result<Address, String> {
    Address::parse(written).map_err(|problem| problem.to_string())
}

fn named<'a>(settings: &'a Settings, name: &str) -> Result<&'a Mailbox> {
    let wanted = super::replay::mailbox(settings, Some(name))?;
    let found = settings.mailboxes.iter().find(|mailbox| mailbox.name == wanted);
    Ok(found.expect("it is one of them"))
}
