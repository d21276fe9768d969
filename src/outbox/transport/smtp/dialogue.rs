//! One connection to a server that takes mail (RFC 5321), with lettre's commands. TLS is ours, so
//! that not a byte from before it is believed (T-42). Every step has its timeout.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use lettre::transport::smtp::commands::{Data, Ehlo, Quit, Rset, Starttls};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::Consent;
use super::envelope::{Envelope, stuffed};
use super::error::{Fault, RelayError, Stage};
use super::reply::{self, Offers, Reply};
use crate::faults;
use crate::net::{Login, Security, Server, Stream, Told, Trust};
use crate::outbox::render::RenderedMail;

// RFC 5321 §4.5.3.1.5 asks for 512 octets; some write more.
const LONGEST_LINE: usize = 4_096;
const MOST_LINES: usize = 128;
// RFC 5321 §4.5.3.2.6: a server scans a mail before it answers for it, and whoever stops waiting
// too early sends it twice. Timeouts.
pub(super) const END_TIMEOUTS: u32 = 5;

/// A connection that is ready for mail.
pub(super) struct Connection {
    stream: BufReader<Stream>,
    server: Arc<Server>,
    /// The same with the time that a server may take to answer for a mail.
    patient: Arc<Server>,
    offers: Offers,
    is_good: bool,
}

impl Connection {
    /// Connects, protects the connection as the server's options say, and logs in.
    pub async fn open(
        server: &Arc<Server>,
        login: Option<&Login>,
        hello: &ClientId,
        trust: &Trust,
        told: Told<'_>,
    ) -> Result<Connection, RelayError> {
        let stream = server.connect(trust, &mut *told).await?;
        let mut patient = Server::clone(server);
        patient.timeout *= END_TIMEOUTS;
        let mut connection = Connection {
            stream: BufReader::new(stream),
            server: server.clone(),
            patient: Arc::new(patient),
            offers: Offers::default(),
            is_good: true,
        };
        let greeting = connection.answer(server, "waiting for its greeting").await?;
        told("greeting", &greeting.said());
        connection.agreed(greeting, 220, "greeting it")?;
        connection.greet(hello, &mut *told).await?;
        if server.security == Security::Starttls {
            connection = connection.protected(trust, &mut *told).await?;
            connection.greet(hello, &mut *told).await?;
        }
        if let Some(login) = login {
            connection.log_in(login, told).await?;
        }
        faults::point("smtp.connected");
        Ok(connection)
    }

    /// Whether another mail may go over it.
    pub fn is_good(&self) -> bool {
        self.is_good
    }

    /// Sends one mail to its one recipient; without consent it is left before its end.
    pub async fn deliver(
        &mut self,
        mail: &RenderedMail,
        consent: &Consent,
    ) -> Result<Reply, Fault> {
        let Envelope { from, to } = Envelope::of(mail, &self.offers, &self.server.host)
            .map_err(|said| Fault::Unable { said })?;
        faults::point("smtp.sender");
        self.hand_over(Stage::Sender, "naming the sender", &from.to_string()).await?;
        self.hand_over(Stage::Recipient, "naming the recipient", &to.to_string()).await?;
        faults::point("smtp.data");
        self.hand_over(Stage::Content, "offering the mail", &Data.to_string()).await?;
        let content = stuffed(&mail.bytes);
        if let Err(error) = self.write("sending the mail", &content).await {
            return Err(self.broken(Stage::Content, error));
        }
        // A server that waited for long may have left, and what is said to it then is a doubt.
        match self.server.within("waiting for the store", consent.is_given()).await {
            Ok(true) => {}
            Ok(false) => return Err(self.broken(Stage::Content, RelayError::Closed)),
            Err(error) => return Err(self.broken(Stage::Content, error.into())),
        }
        match self.early().await {
            Ok(None) => {}
            Ok(Some(reply)) if reply.code >= 400 => {
                self.is_good = false;
                return Err(Fault::Answered { stage: Stage::End, reply });
            }
            Ok(Some(reply)) => {
                let early = self.out_of_turn("sending the mail", &reply);
                return Err(self.broken(Stage::Content, early));
            }
            Err(error) => return Err(self.broken(Stage::Content, error)),
        }
        // Until the dot is on its way the server cannot have taken the mail; from here on it may.
        faults::point("smtp.dot");
        let end: &[u8] = if content.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" };
        let doing = "waiting for its word on the mail";
        let patient = self.patient.clone();
        let answered = match self.write("ending the mail", end).await {
            Ok(()) => self.answer(&patient, doing).await,
            Err(error) => Err(error),
        };
        let reply = match answered {
            Ok(reply) => reply,
            Err(error) => return Err(self.broken(Stage::End, error)),
        };
        if reply.is_positive() {
            faults::point("smtp.taken");
            return Ok(reply);
        }
        self.is_good = reply.code >= 400 && reply.code != 421;
        Err(Fault::Answered { stage: Stage::End, reply })
    }

