//! Watches one folder on a server: each `step()` is one bounded piece of work. It is opened, looked
//! through in windows of UIDs, fetched and spooled batch by batch (the next comes in while the last
//! is committed), and told of what is decided. After whatever fails the next step begins anew: the
//! ledger and the position know what is done.

mod bringing;
mod looking;
mod opening;
mod reused;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::attributes::Sighted;
use super::error::ImapError;
use super::folder::Folder;
use super::ledger::{Entry, Ledger};
use super::position::{Beginning, Position};
use super::session::Session;
use crate::clock::{Clock, Ids, Next, is_due};
use crate::intake::error::IntakeError;
use crate::intake::space::Disk;
use crate::intake::tenure::Held;
use crate::intake::{House, ImapOptions, Options, SourceOptions, Wake};
use crate::store::spool::Series;

/// One folder on a server, and how far the work on it is.
pub struct ImapWatch {
    pub(super) options: Options,
    imap: ImapOptions,
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) wake: Arc<Wake>,
    disk: Disk,
    spooled: Box<dyn Fn(usize) + Send>,
    pub(super) session: Option<Session>,
    // No login is tried before that time.
    closed: Option<Timestamp>,
    pub(super) open: Open,
    stage: Stage,
    // It brought mail in, or came to rest, since somebody asked.
    gets_on: bool,
    next_poll: Timestamp,
    next_sweep: Timestamp,
    /// Among these is the message that the server could not tell of.
    pub(super) doubted: Vec<u32>,
    /// Those that it could not tell of, each with the reason, until they are owed.
    pub(super) untold: Vec<(u32, String)>,
    /// Fetched one by one: a session ended over a batch they were in.
    pub(super) suspects: HashSet<u32>,
    /// UIDs below the low-water one that are not in the ledger, with the times they were tried.
    pub(super) owed: HashMap<u32, u32>,
    // Those of them that were tried since the last sweep.
    tried: HashSet<u32>,
    // Why messages cannot be fetched: each reason is named once.
    named: HashSet<String>,
    // Messages refused one after the other: when they are many it is not the messages.
    refused: usize,
    /// Ids of messages that refused to be settled since the last sweep.
    pub(super) unsettled: HashSet<String>,
    /// The refusals that were named in the log.
    pub(super) refusals: HashSet<String>,
    // Messages left alone since the first contact, while that lasts.
    skipped: Option<usize>,
}

/// The folder as it was opened last.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) folder: Folder,
    pub(super) position: Position,
}

enum Stage {
    Acknowledge,
    Look(Look),
    Open,
    Owed(VecDeque<u32>),
    Rest,
}

/// How far a look through the folder has come.
struct Look {
    /// The next UID to ask about.
    next: u32,
    width: u32,
    /// The end of the window whose messages are pending.
    end: u32,
    pending: VecDeque<Sighted>,
    /// Fetched, not stored yet; and the low-water UID once it is.
    ready: Option<(Entry, u32)>,
}

impl ImapWatch {
    pub fn new(options: Options, house: House) -> ImapWatch {
        let House { store, clock, ids, space, wake, spooled, tenure } = house;
        let SourceOptions::Imap(imap) = options.source.clone() else {
            unreachable!("a mailbox of another kind has a watch of its own")
        };
        let ledger = Ledger::new(&options, store, clock.clone(), ids.clone(), tenure);
        let folder =
            Folder { validity: 0, next: 0, says_next: false, count: 0, is_read_only: false };
        let position =
            Position { series: Series::of(0), low: 0, beginning: Beginning::All, place: None };
        let now = clock.now();
        ImapWatch {
            options,
            imap,
            ledger,
            clock,
            ids,
            wake,
            disk: Disk::new(space),
            spooled,
            session: None,
            closed: None,
            open: Open { folder, position },
            stage: Stage::Open,
            gets_on: false,
            next_poll: now,
            next_sweep: now,
            suspects: HashSet::new(),
            doubted: Vec::new(),
            untold: Vec::new(),
            owed: HashMap::new(),
            tried: HashSet::new(),
            named: HashSet::new(),
            refused: 0,
            unsettled: HashSet::new(),
            refusals: HashSet::new(),
            skipped: None,
        }
    }

