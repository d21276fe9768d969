//! Deciding: one transaction for a batch, or for as much of it as the store takes together; one for
//! each message when that fails.
//!
//! Where several workers decide, a message waits for its parents (P-10): while one that it names has
//! not been decided, it is decided only once no message that comes before it in the order of claims
//! waits or is in anybody's hands, be it this worker's own. So what comes of a message is what one
//! worker that decides all in their order would make of it. Nobody waits for what was put off, by a
//! limit or after a failure of its own: that counts as arrived later, and finds the ticket that its
//! reply has opened (M-83b). Who waits does so for something earlier, and the earliest waits for
//! nobody, so there is always one that can go on.

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
use crate::store::{Sharing, Sql, StoreError, decisions, facts};
use crate::triage::facts::{Facts, TicketEvidence, TicketFacts};
use crate::triage::plan::Plan;
use crate::triage::{self, Policy, Questions};

// In one transaction, where several workers decide at a time.
const TOGETHER: usize = 4;
// How long a reply is kept in hand while it waits for what comes before it, in milliseconds.
const PATIENCE: u64 = 3_000;
// The first of its pauses, in milliseconds. Who has waited for long looks less often: it asks the
// store each time, as all do that wait with it.
const PAUSE: u64 = 5;

impl Ingest {
    /// A transaction for as many as the store can take together; when it fails, one for each. Last
    /// come those whose parents may be in other hands.
    pub(super) fn decide_all(&mut self, items: Vec<Item>) -> Result<Vec<Decided>, StoreError> {
        let items: Arc<[Item]> = items.into();
        let together = match self.store.sharing() {
            Sharing::Alone => items.len().max(1),
            // The more there are in a transaction, the more often another worker is in its way.
            Sharing::Shared => TOGETHER,
        };
        let all: Vec<usize> = (0..items.len()).collect();
        let mut done = Done::default();
        for some in all.chunks(together) {
            self.decide_some(&items, some, &mut done);
        }
        if !done.orphans.is_empty() {
            // What is claimed ahead may be what the one that is waited for waits for.
            self.leave();
        }
        self.decide_orphans(&items, &mut done);
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

    /// Those that wait for their parents, one by one and in their order.
    fn decide_orphans(&self, items: &Arc<[Item]>, done: &mut Done) {
        let mut orphans = std::mem::take(&mut done.orphans).into_iter();
        while let Some(orphan) = orphans.next() {
            let mut waited = 0;
            loop {
                if self.await_parents(&items[orphan].claim, &mut waited) == Wait::InVain {
                    // Whoever has it stands still, or has died: somebody takes it over before long,
                    // and a reply that did not wait for that would open a ticket of its own.
                    let left = std::iter::once(orphan).chain(orphans);
                    self.hand_back(left.map(|at| items[at].claim.clone()).collect());
                    return;
                }
                self.decide_some(items, &[orphan], done);
                // Something earlier came meanwhile, or was handed back.
                if done.orphans.pop().is_none() {
                    break;
                }
            }
        }
    }

    fn decide_some(&self, items: &Arc<[Item]>, some: &[usize], done: &mut Done) {
        let claims = |some: &[usize]| some.iter().map(|at| items[*at].claim.clone()).collect();
        if done.failure.is_some() {
            self.hand_back(claims(some));
            return;
        }
        let decided = match self.parents(items, some) {
            Ok(parents) => self.decide_together(items, some, &parents),
            Err(failure) => {
                self.hand_back(claims(some));
                done.failure = Some(failure);
                return;
            }
        };
        let failure = match decided {
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
                self.decide_some(items, &[*at], done);
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

    /// Asked before the transaction for `some` begins: what does not wait for a decision now, it sees
    /// decided. Those that are decided in it are, in their order, or all of it comes to nothing.
    fn parents(&self, items: &[Item], some: &[usize]) -> Result<Parents, StoreError> {
        let is_asked = self.store.sharing() == Sharing::Shared
            && faults::stands("P-10-parents")
            && some.iter().any(|at| items[*at].reading.names_another());
        if !is_asked {
            return Ok(Parents::AsTheyAre);
        }
        let ours: Vec<&str> = some.iter().map(|at| items[*at].claim.id()).collect();
        self.parents_but(&ours)
    }

    fn parents_but(&self, ours: &[&str]) -> Result<Parents, StoreError> {
        let earliest = self.store.read_only(|sql| spool::earliest_undecided(sql, ours))?;
        Ok(earliest.map_or(Parents::AsTheyAre, |(at, id)| Parents::AwaitedBehind(at, id)))
    }

    /// Waits until nothing that comes before is undecided, as long as a worker at work takes.
    fn await_parents(&self, claim: &Claim, waited: &mut u64) -> Wait {
        loop {
            match self.parents_but(&[claim.id()]) {
                Ok(parents) if parents.may_be_in_hand(claim) => {}
                Ok(_) => return Wait::Over,
                // Nobody knows who has it.
                Err(_) => return Wait::InVain,
            }
            let Some(pause) = next_pause(*waited) else { return Wait::InVain };
            self.clock.pause(Duration::from_millis(pause));
            *waited += pause;
        }
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
    let (message, mut plan) = match &item.reading {
        Reading::Closed(plan) => (None, Plan::clone(plan)),
        Reading::Read { message, questions } => {
            faults::point("ingest.gather");
            let facts = facts::gather(sql, questions, &claim.arrived, now)?;
            if parents.may_be_in_hand(claim) && is_early(sql, questions, &facts)? {
                return Ok(None);
            }
            match triage::without_leaked(message, questions, &facts.leaked) {
                Some((message, questions)) => {
                    let plan = triage::decide(&message, &questions, &facts, policy);
                    (Some(Arc::new(message)), plan)
                }
                None => (Some(message.clone()), triage::decide(message, questions, &facts, policy)),
            }
        }
    };
    if let Some(by) = &claim.released_by {
        plan.story.steps.insert(0, spool::released(by));
    }
    let applied = apply::apply(sql, &plan, message.as_deref(), claim, ids, now)?;
    Ok(Some(Decided { claim: claim.clone(), message, plan: Arc::new(plan), applied }))
}

/// Whether a decision now might go without a message that comes to be known. A ticket that is found
/// already settles nothing: it may be there by hearsay, or by one of several parents. What our own
/// marks lead to is stronger than all that a message names (M-79).
fn is_early(sql: &mut dyn Sql, questions: &Questions, facts: &Facts) -> Result<bool, StoreError> {
    let is_ours = |ticket: &TicketFacts| {
        matches!(
            ticket.evidence,
            TicketEvidence::MessageId { .. }
                | TicketEvidence::Portal
                | TicketEvidence::ReplyAddress
                | TicketEvidence::Staff
        )
    };
    if facts.tickets.iter().any(is_ours) {
        return Ok(false);
    }
    let named: Vec<String> = questions.named().map(|id| id.as_str().to_owned()).collect();
    let known = decisions::known_ids(sql, &named)?;
    Ok(named.iter().any(|id| !known.contains(id)))
}

/// Whether the parents of a message are decided already, as far as they are to be.
#[derive(Clone)]
enum Parents {
    AsTheyAre,
    /// Messages are undecided, the earliest of this time and with this id.
    AwaitedBehind(Timestamp, String),
}

impl Parents {
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

/// How it ended to wait for what comes before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    InVain,
    Over,
}

/// The pause of one who has waited for so long, both in milliseconds; none at the end of its patience.
fn next_pause(waited: u64) -> Option<u64> {
    let left = PATIENCE.checked_sub(waited).filter(|left| *left > 0)?;
    Some((waited / 4).max(PAUSE).min(left))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_10_whoever_waits_for_parents_asks_ever_less_often_until_its_patience_ends() {
        let (mut waited, mut pauses) = (0, Vec::new());
        while let Some(pause) = next_pause(waited) {
            waited += pause;
            pauses.push(pause);
        }
        assert_eq!(waited, PATIENCE);
        assert_eq!(pauses[..5], [PAUSE; 5], "a worker at work is done soon");
        assert!(pauses.len() < 40, "{pauses:?}");
        // Nobody sleeps for much longer than it had to wait.
        let mut before = 0;
        for pause in pauses {
            assert!(pause <= PAUSE.max(before / 4), "{pause} after {before}");
            before += pause;
        }
    }
}
