//! What intake asks of the store, and tells it: the ledger of what was brought in, and the queue of
//! what a mailbox must still be told. Each function is one transaction.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::IntakeError;
use super::tenure::{Held, Hold, Tenure};
use super::{After, Options};
use crate::clock::{Clock, Ids};
use crate::faults;
use crate::store::mailboxes::{self, Beginning};
use crate::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use crate::store::{Sql, Store, StoreError};

// The position of a source whose mail from before the start is all in the ledger.
const STARTED: &str = "started";

/// The store, as one mailbox sees it.
pub(super) struct Ledger {
    mailbox: String,
    address: String,
    acknowledge: Acknowledge,
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Ids,
    hold: Hold,
}

/// How far the first contact with a mailbox has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// It began at this time and was cut off.
    CutOff(Timestamp),
    New,
    Over,
}

impl Ledger {
    pub(super) fn new(
        options: &Options,
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Ids,
        tenure: Tenure,
    ) -> Ledger {
        let (mailbox, address) = (options.name.clone(), options.address.clone());
        let acknowledge = match options.after {
            After::Keep => Acknowledge::Never,
            After::Delete | After::Flag | After::Move { .. } => Acknowledge::AfterDecision,
        };
        let hold = Hold::new(&mailbox, tenure);
        Ledger { mailbox, address, acknowledge, store, clock, ids, hold }
    }

    /// Sees to it that the mailbox is ours; to be asked before anything is done to it.
    pub(super) fn hold(&self) -> Result<Held, IntakeError> {
        match self.hold.due(self.clock.now()) {
            Some(ask) => Ok(self.hold.note(self.result(self.store.transact(ask))?)),
            None => Ok(Held::Kept),
        }
    }

    /// When [`Ledger::hold`] wants to be asked again.
    pub(super) fn renew_at(&self) -> Timestamp {
        self.hold.renew_at()
    }

    pub(super) fn begin(&self) -> Result<Contact, IntakeError> {
        let (mailbox, address, now) =
            (self.mailbox.clone(), self.address.clone(), self.clock.now());
        let beginning = self.write(move |sql| mailboxes::begin(sql, &mailbox, &address, now))?;
        Ok(match beginning {
            Beginning::Known { position: Some(_), .. } => Contact::Over,
            Beginning::Known { started_at, position: None } => Contact::CutOff(started_at),
            Beginning::New => Contact::New,
        })
    }

    pub(super) fn started(&self) -> Result<(), IntakeError> {
        let mailbox = self.mailbox.clone();
        self.write(move |sql| mailboxes::set_position(sql, &mailbox, STARTED))
    }

    /// Which of these base names of a maildir are in the ledger.
    pub(super) fn known(&self, bases: &[String]) -> Result<HashSet<String>, IntakeError> {
        let key = |base: &String| Origin::MaildirFile { base: base.clone() }.key();
        let keys: Vec<String> = bases.iter().map(key).collect();
        let known =
            self.result(self.store.read_only(|sql| spool::known(sql, &self.mailbox, &keys)))?;
        let pairs = bases.iter().zip(&keys);
        Ok(pairs.filter(|(_, key)| known.contains(*key)).map(|(base, _)| base.clone()).collect())
    }

    /// Enters messages from before the start; answers how many were new.
    pub(super) fn skip(&self, messages: Vec<(Origin, Timestamp)>) -> Result<usize, IntakeError> {
        let (mailbox, ids, now) = (self.mailbox.clone(), self.ids.clone(), self.clock.now());
        self.write(move |sql| spool::skip(sql, &mailbox, &messages, now, &ids))
    }

    /// Makes a message ready for the store: compressed on this thread, not on the store's.
    pub(super) fn arrival(&self, message: RawMessage) -> Arrival {
        Arrival::new(message, &self.ids)
    }

    /// Stores a batch; answers how many were new.
    pub(super) fn spool(&self, arrivals: Vec<Arrival>) -> Result<usize, IntakeError> {
        let (now, acknowledge) = (self.clock.now(), self.acknowledge);
        let inserted = self.write(move |sql| spool::spool(sql, &arrivals, now, acknowledge))?;
        faults::point("spool.committed");
        Ok(inserted.len())
    }

    pub(super) fn owed(&self, limit: usize) -> Result<Vec<(String, Origin)>, IntakeError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let owed = |sql: &mut dyn Sql| spool::owed(sql, &self.mailbox, Origin::FILES, limit);
        let owed = self.result(self.store.read_only(owed))?;
        Ok(owed.into_iter().map(|owed| (owed.id, owed.origin)).collect())
    }

    pub(super) fn acknowledged(&self, ids: Vec<String>) -> Result<(), IntakeError> {
        self.write(move |sql| spool::acknowledged(sql, &ids))
    }

    // Refused once the lease is lost (P-10).
    fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, IntakeError> {
        let guard = self.hold.guard();
        self.result(self.store.transact(move |sql| {
            guard(sql)?;
            work(sql)
        }))
    }

    fn result<T>(&self, result: Result<T, StoreError>) -> Result<T, IntakeError> {
        result.map_err(|cause| IntakeError::Store { mailbox: self.mailbox.clone(), cause })
    }
}
