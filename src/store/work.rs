//! A piece of work on the store, whoever's thread runs it: it may run several times, and answers its
//! caller once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::{Sql, StoreError};

/// A piece of work: runs inside the transaction, then, once it is committed or not, answers.
pub(super) type Work = Box<dyn Piece>;

pub(super) trait Piece: Send {
    /// The locks it runs under; without any, it is checked against whatever others do.
    fn locks(&self) -> &[i64];
    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

pub(super) struct Job<T, F> {
    work: F,
    locks: Vec<i64>,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job<T, F> {
    pub fn new(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Job<T, F> {
        Job { work, locks: Vec::new(), done: None, reply }
    }

    /// The same under these locks.
    pub fn locked(self, locks: Vec<i64>) -> Job<T, F> {
        Job { locks, ..self }
    }
}

impl<T, F> Piece for Job<T, F>
where
    T: Send,
    F: FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send,
{
    fn locks(&self) -> &[i64] {
        &self.locks
    }

    fn run(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let result = (self.work)(sql);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.done = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Job { work, done, reply, .. } = *self;
        // First, so that what it shares with its caller is left for the caller to free.
        drop(work);
        let result = match outcome {
            Ok(()) => done.unwrap_or(Err(StoreError::Stopped)),
            Err(error) => Err(error),
        };
        // A caller that stopped waiting needs no answer.
        let _ = reply.send(result);
    }
}

/// Runs a piece; a panic of it is an error of its caller alone.
pub(super) fn run_caught(piece: &mut dyn Piece, sql: &mut dyn Sql) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| piece.run(sql)))
        .unwrap_or_else(|panic| Err(StoreError::Panicked(words(panic.as_ref()))))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it said nothing".to_owned())
}
