//! What people, and bounces, do with mail of ours: look at it, try it again, take it out.

use jiff::Timestamp;

use super::OutboxState;
use crate::args;
use crate::store::{Row, Sql, StoreError, Value};

/// A mail of ours, as shown.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: i64,
    pub template: String,
    pub to: String,
    pub person: Option<String>,
    pub ticket: Option<i64>,
    pub mailbox: String,
    pub locale: String,
    pub message_id: String,
    /// The message that caused it.
    pub message: Option<String>,
    pub state: OutboxState,
    pub attempts: i64,
    pub due_at: Timestamp,
    pub queued_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// The other side's last words, or why it was given up.
    pub response: Option<String>,
    /// As last attempted; secrets are `[redacted]`.
    pub subject: Option<String>,
    pub body: Option<String>,
    pub bounced_at: Option<Timestamp>,
    pub bounce: Option<String>,
    /// Temporary bounces so far.
    pub bounces: i64,
}

/// Which mails to list; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// An address, compared without case.
    pub to: Option<String>,
    pub state: Option<OutboxState>,
    pub ticket: Option<i64>,
    /// The id of the message that caused it. No index leads there: name what it came after too.
    pub message: Option<String>,
    /// Queued after the mail of this id.
    pub after: Option<i64>,
    /// Queued then or later.
    pub since: Option<Timestamp>,
    /// Words in the response, compared without case.
    pub response: Option<String>,
}

/// How many, and from where on.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only ids below this one: the last of the page before.
    pub before: Option<i64>,
    pub limit: u32,
}

const COLUMNS: &str = "id, template, to_address, person, ticket, mailbox, locale, message_id, \
    message, state, attempts, due_at, queued_at, sent_at, response, subject, body, bounced_at, \
    bounce, bounces";

/// Mails of ours, newest first.
pub fn list(sql: &mut dyn Sql, filter: &Filter, page: Page) -> Result<Vec<Entry>, StoreError> {
    let (statement, values) = listing(filter, page);
    sql.query(&statement, &values)?.iter().map(entry).collect()
}

/// The statement that lists mails, and its values.
pub(super) fn listing(filter: &Filter, page: Page) -> (String, Vec<Value>) {
    let mut wanted: Vec<String> = Vec::new();
    let mut values: Vec<Value> = vec![page.limit.into()];
    let mut want = |condition: &str, value: Value| {
        values.push(value);
        wanted.push(condition.replace('#', &format!("?{}", values.len())));
    };
    if let Some(to) = &filter.to {
        want("(to_key = # OR LOWER(to_address) = #)", to.to_lowercase().into());
    }
    if let Some(state) = filter.state {
        want("state = #", state.as_str().into());
    }
    if let Some(ticket) = filter.ticket {
        want("ticket = #", ticket.into());
    }
    if let Some(message) = &filter.message {
        want("message = #", message.as_str().into());
    }
    if let Some(after) = filter.after {
        want("id > #", after.into());
    }
    if let Some(since) = filter.since {
        want("queued_at >= #", since.into());
    }
    if let Some(words) = &filter.response {
        let words = words.to_lowercase().replace('\\', "\\\\");
        let words = words.replace('%', "\\%").replace('_', "\\_");
        want("LOWER(response) LIKE # ESCAPE '\\'", format!("%{words}%").into());
    }
    if let Some(before) = page.before {
        want("id < #", before.into());
    }
    let conditions = if wanted.is_empty() { "1 = 1".to_owned() } else { wanted.join(" AND ") };
    let statement =
        format!("SELECT {COLUMNS} FROM outbox WHERE {conditions} ORDER BY id DESC LIMIT ?1");
    (statement, values)
}

/// The id of the newest mail, 0 when there is none.
pub fn newest(sql: &mut dyn Sql) -> Result<i64, StoreError> {
    let row = sql.query_one("SELECT COALESCE(MAX(id), 0) FROM outbox", args![])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// One mail of ours.
pub fn show(sql: &mut dyn Sql, id: i64) -> Result<Option<Entry>, StoreError> {
    sql.query_one(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"), args![id])?
        .map(|row| entry(&row))
        .transpose()
}

/// Queues a mail again that was given up, cancelled or only recorded, with all its attempts before
/// it. Answers where it stood, or `None` when there is no such mail; one in any other state is left
/// alone.
pub fn retry(
    sql: &mut dyn Sql,
    id: i64,
    now: Timestamp,
) -> Result<Option<OutboxState>, StoreError> {
    let before = state(sql, id)?;
    sql.execute(
        "UPDATE outbox SET state = 'queued', due_at = ?2, attempts = 0, unsure = 0 \
         WHERE id = ?1 AND state IN ('cancelled', 'failed', 'parked', 'recorded')",
        args![id, now],
    )?;
    Ok(before)
}

/// Takes a mail out that has not gone. Answers where it stood, or `None` when there is no such
/// mail; one that is sent, or just being sent, is left alone.
pub fn cancel(sql: &mut dyn Sql, id: i64) -> Result<Option<OutboxState>, StoreError> {
    let before = state(sql, id)?;
    sql.execute(
        "UPDATE outbox SET state = 'cancelled' \
         WHERE id = ?1 AND state IN ('failed', 'parked', 'queued')",
        args![id],
    )?;
    Ok(before)
}

/// Takes out what waits to tell the same address of changes of the same ticket, and was never tried:
/// this later mail tells of them too.
pub fn replace_earlier(sql: &mut dyn Sql, id: i64) -> Result<u64, StoreError> {
    sql.execute(
        "UPDATE outbox SET state = 'cancelled', response = 'a later mail tells of it' \
         WHERE id < ?1 AND state = 'queued' AND attempts = 0 AND cause = 'news' \
           AND about_event IS NOT NULL AND ticket = (SELECT ticket FROM outbox WHERE id = ?1) \
           AND to_key = (SELECT to_key FROM outbox WHERE id = ?1)",
        args![id],
    )
}

fn state(sql: &mut dyn Sql, id: i64) -> Result<Option<OutboxState>, StoreError> {
    sql.query_one("SELECT state FROM outbox WHERE id = ?1", args![id])?
        .map(|row| row.parsed(0, "a mail's state", OutboxState::parse))
        .transpose()
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        id: row.int(0)?,
        template: row.text(1)?,
        to: row.text(2)?,
        person: row.opt_text(3)?,
        ticket: row.opt_int(4)?,
        mailbox: row.text(5)?,
        locale: row.text(6)?,
        message_id: row.text(7)?,
        message: row.opt_text(8)?,
        state: row.parsed(9, "a mail's state", OutboxState::parse)?,
        attempts: row.int(10)?,
        due_at: row.time(11)?,
        queued_at: row.time(12)?,
        sent_at: row.opt_time(13)?,
        response: row.opt_text(14)?,
        subject: row.opt_text(15)?,
        body: row.opt_text(16)?,
        bounced_at: row.opt_time(17)?,
        bounce: row.opt_text(18)?,
        bounces: row.int(19)?,
    })
}
