//! What must be known to decide about a message, and the answers. Only what `decide` reads.

use jiff::Timestamp;

use super::policy::Access;
use crate::mail::reply::{Reply, Scope};
use crate::mail::{Address, AddressKey, ContentHash, MessageId, PlusTag};

/// What must be looked up. Made by [`super::ask`] from the message, the policy and the mailbox.
#[derive(Clone, Debug)]
pub struct Questions {
    /// The name of the mailbox it came to.
    pub mailbox: String,
    pub content_hash: ContentHash,
    pub message_id: MessageId,
    /// The resolved sender (mail.md section 2), or why there is none.
    pub sender: SenderAnswer,
    /// Ids to look up, strongest evidence first (M-79 V4, M-83b): at most 59.
    pub references: Vec<Reference>,
    /// Ticket numbers named by the subject tag (V5), in the order they stand there.
    pub tagged: Vec<i64>,
    /// The sender's domain and every parent of it, longest first; empty without a sender or for a
    /// public mail domain.
    pub site_domains: Vec<String>,
    /// The name of the site of those whom no site matches: the mailbox's `default_site`, else
    /// `sites.default`.
    pub default_site: String,
    /// What keys of ours vouch for.
    pub signed: Signed,
    /// Windows to count in, copied from the policy so that the store need not know it.
    pub limits: super::policy::LimitPolicy,
    /// What is new in the message for the scope that it has by itself; an accelerator, made before
    /// the transaction. `decide` makes its own where it is absent or a ticket says otherwise.
    pub reply: Option<(Scope, Reply)>,
}

impl Questions {
    /// What is looked up and what other messages may change at the same time, as a name each: the
    /// sender, the message itself, those it refers to, the tickets and the mail of ours it names.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("content {}", self.content_hash)];
        if let SenderAnswer::Known(sender) = &self.sender {
            keys.push(format!("address {}", sender.key.as_str()));
            // Mails to it are counted by its mailbox, whatever tag it has.
            keys.push(format!("address {}", sender.address.key(PlusTag::Strip).as_str()));
        }
        keys.push(format!("id {}", self.message_id.as_str()));
        keys.extend(
            self.references.iter().map(|reference| format!("id {}", reference.id.as_str())),
        );
        let signed = self.signed.tickets.iter().map(|ticket| ticket.number);
        keys.extend(signed.chain(self.tagged.iter().copied()).map(|n| format!("ticket {n}")));
        if let Some(bounced) = &self.signed.bounced {
            keys.extend(bounced.mail.map(|mail| format!("mail {mail}")));
            let ids = bounced.ids.iter().chain(&bounced.relay_ids);
            keys.extend(ids.map(|id| format!("id {}", id.as_str())));
            keys.extend(bounced.recipients.iter().map(|key| format!("address {}", key.as_str())));
        }
        keys
    }
}

/// Who wrote, as far as the message itself can say.
#[derive(Clone, Debug)]
pub enum SenderAnswer {
    Known(Sender),
    /// M-41, M-42: no usable sender; why.
    None {
        why: String,
    },
}

/// The resolved sender.
#[derive(Clone, Debug)]
pub struct Sender {
    pub address: Address,
    pub key: AddressKey,
    /// The display name beside it.
    pub name: Option<String>,
    /// e.g. `sender: from`.
    pub evidence: String,
    /// Taken from Reply-To, Sender or Return-Path because From was of no use (M-42): no automatic
    /// mail.
    pub fallback: bool,
    /// Taken on the word of a list that our mailbox sits behind (M-37…M-39): no credentials. Not so
    /// behind a form of `users.reply_to_senders` (M-36): C-05 lets it pass.
    pub relayed: bool,
}

/// What keys of ours vouch for in a message: each mark was verified.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    /// Tickets, strongest evidence first (V1, V2, V3 of M-79), each once: at most ten.
    pub tickets: Vec<SignedTicket>,
    /// What a bounce names of our mail (M-64); `None` when the message is no bounce or names none.
    pub bounced: Option<Bounced>,
    /// What says that it is our own mail coming back (M-58), e.g. `Message-ID=…`.
    pub came_back: Option<String>,
    /// Something has the form of a mark of ours, and a wrong MAC (M-79).
    pub is_forged: bool,
    /// It went to a reply address of one of our agents (M-76b).
    pub is_to_agent: bool,
    /// It is a probe of ours (M-57).
    pub probe: Option<Probe>,
    /// The mailbox that it reached by a `+tag` of ours, and by which (M-79).
    pub tags_seen: Option<(String, TagsSeen)>,
    /// The tokens in its text, as written (M-90).
    pub tokens: Vec<String>,
}

/// A ticket that a mark of ours names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTicket {
    pub number: i64,
    /// V1 to V3.
    pub evidence: TicketEvidence,
}

/// What a bounce says of the mail that it is about (M-64).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounced {
    /// The number in the outbox, from our envelope address.
    pub mail: Option<i64>,
    /// Ids that it returns or answers.
    pub ids: Vec<MessageId>,
    /// Their left sides, should a relay have made them (M-82).
    pub relay_ids: Vec<MessageId>,
    /// Those who did not get it, as far as the bounce names them.
    pub recipients: Vec<AddressKey>,
}

/// A mail of ours that finds out whether `+tags` of a mailbox arrive (M-57).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The mailbox's name.
    pub mailbox: String,
    pub sent_at: Timestamp,
}

/// By what a mailbox was seen to accept `+tags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagsSeen {
    BounceAddress,
    Probe,
    ReplyAddress,
}

impl TagsSeen {
    pub fn as_str(self) -> &'static str {
        match self {
            TagsSeen::BounceAddress => "bounce_address",
            TagsSeen::Probe => "probe",
            TagsSeen::ReplyAddress => "reply_address",
        }
    }
}

/// One id that may lead to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub id: MessageId,
    pub found_in: FoundIn,
}

impl Reference {
    /// Whether it names another message than the one it was found in.
    pub fn is_to_another(&self) -> bool {
        self.found_in != FoundIn::OwnId
    }
}

/// Where a reference stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundIn {
    InReplyTo,
    /// The message's own Message-ID, named earlier by somebody's reply (M-83b).
    OwnId,
    References,
    /// Its left side alone, by which a relay may have named a mail of ours (M-82).
    RelayId,
}

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
    /// What the sender is to this ticket, by this address or any of their other ones (M-80).
    pub sender_role: Option<TicketRole>,
}

/// How a ticket was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEvidence {
    /// V3.
    BodyToken,
    /// V2: an id of ours.
    MessageId { id: MessageId },
    /// V4. `seen`: received or sent by us, not only named by somebody.
    Reference { id: MessageId, found_in: FoundIn, seen: bool },
    /// V1.
    ReplyAddress,
    /// V5.
    SubjectTag,
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
