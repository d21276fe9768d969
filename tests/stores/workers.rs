//! Several workers of several processes on one store.

use std::sync::Arc;

use guichet::clock::{Clock, Next, SetClock};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::store::mailboxes::{self, Lease, Leased};
use guichet::store::outbox::{self, Whose};
use guichet::store::spool::{self, Acknowledge, Finished};
use guichet::store::workers::{self, Freed, Pace, Presence, Process};
use guichet::store::{Store, StoreError, audit};
use jiff::SignedDuration;

use crate::races::policy;
use crate::support::{Place, at, count, read, write};

const TERM: SignedDuration = SignedDuration::from_secs(60);

pub fn a_mailbox_is_leased_to_one_worker_p_10(place: &Place) {
    let store = place.open();
    let first = lease(&store, "one/support", 0);
    assert_eq!((first.fence, first.until), (1, at(60)));
    assert_eq!(try_lease(&store, "two/support", 59), Leased::Elsewhere { until: at(60) });
    let renewed = first.clone();
    let renewed = write(&store, move |sql| mailboxes::renew(sql, &renewed, at(50), TERM));
    assert_eq!(renewed.expect("it is held").until, at(110));
    assert_eq!(try_lease(&store, "two/support", 109), Leased::Elsewhere { until: at(110) });

    // It ran out, and another one has it now.
    let second = lease(&store, "two/support", 110);
    assert_eq!(second.fence, 2);
    let lost = first.clone();
    let renewed = write(&store, move |sql| mailboxes::renew(sql, &lost, at(111), TERM));
    assert_eq!(renewed, None);
    assert_eq!(try_lease(&store, "one/support", 111), Leased::Elsewhere { until: at(170) });
    // Whoever has it may take it again, as after a reload.
    assert_eq!(lease(&store, "two/support", 112).fence, 3);
}

pub fn a_watcher_that_lost_its_lease_writes_nothing_p_10(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    let claim = place.receive(&store, "m", 0);
    write(&store, move |sql| spool::finish(sql, &claim, Finished::Done));
    let late = lease(&store, "one/support", 0);
    let now = lease(&store, "two/support", 60);
    let owed = read(&store, |sql| spool::owed(sql, "support", "", 10));
    let acknowledge = |lease: Lease| {
        let ids: Vec<String> = owed.iter().map(|owed| owed.id.clone()).collect();
        store.transact(move |sql| {
            mailboxes::must_hold(sql, &lease)?;
            mailboxes::set_position(sql, "support", &lease.worker)?;
            spool::acknowledged(sql, &ids)
        })
    };
    let refused = acknowledge(late);
    let is_refused = matches!(refused, Err(StoreError::LeaseLost(mailbox)) if mailbox == "support");
    assert!(is_refused, "a watcher writes without its lease");
    assert_eq!(read(&store, |sql| spool::owed(sql, "support", "", 10)).len(), 1);
    acknowledge(now).expect("it is the other one's");
    assert!(read(&store, |sql| spool::owed(sql, "support", "", 10)).is_empty());
}

pub fn what_a_dead_process_had_is_free_and_a_living_ones_is_not_p_10(place: &Place) {
    let store = place.open();
    let (dead, living) = (place.ids.uuid(), place.ids.uuid());
    for (n, process) in [&dead, &living].into_iter().enumerate() {
        let (name, worker) = (process.clone(), workers::worker(process, "ingest 1"));
        let arrival = place.arrival(&format!("m{n}"), 0, b"x");
        let mailbox = format!("mailbox {n}");
        write(&store, move |sql| {
            workers::enter(sql, &name, &Process::own(), at(0))?;
            spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)?;
            assert_eq!(spool::claim(sql, &worker, at(0), TERM, 1, 1)?.len(), 1);
            mailboxes::lease(sql, &mailbox, &worker, at(0), TERM)
        });
        place.queue_mail(&store, n);
        let worker = workers::worker(process, "outbox");
        let claims =
            write(&store, move |sql| outbox::claim_due(sql, &worker, &Whose::All, at(1), TERM, 1));
        assert_eq!(claims.len(), 1);
    }
    assert_eq!(write(&store, |sql| workers::free_orphans(sql, at(2))), Freed::default());
    let name = dead.clone();
    assert!(!write(&store, move |sql| workers::strike_off(sql, &name, at(-1))), "it was heard of");
    write(&store, move |sql| workers::strike_off(sql, &dead, at(0)));
    let freed = write(&store, |sql| workers::free_orphans(sql, at(2)));
    assert_eq!(freed, Freed { mailboxes: 1, mails: 1, messages: 1 });
    let claims = write(&store, |sql| spool::claim(sql, "third", at(2), TERM, 9, 9));
    assert_eq!(claims.len(), 1, "the living one's is its own until its lease ends");
    assert_eq!(
        write(&store, |sql| outbox::claim_due(sql, "third", &Whose::All, at(2), TERM, 9)).len(),
        1
    );
    assert!(matches!(
        write(&store, |sql| mailboxes::lease(sql, "mailbox 1", "third", at(2), TERM)),
        Leased::Elsewhere { .. }
    ));
    // A beat makes the leases on mailboxes last.
    let name = living.clone();
    assert!(write(&store, move |sql| workers::beat(sql, &name, at(50), at(500))));
    assert_eq!(
        write(&store, |sql| mailboxes::lease(sql, "mailbox 1", "third", at(400), TERM)),
        Leased::Elsewhere { until: at(500) }
    );
    let name = living.clone();
    write(&store, move |sql| workers::let_go_of_mailboxes(sql, &name));
    assert!(matches!(
        write(&store, |sql| mailboxes::lease(sql, "mailbox 1", "third", at(400), TERM)),
        Leased::Ours(_)
    ));
}

