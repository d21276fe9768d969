//! What can go wrong with a store, in words for whoever has to mend it, and what may be done about it:
//! nothing is recognised by its text.

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
    /// P-10: nothing was written.
    #[error(
        "message `{0}` is in other hands now: the lease on it ran out\nhint: nothing to do; should it happen often, the machine or the database is too slow"
    )]
    ClaimLost(String),
    #[error(
        "the store `{path}` is damaged: {said}\nhint: stop guichet, and put the last good backup back with `guichet db restore FILE`, which keeps what is there"
    )]
    Damaged { path: String, said: String },
    /// A backup that is to take the place of the store.
    #[error(
        "the backup `{path}` is damaged: {said}\nhint: restore another one; nothing was changed"
    )]
    DamagedBackup { path: String, said: String },
    /// The bytes of one message; all else of the store may be sound.
    #[error(
        "the raw bytes of message `{message}` are damaged: {said}\nhint: `guichet db verify` says whether more is damaged"
    )]
    DamagedMessage { message: String, said: String },
    #[error(
        "a row of the store does not read: column {column} of ({row}) should be {expected}, is {found}"
    )]
    Decode { column: usize, row: String, expected: &'static str, found: String },
    #[error(
        "the disk that holds the store `{path}` does not do what it is told: {said}\nhint: nothing was lost, and guichet tries again by itself; the system's log (`dmesg`) may say what ails it"
    )]
    Disk { path: String, said: String },
    /// Whether what was being committed is in the store, or is not.
    #[error(
        "the database `{0}` went away in the middle of a commit, and nobody knows whether it was carried out\nhint: nothing is lost; guichet looks at what is there and goes on by itself"
    )]
    Doubtful(String),
    #[error(
        "the user of the database `{place}` may not do what guichet needs: {said}\nhint: give it a schema of its own, e.g. `CREATE SCHEMA guichet AUTHORIZATION the_user`"
    )]
    Forbidden { place: String, said: String },
    /// P-07: what would be committed might be gone after a power cut.
    #[error(
        "the store `{path}` would not survive a power cut: its journal is `{journal}` and not `wal`, or what it commits is not synced (synchronous = {synchronous}, not 2)\nhint: keep it on a disk of this machine, not on a network file system"
    )]
    Frail { path: String, journal: String, synchronous: i64 },
    #[error(
        "the file `{0}` is no store of guichet's: it has none of its tables\nhint: name a file that `guichet db backup` made"
    )]
    Foreign(String),
    #[error(
        "the disk that holds the store `{0}` is full\nhint: free some space; nothing was lost, and guichet goes on by itself"
    )]
    Full(String),
    /// It is not what it was when a commit was answered: what it lost may have been sent and numbered
    /// (P-03).
    #[error(
        "the store `{path}` has gone back in time: {lost} commits that were made are not in it\nhint: if the file that has them is somewhere, put it back together with its `-wal`; if not, run `guichet db restore --in-place`, so that nobody is mailed twice"
    )]
    GoneBack { path: String, lost: u32 },
    /// What it will hold tomorrow cannot be copied today.
    #[error("the store is in use: a guichet works on it\nhint: stop it first, then try again")]
    InUse,
    /// P-10: nothing was written.
    #[error(
        "the mailbox `{0}` is watched by another process now: this one did not renew its lease in time\nhint: nothing to do; should it happen often, the machine or the database is too slow"
    )]
    LeaseLost(String),
    #[error(
        "the store `{path}` is one file with {names} names (hard links), and under each of them its newest rows would be others\nhint: `find -samefile` on it shows the names; remove all but one, a copy is made with `guichet db backup`"
    )]
    Linked { path: String, names: u64 },
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
        "the store `{0}` is a PostgreSQL database, whose files are its server's business\nhint: back it up with `pg_dump`, while guichet runs or not; put it back with `pg_restore` while guichet is stopped, then run `guichet db restore --in-place`"
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
        "the store `{path}` cannot be opened: {said}\nhint: see that its folder exists, and that both belong to the user guichet runs as"
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
    #[error(
        "the store `{path}` cannot be written to: {said}\nhint: see that its disk is mounted for writing, and that its files and their folder belong to the user guichet runs as; nothing was lost"
    )]
    ReadOnly { path: String, said: String },
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
    /// Whether the store itself is broken, so that nobody may go on with it.
    pub fn is_broken(&self) -> bool {
        matches!(self, StoreError::Damaged { .. } | StoreError::Removed(_))
    }

    /// Whether the same may succeed later without anybody's help, or once somebody has seen to the
    /// disk: nothing is wrong with what was asked.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            StoreError::Busy(_)
                | StoreError::ClaimLost(_)
                | StoreError::Disk { .. }
                | StoreError::Doubtful(_)
                | StoreError::Full(_)
                | StoreError::InUse
                | StoreError::LeaseLost(_)
                | StoreError::Locked { .. }
                | StoreError::NoThread(_)
                | StoreError::Open { .. }
                | StoreError::Raced(_)
                | StoreError::ReadOnly { .. }
                | StoreError::Unreachable { .. }
        )
    }

    /// Whether what was asked may itself be why it failed, e.g. a message that nobody thought of. What
    /// befalls the store is no fault of it.
    pub fn is_of_the_work(&self) -> bool {
        matches!(
            self,
            StoreError::DamagedMessage { .. }
                | StoreError::Decode { .. }
                | StoreError::Panicked(_)
                | StoreError::Refused { .. }
                | StoreError::Taken { .. }
                | StoreError::Unknown { .. }
                | StoreError::Violated(_)
        )
    }
}
