//! What the ledger says of messages by where they came from: for whoever looks into the mailbox
//! itself.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Origin, Series};
use crate::args;
use crate::store::sql::{MANY, padded, placeholders};
use crate::store::{Row, Sql, StoreError, Value};

/// A message in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub stage: Stage,
    /// Whether its mailbox was told that it is safe.
    pub is_told: bool,
    pub spooled_at: Timestamp,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    BeforeStart,
    Decided,
    Held,
    Pending,
}

/// How many messages of a mailbox are in the ledger, without those from before its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub stored: u64,
    /// Of how many the mailbox was told.
    pub told: u64,
}

/// Those of these origins of a mailbox that are in the ledger.
pub fn entries(
    sql: &mut dyn Sql,
    mailbox: &str,
    origins: &[String],
) -> Result<HashMap<String, Entry>, StoreError> {
    let mut entries = HashMap::new();
    for batch in origins.chunks(MANY) {
        let list = padded(batch);
        let statement = format!(
            "SELECT m.origin, CASE WHEN d.reason = 'before_start' THEN 'before_start' \
               ELSE m.state END, m.acknowledgement = 'done', m.spooled_at \
             FROM message m LEFT JOIN decision d ON d.message = m.id \
             WHERE m.mailbox = ?1 AND m.origin IN ({})",
            placeholders(2, list.len())
        );
        let mut values = vec![Value::from(mailbox)];
        values.extend(list);
        for row in sql.query(&statement, &values)? {
            entries.insert(row.text(0)?, entry(&row)?);
        }
    }
    Ok(entries)
}

/// The messages of a mailbox whose origins begin so, and that were here at `until`.
pub fn total(
    sql: &mut dyn Sql,
    mailbox: &str,
    prefix: &str,
    until: Timestamp,
) -> Result<Total, StoreError> {
    let row = sql.query_one(
        "SELECT COUNT(*), COALESCE(SUM(CASE m.acknowledgement WHEN 'done' THEN 1 ELSE 0 END), 0) \
         FROM message m WHERE m.mailbox = ?1 AND SUBSTR(m.origin, 1, LENGTH(?2)) = ?2 \
           AND m.spooled_at <= ?3 AND NOT EXISTS (SELECT 1 FROM decision d \
             WHERE d.message = m.id AND d.reason = 'before_start')",
        args![mailbox, prefix, until],
    )?;
    let Some(row) = row else { return Ok(Total::default()) };
    Ok(Total { stored: row.int(0)?.unsigned_abs(), told: row.int(1)?.unsigned_abs() })
}

/// The highest UID of a series that is in the ledger of a mailbox.
pub fn last_uid(
    sql: &mut dyn Sql,
    mailbox: &str,
    series: Series,
) -> Result<Option<u32>, StoreError> {
    // All keys that begin so, and no others: `0` follows `/`. Of two numbers the longer is higher.
    let prefix = Origin::numbered(series);
    let until = format!("{}0", prefix.trim_end_matches('/'));
    let row = sql.query_one(
        "SELECT origin FROM message WHERE mailbox = ?1 AND origin > ?2 AND origin < ?3 \
         ORDER BY LENGTH(origin) DESC, origin DESC LIMIT 1",
        args![mailbox, prefix, until],
    )?;
    let Some(row) = row else { return Ok(None) };
    match row.parsed(0, "an origin", Origin::parse)? {
        Origin::Uid { uid, .. } => Ok(Some(uid)),
        _ => Ok(None),
    }
}

/// A message by what tells it from another one under the same UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: String,
    pub at: Timestamp,
}

/// Those of these origins of a mailbox that are in the ledger, and when they arrived.
pub fn seen(
    sql: &mut dyn Sql,
    mailbox: &str,
    origins: &[String],
) -> Result<HashMap<String, Seen>, StoreError> {
    let mut found = HashMap::new();
    for batch in origins.chunks(MANY) {
        let list = padded(batch);
        let statement = format!(
            "SELECT origin, id, arrived_at FROM message WHERE mailbox = ?1 AND origin IN ({})",
            placeholders(2, list.len())
        );
        let mut values = vec![Value::from(mailbox)];
        values.extend(list);
        for row in sql.query(&statement, &values)? {
            found.insert(row.text(0)?, Seen { id: row.text(1)?, at: row.time(2)? });
        }
    }
    Ok(found)
}

/// What waits for its decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    pub messages: u64,
    pub bytes: u64,
}

/// What a user wrote in the portal to a mailbox and nobody has read yet (T-52).
pub fn unread_of(sql: &mut dyn Sql, mailbox: &str, person: &str) -> Result<Unread, StoreError> {
    // All keys that begin so, and no others: `0` follows `/`.
    let (from, until) =
        (format!("{}{person}/", Origin::PORTAL), format!("{}{person}0", Origin::PORTAL));
    let row = sql.query_one(
        "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM message \
         WHERE mailbox = ?1 AND origin > ?2 AND origin < ?3 AND due_at IS NOT NULL",
        args![mailbox, from, until],
    )?;
    let Some(row) = row else { return Ok(Unread::default()) };
    Ok(Unread { messages: row.int(0)?.unsigned_abs(), bytes: row.int(1)?.unsigned_abs() })
}

/// Holds for the rows of the ledger that came out of a mailbox, or as a file: not for what was written
/// in the portal or by staff, which is in the ledger beside the mail of its ticket's mailbox.
pub(in crate::store) const BY_MAIL: &str =
    "message.origin NOT LIKE 'portal/%' AND message.origin NOT LIKE 'staff/%'";

/// When the last message of a mailbox came in.
pub fn newest(sql: &mut dyn Sql, mailbox: &str) -> Result<Option<Timestamp>, StoreError> {
    let statement = format!("SELECT MAX(spooled_at) FROM message WHERE mailbox = ?1 AND {BY_MAIL}");
    let row = sql.query_one(&statement, args![mailbox])?;
    row.map_or(Ok(None), |row| row.opt_time(0))
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        stage: row.parsed(1, "how far a message came", stage)?,
        is_told: row.flag(2)?,
        spooled_at: row.time(3)?,
    })
}

fn stage(word: &str) -> Option<Stage> {
    Some(match word {
        "before_start" => Stage::BeforeStart,
        "done" => Stage::Decided,
        "held" => Stage::Held,
        "active" | "deferred" | "incoming" => Stage::Pending,
        _ => return None,
    })
}
