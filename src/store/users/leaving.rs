//! An address that leaves its user: their tickets, their parts in those of others and the mail that
//! is on its way stay with the user (T-02).

use super::AddressKey;
use crate::args;
use crate::mail::Address;
use crate::mail::address::PlusTag;
use crate::store::{Sql, StoreError};

/// Gives what hung on the address `left` to the user's main address. Whoever writes from the old one
/// from now on is a stranger to all of it.
pub(super) fn keep_what_was_theirs(
    sql: &mut dyn Sql,
    id: &str,
    left: &AddressKey,
) -> Result<(), StoreError> {
    let main = sql.query_one(
        "SELECT address, address_key FROM person_address WHERE person = ?1 AND n = 0",
        args![id],
    )?;
    let Some(main) = main else { return Ok(()) };
    let (address, key) = (main.text(0)?, main.text(1)?);
    // What it asked before it had a user, or while theirs was disabled.
    sql.execute(
        "UPDATE ticket SET person = ?1 WHERE person IS NULL AND requester_key = ?2",
        args![id, left],
    )?;
    sql.execute(
        "INSERT INTO ticket_role (ticket, address_key, role) \
         SELECT ticket, CAST(?2 AS TEXT), role FROM ticket_role WHERE address_key = ?1 \
         ON CONFLICT (ticket, address_key) DO UPDATE SET role = excluded.role \
         WHERE ticket_role.role < excluded.role",
        args![left, &key],
    )?;
    sql.execute("DELETE FROM ticket_role WHERE address_key = ?1", args![left])?;
    redirect(sql, id, left, &address)
}

// Mail about tickets that has not gone yet goes where the next one goes.
fn redirect(sql: &mut dyn Sql, id: &str, left: &AddressKey, main: &str) -> Result<(), StoreError> {
    let Ok(to) = Address::parse(main) else { return Ok(()) };
    for old in [Some(left.clone()), stripped(left)].into_iter().flatten() {
        sql.execute(
            "UPDATE outbox SET to_address = ?3, to_key = ?4, to_domain = ?5 \
             WHERE person = ?1 AND to_key = ?2 AND ticket IS NOT NULL \
             AND state IN ('failed', 'parked', 'queued')",
            args![id, &old, to.to_string(), &to.key(PlusTag::Strip), to.domain()],
        )?;
    }
    Ok(())
}

// The outbox keeps addresses without their tags.
fn stripped(key: &AddressKey) -> Option<AddressKey> {
    let address = Address::parse(key.as_str()).ok()?;
    Some(address.key(PlusTag::Strip)).filter(|stripped| stripped != key)
}
