//! Mailboxes that were seen: since when, where their source stands, and who watches them.

mod lease;

use jiff::Timestamp;

pub use lease::{Lease, Leased, lease, must_hold, renew};

use super::spool::{self, Origin};
use super::sql::{MANY, padded, placeholders};
use super::{Sql, StoreError};
use crate::args;
use crate::triage::facts::TagsSeen;

/// Whether a mailbox was seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    Known {
        /// What had arrived before belongs to `mailbox.start`.
        started_at: Timestamp,
        /// Where the source stood, in its own words.
        position: Option<String>,
    },
    New,
}

/// Whether mail to `+tags` of a mailbox arrives (M-79).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    Arrive,
    Unknown,
}

impl Tags {
    pub fn as_str(self) -> &'static str {
        match self {
            Tags::Arrive => "arrive",
            Tags::Unknown => "unknown",
        }
    }

    pub fn parse(text: &str) -> Option<Tags> {
        [Tags::Arrive, Tags::Unknown].into_iter().find(|tags| tags.as_str() == text)
    }
}

/// Enters a mailbox at its first contact; later only notes its address. What is known of the tags
/// of one address says nothing of another's.
pub fn begin(
    sql: &mut dyn Sql,
    name: &str,
    address: &str,
    now: Timestamp,
) -> Result<Beginning, StoreError> {
    let inserted = sql.execute(
        "INSERT INTO mailbox (name, address, started_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (name) DO NOTHING",
        args![name, address, now],
    )?;
    if inserted == 1 {
        return Ok(Beginning::New);
    }
    let row = sql.query_one(
        "UPDATE mailbox SET address = ?2, \
           tags = CASE WHEN address = ?2 THEN tags ELSE 'unknown' END \
         WHERE name = ?1 RETURNING started_at, position",
        args![name, address],
    )?;
    match row {
        Some(row) => Ok(Beginning::Known { started_at: row.time(0)?, position: row.opt_text(1)? }),
        None => Err(StoreError::Raced(format!("mailbox `{name}` is gone"))),
    }
}

/// Notes that mail to `+tags` of a mailbox was seen to arrive.
pub fn note_tags(
    sql: &mut dyn Sql,
    name: &str,
    seen: TagsSeen,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE mailbox SET tags = 'arrive', tags_since = ?2, tags_seen = ?3 \
         WHERE name = ?1 AND tags <> 'arrive'",
        args![name, now, seen.as_str()],
    )
    .map(drop)
}

/// What is known of the tags of a mailbox; a mailbox that was never seen has told nothing.
pub fn tags(sql: &mut dyn Sql, name: &str) -> Result<Tags, StoreError> {
    let row = sql.query_one("SELECT tags FROM mailbox WHERE name = ?1", args![name])?;
    match row {
        Some(row) => row.parsed(0, "what is known of tags", Tags::parse),
        None => Ok(Tags::Unknown),
    }
}

/// Notes where the source of a mailbox stands.
pub fn set_position(sql: &mut dyn Sql, name: &str, position: &str) -> Result<(), StoreError> {
    let changed =
        sql.execute("UPDATE mailbox SET position = ?2 WHERE name = ?1", args![name, position])?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Unknown {
        what: "mailbox",
        name: name.to_owned(),
        hint: "`guichet mailbox list` shows those there are",
    })
}

/// A mailbox as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    pub started_at: Timestamp,
    /// How many messages it brought.
    pub messages: i64,
    /// Of how many it must still be told that they are safe; those that rest are not among them.
    pub owed: i64,
    pub tags: Tags,
    /// Since when it is known that tags arrive, and by what it was seen.
    pub tags_since: Option<Timestamp>,
    pub tags_seen: Option<String>,
}

/// Every mailbox that was ever watched, by name.
pub fn known(sql: &mut dyn Sql) -> Result<Vec<Known>, StoreError> {
    let statement = format!(
        "SELECT name, started_at, \
           (SELECT COUNT(*) FROM message WHERE message.mailbox = mailbox.name AND {}), position, \
           tags, tags_since, tags_seen \
         FROM mailbox ORDER BY name",
        spool::BY_MAIL
    );
    let rows = sql.query(&statement, args![])?;
    let known = rows.iter().map(|row| {
        let (name, position) = (row.text(0)?, row.opt_text(3)?.unwrap_or_default());
        let owed = spool::count_owed(sql, &name, &Origin::numbering(&position))?;
        Ok(Known {
            name,
            started_at: row.time(1)?,
            messages: row.int(2)?,
            owed,
            tags: row.parsed(4, "what is known of tags", Tags::parse)?,
            tags_since: row.opt_time(5)?,
            tags_seen: row.opt_text(6)?,
        })
    });
    known.collect()
}

/// Where a mailbox stands: since when it is known, and its source's position; `None` before the
/// first contact.
pub fn standing(
    sql: &mut dyn Sql,
    name: &str,
) -> Result<Option<(Timestamp, Option<String>)>, StoreError> {
    let row =
        sql.query_one("SELECT started_at, position FROM mailbox WHERE name = ?1", args![name])?;
    row.map(|row| Ok((row.time(0)?, row.opt_text(1)?))).transpose()
}

/// Moves the position on, unless somebody moved it meanwhile; answers whether it was moved.
pub fn advance(sql: &mut dyn Sql, name: &str, from: &str, to: &str) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE mailbox SET position = ?3 WHERE name = ?1 AND position = ?2",
        args![name, from, to],
    )?;
    Ok(changed == 1)
}

/// Takes back that messages were left alone as `before_start`, those that arrived at `since` or
/// later: the mailbox's source finds them unknown. Answers how many there were.
pub fn forget_skipped(
    sql: &mut dyn Sql,
    name: &str,
    since: Timestamp,
) -> Result<usize, StoreError> {
    let rows = sql.query(
        "SELECT message.id FROM message JOIN decision ON decision.message = message.id \
         WHERE message.mailbox = ?1 AND message.arrived_at >= ?2 \
           AND decision.reason = 'before_start'",
        args![name, since],
    )?;
    let ids: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    for batch in ids.chunks(MANY) {
        let list = padded(batch);
        let listed = placeholders(1, list.len());
        sql.execute(&format!("DELETE FROM decision WHERE message IN ({listed})"), &list)?;
        sql.execute(&format!("DELETE FROM message WHERE id IN ({listed})"), &list)?;
    }
    Ok(ids.len())
}
