use jiff::Timestamp;

use super::*;
use crate::clock::{SeededChance, SetClock};
use crate::store::spool::{Acknowledge, Arrival, Intake, Origin, RawMessage};
use crate::store::{Durability, Location, Options as StoreOptions, Value};
use crate::triage::samples;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

/// A store with this many messages that wait, each of another sender, and who is to decide them.
fn waiting(count: i64) -> (Store, Ingest) {
    let options = StoreOptions { location: Location::Memory, durability: Durability::None };
    let store = Store::open(&options, at(0)).expect("a store in memory opens");
    let clock = Arc::new(SetClock::at(at(count)));
    let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(1)));
    let policy = samples::policy();
    let site = policy.sites.default.clone();
    let arrivals: Vec<Arrival> = (0..count).map(|n| arrival(n, &ids)).collect();
    let spooled = store.transact(move |sql| {
        sql.execute(
            "INSERT INTO site (id, name, declared, is_default, created_at) VALUES ('s', ?1, 1, 1, 0)",
            &[Value::from(&site)],
        )?;
        spool::spool(sql, &arrivals, at(0), Acknowledge::Never)
    });
    assert_eq!(spooled.expect("the messages are spooled").len() as i64, count);
    let options = Options {
        readers: 2,
        suspects: Suspects::ReadHere,
        time: TimeOfDecision::Clock,
        worker: "test/ingest".to_owned(),
    };
    let ingest = Ingest::new(store.clone(), Arc::new(policy), clock, ids, options);
    (store, ingest)
}

fn arrival(n: i64, ids: &Ids) -> Arrival {
    let raw = format!(
        "From: person.{n}@company{n}.example\r\nTo: {}\r\nSubject: Printer {n}\r\n\
         Message-ID: <{n}@company{n}.example>\r\n\r\nIt stops.\r\n",
        samples::DESK
    );
    let raw = RawMessage {
        mailbox: samples::MAILBOX.to_owned(),
        origin: Origin::File { name: format!("{n}.eml") },
        arrived_at: at(n),
        intake: Intake::Mailbox,
        raw: raw.into_bytes(),
    };
    Arrival::new(raw, ids)
}

/// Where the messages stand, and how often each was tried, in order of arrival.
fn standing(store: &Store) -> Vec<(String, i64)> {
    let rows = store.read_only(|sql| {
        sql.query("SELECT state, attempts FROM message ORDER BY arrived_at", &[])?
            .iter()
            .map(|row| Ok((row.text(0)?, row.int(1)?)))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    rows.expect("the rows read")
}

fn count(store: &Store, state: &str, attempts: i64) -> usize {
    standing(store).iter().filter(|one| one.0 == state && one.1 == attempts).count()
}

#[test]
fn p_14_what_was_claimed_ahead_is_handed_back_when_nobody_goes_on() {
    let (store, mut ingest) = waiting(100);
    let decided = ingest.step().expect("a batch is decided").decided;
    assert_eq!(decided.len(), BATCH_MESSAGES as usize);
    assert_eq!(count(&store, "done", 1), 64);
    assert_eq!(count(&store, "active", 1), 36, "the next batch is in hand");
    drop(ingest);
    assert_eq!(count(&store, "incoming", 0), 36, "and is anybody's, as if untouched");
}

#[test]
fn what_was_claimed_ahead_is_decided_by_the_next_step_in_order_of_arrival() {
    let (store, mut ingest) = waiting(100);
    let mut subjects = Vec::new();
    while let Progress { next: Next::Now, decided } = ingest.step().expect("it steps") {
        subjects
            .extend(decided.iter().filter_map(|one| Some(one.message.as_ref()?.subject.clone())));
    }
    let expected: Vec<String> = (0..100).map(|n| format!("Printer {n}")).collect();
    assert_eq!(subjects, expected);
    assert_eq!(count(&store, "done", 1), 100);
}

#[test]
fn p_12_a_message_that_was_tried_is_alone_in_our_hands() {
    let (store, mut ingest) = waiting(3);
    let tried = store.transact(|sql| {
        sql.execute("UPDATE message SET attempts = 1 WHERE origin = 'file/1.eml'", &[])
    });
    assert_eq!(tried.expect("it is written"), 1);
    let stands = |states: [(&str, i64); 3]| {
        assert_eq!(standing(&store), states.map(|(state, attempts)| (state.to_owned(), attempts)));
    };
    assert_eq!(ingest.step().expect("it steps").decided.len(), 1);
    stands([("done", 1), ("incoming", 1), ("incoming", 0)]);
    assert_eq!(ingest.step().expect("it steps").decided.len(), 1);
    stands([("done", 1), ("done", 2), ("incoming", 0)]);
    assert_eq!(ingest.step().expect("it steps").decided.len(), 1);
    stands([("done", 1), ("done", 2), ("done", 1)]);
}

#[test]
fn what_could_not_be_handed_back_is_decided_as_soon_as_the_store_is_there_again() {
    let (store, mut ingest) = waiting(3);
    let claims = ingest.claim(at(3)).expect("all three are claimed");
    // One was handed back after all: its answer was lost.
    ingest.hand_back(claims[..1].to_vec());
    ingest.strays.borrow_mut().extend(claims);
    while let Next::Now = ingest.step().expect("it steps").next {}
    // P-12: the trouble was not theirs, and counts as no attempt.
    assert_eq!(standing(&store), vec![("done".to_owned(), 1); 3]);
}

#[test]
fn p_10_whoever_comes_too_late_with_the_last_attempt_leaves_the_message_to_the_other() {
    let (store, mut ingest) = waiting(1);
    let wait_again = |attempts: i64| {
        let changed = store.transact(move |sql| {
            sql.execute(
                "UPDATE message SET state = 'incoming', leased_by = NULL, leased_until = NULL, \
                 attempts = ?1",
                &[Value::Int(attempts)],
            )
        });
        assert_eq!(changed.expect("it is written"), 1);
    };
    wait_again(2);
    let late = ingest.claim(at(1)).expect("it is claimed");
    assert_eq!(late[0].attempts, ATTEMPTS);
    wait_again(0);
    assert_eq!(ingest.step().expect("another one decides it").decided.len(), 1);
    let late = ingest.begin(late).expect("it is read");
    let decided = ingest.finish(late, at(1)).expect("that is no trouble of the store");
    assert!(decided.is_empty());
    assert_eq!(standing(&store), [("done".to_owned(), 1)]);
}
