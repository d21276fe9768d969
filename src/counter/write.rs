//! Writing: to a ticket that exists, or the first word of a new one. What is written is safe once
//! this has answered; what becomes of it is decided like a mail.

use jiff::Timestamp;

use super::compose::{self, Letter};
use super::{ATTACHMENTS, Actor, Counter, CounterError};
use crate::mail::Address;
use crate::store::spool::{self, Acknowledge, Arrival, Growing, Intake, Origin};
use crate::store::tickets::{self, Seat};
use crate::store::users::{self, User};
use crate::triage::facts::UserStatus;
use crate::triage::names;
use crate::triage::plan::Outcome as End;
use crate::triage::policy::MailboxPolicy;

// T-52: what is taken of one user while nothing of it is read, as it is not beyond
// `limits.per_sender`; in messages, and in bytes of all of them.
const UNREAD_MESSAGES: u64 = 5;
const UNREAD_BYTES: u64 = 50_000_000;

/// A file that comes with what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// As its owner calls it: a label, never a path (T-33).
    pub name: String,
    /// As its sender says; anything that could be taken for a part of the message is a plain file.
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// Who asks, when staff writes for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    pub address: Address,
    pub name: Option<String>,
}

/// Whether mail goes out of its own accord: the acknowledgement, a new user's credentials, the
/// answer itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mails {
    #[default]
    Sent,
    Withheld,
}

/// What is written.
#[derive(Clone, Debug, Default)]
pub struct Writing {
    /// The ticket it is for; a new one when there is none.
    pub ticket: Option<i64>,
    /// The mailbox that a new ticket belongs to; the desk's own when none is named.
    pub mailbox: Option<String>,
    /// Of a new ticket; an answer has that of its ticket.
    pub subject: String,
    pub text: String,
    pub attachments: Vec<Upload>,
    /// Of a new ticket that staff opens.
    pub requester: Option<Requester>,
    /// Of what staff writes.
    pub mails: Mails,
    /// The same thing sent twice, with the same token, is one message: letters, digits and `-`, at
    /// most 64. One is made when there is none.
    pub token: Option<String>,
}

/// Whose words they are, and where they go.
struct Place {
    origin: Origin,
    mailbox: MailboxPolicy,
    from: (Address, Option<String>),
    subject: String,
}

/// A message to spool.
pub(super) struct Written {
    pub arrival: Arrival,
    pub origin: Origin,
    pub mailbox: MailboxPolicy,
}

impl Counter {
    /// Takes in what `actor` has written; answers the id of the message. Who may not write to the
    /// ticket is answered as if there were none.
    pub fn write(&self, actor: &Actor, writing: Writing) -> Result<String, CounterError> {
        let now = self.clock.now();
        let Written { arrival, origin, mailbox } = self.put_together(actor, &writing, now)?;
        let size = arrival.size();
        let arrivals = [arrival];
        let spooled = self.store.transact(move |sql| {
            // P-02: it was sent before, with the same token.
            if let Some(known) = spool::of_origin(sql, &mailbox.name, &origin)? {
                return Ok(Some(known));
            }
            if let Origin::Portal { person, .. } = &origin {
                let unread = spool::unread_of(sql, &mailbox.name, person)?;
                if unread.messages >= UNREAD_MESSAGES || unread.bytes + size > UNREAD_BYTES {
                    return Ok(None);
                }
            }
            let new = spool::spool(sql, &arrivals, now, Acknowledge::Never)?;
            Ok(new.into_iter().next())
        })?;
        let id = spooled.ok_or(CounterError::Unread)?;
        (self.options.wake)();
        Ok(id)
    }

    /// What was written as a message, not spooled yet.
    pub(super) fn put_together(
        &self,
        actor: &Actor,
        writing: &Writing,
        now: Timestamp,
    ) -> Result<Written, CounterError> {
        if writing.text.trim().is_empty() && writing.attachments.is_empty() {
            return Err(CounterError::Empty);
        }
        let count = writing.attachments.len();
        if count > ATTACHMENTS {
            return Err(CounterError::TooManyFiles { count, most: ATTACHMENTS });
        }
        if !(self.options.has_room)() {
            return Err(CounterError::Full);
        }
        let place = self.place(actor, writing)?;
        let raw = self.compose(&place, writing, now)?;
        let Place { origin, mailbox, .. } = place;
        let growing = Growing::whole(&raw);
        let name = mailbox.name.clone();
        let arrival = growing.finish(name, &origin, now, Intake::Mailbox, &self.ids);
        Ok(Written { arrival, origin, mailbox })
    }

    fn place(&self, actor: &Actor, writing: &Writing) -> Result<Place, CounterError> {
        let id = token(writing.token.as_deref()).unwrap_or_else(|| self.ids.uuid());
        match actor {
            Actor::Agent(_) | Actor::Operator => self.place_of_staff(actor, writing, id),
            Actor::User { id: person } => self.place_of_user(person, writing, id),
        }
    }

