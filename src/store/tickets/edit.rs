//! What people change about tickets, with the row of its history that each change is.

use jiff::Timestamp;

use super::change::json;
use super::requester::attach_messages;
use super::{MAIN_ADDRESS, StoredAttachment, role_word};
use crate::args;
use crate::mail::{Address, AddressKey};
use crate::store::{Row, Sql, StoreError};
use crate::triage::facts::{TicketRole, TicketStatus};
use crate::triage::policy::Priority;

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The key of an agent's address.
    Agent(AddressKey),
    Operator,
    /// The id of a user; none when whoever wrote has no account.
    User(Option<String>),
}

/// One change to a ticket; an absent value clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Assignee(Option<AddressKey>),
    Department(Option<String>),
    Priority(Option<Priority>),
    /// Gives out a file that was locked (M-25).
    Release {
        /// The number of its message on the ticket.
        message: i64,
        /// Its place there, from 0.
        file: usize,
        name: String,
    },
    Requester {
        address: Address,
        key: AddressKey,
        name: Option<String>,
        /// The id of their user.
        user: String,
    },
    /// For its people too, no longer for staff alone.
    Share,
    /// The id and the name of a site.
    Site(String, String),
    Status(TicketStatus),
    Tag(String),
    Untag(String),
}

/// What kind of change a row of the history tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    Assignee,
    Closed,
    Department,
    Merged,
    Opened,
    Priority,
    /// Who may read it: `staff` alone, or its `people`.
    Readers,
    Released,
    Reopened,
    Requester,
    Site,
    Status,
    Tags,
}

