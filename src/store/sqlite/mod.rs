//! SQLite behind the seam. One thread owns the connection that writes: it takes what is queued, runs
//! it in one transaction, commits once and answers everybody (group commit). Readers have
//! connections of their own.

mod adapter;
mod files;
mod thread;

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::adapter::{On, Remote, explain};
use self::files::Place;
use self::thread::{in_transaction, serve};
use super::work::{Job, Work};
use super::{Dialect, Location, Options, Role, Sql, StoreError, migrate};

pub use self::files::lock_path;

// The WAL of older ones can be corrupted (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;
// Pieces of work waiting for the store thread; each caller waits for its own, so more cannot help.
const QUEUE: usize = 256;
// Connections kept open for the next reader.
const IDLE_READERS: usize = 4;

/// A SQLite database and the thread that writes to it. Clones share both.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: String,
    location: Location,
    place: Option<Place>,
    queue: Mutex<Option<SyncSender<Work>>>,
    readers: Mutex<Vec<Connection>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Sqlite {
    /// Opens or makes the database, migrates it and starts its thread.
    pub fn open(options: &Options, now: jiff::Timestamp) -> Result<Sqlite, StoreError> {
        let path = match &options.location {
            Location::Memory => ":memory:".to_owned(),
            Location::Postgres(_) => unreachable!("it is no SQLite"),
            Location::Sqlite(path) => path.display().to_string(),
        };
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(StoreError::Open {
                path,
                said: format!("SQLite {} can damage it; 3.51.3 is needed", rusqlite::version()),
            });
        }
        let mut connection = files::connect(&options.location, options.durability, &path)?;
        migrate::migrate(&path, Dialect::Sqlite, now, |step| {
            in_transaction(&mut connection, &path, |sql| step(sql))
        })?;
        let place = Place::of(&options.location, &path)?;
        let (sender, receiver) = sync_channel(QUEUE);
        let (name, written) = (path.clone(), place.clone());
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(connection, &name, written.as_ref(), &receiver))
            .map_err(|error| StoreError::Open { path: path.clone(), said: error.to_string() })?;
        Ok(Sqlite {
            shared: Arc::new(Shared {
                path,
                location: options.location.clone(),
                place,
                queue: Mutex::new(Some(sender)),
                readers: Mutex::new(Vec::new()),
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// Queues `work` for the next transaction. The answer comes once it is committed, or failed.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (reply, receiver) = oneshot::channel();
        let queue = self.shared.queue.lock().expect("no holder of this lock panics").clone();
        if let Some(queue) = queue {
            // A closed queue drops the reply, which the caller reads as "stopped".
            let _ = queue.send(Box::new(Job::new(work, reply)));
        }
        receiver
    }

    /// Runs `work` on a consistent view, beside the thread that writes.
    pub fn read_only<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Location::Sqlite(file) = &self.shared.location else {
            return self.read_in_memory(work);
        };
        let path = &self.shared.path;
        self.shared.place.iter().try_for_each(|place| place.check(path))?;
        let idle = self.shared.readers.lock().expect("no holder of this lock panics").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => files::open_to_read(file, path)?,
        };
        let result = {
            let transaction =
                connection.transaction().map_err(|error| explain(error, path, "BEGIN"))?;
            work(&mut On { connection: &transaction, path })
        };
        let mut readers = self.shared.readers.lock().expect("no holder of this lock panics");
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    // A database in memory has one connection, and only the store thread has it: `work` is handed
    // the rows by asking that thread, one statement at a time. Only `explain` and tests do this.
    fn read_in_memory<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        work(&mut Remote { sqlite: self })
    }

    /// Takes the daemon's role: a lock on a file beside the database.
    pub fn take_role(&self) -> Result<Role, StoreError> {
        let Location::Sqlite(database) = &self.shared.location else {
            return Ok(Role { _lock: None });
        };
        files::take_role(database, &self.shared.path)
    }

    /// What is wrong with the database file, a sentence each.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.read_only(|sql| {
            let mut problems = Vec::new();
            for row in sql.query("PRAGMA integrity_check", &[])? {
                let said = row.text(0)?;
                if said != "ok" {
                    problems.push(format!("the database is damaged: {said}"));
                }
            }
            for row in sql.query("PRAGMA foreign_key_check", &[])? {
                let (table, parent) = (row.text(0)?, row.text(2)?);
                problems.push(format!("a row of `{table}` refers to a missing row of `{parent}`"));
            }
            Ok(problems)
        })
    }

    /// Copies the database, as of one moment, to a file that must not exist yet.
    pub fn back_up(&self, target: &Path) -> Result<(), StoreError> {
        files::back_up(&self.shared.location, &self.shared.path, target)
    }
}

impl Drop for Shared {
    // The thread ends when the queue closes; waiting for it means that a dropped store is closed. Who
    // closes last moves the WAL into the database file, and a reader may not: readers go first.
    fn drop(&mut self) {
        if let Ok(readers) = self.readers.get_mut() {
            readers.clear();
        }
        if let Ok(queue) = self.queue.get_mut() {
            queue.take();
        }
        if let Some(thread) = self.thread.get_mut().ok().and_then(Option::take) {
            // The store thread may itself drop the last handle.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sqlite({})", self.shared.path)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::{Durability, mailboxes};

    #[test]
    fn a_store_in_memory_is_written_and_read() {
        let options = Options { location: Location::Memory, durability: Durability::None };
        let sqlite = Sqlite::open(&options, Timestamp::UNIX_EPOCH).expect("it needs no file");
        let begun = sqlite.submit(|sql| {
            mailboxes::begin(sql, "support", "a@desk.example", Timestamp::UNIX_EPOCH)
        });
        begun.blocking_recv().expect("an answer").expect("success");
        let name = sqlite.read_only(|sql| sql.query("SELECT name FROM mailbox", &[])?[0].text(0));
        assert_eq!(name.expect("success"), "support");
        assert!(sqlite.verify().expect("it can be looked at").is_empty());
        assert!(sqlite.back_up(Path::new("nowhere")).is_err());
    }
}
