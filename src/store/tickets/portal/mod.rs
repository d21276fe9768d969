//! What a user may see of tickets in the portal: their own, and those of the sites whose primary user
//! they are. Nothing here answers about a ticket that the reader may not see: to them it does not
//! exist (T-02, T-05), and what is for staff alone (T-07, M-105) is never read out.

mod list;
mod message;

use jiff::Timestamp;

use super::{EventKind, MAIN_ADDRESS};
use crate::args;
use crate::faults;
use crate::store::{Row, Sql, StoreError};
use crate::triage::facts::TicketStatus;

pub use list::{Asked, Cursor, Listed, Scope, StatusFilter, list};
pub use message::{Author, Folded, Message};

// Merged tickets followed (M-86).
const REDIRECTS: usize = 10;

/// Whoever is logged in, and what lets them see a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The id of the user.
    pub person: String,
    /// The keys of their addresses.
    keys: Vec<String>,
    /// The sites whose primary user they are: ids and names, by name.
    sites: Vec<(String, String)>,
}

/// What a number leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was merged into this ticket, which the reader may see.
    Merged(i64),
    Ticket(Box<Sheet>),
}

/// A ticket as its people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub number: i64,
    pub subject: String,
    pub status: TicketStatus,
    /// The name of the requester, or their address.
    pub requester: String,
    /// Whether the reader is the requester.
    pub standing: Standing,
    pub site: String,
    pub created_at: Timestamp,
    pub last_message_at: Timestamp,
    pub messages: Vec<Message>,
    pub history: Vec<Happened>,
}

/// What the reader is to a ticket, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Participant,
    PrimaryUser,
    Requester,
}

/// A change of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub at: Timestamp,
    pub by: Doer,
    pub kind: EventKind,
    pub after: Option<String>,
}

/// Whose doing a change was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doer {
    Desk,
    Reader,
    /// Of this name, if they have one.
    User(Option<String>),
}

/// An attached file, and the message that holds its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    pub attachment: super::StoredAttachment,
    /// The id of the message in the ledger.
    pub message: String,
    /// The bytes of the whole message.
    pub size: u64,
}

impl Reader {
    /// The user with this id, if they may use the portal at all.
    pub fn of(sql: &mut dyn Sql, person: &str) -> Result<Option<Reader>, StoreError> {
        let active = sql.query_one(
            "SELECT id FROM person WHERE id = ?1 AND status = 'active' AND merged_into IS NULL",
            args![person],
        )?;
        if active.is_none() {
            return Ok(None);
        }
        let keys = sql.query(
            "SELECT address_key FROM person_address WHERE person = ?1 ORDER BY n",
            args![person],
        )?;
        // Strangers are at the default site: nobody is primary user of them.
        let sites = sql.query(
            "SELECT DISTINCT s.id, s.name FROM site s JOIN site_primary sp ON sp.site = s.id \
             JOIN person_address a ON a.address_key = sp.address_key \
             WHERE a.person = ?1 AND s.is_default = 0 AND s.retired = 0 ORDER BY s.name",
            args![person],
        )?;
        Ok(Some(Reader {
            person: person.to_owned(),
            keys: keys.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?,
            sites: sites
                .iter()
                .map(|row| Ok((row.text(0)?, row.text(1)?)))
                .collect::<Result<_, StoreError>>()?,
        }))
    }

    /// The names of the sites whose tickets they see.
    pub fn sites(&self) -> impl Iterator<Item = &str> {
        self.sites.iter().map(|(_, name)| name.as_str())
    }

    /// Whether they are the primary user of a site.
    pub fn is_primary(&self) -> bool {
        !self.sites.is_empty()
    }
}

/// The ticket with this number, as `reader` may see it; `None` when they may not, and when there is
/// none: nothing tells the two apart.
pub fn find(sql: &mut dyn Sql, reader: &Reader, number: i64) -> Result<Option<Found>, StoreError> {
    let Some(seen) = seen(sql, reader, number)? else { return Ok(None) };
    if let Some(target) = seen.merged_into {
        return Ok(last_of(sql, reader, target)?.map(Found::Merged));
    }
    Ok(Some(Found::Ticket(Box::new(Sheet {
        number,
        subject: seen.subject,
        status: seen.status,
        requester: seen.requester,
        standing: seen.standing,
        site: seen.site,
        created_at: seen.created_at,
        last_message_at: seen.last_message_at,
        messages: message::of_ticket(sql, reader, number)?,
        history: history(sql, reader, number)?,
    }))))
}

/// The `index`-th file, from 0, of the `n`-th message of a ticket, when the reader may see it.
pub fn attached(
    sql: &mut dyn Sql,
    reader: &Reader,
    number: i64,
    n: i64,
    index: usize,
) -> Result<Option<Attached>, StoreError> {
    match seen(sql, reader, number)? {
        Some(seen) if seen.merged_into.is_none() => {}
        _ => return Ok(None),
    }
    let messages = message::of_ticket(sql, reader, number)?;
    let Some(message) = messages.into_iter().find(|message| message.n == n) else {
        return Ok(None);
    };
    let Some((_, attachment)) = message.files.into_iter().find(|(at, _)| *at == index) else {
        return Ok(None);
    };
    let row = sql.query_one("SELECT size FROM message WHERE id = ?1", args![&message.id])?;
    let Some(row) = row else { return Ok(None) };
    let size = u64::try_from(row.int(0)?).map_err(|_| row.refuse(0, "a size"))?;
    Ok(Some(Attached { attachment, message: message.id, size }))
}

