//! The books, and what mends a store: audit against the mailboxes themselves, backup and restore
//! beside a daemon that works, and damaged databases. Real binary, real Dovecot. Takes about half a
//! minute.

mod backup;
mod damage;
mod desk;
mod online;
mod restore;
#[path = "../support/mod.rs"]
mod support;
