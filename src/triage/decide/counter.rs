//! What did not come by mail: a user wrote it in the portal, or staff for a requester. Who wrote and
//! for which ticket is known, so nothing of the message is taken for a sign of it (T-46); everything
//! else goes the way of mail.

use super::case::{Case, decided};
use super::tickets::{self, Opening, Readers};
use super::{defer, is_closed_for_good, mails, people, refuse_copy, sender_of, thread};
use crate::mail::Address;
use crate::mail::address::local_part;
use crate::triage::facts::{CredentialsState, Sender, TicketFacts, TicketRole};
use crate::triage::names;
use crate::triage::plan::{Kind, MessageAuthor, Outcome, Reason, StaffAuthor, UserRef, Verdict};

/// Decides what a user wrote in the portal.
pub fn of_user(case: &mut Case, ticket: Option<i64>) -> Verdict {
    if let Some(verdict) = begin(case, "it was written in the portal") {
        return verdict;
    }
    let sender = match sender_of(case) {
        Ok(sender) => sender,
        Err(verdict) => return verdict,
    };
    let Some(user) = case.active_user() else {
        case.say("T-54", "the account was disabled or deleted before this was decided");
        return decided(Outcome::Held, Reason::SenderNotParticipant);
    };
    case.say("M-34", format!("the user `{}` was logged in", user.address));
    // Counted like mail of theirs. Whose mail is refused or makes no tickets is another question:
    // who may log in may be heard.
    if let Some(verdict) = defer(case) {
        return verdict;
    }
    case.counts = Some(sender.key.clone());
    let Some(number) = ticket else { return open_for_user(case, sender, Opening::Plain) };
    let Some(ticket) = case.facts.tickets.first() else {
        case.say("M-86", format!("ticket {number} is there no more"));
        return decided(Outcome::Held, Reason::SenderNotParticipant);
    };
    if !may_write(ticket) {
        case.say("M-80", format!("{}, of which they may see nothing", thread::said(ticket)));
        return decided(Outcome::Held, Reason::SenderNotParticipant);
    }
    if is_closed_for_good(case, ticket) {
        let said = format!("{}, which was closed too long ago", thread::said(ticket));
        case.say_by("M-86", "threading.reopen_within", said);
        return open_for_user(case, sender, Opening::FollowUp(ticket));
    }
    tickets::append(case, sender, ticket)
}

/// Decides what staff wrote: an answer to the requester of a ticket, or the first word of a new one.
pub fn of_staff(case: &mut Case, agent: Option<&Address>, ticket: Option<i64>) -> Verdict {
    let said = match agent {
        Some(agent) => format!("the agent `{agent}` wrote it"),
        None => "it was written at the command line".to_owned(),
    };
    if let Some(verdict) = begin(case, &said) {
        return verdict;
    }
    let sender = match sender_of(case) {
        Ok(sender) => sender,
        Err(verdict) => return verdict,
    };
    let author = author(case, agent);
    let Some(number) = ticket else { return open_for_requester(case, sender, author) };
    let Some(ticket) = case.facts.tickets.first() else {
        case.say("M-86", format!("ticket {number} is there no more"));
        return decided(Outcome::Held, Reason::SenderNotParticipant);
    };
    if mails::wants_no_answer(case) {
        note(case, ticket, author);
        case.say("T-22", "no mail brings it: it is the copy of one that went out by itself");
        return decided(Outcome::Accepted, Reason::ReplyAdded);
    }
    answer(case, ticket, author)
}

/// Adds what staff wrote to a ticket, and sends it to the requester. It changes nothing else about
/// the ticket: what was closed stays so until the requester has more to say.
pub fn answer(case: &mut Case, ticket: &TicketFacts, author: StaffAuthor) -> Verdict {
    let agent = author.agent.clone();
    note(case, ticket, author);
    mails::answer(case, ticket, agent);
    decided(Outcome::Accepted, Reason::ReplyAdded)
}

