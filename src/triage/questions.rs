//! The questions about a message: what it says by itself, and what must be looked up to decide.

use jiff::Timestamp;

use super::facts::TicketEvidence;
use super::forwarded::Forwarded;
use super::policy::LimitPolicy;
use crate::mail::reply::{Reply, Scope};
use crate::mail::{Address, AddressKey, ContentHash, Dmarc, MessageId, PlusTag};

/// What must be looked up. Made by [`super::ask()`] from the message, the policy and the mailbox.
#[derive(Clone, Debug)]
pub struct Questions {
    /// The name of the mailbox it came to, or whose tickets it is among.
    pub mailbox: String,
    /// How it came in.
    pub door: Door,
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
    /// What an answer to their requester needs to know of the tickets is wanted too: staff wrote it.
    pub is_of_staff: bool,
    /// Whether the sender's domain vouches for the message, as far as a server that we trust says so
    ///
    pub dmarc: Dmarc,
    /// What staff forwards, and who wrote it (M-103).
    pub forwarded: Option<Forwarded>,
    /// Windows to count in, copied from the policy so that the store need not know it.
    pub limits: LimitPolicy,
    /// What is new in the message for the scope that it has by itself; an accelerator, made before
    /// the transaction. `decide` makes its own where it is absent or a ticket says otherwise.
    pub reply: Option<(Scope, Reply)>,
    /// The hashes of what may be secrets of ours in it: at most [`crate::mail::links::HASHES`] (T-22).
    pub secrets: Vec<String>,
    /// What a ticket that it comes to will know it by, and perhaps knows already (M-91, M-26).
    pub known: Vec<u64>,
}

impl Questions {
    /// Whose the message is: the sender's, or theirs whose mail staff forwards (M-105).
    pub fn requester(&self) -> Option<&Sender> {
        match &self.forwarded {
            Some(forwarded) if forwarded.is_certain() => Some(&forwarded.original),
            _ => self.sender.known(),
        }
    }

    /// The ids of other messages that it names.
    pub fn named(&self) -> impl Iterator<Item = &MessageId> {
        let others = self.references.iter().filter(|reference| match reference.found_in {
            FoundIn::InReplyTo | FoundIn::References => true,
            // No message has the left side of an id for its own.
            FoundIn::OwnId | FoundIn::RelayId => false,
        });
        others.map(|reference| &reference.id)
    }

    /// What is looked up and what other messages may change at the same time, as a name each: the
    /// sender, the message itself, those it refers to, the tickets and the mail of ours it names.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = vec![format!("content {}", self.content_hash)];
        for sender in [self.sender.known(), self.requester()].into_iter().flatten() {
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

/// By which door a message came in, and what that proves. Only [`crate::store::spool::Origin`] says
/// it, never the message itself (T-46).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// By mail: what it says of itself is somebody's word.
    Mail,
    /// A user wrote it in the portal.
    Portal {
        /// Their id.
        user: String,
        /// The ticket it is for; a new one when there is none.
        ticket: Option<i64>,
    },
    /// Staff wrote it: to a requester, or for one who told them by telephone.
    Staff {
        /// None: an operator at the command line.
        agent: Option<Address>,
        /// The ticket it is for; a new one when there is none.
        ticket: Option<i64>,
    },
}

impl Door {
    /// The ticket that the message is for, if it exists already.
    pub fn ticket(&self) -> Option<i64> {
        match self {
            Door::Mail => None,
            Door::Portal { ticket, .. } | Door::Staff { ticket, .. } => *ticket,
        }
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

impl SenderAnswer {
    /// The sender, if there is one.
    pub fn known(&self) -> Option<&Sender> {
        match self {
            SenderAnswer::Known(sender) => Some(sender),
            SenderAnswer::None { .. } => None,
        }
    }
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