    /// Does the next bounded piece of work. `At`: all that was there is spooled, all that was owed is
    /// settled, or no login is due before that time (P-21); called before it works off what is owed
    /// meanwhile. After an error it may be called again at any time: it connects again, and nothing
    /// is lost. While another process watches the mailbox, nothing is done to it (P-10).
    pub async fn step(&mut self) -> Result<Next, IntakeError> {
        match self.ledger.hold().await? {
            Held::Elsewhere { until } => {
                (self.stage, self.session) = (Stage::Open, None);
                return Ok(Next::At(until));
            }
            Held::Kept => {}
            // What was known may be old: another process has watched the mailbox meanwhile.
            Held::Taken => self.stage = Stage::Open,
        }
        // An error leaves it at the beginning.
        let stage = std::mem::replace(&mut self.stage, Stage::Open);
        let worked = match stage {
            Stage::Acknowledge => self.acknowledge_all().await,
            Stage::Look(look) => self.look(look).await,
            Stage::Open => {
                if self.session.is_none()
                    && let Some(time) = self.closed_until().await?
                {
                    return Ok(Next::At(time));
                }
                self.open().await
            }
            Stage::Owed(uids) => self.try_again(uids).await,
            Stage::Rest => {
                let now = self.clock.now();
                let is_due = is_due(self.next_poll, self.imap.poll_interval, now)
                    || is_due(self.next_sweep, self.options.sweep, now);
                let is_announced = self.wake.take_mail();
                Ok(if is_announced || is_due { Stage::Open } else { Stage::Acknowledge })
            }
        };
        match worked {
            Ok(stage) => self.stage = stage,
            Err(error) => {
                self.session = None;
                return Err(error);
            }
        }
        Ok(match self.stage {
            Stage::Rest => {
                self.gets_on = true;
                Next::At(self.next_poll.min(self.next_sweep).min(self.ledger.renew_at()))
            }
            _ => Next::Now,
        })
    }

    /// Why mail that is in the mailbox was left there, or was not marked, if any was; it was logged
    /// already.
    pub fn left_behind(&self) -> Option<&'static str> {
        if self.disk.is_full() {
            Some("the disk is nearly full")
        } else if self.closed.is_some() {
            Some("its server refused too many logins")
        } else if !self.owed.is_empty() {
            Some("some messages cannot be fetched")
        } else if !self.unsettled.is_empty() {
            Some("some messages could not be marked in their mailbox")
        } else {
            None
        }
    }

    /// Whether a session goes on: what fails now breaks off, what failed before never began.
    pub fn is_at_work(&self) -> bool {
        self.session.is_some() && !matches!(self.stage, Stage::Open)
    }

    /// Whether it got anywhere since this was asked last: a server that lets in and breaks off is in
    /// trouble all the same.
    pub(super) fn take_progress(&mut self) -> bool {
        std::mem::take(&mut self.gets_on)
    }

    /// How long it rests at most, whatever became of the clock since that was reckoned (P-11).
    pub(super) fn longest_rest(&self) -> SignedDuration {
        self.imap.poll_interval.min(self.options.sweep)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    // Each reason is named once.
    pub(super) fn name_owed(&mut self, owed: &[(u32, String)]) {
        for (uid, said) in owed {
            if self.named.insert(said.clone()) {
                tracing::error!(
                    mailbox.name = %self.options.name,
                    "the message with the UID {uid} cannot be fetched, others go on: {said}\nhint: guichet tries again at each sweep; see whether another program can open it"
                );
            }
        }
    }

    async fn acknowledge_all(&mut self) -> Result<Stage, IntakeError> {
        let is_more = self.acknowledge().await?;
        Ok(if is_more { Stage::Acknowledge } else { Stage::Rest })
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("every stage but the first has a session")
    }

    pub(super) fn folder_name(&self) -> &str {
        &self.imap.folder
    }

    pub(super) fn failed(&self, cause: ImapError) -> IntakeError {
        IntakeError::Imap { mailbox: self.options.name.clone(), cause }
    }
}
