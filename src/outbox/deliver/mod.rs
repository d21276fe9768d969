//! The loop that gets mail away: claim, write, commit the attempt, and only then send (design §4.6).
//! A mail that cannot be written is parked with the reason and blocks no other.

mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tracing::{debug, info, warn};

use super::render::RenderedMail;
use super::template::Templates;
use super::transport::{Repeat, Response, SendError, Transport};
use super::{Options, OutboxError, Unwritable};
use crate::clock::{Clock, Ids, Next};
use crate::store::outbox::{self, Attempt, GaveUp, Heard, OutboxClaim};
use crate::store::{Store, StoreError};

// Whose leases are whose; one daemon has one outbox.
const WORKER: &str = "outbox";
// Longer than any batch takes.
const LEASE: SignedDuration = SignedDuration::from_mins(10);

/// Sends mail of ours.
pub struct Outbox {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
    options: Options,
    templates: Templates,
    transport: Transport,
    zone: TimeZone,
}

/// A mail written, and what must be committed before it goes.
struct Ready {
    attempt: Attempt,
    mail: RenderedMail,
}

/// What became of a claim.
enum End {
    GaveUp(GaveUp, String),
    Later(Timestamp, Heard, String),
    Recorded(String),
    Sent(String),
}

/// A claim that has come to its end.
struct Ended {
    claim: OutboxClaim,
    end: End,
}

