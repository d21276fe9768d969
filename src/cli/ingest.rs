//! `guichet ingest`: takes messages from files or standard input through the live pipeline.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::output::{self, escape};
use super::story;
use super::words::{counted, hint};
use super::{Format, Globals};
use crate::clock::{Next, Stopwatch};
use crate::config::Settings;
use crate::ingest::{self, Decided, Ingest, Suspects, TimeOfDecision};
use crate::intake::{Space, files, free_bytes, read_bounded};
use crate::mail;
use crate::store::spool::{self, Acknowledge, Arrival, Growing, Intake, Origin};
use crate::store::workers::{Pace, Presence};
use crate::store::{Sql, StoreError, decisions, outbox};
use crate::triage::plan::{Decision, Effect, Outcome, Verdict};

#[derive(Args)]
pub(super) struct IngestArgs {
    /// Messages, mbox files, or `-` for one message on standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The mailbox they count as delivered to; the first one when not given
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Only says what would be taken in
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const COLUMNS: [&str; 4] = ["message", "outcome", "reason", "ticket"];

// Messages that are in memory at a time.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn run(globals: &Globals, args: &IngestArgs) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    let mailbox = super::replay::mailbox(&desk.settings, args.mailbox.as_deref())?;
    let mut intake = Delivery {
        limit: super::replay::max_message_size(&desk.settings, &mailbox),
        desk: &desk,
        mailbox,
        batch: Vec::new(),
        bytes: 0,
        handed_in: 0,
        unreadable: 0,
        spooled: (!args.dry_run).then(Vec::new),
    };
    let is_stdin = |file: &&PathBuf| file.as_os_str() == "-";
    if args.files.iter().any(|file| is_stdin(&file)) {
        let (raw, how) = read_bounded(std::io::stdin(), intake.limit)
            .context("standard input cannot be read")?;
        let name = format!("stdin/{}", desk.ids.uuid());
        intake.take("-", Origin::File { name }, raw, how)?;
    }
    let files: Vec<PathBuf> = args.files.iter().filter(|file| !is_stdin(file)).cloned().collect();
    for found in files::walk(&files)? {
        if let Some((raw, how)) = found.read(intake.limit)? {
            intake.take(&found.name(), found.origin.clone(), raw, how)?;
        }
    }
    intake.spool()?;
    let Delivery { mailbox, handed_in, unreadable, spooled, .. } = intake;
    let exit = if unreadable > 0 { Exit::Input } else { Exit::Done };
    let Some(spooled) = spooled else {
        would_take(globals, &mailbox, handed_in)?;
        return Ok(exit);
    };
    decide(globals, &desk, &spooled)?;
    if spooled.len() < handed_in {
        hint(
            globals,
            format_args!("{} taken in before", counted(handed_in - spooled.len(), "message")),
        );
    }
    Ok(exit)
}

/// Messages on their way into the spool, a bounded number of bytes at a time.
struct Delivery<'a> {
    desk: &'a Desk,
    mailbox: String,
    /// `max_message_size` of the mailbox (M-04).
    limit: u64,
    batch: Vec<Taken>,
    bytes: usize,
    handed_in: usize,
    unreadable: usize,
    /// The ids of those that were new; absent in a dry run.
    spooled: Option<Vec<String>>,
}

struct Taken {
    name: String,
    raw: Vec<u8>,
    arrival: Arrival,
}

impl Delivery<'_> {
    fn take(&mut self, name: &str, origin: Origin, raw: Vec<u8>, intake: Intake) -> Result<()> {
        self.handed_in += 1;
        self.bytes += raw.len();
        // It arrives now: it is handed in, whenever it was written.
        let arrived_at = self.desk.clock.now();
        let (mailbox, ids) = (self.mailbox.clone(), &self.desk.ids);
        let arrival = Growing::whole(&raw).finish(mailbox, &origin, arrived_at, intake, ids);
        self.batch.push(Taken { name: name.to_owned(), raw, arrival });
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            self.spool()?;
        }
        Ok(())
    }

    fn spool(&mut self) -> Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if self.spooled.is_some() {
            require_room(&self.desk.settings)?;
        }
        let mut arrivals = Vec::with_capacity(batch.len());
        let mut raws = Vec::with_capacity(batch.len());
        for Taken { name, raw, arrival } in batch {
            arrivals.push(arrival);
            raws.push((name, raw));
        }
        if let Some(spooled) = &mut self.spooled {
            let now = self.desk.clock.now();
            let store = &self.desk.store;
            spooled.extend(
                store.transact(move |sql| spool::spool(sql, &arrivals, now, Acknowledge::Never))?,
            );
        }
        // Once they are safe, as reading may end us (P-12). What cannot be read is held like any
        // other, with its bytes; whoever pipes it in is told too (M-05).
        for (name, raw) in raws {
            if let Err(why) = mail::read(&raw) {
                output::aside(format_args!("guichet: `{}` cannot be read: {why}", escape(&name)));
                self.unreadable += 1;
            }
        }
        Ok(())
    }
}

// P-05: whoever pipes mail in keeps it, and tries again (`EX_TEMPFAIL`).
fn require_room(settings: &Settings) -> Result<()> {
    let (disk, floor) = (settings.disk().to_owned(), settings.min_free_space);
    let space = Space { floor, free: Box::new(move || free_bytes(&disk)) };
    match space.shortage() {
        None => Ok(()),
        Some(free) => Err(failure(
            Exit::Temporary,
            format!(
                "nothing more is taken in: {} MB are free where the store is, `min_free_space` wants {} MB\nhint: free some space and try again; what was taken in before is not taken twice",
                free / 1_000_000,
                floor / 1_000_000
            ),
        )),
    }
}

