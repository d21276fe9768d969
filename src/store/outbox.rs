//! Mail of ours, from the moment its cause is committed: queued, claimed, attempted, sent or given
//! up. A row never holds a secret: what is recorded of a mail is its copy with `[redacted]`.

mod attempt;
mod desk;
mod letter;

pub use attempt::{
    Attempt, GaveUp, Heard, OutboxClaim, Whose, begin_attempt, claim_due, give_up, hand_back,
    next_due, out_of_reach, recorded, retry_at, sent, set_right,
};
pub use desk::{Entry, Filter, Page, cancel, list, retry, show};
pub use letter::{
    CausingMessage, Letter, LetterPerson, LetterSite, LetterTicket, causing_message, letter,
    primary_users,
};

use jiff::Timestamp;

use super::{Sql, StoreError, restored};
use crate::args;
use crate::clock::Ids;
use crate::mail::address::PlusTag;
use crate::triage::plan::{MailCause, OutgoingMail};

/// Where a mail of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutboxState {
    /// Taken out by hand.
    Cancelled,
    /// Refused for good by the other side, or bounced.
    Failed,
    /// Given up until somebody helps.
    Parked,
    Queued,
    /// Rendered and kept, not sent: the transport is `none` (shadow mode).
    Recorded,
    Sending,
    Sent,
}

impl OutboxState {
    pub const ALL: [OutboxState; 7] = [
        OutboxState::Cancelled,
        OutboxState::Failed,
        OutboxState::Parked,
        OutboxState::Queued,
        OutboxState::Recorded,
        OutboxState::Sending,
        OutboxState::Sent,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            OutboxState::Cancelled => "cancelled",
            OutboxState::Failed => "failed",
            OutboxState::Parked => "parked",
            OutboxState::Queued => "queued",
            OutboxState::Recorded => "recorded",
            OutboxState::Sending => "sending",
            OutboxState::Sent => "sent",
        }
    }

    pub fn parse(text: &str) -> Option<OutboxState> {
        OutboxState::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a mail is about, by the ids that `apply` minted.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueuedFor<'a> {
    pub person: Option<&'a str>,
    pub ticket: Option<i64>,
    /// The message that caused it.
    pub message: Option<&'a str>,
}

/// A mail that was queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    pub id: i64,
}

/// Queues a mail in the transaction of its cause. Its Message-ID names its number, which is known
/// only now, so it is signed with the first attempt (M-74); until then one holds its place, and says
/// of which domain it will be. What is caused by a message from before the store was restored waits
/// for somebody to send it: it may have gone out already.
pub fn queue(
    sql: &mut dyn Sql,
    mail: &OutgoingMail,
    about: QueuedFor<'_>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Queued, StoreError> {
    let provisional =
        format!("{}@{}", ids.uuid().replace('-', ""), dot_atom(&mail.message_id_domain));
    let (cause, parent, references) = match &mail.cause {
        MailCause::Answer { parent, parent_references } => {
            let references: Vec<&str> = parent_references.iter().map(|id| id.as_str()).collect();
            ("answer", Some(parent.as_str()), Some(references.join(" ")))
        }
        MailCause::Notice => ("notice", None, None),
    };
    let row = sql.query_one(
        // Without its tag, whatever `users.strip_plus_tag` says: the brake and the budgets of C-10
        // count by mailbox, not by spelling (T-16, T-55).
        "INSERT INTO outbox (template, to_address, to_key, to_domain, person, ticket, site, \
           mailbox, locale, message_id, cause, in_reply_to, reply_references, message, \
           automatic, due_at, queued_at, state, response) \
         SELECT ?1, ?2, ?4, ?5, CAST(?3 AS TEXT), CAST(?6 AS BIGINT), CAST(?7 AS TEXT), ?8, ?9, \
           ?10, ?11, CAST(?12 AS TEXT), CAST(?13 AS TEXT), CAST(?14 AS TEXT), 1, \
           CAST(?15 AS BIGINT), CAST(?15 AS BIGINT), \
           CASE answered WHEN 1 THEN 'parked' ELSE 'queued' END, \
           CASE answered WHEN 1 THEN CAST(?16 AS TEXT) END \
         FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM message m JOIN restored r \
             ON r.at > m.arrived_at WHERE m.id = CAST(?14 AS TEXT)) THEN 1 ELSE 0 END AS answered \
         ) AS before \
         RETURNING id",
        args![
            &mail.template,
            mail.to.to_string(),
            about.person,
            mail.to.key(PlusTag::Strip).as_str(),
            mail.to.domain(),
            about.ticket,
            &mail.site,
            &mail.mailbox,
            &mail.locale,
            &provisional,
            cause,
            parent,
            references,
            about.message,
            now,
            restored::PERHAPS_SENT,
        ],
    )?;
    let row =
        row.ok_or_else(|| StoreError::Violated("an outbox row was not written".to_owned()))?;
    Ok(Queued { id: row.int(0)? })
}

// Whatever the configuration holds.
fn dot_atom(domain: &str) -> String {
    let domain: String = domain
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        .collect::<String>()
        .split('.')
        .filter(|label| !label.is_empty())
        .collect::<Vec<_>>()
        .join(".");
    if domain.is_empty() { "guichet.invalid".to_owned() } else { domain }
}

#[cfg(test)]
mod tests;
