//! What is to be broken, as the environment says: `GUICHET_FAULTS="kill=spool.commit:2
//! disarm=P-12 trace=/tmp/points clock=/tmp/ahead"`, words apart by blanks. A word that is not understood ends the
//! program: a test that breaks nothing must not pass.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use rustix::process::{Signal, getpid, kill_process};

/// Every step there is, in alphabetical order.
const POINTS: &[&str] = &[
    "acknowledge.note",
    "acknowledge.noted",
    "apply.add_message",
    "apply.attach_user",
    "apply.clear_undeliverable",
    "apply.create_user",
    "apply.decision",
    "apply.fill_name",
    "apply.finish",
    "apply.link_tickets",
    "apply.move_user",
    "apply.note_tags",
    "apply.open_ticket",
    "apply.owe",
    "apply.queue",
    "apply.record_bounce",
    "apply.reopen_ticket",
    "apply.revoke",
    "apply.settle_owed",
    "apply.withhold_credentials",
    "file.rename",
    "file.renamed",
    "file.write",
    "imap.connected",
    "imap.expunge",
    "imap.expunged",
    "imap.fetched",
    "imap.logged_in",
    "imap.selected",
    "imap.store",
    "imap.stored",
    "imap.take",
    "imap.taken",
    "ingest.claim",
    "ingest.claimed",
    "ingest.decided",
    "ingest.gather",
    "ingest.hand_back",
    "ingest.read",
    "mailbox.leased",
    "maildir.fetched",
    "maildir.settle",
    "maildir.settled",
    "migrate.begin",
    "migrate.commit",
    "migrate.statement",
    "outbox.begin",
    "outbox.begun",
    "outbox.claimed",
    "outbox.mark",
    "outbox.marked",
    "presence.beat",
    "presence.entered",
    "presence.free",
    "presence.leave",
    "restore.aside",
    "smtp.connected",
    "smtp.data",
    "smtp.dot",
    "smtp.sender",
    "smtp.taken",
    "spool.bytes",
    "spool.committed",
    "spool.write",
    "start",
    "start.house",
    "start.role",
    "stop.begun",
    "stop.ended",
    "store.begin",
    "store.close",
    "store.commit",
    "store.committed",
];

/// Every defence there is, in alphabetical order.
const DEFENCES: &[&str] = &[
    "F-12",
    "F-13",
    "F-14",
    "P-01-copies",
    "P-01-decided",
    "P-01-peek",
    "P-01-place",
    "P-02-content",
    "P-02-ledger",
    "P-03",
    "P-03-attempt",
    "P-03-back",
    "P-03-id",
    "P-03-restored",
    "P-03-turns",
    "P-04",
    "P-04-doubt",
    "P-05-floor",
    "P-05-limit",
    "P-05-log",
    "P-06-disk",
    "P-06-mailbox",
    "P-06-sync",
    "P-07",
    "P-07-check",
    "P-07-folders",
    "P-08",
    "P-09",
    "P-09-next",
    "P-09-often",
    "P-09-others",
    "P-09-rest",
    "P-10-fence",
    "P-10-lease",
    "P-10-parents",
    "P-10-role",
    "P-11",
    "P-11-expiry",
    "P-11-lease",
    "P-11-presence",
    "P-12",
    "P-12-counted",
    "P-12-damaged",
    "P-12-worn-out",
    "P-13-memory",
    "P-13-places",
    "P-13-processor",
    "P-13-slow",
    "P-14",
    "P-14-hurry",
    "P-15",
    "P-16",
    "P-17-books",
    "P-17-owed",
    "P-18-again",
    "P-19",
    "P-19-hash",
    "P-19-lock",
    "P-19-newer",
    "P-21",
    "T-05",
    "T-14",
    "T-21",
    "T-22",
    "T-22-before",
    "T-22-others",
    "T-22-scope",
    "T-22-sessions",
    "T-23",
    "T-24",
    "T-26",
    "T-26-typed",
    "T-27-account",
    "T-27-at-once",
    "T-27-proxies",
    "T-27-source",
    "T-28",
    "T-28-stored",
    "T-29",
    "T-29-articles",
    "T-29-cookie",
    "T-29-files",
    "T-29-form",
    "T-29-links",
    "T-29-nosniff",
    "T-29-origin",
    "T-29-policy",
    "T-30",
    "T-35",
    "T-36",
    "T-37",
    "T-37-files",
    "T-37-form",
    "T-42-injected",
    "T-42-portal",
    "T-42-stripped",
    "T-43",
    "T-44-early",
    "T-45",
    "T-46-fields",
    "T-46-servers",
    "T-47",
    "T-54",
];

pub(super) const VARIABLE: &str = "GUICHET_FAULTS";

/// What is to be broken.
#[derive(Debug, Default)]
pub(super) struct Plan {
    strikes: Vec<Strike>,
    disarmed: Vec<&'static str>,
    /// By so many milliseconds, as this file says at the moment, the clock is ahead.
    clock: Option<PathBuf>,
    /// In milliseconds.
    patience: Option<i64>,
    /// The names of the steps go into this file as they are passed.
    trace: Option<PathBuf>,
    passed: Mutex<HashMap<&'static str, u64>>,
}

/// Something that befalls the program when it passes a step for the `time`-th time.
#[derive(Debug)]
struct Strike {
    blow: Blow,
    point: &'static str,
    time: u64,
}

