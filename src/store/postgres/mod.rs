//! PostgreSQL behind the seam. Threads of their own write, each on its own connection (a connection
//! that is used or dropped on an async thread panics); there are as many as there is work for.
//! Readers have connections of their own.

mod adapter;
mod doubt;
mod errors;
mod guard;
mod queue;
mod session;
mod verify;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use self::adapter::On;
use self::queue::{Hands, Queue};
use self::session::{Place, Session};
use super::work::{Job, Work};
use super::{Dialect, Durability, PostgresOptions, READERS, Role, Sql, StoreError, migrate};
use crate::{args, faults};

// Connections that write, at most; one is opened only when all others are busy.
const WRITERS: usize = 8;
// The first that has all we use and is not long out of care.
const OLDEST_SERVER: i64 = 130_000;

/// A schema of a PostgreSQL database and the threads that write to it. Clones share both.
#[derive(Clone)]
pub struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    place: Arc<Place>,
    /// The name of our schema: locks are the whole database's.
    schema: String,
    queue: Arc<Queue>,
    readers: Mutex<Vec<Session>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl Postgres {
    /// Connects to the database and migrates it. Fails at once when it cannot be reached; later, a
    /// lost connection is made again. Not for use on an async thread.
    pub fn open(
        options: &PostgresOptions,
        durability: Durability,
        now: jiff::Timestamp,
    ) -> Result<Postgres, StoreError> {
        let place = Arc::new(Place::of(options, durability)?);
        let mut session = place.connect_patiently()?;
        let schema = bring_up_to_date(&mut session, &place.name, now)?;
        Ok(Postgres {
            shared: Arc::new(Shared {
                place,
                schema,
                queue: Arc::default(),
                readers: Mutex::default(),
                writers: Mutex::default(),
            }),
        })
    }

    /// Queues `work` for a transaction. The answer comes once it is committed, or failed.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (reply, receiver) = oneshot::channel();
        self.queue(Box::new(Job::new(work, reply)));
        receiver
    }

    /// The same under locks on `keys`; nothing else guards what it reads.
    pub fn submit_keyed<T: Send + 'static>(
        &self,
        keys: &[String],
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (reply, receiver) = oneshot::channel();
        let schema = &self.shared.schema;
        let locks = keys.iter().map(|key| lock_of(&format!("guichet {schema} {key}"))).collect();
        self.queue(Box::new(Job::new(work, reply).locked(locks)));
        receiver
    }

    fn queue(&self, work: Work) {
        if self.shared.queue.push(work, WRITERS) == Hands::Wanted {
            self.shared.start_writer();
        }
    }

    /// Runs `work` on a consistent view, beside the writers. Not for use on an async thread: the
    /// connection would panic there.
    pub fn read_only<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let place = &self.shared.place;
        let mut session = self.reader()?;
        let mut on = On::new(&mut session, &place.name);
        let result = work(&mut on);
        let result = match on.failed.take() {
            Some((_, error)) => Err(error),
            None => result,
        };
        // One that cannot go back to the beginning is not kept.
        if on.command("ROLLBACK").is_ok() {
            let mut readers = self.shared.readers.lock().expect("no holder of this lock panics");
            if readers.len() < READERS {
                readers.push(session);
            }
        }
        result
    }

    // One that was kept may have been lost since; nothing has run on it, so the next one will do.
    fn reader(&self) -> Result<Session, StoreError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let place = &self.shared.place;
        loop {
            let kept = self.shared.readers.lock().expect("no holder of this lock panics").pop();
            let is_kept = kept.is_some();
            let mut session = match kept {
                Some(session) => session,
                None => place.connect()?,
            };
            match On::new(&mut session, &place.name).command(BEGIN) {
                Ok(()) => return Ok(session),
                Err(StoreError::Unreachable { .. }) if is_kept => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Several processes share a database: each may take the role.
    pub fn take_role(&self) -> Result<Role, StoreError> {
        Ok(Role { _lock: None })
    }

    /// What is wrong with the schema, a sentence each.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        verify::verify(self)
    }

    /// Refuses: PostgreSQL has its own programs for this.
    pub fn back_up(&self, _target: &Path) -> Result<(), StoreError> {
        Err(StoreError::NoFile(self.shared.place.name.clone()))
    }
}

impl Shared {
    fn start_writer(&self) {
        let (place, queue) = (self.place.clone(), self.queue.clone());
        let mut writers = self.writers.lock().expect("no holder of this lock panics");
        let thread = Builder::new()
            .name(format!("store-{}", writers.len() + 1))
            .spawn(move || writer::serve(place, queue));
        match thread {
            Ok(thread) => writers.push(thread),
            Err(_) => self.queue.writer_is_missing(),
        }
    }
}

impl Drop for Shared {
    // Threads end when the queue closes; waiting for them means that a dropped store is closed.
    // Connections of readers are closed on a thread too: whoever drops the store may be async.
    fn drop(&mut self) {
        self.queue.close();
        let mut threads = std::mem::take(self.writers.get_mut().expect("nobody else has it"));
        let readers = std::mem::take(self.readers.get_mut().expect("nobody else has it"));
        if !readers.is_empty() {
            threads.extend(Builder::new().spawn(move || drop(readers)).ok());
        }
        for thread in threads {
            // A writer may itself drop the last handle.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Postgres({})", self.shared.place.name)
    }
}

// The number that a lock is known by.
fn lock_of(name: &str) -> i64 {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(8).fold(0, |key, byte| (key << 8) | i64::from(*byte))
}

// Under a lock of the schema: of several processes that start together, one changes the tables.
// Answers the schema's name.
fn bring_up_to_date(
    session: &mut Session,
    place: &str,
    now: jiff::Timestamp,
) -> Result<String, StoreError> {
    let mut on = On::new(session, place);
    let schema = fit_for_us(&mut on)?;
    let lock = lock_of(&format!("guichet migrates {schema}"));
    if faults::stands("P-19-lock") {
        on.query("SELECT pg_advisory_lock(?1)", args![lock])?;
    }
    // The connection is closed after this, and the lock with it.
    migrate::migrate(place, Dialect::Postgres, now, |step| {
        on.command("BEGIN")?;
        match step(&mut on) {
            Ok(()) => on.command("COMMIT"),
            Err(error) => on.command("ROLLBACK").and(Err(error)),
        }
    })?;
    doubt::tidy(&mut on)?;
    Ok(schema)
}

// Answers the name of the schema.
fn fit_for_us(sql: &mut dyn Sql) -> Result<String, StoreError> {
    let row = sql.query_one(
        "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
           current_setting('server_version'), current_setting('server_encoding'), \
           CAST(current_schema() AS TEXT), current_database()",
        args![],
    )?;
    let row = row.ok_or_else(|| StoreError::Violated("the server answers nothing".to_owned()))?;
    let (version, encoding) = (row.text(1)?, row.text(2)?);
    if row.int(0)? < OLDEST_SERVER {
        return Err(StoreError::Unfit { said: format!("PostgreSQL {version} is older than 13") });
    }
    if encoding != "UTF8" {
        let said = format!("the database `{}` is encoded in {encoding}, not UTF8", row.text(4)?);
        return Err(StoreError::Unfit { said });
    }
    row.opt_text(3)?.ok_or_else(|| StoreError::Unfit {
        said: "no schema of the `search_path` exists, or none may be used".to_owned(),
    })
}
