//! Comes back to a decided message whose sender's user, or their credentials mail, had to wait for
//! room (`limits.new_users`, C-10). Never a second message, ticket or acknowledgement.

use super::case::Case;
use super::kind::{self, Class};
use super::thread::{self, Claim, Evidence};
use super::tickets::Opening;
use super::{mails, people};
use crate::mail::{Flag, InboundMessage};
use crate::triage::facts::{
    Door, Facts, Forwarded, FoundIn, Questions, Sender, TicketEvidence, TicketFacts, UserStatus,
};
use crate::triage::plan::{Effect, OpenedBy, Plan, UserRef, Verdict};
use crate::triage::policy::Policy;
use crate::triage::text;

/// Decides what of the owed can be done now; the decision about the message stands.
pub fn decide_owed(
    message: &InboundMessage,
    questions: &Questions,
    facts: &Facts,
    policy: &Policy,
) -> Plan {
    // The message's own ticket is not what it claimed.
    let tickets: Vec<TicketFacts> =
        facts.tickets.iter().filter(|ticket| !is_own_ticket(ticket)).cloned().collect();
    let facts = Facts { tickets, ..facts.clone() };
    let mut case = Case::new(message, questions, &facts, policy);
    if let Door::Staff { .. } = questions.door {
        if let Some(requester) = questions.requester() {
            settle_by_hand(&mut case, requester);
        }
        return case.plan(Verdict::Stands);
    }
    let class = kind::classify(&mut case);
    if let (Class::Person, Some(requester)) = (class, questions.requester())
        && !case.flags.contains(&Flag::Robot)
    {
        settle(&mut case, requester);
    }
    case.plan(Verdict::Stands)
}

fn settle(case: &mut Case, sender: &Sender) {
    let user = match &case.facts.user {
        Some(user) if user.status == UserStatus::Active => Some(UserRef::Existing(user.id.clone())),
        Some(_) => None,
        None => people::make(case, sender),
    };
    let Some(user) = user else { return };
    let is_forwarded = case.questions.forwarded.as_ref().is_some_and(Forwarded::is_certain);
    let opened_by = match is_forwarded {
        true => OpenedBy::Staff,
        false => OpenedBy::Requester,
    };
    let key = sender.key.clone();
    case.effects.push(Effect::AttachUser { user: user.clone(), key, opened_by });
    if is_forwarded {
        return mails::withhold_until_they_write(case, sender, Some(&user));
    }
    let opening = match thread::claim(case, Evidence::Person) {
        Claim::Refused(ticket) if !text::is_forward(case.message, case.questions) => {
            Opening::Stranger(ticket)
        }
        Claim::Granted(_) | Claim::Nothing | Claim::Refused(_) => Opening::Plain,
    };
    mails::credentials(case, sender, Some(&user), case.home(), opening);
}

/// Whom staff wrote for was made a user then: only their credentials had to wait.
fn settle_by_hand(case: &mut Case, requester: &Sender) {
    if let Some(user) = case.active_user() {
        let user = UserRef::Existing(user.id.clone());
        mails::credentials_by_hand(case, requester, Some(&user), case.home());
    }
}

fn is_own_ticket(ticket: &TicketFacts) -> bool {
    matches!(&ticket.evidence, TicketEvidence::Reference { found_in: FoundIn::OwnId, .. })
}
