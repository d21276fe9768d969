//! Changing a ticket: its state, whose it is, who looks after it. Each change is a row of its
//! history, and what concerns the requester is told them, once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Actor, Counter, CounterError};
use crate::clock::Ids;
use crate::mail::{Address, AddressKey};
use crate::store::outbox::{self, QueuedFor};
use crate::store::tickets::{self, By, Edit, Event, EventKind};
use crate::store::users::{self, User};
use crate::store::{Sql, StoreError, sites};
use crate::triage::facts::{TicketStatus, UserStatus};
use crate::triage::names;
use crate::triage::news::{self, Changes};
use crate::triage::policy::{Announced, Policy, Priority};

/// One change to a ticket; an absent value clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketChange {
    /// Who looks after it: the address of an agent.
    Assignee(Option<Address>),
    Department(Option<String>),
    Priority(Option<Priority>),
    /// Gives out a file that was locked, to whoever may see the ticket (M-25).
    Release {
        /// The number of its message on the ticket.
        message: i64,
        /// Its place there, from 0.
        file: usize,
    },
    /// An address of a user.
    Requester(Address),
    /// The name of a site.
    Site(String),
    Status(TicketStatus),
    Tag(String),
    Untag(String),
}

/// What came of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The ticket that was changed: that which it was merged into, if it was.
    pub ticket: i64,
    /// What is new in its history; nothing when all was so already.
    pub events: Vec<Event>,
    /// The mail that tells the requester, by its number in the outbox.
    pub mail: Option<i64>,
}

impl Counter {
    /// Changes a ticket, all of it or nothing. A user may close and reopen what they see, and
    /// nothing else.
    pub fn change(
        &self,
        ticket: i64,
        actor: &Actor,
        changes: &[TicketChange],
    ) -> Result<Changed, CounterError> {
        let by = self.by(actor)?;
        let person = match actor {
            Actor::User { id } => Some(id.as_str()),
            Actor::Agent(_) | Actor::Operator => None,
        };
        let seat = self.store.read_only(|sql| tickets::seat(sql, ticket, person))?;
        let seat = seat.filter(|seat| person.is_none() || seat.may_write);
        let number = seat.ok_or(CounterError::NoTicket(ticket))?.number;
        if person.is_some() && !changes.iter().all(may_be_a_users) {
            return Err(CounterError::Refused {
                what: "a user may close a ticket or open it again, and change nothing else of it"
                    .to_owned(),
                hint: "write what is to be changed to whoever looks after it",
            });
        }
        let mut edits = Vec::new();
        for change in changes {
            let edit = self.edit(number, change)?;
            let is_an_end_users = matches!(&edit, Edit::Requester { key, .. }
                if !self.options.policy.agents.contains_key(key));
            edits.push(edit);
            if is_an_end_users {
                edits.push(Edit::Share);
            }
        }
        let (policy, ids, now) = (self.options.policy.clone(), self.ids.clone(), self.clock.now());
        let changed = self
            .store
            .transact(move |sql| carry_out(sql, number, &by, &edits, &policy, &ids, now))?;
        if !changed.events.is_empty() {
            (self.options.wake)();
        }
        Ok(changed)
    }

    /// How the history names who acts.
    pub fn by(&self, actor: &Actor) -> Result<By, CounterError> {
        match actor {
            Actor::Agent(_) => {
                let agent = self.agent(actor)?;
                Ok(agent.map_or(By::Operator, |(address, _)| By::Agent(self.key(&address))))
            }
            Actor::Operator => Ok(By::Operator),
            Actor::User { id } => Ok(By::User(Some(self.user(id)?.id))),
        }
    }

    fn key(&self, address: &Address) -> AddressKey {
        address.key(names::plus_tag(&self.options.policy.users))
    }

    fn edit(&self, ticket: i64, change: &TicketChange) -> Result<Edit, CounterError> {
        Ok(match change {
            TicketChange::Assignee(None) => Edit::Assignee(None),
            TicketChange::Assignee(Some(address)) => {
                let agent = self.agent(&Actor::Agent(address.clone()))?;
                Edit::Assignee(agent.map(|(address, _)| self.key(&address)))
            }
            TicketChange::Department(to) => Edit::Department(text(to.as_deref())),
            TicketChange::Priority(to) => Edit::Priority(*to),
            TicketChange::Release { message, file } => self.release(ticket, *message, *file)?,
            TicketChange::Requester(address) => self.requester(address)?,
            TicketChange::Site(name) => {
                let site = self.store.read_only(|sql| sites::show(sql, name))?;
                let site = site.filter(|site| !site.retired).ok_or(CounterError::Unknown {
                    what: "the site",
                    name: name.clone(),
                    hint: "`guichet sites list` lists them",
                })?;
                Edit::Site(site.id, site.name)
            }
            TicketChange::Status(to) => Edit::Status(*to),
            TicketChange::Tag(tag) => Edit::Tag(a_tag(tag)?),
            TicketChange::Untag(tag) => Edit::Untag(a_tag(tag)?),
        })
    }