fn would_take(globals: &Globals, mailbox: &str, handed_in: usize) -> Result<()> {
    match globals.format() {
        Format::Table => output::line(format_args!(
            "{} would be taken in for `{}`",
            counted(handed_in, "message"),
            escape(mailbox)
        ))?,
        format => output::object(format, &json!({ "mailbox": mailbox, "messages": handed_in }))?,
    }
    Ok(())
}

/// Decides what was spooled, unless a daemon does: then it is that one's.
pub(super) fn decide(globals: &Globals, desk: &Desk, spooled: &[String]) -> Result<()> {
    let rows = match walk(desk, spooled)? {
        Walked::Decided(rows) => rows,
        Walked::Left { pid } => {
            let rows: Vec<Value> = spooled.iter().map(|id| json!({ "message": id })).collect();
            if globals.format() != Format::Table {
                output::rows(globals.format(), &COLUMNS, &rows)?;
            }
            hint(
                globals,
                format_args!(
                    "{} for the guichet that runs as process {pid}; `guichet log` shows what becomes of it",
                    counted(rows.len(), "message")
                ),
            );
            return Ok(());
        }
    };
    output::rows(globals.format(), &COLUMNS, &rows)?;
    if rows.iter().any(|row| row["outcome"] == Outcome::Held.as_str()) {
        hint(globals, format_args!("`guichet held list` shows what was set aside"));
    }
    Ok(())
}

/// How far messages came.
pub(super) enum Walked {
    /// What became of them, in the order decided; one that waits for room is not among them.
    Decided(Vec<Value>),
    /// They are left to the guichet that runs as this process.
    Left { pid: String },
}

// How long somebody at a terminal waits to hear what the daemon made of what they wrote.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Walks one message; when a daemon does, waits a moment for what it makes of it. `newest` was the
/// newest mail of ours before the message was written.
pub(super) fn walk_one(desk: &Desk, message: &str, newest: i64) -> Result<Walked> {
    let walked = walk(desk, std::slice::from_ref(&message.to_owned()))?;
    if matches!(&walked, Walked::Decided(rows) if !rows.is_empty()) {
        return Ok(walked);
    }
    let begun = Stopwatch::start();
    while begun.elapsed() < PATIENCE {
        if let Some(row) = desk.store.read_only(|sql| decided_elsewhere(sql, message, newest))? {
            return Ok(Walked::Decided(vec![row]));
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(walked)
}

fn decided_elsewhere(
    sql: &mut dyn Sql,
    message: &str,
    newest: i64,
) -> Result<Option<Value>, StoreError> {
    let Some((entry, _)) = decisions::one(sql, message)? else { return Ok(None) };
    let decision = Decision { outcome: entry.outcome, reason: entry.reason };
    let filter = outbox::Filter {
        message: Some(message.to_owned()),
        after: Some(newest),
        ..outbox::Filter::default()
    };
    let queued = outbox::list(sql, &filter, outbox::Page { before: None, limit: 50 })?;
    let queued: Vec<Value> = queued
        .iter()
        .rev()
        .map(|mail| json!({ "id": mail.id, "template": mail.template, "to": mail.to }))
        .collect();
    Ok(Some(json!({
        "message": message,
        "outcome": decision.outcome.as_str(),
        "reason": decision.reason.as_str(),
        "ticket": entry.ticket,
        "said": story::headline(decision, entry.ticket),
        "queued": queued,
    })))
}

/// Walks what was spooled, unless a daemon does.
pub(super) fn walk(desk: &Desk, spooled: &[String]) -> Result<Walked> {
    let role = match desk.store.take_role() {
        Ok(role) => role,
        Err(StoreError::Locked { pid, .. }) => return Ok(Walked::Left { pid }),
        Err(error) => return Err(error.into()),
    };
    desk.store.must_not_have_gone_back()?;
    let presence = Presence::begin(&desk.store, &desk.clock, &desk.ids, Pace::default())?;
    let mut ingest = Ingest::new(
        desk.store.clone(),
        Arc::new(desk.settings.policy.clone()),
        desk.clock.clone(),
        desk.ids.clone(),
        ingest::Options {
            readers: crate::daemon::readers(),
            suspects: Suspects::tried_by_ourselves(),
            time: TimeOfDecision::Clock,
            worker: presence.worker("ingest"),
        },
    );
    let mut rows = Vec::new();
    loop {
        presence.keep_up()?;
        let step = ingest.step()?;
        for decided in &step.decided {
            let Verdict::Decided(decision) = decided.plan.verdict else { continue };
            // What was waiting before is decided too, but was not asked about.
            if !spooled.iter().any(|id| id == decided.claim.id()) {
                continue;
            }
            rows.push(json!({
                "message": decided.claim.id(),
                "outcome": decision.outcome.as_str(),
                "reason": decision.reason.as_str(),
                "ticket": decided.applied.ticket,
                "said": story::headline(decision, decided.applied.ticket),
                "queued": queued(decided),
            }));
        }
        if step.next != Next::Now {
            break;
        }
    }
    drop(presence);
    drop(role);
    Ok(Walked::Decided(rows))
}

/// The mails of ours that a message caused, by their numbers.
fn queued(decided: &Decided) -> Value {
    let mails = decided.plan.effects.iter().filter_map(|effect| match effect {
        Effect::Queue(mail) => Some(mail),
        _ => None,
    });
    let numbered = decided.applied.queued.iter().zip(mails);
    numbered
        .map(|(id, mail)| json!({ "id": id, "template": mail.template, "to": mail.to.to_string() }))
        .collect()
}
