//! Mail of ours that came back (M-64, M-65): whose it was, and what follows for it and its address.

use jiff::Timestamp;

use super::sql::{padded, placeholders};
use super::{Row, Sql, StoreError, Value};
use crate::args;
use crate::mail::AddressKey;
use crate::triage::facts::{Bounced, BouncedMail};
use crate::triage::plan::BounceEffect;

/// The mail of ours that bounced (M-64): the one whose envelope address it came to, else one whose
/// id it returns, when that went to one of the recipients that it names, or it names none.
pub fn sent_to(sql: &mut dyn Sql, bounced: &Bounced) -> Result<Option<BouncedMail>, StoreError> {
    if let Some(mail) = bounced.mail {
        let statement = "SELECT id, template, to_key, ticket FROM outbox WHERE id = ?1";
        if let Some(row) = sql.query_one(statement, args![mail])? {
            return of(&row).map(Some);
        }
    }
    let mut values = Vec::new();
    let mut any_of = |column: &str, list: Vec<Value>| {
        let first = values.len() + 1;
        values.extend(list);
        format!("{column} IN ({})", placeholders(first, values.len() + 1 - first))
    };
    if bounced.ids.is_empty() {
        return Ok(None);
    }
    let mut condition = any_of("message_id", padded(bounced.ids.iter().map(|id| id.as_str())));
    if !bounced.relay_ids.is_empty() {
        let list = padded(bounced.relay_ids.iter().map(|id| id.as_str()));
        condition = format!("({condition} OR {})", any_of("relay_id", list));
    }
    if !bounced.recipients.is_empty() {
        condition = format!("{condition} AND {}", any_of("to_key", padded(&bounced.recipients)));
    }
    let statement = format!(
        "SELECT id, template, to_key, ticket FROM outbox WHERE {condition} ORDER BY id DESC LIMIT 1"
    );
    sql.query_one(&statement, &values)?.map(|row| of(&row)).transpose()
}

fn of(row: &Row) -> Result<BouncedMail, StoreError> {
    Ok(BouncedMail {
        outbox: row.int(0)?,
        template: row.text(1)?,
        to: AddressKey(row.text(2)?),
        ticket: row.opt_int(3)?,
    })
}

/// Records what a bounce does (M-65): for good, the mail failed, its address is undeliverable until
/// its owner writes, and a user whose credentials came back gets none by mail (C-12). A complaint
/// makes the address undeliverable as well. Otherwise it is only noted.
pub fn record(
    sql: &mut dyn Sql,
    outbox: i64,
    effect: BounceEffect,
    diagnostic: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match effect {
        BounceEffect::Complaint | BounceEffect::Delayed => {
            "UPDATE outbox SET bounced_at = ?2, bounce = ?3 WHERE id = ?1"
        }
        BounceEffect::Permanent => {
            "UPDATE outbox SET bounced_at = ?2, bounce = ?3, state = 'failed', leased_by = NULL, \
               leased_until = NULL, fence = fence + 1 WHERE id = ?1"
        }
        BounceEffect::Temporary => {
            "UPDATE outbox SET bounced_at = ?2, bounce = ?3, bounces = bounces + 1 WHERE id = ?1"
        }
    };
    sql.execute(statement, args![outbox, now, diagnostic])?;
    if !matches!(effect, BounceEffect::Complaint | BounceEffect::Permanent) {
        return Ok(());
    }
    sql.execute(
        // By the key as the person has it, with its tag or without.
        "UPDATE person_address SET undeliverable = 1 WHERE address_key IN \
           (SELECT to_key FROM outbox WHERE id = ?1 \
            UNION SELECT LOWER(to_address) FROM outbox WHERE id = ?1)",
        args![outbox],
    )?;
    if effect == BounceEffect::Complaint {
        return Ok(());
    }
    sql.execute(
        "UPDATE person SET credentials_bounced = 1, updated_at = ?2 WHERE id = \
           (SELECT person FROM outbox WHERE id = ?1 AND cause = 'notice')",
        args![outbox, now],
    )?;
    Ok(())
}
