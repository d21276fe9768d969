//! Finds what keys of ours vouch for in a message: V1 to V3 of M-79, our own mail coming back
//! (M-58), a probe (M-57), the mail that bounced (M-64).

use jiff::Timestamp;

use super::ask::was_delivered;
use super::facts::{Bounced, Probe, SenderAnswer, Signed, SignedTicket, TagsSeen, TicketEvidence};
use super::keys::{Keyring, Mark, Tag, TaggedAddress, agent_name};
use super::policy::{MailboxPolicy, Policy};
use super::{recipients, sender};
use crate::mail::address::PlusTag;
use crate::mail::{Address, Bounce, Complaint, InboundMessage, MachineReport, MessageId};

/// Tickets that marks lead to at most.
const TICKETS: usize = 10;

/// What keys of ours vouch for in `message`.
pub fn read(
    message: &InboundMessage,
    sender: &SenderAnswer,
    policy: &Policy,
    keys: &Keyring,
) -> Signed {
    let agent = sender.known().filter(|sender| policy.agents.contains_key(&sender.key));
    let agent = agent.map(|sender| agent_name(&sender.key));
    let signed = Signed::default();
    let mut reading = Reading { message, policy, keys, agent, signed, bounce: None };
    reading.addresses();
    reading.ids();
    if policy.threading.use_body_token {
        reading.tokens();
    }
    reading.own_fields();
    reading.signed.bounced = reading.bounced();
    reading.signed
}

/// The left side of an id, when a relay may have made it (M-82): long enough not to be guessed, and
/// none of ours.
pub fn relay_id(id: &MessageId) -> Option<MessageId> {
    let (left, _) = id.as_str().split_once('@')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (left.len() >= 16 && left.chars().all(is_plain)).then(|| MessageId::parse(left)).flatten()
}

struct Reading<'a> {
    message: &'a InboundMessage,
    policy: &'a Policy,
    keys: &'a Keyring,
    /// How the marks of addresses name the sender, who is of the staff.
    agent: Option<String>,
    signed: Signed,
    /// The mail whose bounces come to an address that this message went to.
    bounce: Option<i64>,
}

impl<'a> Reading<'a> {
    /// V1: a reply address among the recipients; and the other marks that addresses carry.
    fn addresses(&mut self) {
        let message = self.message;
        let named = message.to.iter().chain(&message.cc).map(|to| to.address.as_str());
        let resent = sender::values(message, "Resent-To")
            .flat_map(|value| value.split(|c: char| c.is_whitespace() || ",;<>\"".contains(c)));
        let delivered = message.delivered_to.iter().map(String::as_str);
        let tagged = named.chain(delivered).chain(resent).filter(|written| written.contains('+'));
        for address in tagged.filter_map(sender::good) {
            match self.keys.address(&address) {
                Some(Mark::Valid(tagged)) => self.tagged(tagged),
                Some(Mark::Forged) => {
                    self.signed.is_forged |= recipients::is_own(&address, self.policy);
                }
                None => {}
            }
        }
    }

    fn tagged(&mut self, tagged: TaggedAddress) {
        let seen = match tagged.tag.clone() {
            Tag::Agent { ticket, agent } => {
                self.signed.is_to_agent = true;
                // Anybody else's is nobody's evidence.
                if self.agent.as_ref() == Some(&agent) {
                    self.add(ticket, TicketEvidence::AgentAddress);
                }
                TagsSeen::ReplyAddress
            }
            Tag::Bounce { mail } => {
                self.bounce = self.bounce.or(Some(mail));
                TagsSeen::BounceAddress
            }
            Tag::Reply { ticket } => {
                self.add(ticket, TicketEvidence::ReplyAddress);
                TagsSeen::ReplyAddress
            }
        };
        // What was only written there need not be what was delivered.
        let is_at_this = |mailbox: &MailboxPolicy| is_of(mailbox, &tagged);
        if let Some(mailbox) = self.policy.mailboxes.values().find(|mailbox| is_at_this(mailbox))
            && self.arrived_by_tag(mailbox)
        {
            self.signed.tags_seen = Some((mailbox.name.clone(), seen));
        }
    }

    /// Whether the message can have come to `mailbox` by a tagged address only.
    fn arrived_by_tag(&self, mailbox: &MailboxPolicy) -> bool {
        let message = self.message;
        let is_tagged = |written: &str| {
            let address = sender::good(written)?;
            let is_ours = address.key(PlusTag::Strip) == mailbox.address.key(PlusTag::Strip);
            is_ours.then(|| address.key(PlusTag::Keep) != mailbox.address.key(PlusTag::Keep))
        };
        let delivered = message.delivered_to.iter().filter_map(|written| is_tagged(written));
        let delivered: Vec<bool> = delivered.collect();
        if !delivered.is_empty() {
            return delivered.contains(&true);
        }
        let own = message
            .to
            .iter()
            .chain(&message.cc)
            .filter(|to| recipients::is_own_written(&to.address, self.policy));
        own.filter_map(|to| is_tagged(&to.address)).all(|is_tagged| is_tagged)
    }

    /// V2: the ids of our mails that it answers.
    fn ids(&mut self) {
        let message = self.message;
        for id in &message.in_reply_to {
            self.id(id);
        }
        if self.policy.threading.use_references {
            for id in message.references.iter().rev() {
                self.id(id);
            }
        }
    }

