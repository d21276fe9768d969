//! A connection that is lost on a COMMIT leaves nobody knowing: before anything runs again, the
//! writer looks for the mark that each of its transactions leaves. (The server's own memory of its
//! transactions will not do: after a crash it gives their numbers to others.)

use std::time::Duration;

use super::adapter::On;
use super::guard::Guard;
use super::queue::Queue;
use super::session::Place;
use crate::args;
use crate::clock::{Chance, SystemChance};
use crate::store::{Sql, StoreError};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Committed,
    RolledBack,
}

/// The marks of one writer.
pub(super) struct Marks {
    writer: String,
    /// The number of the last transaction that was begun.
    last: i64,
    /// The server's process that had it.
    process: i64,
}

// How long the server may be away before its answer is waited for no longer: so many pauses.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSES: u32 = 120;
const NOW: &str = "CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT)";
// Milliseconds after which nobody looks for a mark any more: far more than all the pauses.
const KEPT: i64 = 24 * 60 * 60 * 1000;

impl Marks {
    /// Those of a new writer.
    pub fn new() -> Marks {
        let mut bytes = [0; 16];
        SystemChance.fill(&mut bytes);
        Marks {
            writer: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            last: 0,
            process: 0,
        }
    }

    /// Makes ready to leave marks on a new connection.
    pub fn prepare(&mut self, on: &mut On<'_>) -> Result<(), StoreError> {
        if let Some(row) = on.query_one("SELECT pg_backend_pid()", args![])? {
            self.process = row.int(0)?;
        }
        on.command(&format!(
            "PREPARE mark (BIGINT) AS INSERT INTO last_commit (writer, n, at) \
             VALUES ('{}', $1, {NOW}) \
             ON CONFLICT (writer) DO UPDATE SET n = excluded.n, at = excluded.at",
            self.writer
        ))
    }

    /// Begins a transaction that leaves its mark, in one round trip.
    pub fn begin(&mut self, on: &mut On<'_>, guard: &Guard) -> Result<(), StoreError> {
        self.last += 1;
        on.command(&format!("{}; EXECUTE mark({})", guard.begin(), self.last))
    }

    /// Finds out what became of the last transaction, as long as it takes the server to come back,
    /// within reason. Fails when nobody can say.
    pub fn ending(&self, place: &Place, queue: &Queue) -> Result<Ending, StoreError> {
        for _ in 0..PAUSES {
            if let Ok(ending) = self.look(place) {
                return Ok(ending);
            }
            if !queue.pause(PAUSE) {
                break;
            }
        }
        Err(StoreError::Doubtful(place.name.clone()))
    }

    // Touching the row waits for the transaction that still holds it, if the server has not noticed
    // yet that nobody is there: it may wait for a COMMIT that was lost on its way. So it is ended.
    fn look(&self, place: &Place) -> Result<Ending, StoreError> {
        let mut session = place.connect()?;
        let mut on = On::new(&mut session, &place.name);
        on.command("SET lock_timeout = '1s'")?;
        let touch = format!(
            "INSERT INTO last_commit (writer, n, at) VALUES (?1, 0, {NOW}) \
             ON CONFLICT (writer) DO UPDATE SET n = last_commit.n RETURNING n"
        );
        let found = on.query_one(&touch, args![&self.writer]);
        if found.is_err() {
            on.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE pid = ?1 AND usename = current_user AND state = 'idle in transaction'",
                args![self.process],
            )?;
        }
        let found = found?.map(|row| row.int(0)).transpose()?;
        Ok(if found == Some(self.last) { Ending::Committed } else { Ending::RolledBack })
    }
}

/// Takes away the marks that nobody looks for any more.
pub(super) fn tidy(sql: &mut dyn Sql) -> Result<(), StoreError> {
    sql.execute(&format!("DELETE FROM last_commit WHERE at < {NOW} - ?1"), args![KEPT]).map(drop)
}
