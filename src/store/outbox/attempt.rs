//! The way of a mail through the hands of a worker: each step changes the row only while it is
//! still that worker's, by its fencing number.

use jiff::{SignedDuration, Timestamp};

use crate::args;
use crate::clock::Ids;
use crate::store::credentials::{self, NewCredential};
use crate::store::{Dialect, Sql, StoreError};

/// One worker's lease on one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxClaim {
    pub id: i64,
    pub fence: i64,
    /// Attempts before this one.
    pub attempts: i64,
    /// How many of them ended in a way nobody knows.
    pub unsure: i64,
}

/// What is committed before anybody talks to a server: the attempt, the hashes of what was minted
/// for it, and a copy of the mail without secrets.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub claim: OutboxClaim,
    pub credentials: Vec<NewCredential>,
    pub subject: String,
    pub body: String,
}

/// What an attempt that did not succeed told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The other side refused it.
    Answer,
    /// Nothing: it may have gone out.
    Nothing,
}

/// How a mail is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The other side refused it for good.
    Failed,
    /// It waits for somebody to help.
    Parked,
}

/// Leases mails that are due, the longest due first; also those whose lease ran out.
pub fn claim_due(
    sql: &mut dyn Sql,
    worker: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<OutboxClaim>, StoreError> {
    let locking = match sql.dialect() {
        Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let rows = sql.query(
        &format!(
            "UPDATE outbox SET state = 'sending', leased_by = ?1, leased_until = ?3, \
               due_at = ?3, fence = fence + 1 \
             WHERE id IN (SELECT id FROM outbox WHERE state IN ('queued', 'sending') \
               AND due_at <= ?2 ORDER BY due_at, id LIMIT ?4 {locking}) \
             RETURNING id, fence, attempts, unsure"
        ),
        args![worker, now, until, i64::try_from(limit).unwrap_or(i64::MAX)],
    )?;
    let mut claims = rows
        .iter()
        .map(|row| {
            Ok(OutboxClaim {
                id: row.int(0)?,
                fence: row.int(1)?,
                attempts: row.int(2)?,
                unsure: row.int(3)?,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    claims.sort_by_key(|claim| claim.id);
    Ok(claims)
}

/// When the next mail is due, or the next lease runs out.
pub fn next_due(sql: &mut dyn Sql) -> Result<Option<Timestamp>, StoreError> {
    let row = sql.query_one(
        "SELECT MIN(due_at) FROM outbox WHERE state IN ('queued', 'sending')",
        args![],
    )?;
    row.map_or(Ok(None), |row| row.opt_time(0))
}

/// Takes back what this worker had leased before it was killed: nobody else will end it sooner.
pub fn take_back(sql: &mut dyn Sql, worker: &str, now: Timestamp) -> Result<u64, StoreError> {
    sql.execute(
        "UPDATE outbox SET due_at = ?2, leased_until = ?2 \
         WHERE state = 'sending' AND leased_by = ?1 AND due_at > ?2",
        args![worker, now],
    )
}

/// Counts the attempt and stores the hashes of what was minted for it (design §4.6). Answers
/// whether the mail is still this worker's; if not, it must not be sent.
pub fn begin_attempt(
    sql: &mut dyn Sql,
    attempt: &Attempt,
    ids: &Ids,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claim = attempt.claim;
    let ours = sql.execute(
        "UPDATE outbox SET attempts = attempts + 1, unsure = unsure + 1, subject = ?3, body = ?4 \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, &attempt.subject, &attempt.body],
    )? == 1;
    if ours {
        for credential in &attempt.credentials {
            credentials::keep(sql, credential, claim.id, ids, now)?;
        }
    }
    Ok(ours)
}

/// The mail is away. Each of these answers whether the mail was still this worker's.
pub fn sent(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    response: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE outbox SET state = 'sent', sent_at = ?3, response = ?4, unsure = 0, \
           leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, now, response],
    )?;
    Ok(changed == 1)
}

/// The mail was rendered and nobody got it: what was minted for it opens nothing, and a user who was
/// to get their credentials by it is still due them.
pub fn recorded(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    response: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE outbox SET state = 'recorded', response = ?3, unsure = 0, \
           leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, response],
    )?;
    if changed == 1 {
        sql.execute(
            "UPDATE credential SET ended_at = ?2 WHERE outbox = ?1 AND ended_at IS NULL",
            args![claim.id, now],
        )?;
        sql.execute(
            "UPDATE person SET credentials = 'due', updated_at = ?2 WHERE credentials = 'sent' \
             AND id = (SELECT person FROM outbox WHERE id = ?1 AND cause = 'notice')",
            args![claim.id, now],
        )?;
    }
    Ok(changed == 1)
}

/// The attempt failed; another is made at `at`.
pub fn retry_at(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    at: Timestamp,
    heard: Heard,
    response: &str,
) -> Result<bool, StoreError> {
    let known = match heard {
        Heard::Answer => 1i64,
        Heard::Nothing => 0,
    };
    let changed = sql.execute(
        "UPDATE outbox SET state = 'queued', due_at = ?3, response = ?4, unsure = unsure - ?5, \
           leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, at, response, known],
    )?;
    Ok(changed == 1)
}

/// No further attempt is made unless somebody asks for one.
pub fn give_up(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    how: GaveUp,
    response: &str,
) -> Result<bool, StoreError> {
    let state = match how {
        GaveUp::Failed => "failed",
        GaveUp::Parked => "parked",
    };
    let changed = sql.execute(
        "UPDATE outbox SET state = ?3, response = ?4, leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, state, response],
    )?;
    Ok(changed == 1)
}
