//! In words: where the mail of a mailbox comes from, how mail of ours leaves, where all is kept.

use crate::config::Settings;
use crate::config::settings::Mailbox;
use crate::intake::SourceOptions;
use crate::net::Server;
use crate::outbox::TransportOptions;
use crate::store::Location;

/// Where the mail of a mailbox comes from, e.g. `INBOX at mail.example.com:993`.
pub(super) fn source(mailbox: &Mailbox) -> Option<String> {
    Some(match &mailbox.watched.as_ref()?.source {
        SourceOptions::Imap(imap) => format!("{} at {}", imap.folder, place(&imap.server)),
        SourceOptions::Maildir { path } => path.display().to_string(),
    })
}

/// How the mail of a mailbox leaves, e.g. `mail.example.com:587`; `None` when the password for it is
/// missing.
pub(super) fn way_out(settings: &Settings, mailbox: &Mailbox) -> Option<String> {
    let relay = || settings.outbox.senders.get(&mailbox.name)?.relay.as_ref();
    Some(match &settings.outbox.transport {
        TransportOptions::File { maildir } => maildir.display().to_string(),
        TransportOptions::None => "not sent".to_owned(),
        TransportOptions::Smtp => place(&relay()?.server),
    })
}

/// The store, without its password.
pub(super) fn store(location: &Location) -> String {
    match location {
        Location::Memory => "memory".to_owned(),
        Location::Postgres(postgres) => postgres.url.clone(),
        Location::Sqlite(path) => path.display().to_string(),
    }
}

/// A server as people write it.
pub(super) fn place(server: &Server) -> String {
    format!("{}:{}", server.host, server.port)
}
