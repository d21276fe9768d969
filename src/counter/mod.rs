//! What people do at the counter: staff, users in the portal, an operator. One function for each
//! thing, for the command line, the portal and an API alike. What is written here is put together as
//! a message, spooled with an origin of its own, and walks like a mail (design §4); what is changed
//! is changed at once, with its history and the mail that tells of it. Never talks to a server.

mod change;
mod compose;
mod credentials;
mod error;
mod merge;
mod write;

use std::sync::Arc;

use crate::clock::{Clock, Ids};
use crate::mail::Address;
use crate::store::{Store, decisions};
use crate::triage::plan::Decision;
use crate::triage::policy::Policy;

pub use change::{Changed, TicketChange};
pub use credentials::Answered;
pub use error::CounterError;
pub use merge::Merged;
pub use write::{Mails, Requester, Upload, Writing};

/// Files that one message may bring (threats §5).
pub const ATTACHMENTS: usize = 100;

/// What the counter goes by.
#[derive(Clone)]
pub struct Options {
    pub policy: Arc<Policy>,
    /// The name of the mailbox that new tickets belong to when nobody says which.
    pub mailbox: String,
    /// The most bytes that one message may have.
    pub largest: u64,
    /// Whether the disk of the store has room for more (P-05).
    pub has_room: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Told when something was put into the store that a running daemon has to do with.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// Where people bring what they want done.
#[derive(Clone)]
pub struct Counter {
    store: Store,
    ids: Ids,
    clock: Arc<dyn Clock>,
    options: Options,
}

/// Who stands at the counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// One of the `[[agent]]`s, by their address.
    Agent(Address),
    /// Whoever works at the command line, as nobody in particular.
    Operator,
    /// A user who is logged in.
    User {
        /// Their id.
        id: String,
    },
}

/// What became of something that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub decision: Decision,
    /// The ticket that it is on.
    pub ticket: Option<i64>,
}

impl Counter {
    /// A counter before this store.
    pub fn new(store: Store, ids: Ids, clock: Arc<dyn Clock>, options: Options) -> Counter {
        Counter { store, ids, clock, options }
    }

    /// The administrator's wishes that it goes by.
    pub fn policy(&self) -> &Policy {
        &self.options.policy
    }

    /// The most bytes that one message may have.
    pub fn largest(&self) -> u64 {
        self.options.largest
    }

    /// What became of the message of this id, as [`Counter::write`] answered it; `None` when it is
    /// not decided yet.
    pub fn outcome(&self, message: &str) -> Result<Option<Outcome>, CounterError> {
        let decided = self.store.read_only(|sql| decisions::one(sql, message))?;
        Ok(decided.map(|(entry, _)| Outcome {
            decision: Decision { outcome: entry.outcome, reason: entry.reason },
            ticket: entry.ticket,
        }))
    }
}
