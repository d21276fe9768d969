//! What becomes of the tickets of a user who is deleted, when they are not to stay as they are: the
//! person is taken out of them, or all that they say. Every row stays, so that the books balance
//! (P-17) and what was read once is not read again (P-02).

mod told;
mod traces;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::scrub::Scrub;
use super::{User, show};
use crate::args;
use crate::clock::Ids;
use crate::mail::Address;
use crate::mail::address::PlusTag;
use crate::store::{Sql, StoreError, attempts, spool};

/// How the tickets of a deleted user are cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearing {
    /// They stay, without the person; attachments and raw mail go, which cannot be read through.
    Anonymize,
    /// Nothing of what they say is left, and nobody sees them.
    Delete,
}

/// How much was cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    pub tickets: u64,
    pub messages: u64,
    pub mails: u64,
    /// Messages of theirs that were held, and are dropped.
    pub dropped: u64,
}

/// Clears the tickets of a deleted user, and what else holds their words: messages on the tickets of
/// others, mail of ours, the stories of decisions. Of the user a tombstone without a name stays.
pub fn clear_tickets(
    sql: &mut dyn Sql,
    id: &str,
    clearing: Clearing,
    ids: &Ids,
    now: Timestamp,
) -> Result<Cleared, StoreError> {
    let Some(user) = show(sql, id)? else { return Ok(Cleared::default()) };
    let mut work = Work::new(sql, &user, clearing, ids)?;
    let tickets = work.tickets(sql)?;
    let messages = work.messages(sql, &tickets)?;
    for ticket in &tickets {
        work.clear_ticket(sql, *ticket, now)?;
    }
    work.clear_roles(sql)?;
    for message in &messages {
        work.clear_message(sql, message, tickets.contains(&message.ticket))?;
    }
    let told = work.decided(sql, &tickets, &messages)?;
    for message in &told {
        work.clear_decision(sql, message, now)?;
    }
    work.clear_mails(sql, &tickets, &messages)?;
    work.clear_history(sql)?;
    work.clear_origins(sql)?;
    work.clear_person(sql)?;
    work.cleared.tickets = tickets.len() as u64;
    work.cleared.messages = told.len() as u64;
    Ok(work.cleared)
}

struct Work<'a> {
    user: &'a User,
    clearing: Clearing,
    /// Theirs, and those of the users who were merged into them.
    ids: Vec<String>,
    keys: BTreeSet<String>,
    /// What they wrote from, and is theirs no more; it may be somebody else's by now.
    former: BTreeSet<String>,
    scrub: Scrub,
    cleared: Cleared,
}

/// A message on a ticket.
struct Found {
    ticket: i64,
    n: i64,
    message: String,
    from_address: String,
    is_theirs: bool,
}

