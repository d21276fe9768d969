//! The desks that are killed: where their mail comes from, what remembers it, how it leaves.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use guichet::config::{self, Environment, Request};
use guichet::store::Store;

use crate::NO_LIMITS;
use crate::support::dovecot::Dovecot;
use crate::support::postgres::{self, PASSWORD};
use crate::support::sink::{Sink, SinkOptions};
use crate::support::tls::Leaf;
use crate::support::{Desk, dovecot};

/// A kind of desk; what a kill does may differ from one kind to another.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub source: Source,
    pub store: Keeping,
    /// `mailbox.after`.
    pub after: &'static str,
    pub way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Dovecot,
    /// Its mail is moved by COPY and EXPUNGE.
    DovecotWithoutMove,
    Maildir,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    Postgres,
    Sqlite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    File,
    Smtp,
}

/// What the desks of one kind share.
pub struct Street {
    pub kind: Kind,
    dovecot: Option<Dovecot>,
}

/// One desk, its mailbox and whoever takes its mail.
pub struct Office<'a> {
    pub kind: Kind,
    pub desk: Desk,
    dovecot: Option<&'a Dovecot>,
    /// The user of the mailbox, and so its place on the server.
    user: String,
    schema: Option<String>,
    sink: Option<Sink>,
}

impl Street {
    pub fn of(kind: Kind) -> Street {
        let dovecot = match kind.source {
            Source::Dovecot => Some(Dovecot::start()),
            Source::DovecotWithoutMove => {
                let more = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS\n";
                Some(Dovecot::with(Leaf::Good, more))
            }
            Source::Maildir => None,
        };
        Street { kind, dovecot }
    }

    /// A desk that nothing has happened to.
    pub fn office(&self, name: &str) -> Office<'_> {
        let kind = self.kind;
        let office = Office {
            kind,
            desk: Desk::new(""),
            dovecot: self.dovecot.as_ref(),
            user: name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
            schema: (kind.store == Keeping::Postgres).then(|| postgres::fresh_schema().url),
            sink: (kind.way == Way::Smtp).then(|| Sink::start(SinkOptions::default())),
        };
        office.configure(NO_LIMITS);
        office
    }
}

