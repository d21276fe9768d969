//! Watches one mailbox: each `step()` is one bounded piece of work. First contact, where `start`
//! decides what is left alone; then sweep, fetch and spool, batch by batch; between them the
//! acknowledgements that are owed. Whatever fails is looked for again: the ledger knows what is done.

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::after::Refused;
use super::episode::Episode;
use super::error::{IntakeError, hint};
use super::ledger::{Contact, Ledger};
use super::maildir::{Candidate, Sweep};
use super::source::{Fetched, Source};
use super::space::{Disk, Space};
use super::tenure::{Held, Tenure};
use super::watch::Wake;
use super::{Options, Start};
use crate::clock::{Clock, Ids, Next, is_due};
use crate::faults;
use crate::store::Store;
use crate::store::spool::{Origin, RawMessage};

// Messages from before the start entered into the ledger in one transaction.
const SKIPPED: usize = 1_000;
// Acknowledgements worked off in one step.
const OWED: usize = 256;
// A disk below its floor, a file half written: when to look again.
const FULL_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const UNFINISHED_PAUSE: SignedDuration = SignedDuration::from_secs(1);
// The pauses after one failure, two, three, …
const PAUSES: [SignedDuration; 4] = [
    SignedDuration::from_secs(1),
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(15),
    SignedDuration::from_secs(30),
];
// After mail was announced: whoever copies a file into `new` by hand has written it by then.
const SETTLING: Duration = Duration::from_millis(100);

/// What a mailbox needs of the house it works in.
pub struct House {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pub space: Space,
    /// Rung by whoever knows of mail or of decisions.
    pub wake: Arc<Wake>,
    /// Called after each commit that brought new messages, with their number.
    pub spooled: Box<dyn Fn(usize) + Send>,
    pub tenure: Tenure,
}

/// One mailbox, and how far the work on it is.
pub struct MailboxWatch {
    options: Options,
    source: Source,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    disk: Disk,
    wake: Arc<Wake>,
    spooled: Box<dyn Fn(usize) + Send>,
    stage: Stage,
    pending: VecDeque<Candidate>,
    // There are messages beyond those pending.
    more: bool,
    next_sweep: Timestamp,
    // Base names of files that cannot be read: named once in the log, then tried quietly at each
    // sweep.
    unreadable: HashSet<String>,
    // Ids of messages that refused to be settled since the last sweep, and of all that were named.
    unsettled: HashSet<String>,
    named: HashSet<String>,
    // What was found that is no message, and named.
    strange: HashSet<PathBuf>,
}

enum Stage {
    Acknowledge,
    Contact,
    Fetch,
    Rest,
    /// Some of what was there at the first contact is left alone. `cut_off` is when that contact
    /// was, if a crash ended it: what arrived since then is not from before.
    Start {
        cut_off: Option<Timestamp>,
        skipped: usize,
    },
    Sweep,
}

impl MailboxWatch {
    pub fn new(options: Options, house: House) -> MailboxWatch {
        let House { store, clock, ids, space, wake, spooled, tenure } = house;
        MailboxWatch {
            source: Source::new(&options.name, &options.source),
            ledger: Ledger::new(&options, store, clock.clone(), ids, tenure),
            next_sweep: clock.now(),
            options,
            clock,
            disk: Disk::new(space),
            wake,
            spooled,
            stage: Stage::Contact,
            pending: VecDeque::new(),
            more: false,
            unreadable: HashSet::new(),
            unsettled: HashSet::new(),
            named: HashSet::new(),
            strange: HashSet::new(),
        }
    }

    /// Steps until the house stops. Trouble is said once an episode, and its end too; that of a broken
    /// store ends it.
    pub fn run(&mut self) -> Result<(), IntakeError> {
        let mut episode = Episode::default();
        while !self.wake.is_stopped() {
            let next = match self.step() {
                Ok(next) => {
                    if next != Next::Now {
                        episode.works(&self.options.name);
                    }
                    next
                }
                Err(error) if error.is_of_a_broken_store() => return Err(error),
                Err(error) => {
                    let pause = PAUSES[(episode.failures as usize).min(PAUSES.len() - 1)];
                    episode.failed(&self.options.name, &error);
                    Next::At(self.clock.now() + pause)
                }
            };
            let timeout = match next {
                Next::At(time) => {
                    // The clock may have been set back since.
                    let left = time.duration_since(self.clock.now()).min(self.options.sweep);
                    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
                }
                Next::Idle => None,
                Next::Now => continue,
            };
            self.wake.wait(timeout);
            if !self.wake.is_stopped() {
                std::thread::sleep(SETTLING);
            }
        }
        Ok(())
    }

