//! Walks messages from claim to decision (design §4, steps 2 to 4): claims a batch, reads it in
//! parallel, then gathers, decides and applies it in one transaction. Whatever fails falls back to
//! one message at a time, so that nobody waits for a bad one. Never talks to a mailbox or a server.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use crate::clock::{Clock, Ids, Next};
use crate::mail::{self, InboundMessage};
use crate::store::apply::{self, Applied};
use crate::store::owed::{self, Owed};
use crate::store::spool::{self, Attempt, Claim};
use crate::store::{Sql, Store, StoreError, facts};
use crate::triage::plan::Plan;
use crate::triage::{self, Policy, Questions};

/// How messages are walked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that read messages.
    pub readers: usize,
    pub time: TimeOfDecision,
}

/// What counts as now when a message is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOfDecision {
    /// Each message's own arrival, or the end of its deferral: a replay.
    Arrival,
    Clock,
}

/// Walks messages from claim to decision.
pub struct Ingest {
    store: Store,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    ids: Ids,
    options: Options,
}

/// What one step did.
#[derive(Debug)]
pub struct Progress {
    pub next: Next,
    /// In the order decided.
    pub decided: Vec<Decided>,
}

/// One message, decided or deferred.
#[derive(Clone, Debug)]
pub struct Decided {
    pub claim: Claim,
    /// Absent for what cannot be read.
    pub message: Option<Arc<InboundMessage>>,
    pub plan: Arc<Plan>,
    pub applied: Applied,
}

/// A message between claim and decision.
struct Item {
    claim: Claim,
    reading: Reading,
}

enum Reading {
    /// Not to be read, or not readable: what is to be done about it is known.
    Closed(Box<Plan>),
    Read {
        message: Arc<InboundMessage>,
        questions: Box<Questions>,
    },
}

/// A failed attempt is no decision: the message is held after this many (P-12).
pub const ATTEMPTS: u32 = 3;
// Long enough for a batch on a slow disk; what a dead worker held is free after it.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
// The name in its leases.
const WORKER: &str = "ingest";
const BATCH_MESSAGES: u32 = 64;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
// Our reading does not recurse; should a library below it do (F-01), there is room. Only the pages
// that are used cost memory.
const READER_STACK: usize = 64 * 1024 * 1024;

impl Ingest {
    /// Begins where the last one stopped: what a killed one had claimed is free at once, because the
    /// daemon's role on the store is held by one process at a time.
    pub fn new(
        store: Store,
        policy: Arc<Policy>,
        clock: Arc<dyn Clock>,
        ids: Ids,
        options: Options,
    ) -> Result<Ingest, StoreError> {
        let now = clock.now();
        store.transact(move |sql| spool::take_back(sql, WORKER, now))?;
        Ok(Ingest { store, policy, clock, ids, options })
    }

    /// Decides one batch of what is due, or, when nothing is, comes back to one message whose sender
    /// is still owed a user or a credentials mail.
    pub fn step(&self) -> Result<Progress, StoreError> {
        let now = match self.options.time {
            TimeOfDecision::Arrival => Timestamp::MAX,
            TimeOfDecision::Clock => self.clock.now(),
        };
        let claims = self.store.transact(move |sql| {
            spool::claim(sql, WORKER, now, LEASE, BATCH_MESSAGES, BATCH_BYTES)
        })?;
        if claims.is_empty() {
            return self.settle_owed(now);
        }
        let items = self.read_all(claims)?;
        Ok(Progress { next: Next::Now, decided: self.decide_all(items)? })
    }

