#![forbid(unsafe_code)]
//! guichet turns the mail of support mailboxes into tickets: the right one, of the right user, at the
//! right site, exactly once.

pub mod clock;
pub mod config;
pub mod intake;
pub mod mail;
pub mod outbox;
pub mod store;
pub mod triage;
