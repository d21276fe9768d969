//! SQLite behind the seam. One thread owns the connection that writes: it takes what is queued, runs
//! it in one transaction, commits once and answers everybody (group commit). Readers have
//! connections of their own. In memory there is one connection, and whoever comes works on it.

mod adapter;
mod backup;
mod files;
mod folding;
mod restore;
mod tally;
mod thread;

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::adapter::{On, explain, refused};
use self::files::Place;
use self::tally::Tally;
use self::thread::{commit_together, in_transaction, serve};
use super::work::{Job, Work};
use super::{Dialect, Durability, Location, Options, READERS, Role, Sql, StoreError, migrate};
use crate::faults;

pub use self::files::lock_path;
pub use self::restore::{Restored, must_be_free, restore};

// The WAL of older ones can be corrupted (fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;
// Pieces of work waiting for the store thread; each caller waits for its own, so more cannot help.
const QUEUE: usize = 256;

/// A SQLite database and the thread that writes to it. Clones share both.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: String,
    location: Location,
    place: Option<Place>,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
}

/// What the thread that writes stands on.
struct Ground {
    place: Place,
    tally: Option<Tally>,
}

/// Who runs what is submitted.
enum Writer {
    /// Whoever submits it.
    Caller(Mutex<Connection>),
    Thread {
        queue: Mutex<Option<SyncSender<Work>>>,
        thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    },
}

impl Sqlite {
    /// Opens or makes the database, migrates it and, unless it is in memory, starts its thread.
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
        let writer = match place.clone() {
            None => Writer::Caller(Mutex::new(connection)),
            Some(place) => {
                // A store that is thrown away has nothing to lose.
                let tally = (options.durability == Durability::Full).then(|| place.tally());
                Writer::start(connection, path.clone(), Ground { place, tally })?
            }
        };
        let (location, readers) = (options.location.clone(), Mutex::new(Vec::new()));
        Ok(Sqlite { shared: Arc::new(Shared { path, location, place, writer, readers }) })
    }

    /// Queues `work` for the next transaction. The answer comes once it is committed, or failed.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (reply, receiver) = oneshot::channel();
        let work: Work = Box::new(Job::new(work, reply));
        match &self.shared.writer {
            Writer::Caller(connection) => {
                let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                commit_together(&mut connection, &self.shared.path, None, vec![work]);
            }
            Writer::Thread { queue, .. } => {
                let queue = queue.lock().expect("no holder of this lock panics").clone();
                if let Some(queue) = queue {
                    // A closed queue drops the reply, which the caller reads as "stopped".
                    let _ = queue.send(work);
                }
            }
        }
        receiver
    }

    /// Runs `work` on a consistent view, beside the thread that writes.
    pub fn read_only<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Writer::Caller(connection) = &self.shared.writer {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            return self.read_on(&mut connection, work);
        }
        let Location::Sqlite(file) = &self.shared.location else {
            unreachable!("only a file has a thread that writes");
        };
        let path = &self.shared.path;
        self.shared.place.iter().try_for_each(|place| place.check(path))?;
        let idle = self.shared.readers.lock().expect("no holder of this lock panics").pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => files::open_to_read(file, path)?,
        };
        let result = self.read_on(&mut connection, work);
        let mut readers = self.shared.readers.lock().expect("no holder of this lock panics");
        if readers.len() < READERS {
            readers.push(connection);
        }
        result
    }

    fn read_on<T>(
        &self,
        connection: &mut Connection,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if faults::is_dead() {
            return Err(StoreError::Stopped);
        }
        let path = &self.shared.path;
        let transaction =
            connection.transaction().map_err(|error| explain(error, path, "BEGIN"))?;
        work(&mut On { connection: &transaction, path })
    }

    /// Takes the daemon's role: a lock on a file beside the database.
    pub fn take_role(&self) -> Result<Role, StoreError> {
        let Location::Sqlite(database) = &self.shared.location else {
            return Ok(Role { _lock: None });
        };
        files::take_role(database, &self.shared.path)
    }

    /// Refuses a database that lacks commits that were answered.
    pub fn must_not_have_gone_back(&self) -> Result<(), StoreError> {
        match self.read_only(|sql| self.lost(sql))? {
            0 => Ok(()),
            lost => Err(StoreError::GoneBack { path: self.shared.path.clone(), lost }),
        }
    }

    /// Takes the database for what it is, whatever it lacks.
    pub fn take_as_it_is(&self) -> Result<(), StoreError> {
        let Location::Sqlite(database) = &self.shared.location else { return Ok(()) };
        tally::forget(database).map_err(|error| refused(&error, &self.shared.path))
    }

    fn lost(&self, sql: &mut dyn Sql) -> Result<u32, StoreError> {
        match &self.shared.location {
            Location::Sqlite(database) => tally::lost(database, sql),
            Location::Memory | Location::Postgres(_) => Ok(0),
        }
    }

    /// What is wrong with the database file, a sentence each.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.read_only(|sql| {
            let mut problems = Vec::new();
            let lost = self.lost(sql)?;
            if lost > 0 {
                problems.push(format!(
                    "the database has gone back in time: {lost} commits that were made are not in it"
                ));
            }
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
        backup::back_up(&self.shared.location, &self.shared.path, target)
    }
}

impl Writer {
    fn start(connection: Connection, path: String, ground: Ground) -> Result<Writer, StoreError> {
        let (sender, receiver) = sync_channel(QUEUE);
        let name = path.clone();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(connection, &name, Some(&ground), &receiver))
            .map_err(|error| StoreError::Open { path, said: error.to_string() })?;
        Ok(Writer::Thread { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }
}

impl Drop for Shared {
    // The thread ends when the queue closes; waiting for it means that a dropped store is closed. Who
    // closes last moves the WAL into the database file, and a reader may not: readers go first.
    fn drop(&mut self) {
        if let Ok(readers) = self.readers.get_mut() {
            readers.clear();
        }
        let Writer::Thread { queue, thread } = &mut self.writer else { return };
        if let Ok(queue) = queue.get_mut() {
            queue.take();
        }
        if let Some(thread) = thread.get_mut().ok().and_then(Option::take) {
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
    use crate::store::mailboxes;

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

    // SQLite does not wait by itself where a file that is not in WAL mode yet is being written: so it is
    // when two programs make one store.
    #[test]
    fn a_store_that_another_program_is_making_is_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.db");
        let other = Connection::open(&file).expect("it opens");
        other.execute_batch("BEGIN IMMEDIATE; CREATE TABLE begun (one)").expect("it begins");
        let options = Options { location: Location::Sqlite(file), durability: Durability::Full };
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| Sqlite::open(&options, Timestamp::UNIX_EPOCH));
            std::thread::sleep(std::time::Duration::from_millis(300));
            other.execute_batch("ROLLBACK").expect("it ends");
            opened.join().expect("it ends").expect("it was waited for");
        });
    }
}
