//! What tickets know of their latest messages, received and sent: hashes kept beside each (M-91).

use std::collections::{HashMap, HashSet};

use crate::args;
use crate::store::{Row, Sql, StoreError, Value};

// Messages looked at, the newest.
const MESSAGES: usize = 20;
const BYTES: usize = size_of::<u64>();

/// What each of these tickets knows; for one that knows nothing there is none.
pub fn known(sql: &mut dyn Sql, tickets: &[i64]) -> Result<HashMap<i64, HashSet<u64>>, StoreError> {
    gather(sql, tickets, i64::MAX, Value::Int(i64::MAX))
}

/// What a message's ticket knew when the message came to it.
pub fn known_before(sql: &mut dyn Sql, message: &str) -> Result<HashSet<u64>, StoreError> {
    let place = sql.query_one(
        "SELECT ticket, n, added_at FROM ticket_message WHERE message = ?1",
        args![message],
    )?;
    let Some(place) = place else { return Ok(HashSet::new()) };
    let (ticket, n) = (place.int(0)?, place.int(1)?);
    let mut known = gather(sql, &[ticket], n, Value::Int(place.int(2)?))?;
    Ok(known.remove(&ticket).unwrap_or_default())
}

/// Hashes as they are kept.
pub(in crate::store) fn kept(known: &[u64]) -> Vec<u8> {
    known.iter().flat_map(|hash| hash.to_be_bytes()).collect()
}

// Of each ticket the newest of both kinds, since they are numbered apart: so it takes the same time
// however many there are.
fn gather(
    sql: &mut dyn Sql,
    tickets: &[i64],
    before: i64,
    until: Value,
) -> Result<HashMap<i64, HashSet<u64>>, StoreError> {
    if tickets.is_empty() {
        return Ok(HashMap::new());
    }
    let mut values = vec![Value::Int(before), until];
    let mut parts = Vec::new();
    for (at, ticket) in tickets.iter().enumerate() {
        values.push(Value::Int(*ticket));
        let place = values.len();
        parts.push(format!(
            "SELECT * FROM (SELECT ticket, added_at AS at, known FROM ticket_message \
               WHERE ticket = ?{place} AND n < ?1 ORDER BY n DESC LIMIT {MESSAGES}) AS r{at} \
             UNION ALL SELECT * FROM (SELECT ticket, queued_at AS at, known FROM outbox \
               WHERE ticket = ?{place} AND known IS NOT NULL AND queued_at < ?2 \
               ORDER BY id DESC LIMIT {MESSAGES}) AS s{at}"
        ));
    }
    let mut of_ticket: HashMap<i64, Vec<(i64, Row)>> = HashMap::new();
    for row in sql.query(&parts.join(" UNION ALL "), &values)? {
        of_ticket.entry(row.int(0)?).or_default().push((row.int(1)?, row));
    }
    let mut known = HashMap::new();
    for (ticket, mut messages) in of_ticket {
        messages.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        messages.truncate(MESSAGES);
        let hashes: &mut HashSet<u64> = known.entry(ticket).or_default();
        for (_, row) in messages {
            let Some(bytes) = row.opt_blob(2)? else { continue };
            let (whole, rest) = bytes.as_chunks::<BYTES>();
            if !rest.is_empty() {
                return Err(row.refuse(2, "hashes of 8 bytes"));
            }
            hashes.extend(whole.iter().map(|hash| u64::from_be_bytes(*hash)));
        }
    }
    Ok(known)
}