    fn release(&self, ticket: i64, message: i64, file: usize) -> Result<Edit, CounterError> {
        let messages = self.store.read_only(|sql| tickets::messages(sql, ticket))?;
        let found = messages.into_iter().find(|known| known.n == message);
        let found = found.and_then(|mut found| {
            (file < found.attachments.len()).then(|| found.attachments.swap_remove(file))
        });
        let stored = found.ok_or(CounterError::Unknown {
            what: "the attachment",
            name: format!("{message}/{file}"),
            hint: "`guichet tickets show` lists them",
        })?;
        if !stored.released && !stored.is_locked(&self.options.policy.filters) {
            return Err(CounterError::Refused {
                what: format!("`{}` is not locked", stored.name.escape_debug()),
                hint: "nothing is to be done: whoever sees the ticket can save it",
            });
        }
        Ok(Edit::Release { message, file, name: stored.name })
    }

    fn requester(&self, address: &Address) -> Result<Edit, CounterError> {
        self.must_take_tickets(address)?;
        let key = self.key(address);
        let user: Option<User> = self.store.read_only(|sql| users::show(sql, key.as_str()))?;
        let user = user.ok_or(CounterError::Unknown {
            what: "the user",
            name: address.to_string(),
            hint: "`guichet users add` adds them",
        })?;
        if user.status != UserStatus::Active {
            return Err(CounterError::Account);
        }
        let name = users::display(&user.first_name, &user.last_name);
        Ok(Edit::Requester {
            address: address.clone(),
            key,
            name: Some(name).filter(|name| !name.is_empty()),
            user: user.id,
        })
    }
}

fn may_be_a_users(change: &TicketChange) -> bool {
    matches!(change, TicketChange::Status(TicketStatus::Closed | TicketStatus::Open))
}

fn carry_out(
    sql: &mut dyn Sql,
    ticket: i64,
    by: &By,
    edits: &[Edit],
    policy: &Policy,
    ids: &Ids,
    now: Timestamp,
) -> Result<Changed, StoreError> {
    let mut events = Vec::new();
    for edit in edits {
        events.extend(tickets::edit(sql, ticket, by, edit, now)?);
    }
    let what: BTreeSet<Announced> = events.iter().filter_map(announced).collect();
    let mut changed = Changed { ticket, events, mail: None };
    if what.is_empty() {
        return Ok(changed);
    }
    let Some(requester) = tickets::requester(sql, ticket)? else { return Ok(changed) };
    let Some(place) = tickets::place(sql, ticket)? else { return Ok(changed) };
    let (user, agent) = match by {
        By::Agent(key) => (None, Some(key.clone())),
        By::Operator => (None, None),
        By::User(id) => (id.clone(), None),
    };
    let tickets::Place { staff_only, site, locale, assignee } = place;
    let changes =
        Changes { ticket, staff_only, what, user, agent, requester, site, locale, assignee };
    let event = changed.events.last().map(|event| event.n);
    for notice in news::to_staff(&changes, policy) {
        let about = QueuedFor { ticket: Some(ticket), event, ..QueuedFor::default() };
        outbox::queue(sql, &notice, about, ids, now)?;
    }
    let Some(mail) = news::of(changes, policy) else { return Ok(changed) };
    let user = mail.user.as_ref().and_then(|user| user.id());
    let about = QueuedFor { person: user, ticket: Some(ticket), message: None, event };
    let queued = outbox::queue(sql, &mail, about, ids, now)?;
    if matches!(by, By::User(_)) {
        // Closed, open and closed again is one mail, unless the first has gone (T-47).
        outbox::replace_earlier(sql, queued.id)?;
    }
    changed.mail = Some(queued.id);
    Ok(changed)
}

fn announced(event: &Event) -> Option<Announced> {
    match event.kind {
        EventKind::Assignee => Some(Announced::Assignee),
        EventKind::Closed => Some(Announced::Closed),
        EventKind::Reopened | EventKind::Status => Some(Announced::Status),
        EventKind::Site => Some(Announced::Site),
        EventKind::Department
        | EventKind::Merged
        | EventKind::Opened
        | EventKind::Priority
        | EventKind::Readers
        | EventKind::Released
        | EventKind::Requester
        | EventKind::Tags => None,
    }
}

const LONGEST_TAG: usize = 50;

fn a_tag(written: &str) -> Result<String, CounterError> {
    let tag = written.trim().trim_start_matches('#').to_lowercase();
    let is_good = !tag.is_empty()
        && tag.chars().count() <= LONGEST_TAG
        && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/'));
    if is_good {
        return Ok(tag);
    }
    Err(CounterError::Refused {
        what: format!("`{}` is no tag", written.escape_debug()),
        hint: "a tag is one word of letters, digits and `-_.:/`, at most 50 characters",
    })
}

fn text(written: Option<&str>) -> Option<String> {
    written.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