impl<'a> Work<'a> {
    fn new(
        sql: &mut dyn Sql,
        user: &'a User,
        clearing: Clearing,
        minted: &Ids,
    ) -> Result<Work<'a>, StoreError> {
        let mut keys = BTreeSet::new();
        for one in &user.addresses {
            keys.insert(one.key.clone());
            // The outbox keeps addresses without their tags.
            let stripped = Address::parse(&one.address).map(|address| address.key(PlusTag::Strip));
            keys.extend(stripped.ok().map(|key| key.0));
        }
        let (ids, mut names) = traces::of(sql, user)?;
        for key in &keys {
            for row in sql.query(
                "SELECT DISTINCT requester_name FROM ticket WHERE requester_key = ?1 \
                 AND (person IS NULL OR person = ?2) AND requester_name IS NOT NULL",
                args![key, &user.id],
            )? {
                names.insert(row.text(0)?);
            }
        }
        for row in sql.query(
            "SELECT DISTINCT from_name FROM ticket_message WHERE person = ?1 \
             AND from_name IS NOT NULL",
            args![&user.id],
        )? {
            names.insert(row.text(0)?);
        }
        let names: Vec<String> = names.into_iter().collect();
        let former = traces::former_addresses(sql, &user.id, &keys)?;
        let known: Vec<String> = ids.iter().chain(&former).cloned().collect();
        let scrub = Scrub::of(user, &known, &names, minted)?;
        Ok(Work { user, clearing, ids, keys, former, scrub, cleared: Cleared::default() })
    }

    fn is_theirs(&self, address: &str) -> bool {
        let key = Address::parse(address).map(|address| address.key(PlusTag::Keep).0);
        let key = key.unwrap_or_else(|_| address.to_lowercase());
        self.keys.contains(&key)
            || Address::parse(address)
                .is_ok_and(|address| self.keys.contains(&address.key(PlusTag::Strip).0))
    }

    fn tickets(&self, sql: &mut dyn Sql) -> Result<BTreeSet<i64>, StoreError> {
        let mut numbers = BTreeSet::new();
        for row in sql.query("SELECT number FROM ticket WHERE person = ?1", args![&self.user.id])? {
            numbers.insert(row.int(0)?);
        }
        for key in &self.keys {
            // One that has a user is not theirs for the address it came from (T-02).
            for row in sql.query(
                "SELECT number FROM ticket WHERE requester_key = ?1 AND person IS NULL",
                args![key],
            )? {
                numbers.insert(row.int(0)?);
            }
        }
        Ok(numbers)
    }

    // All on their tickets, and their own on those of others.
    fn messages(
        &self,
        sql: &mut dyn Sql,
        tickets: &BTreeSet<i64>,
    ) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        let columns = "SELECT ticket, n, message, from_address, person FROM ticket_message";
        let mut take = |rows: Vec<crate::store::Row>, own: bool| -> Result<(), StoreError> {
            for row in rows {
                let (ticket, from_address) = (row.int(0)?, row.text(3)?);
                let by = row.opt_text(4)?;
                let is_theirs = match by {
                    Some(by) => by == self.user.id,
                    None => self.is_theirs(&from_address),
                };
                if own || (is_theirs && !tickets.contains(&ticket)) {
                    let (n, message) = (row.int(1)?, row.text(2)?);
                    found.push(Found { ticket, n, message, from_address, is_theirs });
                }
            }
            Ok(())
        };
        for ticket in tickets {
            take(sql.query(&format!("{columns} WHERE ticket = ?1"), args![*ticket])?, true)?;
        }
        take(sql.query(&format!("{columns} WHERE person = ?1"), args![&self.user.id])?, false)?;
        Ok(found)
    }

    fn clear_ticket(
        &self,
        sql: &mut dyn Sql,
        ticket: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = sql.query_one(
            "SELECT subject, requester_address, requester_name, requester_key, person \
             FROM ticket WHERE number = ?1",
            args![ticket],
        )?;
        let Some(row) = row else { return Ok(()) };
        let is_theirs =
            self.keys.contains(&row.text(3)?) || row.opt_text(4)?.as_deref() == Some(&self.user.id);
        let (address, key, name) = match is_theirs {
            true => (self.scrub.placeholder.clone(), self.scrub.placeholder.clone(), None),
            false => (row.text(1)?, row.text(3)?, self.scrub.optional(row.opt_text(2)?)),
        };
        let (subject, deleted_at) = match self.clearing {
            Clearing::Anonymize => (self.scrub.text(&row.text(0)?), None),
            Clearing::Delete => (String::new(), Some(now)),
        };
        sql.execute(
            "UPDATE ticket SET subject = ?2, requester_address = ?3, requester_key = ?4, \
               requester_name = ?5, person = NULL, \
               deleted_at = COALESCE(deleted_at, CAST(?6 AS BIGINT)) WHERE number = ?1",
            args![ticket, subject, address, key, name, deleted_at],
        )?;
        for row in sql.query("SELECT tag FROM ticket_tag WHERE ticket = ?1", args![ticket])? {
            let tag = row.text(0)?;
            if self.scrub.is_named(&tag) {
                sql.execute(
                    "DELETE FROM ticket_tag WHERE ticket = ?1 AND tag = ?2",
                    args![ticket, tag],
                )?;
            }
        }
        for row in sql.query(
            "SELECT n, before, after FROM ticket_event WHERE ticket = ?1 ORDER BY n",
            args![ticket],
        )? {
            let (before, after) = match self.clearing {
                Clearing::Anonymize => {
                    (self.scrub.optional(row.opt_text(1)?), self.scrub.optional(row.opt_text(2)?))
                }
                Clearing::Delete => (None, None),
            };
            sql.execute(
                "UPDATE ticket_event SET before = ?3, after = ?4 WHERE ticket = ?1 AND n = ?2",
                args![ticket, row.int(0)?, before, after],
            )?;
        }
        Ok(())
    }

    // Of two addresses of theirs at one ticket, the stronger part stays.
    fn clear_roles(&self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        for key in &self.keys {
            sql.execute(
                "INSERT INTO ticket_role (ticket, address_key, role) \
                 SELECT ticket, CAST(?2 AS TEXT), role FROM ticket_role WHERE address_key = ?1 \
                 ON CONFLICT (ticket, address_key) DO UPDATE SET role = excluded.role \
                 WHERE ticket_role.role < excluded.role",
                args![key, &self.scrub.placeholder],
            )?;
            sql.execute("DELETE FROM ticket_role WHERE address_key = ?1", args![key])?;
        }
        Ok(())
    }

    fn clear_message(
        &self,
        sql: &mut dyn Sql,
        found: &Found,
        on_own_ticket: bool,
    ) -> Result<(), StoreError> {
        let Found { ticket, n, message, from_address, is_theirs } = found;
        let row = sql.query_one(
            "SELECT subject, body, visible, internal, from_name, person FROM ticket_message \
             WHERE ticket = ?1 AND n = ?2",
            args![*ticket, *n],
        )?;
        let Some(row) = row else { return Ok(()) };
        let nothing_is_left = self.clearing == Clearing::Delete && on_own_ticket;
        let (subject, body, visible, internal) = match nothing_is_left {
            true => (String::new(), String::new(), None, None),
            false => (
                self.scrub.text(&row.text(0)?),
                self.scrub.text(&row.text(1)?),
                self.scrub.optional(row.opt_text(2)?),
                self.scrub.optional(row.opt_text(3)?),
            ),
        };
        let (address, name, person) = match is_theirs {
            true => (self.scrub.placeholder.clone(), None, None),
            false => (from_address.clone(), row.opt_text(4)?, row.opt_text(5)?),
        };
        sql.execute(
            "UPDATE ticket_message SET subject = ?3, body = ?4, visible = ?5, internal = ?6, \
               from_address = ?7, from_name = ?8, person = ?9, attachments = '[]', \
               known = CASE CAST(?10 AS BIGINT) WHEN 1 THEN NULL ELSE known END WHERE ticket = ?1 AND n = ?2",
            args![
                *ticket,
                *n,
                subject,
                body,
                visible,
                internal,
                address,
                name,
                person,
                nothing_is_left,
            ],
        )?;
        self.clear_raw(sql, message)
    }

    // What a mail says besides its text (headers, other parts, attachments) cannot be read through,
    // so all of it goes.
    fn clear_raw(&self, sql: &mut dyn Sql, message: &str) -> Result<(), StoreError> {
        let raw = format!(
            "From: {}\r\nSubject: (removed)\r\n\r\nThis message was removed: its user was deleted.\r\n",
            self.scrub.placeholder
        );
        spool::replace_raw(sql, message, raw.as_bytes())
    }

    // The keys stay: by them mail of theirs is known (T-54).
    fn clear_person(&self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let id = &self.user.id;
        for id in &self.ids {
            sql.execute(
                "UPDATE person SET first_name = '', last_name = '', derived = 0, phone = NULL, \
                   mobile = NULL, department = NULL, job_title = NULL, agent = NULL, \
                   locale = NULL, credentials = 'not_due', credentials_withheld = NULL \
                 WHERE id = ?1",
                args![id],
            )?;
            // One may name an address that they were about to take.
            sql.execute("DELETE FROM credential WHERE person = ?1", args![id])?;
        }
        sql.execute(
            "UPDATE person_address SET address = address_key WHERE person = ?1",
            args![id],
        )?;
        for key in &self.keys {
            for table in ["site_address", "site_primary"] {
                sql.execute(
                    &format!(
                        "DELETE FROM {table} WHERE address_key = ?1 \
                         AND site IN (SELECT id FROM site WHERE declared = 0)"
                    ),
                    args![key],
                )?;
            }
            attempts::forget_account(sql, key)?;
        }
        Ok(())
    }
}
