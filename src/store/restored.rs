//! What has to follow when the store was put back from a backup: it does not know what was sent, taken
//! in and numbered since. Nobody is to be mailed twice by that, and no number to mean two things.

use jiff::Timestamp;

use super::{Sql, StoreError, numbers};
use crate::{args, faults};

/// Why a mail waits that may have gone out before the store was restored.
pub const PERHAPS_SENT: &str = "the store was restored from a backup, and this may have been sent before: \
    `guichet outbox retry` sends it";

/// The last numbers that are known to have been given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    pub ticket: i64,
    pub mail: i64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Mails that waited to be sent, and now wait for somebody to say so.
    pub parked: u64,
    /// Links and passwords that open nothing any more: they may have been used since.
    pub ended: u64,
    /// New tickets and mails have numbers above these.
    pub numbers: Numbers,
    /// When the last message came in that the backup has.
    pub newest: Option<Timestamp>,
}

// How many numbers are left out when nobody can tell how many were given out since the backup.
const LEAP: i64 = 10_000;

/// Sees to all of it, in one transaction. `known` is what the store that was replaced says of its
/// numbers, if it can.
pub fn settle(
    sql: &mut dyn Sql,
    known: Option<Numbers>,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let row = sql.query_one("SELECT MAX(spooled_at) FROM message", args![])?;
    let newest = row.map_or(Ok(None), |row| row.opt_time(0))?;
    let parked = if faults::stands("P-03-restored") { park(sql, now)? } else { 0 };
    let ended = sql.execute(
        "UPDATE credential SET ended_at = ?1 WHERE ended_at IS NULL AND expires_at > ?1",
        args![now],
    )?;
    free_leases(sql)?;
    let numbers = Numbers {
        ticket: continue_above(sql, "ticket", "number", known.map(|known| known.ticket))?,
        mail: continue_above(sql, "outbox", "id", known.map(|known| known.mail))?,
    };
    Ok(Settled { parked, ended, numbers, newest })
}

/// The last numbers that this store gave out.
pub fn numbers(sql: &mut dyn Sql) -> Result<Numbers, StoreError> {
    Ok(Numbers {
        ticket: numbers::last(sql, "ticket", "number")?.unwrap_or(0),
        mail: numbers::last(sql, "outbox", "id")?.unwrap_or(0),
    })
}

// What is queued now, and what the messages will cause that arrived until now (`outbox::queue`).
fn park(sql: &mut dyn Sql, now: Timestamp) -> Result<u64, StoreError> {
    sql.execute("INSERT INTO restored (at) VALUES (?1) ON CONFLICT (at) DO NOTHING", args![now])?;
    sql.execute(
        "UPDATE outbox SET state = 'parked', response = ?1, leased_by = NULL, \
           leased_until = NULL, fence = fence + 1 WHERE state IN ('queued', 'sending')",
        args![PERHAPS_SENT],
    )
}

// Whoever had something in hand when the backup was made has nothing to do with this store.
fn free_leases(sql: &mut dyn Sql) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE message SET state = 'incoming', leased_by = NULL, leased_until = NULL, \
           fence = fence + 1 WHERE state = 'active'",
        args![],
    )?;
    sql.execute(
        "UPDATE mailbox_lease SET leased_by = NULL, leased_until = NULL, fence = fence + 1",
        args![],
    )?;
    sql.execute("DELETE FROM worker", args![]).map(drop)
}

fn continue_above(
    sql: &mut dyn Sql,
    table: &str,
    key: &str,
    known: Option<i64>,
) -> Result<i64, StoreError> {
    let own = numbers::last(sql, table, key)?.unwrap_or(0);
    let last = match known {
        Some(known) => known.max(own),
        None => own.saturating_add(LEAP),
    };
    if last > own {
        numbers::continue_after(sql, table, key, last)?;
    }
    Ok(last)
}
