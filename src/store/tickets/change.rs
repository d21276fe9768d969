//! What messages do to tickets: each function is one effect of a plan.

use std::ops::Not;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{kept, role_word};
use crate::args;
use crate::mail::links;
use crate::mail::{AddressKey, Attachment, AttachmentSource, Flag, InboundMessage};
use crate::store::sql::{MANY, rows};
use crate::store::{Sql, StoreError, Value};
use crate::triage::attachments;
use crate::triage::facts::TicketRole;
use crate::triage::plan::{MessageAuthor, NewMessage, NewTicket, OpenedBy, Plan};
use crate::triage::policy::FilterPolicy;

/// Opens a ticket for a message that arrived then; answers its number.
pub fn open(
    sql: &mut dyn Sql,
    ticket: &NewTicket,
    person: Option<&str>,
    arrived_at: Timestamp,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let row = sql.query_one(
        "INSERT INTO ticket (subject, requester_address, requester_key, requester_name, person, \
           site, mailbox, department, status, staff_only, created_at, updated_at, \
           last_message_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'open', ?9, ?10, ?10, ?11) RETURNING number",
        args![
            &ticket.subject,
            &ticket.requester_address,
            &ticket.requester_key,
            ticket.requester_name.as_deref(),
            person,
            &ticket.site,
            &ticket.mailbox,
            ticket.department.as_deref(),
            ticket.staff_only,
            now,
            arrived_at,
        ],
    )?;
    match row {
        Some(row) => row.int(0),
        None => Err(StoreError::Violated("a new ticket has no number".to_owned())),
    }
}

/// A message as it comes onto a ticket.
pub struct Added<'a> {
    pub ticket: i64,
    /// The id of the message in the ledger.
    pub id: &'a str,
    pub message: &'a InboundMessage,
    pub plan: &'a Plan,
    pub new: &'a NewMessage,
    /// The author's user, if they have one.
    pub person: Option<&'a str>,
    pub arrived_at: Timestamp,
}

/// Adds a message to a ticket. A note of a machine touches nothing else of it (M-55).
pub fn add_message(sql: &mut dyn Sql, added: &Added<'_>, now: Timestamp) -> Result<(), StoreError> {
    let Added { ticket, id, message, plan, new, person, arrived_at } = added;
    let from = message.from.first();
    // What staff forwards is a message of theirs (M-105).
    let user = plan.story.user.as_ref().filter(|_| !plan.flags.contains(&Flag::ForwardedByStaff));
    let sender = user.map(|user| user.address.as_str());
    let written_at = match message.date.at {
        Some(at) if !plan.flags.contains(&Flag::DateRepaired) => at,
        _ => *arrived_at,
    };
    let flags: Vec<String> = plan.flags.iter().map(Flag::name).collect();
    let mut attachments: Vec<StoredAttachment> =
        message.attachments.iter().map(StoredAttachment::from).collect();
    for (at, attachment) in attachments.iter_mut().enumerate() {
        attachment.repeated = new.repeats.contains(&at);
    }
    let visible = new.note.as_ref().map_or(&plan.reply.visible, |staff| &staff.forwarded);
    let (body, visible, address, name) = match &new.author {
        MessageAuthor::Staff(author) => {
            // What a notice of ours brought to the agent is no part of the answer (M-81).
            let text = &plan.reply.text;
            (text, text, author.address.as_str(), author.name.as_deref())
        }
        MessageAuthor::Machine | MessageAuthor::Person(_) => (
            &message.text,
            visible,
            sender.or(from.map(|from| from.address.as_str())).unwrap_or_default(),
            // M-45: a name that shows another address is not used.
            from.and_then(|from| from.name.as_deref())
                .filter(|_| !plan.flags.contains(&Flag::NameContainsAddress)),
        ),
    };
    sql.execute(
        "INSERT INTO ticket_message (ticket, n, message, author, from_address, from_name, person, \
           written_at, added_at, subject, body, visible, internal, flags, attachments, known) \
         VALUES (?1, (SELECT COALESCE(MAX(n), 0) + 1 FROM ticket_message WHERE ticket = ?1), \
           ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        args![
            *ticket,
            *id,
            match new.author {
                MessageAuthor::Machine => "machine",
                MessageAuthor::Person(_) => "person",
                MessageAuthor::Staff(_) => "staff",
            },
            address,
            name,
            *person,
            written_at,
            now,
            &message.subject,
            links::redacted(body).into_owned(),
            Some(visible)
                .filter(|visible| *visible != body)
                .map(|visible| links::redacted(visible).into_owned()),
            new.note.as_ref().map(|staff| links::redacted(&staff.note).into_owned()),
            json(&flags)?,
            json(&attachments)?,
            kept(&new.known),
        ],
    )?;
    Ok(())
}

/// Notes that a person's message was added. A late one does not make the ticket look older.
pub fn touch(
    sql: &mut dyn Sql,
    ticket: i64,
    arrived_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE ticket SET updated_at = ?2, last_message_at = \
           CASE WHEN last_message_at < ?3 THEN ?3 ELSE last_message_at END WHERE number = ?1",
        args![ticket, now, arrived_at],
    )
    .map(drop)
}

/// Links a new ticket to the one it claimed to belong to; that one is not touched (M-81).
pub fn link(sql: &mut dyn Sql, ticket: i64, to: i64) -> Result<(), StoreError> {
    sql.execute("UPDATE ticket SET linked_to = ?2 WHERE number = ?1", args![ticket, to]).map(drop)
}

