//! Where somebody who wants to write to a ticket, or change it, is let in.

use crate::args;
use crate::store::{Sql, StoreError};
use crate::triage::facts::TicketStatus;

/// A ticket, as whoever works on it must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// That of the ticket it was merged into, if it was.
    pub number: i64,
    pub subject: String,
    pub status: TicketStatus,
    pub mailbox: String,
    /// The id of the requester's user.
    pub user: Option<String>,
    /// Whether the user who asks may write to it; nobody else may be asked for.
    pub may_write: bool,
}

// Merged tickets followed (M-86).
const REDIRECTS: usize = 10;

/// The ticket of this number, or the one it was merged into; `None` when there is none. `person` is
/// the id of the user who wants to write to it: they may when they see it, as its requester, as one
/// whom staff added to it, or as a primary user of its site, while their account may be used.
pub fn seat(
    sql: &mut dyn Sql,
    number: i64,
    person: Option<&str>,
) -> Result<Option<Seat>, StoreError> {
    let mut number = number;
    for _ in 0..=REDIRECTS {
        let row = sql.query_one(
            "SELECT t.number, t.subject, t.status, t.mailbox, t.person, t.merged_into, \
               CASE WHEN t.staff_only = 0 AND EXISTS ( \
                 SELECT 1 FROM person p JOIN person_address a ON a.person = p.id \
                 WHERE p.id = CAST(?2 AS TEXT) AND p.status = 'active' AND ( \
                   t.person = p.id \
                   OR EXISTS (SELECT 1 FROM ticket_role r WHERE r.ticket = t.number \
                     AND r.address_key = a.address_key AND (r.role = 'participant' \
                       OR (r.role = 'requester' AND t.person IS NULL))) \
                   OR EXISTS (SELECT 1 FROM site_primary s WHERE s.site = t.site \
                     AND s.address_key = a.address_key))) THEN 1 ELSE 0 END \
             FROM ticket t WHERE t.number = ?1 AND t.deleted_at IS NULL",
            args![number, person],
        )?;
        let Some(row) = row else { return Ok(None) };
        if let Some(target) = row.opt_int(5)? {
            number = target;
            continue;
        }
        return Ok(Some(Seat {
            number: row.int(0)?,
            subject: row.text(1)?,
            status: row.parsed(2, "a ticket's status", TicketStatus::parse)?,
            mailbox: row.text(3)?,
            user: row.opt_text(4)?,
            may_write: row.flag(6)?,
        }));
    }
    // In a circle.
    Ok(None)
}
