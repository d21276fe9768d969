//! Carries out a plan in the transaction it was made in: its effects in their order, the decision,
//! and last the ledger's row, which must still be ours. A part of it is never written.

use jiff::Timestamp;

use super::outbox::{self, QueuedFor};
use super::owed::{self, Owed};
use super::spool::{self, Arrived, Claim, Finished};
use super::tickets::{self, Added, By, Edit, EventKind, Known, Seen};
use super::{Sql, StoreError, bounces, credentials, decisions, mailboxes, users};
use crate::clock::Ids;
use crate::faults;
use crate::mail::InboundMessage;
use crate::triage::facts::TicketStatus;
use crate::triage::plan::{
    Effect, MessageAuthor, NewMessage, Outcome, OutgoingMail, Plan, Reason, TicketRef, UserRef,
    Verdict,
};

/// What a plan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The ticket the message is on.
    pub ticket: Option<i64>,
    /// The id of the user that was made.
    pub user: Option<String>,
    /// The mails of ours that were queued.
    pub queued: Vec<i64>,
}

/// Applies the plan for a claimed message. `message` is absent when it could not be read.
pub fn apply(
    sql: &mut dyn Sql,
    plan: &Plan,
    message: Option<&InboundMessage>,
    claim: &Claim,
    ids: &Ids,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    let decision = match plan.verdict {
        Verdict::Decided(decision) => decision,
        Verdict::Deferred { until } => {
            spool::defer(sql, claim, until)?;
            return Ok(Applied::default());
        }
        Verdict::Stands => return Err(broken("it decides nothing about a message that waits")),
    };
    if let Some(message) = message.filter(|_| decision.reason != Reason::Duplicate) {
        decisions::remember(sql, message, claim.id())?;
    }
    let mut changes = Changes::new(plan, message, &claim.arrived, ids, now);
    changes.make(sql)?;
    let applied = changes.applied;
    let told = decisions::Told {
        plan,
        decision,
        message,
        ticket: applied.ticket,
        counted_at: claim.arrived.counted_at,
    };
    faults::point("apply.decision");
    decisions::insert(sql, claim.id(), &claim.mailbox, &told, now)?;
    let finished = match decision.outcome {
        Outcome::Held => Finished::Held,
        Outcome::Accepted | Outcome::Ignored => Finished::Done,
    };
    faults::point("apply.finish");
    spool::finish(sql, claim, finished)?;
    Ok(applied)
}

/// Applies the plan for a message that was decided before, and whose sender's user or credentials
/// had to wait: the decision stands, a new user gets the ticket the message opened.
pub fn apply_owed(
    sql: &mut dyn Sql,
    plan: &Plan,
    message: &InboundMessage,
    owed: &Owed,
    ids: &Ids,
    now: Timestamp,
) -> Result<Applied, StoreError> {
    owed::settle(sql, owed)?;
    let mut changes = Changes::new(plan, Some(message), &owed.arrived, ids, now);
    changes.make(sql)?;
    Ok(changes.applied)
}

struct Changes<'a> {
    plan: &'a Plan,
    message: Option<&'a InboundMessage>,
    arrived: &'a Arrived,
    ids: &'a Ids,
    now: Timestamp,
    applied: Applied,
    opened: Option<i64>,
    /// Messages added, whose ids lead to their tickets.
    added: Vec<(&'a NewMessage, i64)>,
}

