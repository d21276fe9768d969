//! Mailboxes that were seen: since when, and where their source stands.

use jiff::Timestamp;

use super::{Sql, StoreError};
use crate::args;

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

/// Enters a mailbox at its first contact; later only notes its address.
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
        "UPDATE mailbox SET address = ?2 WHERE name = ?1 RETURNING started_at, position",
        args![name, address],
    )?;
    match row {
        Some(row) => Ok(Beginning::Known { started_at: row.time(0)?, position: row.opt_text(1)? }),
        None => Err(StoreError::Raced(format!("mailbox `{name}` is gone"))),
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
