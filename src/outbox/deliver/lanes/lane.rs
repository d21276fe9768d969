//! One lane: the mails of one relay, from their claim to their end, and whether the relay is there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{AHEAD, CLAIMED, WRITTEN};
use crate::clock::{Next, is_due};
use crate::faults;
use crate::outbox::OutboxError;
use crate::outbox::deliver::pace::Pace;
use crate::outbox::deliver::{End, Ended, Outbox, Repeat, Unreached};
use crate::outbox::render::RenderedMail;
use crate::outbox::transport::smtp::{LONGEST_TIMEOUTS, Relay, RelayError};
use crate::store::outbox::{self, Attempt, OutboxClaim, Whose};

// A lease is longer than the longest sending by this.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_mins(5);
// A relay that is away is looked for at the pauses of `outbox.retry`, but never less often than this:
// mail need not wait for hours once it is back.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
// A refused login asked too often is an account locked.
const LOGIN_PAUSE: SignedDuration = SignedDuration::from_mins(5);

pub(super) struct Lane {
    relay: Arc<Relay>,
    mailboxes: Arc<[String]>,
    pace: Pace,
    /// Ours, not yet written.
    claimed: VecDeque<OutboxClaim>,
    /// Written, not yet begun.
    waiting: VecDeque<Waiting>,
    /// Begun, or offered, with no end yet.
    under_way: HashMap<i64, OutboxClaim>,
    /// Offered: under way, and to be begun when all is said but the end.
    offered: HashMap<i64, Attempt>,
    /// Those that have come so far.
    asking: Vec<Asking>,
    gate: Gate,
    outage: Option<Outage>,
    /// Whether more mail is known to be due than is claimed.
    is_due: bool,
}

/// A mail written, whose attempt is not committed yet.
pub(super) struct Waiting {
    pub attempt: Arc<Attempt>,
    pub mail: RenderedMail,
}

/// An offered mail of which all is said but the end; dropped, it is not sent.
pub(super) struct Asking {
    pub id: i64,
    pub word: oneshot::Sender<()>,
}

/// What mail that waits for a relay is told.
pub(super) struct Shut {
    pub whose: Whose,
    /// Mail queued before this has waited long enough.
    pub patience: Timestamp,
    pub why: String,
}

/// Whether mails may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// They may, once the relay is connected.
    Open,
    /// The relay is being connected.
    Reaching,
    Shut {
        until: Timestamp,
    },
}

/// From the first time that the relay was not there until it answers for a mail.
#[derive(Debug)]
struct Outage {
    why: String,
    failures: usize,
    is_untold: bool,
    /// How long a mail may wait in all.
    patience: SignedDuration,
}

impl Waiting {
    /// Whether it may have gone out before. Then it is offered, and begun only when all is said but
    /// its end: a kill at any other moment leaves it as it is, so that nobody is needed (P-04).
    pub fn is_offered(&self) -> bool {
        self.attempt.claim.unsure > 0 && faults::stands("P-04-doubt")
    }
}

impl Lane {
    pub fn new(relay: Arc<Relay>, mailboxes: Vec<String>) -> Lane {
        Lane {
            pace: Pace::new(relay.options().rate),
            relay,
            mailboxes: mailboxes.into(),
            claimed: VecDeque::new(),
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
            offered: HashMap::new(),
            asking: Vec::new(),
            gate: Gate::Open,
            outage: None,
            is_due: false,
        }
    }

    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    pub fn mailboxes(&self) -> &[String] {
        &self.mailboxes
    }

    pub fn whose(&self) -> Whose {
        Whose::Of(self.mailboxes.clone())
    }

    pub fn unreached(&self) -> Option<Unreached> {
        let outage = self.outage.as_ref()?;
        Some(Unreached { relay: self.host().to_owned(), why: outage.why.clone() })
    }

    /// Looks whether mail is due, and says when there will be something to do.
    pub fn look(&mut self, outbox: &Outbox, now: Timestamp) -> Result<Next, OutboxError> {
        match self.gate {
            Gate::Shut { until } if !is_due(until, LONGEST_PAUSE, now) => {
                return Ok(Next::At(until));
            }
            Gate::Shut { .. } => self.gate = Gate::Open,
            Gate::Open | Gate::Reaching => {}
        }
        let has_mail = !self.claimed.is_empty() || !self.waiting.is_empty();
        if !self.is_due && !has_mail {
            let longest = outbox.longest_wait(self.lease());
            let worker = &outbox.worker;
            match outbox.store.read_only(|sql| outbox::next_due(sql, worker, &self.whose()))? {
                Some(due) if is_due(due, longest, now) => self.is_due = true,
                Some(due) => return Ok(Next::At(due)),
                None => return Ok(Next::Idle),
            }
        }
        let is_full = self.pace.room(now) == 0;
        Ok(self.pace.opens_at().filter(|_| is_full).map_or(Next::Now, Next::At))
    }

