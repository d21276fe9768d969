//! The one valid decision about each message, with the story that `explain` and `log` tell.

mod content;

use jiff::Timestamp;

use super::sql::rows;
use super::{Row, Sql, StoreError, Value};
use crate::args;
use crate::mail::InboundMessage;
use crate::triage::Step;
use crate::triage::plan::{Decision, Outcome, Plan, Reason, Story};

pub use content::{ContentFacts, known_ids, look_up, remember};

/// A decision, without its story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub message: String,
    pub mailbox: String,
    pub arrived_at: Timestamp,
    pub decided_at: Timestamp,
    pub outcome: Outcome,
    pub reason: Reason,
    /// One of the words of [`crate::triage::plan::Kind`].
    pub kind: Option<String>,
    pub from: Option<String>,
    pub subject: Option<String>,
    pub ticket: Option<i64>,
    /// M-09: the message this one is a copy of.
    pub duplicate_of: Option<String>,
    /// Bytes of the raw message.
    pub size: i64,
}

/// A message whose decision owes to a configuration key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owing {
    pub message: String,
    pub mailbox: String,
    pub arrived_at: Timestamp,
}

/// Which decisions to list; empty fields do not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub mailbox: Option<String>,
    /// A part of the sender's address.
    pub from: Option<String>,
    pub outcome: Option<Outcome>,
    pub reason: Option<Reason>,
    /// Decided at this time or later.
    pub since: Option<Timestamp>,
    /// The last entry of the page before this one: its time and its message.
    pub before: Option<(Timestamp, String)>,
}

/// What is recorded of a decision.
pub struct Told<'a> {
    pub plan: &'a Plan,
    pub decision: Decision,
    pub message: Option<&'a InboundMessage>,
    pub ticket: Option<i64>,
    /// When it counts against the limits of its sender (M-01).
    pub counted_at: Timestamp,
}

/// Records the decision about a message. There must be none yet.
pub fn insert(
    sql: &mut dyn Sql,
    id: &str,
    mailbox: &str,
    told: &Told<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Told { plan, decision, message, ticket, counted_at } = told;
    let written = message.and_then(|message| message.from.first()).map(|from| &from.address);
    let from = plan.story.user.as_ref().map(|user| &user.address).or(written);
    let hash = message.filter(|_| decision.reason == Reason::Duplicate);
    let counts = plan.counts.as_ref();
    let domain = counts.and_then(|key| key.as_str().rsplit_once('@')).map(|(_, domain)| domain);
    let story = as_json(&plan.story)?;
    sql.execute(
        "INSERT INTO decision (message, mailbox, outcome, reason, kind, from_address, subject, \
           ticket, duplicate_of, decided_at, sender_key, sender_domain, counted_at, story) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
           (SELECT message FROM content_key WHERE hash = ?9), ?10, ?11, ?12, ?13, ?14)",
        args![
            id,
            mailbox,
            decision.outcome.as_str(),
            decision.reason.as_str(),
            plan.story.kind.map(|kind| kind.as_str()),
            from,
            message.map(|message| &message.subject),
            *ticket,
            hash.map(|message| &message.content_hash.0[..]),
            now,
            counts,
            domain,
            counts.map(|_| *counted_at),
            story,
        ],
    )?;
    Ok(())
}

/// Records a decision that has no story, about several messages of a mailbox.
pub(super) fn insert_bare(
    sql: &mut dyn Sql,
    mailbox: &str,
    messages: &[&String],
    outcome: Outcome,
    reason: Reason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(messages.len() * 6);
    for message in messages {
        values.extend([
            Value::from(*message),
            Value::from(mailbox),
            Value::from(outcome.as_str()),
            Value::from(reason.as_str()),
            Value::from(now),
            Value::from(BARE_STORY),
        ]);
    }
    let statement = format!(
        "INSERT INTO decision (message, mailbox, outcome, reason, decided_at, story) VALUES {}",
        rows(messages.len(), 6)
    );
    sql.execute(&statement, &values).map(drop)
}

/// Takes a decision back: the message will walk again.
pub(super) fn take_back(sql: &mut dyn Sql, message: &str) -> Result<(), StoreError> {
    sql.execute("DELETE FROM decision WHERE message = ?1", args![message]).map(drop)
}

/// Puts another decision in the place of one; the story goes on with `step`, since it says how it
/// came to this.
pub(super) fn replace(
    sql: &mut dyn Sql,
    message: &str,
    outcome: Outcome,
    reason: Reason,
    step: Step,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((_, mut story)) = one(sql, message)? else { return Ok(()) };
    story.steps.push(step);
    sql.execute(
        "UPDATE decision SET outcome = ?2, reason = ?3, decided_at = ?4, story = ?5 \
         WHERE message = ?1",
        args![message, outcome.as_str(), reason.as_str(), now, as_json(&story)?],
    )
    .map(drop)
}

fn as_json(story: &Story) -> Result<String, StoreError> {
    serde_json::to_string(story)
        .map_err(|error| StoreError::Violated(format!("a story cannot be written: {error}")))
}

