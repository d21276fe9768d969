//! `guichet run`: the daemon in the foreground.

mod brake;
mod door;
mod lockouts;
mod signals;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tracing::{debug, error, info, warn};

use super::desk::{self, Desk};
use super::exit::{Exit, failure};
use super::logging::{self, LogFormat};
use super::output::escape;
use super::words::{called, counted};
use super::{Globals, story, ways};
use crate::clock::Stopwatch;
use crate::config::Settings;
use crate::config::file;
use crate::daemon::{self, Call, Event, Furniture, House};
use crate::faults;
use crate::ingest::{Decided, Suspects};
use crate::outbox::{OutboxError, Templates, TransportOptions};
use crate::store::Role;
use crate::store::sql::statements_run;
use crate::store::workers::{Pace, Presence};
use crate::triage::plan::Verdict;
use brake::Brake;

#[derive(Args)]
pub(super) struct RunArgs {
    /// Looks at every mailbox once, works off what is due, and ends
    #[arg(long)]
    once: bool,
    /// Runs as root on the state directory of the system
    #[arg(long)]
    allow_root: bool,
}

// How often it is seen whether the first mail is worked off.
const LOOK: Duration = Duration::from_secs(1);
// How long the rooms may take to finish what they have in hand; leases make leaving safe (P-14).
const DEADLINE: Duration = Duration::from_secs(25);

pub(super) fn run(globals: &Globals, args: &RunArgs) -> Result<Exit> {
    let settings = Arc::new(desk::settings(globals)?);
    start_log(globals, &settings);
    refuse_root(&settings, args)?;
    desk::require(&settings, |_| true)?;
    signals::outlive_file_limits()?;
    let desk = Desk::of(settings)?;
    let (told, events) = mpsc::channel();
    if !args.once {
        // Before anything is taken in hand: what is must be given back in order (P-14).
        signals::listen(told.clone())?;
    }
    // Held to the end: a second daemon on this store is refused.
    let _role: Role = desk.store.take_role()?;
    desk.store.must_not_have_gone_back()?;
    faults::point("start.role");
    desk::rematch(&desk, &desk.settings)?;
    let tally = Arc::new(Mutex::new(BTreeMap::new()));
    let mut furniture = furniture(&desk, &tally)?;
    if !args.once {
        furniture.door = door::opened(&desk.settings)?;
    }
    tell_beginning(&desk.settings);
    let exit = if args.once {
        sweep(globals, &desk, &furniture, &tally)
    } else {
        live(globals, &desk, furniture, &tally, (told, &events))
    };
    let count = statements_run();
    debug!(store.statements = count, "ran {count} statements on the store");
    exit
}

fn sweep(globals: &Globals, desk: &Desk, furniture: &Furniture, tally: &Tally) -> Result<Exit> {
    let failures = daemon::sweep(furniture)?;
    if !failures.is_empty() {
        return Ok(Exit::Negative);
    }
    summary(tally);
    where_to_look(globals, &desk.settings);
    Ok(Exit::Done)
}

type Tally = Arc<Mutex<BTreeMap<String, usize>>>;

fn live(
    globals: &Globals,
    desk: &Desk,
    mut furniture: Furniture,
    tally: &Tally,
    (told, events): (mpsc::Sender<Event>, &mpsc::Receiver<Event>),
) -> Result<Exit> {
    let mut house = start(&furniture, &told)?;
    faults::point("start.house");
    let mut caught_up = CaughtUp::default();
    loop {
        match events.recv_timeout(LOOK) {
            Err(_) => {
                if caught_up.is_now(tally) {
                    summary(tally);
                    where_to_look(globals, &furniture.settings);
                }
            }
            Ok(Event::Called(Call::Reload)) => match reloaded(globals, desk, &furniture) {
                Ok(settings) => {
                    let calls = match empty(house, events) {
                        Left::Empty { calls } => calls,
                        Left::InAHurry => return Ok(left_in_a_hurry()),
                    };
                    furniture.door = door::after_reload(&furniture, &settings)?;
                    furniture.on_lockout = lockouts::telling(settings.log.redact);
                    furniture.settings = settings;
                    house = start(&furniture, &told)?;
                    info!("the configuration was read again");
                    // Whoever called meanwhile had written what was not read yet.
                    if calls > 0 && faults::stands("P-18-again") {
                        told.send(Event::Called(Call::Reload))?;
                    }
                }
                Err(error) => warn!("the configuration stays as it was: {error:#}"),
            },
            Ok(Event::Called(Call::Stop)) => {
                info!("stopping: what is in hand is finished first");
                if !faults::stands("P-14") || empty(house, events) == Left::InAHurry {
                    return Ok(left_in_a_hurry());
                }
                summary(tally);
                return Ok(Exit::Done);
            }
            Ok(Event::RoomEnded(ending)) => {
                house.one_ended();
                let said = ending.failure.unwrap_or_else(|| "it ended by itself".to_owned());
                error!("{} has failed, so everything stops: {said}", ending.room);
                empty(house, events);
                return Ok(Exit::Negative);
            }
        }
    }
}

