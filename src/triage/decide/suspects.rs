//! Mail that a filter speaks against: a trusted server says that the domain of From disowns it
//! or a spam filter that it is spam. Held, ignored, or a ticket for staff with a warning;
//! never a user, never an answer, and nothing that leads anybody's mail to that ticket.

use super::case::{Case, decided};
use super::people;
use super::thread::{self, Claim, Evidence};
use super::tickets::{self, Beginning, Readers};
use crate::mail::{Dmarc, Flag};
use crate::triage::facts::Sender;
use crate::triage::plan::{MessageAuthor, Outcome, Reason, Verdict};
use crate::triage::policy::{SuspicionFilter, TrustedServer};
use crate::triage::{sites, verified};

/// Tells what a trusted server and spam filters say of the message; ends the walk where they are
/// set to.
pub fn filter(case: &mut Case) -> Option<Verdict> {
    let filters = &case.policy.filters;
    let (dmarc_fail, spam_headers) = (filters.dmarc_fail, filters.spam_headers);
    match &case.questions.dmarc {
        Dmarc::Fail { evidence } => {
            let said =
                format!("{} found that the sender's domain disowns it: {evidence}", server(case));
            case.say_by("R-34", "filters.dmarc_fail", said);
            if let Some(outcome) = outcome(dmarc_fail) {
                return Some(decided(outcome, Reason::AuthFailed));
            }
        }
        Dmarc::Pass { evidence } => {
            let said = format!(
                "{} found that the sender's domain vouches for it: {evidence}",
                server(case)
            );
            case.say_by("R-34", "filters.authserv_id", said);
        }
        Dmarc::Unknown => {}
    }
    if let Some(mark) = case.message.spam.first() {
        let said = format!("a spam filter marked it: {mark}");
        case.say_by("M-01", "filters.spam_headers", said);
        if let Some(outcome) = outcome(spam_headers) {
            return Some(decided(outcome, Reason::SpamFlagged));
        }
    }
    None
}

/// Whose word it is.
fn server(case: &Case) -> String {
    match verified::server(&case.questions.mailbox, case.policy) {
        TrustedServer::Named(name) => format!("the mail server `{name}`"),
        TrustedServer::None | TrustedServer::Unnamed => "the mail server".to_owned(),
    }
}

/// Whether a filter speaks against the message.
pub fn is_suspect(case: &Case) -> bool {
    case.flags.contains(&Flag::AuthFailed) || case.flags.contains(&Flag::SpamFlagged)
}

/// A suspect mail that would be a person's: a ticket for staff, linked to the one that it claims.
pub fn open(case: &mut Case, sender: &Sender) -> Verdict {
    let claim = thread::claim(case, Evidence::Person);
    let signed = &case.questions.signed;
    let claims_ours = signed.is_to_agent || signed.is_forged || !matches!(claim, Claim::Nothing);
    if case.policy.agents.contains_key(&sender.key) && claims_ours {
        case.say("M-81", "it claims a ticket in the name of staff, and nothing proves that it is");
        return decided(Outcome::Held, Reason::SenderNotParticipant);
    }
    if let Some(verdict) = tickets::refuse_new_ticket(case) {
        return verdict;
    }
    if let Some(verdict) = tickets::refuse_unknown(case, sender) {
        return verdict;
    }
    let linked_to = match claim {
        Claim::Granted(ticket) | Claim::Refused(ticket) => {
            case.say("M-81", format!("{}, which staff is told", thread::said(ticket)));
            Some(ticket)
        }
        Claim::Nothing => None,
    };
    case.say("M-01", "the ticket carries a warning; no user is made, and nobody is answered");
    let site = match &case.facts.user {
        Some(user) => &user.site,
        None => sites::matched(case.facts),
    };
    people::say_match(case, site);
    case.tell_site(site, "user");
    let subject = match linked_to {
        Some(_) => tickets::without_tags(case, &case.message.subject),
        None => case.message.subject.clone(),
    };
    // Its sender may be nobody it says, and the ids that it names may be another's: neither may
    // draw the true sender's mail to this ticket (T-02).
    let beginning = Beginning {
        requester: sender,
        user: None,
        site,
        subject,
        linked_to,
        author: MessageAuthor::Person(None),
        readers: Readers::Staff,
        people: Vec::new(),
        ids: vec![case.message.message_id.clone()],
        note: None,
    };
    tickets::begin(case, beginning);
    decided(Outcome::Accepted, Reason::StaffTicketCreated)
}

/// How the walk ends, when it ends here.
fn outcome(filter: SuspicionFilter) -> Option<Outcome> {
    match filter {
        SuspicionFilter::Flag => None,
        SuspicionFilter::Hold => Some(Outcome::Held),
        SuspicionFilter::Ignore => Some(Outcome::Ignored),
    }
}
