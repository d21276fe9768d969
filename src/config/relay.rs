//! How mail of one mailbox leaves: what `[mailbox.smtp]` says stands before `[smtp]`, and that
//! before the mailbox itself.

use std::path::Path;

use super::file::{Envelope, File, Mailbox, Tls};
use super::secret::Secret;
use super::values::{Duration, Rate};

/// The server that takes the mail of one mailbox.
pub struct Relay<'a> {
    pub host: Option<&'a str>,
    pub port: u16,
    pub tls: Tls,
    pub ca_file: Option<&'a Path>,
    pub login: Option<Login<'a>>,
    pub rate: Rate,
    pub connections: u16,
    pub timeout: Duration,
    pub envelope: Envelope,
}

/// A login, with the place its password was written at.
pub struct Login<'a> {
    pub username: &'a str,
    pub password: &'a Secret,
    pub written_at: Vec<String>,
}

impl<'a> Relay<'a> {
    /// The server for mail of `file.mailbox[index]`.
    pub fn of(file: &'a File, index: usize) -> Relay<'a> {
        let mailbox = &file.mailbox[index];
        let (own, general) = (&mailbox.smtp, &file.smtp);
        let host = own.host.as_deref().or(general.host.as_deref()).or(mailbox.host.as_deref());
        let tls = own.tls.unwrap_or(general.tls);
        let of_mailbox = mailbox.imap.ca_file.as_ref().filter(|_| host == watched_host(mailbox));
        let ca_file = own.ca_file.as_ref().or(general.ca_file.as_ref()).or(of_mailbox);
        Relay {
            host,
            port: own.port.or(general.port).unwrap_or(match tls {
                Tls::Implicit => 465,
                Tls::None => 25,
                Tls::Starttls => 587,
            }),
            tls,
            ca_file: ca_file.map(|path| path.as_path()),
            login: login(file, index, tls),
            rate: own.rate.unwrap_or(general.rate),
            connections: own.connections.unwrap_or(general.connections),
            timeout: own.timeout.unwrap_or(general.timeout),
            envelope: own.envelope.unwrap_or(general.envelope),
        }
    }
}

/// The server that the mailbox is on.
pub fn watched_host(mailbox: &Mailbox) -> Option<&str> {
    mailbox.imap.host.as_deref().or(mailbox.host.as_deref())
}

/// The name a mailbox is logged in to under.
pub fn watched_as(mailbox: &Mailbox) -> &str {
    mailbox.username.as_deref().unwrap_or(&mailbox.address)
}

fn login(file: &File, index: usize, tls: Tls) -> Option<Login<'_>> {
    let mailbox = &file.mailbox[index];
    let (own, general) = (&mailbox.smtp, &file.smtp);
    let username = own.username.as_deref().or(general.username.as_deref());
    if username == Some("") {
        return None;
    }
    let i = index.to_string();
    // What is not protected is a server on this machine, which takes our mail without a login: the
    // mailbox's password goes there only when it is written for it.
    let of_mailbox = mailbox.password.as_ref().filter(|_| tls != Tls::None);
    let (password, written_at) = match (&own.password, &general.password, of_mailbox) {
        (Some(secret), _, _) => (secret, vec!["mailbox", &i, "smtp", "password"]),
        (None, Some(secret), _) => (secret, vec!["smtp", "password"]),
        (None, None, Some(secret)) => (secret, vec!["mailbox", &i, "password"]),
        (None, None, None) => return None,
    };
    let written_at = written_at.into_iter().map(str::to_owned).collect();
    Some(Login { username: username.unwrap_or(watched_as(mailbox)), password, written_at })
}
