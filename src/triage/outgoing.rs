//! Mail of ours as plans name it: not yet written, and why it goes out.

use super::plan::{TicketRef, UserRef};
use crate::mail::{Address, AddressKey, MessageId};

/// A mail of ours to send: named, not yet written. Never holds a secret.
#[derive(Clone, Debug)]
pub struct OutgoingMail {
    /// The template's name, e.g. `ticket_received`.
    pub template: String,
    pub to: Address,
    pub user: Option<UserRef>,
    pub ticket: Option<TicketRef>,
    /// The mailbox whose address it comes from.
    pub mailbox: String,
    /// The right side of its Message-ID.
    pub message_id_domain: String,
    pub locale: String,
    /// The id of the site, for the template's lookup and values.
    pub site: String,
    pub cause: MailCause,
}

impl OutgoingMail {
    /// Whether it brings a user their credentials: the one mail of ours to a user that is of its
    /// own accord (C-06, C-10).
    pub fn brings_credentials(&self) -> bool {
        self.user.is_some() && self.cause == MailCause::Notice
    }
}

/// Why a mail of ours goes out; decides its Auto-Submitted field and its references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailCause {
    /// Answers this message: `auto-replied`, In-Reply-To and References are set.
    Answer { parent: MessageId, parent_references: Vec<MessageId> },
    /// Tells somebody what became of a ticket: `auto-generated`, in the ticket's thread.
    News {
        /// The agent it is to, who answers the requester by replying (M-76b).
        agent: Option<AddressKey>,
        thread: Thread,
    },
    /// Of its own accord: `auto-generated`, a thread of its own.
    Notice,
    /// Brings what a person wrote for its recipient: no automatic mail (RFC 3834 §2).
    Words {
        /// The agent who wrote.
        agent: Option<AddressKey>,
        thread: Thread,
    },
}

/// What a mail in a ticket's thread answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The last message of whom it goes to, if that has an id.
    pub parent: Option<MessageId>,
    /// Those that the parent names.
    pub references: Vec<MessageId>,
}