fn start(furniture: &Furniture, told: &mpsc::Sender<Event>) -> Result<House> {
    House::start(furniture, told.clone()).map_err(|error| match error.downcast::<io::Error>() {
        Ok(error) if error.kind() == io::ErrorKind::WouldBlock => signals::no_thread(error),
        Ok(error) => error.into(),
        Err(error) => error,
    })
}

/// How a house was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// With so many calls meanwhile to read the configuration again.
    Empty {
        calls: usize,
    },
    InAHurry,
}

/// Stops the rooms and waits for them, unless a second signal or the deadline says not to.
fn empty(mut house: House, events: &mpsc::Receiver<Event>) -> Left {
    house.stop();
    faults::point("stop.begun");
    let stopped = Stopwatch::start();
    let mut calls = 0;
    while !house.is_empty() {
        match events.recv_timeout(DEADLINE.saturating_sub(stopped.elapsed())) {
            Ok(Event::RoomEnded(_)) => house.one_ended(),
            Ok(Event::Called(Call::Reload)) => calls += 1,
            Ok(Event::Called(Call::Stop)) | Err(_) => return Left::InAHurry,
        }
    }
    faults::point("stop.ended");
    Left::Empty { calls }
}

fn left_in_a_hurry() -> Exit {
    warn!("left in a hurry; the next start goes on where this one was");
    Exit::Negative
}

/// Tells once when the first mail is worked off: nothing was decided for a while.
#[derive(Default)]
struct CaughtUp {
    decided: usize,
    is_told: bool,
}

impl CaughtUp {
    fn is_now(&mut self, tally: &Tally) -> bool {
        let decided = tally.lock().expect("no holder of this lock panics").values().sum();
        let is_quiet = decided > 0 && decided == self.decided;
        self.decided = decided;
        is_quiet && !std::mem::replace(&mut self.is_told, true)
    }
}

/// A bad configuration never replaces a good one (P-18).
fn reloaded(globals: &Globals, desk: &Desk, furniture: &Furniture) -> Result<Arc<Settings>> {
    let settings = Arc::new(desk::settings(globals)?);
    if settings.store != desk.settings.store {
        return Err(failure(
            Exit::Configuration,
            "`store` and `state` can change at a restart only",
        ));
    }
    door::must_stay(furniture, &settings)?;
    desk::require(&settings, |_| true)?;
    Templates::load(&settings.outbox).map_err(OutboxError::Templates)?;
    desk::reconcile(&desk.store, &settings, &desk.ids, desk.clock.as_ref())?;
    desk::rematch(desk, &settings)?;
    Ok(settings)
}

fn furniture(desk: &Desk, tally: &Tally) -> Result<Furniture> {
    let (tally, redact) = (tally.clone(), desk.settings.log.redact);
    let brake = Brake::default();
    let presence = Presence::begin(&desk.store, &desk.clock, &desk.ids, Pace::default())?;
    Ok(Furniture {
        settings: desk.settings.clone(),
        store: desk.store.clone(),
        clock: desk.clock.clone(),
        ids: desk.ids.clone(),
        presence: Arc::new(presence),
        suspects: Suspects::tried_by_ourselves(),
        door: None,
        on_decision: Arc::new(move |decided| {
            tell(decided, redact, &tally);
            tell_braked(decided, redact, &brake);
        }),
        on_lockout: lockouts::telling(redact),
    })
}

/// One line a decision: what was done, for whom, and why.
fn tell(decided: &Decided, redact: file::Redact, tally: &Tally) {
    let story = &decided.plan.story;
    let Verdict::Decided(decision) = decided.plan.verdict else {
        tell_waiting(decided, tally);
        return;
    };
    *tally
        .lock()
        .expect("no holder of this lock panics")
        .entry(story::label(decision))
        .or_default() += 1;
    let who = story.user.as_ref().map(|user| masked(&user.name, &user.address, redact));
    let site = story.site.as_ref().map(|site| site.name.clone());
    let subject = decided.message.as_ref().map(|message| message.subject.clone());
    let mut said = story::headline(decision, decided.applied.ticket);
    if let Some(who) = who {
        said.push_str(&format!(" for {who}"));
    }
    if let Some(site) = site {
        said.push_str(&format!(" at {site}"));
    }
    if let Some(subject) =
        subject.filter(|subject| !subject.is_empty() && redact != file::Redact::All)
    {
        said.push_str(&format!(": {subject}"));
    }
    if decision.outcome != crate::triage::plan::Outcome::Accepted {
        said.push_str(&format!(" ({})", decision.reason.as_str()));
    }
    info!(
        message.id = decided.claim.id(),
        mailbox.name = decided.claim.mailbox,
        outcome = decision.outcome.as_str(),
        reason = decision.reason.as_str(),
        ticket.number = decided.applied.ticket,
        "{}",
        escape(&said)
    );
}

