//! Whether a mailbox is this process's to watch. Where several processes share a store, each mailbox
//! is leased to one of them: nothing is done to it, or noted about it, without the lease (P-10).

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};

use crate::clock::is_due;
use crate::faults;
use crate::store::mailboxes::{self, Lease, Leased};
use crate::store::{Sql, StoreError};

/// By what right this process watches its mailboxes.
#[derive(Clone, Debug)]
pub enum Tenure {
    /// The store is this process's alone, and so is every mailbox.
    Alone,
    /// A mailbox is one process's while its lease lasts.
    Leased {
        /// Who takes the lease.
        worker: String,
        /// How long it lasts, unless it is renewed.
        term: SignedDuration,
    },
}

/// How a mailbox stands before something is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Another process watches it, at least until then.
    Elsewhere {
        until: Timestamp,
    },
    Kept,
    /// Ours from now on: whatever was known of it may be old.
    Taken,
}

/// The lease on one mailbox, as its watcher has it in hand.
#[derive(Clone)]
pub(super) struct Hold {
    mailbox: String,
    tenure: Tenure,
    lease: Arc<Mutex<Option<Lease>>>,
}

/// What a transaction found out about a lease; to be given to [`Hold::note`].
pub(super) struct Answer {
    held: Held,
    lease: Option<Lease>,
}

impl Hold {
    pub(super) fn new(mailbox: &str, tenure: Tenure) -> Hold {
        Hold { mailbox: mailbox.to_owned(), tenure, lease: Arc::default() }
    }

    /// The transaction that takes or renews the lease; `None` while it holds for long enough.
    pub(super) fn due(
        &self,
        now: Timestamp,
    ) -> Option<impl FnMut(&mut dyn Sql) -> Result<Answer, StoreError> + Send + use<>> {
        let Tenure::Leased { worker, term } = self.tenure.clone() else { return None };
        if !is_due(self.renew_at(), term, now) {
            return None;
        }
        let (mailbox, lease) = (self.mailbox.clone(), self.lease().clone());
        Some(move |sql: &mut dyn Sql| {
            if let Some(lease) = &lease
                && let Some(lease) = mailboxes::renew(sql, lease, now, term)?
            {
                return Ok(Answer { held: Held::Kept, lease: Some(lease) });
            }
            Ok(match mailboxes::lease(sql, &mailbox, &worker, now, term)? {
                Leased::Elsewhere { until } => {
                    Answer { held: Held::Elsewhere { until }, lease: None }
                }
                Leased::Ours(lease) => Answer { held: Held::Taken, lease: Some(lease) },
            })
        })
    }

    /// Notes what [`Hold::due`] came to.
    pub(super) fn note(&self, answer: Answer) -> Held {
        *self.lease() = answer.lease;
        if answer.held == Held::Taken {
            faults::point("mailbox.leased");
        }
        answer.held
    }

    /// When the lease must be renewed; the distant future for whoever needs none.
    pub(super) fn renew_at(&self) -> Timestamp {
        match (&self.tenure, &*self.lease()) {
            (Tenure::Alone, _) => Timestamp::MAX,
            (Tenure::Leased { .. }, None) => Timestamp::MIN,
            (Tenure::Leased { term, .. }, Some(lease)) => {
                lease.until.saturating_sub(*term / 3 * 2).unwrap_or(Timestamp::MIN)
            }
        }
    }

    /// What each transaction that writes about the mailbox begins with.
    pub(super) fn guard(&self) -> impl Fn(&mut dyn Sql) -> Result<(), StoreError> + Send + use<> {
        let lease = match self.tenure {
            Tenure::Alone => Ok(None),
            Tenure::Leased { .. } => match &*self.lease() {
                Some(lease) => Ok(Some(lease.clone())),
                None => Err(StoreError::LeaseLost(self.mailbox.clone())),
            },
        };
        move |sql| match &lease {
            Ok(None) => Ok(()),
            Ok(Some(lease)) => mailboxes::must_hold(sql, lease),
            Err(lost) => Err(lost.clone()),
        }
    }

    fn lease(&self) -> MutexGuard<'_, Option<Lease>> {
        self.lease.lock().expect("no holder of this lock panics")
    }
}
