//! What a mailbox must still be told (design §4.5): only after the decision is committed, never
//! about what is held, a copy of that, a stub, or from before the start. What was decided under a
//! numbering that its folder has no longer is owed to nobody: it rests, until that comes again.

use jiff::Timestamp;

use super::Origin;
use crate::args;
use crate::faults;
use crate::store::sql::{MANY, padded, placeholders};
use crate::store::{Row, Sql, StoreError};

/// A decided message that its mailbox has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub id: String,
    pub origin: Origin,
    pub arrived_at: Timestamp,
}

/// Those of a mailbox whose origins begin with `numbering`, oldest first.
pub fn owed(
    sql: &mut dyn Sql,
    mailbox: &str,
    numbering: &str,
    limit: u32,
) -> Result<Vec<Owed>, StoreError> {
    let statement = format!(
        "SELECT id, origin, arrived_at FROM message WHERE {} ORDER BY id LIMIT ?3",
        is_owed()
    );
    let rows = sql.query(&statement, args![mailbox, numbering, limit])?;
    let read = |row: &Row| {
        let origin = row.parsed(1, "an origin", Origin::parse)?;
        Ok(Owed { id: row.text(0)?, origin, arrived_at: row.time(2)? })
    };
    rows.iter().map(read).collect()
}

/// How many they are.
pub fn count_owed(sql: &mut dyn Sql, mailbox: &str, numbering: &str) -> Result<i64, StoreError> {
    let statement = format!("SELECT COUNT(*) FROM message WHERE {}", is_owed());
    sql.query_one(&statement, args![mailbox, numbering])?.map_or(Ok(0), |row| row.int(0))
}

// What is a copy of a message that is held, or walks again, stays in its place like that one.
fn is_owed() -> String {
    let is_no_copy_of_what_is_held = if faults::stands("P-01-copies") {
        "NOT EXISTS (SELECT 1 FROM decision JOIN message one ON one.id = decision.duplicate_of \
           WHERE decision.message = message.id AND one.state <> 'done')"
    } else {
        "1 = 1"
    };
    format!(
        "mailbox = ?1 AND acknowledgement = 'owed' AND SUBSTR(origin, 1, LENGTH(?2)) = ?2 \
           AND {is_no_copy_of_what_is_held}"
    )
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
