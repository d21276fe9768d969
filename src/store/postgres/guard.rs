//! What keeps a transaction from going by what another one changes meanwhile: the server's checks of
//! all that is read against all that others write, or locks on what it names.

use super::writer::AsPiece;

/// How a transaction is guarded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Guard {
    /// Numbers of locks, in the order that everybody takes them in.
    locks: Vec<i64>,
    /// Some of it named nothing.
    is_checked: bool,
}

const UNLOCK: &str = "SELECT pg_advisory_unlock_all()";

impl Guard {
    /// That of pieces of work which run in one transaction.
    pub fn of(group: &mut [impl AsPiece]) -> Guard {
        let mut guard = Guard { locks: Vec::new(), is_checked: false };
        for piece in group {
            let locks = piece.as_piece().locks();
            guard.is_checked |= locks.is_empty();
            guard.locks.extend(locks);
        }
        guard.locks.sort_unstable();
        guard.locks.dedup();
        guard
    }

    /// Whether there are locks to give back.
    pub fn has_locks(&self) -> bool {
        !self.locks.is_empty()
    }

    /// Takes the locks, then begins: the transaction is to see all that those have done who had them
    /// before, so they are not its own but the connection's. In one round trip, so that nobody who is
    /// stopped in between keeps them for longer than a transaction may be idle.
    pub fn begin(&self) -> String {
        let level = match self.is_checked {
            true => "SERIALIZABLE",
            false => "REPEATABLE READ",
        };
        let begin = format!("BEGIN ISOLATION LEVEL {level}");
        if !self.has_locks() {
            return begin;
        }
        let locks = self.locks.iter().map(|lock| format!("pg_advisory_lock({lock})"));
        let locks: Vec<String> = locks.collect();
        format!("BEGIN; SELECT {}; COMMIT; {begin}", locks.join(", "))
    }

    /// Ends the transaction by `end`, and gives the locks back.
    pub fn end(&self, end: &str) -> String {
        match self.has_locks() {
            true => format!("{end}; {UNLOCK}"),
            false => end.to_owned(),
        }
    }
}
