//! Opens tickets, and adds messages to them.

use super::case::{Case, decided};
use super::thread::{matched_by, said};
use super::{mails, notices, people};
use crate::mail::{AddressKey, MessageId};
use crate::triage::attachments::locked;
use crate::triage::facts::{Sender, SiteFacts, TicketFacts, TicketRole, TicketStatus};
use crate::triage::plan::{
    Effect, Kind, MessageAuthor, NewMessage, NewTicket, Outcome, Reason, StaffNote, TicketRef,
    UserRef, Verdict,
};
use crate::triage::tag::Tag;
use crate::triage::{flags, known, names, recipients, sender, sites};

/// How a new ticket relates to one that exists.
#[derive(Clone, Copy)]
pub enum Opening<'a> {
    /// It follows one that its sender may append to: closed long ago (M-86), or forwarded (M-85).
    FollowUp(&'a TicketFacts),
    Plain,
    /// Its sender claims one that is not theirs (M-81).
    Stranger(&'a TicketFacts),
}

/// Opens a ticket for a person.
pub fn open(case: &mut Case, sender: &Sender, opening: Opening) -> Verdict {
    if let Some(verdict) = refuse_new_ticket(case) {
        return verdict;
    }
    if let Some(verdict) = refuse_unknown(case, sender) {
        return verdict;
    }
    people::say_site(case);
    let home = case.home();
    let user = people::settle(case, sender);
    let author = MessageAuthor::Person(user.clone());
    open_ticket(case, sender, home, opening, author, Readers::All);
    mails::acknowledge(case, sender, home, user.as_ref(), opening);
    mails::credentials(case, sender, user.as_ref(), home, opening);
    let reason = match opening {
        Opening::FollowUp(_) | Opening::Stranger(_) => Reason::FollowUpLinked,
        Opening::Plain => Reason::TicketCreated,
    };
    decided(Outcome::Accepted, reason)
}

/// Opens a ticket for staff alone, from the mail of a machine, a list or a robot (M-44, M-55).
pub fn open_for_staff(case: &mut Case, sender: &Sender, author: MessageAuthor) -> Verdict {
    let site = match &case.facts.user {
        Some(user) => &user.site,
        None => sites::matched(case.facts),
    };
    people::say_match(case, site);
    case.tell_site(site, "user");
    open_ticket(case, sender, site, Opening::Plain, author, Readers::Staff);
    decided(Outcome::Accepted, Reason::StaffTicketCreated)
}

/// Ends the walk when the sender's mail is not made into tickets.
pub fn refuse_new_ticket(case: &mut Case) -> Option<Verdict> {
    if !case.facts.user.as_ref().is_some_and(|user| user.no_tickets) {
        return None;
    }
    case.say("M-01", "the sender's mail is not made into tickets, as set for this user");
    Some(decided(Outcome::Ignored, Reason::UserIngestionOff))
}

/// Ends the walk when only who is known may open tickets (M-45).
pub fn refuse_unknown(case: &mut Case, sender: &Sender) -> Option<Verdict> {
    let is_staff = case.policy.agents.contains_key(&sender.key);
    if case.facts.user.is_some() || case.policy.users.auto_create || is_staff {
        return None;
    }
    let said = format!("`{}` is unknown, and no user is made", sender.address);
    case.say_by("M-45", "users.auto_create", said);
    Some(decided(Outcome::Held, Reason::AutoCreateOff))
}

/// Adds a person's message to a ticket they may append to, and reopens it if need be (M-86).
pub fn append(case: &mut Case, sender: &Sender, ticket: &TicketFacts) -> Verdict {
    case.say("M-80", format!("{}, and the sender may append to it", said(ticket)));
    let home = case.home();
    let user = people::settle(case, sender);
    let mut reason = Reason::ReplyAdded;
    match ticket.status {
        TicketStatus::Closed => {
            reason = Reason::TicketReopened;
            case.effects.push(Effect::ReopenTicket { number: ticket.number });
            let key = "threading.reopen_within";
            case.say_by("M-86", key, "it was closed a short time ago, so it is open again");
        }
        TicketStatus::Open => {}
        TicketStatus::Pending => {
            case.effects.push(Effect::ReopenTicket { number: ticket.number });
            case.say("M-55", "it waited for an answer, so it is open again");
        }
    }
    let author = MessageAuthor::Person(user.clone());
    add_to(case, ticket, author.clone());
    notices::of_answer(case, ticket, &author);
    let on = TicketRef::Existing(ticket.number);
    mails::tell_too_large(case, sender, home, user.as_ref(), on);
    mails::credentials(case, sender, user.as_ref(), home, Opening::Plain);
    decided(Outcome::Accepted, reason)
}

/// Adds a message to a ticket that exists.
pub fn add_to(case: &mut Case, ticket: &TicketFacts, author: MessageAuthor) {
    say_locked(case);
    case.tell_site(&ticket.site, "ticket");
    case.story.ticket.number = Some(ticket.number);
    case.story.ticket.matched_by = Some(matched_by(ticket).to_owned());
    // M-80: whom the requester or a participant writes to becomes a correspondent, not whom a
    // correspondent writes to.
    let people = match (&author, ticket.sender_role) {
        (MessageAuthor::Person(_), Some(TicketRole::Requester | TicketRole::Participant)) => {
            correspondents(case)
        }
        _ => Vec::new(),
    };
    case.effects.push(Effect::AddMessage(NewMessage {
        ticket: TicketRef::Existing(ticket.number),
        author,
        people,
        ids: ids(case),
        known: case.questions.known.clone(),
        repeats: known::repeats(case.message, &ticket.known),
        note: None,
    }));
}

/// Who may see a ticket.
#[derive(Clone, Copy)]
pub enum Readers {
    All,
    Staff,
}

/// A ticket to begin with the message.
pub struct Beginning<'a> {
    pub requester: &'a Sender,
    /// The requester's user.
    pub user: Option<UserRef>,
    pub site: &'a SiteFacts,
    pub subject: String,
    pub linked_to: Option<&'a TicketFacts>,
    pub author: MessageAuthor,
    pub readers: Readers,
    /// Who is what to it (M-80).
    pub people: Vec<(AddressKey, TicketRole)>,
    /// The ids that lead to it (M-87).
    pub ids: Vec<MessageId>,
    /// What in its message is for staff alone (M-105).
    pub note: Option<StaffNote>,
}

