//! Where mail of ours goes in tests: Postfix's `smtp-sink`, fast and plain, and a [`Sink`] in this
//! process that speaks TLS, wants a login, keeps each envelope and every byte, and fails on request.

mod talk;

use std::fs;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rustls::ServerConfig;
use tempfile::TempDir;

use self::talk::Talk;
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
    /// At the end of the data: the mail is taken, and these lines are said once the client has gone.
    SayLate(&'static str),
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
    // One that has ended leaves an empty place.
    connections: Mutex<Vec<Option<TcpStream>>>,
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

    /// Takes the mails out, those since it was last asked: for runs that send tens of thousands.
    pub fn take_mails(&self) -> Vec<Received> {
        std::mem::take(&mut *lock(&self.shared.mails))
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
        for connection in lock(&self.shared.connections).iter().flatten() {
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
        let place = {
            let mut connections = lock(&shared.connections);
            connections.push(stream.try_clone().ok());
            connections.len() - 1
        };
        let shared = shared.clone();
        std::thread::spawn(move || {
            let mut talk = Talk::over(Channel::Plain(stream), &shared);
            let _ = talk.run();
            talk.end();
            lock(&shared.connections)[place] = None;
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that failed elsewhere must not hide behind this lock.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
