//! Mail of ours, from the moment its cause is committed: queued, claimed, attempted, sent or given
//! up. A row never holds a secret: what is recorded of a mail is its copy with `[redacted]`.

mod attempt;
mod desk;
mod letter;

pub use attempt::{
    Attempt, GaveUp, Heard, OutboxClaim, Whose, begin_attempt, claim_due, give_up, hand_back,
    next_due, out_of_reach, recorded, retry_at, sent, set_right,
};
pub use desk::{Entry, Filter, Page, cancel, list, newest, replace_earlier, retry, show};
pub use letter::{
    CausingMessage, Letter, LetterPerson, LetterSite, LetterTicket, causing_message, draft, letter,
    primary_users, told_before,
};

use jiff::Timestamp;

use super::{Sql, StoreError, restored};
use crate::args;
use crate::clock::Ids;
use crate::mail::address::PlusTag;
use crate::mail::{AddressKey, MessageId};
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
    /// The change that caused it, by its number on the ticket.
    pub event: Option<i64>,
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
    let cause = Cause::of(&mail.cause);
    let row = sql.query_one(
        // Without its tag, whatever `users.strip_plus_tag` says: the brake and the budgets of C-10
        // count by mailbox, not by spelling (T-16, T-55).
        "INSERT INTO outbox (template, to_address, to_key, to_domain, person, ticket, site, \
           mailbox, locale, message_id, cause, in_reply_to, reply_references, message, \
           automatic, about_message, about_event, agent, due_at, queued_at, state, response) \
         SELECT ?1, ?2, ?4, ?5, CAST(?3 AS TEXT), CAST(?6 AS BIGINT), CAST(?7 AS TEXT), ?8, ?9, \
           ?10, ?11, CAST(?12 AS TEXT), CAST(?13 AS TEXT), CAST(?14 AS TEXT), \
           CAST(?17 AS BIGINT), CAST(?18 AS TEXT), CAST(?19 AS BIGINT), CAST(?20 AS TEXT), \
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
            cause.word,
            cause.parent,
            cause.references,
            about.message,
            now,
            restored::PERHAPS_SENT,
            cause.counts,
            about.message.filter(|_| cause.is_of_ticket),
            about.event,
            cause.agent,
        ],
    )?;
    let row =
        row.ok_or_else(|| StoreError::Violated("an outbox row was not written".to_owned()))?;
    Ok(Queued { id: row.int(0)? })
}

/// A cause as it is kept.
struct Cause<'a> {
    word: &'static str,
    parent: Option<&'a str>,
    references: Option<String>,
    agent: Option<&'a AddressKey>,
    /// Whether it counts against `limits.auto_mails_per_address`: what people at the desk cause
    /// cannot run in circles.
    counts: bool,
    /// Whether it tells of a message, or of a change, on a ticket.
    is_of_ticket: bool,
}

impl Cause<'_> {
    fn of(cause: &MailCause) -> Cause<'_> {
        let listed =
            |ids: &[MessageId]| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" ");
        let (word, agent, parent, references) = match cause {
            MailCause::Answer { parent, parent_references } => {
                ("answer", None, Some(parent), Some(parent_references))
            }
            MailCause::News { agent, thread } => {
                ("news", agent.as_ref(), thread.parent.as_ref(), Some(&thread.references))
            }
            MailCause::Notice => ("notice", None, None, None),
            MailCause::Words { agent, thread } => {
                ("words", agent.as_ref(), thread.parent.as_ref(), Some(&thread.references))
            }
        };
        let is_of_ticket = matches!(cause, MailCause::News { .. } | MailCause::Words { .. });
        Cause {
            word,
            parent: parent.map(MessageId::as_str),
            references: references.map(|references| listed(references)),
            agent,
            counts: !is_of_ticket,
            is_of_ticket,
        }
    }
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