impl<'a> Changes<'a> {
    fn new(
        plan: &'a Plan,
        message: Option<&'a InboundMessage>,
        arrived: &'a Arrived,
        ids: &'a Ids,
        now: Timestamp,
    ) -> Changes<'a> {
        Changes {
            plan,
            message,
            arrived,
            ids,
            now,
            applied: Applied::default(),
            opened: None,
            added: Vec::new(),
        }
    }

    fn make(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let plan = self.plan;
        for effect in &plan.effects {
            self.one(sql, effect)?;
        }
        self.store_ids(sql)
    }

    fn one(&mut self, sql: &mut dyn Sql, effect: &'a Effect) -> Result<(), StoreError> {
        let now = self.now;
        faults::point(step(effect));
        match effect {
            Effect::AddMessage(new) => self.add_message(sql, new),
            Effect::AttachUser { user, key, opened_by } => match self.user(Some(user))? {
                Some(id) => tickets::attach_user(sql, &self.arrived.message, id, key, *opened_by),
                None => Ok(()),
            },
            Effect::ClearUndeliverable { key } => users::clear_undeliverable(sql, key),
            Effect::CreateUser(new) => {
                let id = self.ids.uuid();
                users::create(sql, new, &id, self.arrived.counted_at, now)?;
                self.applied.user = Some(id);
                Ok(())
            }
            Effect::FillName { user, first_name, last_name } => {
                users::fill_name(sql, user, first_name, last_name, now)
            }
            Effect::LinkTickets { from, to } => tickets::link(sql, self.ticket(*from)?, *to),
            Effect::MoveUser { user, site } => users::place(sql, user, site, now),
            Effect::NoteTags { mailbox, seen } => mailboxes::note_tags(sql, mailbox, *seen, now),
            Effect::OpenTicket(new) => {
                let person = self.user(new.user.as_ref())?;
                let number = tickets::open(sql, new, person, self.arrived.arrived_at, now)?;
                self.opened = Some(number);
                self.applied.ticket = Some(number);
                Ok(())
            }
            Effect::Owe { until } => owed::owe(sql, &self.arrived.message, *until),
            Effect::Queue(mail) => self.queue(sql, mail),
            Effect::RecordBounce { outbox, bounce, diagnostic } => {
                bounces::record(sql, *outbox, *bounce, diagnostic, now)
            }
            Effect::ReopenTicket { number } => {
                let by = By::User(self.writer()?.map(str::to_owned));
                tickets::edit(sql, *number, &by, &Edit::Status(TicketStatus::Open), now).map(drop)
            }
            Effect::Revoke { hashes } => credentials::revoke(sql, hashes, now),
            Effect::WithholdCredentials { user, code } => {
                let user = self.user(Some(user))?.unwrap_or_default();
                users::withhold_credentials(sql, user, code)
            }
        }
    }

    fn add_message(&mut self, sql: &mut dyn Sql, new: &'a NewMessage) -> Result<(), StoreError> {
        let ticket = self.ticket(new.ticket)?;
        let message = self
            .message
            .ok_or_else(|| broken("it adds a message to a ticket that could not be read"))?;
        let person = match &new.author {
            MessageAuthor::Machine | MessageAuthor::Staff(_) => None,
            MessageAuthor::Person(user) => self.user(user.as_ref())?,
        };
        let added = Added {
            ticket,
            id: &self.arrived.message,
            message,
            plan: self.plan,
            new,
            person,
            arrived_at: self.arrived.arrived_at,
        };
        tickets::add_message(sql, &added, self.now)?;
        tickets::add_people(sql, ticket, &new.people)?;
        // A ticket opened by this message has its time already; a note changes none.
        if self.opened != Some(ticket) && new.author != MessageAuthor::Machine {
            tickets::touch(sql, ticket, self.arrived.arrived_at, self.now)?;
        }
        // Whoever asked did not open it themselves: its history says who did.
        if let (MessageAuthor::Staff(author), Some(opened)) = (&new.author, self.opened) {
            let by = author.agent.clone().map_or(By::Operator, By::Agent);
            tickets::record(sql, opened, &by, EventKind::Opened, (None, None), self.now)?;
        }
        self.applied.ticket = Some(ticket);
        self.added.push((new, ticket));
        Ok(())
    }

    fn queue(&mut self, sql: &mut dyn Sql, mail: &OutgoingMail) -> Result<(), StoreError> {
        let person = self.user(mail.user.as_ref())?;
        let ticket = mail.ticket.map(|ticket| self.ticket(ticket)).transpose()?;
        let queued_for =
            QueuedFor { person, ticket, message: Some(&self.arrived.message), event: None };
        let queued = outbox::queue(sql, mail, queued_for, self.ids, self.now)?;
        if let Some(person) = person.filter(|_| mail.brings_credentials()) {
            users::credentials_queued(sql, person, self.now)?;
        }
        self.applied.queued.push(queued.id);
        Ok(())
    }

    /// The id of the user who wrote the message, if they have an account.
    fn writer(&self) -> Result<Option<&str>, StoreError> {
        let added = self.plan.effects.iter().find_map(|effect| match effect {
            Effect::AddMessage(new) => Some(&new.author),
            _ => None,
        });
        match added {
            Some(MessageAuthor::Person(user)) => self.user(user.as_ref()),
            Some(MessageAuthor::Machine | MessageAuthor::Staff(_)) | None => Ok(None),
        }
    }

    // All at once. The ids of mails of ours are not among them: those are signed (M-79).
    fn store_ids(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let mut known = Vec::new();
        for (new, ticket) in &self.added {
            for (n, id) in new.ids.iter().enumerate() {
                let seen = if n == 0 { Seen::Received } else { Seen::Named };
                known.push(Known { id: id.as_str(), ticket: *ticket, seen });
            }
        }
        tickets::add_ids(sql, &known)
    }

    fn ticket(&self, ticket: TicketRef) -> Result<i64, StoreError> {
        match ticket {
            TicketRef::Existing(number) => Ok(number),
            TicketRef::New => {
                self.opened.ok_or_else(|| broken("it names a new ticket before it opens one"))
            }
        }
    }

    fn user<'b>(&'b self, user: Option<&'b UserRef>) -> Result<Option<&'b str>, StoreError> {
        match user {
            None => Ok(None),
            Some(UserRef::Existing(id)) => Ok(Some(id)),
            Some(UserRef::New) => match &self.applied.user {
                Some(id) => Ok(Some(id)),
                None => Err(broken("it names a new user before it makes one")),
            },
        }
    }
}

// The steps that tests may end the program at, before each effect.
fn step(effect: &Effect) -> &'static str {
    match effect {
        Effect::AddMessage(_) => "apply.add_message",
        Effect::AttachUser { .. } => "apply.attach_user",
        Effect::ClearUndeliverable { .. } => "apply.clear_undeliverable",
        Effect::CreateUser(_) => "apply.create_user",
        Effect::FillName { .. } => "apply.fill_name",
        Effect::LinkTickets { .. } => "apply.link_tickets",
        Effect::MoveUser { .. } => "apply.move_user",
        Effect::NoteTags { .. } => "apply.note_tags",
        Effect::OpenTicket(_) => "apply.open_ticket",
        Effect::Owe { .. } => "apply.owe",
        Effect::Queue(_) => "apply.queue",
        Effect::RecordBounce { .. } => "apply.record_bounce",
        Effect::ReopenTicket { .. } => "apply.reopen_ticket",
        Effect::Revoke { .. } => "apply.revoke",
        Effect::WithholdCredentials { .. } => "apply.withhold_credentials",
    }
}

fn broken(how: &str) -> StoreError {
    StoreError::Violated(format!("a plan cannot be carried out: {how}"))
}
