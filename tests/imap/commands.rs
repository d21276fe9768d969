//! Each command of a session is refused, cut short or answered with nonsense, once: whatever it was,
//! it is told of at most once, the next session does the rest, and nothing is there twice (P-06).

use std::time::Duration;

use guichet::intake::{After, Options};
use guichet::net::Security;

use crate::desk::{Desk, imap, lanes, letters, logged};
use crate::support::account::Account;
use crate::support::scripted::Scripted;

const LANES: usize = 3;

// What a server does instead of answering.
const FAULTS: [(&str, &str); 11] = [
    ("bad", "S: TAG BAD I do not understand"),
    ("bye", "S: * BYE shutting down\n  close"),
    ("bye after the answer", "play\n  S: * BYE shutting down\n  close"),
    ("closed", "close"),
    ("closed in a line", "play 9\n  close"),
    ("go on", "S: + go on\n  S: + go on\n  S: TAG OK done"),
    ("no", "S: TAG NO [UNAVAILABLE] not now"),
    ("no, in Chinese", "S: * OK [ALERT] 請稍後再試\n  S: TAG NO [UNAVAILABLE] 請稍後再試"),
    ("nonsense", "S: * 1 FETCH )))(((\n  S: TAG OK \"\n  S: }{"),
    ("silence", "stall"),
    ("somebody else's answer", "S: x99 OK done\n  S: TAG OK done"),
];

// The commands of two sessions: one reads, one moves, with or without MOVE.
const MOVING: [&str; 8] = [
    "CAPABILITY",
    "AUTHENTICATE ...",
    "SELECT ...",
    "UID SEARCH ...",
    "UID FETCH ...RFC822.SIZE...",
    "UID FETCH ...BODY.PEEK[]...",
    "UID MOVE ...",
    "CREATE ...",
];
const COPYING: [&str; 5] =
    ["UID COPY ...", "UID STORE ...", "UID EXPUNGE ...", "UID SEARCH ...DELETED", "CREATE ..."];
const COPIER: &str = "capability IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS\n";

fn mailbox(desk: &Desk, server: &Scripted, name: &str) -> Options {
    let mut options = desk.options_at(server.port(), Security::None);
    imap(&mut options).server.timeout = Duration::from_millis(300);
    options.after = After::Move { to: "done".to_owned() };
    name.clone_into(&mut options.name);
    options
}

#[test]
fn p_06_whatever_a_server_does_to_any_command_is_told_once_and_made_good() {
    let cases: Vec<(&str, &str, &(&str, &str))> = [("", &MOVING[..]), (COPIER, &COPYING[..])]
        .into_iter()
        .flat_map(|(head, commands)| commands.iter().map(move |command| (head, *command)))
        .flat_map(|(head, command)| FAULTS.iter().map(move |fault| (head, command, fault)))
        .collect();
    lanes(LANES, |lane| {
        let desk = Desk::new();
        for (head, command, (fault, actions)) in cases.iter().skip(lane).step_by(LANES) {
            let name = format!("{command}: {fault}");
            let dialogue = format!("{head}once TAG {command}\n  {actions}\n");
            let server = Scripted::play(&dialogue, Account::holding(letters(2)));
            let mut watch = desk.watch(mailbox(&desk, &server, &name));
            let mut failures = Vec::new();
            let log = logged(|| {
                for _ in 0..5 {
                    failures.extend(desk.endure(&mut watch, 1));
                    desk.decide();
                }
            });
            assert_eq!(desk.uids(&name), [1, 2], "{name}: {failures:?}\n{log}");
            let contents: Vec<Vec<u8>> = desk.contents(&name).into_values().collect();
            assert_eq!(contents, letters(2), "{name}: {failures:?}");
            let mut account = server.account();
            assert_eq!(account.inbox().uids(), [0; 0], "{name}: {failures:?}\n{log}");
            let done = account.folders["done"].messages.len();
            assert!((2..=4).contains(&done) && (done == 2 || head == &COPIER), "{name}: {done}");
            assert_eq!(desk.owed_to(&name), 0, "{name}: {failures:?}\n{log}");
            let told = failures.len() + log.matches("WARN").count() + log.matches("ERROR").count();
            assert!(told <= 1, "{name}: told {told} times: {failures:?}\n{log}");
        }
    });
}
