//! The thread that writes. What waits together is committed together; when one piece of it fails or
//! panics, all is rolled back and each runs again in a transaction of its own, so that only the
//! caller of that piece hears of it. No savepoints: they copy each page that is changed.

use std::sync::mpsc::Receiver;

use rusqlite::{Connection, TransactionBehavior};

use super::Ground;
use super::adapter::{On, explain};
use super::tally;
use crate::faults;
use crate::store::work::{Piece, Work, run_caught};
use crate::store::{Sql, StoreError};

// Pieces of work in one transaction.
const GROUP: usize = 64;
// Times that a piece of work runs when another writer is faster.
const RUNS: usize = 4;
// After so many transactions, pages that are free are given back, this many at most.
const TIDY_EVERY: u64 = 512;
const TIDY_PAGES: usize = 1024;

/// Works until the queue is closed: one transaction for all that is waiting.
pub(super) fn serve(
    mut connection: Connection,
    path: &str,
    ground: Option<&Ground>,
    queue: &Receiver<Work>,
) {
    let mut transactions: u64 = 0;
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        commit_together(&mut connection, path, ground, group);
        transactions += 1;
        if transactions.is_multiple_of(TIDY_EVERY) {
            tidy(&connection);
        }
    }
    // What closes last moves the WAL into the database file.
    faults::point("store.close");
}

/// Runs `work` in a transaction of its own.
pub(super) fn in_transaction<T>(
    connection: &mut Connection,
    path: &str,
    work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    faults::point("store.begin");
    alive()?;
    if faults::is_busy() {
        return Err(StoreError::Busy(path.to_owned()));
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| explain(error, path, "BEGIN IMMEDIATE"))?;
    let before = transaction.total_changes();
    let result = work(&mut On { connection: &transaction, path })?;
    if transaction.total_changes() != before {
        tally::add(&transaction, path)?;
    }
    faults::point("store.commit");
    alive()?;
    transaction.commit().map_err(|error| explain(error, path, "COMMIT"))?;
    faults::point("store.committed");
    alive()?;
    Ok(result)
}

// In a simulation a process may die at each of these points: it does nothing more, and hears nothing.
fn alive() -> Result<(), StoreError> {
    if faults::is_dead() { Err(StoreError::Stopped) } else { Ok(()) }
}

/// Runs each of the `group`, all in one transaction if that goes well, and answers everybody.
pub(super) fn commit_together(
    connection: &mut Connection,
    path: &str,
    ground: Option<&Ground>,
    mut group: Vec<Work>,
) {
    if group.len() > 1 {
        let committed = commit(connection, path, ground, |sql| {
            group.iter_mut().try_for_each(|piece| run_caught(piece.as_mut(), sql))
        });
        if committed.is_ok() {
            return group.into_iter().for_each(|piece| piece.answer(Ok(())));
        }
    }
    for mut piece in group {
        let outcome = commit_alone(connection, path, ground, piece.as_mut());
        piece.answer(outcome);
    }
}

fn commit_alone(
    connection: &mut Connection,
    path: &str,
    ground: Option<&Ground>,
    piece: &mut dyn Piece,
) -> Result<(), StoreError> {
    let mut runs = 0;
    loop {
        runs += 1;
        match commit(connection, path, ground, |sql| run_caught(piece, sql)) {
            Err(StoreError::Raced(_)) if runs < RUNS => {}
            outcome => return outcome,
        }
    }
}

fn commit(
    connection: &mut Connection,
    path: &str,
    ground: Option<&Ground>,
    work: impl FnOnce(&mut dyn Sql) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    in_transaction(connection, path, |sql| {
        ground.iter().try_for_each(|ground| ground.place.check(path))?;
        work(sql)
    })?;
    // Before anybody hears of it, and does what cannot be undone.
    if let Some(tally) = ground.and_then(|ground| ground.tally.as_ref()) {
        tally.note(connection);
    }
    Ok(())
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
    use tokio::sync::oneshot;

    use super::*;
    use crate::args;
    use crate::store::work::Job;

    fn piece<T: Send + 'static>(
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> (Work, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Job::new(work, reply)), answer)
    }

    fn insert(n: i64) -> impl FnMut(&mut dyn Sql) -> Result<u64, StoreError> {
        move |sql| sql.execute("INSERT INTO t (n) VALUES (?1)", args![n])
    }

    #[test]
    fn of_those_that_wait_together_the_one_that_fails_is_rolled_back_alone() {
        let mut connection = Connection::open_in_memory().expect("a database in memory opens");
        connection.execute_batch("CREATE TABLE t (n INTEGER)").expect("the statement is good");
        let (first, first_answer) = piece(insert(1));
        let (bad, bad_answer) = piece(|sql| {
            insert(2)(sql)?;
            Err::<(), _>(StoreError::Violated("on purpose".to_owned()))
        });
        let (last, last_answer) = piece(insert(3));
        commit_together(&mut connection, ":memory:", None, vec![first, bad, last]);
        let answered = |answer: oneshot::Receiver<Result<u64, StoreError>>| {
            answer.blocking_recv().expect("everybody is answered").expect("it is committed")
        };
        assert_eq!((answered(first_answer), answered(last_answer)), (1, 1));
        let bad = bad_answer.blocking_recv().expect("everybody is answered");
        assert!(matches!(bad, Err(StoreError::Violated(_))));
        let kept: String = connection
            .query_row("SELECT group_concat(n) FROM (SELECT n FROM t ORDER BY n)", [], |row| {
                row.get(0)
            })
            .expect("the rows read");
        assert_eq!(kept, "1,3", "each once");
    }

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
