//! The loop that gets mail away: claim, write, commit the attempt, and only then send (design §4.6).
//! A mail that cannot be written is parked with the reason and blocks no other.

mod draft;
mod lanes;
mod pace;
mod values;
mod write;

pub use draft::Draft;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tracing::{debug, info, warn};

use self::lanes::Lanes;
use super::render::RenderedMail;
use super::template::Templates;
use super::transport::{Response, SendError, Transport};
use super::{Options, OutboxError, TransportOptions, Unwritable};
use crate::clock::{Clock, Ids, Next};
use crate::faults;
use crate::store::outbox::{self, Attempt, GaveUp, Heard, OutboxClaim, Whose};
use crate::store::{Sql, Store, StoreError};

// Longer than any batch takes.
const LEASE: SignedDuration = SignedDuration::from_mins(10);

/// Sends mail of ours.
pub struct Outbox {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
    options: Options,
    templates: Templates,
    way: Way,
    zone: TimeZone,
    worker: String,
}

/// How mail leaves.
enum Way {
    /// A batch at a time, each with its answer at once; and why it does not take what it is given,
    /// while it does not.
    Here(Transport, Mutex<Option<Unreached>>),
    /// By relays. One step at a time.
    Relays(Mutex<Lanes>),
}

/// A mail written, and what must be committed before it goes.
struct Ready {
    attempt: Attempt,
    mail: RenderedMail,
}

/// What became of a claim.
#[derive(Clone)]
enum End {
    GaveUp(GaveUp, String),
    /// The way out was closed before anybody was asked to take it.
    HandedBack,
    Later(Timestamp, String),
    Recorded(String),
    Sent {
        said: String,
        relay_id: Option<String>,
    },
}

/// A claim that has come to its end.
#[derive(Clone)]
struct Ended {
    /// With the attempt that was made, if one was.
    claim: OutboxClaim,
    end: End,
}

/// What comes of a mail that was handed over, and then again because nobody remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// The second takes the place of the first.
    Harmless,
    /// There are two then, with one Message-ID (P-03).
    Twice,
}

/// A way out that cannot be used now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The host of a relay, or a maildir.
    pub relay: String,
    pub why: String,
}

