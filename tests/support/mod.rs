//! What the suites share: a desk of their own in a temporary folder, and the real binary run on it.

#![allow(dead_code, reason = "each suite uses its own part")]

pub mod account;
pub mod channel;
pub mod dialogue;
pub mod dice;
pub mod dovecot;
pub mod guarded;
pub mod people;
pub mod postgres;
pub mod proxy;
pub mod scripted;
pub mod secrets;
pub mod sink;
pub mod tls;
pub mod workload;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use guichet::clock::Stopwatch;
use serde_json::Value;
use tempfile::TempDir;

use self::postgres::Schema;

/// A configuration, a maildir and a state directory in a temporary folder.
pub struct Desk {
    folder: TempDir,
    /// Where its store is, unless it is a file of the state directory.
    schema: Option<Schema>,
}

/// Which database the store of a desk is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Postgres,
    Sqlite,
}

impl Desk {
    /// A desk whose mailbox is an empty maildir; `more` is appended to its configuration.
    pub fn new(more: &str) -> Desk {
        Desk::on(Database::Sqlite, more)
    }

    /// The same, with its store in this database.
    pub fn on(database: Database, more: &str) -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.path().join("mail").join(part)).expect("a maildir");
        }
        let schema = match database {
            Database::Postgres => Some(postgres::fresh_schema()),
            Database::Sqlite => None,
        };
        let desk = Desk { folder, schema };
        desk.configure(more);
        desk
    }

    /// Writes the configuration anew.
    pub fn configure(&self, more: &str) {
        let store = self.schema.as_ref().map_or_else(String::new, |schema| {
            let (url, password) = (&schema.url, postgres::PASSWORD);
            format!("[store]\nurl = \"{url}\"\npassword = \"{password}\"\ntls = \"none\"\n")
        });
        let text = format!(
            r#"state = "state"
[http]
listen = "127.0.0.1:0"
[portal]
url = "https://help.example.com"
[smtp]
transport = "file"
path = "outgoing"
{store}[[mailbox]]
name = "support"
provider = "maildir"
address = "support@helpdesk.example"
path = "mail"
start = "all"
{more}
"#
        );
        fs::write(self.config(), text).expect("the configuration is written");
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("guichet.toml")
    }

    pub fn maildir(&self) -> PathBuf {
        self.path().join("mail")
    }

    /// Changes the store behind the program's back.
    pub fn execute(&self, statement: &str) {
        match &self.schema {
            Some(schema) => {
                let statement = format!("SET search_path TO {}; {statement}", schema.name);
                postgres::server().execute(postgres::DATABASE, &statement);
            }
            None => rusqlite::Connection::open(self.path().join("state/guichet.db"))
                .and_then(|store| store.execute_batch(statement))
                .unwrap_or_else(|error| panic!("`{statement}`: {error}")),
        }
    }

    /// A table of the store that has these words in a row, or a file of the desk that has them, but for
    /// the mails that were sent.
    pub fn keeps(&self, words: &str) -> Option<String> {
        let in_table = self.schema.as_ref().and_then(|schema| schema.table_with(words));
        in_table.or_else(|| file_with(self.path(), words))
    }

    /// Delivers `raw` to `new/` under `name`.
    pub fn deliver(&self, name: &str, raw: &[u8]) {
        fs::write(self.maildir().join("new").join(name), raw).expect("the message is delivered");
    }

    /// The command line `guichet -c … ARGS`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("-c").arg(self.config()).args(args).current_dir(self.path());
        command.env_remove("GUICHET_CONFIG").env("NO_COLOR", "1");
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().expect("the binary starts")
    }

    /// Runs it with `input` on its standard input.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child.stdin.take().expect("it was piped").write_all(input).expect("the input is taken");
        child.wait_with_output().expect("the binary ends")
    }

    /// Runs it, sees that it succeeds, and answers its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "guichet {args:?} ended with {}:\n{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("output is UTF-8")
    }

    /// Runs it with `--json` and reads the answer.
    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.ok(&args)).expect("the answer is JSON")
    }

    /// Runs it with `-o jsonl` and reads the answer line by line.
    pub fn lines(&self, args: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["-o", "jsonl"]).collect();
        self.ok(&args)
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect()
    }

    /// Starts the daemon and lets it run.
    pub fn start(&self) -> Daemon {
        self.start_with(&[], "daemon.log")
    }

    /// Starts the daemon from another file.
    pub fn start_program(&self, program: &Path) -> Daemon {
        let log = fs::File::create(self.path().join("daemon.log")).expect("a log");
        let mut command = Command::new(program);
        command.arg("-c").arg(self.config()).arg("run").current_dir(self.path());
        command.env_remove("GUICHET_CONFIG").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Daemon { child: command.spawn().expect("the daemon starts") }
    }

    /// Starts a daemon with more on its command line, and a log of its own.
    pub fn start_with(&self, args: &[&str], log: &str) -> Daemon {
        self.start_as(self.command(&[&["run"], args].concat()), log)
    }

    /// Starts a daemon by a command line of its own.
    pub fn start_as(&self, mut command: Command, log: &str) -> Daemon {
        let log = fs::File::create(self.path().join(log)).expect("a log");
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        Daemon { child }
    }

    /// The mails that were sent, as bytes.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        let Ok(entries) = fs::read_dir(self.path().join("outgoing/new")) else {
            return Vec::new();
        };
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("a readable folder").path()).collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).expect("a readable mail")).collect()
    }

    /// What the daemon has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path().join("daemon.log")).unwrap_or_default()
    }

    /// Waits until the daemon has the role on the store: a command that comes before it takes that
    /// role itself, and it is the daemon that is refused.
    pub fn wait_for_role(&self) {
        wait_for("the daemon to have its role", 20, || self.log().contains("mailbox support"));
    }

    /// The books, which must balance (P-17).
    pub fn audit(&self) {
        self.ok(&["audit"]);
    }
}

