//! Sending by relays: a lane for each, with its own pace, its own troubles and its own mails, so that
//! one relay never holds up another. A relay is connected before any mail is begun for it, so a relay
//! that is away costs no mail an attempt.
//!
//! A step does a little of everything while the relays work: it takes in what came back, and commits
//! ends, attempts and claims in one transaction, beside which it writes the next few mails. What a
//! kill can leave unsure is what was begun and not recorded: at most [`AHEAD`] mails for each
//! connection. One that is unsure already is offered first, and begun when its relay has heard all
//! but its end.

mod lane;

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use self::lane::{Asking, Lane, Shut, Waiting};
use super::{End, Ended, Outbox, Repeat, Unreached, mails, record};
use crate::clock::{Ids, Next, is_due};
use crate::faults;
use crate::outbox::transport::smtp::{Event, Failure, Relay, RelayError, Smtp, What};
use crate::outbox::{Options, OutboxError, RelayOptions, Unwritable};
use crate::store::outbox::{self, Attempt, GaveUp, OutboxClaim, Whose};
use crate::store::{Sql, StoreError};

// Mails begun for each connection: one that goes and some behind it, so that a connection need not
// wait for a commit. More of them gain nothing, and each is one that a kill leaves unsure.
const AHEAD: usize = 8;
// How long one end waits for others to be recorded with.
const GATHER: Duration = Duration::from_millis(5);
// Mails claimed by one statement, and mails written beside one commit: about as many as the
// connections get away meanwhile.
const CLAIMED: usize = 64;
const WRITTEN: usize = 16;
// How long a step waits for what is under way before it looks for new mail.
const LOOK: Duration = Duration::from_millis(200);
// Mail of mailboxes that are gone is looked for at the start, and then this often.
const STRAYS_EVERY: SignedDuration = SignedDuration::from_mins(10);
const STRAYS_LEASE: SignedDuration = SignedDuration::from_mins(10);
// What is said of mail that went: one line for so many, and one when there is no more.
const TOLD_TOGETHER: usize = 1_000;
// How long closing waits for what is under way; the house is given no more.
const CLOSING: Duration = Duration::from_secs(15);
const LEAVE: Duration = Duration::from_secs(2);

/// The lanes, and the thread that speaks to their relays.
pub(super) struct Lanes {
    smtp: Smtp,
    lanes: Vec<Lane>,
    strays: Whose,
    strays_at: Timestamp,
    /// Come to their end, not recorded yet.
    ended: Vec<Ended>,
    /// Sent since that was last told.
    untold: usize,
}

/// What one transaction brings about.
#[derive(Default)]
struct Changes {
    worker: String,
    attempts: Vec<(Arc<Attempt>, SignedDuration)>,
    claims: Vec<Wanted>,
    ends: Vec<Ended>,
    shut: Vec<Shut>,
}

/// A mail that goes out once its attempt is committed.
enum Going {
    Asking(Asking),
    Waiting(Waiting),
}

/// Mails to be claimed: whose, for how long, and at most how many.
struct Wanted {
    whose: Whose,
    lease: SignedDuration,
    limit: usize,
    /// None of them is put off for longer than this.
    longest_wait: SignedDuration,
}

/// What came of it.
struct Changed {
    ours: Vec<bool>,
    claims: Vec<Vec<OutboxClaim>>,
    given_up: u64,
}

impl Lanes {
    /// A lane for each relay; mailboxes with equal relays share one.
    pub fn new(options: &Options) -> Result<Lanes, OutboxError> {
        let smtp = Smtp::start().map_err(|error| OutboxError::Thread(error.to_string()))?;
        let mut shared: Vec<(&RelayOptions, &str, Vec<String>)> = Vec::new();
        for (mailbox, sender) in &options.senders {
            let Some(relay) = &sender.relay else { continue };
            match shared.iter_mut().find(|(other, ..)| *other == relay) {
                Some((.., mailboxes)) => mailboxes.push(mailbox.clone()),
                None => shared.push((relay, &sender.address, vec![mailbox.clone()])),
            }
        }
        let lanes: Vec<Lane> = shared
            .into_iter()
            .map(|(relay, sender, mailboxes)| {
                Lane::new(Arc::new(Relay::new(relay.clone(), sender)), mailboxes)
            })
            .collect();
        let known = lanes.iter().flat_map(|lane| lane.mailboxes().iter().cloned()).collect();
        Ok(Lanes {
            smtp,
            lanes,
            strays: Whose::NotOf(known),
            strays_at: Timestamp::MIN,
            ended: Vec::new(),
            untold: 0,
        })
    }

    pub fn unreached(&self) -> Vec<Unreached> {
        self.lanes.iter().filter_map(Lane::unreached).collect()
    }