impl Outbox {
    /// An outbox with its templates loaded. Takes back what it had leased when it was last killed.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Ids,
        options: Options,
    ) -> Result<Outbox, OutboxError> {
        let templates = Templates::load(&options).map_err(OutboxError::Templates)?;
        let zone = TimeZone::get(&options.timezone)
            .map_err(|_| OutboxError::TimeZone(options.timezone.clone()))?;
        let transport = Transport::new(&options.transport);
        let now = clock.now();
        store.transact(move |sql| outbox::take_back(sql, WORKER, now))?;
        Ok(Outbox { store, clock, ids, options, templates, transport, zone })
    }

    /// Sends some of what is due, and says when to come back.
    pub fn step(&self) -> Result<Next, OutboxError> {
        let now = self.clock.now();
        let limit = self.transport.together();
        let claims =
            self.store.transact(move |sql| outbox::claim_due(sql, WORKER, now, LEASE, limit))?;
        if claims.is_empty() {
            let next = self.store.read_only(outbox::next_due)?;
            return Ok(next.map_or(Next::Idle, Next::At));
        }
        let (ready, mut ends) = self.write_all(&claims, now)?;
        ends.extend(self.send_all(ready, now)?);
        self.record(ends)?;
        Ok(Next::Now)
    }

    fn write_all(
        &self,
        claims: &[OutboxClaim],
        now: Timestamp,
    ) -> Result<(Vec<Ready>, Vec<Ended>), OutboxError> {
        let (mut ready, mut ends) = (Vec::new(), Vec::new());
        // Read first and mint after: hashing a password takes longer than a reader should stay.
        let matters = self.store.read_only(|sql| {
            claims.iter().map(|claim| self.matter(sql, claim.id)).collect::<Result<Vec<_>, _>>()
        })?;
        for (claim, matter) in claims.iter().zip(matters) {
            let lost_twice = claim.unsure > 1 && self.transport.repeat() == Repeat::Twice;
            let written = match matter {
                // P-03: once more after an end nobody knows, never a third time.
                Ok(_) if lost_twice => {
                    Err("it may have gone out twice: nobody knows how two attempts ended"
                        .to_owned())
                }
                // F-09: what a writer of mail could choke on is taken out before; this keeps a mail
                // that nobody thought of from taking the others with it.
                Ok(matter) => catch_unwind(AssertUnwindSafe(|| self.write(*claim, &matter, now)))
                    .unwrap_or_else(|_| Err(Unwritable::Builder("writing it panicked".to_owned())))
                    .map_err(|why| why.to_string()),
                Err(why) => Err(why),
            };
            match written {
                Ok(one) => ready.push(one),
                Err(why) => {
                    ends.push(Ended { claim: *claim, end: End::GaveUp(GaveUp::Parked, why) });
                }
            }
        }
        Ok((ready, ends))
    }

    // Commits the attempts, then sends what is still ours.
    fn send_all(&self, ready: Vec<Ready>, now: Timestamp) -> Result<Vec<Ended>, OutboxError> {
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.ids.clone();
        let (attempts, mails): (Vec<Attempt>, Vec<RenderedMail>) =
            ready.into_iter().map(|ready| (ready.attempt, ready.mail)).unzip();
        let claims: Vec<OutboxClaim> = attempts.iter().map(|attempt| attempt.claim).collect();
        let ours = self.store.transact(move |sql| {
            attempts
                .iter()
                .map(|attempt| outbox::begin_attempt(sql, attempt, &ids, now))
                .collect::<Result<Vec<bool>, StoreError>>()
        })?;
        let (claims, mails): (Vec<OutboxClaim>, Vec<RenderedMail>) = claims
            .into_iter()
            .zip(mails)
            .zip(ours)
            .filter_map(|(mail, is_ours)| is_ours.then_some(mail))
            .unzip();
        let answers = self.transport.send(&mails);
        let judged = claims.into_iter().zip(answers);
        Ok(judged.map(|(claim, said)| Ended { claim, end: self.judge(claim, said) }).collect())
    }

    fn judge(&self, claim: OutboxClaim, sent: Result<Response, SendError>) -> End {
        let error = match sent {
            Ok(Response::Recorded { said }) => return End::Recorded(said),
            Ok(Response::Taken { said }) => return End::Sent(said),
            Err(error) => error,
        };
        let said = error.to_string();
        let heard = match error {
            SendError::Permanent { .. } => return End::GaveUp(GaveUp::Failed, said),
            SendError::Ambiguous { .. } if claim.unsure > 0 => {
                return End::GaveUp(GaveUp::Parked, said);
            }
            SendError::Ambiguous { .. } => Heard::Nothing,
            SendError::Temporary { .. } => Heard::Answer,
        };
        let pause = usize::try_from(claim.attempts).ok().and_then(|n| self.options.retry.get(n));
        match pause {
            Some(pause) => {
                let at = self.clock.now().saturating_add(*pause).unwrap_or(Timestamp::MAX);
                End::Later(at, heard, said)
            }
            None => {
                let attempts = claim.attempts + 1;
                let said = format!("given up after {attempts} attempts: {said}");
                End::GaveUp(GaveUp::Parked, said)
            }
        }
    }

    fn record(&self, ends: Vec<Ended>) -> Result<(), OutboxError> {
        let now = self.clock.now();
        for Ended { claim, end } in &ends {
            match end {
                End::GaveUp(_, why) => {
                    warn!(outbox.id = claim.id, reason = %why, "gave up mail {}", claim.id);
                }
                End::Later(at, _, why) => {
                    warn!(outbox.id = claim.id, reason = %why, until = %at, "mail {} must wait", claim.id);
                }
                End::Recorded(_) | End::Sent(_) => {
                    debug!(outbox.id = claim.id, "mail {}", claim.id)
                }
            }
        }
        let count = |which: fn(&End) -> bool| ends.iter().filter(|ended| which(&ended.end)).count();
        let sent = count(|end| matches!(end, End::Sent(_)));
        let recorded = count(|end| matches!(end, End::Recorded(_)));
        if sent > 0 {
            info!(mails = sent, "sent {sent} {}", mails(sent));
        }
        if recorded > 0 {
            let what = mails(recorded);
            info!(mails = recorded, "recorded {recorded} {what}: the transport is `none`");
        }
        self.store.transact(move |sql| {
            for Ended { claim, end } in &ends {
                // A row that is no longer ours was taken over after our lease: its new owner decides.
                match end {
                    End::GaveUp(how, why) => outbox::give_up(sql, *claim, *how, why)?,
                    End::Later(at, heard, why) => outbox::retry_at(sql, *claim, *at, *heard, why)?,
                    End::Recorded(said) => outbox::recorded(sql, *claim, said, now)?,
                    End::Sent(said) => outbox::sent(sql, *claim, said, now)?,
                };
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn mails(count: usize) -> &'static str {
    if count == 1 { "mail" } else { "mails" }
}

#[cfg(test)]
mod tests;