// Whoever reads of a failure later has the end of the log, and not the desk.
impl Drop for Desk {
    fn drop(&mut self) {
        const TOLD: usize = 40;
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(TOLD)..];
            eprintln!("the daemon's log ends with:\n{}", last.join("\n"));
        }
    }
}

fn file_with(folder: &Path, words: &str) -> Option<String> {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.ends_with("outgoing") {
            continue;
        }
        if path.is_dir() {
            if let Some(found) = file_with(&path, words) {
                return Some(found);
            }
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(words.len()).any(|window| window == words.as_bytes())
        {
            return Some(path.display().to_string());
        }
    }
    None
}

/// The program under test: that of this build, or the copy that `GUICHET_PROGRAM` names, which a run
/// of hours uses so that nobody's building changes it.
pub fn program() -> PathBuf {
    std::env::var_os("GUICHET_PROGRAM")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_guichet")), PathBuf::from)
}

/// A daemon that runs; killed when dropped.
pub struct Daemon {
    child: Child,
}

impl Daemon {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is ours").is_some()
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM, then its exit code.
    pub fn stop(mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(status.expect("kill runs").success(), "no process {pid}");
}

/// Waits until `ready` says so, at most `seconds` of a machine that has nothing else to do: one that is
/// shared takes longer. What asking takes counts too, but it is asked a few times in any case.
pub fn wait_for(what: &str, seconds: u32, mut ready: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(50);
    const AT_LEAST: u32 = 10;
    let waited = Stopwatch::start();
    let (mut left, mut before, mut asked) = (f64::from(seconds), Duration::ZERO, 0);
    while left > 0.0 || asked < AT_LEAST {
        if ready() {
            return;
        }
        asked += 1;
        std::thread::sleep(PAUSE);
        let now = waited.elapsed();
        left -= (now - before).as_secs_f64() / crowding();
        before = now;
    }
    let waited = waited.elapsed().as_secs();
    panic!("waited {waited} s in vain for {what} (load {})", load().trim());
}

/// How many share a processor, now or in the last minute; one where nobody can tell.
fn crowding() -> f64 {
    let load = load();
    let mut words = load.split_whitespace();
    let lately: f64 = words.next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let running = words.nth(2).and_then(|word| word.split_once('/')?.0.parse().ok());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (lately.max(running.unwrap_or(0.0)) / processors as f64).max(1.0)
}

/// As proc(5) has it: of the last minute, five, fifteen; how many run now, of how many.
fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default()
}

/// A plain message of ours.
pub fn message(from: &str, subject: &str, id: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: support@helpdesk.example\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n\
         Date: Mon, 5 Jan 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n{more}\r\n{body}\r\n"
    )
    .into_bytes()
}
