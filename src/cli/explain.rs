//! `guichet explain`: what a message is, what would or did become of it, and why. Never writes.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use jiff::Timestamp;

use super::desk::{self, Desk};
use super::exit::{self, Exit, failure};
use super::output::{inert, line};
use super::replay::{mailbox, max_message_size};
use super::story::{self, Told};
use super::{Format, Globals};
use crate::clock::{Clock, Ids, SystemChance, SystemClock};
use crate::config::Settings;
use crate::ingest::Suspects;
use crate::intake::{files, read_bounded};
use crate::mail;
use crate::mail::reply::Scope;
use crate::store::spool::{self, Arrived, Intake};
use crate::store::{Location, Store, decisions, facts, keys, tickets};
use crate::triage::plan::{Decision, Plan, Reason, Story, Verdict};
use crate::triage::{self, Keyring, Step};

#[derive(Args)]
pub(super) struct ExplainArgs {
    /// Message ids, ticket numbers, files, or `-` for standard input
    #[arg(required = true, value_name = "WHAT")]
    what: Vec<String>,
}

// A reader that recurses on a hostile message must not meet the end of a small stack (F-01).
const STACK: usize = 64 * 1024 * 1024;

pub(super) fn run(globals: &Globals, args: &ExplainArgs) -> Result<Exit> {
    story::refuse_csv(globals.format())?;
    let settings = Arc::new(desk::settings(globals)?);
    reading(|| explain_all(globals, args, &settings))
}

/// Does work that reads messages, on a thread with room for the worst of them.
pub(super) fn reading<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new()
            .name("reader".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, work)?;
        reader.join().unwrap_or_else(|_| Err(failure(Exit::Bug, "reading a message panicked")))
    })
}

fn explain_all(globals: &Globals, args: &ExplainArgs, settings: &Arc<Settings>) -> Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
    // A file needs no store: it is judged on the declared sites, as if nobody had written before.
    let blank = desk::blank_store(settings, clock.as_ref(), &ids)?;
    let keys = keys_of(&blank, settings, &ids, clock.as_ref())?;
    let mut desk: Option<Desk> = None;
    let mut exit = Exit::Done;
    for (at, what) in args.what.iter().enumerate() {
        if at > 0 && globals.format() == Format::Table {
            line("")?;
        }
        let told = if what == "-" || Path::new(what).exists() {
            explain_file(globals, what, &blank, settings, &keys, clock.as_ref())
        } else {
            let desk = match &mut desk {
                Some(desk) => desk,
                None => desk.insert(Desk::of(settings.clone())?),
            };
            explain_stored(globals, what, desk)
        };
        match told {
            Ok(told) => line(told.trim_end())?,
            // The others are still told.
            Err(error) => exit = exit::report(&error),
        }
    }
    Ok(exit)
}

fn explain_file(
    globals: &Globals,
    what: &str,
    store: &Store,
    settings: &Settings,
    keys: &Keyring,
    clock: &dyn Clock,
) -> Result<String> {
    let mailbox = mailbox(settings, None)?;
    let limit = max_message_size(settings, &mailbox);
    let (raw, intake) = if what == "-" {
        read_bounded(std::io::stdin(), limit).context("standard input cannot be read")?
    } else {
        files::first(Path::new(what))?.read(limit)?.unwrap_or((Vec::new(), Intake::Mailbox))
    };
    let policy = &settings.policy;
    let now = clock.now();
    let (message, plan) = match mail::read(&raw) {
        Ok(message) => {
            let questions = triage::ask(&message, &mailbox, policy, keys);
            let message_id = String::new();
            let arrived = Arrived { message: message_id, arrived_at: now, counted_at: now, intake };
            let facts = store.read_only(|sql| facts::gather(sql, &questions, &arrived, now))?;
            let plan = triage::decide(&message, &questions, &facts, policy);
            (Some(message), plan)
        }
        Err(why) => (None, triage::unreadable(&why)),
    };
    Ok(render(
        globals,
        &Told {
            path: what,
            decision: decision_of(&plan),
            message: message.as_ref(),
            reply: message.as_ref().map(|_| &plan.reply),
            arrived_at: now,
            story: &plan.story,
        },
    ))
}

