//! Where mail of ours goes in tests: Postfix's `smtp-sink`, fast and plain, and a [`Sink`] in this
//! process that speaks TLS, wants a login, keeps each envelope and every byte, and fails on request.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use base64::Engine;
use rustls::ServerConfig;
use tempfile::TempDir;

use super::channel::Channel;
use super::guarded::{Account, Guarded, answers, free_port, shared_folder};
use super::tls::{self, Leaf};

/// Postfix's `smtp-sink`; it writes each transaction into a file.
pub struct SmtpSink {
    _server: Guarded,
    folder: TempDir,
    pub port: u16,
}

impl SmtpSink {
    /// One that keeps what it is sent.
    pub fn keeping() -> SmtpSink {
        SmtpSink::with(&["-d", "%H%M%S."])
    }

    /// One that throws everything away, for speed.
    pub fn forgetting() -> SmtpSink {
        SmtpSink::with(&[])
    }

    /// One with these flags (see `man smtp-sink`); files it writes go to a folder of its own.
    pub fn with(flags: &[&str]) -> SmtpSink {
        let folder = shared_folder();
        let mails = folder.path().join("mails");
        fs::create_dir(&mails).expect("a folder");
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let mut words = vec!["smtp-sink"];
        if Account::own().is_root() {
            // It refuses to go on as root.
            let nobody = Account::named("nobody");
            let owner = (Some(nobody.user), Some(nobody.group));
            std::os::unix::fs::chown(&mails, owner.0, owner.1).expect("the owner is set");
            words.extend(["-u", "nobody"]);
        }
        let root = format!("{}/", mails.display());
        let flags: Vec<String> = flags
            .iter()
            .map(
                |flag| if flag.starts_with('%') { format!("{root}{flag}") } else { (*flag).into() },
            )
            .collect();
        words.extend(flags.iter().map(String::as_str));
        words.extend([address.as_str(), "128"]);
        let log = folder.path().join("log");
        let server = Guarded::start(&words, Account::own(), &log, "TERM");
        server.wait_until("smtp-sink", &log, || answers(port));
        SmtpSink { _server: server, folder, port }
    }

    /// What was sent so far, each transaction as smtp-sink writes it: lines `X-Mail-Args:` and
    /// `X-Rcpt-Args:`, a `Received:` of its own, then the mail, with LF.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        let mails = fs::read_dir(self.folder.path().join("mails")).expect("a readable folder");
        let mut paths: Vec<_> = mails.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().filter_map(|path| fs::read(path).ok()).collect()
    }
}

/// What a [`Sink`] is like.
pub struct SinkOptions {
    /// 0: any that is free.
    pub port: u16,
    pub security: SinkSecurity,
    pub leaf: Leaf,
    /// The lines of its answer to EHLO after the first, without STARTTLS and AUTH.
    pub extensions: Vec<&'static str>,
    /// The mechanisms it offers (`PLAIN`, `LOGIN`), and who may log in; none: nobody has to.
    pub login: Option<(&'static str, &'static str, &'static str)>,
    pub rules: Vec<SinkRule>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkSecurity {
    Implicit,
    Plain,
    Starttls,
}

/// What is done instead of the usual, so many times.
pub struct SinkRule {
    /// How a command begins, e.g. `RCPT TO:<bad@`; `.` is the end of the data, `` the greeting.
    pub on: &'static str,
    pub times: usize,
    pub answer: SinkAnswer,
}

#[derive(Clone, Copy, Debug)]
pub enum SinkAnswer {
    /// The connection ends, without a word.
    Drop,
    /// These lines are said (CRLF between them); a mail is not taken.
    Say(&'static str),
    /// The same, and the connection ends.
    SayAndDrop(&'static str),
    /// Nothing is said any more, and the connection stays.
    Stall,
    /// At the end of the data: the mail is taken, and the connection ends without a word.
    TakeAndDrop,
}

impl Default for SinkOptions {
    fn default() -> SinkOptions {
        SinkOptions {
            port: 0,
            security: SinkSecurity::Plain,
            leaf: Leaf::Good,
            extensions: vec!["8BITMIME", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES"],
            login: None,
            rules: Vec::new(),
        }
    }
}

/// One mail as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// All after `MAIL FROM:`, e.g. `<a@b.example> RET=HDRS`.
    pub from: String,
    /// All after `RCPT TO:`, of those that were accepted.
    pub to: Vec<String>,
    /// The bytes between `DATA` and the final dot, with the dots of transparency taken out.
    pub raw: Vec<u8>,
    pub is_protected: bool,
    /// Who was logged in.
    pub login: Option<String>,
}

/// A server that runs until it is dropped.
pub struct Sink {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    options: SinkOptions,
    used: Vec<AtomicUsize>,
    tls: Arc<ServerConfig>,
    mails: Mutex<Vec<Received>>,
    heard: Mutex<Vec<String>>,
    connections: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

impl Sink {
    pub fn start(options: SinkOptions) -> Sink {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            used: options.rules.iter().map(|_| AtomicUsize::new(0)).collect(),
            tls: tls::server_config(&tls::identity(options.leaf)),
            options,
            mails: Mutex::default(),
            heard: Mutex::default(),
            connections: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let acceptor = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Sink { port, shared, acceptor: Some(acceptor) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails that were taken, in order.
    pub fn mails(&self) -> Vec<Received> {
        lock(&self.shared.mails).clone()
    }

    /// Every command line of every client; not the mails, not what answers a login's prompts.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.shared.heard).clone()
    }

    pub fn connections(&self) -> usize {
        lock(&self.shared.connections).len()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
        for connection in lock(&self.shared.connections).iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.connections).push(copy);
        }
        let shared = shared.clone();
        std::thread::spawn(move || {
            let mut talk = Talk {
                shared: &shared,
                channel: Channel::Plain(stream),
                unread: Vec::new(),
                login: None,
                from: None,
                to: Vec::new(),
            };
            let _ = talk.run();
            talk.channel.end();
        });
    }
}

/// One connection.
struct Talk<'a> {
    shared: &'a Shared,
    channel: Channel,
    unread: Vec<u8>,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl Talk<'_> {
    fn run(&mut self) -> io::Result<()> {
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
            SinkAnswer::Stall => {
                while self.channel.read(&mut [0; 4096])? > 0 {}
                Err(gone())
            }
        }
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
            Some(SinkAnswer::Stall) => {
                while self.channel.read(&mut [0; 4096])? > 0 {}
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that failed elsewhere must not hide behind this lock.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
