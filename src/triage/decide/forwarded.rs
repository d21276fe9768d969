//! What staff forwards becomes the ticket of whoever wrote it (M-103…M-106). They are told nothing:
//! they did not write to us yet.

use super::case::{Case, decided};
use super::thread::{self, Claim};
use super::tickets::{self, Beginning, Readers};
use super::{mails, people};
use crate::mail::forward;
use crate::mail::reply::without_forward_prefixes;
use crate::mail::{AddressKey, Flag};
use crate::triage::facts::{Forwarded, Questions, Sender, TicketRole, UserStatus};
use crate::triage::plan::{MessageAuthor, Outcome, Reason, StaffNote, UserRef, Verdict};
use crate::triage::verified;

/// Opens a ticket of the writer of what `staff` forwards (M-105).
pub fn open(case: &mut Case, staff: &Sender, forwarded: &Forwarded, claim: Claim) -> Verdict {
    let original = &forwarded.original;
    let written = match &forwarded.date {
        Some(date) => format!(", written `{}`", cut(date)),
        None => String::new(),
    };
    let said = format!(
        "staff forwards what `{}` wrote, by {} ({} confidence){written}",
        original.address,
        forwarded.found_by.said(),
        forwarded.confidence.name(),
    );
    case.say("M-104", said);
    case.flags.insert(Flag::ForwardedByStaff);
    people::say_site(case);
    let site = case.home();
    let user = user(case, original);
    let linked_to = match claim {
        Claim::Granted(ticket) => {
            case.say("M-85", format!("{}: a new ticket, linked to it", thread::said(ticket)));
            Some(ticket)
        }
        Claim::Nothing | Claim::Refused(_) => None,
    };
    let subject = without_forward_prefixes(&case.message.subject);
    let subject = match linked_to {
        Some(_) => tickets::without_tags(case, &subject),
        None => subject,
    };
    let mut ids = tickets::ids(case);
    ids.extend(forwarded.ids.iter().filter(|id| !ids.contains(id)).cloned().collect::<Vec<_>>());
    let beginning = Beginning {
        requester: original,
        user: user.clone(),
        site,
        subject,
        linked_to,
        // The words above are staff's own.
        author: MessageAuthor::Person(None),
        readers: Readers::All,
        people: people_of(case, staff, original),
        ids,
        note: note(case, forwarded),
    };
    tickets::begin(case, beginning);
    case.say("M-106", "the writer is mailed nothing before they write to us themselves");
    mails::withhold_until_they_write(case, original, user.as_ref());
    match linked_to {
        Some(_) => decided(Outcome::Accepted, Reason::FollowUpLinked),
        None => decided(Outcome::Accepted, Reason::TicketCreated),
    }
}

/// Tells why what staff seems to forward is nobody else's ticket (M-103), also where only its text or
/// an attached message says that it is forwarded.
pub fn say_unproven(case: &mut Case, sender: &Sender) {
    let Questions { mailbox, dmarc, .. } = case.questions;
    let is_proven = verified::is_proven(case.message, mailbox, sender, dmarc, case.policy);
    if !is_proven && forward::is_forward(case.message) {
        let said = "nothing proves that staff forwards it: its sender stays the requester";
        case.say_by("M-103", "filters.authserv_id", said);
    }
}

/// What staff wrote above what they forward is not for the writer (M-105).
fn note(case: &mut Case, forwarded: &Forwarded) -> Option<StaffNote> {
    let (note, forwarded) = forward::parted(case.message, forwarded.found_by)?;
    if note.is_empty() {
        return None;
    }
    case.say("M-105", "the words above it are internal");
    Some(StaffNote { note, forwarded })
}

/// Tells of a writer who is not sure enough (M-105): staff stays the requester.
pub fn suggest(case: &mut Case, suggested: &Forwarded) {
    let said = format!(
        "it may be about `{}`, by {} ({} confidence): staff stays the requester",
        suggested.original.address,
        suggested.found_by.said(),
        suggested.confidence.name(),
    );
    case.say("M-105", said);
}

/// The writer's user, found or made. That they wrote to somebody else changes nothing about one who
/// exists.
fn user(case: &mut Case, original: &Sender) -> Option<UserRef> {
    match &case.facts.user {
        Some(user) if user.status == UserStatus::Active => {
            case.say("M-32", format!("`{}` is a known user", original.address));
            people::tell_known(case, original, user);
            Some(UserRef::Existing(user.id.clone()))
        }
        Some(user) => {
            let status = user.status.as_str();
            case.say("T-54", format!("the writer's account is {status}: mail does not revive it"));
            None
        }
        None => people::make(case, original),
    }
}

fn people_of(case: &Case, staff: &Sender, original: &Sender) -> Vec<(AddressKey, TicketRole)> {
    let mut people = vec![
        (original.key.clone(), TicketRole::Requester),
        (staff.key.clone(), TicketRole::Participant),
    ];
    let others = tickets::correspondents(case);
    people.extend(others.into_iter().filter(|(key, _)| *key != original.key && *key != staff.key));
    people
}

/// A value as a step shows it (M-54).
fn cut(written: &str) -> String {
    written.chars().take(80).collect()
}