    fn id(&mut self, id: &MessageId) {
        match self.keys.message_id(id) {
            Some(Mark::Valid(own)) => {
                self.add(own.ticket, TicketEvidence::MessageId { id: id.clone() });
            }
            Some(Mark::Forged) => self.signed.is_forged |= self.is_of_our_domain(id),
            None => {}
        }
    }

    /// V3: tokens in the text. Another guichet's look the same, so a wrong one beside a good one is
    /// theirs.
    fn tokens(&mut self) {
        let mut is_forged = false;
        for token in &self.message.marks.tokens {
            match self.keys.body_token(token) {
                Some(Mark::Valid(ticket)) => {
                    self.add(ticket, TicketEvidence::BodyToken);
                    self.signed.tokens.push(token.clone());
                }
                Some(Mark::Forged) => is_forged = true,
                None => {}
            }
        }
        self.signed.is_forged |= is_forged && self.signed.tokens.is_empty();
    }

    /// M-56…M-58: fields that only our own mail has.
    fn own_fields(&mut self) {
        let marks = &self.message.marks;
        let named = marks.values("Message-ID").filter_map(MessageId::parse);
        let named = named.map(|id| (id, "X-Guichet-Message-ID"));
        let own = std::iter::once((self.message.message_id.clone(), "Message-ID"));
        for (id, field) in own.chain(named) {
            match self.keys.message_id(&id) {
                Some(Mark::Valid(_)) => {
                    self.signed.came_back.get_or_insert_with(|| format!("{field}={id}"));
                }
                Some(Mark::Forged) if field == "Message-ID" => {
                    self.signed.is_forged |= self.is_of_our_domain(&id);
                }
                Some(Mark::Forged) | None => {}
            }
        }
        if marks.values("Loop").any(|value| self.keys.is_own_loop(value)) {
            self.signed.came_back.get_or_insert_with(|| "X-Guichet-Loop of ours".to_owned());
        }
        self.signed.probe = marks.values("Probe").find_map(|value| self.probe(value));
    }

    fn probe(&self, value: &str) -> Option<Probe> {
        self.policy.mailboxes.values().find_map(|mailbox| {
            let second = self.keys.probe(value, &mailbox.address)?;
            let sent_at = Timestamp::from_second(second).ok()?;
            Some(Probe { mailbox: mailbox.name.clone(), sent_at })
        })
    }

    /// M-64: what the bounce names of our mail, and to whom that could not be delivered.
    fn bounced(&self) -> Option<Bounced> {
        let bounce = match &self.message.report {
            Some(MachineReport::Bounce(bounce)) => bounce,
            Some(MachineReport::Complaint(complaint)) => return self.complained(complaint),
            Some(MachineReport::Report { .. }) | None => return None,
        };
        let ids = self.returned_ids(bounce);
        let relay_ids = ids.iter().filter_map(relay_id).collect();
        let recipients = bounce
            .recipients
            .iter()
            .filter(|recipient| !was_delivered(recipient.action.as_deref()))
            .filter_map(|recipient| Address::parse(&recipient.address).ok())
            .map(|address| address.key(PlusTag::Strip))
            .collect();
        let bounced = Bounced { mail: self.bounce, ids, relay_ids, recipients };
        (bounced.mail.is_some() || !bounced.ids.is_empty()).then_some(bounced)
    }

    /// M-60: what a complaint names of our mail, and who complained.
    fn complained(&self, complaint: &Complaint) -> Option<Bounced> {
        let ids: Vec<MessageId> = complaint.ids.iter().take(TICKETS).cloned().collect();
        let relay_ids = ids.iter().filter_map(relay_id).collect();
        let recipients = complaint.recipients.iter().filter_map(|written| sender::good(written));
        let recipients = recipients.map(|address| address.key(PlusTag::Strip)).collect();
        let bounced = Bounced { mail: self.bounce, ids, relay_ids, recipients };
        (bounced.mail.is_some() || !bounced.ids.is_empty()).then_some(bounced)
    }

    fn returned_ids(&self, bounce: &Bounce) -> Vec<MessageId> {
        let message = self.message;
        let written = sender::values(message, "Original-Message-ID").filter_map(MessageId::parse);
        let mut ids: Vec<MessageId> = Vec::new();
        let named = message.in_reply_to.iter().chain(message.references.iter().rev());
        let returned = bounce.original_message_id.iter().chain(&bounce.given_message_id);
        for id in returned.chain(named).cloned().chain(written) {
            if ids.len() < TICKETS && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    fn add(&mut self, ticket: i64, evidence: TicketEvidence) {
        let tickets = &mut self.signed.tickets;
        let is_known = tickets.iter().any(|known| known.number == ticket);
        if ticket > 0 && !is_known && tickets.len() < TICKETS {
            tickets.push(SignedTicket { number: ticket, evidence });
        }
    }

    /// Another guichet's ids look the same.
    fn is_of_our_domain(&self, id: &MessageId) -> bool {
        let domain = id.as_str().rsplit('@').next().unwrap_or_default();
        let mut mailboxes = self.policy.mailboxes.values();
        mailboxes.any(|mailbox| mailbox.message_id_domain.eq_ignore_ascii_case(domain))
    }
}

fn is_of(mailbox: &MailboxPolicy, tagged: &TaggedAddress) -> bool {
    mailbox.address.key(PlusTag::Keep) == tagged.mailbox
}
