//! What machines and lists write: notes on tickets, tickets for staff, or nothing. None of it makes
//! a user, reopens a ticket or is answered (M-55).

use super::case::{Case, decided};
use super::thread::{self, Claim, Evidence};
use super::tickets;
use crate::mail::{Address, Bounce, BouncedRecipient, PlusTag};
use crate::triage::ask::was_delivered;
use crate::triage::facts::{BouncedMail, Sender};
use crate::triage::plan::{
    BounceEffect, Effect, Kind, MessageAuthor, NewMessage, Outcome, Reason, TicketRef, Verdict,
};
use crate::triage::policy::{AutoReplyFilter, BounceFilter, MachineFilter};

/// Characters kept of what the other server said.
const DIAGNOSTIC_LIMIT: usize = 500;

/// M-64, M-65: a bounce is about a mail of ours, or changes nothing.
pub fn bounce(case: &mut Case, bounce: &Bounce) -> Verdict {
    let Some(bounced) = &case.facts.bounced else {
        case.say("M-64", "no mail of ours to one of its recipients is known to have bounced");
        return decided(Outcome::Ignored, Reason::BounceUnmatched);
    };
    let about = about(case, bounce, bounced);
    let effect = effect(&about);
    case.effects.push(Effect::RecordBounce {
        outbox: bounced.outbox,
        bounce: effect,
        diagnostic: diagnostic(&about),
    });
    let what = match effect {
        BounceEffect::Complaint => "was not wanted",
        BounceEffect::Delayed => "is delayed",
        BounceEffect::Permanent => "failed for good",
        BounceEffect::Temporary => "failed for now",
    };
    case.say("M-65", format!("our mail `{}` to `{}` {what}", bounced.template, bounced.to));
    attach(case, bounced)
}

/// M-55, R-25: who complains of a mail of ours gets none until they write again; any other complaint
/// changes nothing.
pub fn complaint(case: &mut Case) -> Verdict {
    let Some(bounced) = &case.facts.bounced else {
        case.say("M-64", "no mail of ours to the one who complains is known");
        return report(case);
    };
    case.effects.push(Effect::RecordBounce {
        outbox: bounced.outbox,
        bounce: BounceEffect::Complaint,
        diagnostic: "reported as abuse".to_owned(),
    });
    let said = format!("our mail `{}` to `{}` was reported as abuse", bounced.template, bounced.to);
    case.say("M-65", said);
    attach(case, bounced)
}

/// A note on the ticket of the mail that it is about, if there is one and `filters.bounce` wants it.
fn attach(case: &mut Case, bounced: &BouncedMail) -> Verdict {
    if case.policy.filters.bounce == BounceFilter::Ignore {
        case.say_by("M-55", "filters.bounce", "the bounce itself is not added to a ticket");
        let is_report = case.story.kind == Some(Kind::Report);
        let reason = if is_report { Reason::Report } else { Reason::BounceUnmatched };
        return decided(Outcome::Ignored, reason);
    }
    if let Some(number) = bounced.ticket {
        case.say_by("M-55", "filters.bounce", format!("a note on ticket {number}"));
        case.story.ticket.number = Some(number);
        case.effects.push(Effect::AddMessage(NewMessage {
            ticket: TicketRef::Existing(number),
            author: MessageAuthor::Machine,
            people: Vec::new(),
            ids: vec![case.message.message_id.clone()],
            known: case.questions.known.clone(),
            repeats: Vec::new(),
            note: None,
        }));
    }
    decided(Outcome::Accepted, Reason::BounceAttached)
}

/// M-60: a receipt, an abuse report, a statistic.
pub fn report(case: &mut Case) -> Verdict {
    case.say("M-55", "a report about mail opens no ticket");
    decided(Outcome::Ignored, Reason::Report)
}

