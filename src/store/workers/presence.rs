//! A process's own entry among those that work on a store: made at its start, renewed while it
//! lives, taken out at its end. Whoever renews also looks after the dead.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{Freed, Process, Registered, worker};
use crate::clock::{Clock, Ids, Next, is_due};
use crate::faults;
use crate::store::{Sharing, Store, StoreError};

/// How often a process says that it lives, and when the others stop believing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub beat: SignedDuration,
    /// Several beats: one that is late is no death.
    pub patience: SignedDuration,
}

impl Default for Pace {
    fn default() -> Pace {
        let patience = faults::patience().map(SignedDuration::from_millis);
        let patience = patience.unwrap_or(SignedDuration::from_secs(30));
        Pace { beat: patience / 6, patience }
    }
}

// In each of them a living process beats, unless it is very slow.
const LOOKS: u32 = 3;

/// This process, among those that work on a store. Its entry is taken out when it is dropped.
pub struct Presence {
    store: Store,
    clock: Arc<dyn Clock>,
    process: Process,
    name: String,
    pace: Pace,
    // In unix milliseconds.
    next_beat: AtomicI64,
    /// Those that had not beaten between two looks, with their last beat, and for how many looks.
    silent: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Presence {
    /// Enters this process, and frees what dead ones had in hand. On a store that one process has
    /// to itself, as its [`Role`](crate::store::Role) sees to, every other one is dead.
    pub fn begin(
        store: &Store,
        clock: &Arc<dyn Clock>,
        ids: &Ids,
        pace: Pace,
    ) -> Result<Presence, StoreError> {
        let presence = Presence {
            store: store.clone(),
            clock: clock.clone(),
            process: Process::own(),
            name: ids.uuid(),
            pace,
            next_beat: AtomicI64::new(0),
            silent: Mutex::default(),
        };
        let (name, process, now) =
            (presence.name.clone(), presence.process.clone(), presence.clock.now());
        let dead = presence.dead(now)?;
        store.transact(move |sql| {
            super::enter(sql, &name, &process, now)?;
            strike_off_all(sql, &dead)?;
            faults::point("presence.free");
            if !faults::stands("P-04") {
                return Ok(Freed::default());
            }
            super::free_orphans(sql, now)
        })?;
        faults::point("presence.entered");
        Ok(presence)
    }

    /// What one of this process's workers signs its leases with.
    pub fn worker(&self, work: &str) -> String {
        worker(&self.name, work)
    }

    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Gives back what mailboxes this process has leased.
    pub fn let_go_of_mailboxes(&self) -> Result<(), StoreError> {
        let name = self.name.clone();
        self.store.transact(move |sql| super::let_go_of_mailboxes(sql, &name))
    }

    /// Says that this process lives, and frees what others that do not any more had in hand.
    pub fn step(&self) -> Result<Next, StoreError> {
        let now = self.clock.now();
        let (name, until) = (self.name.clone(), self.until(now));
        if !self.store.transact(move |sql| super::beat(sql, &name, now, until))? {
            warn!(
                "this process was silent for so long that another one has taken over its work\nhint: see why it, its machine or its connection to the database stood still"
            );
            let (name, process) = (self.name.clone(), self.process.clone());
            self.store.transact(move |sql| super::enter(sql, &name, &process, now))?;
        }
        faults::point("presence.beat");
        self.bury(now)?;
        let next = now.saturating_add(self.pace.beat).unwrap_or(Timestamp::MAX);
        self.next_beat.store(next.as_millisecond(), Ordering::SeqCst);
        Ok(Next::At(next))
    }

    /// As [`Presence::step`], for whoever has a loop of its own: does nothing until it is time.
    pub fn keep_up(&self) -> Result<(), StoreError> {
        let next = Timestamp::from_millisecond(self.next_beat.load(Ordering::SeqCst))
            .expect("only values of a Timestamp are stored");
        if is_due(next, self.pace.beat, self.clock.now()) && self.store.sharing() == Sharing::Shared
        {
            self.step()?;
        }
        Ok(())
    }

    // Nobody loses a mailbox over a message that takes long to download.
    fn until(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.pace.patience).unwrap_or(Timestamp::MAX)
    }

    fn bury(&self, now: Timestamp) -> Result<(), StoreError> {
        let dead = self.long_silent(self.dead(now)?);
        if dead.is_empty() {
            return Ok(());
        }
        let (struck, freed) = self.store.transact(move |sql| {
            let struck = strike_off_all(sql, &dead)?;
            let freed = if struck > 0 { super::free_orphans(sql, now)? } else { Freed::default() };
            Ok((struck, freed))
        })?;
        let Freed { mailboxes, mails, messages } = freed;
        if struck > 0 {
            info!(
                leases.mailboxes = mailboxes,
                leases.mails = mails,
                leases.messages = messages,
                "another process has ended without a word: what it had in hand is free, {messages} messages, {mails} mails and {mailboxes} mailboxes"
            );
        }
        Ok(())
    }

    // A clock that goes on by an hour makes everybody's last beat an hour old: whoever is not known to
    // be dead has a few more looks to beat in (P-11).
    fn long_silent(&self, mut gone: Vec<Registered>) -> Vec<Registered> {
        let mut silent = self.silent.lock().expect("no holder of this lock panics");
        silent.retain(|name, _| gone.iter().any(|other| other.name == *name));
        gone.retain(|other| {
            let (seen_at, looks) = silent.entry(other.name.clone()).or_insert((other.seen_at, 0));
            *looks = if *seen_at == other.seen_at { *looks + 1 } else { 1 };
            *seen_at = other.seen_at;
            let is_dead = other.process.as_ref().is_some_and(|one| one.is_dead(&self.process));
            is_dead || *looks > LOOKS || !faults::stands("P-11-presence")
        });
        gone
    }

    fn dead(&self, now: Timestamp) -> Result<Vec<Registered>, StoreError> {
        let mut others = self.store.read_only(super::registered)?;
        let shared = self.store.sharing() == Sharing::Shared;
        others.retain(|other| {
            other.name != self.name
                && (!shared || other.is_gone(&self.process, now, self.pace.patience))
        });
        Ok(others)
    }
}

impl Drop for Presence {
    // What its workers have not handed back is free with it; should this fail, it is once others
    // have lost their patience.
    fn drop(&mut self) {
        let (name, now) = (self.name.clone(), self.clock.now());
        faults::point("presence.leave");
        let ended = self.store.transact(move |sql| {
            super::strike_off(sql, &name, Timestamp::MAX)?;
            super::free_orphans(sql, now)
        });
        if let Err(failure) = ended {
            warn!("this process could not take its leave of the store: {failure}");
        }
    }
}

fn strike_off_all(
    sql: &mut dyn crate::store::Sql,
    dead: &[Registered],
) -> Result<usize, StoreError> {
    let mut struck = 0;
    for other in dead {
        struck += usize::from(super::strike_off(sql, &other.name, other.seen_at)?);
    }
    Ok(struck)
}
