//! Walks messages from claim to decision (design §4, steps 2 to 4): claims a batch, reads it in
//! parallel, then gathers, decides and applies it in one transaction; meanwhile the next batch is
//! claimed and read. Whatever fails falls back to one message at a time, so that nobody waits for a
//! bad one. Never talks to a mailbox or a server.

mod deciding;
mod readers;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::clock::{Clock, Ids, Next};
use crate::mail::InboundMessage;
use crate::store::apply::Applied;
use crate::store::owed;
use crate::store::spool::{self, Attempt, Claim};
use crate::store::{Sharing, Store, StoreError, keys};
use crate::triage::plan::Plan;
use crate::triage::{self, Keyring, Policy, Questions};

use self::deciding::{keys_of, settle};
use self::readers::{Batch, Readers, Wanted};

/// How messages are walked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that read messages.
    pub readers: usize,
    pub time: TimeOfDecision,
    /// The name in its leases: another one for each worker of each process.
    pub worker: String,
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
    readers: Readers,
    ahead: Option<InHand>,
    /// What could not be handed back: leased in our name, and in nobody's hands.
    strays: RefCell<Vec<Claim>>,
    /// As of the last claim.
    keys: Arc<Keyring>,
}

/// A batch that is claimed and being read.
struct InHand {
    claims: Vec<Claim>,
    batch: Batch,
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
const BATCH_MESSAGES: u32 = 64;
// Where others work too: replies wait for what lies in their hands.
const SHARED_MESSAGES: u32 = 16;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

impl Ingest {
    /// A worker of a process that is entered in the store ([`crate::store::workers`]).
    pub fn new(
        store: Store,
        policy: Arc<Policy>,
        clock: Arc<dyn Clock>,
        ids: Ids,
        options: Options,
    ) -> Ingest {
        let readers = Readers::new(options.readers, store.clone(), policy.clone());
        let keys = Arc::default();
        let strays = RefCell::default();
        Ingest { store, policy, clock, ids, options, readers, ahead: None, strays, keys }
    }

    /// Decides one batch of what is due, or, when nothing is, comes back to one message whose sender
    /// is still owed a user or a credentials mail. After `Next::Now` the next batch may be in hand
    /// already: it is handed back when there is no next step.
    pub fn step(&mut self) -> Result<Progress, StoreError> {
        let now = match self.options.time {
            // The end of time, less what a lease needs to end after it.
            TimeOfDecision::Arrival => {
                Timestamp::MAX.saturating_sub(LEASE).unwrap_or(Timestamp::MIN)
            }
            TimeOfDecision::Clock => self.clock.now(),
        };
        let batch = match self.ahead.take() {
            Some(batch) => batch,
            None => {
                self.hand_back_strays()?;
                let claims = self.claim(now)?;
                if claims.is_empty() {
                    return self.settle_owed(now);
                }
                self.begin(claims)?
            }
        };
        let decided = self.finish(batch, now);
        if decided.is_err() {
            self.leave();
        }
        Ok(Progress { next: Next::Now, decided: decided? })
    }

    /// Claims the next batch, then decides this one.
    fn finish(&mut self, batch: InHand, now: Timestamp) -> Result<Vec<Decided>, StoreError> {
        let InHand { claims, batch } = batch;
        let readings = self.look_ahead(&claims, now).and_then(|()| batch.collect());
        let readings = readings.inspect_err(|_| self.hand_back(claims.clone()))?;
        let mut readings = readings.into_iter();
        let items = claims.into_iter().filter_map(|claim| {
            // Of what has no reading the attempt was counted, and each is claimed alone the next time.
            let reading = if is_worn_out(&claim) { worn_out() } else { readings.next()?? };
            Some(Item { claim, reading })
        });
        self.decide_all(items.collect())
    }

    fn claim(&mut self, now: Timestamp) -> Result<Vec<Claim>, StoreError> {
        let worker = self.options.worker.clone();
        let (ids, at) = (self.ids.clone(), self.clock.now());
        let most = match self.store.sharing() {
            Sharing::Alone => BATCH_MESSAGES,
            Sharing::Shared => SHARED_MESSAGES,
        };
        // After the claim: whoever signed what these messages answer had made its key before.
        let (claims, keys) = self.store.transact(move |sql| {
            let claims = spool::claim(sql, &worker, now, LEASE, most, BATCH_BYTES)?;
            Ok((claims, keys::begin(sql, &ids, at)?))
        })?;
        self.keys = Arc::new(keys);
        Ok(claims)
    }

