//! Remembers: one transaction at a time, all or nothing. Every statement is written once, in the
//! file of its noun; a database is an adapter behind [`sql::Sql`]. Knows nothing of configuration,
//! of mail servers, of templates.

pub mod apply;
pub mod audit;
pub mod bounces;
pub mod credentials;
pub mod decisions;
pub mod facts;
pub mod mailboxes;
pub mod migrate;
pub mod outbox;
pub mod owed;
pub mod sites;
pub mod spool;
pub mod sql;
pub mod sqlite;
pub mod tickets;
pub mod users;

use std::path::PathBuf;

use crate::net::{Password, Security};
pub use sql::{Dialect, Row, Sql, Value};
pub use sqlite::Sqlite;

/// The closed set of databases.
#[derive(Clone, Debug)]
pub enum Store {
    Sqlite(Sqlite),
}

/// How to reach the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub location: Location,
    pub durability: Durability,
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In memory: `explain` of a file, tests.
    Memory,
    Postgres(PostgresOptions),
    Sqlite(PathBuf),
}

/// A schema of a PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// `postgres://user@host:port/database`, perhaps with `?options=-csearch_path%3Dname`; without a
    /// password.
    pub url: String,
    pub password: Option<Password>,
    /// [`Security::Implicit`] is what `tls = "require"` asks for; [`Security::None`] only to a server
    /// on this machine.
    pub security: Security,
    pub ca_file: Option<PathBuf>,
}

/// Whether what was committed survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// `synchronous = FULL` (P-07).
    Full,
    /// For a store that is thrown away at the end.
    None,
}

/// What went wrong with the store, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store `{0}` is busy: another program has held it for too long")]
    Busy(String),
    #[error(
        "the store `{path}` is damaged: {said}\nhint: stop guichet, keep a copy, and restore a backup made with `guichet db backup`"
    )]
    Damaged { path: String, said: String },
    #[error(
        "a row of the store does not read: column {column} of ({row}) should be {expected}, is {found}"
    )]
    Decode { column: usize, row: String, expected: &'static str, found: String },
    #[error(
        "the disk that holds the store `{0}` is full\nhint: free some space; nothing was lost, and guichet goes on by itself"
    )]
    Full(String),
    #[error(
        "the store `{path}` belongs to the guichet that runs as process {pid}\nhint: stop that one first, or give this one a `state` of its own"
    )]
    Locked { path: String, pid: String },
    #[error(
        "the store `{path}` was written by a newer guichet (its newest migration is `{found}`)\nhint: run that version, or restore a backup of the older one"
    )]
    Newer { path: String, found: String },
    /// What is to be stored cannot be worked on.
    #[error(
        "no thread can be started to read messages: {0}\nhint: give guichet more memory or more processes; the messages wait"
    )]
    NoThread(String),
    #[error(
        "the store `{path}` cannot be opened: {said}\nhint: see that the folder exists and belongs to the user guichet runs as"
    )]
    Open { path: String, said: String },
    #[error(
        "a piece of work on the store panicked: {0}\nhint: this is a bug of guichet, nothing was written; please report it"
    )]
    Panicked(String),
    /// Another writer was faster: the work runs again, with fresh facts.
    #[error("another writer was faster: {0}\nhint: try again")]
    Raced(String),
    #[error("the store refused `{statement}`: {said}")]
    Refused { statement: String, said: String },
    /// What is committed to a file that nobody can find again is lost (P-01).
    #[error(
        "the store `{0}` was removed or replaced while guichet runs\nhint: stop guichet, put the file back or restore a backup, and start it again"
    )]
    Removed(String),
    #[error(
        "the migration `{name}` of the store is not the one this guichet knows: its text differs\nhint: use the guichet that made this store"
    )]
    Rewritten { name: String },
    #[error("the store has stopped")]
    Stopped,
    /// M-43: one address, one user.
    #[error(
        "the address `{address}` belongs to {by} already\nhint: an address has one user, and keeps it after the user is deleted"
    )]
    Taken { address: String, by: String },
    #[error("the store has no {what} `{name}`\nhint: {hint}")]
    Unknown { what: &'static str, name: String, hint: &'static str },
    /// The plan's own rules were broken; nothing was written.
    #[error("{0}")]
    Violated(String),
}

impl StoreError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            StoreError::Busy(_)
                | StoreError::Full(_)
                | StoreError::Locked { .. }
                | StoreError::NoThread(_)
                | StoreError::Raced(_)
        )
    }
}

/// The version of SQLite that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl Store {
    /// Opens the store and brings its tables up to date; makes it when there is none.
    pub fn open(options: &Options, now: jiff::Timestamp) -> Result<Store, StoreError> {
        if let Location::Postgres(postgres) = &options.location {
            let said = "PostgreSQL is not built in yet".to_owned();
            return Err(StoreError::Open { path: postgres.url.clone(), said });
        }
        Ok(Store::Sqlite(Sqlite::open(options, now)?))
    }

    /// Runs `work` in a transaction: all of it, or nothing. It may run more than once, so it must
    /// not touch the world. Waits for the answer; not for use on an async thread.
    pub fn transact<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Store::Sqlite(sqlite) => {
                sqlite.submit(work).blocking_recv().unwrap_or(Err(StoreError::Stopped))
            }
        }
    }

    /// Runs `work` on a consistent view of the store, beside the writers.
    pub fn read_only<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Store::Sqlite(sqlite) => sqlite.read_only(work),
        }
    }

    /// What is wrong with the database itself, a sentence each; nothing when it is sound. For the
    /// books, see [`audit::audit`].
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Store::Sqlite(sqlite) => sqlite.verify(),
        }
    }

    /// Copies the whole store, while it is in use, to a new file.
    pub fn back_up(&self, target: &std::path::Path) -> Result<(), StoreError> {
        match self {
            Store::Sqlite(sqlite) => sqlite.back_up(target),
        }
    }

    /// Takes the daemon's role on this store for as long as the answer lives; refuses when another
    /// process has it. Commands need no role.
    pub fn take_role(&self) -> Result<Role, StoreError> {
        match self {
            Store::Sqlite(sqlite) => sqlite.take_role(),
        }
    }
}

/// The daemon's role on a store; given back when dropped.
#[derive(Debug)]
pub struct Role {
    _lock: Option<std::fs::File>,
}
