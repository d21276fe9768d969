//! The thread that writes. A piece of work that fails or panics is rolled back alone and only its
//! caller hears of it; when the transaction itself fails, everybody does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::adapter::{On, explain};
use super::files::Place;
use crate::store::{Sql, StoreError};

// Pieces of work in one transaction.
const GROUP: usize = 64;
// Times that a piece of work runs when another writer is faster.
const RUNS: usize = 4;
// After so many transactions, pages that are free are given back, this many at most.
const TIDY_EVERY: u64 = 512;
const TIDY_PAGES: usize = 1024;

/// A piece of work: runs inside the transaction, then, once it is committed or not, answers.
pub(super) type Work = Box<dyn Piece>;

pub(super) trait Piece: Send {
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

pub(super) struct Job<T, F> {
    work: F,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F> {
    pub fn new(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Job<T, F> {
        Job { work, done: None, reply }
    }
}

impl<T, F> Piece for Job<T, F>
where
    T: Send,
    F: FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let result = (self.work)(sql);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.done = Some(result);
        outcome
    }

    // A caller that stopped waiting needs no answer.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let result = match outcome {
            Ok(()) => self.done.unwrap_or(Err(StoreError::Stopped)),
            Err(error) => Err(error),
        };
        let _ = self.reply.send(result);
    }
}

/// Works until the queue is closed: one transaction for all that is waiting.
pub(super) fn serve(
    mut connection: Connection,
    path: &str,
    place: Option<&Place>,
    queue: &Receiver<Work>,
) {
    let mut transactions: u64 = 0;
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        commit_together(&mut connection, path, place, group);
        transactions += 1;
        if transactions.is_multiple_of(TIDY_EVERY) {
            tidy(&connection);
        }
    }
}

/// Runs `work` in a transaction of its own.
pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    path: &str,
    work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| explain(error, path, "BEGIN IMMEDIATE"))?;
    let result = work(&mut On { connection: &transaction, path })?;
    transaction.commit().map_err(|error| explain(error, path, "COMMIT"))?;
    Ok(result)
}

fn commit_together(
    connection: &mut Connection,
    path: &str,
    place: Option<&Place>,
    mut group: Vec<Work>,
) {
    let committed = in_transaction(connection, path, |sql| {
        place.iter().try_for_each(|place| place.check(path))?;
        group.iter_mut().map(|piece| run_in_savepoint(piece.as_mut(), sql)).collect()
    });
    let outcomes: Vec<Result<(), StoreError>> = match committed {
        Ok(outcomes) => outcomes,
        Err(error) => vec![Err(error); group.len()],
    };
    for (piece, outcome) in group.into_iter().zip(outcomes) {
        piece.answer(outcome);
    }
}

// The outer result is about the transaction: SQLite itself rolls all of it back when, for one, the
// disk is full; then there is no savepoint left to go back to.
fn run_in_savepoint(
    piece: &mut dyn Piece,
    sql: &mut dyn Sql,
) -> Result<Result<(), StoreError>, StoreError> {
    let mut runs = 0;
    loop {
        sql.execute("SAVEPOINT piece", &[])?;
        runs += 1;
        let outcome = catch_unwind(AssertUnwindSafe(|| piece.run(sql)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(words(panic.as_ref()))));
        if outcome.is_err() && sql.execute("ROLLBACK TO piece", &[]).is_err() {
            return outcome.map(Ok);
        }
        sql.execute("RELEASE piece", &[])?;
        match outcome {
            Err(StoreError::Raced(_)) if runs < RUNS => {}
            outcome => return Ok(outcome),
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it said nothing".to_owned())
}

// Free pages cost nothing but space, so a failure here is nobody's concern: the next one tries again.
fn tidy(connection: &Connection) {
    let Ok(mut statement) =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({TIDY_PAGES})"))
    else {
        return;
    };
    if let Ok(mut rows) = statement.query([]) {
        while let Ok(Some(_)) = rows.next() {}
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_pages_are_given_back() {
        let connection = Connection::open_in_memory().expect("a database in memory opens");
        connection
            .execute_batch(
                "PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (b BLOB);
                 INSERT INTO t VALUES (zeroblob(1000000)); DELETE FROM t;",
            )
            .expect("the statements are good");
        let count = |connection: &Connection| -> i64 {
            connection
                .query_row("PRAGMA freelist_count", [], |row| row.get(0))
                .expect("a pragma answers")
        };
        assert!(count(&connection) > 100);
        tidy(&connection);
        assert_eq!(count(&connection), 0);
    }
}