/// A message over a limit: by which key, and until when.
fn tell_waiting(decided: &Decided, tally: &Tally) {
    let Verdict::Deferred { until } = decided.plan.verdict else { return };
    let key = decided.plan.story.steps.iter().rev().find_map(|step| step.key.as_deref());
    let key = key.unwrap_or("limits");
    *tally
        .lock()
        .expect("no holder of this lock panics")
        .entry(format!("left waiting for room, by `{key}`"))
        .or_default() += 1;
    info!(
        message.id = decided.claim.id(),
        mailbox.name = decided.claim.mailbox,
        %until,
        "a message waits: its sender is over `{key}`"
    );
}

/// The loop brake: that it holds, once (E-141).
fn tell_braked(decided: &Decided, redact: file::Redact, brake: &Brake) {
    let Some(to) = brake.note(&decided.plan.story) else { return };
    let to = match redact {
        file::Redact::All => "somebody".to_owned(),
        file::Redact::Addresses => mask(&to),
        file::Redact::None => to,
    };
    warn!(
        mailbox.name = decided.claim.mailbox,
        "{} has had as much automatic mail as `limits.auto_mails_per_address` allows; more is withheld for now",
        escape(&to)
    );
}

/// A person's name, their address as `log.redact` wants it.
fn masked(name: &str, address: &str, redact: file::Redact) -> String {
    match redact {
        file::Redact::All => "somebody".to_owned(),
        file::Redact::Addresses if name == address => mask(address),
        file::Redact::Addresses => name.to_owned(),
        file::Redact::None => format!("{name} <{address}>"),
    }
}

fn mask(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first = local.chars().next().map(String::from).unwrap_or_default();
    format!("{first}…@{domain}")
}

fn summary(tally: &Tally) {
    let tally = tally.lock().expect("no holder of this lock panics");
    if tally.is_empty() {
        info!("nothing new");
    }
    for (said, count) in tally.iter() {
        info!("{count:5} × {said}");
    }
}

fn where_to_look(globals: &Globals, settings: &Settings) {
    let guichet = called(globals);
    info!(
        "where to look next: `{guichet} tickets list`, `{guichet} explain 1`, `{guichet} held list`"
    );
    if let TransportOptions::File { maildir } = &settings.outbox.transport {
        info!("mail of ours was written to `{}`", maildir.display());
    }
}

/// What is watched, and how mail leaves: whoever reads the log later must not have to guess.
fn tell_beginning(settings: &Settings) {
    let workers = counted(settings.workers, "worker");
    let store = ways::store(&settings.store.location);
    info!("guichet {} with {workers}, store `{store}`", env!("CARGO_PKG_VERSION"));
    for mailbox in &settings.mailboxes {
        let source = ways::source(mailbox).unwrap_or_default();
        let way_out = ways::way_out(settings, mailbox).unwrap_or_default();
        info!(
            mailbox.name = mailbox.name,
            "mailbox {}: from {source}, answers by {way_out}", mailbox.name
        );
    }
    if settings.outbox.transport == TransportOptions::None {
        info!("mail of ours is rendered and recorded, not sent: `smtp.transport` is `none`");
    }
}

fn start_log(globals: &Globals, settings: &Settings) {
    use std::io::IsTerminal;
    let format = match settings.log.format {
        file::LogFormat::Auto if std::io::stderr().is_terminal() => LogFormat::Text,
        file::LogFormat::Auto | file::LogFormat::Json => LogFormat::Json,
        file::LogFormat::Text => LogFormat::Text,
    };
    logging::start(globals, format, settings.log.level.as_str());
}

// T-53: what runs as root there can be made to write anywhere.
fn refuse_root(settings: &Settings, args: &RunArgs) -> Result<()> {
    let is_root = rustix::process::geteuid().is_root();
    if is_root && !args.allow_root && settings.state.starts_with("/var/lib/guichet") {
        return Err(failure(
            Exit::Usage,
            format!(
                "guichet does not run as root on `{}`\nhint: run it as its own user (`systemctl start guichet`), or add `--allow-root`",
                settings.state.display()
            ),
        ));
    }
    Ok(())
}
