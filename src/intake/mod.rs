//! Brings raw messages in and tells a mailbox which ones are safe. Never looks inside a message.

mod after;
mod bounded;
mod episode;
mod error;
pub mod files;
pub mod imap;
mod ledger;
mod mailbox;
mod maildir;
mod mbox;
mod name;
mod source;
mod space;
pub mod stock;
mod tenure;
mod watch;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use crate::net::{Login, Server};

pub use bounded::read_bounded;
pub use error::IntakeError;
pub use imap::{ImapError, ImapWatch};
pub use mailbox::{House, MailboxWatch};
pub use space::{Space, free_bytes};
pub use tenure::Tenure;
pub use watch::{MaildirWatcher, Wake};

/// How one mailbox is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The mailbox's name.
    pub name: String,
    pub address: String,
    pub source: SourceOptions,
    pub start: Start,
    pub after: After,
    /// Bytes; a larger message is brought in as a stub (M-04).
    pub max_message_size: u64,
    /// A full look at the mailbox at least this often.
    pub sweep: SignedDuration,
}

/// What kind of mailbox it is, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceOptions {
    Imap(ImapOptions),
    Maildir { path: PathBuf },
}

/// A folder on an IMAP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImapOptions {
    pub server: Server,
    pub login: Login,
    /// The folder's name as people write it; never with CR, LF or NUL in it (T-45).
    pub folder: String,
    /// Between two looks for new mail.
    pub poll_interval: SignedDuration,
}

/// Where a new mailbox begins (`mailbox.start`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    All,
    Now,
    Since(Timestamp),
    /// What nobody has read (maildir: in `new/`, or in `cur/` without the flag `S`).
    Unseen,
}

/// What is done in the mailbox once a message is safe (`mailbox.after`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    Delete,
    /// Marked as read.
    Flag,
    Keep,
    /// Moved to this folder: for a maildir, another maildir beside or below it.
    Move {
        to: String,
    },
}