    /// Hands every reader thread its share, in order.
    fn read_all(&self, claims: Vec<Claim>) -> Result<Vec<Item>, StoreError> {
        let raws = self.store.read_only(|sql| {
            claims.iter().map(|claim| spool::raw(sql, claim.id())).collect::<Result<Vec<_>, _>>()
        })?;
        let work: Vec<(Claim, Option<Vec<u8>>)> = claims.into_iter().zip(raws).collect();
        let share = work.len().div_ceil(self.options.readers.max(1)).max(1);
        let shares: Vec<io::Result<thread::Result<Vec<Item>>>> = thread::scope(|scope| {
            let threads: Vec<_> = work
                .chunks(share)
                .map(|share| {
                    let read = || share.iter().map(|(claim, raw)| self.read(claim, raw)).collect();
                    thread::Builder::new()
                        .name("reader".to_owned())
                        .stack_size(READER_STACK)
                        .spawn_scoped(scope, read)
                })
                .collect();
            threads.into_iter().map(|thread| thread.map(|thread| thread.join())).collect()
        });
        let mut items = Vec::with_capacity(work.len());
        let mut unstarted = None;
        for (claims, share) in work.chunks(share).zip(shares) {
            match share {
                Ok(Ok(share)) => items.extend(share),
                // The attempt was counted, and each is claimed alone the next time.
                Ok(Err(_)) => error!("a reader died; its messages wait for their leases to end"),
                // Nobody looked at them: no fault of theirs.
                Err(error) => {
                    self.hand_back(claims.iter().map(|(claim, _)| claim.clone()).collect());
                    unstarted = Some(StoreError::NoThread(error.to_string()));
                }
            }
        }
        match unstarted {
            Some(failure) if items.is_empty() => Err(failure),
            _ => Ok(items),
        }
    }

    fn read(&self, claim: &Claim, raw: &Option<Vec<u8>>) -> Item {
        let reading = if claim.attempts > ATTEMPTS {
            let said = "each attempt ended before a decision";
            Reading::Closed(Box::new(triage::gave_up(ATTEMPTS, said)))
        } else {
            self.read_raw(&claim.mailbox, raw.as_deref().unwrap_or_default())
        };
        Item { claim: claim.clone(), reading }
    }

    fn read_raw(&self, mailbox: &str, raw: &[u8]) -> Reading {
        match mail::read(raw) {
            Ok(message) => {
                let questions = Box::new(triage::ask(&message, mailbox, &self.policy));
                Reading::Read { message: Arc::new(message), questions }
            }
            Err(why) => Reading::Closed(Box::new(triage::unreadable(&why))),
        }
    }

    /// One transaction for all; when it fails, one for each.
    fn decide_all(&self, items: Vec<Item>) -> Result<Vec<Decided>, StoreError> {
        let items: Arc<[Item]> = items.into();
        let failure = match self.decide_range(&items, 0..items.len()) {
            Ok(decided) => return Ok(decided),
            Err(failure) => failure,
        };
        if failure.is_temporary() {
            self.hand_back(items.iter().map(|item| item.claim.clone()).collect());
            return Err(failure);
        }
        if items.len() > 1 {
            warn!("a batch of {} messages is decided one by one: {failure}", items.len());
        }
        let mut decided = Vec::new();
        for at in 0..items.len() {
            match self.decide_range(&items, at..at + 1) {
                Ok(one) => decided.extend(one),
                Err(failure) if failure.is_temporary() => {
                    self.hand_back(items[at..].iter().map(|item| item.claim.clone()).collect());
                    return Err(failure);
                }
                Err(failure) => self.set_back(&items[at].claim, &failure)?,
            }
        }
        Ok(decided)
    }

    fn decide_range(
        &self,
        items: &Arc<[Item]>,
        range: Range<usize>,
    ) -> Result<Vec<Decided>, StoreError> {
        let (items, policy, ids) = (items.clone(), self.policy.clone(), self.ids.clone());
        let (time, clock) = (self.options.time, self.clock.clone());
        self.store.transact(move |sql| {
            items[range.clone()]
                .iter()
                .map(|item| {
                    let now = match time {
                        TimeOfDecision::Arrival => item.claim.arrived.counted_at,
                        TimeOfDecision::Clock => clock.now(),
                    };
                    decide(sql, item, &policy, &ids, now)
                })
                .collect()
        })
    }