    /// Whether there is mail for a relay that is not connected.
    pub fn wants_reaching(&self) -> bool {
        self.gate == Gate::Open
            && (self.is_due || !self.claimed.is_empty() || !self.waiting.is_empty())
            && self.under_way.is_empty()
            && self.relay.live() == 0
    }

    pub fn reaching(&mut self) {
        self.gate = Gate::Reaching;
    }

    pub fn reached(&mut self) {
        self.gate = Gate::Open;
    }

    /// The relay answered for a mail: whatever was the matter is over.
    pub fn answered(&mut self) {
        if self.outage.take().is_some() {
            info!(relay.host = %self.host(), "`{}` takes mail again", self.host());
        }
    }

    /// The relay cannot be used. Answers the mails that were not begun: they are handed back.
    pub fn shut(&mut self, error: &RelayError, outbox: &Outbox) -> Vec<Ended> {
        let now = outbox.clock.now();
        // Of several mails that find it shut the first says so for all.
        if matches!(self.gate, Gate::Shut { until } if !is_due(until, LONGEST_PAUSE, now)) {
            return Vec::new();
        }
        let why = error.to_string();
        let failures = self.outage.as_ref().map_or(0, |outage| outage.failures);
        let retry = &outbox.options.retry;
        let pause = pause(retry, failures, error);
        let until = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        if self.outage.as_ref().is_none_or(|outage| outage.why != why) {
            warn!(relay.host = %self.host(), until = %until, "mail waits for its relay: {why}");
        }
        let patience = retry.iter().fold(SignedDuration::ZERO, |all, one| all.saturating_add(*one));
        self.outage = Some(Outage { why, failures: failures + 1, is_untold: true, patience });
        self.gate = Gate::Shut { until };
        self.is_due = true;
        self.empty()
    }

    /// Gives up what was not begun.
    pub fn empty(&mut self) -> Vec<Ended> {
        let waiting = self.waiting.drain(..).map(|waiting| waiting.attempt.claim);
        waiting
            .chain(self.claimed.drain(..))
            .map(|claim| Ended { claim, end: End::HandedBack })
            .collect()
    }

    /// What mail that waits is to be told, until it was.
    pub fn untold(&self, now: Timestamp) -> Option<Shut> {
        let outage = self.outage.as_ref().filter(|outage| outage.is_untold)?;
        let patience = now.saturating_sub(outage.patience).unwrap_or(Timestamp::MIN);
        Some(Shut { whose: self.whose(), patience, why: outage.why.clone() })
    }

    pub fn was_told(&mut self) {
        if let Some(outage) = &mut self.outage {
            outage.is_untold = false;
        }
    }

    /// How many more mails it could use.
    pub fn wants(&mut self, now: Timestamp) -> Option<usize> {
        let in_hand = self.claimed.len() + self.waiting.len();
        if !self.is_open() || !self.is_due || self.claimed.len() >= WRITTEN {
            return None;
        }
        let limit = self.pace.room(now).saturating_sub(in_hand).min(self.most_claimed());
        (limit > 0).then_some(limit)
    }

    pub fn claimed(&mut self, claims: Vec<OutboxClaim>, limit: usize) {
        self.is_due = claims.len() == limit;
        for claim in claims {
            if !self.renewed(claim) {
                self.claimed.push_back(claim);
            }
        }
    }

    // The clock went on so far that our own lease ran out, and we claimed again what is in hand.
    fn renewed(&mut self, claim: OutboxClaim) -> bool {
        let waiting = self.waiting.iter_mut().find(|one| one.attempt.claim.id == claim.id);
        let in_hand = match self.under_way.get_mut(&claim.id) {
            Some(under_way) => Some(under_way),
            None => match waiting {
                Some(waiting) => Some(&mut Arc::make_mut(&mut waiting.attempt).claim),
                None => self.claimed.iter_mut().find(|one| one.id == claim.id),
            },
        };
        match in_hand {
            Some(in_hand) if faults::stands("P-11-lease") => in_hand.fence = claim.fence,
            Some(_) | None => return false,
        }
        true
    }

