//! A conversation with an IMAP server: connection, greeting, STARTTLS, login, one command at a time.
//! async-imap reads and parses what [`Wire`] has checked; an answer is complete only with its tagged
//! OK. Whatever breaks off, comes too late or does not parse ends the session. IDLE and logins with
//! tokens will stand beside [`Session::log_in`] and [`Session::command`].

use std::any::Any;
use std::collections::HashSet;
use std::io;
use std::panic::AssertUnwindSafe;

use async_imap::Client;
use async_imap::imap_proto::{Response, Status};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;

use super::error::{self, ImapError};
use super::gauge::{Limits, SMALL, TooMuch};
use super::names::{is_safe, quoted};
use super::reply::{Reply, offers, reply, validity_in, word};
use super::wire::Wire;
use crate::faults;
use crate::intake::ImapOptions;
use crate::net::{Login, NetError, Security, Server, Stream, Told, Trust};

// How often the wait for a response begins anew while its bytes keep coming.
const PATIENCE: u32 = 10;
// Timeouts that a whole answer may take, however many responses there are in it.
const LONGEST: u32 = 100;

/// A session with a server that let us in.
pub(super) struct Session {
    client: Client<Wire>,
    server: Server,
    /// In capitals.
    offers: HashSet<String>,
    commands: u64,
    taken: u64,
    /// Of the folder that is open.
    pub(super) validity: Option<u32>,
}

impl Session {
    /// Reaches the server and logs in; `told` of each step.
    pub(super) async fn open(options: &ImapOptions, told: Told<'_>) -> Result<Session, ImapError> {
        let ImapOptions { server, login, folder, .. } = options;
        for (text, what, key) in [
            (&login.username, "username", "mailbox.username"),
            (&login.password.reveal().to_owned(), "password", "mailbox.password"),
            (folder, "folder", "mailbox.folder"),
        ] {
            if !is_safe(text) && faults::stands("T-45") {
                return Err(ImapError::Forbidden { what, key });
            }
        }
        let trust = Trust::of(server)?;
        let stream = server.connect(&trust, told).await?;
        let mut session = Session::over(stream, server.clone());
        faults::point("imap.connected");
        session.greeting(told).await?;
        if server.security == Security::Starttls {
            session = session.protect(&trust, told).await?;
        }
        if session.offers.is_empty() {
            session.ask_offers().await?;
        }
        told("capabilities", &session.offered());
        session.log_in(login).await?;
        faults::point("imap.logged_in");
        told("login", &format!("as {}", login.username));
        Ok(session)
    }

    fn over(stream: Stream, server: Server) -> Session {
        let client = Client::new(Wire::new(stream));
        Session { client, server, offers: HashSet::new(), commands: 0, taken: 0, validity: None }
    }

    // F-12: a login goes only to a server that asks for one.
    async fn greeting(&mut self, told: Told<'_>) -> Result<(), ImapError> {
        let doing = "greeting";
        let greeting = self
            .next(doing, |response| match response {
                Response::Data { status, outcome } => {
                    Some((reply(status, outcome), offers(outcome)))
                }
                _ => None,
            })
            .await?;
        let host = self.host();
        match greeting {
            Some((Reply { status: Status::PreAuth, .. }, _)) if faults::stands("F-12") => {
                Err(ImapError::Preauthenticated { host })
            }
            Some((Reply { status: Status::Ok | Status::PreAuth, said, .. }, offers)) => {
                told("greeting", &said);
                // What is said before the protection is not believed after it.
                if self.server.security != Security::Starttls {
                    self.offers = offers.unwrap_or_default();
                }
                Ok(())
            }
            Some((Reply { status: Status::Bye, said, .. }, _)) => {
                Err(ImapError::Closed { host, doing, said })
            }
            _ => Err(ImapError::Garbled { host, doing }),
        }
    }

    // T-42: nothing that came before the protection is kept, and nothing may have come early.
    async fn protect(mut self, trust: &Trust, told: Told<'_>) -> Result<Session, ImapError> {
        self.ask_offers().await?;
        let host = self.host();
        if !self.has("STARTTLS") {
            let is_refused = faults::stands("T-42-stripped");
            return if is_refused { Err(ImapError::NoStarttls { host }) } else { Ok(self) };
        }
        let reply = self.command("asking for protection", "STARTTLS", SMALL, |_| ()).await?;
        if !reply.is_ok() {
            return Err(ImapError::NoStarttls { host });
        }
        let has_more = self.client.get_ref().has_more_than(self.taken);
        if has_more && faults::stands("T-42-injected") {
            return Err(ImapError::Injected { host });
        }
        let Stream::Plain(stream) = self.client.into_inner().into_inner() else {
            unreachable!("STARTTLS begins on a plain connection");
        };
        let stream = self.server.protect(stream, trust, told).await?;
        let mut session = Session::over(stream, self.server);
        session.ask_offers().await?;
        Ok(session)
    }