/// Gives the ticket that a message opened to its requester's new user, and the message when they
/// wrote it.
pub fn attach_user(
    sql: &mut dyn Sql,
    message: &str,
    person: &str,
    key: &AddressKey,
    opened_by: OpenedBy,
) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE ticket SET person = ?1 WHERE person IS NULL AND requester_key = ?2 \
         AND number = (SELECT ticket FROM ticket_message WHERE message = ?3)",
        args![person, key, message],
    )?;
    if opened_by == OpenedBy::Staff {
        return Ok(());
    }
    sql.execute(
        "UPDATE ticket_message SET person = ?1 WHERE person IS NULL AND message = ?2",
        args![person, message],
    )
    .map(drop)
}

/// Notes who is what to a ticket (M-80): a stronger part stays. The words of the parts happen to
/// stand in the order of their strength.
pub fn add_people(
    sql: &mut dyn Sql,
    ticket: i64,
    people: &[(AddressKey, TicketRole)],
) -> Result<(), StoreError> {
    // One statement must not change a row twice.
    let mut strongest = std::collections::BTreeMap::new();
    for (key, role) in people {
        let entry = strongest.entry(key).or_insert(*role);
        *entry = (*entry).min(*role);
    }
    let strongest: Vec<_> = strongest.into_iter().collect();
    for batch in strongest.chunks(MANY) {
        let values: Vec<Value> = batch
            .iter()
            .flat_map(|(key, role)| {
                [Value::Int(ticket), Value::from(*key), Value::from(role_word(*role))]
            })
            .collect();
        let statement = format!(
            "INSERT INTO ticket_role (ticket, address_key, role) VALUES {} \
             ON CONFLICT (ticket, address_key) DO UPDATE SET role = excluded.role \
             WHERE ticket_role.role < excluded.role",
            rows(batch.len(), 3)
        );
        sql.execute(&statement, &values)?;
    }
    Ok(())
}

/// A message id that leads to a ticket from now on (M-87).
pub struct Known<'a> {
    pub id: &'a str,
    pub ticket: i64,
    pub seen: Seen,
}

/// Whether a message with this id was ever received or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// Somebody only named it.
    Named,
    Received,
}

/// Stores the ids that lead to a ticket; one that was only named becomes seen, never the reverse.
pub fn add_ids(sql: &mut dyn Sql, known: &[Known<'_>]) -> Result<(), StoreError> {
    let mut best = std::collections::BTreeMap::new();
    for Known { id, ticket, seen } in known {
        let entry = best.entry((*id, *ticket)).or_insert(*seen);
        *entry = (*entry).max(*seen);
    }
    let best: Vec<_> = best.into_iter().collect();
    for batch in best.chunks(MANY) {
        let values: Vec<Value> = batch
            .iter()
            .flat_map(|((id, ticket), seen)| {
                [Value::from(*id), Value::Int(*ticket), Value::from(*seen == Seen::Received)]
            })
            .collect();
        let statement = format!(
            "INSERT INTO thread_id (id, ticket, seen) VALUES {} \
             ON CONFLICT (id, ticket) DO UPDATE SET seen = 1 \
             WHERE thread_id.seen = 0 AND excluded.seen = 1",
            rows(batch.len(), 3)
        );
        sql.execute(&statement, &values)?;
    }
    Ok(())
}

/// An attachment as kept with its message: what to show, and where in the raw message its bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAttachment {
    pub name: String,
    pub content_type: String,
    pub size: u64,
    pub inline: bool,
    /// An image that an earlier message of the ticket brought already (M-26).
    #[serde(default)]
    pub repeated: bool,
    /// Given out although it is of a blocked type: staff looked at it (M-25).
    #[serde(default, skip_serializing_if = "Not::not")]
    pub released: bool,
    /// In hex.
    pub sha256: String,
    pub source: AttachmentSource,
}

impl StoredAttachment {
    /// Whether it is of a blocked type, and staff did not release it (M-25, E-147).
    pub fn is_locked(&self, filters: &FilterPolicy) -> bool {
        !self.released && attachments::locked(&self.name, filters)
    }

    /// As it was read from its message, to be cut out of that again; `None` when its checksum is none.
    pub fn as_read(&self) -> Option<Attachment> {
        let mut sha256 = [0; 32];
        // Characters of more than one byte must not be cut in two.
        if self.sha256.len() != 2 * sha256.len() || !self.sha256.is_ascii() {
            return None;
        }
        for (byte, at) in sha256.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&self.sha256[at..at + 2], 16).ok()?;
        }
        Some(Attachment {
            name: self.name.clone(),
            content_type: self.content_type.clone(),
            size: self.size,
            inline: self.inline,
            sha256,
            source: self.source.clone(),
        })
    }
}

impl From<&Attachment> for StoredAttachment {
    fn from(attachment: &Attachment) -> StoredAttachment {
        StoredAttachment {
            name: attachment.name.clone(),
            content_type: attachment.content_type.clone(),
            size: attachment.size,
            inline: attachment.inline,
            repeated: false,
            released: false,
            sha256: attachment.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            source: attachment.source.clone(),
        }
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Violated(format!("a list cannot be written: {error}")))
}
