//! What a mailbox on a server asks of the store, and tells it. Each function is one transaction, for
//! an async thread.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::logins::{WITHIN, mark};
use super::position::Position;
use super::restless;
use crate::clock::{Clock, Ids};
use crate::faults;
use crate::intake::error::IntakeError;
use crate::intake::tenure::{Held, Hold, Tenure};
use crate::intake::{After, Options};
use crate::net::Login;
use crate::store::renumbered::{self, Cause};
use crate::store::spool::{self, Acknowledge, Arrival, Origin, Owed, Seen, Series};
use crate::store::uids::{self, OwedUid};
use crate::store::{Sql, Store, StoreError};
use crate::store::{logins, mailboxes};

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

/// What is committed together: messages, and how far that brings the mailbox.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) arrivals: Vec<Arrival>,
    /// From before the start.
    pub(super) skipped: Vec<(Origin, Timestamp)>,
    /// Not to be had, each with the reason.
    pub(super) owed: Vec<(u32, String)>,
    /// Owed no longer.
    pub(super) forgiven: Vec<u32>,
}

/// What became of an [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) spooled: usize,
    pub(super) skipped: usize,
    /// Whether the position was where we left it; otherwise somebody moved it.
    pub(super) is_current: bool,
}

impl Ledger {
    pub(super) fn new(
        options: &Options,
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Ids,
        tenure: Tenure,
    ) -> Ledger {
        let acknowledge = match options.after {
            After::Keep => Acknowledge::Never,
            After::Delete | After::Flag | After::Move { .. } => Acknowledge::AfterDecision,
        };
        let (mailbox, address) = (options.name.clone(), options.address.clone());
        let hold = Hold::new(&mailbox, tenure);
        Ledger { mailbox, address, acknowledge, store, clock, ids, hold }
    }

    /// Sees to it that the mailbox is ours; to be asked before anything is done to it.
    pub(super) async fn hold(&self) -> Result<Held, IntakeError> {
        match self.hold.due(self.clock.now()) {
            Some(ask) => Ok(self.hold.note(self.transact(ask).await?)),
            None => Ok(Held::Kept),
        }
    }

    /// When [`Ledger::hold`] wants to be asked again.
    pub(super) fn renew_at(&self) -> Timestamp {
        self.hold.renew_at()
    }

    /// Since when the mailbox is known, and its position as it stands in the store.
    pub(super) async fn standing(
        &self,
    ) -> Result<Option<(Timestamp, Option<String>)>, IntakeError> {
        let mailbox = self.mailbox.clone();
        self.transact(move |sql| mailboxes::standing(sql, &mailbox)).await
    }

    /// Enters the mailbox, or its new series: what could not be fetched in another one is found
    /// again. Of `others` there is nothing to tell. For the `cause`, if there is one, messages are
    /// stored that are known already.
    pub(super) async fn begin(
        &self,
        position: Position,
        others: Vec<String>,
        cause: Option<Cause>,
    ) -> Result<(), IntakeError> {
        let (mailbox, address) = (self.mailbox.clone(), self.address.clone());
        let (now, guard) = (self.clock.now(), self.hold.guard());
        self.transact(move |sql| {
            guard(sql)?;
            mailboxes::begin(sql, &mailbox, &address, now)?;
            uids::forgive_all(sql, &mailbox)?;
            spool::acknowledged(sql, &others)?;
            if let Some(cause) = cause {
                renumbered::note(sql, &mailbox, cause, now, now - restless::WITHIN)?;
            }
            mailboxes::set_position(sql, &mailbox, &position.text())
        })
        .await
    }

    /// Which of these UIDs are in the ledger.
    pub(super) async fn known(
        &self,
        series: Series,
        uids: &[u32],
    ) -> Result<HashSet<u32>, IntakeError> {
        let mailbox = self.mailbox.clone();
        let key = |uid: &u32| Origin::Uid { series, uid: *uid }.key();
        let keys: Vec<String> = uids.iter().map(key).collect();
        let known = self.transact(move |sql| spool::known(sql, &mailbox, &keys)).await?;
        let uid = |key: &String| match Origin::parse(key) {
            Some(Origin::Uid { uid, .. }) => Some(uid),
            _ => None,
        };
        Ok(known.iter().filter_map(uid).collect())
    }

    /// When messages that were stored already were stored again, for their UIDs meant others.
    pub(super) async fn renumbered(&self) -> Result<Vec<Timestamp>, IntakeError> {
        let (mailbox, now) = (self.mailbox.clone(), self.clock.now());
        let since = now - restless::WITHIN;
        let times = self.transact(move |sql| renumbered::times(sql, &mailbox, since, now)).await?;
        Ok(times.into_iter().map(|(time, _)| time).collect())
    }

