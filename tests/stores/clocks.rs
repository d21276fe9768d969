//! What a clock that was wrong leaves in the store, once it is right again (P-11).

use std::sync::Arc;

use guichet::clock::{Clock, Ids, SetClock};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::outbox::{self, Whose};
use guichet::store::spool::{self, Acknowledge};
use guichet::store::workers::{self, Pace, Presence, Process};
use guichet::store::{Store, facts, logins, owed};
use guichet::triage::facts::Room;
use guichet::triage::policy::{LimitPolicy, Rate};
use jiff::{SignedDuration, Timestamp};

use crate::races::policy;
use crate::support::{Place, at, count, message, questions, read, write};
use crate::walk::{arrived, contact};

const YEAR: i64 = 365 * 86_400;

fn ingest(place: &Place, store: &Store, clock: &Arc<SetClock>) -> Ingest {
    let options = ingest::Options {
        readers: 1,
        suspects: ingest::Suspects::ReadHere,
        time: TimeOfDecision::Clock,
        worker: "process/ingest 1".to_owned(),
    };
    let clock: Arc<dyn Clock> = clock.clone();
    Ingest::new(store.clone(), Arc::new(policy("")), clock, place.ids.clone(), options)
}

pub fn nothing_waits_for_a_year_p_11(place: &Place) {
    let store = place.open();
    let claims: Vec<_> = (0..3).map(|n| place.receive(&store, &format!("m{n}"), n)).collect();
    place.queue_mail(&store, 1);
    let lease = SignedDuration::from_mins(10);
    write(&store, move |sql| {
        spool::defer(sql, &claims[0], at(YEAR))?;
        spool::finish(sql, &claims[1], spool::Finished::Done)?;
        owed::owe(sql, claims[1].id(), at(YEAR))?;
        outbox::claim_due(sql, "process/outbox", &Whose::All, at(YEAR), lease, 1).map(drop)
    });
    let clock = Arc::new(SetClock::at(at(60)));
    ingest(place, &store, &clock).step().expect("it works off what waits");
    write(&store, |sql| outbox::set_right(sql, &Whose::All, at(60), SignedDuration::from_mins(10)));
    let next = |work: &str| {
        let statement = format!(
            "SELECT MAX({work}) FROM {}",
            match work {
                "leased_until" => "message",
                _ => "outbox",
            }
        );
        read(&store, |sql| sql.query(&statement, &[])?[0].opt_time(0))
    };
    let deferred = "SELECT COUNT(*) FROM message WHERE state = 'deferred'";
    assert_eq!(read(&store, |sql| sql.query(deferred, &[])?[0].int(0)), 0, "it waits for a year");
    assert!(read(&store, owed::next_due).is_none_or(|due| due <= at(60)), "it is owed for a year");
    assert!(next("leased_until").is_none_or(|until| until < at(YEAR)), "it is leased for a year");
    assert!(next("due_at").is_none_or(|due| due <= at(660)), "a mail is leased for a year");
}

pub fn a_login_that_was_refused_by_a_wrong_clock_closes_no_mailbox_p_11(place: &Place) {
    let store = place.open();
    write(&store, |sql| {
        for second in 0..3 {
            logins::refuse(sql, "support", 1, at(YEAR + second), at(YEAR - 900))?;
        }
        Ok(())
    });
    let refused =
        |now| read(&store, |sql| logins::refused(sql, "support", 1, at(now - 900), at(now)));
    assert_eq!(refused(YEAR + 10).len(), 3);
    assert!(refused(10).is_empty(), "nobody waits for a year to log in");
}

pub fn what_has_expired_stays_expired_when_the_clock_goes_back_p_11(place: &Place) {
    let store = place.open();
    let clock = Arc::new(SetClock::at(at(0)));
    let raw = b"From: Claire <claire@c.example>\r\nTo: support@desk.example\r\nSubject: x\r\n\
                Message-ID: <m@c.example>\r\n\r\nhello\r\n";
    let arrival = place.arrival("m", 0, raw);
    write(&store, move |sql| {
        spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)
    });
    let mut worker = ingest(place, &store, &clock);
    worker.step().expect("it is decided");
    let person = read(&store, |sql| sql.query("SELECT id FROM person", &[])?[0].text(0));
    let ids: Ids = place.ids.clone();
    let new = NewCredential {
        person: person.clone(),
        kind: CredentialKind::Link,
        hash: "0".repeat(64),
        sha256: None,
        expires_at: at(7 * 86_400),
    };
    write(&store, move |sql| credentials::keep(sql, &new, 1, &ids, at(0)));
    let live = |now| read(&store, |sql| credentials::live(sql, &person, at(now))).len();
    assert_eq!(live(60), 1);
    clock.set(at(YEAR));
    worker.step().expect("nothing is to do");
    clock.set(at(120));
    worker.step().expect("nothing is to do");
    assert_eq!(live(120), 0, "a link that was expired opens a door again");
}