    async fn ask_offers(&mut self) -> Result<(), ImapError> {
        let doing = "saying what it can do";
        let mut found = HashSet::new();
        let heard = |response: &Response<'_>| {
            if let Response::Capabilities(list) = response {
                found.extend(list.iter().map(word));
            }
        };
        let reply = self.command(doing, "CAPABILITY", SMALL, heard).await?;
        self.offers = found;
        if reply.is_ok() { Ok(()) } else { Err(self.refused(doing, &reply)) }
    }

    // capabilities are read again after the login.
    async fn log_in(&mut self, login: &Login) -> Result<(), ImapError> {
        let (username, password) = (login.username.as_str(), login.password.reveal());
        let parts = if self.has("AUTH=PLAIN") {
            let coded = BASE64_STANDARD.encode(format!("\0{username}\0{password}"));
            if self.has("SASL-IR") {
                vec![format!("AUTHENTICATE PLAIN {coded}")]
            } else {
                vec!["AUTHENTICATE PLAIN".to_owned(), coded]
            }
        } else if self.has("LOGINDISABLED") {
            return Err(ImapError::LoginDisabled { host: self.host() });
        } else if username.is_ascii() && password.is_ascii() {
            vec![format!("LOGIN {} {}", quoted(username), quoted(password))]
        } else {
            vec![
                format!("LOGIN {{{}}}", username.len()),
                format!("{username} {{{}}}", password.len()),
                password.to_owned(),
            ]
        };
        let doing = "logging in";
        let mut found = None;
        let reply = self
            .converse(doing, &parts, SMALL, |response| match response {
                Response::Capabilities(list) => found = Some(list.iter().map(word).collect()),
                Response::Done { outcome, .. } => {
                    if let Some(offers) = offers(outcome) {
                        found = Some(offers);
                    }
                }
                _ => {}
            })
            .await?;
        if !reply.is_ok() {
            return Err(match reply.code.as_str() {
                // RFC 5530: the account is not what is wrong.
                "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "LIMIT" => self.refused(doing, &reply),
                _ => ImapError::Login {
                    host: self.host(),
                    username: username.to_owned(),
                    said: reply.said,
                },
            });
        }
        match found {
            Some(offers) => self.offers = offers,
            None => self.ask_offers().await?,
        }
        Ok(())
    }

    /// Whether the server offers a capability, named in capitals.
    pub(super) fn has(&self, capability: &str) -> bool {
        self.offers.contains(capability)
    }

    fn offered(&self) -> String {
        let mut offers: Vec<&str> = self.offers.iter().map(String::as_str).collect();
        offers.sort_unstable();
        offers.join(" ")
    }

    pub(super) fn host(&self) -> String {
        self.server.host.clone()
    }

    /// Says a command and hears its answer to the tagged end, whatever that says.
    pub(super) async fn command(
        &mut self,
        doing: &'static str,
        command: &str,
        limits: Limits,
        heard: impl FnMut(&Response<'_>),
    ) -> Result<Reply, ImapError> {
        self.converse(doing, &[command.to_owned()], limits, heard).await
    }

    /// The same; an answer that does not end in OK is an error.
    pub(super) async fn command_ok(
        &mut self,
        doing: &'static str,
        command: &str,
        limits: Limits,
        heard: impl FnMut(&Response<'_>),
    ) -> Result<Reply, ImapError> {
        let reply = self.command(doing, command, limits, heard).await?;
        if reply.is_ok() { Ok(reply) } else { Err(self.refused(doing, &reply)) }
    }

    pub(super) fn refused(&self, doing: &'static str, reply: &Reply) -> ImapError {
        let said = if reply.said.is_empty() { "it gave no reason" } else { &reply.said };
        ImapError::Refused {
            host: self.host(),
            doing,
            said: said.to_owned(),
            hint: error::hint(&reply.said),
        }
    }

    // A command in parts, and its answer, which ends at some time.
    async fn converse(
        &mut self,
        doing: &'static str,
        parts: &[String],
        limits: Limits,
        heard: impl FnMut(&Response<'_>),
    ) -> Result<Reply, ImapError> {
        let (host, after) = (self.host(), self.server.timeout * LONGEST);
        let talking = self.talk(doing, parts, limits, heard);
        let talked = tokio::time::timeout(after, talking).await;
        talked.unwrap_or_else(|_| Err(NetError::Timeout { host, doing, after }.into()))
    }

    // Each part but the first waits until the server asks for it.
    async fn talk(
        &mut self,
        doing: &'static str,
        parts: &[String],
        limits: Limits,
        mut heard: impl FnMut(&Response<'_>),
    ) -> Result<Reply, ImapError> {
        self.commands += 1;
        let tag = format!("g{}", self.commands);
        let wire = self.client.get_mut();
        wire.allow(limits);
        let taken_in = wire.take_in().await;
        // What ends before the command is said is no answer to it.
        let is_early = wire.ended() >= self.commands && faults::stands("T-44-early");
        taken_in.map_err(|error| self.broken(doing, &error))?;
        if is_early {
            let what = "an answer to what nobody asked";
            return Err(ImapError::TooMuch { host: self.host(), doing, what });
        }
        let (first, rest) = parts.split_first().expect("a command has a first part");
        let mut rest = rest.iter();
        let validity = self.validity;
        self.say(doing, &format!("{tag} {first}\r\n")).await?;
        let mut goodbye = String::new();
        loop {
            let next = self
                .next(doing, |response| {
                    heard(response);
                    if validity.is_some_and(|of| validity_in(response).is_some_and(|n| n != of)) {
                        return Heard::AnotherValidity;
                    }
                    match response {
                        Response::Continue(_) => Heard::Continue,
                        Response::Data { status: Status::Bye, outcome } => {
                            Heard::Goodbye(reply(&Status::Bye, outcome).said)
                        }
                        Response::Done { tag: of, status, outcome } if of.0 == tag => {
                            Heard::End(reply(status, outcome))
                        }
                        Response::Done { .. } => Heard::Stranger,
                        _ => Heard::More,
                    }
                })
                .await;
            match next {
                Ok(Heard::AnotherValidity) => {
                    return Err(ImapError::AnotherValidity { host: self.host(), doing });
                }
                Ok(Heard::Continue) => match rest.next() {
                    Some(part) => self.say(doing, &format!("{part}\r\n")).await?,
                    None => return Err(ImapError::Garbled { host: self.host(), doing }),
                },
                Ok(Heard::End(reply)) => return Ok(reply),
                Ok(Heard::Goodbye(said)) => goodbye = said,
                Ok(Heard::More) => {}
                Ok(Heard::Stranger) => {
                    return Err(ImapError::Garbled { host: self.host(), doing });
                }
                Err(ImapError::Closed { .. }) if !faults::stands("P-08") => {
                    return Ok(Reply { status: Status::Ok, code: String::new(), said: goodbye });
                }
                Err(ImapError::Closed { host, doing, said }) => {
                    let said = if goodbye.is_empty() { said } else { goodbye };
                    return Err(ImapError::Closed { host, doing, said });
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn say(&mut self, doing: &'static str, text: &str) -> Result<(), ImapError> {
        let wire = self.client.get_mut();
        let saying = async {
            wire.write_all(text.as_bytes()).await?;
            wire.flush().await
        };
        let said = self.server.within(doing, saying).await?;
        said.map_err(|error| self.broken(doing, &error))
    }

    // The next response. While its bytes keep coming the wait begins anew, but not for ever.
    async fn next<T>(
        &mut self,
        doing: &'static str,
        take: impl FnOnce(&Response<'_>) -> T,
    ) -> Result<T, ImapError> {
        for _ in 0..PATIENCE {
            let before = self.client.get_ref().received();
            // imap-proto panics at, for one, an INTERNALDATE that is NIL.
            let reading = AssertUnwindSafe(self.client.read_response()).catch_unwind();
            let read: Result<Result<_, _>, Box<dyn Any + Send>> =
                match self.server.within(doing, reading).await {
                    Ok(read) => read,
                    Err(_) if self.client.get_ref().received() > before => continue,
                    Err(timeout) => return Err(timeout.into()),
                };
            let host = self.host();
            return match read {
                Ok(Ok(Some(response))) => {
                    self.taken += 1;
                    Ok(take(response.parsed()))
                }
                Ok(Ok(None)) => Err(ImapError::Closed { host, doing, said: String::new() }),
                Ok(Err(error)) => Err(self.broken(doing, &error)),
                Err(_) => Err(ImapError::Garbled { host, doing }),
            };
        }
        let (host, after) = (self.host(), self.server.timeout);
        Err(NetError::Timeout { host, doing, after }.into())
    }

    // What a parser says of its input is not repeated: it holds mail.
    fn broken(&self, doing: &'static str, error: &io::Error) -> ImapError {
        let host = self.host();
        let inner = error.get_ref();
        if let Some(TooMuch(what)) = inner.and_then(|inner| inner.downcast_ref()) {
            return ImapError::TooMuch { host, doing, what };
        }
        match error.kind() {
            io::ErrorKind::Other => ImapError::Garbled { host, doing },
            io::ErrorKind::UnexpectedEof => ImapError::Closed { host, doing, said: String::new() },
            kind => ImapError::Closed { host, doing, said: kind.to_string() },
        }
    }

    /// Takes leave; what the server says to that is nobody's concern.
    pub(super) async fn log_out(mut self) {
        let _ = self.command("taking leave", "LOGOUT", SMALL, |_| ()).await;
    }
}

enum Heard {
    /// The UIDs mean other messages now.
    AnotherValidity,
    Continue,
    End(Reply),
    Goodbye(String),
    More,
    /// The end of a command that is not the one that runs.
    Stranger,
}
