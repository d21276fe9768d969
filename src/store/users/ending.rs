//! How an account ends, and how two become one: deleted, merged, taken up again. What is left of it
//! is a tombstone, so that mail revives nobody (T-54).

use jiff::Timestamp;

use super::admin::{Addition, COLUMNS, add_address, make_main};
use super::show;
use crate::args;
use crate::store::{Sql, StoreError, Value, credentials, sessions};
use crate::triage::facts::UserStatus;

/// Ends whatever opens an account at this moment: links, temporary passwords, sessions. The password
/// they chose stays.
pub fn end_access(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<(), StoreError> {
    credentials::end_all(sql, id, now)?;
    sessions::close_all(sql, id).map(drop)
}

/// Deletes a user: a tombstone stays, with its addresses, so that mail revives nobody (T-54, E-79);
/// what opens the account ends; tickets are kept. Answers whether there was one.
pub fn delete(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE person SET status = 'deleted', deleted_at = ?2, updated_at = ?2, password = NULL, \
           password_set_at = NULL WHERE id = ?1 AND status <> 'deleted'",
        args![id, now],
    )?;
    end_access(sql, id, now)?;
    Ok(changed == 1)
}

/// Makes a deleted user one again, as `user` says, with the addresses they had and those it names.
/// Answers whether there was such a tombstone; one that was merged is none.
pub fn revive(
    sql: &mut dyn Sql,
    id: &str,
    user: &Addition,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut values = vec![Value::from(id), Value::from(now)];
    values.extend(user.values());
    let columns = COLUMNS.iter().zip(3..).map(|(column, n)| format!("{column} = ?{n}, "));
    let statement = format!(
        "UPDATE person SET {}credentials_withheld = NULL, credentials_bounced = 0, \
           status = 'active', deleted_at = NULL, updated_at = ?2 \
         WHERE id = ?1 AND status = 'deleted' AND merged_into IS NULL",
        columns.collect::<String>()
    );
    let changed = sql.execute(&statement, &values)?;
    if changed == 0 {
        return Ok(false);
    }
    for (address, key) in &user.addresses {
        let spelt = sql.execute(
            "UPDATE person_address SET address = ?3, undeliverable = 0 \
             WHERE person = ?1 AND address_key = ?2",
            args![id, key, address.to_string()],
        )?;
        if spelt == 0 {
            add_address(sql, id, address, key)?;
        }
    }
    if let Some((_, key)) = user.addresses.first() {
        make_main(sql, id, key)?;
    }
    Ok(true)
}

/// What a merge brought to the user who stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub addresses: u64,
    pub tickets: u64,
    pub messages: u64,
}

/// Makes `from` and `into` one user: `into` gets the addresses, with them the parts they play at
/// tickets and sites, the tickets and messages, and what it did not know of them; what opens the
/// account of `from` ends, and its row stays as a pointer.
pub fn merge(
    sql: &mut dyn Sql,
    from: &str,
    into: &str,
    now: Timestamp,
) -> Result<Merged, StoreError> {
    must_be_two(sql, from, into)?;
    let row = sql.query_one(
        "SELECT COALESCE(MAX(n), -1) + 1 FROM person_address WHERE person = ?1",
        args![into],
    )?;
    let next = row.map_or(Ok(0), |row| row.int(0))?;
    let merged = Merged {
        // Behind those that are there, in the order they had: (person, n) is unique at every moment.
        addresses: sql.execute(
            "UPDATE person_address SET person = ?2, n = n + ?3 WHERE person = ?1",
            args![from, into, next],
        )?,
        tickets: sql
            .execute("UPDATE ticket SET person = ?2 WHERE person = ?1", args![from, into])?,
        messages: sql.execute(
            "UPDATE ticket_message SET person = ?2 WHERE person = ?1",
            args![from, into],
        )?,
    };
    sql.execute(
        "UPDATE ticket_event SET by_whom = ?2 WHERE by_kind = 'user' AND by_whom = ?1",
        args![from, into],
    )?;
    // Its credentials are of no use any more, also those that are on their way.
    sql.execute(
        "UPDATE outbox SET state = 'cancelled', response = 'the user was merged into another one' \
         WHERE person = ?1 AND cause = 'notice' AND ticket IS NULL \
         AND state IN ('queued', 'parked')",
        args![from],
    )?;
    sql.execute("UPDATE outbox SET person = ?2 WHERE person = ?1", args![from, into])?;
    end_access(sql, from, now)?;
    // The account goes on under another name: whoever held a session of it logs in there.
    sessions::end_all(sql, from)?;
    sql.execute(
        "UPDATE person SET \
           phone = COALESCE(phone, (SELECT o.phone FROM person o WHERE o.id = ?2)), \
           mobile = COALESCE(mobile, (SELECT o.mobile FROM person o WHERE o.id = ?2)), \
           department = COALESCE(department, (SELECT o.department FROM person o WHERE o.id = ?2)), \
           job_title = COALESCE(job_title, (SELECT o.job_title FROM person o WHERE o.id = ?2)), \
           agent = COALESCE(agent, (SELECT o.agent FROM person o WHERE o.id = ?2)), \
           locale = COALESCE(locale, (SELECT o.locale FROM person o WHERE o.id = ?2)), \
           updated_at = ?3 WHERE id = ?1",
        args![into, from, now],
    )?;
    // Who was merged into `from` before is to be found at `into`.
    sql.execute("UPDATE person SET merged_into = ?2 WHERE merged_into = ?1", args![from, into])?;
    sql.execute(
        "UPDATE person SET status = 'deleted', deleted_at = ?3, updated_at = ?3, merged_into = ?2, \
           phone = NULL, mobile = NULL, department = NULL, job_title = NULL, agent = NULL, \
           locale = NULL, password = NULL, password_set_at = NULL, credentials = 'not_due', \
           credentials_withheld = NULL WHERE id = ?1",
        args![from, into, now],
    )?;
    Ok(merged)
}

fn must_be_two(sql: &mut dyn Sql, from: &str, into: &str) -> Result<(), StoreError> {
    if from == into {
        return Err(StoreError::Violated(
            "a user cannot be merged with themselves\nhint: both addresses belong to one user already"
                .to_owned(),
        ));
    }
    for id in [from, into] {
        let user = show(sql, id)?;
        if user.is_none_or(|user| user.status == UserStatus::Deleted) {
            return Err(StoreError::Violated(format!(
                "the user `{id}` is deleted\nhint: only users who are still there can be merged"
            )));
        }
    }
    Ok(())
}
