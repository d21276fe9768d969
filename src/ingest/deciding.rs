//! Deciding: one transaction for a batch, or for as much of it as the store takes together; one for
//! each message when that fails. Where several workers decide, a reply waits for its parent.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{error, warn};

use super::{ATTEMPTS, Decided, Ingest, Item, Reading, TimeOfDecision};
use crate::clock::Ids;
use crate::faults;
use crate::store::apply;
use crate::store::owed::{self, Owed};
use crate::store::spool::{self, Claim};
use crate::store::{Sharing, Sql, StoreError, facts};
use crate::triage::facts::Reference;
use crate::triage::plan::Plan;
use crate::triage::{self, Policy};

// In one transaction, where several workers decide at a time.
const TOGETHER: usize = 4;
// How long a reply is kept in hand while it waits for what arrived before it and others have in hand:
// so many pauses.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSES: u32 = 600;

impl Ingest {
    /// A transaction for as many as the store can take together; when it fails, one for each. Last
    /// come those whose parents other workers may have in hand.
    pub(super) fn decide_all(&mut self, items: Vec<Item>) -> Result<Vec<Decided>, StoreError> {
        let items: Arc<[Item]> = items.into();
        let together = match self.store.sharing() {
            Sharing::Alone => items.len().max(1),
            // The more there are in a transaction, the more often another worker is in its way.
            Sharing::Shared => TOGETHER,
        };
        let all: Vec<usize> = (0..items.len()).collect();
        let mut done = Done::default();
        let parents = match self.store.sharing() {
            Sharing::Alone => Parents::AsTheyAre,
            Sharing::Shared => match self.parents() {
                Ok(parents) => parents.and_behind(self.earliest_ahead()),
                Err(failure) => {
                    self.hand_back(items.iter().map(|item| item.claim.clone()).collect());
                    return Err(failure);
                }
            },
        };
        for some in all.chunks(together) {
            self.decide_some(&items, some, &parents, &mut done);
        }
        if !done.orphans.is_empty() {
            // What is claimed ahead may be what the one that is waited for waits for.
            self.leave();
        }
        let mut orphans = std::mem::take(&mut done.orphans).into_iter();
        while let Some(orphan) = orphans.next() {
            if self.await_parents(&items[orphan].claim) == Wait::InVain {
                // Whoever has it stands still, or has died: somebody takes it over before long, and a
                // reply that did not wait for that would open a ticket of its own.
                let left = std::iter::once(orphan).chain(orphans);
                self.hand_back(left.map(|at| items[at].claim.clone()).collect());
                break;
            }
            self.decide_some(&items, &[orphan], &Parents::AsTheyAre, &mut done);
        }
        if done.failure.is_some() {
            // What is claimed ahead may answer what could not be decided, and perhaps not be handed back.
            self.leave();
        }
        match done.failure {
            // What was decided is told; the failure comes again, or it has passed.
            Some(failure) if done.decided.is_empty() => Err(failure),
            _ => Ok(done.decided),
        }
    }

    fn decide_some(&self, items: &Arc<[Item]>, some: &[usize], parents: &Parents, done: &mut Done) {
        let claims = |some: &[usize]| some.iter().map(|at| items[*at].claim.clone()).collect();
        if done.failure.is_some() {
            self.hand_back(claims(some));
            return;
        }
        let failure = match self.decide_together(items, some, parents) {
            Ok(ends) => {
                faults::point("ingest.decided");
                return done.note(some, ends);
            }
            Err(failure) => failure,
        };
        // P-10: whoever has it now decides it.
        if some.len() == 1 && matches!(failure, StoreError::ClaimLost(_)) {
            warn!("{failure}");
            return;
        }
        let is_beaten_together = is_beaten(&failure) && some.len() > 1;
        if !(failure.is_of_the_work() || is_beaten_together) {
            self.hand_back(claims(some));
            done.failure = Some(failure);
            return;
        }
        if some.len() > 1 {
            if !is_beaten(&failure) {
                warn!("a batch of {} messages is decided one by one: {failure}", some.len());
            }
            for at in some {
                self.decide_some(items, &[*at], parents, done);
            }
            return;
        }
        for at in some {
            match self.set_back(&items[*at].claim, &failure) {
                Ok(held) => done.decided.extend(held),
                Err(StoreError::ClaimLost(_)) => {}
                Err(failure) => done.failure = Some(failure),
            }
        }
    }

    fn decide_together(
        &self,
        items: &Arc<[Item]>,
        some: &[usize],
        parents: &Parents,
    ) -> Result<Vec<Option<Decided>>, StoreError> {
        let (items, policy, ids) = (items.clone(), self.policy.clone(), self.ids.clone());
        let (time, clock, some) = (self.options.time, self.clock.clone(), some.to_vec());
        let parents = parents.clone();
        let keys = some.iter().flat_map(|at| keys_of(&items[*at].reading)).collect();
        self.store.transact_keyed(keys, move |sql| {
            some.iter()
                .map(|at| {
                    let item = &items[*at];
                    let now = match time {
                        TimeOfDecision::Arrival => item.claim.arrived.counted_at,
                        TimeOfDecision::Clock => clock.now(),
                    };
                    decide(sql, item, &policy, &ids, now, &parents)
                })
                .collect()
        })
    }

    /// Asked before a transaction begins: what is not in hand elsewhere now, it sees decided.
    fn parents(&self) -> Result<Parents, StoreError> {
        let earliest =
            self.store.read_only(|sql| spool::in_hand_elsewhere(sql, &self.options.worker))?;
        Ok(earliest.map_or(Parents::AsTheyAre, |(at, id)| Parents::AwaitedBehind(at, id)))
    }

