//! The servers that guichet talks to, each with its login: mail servers, relays, the database. A
//! secret that is missing is noted with its place: only who logs in needs it.

use std::path::Path;
use std::time::Duration as Wait;

use super::{MissingSecret, Need, name_of};
use crate::config::check::nearest_place;
use crate::config::environment::Environment;
use crate::config::file::{self, File, Tls};
use crate::config::formats::{self, Database, Whereabouts};
use crate::config::problem::Problem;
use crate::config::relay::{Relay, watched_as, watched_host};
use crate::config::secret::Secret;
use crate::config::tree::Node;
use crate::config::values::{Duration, Misread, Rate};
use crate::mail::address::domain_to_ascii;
use crate::net::{Login, Password, Security, Server};
use crate::{intake, outbox, store};

/// Finds secrets, and notes those that are not to be found.
pub(super) struct Secrets<'a> {
    pub(super) tree: &'a Node,
    pub(super) environment: &'a Environment,
    pub(super) missing: Vec<MissingSecret>,
}

impl Secrets<'_> {
    fn find(&mut self, secret: &Secret, at: &[&str], need: Need) -> Option<Password> {
        match secret.password(self.environment) {
            Ok((password, _)) => Some(password),
            Err(misread) => {
                self.note(at, misread, need);
                None
            }
        }
    }

    fn note(&mut self, at: &[&str], misread: Misread, need: Need) {
        let problem = Problem::error(nearest_place(self.tree, at), misread);
        self.missing.push(MissingSecret { need, problem });
    }
}

/// The server and the login of an IMAP mailbox; `None` when it has no password.
pub(super) fn imap(
    mailbox: &file::Mailbox,
    index: usize,
    secrets: &mut Secrets<'_>,
) -> Option<intake::ImapOptions> {
    let i = index.to_string();
    let need = Need::Mailbox(name_of(mailbox));
    let password = match &mailbox.password {
        Some(secret) => secrets.find(secret, &["mailbox", &i, "password"], need)?,
        None => {
            secrets.note(&["mailbox", &i, "address"], no_password(mailbox), need);
            return None;
        }
    };
    let imap = &mailbox.imap;
    let host = watched_host(mailbox).expect("the check has seen that there is a host");
    let port = imap.port.unwrap_or(if imap.tls == Tls::Implicit { 993 } else { 143 });
    Some(intake::ImapOptions {
        server: server(host, port, imap.tls, imap.ca_file.as_deref(), imap.timeout),
        login: Login { username: watched_as(mailbox).to_owned(), password },
        folder: mailbox.folder.clone(),
        poll_interval: imap.poll_interval.0,
    })
}

/// What is wrong with a mailbox on a mail server that has no password.
pub fn no_password(mailbox: &file::Mailbox) -> Misread {
    let name = name_of(mailbox);
    let hint = "add `password = { file = \"path\" }`, or `{ credential = \"name\" }` or \
                `{ env = \"NAME\" }`";
    Misread::new(format!("nobody can log in to the mailbox `{name}`: it has no `password`"), hint)
}

/// The server that takes the mail of a mailbox; `None` when a secret for it is missing.
pub(super) fn relay(
    file: &File,
    index: usize,
    secrets: &mut Secrets<'_>,
) -> Option<outbox::RelayOptions> {
    let relay = Relay::of(file, index);
    let host = relay.host?;
    let login = match &relay.login {
        Some(login) => {
            let at: Vec<&str> = login.written_at.iter().map(String::as_str).collect();
            let need = Need::Relay(name_of(&file.mailbox[index]));
            let password = secrets.find(login.password, &at, need)?;
            Some(Login { username: login.username.to_owned(), password })
        }
        None => None,
    };
    let Rate(rate) = relay.rate;
    Some(outbox::RelayOptions {
        server: server(host, relay.port, relay.tls, relay.ca_file, relay.timeout),
        login,
        rate: rate.map(|rate| outbox::Rate { mails: rate.count, per: rate.per }),
        connections: usize::from(relay.connections),
    })
}

/// Where the store is.
pub(super) fn location(file: &File, state: &Path, secrets: &mut Secrets<'_>) -> store::Location {
    let written = &file.store;
    match formats::store(&written.url).expect("the walk has checked the store") {
        Database::Sqlite(path) => store::Location::Sqlite(state.join(path)),
        Database::Postgres { url, whereabouts } => {
            let password = written.password.as_ref();
            store::Location::Postgres(store::PostgresOptions {
                url: url.to_owned(),
                password: password
                    .and_then(|secret| secrets.find(secret, &["store", "password"], Need::Store)),
                security: match (written.tls, whereabouts) {
                    (Some(file::StoreTls::None), _) | (None, Whereabouts::Here) => Security::None,
                    (Some(file::StoreTls::Require), _) | (None, Whereabouts::Elsewhere) => {
                        Security::Implicit
                    }
                },
                ca_file: written.ca_file.clone(),
            })
        }
    }
}

fn server(
    host: &str,
    port: u16,
    tls: Tls,
    ca_file: Option<&Path>,
    Duration(timeout): Duration,
) -> Server {
    Server {
        // As name servers and certificates write it.
        host: domain_to_ascii(host).unwrap_or_else(|| host.to_owned()),
        port,
        security: match tls {
            Tls::Implicit => Security::Implicit,
            Tls::None => Security::None,
            Tls::Starttls => Security::Starttls,
        },
        ca_file: ca_file.map(Path::to_owned),
        timeout: Wait::try_from(timeout).expect("the check has seen that it is not negative"),
    }
}
