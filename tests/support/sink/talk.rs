//! One connection to a [`Sink`](super::Sink): SMTP, as far as a client of ours speaks it.

use std::io;
use std::sync::atomic::Ordering;

use base64::Engine;

use super::super::channel::Channel;
use super::{Received, Shared, SinkAnswer, SinkSecurity, lock};

/// One connection.
pub(super) struct Talk<'a> {
    shared: &'a Shared,
    channel: Channel,
    unread: Vec<u8>,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Talk<'a> {
    pub(super) fn over(channel: Channel, shared: &'a Shared) -> Talk<'a> {
        Talk { shared, channel, unread: Vec::new(), login: None, from: None, to: Vec::new() }
    }

    pub(super) fn end(mut self) {
        self.channel.end();
    }

    pub(super) fn run(&mut self) -> io::Result<()> {
        if self.shared.options.security == SinkSecurity::Implicit {
            self.channel.protect(&self.shared.tls)?;
        }
        if !self.ruled("")? {
            self.say("220 sink.example ready")?;
        }
        loop {
            let line = self.line()?;
            lock(&self.shared.heard).push(line.clone());
            if !self.ruled(&line)? {
                self.answer(&line)?;
            }
        }
    }

    // Whether a rule took care of it.
    fn ruled(&mut self, line: &str) -> io::Result<bool> {
        let Some(answer) = self.rule(line) else { return Ok(false) };
        match answer {
            SinkAnswer::Drop | SinkAnswer::TakeAndDrop => Err(gone()),
            SinkAnswer::Say(text) => self.say(text).map(|()| true),
            SinkAnswer::SayAndDrop(text) => {
                self.say(text)?;
                Err(gone())
            }
            SinkAnswer::SayLate(text) => {
                self.hear_out()?;
                self.say(text)?;
                Err(gone())
            }
            SinkAnswer::Stall => {
                self.hear_out()?;
                Err(gone())
            }
        }
    }

    // Until the client has gone.
    fn hear_out(&mut self) -> io::Result<()> {
        while self.channel.read(&mut [0; 4096])? > 0 {}
        Ok(())
    }

    fn rule(&self, line: &str) -> Option<SinkAnswer> {
        let is_meant = |on: &str| match on {
            "" | "." => line == on,
            on => line.get(..on.len()).is_some_and(|start| start.eq_ignore_ascii_case(on)),
        };
        self.shared.options.rules.iter().zip(&self.shared.used).find_map(|(rule, used)| {
            let is_taken = is_meant(rule.on) && used.fetch_add(1, Ordering::SeqCst) < rule.times;
            is_taken.then_some(rule.answer)
        })
    }

    fn answer(&mut self, line: &str) -> io::Result<()> {
        let upper = line.to_ascii_uppercase();
        let needs_login = self.shared.options.login.is_some() && self.login.is_none();
        if upper.starts_with("EHLO") {
            self.hello()
        } else if upper.starts_with("HELO") {
            self.say("250 sink.example")
        } else if upper == "STARTTLS" && self.offers_starttls() {
            self.say("220 go on")?;
            self.unread.clear();
            self.channel.protect(&self.shared.tls)
        } else if upper.starts_with("AUTH ") {
            self.log_in(line)
        } else if upper.starts_with("MAIL FROM:") {
            if needs_login {
                return self.say("530 5.7.0 log in first");
            }
            self.from = Some(line["MAIL FROM:".len()..].trim().to_owned());
            self.to.clear();
            self.say("250 2.1.0 ok")
        } else if upper.starts_with("RCPT TO:") && self.from.is_some() {
            self.to.push(line["RCPT TO:".len()..].trim().to_owned());
            self.say("250 2.1.5 ok")
        } else if upper == "DATA" && !self.to.is_empty() {
            self.say("354 go on")?;
            self.data()
        } else if upper == "RSET" {
            self.from = None;
            self.to.clear();
            self.say("250 2.0.0 ok")
        } else if upper == "NOOP" {
            self.say("250 2.0.0 ok")
        } else if upper == "QUIT" {
            self.say("221 2.0.0 see you")?;
            Err(gone())
        } else {
            self.say("503 5.5.1 not now")
        }
    }

    fn offers_starttls(&self) -> bool {
        self.shared.options.security == SinkSecurity::Starttls && !self.channel.is_protected()
    }

    fn hello(&mut self) -> io::Result<()> {
        let options = &self.shared.options;
        let mut lines = vec!["sink.example".to_owned()];
        lines.extend(options.extensions.iter().map(|line| (*line).to_owned()));
        if self.offers_starttls() {
            lines.push("STARTTLS".to_owned());
        }
        let may_log_in = options.security == SinkSecurity::Plain || self.channel.is_protected();
        if let (Some((mechanisms, _, _)), true) = (options.login, may_log_in) {
            lines.push(format!("AUTH {mechanisms}"));
        }
        let last = lines.pop().unwrap_or_default();
        let mut text: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        text.push_str(&format!("250 {last}"));
        self.say(&text)
    }

    fn log_in(&mut self, line: &str) -> io::Result<()> {
        let mut words = line.split_whitespace().skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let initial = words.next().map(str::to_owned);
        let (user, password) = match mechanism.as_str() {
            "PLAIN" => {
                let response = match initial {
                    Some(response) => response,
                    None => self.ask("334 ")?,
                };
                let text = decoded(&response);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let user = match initial {
                    Some(user) => user,
                    None => self.ask("334 VXNlcm5hbWU6")?,
                };
                (decoded(&user), decoded(&self.ask("334 UGFzc3dvcmQ6")?))
            }
            _ => return self.say("504 5.5.4 no such mechanism"),
        };
        match self.shared.options.login {
            Some((_, name, secret)) if user == name && password == secret => {
                self.login = Some(user);
                self.say("235 2.7.0 welcome")
            }
            _ => self.say("535 5.7.8 that is not the password"),
        }
    }

    fn ask(&mut self, prompt: &str) -> io::Result<String> {
        self.say(prompt)?;
        self.line()
    }

    fn data(&mut self) -> io::Result<()> {
        let raw = self.until_dot()?;
        let from = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        let mail = Received {
            from,
            to,
            raw,
            is_protected: self.channel.is_protected(),
            login: self.login.clone(),
        };
        match self.rule(".") {
            Some(SinkAnswer::TakeAndDrop) => {
                lock(&self.shared.mails).push(mail);
                Err(gone())
            }
            Some(SinkAnswer::Say(text)) => self.say(text),
            Some(SinkAnswer::SayAndDrop(text)) => {
                self.say(text)?;
                Err(gone())
            }
            Some(SinkAnswer::Drop) => Err(gone()),
            Some(SinkAnswer::SayLate(text)) => {
                lock(&self.shared.mails).push(mail);
                self.hear_out()?;
                self.say(text)
            }
            Some(SinkAnswer::Stall) => {
                self.hear_out()?;
                Err(gone())
            }
            None => {
                let number = {
                    let mut mails = lock(&self.shared.mails);
                    mails.push(mail);
                    mails.len()
                };
                self.say(&format!("250 2.0.0 Ok: queued as SINK{number:012}"))
            }
        }
    }

    // Only CRLF, a dot, CRLF ends a mail (T-14).
    fn until_dot(&mut self) -> io::Result<Vec<u8>> {
        let mut raw = Vec::new();
        loop {
            let line = self.bytes_to_crlf()?;
            if line == b".\r\n" {
                return Ok(raw);
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    fn bytes_to_crlf(&mut self) -> io::Result<Vec<u8>> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.unread[looked..].windows(2).position(|two| two == b"\r\n") {
                return Ok(self.unread.drain(..looked + at + 2).collect());
            }
            looked = self.unread.len().saturating_sub(1);
            let mut buffer = [0; 16 * 1024];
            let count = self.channel.read(&mut buffer)?;
            if count == 0 {
                return Err(gone());
            }
            self.unread.extend_from_slice(&buffer[..count]);
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let bytes = self.bytes_to_crlf()?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.channel.write(format!("{text}\r\n").as_bytes())
    }
}

fn decoded(text: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