    // What was handed back once is claimed after what answers it.
    fn earliest_ahead(&self) -> Option<(Timestamp, String)> {
        let ahead = self.ahead.iter().flat_map(|batch| &batch.claims);
        ahead.map(|claim| (claim.arrived.counted_at, claim.id().to_owned())).min()
    }

    /// Waits until no other worker has in hand what arrived before, as long as a worker at work takes.
    fn await_parents(&self, claim: &Claim) -> Wait {
        for _ in 0..PAUSES {
            match self.parents() {
                Ok(parents) if parents.may_be_in_hand(claim) => self.clock.pause(PAUSE),
                Ok(_) => return Wait::Over,
                // Nobody knows who has it.
                Err(_) => return Wait::InVain,
            }
        }
        if faults::stands("P-10-parents") { Wait::InVain } else { Wait::Over }
    }

    /// After a failure of its own a message waits, longer each time, and is held in the end.
    fn set_back(&self, claim: &Claim, failure: &StoreError) -> Result<Option<Decided>, StoreError> {
        error!(
            message.id = claim.id(),
            mailbox.name = claim.mailbox,
            "a message could not be decided, attempt {} of {ATTEMPTS}: {failure}",
            claim.attempts
        );
        let (ours, ids, now) = (claim.clone(), self.ids.clone(), self.clock.now());
        if claim.attempts < ATTEMPTS {
            let pause = SignedDuration::from_secs(10 * i64::from(claim.attempts));
            self.store.transact(move |sql| spool::set_back(sql, &ours, now + pause))?;
            return Ok(None);
        }
        let plan = Arc::new(triage::gave_up(ATTEMPTS, &failure.to_string()));
        let given_up = plan.clone();
        let applied = self.store.transact(move |sql| {
            // What failed may be that another worker has decided it meanwhile.
            spool::must_hold(sql, &ours)?;
            apply::apply(sql, &given_up, None, &ours, &ids, now)
        })?;
        Ok(Some(Decided { claim: claim.clone(), message: None, plan, applied }))
    }
}

/// What the decision about a message reads that the decision about another one may write: see
/// [`crate::store::Store::transact_keyed`].
pub(super) fn keys_of(reading: &Reading) -> Vec<String> {
    match reading {
        Reading::Closed(_) => Vec::new(),
        Reading::Read { questions, .. } => questions.keys(),
    }
}

/// `None` when the message names a parent that is not known yet, and may be in another's hands.
fn decide(
    sql: &mut dyn Sql,
    item: &Item,
    policy: &Policy,
    ids: &Ids,
    now: Timestamp,
    parents: &Parents,
) -> Result<Option<Decided>, StoreError> {
    let claim = &item.claim;
    let (message, plan) = match &item.reading {
        Reading::Closed(plan) => (None, Plan::clone(plan)),
        Reading::Read { message, questions } => {
            faults::point("ingest.gather");
            let facts = facts::gather(sql, questions, &claim.arrived, now)?;
            let names_a_parent = questions.references.iter().any(Reference::is_to_another);
            if names_a_parent && facts.tickets.is_empty() && parents.may_be_in_hand(claim) {
                return Ok(None);
            }
            (Some(message.clone()), triage::decide(message, questions, &facts, policy))
        }
    };
    let applied = apply::apply(sql, &plan, message.as_deref(), claim, ids, now)?;
    Ok(Some(Decided { claim: claim.clone(), message, plan: Arc::new(plan), applied }))
}

/// Whether the parents of a message are decided already, as far as they are to be.
#[derive(Clone)]
enum Parents {
    AsTheyAre,
    /// Other workers have messages in hand, the earliest of this time and with this id.
    AwaitedBehind(Timestamp, String),
}

impl Parents {
    fn and_behind(self, earliest: Option<(Timestamp, String)>) -> Parents {
        let others = match self {
            Parents::AsTheyAre => None,
            Parents::AwaitedBehind(at, id) => Some((at, id)),
        };
        let earliest = others.into_iter().chain(earliest).min();
        earliest.map_or(Parents::AsTheyAre, |(at, id)| Parents::AwaitedBehind(at, id))
    }

    // Of two that arrived in the same second one is the first: they must not wait for each other.
    fn may_be_in_hand(&self, claim: &Claim) -> bool {
        match self {
            Parents::AsTheyAre => false,
            Parents::AwaitedBehind(at, id) => {
                (*at, id.as_str()) < (claim.arrived.counted_at, claim.id())
            }
        }
    }
}

/// How it ended to wait for what others have in hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    InVain,
    Over,
}

/// How far a batch is.
#[derive(Default)]
struct Done {
    decided: Vec<Decided>,
    /// Left for the end, by their places in the batch.
    orphans: Vec<usize>,
    /// What stopped the rest, which was handed back.
    failure: Option<StoreError>,
}

impl Done {
    fn note(&mut self, some: &[usize], ends: Vec<Option<Decided>>) {
        for (at, end) in some.iter().zip(ends) {
            match end {
                Some(decided) => self.decided.push(decided),
                None => self.orphans.push(*at),
            }
        }
    }
}

fn is_beaten(failure: &StoreError) -> bool {
    matches!(failure, StoreError::ClaimLost(_) | StoreError::Raced(_))
}

/// What was read once cannot be unreadable now; if it is, nothing more is owed.
pub(super) fn settle(
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