    /// Does the next bounded piece of work. `At`: all that was there is spooled, all that was owed
    /// is settled; called before that time it works off what is owed meanwhile, and looks at the
    /// mailbox only when the [`Wake`] announced mail. After an error it may be called again at any
    /// time; nothing is lost. While another process watches the mailbox, nothing is done to it.
    pub fn step(&mut self) -> Result<Next, IntakeError> {
        match self.ledger.hold()? {
            Held::Elsewhere { until } => {
                self.begin_anew();
                return Ok(Next::At(until));
            }
            Held::Kept => {}
            Held::Taken => self.begin_anew(),
        }
        match self.stage {
            Stage::Acknowledge => self.acknowledge()?,
            Stage::Contact => {
                self.stage = match self.ledger.begin()? {
                    Contact::CutOff(at) => Stage::Start { cut_off: Some(at), skipped: 0 },
                    Contact::New => Stage::Start { cut_off: None, skipped: 0 },
                    Contact::Over => Stage::Sweep,
                };
            }
            Stage::Fetch => self.fetch()?,
            Stage::Rest => {
                let is_announced = self.wake.take_mail();
                self.stage = if is_announced || self.is_sweep_due() {
                    Stage::Sweep
                } else {
                    Stage::Acknowledge
                };
            }
            Stage::Start { cut_off, skipped } => self.leave_alone(cut_off, skipped)?,
            Stage::Sweep => self.sweep()?,
        }
        Ok(match self.stage {
            Stage::Rest => Next::At(self.next_sweep.min(self.ledger.renew_at())),
            _ => Next::Now,
        })
    }

    fn is_sweep_due(&self) -> bool {
        is_due(self.next_sweep, self.options.sweep, self.clock.now())
    }

    // What was known may be old: another process has watched the mailbox meanwhile.
    fn begin_anew(&mut self) {
        self.stage = Stage::Contact;
        self.pending.clear();
        self.more = false;
        self.unsettled.clear();
    }

    // `start` says where a new mailbox begins: what is before it is entered into the ledger, stays
    // in its place, and is never looked at again (E-09).
    fn leave_alone(
        &mut self,
        cut_off: Option<Timestamp>,
        skipped: usize,
    ) -> Result<(), IntakeError> {
        if self.pending.is_empty() {
            let start = self.options.start;
            let is_before = |candidate: &Candidate| match start {
                Start::All => false,
                Start::Now => true,
                Start::Since(time) => candidate.arrived_at < time,
                Start::Unseen => candidate.is_seen(),
            };
            let sweep = self.source.sweep(
                |bases| self.ledger.known(bases),
                |candidate| {
                    is_before(candidate) && cut_off.is_none_or(|at| candidate.arrived_at <= at)
                },
            )?;
            self.take(sweep);
        }
        let before: Vec<(Origin, Timestamp)> = self
            .pending
            .iter()
            .take(SKIPPED)
            .map(|file| (Origin::MaildirFile { base: file.base.clone() }, file.arrived_at))
            .collect();
        let count = before.len();
        let mut skipped = skipped;
        if count > 0 {
            skipped += self.ledger.skip(before)?;
            self.pending.drain(..count);
        }
        // Names that did not fit in memory: what arrived since is not among them.
        let cut_off = cut_off.or_else(|| Some(self.clock.now()));
        if self.pending.is_empty() && !self.more {
            self.ledger.started()?;
            let name = &self.options.name;
            tracing::info!(
                mailbox.name = %name,
                mailbox.before_start = skipped,
                "the mailbox `{name}` is new: {skipped} messages from before its start are left alone"
            );
            self.stage = Stage::Sweep;
        } else {
            self.stage = Stage::Start { cut_off, skipped };
        }
        Ok(())
    }

    fn sweep(&mut self) -> Result<(), IntakeError> {
        // What refused is tried once a sweep, not once a piece of it.
        let is_rest_of_sweep = self.more;
        let sweep = self.source.sweep(
            |bases| self.ledger.known(bases),
            |candidate| !(is_rest_of_sweep && self.unreadable.contains(&candidate.base)),
        )?;
        self.next_sweep = self.clock.now() + self.options.sweep;
        if !is_rest_of_sweep {
            self.unsettled.clear();
        }
        self.take(sweep);
        self.stage = Stage::Fetch;
        Ok(())
    }

