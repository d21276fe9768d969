//! The mail that brings a user their credentials, as commands ask for it and tell of it.

use crate::config::Settings;
use crate::store::users::invitation::{Desk, Invitation};
use crate::triage::credentials::Code;

/// By what a mail goes out that nobody's message caused: the first mailbox of the configuration is
/// the desk's own.
pub(in crate::cli) fn desk(settings: &Settings) -> Desk<'_> {
    let policy = &settings.policy;
    let first = settings.mailboxes.first();
    Desk { policy, mailbox: first.and_then(|first| policy.mailboxes.get(&first.name)) }
}

/// What became of it, in words.
pub(in crate::cli) fn said(invitation: &Invitation) -> String {
    match invitation {
        Invitation::HasCredentials => {
            "they get no mail: what they were sent to log in with still works".to_owned()
        }
        Invitation::HasPassword => "they get no mail: they have a password".to_owned(),
        Invitation::NotAsked => "they get no credentials by mail".to_owned(),
        Invitation::NotMailed => {
            "they get no credentials by mail: `credentials.send` is off, or there is no `portal.url`"
                .to_owned()
        }
        Invitation::Queued(number) => format!("their credentials are queued as mail {number}"),
        // Nothing ends that.
        Invitation::Withheld(codes) if codes.contains(&Code::C08) => {
            format!("they get no credentials by mail: {}", reasons(&[Code::C08]))
        }
        Invitation::Withheld(codes) => format!("their credentials wait: {}", reasons(codes)),
    }
}

/// Each reason with its code: `an earlier mail to the user came back (C-12)`.
pub(in crate::cli) fn reasons(codes: &[Code]) -> String {
    let why: Vec<String> =
        codes.iter().map(|code| format!("{} ({})", code.said(), code.as_str())).collect();
    why.join("; ")
}
