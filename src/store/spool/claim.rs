//! Leases on spooled messages. The attempt is counted by the transaction that claims, so before
//! anything reads the message (P-12); the fencing number lets nobody finish who lost the lease (P-10).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Origin, parse_intake};
use crate::args;
use crate::faults;
use crate::store::sql::{padded, placeholders};
use crate::store::{Dialect, Row, Sql, StoreError, Value};
use crate::triage::facts::Intake;

/// When and how a message arrived: what the facts about it are gathered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The id of the message; empty for one that is not in the store.
    pub message: String,
    pub arrived_at: Timestamp,
    /// When it counts against the limits: its arrival, or, once deferred, the end of the deferral.
    pub counted_at: Timestamp,
    pub intake: Intake,
}

/// One worker's lease on one spooled message.
#[derive(Clone, Debug)]
pub struct Claim {
    pub arrived: Arrived,
    pub mailbox: String,
    pub origin: Origin,
    /// Bytes of the raw message.
    pub size: u64,
    /// This one included.
    pub attempts: u32,
    /// Who holds the lease.
    pub worker: String,
    pub until: Timestamp,
    /// Higher with each claim of the message.
    pub fence: i64,
    /// Who let it go, when it was held before.
    pub released_by: Option<String>,
}

impl Claim {
    /// The id of the message.
    pub fn id(&self) -> &str {
        &self.arrived.message
    }
}

/// How a decided message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    Done,
    Held,
}

/// Whether a claim that is handed back counts as an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The message may be to blame.
    Counted,
    /// Nobody looked at it, or the trouble was elsewhere: a shutdown, a busy store.
    Forgiven,
}

