//! Merging: all messages of one ticket come to another, which answers for both from then on (M-86).

use jiff::Timestamp;

use super::{By, EventKind, record};
use crate::args;
use crate::store::{Sql, StoreError};
use crate::triage::facts::TicketStatus;

// Above every number that a message has on a ticket: the numbers are free while they are given anew.
const APART: i64 = 1_000_000_000;

/// Moves all of ticket `from` to ticket `into`: its messages, in the order that they were added, its
/// people, its tags. What was written to the one leads to the other. Both must be there, and neither
/// be merged itself.
pub fn merge(
    sql: &mut dyn Sql,
    from: i64,
    into: i64,
    by: &By,
    now: Timestamp,
) -> Result<(), StoreError> {
    move_messages(sql, from, into)?;
    sql.execute("UPDATE decision SET ticket = ?2 WHERE ticket = ?1", args![from, into])?;
    // Whose ticket it was has a part in the other; a stronger part stays. The words of the parts
    // happen to stand in the order of their strength.
    sql.execute(
        "INSERT INTO ticket_role (ticket, address_key, role) \
         SELECT CAST(?2 AS BIGINT), address_key, \
           CASE role WHEN 'requester' THEN 'participant' ELSE role END \
         FROM ticket_role WHERE ticket = ?1 \
         ON CONFLICT (ticket, address_key) DO UPDATE SET role = excluded.role \
         WHERE ticket_role.role < excluded.role",
        args![from, into],
    )?;
    sql.execute(
        "INSERT INTO ticket_tag (ticket, tag) \
         SELECT CAST(?2 AS BIGINT), tag FROM ticket_tag WHERE ticket = ?1 \
         ON CONFLICT (ticket, tag) DO NOTHING",
        args![from, into],
    )?;
    sql.execute(
        "UPDATE ticket SET updated_at = ?3, last_message_at = (SELECT MAX(o.last_message_at) \
           FROM ticket o WHERE o.number IN (?1, ?2)) WHERE number = ?2",
        args![from, into, now],
    )?;
    sql.execute(
        "UPDATE ticket SET merged_into = ?2, status = ?4, \
           closed_at = COALESCE(closed_at, CAST(?3 AS BIGINT)), updated_at = ?3 WHERE number = ?1",
        args![from, into, now, TicketStatus::Closed.as_str()],
    )?;
    let (old, new) = (from.to_string(), into.to_string());
    record(sql, from, by, EventKind::Merged, (None, Some(&new)), now)?;
    record(sql, into, by, EventKind::Merged, (Some(&old), None), now).map(drop)
}

fn move_messages(sql: &mut dyn Sql, from: i64, into: i64) -> Result<(), StoreError> {
    let rows = sql.query(
        "SELECT message FROM ticket_message WHERE ticket IN (?1, ?2) \
         ORDER BY added_at, CASE ticket WHEN ?2 THEN 0 ELSE 1 END, n",
        args![from, into],
    )?;
    sql.execute("UPDATE ticket_message SET n = n + ?2 WHERE ticket = ?1", args![into, APART])?;
    for (n, row) in (1_i64..).zip(rows) {
        sql.execute(
            "UPDATE ticket_message SET ticket = ?2, n = ?3 WHERE message = ?1",
            args![row.text(0)?, into, n],
        )?;
    }
    Ok(())
}
