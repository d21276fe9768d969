//! `guichet replay`: takes fixture mailboxes through the pipeline and tells what would happen. The
//! clock is the arrival of each message; it is built without a mail transport and can send nothing.

mod expectation;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use self::expectation::Expected;
use super::desk;
use super::exit::{Exit, failure};
use super::output::{aside, inert, line};
use super::progress::Progress;
use super::story::{self, Told};
use super::words::{counted, hint};
use super::{Format, Globals};
use crate::clock::{Chance, Clock, Ids, Next, SeededChance, SetClock, SystemChance, SystemClock};
use crate::config::Settings;
use crate::faults;
use crate::ingest::{self, Decided, Ingest, Suspects, TimeOfDecision};
use crate::intake::files;
use crate::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use crate::store::workers::{Pace, Presence};
use crate::store::{self, Durability, Location, Store, audit};
use crate::triage::plan::Verdict;

#[derive(Args)]
pub(super) struct ReplayArgs {
    /// Maildirs, mbox files, messages, or folders of them; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The mailbox the messages count as delivered to; the first one when not given
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Keeps what comes of it in this store, e.g. `sqlite:replay.db`
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Threads that read messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Compares with decisions written before; exit code 1 when they differ
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Writes the decisions, to be compared with later
    #[arg(long, value_name = "FILE")]
    write_expect: Option<PathBuf>,
}

// Messages brought in before they are decided.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
// The same mail gives the same ids, so that two runs can be compared (P-16).
const SEED: u64 = 0x6775_6963_6865_7400;

pub(super) fn run(globals: &Globals, args: &ReplayArgs) -> Result<Exit> {
    story::refuse_csv(globals.format())?;
    let settings = desk::settings(globals)?;
    // A long replay must not end at a file that was wrong from the start.
    let expected = args.expect.as_deref().map(expectation::read).transpose()?;
    let found = files::walk(&args.paths)?;
    let mailbox = mailbox(&settings, args.mailbox.as_deref())?;
    let limit = max_message_size(&settings, &mailbox);
    let started = found.first().map_or(Timestamp::UNIX_EPOCH, |first| first.arrived_at);
    let clock = Arc::new(SetClock::at(started));
    // A store that is kept may be replayed into again: its ids must be new each time.
    let chance: Arc<dyn Chance> = match args.store {
        None => Arc::new(SeededChance::new(SEED)),
        Some(_) => Arc::new(SystemChance),
    };
    let ids = Ids::new(clock.clone(), chance);
    // Removed when dropped, so it must live to the end.
    let temporary = tempfile::Builder::new().prefix("guichet-replay-").tempdir()?;
    let store = open_store(args, temporary.path(), started)?;
    desk::reconcile(&store, &settings, &ids, clock.as_ref())?;
    let _role = store.take_role()?;
    let now: Arc<dyn Clock> = Arc::new(SystemClock);
    let presence = Presence::begin(&store, &now, &ids, Pace::default())?;

    let mut replay = Replay {
        format: globals.format(),
        paths: BTreeMap::new(),
        tally: BTreeMap::new(),
        people: 0,
        known: 0,
        kept: Vec::new(),
        keep: args.expect.is_some() || args.write_expect.is_some(),
    };
    let mut ingest = Ingest::new(
        store.clone(),
        Arc::new(settings.policy.clone()),
        if faults::stands("P-16") { clock.clone() } else { now.clone() },
        ids.clone(),
        ingest::Options {
            readers: args.jobs.map_or_else(crate::daemon::readers, usize::from),
            suspects: Suspects::tried_by_ourselves(),
            time: if faults::stands("P-16") {
                TimeOfDecision::Arrival
            } else {
                TimeOfDecision::Clock
            },
            worker: presence.worker("replay"),
        },
    );
    let mut progress = Progress::new(globals, found.len() as u64);
    let mut batch = Vec::new();
    let mut bytes = 0;
    for found in &found {
        clock.set(found.arrived_at);
        // Named by its path: two files with one name are two deliveries.
        let origin = Origin::File { name: found.name() };
        let Some((raw, intake)) = found.read(limit)? else { continue };
        bytes += raw.len();
        let raw = RawMessage {
            mailbox: mailbox.clone(),
            origin,
            arrived_at: found.arrived_at,
            intake,
            raw,
        };
        let arrival = Arrival::new(raw, &ids);
        replay.paths.insert(arrival.id().to_owned(), found.name());
        batch.push(arrival);
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            replay.known += bring_in(&store, std::mem::take(&mut batch), clock.now())?;
            bytes = 0;
            replay.decide(&mut ingest, &mut progress)?;
        }
    }
    replay.known += bring_in(&store, batch, clock.now())?;
    replay.decide(&mut ingest, &mut progress)?;
    let seconds = progress.finish();
    finish(globals, args, &store, replay, expected, found.len(), seconds)
}

struct Replay {
    format: Format,
    /// By message id.
    paths: BTreeMap<String, String>,
    tally: BTreeMap<(&'static str, &'static str), usize>,
    people: usize,
    /// Messages that the store had before.
    known: usize,
    kept: Vec<Value>,
    keep: bool,
}

