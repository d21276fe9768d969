//! Tickets: opened and added to by plans, listed and shown to people.

mod change;
mod edit;
mod known;
mod merge;
pub mod portal;
mod requester;
mod seat;

use jiff::Timestamp;

use super::sql::Conditions;
use super::{Row, Sql, StoreError, Value};
use crate::args;
use crate::triage::facts::{TicketRole, TicketStatus};

pub use change::{
    Added, Known, Seen, StoredAttachment, add_ids, add_message, add_people, attach_user, link,
    open, touch,
};
pub use edit::{By, Edit, Event, EventKind, edit, events, record, tags};
pub(super) use known::kept;
pub use known::{known, known_before};
pub use merge::merge;
pub(in crate::store) use requester::MAIN_ADDRESS;
pub use requester::{Place, place, requester};
pub use seat::{Seat, seat};

/// A ticket as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: i64,
    pub subject: String,
    pub status: TicketStatus,
    /// Where mail to the requester goes.
    pub requester_address: String,
    pub requester_name: Option<String>,
    /// The id and the name of the requester's user.
    pub user: Option<(String, String)>,
    /// The site's name.
    pub site: String,
    pub mailbox: String,
    pub department: Option<String>,
    /// For staff alone.
    pub staff_only: bool,
    /// The key of the agent who looks after it.
    pub assignee: Option<String>,
    /// One of the words of [`crate::triage::policy::Priority`].
    pub priority: Option<String>,
    /// The ticket it claimed to belong to (M-81).
    pub linked_to: Option<i64>,
    pub merged_into: Option<i64>,
    pub messages: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_message_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// Which tickets to list; empty fields do not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The site's name.
    pub site: Option<String>,
    pub status: Option<TicketStatus>,
    /// A user's id, or the key of any requester's address.
    pub user: Option<String>,
    /// Last written to at this time or later.
    pub since: Option<Timestamp>,
    /// The number of the last ticket of the page before this one.
    pub before: Option<i64>,
}

/// A message on a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketMessage {
    /// 1 is the ticket's first.
    pub n: i64,
    /// Its id in the ledger.
    pub message: String,
    /// `machine`, `person` or `staff`.
    pub author: String,
    pub from_address: String,
    pub from_name: Option<String>,
    /// The id of the author's user.
    pub user: Option<String>,
    pub written_at: Timestamp,
    pub added_at: Timestamp,
    pub subject: String,
    /// The whole text.
    pub body: String,
    /// The part to show.
    pub visible: String,
    /// What staff wrote above what they forward, for staff alone (M-105).
    pub internal: Option<String>,
    pub flags: Vec<String>,
    pub attachments: Vec<StoredAttachment>,
    /// The mailboxes that it came to once more (M-09), each once, in the order of their names.
    pub also_in: Vec<String>,
}

/// A ticket with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub ticket: Ticket,
    pub messages: Vec<TicketMessage>,
    /// Who is what to it (M-80), by address.
    pub people: Vec<(String, TicketRole)>,
    /// Tickets that claimed to belong to it.
    pub linked_from: Vec<i64>,
    pub tags: Vec<String>,
    /// What people changed about it.
    pub events: Vec<Event>,
}

/// The number of the ticket that a message is on.
pub fn of_message(sql: &mut dyn Sql, message: &str) -> Result<Option<i64>, StoreError> {
    let row =
        sql.query_one("SELECT ticket FROM ticket_message WHERE message = ?1", args![message])?;
    row.map(|row| row.int(0)).transpose()
}

/// The tickets that pass `filter`, newest first.
pub fn list(sql: &mut dyn Sql, filter: &Filter, limit: u32) -> Result<Vec<Ticket>, StoreError> {
    let mut wanted = Conditions::default();
    wanted.push("t.deleted_at IS NULL", []);
    wanted.equal("s.name", filter.site.as_deref());
    wanted.equal("t.status", filter.status.map(TicketStatus::as_str));
    if let Some(user) = &filter.user {
        // Whose a ticket is, its user says; an address does for one that has none (T-02).
        wanted.push(
            "(t.person = ? OR (t.person IS NULL AND t.requester_key = ?))",
            [user.into(), user.into()],
        );
    }
    if let Some(since) = filter.since {
        wanted.push("t.last_message_at >= ?", [Value::from(since)]);
    }
    if let Some(before) = filter.before {
        wanted.push("t.number < ?", [Value::Int(before)]);
    }
    let (condition, mut values) = wanted.finish();
    values.push(Value::from(limit));
    let rest = format!("{condition} ORDER BY t.number DESC LIMIT ?{}", values.len());
    sql.query(&statement(&rest), &values)?.iter().map(read).collect()
}

