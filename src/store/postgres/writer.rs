//! A thread that writes: it owns its connection, runs what is queued in transactions, a few pieces
//! together, and each alone and again when another transaction was in the way.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::adapter::On;
use super::doubt::{Ending, Marks};
use super::errors::Reach;
use super::guard::Guard;
use super::queue::Queue;
use super::session::{Place, Session};
use crate::clock::{Chance, SystemChance};
use crate::faults;
use crate::store::StoreError;
use crate::store::work::{Piece, Work, run_caught};

// Times that a piece of work runs when another writer is faster, or the connection is lost.
const RUNS: u32 = 10;
// The longest pause before the second run; it doubles with each further one, six times.
const PAUSE: Duration = Duration::from_millis(5);
// Between attempts to connect while somebody waits: a server that starts anew is back by then.
const CONNECTING: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(2_700),
];

// What writes reads a few rows from an index. A server that has no statistics yet of tables that fill
// up quickly reads them whole, or joins them as a whole, and a transaction that has read a table whole
// is in the way of all. None of them gains by being planned anew for each value.
const FROM_INDEXES: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan";

/// Works until the queue is closed.
pub(super) fn serve(place: Arc<Place>, queue: Arc<Queue>) {
    let mut writer = Writer { place, queue, session: None, marks: Marks::new(), is_lost: false };
    while let Some(group) = writer.queue.take() {
        writer.work_off(group);
        writer.queue.is_done();
    }
    faults::point("store.close");
}

struct Writer {
    place: Arc<Place>,
    queue: Arc<Queue>,
    session: Option<Session>,
    marks: Marks,
    /// Whether the connection was lost, and somebody was told.
    is_lost: bool,
}

/// Why a transaction came to nothing, or to nobody knows what.
enum Unended {
    /// The connection was lost on the COMMIT, or cannot be kept: how the pieces fared, should it have
    /// been done.
    Doubtful(Vec<Result<(), StoreError>>),
    Failed(StoreError),
}

impl From<StoreError> for Unended {
    fn from(error: StoreError) -> Unended {
        Unended::Failed(error)
    }
}

impl Writer {
    /// All in one transaction; what cannot be, piece by piece.
    fn work_off(&mut self, mut group: Vec<Work>) {
        if group.len() > 1 && self.connect().is_ok() {
            match self.attempt(&mut group) {
                Ok(outcomes) => group = answer(group, outcomes),
                Err(StoreError::Raced(_) | StoreError::Unreachable { .. }) => {}
                Err(error) => {
                    group.into_iter().for_each(|piece| piece.answer(Err(error.clone())));
                    return;
                }
            }
        }
        for mut piece in group {
            let outcome = self.alone(piece.as_mut());
            piece.answer(outcome);
        }
    }

    fn alone(&mut self, mut piece: &mut dyn Piece) -> Result<(), StoreError> {
        let mut runs = 0;
        loop {
            self.connect()?;
            runs += 1;
            let outcome = self.attempt(std::slice::from_mut(&mut piece));
            match outcome.and_then(|mut outcomes| outcomes.pop().unwrap_or(Ok(()))) {
                Err(StoreError::Raced(_) | StoreError::Unreachable { .. }) if runs < RUNS => {
                    std::thread::sleep(random(PAUSE * 2u32.pow((runs - 1).min(6))));
                }
                outcome => return outcome,
            }
        }
    }

    /// One transaction: how each piece fared, once it is committed. What failed as a whole has
    /// changed nothing; when that is not known, it is asked.
    fn attempt(
        &mut self,
        group: &mut [impl AsPiece],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let Some(mut session) = self.session.take() else { return Err(StoreError::Stopped) };
        let place = self.place.clone();
        let mut on = On::new(&mut session, &place.name);
        let guard = Guard::of(group);
        match transact(&mut on, &mut self.marks, &guard, group) {
            Ok(outcomes) => {
                self.session = Some(session);
                Ok(outcomes)
            }
            Err(Unended::Doubtful(outcomes)) => {
                drop(session);
                match self.marks.ending(&self.place, &self.queue)? {
                    Ending::Committed => Ok(outcomes),
                    Ending::RolledBack => Err(self.lost("the connection ended on a COMMIT")),
                }
            }
            Err(Unended::Failed(error)) => {
                on.failed = None;
                match on.command(&guard.end("ROLLBACK")) {
                    Ok(()) => self.session = Some(session),
                    // What cannot even be rolled back is no connection any more.
                    Err(_) => self.tell_loss(&error),
                }
                Err(error)
            }
        }
    }

