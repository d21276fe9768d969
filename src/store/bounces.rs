//! Mail of ours that came back (M-64, M-65): whose it was, and what follows for it and its address.

use jiff::Timestamp;

use super::sql::{padded, placeholders};
use super::{Sql, StoreError, Value};
use crate::args;
use crate::mail::{AddressKey, MessageId};
use crate::triage::facts::BouncedMail;
use crate::triage::plan::BounceEffect;

/// The mail of ours with this id, when it went to one of these recipients, or when no recipient
/// could be read from the bounce (M-64).
pub fn sent_to(
    sql: &mut dyn Sql,
    id: &MessageId,
    recipients: &[AddressKey],
) -> Result<Option<BouncedMail>, StoreError> {
    let mut values = vec![Value::from(id.as_str())];
    let mut condition = String::new();
    if !recipients.is_empty() {
        let list = padded(recipients);
        condition = format!(" AND to_key IN ({})", placeholders(2, list.len()));
        values.extend(list);
    }
    let statement =
        format!("SELECT id, template, to_key, ticket FROM outbox WHERE message_id = ?1{condition}");
    let Some(row) = sql.query_one(&statement, &values)? else { return Ok(None) };
    Ok(Some(BouncedMail {
        outbox: row.int(0)?,
        template: row.text(1)?,
        to: AddressKey(row.text(2)?),
        ticket: row.opt_int(3)?,
    }))
}

/// Records what a bounce does (M-65): for good, the mail failed, its address is undeliverable until
/// its owner writes, and a user whose credentials came back gets none by mail (C-12); otherwise it
/// is only noted.
pub fn record(
    sql: &mut dyn Sql,
    outbox: i64,
    effect: BounceEffect,
    diagnostic: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match effect {
        BounceEffect::Delayed => "UPDATE outbox SET bounced_at = ?2, bounce = ?3 WHERE id = ?1",
        BounceEffect::Permanent => {
            "UPDATE outbox SET bounced_at = ?2, bounce = ?3, state = 'failed', leased_by = NULL, \
               leased_until = NULL, fence = fence + 1 WHERE id = ?1"
        }
        BounceEffect::Temporary => {
            "UPDATE outbox SET bounced_at = ?2, bounce = ?3, bounces = bounces + 1 WHERE id = ?1"
        }
    };
    sql.execute(statement, args![outbox, now, diagnostic])?;
    if effect != BounceEffect::Permanent {
        return Ok(());
    }
    sql.execute(
        // By the key as the person has it, with its tag or without.
        "UPDATE person_address SET undeliverable = 1 WHERE address_key IN \
           (SELECT to_key FROM outbox WHERE id = ?1 \
            UNION SELECT LOWER(to_address) FROM outbox WHERE id = ?1)",
        args![outbox],
    )?;
    sql.execute(
        "UPDATE person SET credentials_bounced = 1, updated_at = ?2 WHERE id = \
           (SELECT person FROM outbox WHERE id = ?1 AND cause = 'notice')",
        args![outbox, now],
    )?;
    Ok(())
}