impl Replay {
    /// Works off all that waits; what is deferred is decided when its time has come, which is at once.
    fn decide(&mut self, ingest: &mut Ingest, progress: &mut Progress) -> Result<()> {
        loop {
            let step = ingest.step()?;
            for decided in &step.decided {
                self.take(decided, progress)?;
            }
            if step.next != Next::Now {
                return Ok(());
            }
        }
    }

    fn take(&mut self, decided: &Decided, progress: &mut Progress) -> Result<()> {
        let Verdict::Decided(decision) = decided.plan.verdict else { return Ok(()) };
        let reason = (decision.outcome.as_str(), decision.reason.as_str());
        *self.tally.entry(reason).or_default() += 1;
        let tally = &self.tally;
        progress.add(1, || outcomes(tally));
        let mut story = decided.plan.story.clone();
        story.ticket.number = story.ticket.number.or(decided.applied.ticket);
        self.people += usize::from(story.user.as_ref().is_some_and(|user| user.is_new));
        let path = self.paths.remove(decided.claim.id()).unwrap_or_default();
        let told = Told {
            path: &path,
            decision: Some(decision),
            message: decided.message.as_deref(),
            reply: decided.message.as_ref().map(|_| &decided.plan.reply),
            arrived_at: decided.claim.arrived.arrived_at,
            story: &story,
        };
        match self.format {
            Format::Table => {}
            _ => line(inert(&story::object(&told).to_string()))?,
        }
        if self.keep {
            self.kept.push(expectation::of(&told));
        }
        Ok(())
    }
}

fn finish(
    globals: &Globals,
    args: &ReplayArgs,
    store: &Store,
    replay: Replay,
    expected: Option<Expected>,
    found: usize,
    seconds: f64,
) -> Result<Exit> {
    let books = store.read_only(audit::audit)?;
    let decided: usize = replay.tally.values().sum();
    if globals.format() == Format::Table {
        for ((outcome, reason), count) in &replay.tally {
            line(format_args!("{count:6}  {outcome:9} {reason}"))?;
        }
        let rate = decided as f64 / seconds.max(0.001);
        line(format_args!(
            "{decided} of {} decided, {}, nothing sent; {seconds:.1} s, {rate:.0} messages/s",
            counted(found, "message"),
            counted(replay.people, "new user")
        ))?;
        if args.store.is_none() {
            hint(globals, "add `--store sqlite:replay.db` to keep the tickets and look at them");
        }
    }
    let mut exit = Exit::Done;
    if replay.known > 0 {
        hint(
            globals,
            format_args!(
                "the store had {} of these before, decided then; a new store decides them anew",
                replay.known
            ),
        );
    }
    if decided + replay.known != found || !books.balance() {
        aside(format_args!(
            "guichet: the books of this replay do not balance: {decided} of {found} decided"
        ));
        for wrong in books.imbalances() {
            aside(format_args!("  {}: {} and {}", wrong.what, wrong.left, wrong.right));
        }
        exit = Exit::Negative;
    }
    if let Some(file) = &args.write_expect {
        expectation::write(file, &replay.kept)?;
    }
    if let Some(expected) = expected {
        let differences = expectation::compare(expected, &replay.kept);
        for difference in &differences {
            line(difference)?;
        }
        if !differences.is_empty() {
            exit = Exit::Negative;
        }
    }
    Ok(exit)
}

/// Answers how many the store had already.
fn bring_in(store: &Store, batch: Vec<Arrival>, now: Timestamp) -> Result<usize> {
    let brought = batch.len();
    let new = store.transact(move |sql| spool::spool(sql, &batch, now, Acknowledge::Never))?;
    Ok(brought - new.len())
}

fn outcomes(tally: &BTreeMap<(&'static str, &'static str), usize>) -> String {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for ((outcome, _), count) in tally {
        *sums.entry(outcome).or_default() += count;
    }
    let said: Vec<String> =
        sums.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    said.join(", ")
}

/// `max_message_size` of the mailbox with this name (M-04).
pub(super) fn max_message_size(settings: &Settings, mailbox: &str) -> u64 {
    let named = settings.mailboxes.iter().find(|known| known.name == mailbox);
    named.map_or(u64::MAX, |mailbox| mailbox.max_message_size)
}

pub(super) fn mailbox(settings: &Settings, wanted: Option<&str>) -> Result<String> {
    let names: Vec<&str> = settings.mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
    match wanted {
        None => Ok(names.first().map(|name| (*name).to_owned()).unwrap_or_default()),
        Some(wanted) if names.contains(&wanted) => Ok(wanted.to_owned()),
        Some(wanted) => Err(failure(
            Exit::Usage,
            format!("there is no mailbox `{wanted}`\nhint: the mailboxes are {}", names.join(", ")),
        )),
    }
}

fn open_store(args: &ReplayArgs, temporary: &Path, now: Timestamp) -> Result<Store> {
    let options = match &args.store {
        None => store::Options {
            location: Location::Sqlite(temporary.join("replay.db")),
            durability: Durability::None,
        },
        Some(url) => {
            let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) else {
                return Err(failure(
                    Exit::Usage,
                    format!("`{url}` is no store\nhint: write `--store sqlite:FILE`"),
                ));
            };
            store::Options {
                location: Location::Sqlite(PathBuf::from(path)),
                durability: Durability::Full,
            }
        }
    };
    Ok(Store::open(&options, now)?)
}
