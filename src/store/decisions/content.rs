//! Which message a content belongs to (M-07, M-09): what makes two deliveries of one mail one.

use std::collections::HashSet;

use crate::args;
use crate::faults;
use crate::mail::{ContentHash, InboundMessage, MessageId};
use crate::store::sql::{MANY, padded, placeholders};
use crate::store::{Sql, StoreError};

/// What is known of a content and of a Message-ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentFacts {
    /// The other message that has this content.
    pub duplicate_of: Option<String>,
    /// Whether another message has this Message-ID with other content.
    pub message_id_known: bool,
}

/// Looks a content up. What `message` itself left, when it was held once, does not count.
pub fn look_up(
    sql: &mut dyn Sql,
    hash: ContentHash,
    message_id: &MessageId,
    message: &str,
) -> Result<ContentFacts, StoreError> {
    let row = sql.query_one(
        "SELECT (SELECT message FROM content_key WHERE hash = ?1 AND message <> ?3), \
           CASE WHEN EXISTS (SELECT 1 FROM content_key \
             WHERE message_id = ?2 AND hash <> ?1 AND message <> ?3) THEN 1 ELSE 0 END",
        args![&hash.0[..], message_id.as_str(), message],
    )?;
    match row {
        Some(_) if !faults::stands("P-02-content") => Ok(ContentFacts::default()),
        Some(row) => {
            Ok(ContentFacts { duplicate_of: row.opt_text(0)?, message_id_known: row.flag(1)? })
        }
        None => Ok(ContentFacts::default()),
    }
}

/// Which of these Message-IDs are of messages that were taken in.
pub fn known_ids(sql: &mut dyn Sql, ids: &[String]) -> Result<HashSet<String>, StoreError> {
    let mut known = HashSet::new();
    for batch in ids.chunks(MANY) {
        let list = padded(batch);
        let statement = format!(
            "SELECT message_id FROM content_key WHERE message_id IN ({})",
            placeholders(1, list.len())
        );
        for row in sql.query(&statement, &list)? {
            known.insert(row.text(0)?);
        }
    }
    Ok(known)
}

/// Remembers, for ever, that this content is `id`. A content that another message has by now is a
/// race that was lost: the work must run again, and will find a duplicate.
pub fn remember(sql: &mut dyn Sql, message: &InboundMessage, id: &str) -> Result<(), StoreError> {
    let changed = sql.execute(
        "INSERT INTO content_key (hash, message_id, message) VALUES (?1, ?2, ?3) \
         ON CONFLICT (hash) DO UPDATE SET message_id = excluded.message_id \
         WHERE content_key.message = excluded.message",
        args![&message.content_hash.0[..], message.message_id.as_str(), id],
    )?;
    if changed == 1 || !faults::stands("P-02-content") {
        return Ok(());
    }
    Err(StoreError::Raced(format!("another message has the content of `{id}` by now")))
}