/// A mail in hand at two kills is parked, so after the first it does not wait behind all the others.
pub fn mail_of_a_dead_process_goes_before_what_was_queued_later_p_04(place: &Place) {
    let store = place.open();
    let dead = workers::worker(&place.ids.uuid(), "outbox");
    let claim = |worker: String, now: i64| -> Vec<i64> {
        let claims = write(&store, move |sql| {
            outbox::claim_due(sql, &worker, &Whose::All, at(now), TERM, 1)
        });
        claims.iter().map(|claim| claim.id).collect()
    };
    place.queue_mail(&store, 0);
    let first = claim(dead, 1);
    place.queue_mail(&store, 1);
    write(&store, |sql| workers::free_orphans(sql, at(2)));
    assert_eq!(claim("next/outbox".to_owned(), 2), first);
}

pub fn a_process_leaves_no_trace_when_it_ends(place: &Place) {
    let store = place.open();
    let clock: Arc<dyn Clock> = Arc::new(SetClock::at(at(0)));
    let presence = Presence::begin(&store, &clock, &place.ids, Pace::default()).expect("it begins");
    let worker = presence.worker("ingest 1");
    assert_eq!(count(&store, "worker"), 1);
    let arrival = place.arrival("m", 0, b"x");
    write(&store, move |sql| {
        spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)?;
        spool::claim(sql, &worker, at(0), TERM, 1, 1)
    });
    drop(presence);
    assert_eq!(count(&store, "worker"), 0);
    assert_eq!(write(&store, |sql| spool::claim(sql, "next", at(1), TERM, 1, 1)).len(), 1);
}

/// Design §4: the loser of a race is rolled back, asks again, and finds the user there.
pub fn racing_first_messages_make_one_user_and_one_credentials_mail(place: &Place) {
    const SENDERS: usize = 12;
    const EACH: usize = 8;
    let store = place.open();
    // Those of one sender lie side by side, so that workers meet over them.
    let arrivals: Vec<_> = (0..SENDERS * EACH)
        .map(|n| {
            let raw = format!(
                "From: New Sender <s{}@raced.example>\r\nTo: support@desk.example\r\n\
                 Subject: message {n}\r\nMessage-ID: <m{n}@raced.example>\r\n\r\nhello {n}\r\n",
                n / EACH
            );
            place.arrival(&format!("m{n}"), i64::try_from(n).expect("small"), raw.as_bytes())
        })
        .collect();
    write(&store, move |sql| spool::spool(sql, &arrivals, at(0), Acknowledge::Never));
    decide_with_four_workers(place, &store, (SENDERS * EACH) as i64);
    let of = |statement: &str| read(&store, |sql| sql.query(statement, &[])?[0].int(0));
    assert_eq!(of("SELECT COUNT(*) FROM person"), SENDERS as i64);
    assert_eq!(of("SELECT COUNT(*) FROM outbox WHERE template = 'credentials'"), SENDERS as i64);
    assert_eq!(
        of("SELECT COUNT(*) FROM outbox WHERE template = 'ticket_received'"),
        (SENDERS * EACH) as i64
    );
    assert_eq!(of("SELECT COUNT(*) FROM ticket"), (SENDERS * EACH) as i64);
    assert_eq!(of("SELECT COUNT(*) FROM message WHERE attempts > 1"), 0, "a race is no failure");
    assert!(read(&store, audit::audit).balance());
}