    /// Writes some of what is claimed; answers those that cannot be written.
    pub fn write_some(
        &mut self,
        outbox: &Outbox,
        now: Timestamp,
    ) -> Result<Vec<Ended>, OutboxError> {
        if self.claimed.is_empty() || self.waiting.len() >= self.window() {
            return Ok(Vec::new());
        }
        let some = self.claimed.len().min(WRITTEN);
        let claims: Vec<OutboxClaim> = self.claimed.iter().take(some).copied().collect();
        let (ready, ends) = outbox.write_all(&claims, Repeat::Twice, now)?;
        self.claimed.drain(..some);
        let ready = ready
            .into_iter()
            .map(|ready| Waiting { attempt: Arc::new(ready.attempt), mail: ready.mail });
        self.waiting.extend(ready);
        Ok(ends)
    }

    /// The mails that go now.
    pub fn set_out(&mut self, now: Timestamp) -> Vec<Waiting> {
        let mut out = Vec::new();
        while self.is_open()
            && self.under_way.len() < self.window()
            && self.pace.room(now) > 0
            && let Some(next) = self.waiting.pop_front()
        {
            self.pace.count(now);
            self.under_way.insert(next.mail.outbox, next.attempt.claim);
            out.push(next);
        }
        out
    }

    /// A mail is offered to the relay: its attempt is committed when that asks for it.
    pub fn offered(&mut self, attempt: Arc<Attempt>) {
        self.offered.insert(attempt.claim.id, Arc::unwrap_or_clone(attempt));
    }

    /// All of an offered mail is said but its end.
    pub fn asked(&mut self, asking: Asking) {
        self.asking.push(asking);
    }

    /// The offered mails that are to be begun now.
    pub fn take_asking(&mut self) -> Vec<(Asking, Arc<Attempt>)> {
        let asking = std::mem::take(&mut self.asking);
        // Without its attempt, or a claim, it has come to its end meanwhile.
        let with_attempt = |asking: Asking| {
            let attempt = self.offered.get(&asking.id)?.clone();
            let claim = *self.under_way.get(&asking.id)?;
            Some((asking, Arc::new(Attempt { claim, ..attempt })))
        };
        asking.into_iter().filter_map(with_attempt).collect()
    }

    /// No offered mail is begun any more.
    pub fn refuse_asking(&mut self) {
        self.asking.clear();
    }

    /// Takes back a mail whose attempt was not committed.
    pub fn come_back_unsent(&mut self, waiting: Waiting) {
        self.under_way.remove(&waiting.mail.outbox);
        self.waiting.push_front(waiting);
    }

    /// The claim on a mail that has come to its end.
    pub fn came_back(&mut self, id: i64) -> Option<OutboxClaim> {
        self.offered.remove(&id);
        self.under_way.remove(&id)
    }

    /// Whether something is under way that will be heard of.
    pub fn is_busy(&self) -> bool {
        self.gate == Gate::Reaching || self.has_mail_under_way()
    }

    /// Whether its connections have enough to go on with.
    pub fn is_ahead(&self) -> bool {
        self.under_way.len() * 2 > self.window() && self.asking.is_empty()
    }

    /// Whether a mail is written that can be begun.
    pub fn has_mail_written(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn has_mail_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Longer than any mail can be under way.
    pub fn lease(&self) -> SignedDuration {
        let timeout =
            SignedDuration::try_from(self.relay.options().server.timeout).unwrap_or_default();
        timeout.saturating_mul(LONGEST_TIMEOUTS).saturating_add(LEASE_MARGIN)
    }

    fn is_open(&self) -> bool {
        self.gate == Gate::Open && (self.relay.live() > 0 || !self.under_way.is_empty())
    }

    // While nobody knows whether the relay is back, one mail is enough to find out.
    fn window(&self) -> usize {
        if self.outage.is_some() { 1 } else { self.relay.options().connections.max(1) * AHEAD }
    }

    fn most_claimed(&self) -> usize {
        if self.outage.is_some() { 1 } else { CLAIMED }
    }

    fn host(&self) -> &str {
        &self.relay.options().server.host
    }
}

fn pause(retry: &[SignedDuration], failures: usize, error: &RelayError) -> SignedDuration {
    let planned = retry.get(failures).or(retry.last()).copied().unwrap_or(LONGEST_PAUSE);
    match error {
        RelayError::Login { .. } => LOGIN_PAUSE,
        _ => planned.min(LONGEST_PAUSE),
    }
}
