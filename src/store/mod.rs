//! Remembers: one transaction at a time, all or nothing. Every statement is written once, in the
//! file of its noun; a database is an adapter behind [`sql::Sql`]. Knows nothing of configuration,
//! of mail servers, of templates.

pub mod apply;
pub mod attempts;
pub mod audit;
pub mod bounces;
pub mod copy;
pub mod credentials;
pub mod decisions;
mod error;
pub mod facts;
pub mod folders;
pub mod keys;
pub mod logins;
pub mod mailboxes;
pub mod migrate;
mod numbers;
pub mod outbox;
pub mod owed;
pub mod postgres;
pub mod renumbered;
pub mod restored;
mod search;
pub mod sessions;
pub mod sites;
pub mod spool;
pub mod sql;
pub mod sqlite;
pub mod tickets;
pub mod uids;
pub mod users;
mod verify;
mod work;
pub mod workers;

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::faults;
use crate::net::{Password, Security};
pub use error::StoreError;
pub use postgres::Postgres;
pub use sql::{Dialect, Row, Sql, Value};
pub use sqlite::Sqlite;

/// Connections kept open for the next reader. More may read at a time, each over one of its own, which
/// it opens and closes.
pub const READERS: usize = 8;

/// The closed set of databases.
#[derive(Clone, Debug)]
pub enum Store {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

/// How many processes may work on a store at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// One: it has the daemon's role.
    Alone,
    Shared,
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

/// The version of SQLite that is built in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl Store {
    /// Opens the store and brings its tables up to date; makes it when there is none.
    pub fn open(options: &Options, now: jiff::Timestamp) -> Result<Store, StoreError> {
        match &options.location {
            Location::Postgres(postgres) => {
                Postgres::open(postgres, options.durability, now).map(Store::Postgres)
            }
            Location::Memory | Location::Sqlite(_) => Sqlite::open(options, now).map(Store::Sqlite),
        }
    }

    /// Whether several processes may work on it.
    pub fn sharing(&self) -> Sharing {
        match self {
            Store::Postgres(_) => Sharing::Shared,
            Store::Sqlite(_) if faults::is_shared() => Sharing::Shared,
            Store::Sqlite(_) => Sharing::Alone,
        }
    }

    /// Runs `work` in a transaction: all of it, or nothing. It may run more than once, so it must
    /// not touch the world. Waits for the answer; not for use on an async thread.
    pub fn transact<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work).wait()
    }

    /// The same, and the answer is waited for later. What is queued first runs first.
    pub fn queue<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Queued<T> {
        Queued(match self {
            Store::Postgres(postgres) => postgres.submit(work),
            Store::Sqlite(sqlite) => sqlite.submit(work),
        })
    }

    /// The same for work that decides: it names by `keys` all that it reads and others may write, and
    /// runs alone among the works that name one of them too. Where several processes share the store,
    /// that takes the place of being checked against every other transaction, which would stop nearly
    /// all of them on one another's neighbours. Unique keys, and rows that two change, still send one
    /// of two to its beginning.
    ///
    /// What no key names is read as it stood when the transaction began. So limits and budgets that
    /// count over many (new users, the mails of a domain, credentials mails of a domain, a site, in
    /// all) may be exceeded by the messages that other workers decide in that moment, a few each;
    /// those of one sender or recipient are exact. What an operator changes at the same time (a site's
    /// domains, a user's access) holds from the next transaction on. Two replies to one ticket by
    /// different ids both change its row, and the second begins again.
    pub fn transact_keyed<T: Send + 'static>(
        &self,
        keys: Vec<String>,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = match self {
            Store::Postgres(postgres) => postgres.submit_keyed(&keys, work),
            Store::Sqlite(sqlite) => sqlite.submit(work),
        };
        answer.blocking_recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// [`Store::transact`] for an async thread: `work` is queued at once, the answer is awaited.
    pub fn transact_async<T, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    {
        let Queued(answer) = self.queue(work);
        async move { answer.await.unwrap_or(Err(StoreError::Stopped)) }
    }

    /// Runs `work` on a consistent view of the store, beside the writers. Not for use on an async
    /// thread.
    pub fn read_only<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Store::Postgres(postgres) => postgres.read_only(work),
            Store::Sqlite(sqlite) => sqlite.read_only(work),
        }
    }

    /// What is wrong with the database itself, a sentence each; nothing when it is sound. For the
    /// books, see [`audit::audit`].
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut problems = match self {
            Store::Postgres(postgres) => postgres.verify(),
            Store::Sqlite(sqlite) => sqlite.verify(),
        }?;
        problems.extend(verify::raw_messages(self)?);
        Ok(problems)
    }

    /// Copies the whole store, while it is in use, to a new file: as of one moment, checked, and there
    /// whole or not at all.
    pub fn back_up(&self, target: &std::path::Path) -> Result<(), StoreError> {
        match self {
            Store::Postgres(postgres) => postgres.back_up(target),
            Store::Sqlite(sqlite) => sqlite.back_up(target),
        }
    }

    /// Refuses a store that lacks what was committed and answered, because it was copied back or lost its
    /// newest file: what it would do again was done (P-03). Only of SQLite can that be known here.
    pub fn must_not_have_gone_back(&self) -> Result<(), StoreError> {
        match self {
            Store::Postgres(_) => Ok(()),
            Store::Sqlite(sqlite) => sqlite.must_not_have_gone_back(),
        }
    }

    /// Takes a store that has gone back for what it is, once [`restored::settle`] has seen to the rest.
    pub fn take_as_it_is(&self) -> Result<(), StoreError> {
        match self {
            Store::Postgres(_) => Ok(()),
            Store::Sqlite(sqlite) => sqlite.take_as_it_is(),
        }
    }

    /// Takes the daemon's role on this store for as long as the answer lives; refuses when another
    /// process has it. Commands need no role.
    pub fn take_role(&self) -> Result<Role, StoreError> {
        match self {
            Store::Postgres(postgres) => postgres.take_role(),
            Store::Sqlite(sqlite) => sqlite.take_role(),
        }
    }
}

/// A piece of work that runs, or soon will; it runs to its end also when nobody waits for it.
#[derive(Debug)]
pub struct Queued<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Queued<T> {
    /// Waits for the answer; not for use on an async thread.
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Stopped))
    }
}

/// The daemon's role on a store; given back when dropped.
#[derive(Debug)]
pub struct Role {
    _lock: Option<std::fs::File>,
}