/// Whoever comes first opens the ticket, and what names the same message finds it (M-83).
pub fn messages_that_name_one_another_come_to_one_ticket_in_whatever_hands(place: &Place) {
    const THREADS: usize = 20;
    const EACH: usize = 4;
    let store = place.open();
    // Their common ancestor came by another way, and none of them is in hand before another.
    let arrivals: Vec<_> = (0..THREADS * EACH)
        .map(|n| {
            let raw = format!(
                "From: One <s@raced.example>\r\nTo: support@desk.example\r\n\
                 Subject: Re: thread {0}\r\nMessage-ID: <m{n}@raced.example>\r\n\
                 References: <root{0}@raced.example>\r\n\r\nhello {n}\r\n",
                n % THREADS
            );
            place.arrival(&format!("m{n}"), 0, raw.as_bytes())
        })
        .collect();
    write(&store, move |sql| spool::spool(sql, &arrivals, at(0), Acknowledge::Never));
    decide_with_four_workers(place, &store, (THREADS * EACH) as i64);
    assert_eq!(count(&store, "ticket"), THREADS as i64);
    assert_eq!(count(&store, "ticket_message"), (THREADS * EACH) as i64);
    let tried = "SELECT COUNT(*) FROM message WHERE attempts > 1";
    assert_eq!(read(&store, |sql| sql.query(tried, &[])?[0].int(0)), 0, "a race is no failure");
}

/// A process that stands still with a message in hand is given up before long; what answers that
/// message waits for that, and opens no ticket of its own.
#[test]
fn p_10_a_reply_waits_for_what_a_process_that_stands_still_has_in_hand() {
    let place = &Place::postgres();
    let store = place.open();
    let mail = |id: &str, more: &str| {
        format!(
            "From: One <s@raced.example>\r\nTo: support@desk.example\r\nSubject: Printer\r\n\
             Message-ID: <{id}@raced.example>\r\n{more}\r\nhello from {id}\r\n"
        )
    };
    let parent = place.arrival("parent", 0, mail("parent", "").as_bytes());
    write(&store, move |sql| {
        spool::spool(sql, std::slice::from_ref(&parent), at(0), Acknowledge::Never)
    });
    let lease = SignedDuration::from_secs(120);
    let taken = write(&store, move |sql| spool::claim(sql, "still", at(1), lease, 16, 1 << 20));
    assert_eq!(taken.len(), 1);
    let answer = "In-Reply-To: <parent@raced.example>\r\n";
    let reply = place.arrival("reply", 1, mail("reply", answer).as_bytes());
    write(&store, move |sql| {
        spool::spool(sql, std::slice::from_ref(&reply), at(1), Acknowledge::Never)
    });

    let clock = Arc::new(SetClock::at(at(2)));
    let options = ingest::Options {
        readers: 1,
        suspects: ingest::Suspects::ReadHere,
        time: TimeOfDecision::Clock,
        worker: "at work".to_owned(),
    };
    let (policy, ids) = (Arc::new(policy("")), place.ids.clone());
    let mut ingest = Ingest::new(store.clone(), policy, clock.clone(), ids, options);
    assert!(ingest.step().expect("a step").decided.is_empty(), "it is decided without its parent");
    clock.set(at(122));
    while ingest.step().expect("a step").next == Next::Now {}
    assert_eq!((count(&store, "ticket"), count(&store, "ticket_message")), (1, 2));
}

fn decide_with_four_workers(place: &Place, store: &Store, messages: i64) {
    let policy = Arc::new(policy(""));
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let clock: Arc<dyn Clock> = Arc::new(SetClock::at(at(200)));
            let options = ingest::Options {
                readers: 1,
                suspects: ingest::Suspects::ReadHere,
                time: TimeOfDecision::Clock,
                worker: format!("worker {worker}"),
            };
            let ids = place.ids.clone();
            let mut ingest = Ingest::new(store.clone(), policy.clone(), clock, ids, options);
            let is_over = || count(store, "decision") == messages;
            scope.spawn(move || {
                for _ in 0..10_000 {
                    match ingest.step() {
                        Ok(_) if is_over() => return,
                        // Another worker may wait for what arrived before.
                        Ok(step) if step.next != Next::Now => {
                            std::thread::sleep(std::time::Duration::from_millis(2));
                        }
                        Ok(_) => {}
                        Err(failure) => assert!(failure.is_temporary(), "{failure}"),
                    }
                }
                panic!("the messages are never all decided");
            });
        }
    });
}

fn try_lease(store: &Store, worker: &'static str, now: i64) -> Leased {
    write(store, move |sql| mailboxes::lease(sql, "support", worker, at(now), TERM))
}

fn lease(store: &Store, worker: &'static str, now: i64) -> Lease {
    match try_lease(store, worker, now) {
        Leased::Ours(lease) => lease,
        Leased::Elsewhere { until } => panic!("somebody has it until {until}"),
    }
}