    /// Gives leases back after a failure that is not the messages' fault.
    fn hand_back(&self, claims: Vec<Claim>) {
        let handed_back = self.store.transact(move |sql| {
            claims.iter().try_for_each(|claim| spool::release(sql, claim, Attempt::Forgiven))
        });
        if let Err(failure) = handed_back {
            warn!("messages could not be handed back, they wait for their leases: {failure}");
        }
    }

    /// After a failure of its own a message waits, longer each time, and is held in the end.
    fn set_back(&self, claim: &Claim, failure: &StoreError) -> Result<(), StoreError> {
        error!(
            message.id = claim.id(),
            mailbox.name = claim.mailbox,
            "a message could not be decided, attempt {} of {ATTEMPTS}: {failure}",
            claim.attempts
        );
        let (claim, said) = (claim.clone(), failure.to_string());
        let (ids, now) = (self.ids.clone(), self.clock.now());
        self.store.transact(move |sql| {
            if claim.attempts >= ATTEMPTS {
                let plan = triage::gave_up(ATTEMPTS, &said);
                return apply::apply(sql, &plan, None, &claim, &ids, now).map(drop);
            }
            let pause = SignedDuration::from_secs(10 * i64::from(claim.attempts));
            spool::set_back(sql, &claim, now + pause)
        })
    }

    fn settle_owed(&self, now: Timestamp) -> Result<Progress, StoreError> {
        let Some(owed) = self.store.read_only(|sql| owed::due(sql, now, 1))?.pop() else {
            let next = self.store.read_only(|sql| {
                Ok([spool::next_due(sql, now)?, owed::next_due(sql)?].into_iter().flatten().min())
            })?;
            return Ok(Progress { next: next.map_or(Next::Idle, Next::At), decided: Vec::new() });
        };
        let raw = self.store.read_only(|sql| spool::raw(sql, &owed.arrived.message))?;
        let raw = raw.unwrap_or_default();
        let reading = thread::scope(|scope| {
            let read = || self.read_raw(&owed.mailbox, &raw);
            let thread = thread::Builder::new().stack_size(READER_STACK).spawn_scoped(scope, read);
            thread.ok().and_then(|thread| thread.join().ok())
        });
        let (policy, ids) = (self.policy.clone(), self.ids.clone());
        let at = match self.options.time {
            TimeOfDecision::Arrival => owed.arrived.counted_at,
            TimeOfDecision::Clock => self.clock.now(),
        };
        self.store.transact(move |sql| settle(sql, &owed, reading.as_ref(), &policy, &ids, at))?;
        Ok(Progress { next: Next::Now, decided: Vec::new() })
    }
}

fn decide(
    sql: &mut dyn Sql,
    item: &Item,
    policy: &Policy,
    ids: &Ids,
    now: Timestamp,
) -> Result<Decided, StoreError> {
    let claim = &item.claim;
    let (message, plan) = match &item.reading {
        Reading::Closed(plan) => (None, Plan::clone(plan)),
        Reading::Read { message, questions } => {
            let facts = facts::gather(sql, questions, &claim.arrived, now)?;
            (Some(message.clone()), triage::decide(message, questions, &facts, policy))
        }
    };
    let applied = apply::apply(sql, &plan, message.as_deref(), claim, ids, now)?;
    Ok(Decided { claim: claim.clone(), message, plan: Arc::new(plan), applied })
}

/// What was read once cannot be unreadable now; if it is, nothing more is owed.
fn settle(
    sql: &mut dyn Sql,
    owed: &Owed,
    reading: Option<&Reading>,
    policy: &Policy,
    ids: &Ids,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(Reading::Read { message, questions }) = reading else {
        return owed::settle(sql, owed);
    };
    let facts = facts::gather(sql, questions, &owed.arrived, now)?;
    let plan = triage::decide_owed(message, questions, &facts, policy);
    apply::apply_owed(sql, &plan, message, owed, ids, now).map(drop)
}