fn note(case: &mut Case, ticket: &TicketFacts, author: StaffAuthor) {
    case.say("M-81", thread::said(ticket));
    tickets::add_to(case, ticket, MessageAuthor::Staff(author));
}

/// Who of the desk wrote, as a ticket names them.
pub fn author(case: &Case, agent: Option<&Address>) -> StaffAuthor {
    match agent {
        Some(agent) => {
            let key = agent.key(names::plus_tag(&case.policy.users));
            let name = case.policy.agents.get(&key).map(|agent| agent.name.clone());
            StaffAuthor { agent: Some(key), address: agent.to_string(), name }
        }
        None => StaffAuthor {
            agent: None,
            address: case.mailbox().map(|mailbox| mailbox.address.to_string()).unwrap_or_default(),
            name: None,
        },
    }
}

/// What a user sees, they may write to: their own tickets, those that staff added them to, and those
/// of the site that they are a primary user of.
fn may_write(ticket: &TicketFacts) -> bool {
    let has_part =
        matches!(ticket.sender_role, Some(TicketRole::Participant | TicketRole::Requester));
    !ticket.staff_only && (has_part || ticket.site.sender_is_primary)
}

/// Tells whose words they are; ends the walk of what came in before.
fn begin(case: &mut Case, said: &str) -> Option<Verdict> {
    case.story.kind = Some(Kind::Person);
    case.story.kind_evidence = vec![format!("M-54 {said}")];
    case.say("M-54", said);
    refuse_copy(case)
}

fn open_for_user(case: &mut Case, sender: &Sender, opening: Opening) -> Verdict {
    case.say("M-79", "it opens a new ticket");
    people::say_site(case);
    let home = case.home();
    let user = people::settle(case, sender);
    let author = MessageAuthor::Person(user.clone());
    tickets::open_ticket(case, sender, home, opening, author, Readers::All);
    mails::acknowledge(case, sender, home, user.as_ref(), opening);
    match opening {
        Opening::FollowUp(_) | Opening::Stranger(_) => {
            decided(Outcome::Accepted, Reason::FollowUpLinked)
        }
        Opening::Plain => decided(Outcome::Accepted, Reason::TicketCreated),
    }
}

/// A ticket for somebody who told staff: they are made a user too, and told of both.
fn open_for_requester(case: &mut Case, requester: &Sender, author: StaffAuthor) -> Verdict {
    case.say("M-79", format!("it opens a new ticket, for `{}`", requester.address));
    people::say_site(case);
    let home = case.home();
    // nobody reads what goes there, so nothing does.
    if local_part::is_robot(requester.address.local()) {
        let said = "nobody reads this address: a ticket for staff, without a user and without mail";
        case.say("M-44", said);
        open_ticket_of(case, requester, None, author, Readers::Staff);
        return decided(Outcome::Accepted, Reason::StaffTicketCreated);
    }
    let credentials = match mails::wants_no_answer(case) {
        true => CredentialsState::NotDue,
        false => CredentialsState::Due,
    };
    let user = people::settle_by_hand(case, requester, credentials);
    open_ticket_of(case, requester, user.as_ref(), author, Readers::All);
    mails::acknowledge(case, requester, home, user.as_ref(), Opening::Plain);
    mails::credentials_by_hand(case, requester, user.as_ref(), home);
    decided(Outcome::Accepted, Reason::TicketCreated)
}

fn open_ticket_of(
    case: &mut Case,
    requester: &Sender,
    user: Option<&UserRef>,
    author: StaffAuthor,
    readers: Readers,
) {
    let beginning = tickets::Beginning {
        requester,
        user: user.cloned(),
        site: case.home(),
        subject: case.message.subject.clone(),
        linked_to: None,
        author: MessageAuthor::Staff(author),
        readers,
        people: vec![(requester.key.clone(), TicketRole::Requester)],
        ids: tickets::ids(case),
        note: None,
    };
    tickets::begin(case, beginning);
}
