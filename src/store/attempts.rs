//! What counts against the limits of logins, links and resets (T-27).

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Sql, StoreError};
use crate::args;
use crate::clock::Ids;
use crate::faults;
use crate::triage::policy::Rate;

// Far longer than a transaction, and than the clocks of several workers differ.
const AT_ONCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// Something that is tried, and how often that may be.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What, and by whom: [`of_account`], `login/source/ADDRESS`.
    pub counted: String,
    pub rates: Vec<Rate>,
    pub counts: Counts,
}

/// When an attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Before it is known whether it succeeds, until it is taken back: many at once get no further
    /// than one after the other.
    AtOnce,
    /// When it has failed: whoever succeeds is in nobody's way, however many come at the same time
    /// from one address.
    OnceItFails,
}

/// Whether there was room for an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// What counts already, by its ids: for [`forget`].
    Counted(Vec<String>),
    /// There is none; each reason.
    Refused(Vec<Refusal>),
}

/// A limit that is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was counted too often.
    pub counted: String,
    /// When there is room again.
    pub until: Timestamp,
}

/// What counts an attempt at the account that is named so: hashed, since what people type by mistake
/// may be a password.
pub fn of_account(what: &str, named: &str) -> String {
    let hash = Sha256::digest(named.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = if faults::stands("T-26-typed") { &hash } else { named };
    format!("{what}/account/{name}")
}

/// Where there is no room for an attempt.
pub fn refusals(
    sql: &mut dyn Sql,
    tried: &[Tried],
    now: Timestamp,
) -> Result<Vec<Refusal>, StoreError> {
    // Who came at the same time, and a moment later, may have been first in the store.
    let newest = now.saturating_add(AT_ONCE).unwrap_or(Timestamp::MAX);
    let mut refusals = Vec::new();
    for one in tried {
        let mut until = None;
        for rate in &one.rates {
            let since = now.saturating_sub(rate.per).unwrap_or(Timestamp::MIN);
            // Met when the n-th newest of that stretch exists. What is of tomorrow was noted by a
            // clock that was set back since (P-11).
            let nth = sql.query_one(
                "SELECT at FROM portal_attempt WHERE counted = ?1 AND at > ?2 AND at <= ?3 \
                 ORDER BY at DESC LIMIT 1 OFFSET ?4",
                args![&one.counted, since, newest, rate.count - 1],
            )?;
            if let Some(row) = nth {
                let room = row.time(0)?.saturating_add(rate.per).unwrap_or(Timestamp::MAX);
                until = until.max(Some(room));
            }
        }
        let counted = &one.counted;
        refusals.extend(until.map(|until| Refusal { counted: counted.clone(), until }));
    }
    Ok(refusals)
}

/// Counts an attempt where it counts at once, or nowhere when it has no room somewhere.
pub fn attempt(
    sql: &mut dyn Sql,
    tried: &[Tried],
    ids: &Ids,
    now: Timestamp,
) -> Result<Attempt, StoreError> {
    let refusals = refusals(sql, tried, now)?;
    if !refusals.is_empty() {
        return Ok(Attempt::Refused(refusals));
    }
    count(sql, tried, Counts::AtOnce, ids, now).map(Attempt::Counted)
}

/// Counts an attempt that failed where it did not count yet.
pub fn failed(
    sql: &mut dyn Sql,
    tried: &[Tried],
    ids: &Ids,
    now: Timestamp,
) -> Result<(), StoreError> {
    count(sql, tried, Counts::OnceItFails, ids, now).map(drop)
}

fn count(
    sql: &mut dyn Sql,
    tried: &[Tried],
    which: Counts,
    ids: &Ids,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut counted = Vec::new();
    for one in tried.iter().filter(|one| one.counts == which) {
        let id = ids.uuid();
        sql.execute(
            "INSERT INTO portal_attempt (id, counted, at) VALUES (?1, ?2, ?3)",
            args![&id, &one.counted, now],
        )?;
        counted.push(id);
    }
    Ok(counted)
}

/// Takes back what was counted: it was no guess.
pub fn forget(sql: &mut dyn Sql, counted: &[String]) -> Result<(), StoreError> {
    for id in counted {
        sql.execute("DELETE FROM portal_attempt WHERE id = ?1", args![id])?;
    }
    Ok(())
}

/// Forgets all that was counted against one.
pub fn clear(sql: &mut dyn Sql, counted: &str) -> Result<(), StoreError> {
    sql.execute("DELETE FROM portal_attempt WHERE counted = ?1", args![counted]).map(drop)
}

/// Forgets all attempts at the account that is named so.
pub fn forget_account(sql: &mut dyn Sql, named: &str) -> Result<(), StoreError> {
    let any = of_account("%", named);
    sql.execute("DELETE FROM portal_attempt WHERE counted LIKE ?1", args![any]).map(drop)
}

/// Forgets what nobody asks about any more.
pub fn forget_until(sql: &mut dyn Sql, until: Timestamp) -> Result<u64, StoreError> {
    sql.execute("DELETE FROM portal_attempt WHERE at <= ?1", args![until])
}
