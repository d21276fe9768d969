//! Who watches a mailbox: one worker of all processes. What a watcher writes about its mailbox is
//! written only while the lease is still its own, by its fencing number (P-10).

use jiff::{SignedDuration, Timestamp};

use crate::args;
use crate::faults;
use crate::store::{Sql, StoreError};

// Before that nobody asks again for a lease that ran out and is not to be had.
const RENEWED_WITHIN: SignedDuration = SignedDuration::from_secs(1);

/// One worker's lease on a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub mailbox: String,
    /// Who holds it.
    pub worker: String,
    pub until: Timestamp,
    /// Higher with each taking.
    pub fence: i64,
}

/// What became of the wish to watch a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leased {
    /// Another worker watches it; its lease ends at `until` if it is not renewed.
    Elsewhere {
        until: Timestamp,
    },
    Ours(Lease),
}

/// Takes the lease on a mailbox when nobody has it, when `worker` had it before, or when it ran out
/// and was that of no living process: a clock that goes on by an hour ends no lease (P-11).
pub fn lease(
    sql: &mut dyn Sql,
    mailbox: &str,
    worker: &str,
    now: Timestamp,
    term: SignedDuration,
) -> Result<Leased, StoreError> {
    let until = now.saturating_add(term).unwrap_or(Timestamp::MAX);
    let taken = sql.query_one(
        "INSERT INTO mailbox_lease (mailbox, leased_by, leased_until, fence) \
         VALUES (?1, ?2, ?3, 1) ON CONFLICT (mailbox) DO UPDATE SET leased_by = ?2, \
           leased_until = ?3, fence = mailbox_lease.fence + 1 \
         WHERE mailbox_lease.leased_by IS NULL OR mailbox_lease.leased_by = ?2 \
           OR (mailbox_lease.leased_until <= ?4 AND NOT EXISTS (SELECT 1 FROM worker \
             WHERE worker.name = SUBSTR(mailbox_lease.leased_by, 1, 36))) RETURNING fence",
        args![mailbox, worker, until, now],
    )?;
    if let Some(row) = taken {
        let (mailbox, worker) = (mailbox.to_owned(), worker.to_owned());
        return Ok(Leased::Ours(Lease { mailbox, worker, until, fence: row.int(0)? }));
    }
    let theirs = sql.query_one(
        "SELECT leased_until FROM mailbox_lease WHERE mailbox = ?1 AND leased_until IS NOT NULL",
        args![mailbox],
    )?;
    match theirs {
        // Whoever has it lives, and will renew it.
        Some(row) => Ok(Leased::Elsewhere { until: row.time(0)?.max(now + RENEWED_WITHIN) }),
        None => Err(StoreError::Raced(format!("the lease on mailbox `{mailbox}` is gone"))),
    }
}

/// Makes a lease last longer; `None` when it was lost. One that ran out and that nobody took
/// meanwhile is kept.
pub fn renew(
    sql: &mut dyn Sql,
    lease: &Lease,
    now: Timestamp,
    term: SignedDuration,
) -> Result<Option<Lease>, StoreError> {
    let until = now.saturating_add(term).unwrap_or(Timestamp::MAX);
    let changed = sql.execute(
        "UPDATE mailbox_lease SET leased_until = ?4 \
         WHERE mailbox = ?1 AND leased_by = ?2 AND fence = ?3",
        args![&lease.mailbox, &lease.worker, lease.fence, until],
    )?;
    Ok((changed == 1).then(|| Lease { until, ..lease.clone() }))
}

/// Refuses the transaction of a watcher whose lease was lost: whoever has it now knows better.
pub fn must_hold(sql: &mut dyn Sql, lease: &Lease) -> Result<(), StoreError> {
    let held = sql.query_one(
        "SELECT 1 FROM mailbox_lease WHERE mailbox = ?1 AND leased_by = ?2 AND fence = ?3",
        args![&lease.mailbox, &lease.worker, lease.fence],
    )?;
    match held {
        Some(_) => Ok(()),
        None if !faults::stands("P-10-lease") => Ok(()),
        None => Err(StoreError::LeaseLost(lease.mailbox.clone())),
    }
}
