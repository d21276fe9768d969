//! The processes that work on this store. What a worker has leased bears its process's name, so what
//! a dead one had in hand is free as soon as its name is struck off; a living one's stays its own.

mod presence;
mod process;

use jiff::{SignedDuration, Timestamp};

use super::{Row, Sql, StoreError};
use crate::args;
use crate::faults;

pub use presence::{Pace, Presence};
pub use process::Process;

/// A process that works on the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What the leases of its workers begin with.
    pub name: String,
    /// Which process it is; absent when that does not read.
    pub process: Option<Process>,
    pub started_at: Timestamp,
    /// When it last said that it lives.
    pub seen_at: Timestamp,
}

impl Registered {
    /// Whether it must be taken for dead: it ended beside `witness`, or was silent for `patience`.
    pub fn is_gone(&self, witness: &Process, now: Timestamp, patience: SignedDuration) -> bool {
        self.is_silent(now, patience)
            || self.process.as_ref().is_some_and(|process| process.is_dead(witness))
    }

    /// Whether it was not heard of for `patience`, by a clock that may have been set back since.
    pub fn is_silent(&self, now: Timestamp, patience: SignedDuration) -> bool {
        let ago = now.duration_since(self.seen_at);
        ago > patience || (-ago > patience && faults::stands("P-11"))
    }
}

/// What was leased by processes that are gone, and is free now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    pub mailboxes: u64,
    pub mails: u64,
    pub messages: u64,
}

/// The letters of a name: a UUID.
const NAME: usize = 36;

/// What one of the workers of a process signs its leases with.
pub fn worker(process: &str, work: &str) -> String {
    format!("{process}/{work}")
}

/// Enters a process under its name.
pub fn enter(
    sql: &mut dyn Sql,
    name: &str,
    process: &Process,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO worker (name, process, started_at, seen_at) VALUES (?1, ?2, ?3, ?3) \
         ON CONFLICT (name) DO UPDATE SET seen_at = ?3",
        args![name, process.to_string(), now],
    )
    .map(drop)
}

/// Notes that a process lives, so its leases on mailboxes last until `until`; `false` when its name
/// was struck off meanwhile.
pub fn beat(
    sql: &mut dyn Sql,
    name: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let changed =
        sql.execute("UPDATE worker SET seen_at = ?2 WHERE name = ?1", args![name, now])?;
    if changed == 1 {
        let statement = format!(
            "UPDATE mailbox_lease SET leased_until = ?2 \
             WHERE SUBSTR(leased_by, 1, {NAME}) = ?1 AND leased_until < ?2"
        );
        sql.execute(&statement, args![name, until])?;
    }
    Ok(changed == 1)
}

/// Gives back the leases of a process on mailboxes.
pub fn let_go_of_mailboxes(sql: &mut dyn Sql, name: &str) -> Result<(), StoreError> {
    let statement = format!(
        "UPDATE mailbox_lease SET leased_by = NULL, leased_until = NULL \
         WHERE SUBSTR(leased_by, 1, {NAME}) = ?1"
    );
    sql.execute(&statement, args![name]).map(drop)
}

/// Every process that is entered, the oldest first.
pub fn registered(sql: &mut dyn Sql) -> Result<Vec<Registered>, StoreError> {
    let rows = sql.query(
        "SELECT name, process, started_at, seen_at FROM worker ORDER BY started_at, name",
        args![],
    )?;
    let read = |row: &Row| {
        Ok(Registered {
            name: row.text(0)?,
            process: Process::parse(&row.text(1)?),
            started_at: row.time(2)?,
            seen_at: row.time(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Strikes a process off, unless it was heard of since it was `seen_at`; answers whether it was.
pub fn strike_off(sql: &mut dyn Sql, name: &str, seen_at: Timestamp) -> Result<bool, StoreError> {
    let changed =
        sql.execute("DELETE FROM worker WHERE name = ?1 AND seen_at <= ?2", args![name, seen_at])?;
    Ok(changed == 1)
}

/// Frees what is leased by workers of no process that is entered. The attempts stay counted; the
/// fences see to it that a worker that lives all the same can finish nothing of it (P-10).
pub fn free_orphans(sql: &mut dyn Sql, now: Timestamp) -> Result<Freed, StoreError> {
    let orphan = |table: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM worker \
             WHERE worker.name = SUBSTR({table}.leased_by, 1, {NAME}))"
        )
    };
    let messages = sql.execute(
        &format!(
            "UPDATE message SET leased_until = ?1 WHERE state = 'active' AND due_at IS NOT NULL \
             AND leased_until > ?1 AND {}",
            orphan("message")
        ),
        args![now],
    )?;
    // In the order they were queued, so before all later ones: one that a kill left unsure and that
    // meets the next kill too is parked (P-03), so it must not wait for that behind other mail.
    let mails = sql.execute(
        &format!(
            "UPDATE outbox SET due_at = queued_at, leased_until = ?1 WHERE state = 'sending' \
             AND due_at > ?1 AND {}",
            orphan("outbox")
        ),
        args![now],
    )?;
    let mailboxes = sql.execute(
        &format!(
            "UPDATE mailbox_lease SET leased_by = NULL, leased_until = NULL \
             WHERE leased_by IS NOT NULL AND {}",
            orphan("mailbox_lease")
        ),
        args![],
    )?;
    Ok(Freed { mailboxes, mails, messages })
}
