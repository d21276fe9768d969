//! What is wrong with what is said of servers: no way in or out, plain text beyond this machine, a
//! login by halves.

use super::Check;
use crate::config::file::{After, CredentialsMode, Mailbox, Provider, StoreTls, Tls, Transport};
use crate::config::formats::{self, Database, Whereabouts, whereabouts};
use crate::config::relay::{Relay, watched_host};
use crate::config::values::{Duration, Misread};

impl Check<'_> {
    /// Where the mail of mailbox `i` comes from.
    pub(super) fn provider(&mut self, mailbox: &Mailbox, i: &str) {
        let is_sent = self.file.smtp.transport == Transport::Smtp;
        let (word, needed, example, idle) = match mailbox.provider {
            Provider::Imap => ("imap", "host", "mail.example.com", ["path", "sweep"].as_slice()),
            Provider::Microsoft365 => {
                ("microsoft365", "host", "localhost", ["path", "sweep"].as_slice())
            }
            // Its mail may leave by a server all the same.
            Provider::Maildir if is_sent => {
                ("maildir", "path", "/var/mail/support", ["folder", "imap"].as_slice())
            }
            Provider::Maildir => (
                "maildir",
                "path",
                "/var/mail/support",
                ["host", "username", "password", "folder", "imap"].as_slice(),
            ),
        };
        let is_there = match mailbox.provider {
            Provider::Imap | Provider::Microsoft365 => watched_host(mailbox).is_some(),
            Provider::Maildir => mailbox.path.is_some(),
        };
        // A key that is wrong was complained about.
        if !is_there && !self.is_set(&["mailbox", i, needed]) {
            let message = format!("a mailbox with `provider = \"{word}\"` needs `{needed}`");
            let other = match mailbox.provider {
                Provider::Imap => "; a maildir says `provider = \"maildir\"` and `path`",
                Provider::Maildir => "",
                Provider::Microsoft365 => ", the gateway that logs in for guichet",
            };
            let hint = format!("add `{needed} = \"{example}\"`{other}");
            let at = if self.is_set(&["mailbox", i, "provider"]) { "provider" } else { "address" };
            self.err(&["mailbox", i, at], Misread::new(message, hint));
        }
        for key in idle {
            if self.is_set(&["mailbox", i, key]) {
                let message = format!("`mailbox.{key}` has no effect with `provider = \"{word}\"`");
                self.warn(
                    &["mailbox", i, key],
                    Misread::new(message, "take it out, unless `db copy` is to use it"),
                );
            }
        }
        if let (Tls::None, Some(host)) = (mailbox.imap.tls, watched_host(mailbox))
            && mailbox.provider != Provider::Maildir
        {
            self.in_the_clear(host, &["mailbox", i, "imap", "tls"]);
        }
        self.way_round(mailbox, i);
    }

    // A message moved to where it lies gets a new UID each time: it would come in again for ever.
    fn way_round(&mut self, mailbox: &Mailbox, i: &str) {
        let Mailbox { folder, move_to, .. } = mailbox;
        let is_inbox = |name: &str| name.eq_ignore_ascii_case("INBOX");
        let is_same = folder == move_to || is_inbox(folder) && is_inbox(move_to);
        let is_on_a_server = mailbox.provider != Provider::Maildir;
        if is_on_a_server && mailbox.after == After::Move && is_same {
            let key = if self.is_set(&["mailbox", i, "move_to"]) { "move_to" } else { "folder" };
            let message = format!("mail would be moved to the folder it is in, `{folder}`");
            let hint = "name another folder in `move_to`, or say `after = \"flag\"`";
            self.err(&["mailbox", i, key], Misread::new(message, hint));
        }
    }

    /// How mail leaves.
    pub(super) fn outgoing(&mut self) {
        let smtp = &self.file.smtp;
        match smtp.transport {
            Transport::File if !self.is_set(&["smtp", "path"]) => {
                let hint = "add `path = \"outgoing\"`, the maildir to deliver into";
                let misread = Misread::new("`transport = \"file\"` needs `path`", hint);
                self.err(&["smtp", "transport"], misread);
            }
            Transport::None | Transport::Smtp if smtp.path.is_some() => {
                let message = "`smtp.path` has an effect with `transport = \"file\"` only";
                self.warn(&["smtp", "path"], Misread::new(message, "take it out"));
            }
            Transport::File | Transport::None | Transport::Smtp => {}
        }
        if smtp.transport == Transport::Smtp {
            for index in 0..self.file.mailbox.len() {
                self.relay(index);
            }
        }
        let portal = &self.file.portal;
        let credentials = &self.file.credentials;
        let invites =
            credentials.send && credentials.mode != CredentialsMode::None && portal.enabled;
        if invites && !self.is_set(&["portal", "url"]) {
            let message = "nobody will be told how to log in: `portal.url` is not set";
            let hint = "set it, or say `credentials.send = false`";
            self.warn(&["portal"], Misread::new(message, hint));
        }
    }

    fn relay(&mut self, index: usize) {
        let file = self.file;
        let (relay, mailbox, i) = (Relay::of(file, index), &file.mailbox[index], index.to_string());
        let written = |check: &Self, key: &'static str| {
            let own = vec!["mailbox".to_owned(), i.clone(), "smtp".to_owned(), key.to_owned()];
            let general = vec!["smtp".to_owned(), key.to_owned()];
            let is_own = check.is_set(&own.iter().map(String::as_str).collect::<Vec<_>>());
            if is_own { own } else { general }
        };
        match relay.host {
            Some(host) if relay.tls == Tls::None => {
                let at = written(self, "tls");
                self.in_the_clear(host, &at.iter().map(String::as_str).collect::<Vec<_>>());
            }
            Some(_) => {}
            // One on a mail server without a host was complained about, and so was a wrong one.
            None => {
                let at = written(self, "host");
                let is_wrong = self.is_set(&at.iter().map(String::as_str).collect::<Vec<_>>())
                    || self.is_set(&["mailbox", &i, "host"]);
                if mailbox.provider == Provider::Maildir && !is_wrong {
                    let message = format!(
                        "mail of the mailbox `{}` has no way out: there is no `smtp.host`",
                        mailbox.name.as_deref().unwrap_or(&mailbox.address)
                    );
                    let hint = "add the server that takes your mail as `host` below `[smtp]`, or \
                                say `transport = \"none\"` or `\"file\"` there";
                    self.err(&["mailbox", &i, "provider"], Misread::new(message, hint));
                }
            }
        }
        let at = written(self, "username");
        let at: Vec<&str> = at.iter().map(String::as_str).collect();
        let is_named = mailbox.smtp.username.as_ref().or(file.smtp.username.as_ref());
        let password = written(self, "password");
        let password: Vec<&str> = password.iter().map(String::as_str).collect();
        if is_named.is_some_and(|name| !name.is_empty())
            && relay.login.is_none()
            && !self.is_set(&password)
        {
            let message = "this login for sending has no password";
            let hint = "add `password = { file = \"relay.password\" }` beside it, or take it out";
            self.err(&at, Misread::new(message, hint));
        }
    }

    /// Where tickets, users and mail are kept.
    pub(super) fn store(&mut self) {
        let written = &self.file.store;
        match formats::store(&written.url) {
            Ok(Database::Sqlite(_)) => {
                if written.workers > 1 {
                    let hint = "set `url = \"postgres://…\"`, or take `workers` out: one worker \
                                uses all processors to read messages";
                    let misread = Misread::new("more than one worker needs PostgreSQL", hint);
                    self.err(&["store", "workers"], misread);
                }
                for key in ["password", "tls", "ca_file"] {
                    if self.is_set(&["store", key]) {
                        let message = format!("`store.{key}` has an effect with PostgreSQL only");
                        self.warn(&["store", key], Misread::new(message, "take it out"));
                    }
                }
            }
            Ok(Database::Postgres { whereabouts, .. }) => {
                if (written.tls, whereabouts) == (Some(StoreTls::None), Whereabouts::Elsewhere) {
                    let message = "the database is not on this machine, and `tls = \"none\"` \
                                   would send all mail in the clear";
                    let hint = "set `tls = \"require\"`, or leave the key out";
                    self.err(&["store", "tls"], Misread::new(message, hint));
                }
            }
            // The walk has complained.
            Err(_) => {}
        }
    }

    /// The durations of servers.
    pub(super) fn waits(&mut self) {
        let (second, day) = (Duration::seconds(1), Duration::seconds(86_400));
        let most = Duration::seconds(600);
        let timeout = self.file.smtp.timeout;
        self.between(timeout, second, most, &["smtp", "timeout"]);
        for (i, mailbox) in self.file.mailbox.iter().enumerate() {
            let i = i.to_string();
            let imap = &mailbox.imap;
            self.between(mailbox.sweep, second, day, &["mailbox", &i, "sweep"]);
            self.between(imap.sweep, second, day, &["mailbox", &i, "imap", "sweep"]);
            self.between(
                imap.poll_interval,
                second,
                day,
                &["mailbox", &i, "imap", "poll_interval"],
            );
            self.between(imap.timeout, second, most, &["mailbox", &i, "imap", "timeout"]);
            if let Some(timeout) = mailbox.smtp.timeout {
                self.between(timeout, second, most, &["mailbox", &i, "smtp", "timeout"]);
            }
        }
    }

    // T-43: the password, and all mail, would be there for everybody on the way to read.
    fn in_the_clear(&mut self, host: &str, at: &[&str]) {
        if whereabouts(host) == Whereabouts::Here {
            return;
        }
        let message = format!(
            "`{host}` is not on this machine, and `tls = \"none\"` would send the password in the clear"
        );
        let hint = "set `tls = \"implicit\"` or `tls = \"starttls\"`";
        self.err(at, Misread::new(message, hint));
    }
}