#[derive(Clone, Copy, Debug)]
enum Blow {
    Abort,
    /// SIGKILL.
    Kill,
    Panic,
    /// SIGSTOP: the process stands still until somebody sends SIGCONT.
    Stop,
    /// SIGTERM, as an operator would stop it.
    Terminate,
}

/// The plan of this process, read from the environment once.
pub(super) fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let words = std::env::var(VARIABLE).unwrap_or_default();
        words.parse().unwrap_or_else(|why| {
            eprintln!("{VARIABLE}: {why}");
            std::process::abort()
        })
    })
}

impl Plan {
    pub(super) fn pass(&self, name: &'static str) {
        if self.strikes.is_empty() && self.trace.is_none() {
            debug_assert!(POINTS.contains(&name), "`{name}` is not in the table of points");
            return;
        }
        self.note(name);
        let time = self.count(name);
        for strike in &self.strikes {
            if strike.point == name && strike.time == time {
                strike.blow.fall(name);
            }
        }
    }

    pub(super) fn stands(&self, defence: &'static str) -> bool {
        debug_assert!(DEFENCES.contains(&defence), "`{defence}` is not in the table of defences");
        !self.disarmed.contains(&defence)
    }

    /// The words for a process that we start.
    pub(super) fn handed_on(&self) -> String {
        let words: Vec<String> =
            self.disarmed.iter().map(|defence| format!("disarm={defence}")).collect();
        words.join(" ")
    }

    pub(super) fn clock_ahead(&self) -> i64 {
        let Some(path) = &self.clock else { return 0 };
        // It is written anew by renaming; before the first time it is not there.
        let said = std::fs::read_to_string(path).unwrap_or_default();
        if said.is_empty() {
            0
        } else {
            said.trim().parse().expect("milliseconds in the clock file")
        }
    }

    pub(super) fn patience(&self) -> Option<i64> {
        self.patience
    }

    fn count(&self, name: &'static str) -> u64 {
        let mut passed = self.passed.lock().expect("no holder of this lock panics");
        let time = passed.entry(name).or_default();
        *time += 1;
        *time
    }

    fn note(&self, name: &'static str) {
        let Some(path) = &self.trace else { return };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let noted = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        noted.expect("the trace is written");
    }
}

impl std::str::FromStr for Plan {
    type Err = String;

    fn from_str(words: &str) -> Result<Plan, String> {
        let mut plan = Plan::default();
        for word in words.split_whitespace() {
            let (what, rest) = word.split_once('=').ok_or(format!("`{word}` has no `=`"))?;
            match what {
                "clock" => plan.clock = Some(PathBuf::from(rest)),
                "disarm" => plan.disarmed.push(known(DEFENCES, rest)?),
                "patience" => {
                    let wrong = |_| format!("`{rest}` is no number of milliseconds");
                    plan.patience = Some(rest.parse().map_err(wrong)?);
                }
                "trace" => plan.trace = Some(PathBuf::from(rest)),
                _ => plan.strikes.push(strike(what, rest)?),
            }
        }
        Ok(plan)
    }
}

fn strike(what: &str, rest: &str) -> Result<Strike, String> {
    let (point, time) = rest.split_once(':').unwrap_or((rest, "1"));
    let blow = match what {
        "abort" => Blow::Abort,
        "kill" => Blow::Kill,
        "panic" => Blow::Panic,
        "stop" => Blow::Stop,
        "term" => Blow::Terminate,
        _ => return Err(format!("`{what}` is nothing that can befall a program")),
    };
    let time = time.parse().map_err(|_| format!("`{time}` is no number"))?;
    Ok(Strike { blow, point: known(POINTS, point)?, time })
}

fn known(table: &'static [&'static str], name: &str) -> Result<&'static str, String> {
    let found = table.iter().find(|known| **known == name);
    found.copied().ok_or(format!("`{name}` is not in the table"))
}

impl Blow {
    fn fall(self, name: &str) {
        match self {
            Blow::Abort => std::process::abort(),
            Blow::Kill => send(Signal::KILL),
            Blow::Panic => panic!("a test wants a panic at `{name}`"),
            Blow::Stop => {
                send(Signal::STOP);
                // Any thread may be the one that takes it, and this one would go on meanwhile.
                std::thread::sleep(TAKEN);
            }
            Blow::Terminate => send(Signal::TERM),
        }
    }
}

// Within this every thread of a process stands still that was told to; once it is woken, this is over.
const TAKEN: std::time::Duration = std::time::Duration::from_secs(1);

fn send(signal: Signal) {
    kill_process(getpid(), signal).expect("a process may signal itself");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_and_every_name_is_there_once() {
        for table in [POINTS, DEFENCES] {
            assert!(table.is_sorted_by(|one, next| one < next), "{table:?}");
        }
    }

    #[test]
    fn a_word_that_is_not_understood_is_refused() {
        for words in ["kill", "kill=nowhere", "disarm=P-00", "maim=start", "kill=start:often"] {
            assert!(words.parse::<Plan>().is_err(), "{words}");
        }
        let plan: Plan = "kill=start:3 disarm=P-12".parse().expect("it is understood");
        assert!(!plan.stands("P-12") && plan.strikes[0].time == 3);
    }
}