    /// The highest UID of the series that is in the ledger.
    pub(super) async fn last_uid(&self, series: Series) -> Result<Option<u32>, IntakeError> {
        let mailbox = self.mailbox.clone();
        self.transact(move |sql| spool::last_uid(sql, &mailbox, series)).await
    }

    /// Those of these UIDs that are in the ledger, and when they arrived.
    pub(super) async fn seen(
        &self,
        series: Series,
        uids: &[u32],
    ) -> Result<HashMap<u32, Seen>, IntakeError> {
        let mailbox = self.mailbox.clone();
        let key = |uid: &u32| Origin::Uid { series, uid: *uid }.key();
        let keys: Vec<String> = uids.iter().map(key).collect();
        let arrived = self.transact(move |sql| spool::seen(sql, &mailbox, &keys)).await?;
        let by_uid = |(key, arrived): (String, Seen)| match Origin::parse(&key) {
            Some(Origin::Uid { uid, .. }) => Some((uid, arrived)),
            _ => None,
        };
        Ok(arrived.into_iter().filter_map(by_uid).collect())
    }

    /// The bytes of a message, as long as they are kept.
    pub(super) async fn raw(&self, id: String) -> Result<Option<Vec<u8>>, IntakeError> {
        self.transact(move |sql| spool::raw(sql, &id)).await
    }

    /// When the messages arrived that are in the ledger.
    pub(super) async fn arrivals(&self) -> Result<HashSet<i64>, IntakeError> {
        let mailbox = self.mailbox.clone();
        self.transact(move |sql| spool::arrivals(sql, &mailbox)).await
    }

    /// Stores an entry and moves the position on; queued at once, before the answer is awaited.
    pub(super) fn enter(
        &self,
        entry: Entry,
        from: Position,
        to: Position,
    ) -> impl Future<Output = Result<Entered, IntakeError>> + Send + use<> {
        let (mailbox, ids, acknowledge) =
            (self.mailbox.clone(), self.ids.clone(), self.acknowledge);
        let (now, from, to) = (self.clock.now(), from.text(), to.text());
        let (name, guard) = (self.mailbox.clone(), self.hold.guard());
        let entering = self.store.transact_async(move |sql| {
            guard(sql)?;
            let spooled = if entry.arrivals.is_empty() {
                0
            } else {
                spool::spool(sql, &entry.arrivals, now, acknowledge)?.len()
            };
            let skipped = spool::skip(sql, &mailbox, &entry.skipped, now, &ids)?;
            uids::forgive(sql, &mailbox, &entry.forgiven)?;
            uids::owe(sql, &mailbox, &entry.owed, now)?;
            let is_current = from == to || mailboxes::advance(sql, &mailbox, &from, &to)?;
            Ok(Entered { spooled, skipped, is_current })
        });
        async move { entering.await.map_err(|cause| IntakeError::Store { mailbox: name, cause }) }
    }

    /// When the server refused this login, as far as that counts still (P-21).
    pub(super) async fn refused_logins(
        &self,
        login: &Login,
    ) -> Result<Vec<Timestamp>, IntakeError> {
        let (mailbox, login) = (self.mailbox.clone(), mark(login));
        let now = self.clock.now();
        self.transact(move |sql| logins::refused(sql, &mailbox, login, now - WITHIN, now)).await
    }

    pub(super) async fn login_refused(&self, login: &Login) -> Result<(), IntakeError> {
        let (mailbox, login) = (self.mailbox.clone(), mark(login));
        let now = self.clock.now();
        self.transact(move |sql| logins::refuse(sql, &mailbox, login, now, now - WITHIN)).await
    }

    /// The messages that could not be fetched so far.
    pub(super) async fn owed_uids(&self) -> Result<Vec<OwedUid>, IntakeError> {
        let mailbox = self.mailbox.clone();
        self.transact(move |sql| uids::owed(sql, &mailbox)).await
    }

    /// Decided messages of this series that the mailbox has not been told of, oldest first.
    pub(super) async fn unacknowledged(
        &self,
        series: Series,
        limit: usize,
    ) -> Result<Vec<Owed>, IntakeError> {
        let numbering = match faults::stands("P-09-rest") {
            true => Origin::numbered(series),
            false => "uid/".to_owned(),
        };
        let mailbox = self.mailbox.clone();
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.transact(move |sql| spool::owed(sql, &mailbox, &numbering, limit)).await
    }

    pub(super) async fn acknowledged(&self, ids: Vec<String>) -> Result<(), IntakeError> {
        let guard = self.hold.guard();
        self.transact(move |sql| {
            guard(sql)?;
            spool::acknowledged(sql, &ids)
        })
        .await
    }

    async fn transact<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, IntakeError> {
        let result = self.store.transact_async(work).await;
        result.map_err(|cause| IntakeError::Store { mailbox: self.mailbox.clone(), cause })
    }
}
