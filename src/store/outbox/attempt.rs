//! The way of a mail through the hands of a worker: each step changes the row only while it is
//! still that worker's, by its fencing number.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::args;
use crate::clock::Ids;
use crate::faults;
use crate::store::credentials::{self, NewCredential};
use crate::store::{Dialect, Sql, StoreError, Value, tickets};

// Of many mails that wait for the same thing, so many say so.
const SHOWN: i64 = 100;

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

/// What is committed before a server may have taken the mail: the attempt, the hashes of what was
/// minted for it, and a copy of the mail without secrets.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub claim: OutboxClaim,
    pub credentials: Vec<NewCredential>,
    /// Without angle brackets; the same for every attempt (R-15, P-03).
    pub message_id: String,
    pub subject: String,
    pub body: String,
    /// What its ticket will know it by (M-91); none about no ticket.
    pub known: Vec<u64>,
}

/// What an attempt that did not succeed told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The other side refused it.
    Answer,
    /// Nothing: it may have gone out.
    Nothing,
}

impl OutboxClaim {
    /// The claim with one attempt more.
    pub fn tried(self, heard: Heard) -> OutboxClaim {
        let unsure = self.unsure + i64::from(heard == Heard::Nothing);
        OutboxClaim { attempts: self.attempts + 1, unsure, ..self }
    }
}

/// The mails of which mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    All,
    NotOf(Arc<[String]>),
    Of(Arc<[String]>),
}

impl Whose {
    // `AND …`, its values behind those that are there.
    fn condition(&self, values: &mut Vec<Value>) -> String {
        let (word, mailboxes) = match self {
            Whose::All => return String::new(),
            Whose::NotOf(mailboxes) if mailboxes.is_empty() => return String::new(),
            Whose::NotOf(mailboxes) => ("NOT IN", mailboxes),
            Whose::Of(mailboxes) => ("IN", mailboxes),
        };
        let places: Vec<String> = mailboxes
            .iter()
            .map(|mailbox| {
                values.push(mailbox.as_str().into());
                format!("?{}", values.len())
            })
            .collect();
        format!("AND mailbox {word} ({})", places.join(", "))
    }
}

/// How a mail is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The other side refused it for good.
    Failed,
    /// It waits for somebody to help.
    Parked,
}

// A clock that goes on by an hour ends the lease on a mail that is being sent at this moment. So one
// that is in the hands of a living process is nobody else's (P-11); should that process stand still,
// it is struck off, and then its mails are free.
const NOT_IN_LIVING_HANDS: &str = "(state = 'queued' OR leased_by = ?1 OR NOT EXISTS \
    (SELECT 1 FROM worker WHERE worker.name = SUBSTR(outbox.leased_by, 1, 36)))";

/// Sees to it that no mail waits, or is leased, for longer than it can have been put off: by a clock
/// that was set back since (P-11).
pub fn set_right(
    sql: &mut dyn Sql,
    whose: &Whose,
    now: Timestamp,
    longest: SignedDuration,
) -> Result<(), StoreError> {
    if !faults::stands("P-11") {
        return Ok(());
    }
    let beyond = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
    let mut values: Vec<Value> = vec![now.into(), beyond.into()];
    let whose = whose.condition(&mut values);
    let statement = format!(
        "UPDATE outbox SET due_at = CASE state WHEN 'queued' THEN ?1 ELSE ?2 END \
         WHERE state IN ('queued', 'sending') AND due_at > ?2 {whose}"
    );
    sql.execute(&statement, &values).map(drop)
}

