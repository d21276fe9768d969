//! The mail that tells a requester what people at the desk changed about their ticket: one for all
//! that is changed at once, and none about what they did themselves. And those that tell staff of what
//! users changed, when it is theirs to look after.

use std::collections::BTreeSet;

use super::decide::NOTICE;
use super::facts::RequesterFacts;
use super::plan::{MailCause, OutgoingMail, Thread, TicketRef, UserRef};
use super::policy::{Agent, Announced, Notified, Policy};
use super::recipients;
use crate::mail::AddressKey;

/// The template that tells of a ticket's end.
pub const CLOSED: &str = "ticket_closed";
/// The template that tells of any other change.
pub const UPDATED: &str = "ticket_updated";

/// What was changed about a ticket.
#[derive(Clone, Debug)]
pub struct Changes {
    pub ticket: i64,
    /// For staff alone: its requester is told nothing.
    pub staff_only: bool,
    pub what: BTreeSet<Announced>,
    /// The id of the user who did it.
    pub user: Option<String>,
    /// The agent who did it.
    pub agent: Option<AddressKey>,
    pub requester: RequesterFacts,
    /// The id and the name of its site, as it is now.
    pub site: (String, String),
    /// The agent who looks after it.
    pub assignee: Option<AddressKey>,
    /// That of its site.
    pub locale: Option<String>,
}

/// The mail that tells of `changes`; `None` when nobody is to be told.
pub fn of(changes: Changes, policy: &Policy) -> Option<OutgoingMail> {
    let Changes { ticket, staff_only, what, user, requester, site, locale, .. } = changes;
    let is_theirs = user.is_some() && user == requester.user;
    let announced: BTreeSet<Announced> = what.intersection(&policy.announce).copied().collect();
    if staff_only || is_theirs || announced.is_empty() {
        return None;
    }
    let mailbox = policy.mailboxes.get(&requester.mailbox)?;
    let template = if announced.contains(&Announced::Closed) { CLOSED } else { UPDATED };
    Some(OutgoingMail {
        template: template.to_owned(),
        to: requester.address,
        user: requester.user.map(UserRef::Existing),
        ticket: Some(TicketRef::Existing(ticket)),
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: requester.locale.or(locale).unwrap_or_else(|| policy.locale.clone()),
        site: site.0,
        cause: MailCause::News { agent: None, thread: requester.thread },
    })
}

/// The mails that tell staff of a ticket that a user has opened again: it waits for them, although
/// nothing was written; and an agent of one that somebody else gave them.
pub fn to_staff(changes: &Changes, policy: &Policy) -> Vec<OutgoingMail> {
    let Changes { ticket, what, user, agent: by, requester, site, assignee, .. } = changes;
    // A user closes and opens, and changes nothing else.
    let is_reopened = user.is_some() && what.contains(&Announced::Status);
    let is_assigned = what.contains(&Announced::Assignee);
    let Some(mailbox) = policy.mailboxes.get(&requester.mailbox) else { return Vec::new() };
    let hears = |(key, agent): &(&AddressKey, &Agent)| {
        // Whatever its site: it was given to them, and is new to them.
        let wants = [Notified::Assigned, Notified::Created];
        let is_given = is_assigned
            && assignee.as_ref() == Some(*key)
            && by.as_ref() != Some(*key)
            && wants.iter().any(|one| agent.notify.contains(one));
        let hears_of_it =
            is_reopened && agent.hears(key, Notified::Replied, &site.1, assignee.as_ref());
        (is_given || hears_of_it) && !recipients::is_own(&agent.address, policy)
    };
    let notice = |(key, agent): (&AddressKey, &Agent)| OutgoingMail {
        template: NOTICE.to_owned(),
        to: agent.address.clone(),
        user: None,
        ticket: Some(TicketRef::Existing(*ticket)),
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: policy.locale.clone(),
        site: site.0.clone(),
        cause: MailCause::News { agent: Some(key.clone()), thread: Thread::default() },
    };
    policy.agents.iter().filter(hears).map(notice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::plan::Thread;
    use crate::triage::samples::*;

    fn changes(what: &[Announced]) -> Changes {
        Changes {
            ticket: 7,
            staff_only: false,
            what: what.iter().copied().collect(),
            user: None,
            agent: None,
            requester: RequesterFacts {
                address: address(CLAIRE),
                user: Some("user-claire".to_owned()),
                locale: None,
                mailbox: MAILBOX.to_owned(),
                thread: Thread::default(),
            },
            site: ("site-1".to_owned(), "Contoso".to_owned()),
            locale: Some("fr".to_owned()),
            assignee: None,
        }
    }

    fn template(changes: Changes, policy: &Policy) -> Option<String> {
        of(changes, policy).map(|mail| mail.template)
    }

    #[test]
    fn r_13_all_that_is_changed_at_once_is_told_once() {
        let closed = template(changes(&[Announced::Closed, Announced::Assignee]), &policy());
        assert_eq!(closed.as_deref(), Some(CLOSED));
        let updated = template(changes(&[Announced::Site, Announced::Status]), &policy());
        assert_eq!(updated.as_deref(), Some(UPDATED));
        assert_eq!(template(changes(&[]), &policy()), None);
    }

    #[test]
    fn what_is_not_announced_is_told_nobody() {
        let policy = Policy { announce: [Announced::Closed].into(), ..policy() };
        assert_eq!(template(changes(&[Announced::Status, Announced::Site]), &policy), None);
        let both = changes(&[Announced::Closed, Announced::Site]);
        assert_eq!(template(both, &policy).as_deref(), Some(CLOSED));
    }

    #[test]
    fn nobody_is_told_what_they_did_themselves_or_may_not_see() {
        let user = |id: &str| {
            let user = Some(id.to_owned());
            Changes { user, ..changes(&[Announced::Closed]) }
        };
        assert_eq!(template(user("user-claire"), &policy()), None);
        assert_eq!(template(user("user-boss"), &policy()).as_deref(), Some(CLOSED));
        let staff_only = Changes { staff_only: true, ..changes(&[Announced::Closed]) };
        assert_eq!(template(staff_only, &policy()), None);
    }

    #[test]
    fn it_is_written_in_the_language_of_the_user_then_of_the_site() {
        let locale = |of_user: Option<&str>| {
            let mut changes = changes(&[Announced::Status]);
            changes.requester.locale = of_user.map(str::to_owned);
            of(changes, &policy()).expect("it is told").locale
        };
        assert_eq!(locale(Some("de")), "de");
        assert_eq!(locale(None), "fr");
    }
}
