//! A dialogue with a relay that is cut at any byte, stands still, or comes byte by byte: the mail goes
//! out, once, or twice under one Message-ID where nobody can know (P-03, P-08).

use std::collections::BTreeMap;
use std::time::Duration;

use guichet::clock::Next;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, at, drain, impatient, relay};
use crate::support::proxy::{Fault, Proxy, Way};
use crate::support::sink::{Sink, SinkOptions};

const LANES: usize = 2;

// Sends one mail after another, each over a connection of its own that `fault` befalls.
struct Line {
    desk: Desk,
    sink: Sink,
    proxy: Proxy,
    second: i64,
}

impl Line {
    fn new(timeout: Duration) -> Line {
        let sink = Sink::start(SinkOptions::default());
        let proxy = Proxy::to(sink.port());
        let mut relay = relay(proxy.port);
        relay.server.timeout = timeout;
        Line { desk: Desk::new(relay), sink, proxy, second: 0 }
    }

    fn copies(&self) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for mail in self.sink.mails() {
            let raw = String::from_utf8_lossy(&mail.raw).into_owned();
            let id = raw.split("\r\nMessage-ID: <").nth(1).and_then(|rest| rest.split('>').next());
            *copies.entry(id.expect("each mail has one").to_owned()).or_default() += 1;
        }
        copies
    }

    // Answers how often the mail arrived, and whether nobody knew at first.
    fn send(&mut self, fault: Fault) -> (usize, bool) {
        let name = format!("{fault:?}");
        let id = self.desk.queue("claire@customer.example");
        let outbox = self.desk.outbox();
        self.proxy.befall(fault);
        let mut next = drain(&outbox);
        self.proxy.be_well();
        let unsure = self.desk.store.read_only(move |sql| {
            sql.query("SELECT unsure FROM outbox WHERE id = ?1", guichet::args![id])?[0].int(0)
        });
        while let Next::At(_) = next {
            self.second += 360;
            self.desk.clock.set(at(self.second));
            next = drain(&outbox);
        }
        assert_eq!(self.desk.state(id).0, OutboxState::Sent, "{name}: {}", self.desk.said(id));
        let copies = self.copies().get(&self.desk.entry(id).message_id).copied().unwrap_or(0);
        (copies, unsure.expect("the row reads") > 0)
    }
}

fn lanes(work: impl Fn(usize) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || work(lane))).collect();
        for lane in lanes {
            if let Err(panic) = lane.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

#[test]
fn p_08_p_03_a_relay_that_is_cut_at_any_byte_gets_the_mail_and_at_most_twice() {
    lanes(|lane| {
        let mut line = Line::new(Duration::from_secs(20));
        assert_eq!(line.send(Fault::Cut(Way::ToClient, usize::MAX)), (1, false));
        let whole = line.proxy.passed();
        let mut doubled = 0;
        for way in [Way::ToClient, Way::ToServer] {
            // The mail itself is long, and one byte of it is as good as another.
            for offset in (lane..whole.on(way)).step_by(LANES) {
                let near_an_end = offset < 300 || offset + 60 > whole.on(way);
                if !(near_an_end || offset % 16 == lane) {
                    continue;
                }
                let (copies, is_unsure) = line.send(Fault::Cut(way, offset));
                assert!((1..=2).contains(&copies), "{way:?} {offset}: {copies} copies");
                assert!(copies == 1 || is_unsure, "{way:?} {offset}: twice without need");
                doubled += usize::from(copies == 2);
            }
        }
        assert!(doubled > 0, "the answer to the whole mail was cut, too");
    });
}

#[test]
fn p_15_a_relay_that_stands_still_is_left_and_gets_the_mail_later() {
    lanes(|lane| {
        let mut line = Line::new(Duration::from_millis(150));
        for way in [Way::ToClient, Way::ToServer] {
            for offset in (lane * 29..900).step_by(LANES * 29) {
                let (copies, is_unsure) = line.send(Fault::Stall(way, offset));
                assert!((1..=2).contains(&copies), "{way:?} {offset}: {copies} copies");
                assert!(copies == 1 || is_unsure, "{way:?} {offset}: twice without need");
            }
        }
    });
}

#[test]
fn a_relay_that_is_heard_byte_by_byte_takes_the_mail() {
    let mut line = Line::new(Duration::from_secs(20));
    assert_eq!(line.send(Fault::Dawdle(Duration::ZERO)), (1, false));
    let slow = impatient(relay(0)).server.timeout / 100;
    assert_eq!(line.send(Fault::Dawdle(slow)), (1, false));
}