/// The decisions that pass `filter`, newest first.
pub fn list(sql: &mut dyn Sql, filter: &Filter, limit: u32) -> Result<Vec<Entry>, StoreError> {
    let mut wanted = super::sql::Conditions::default();
    wanted.equal("d.mailbox", filter.mailbox.as_deref());
    wanted.contains("d.from_address", filter.from.as_deref());
    wanted.equal("d.outcome", filter.outcome.map(Outcome::as_str));
    wanted.equal("d.reason", filter.reason.map(Reason::as_str));
    if let Some(since) = filter.since {
        wanted.push("d.decided_at >= ?", [Value::from(since)]);
    }
    if let Some((at, message)) = &filter.before {
        wanted.push(
            "(d.decided_at < ? OR (d.decided_at = ? AND d.message < ?))",
            [Value::from(*at), Value::from(*at), Value::from(message)],
        );
    }
    let (condition, mut values) = wanted.finish();
    values.push(Value::from(limit));
    let statement = format!(
        "SELECT {ENTRY} FROM decision d JOIN message m ON m.id = d.message {condition} \
         ORDER BY d.decided_at DESC, d.message DESC LIMIT ?{}",
        values.len()
    );
    sql.query(&statement, &values)?.iter().map(read).collect()
}

/// The decision about a message, with its story; the ticket's number is filled in.
pub fn one(sql: &mut dyn Sql, message: &str) -> Result<Option<(Entry, Story)>, StoreError> {
    let statement = format!(
        "SELECT {ENTRY}, d.story FROM decision d JOIN message m ON m.id = d.message \
         WHERE d.message = ?1"
    );
    let Some(row) = sql.query_one(&statement, args![message])? else { return Ok(None) };
    let entry = read(&row)?;
    let mut story: Story = serde_json::from_str(&row.text(ENTRY_COLUMNS)?)
        .map_err(|_| row.refuse(ENTRY_COLUMNS, "a story in JSON"))?;
    story.ticket.number = story.ticket.number.or(entry.ticket);
    Ok(Some((entry, story)))
}

/// The messages decided since then of which a step names the configuration key, newest first: what
/// a mailbox, or every mailbox, owes to that key.
pub fn owing_to(
    sql: &mut dyn Sql,
    key: &str,
    mailbox: Option<&str>,
    since: Timestamp,
) -> Result<Vec<Owing>, StoreError> {
    let mut wanted = super::sql::Conditions::default();
    wanted.equal("d.mailbox", mailbox);
    wanted.push("d.decided_at >= ?", [Value::from(since)]);
    wanted.contains("d.story", Some(&format!("\"key\":\"{key}\"")));
    let (condition, values) = wanted.finish();
    let statement = format!(
        "SELECT d.message, d.mailbox, m.arrived_at FROM decision d \
         JOIN message m ON m.id = d.message {condition} ORDER BY d.decided_at DESC, d.message DESC"
    );
    let read = |row: &Row| {
        Ok(Owing { message: row.text(0)?, mailbox: row.text(1)?, arrived_at: row.time(2)? })
    };
    sql.query(&statement, &values)?.iter().map(read).collect()
}

/// The messages called `name`: by their id in the ledger, or by their Message-ID.
pub fn find(sql: &mut dyn Sql, name: &str) -> Result<Vec<String>, StoreError> {
    let message_id = name.trim_start_matches('<').trim_end_matches('>');
    let rows = sql.query(
        "SELECT id FROM message WHERE id = ?1 \
         UNION SELECT message FROM content_key WHERE message_id = ?2 ORDER BY 1",
        args![name, message_id],
    )?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// How many decisions there are of each outcome and reason.
pub fn counts(sql: &mut dyn Sql) -> Result<Vec<(Outcome, Reason, i64)>, StoreError> {
    let rows = sql.query(
        "SELECT outcome, reason, COUNT(*) FROM decision GROUP BY outcome, reason \
         ORDER BY outcome, reason",
        args![],
    )?;
    let read = |row: &Row| {
        Ok((
            row.parsed(0, "an outcome", Outcome::parse)?,
            row.parsed(1, "a reason", Reason::parse)?,
            row.int(2)?,
        ))
    };
    rows.iter().map(read).collect()
}

/// Copies of a message that came elsewhere (M-09): their mailboxes and ids.
pub fn copies(sql: &mut dyn Sql, message: &str) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sql.query(
        "SELECT mailbox, message FROM decision WHERE duplicate_of = ?1 ORDER BY message",
        args![message],
    )?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

const BARE_STORY: &str = r#"{"kind":null,"kind_evidence":[],"flags":[],"user":null,"site":null,"ticket":{"number":null,"matched_by":null,"linked_to":null},"outgoing":[],"steps":[]}"#;

const ENTRY: &str = "d.message, d.mailbox, m.arrived_at, d.decided_at, d.outcome, d.reason, \
    d.kind, d.from_address, d.subject, d.ticket, d.duplicate_of, m.size";
const ENTRY_COLUMNS: usize = 12;

fn read(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        message: row.text(0)?,
        mailbox: row.text(1)?,
        arrived_at: row.time(2)?,
        decided_at: row.time(3)?,
        outcome: row.parsed(4, "an outcome", Outcome::parse)?,
        reason: row.parsed(5, "a reason", Reason::parse)?,
        kind: row.opt_text(6)?,
        from: row.opt_text(7)?,
        subject: row.opt_text(8)?,
        ticket: row.opt_int(9)?,
        duplicate_of: row.opt_text(10)?,
        size: row.int(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_story_is_the_empty_one() {
        let empty =
            serde_json::to_string(&Story::default()).expect("a story has only plain values");
        assert_eq!(empty, BARE_STORY);
    }
}