    // What was tried before is alone in our hands while it is read: it can take nobody with it.
    fn look_ahead(&mut self, current: &[Claim], now: Timestamp) -> Result<(), StoreError> {
        if is_tried(current) {
            return Ok(());
        }
        let claims = self.claim(now)?;
        if is_tried(&claims) {
            self.hand_back(claims);
        } else if !claims.is_empty() {
            self.ahead = Some(self.begin(claims)?);
        }
        Ok(())
    }

    /// Hands the claimed messages to the readers; one that was tried too often is not read again.
    fn begin(&mut self, claims: Vec<Claim>) -> Result<InHand, StoreError> {
        let wanted = claims.iter().filter(|claim| !is_worn_out(claim)).map(|claim| Wanted {
            message: claim.id().to_owned(),
            mailbox: claim.mailbox.clone(),
            size: claim.size,
        });
        let wanted: Vec<Wanted> = wanted.collect();
        match self.readers.read(wanted, &self.keys) {
            Ok(batch) => Ok(InHand { claims, batch }),
            // Nobody looked at them: no fault of theirs.
            Err(failure) => {
                self.hand_back(claims);
                Err(failure)
            }
        }
    }

    /// Hands back what was claimed ahead.
    fn leave(&mut self) {
        if let Some(InHand { claims, .. }) = self.ahead.take() {
            self.hand_back(claims);
        }
    }

    /// Gives leases back after a failure that is not the messages' fault.
    fn hand_back(&self, claims: Vec<Claim>) {
        let ours = claims.clone();
        let handed_back = self.store.transact(move |sql| {
            claims.iter().try_for_each(|claim| spool::release(sql, claim, Attempt::Forgiven))
        });
        if let Err(failure) = handed_back {
            warn!("messages could not be handed back yet: {failure}");
            self.strays.borrow_mut().extend(ours);
        }
    }

    /// Hands back what could not be when the store was away: nothing else waits for its lease then.
    fn hand_back_strays(&mut self) -> Result<(), StoreError> {
        let strays = self.strays.get_mut();
        while let Some(claim) = strays.last().cloned() {
            match self.store.transact(move |sql| spool::release(sql, &claim, Attempt::Forgiven)) {
                // The lease ran out meanwhile, or the first attempt was committed after all.
                Ok(()) | Err(StoreError::Violated(_)) => strays.pop(),
                Err(failure) => return Err(failure),
            };
        }
        Ok(())
    }

    fn settle_owed(&mut self, now: Timestamp) -> Result<Progress, StoreError> {
        let Some(owed) = self.store.read_only(|sql| owed::due(sql, now, 1))?.pop() else {
            let next = self.store.read_only(|sql| {
                Ok([spool::next_due(sql, now)?, owed::next_due(sql)?].into_iter().flatten().min())
            })?;
            return Ok(Progress { next: next.map_or(Next::Idle, Next::At), decided: Vec::new() });
        };
        let wanted = Wanted {
            message: owed.arrived.message.clone(),
            mailbox: owed.mailbox.clone(),
            // It is read alone.
            size: 0,
        };
        let reading = self.readers.read(vec![wanted], &self.keys)?.collect()?.pop().flatten();
        let (policy, ids) = (self.policy.clone(), self.ids.clone());
        let at = match self.options.time {
            TimeOfDecision::Arrival => owed.arrived.counted_at,
            TimeOfDecision::Clock => self.clock.now(),
        };
        let keys = reading.iter().flat_map(keys_of).collect();
        self.store.transact_keyed(keys, move |sql| {
            settle(sql, &owed, reading.as_ref(), &policy, &ids, at)
        })?;
        Ok(Progress { next: Next::Now, decided: Vec::new() })
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.leave();
    }
}

fn is_tried(claims: &[Claim]) -> bool {
    claims.iter().any(|claim| claim.attempts > 1)
}

fn is_worn_out(claim: &Claim) -> bool {
    claim.attempts > ATTEMPTS
}

fn worn_out() -> Reading {
    let said = "each attempt ended before a decision";
    Reading::Closed(Box::new(triage::gave_up(ATTEMPTS, said)))
}
