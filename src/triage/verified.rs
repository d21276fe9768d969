//! Whether the sender of a message is who From says: the word of the mail server that the mailbox
//! trusts, and of no other.

use super::facts::{Sender, SenderAnswer};
use super::policy::{Policy, TrustedServer};
use super::sender;
use crate::mail::authentication::Server;
use crate::mail::{Dmarc, InboundMessage};

/// What the server trusted by `mailbox` says of the sender.
pub fn dmarc(
    message: &InboundMessage,
    mailbox: &str,
    sender: &SenderAnswer,
    policy: &Policy,
) -> Dmarc {
    let server = match server(mailbox, policy) {
        TrustedServer::Named(name) => Server::Named(name),
        TrustedServer::None => return Dmarc::Unknown,
        TrustedServer::Unnamed => Server::Unnamed,
    };
    let verdict = message.authentication.dmarc(server, &message.from);
    // From vouches for a list, or for nobody: the sender was taken from another field.
    let is_of_sender = sender.known().is_some_and(|sender| !sender.relayed && !sender.fallback);
    if verdict.is_pass() && !is_of_sender { Dmarc::Unknown } else { verdict }
}

/// Whether the sender is who From says, where proof can be had (T-05, M-103). Whoever fills in a form
/// that names its writer in Reply-To is proven by nobody: the pass is the form's (M-36).
pub fn is_proven(
    message: &InboundMessage,
    mailbox: &str,
    sender: &Sender,
    dmarc: &Dmarc,
    policy: &Policy,
) -> bool {
    let is_named_in_from = || {
        let mut from = message.from.iter().filter_map(|from| sender::good(&from.address));
        from.any(|from| from == sender.address)
    };
    *server(mailbox, policy) == TrustedServer::None || (dmarc.is_pass() && is_named_in_from())
}

/// The server whose word counts for mail that came to `mailbox`.
pub fn server<'a>(mailbox: &str, policy: &'a Policy) -> &'a TrustedServer {
    policy.mailboxes.get(mailbox).map_or(&TrustedServer::None, |mailbox| &mailbox.server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::NamedAddress;
    use crate::triage::ask;
    use crate::triage::samples::*;

    /// What the desk's server says of `message`, with its findings above it.
    fn said(findings: &str, message: InboundMessage, policy: &Policy) -> Dmarc {
        ask(&verified_as(findings, message), MAILBOX, policy, &keys()).dmarc
    }

    #[test]
    fn r_33_nobody_is_believed_until_a_server_is_known() {
        let pass = "dmarc=pass header.from=myorg.example";
        assert!(said(pass, mail_from(CLAIRE), &trusting_policy()).is_pass());
        assert_eq!(said(pass, mail_from(CLAIRE), &policy()), Dmarc::Unknown);
        let mut elsewhere = policy();
        elsewhere.mailboxes.get_mut(MAILBOX).expect("the desk's").server =
            TrustedServer::Named("mx.elsewhere.example".to_owned());
        assert_eq!(said(pass, mail_from(CLAIRE), &elsewhere), Dmarc::Unknown);
        assert_eq!(*server("gone", &trusting_policy()), TrustedServer::None);
    }

    #[test]
    fn m_39_a_pass_of_the_list_in_front_of_us_proves_nobody_behind_it() {
        let group = NamedAddress { name: Some("Eve via Support".to_owned()), ..named(DESK) };
        let message = InboundMessage {
            headers: vec![
                header("From", DESK),
                header("X-Google-Group-Id", "1"),
                header("X-Original-From", CLAIRE),
            ],
            from: vec![group],
            ..mail_from(DESK)
        };
        let passed = "dmarc=pass header.from=helpdesk.example";
        assert_eq!(said(passed, message.clone(), &trusting_policy()), Dmarc::Unknown);
        let failed = "dmarc=fail header.from=helpdesk.example";
        assert!(said(failed, message, &trusting_policy()).is_fail());
    }
}