    fn place_of_user(
        &self,
        person: &str,
        writing: &Writing,
        id: String,
    ) -> Result<Place, CounterError> {
        let user = self.user(person)?;
        let seat = match writing.ticket {
            Some(number) => {
                let found = self.store.read_only(|sql| tickets::seat(sql, number, Some(person)))?;
                let seat = found.filter(|seat| seat.may_write);
                Some(seat.ok_or(CounterError::NoTicket(number))?)
            }
            None => None,
        };
        let main = user.addresses.first().and_then(|main| Address::parse(&main.address).ok());
        let address = main.ok_or(CounterError::Account)?;
        let name = Some(users::display(&user.first_name, &user.last_name));
        let ticket = seat.as_ref().map(|seat| seat.number);
        Ok(Place {
            origin: Origin::Portal { person: user.id, ticket, id },
            mailbox: self.mailbox(seat.as_ref(), writing)?,
            from: (address, name.filter(|name| !name.is_empty())),
            subject: seat.map_or_else(|| writing.subject.clone(), |seat| seat.subject),
        })
    }

    fn place_of_staff(
        &self,
        actor: &Actor,
        writing: &Writing,
        id: String,
    ) -> Result<Place, CounterError> {
        let agent = self.agent(actor)?;
        let seat = match writing.ticket {
            Some(number) => {
                let found = self.store.read_only(|sql| tickets::seat(sql, number, None))?;
                Some(found.ok_or(CounterError::NoTicket(number))?)
            }
            None => None,
        };
        let mailbox = self.mailbox(seat.as_ref(), writing)?;
        let from = match (&seat, &writing.requester, &agent) {
            (Some(_), _, Some((address, name))) => (address.clone(), Some(name.clone())),
            (Some(_), _, None) => (mailbox.address.clone(), None),
            (None, Some(requester), _) => {
                self.must_take_tickets(&requester.address)?;
                (requester.address.clone(), requester.name.clone())
            }
            (None, None, _) => return Err(CounterError::Nobody),
        };
        let ticket = seat.as_ref().map(|seat| seat.number);
        let agent = agent.map(|(address, _)| address);
        Ok(Place {
            origin: Origin::Staff { agent, ticket, id },
            mailbox,
            from,
            subject: seat.map_or_else(|| writing.subject.clone(), |seat| seat.subject),
        })
    }

    /// Refuses who is not to be given a ticket (T-54), and whom no mail of ours can go to.
    pub(super) fn must_take_tickets(&self, address: &Address) -> Result<(), CounterError> {
        let policy = &self.options.policy;
        let key = address.key(names::plus_tag(&policy.users));
        if policy.own.contains(&address.key(crate::mail::PlusTag::Strip)) {
            let what = format!("`{address}` is one of our own addresses");
            return Err(CounterError::Refused { what, hint: "name whoever asks" });
        }
        let user = self.store.read_only(|sql| users::show(sql, key.as_str()))?;
        match user {
            // Mail from who is disabled becomes tickets too; who was deleted is not to be asked after.
            Some(user) if user.status == UserStatus::Deleted => Err(CounterError::Account),
            Some(_) | None => Ok(()),
        }
    }

    /// The user of this id, who may use their account.
    pub(super) fn user(&self, person: &str) -> Result<User, CounterError> {
        let user = self.store.read_only(|sql| users::show(sql, person))?;
        // Their id, not an address that happens to be asked for.
        let user = user.filter(|user| user.id == person && user.status == UserStatus::Active);
        user.ok_or(CounterError::Account)
    }

    /// The agent who acts, with their name; `None` for an operator.
    pub(super) fn agent(&self, actor: &Actor) -> Result<Option<(Address, String)>, CounterError> {
        let Actor::Agent(address) = actor else { return Ok(None) };
        let policy = &self.options.policy;
        let key = address.key(names::plus_tag(&policy.users));
        match policy.agents.get(&key) {
            Some(agent) => Ok(Some((agent.address.clone(), agent.name.clone()))),
            None => Err(CounterError::Unknown {
                what: "the agent",
                name: address.to_string(),
                hint: "name the address of one of the `[[agent]]`s of the configuration",
            }),
        }
    }

    fn mailbox(
        &self,
        seat: Option<&Seat>,
        writing: &Writing,
    ) -> Result<MailboxPolicy, CounterError> {
        let mailboxes = &self.options.policy.mailboxes;
        let own = &self.options.mailbox;
        let wanted = match (seat, &writing.mailbox) {
            // One that is no longer configured has no address to write from.
            (Some(seat), _) if mailboxes.contains_key(&seat.mailbox) => &seat.mailbox,
            (Some(_), _) | (None, None) => own,
            (None, Some(named)) => named,
        };
        mailboxes.get(wanted).cloned().ok_or_else(|| CounterError::NoMailbox(wanted.clone()))
    }

    fn compose(
        &self,
        place: &Place,
        writing: &Writing,
        now: Timestamp,
    ) -> Result<Vec<u8>, CounterError> {
        let id = self.ids.uuid();
        let raw = compose::compose(&Letter {
            from: &place.from.0,
            name: place.from.1.as_deref(),
            to: &place.mailbox.address,
            message_id: &format!("{id}@{}", place.mailbox.message_id_domain),
            date: now,
            subject: &place.subject,
            text: &writing.text,
            attachments: &writing.attachments,
            mails: writing.mails,
        });
        let (size, largest) = (raw.len() as u64, self.options.largest);
        if size > largest {
            return Err(CounterError::TooLarge { size, largest });
        }
        Ok(raw)
    }
}

/// Whether what was written came onto a ticket.
impl super::Outcome {
    pub fn is_accepted(&self) -> bool {
        self.decision.outcome == End::Accepted
    }
}

fn token(written: Option<&str>) -> Option<String> {
    let is_good = |token: &&str| {
        (1..=64).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    written.filter(is_good).map(str::to_owned)
}
