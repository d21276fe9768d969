//! Tells bounces by who writes and what they say (M-61), when their structure does not.

use super::cut;
use super::returned::{Marker, Split};
use super::tables::{BODY, Found, INTRODUCTION, SUBJECT};
use crate::mail::address::local_part::is_robot;
use crate::mail::kind::phrases::{Standing, automatic_phrase};
use crate::mail::reply::{Prefix, subject_prefix};
use crate::mail::{NamedAddress, ReturnPath};

/// How much of the text is searched for phrases, in characters.
const BODY_LIMIT: usize = 16_000;

/// Local parts and names of mail systems, without what joins their words.
const DAEMONS: [&str; 6] = [
    "maildaemon",
    "maildeliverysystem",
    "mailerdaemon",
    "mailersystem",
    "mailsystem",
    "smtpdaemon",
];

/// Names of programs that are people's too once a dot parts them (`m.daemon`).
const PROGRAMS: [&str; 3] = ["imss", "mdaemon", "mmdf"];

/// What a name of a mail system, or of those who look after it, holds: without what joins its words.
const POSTMASTER_NAMES: [&str; 8] = [
    "mailadmin",
    "maildeliver",
    "mailerdaemon",
    "mailgateway",
    "mailserver",
    "mailsystem",
    "postmaster",
    "systemadministrator",
];

/// Local parts behind which mail systems write, and now and then who looks after them.
const POSTMASTERS: [&str; 12] = [
    "mailadmin",
    "mailadministrator",
    "mailer",
    "mailgateway",
    "mailmaster",
    "mailserver",
    "mta",
    "postmaster",
    "postoffice",
    "smtp",
    "sysadmin",
    "systemadministrator",
];

/// What the name holds when no person has the address of a mail system.
const SYSTEM_NAMES: [&str; 7] =
    ["admin", "daemon", "filter", "gateway", "mail", "server", "system"];

/// What is known of the sender.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    pub from: &'a [NamedAddress],
    /// The From field as written.
    pub written: Option<&'a [u8]>,
    pub return_path: &'a ReturnPath,
}

/// What may make a message a bounce, beside its sender.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub subject: &'a str,
    pub split: &'a Split<'a>,
    /// A returned message is among the parts.
    pub returned: Returns,
}

/// Whether a message returns another one as a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    AsPart,
    Nothing,
}

/// Who writes, as far as it matters for bounces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// At a mail system's address under the name of a product, or of who looks after it.
    Caretaker,
    Daemon,
    /// Only the Return-Path is a mail system's: vacation notices have such a one too.
    NullPath,
    Postmaster,
    Robot,
}

impl Writer {
    /// Who the sender is; `None` when bounces do not come from there.
    pub fn of(sender: Sender) -> Option<Writer> {
        let first = sender.from.first();
        let address = first.map_or("", |from| from.address.as_str());
        let name = first.and_then(|from| from.name.as_deref()).unwrap_or_default();
        let is_daemon_name = is_daemon(local_part(address)) || is_daemon(name);
        let (local, name) = (joined(local_part(address)), joined(name));
        if is_daemon_name || sender.written.is_some_and(is_void) {
            return Some(Writer::Daemon);
        }
        let is_name = POSTMASTER_NAMES.iter().any(|part| name.contains(part));
        // Exchange writes under a name of its own with a number behind it.
        let is_exchange = local.starts_with("microsoftexchange");
        if POSTMASTERS.contains(&local.as_str()) || is_name || is_exchange {
            let is_system = name.is_empty() || SYSTEM_NAMES.iter().any(|part| name.contains(part));
            return Some(match (sender.is_null_path(), is_name || is_exchange || is_system) {
                (true, _) => Writer::Daemon,
                (false, true) => Writer::Postmaster,
                (false, false) => Writer::Caretaker,
            });
        }
        // A mail without From is nobody's, not a mail system's (E-137).
        if first.is_some() && sender.is_null_path() {
            return Some(Writer::NullPath);
        }
        is_robot(local_part(address)).then_some(Writer::Robot)
    }