/// An answer of a machine: a note on its ticket, if it has one.
pub fn auto_reply(case: &mut Case, sender: &Sender) -> Verdict {
    let key = "filters.auto_reply";
    // What an agent's program says while they are away is no matter of the requester's.
    if case.questions.is_of_staff || case.questions.signed.is_to_agent {
        case.say("M-55", "a machine of staff answers our notice, which is nobody's concern");
        return decided(Outcome::Ignored, Reason::AutoReply);
    }
    let filter = case.policy.filters.auto_reply;
    if filter != AutoReplyFilter::Ignore
        && let Some(verdict) = note(case, key)
    {
        return verdict;
    }
    if filter == AutoReplyFilter::Ticket {
        case.say_by("M-55", key, "a machine's answer opens a ticket for staff");
        return tickets::open_for_staff(case, sender, MessageAuthor::Machine);
    }
    case.say_by("M-55", key, "a machine's answer without a ticket to note it on is ignored");
    decided(Outcome::Ignored, Reason::AutoReply)
}

/// A report or an alarm of a machine.
pub fn auto_generated(case: &mut Case, sender: &Sender) -> Verdict {
    let key = "filters.auto_generated";
    if case.questions.signed.is_to_agent {
        case.say("M-55", "a machine wrote to an agent's reply address, where only they answer");
        return decided(Outcome::Ignored, Reason::AutoReply);
    }
    if let Some(verdict) = note(case, key).or_else(|| tickets::refuse_new_ticket(case)) {
        return verdict;
    }
    case.say_by("M-55", key, "a machine's report opens a ticket for staff");
    tickets::open_for_staff(case, sender, MessageAuthor::Machine)
}

/// The mail of a list.
pub fn list(case: &mut Case, sender: &Sender) -> Verdict {
    if case.policy.filters.list == MachineFilter::Ignore {
        case.say_by("M-55", "filters.list", "mail of lists is ignored");
        return decided(Outcome::Ignored, Reason::MailingList);
    }
    case.say_by("M-55", "filters.list", "mail of a list opens a ticket for staff");
    tickets::open_for_staff(case, sender, MessageAuthor::Machine)
}

/// Notes the message on the ticket that it belongs to, if its sender may append to that.
fn note(case: &mut Case, key: &str) -> Option<Verdict> {
    let Claim::Granted(ticket) = thread::claim(case, Evidence::Machine) else { return None };
    case.say_by("M-55", key, format!("{}: a note on it", thread::said(ticket)));
    tickets::add_to(case, ticket, MessageAuthor::Machine);
    Some(decided(Outcome::Accepted, Reason::AutoReplyAttached))
}

/// What the bounce says of the recipient of our mail; all it says when it names nobody.
fn about<'a>(case: &Case, bounce: &'a Bounce, bounced: &BouncedMail) -> Vec<&'a BouncedRecipient> {
    // What came to our envelope address is about that one mail, which had one recipient; it may
    // name the address that they forward to.
    let asked = case.questions.signed.bounced.as_ref();
    let is_proven = asked.is_some_and(|asked| asked.mail == Some(bounced.outbox));
    // Without its tag, as the outbox keeps it.
    let is_ours = |recipient: &&BouncedRecipient| {
        is_proven
            || Address::parse(&recipient.address)
                .is_ok_and(|address| address.key(PlusTag::Strip) == bounced.to)
    };
    bounce
        .recipients
        .iter()
        .filter(|recipient| !was_delivered(recipient.action.as_deref()))
        .filter(is_ours)
        .collect()
}

/// M-63b, M-65: only `failed` with 5.x is for good; a full mailbox is not.
fn effect(about: &[&BouncedRecipient]) -> BounceEffect {
    let is_delayed = |recipient: &&BouncedRecipient| {
        recipient.action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("delayed"))
    };
    let has_failed = |recipient: &&BouncedRecipient| {
        let action = recipient.action.as_deref();
        let status = recipient.status.as_deref().unwrap_or_default();
        action.is_none_or(|action| action.eq_ignore_ascii_case("failed"))
            && status.starts_with("5.")
            && status != "5.2.2"
    };
    if about.is_empty() {
        BounceEffect::Temporary
    } else if about.iter().all(is_delayed) {
        BounceEffect::Delayed
    } else if about.iter().all(has_failed) {
        BounceEffect::Permanent
    } else {
        BounceEffect::Temporary
    }
}

fn diagnostic(about: &[&BouncedRecipient]) -> String {
    let words = about.iter().flat_map(|recipient| [&recipient.status, &recipient.diagnostic]);
    let words: Vec<&str> = words.filter_map(|word| word.as_deref()).collect();
    words.join(" ").chars().take(DIAGNOSTIC_LIMIT).collect()
}