    pub fn step(&mut self, outbox: &Outbox) -> Result<Next, OutboxError> {
        self.gather(outbox);
        let now = outbox.clock.now();
        self.take_strays(outbox, now)?;
        let mut next = Next::Idle;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            next = earlier(next, lane.look(outbox, now)?);
            if lane.wants_reaching() {
                lane.reaching();
                self.smtp.reach(number, lane.relay());
            }
            if !lane.has_mail_written() {
                self.ended.extend(lane.write_some(outbox, now)?);
            }
        }
        if self.exchange(outbox, now)? {
            return Ok(Next::Now);
        }
        if self.lanes.iter().any(Lane::is_busy) {
            if let Ok(event) = self.smtp.hear(LOOK) {
                self.take_in(event, outbox);
            }
            return Ok(Next::Now);
        }
        self.tell_sent();
        Ok(next)
    }

    /// Waits a while for what is under way, hands back the rest, and closes the connections.
    pub fn close(&mut self, outbox: &Outbox) {
        for lane in &mut self.lanes {
            self.ended.extend(lane.empty());
        }
        self.lanes.iter().for_each(|lane| lane.relay().close());
        while self.lanes.iter().any(Lane::has_mail_under_way) {
            self.lanes.iter_mut().for_each(Lane::refuse_asking);
            match self.smtp.hear(CLOSING) {
                Ok(event) => self.take_in(event, outbox),
                Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => break,
            }
        }
        let (ends, now) = (std::mem::take(&mut self.ended), outbox.clock.now());
        outbox.tell(&ends);
        if let Err(error) = outbox.store.transact(move |sql| record(sql, &ends, now)) {
            warn!("what became of the last mails was not recorded: {error}");
        }
        self.tell_sent();
        let relays: Vec<Arc<Relay>> = self.lanes.iter().map(|lane| lane.relay().clone()).collect();
        self.smtp.close(&relays, LEAVE);
    }

    // Takes in what came back. As long as the connections have enough to go on with, more is waited
    // for, so that one commit is for many.
    fn gather(&mut self, outbox: &Outbox) {
        loop {
            let patience =
                if self.lanes.iter().any(Lane::is_ahead) { GATHER } else { Duration::ZERO };
            match self.smtp.hear(patience) {
                Ok(event) => self.take_in(event, outbox),
                Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return,
            }
        }
    }

    fn take_in(&mut self, event: Event, outbox: &Outbox) {
        let lane = &mut self.lanes[event.lane];
        match event.what {
            What::Reached(Ok(())) => lane.reached(),
            What::Reached(Err(error)) => self.ended.extend(lane.shut(&error, outbox)),
            What::Asked(id, word) => lane.asked(Asking { id, word }),
            What::Sent(id, sent) => {
                let Some(claim) = lane.came_back(id) else { return };
                let ended = match sent {
                    Ok(response) => {
                        lane.answered();
                        outbox.judge(claim, Ok(response))
                    }
                    Err(Failure::Mail(error)) => {
                        lane.answered();
                        outbox.judge(claim, Err(error))
                    }
                    Err(Failure::Relay(RelayError::Closed)) => {
                        Ended { claim, end: End::HandedBack }
                    }
                    Err(Failure::Relay(error)) => {
                        self.ended.extend(lane.shut(&error, outbox));
                        Ended { claim, end: End::HandedBack }
                    }
                };
                self.untold += usize::from(matches!(ended.end, End::Sent { .. }));
                self.ended.push(ended);
            }
        }
    }

    // One transaction for all that is to be written down; answers whether there was anything.
    fn exchange(&mut self, outbox: &Outbox, now: Timestamp) -> Result<bool, OutboxError> {
        let mut changes = Changes {
            worker: outbox.worker.clone(),
            ends: self.ended.clone(),
            ..Changes::default()
        };
        let mut going: Vec<(usize, Going)> = Vec::new();
        let mut asked: Vec<(usize, usize)> = Vec::new();
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            for (asking, attempt) in lane.take_asking() {
                changes.attempts.push((attempt, lane.lease()));
                going.push((number, Going::Asking(asking)));
            }
            for waiting in lane.set_out(now) {
                if waiting.is_offered() {
                    lane.offered(waiting.attempt);
                    self.smtp.offer(number, lane.relay(), waiting.mail);
                } else {
                    changes.attempts.push((waiting.attempt.clone(), lane.lease()));
                    going.push((number, Going::Waiting(waiting)));
                }
            }
            if let Some(limit) = lane.wants(now) {
                let (whose, lease) = (lane.whose(), lane.lease());
                let longest_wait = outbox.longest_wait(lease);
                changes.claims.push(Wanted { whose, lease, limit, longest_wait });
                asked.push((number, limit));
            }
            changes.shut.extend(lane.untold(now));
        }
        if changes.is_empty() {
            return Ok(false);
        }
        let ids = outbox.ids.clone();
        let committing = outbox.store.queue(move |sql| changes.make(sql, &ids, now));
        // What turns out unwritable is recorded by the next commit: this one is under way.
        let mut unwritable = Vec::new();
        let written = self.lanes.iter_mut().try_for_each(|lane| {
            unwritable.extend(lane.write_some(outbox, now)?);
            Ok::<(), OutboxError>(())
        });
        match committing.wait() {
            Ok(changed) => self.changed(outbox, asked, going, changed),
            Err(error) => {
                for (number, going) in going.into_iter().rev() {
                    match going {
                        Going::Asking(asking) => self.lanes[number].asked(asking),
                        Going::Waiting(waiting) => self.lanes[number].come_back_unsent(waiting),
                    }
                }
                self.ended.extend(unwritable);
                return Err(error.into());
            }
        }
        self.ended.extend(unwritable);
        written.map(|()| true)
    }

    fn changed(
        &mut self,
        outbox: &Outbox,
        asked: Vec<(usize, usize)>,
        going: Vec<(usize, Going)>,
        changed: Changed,
    ) {
        // At once: a kill between its attempt and its end leaves a mail in doubt that never left.
        for ((number, going), is_ours) in going.into_iter().zip(changed.ours) {
            let lane = &mut self.lanes[number];
            if is_ours {
                faults::point("outbox.begun");
            }
            match going {
                Going::Waiting(waiting) if is_ours => {
                    self.smtp.send(number, lane.relay(), waiting.mail);
                }
                // Without a listener its connection has broken meanwhile, which will be heard of.
                Going::Asking(asking) if is_ours => {
                    let _ = asking.word.send(());
                }
                Going::Asking(Asking { id, .. }) => drop(lane.came_back(id)),
                Going::Waiting(waiting) => drop(lane.came_back(waiting.mail.outbox)),
            }
        }
        let ended = std::mem::take(&mut self.ended);
        if !ended.is_empty() {
            faults::point("outbox.marked");
        }
        outbox.tell(&ended);
        self.lanes.iter_mut().for_each(Lane::was_told);
        for ((number, limit), claims) in asked.into_iter().zip(changed.claims) {
            faults::point("outbox.claimed");
            self.lanes[number].claimed(claims, limit);
        }
        if changed.given_up > 0 {
            let (count, what) = (changed.given_up, "that waited for all of `outbox.retry`");
            warn!(mails = count, "gave up {count} of the mails {what}: no relay was there");
        }
        if self.untold >= TOLD_TOGETHER {
            self.tell_sent();
        }
    }

    fn tell_sent(&mut self) {
        let sent = std::mem::take(&mut self.untold);
        if sent > 0 {
            info!(mails = sent, "sent {sent} {}", mails(sent));
        }
    }

    // Mail of mailboxes that are gone, or that have no relay, would wait for ever without a word.
    fn take_strays(&mut self, outbox: &Outbox, now: Timestamp) -> Result<(), OutboxError> {
        if !is_due(self.strays_at, STRAYS_EVERY, now) {
            return Ok(());
        }
        let (worker, whose) = (outbox.worker.clone(), self.strays.clone());
        let longest = outbox.longest_wait(STRAYS_LEASE);
        let claims = outbox.store.transact(move |sql| {
            outbox::set_right(sql, &whose, now, longest)?;
            if outbox::next_due(sql, &worker, &whose)?.is_none_or(|due| due > now) {
                return Ok(Vec::new());
            }
            outbox::claim_due(sql, &worker, &whose, now, STRAYS_LEASE, CLAIMED)
        })?;
        if claims.len() < CLAIMED {
            self.strays_at = now.saturating_add(STRAYS_EVERY).unwrap_or(Timestamp::MAX);
        }
        let (ready, ends) = outbox.write_all(&claims, Repeat::Twice, now)?;
        self.ended.extend(ends);
        self.ended.extend(ready.into_iter().map(|ready| {
            let why = Unwritable::NoRelay(ready.mail.mailbox).to_string();
            Ended { claim: ready.attempt.claim, end: End::GaveUp(GaveUp::Parked, why) }
        }));
        Ok(())
    }
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.attempts.is_empty()
            && self.claims.is_empty()
            && self.ends.is_empty()
            && self.shut.is_empty()
    }

    fn make(&self, sql: &mut dyn Sql, ids: &Ids, now: Timestamp) -> Result<Changed, StoreError> {
        record(sql, &self.ends, now)?;
        let mut given_up = 0;
        for shut in &self.shut {
            given_up += outbox::out_of_reach(sql, &shut.whose, shut.patience, &shut.why, now)?;
        }
        let ours = self
            .attempts
            .iter()
            .map(|(attempt, lease)| outbox::begin_attempt(sql, attempt, *lease, ids, now))
            .collect::<Result<_, _>>()?;
        let claims = self
            .claims
            .iter()
            .map(|Wanted { whose, lease, limit, longest_wait }| {
                outbox::set_right(sql, whose, now, *longest_wait)?;
                outbox::claim_due(sql, &self.worker, whose, now, *lease, *limit)
            })
            .collect::<Result<_, _>>()?;
        Ok(Changed { ours, claims, given_up })
    }
}

fn earlier(one: Next, other: Next) -> Next {
    match (one, other) {
        (Next::Now, _) | (_, Next::Now) => Next::Now,
        (Next::At(one), Next::At(other)) => Next::At(one.min(other)),
        (Next::At(at), Next::Idle) | (Next::Idle, Next::At(at)) => Next::At(at),
        (Next::Idle, Next::Idle) => Next::Idle,
    }
}