impl Office<'_> {
    /// Writes the configuration, with `more` at its end.
    pub fn configure(&self, more: &str) {
        let smtp = match &self.sink {
            None => "transport = \"file\"\npath = \"outgoing\"\n".to_owned(),
            Some(sink) => format!(
                "transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
                 rate = \"off\"\nconnections = 2\n",
                sink.port()
            ),
        };
        let store = match &self.schema {
            None => String::new(),
            Some(url) => {
                format!(
                    "[store]\nurl = \"{url}\"\npassword = \"{PASSWORD}\"\ntls = \"none\"\n\
                     workers = 1\n"
                )
            }
        };
        let text = format!(
            "state = \"state\"\n[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.example.com\"\n\
             [smtp]\nenvelope = \"plus\"\n{smtp}{store}[[mailbox]]\n{}\
             after = \"{}\"\nmove_to = \"done\"\nstart = \"all\"\nmax_message_size = \"20KB\"\n{more}",
            self.mailbox(),
            self.kind.after
        );
        fs::write(self.desk.config(), text).expect("the configuration is written");
    }

    fn mailbox(&self) -> String {
        match self.dovecot {
            None => "name = \"support\"\naddress = \"support@helpdesk.example\"\n\
                     provider = \"maildir\"\npath = \"mail\"\n"
                .to_owned(),
            Some(dovecot) => {
                let user = &self.user;
                let own = format!("name = \"{user}\"\naddress = \"{user}@");
                dovecot.mailbox(user).replace(&own, "name = \"support\"\naddress = \"support@")
            }
        }
    }

    /// Delivers `raw`, arrived at that second.
    pub fn deliver(&self, second: u64, raw: &[u8]) {
        match self.dovecot {
            None => self.desk.deliver(&format!("{second}.M1P1.kills"), raw),
            Some(dovecot) => {
                let second = i64::try_from(second).expect("a time of this age");
                let arrived_at = jiff::Timestamp::from_second(second).expect("in range");
                dovecot.deliver_at(&self.user, "INBOX", raw, arrived_at);
            }
        }
    }

    /// Runs `guichet run --once` with `faults` to its end; the steps it passes go into the trace.
    pub fn run_once(&self, faults: &str) -> Output {
        let mut command = self.desk.command(&["run", "--once"]);
        command.env("GUICHET_FAULTS", self.faults(faults));
        command.stdin(Stdio::null()).output().expect("the binary starts")
    }

    /// Starts the daemon with `faults`.
    pub fn start(&self, faults: &str) -> Child {
        let log = fs::File::create(self.desk.path().join("daemon.log")).expect("a log");
        let mut command = self.desk.command(&["run"]);
        command.env("GUICHET_FAULTS", self.faults(faults));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.spawn().expect("the daemon starts")
    }

    pub fn log(&self) -> String {
        self.desk.log()
    }

    // Whatever this very test is to go without (`tests/disarm`), the binary goes without.
    fn faults(&self, faults: &str) -> String {
        let ours = std::env::var("GUICHET_FAULTS").unwrap_or_default();
        format!("{ours} {faults} trace={}", self.trace_file().display())
    }

    fn trace_file(&self) -> PathBuf {
        self.desk.path().join("trace")
    }

    /// The steps that were passed since the last time this was asked, in order.
    pub fn passed(&self) -> Vec<String> {
        let text = fs::read_to_string(self.trace_file()).unwrap_or_default();
        let _ = fs::remove_file(self.trace_file());
        text.lines().map(str::to_owned).collect()
    }

    /// The store, while no daemon runs.
    pub fn store(&self) -> Store {
        let request = Request {
            path: Some(self.desk.config()),
            set: Vec::new(),
            environment: Environment::of_process(),
        };
        let settings = config::load(&request).expect("it is sound").settings;
        Store::open(&settings.store, dovecot::now()).expect("the store opens")
    }

    /// Every message in the mailbox: its folder, what names it there, and its flags.
    pub fn mailbox_now(&self) -> Vec<String> {
        match self.dovecot {
            None => {
                let files = crate::files_below(&self.desk.maildir());
                let shown = files.iter().map(|path| {
                    let below = path.strip_prefix(self.desk.maildir()).expect("it is below");
                    below.display().to_string()
                });
                let mut shown: Vec<String> = shown.collect();
                shown.sort();
                shown
            }
            Some(dovecot) => {
                let mut shown = Vec::new();
                let folders = dovecot.folders(&self.user);
                for folder in
                    ["INBOX", "done"].iter().filter(|name| folders.iter().any(|f| f == *name))
                {
                    for one in dovecot.list(&self.user, folder) {
                        shown.push(format!("{folder} {} {:?}", one.message_id, one.flags));
                    }
                }
                shown.sort();
                // What was copied and not marked yet is copied again.
                if self.kind.source == Source::DovecotWithoutMove {
                    shown.dedup();
                }
                shown
            }
        }
    }

    /// How many messages are in `folder` of the mailbox on the server.
    pub fn count(&self, folder: &str) -> usize {
        self.dovecot.map_or(0, |dovecot| dovecot.list(&self.user, folder).len())
    }

    /// The mails that arrived, each copy, as bytes with their envelope sender on top.
    pub fn arrived(&self) -> Vec<Vec<u8>> {
        match &self.sink {
            None => self.desk.sent(),
            Some(sink) => sink
                .mails()
                .into_iter()
                .map(|mail| {
                    let sender = mail.from.split(' ').next().unwrap_or_default().to_owned();
                    [format!("Return-Path: {sender}\r\n").into_bytes(), mail.raw].concat()
                })
                .collect(),
        }
    }
}

/// Whether a process ended by SIGKILL.
pub fn was_killed(output: &Output) -> bool {
    output.status.signal() == Some(9)
}

/// That it ended well.
pub fn expect_success(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
