//! Messages that end whoever reads them, between good ones.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;

use crate::support::{Desk, message, wait_for};
use crate::{
    GOOD, deliver, deliver_among_good, held, on_postgres, on_sqlite, raw_of, run_to_the_end, said,
    totals,
};

fn killers_between_good_mail(desk: &Desk) {
    let bad = deliver_among_good(desk, &["abort", "panic", "overflow", "memory"]);
    let deaths = run_to_the_end(desk);
    assert_eq!(deaths, 1, "P-12: what was in hand then is read in a process of its own");
    let all = BTreeMap::from([
        ("internal_error".to_owned(), 3),
        ("parse_failed".to_owned(), 1),
        ("ticket_created".to_owned(), GOOD as i64),
    ]);
    assert_eq!(totals(desk), all, "T-51");
    let told = held(desk);
    for ((id, said), (words, raw)) in told.iter().zip([
        ("ended with SIGABRT", &bad[0]),
        ("has overflowed its stack", &bad[2]),
        ("more than 256 MB of memory", &bad[3]),
    ]) {
        assert!(said.contains("given up after 3 attempts") && said.contains(words), "{said}");
        assert_eq!(raw_of(desk, id), *raw);
    }
    let id = told[0].0.as_str();
    assert!(desk.ok(&["explain", id]).contains("SIGABRT"));

    // Released it is still bad, and known to be: it takes nobody with it this time.
    let released = desk.run(&["held", "release", id]);
    assert!(released.status.success(), "{}", said(&released));
    assert_eq!(held(desk).len(), 3);
    deliver(desk, 200, "");
    assert_eq!(run_to_the_end(desk), 0, "the mailbox goes on");
    assert_eq!(totals(desk)["ticket_created"], GOOD as i64 + 1);
    desk.audit();
}

#[test]
fn p_12_t_51_killers_between_good_mail_end_the_process_once_and_are_held_on_sqlite() {
    killers_between_good_mail(&on_sqlite());
}

#[test]
fn p_12_t_51_killers_between_good_mail_end_the_process_once_and_are_held_on_postgresql() {
    killers_between_good_mail(&on_postgres());
}

#[test]
fn t_51_a_daemon_that_is_started_again_goes_on_past_a_killer() {
    let desk = on_sqlite();
    deliver_among_good(&desk, &["abort"]);
    let mut daemon = desk.start();
    wait_for("it to meet the killer", 30, || daemon.has_ended());
    daemon = desk.start();
    let all = BTreeMap::from([
        ("internal_error".to_owned(), 1),
        ("ticket_created".to_owned(), GOOD as i64),
    ]);
    wait_for("all of them to be decided", 30, || {
        assert!(!daemon.has_ended(), "the killer has ended it again");
        totals(&desk) == all
    });
    let log = desk.log();
    let id = &held(&desk)[0].0;
    for words in [id.as_str(), "\"support\"", "ended with SIGABRT", "hint: `guichet held show"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    deliver(&desk, 200, "");
    wait_for("what came later", 30, || totals(&desk)["ticket_created"] == GOOD as i64 + 1);
    assert_eq!(daemon.stop(), Some(0));
    desk.audit();
}

#[test]
fn p_12_a_reading_that_does_not_end_stops_nobody_and_is_held() {
    let desk = on_sqlite();
    deliver_among_good(&desk, &["spin"]);
    assert_eq!(run_to_the_end(&desk), 0, "nobody needs to start it again");
    let told = held(&desk);
    assert!(told[0].1.contains("more than 5 s of processor time"), "{told:?}");
    assert_eq!(totals(&desk)["ticket_created"], GOOD as i64);
    desk.audit();
}

// P-12 for who hands a message in by the command: it is safe before it is read.
#[test]
fn p_12_what_ends_the_command_that_takes_it_in_is_in_the_store() {
    let desk = on_sqlite();
    let raw = message("a@x.example", "Printer", "1@x", "X-Guichet-Fault: abort\r\n", "hello");
    let output = desk.run_with(&["ingest", "-"], &raw);
    assert!(output.status.signal().is_some(), "{}", said(&output));
    assert_eq!(run_to_the_end(&desk), 1);
    assert_eq!(raw_of(&desk, &held(&desk)[0].0), raw);
}

// What ends the process where it is decided, after the trial, is counted all the same.
#[test]
fn p_12_what_ends_the_process_while_it_is_decided_is_held_after_three_attempts() {
    let desk = on_sqlite();
    let raw = deliver(&desk, 1, "");
    for attempt in 1..=3 {
        let mut command = desk.command(&["run", "--once"]);
        let output = command.env("GUICHET_FAULTS", kept("abort=ingest.gather")).output();
        let output = output.expect("the binary starts");
        assert!(output.status.signal().is_some(), "attempt {attempt}: {}", said(&output));
    }
    assert_eq!(run_to_the_end(&desk), 0);
    let told = held(&desk);
    assert_eq!(told.len(), 1, "what is decided for the fourth time is held");
    assert!(told[0].1.contains("each attempt ended"), "{told:?}");
    assert_eq!(raw_of(&desk, &told[0].0), raw);
}

// One that panics past the reader takes its neighbours' reading with it, and costs them nothing.
#[test]
fn p_12_neighbours_of_a_reader_that_panicked_are_ticketed_at_once() {
    let desk = on_sqlite();
    deliver_among_good(&desk, &[]);
    let mut command = desk.command(&["run", "--once"]);
    let output = command.env("GUICHET_FAULTS", kept("panic=ingest.read:3")).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("could not be read, attempt 1 of 3"), "{}", said(&output));
    assert_eq!(totals(&desk), BTreeMap::from([("ticket_created".to_owned(), GOOD as i64)]));
}

/// What is to befall the program, besides what these tests themselves are run with.
fn kept(blow: &str) -> String {
    format!("{} {blow}", std::env::var("GUICHET_FAULTS").unwrap_or_default())
}

// What the reader itself can catch is a refusal, with a reason, at the first attempt.
#[test]
fn p_12_a_panic_of_the_reader_is_no_death() {
    let desk = on_sqlite();
    deliver_among_good(&desk, &["panic"]);
    assert_eq!(run_to_the_end(&desk), 0);
    assert_eq!(totals(&desk)["parse_failed"], 1);
    assert_eq!(totals(&desk)["ticket_created"], GOOD as i64);
}
