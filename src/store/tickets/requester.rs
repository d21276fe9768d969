//! Whom mail about a ticket goes to, and what it answers.

use crate::args;
use crate::mail::{self, Address, AddressKey, Flag, PlusTag};
use crate::store::{Row, Sql, StoreError, spool};
use crate::triage::facts::RequesterFacts;
use crate::triage::plan::Thread;

/// Where mail to the requester of a ticket `t` goes: to the main address of their user, whatever
/// address they once asked from (T-02).
pub(in crate::store) const MAIN_ADDRESS: &str = "COALESCE((SELECT main.address \
    FROM person_address main WHERE main.person = t.person AND main.n = 0), t.requester_address)";

/// The requester of a ticket; `None` when there is no such ticket, or no mail can go to them.
pub fn requester(sql: &mut dyn Sql, ticket: i64) -> Result<Option<RequesterFacts>, StoreError> {
    let statement = format!(
        "SELECT {MAIN_ADDRESS}, t.mailbox, p.id, p.locale FROM ticket t \
         LEFT JOIN person p ON p.id = t.person AND p.status = 'active' WHERE t.number = ?1"
    );
    let row = sql.query_one(&statement, args![ticket])?;
    let Some(row) = row else { return Ok(None) };
    let Ok(address) = Address::parse(&row.text(0)?) else { return Ok(None) };
    Ok(Some(RequesterFacts {
        address,
        mailbox: row.text(1)?,
        user: row.opt_text(2)?,
        locale: row.opt_text(3)?,
        thread: thread(sql, ticket)?,
    }))
}

/// Notes of what came from addresses of this user, before they had a user that could be told of, that
/// they wrote it.
pub(super) fn attach_messages(
    sql: &mut dyn Sql,
    ticket: i64,
    user: &str,
) -> Result<(), StoreError> {
    let keys =
        sql.query("SELECT address_key FROM person_address WHERE person = ?1", args![user])?;
    let keys: Vec<String> = keys.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    let rows = sql.query(
        "SELECT n, from_address FROM ticket_message \
         WHERE ticket = ?1 AND person IS NULL AND author = 'person'",
        args![ticket],
    )?;
    for row in rows {
        let Ok(from) = Address::parse(&row.text(1)?) else { continue };
        let is_theirs = [PlusTag::Keep, PlusTag::Strip].map(|tag| keys.contains(&from.key(tag).0));
        if is_theirs.contains(&true) {
            sql.execute(
                "UPDATE ticket_message SET person = ?3 WHERE ticket = ?1 AND n = ?2",
                args![ticket, row.int(0)?, user],
            )?;
        }
    }
    Ok(())
}

/// Who may read a ticket, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub staff_only: bool,
    /// The id and the name of its site.
    pub site: (String, String),
    pub locale: Option<String>,
    /// The agent who looks after it.
    pub assignee: Option<AddressKey>,
}

/// Where a ticket stands; `None` when there is none.
pub fn place(sql: &mut dyn Sql, ticket: i64) -> Result<Option<Place>, StoreError> {
    let row = sql.query_one(
        "SELECT t.staff_only, s.id, s.name, s.locale, t.assignee FROM ticket t JOIN site s ON s.id = t.site \
         WHERE t.number = ?1",
        args![ticket],
    )?;
    let read = |row: Row| {
        Ok(Place {
            staff_only: row.flag(0)?,
            site: (row.text(1)?, row.text(2)?),
            locale: row.opt_text(3)?,
            assignee: row.opt_text(4)?.map(AddressKey),
        })
    };
    row.map(read).transpose()
}

/// What a mail to the requester answers: the last message of theirs, else of anybody but staff. One
/// that came as a mail goes first: their mail program has never seen what they wrote elsewhere.
fn thread(sql: &mut dyn Sql, ticket: i64) -> Result<Thread, StoreError> {
    let row = sql.query_one(
        "SELECT m.message FROM ticket_message m JOIN ticket t ON t.number = m.ticket \
         JOIN message s ON s.id = m.message WHERE m.ticket = ?1 AND m.author = 'person' \
         ORDER BY CASE WHEN m.person = t.person OR m.from_address = t.requester_address \
           THEN 0 ELSE 1 END, CASE WHEN s.origin LIKE 'portal/%' OR s.origin LIKE 'staff/%' \
           THEN 1 ELSE 0 END, m.n DESC LIMIT 1",
        args![ticket],
    )?;
    let Some(row) = row else { return Ok(Thread::default()) };
    // Nobody's answer waits for bytes that were lost: it is in its thread by its other marks.
    let head = match spool::head(sql, &row.text(0)?) {
        Ok(head) => head.unwrap_or_default(),
        Err(StoreError::DamagedMessage { .. }) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let Ok(message) = mail::read(header_of(&head)) else { return Ok(Thread::default()) };
    // R-14: the references of the answered mail, or its single In-Reply-To.
    let references = match (message.references.as_slice(), message.in_reply_to.as_slice()) {
        ([], [only]) => vec![only.clone()],
        (references, _) => references.to_vec(),
    };
    let has_id = !message.flags.contains(&Flag::NoMessageId);
    Ok(Thread { parent: has_id.then_some(message.message_id), references })
}

// What follows the header was read before, in a room with space for it (F-01).
fn header_of(raw: &[u8]) -> &[u8] {
    let ends = |end: &[u8]| raw.windows(end.len()).position(|bytes| bytes == end);
    let end = [ends(b"\n\n"), ends(b"\n\r\n"), ends(b"\r\r")].into_iter().flatten().min();
    end.map_or(raw, |end| &raw[..=end])
}
