//! Tells of whom the portal refuses for a while (T-27), so that an operator knows when somebody
//! guesses, or why somebody calls.

use std::sync::Arc;

use super::mask;
use crate::cli::output::escape;
use crate::config::file::Redact;
use crate::mail::Address;
use crate::portal::{Limit, Lockout, Whom};

/// Writes one line of the log for each.
pub(super) fn telling(redact: Redact) -> Arc<dyn Fn(&Lockout) + Send + Sync> {
    Arc::new(move |lockout| tell(lockout, redact))
}

fn tell(lockout: &Lockout, redact: Redact) {
    let (account, source, ticket) = match &lockout.whom {
        Whom::Account(address) => (Some(account(address.as_ref(), redact)), None, None),
        Whom::Source(source) => (None, Some(source.as_str()), None),
        Whom::Ticket(number) => (None, None, Some(*number)),
    };
    tracing::warn!(
        portal.limit = lockout.limit.as_str(),
        portal.account = account.as_deref(),
        portal.source = source,
        ticket.number = ticket,
        until = %lockout.until,
        "{}",
        sentence(lockout, redact)
    );
}

fn sentence(lockout: &Lockout, redact: Redact) -> String {
    let (what, why) = match lockout.limit {
        Limit::Addresses => ("changes of address are", "too many were asked for"),
        Limit::Changes => ("closing and opening again is", "it was done too often"),
        Limit::Guesses => ("passwords are", "too many were wrong"),
        Limit::Links => ("links are", "too many were opened that nobody made"),
        Limit::Messages => ("messages are", "too many are not read yet"),
        Limit::Resets => ("mails with a link are", "too many were asked for"),
    };
    let hint = match lockout.limit {
        Limit::Guesses | Limit::Links => {
            "it goes on by itself; whoever does not stop is kept out in front of the portal"
        }
        Limit::Messages => "`limits.per_sender` says how much of one user is read in what time",
        Limit::Addresses | Limit::Changes | Limit::Resets => "it goes on by itself",
    };
    let whom = match &lockout.whom {
        Whom::Account(address) => format!("for {}", account(address.as_ref(), redact)),
        Whom::Source(source) => format!("from {}", escape(source)),
        Whom::Ticket(number) => format!("for ticket {number}"),
    };
    format!("portal: {what} refused {whom} until {:.0}: {why}\nhint: {hint}", lockout.until)
}

/// An account by the address that was typed, as `log.redact` wants it.
fn account(address: Option<&Address>, redact: Redact) -> String {
    let Some(address) = address else { return "what is no address".to_owned() };
    escape(&match redact {
        Redact::All => "somebody".to_owned(),
        Redact::Addresses => mask(&address.to_string()),
        Redact::None => address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(limit: Limit, whom: Whom, redact: Redact) -> String {
        let until = "2027-01-15T08:15:00.5Z".parse().expect("a time");
        let said = sentence(&Lockout { limit, whom, until }, redact);
        said.lines().next().expect("a line").to_owned()
    }

    #[test]
    fn t_27_a_lockout_says_who_and_until_when_as_redact_wants_it() {
        let claire = || Address::parse("claire@contoso.example").ok();
        let said_of_claire = |redact| said(Limit::Guesses, Whom::Account(claire()), redact);
        assert_eq!(
            said_of_claire(Redact::None),
            "portal: passwords are refused for claire@contoso.example until \
             2027-01-15T08:15:00Z: too many were wrong"
        );
        assert!(said_of_claire(Redact::Addresses).contains(" for c…@contoso.example until "));
        assert!(said_of_claire(Redact::All).contains(" for somebody until "));
        let of_no_address = said(Limit::Guesses, Whom::Account(None), Redact::None);
        assert!(of_no_address.contains(" for what is no address until "), "{of_no_address}");
    }

    #[test]
    fn t_40_a_lockout_is_one_line_and_a_hint_whatever_was_typed() {
        let typed = "192.0.2.1\n\u{1b}[2J\u{202e}".to_owned();
        let until = "2027-01-15T08:15:00Z".parse().expect("a time");
        let lockout = Lockout { limit: Limit::Links, whom: Whom::Source(typed), until };
        let said = sentence(&lockout, Redact::None);
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said}");
    }
}