    fn take(&mut self, sweep: Sweep) {
        for path in sweep.strange {
            if !self.strange.contains(&path) {
                tracing::warn!(
                    mailbox.name = %self.options.name,
                    "skipped `{}`: a message is a plain file, and no link is followed",
                    path.display()
                );
                self.strange.insert(path);
            }
        }
        self.pending = sweep.candidates;
        self.more = sweep.more;
    }

    fn fetch(&mut self) -> Result<(), IntakeError> {
        // Until the batch is stored, the ledger alone knows what is done.
        self.stage = Stage::Sweep;
        if !self.pending.is_empty() && !self.disk.has_room(&self.options.name) {
            self.pending.clear();
            self.more = false;
            self.look_again_in(FULL_PAUSE);
        }
        let now = self.clock.now();
        let batch = self.source.fetch(&mut self.pending, self.options.max_message_size, now);
        if !batch.messages.is_empty() {
            faults::point("maildir.fetched");
        }
        for (candidate, path, cause) in batch.unreadable {
            if !self.unreadable.contains(&candidate.base) {
                tracing::error!(
                    mailbox.name = %self.options.name,
                    "a message cannot be read, others go on: `{}`: {cause}\nhint: {}",
                    path.display(), hint(&cause)
                );
                self.unreadable.insert(candidate.base);
            }
        }
        let mut arrivals = Vec::with_capacity(batch.messages.len());
        for Fetched { candidate, intake, raw } in batch.messages {
            self.unreadable.remove(&candidate.base);
            arrivals.push(self.ledger.arrival(RawMessage {
                mailbox: self.options.name.clone(),
                origin: Origin::MaildirFile { base: candidate.base },
                arrived_at: candidate.arrived_at,
                intake,
                raw,
            }));
        }
        if !arrivals.is_empty() {
            let count = self.ledger.spool(arrivals)?;
            if count > 0 {
                (self.spooled)(count);
            }
        }
        if batch.gone > 0 {
            self.more = true;
        }
        if batch.unfinished > 0 {
            self.look_again_in(UNFINISHED_PAUSE);
        }
        self.stage = Stage::Acknowledge;
        Ok(())
    }

    /// Why mail that is in the mailbox was left there, or was not marked, if any was; it was logged
    /// already.
    pub fn left_behind(&self) -> Option<&'static str> {
        if self.disk.is_full() {
            Some("the disk is nearly full")
        } else if !self.unreadable.is_empty() {
            Some("some messages cannot be read")
        } else if !self.unsettled.is_empty() {
            Some("some messages could not be marked in their mailbox")
        } else {
            None
        }
    }

    fn look_again_in(&mut self, pause: SignedDuration) {
        self.next_sweep = self.next_sweep.min(self.clock.now() + pause);
    }

    // What refuses to be settled stays owed, at the head of the queue: so more is asked for than is
    // worked off, and what refused is not tried again before the next sweep.
    fn acknowledge(&mut self) -> Result<(), IntakeError> {
        let limit = OWED + self.unsettled.len();
        let mut owed = self.ledger.owed(limit)?;
        let is_full = owed.len() >= limit;
        owed.retain(|(id, _)| !self.unsettled.contains(id));
        owed.truncate(OWED);
        let refused = self.source.settle(&owed, &self.options.after);
        self.name_unsettled(&refused);
        self.unsettled.extend(refused.into_iter().map(|(id, _)| id));
        owed.retain(|(id, _)| !self.unsettled.contains(id));
        if !owed.is_empty() {
            faults::point("acknowledge.note");
            self.ledger.acknowledged(owed.into_iter().map(|(id, _)| id).collect())?;
            faults::point("acknowledge.noted");
        }
        self.stage = if !self.pending.is_empty() {
            Stage::Fetch
        } else if self.more {
            Stage::Sweep
        } else if is_full {
            Stage::Acknowledge
        } else {
            Stage::Rest
        };
        Ok(())
    }

    // One line for all that refuse together: mostly it is the folder that does.
    fn name_unsettled(&mut self, refused: &[(String, Refused)]) {
        if refused.is_empty() {
            return;
        }
        let count = refused.iter().filter(|(id, _)| !self.named.contains(id)).count();
        if count > 0 {
            let Refused { path, cause, .. } = &refused[0].1;
            tracing::error!(
                mailbox.name = %self.options.name,
                "{count} messages whose decision is safe could not be marked in their mailbox, the first is `{}`: {cause}\nhint: {}",
                path.display(), hint(cause)
            );
        }
        self.named.extend(refused.iter().map(|(id, _)| id.clone()));
    }
}
