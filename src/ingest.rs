//! Walks messages from claim to decision (design §4, steps 2 to 4): claims a batch, reads it in
//! parallel, then gathers, decides and applies it in one transaction; meanwhile the next batch is
//! claimed and read. Whatever fails falls back to one message at a time, so that nobody waits for a
//! bad one. Never talks to a mailbox or a server.

mod deciding;
mod readers;
#[cfg(test)]
mod tests;
pub mod trial;

use std::cell::RefCell;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use crate::clock::{Clock, Ids, Next, is_due};
use crate::faults;
use crate::mail::InboundMessage;
use crate::store::apply::Applied;
use crate::store::owed;
use crate::store::spool::{self, Attempt, Claim};
use crate::store::{Sharing, Store, StoreError, credentials, keys};
use crate::triage::plan::Plan;
use crate::triage::{self, Keyring, Policy, Questions};

use self::deciding::{keys_of, settle};
use self::readers::{Batch, Readers, Standing, Wanted};
pub use self::trial::Suspects;

/// How messages are walked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that read messages; none: they are read on the thread that steps.
    pub readers: usize,
    pub suspects: Suspects,
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
    /// When what waits is looked through for what would wait for ever.
    set_right_at: Timestamp,
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

impl Reading {
    fn names_another(&self) -> bool {
        match self {
            Reading::Closed(_) => false,
            Reading::Read { questions, .. } => questions.named().next().is_some(),
        }
    }
}

/// How a reading ended that came to nothing, in words.
struct Mishap(String);

/// A failed attempt is no decision: the message is held after this many (P-12).
pub const ATTEMPTS: u32 = 3;
// Long enough for a batch on a slow disk; what a dead worker held is free after it.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
// The longest stretch of any limit or budget.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
const SET_RIGHT_EVERY: SignedDuration = SignedDuration::from_mins(1);
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
        let Options { readers, suspects, .. } = options.clone();
        let readers = Readers::new(readers, suspects, store.clone(), policy.clone());
        let keys = Arc::default();
        let strays = RefCell::default();
        Ingest {
            store,
            policy,
            clock,
            ids,
            options,
            readers,
            ahead: None,
            strays,
            keys,
            set_right_at: Timestamp::MIN,
        }
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
        self.set_right(now)?;
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
        let InHand { mut claims, batch } = batch;
        let readings = self.look_ahead(&mut claims, now).and_then(|()| self.readers.collect(batch));
        let readings = readings.inspect_err(|_| self.hand_back(claims.clone()))?;
        let mut readings = readings.into_iter();
        let items = claims.into_iter().filter_map(|claim| {
            if is_worn_out(&claim) {
                return Some(Item { claim, reading: worn_out() });
            }
            match readings.next()? {
                Ok(reading) => Some(Item { claim, reading }),
                Err(mishap) => self.bear(claim, &mishap),
            }
        });
        let items = items.collect();
        self.decide_all(items)
    }

    /// A message whose reading came to nothing is tried again, alone, and held in the end. Reading
    /// depends on nothing but its bytes, so nothing is won by waiting.
    fn bear(&self, claim: Claim, Mishap(said): &Mishap) -> Option<Item> {
        let (id, mailbox, attempts) = (claim.id(), &claim.mailbox, claim.attempts);
        if attempts >= ATTEMPTS {
            error!(
                message.id = id,
                mailbox.name = mailbox,
                "a message cannot be read, and is held with its bytes: {said}\nhint: `guichet held show {id}` shows it; please report it with `guichet held raw {id}`"
            );
            let plan = Box::new(triage::gave_up(attempts, said));
            return Some(Item { claim, reading: Reading::Closed(plan) });
        }
        warn!(
            message.id = id,
            mailbox.name = mailbox,
            "a message could not be read, attempt {attempts} of {ATTEMPTS}: {said}"
        );
        let again = claim.clone();
        let set_back =
            self.store.transact(move |sql| spool::release(sql, &again, Attempt::Counted));
        if let Err(failure) = set_back {
            warn!(message.id = id, "it waits until its lease ends: {failure}");
        }
        None
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
            faults::point("ingest.claim");
            let claims = spool::claim(sql, &worker, now, LEASE, most, BATCH_BYTES)?;
            Ok((claims, keys::begin(sql, &ids, at)?))
        })?;
        self.keys = Arc::new(keys);
        if !claims.is_empty() {
            faults::point("ingest.claimed");
        }
        Ok(claims)
    }

    // What was tried before is alone in our hands while it is read: it can take nobody with it.
    fn look_ahead(&mut self, current: &mut [Claim], now: Timestamp) -> Result<(), StoreError> {
        if is_tried(current) {
            return Ok(());
        }
        let mut claims = self.claim(now)?;
        claims.retain(|claim| !renewed(current, claim));
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
            door: claim.origin.door(),
            size: claim.size,
            standing: if claim.attempts > 1 { Standing::Suspect } else { Standing::Good },
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
        faults::point("ingest.hand_back");
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
                Ok(()) | Err(StoreError::ClaimLost(_)) => strays.pop(),
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
            door: owed.origin.door(),
            // It is read alone.
            size: 0,
            // It was read before, but by another version perhaps, and nobody counts the attempts.
            standing: Standing::Suspect,
        };
        let batch = self.readers.read(vec![wanted], &self.keys)?;
        let reading = self.readers.collect(batch)?.pop().and_then(Result::ok);
        let (policy, ids) = (self.policy.clone(), self.ids.clone());
        let at = match self.options.time {
            TimeOfDecision::Arrival => owed.arrived.counted_at,
            TimeOfDecision::Clock => self.clock.now(),
        };
        let keys = reading.iter().flat_map(keys_of).collect();
        let settled = self.store.transact_keyed(keys, move |sql| {
            settle(sql, &owed, reading.as_ref(), &policy, &ids, at)
        });
        match settled {
            // Another worker came back to it at the same time.
            Ok(()) | Err(StoreError::ClaimLost(_)) => {
                Ok(Progress { next: Next::Now, decided: Vec::new() })
            }
            Err(failure) => Err(failure),
        }
    }

    // Sees to it that a clock that was wrong leaves nothing behind it (P-11).
    fn set_right(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let is_replay = self.options.time == TimeOfDecision::Arrival;
        if is_replay || !is_due(self.set_right_at, SET_RIGHT_EVERY, now) {
            return Ok(());
        }
        self.store.transact(move |sql| {
            credentials::end_expired(sql, now)?;
            if !faults::stands("P-11") {
                return Ok(());
            }
            owed::set_right(sql, now, LONGEST_WAIT)?;
            spool::set_right(sql, now, LONGEST_WAIT, LEASE)
        })?;
        self.set_right_at = now.saturating_add(SET_RIGHT_EVERY).unwrap_or(Timestamp::MAX);
        Ok(())
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.leave();
    }
}

// The clock went on so far that our own lease ran out, and we claimed again what we have in hand.
fn renewed(in_hand: &mut [Claim], claim: &Claim) -> bool {
    let Some(ours) = in_hand.iter_mut().find(|ours| ours.id() == claim.id()) else { return false };
    (ours.fence, ours.until) = (claim.fence, claim.until);
    true
}

fn is_tried(claims: &[Claim]) -> bool {
    claims.iter().any(|claim| claim.attempts > 1)
}

fn is_worn_out(claim: &Claim) -> bool {
    claim.attempts > ATTEMPTS && faults::stands("P-12-worn-out")
}

fn worn_out() -> Reading {
    let said = "each attempt ended before a decision";
    Reading::Closed(Box::new(triage::gave_up(ATTEMPTS, said)))
}
