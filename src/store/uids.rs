//! UIDs that a mailbox's position has passed although their messages are not in the ledger yet: so
//! one message that cannot be fetched neither blocks the others nor is forgotten (E-01, E-02).

use jiff::Timestamp;

use super::sql::{MANY, padded, placeholders, rows};
use super::{Sql, StoreError, Value};
use crate::{args, faults};

/// A message that could not be fetched yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedUid {
    pub uid: u32,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it could not be fetched the last time.
    pub said: String,
}

/// Notes messages that could not be fetched, each with the reason; one that is noted already counts
/// another attempt.
pub fn owe(
    sql: &mut dyn Sql,
    mailbox: &str,
    uids: &[(u32, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if !faults::stands("P-17-owed") {
        return Ok(());
    }
    for batch in uids.chunks(MANY) {
        let mut values = Vec::with_capacity(batch.len() * 5);
        for (uid, said) in batch {
            values.extend([
                Value::from(mailbox),
                Value::from(*uid),
                Value::Int(1),
                Value::from(now),
                Value::from(said),
            ]);
        }
        let statement = format!(
            "INSERT INTO owed_uid (mailbox, uid, attempts, first_at, said) VALUES {} \
             ON CONFLICT (mailbox, uid) DO UPDATE \
             SET attempts = owed_uid.attempts + 1, said = excluded.said",
            rows(batch.len(), 5)
        );
        sql.execute(&statement, &values)?;
    }
    Ok(())
}

/// What a mailbox still has to give, in order of UID.
pub fn owed(sql: &mut dyn Sql, mailbox: &str) -> Result<Vec<OwedUid>, StoreError> {
    let rows = sql.query(
        "SELECT uid, attempts, said FROM owed_uid WHERE mailbox = ?1 ORDER BY uid",
        args![mailbox],
    )?;
    let number = |row: &super::Row, column| {
        u32::try_from(row.int(column)?).map_err(|_| row.refuse(column, "a number of 32 bits"))
    };
    rows.iter()
        .map(|row| {
            Ok(OwedUid { uid: number(row, 0)?, attempts: number(row, 1)?, said: row.text(2)? })
        })
        .collect()
}

/// Forgets UIDs that were fetched, or are gone from the server for certain.
pub fn forgive(sql: &mut dyn Sql, mailbox: &str, uids: &[u32]) -> Result<(), StoreError> {
    for batch in uids.chunks(MANY) {
        let list = padded(batch.iter().copied());
        let statement = format!(
            "DELETE FROM owed_uid WHERE mailbox = ?1 AND uid IN ({})",
            placeholders(2, list.len())
        );
        let mut values = vec![Value::from(mailbox)];
        values.extend(list);
        sql.execute(&statement, &values)?;
    }
    Ok(())
}

/// Forgets all of them: the folder was made anew, and its UIDs mean other messages.
pub fn forgive_all(sql: &mut dyn Sql, mailbox: &str) -> Result<(), StoreError> {
    sql.execute("DELETE FROM owed_uid WHERE mailbox = ?1", args![mailbox]).map(drop)
}
