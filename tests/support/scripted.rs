//! A server in this process that misbehaves as a dialogue in `fixtures/dialogues` says, and for the
//! rest plays an IMAP server with a real [`Account`] behind it. Every word a client says is kept.
//! How a dialogue is written stands in [`super::dialogue`].

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rustls::ServerConfig;

use super::account::{Account, Session};
use super::channel::Channel;
use super::dialogue::{Action, Played, Rule, Script, Security, fits};
use super::tls::{self, Leaf};

/// A server that runs until it is dropped.
pub struct Scripted {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    script: Script,
    used: Vec<AtomicUsize>,
    account: Mutex<Account>,
    tls: Arc<ServerConfig>,
    heard: Mutex<Vec<String>>,
    sent: Mutex<Vec<usize>>,
    // Those that are open, by their number.
    connections: Mutex<BTreeMap<usize, TcpStream>>,
    connected: AtomicUsize,
    is_over: AtomicBool,
}

impl Scripted {
    /// Plays `fixtures/dialogues/NAME.txt` over `account`.
    pub fn start(name: &str, account: Account) -> Scripted {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dialogues");
        let path = folder.join(format!("{name}.txt"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", path.display()));
        Scripted::play(&text, account)
    }

    /// Plays a dialogue that a test made itself.
    pub fn play(text: &str, account: Account) -> Scripted {
        Scripted::with(text, account, Leaf::Good)
    }

    /// The same, with that certificate.
    pub fn with(text: &str, mut account: Account, leaf: Leaf) -> Scripted {
        let script = Script::read(text);
        if let Some(capability) = &script.capability {
            account.capability.clone_from(capability);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            used: script.rules.iter().map(|_| AtomicUsize::new(0)).collect(),
            script,
            account: Mutex::new(account),
            tls: tls::server_config(&tls::identity(leaf)),
            heard: Mutex::default(),
            sent: Mutex::default(),
            connections: Mutex::default(),
            connected: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let acceptor = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Scripted { port, shared, acceptor: Some(acceptor) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every command that any client said, without its line's end, literals included.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.shared.heard).clone()
    }

    /// How many times a client connected.
    pub fn connections(&self) -> usize {
        self.shared.connected.load(Ordering::SeqCst)
    }

    /// How many commands that any client said begin so, after the tag.
    pub fn count(&self, command: &str) -> usize {
        let of = |line: &String| line.split_once(' ').is_some_and(|(_, c)| c.starts_with(command));
        self.heard().iter().filter(|line| of(line)).count()
    }

    /// Whether any client said `secret`, also inside base64.
    pub fn heard_secret(&self, secret: &str) -> bool {
        use base64::Engine;
        let decoded = |word: &str| base64::engine::general_purpose::STANDARD.decode(word);
        let holds =
            |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        self.heard().iter().any(|line| {
            holds(line.as_bytes())
                || line.split_whitespace().any(|word| decoded(word).is_ok_and(|text| holds(&text)))
        })
    }

    /// What is behind the server, to look at or to change.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.shared.account)
    }

    /// Ends every connection there is; the next client is served again.
    pub fn hang_up(&self) {
        for connection in lock(&self.shared.connections).values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The bytes sent to each client whose connection is over.
    pub fn sent(&self) -> Vec<usize> {
        lock(&self.shared.sent).clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)));
        for connection in lock(&self.shared.connections).values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that failed elsewhere must not hide behind this lock.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let _ = stream.set_nodelay(true);
        let number = shared.connected.fetch_add(1, Ordering::SeqCst);
        if let Ok(copy) = stream.try_clone() {
            lock(&shared.connections).insert(number, copy);
        }
        let shared = shared.clone();
        std::thread::spawn(move || {
            let channel = Channel::Plain(stream);
            let mut talk = Talk {
                session: lock(&shared.account).session(),
                shared: &shared,
                channel,
                unread: Vec::new(),
                unsent: Vec::new(),
                sent: 0,
            };
            let _ = talk.run();
            let sent = talk.sent;
            talk.channel.end();
            lock(&shared.sent).push(sent);
            lock(&shared.connections).remove(&number);
        });
    }
}

/// One connection.
struct Talk<'a> {
    session: Session,
    shared: &'a Shared,
    channel: Channel,
    unread: Vec<u8>,
    unsent: Vec<u8>,
    sent: usize,
}