struct Seen {
    subject: String,
    status: TicketStatus,
    requester: String,
    standing: Standing,
    site: String,
    merged_into: Option<i64>,
    created_at: Timestamp,
    last_message_at: Timestamp,
}

/// What `reader` may see of a ticket itself. Every way to a ticket goes through here.
fn seen(sql: &mut dyn Sql, reader: &Reader, number: i64) -> Result<Option<Seen>, StoreError> {
    let statement = format!(
        "SELECT t.subject, t.status, {MAIN_ADDRESS}, t.requester_name, t.requester_key, \
           t.person, p.first_name, p.last_name, t.site, s.name, t.merged_into, t.created_at, \
           t.last_message_at \
         FROM ticket t JOIN site s ON s.id = t.site LEFT JOIN person p ON p.id = t.person \
         WHERE t.number = ?1 AND t.deleted_at IS NULL AND t.staff_only = 0"
    );
    let row = sql.query_one(&statement, args![number])?;
    let Some(row) = row else { return Ok(None) };
    let Some(standing) = standing(sql, reader, number, &row)? else { return Ok(None) };
    Ok(Some(Seen {
        subject: row.text(0)?,
        status: row.parsed(1, "a ticket's status", TicketStatus::parse)?,
        requester: requester(&row, 2, 3, 6)?,
        standing,
        site: row.text(9)?,
        merged_into: row.opt_int(10)?,
        created_at: row.time(11)?,
        last_message_at: row.time(12)?,
    }))
}

// An address that went to somebody else takes no old tickets along: whose user a ticket is counts
// before the address it came from.
fn standing(
    sql: &mut dyn Sql,
    reader: &Reader,
    number: i64,
    row: &Row,
) -> Result<Option<Standing>, StoreError> {
    let own = match row.opt_text(5)? {
        Some(person) => person == reader.person,
        None => reader.keys.contains(&row.text(4)?),
    };
    if own || !faults::stands("T-05") {
        return Ok(Some(Standing::Requester));
    }
    let participants = sql.query(
        "SELECT address_key FROM ticket_role WHERE ticket = ?1 AND role = 'participant'",
        args![number],
    )?;
    for participant in &participants {
        if reader.keys.contains(&participant.text(0)?) {
            return Ok(Some(Standing::Participant));
        }
    }
    let site = row.text(8)?;
    let is_primary = reader.sites.iter().any(|(id, _)| *id == site);
    Ok(is_primary.then_some(Standing::PrimaryUser))
}

// The end of a chain of merged tickets, when the reader may see it.
fn last_of(sql: &mut dyn Sql, reader: &Reader, mut number: i64) -> Result<Option<i64>, StoreError> {
    for _ in 0..REDIRECTS {
        match seen(sql, reader, number)? {
            None => return Ok(None),
            Some(Seen { merged_into: Some(next), .. }) => number = next,
            Some(_) => return Ok(Some(number)),
        }
    }
    Ok(None)
}

fn history(sql: &mut dyn Sql, reader: &Reader, number: i64) -> Result<Vec<Happened>, StoreError> {
    // Tags, priorities and departments are how staff sorts its work.
    let rows = sql.query(
        "SELECT e.at, e.by_kind, e.by_whom, p.first_name, p.last_name, e.kind, e.after \
         FROM ticket_event e LEFT JOIN person p ON e.by_kind = 'user' AND p.id = e.by_whom \
         WHERE e.ticket = ?1 AND e.kind IN \
           ('assignee', 'closed', 'merged', 'opened', 'reopened', 'site', 'status') ORDER BY e.n",
        args![number],
    )?;
    rows.iter()
        .map(|row| {
            let by = match (row.text(1)?.as_str(), row.opt_text(2)?) {
                ("user", Some(id)) if id == reader.person => Doer::Reader,
                ("user", _) => Doer::User(name(row, 3)?),
                _ => Doer::Desk,
            };
            Ok(Happened {
                at: row.time(0)?,
                by,
                kind: row.parsed(5, "a kind of change", EventKind::parse)?,
                after: row.opt_text(6)?,
            })
        })
        .collect()
}

/// The user's name, else the name beside the address, else the address.
fn requester(
    row: &Row,
    address: usize,
    written: usize,
    names: usize,
) -> Result<String, StoreError> {
    if let Some(name) = name(row, names)? {
        return Ok(name);
    }
    match row.opt_text(written)?.filter(|name| !name.is_empty()) {
        Some(name) => Ok(name),
        None => row.text(address),
    }
}

/// The name in two columns, if it is one.
fn name(row: &Row, first: usize) -> Result<Option<String>, StoreError> {
    let names = (row.opt_text(first)?, row.opt_text(first + 1)?);
    Ok(match names {
        (Some(first), Some(last)) => {
            Some(crate::store::users::display(&first, &last)).filter(|name| !name.is_empty())
        }
        _ => None,
    })
}
