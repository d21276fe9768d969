//! What must be known to decide about a message, and the answers. Only what `decide` reads.

use std::collections::HashSet;

use jiff::Timestamp;

pub use super::forwarded::Forwarded;
use super::plan::Thread;
use super::policy::Access;
pub use super::questions::{
    Bounced, Door, FoundIn, Probe, Questions, Reference, Sender, SenderAnswer, Signed,
    SignedTicket, TagsSeen,
};
use crate::mail::{Address, AddressKey, MessageId};

/// The answers.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The time now, by the clock of the walk.
    pub now: Timestamp,
    /// When the message arrived: INTERNALDATE, or the seconds in the maildir file's name.
    pub arrived_at: Timestamp,
    /// When it counts against the limits: its arrival, or, once deferred, the end of the deferral.
    pub counted_at: Timestamp,
    /// How it came in.
    pub intake: Intake,
    /// The message that the same content key belongs to (M-09).
    pub duplicate_of: Option<String>,
    /// Whether another message already has this Message-ID (with other content).
    pub message_id_known: bool,
    pub user: Option<UserFacts>,
    /// At most ten, in the order of the evidence that leads to them.
    pub tickets: Vec<TicketFacts>,
    /// The sites that the sender may belong to: by address first, then by domain, longest first.
    pub sites: Vec<SiteFacts>,
    pub default_site: SiteFacts,
    pub room: Room,
    pub budget: CredentialsBudget,
    /// The mail of ours that the message says has bounced (M-64), when it went to a recipient that
    /// the bounce names.
    pub bounced: Option<BouncedMail>,
    /// Of a message that was too large: the tickets about which its sender was told that before
    ///
    pub told_too_large: Vec<i64>,
    /// Which of [`Questions::secrets`] are secrets of ours, live or not (T-22).
    pub leaked: Vec<String>,
}

/// How a message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Old mail imported by hand: no outgoing mail (C-14).
    Backfill,
    Mailbox,
    /// Only its headers and first text were fetched (M-04).
    Stub,
}

/// What the store knows of the sender.
#[derive(Clone, Debug)]
pub struct UserFacts {
    pub id: String,
    pub status: UserStatus,
    pub first_name: String,
    pub last_name: String,
    /// Where mail of ours goes: the user's first address.
    pub address: Address,
    pub access: Access,
    pub site: SiteFacts,
    /// Placed there by a person: never matched again (M-110).
    pub site_placed: bool,
    /// Their mail is not made into tickets.
    pub no_tickets: bool,
    pub locale: Option<String>,
    pub credentials: CredentialsState,
    /// A mail to them bounced for good (M-65, C-12).
    pub undeliverable: bool,
    /// An earlier credentials mail bounced (C-12).
    pub credentials_bounced: bool,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    Active,
    Deleted,
    Disabled,
}

impl UserStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            UserStatus::Active => "active",
            UserStatus::Deleted => "deleted",
            UserStatus::Disabled => "disabled",
        }
    }

    pub fn parse(text: &str) -> Option<UserStatus> {
        match text {
            "active" => Some(UserStatus::Active),
            "deleted" => Some(UserStatus::Deleted),
            "disabled" => Some(UserStatus::Disabled),
            _ => None,
        }
    }
}

/// Where a user stands with the mail that brings their credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsState {
    /// To be sent with the first message that passes the gate.
    Due,
    /// Imported, synchronised, or made by hand without it (C-06).
    NotDue,
    /// Queued or sent (C-06).
    Sent,
}

impl CredentialsState {
    pub fn as_str(self) -> &'static str {
        match self {
            CredentialsState::Due => "due",
            CredentialsState::NotDue => "not_due",
            CredentialsState::Sent => "sent",
        }
    }

    pub fn parse(text: &str) -> Option<CredentialsState> {
        match text {
            "due" => Some(CredentialsState::Due),
            "not_due" => Some(CredentialsState::NotDue),
            "sent" => Some(CredentialsState::Sent),
            _ => None,
        }
    }
}

