//! What messages do to users: each function is one effect of a plan.

use jiff::Timestamp;

use crate::args;
use crate::mail::AddressKey;
use crate::store::{Sql, StoreError};
use crate::triage::plan::{MadeBy, NewUser};

/// Makes the user of a new sender, or of whom staff writes for. An address that has a user by now is a
/// race that was lost: the work must run again, and will find that user.
pub fn create(
    sql: &mut dyn Sql,
    user: &NewUser,
    id: &str,
    counted_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO person (id, first_name, last_name, derived, status, access, site, made_by, \
           credentials, counted_at, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?9, ?10, CAST(?7 AS BIGINT), ?8, ?8)",
        args![
            id,
            &user.first_name,
            &user.last_name,
            user.derived,
            user.access.as_str(),
            &user.site,
            match user.made_by {
                MadeBy::Hand => None,
                MadeBy::Mail => Some(counted_at),
            },
            now,
            match user.made_by {
                MadeBy::Hand => "hand",
                MadeBy::Mail => "mail",
            },
            user.credentials.as_str(),
        ],
    )?;
    let changed = sql.execute(
        "INSERT INTO person_address (address_key, person, address, n) VALUES (?1, ?2, ?3, 0) \
         ON CONFLICT (address_key) DO NOTHING",
        args![&user.key, id, user.address.to_string()],
    )?;
    if changed == 1 {
        return Ok(());
    }
    Err(StoreError::Raced("the address of a new user belongs to another by now".to_owned()))
}

/// Fills a name that is still empty; one that exists stays (M-53).
pub fn fill_name(
    sql: &mut dyn Sql,
    id: &str,
    first_name: &str,
    last_name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person SET first_name = ?2, last_name = ?3, updated_at = ?4 \
         WHERE id = ?1 AND first_name = '' AND last_name = ''",
        args![id, first_name, last_name, now],
    )
    .map(drop)
}

/// Places a user whom no person placed (M-110); their tickets keep their site.
pub fn place(sql: &mut dyn Sql, id: &str, site: &str, now: Timestamp) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person SET site = ?2, updated_at = ?3 WHERE id = ?1 AND site_placed = 0",
        args![id, site, now],
    )
    .map(drop)
}

/// Takes back that mail to somebody is undeliverable: they wrote, from this address (M-65, E-152).
pub fn clear_undeliverable(sql: &mut dyn Sql, key: &AddressKey) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person_address SET undeliverable = 0 WHERE undeliverable = 1 \
         AND person = (SELECT person FROM person_address WHERE address_key = ?1)",
        args![key],
    )
    .map(drop)
}

/// Notes that the credentials mail of a user was queued: there is no second one (C-06).
pub fn credentials_queued(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person SET credentials = 'sent', credentials_withheld = NULL, updated_at = ?2 \
         WHERE id = ?1",
        args![id, now],
    )
    .map(drop)
}

/// Notes why the credentials mail of a user waits (threats §6).
pub fn withhold_credentials(sql: &mut dyn Sql, id: &str, code: &str) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person SET credentials_withheld = ?2 WHERE id = ?1 AND credentials = 'due'",
        args![id, code],
    )
    .map(drop)
}
