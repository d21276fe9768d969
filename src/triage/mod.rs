//! Decides what becomes of a message, on values alone: [`ask()`] says what must be known, [`decide()`]
//! turns the answers into a [`Plan`]. Pure: a race in the store is answered by asking again.

mod ask;
pub mod attachments;
pub mod credentials;
mod decide;
pub mod facts;
mod flags;
mod forwarded;
pub mod keys;
mod known;
mod leaked;
pub mod names;
pub mod news;
mod outgoing;
pub mod plan;
pub mod policy;
mod questions;
pub mod recipients;
#[cfg(test)]
pub(crate) mod samples;
mod sender;
mod signed;
pub mod sites;
mod story;
mod tag;
mod text;
mod verified;

pub use ask::{ask, ask_at};
pub use decide::{before_start, damaged, decide, decide_owed, gave_up, unreadable};
pub use facts::{Facts, Questions};
pub use keys::Keyring;
pub use leaked::without_leaked;
pub use plan::{Decision, Effect, Plan, Step};
pub use policy::Policy;
pub use text::{rehearse, reply};