/// A ticket that evidence leads to (M-79).
#[derive(Clone, Debug)]
pub struct TicketFacts {
    pub number: i64,
    pub evidence: TicketEvidence,
    pub status: TicketStatus,
    /// For staff alone: made from the mail of a machine, a list, a robot.
    pub staff_only: bool,
    pub closed_at: Option<Timestamp>,
    /// Its newest message.
    pub last_message_at: Timestamp,
    pub subject: String,
    pub site: SiteFacts,
    /// The key of the agent it is assigned to.
    pub assignee: Option<AddressKey>,
    /// Looked up for what staff writes alone ([`Questions::is_of_staff`]).
    pub requester: Option<RequesterFacts>,
    /// What the sender is to this ticket, by this address or any of their other ones (M-80).
    pub sender_role: Option<TicketRole>,
    /// What its last 20 messages, received and sent, are known by (M-91).
    pub known: HashSet<u64>,
}

/// Whom an answer about a ticket goes to, and what it answers.
#[derive(Clone, Debug)]
pub struct RequesterFacts {
    pub address: Address,
    /// The id of their user, if it may be used.
    pub user: Option<String>,
    pub locale: Option<String>,
    /// The mailbox that the ticket came to.
    pub mailbox: String,
    /// Their last message, and those it names.
    pub thread: Thread,
}

/// How a ticket was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvidence {
    /// M-76b: it went to the reply address of the agent who stands in From.
    AgentAddress,
    /// V3.
    BodyToken,
    /// V2: an id of ours.
    MessageId { id: MessageId },
    /// Its user wrote it for this ticket in the portal ([`Door::Portal`]).
    Portal,
    /// V4. `seen`: received or sent by us, not only named by somebody.
    Reference { id: MessageId, found_in: FoundIn, seen: bool },
    /// V1.
    ReplyAddress,
    /// Staff wrote it for this ticket ([`Door::Staff`]).
    Staff,
    /// V5.
    SubjectTag,
}

impl TicketEvidence {
    /// Whether it is an id that somebody named on the ticket and that we never saw there. A message
    /// whose own id that is was waited for (M-83b).
    pub fn is_hearsay(&self) -> bool {
        match self {
            TicketEvidence::Reference { seen, found_in, .. } => {
                !seen && *found_in != FoundIn::OwnId
            }
            TicketEvidence::AgentAddress
            | TicketEvidence::BodyToken
            | TicketEvidence::MessageId { .. }
            | TicketEvidence::Portal
            | TicketEvidence::ReplyAddress
            | TicketEvidence::Staff
            | TicketEvidence::SubjectTag => false,
        }
    }
}

/// The state of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStatus {
    Closed,
    Open,
    Pending,
}

impl TicketStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            TicketStatus::Closed => "closed",
            TicketStatus::Open => "open",
            TicketStatus::Pending => "pending",
        }
    }

    pub fn parse(text: &str) -> Option<TicketStatus> {
        match text {
            "closed" => Some(TicketStatus::Closed),
            "open" => Some(TicketStatus::Open),
            "pending" => Some(TicketStatus::Pending),
            _ => None,
        }
    }
}

/// What somebody is to a ticket (M-80), strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TicketRole {
    Requester,
    /// Added by staff.
    Participant,
    /// Stood in To or Cc of a message of one of these.
    Correspondent,
}

/// A site, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFacts {
    pub id: String,
    pub name: String,
    pub locale: Option<String>,
    /// Whether its new users get credentials by mail (C-09).
    pub credentials: bool,
    pub is_default: bool,
    pub matched_by: SiteMatch,
    /// The sender is declared a primary user of it (`primary_users`).
    pub sender_is_primary: bool,
}

/// Why a site was chosen (M-107, M-109, M-111).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteMatch {
    /// One of the site's `addresses`.
    Address,
    Default,
    Domain(String),
    /// Read from the user or the ticket: nothing was matched.
    Kept,
}

/// Whether the limits leave room (counted by arrival): `None` is room, else when there is some.
#[derive(Clone, Debug, Default)]
pub struct Room {
    pub sender: Option<Timestamp>,
    pub domain: Option<Timestamp>,
    pub new_users: Option<Timestamp>,
    pub auto_mails: Option<Timestamp>,
}

/// What is left of the budgets of C-10: `None` is room, else when there is some.
#[derive(Clone, Debug, Default)]
pub struct CredentialsBudget {
    pub recipient: Option<Timestamp>,
    pub domain: Option<Timestamp>,
    pub site: Option<Timestamp>,
    pub total: Option<Timestamp>,
}

/// A mail of ours that bounced.
#[derive(Clone, Debug)]
pub struct BouncedMail {
    pub outbox: i64,
    pub template: String,
    pub to: AddressKey,
    pub ticket: Option<i64>,
}
