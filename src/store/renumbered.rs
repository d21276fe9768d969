//! When the UIDs of a mailbox's folder came to mean other messages, remembered beyond the process that
//! saw it: each time all of the folder is read and stored again.

use jiff::Timestamp;

use super::{Sql, StoreError};
use crate::args;

/// Why a folder was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its server gave out UIDs again under the same UIDVALIDITY.
    Reused,
    /// It has another UIDVALIDITY.
    Validity,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Reused => "reused",
            Cause::Validity => "validity",
        }
    }

    fn parse(text: &str) -> Option<Cause> {
        [Cause::Reused, Cause::Validity].into_iter().find(|cause| cause.as_str() == text)
    }
}

/// Notes that it was so `now`, and forgets what was until `since`.
pub fn note(
    sql: &mut dyn Sql,
    mailbox: &str,
    cause: Cause,
    now: Timestamp,
    since: Timestamp,
) -> Result<(), StoreError> {
    sql.execute("DELETE FROM renumbered WHERE mailbox = ?1 AND at <= ?2", args![mailbox, since])?;
    sql.execute(
        "INSERT INTO renumbered (mailbox, at, cause) VALUES (?1, ?2, ?3) \
         ON CONFLICT (mailbox, at) DO UPDATE SET cause = excluded.cause",
        args![mailbox, now, cause.as_str()],
    )
    .map(drop)
}

/// When it was so after `since`, and why, the oldest first. What was after `now` was so before
/// somebody set the clock back, nobody knows when (P-11).
pub fn times(
    sql: &mut dyn Sql,
    mailbox: &str,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Cause)>, StoreError> {
    let rows = sql.query(
        "SELECT at, cause FROM renumbered WHERE mailbox = ?1 AND at > ?2 AND at <= ?3 ORDER BY at",
        args![mailbox, since, now],
    )?;
    rows.iter()
        .map(|row| Ok((row.time(0)?, row.parsed(1, "why a folder was read again", Cause::parse)?)))
        .collect()
}
