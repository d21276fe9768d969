//! What waits for which other message where several workers share a store (P-10): one that names a
//! message which is not decided, while anything before it is undecided, whoever has that.

use std::sync::Arc;

use guichet::args;
use guichet::clock::{Clock, Next, SetClock};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::store::Store;
use guichet::store::spool::{self, Acknowledge, Claim};
use jiff::SignedDuration;

use crate::races::policy;
use crate::support::{Place, at, count, read, write};

const LEASE: SignedDuration = SignedDuration::from_secs(120);
const US: &str = "at work";

/// Ours is the ticket that its parent is on, and yet another parent of it is in other hands: by that
/// one it may belong elsewhere, or be let in.
#[test]
fn p_10_a_reply_waits_for_each_of_its_parents() {
    let desk = Desk::new();
    desk.comes("root", 0, "");
    desk.work();
    desk.comes("first", 1, "In-Reply-To: <root@raced.example>\r\n");
    desk.claimed_by("still");
    desk.comes("second", 2, "References: <root@raced.example> <first@raced.example>\r\n");
    desk.waits("second", "it is decided without one of its parents");
    assert_eq!(desk.threads(), ["root first second"]);
}

/// Where the answer to a claim is lost with the connection, the lease is ours and nobody knows.
#[test]
fn p_10_a_reply_waits_for_what_is_leased_in_our_own_name_and_in_nobodys_hands() {
    let desk = Desk::new();
    desk.comes("root", 0, "");
    desk.claimed_by(US);
    desk.comes("reply", 1, "In-Reply-To: <root@raced.example>\r\n");
    desk.waits("reply", "it is decided without its parent");
    assert_eq!(desk.threads(), ["root reply"]);
}

/// Both were claimed together, and another worker took the parent over before the transaction.
#[test]
fn p_10_a_reply_waits_for_what_was_lost_out_of_its_own_batch() {
    let desk = Desk::new();
    let mut worker = desk.worker();
    // As many as are claimed at a time; the next are claimed while these are decided.
    (0..16).for_each(|n| desk.comes(&format!("before{n}"), n, ""));
    desk.comes("root", 16, "");
    // More than are decided together lie between them.
    (17..22).for_each(|n| desk.comes(&format!("between{n}"), n, ""));
    desk.comes("reply", 22, "In-Reply-To: <root@raced.example>\r\n");
    assert_eq!(worker.step().expect("a step").decided.len(), 16);
    let taken = write(&desk.store, |sql| {
        sql.execute(
            "UPDATE message SET fence = fence + 1, leased_by = 'still' WHERE origin = ?1",
            args!["maildir/root"],
        )
    });
    assert_eq!(taken, 1);
    assert_eq!(worker.step().expect("a step").decided.len(), 5, "those between them");
    assert_eq!(desk.state("reply"), "incoming", "it is decided without its parent");
    drop(worker);
    desk.work();
    assert_eq!(desk.threads(), ["root reply"]);
}

/// What names nothing unknown, or by our own word what it is about, need not wait for anything.
#[test]
fn p_10_whoever_names_nobody_unknown_waits_for_nobody() {
    let desk = Desk::new();
    desk.comes("root", 0, "");
    desk.work();
    desk.comes("other", 1, "");
    desk.claimed_by("still");
    desk.comes("reply", 2, "In-Reply-To: <root@raced.example>\r\n");
    desk.comes("new", 3, "");
    assert_eq!(desk.worker().step().expect("a step").decided.len(), 2);
    desk.work();
    assert_eq!(desk.threads(), ["root reply"]);
}

/// A store that workers share, and the time.
struct Desk {
    place: Place,
    store: Store,
    clock: Arc<SetClock>,
}

impl Desk {
    fn new() -> Desk {
        let place = Place::postgres();
        let store = place.open();
        Desk { place, store, clock: Arc::new(SetClock::at(at(30))) }
    }

    /// A message of its own sender.
    fn comes(&self, id: &str, arrived: i64, more: &str) {
        let raw = format!(
            "From: One <s@raced.example>\r\nTo: support@desk.example\r\nSubject: Printer\r\n\
             Message-ID: <{id}@raced.example>\r\n{more}\r\nhello from {id}\r\n"
        );
        let arrival = self.place.arrival(id, arrived, raw.as_bytes());
        write(&self.store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(arrived), Acknowledge::Never)
        });
    }

    /// Somebody takes all that waits, and does nothing.
    fn claimed_by(&self, worker: &'static str) {
        let now = self.clock.now();
        let taken: Vec<Claim> =
            write(&self.store, move |sql| spool::claim(sql, worker, now, LEASE, 16, 1 << 20));
        assert_eq!(taken.len(), 1);
    }

    fn worker(&self) -> Ingest {
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: US.to_owned(),
        };
        let (policy, ids) = (Arc::new(policy("")), self.place.ids.clone());
        Ingest::new(self.store.clone(), policy, self.clock.clone(), ids, options)
    }

    /// Decides all there is, once every lease has run out.
    fn work(&self) {
        let late = self.clock.now() + LEASE + SignedDuration::from_secs(1);
        self.clock.set(late);
        let mut worker = self.worker();
        for _ in 0..100 {
            if worker.step().expect("a step").next != Next::Now {
                assert_eq!(self.undecided(), 0);
                return;
            }
        }
        panic!("it never comes to an end");
    }

    /// That this message waits as long as others are leased, and no longer.
    fn waits(&self, id: &str, otherwise: &str) {
        assert!(self.worker().step().expect("a step").decided.is_empty(), "{otherwise}");
        assert_eq!(self.state(id), "incoming");
        self.work();
    }

    fn state(&self, id: &str) -> String {
        let origin = format!("maildir/{id}");
        let state = "SELECT state FROM message WHERE origin = ?1";
        read(&self.store, |sql| sql.query(state, args![origin])?[0].text(0))
    }

    fn undecided(&self) -> i64 {
        count(&self.store, "message WHERE state <> 'done'")
    }

    /// The messages of each ticket that has several, as they were added.
    fn threads(&self) -> Vec<String> {
        let rows = read(&self.store, |sql| {
            sql.query(
                "SELECT x.ticket, m.origin FROM ticket_message x JOIN message m ON m.id = x.message \
                 WHERE x.ticket IN (SELECT ticket FROM ticket_message GROUP BY ticket \
                   HAVING COUNT(*) > 1) ORDER BY x.ticket, x.n",
                args![],
            )?
            .iter()
            .map(|row| Ok((row.int(0)?, row.text(1)?)))
            .collect::<Result<Vec<_>, _>>()
        });
        let threads = rows.chunk_by(|one, next| one.0 == next.0);
        let origin = |(_, origin): &(i64, String)| origin.trim_start_matches("maildir/").to_owned();
        threads.map(|thread| thread.iter().map(origin).collect::<Vec<_>>().join(" ")).collect()
    }
}