/// A ticket with its messages, people and links; `None` when there is none or it was deleted.
pub fn show(sql: &mut dyn Sql, number: i64) -> Result<Option<Shown>, StoreError> {
    let one = statement("WHERE t.number = ?1 AND t.deleted_at IS NULL");
    let Some(row) = sql.query_one(&one, args![number])? else { return Ok(None) };
    let ticket = read(&row)?;
    let people = sql.query(
        "SELECT address_key, role FROM ticket_role WHERE ticket = ?1 ORDER BY role DESC, address_key",
        args![number],
    )?;
    let linked = sql.query(
        "SELECT number FROM ticket WHERE linked_to = ?1 AND deleted_at IS NULL ORDER BY number",
        args![number],
    )?;
    Ok(Some(Shown {
        ticket,
        messages: messages(sql, number)?,
        people: people
            .iter()
            .map(|row| Ok((row.text(0)?, row.parsed(1, "a role", parse_role)?)))
            .collect::<Result<_, StoreError>>()?,
        linked_from: linked.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?,
        tags: tags(sql, number)?,
        events: events(sql, number)?,
    }))
}

/// The messages of a ticket, in their order.
pub fn messages(sql: &mut dyn Sql, number: i64) -> Result<Vec<TicketMessage>, StoreError> {
    let rows = sql.query(
        "SELECT n, message, author, from_address, from_name, person, written_at, added_at, \
           subject, body, visible, internal, flags, attachments FROM ticket_message \
         WHERE ticket = ?1 ORDER BY n",
        args![number],
    )?;
    let mut messages: Vec<TicketMessage> =
        rows.iter().map(read_message).collect::<Result<_, _>>()?;
    let copies = sql.query(
        "SELECT DISTINCT t.n, d.mailbox FROM ticket_message t \
         JOIN decision d ON d.duplicate_of = t.message WHERE t.ticket = ?1 ORDER BY t.n, d.mailbox",
        args![number],
    )?;
    for copy in copies {
        let (n, mailbox) = (copy.int(0)?, copy.text(1)?);
        if let Some(message) = messages.iter_mut().find(|message| message.n == n) {
            message.also_in.push(mailbox);
        }
    }
    Ok(messages)
}

pub(super) fn parse_role(word: &str) -> Option<TicketRole> {
    [TicketRole::Correspondent, TicketRole::Participant, TicketRole::Requester]
        .into_iter()
        .find(|role| role_word(*role) == word)
}

fn role_word(role: TicketRole) -> &'static str {
    match role {
        TicketRole::Correspondent => "correspondent",
        TicketRole::Participant => "participant",
        TicketRole::Requester => "requester",
    }
}

fn statement(rest: &str) -> String {
    format!(
        "SELECT t.number, t.subject, t.status, {MAIN_ADDRESS}, \
           t.requester_name, t.person, p.first_name, p.last_name, s.name, t.mailbox, \
           t.department, t.staff_only, t.assignee, t.linked_to, t.merged_into, \
           (SELECT COUNT(*) FROM ticket_message m WHERE m.ticket = t.number), t.created_at, \
           t.updated_at, t.last_message_at, t.closed_at, t.priority \
         FROM ticket t JOIN site s ON s.id = t.site LEFT JOIN person p ON p.id = t.person {rest}"
    )
}

fn read(row: &Row) -> Result<Ticket, StoreError> {
    let user = match row.opt_text(5)? {
        Some(id) => Some((id, super::users::display(&row.text(6)?, &row.text(7)?))),
        None => None,
    };
    Ok(Ticket {
        number: row.int(0)?,
        subject: row.text(1)?,
        status: row.parsed(2, "a ticket's status", TicketStatus::parse)?,
        requester_address: row.text(3)?,
        requester_name: row.opt_text(4)?,
        user,
        site: row.text(8)?,
        mailbox: row.text(9)?,
        department: row.opt_text(10)?,
        staff_only: row.flag(11)?,
        assignee: row.opt_text(12)?,
        linked_to: row.opt_int(13)?,
        merged_into: row.opt_int(14)?,
        messages: row.int(15)?,
        created_at: row.time(16)?,
        updated_at: row.time(17)?,
        last_message_at: row.time(18)?,
        closed_at: row.opt_time(19)?,
        priority: row.opt_text(20)?,
    })
}

fn read_message(row: &Row) -> Result<TicketMessage, StoreError> {
    let body = row.text(9)?;
    Ok(TicketMessage {
        n: row.int(0)?,
        message: row.text(1)?,
        author: row.text(2)?,
        from_address: row.text(3)?,
        from_name: row.opt_text(4)?,
        user: row.opt_text(5)?,
        written_at: row.time(6)?,
        added_at: row.time(7)?,
        subject: row.text(8)?,
        visible: row.opt_text(10)?.unwrap_or_else(|| body.clone()),
        internal: row.opt_text(11)?,
        body,
        flags: row.parsed(12, "a list in JSON", |text| serde_json::from_str(text).ok())?,
        attachments: row.parsed(13, "a list in JSON", |text| serde_json::from_str(text).ok())?,
        also_in: Vec::new(),
    })
}