    fn new_session(&mut self) -> Result<Session, StoreError> {
        let mut session = self.place.connect()?;
        let mut on = On::new(&mut session, &self.place.name);
        on.command(FROM_INDEXES)?;
        self.marks.prepare(&mut on)?;
        Ok(session)
    }

    fn lost(&mut self, said: &str) -> StoreError {
        let place = self.place.name.clone();
        let error = StoreError::Unreachable { place, said: said.to_owned() };
        self.tell_loss(&error);
        error
    }

    // Once, however long it lasts.
    fn tell_loss(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.is_lost, true) {
            warn!("the connection to the database was lost: {error}");
        }
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.client.is_closed()) {
            return Ok(());
        }
        let mut pauses = CONNECTING.iter();
        loop {
            match self.new_session() {
                Ok(session) => {
                    self.session = Some(session);
                    if std::mem::take(&mut self.is_lost) {
                        info!("connected to `{}` again", self.place.name);
                    }
                    return Ok(());
                }
                Err(error) => {
                    self.tell_loss(&error);
                    match pauses.next() {
                        Some(pause) if error.is_temporary() && self.queue.pause(*pause) => {}
                        _ => return Err(error),
                    }
                }
            }
        }
    }
}

/// A piece of work, owned or lent.
pub(super) trait AsPiece {
    fn as_piece(&mut self) -> &mut dyn Piece;
}

impl AsPiece for Work {
    fn as_piece(&mut self) -> &mut dyn Piece {
        self.as_mut()
    }
}

impl AsPiece for &mut dyn Piece {
    fn as_piece(&mut self) -> &mut dyn Piece {
        *self
    }
}

fn transact(
    on: &mut On<'_>,
    marks: &mut Marks,
    guard: &Guard,
    group: &mut [impl AsPiece],
) -> Result<Vec<Result<(), StoreError>>, Unended> {
    marks.begin(on, guard)?;
    let outcomes = match group {
        [piece] => {
            let outcome = run(on, piece.as_piece())?;
            if outcome.is_err() {
                on.command(&guard.end("ROLLBACK"))?;
                return Ok(vec![outcome]);
            }
            vec![outcome]
        }
        several => several
            .iter_mut()
            .map(|piece| run_in_savepoint(on, piece.as_piece()))
            .collect::<Result<Vec<_>, _>>()?,
    };
    faults::point("store.commit");
    match on.command(&guard.end("COMMIT")) {
        Ok(()) => {
            faults::point("store.committed");
            Ok(outcomes)
        }
        Err(error) => Err(match on.failed.take() {
            Some((Reach::Connection, _)) => Unended::Doubtful(outcomes),
            // It may be that only the locks were not given back; the connection's end does that.
            Some((Reach::Statement, _)) if guard.has_locks() => Unended::Doubtful(outcomes),
            _ => Unended::Failed(error),
        }),
    }
}

// The outer result is about the transaction.
fn run_in_savepoint(
    on: &mut On<'_>,
    piece: &mut dyn Piece,
) -> Result<Result<(), StoreError>, StoreError> {
    on.command("SAVEPOINT piece")?;
    let outcome = run(on, piece)?;
    on.command(match outcome {
        Ok(()) => "RELEASE piece",
        Err(_) => "ROLLBACK TO piece; RELEASE piece",
    })?;
    Ok(outcome)
}

// What the server refused stays refused, whatever the work made of it.
fn run(on: &mut On<'_>, piece: &mut dyn Piece) -> Result<Result<(), StoreError>, StoreError> {
    let outcome = run_caught(piece, on);
    match on.failed.take() {
        None => Ok(outcome),
        Some((Reach::Statement, error)) => Ok(Err(error)),
        Some((Reach::Connection | Reach::Transaction, error)) => Err(error),
    }
}

// Answers all but those that were beaten, and hands these back.
fn answer(group: Vec<Work>, outcomes: Vec<Result<(), StoreError>>) -> Vec<Work> {
    let mut beaten = Vec::new();
    for (piece, outcome) in group.into_iter().zip(outcomes) {
        match outcome {
            Err(StoreError::Raced(_)) => beaten.push(piece),
            outcome => piece.answer(outcome),
        }
    }
    beaten
}

// Two that were in each other's way are not to meet again.
fn random(at_most: Duration) -> Duration {
    let mut bytes = [0; 2];
    SystemChance.fill(&mut bytes);
    at_most.mul_f64(f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX))
}
