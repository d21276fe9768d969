//! What rests on one defence each, which `tests/disarm` takes out: and that no failpoint is dead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::desks::{Keeping, Kind, Office, Street, expect_success, was_killed};
use crate::kills::{
    DOVECOT_COPY, DOVECOT_POSTGRES, DOVECOT_SQLITE, MAILDIR_POSTGRES, MAILDIR_SQLITE, unharmed,
};
use crate::outcome::Outcome;
use crate::post::{deliver_crowd, id_of};
use crate::seconds_now;
use crate::stops::ended;
use crate::support::message;

/// Steps that no desk here passes, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "apply.move_user",
        "each start matches the users of the default site anew, so it takes a site that is made \
         while the daemon runs",
    ),
    ("restore.aside", "it is a step of `restore`"),
];

fn hello(office: &Office) {
    let raw = message("Claire <claire@contoso.example>", "Printer", "1@contoso", "", "hello");
    office.deliver(seconds_now() - 60, &raw);
}

fn kill(office: &Office, step: &str) {
    let output = office.run_once(&format!("kill={step}"));
    assert!(was_killed(&output), "{step}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn p_01_mail_that_is_fetched_and_not_stored_is_unread_in_its_mailbox() {
    let street = Street::of(Kind { after: "flag", ..DOVECOT_SQLITE });
    let office = street.office("unread");
    let text = fs::read_to_string(office.desk.config()).expect("its configuration");
    let unseen = text.replace("start = \"all\"", "start = \"unseen\"");
    fs::write(office.desk.config(), unseen).expect("written");
    hello(&office);
    kill(&office, "imap.fetched");
    let there = office.mailbox_now();
    assert!(!there.concat().contains("Seen"), "P-01: read, and nowhere stored: {there:?}");
    expect_success(&office.run_once(""), "started again");
    let (outcome, _) = Outcome::of(&office);
    assert_eq!(outcome.rows["tickets"].len(), 1, "P-01: the message is lost");
}

#[test]
fn p_01_mail_leaves_its_mailbox_only_once_it_is_decided_for_good() {
    let street = Street::of(Kind { after: "delete", ..MAILDIR_SQLITE });
    let office = street.office("held");
    let two = message("ann@x.example\r\nFrom: bea@y.example", "Who", "two@x", "", "x");
    office.deliver(seconds_now() - 60, &two);
    expect_success(&office.run_once(""), "a message that staff must look at");
    let left = office.mailbox_now().len();
    assert_eq!(left, 1, "P-01: it was taken out of its mailbox undecided");
    let (outcome, _) = Outcome::of(&office);
    assert!(outcome.rows["decisions"][0].contains(" held "), "{:?}", outcome.rows);
}

// A server without MOVE: what is copied is marked, so that it is not copied again; a kill may come
// between. Nothing is lost, and no more is there twice than was copied together.
#[test]
fn p_01_killed_between_copy_and_mark_a_few_messages_are_moved_twice_and_none_is_lost() {
    const MESSAGES: usize = 40;
    let street = Street::of(DOVECOT_COPY);
    let office = street.office("copied");
    deliver_crowd(&office, MESSAGES);
    kill(&office, "imap.store");
    let copied = office.count("done");
    assert_eq!(
        office.count("INBOX"),
        MESSAGES,
        "P-01: none is gone before it is copied and marked"
    );
    expect_success(&office.run_once(""), "started again");
    assert_eq!(office.mailbox_now().len(), MESSAGES, "P-01: each is there");
    assert_eq!((office.count("INBOX"), office.count("done")), (0, MESSAGES + copied));
    assert!((1..=16).contains(&copied), "{copied} messages are there twice");
}

#[test]
fn p_03_killed_after_each_250_no_mail_goes_out_a_third_time() {
    let street = Street::of(MAILDIR_SQLITE);
    let office = street.office("thrice");
    hello(&office);
    let kills = (0..6).take_while(|_| was_killed(&office.run_once("kill=smtp.taken"))).count();
    assert!(kills >= 2, "{kills}");
    expect_success(&office.run_once(""), "started again");
    let mut copies: BTreeMap<String, u32> = BTreeMap::new();
    for mail in office.arrived() {
        *copies.entry(id_of(&mail)).or_default() += 1;
    }
    assert!(copies.values().all(|copies| *copies <= 2), "P-03: more than twice: {copies:?}");
    let (_, parked) = Outcome::of(&office);
    assert!(parked > 0, "P-03: what may have gone out twice is set aside in sight");
}

// From the commit of its attempt to the answer nobody knows where a mail is; twice is enough.
#[test]
fn p_03_killed_twice_at_the_end_of_a_mail_it_is_set_aside() {
    for kind in [MAILDIR_SQLITE, Kind { store: Keeping::Postgres, ..MAILDIR_SQLITE }] {
        let street = Street::of(kind);
        let office = street.office("end");
        hello(&office);
        let kills = (0..6).take_while(|_| was_killed(&office.run_once("kill=smtp.dot"))).count();
        assert!((2..=4).contains(&kills), "{kind:?}: two mails, and {kills} kills");
        let (_, parked) = Outcome::of(&office);
        assert_eq!(parked, 2, "{kind:?}");
    }
}

#[test]
fn p_04_killed_ten_times_in_a_row_before_the_end_of_a_mail_nobody_is_needed() {
    for kind in [MAILDIR_SQLITE, Kind { store: Keeping::Postgres, ..MAILDIR_SQLITE }] {
        let street = Street::of(kind);
        for step in ["outbox.begin", "smtp.connected", "smtp.sender", "smtp.data"] {
            let office = street.office(step);
            hello(&office);
            for _ in 0..10 {
                let output = office.run_once(&format!("kill={step}"));
                if !was_killed(&output) {
                    break;
                }
            }
            expect_success(&office.run_once(""), "started again");
            let (outcome, parked) = Outcome::of(&office);
            assert_eq!(parked, 0, "P-04: {kind:?}, {step}: set aside, and never sent");
            assert_eq!(outcome.rows["mails"].len(), 2, "{kind:?}, {step}: {:?}", outcome.rows);
            assert_eq!(office.arrived().len(), 2, "{kind:?}, {step}: each mail once");
        }
    }
}

#[test]
fn p_03_a_mail_keeps_its_message_id_when_the_keys_change_between_two_attempts() {
    let street = Street::of(MAILDIR_SQLITE);
    let office = street.office("keys");
    hello(&office);
    kill(&office, "smtp.taken");
    office.desk.ok(&["keys", "rotate"]);
    expect_success(&office.run_once(""), "started again");
    let ids: BTreeSet<String> = office.arrived().iter().map(|mail| id_of(mail)).collect();
    assert_eq!(ids.len(), 2, "P-03: two mails, and these Message-IDs: {ids:?}");
    Outcome::of(&office);
}

#[test]
fn p_04_what_a_killed_process_had_in_hand_is_done_by_the_next_at_once() {
    for kind in [MAILDIR_SQLITE, MAILDIR_POSTGRES] {
        let street = Street::of(kind);
        for step in ["ingest.claimed", "outbox.begun"] {
            let office = street.office(step);
            hello(&office);
            kill(&office, step);
            expect_success(&office.run_once(""), "started again");
            let (outcome, _) = Outcome::of(&office);
            assert_eq!(outcome.rows["mails"].len(), 2, "{kind:?}, {step}: {:?}", outcome.rows);
        }
    }
}

#[test]
fn every_failpoint_is_passed_by_some_desk() {
    let kinds = [MAILDIR_SQLITE, MAILDIR_POSTGRES, DOVECOT_SQLITE, DOVECOT_POSTGRES, DOVECOT_COPY];
    let mut passed: BTreeSet<String> = BTreeSet::new();
    for kind in kinds {
        let street = Street::of(kind);
        let unharmed = unharmed(&street);
        passed.extend(unharmed.first.into_keys().chain(unharmed.second.into_keys()));
        let office = street.office("stopped");
        // More than it claims at a time: what it has claimed ahead is handed back.
        deliver_crowd(&office, 20);
        let status = ended(&office, "term=ingest.claimed");
        assert!(status.success(), "{status}");
        passed.extend(office.passed());
    }
    let source = include_str!("../../src/faults/plan.rs");
    let table = source.split("const POINTS: &[&str] = &[").nth(1).expect("the table is there");
    let table = table.split("];").next().expect("it ends");
    let names = table.split(',').map(|name| name.trim().trim_matches('"'));
    let dead: Vec<&str> = names
        .filter(|name| !name.is_empty() && !passed.contains(*name))
        .filter(|name| !ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == name))
        .collect();
    assert!(dead.is_empty(), "no desk passes {dead:?}");
    let gone: Vec<_> = ELSEWHERE.iter().filter(|(name, _)| passed.contains(*name)).collect();
    assert!(gone.is_empty(), "some desk passes {gone:?}");
}