impl Outbox {
    /// An outbox with its templates loaded, of a process that is entered in the store
    /// ([`crate::store::workers`]); `worker` is the name in its leases.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Ids,
        options: Options,
        worker: String,
    ) -> Result<Outbox, OutboxError> {
        let templates = Templates::load(&options).map_err(OutboxError::Templates)?;
        let zone = TimeZone::get(&options.timezone)
            .map_err(|_| OutboxError::TimeZone(options.timezone.clone()))?;
        let way = match &options.transport {
            TransportOptions::File { maildir } => {
                Way::Here(Transport::File(maildir.clone()), Mutex::default())
            }
            TransportOptions::None => Way::Here(Transport::None, Mutex::default()),
            TransportOptions::Smtp => Way::Relays(Mutex::new(Lanes::new(&options)?)),
        };
        Ok(Outbox { store, clock, ids, options, templates, way, zone, worker })
    }

    /// Sends some of what is due, and says when to come back.
    pub fn step(&self) -> Result<Next, OutboxError> {
        match &self.way {
            Way::Here(transport, unreached) => self.step_here(transport, unreached),
            Way::Relays(lanes) => lanes.lock().expect("no holder of this lock panics").step(self),
        }
    }

    /// The ways out that cannot be used now: their mail waits.
    pub fn unreached(&self) -> Vec<Unreached> {
        match &self.way {
            Way::Here(_, unreached) => {
                unreached.lock().expect("no holder of this lock panics").iter().cloned().collect()
            }
            Way::Relays(lanes) => lanes.lock().expect("no holder of this lock panics").unreached(),
        }
    }

    fn step_here(
        &self,
        transport: &Transport,
        unreached: &Mutex<Option<Unreached>>,
    ) -> Result<Next, OutboxError> {
        let now = self.clock.now();
        let limit = transport.together();
        let worker = self.worker.clone();
        let longest = self.longest_wait(LEASE);
        let claims = self.store.transact(move |sql| {
            outbox::set_right(sql, &Whose::All, now, longest)?;
            outbox::claim_due(sql, &worker, &Whose::All, now, LEASE, limit)
        })?;
        if claims.is_empty() {
            let next =
                self.store.read_only(|sql| outbox::next_due(sql, &self.worker, &Whose::All))?;
            return Ok(next.map_or(Next::Idle, Next::At));
        }
        faults::point("outbox.claimed");
        let (ready, mut ends) = self.write_all(&claims, Repeat::Harmless, now)?;
        ends.extend(self.send_all(transport, ready, now)?);
        self.tell(&ends);
        tell_together(&ends);
        self.note_reach(unreached, &ends);
        self.store.transact(move |sql| record(sql, &ends, now))?;
        faults::point("outbox.marked");
        Ok(Next::Now)
    }

    // That a maildir takes no mail is said once, and that it does again.
    fn note_reach(&self, unreached: &Mutex<Option<Unreached>>, ends: &[Ended]) {
        let TransportOptions::File { maildir } = &self.options.transport else { return };
        let mut unreached = unreached.lock().expect("no holder of this lock panics");
        let relay = maildir.display().to_string();
        if ends.iter().any(|ended| matches!(ended.end, End::Sent { .. })) {
            if unreached.take().is_some() {
                info!("mail goes to `{relay}` again");
            }
            return;
        }
        let why = ends.iter().find_map(|ended| match &ended.end {
            End::Later(_, why) => Some(why.clone()),
            _ => None,
        });
        let Some(why) = why else { return };
        if unreached.is_none() {
            warn!(
                "mail cannot be sent: {why}\nhint: see that there is room on its disk and that guichet may write there; the mails wait, and are tried again as `outbox.retry` says"
            );
        }
        *unreached = Some(Unreached { relay, why });
    }

    /// No mail is put off for longer: until its next attempt, or the end of such a lease.
    fn longest_wait(&self, lease: SignedDuration) -> SignedDuration {
        self.options.retry.iter().copied().fold(lease, SignedDuration::max)
    }

    fn write_all(
        &self,
        claims: &[OutboxClaim],
        repeat: Repeat,
        now: Timestamp,
    ) -> Result<(Vec<Ready>, Vec<Ended>), OutboxError> {
        let (mut ready, mut ends) = (Vec::new(), Vec::new());
        // Read first and mint after: hashing a password takes longer than a reader should stay.
        let keys = self.keys(now)?;
        let matters = self.store.read_only(|sql| {
            claims.iter().map(|claim| self.matter(sql, claim.id)).collect::<Result<Vec<_>, _>>()
        })?;
        for (claim, matter) in claims.iter().zip(matters) {
            let lost_twice = claim.unsure > 1 && repeat == Repeat::Twice;
            let written = match matter {
                // P-03: once more after an end nobody knows, never a third time.
                Ok(_) if lost_twice && faults::stands("P-03") => {
                    Err("it may have gone out twice: nobody knows how two attempts ended"
                        .to_owned())
                }
                // F-09: what a writer of mail could choke on is taken out before; this keeps a mail
                // that nobody thought of from taking the others with it.
                Ok(matter) => {
                    catch_unwind(AssertUnwindSafe(|| self.write(*claim, &matter, &keys, now)))
                        .unwrap_or_else(|_| {
                            Err(Unwritable::Builder("writing it panicked".to_owned()))
                        })
                        .map_err(|why| why.to_string())
                }
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
    fn send_all(
        &self,
        transport: &Transport,
        ready: Vec<Ready>,
        now: Timestamp,
    ) -> Result<Vec<Ended>, OutboxError> {
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
                .map(|attempt| outbox::begin_attempt(sql, attempt, LEASE, &ids, now))
                .collect::<Result<Vec<bool>, StoreError>>()
        })?;
        let (claims, mails): (Vec<OutboxClaim>, Vec<RenderedMail>) = claims
            .into_iter()
            .zip(mails)
            .zip(ours)
            .filter_map(|(mail, is_ours)| is_ours.then_some(mail))
            .unzip();
        faults::point("outbox.begun");
        let answers = transport.send(&mails);
        let judged = claims.into_iter().zip(answers);
        Ok(judged.map(|(claim, said)| self.judge(claim, said)).collect())
    }

    fn judge(&self, claim: OutboxClaim, sent: Result<Response, SendError>) -> Ended {
        let heard = match sent {
            Err(SendError::Ambiguous { .. }) => Heard::Nothing,
            Ok(_) | Err(_) => Heard::Answer,
        };
        let pause = usize::try_from(claim.attempts).ok().and_then(|n| self.options.retry.get(n));
        let tried = claim.tried(heard);
        let end = match sent {
            Ok(Response::Recorded { said }) => End::Recorded(said),
            Ok(Response::Taken { said, relay_id }) => End::Sent { said, relay_id },
            Err(SendError::Permanent { said }) => End::GaveUp(GaveUp::Failed, said),
            Err(SendError::Unable { said }) => End::GaveUp(GaveUp::Parked, said),
            Err(SendError::Ambiguous { said }) if tried.unsure > 1 => {
                End::GaveUp(GaveUp::Parked, said)
            }
            Err(SendError::Ambiguous { said } | SendError::Temporary { said }) => {
                self.tried_in_vain(tried, pause.copied(), said)
            }
        };
        Ended { claim: tried, end }
    }

    fn tried_in_vain(
        &self,
        tried: OutboxClaim,
        pause: Option<SignedDuration>,
        said: String,
    ) -> End {
        let Some(pause) = pause.filter(|_| faults::stands("P-15")) else {
            let said = format!("given up after {} attempts: {said}", tried.attempts);
            return End::GaveUp(GaveUp::Parked, said);
        };
        let at = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        End::Later(at, said)
    }

    fn tell(&self, ends: &[Ended]) {
        for Ended { claim, end } in ends {
            match end {
                End::GaveUp(_, why) => {
                    warn!(outbox.id = claim.id, reason = %why, "gave up mail {}", claim.id);
                }
                End::Later(at, why) => {
                    warn!(outbox.id = claim.id, reason = %why, until = %at, "mail {} must wait", claim.id);
                }
                End::HandedBack | End::Recorded(_) | End::Sent { .. } => {
                    debug!(outbox.id = claim.id, "mail {}", claim.id);
                }
            }
        }
    }
}

