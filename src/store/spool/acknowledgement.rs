//! What a mailbox must still be told (design §4.5): only after the decision is committed, never
//! about what is held, a stub, or from before the start.

use super::Origin;
use crate::args;
use crate::store::sql::{MANY, padded, placeholders};
use crate::store::{Row, Sql, StoreError};

/// Decided messages the mailbox has not been told of, oldest first.
pub fn owed(
    sql: &mut dyn Sql,
    mailbox: &str,
    limit: u32,
) -> Result<Vec<(String, Origin)>, StoreError> {
    let rows = sql.query(
        "SELECT id, origin FROM message \
         WHERE mailbox = ?1 AND acknowledgement = 'owed' ORDER BY id LIMIT ?2",
        args![mailbox, limit],
    )?;
    let read = |row: &Row| Ok((row.text(0)?, row.parsed(1, "an origin", Origin::parse)?));
    rows.iter().map(read).collect()
}

/// Notes that the mailbox was told of these messages; doing it again changes nothing.
pub fn acknowledged(sql: &mut dyn Sql, ids: &[String]) -> Result<(), StoreError> {
    for batch in ids.chunks(MANY) {
        let list = padded(batch);
        let statement = format!(
            "UPDATE message SET acknowledgement = 'done' \
             WHERE acknowledgement = 'owed' AND id IN ({})",
            placeholders(1, list.len())
        );
        sql.execute(&statement, &list)?;
    }
    Ok(())
}
