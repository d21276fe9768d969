//! What the store still has to do.

use guichet::args;
use guichet::store::{Store, StoreError, mailboxes};
use jiff::Timestamp;

/// What is not at rest yet.
pub fn owed(store: &Store) -> Vec<String> {
    const WAITING: &[(&str, &str)] = &[
        (
            "messages to decide",
            "SELECT id || ' ' || state || ' ' || COALESCE(due_at, 0) FROM message \
             WHERE state IN ('incoming', 'active', 'deferred')",
        ),
        ("messages leased", "SELECT id FROM message WHERE leased_by IS NOT NULL AND due_at > 0"),
        (
            "mails to send",
            "SELECT id || ' ' || state || ' ' || due_at FROM outbox \
             WHERE state IN ('queued', 'sending')",
        ),
        ("mails leased", "SELECT id || '' FROM outbox WHERE leased_by IS NOT NULL"),
        ("users or credentials mails", "SELECT message || ' ' || due_at FROM owed"),
        ("messages to fetch", "SELECT uid || '' FROM owed_uid"),
    ];
    let found = store.read_only(|sql| {
        let mut found = Vec::new();
        for (what, statement) in WAITING {
            let rows = sql.query(statement, &[])?;
            if let Some(row) = rows.first() {
                found.push(format!("{} {what}, the first {}", rows.len(), row.text(0)?));
            }
        }
        // What rests, as the folder was made anew, is owed to nobody.
        for mailbox in mailboxes::known(sql)?.iter().filter(|mailbox| mailbox.owed > 0) {
            found.push(format!("{} messages to tell `{}`", mailbox.owed, mailbox.name));
        }
        Ok(found)
    });
    found.unwrap_or_else(|error| vec![format!("the store does not read: {error}")])
}

/// What is leased by a process that is gone, and that nobody has freed (P-04).
pub fn orphans(store: &Store, now: Timestamp) -> Option<String> {
    const GONE: &str = "NOT IN (SELECT name FROM worker)";
    let found = store.read_only(|sql| {
        let mut count = 0;
        for table in ["message", "outbox"] {
            let leased = format!(
                "SELECT COUNT(*) FROM {table} WHERE leased_until > ?1 \
                 AND SUBSTR(leased_by, 1, 36) {GONE}"
            );
            count += sql.query(&leased, args![now])?[0].int(0)?;
        }
        Ok(count)
    });
    match found {
        Ok(0) => None,
        Ok(count) => Some(format!("what a dead process had in hand is not free: {count}")),
        Err(error) => Some(format!("the store does not read: {error}")),
    }
}

/// The first message that is to be decided and was not put off.
pub fn first_waiting(store: &Store) -> Option<String> {
    let first = store.read_only(|sql| {
        let row = sql.query_one(
            "SELECT id FROM message WHERE state IN ('incoming', 'active') \
             AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1",
            &[],
        )?;
        row.map(|row| row.text(0)).transpose()
    });
    first.unwrap_or_else(|error: StoreError| Some(error.to_string()))
}
