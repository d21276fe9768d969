//! Killed at each step: the steps that a desk passes unharmed are listed, with how often; then a desk
//! of its own is killed at each of them (SIGKILL), and started again until all is done. What it has
//! come to is what the unharmed one came to.
//!
//! Every desk has its mail in two lots. With the first it is killed once: no operator may be needed.
//! With the second it is killed at one passing, and once more at the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;

use crate::desks::{Keeping, Kind, Source, Street, Way, expect_success, was_killed};
use crate::outcome::Outcome;
use crate::post::{deliver_crowd, deliver_first, deliver_second, time_passes};
use crate::stops::ended;

pub const MAILDIR_SQLITE: Kind =
    Kind { source: Source::Maildir, store: Keeping::Sqlite, after: "move", way: Way::Smtp };
pub const MAILDIR_POSTGRES: Kind =
    Kind { source: Source::Maildir, store: Keeping::Postgres, after: "delete", way: Way::File };
pub const DOVECOT_SQLITE: Kind =
    Kind { source: Source::Dovecot, store: Keeping::Sqlite, after: "delete", way: Way::File };
pub const DOVECOT_POSTGRES: Kind =
    Kind { source: Source::Dovecot, store: Keeping::Postgres, after: "move", way: Way::Smtp };
pub const DOVECOT_COPY: Kind =
    Kind { source: Source::DovecotWithoutMove, after: "move", ..DOVECOT_SQLITE };
const FLAGGING: [Kind; 2] = [
    Kind { after: "flag", way: Way::File, ..MAILDIR_SQLITE },
    Kind { after: "flag", ..DOVECOT_SQLITE },
];
const KEEPING: [Kind; 2] = [
    Kind { after: "keep", way: Way::File, ..MAILDIR_SQLITE },
    Kind { after: "keep", ..DOVECOT_SQLITE },
];

/// How often each step is passed.
pub type Passings = BTreeMap<String, usize>;

/// A desk that nothing happens to.
pub struct Unharmed {
    pub first: Passings,
    pub second: Passings,
    /// After the first lot, and after the second.
    pub outcomes: [Outcome; 2],
}

/// Which passings of a step are tried.
#[derive(Clone, Copy)]
enum Which {
    /// Of the first, the second, the middle and the last two, beginning with this one; every kind of
    /// desk begins with another.
    Some(usize),
    Every,
}

/// All steps but the effects of one transaction, which two kinds of desk show, one on each store, and
/// the migrations, which have a suite of their own.
pub fn is_no_effect(step: &str) -> bool {
    !step.starts_with("apply.") && !step.starts_with("migrate.")
}

/// The steps of the walk that differ with `mailbox.after`.
fn is_told(step: &str) -> bool {
    ["acknowledge.", "imap.", "maildir."].iter().any(|begin| step.starts_with(begin))
}

#[test]
fn p_01_p_03_p_04_killed_at_each_step_maildir_sqlite_smtp() {
    kill_everywhere(MAILDIR_SQLITE, Which::Some(0), |_| true);
}

#[test]
fn p_01_p_03_p_04_killed_at_each_step_maildir_postgresql() {
    kill_everywhere(MAILDIR_POSTGRES, Which::Some(1), is_no_effect);
}

#[test]
fn p_01_p_03_p_04_killed_at_each_step_dovecot_sqlite() {
    kill_everywhere(DOVECOT_SQLITE, Which::Some(2), is_no_effect);
}

#[test]
fn p_01_p_03_p_04_killed_at_each_step_dovecot_postgresql_smtp() {
    kill_everywhere(DOVECOT_POSTGRES, Which::Some(3), |_| true);
}

#[test]
fn p_01_p_04_killed_while_mail_is_copied_and_expunged() {
    kill_everywhere(DOVECOT_COPY, Which::Some(0), is_told);
}

#[test]
fn p_01_p_04_killed_while_mail_is_flagged() {
    FLAGGING.into_iter().for_each(|kind| kill_everywhere(kind, Which::Some(1), is_told));
}

#[test]
fn p_01_p_04_killed_where_mail_is_kept() {
    KEEPING.into_iter().for_each(|kind| kill_everywhere(kind, Which::Some(2), is_told));
}

// More than a worker claims at a time, so that it has leases to hand back.
#[test]
fn p_04_killed_while_it_starts_or_stops() {
    let street = Street::of(MAILDIR_POSTGRES);
    for step in ["start.house", "ingest.hand_back", "stop.begun", "stop.ended", "presence.leave"] {
        let office = street.office(step);
        deliver_crowd(&office, 20);
        let status = ended(&office, &format!("term=ingest.claimed kill={step}"));
        assert_eq!(status.signal(), Some(9), "`{step}`: {status}");
        expect_success(&office.run_once(""), "started again");
        let (outcome, parked) = Outcome::of(&office);
        assert_eq!((outcome.rows["tickets"].len(), parked), (20, 0), "`{step}`");
        assert_eq!(outcome.mailbox, Vec::<String>::new(), "`{step}`");
    }
}

#[test]
#[ignore = "every passing of each step takes minutes"]
fn p_01_p_03_p_04_killed_at_every_passing_maildir_sqlite_smtp() {
    kill_everywhere(MAILDIR_SQLITE, Which::Every, |_| true);
}