    /// The evidence that its message is a bounce, if it is one (M-61).
    pub fn evidence(self, words: Words) -> Option<String> {
        let text = collapsed(words.split.above, BODY_LIMIT);
        let is_own_notice = match subject_prefix(words.subject) {
            Prefix::None => true,
            // James answers with the subject of the mail.
            Prefix::Reply => self == Writer::Postmaster && INTRODUCTION.is_match(&text),
            Prefix::Forward | Prefix::PerhapsForward => false,
        };
        if !is_own_notice && self != Writer::Daemon {
            return None;
        }
        let subject = SUBJECT.find(words.subject);
        let body = BODY.find(&text);
        let is_returning =
            words.returned == Returns::AsPart || words.split.marker == Marker::Machine;
        let (has_subject, has_body) = (subject.is_some(), body.is_some());
        let is_alone = |found: Option<Found>| found.is_some_and(Found::is_enough);
        let is_bounce = match self {
            Writer::Caretaker => {
                (is_alone(subject) && has_body) || ((has_subject || has_body) && is_returning)
            }
            Writer::Daemon => has_subject || has_body || is_returning,
            Writer::NullPath => {
                let seen = [has_subject, has_body, is_returning];
                let is_enough = seen.iter().filter(|seen| **seen).count() > 1
                    || is_alone(subject)
                    || is_alone(body);
                is_enough && !is_answer(words.subject)
            }
            Writer::Postmaster => {
                (has_subject && has_body) || ((has_subject || has_body) && is_returning)
            }
            Writer::Robot => has_body && is_returning,
        };
        if !is_bounce {
            return None;
        }
        let mut evidence = format!("M-61 {}", self.name());
        for (place, found) in [("subject", subject), ("text", body)] {
            if let Some(found) = found {
                evidence.push_str(&format!(", {place} \"{}\"", cut(found.said)));
            }
        }
        if is_returning {
            evidence.push_str(", a returned message");
        }
        Some(evidence)
    }

    fn name(self) -> &'static str {
        match self {
            Writer::Caretaker | Writer::Postmaster => "postmaster",
            Writer::Daemon => "daemon",
            Writer::NullPath => "Return-Path of a daemon",
            Writer::Robot => "robot",
        }
    }
}

/// Whether the subject says that it is an automatic answer (M-70).
fn is_answer(subject: &str) -> bool {
    automatic_phrase(subject).is_some_and(|(_, standing)| standing == Standing::Strong)
}

impl Sender<'_> {
    fn is_null_path(self) -> bool {
        match self.return_path {
            ReturnPath::Absent => false,
            ReturnPath::Address(address) => is_daemon(local_part(address)),
            ReturnPath::Null => true,
        }
    }
}

fn is_daemon(name: &str) -> bool {
    if PROGRAMS.iter().any(|program| name.eq_ignore_ascii_case(program)) {
        return true;
    }
    let joined = joined(name);
    DAEMONS.contains(&joined.as_str())
        || joined.starts_with("maildeliverys")
        || joined.starts_with("mailerdaemon")
        || joined.starts_with("symantecantivirus")
        || joined.ends_with("smtpmailservice")
}

/// `<>`, and `<@>` of Courier.
fn is_void(from: &[u8]) -> bool {
    let mut bare =
        from.iter().filter(|byte| !byte.is_ascii_whitespace()).skip_while(|b| **b != b'<');
    let start: Vec<u8> = bare.by_ref().take(3).copied().collect();
    start.starts_with(b"<>") || start == b"<@>"
}

fn local_part(address: &str) -> &str {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    local.split_once('+').map_or(local, |(local, _)| local)
}

/// In lower case, without what joins words.
fn joined(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A text on one line with single spaces; none between characters of scripts that write none, which
/// break their lines within words.
pub fn collapsed(text: &str, limit: usize) -> String {
    let is_unspaced = |c: char| ('\u{2e80}'..'\u{ac00}').contains(&c) || c >= '\u{f900}';
    let mut line = String::with_capacity(text.len().min(4 * limit));
    let mut last = ' ';
    let mut is_gap = false;
    for c in text.chars().take(limit) {
        if c.is_whitespace() {
            is_gap = true;
            continue;
        }
        if is_gap && !line.is_empty() && !(is_unspaced(c) && is_unspaced(last)) {
            line.push(' ');
        }
        is_gap = false;
        last = c;
        line.push(c);
    }
    line
}
