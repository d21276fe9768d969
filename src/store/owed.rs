//! Messages that are decided, whose sender's user or credentials mail must wait for room
//! (`limits.new_users`, C-10): when to come back to them.

use jiff::{SignedDuration, Timestamp};

use super::spool::{Arrived, Origin, parse_intake};
use super::{Row, Sql, StoreError};
use crate::args;
use crate::faults;

/// A message to come back to. What is gathered about it counts as of when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub arrived: Arrived,
    pub mailbox: String,
    pub origin: Origin,
}

/// Comes back to a message at `until`.
pub fn owe(sql: &mut dyn Sql, message: &str, until: Timestamp) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO owed (message, due_at) VALUES (?1, ?2) \
         ON CONFLICT (message) DO UPDATE SET due_at = excluded.due_at",
        args![message, until],
    )
    .map(drop)
}

/// The messages that are due, the longest waiting first.
pub fn due(sql: &mut dyn Sql, now: Timestamp, limit: u32) -> Result<Vec<Owed>, StoreError> {
    let rows = sql.query(
        "SELECT o.message, o.due_at, m.arrived_at, m.intake, m.mailbox, m.origin FROM owed o \
         JOIN message m ON m.id = o.message \
         WHERE o.due_at <= ?1 ORDER BY o.due_at, o.message LIMIT ?2",
        args![now, limit],
    )?;
    let read = |row: &Row| {
        Ok(Owed {
            arrived: Arrived {
                message: row.text(0)?,
                counted_at: row.time(1)?,
                arrived_at: row.time(2)?,
                intake: row.parsed(3, "a way in", parse_intake)?,
            },
            mailbox: row.text(4)?,
            origin: row.parsed(5, "an origin", Origin::parse)?,
        })
    };
    rows.iter().map(read).collect()
}

/// When the first one is due.
pub fn next_due(sql: &mut dyn Sql) -> Result<Option<Timestamp>, StoreError> {
    match sql.query_one("SELECT MIN(due_at) FROM owed", args![])? {
        Some(row) => row.opt_time(0),
        None => Ok(None),
    }
}

/// Sees to it that no message waits for longer than it can have been put off: by a clock that was
/// set back since (P-11).
pub fn set_right(
    sql: &mut dyn Sql,
    now: Timestamp,
    longest: SignedDuration,
) -> Result<(), StoreError> {
    let beyond = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
    sql.execute("UPDATE owed SET due_at = ?1 WHERE due_at > ?2", args![now, beyond]).map(drop)
}

/// Takes a message off the list; it must stand there as it was read, or somebody else did the work.
pub fn settle(sql: &mut dyn Sql, owed: &Owed) -> Result<(), StoreError> {
    faults::point("apply.settle_owed");
    let changed = sql.execute(
        "DELETE FROM owed WHERE message = ?1 AND due_at = ?2",
        args![&owed.arrived.message, owed.arrived.counted_at],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::ClaimLost(owed.arrived.message.clone()))
}