/// The keys that tell what is ours: those of the desk's store, if it is a file that is there; else
/// one made for this run, by which nothing is.
fn keys_of(blank: &Store, settings: &Settings, ids: &Ids, clock: &dyn Clock) -> Result<Keyring> {
    let is_there = match &settings.store.location {
        Location::Memory | Location::Postgres(_) => false,
        Location::Sqlite(path) => path.exists(),
    };
    let of_desk = || Store::open(&settings.store, clock.now())?.read_only(keys::keyring);
    // A store that cannot be opened has no say in what a file is.
    if let Some(keys) = is_there.then(of_desk).and_then(Result::ok)
        && keys.newest().is_some()
    {
        return Ok(keys);
    }
    let (ids, now) = (ids.clone(), clock.now());
    Ok(blank.transact(move |sql| keys::begin(sql, &ids, now))?)
}

/// The story of a message that has none yet, but for what it waits for.
fn undecided(until: Option<Timestamp>) -> Story {
    let steps = until.map(|until| Step {
        rule: "M-01".into(),
        said: format!("too much mail of its sender or their domain: decided after {until}"),
        key: Some("limits".into()),
    });
    Story { steps: steps.into_iter().collect(), ..Story::default() }
}

fn decision_of(plan: &Plan) -> Option<Decision> {
    match plan.verdict {
        Verdict::Decided(decision) => Some(decision),
        Verdict::Deferred { .. } | Verdict::Stands => None,
    }
}

fn render(globals: &Globals, told: &Told) -> String {
    match globals.format() {
        Format::Table => format!("{}\n{}", told.path, story::text(told)),
        _ => inert(&story::object(told).to_string()).into_owned(),
    }
}

/// What was decided then: the stored steps, not a new judgement.
fn explain_stored(globals: &Globals, what: &str, desk: &Desk) -> Result<String> {
    let messages: Vec<String> =
        desk.store.read_only(|sql| match what.trim_start_matches('#').parse::<i64>() {
            Ok(number) => {
                let messages = tickets::messages(sql, number)?;
                Ok(messages.into_iter().map(|message| message.message).collect())
            }
            Err(_) => decisions::find(sql, what),
        })?;
    if messages.is_empty() {
        return Err(failure(
            Exit::InputMissing,
            format!(
                "`{what}` is no file, no ticket number and no message id of this store\nhint: `guichet log` lists the ids"
            ),
        ));
    }
    let mut told = Vec::new();
    for id in messages {
        let (stored, raw, arrived_at, until, keys, known) = desk.store.read_only(|sql| {
            let stored = decisions::one(sql, &id)?;
            let (raw, arrived_at) = (spool::raw(sql, &id)?, spool::arrived_at(sql, &id)?);
            let until = spool::deferred_until(sql, &id)?;
            let known = tickets::known_before(sql, &id)?;
            Ok((stored, raw, arrived_at, until, keys::keyring(sql)?, known))
        })?;
        // The words are in the raw bytes; what was made of them is in the story, if there is one.
        // What nobody could read before is told without them (P-12).
        let is_suspect =
            matches!(&stored, Some((entry, _)) if entry.reason == Reason::InternalError);
        let message = raw
            .filter(|raw| !is_suspect || Suspects::tried_by_ourselves().can_be_read(raw))
            .and_then(|raw| mail::read(&raw).ok());
        let (decision, mailbox, story) = match stored {
            Some((entry, story)) => {
                let decision = Decision { outcome: entry.outcome, reason: entry.reason };
                (Some(decision), entry.mailbox, story)
            }
            None => (None, String::new(), undecided(until)),
        };
        let policy = &desk.settings.policy;
        let scope = match story.ticket.matched_by {
            Some(_) => Scope::Answer,
            None => Scope::Standalone,
        };
        let reply = message.as_ref().map(|message| {
            let questions = triage::ask(message, &mailbox, policy, &keys);
            triage::reply(message, &questions, scope, &known)
        });
        told.push(render(
            globals,
            &Told {
                path: &id,
                decision,
                message: message.as_ref(),
                reply: reply.as_ref(),
                arrived_at: arrived_at.unwrap_or_else(|| desk.clock.now()),
                story: &story,
            },
        ));
    }
    Ok(told.join("\n"))
}
