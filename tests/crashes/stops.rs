//! Told to stop at each step (SIGTERM): the daemon finishes what it has in hand, gives back what it
//! has leased, and ends well in time; the next start does the rest, and no mail of ours goes out twice.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use guichet::args;
use guichet::store::StoreError;

use crate::desks::{Kind, Office, Street, expect_success};
use crate::kills::{DOVECOT_POSTGRES, MAILDIR_SQLITE, is_no_effect, unharmed};
use crate::outcome::Outcome;
use crate::post::{deliver_first, id_of};
use crate::support::wait_for;

/// Steps that the daemon does not pass before it was told to stop, or before it listens: then nothing
/// is in hand.
const NOT_AT_WORK: &[&str] = &["presence.leave", "start", "store.close"];
/// Steps that only the daemon passes, and `run --once` does not.
const OF_THE_DAEMON: &[&str] = &["start.house"];

#[test]
fn p_14_told_to_stop_at_each_step_maildir_sqlite_smtp() {
    stop_everywhere(MAILDIR_SQLITE, |_| true);
}

#[test]
fn p_14_told_to_stop_at_each_step_dovecot_postgresql_smtp() {
    stop_everywhere(DOVECOT_POSTGRES, is_no_effect);
}

fn stop_everywhere(kind: Kind, is_meant: fn(&str) -> bool) {
    let street = Street::of(kind);
    let unharmed = unharmed(&street);
    let passed = unharmed.first.iter().map(|(step, count)| (step.as_str(), *count));
    let steps = passed.chain(OF_THE_DAEMON.iter().map(|step| (*step, 1)));
    let is_meant = |step: &str| {
        // While the store is brought up to date nobody listens either.
        is_meant(step) && !NOT_AT_WORK.contains(&step) && !step.starts_with("migrate.")
    };
    for (step, count) in steps.filter(|(step, _)| is_meant(step)) {
        // The first ones of the store are passed while it is opened: nobody listens yet.
        let time = if step.starts_with("store.") { count.div_ceil(2) } else { 1 };
        let office = street.office(&format!("stop-{step}"));
        let told = format!("P-14: {kind:?}, told to stop at `{step}`");
        deliver_first(&office);
        let status = ended(&office, &format!("term={step}:{time}"));
        assert_eq!(status.code(), Some(0), "{told}: {status}\n{}", office.log());
        assert_eq!(in_hand(&office), Vec::<String>::new(), "{told}: it is not given back");
        expect_success(&office.run_once(""), &told);
        let (outcome, _) = Outcome::of(&office);
        let wrong = outcome.differences(&unharmed.outcomes[0]);
        assert!(wrong.is_empty(), "{told}, then started again: {wrong:#?}");
        let arrived = office.arrived();
        let ids: BTreeSet<String> = arrived.iter().map(|mail| id_of(mail)).collect();
        assert_eq!(ids.len(), arrived.len(), "{told}: a mail went out twice");
    }
}

/// Starts the daemon with `faults`, which end it; answers how it ended.
pub fn ended(office: &Office, faults: &str) -> ExitStatus {
    let mut daemon = office.start(faults);
    let mut ended = None;
    wait_for(&format!("the daemon to end by `{faults}` (P-14)"), 60, || {
        ended = daemon.try_wait().expect("it is our child");
        ended.is_some()
    });
    ended.expect("it was waited for")
}

/// What is leased to anybody.
fn in_hand(office: &Office) -> Vec<String> {
    const LEASED: &[&str] = &[
        "SELECT 'process ' || name FROM worker",
        "SELECT 'message ' || id FROM message WHERE leased_by IS NOT NULL OR state = 'active'",
        "SELECT 'mail to ' || to_key FROM outbox WHERE leased_by IS NOT NULL OR state = 'sending'",
        "SELECT 'mailbox ' || mailbox FROM mailbox_lease WHERE leased_by IS NOT NULL",
    ];
    let found = office.store().read_only(|sql| {
        let mut found = Vec::new();
        for statement in LEASED {
            for row in sql.query(statement, args![])? {
                found.push(row.text(0)?);
            }
        }
        Ok::<_, StoreError>(found)
    });
    found.expect("the store reads")
}