/// Leases what is waiting, oldest arrival first: new messages, deferred ones that are due, and those
/// whose lease ran out. At most `limit_count`, and no more than the first beyond `limit_bytes`. One
/// that was tried before is claimed alone, so that it can take nobody with it.
pub fn claim(
    sql: &mut dyn Sql,
    worker: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit_count: u32,
    limit_bytes: u64,
) -> Result<Vec<Claim>, StoreError> {
    let waiting = waiting(sql, now, limit_count)?;
    let mut chosen: Vec<Value> = Vec::new();
    let mut bytes: u64 = 0;
    for row in &waiting {
        bytes = bytes.saturating_add(size(row, 1)?);
        let tried = row.int(2)? > 0;
        if !chosen.is_empty() && (tried || bytes > limit_bytes) {
            break;
        }
        chosen.push(Value::from(row.text(0)?));
        if tried {
            break;
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let order: HashMap<String, usize> = waiting
        .iter()
        .enumerate()
        .map(|(n, row)| Ok((row.text(0)?, n)))
        .collect::<Result<_, _>>()?;
    let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let list = padded(chosen);
    let statement = format!(
        "UPDATE message SET state = 'active', leased_by = ?1, leased_until = ?2, \
           attempts = attempts + ?3, fence = fence + 1 WHERE id IN ({}) \
         RETURNING id, mailbox, origin, intake, arrived_at, due_at, size, attempts, fence, \
           released_by",
        placeholders(4, list.len())
    );
    let counted = i64::from(faults::stands("P-12-counted"));
    let mut values = vec![Value::from(worker), Value::from(until), Value::Int(counted)];
    values.extend(list);
    let mut claims = sql
        .query(&statement, &values)?
        .iter()
        .map(|row| read(row, worker, until))
        .collect::<Result<Vec<_>, _>>()?;
    // The order of RETURNING is nobody's promise.
    claims.sort_by_key(|claim| order.get(claim.id()).copied());
    Ok(claims)
}

/// Hands a claim back: the message waits as before.
pub fn release(sql: &mut dyn Sql, claim: &Claim, attempt: Attempt) -> Result<(), StoreError> {
    let forgiven = match attempt {
        Attempt::Counted => 0_i64,
        Attempt::Forgiven => 1,
    };
    let changed = sql.execute(
        "UPDATE message SET state = 'incoming', leased_by = NULL, leased_until = NULL, \
           attempts = attempts - ?3 WHERE id = ?1 AND fence = ?2 AND state = 'active'",
        args![claim.id(), claim.fence, forgiven],
    )?;
    ours(claim, changed)
}

/// Puts a message off until there is room (E-142); it then counts as arrived at `until`.
pub fn defer(sql: &mut dyn Sql, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
    let changed = sql.execute(
        "UPDATE message SET state = 'deferred', due_at = ?3, attempts = 0, leased_by = NULL, \
           leased_until = NULL WHERE id = ?1 AND fence = ?2 AND state = 'active'",
        args![claim.id(), claim.fence, until],
    )?;
    ours(claim, changed)
}

/// Puts a message back after a failure of its own: it is tried again at `until`, alone, and the
/// attempt counts.
pub fn set_back(sql: &mut dyn Sql, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
    let changed = sql.execute(
        "UPDATE message SET state = 'deferred', due_at = ?3, leased_by = NULL, \
           leased_until = NULL WHERE id = ?1 AND fence = ?2 AND state = 'active'",
        args![claim.id(), claim.fence, until],
    )?;
    ours(claim, changed)
}

/// Refuses a claim whose lease was lost: whoever has the message now knows better (P-10).
pub fn must_hold(sql: &mut dyn Sql, claim: &Claim) -> Result<(), StoreError> {
    let held = sql.query(
        "SELECT 1 FROM message WHERE id = ?1 AND fence = ?2 AND state = 'active'",
        args![claim.id(), claim.fence],
    )?;
    ours(claim, held.len() as u64)
}

/// Ends the walk of a message. It must still be ours, or the whole transaction is refused (P-10).
pub fn finish(sql: &mut dyn Sql, claim: &Claim, finished: Finished) -> Result<(), StoreError> {
    let statement = match finished {
        Finished::Done => {
            "UPDATE message SET state = 'done', due_at = NULL, leased_by = NULL, \
               leased_until = NULL, acknowledgement = \
               CASE acknowledgement WHEN 'pending' THEN 'owed' ELSE acknowledgement END \
             WHERE id = ?1 AND fence = ?2 AND state = 'active'"
        }
        Finished::Held => {
            "UPDATE message SET state = 'held', due_at = NULL, leased_by = NULL, \
               leased_until = NULL WHERE id = ?1 AND fence = ?2 AND state = 'active'"
        }
    };
    let changed = sql.execute(statement, args![claim.id(), claim.fence])?;
    ours(claim, changed)
}

/// Sees to it that nothing waits, or is leased, for longer than it can have been put off: by a clock
/// that was set back since (P-11). What waits counts as arrived now, so that it finds its room.
pub fn set_right(
    sql: &mut dyn Sql,
    now: Timestamp,
    longest_wait: SignedDuration,
    lease: SignedDuration,
) -> Result<(), StoreError> {
    let beyond = |longest| now.saturating_add(longest).unwrap_or(Timestamp::MAX);
    sql.execute(
        "UPDATE message SET due_at = ?1 WHERE state = 'deferred' AND due_at IS NOT NULL \
           AND due_at > ?2",
        args![now, beyond(longest_wait)],
    )?;
    sql.execute(
        "UPDATE message SET leased_until = ?1 WHERE state = 'active' AND due_at IS NOT NULL \
           AND leased_until > ?1",
        args![beyond(lease)],
    )
    .map(drop)
}

/// When something can next be claimed: `now` or earlier when it is waiting already.
pub fn next_due(sql: &mut dyn Sql, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let row = sql.query_one(
        "SELECT (SELECT 1 FROM message WHERE state = 'incoming' AND due_at IS NOT NULL LIMIT 1), \
           (SELECT MIN(due_at) FROM message WHERE state = 'deferred' AND due_at IS NOT NULL), \
           (SELECT MIN(leased_until) FROM message WHERE state = 'active' AND due_at IS NOT NULL)",
        args![],
    )?;
    let Some(row) = row else { return Ok(None) };
    if row.opt_int(0)?.is_some() {
        return Ok(Some(now));
    }
    Ok([row.opt_time(1)?, row.opt_time(2)?].into_iter().flatten().min())
}

/// The earliest message that waits for its decision or is in somebody's hands, but for these: when it
/// counts as arrived, and its id, which is the order of [`claim`]. What is put off is not due yet.
pub fn earliest_undecided(
    sql: &mut dyn Sql,
    but: &[&str],
) -> Result<Option<(Timestamp, String)>, StoreError> {
    let list = padded(but.iter().copied());
    let statement = format!(
        "SELECT due_at, id FROM ( \
           SELECT due_at, id FROM (SELECT due_at, id FROM message \
             WHERE state = 'incoming' AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1) AS a \
           UNION ALL SELECT due_at, id FROM (SELECT due_at, id FROM message \
             WHERE state = 'active' AND due_at IS NOT NULL AND id NOT IN ({}) \
             ORDER BY due_at, id LIMIT 1) AS b \
         ) AS earliest ORDER BY due_at, id LIMIT 1",
        placeholders(1, list.len())
    );
    let row = sql.query_one(&statement, &list)?;
    row.map(|row| Ok((row.time(0)?, row.text(1)?))).transpose()
}

// The three states one after the other, each from the index; `due_at IS NOT NULL` is what the index
// is restricted to. PostgreSQL passes over the rows that other workers have locked.
fn waiting(sql: &mut dyn Sql, now: Timestamp, limit: u32) -> Result<Vec<Row>, StoreError> {
    let locking = match sql.dialect() {
        Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let statement = format!(
        "SELECT id, size, attempts FROM ( \
           SELECT id, size, attempts, due_at FROM (SELECT id, size, attempts, due_at \
             FROM message WHERE state = 'incoming' AND due_at IS NOT NULL \
             ORDER BY due_at, id LIMIT ?2 {locking}) AS a \
           UNION ALL SELECT id, size, attempts, due_at FROM (SELECT id, size, attempts, due_at \
             FROM message WHERE state = 'deferred' AND due_at <= ?1 \
             ORDER BY due_at, id LIMIT ?2 {locking}) AS b \
           UNION ALL SELECT id, size, attempts, due_at FROM (SELECT id, size, attempts, due_at \
             FROM message WHERE state = 'active' AND due_at IS NOT NULL AND leased_until <= ?1 \
             ORDER BY due_at, id LIMIT ?2 {locking}) AS c \
         ) AS waiting ORDER BY due_at, id LIMIT ?2"
    );
    sql.query(&statement, args![now, limit])
}

fn read(row: &Row, worker: &str, until: Timestamp) -> Result<Claim, StoreError> {
    Ok(Claim {
        arrived: Arrived {
            message: row.text(0)?,
            intake: row.parsed(3, "a way in", parse_intake)?,
            arrived_at: row.time(4)?,
            counted_at: row.time(5)?,
        },
        mailbox: row.text(1)?,
        origin: row.parsed(2, "an origin", Origin::parse)?,
        size: size(row, 6)?,
        attempts: u32::try_from(row.int(7)?).map_err(|_| row.refuse(7, "a count"))?,
        worker: worker.to_owned(),
        until,
        fence: row.int(8)?,
        released_by: row.opt_text(9)?,
    })
}

fn size(row: &Row, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(column)?).map_err(|_| row.refuse(column, "a size"))
}

fn ours(claim: &Claim, changed: u64) -> Result<(), StoreError> {
    if changed == 1 || !faults::stands("P-10-fence") {
        return Ok(());
    }
    Err(StoreError::ClaimLost(claim.id().to_owned()))
}