// One line for all of a batch.
fn tell_together(ends: &[Ended]) {
    let count = |which: fn(&End) -> bool| ends.iter().filter(|ended| which(&ended.end)).count();
    let sent = count(|end| matches!(end, End::Sent { .. }));
    let recorded = count(|end| matches!(end, End::Recorded(_)));
    if sent > 0 {
        info!(mails = sent, "sent {sent} {}", mails(sent));
    }
    if recorded > 0 {
        let what = mails(recorded);
        info!(mails = recorded, "recorded {recorded} {what}: the transport is `none`");
    }
}

impl Drop for Outbox {
    // What is under way comes to its end, and the rest is handed back.
    fn drop(&mut self) {
        if let Way::Relays(lanes) = &self.way
            && let Ok(mut lanes) = lanes.lock()
        {
            lanes.close(self);
        }
    }
}

// A row that is no longer ours was taken over after our lease: its new owner decides.
fn record(sql: &mut dyn Sql, ends: &[Ended], now: Timestamp) -> Result<(), StoreError> {
    for Ended { claim, end } in ends {
        match end {
            End::GaveUp(how, why) => outbox::give_up(sql, *claim, *how, why)?,
            End::HandedBack => outbox::hand_back(sql, *claim, now)?,
            End::Later(at, why) => outbox::retry_at(sql, *claim, *at, why)?,
            End::Recorded(said) => outbox::recorded(sql, *claim, said, now)?,
            End::Sent { said, relay_id } => {
                outbox::sent(sql, *claim, said, relay_id.as_deref(), now)?
            }
        };
    }
    Ok(())
}

fn mails(count: usize) -> &'static str {
    if count == 1 { "mail" } else { "mails" }
}

#[cfg(test)]
mod tests;