/// Leases mails that are due, the longest due first; also those whose lease ran out.
pub fn claim_due(
    sql: &mut dyn Sql,
    worker: &str,
    whose: &Whose,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<OutboxClaim>, StoreError> {
    let locking = match sql.dialect() {
        Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let mut values: Vec<Value> = vec![
        worker.into(),
        now.into(),
        until.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let whose = whose.condition(&mut values);
    let rows = sql.query(
        &format!(
            "UPDATE outbox SET state = 'sending', leased_by = ?1, leased_until = ?3, \
               due_at = ?3, fence = fence + 1 \
             WHERE id IN (SELECT id FROM outbox WHERE state IN ('queued', 'sending') \
               AND due_at <= ?2 AND {NOT_IN_LIVING_HANDS} {whose} ORDER BY due_at, id LIMIT ?4 {locking}) \
             RETURNING id, fence, attempts, unsure"
        ),
        &values,
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

/// When the next mail is due for a worker, or the next lease runs out that it could take over.
pub fn next_due(
    sql: &mut dyn Sql,
    worker: &str,
    whose: &Whose,
) -> Result<Option<Timestamp>, StoreError> {
    let mut values: Vec<Value> = vec![worker.into()];
    let whose = whose.condition(&mut values);
    let row = sql.query_one(
        &format!(
            "SELECT due_at FROM outbox WHERE state IN ('queued', 'sending') \
               AND {NOT_IN_LIVING_HANDS} {whose} ORDER BY due_at, id LIMIT 1"
        ),
        &values,
    )?;
    row.map_or(Ok(None), |row| row.opt_time(0))
}

/// Counts the attempt, renews the lease for as long as it may take, and stores the hashes of what was
/// minted for it (design §4.6). Answers whether the mail is still this worker's; if not, it must not
/// be sent. Beginning the same attempt again changes nothing: whoever lost the connection at the
/// commit need not know.
pub fn begin_attempt(
    sql: &mut dyn Sql,
    attempt: &Attempt,
    lease: SignedDuration,
    ids: &Ids,
    now: Timestamp,
) -> Result<bool, StoreError> {
    faults::point("outbox.begin");
    let claim = attempt.claim;
    let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
    let heard = if faults::stands("P-03-attempt") { Heard::Nothing } else { Heard::Answer };
    let OutboxClaim { attempts, unsure, .. } = claim.tried(heard);
    let ours = sql.execute(
        "UPDATE outbox SET attempts = ?3, unsure = ?4, subject = ?5, body = ?6, \
           leased_until = ?7, due_at = ?7, message_id = ?8, known = ?9 \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![
            claim.id,
            claim.fence,
            attempts,
            unsure,
            &attempt.subject,
            &attempt.body,
            until,
            &attempt.message_id,
            Some(&attempt.known[..]).filter(|known| !known.is_empty()).map(tickets::kept),
        ],
    )? == 1;
    if ours {
        for credential in &attempt.credentials {
            credentials::keep(sql, credential, claim.id, ids, now)?;
        }
    }
    Ok(ours)
}

/// The mail is away, under the id that the relay may have given it, which leads to its ticket from
/// now on (M-82). Each of these answers whether the mail was still this worker's.
pub fn sent(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    response: &str,
    relay_id: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    faults::point("outbox.mark");
    let changed = sql.execute(
        "UPDATE outbox SET state = 'sent', sent_at = ?3, response = ?4, relay_id = ?5, \
           unsure = 0, leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, now, response, relay_id.map(str::to_owned)],
    )?;
    if let Some(relay_id) = relay_id.filter(|_| changed == 1) {
        sql.execute(
            "INSERT INTO thread_id (id, ticket, seen) \
             SELECT CAST(?2 AS TEXT), ticket, 1 FROM outbox WHERE id = ?1 AND ticket IS NOT NULL \
             ON CONFLICT (id, ticket) DO NOTHING",
            args![claim.id, relay_id],
        )?;
    }
    Ok(changed == 1)
}

/// Hands a claimed mail back as it was before the claim: nobody was asked to take it.
pub fn hand_back(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE outbox SET state = 'queued', due_at = ?3, attempts = ?4, unsure = ?5, \
           leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, now, claim.attempts, claim.unsure],
    )?;
    Ok(changed == 1)
}

/// The way out is closed to all these mails: some of those that wait are told why, so that people
/// see it, and those queued before `patience` began are given up (P-15). Answers how many were.
pub fn out_of_reach(
    sql: &mut dyn Sql,
    whose: &Whose,
    patience: Timestamp,
    why: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut values: Vec<Value> = vec![now.into(), why.into(), patience.into()];
    let condition = whose.condition(&mut values);
    let given_up = sql.execute(
        &format!(
            "UPDATE outbox SET state = 'parked', response = ?2 \
             WHERE state = 'queued' AND due_at <= ?1 AND queued_at <= ?3 {condition}"
        ),
        &values,
    )?;
    let mut values: Vec<Value> = vec![now.into(), why.into(), SHOWN.into()];
    let condition = whose.condition(&mut values);
    sql.execute(
        &format!(
            "UPDATE outbox SET response = ?2 WHERE id IN (SELECT id FROM outbox \
               WHERE state = 'queued' AND due_at <= ?1 AND response IS NULL {condition} \
               ORDER BY due_at, id LIMIT ?3)"
        ),
        &values,
    )?;
    Ok(given_up)
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
        // By the user first: that is what an index knows them by.
        sql.execute(
            "UPDATE credential SET ended_at = ?2 \
             WHERE person = (SELECT person FROM outbox WHERE id = ?1) AND outbox = ?1 \
               AND ended_at IS NULL",
            args![claim.id, now],
        )?;
        sql.execute(
            "UPDATE person SET credentials = 'due', updated_at = ?2 WHERE credentials = 'sent' \
             AND id = (SELECT person FROM outbox WHERE id = ?1 AND cause = 'notice' \
               AND ticket IS NULL \
               AND template NOT IN ('address_change', 'address_changed', 'password_changed'))",
            args![claim.id, now],
        )?;
    }
    Ok(changed == 1)
}

/// The attempt that `claim` counts already failed; another is made at `at`.
pub fn retry_at(
    sql: &mut dyn Sql,
    claim: OutboxClaim,
    at: Timestamp,
    response: &str,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE outbox SET state = 'queued', due_at = ?3, response = ?4, attempts = ?5, \
           unsure = ?6, leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, at, response, claim.attempts, claim.unsure],
    )?;
    Ok(changed == 1)
}

/// No further attempt than `claim` counts is made unless somebody asks for one.
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
        "UPDATE outbox SET state = ?3, response = ?4, attempts = ?5, unsure = ?6, \
           leased_by = NULL, leased_until = NULL \
         WHERE id = ?1 AND fence = ?2 AND state = 'sending'",
        args![claim.id, claim.fence, state, response, claim.attempts, claim.unsure],
    )?;
    Ok(changed == 1)
}
