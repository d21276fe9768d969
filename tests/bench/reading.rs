//! How long reading, asking and deciding take, on one thread and without a store's time.
//!
//!   cargo bench --bench reading -- FOLDER...     the `.eml` files below (and others that are mail)
//!   cargo bench --bench reading -- --hostile     E-95 and other inputs of 1 MB
//!
//! Prints one line of JSON: messages, the mean, median and 99th percentile in milliseconds, the worst
//! and its file. Each message is taken three times, and the fastest counts: the others are the
//! machine's other work.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use guichet::clock::{Clock, Ids, SystemChance, SystemClock};
use guichet::config::{self, Environment, Request, Settings};
use guichet::mail;
use guichet::mail::reply::{self, Context, Prefix, Scope};
use guichet::store::spool::{Arrived, Intake};
use guichet::store::{Durability, Location, Options, Store, facts, keys};
use guichet::triage::{self, Keyring};

const CONFIG: &str = "[portal]\nurl = \"https://help.example\"\n[smtp]\ntransport = \"none\"\n\
                      [[mailbox]]\nname = \"support\"\naddress = \"support@guichet.example\"\n\
                      provider = \"maildir\"\npath = \".\"\n";

/// How often each message is taken.
const TURNS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let taken = if args.iter().any(|arg| arg == "--hostile") {
        hostile()
    } else {
        let desk = Desk::new()?;
        let mut files = Vec::new();
        for folder in &args {
            walk(Path::new(folder), &mut files)?;
        }
        let taken = files.iter().filter_map(|path| {
            let milliseconds = desk.milliseconds(&std::fs::read(path).ok()?);
            Some((milliseconds, path.display().to_string()))
        });
        taken.collect()
    };
    println!("{}", told(taken)?);
    Ok(())
}

/// What deciding needs: settings, keys, a store that knows nobody.
struct Desk {
    settings: Settings,
    store: Store,
    keys: Keyring,
}

impl Desk {
    fn new() -> Result<Desk, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("guichet.toml");
        std::fs::write(&path, CONFIG)?;
        let request =
            Request { path: Some(path), set: Vec::new(), environment: Environment::of_process() };
        let settings = config::load(&request).map_err(|invalid| invalid.to_string())?.settings;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
        let now = clock.now();
        let options = Options { location: Location::Memory, durability: Durability::None };
        let store = Store::open(&options, now)?;
        let default = settings.policy.sites.default.clone();
        let made = ids.clone();
        store.transact(move |sql| {
            guichet::store::sites::reconcile(sql, &[], &[&default], &made, now).map(drop)
        })?;
        let keys = store.transact(move |sql| keys::begin(sql, &ids, now))?;
        Ok(Desk { settings, store, keys })
    }

    /// Reading, asking and deciding; looking up is the store's.
    fn milliseconds(&self, raw: &[u8]) -> f64 {
        let policy = &self.settings.policy;
        let now = SystemClock.now();
        let mut best = f64::INFINITY;
        for _ in 0..TURNS {
            let start = instant();
            let read = mail::read(raw);
            let questions =
                read.as_ref().map(|read| triage::ask(read, "support", policy, &self.keys));
            let mut spent = start.elapsed();
            if let (Ok(message), Ok(questions)) = (&read, &questions) {
                let arrived = Arrived {
                    message: String::new(),
                    arrived_at: now,
                    counted_at: now,
                    intake: Intake::Mailbox,
                };
                let facts = self
                    .store
                    .read_only(|sql| facts::gather(sql, questions, &arrived, now))
                    .expect("a store in memory answers");
                let start = instant();
                let _ = triage::decide(message, questions, &facts, policy);
                spent += start.elapsed();
            }
            best = best.min(spent.as_secs_f64() * 1000.0);
        }
        best
    }
}

/// E-95 and more, each of about 1 MB: texts to trim, and messages to read.
fn hostile() -> Vec<(f64, String)> {
    const SIZE: usize = 1_000_000;
    let repeated = |piece: &str| piece.repeat(SIZE / piece.len());
    let texts = [
        ("On", repeated("On ")),
        ("On Mon wrote", repeated("On Mon wrote ")),
        ("On x, a line each", repeated("On x\n")),
        (">", repeated(">")),
        ("> a line each", repeated(">\n")),
        ("a@b", repeated("a@b ")),
        ("From: a line each", repeated("From: a@b\n")),
        ("-- a line each", repeated("--\n")),
        ("nested quotes", (0..700).map(|n| format!("{} x\n", ">".repeat(n))).collect()),
    ];
    let context = Context { scope: Scope::Answer, prefix: Prefix::Reply, ..Context::default() };
    let mut taken = Vec::new();
    for (name, text) in &texts {
        taken.push((fastest(|| drop(reply::trim(text, &context))), format!("trim {name}")));
    }
    let part =
        |kind: &str, body: &str| format!("From: a@b.example\nContent-Type: {kind}\n\n{body}");
    let messages = [
        ("<div>", part("text/html", &repeated("<div>"))),
        ("<blockquote>", part("text/html", &repeated("<blockquote>"))),
        ("<", part("text/html", &repeated("<"))),
        ("<b id=n>", part("text/html", &repeated("<b id=n>"))),
        ("&amp", part("text/html", &repeated("&amp"))),
        ("=?utf-8?q?", format!("Subject: {}\n\nx", "=?utf-8?q?=41?= ".repeat(6_000))),
        ("empty parts", part("multipart/mixed; boundary=b", &"--b\n\n".repeat(900))),
        ("--b", part("multipart/mixed; boundary=b", &repeated("--c\n"))),
        ("a bounce's text", {
            let said = "The following addresses failed:\n<a@x.example>: 550 unknown user\n";
            format!("From: MAILER-DAEMON\nSubject: failure notice\n\n{}", repeated(said))
        }),
        ("flowed", part("text/plain; format=flowed; delsp=yes", &repeated("a \n"))),
        ("begin 644", part("text/plain", &repeated("begin 644 a\n"))),
    ];
    for (name, message) in &messages {
        let read = || drop(mail::read(message.as_bytes()));
        taken.push((fastest(read), format!("read {name}")));
    }
    taken
}

fn fastest(mut work: impl FnMut()) -> f64 {
    let turn = |_| {
        let start = instant();
        work();
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..TURNS).map(turn).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn instant() -> Instant {
    Instant::now()
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(path)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(|entry| entry.path());
    for entry in entries {
        let path = entry.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_dir() || !matches!(kind, Some("json" | "jsonl" | "md" | "py" | "toml")) {
            walk(&path, files)?;
        }
    }
    Ok(())
}

fn told(mut taken: Vec<(f64, String)>) -> Result<String, Box<dyn Error>> {
    if taken.is_empty() {
        return Err("no message to read: name folders of mail, or --hostile".into());
    }
    taken.sort_by(|one, other| one.0.total_cmp(&other.0));
    let count = taken.len();
    let mean = taken.iter().map(|(milliseconds, _)| milliseconds).sum::<f64>() / count as f64;
    let rounded = |milliseconds: f64| (milliseconds * 1000.0).round() / 1000.0;
    let slowest: Vec<_> = taken
        .iter()
        .rev()
        .take(5)
        .map(|(milliseconds, name)| (rounded(*milliseconds), name))
        .collect();
    let told = serde_json::json!({
        "messages": count,
        "mean_ms": rounded(mean),
        "median_ms": rounded(taken[count / 2].0),
        "p99_ms": rounded(taken[count * 99 / 100].0),
        "worst_ms": rounded(taken[count - 1].0),
        "slowest": slowest,
    });
    Ok(told.to_string())
}
