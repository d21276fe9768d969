//! Remembers: one transaction at a time, all or nothing. Every statement is written once, in the
//! file of its noun; a database is an adapter behind [`sql::Sql`]. Knows nothing of configuration,
//! of mail servers, of templates.

pub mod apply;
pub mod audit;
pub mod bounces;
pub mod copy;
pub mod credentials;
pub mod decisions;
pub mod facts;
pub mod keys;
pub mod logins;
pub mod mailboxes;
pub mod migrate;
pub mod outbox;
pub mod owed;
pub mod postgres;
pub mod sites;
pub mod spool;
pub mod sql;
pub mod sqlite;
pub mod tickets;
pub mod uids;
pub mod users;
mod work;
pub mod workers;

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::net::{Password, Security};
pub use postgres::Postgres;
pub use sql::{Dialect, Row, Sql, Value};
pub use sqlite::Sqlite;

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

/// What went wrong with the store, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the address of the database cannot be used: {said}\nhint: write `store.url` as `postgres://USER@HOST:5432/DATABASE`"
    )]
    Address { said: String },
    #[error(
        "the store `{0}` is busy: another program has held it for too long\nhint: `fuser` on that file names the program; try again once it has let go"
    )]
    Busy(String),
    #[error(
        "the store `{path}` is damaged: {said}\nhint: stop guichet, keep a copy, and restore a backup made with `guichet db backup`"
    )]
    Damaged { path: String, said: String },
    #[error(
        "a row of the store does not read: column {column} of ({row}) should be {expected}, is {found}"
    )]
    Decode { column: usize, row: String, expected: &'static str, found: String },
    /// Whether what was being committed is in the store, or is not.
    #[error(
        "the database `{0}` went away in the middle of a commit, and nobody knows whether it was carried out\nhint: nothing is lost; guichet looks at what is there and goes on by itself"
    )]
    Doubtful(String),
    #[error(
        "the user of the database `{place}` may not do what guichet needs: {said}\nhint: give it a schema of its own, e.g. `CREATE SCHEMA guichet AUTHORIZATION the_user`"
    )]
    Forbidden { place: String, said: String },
    #[error(
        "the disk that holds the store `{0}` is full\nhint: free some space; nothing was lost, and guichet goes on by itself"
    )]
    Full(String),
    /// What it will hold tomorrow cannot be copied today.
    #[error(
        "the store is in use: a guichet works on it\nhint: stop it first, `guichet db copy` takes what the store holds then"
    )]
    InUse,
    /// P-10: nothing was written.
    #[error(
        "the mailbox `{0}` is watched by another process now: this one did not renew its lease in time\nhint: nothing to do; should it happen often, the machine or the database is too slow"
    )]
    LeaseLost(String),
    #[error(
        "the store `{path}` belongs to the guichet that runs as process {pid}\nhint: stop that one first, or give this one a `state` of its own"
    )]
    Locked { path: String, pid: String },
    #[error(
        "the database `{place}` does not let `{user}` in: {said}\nhint: see that `store.password` is the password of that user, and that the server's `pg_hba.conf` lets it in from here"
    )]
    LoginRefused { place: String, user: String, said: String },
    /// What the network says, with its hint.
    #[error("{0}")]
    Net(String),
    #[error(
        "the store `{path}` was written by a newer guichet (its newest migration is `{found}`)\nhint: run that version, or restore a backup of the older one"
    )]
    Newer { path: String, found: String },
    #[error(
        "there is no database `{place}`\nhint: make it, e.g. `createdb --encoding=UTF8 --template=template0 NAME`, or correct `store.url`"
    )]
    NoDatabase { place: String },
    #[error(
        "the store `{0}` is a PostgreSQL database, which guichet does not copy to a file\nhint: back it up with `pg_dump`"
    )]
    NoFile(String),
    /// What is to be stored cannot be worked on.
    #[error(
        "no thread can be started to read messages: {0}\nhint: give guichet more memory or more processes; the messages wait"
    )]
    NoThread(String),
    #[error(
        "the database `{place}` and guichet do not agree on how to connect: {said}\nhint: see that `store.password` is set where the server wants one, and that it has TLS switched on; only on this machine may `store.tls` be `none`"
    )]
    NotAgreed { place: String, said: String },
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
    /// A store is copied to where nothing is.
    #[error(
        "the target is not empty: there are rows in its table `{table}`\nhint: name a new file, or a database or schema that nothing was done with; nothing was written"
    )]
    NotEmpty { table: String },
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
    #[error(
        "the database cannot be used: {said}\nhint: guichet needs PostgreSQL 13 or newer, a database in UTF8, and a schema to make its tables in"
    )]
    Unfit { said: String },
    #[error("the store has no {what} `{name}`\nhint: {hint}")]
    Unknown { what: &'static str, name: String, hint: &'static str },
    #[error(
        "the database `{place}` cannot be reached: {said}\nhint: see that the server runs and that `store.url` names it; while it runs, guichet tries again by itself"
    )]
    Unreachable { place: String, said: String },
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
                | StoreError::Doubtful(_)
                | StoreError::Full(_)
                | StoreError::InUse
                | StoreError::LeaseLost(_)
                | StoreError::Locked { .. }
                | StoreError::NoThread(_)
                | StoreError::Raced(_)
                | StoreError::Unreachable { .. }
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
        match self {
            Store::Postgres(postgres) => postgres.verify(),
            Store::Sqlite(sqlite) => sqlite.verify(),
        }
    }

    /// Copies the whole store, while it is in use, to a new file.
    pub fn back_up(&self, target: &std::path::Path) -> Result<(), StoreError> {
        match self {
            Store::Postgres(postgres) => postgres.back_up(target),
            Store::Sqlite(sqlite) => sqlite.back_up(target),
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