impl EventKind {
    pub const ALL: [EventKind; 13] = [
        EventKind::Assignee,
        EventKind::Closed,
        EventKind::Department,
        EventKind::Merged,
        EventKind::Opened,
        EventKind::Priority,
        EventKind::Readers,
        EventKind::Released,
        EventKind::Reopened,
        EventKind::Requester,
        EventKind::Site,
        EventKind::Status,
        EventKind::Tags,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Assignee => "assignee",
            EventKind::Closed => "closed",
            EventKind::Department => "department",
            EventKind::Merged => "merged",
            EventKind::Opened => "opened",
            EventKind::Priority => "priority",
            EventKind::Readers => "readers",
            EventKind::Released => "released",
            EventKind::Reopened => "reopened",
            EventKind::Requester => "requester",
            EventKind::Site => "site",
            EventKind::Status => "status",
            EventKind::Tags => "tags",
        }
    }

    pub fn parse(text: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A row of a ticket's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// 1 is the ticket's first.
    pub n: i64,
    pub at: Timestamp,
    pub by: By,
    pub kind: EventKind,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Makes one change; answers the row of the history that tells of it, or `None` when it was so
/// already.
pub fn edit(
    sql: &mut dyn Sql,
    ticket: i64,
    by: &By,
    edit: &Edit,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    let Some(before) = stands(sql, ticket)? else { return Ok(None) };
    let (kind, before, after) = match edit {
        Edit::Assignee(to) => {
            let to = to.as_ref().map(|key| key.as_str().to_owned());
            (EventKind::Assignee, before.assignee, to)
        }
        Edit::Department(to) => (EventKind::Department, before.department, to.clone()),
        Edit::Priority(to) => {
            let to = to.map(|to| to.as_str().to_owned());
            (EventKind::Priority, before.priority, to)
        }
        Edit::Release { name, .. } => (EventKind::Released, None, Some(name.clone())),
        // Whose it is, the user says: an address does not tell (T-02).
        Edit::Requester { user, .. } if before.user.as_ref() == Some(user) => return Ok(None),
        Edit::Requester { address, .. } => {
            (EventKind::Requester, Some(before.requester), Some(address.to_string()))
        }
        Edit::Share => {
            let before = if before.staff_only { "staff" } else { "people" };
            (EventKind::Readers, Some(before.to_owned()), Some("people".to_owned()))
        }
        Edit::Site(_, name) => (EventKind::Site, Some(before.site), Some(name.clone())),
        Edit::Status(to) => {
            let kind = match (before.status, to) {
                (_, TicketStatus::Closed) => EventKind::Closed,
                (TicketStatus::Closed, _) => EventKind::Reopened,
                (_, _) => EventKind::Status,
            };
            (kind, Some(before.status.as_str().to_owned()), Some(to.as_str().to_owned()))
        }
        Edit::Tag(tag) => (EventKind::Tags, None, Some(tag.clone())),
        Edit::Untag(tag) => (EventKind::Tags, Some(tag.clone()), None),
    };
    // A stranger's ticket given to the user whose address it is by now changes hands all the same.
    let is_so = before == after && kind != EventKind::Requester;
    if is_so || !carry_out(sql, ticket, edit, now)? {
        return Ok(None);
    }
    sql.execute("UPDATE ticket SET updated_at = ?2 WHERE number = ?1", args![ticket, now])?;
    record(sql, ticket, by, kind, (before.as_deref(), after.as_deref()), now).map(Some)
}

/// Adds a row to the history of a ticket.
pub fn record(
    sql: &mut dyn Sql,
    ticket: i64,
    by: &By,
    kind: EventKind,
    (before, after): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<Event, StoreError> {
    let (by_kind, by_whom) = match by {
        By::Agent(key) => ("agent", Some(key.as_str())),
        By::Operator => ("operator", None),
        By::User(id) => ("user", id.as_deref()),
    };
    let row = sql.query_one(
        "INSERT INTO ticket_event (ticket, n, at, by_kind, by_whom, kind, before, after) \
         VALUES (?1, (SELECT COALESCE(MAX(n), 0) + 1 FROM ticket_event WHERE ticket = ?1), \
           ?2, ?3, ?4, ?5, ?6, ?7) RETURNING n",
        args![ticket, now, by_kind, by_whom, kind.as_str(), before, after],
    )?;
    let row = row.ok_or_else(|| StoreError::Violated("a change has no number".to_owned()))?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (before, after) = (owned(before), owned(after));
    Ok(Event { n: row.int(0)?, at: now, by: by.clone(), kind, before, after })
}

/// The history of a ticket, in its order.
pub fn events(sql: &mut dyn Sql, ticket: i64) -> Result<Vec<Event>, StoreError> {
    let rows = sql.query(
        "SELECT n, at, by_kind, by_whom, kind, before, after FROM ticket_event \
         WHERE ticket = ?1 ORDER BY n",
        args![ticket],
    )?;
    rows.iter().map(read_event).collect()
}

/// The tags of a ticket, in the order of their letters.
pub fn tags(sql: &mut dyn Sql, ticket: i64) -> Result<Vec<String>, StoreError> {
    let rows =
        sql.query("SELECT tag FROM ticket_tag WHERE ticket = ?1 ORDER BY tag", args![ticket])?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// A ticket before a change.
struct Stands {
    status: TicketStatus,
    assignee: Option<String>,
    department: Option<String>,
    priority: Option<String>,
    requester: String,
    /// The id of the requester's user.
    user: Option<String>,
    site: String,
    staff_only: bool,
}

fn stands(sql: &mut dyn Sql, ticket: i64) -> Result<Option<Stands>, StoreError> {
    let statement = format!(
        "SELECT t.status, t.assignee, t.department, t.priority, {MAIN_ADDRESS}, s.name, t.person, \
           t.staff_only \
         FROM ticket t JOIN site s ON s.id = t.site \
         WHERE t.number = ?1 AND t.deleted_at IS NULL AND t.merged_into IS NULL"
    );
    let row = sql.query_one(&statement, args![ticket])?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stands {
        status: row.parsed(0, "a ticket's status", TicketStatus::parse)?,
        assignee: row.opt_text(1)?,
        department: row.opt_text(2)?,
        priority: row.opt_text(3)?,
        requester: row.text(4)?,
        site: row.text(5)?,
        user: row.opt_text(6)?,
        staff_only: row.flag(7)?,
    }))
}

/// Answers whether anything changed.
fn carry_out(
    sql: &mut dyn Sql,
    ticket: i64,
    edit: &Edit,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = match edit {
        Edit::Assignee(to) => sql.execute(
            "UPDATE ticket SET assignee = ?2 WHERE number = ?1",
            args![ticket, to.as_ref()],
        )?,
        Edit::Department(to) => sql.execute(
            "UPDATE ticket SET department = ?2 WHERE number = ?1",
            args![ticket, to.as_deref()],
        )?,
        Edit::Priority(to) => sql.execute(
            "UPDATE ticket SET priority = ?2 WHERE number = ?1",
            args![ticket, to.map(Priority::as_str)],
        )?,
        Edit::Release { message, file, .. } => release(sql, ticket, *message, *file)?,
        Edit::Requester { address, key, name, user } => {
            // Whoever had it may still answer, and sees it no more.
            sql.execute(
                "UPDATE ticket_role SET role = ?2 WHERE ticket = ?1 AND role = ?3",
                args![
                    ticket,
                    role_word(TicketRole::Correspondent),
                    role_word(TicketRole::Requester)
                ],
            )?;
            super::add_people(sql, ticket, &[(key.clone(), TicketRole::Requester)])?;
            attach_messages(sql, ticket, user)?;
            sql.execute(
                "UPDATE ticket SET requester_address = ?2, requester_key = ?3, \
                   requester_name = ?4, person = ?5 WHERE number = ?1",
                args![ticket, address.to_string(), key, name.as_deref(), user],
            )?
        }
        Edit::Share => {
            sql.execute("UPDATE ticket SET staff_only = 0 WHERE number = ?1", args![ticket])?
        }
        Edit::Site(id, _) => {
            sql.execute("UPDATE ticket SET site = ?2 WHERE number = ?1", args![ticket, id])?
        }
        Edit::Status(to) => {
            let closed_at = (*to == TicketStatus::Closed).then_some(now);
            sql.execute(
                "UPDATE ticket SET status = ?2, closed_at = CAST(?3 AS BIGINT) WHERE number = ?1",
                args![ticket, to.as_str(), closed_at],
            )?
        }
        Edit::Tag(tag) => sql.execute(
            "INSERT INTO ticket_tag (ticket, tag) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            args![ticket, tag],
        )?,
        Edit::Untag(tag) => sql
            .execute("DELETE FROM ticket_tag WHERE ticket = ?1 AND tag = ?2", args![ticket, tag])?,
    };
    Ok(changed > 0)
}

/// Answers how many messages changed: none when there is no such file, or it was released before.
fn release(sql: &mut dyn Sql, ticket: i64, message: i64, file: usize) -> Result<u64, StoreError> {
    let row = sql.query_one(
        "SELECT attachments FROM ticket_message WHERE ticket = ?1 AND n = ?2",
        args![ticket, message],
    )?;
    let Some(row) = row else { return Ok(0) };
    let mut files: Vec<StoredAttachment> =
        row.parsed(0, "a list in JSON", |text| serde_json::from_str(text).ok())?;
    match files.get_mut(file) {
        Some(file) if !file.released => file.released = true,
        _ => return Ok(0),
    }
    sql.execute(
        "UPDATE ticket_message SET attachments = ?3 WHERE ticket = ?1 AND n = ?2",
        args![ticket, message, json(&files)?],
    )
}

fn read_event(row: &Row) -> Result<Event, StoreError> {
    let whom = row.opt_text(3)?;
    let by = match (row.text(2)?.as_str(), whom) {
        ("agent", Some(key)) => By::Agent(AddressKey(key)),
        ("operator", _) => By::Operator,
        ("user", whom) => By::User(whom),
        _ => return Err(row.refuse(2, "agent, operator or user")),
    };
    Ok(Event {
        n: row.int(0)?,
        at: row.time(1)?,
        by,
        kind: row.parsed(4, "a kind of change", EventKind::parse)?,
        before: row.opt_text(5)?,
        after: row.opt_text(6)?,
    })
}