    /// Takes its leave, as far as the server waits for that.
    pub async fn quit(mut self) {
        // It is over either way.
        if self.write("taking leave", Quit.to_string().as_bytes()).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    async fn greet(&mut self, hello: &ClientId, told: Told<'_>) -> Result<(), RelayError> {
        let doing = "greeting it";
        let reply = self.ask(doing, &Ehlo::new(hello.clone()).to_string()).await?;
        let reply = self.agreed(reply, 250, doing)?;
        self.offers = Offers::read(&reply);
        // Some servers offer a thing without a name.
        let offers = reply.lines.iter().skip(1).map(|line| line.trim());
        let offers: Vec<&str> = offers.filter(|line| !line.is_empty()).collect();
        told("offers", &offers.join(", "));
        Ok(())
    }

    async fn protected(mut self, trust: &Trust, told: Told<'_>) -> Result<Connection, RelayError> {
        let host = self.server.host.clone();
        if !self.offers.starttls {
            let is_refused = faults::stands("T-42-stripped");
            return if is_refused { Err(RelayError::Stripped { host }) } else { Ok(self) };
        }
        let doing = "asking for a protected connection";
        let reply = self.ask(doing, &Starttls.to_string()).await?;
        self.agreed(reply, 220, doing)?;
        if !self.stream.buffer().is_empty() && faults::stands("T-42-injected") {
            return Err(RelayError::Injected { host });
        }
        let Stream::Plain(tcp) = self.stream.into_inner() else {
            return Err(RelayError::Injected { host });
        };
        let stream = self.server.protect(tcp, trust, told).await?;
        Ok(Connection { stream: BufReader::new(stream), offers: Offers::default(), ..self })
    }

    async fn log_in(&mut self, login: &Login, told: Told<'_>) -> Result<(), RelayError> {
        let offers = |mechanism: &str| self.offers.logins.iter().any(|one| one == mechanism);
        let (mechanism, reply) = if offers("PLAIN") {
            ("PLAIN", self.log_in_plain(login).await?)
        } else if offers("LOGIN") {
            ("LOGIN", self.log_in_by_questions(login).await?)
        } else {
            let offered = match self.offers.logins.join(", ") {
                offered if offered.is_empty() => "none".to_owned(),
                offered => offered,
            };
            return Err(RelayError::NoLogin { host: self.server.host.clone(), offered });
        };
        let said = scrubbed(&reply.said(), login);
        if reply.is_positive() {
            told("login", &format!("as `{}` by {mechanism}: {said}", login.username));
            return Ok(());
        }
        let host = self.server.host.clone();
        if reply.is_temporary() {
            return Err(RelayError::Refused { host, doing: "logging in", code: reply.code, said });
        }
        Err(RelayError::Login { host, username: login.username.clone(), said })
    }

    async fn log_in_plain(&mut self, login: &Login) -> Result<Reply, RelayError> {
        let words = base64(&format!("\0{}\0{}", login.username, login.password.reveal()));
        self.ask("logging in", &format!("AUTH PLAIN {words}\r\n")).await
    }

    // Servers ask in many words, but always for the username first.
    async fn log_in_by_questions(&mut self, login: &Login) -> Result<Reply, RelayError> {
        let doing = "logging in";
        let mut reply = self.ask(doing, "AUTH LOGIN\r\n").await?;
        for answer in [login.username.as_str(), login.password.reveal()] {
            if reply.code != 334 {
                return Ok(reply);
            }
            reply = self.ask(doing, &format!("{}\r\n", base64(answer))).await?;
        }
        Ok(reply)
    }

    async fn hand_over(
        &mut self,
        stage: Stage,
        doing: &'static str,
        command: &str,
    ) -> Result<(), Fault> {
        let reply = match self.ask(doing, command).await {
            Ok(reply) => reply,
            Err(error) => return Err(self.broken(stage, error)),
        };
        let is_agreed =
            if stage == Stage::Content { reply.code == 354 } else { reply.is_positive() };
        if is_agreed {
            return Ok(());
        }
        // An answer that is neither yes nor no: nobody knows where the other side is.
        self.is_good = reply.code >= 400 && reply.code != 421;
        if self.is_good && stage != Stage::Sender {
            let forgotten = self.ask("beginning anew", &Rset.to_string()).await;
            self.is_good = forgotten.is_ok_and(|reply| reply.is_positive());
        }
        Err(Fault::Answered { stage, reply })
    }

    fn broken(&mut self, stage: Stage, error: RelayError) -> Fault {
        self.is_good = false;
        Fault::Broken { stage, error }
    }

    // What was said before the question would be taken for the answer to it, and each answer after
    // it for the next one's: a mail would be marked as sent for a 250 that was said to another.
    async fn ask(&mut self, doing: &'static str, command: &str) -> Result<Reply, RelayError> {
        if let Some(reply) = self.early().await? {
            return Err(self.out_of_turn(doing, &reply));
        }
        self.write(doing, command.as_bytes()).await?;
        let server = self.server.clone();
        self.answer(&server, doing).await
    }

    async fn write(&mut self, doing: &'static str, bytes: &[u8]) -> Result<(), RelayError> {
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        let written = self.server.within(doing, writing).await?;
        written.map_err(|error| self.lost(doing, error.to_string()))
    }

    // What the server said although nothing was asked, as far as it is here already.
    async fn early(&mut self) -> Result<Option<Reply>, RelayError> {
        // An end of the connection is found by whoever asks.
        let is_here = matches!(self.stream.fill_buf().now_or_never(), Some(Ok([_, ..])));
        if !is_here || !faults::stands("P-03-turns") {
            return Ok(None);
        }
        let server = self.server.clone();
        self.answer(&server, "reading what nobody asked for").await.map(Some)
    }

    fn out_of_turn(&self, doing: &'static str, reply: &Reply) -> RelayError {
        RelayError::OutOfTurn { host: self.server.host.clone(), doing, code: reply.code }
    }

    async fn answer(&mut self, server: &Server, doing: &'static str) -> Result<Reply, RelayError> {
        server.within(doing, self.read_answer(doing)).await?
    }

    async fn read_answer(&mut self, doing: &'static str) -> Result<Reply, RelayError> {
        let mut lines = Vec::new();
        loop {
            let raw = self.read_line(doing).await?;
            let not_smtp = |said: &str| RelayError::NotSmtp {
                host: self.server.host.clone(),
                said: said.to_owned(),
            };
            let (code, is_last, text) =
                reply::line(&raw).ok_or_else(|| not_smtp("a line without a code"))?;
            lines.push(text);
            if is_last {
                return Ok(Reply { code, lines });
            }
            if lines.len() == MOST_LINES {
                return Err(not_smtp("more lines than anybody reads"));
            }
        }
    }

    async fn read_line(&mut self, doing: &'static str) -> Result<Vec<u8>, RelayError> {
        let mut line = Vec::new();
        loop {
            let read = self.stream.fill_buf().await;
            let chunk = match read {
                Ok([]) => {
                    return Err(self.lost(doing, "it closed the connection".to_owned()));
                }
                Ok(chunk) => chunk,
                Err(error) => {
                    let said = error.to_string();
                    return Err(self.lost(doing, said));
                }
            };
            let (taken, is_whole) = match memchr::memchr(b'\n', chunk) {
                Some(at) => (at + 1, true),
                None => (chunk.len(), false),
            };
            line.extend_from_slice(&chunk[..taken]);
            self.stream.consume(taken);
            if line.len() > LONGEST_LINE {
                let host = self.server.host.clone();
                return Err(RelayError::NotSmtp { host, said: "a line without an end".to_owned() });
            }
            if is_whole {
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
        }
    }

    fn agreed(&self, reply: Reply, wanted: u16, doing: &'static str) -> Result<Reply, RelayError> {
        if reply.code == wanted {
            return Ok(reply);
        }
        let host = self.server.host.clone();
        Err(RelayError::Refused { host, doing, code: reply.code, said: reply.said() })
    }

    fn lost(&self, doing: &'static str, said: String) -> RelayError {
        RelayError::Lost { host: self.server.host.clone(), doing, said }
    }
}

// Some servers repeat what they were told; a password must reach no log (T-26).
fn scrubbed(said: &str, login: &Login) -> String {
    let password = login.password.reveal();
    let plain = format!("\0{}\0{password}", login.username);
    [password.to_owned(), base64(password), base64(&plain)]
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(said.to_owned(), |said, secret| said.replace(secret.as_str(), "***"))
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Password;

    #[test]
    fn t_26_a_server_that_repeats_the_password_is_not_repeated() {
        let login = Login { username: "us".to_owned(), password: Password::new("pa+ss") };
        let said = format!("535 no: pa+ss, {}, {}", base64("pa+ss"), base64("\0us\0pa+ss"));
        assert_eq!(scrubbed(&said, &login), "535 no: ***, ***, ***");
    }
}