/// Opens a ticket of `sender` with the message.
pub fn open_ticket(
    case: &mut Case,
    sender: &Sender,
    site: &SiteFacts,
    opening: Opening,
    author: MessageAuthor,
    readers: Readers,
) {
    let written = &case.message.subject;
    let (subject, linked_to) = match opening {
        Opening::Plain => (written.clone(), None),
        Opening::FollowUp(ticket) | Opening::Stranger(ticket) => {
            (without_tags(case, written), Some(ticket))
        }
    };
    let user = match &author {
        MessageAuthor::Machine | MessageAuthor::Staff(_) => None,
        MessageAuthor::Person(user) => user.clone(),
    };
    let mut people = vec![(sender.key.clone(), TicketRole::Requester)];
    people.extend(correspondents(case).into_iter().filter(|(key, _)| *key != sender.key));
    let ids = ids(case);
    let requester = sender;
    begin(
        case,
        Beginning {
            requester,
            user,
            site,
            subject,
            linked_to,
            author,
            readers,
            people,
            ids,
            note: None,
        },
    );
}

/// Opens a ticket, puts the message on it, and links it for staff.
pub fn begin(case: &mut Case, beginning: Beginning) {
    say_locked(case);
    let Beginning { requester, site, author, people, ids, note, .. } = beginning;
    case.effects.push(Effect::OpenTicket(NewTicket {
        subject: beginning.subject,
        requester_address: requester.address.to_string(),
        requester_key: requester.key.clone(),
        requester_name: flags::usable_name(requester, case.policy).map(str::to_owned),
        user: beginning.user,
        site: site.id.clone(),
        mailbox: case.questions.mailbox.clone(),
        department: case.mailbox().and_then(|mailbox| mailbox.department.clone()),
        staff_only: matches!(beginning.readers, Readers::Staff),
    }));
    let message = NewMessage {
        ticket: TicketRef::New,
        author,
        people,
        ids,
        known: case.questions.known.clone(),
        repeats: Vec::new(),
        note,
    };
    let author = message.author.clone();
    case.effects.push(Effect::AddMessage(message));
    if let Some(ticket) = beginning.linked_to {
        let to = ticket.number;
        case.effects.push(Effect::LinkTickets { from: TicketRef::New, to });
        case.story.ticket.matched_by = Some(matched_by(ticket).to_owned());
        case.story.ticket.linked_to = Some(to);
    }
    notices::of_new_ticket(case, site, &author);
}

/// M-25: tells which files wait for staff.
fn say_locked(case: &mut Case) {
    let filters = &case.policy.filters;
    for file in case.message.attachments.iter().filter(|file| locked(&file.name, filters)) {
        let said = format!("`{}` is locked until staff release it", file.name);
        case.say_by("M-25", "filters.blocked_attachments", said);
    }
}

/// A subject without the tags of tickets (M-86).
pub fn without_tags(case: &Case, subject: &str) -> String {
    match Tag::new(&case.policy.threading.subject_tag) {
        Some(tag) => tag.cut_from(subject),
        None => subject.to_owned(),
    }
}

/// M-80: the good addresses of To and Cc that are not ours, each once.
pub fn correspondents(case: &Case) -> Vec<(AddressKey, TicketRole)> {
    // A list's recipients are the list.
    if case.story.kind == Some(Kind::List) {
        return Vec::new();
    }
    let plus_tag = names::plus_tag(&case.policy.users);
    let written = case.message.to.iter().chain(&case.message.cc);
    let mut keys: Vec<AddressKey> = written
        .filter_map(|named| sender::good(&named.address))
        .filter(|address| !recipients::is_own(address, case.policy))
        .map(|address| address.key(plus_tag))
        .collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().map(|key| (key, TicketRole::Correspondent)).collect()
}

/// M-87: the message's own id, then all it names, each once.
pub fn ids(case: &Case) -> Vec<MessageId> {
    let message = case.message;
    let mut ids: Vec<MessageId> = vec![message.message_id.clone()];
    for id in message.in_reply_to.iter().chain(&message.references) {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}