// The beginnings of hours in which a calendar would begin anew, in UTC.
const TURNS: &[(&str, &str)] = &[
    ("midnight at Greenwich", "2027-02-01T00:00:00Z"),
    ("midnight in Berlin in winter", "2027-02-02T23:00:00Z"),
    ("midnight in Tokyo", "2027-02-04T15:00:00Z"),
    ("midnight in Kathmandu", "2027-02-06T18:15:00Z"),
    ("the end of a month", "2027-03-01T00:00:00Z"),
    ("summer time in New York", "2027-03-14T07:00:00Z"),
    ("summer time in Berlin", "2027-03-28T01:00:00Z"),
    ("midnight in Berlin in summer", "2027-07-01T22:00:00Z"),
    ("winter time in Berlin", "2027-10-31T01:00:00Z"),
    ("winter time in New York", "2027-11-07T06:00:00Z"),
    ("the end of a year", "2028-01-01T00:00:00Z"),
];

pub fn limits_slide_over_every_turn_of_a_calendar_p_11(place: &Place) {
    let store = place.open();
    let hour = |count| vec![Rate { count, per: SignedDuration::from_hours(1) }];
    for (n, (name, turn)) in TURNS.iter().enumerate() {
        let turn: Timestamp = turn.parse().expect("a time");
        let turn = turn.as_second() - at(0).as_second();
        // From before the turn, at it, and after it.
        for (k, begin) in [-3_000, -1_200, -1, 0, 600].into_iter().enumerate() {
            // Apart from one another: who is new counts for all.
            let first = turn + begin + 10_800 * i64::try_from(k).expect("few");
            let from = |m: usize| format!("u{m}@t{n}-{k}.example");
            for (m, after) in [0, 900, 1_500].into_iter().enumerate() {
                contact(place, &store, &format!("m{n}-{k}-{m}"), &from(m), first + after);
            }
            let mut asked = questions(&message(&format!("next{n}-{k}"), &from(0)));
            asked.limits = LimitPolicy {
                auto_mails_per_address: hour(1),
                new_users: hour(3),
                per_domain: hour(3),
                per_sender: hour(1),
            };
            let room = |after: i64| {
                let now = first + after;
                read(&store, |sql| facts::gather(sql, &asked, &arrived(now), at(now))).room
            };
            let met = |room: &Room| [room.auto_mails, room.domain, room.new_users, room.sender];
            for after in [1_501, 3_000, 3_599] {
                let until = Some(at(first + 3_600));
                assert_eq!(met(&room(after)), [until; 4], "{after} s later, at {name}");
            }
            assert_eq!(met(&room(3_600)), [None; 4], "an hour later, at {name}");
        }
    }
}

#[test]
fn p_11_a_jump_buries_no_living_process_and_a_dead_one_is_not_waited_for() {
    let place = Place::postgres();
    let store = place.open();
    let clock = Arc::new(SetClock::at(at(0)));
    let shown: Arc<dyn Clock> = clock.clone();
    let begin = || Presence::begin(&store, &shown, &place.ids, Pace::default()).expect("entered");
    let (one, two) = (begin(), begin());
    for (second, jump) in (1..).zip([3_600, 0, YEAR, 0, -YEAR, 0]) {
        clock.set(at(5 * second + jump));
        one.step().expect("it beats");
        assert_eq!(count(&store, "worker"), 2, "the other one lives, after a jump of {jump} s");
        two.step().expect("it beats");
    }
    // Of one on another machine nothing is known but its last beat, a year from now.
    let elsewhere = Process::parse("another boot/1/1/1").expect("a process");
    let name = place.ids.uuid();
    write(&store, move |sql| workers::enter(sql, &name, &elsewhere, at(YEAR)));
    for second in 0..8 {
        clock.set(at(100 + 5 * second));
        one.step().expect("it beats");
        two.step().expect("it beats");
    }
    assert_eq!(count(&store, "worker"), 2, "who was last heard of in a year is gone");
}