#[test]
#[ignore = "every passing of each step takes minutes"]
fn p_01_p_03_p_04_killed_at_every_passing_maildir_postgresql() {
    kill_everywhere(MAILDIR_POSTGRES, Which::Every, |_| true);
}

#[test]
#[ignore = "every passing of each step takes minutes"]
fn p_01_p_03_p_04_killed_at_every_passing_dovecot_sqlite() {
    kill_everywhere(DOVECOT_SQLITE, Which::Every, |_| true);
}

#[test]
#[ignore = "every passing of each step takes minutes"]
fn p_01_p_03_p_04_killed_at_every_passing_dovecot_postgresql_smtp() {
    kill_everywhere(DOVECOT_POSTGRES, Which::Every, |_| true);
}

#[test]
#[ignore = "every passing of each step takes minutes"]
fn p_01_p_04_killed_at_every_passing_where_mail_is_copied_flagged_kept() {
    let kinds = [DOVECOT_COPY].into_iter().chain(FLAGGING).chain(KEEPING);
    kinds.for_each(|kind| kill_everywhere(kind, Which::Every, |_| true));
}

fn kill_everywhere(kind: Kind, which: Which, is_meant: fn(&str) -> bool) {
    let street = Street::of(kind);
    let unharmed = unharmed(&street);
    let steps: BTreeSet<&String> = unharmed.first.keys().chain(unharmed.second.keys()).collect();
    let (mut desks, mut kills, mut parked) = (0, 0, 0);
    for step in steps.into_iter().filter(|step| is_meant(step)) {
        let count = |passings: &Passings| passings.get(step).copied().unwrap_or(0);
        for (n, (first, second)) in
            times(count(&unharmed.first), count(&unharmed.second), which).into_iter().enumerate()
        {
            let name = format!("{step}-{n}");
            let (struck, aside) = killed(&street, &unharmed, step, (first, second), &name);
            (desks, kills, parked) = (desks + 1, kills + struck, parked + aside);
        }
    }
    println!("{kind:?}: {desks} desks, {kills} kills, {parked} mails parked after two");
}

/// The passings of one step to kill at, with the first lot and with the second; 0 is none.
fn times(first: usize, second: usize, which: Which) -> Vec<(usize, usize)> {
    let Which::Some(begin) = which else {
        return (1..=first.max(second)).map(|n| (n.min(first), n.min(second))).collect();
    };
    let at = |count: usize, n: usize| {
        let chosen = [1, 2, count.div_ceil(2), count];
        chosen[(begin + n) % chosen.len()].min(count)
    };
    vec![(at(first, 0), at(second, 2))]
}

/// What comes of the mail when nothing happens, and the steps that are passed.
pub fn unharmed(street: &Street) -> Unharmed {
    let office = street.office("unharmed");
    let run = || {
        expect_success(&office.run_once(""), "unharmed");
        let mut passings = Passings::new();
        for step in office.passed() {
            *passings.entry(step).or_default() += 1;
        }
        let (outcome, parked) = Outcome::of(&office);
        assert_eq!(parked, 0);
        (passings, outcome)
    };
    deliver_first(&office);
    let (first, after_first) = run();
    time_passes(&office);
    deliver_second(&office);
    let (second, after_second) = run();
    Unharmed { first, second, outcomes: [after_first, after_second] }
}

/// A desk killed at these passings of `step`; answers how often it was, and how many mails it set
/// aside.
fn killed(
    street: &Street,
    unharmed: &Unharmed,
    step: &str,
    (first, second): (usize, usize),
    name: &str,
) -> (usize, usize) {
    let office = street.office(name);
    let told = format!("{:?}, killed at `{step}`", street.kind);
    let strike = |time: usize| {
        if time == 0 {
            return false;
        }
        let output = office.run_once(&format!("kill={step}:{time}"));
        if !was_killed(&output) {
            // With other mails in a batch it may be passed less often than by the unharmed one.
            assert!(time > 1, "{told}: it is not passed any more");
            expect_success(&output, &told);
        }
        was_killed(&output)
    };
    let finish = || expect_success(&office.run_once(""), &format!("{told}, started again"));

    deliver_first(&office);
    let mut kills = usize::from(strike(first));
    finish();
    let (outcome, parked) = Outcome::of(&office);
    let wrong = outcome.differences(&unharmed.outcomes[0]);
    assert!(wrong.is_empty(), "{told}, passing {first} of the first lot: {wrong:#?}");
    assert_eq!(parked, 0, "{told}: one kill sets no mail aside");

    time_passes(&office);
    deliver_second(&office);
    if strike(second) {
        // Again on the way up; what it does next time may not be this any more.
        let output = office.run_once(&format!("kill={step}:1"));
        kills += 1 + usize::from(was_killed(&output));
        finish();
    } else {
        finish();
    }
    let (outcome, parked) = Outcome::of(&office);
    let mut expected = unharmed.outcomes[1].clone();
    if parked > 0 {
        // Whichever they are, all others are as they would be.
        let sent = |outcome: &Outcome| outcome.rows["mails"].len();
        assert_eq!(sent(&outcome) + parked, sent(&expected), "{told}, twice");
        expected.rows.insert("mails", outcome.rows["mails"].clone());
    }
    let wrong = outcome.differences(&expected);
    assert!(wrong.is_empty(), "{told}, passing {second} of the second lot, then 1: {wrong:#?}");
    (kills, parked)
}