impl<'a> Talk<'a> {
    fn run(&mut self) -> io::Result<()> {
        let shared = self.shared;
        if shared.script.security == Security::Implicit {
            self.protect()?;
        }
        self.session.offer_starttls(shared.script.security == Security::Starttls);
        match &shared.script.greeting {
            Some(actions) => self.act(actions, "*", "")?,
            None => self.unsent.extend_from_slice(b"* OK ready\r\n"),
        }
        loop {
            self.flush()?;
            let command = self.command()?;
            lock(&shared.heard).push(command.clone());
            let tag = command.split(' ').next().unwrap_or_default().to_owned();
            match self.rule(&command) {
                Some(rule) => self.act(&rule.actions, &tag, &command)?,
                None => self.answer(&tag, &command)?,
            }
        }
    }

    // What the account answers, with the two commands that are more than an answer.
    fn answer(&mut self, tag: &str, command: &str) -> io::Result<()> {
        let played = self.session.answer(&mut lock(&self.shared.account), command);
        self.unsent.extend_from_slice(&played);
        let verb = command[tag.len()..].trim().to_ascii_uppercase();
        if verb == "STARTTLS" && self.session.takes_starttls() {
            self.protect()?;
        }
        if verb == "LOGOUT" {
            self.flush()?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    // The first rule that fits and has not been used up.
    fn rule(&self, command: &str) -> Option<&'a Rule> {
        let shared: &'a Shared = self.shared;
        shared.script.rules.iter().zip(&shared.used).find_map(|(rule, used)| {
            let fits =
                fits(&rule.pattern, command) && used.fetch_add(1, Ordering::SeqCst) < rule.times;
            fits.then_some(rule)
        })
    }

    fn act(&mut self, actions: &[Action], tag: &str, command: &str) -> io::Result<()> {
        for action in actions {
            match action {
                Action::Close => {
                    self.flush()?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Action::Expunge(uid) => {
                    let said = lock(&self.shared.account).inbox().expunge(*uid);
                    self.unsent.extend_from_slice(&said);
                }
                Action::Play(played) => {
                    let all = self.session.answer(&mut lock(&self.shared.account), command);
                    let part = match played {
                        Played::After(count) => &all[end_of(&all, *count)..],
                        Played::All => &all[..],
                        Played::Bytes(count) => &all[..all.len().min(*count)],
                        Played::First(count) => &all[..end_of(&all, *count)],
                    };
                    self.unsent.extend_from_slice(part);
                }
                Action::Send(bytes) => {
                    let text = String::from_utf8_lossy(bytes).replace("TAG", tag);
                    self.unsent.extend_from_slice(text.as_bytes());
                }
                Action::Stall => {
                    self.flush()?;
                    while self.channel.read(&mut [0; 4096])? > 0 {}
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Action::Tls => self.protect()?,
            }
            if self.unsent.len() > 1 << 20 {
                self.flush()?;
            }
        }
        Ok(())
    }

    // One command with its literals, for which the client is told to go on.
    fn command(&mut self) -> io::Result<String> {
        let mut command = Vec::new();
        loop {
            let mut line = self.line()?;
            let literal = literal(&line);
            command.append(&mut line);
            let Some((size, waits)) = literal else {
                return Ok(String::from_utf8_lossy(&command).into_owned());
            };
            command.extend_from_slice(b"\r\n");
            if waits {
                self.unsent.extend_from_slice(b"+ go on\r\n");
                self.flush()?;
            }
            while self.unread.len() < size {
                self.receive()?;
            }
            command.extend(self.unread.drain(..size));
        }
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.truncate(line.trim_ascii_end().len());
                return Ok(line);
            }
            self.receive()?;
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.channel.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.unsent);
        self.sent += bytes.len();
        self.channel.write(&bytes)
    }

    fn protect(&mut self) -> io::Result<()> {
        self.flush()?;
        self.channel.protect(&self.shared.tls)
    }
}

// Where the first so many responses of an answer end, literals included.
fn end_of(answer: &[u8], count: usize) -> usize {
    let mut at = 0;
    for _ in 0..count {
        loop {
            let Some(end) = answer[at..].iter().position(|byte| *byte == b'\n') else {
                return answer.len();
            };
            let line = answer[at..at + end].trim_ascii_end();
            at += end + 1;
            match literal(line) {
                Some((size, _)) => at += size,
                None => break,
            }
        }
    }
    at
}

// The literal a line announces at its end: its size, and whether the client waits for leave.
fn literal(line: &[u8]) -> Option<(usize, bool)> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('}')?;
    let number = text.rsplit_once('{')?.1;
    match number.strip_suffix('+') {
        Some(number) => Some((number.parse().ok()?, false)),
        None => Some((number.parse().ok()?, true)),
    }
}
