//! Messages that belong together, decided at the same moment by four workers, and by a command that
//! brings more in beside them: what comes of them is what one worker would make of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guichet::clock::{Clock, Next, SetClock};
use guichet::config::{self, Environment, Request};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use guichet::store::{Store, audit};
use guichet::triage::facts::Intake;
use guichet::triage::policy::Policy;

use crate::support::{Place, at, read, site, write};

// No more credentials mails than a domain may have in an hour (C-10).
const ROUNDS: usize = 20;
const NO_LIMITS: &str = "per_sender = \"off\"\nnew_users = \"off\"\n";

/// A policy with a mailbox `support` and one `sales`; `limits` are added.
pub fn policy(limits: &str) -> Policy {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("guichet.toml");
    let limits = if limits.is_empty() { NO_LIMITS } else { limits };
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.example.com\"\n[smtp]\ntransport = \"none\"\n\
         [limits]\nper_domain = \"off\"\nauto_mails_per_address = \"off\"\n{limits}\
         [[mailbox]]\nname = \"support\"\nprovider = \"maildir\"\n\
         address = \"support@desk.example\"\npath = \"mail\"\n\
         [[mailbox]]\nname = \"sales\"\nprovider = \"maildir\"\n\
         address = \"sales@desk.example\"\npath = \"sales\"\n\
         [[site]]\nname = \"Raced\"\ndomains = [\"raced.example\"]\n"
    );
    std::fs::write(&file, text).expect("it is written");
    let environment = Environment::of_process();
    let request = Request { path: Some(file), set: Vec::new(), environment };
    config::load(&request).expect("it is sound").settings.policy
}

struct Race {
    store: Store,
    policy: Arc<Policy>,
    raced: Vec<Arrival>,
}

impl Race {
    fn new(place: &Place, limits: &str) -> Race {
        let declared = [site("Raced", &["raced.example"])];
        let store = place.open_with(&declared);
        Race { store, policy: Arc::new(policy(limits)), raced: Vec::new() }
    }

    /// A message that comes into `mailbox` once the race begins.
    fn comes(&mut self, place: &Place, mailbox: &str, from: &str, id: &str, more: &str) {
        let raw = format!(
            "From: {from}\r\nTo: support@desk.example\r\nSubject: {id}\r\n\
             Message-ID: <{id}@mail.example>\r\n{more}\r\nhello from {id}\r\n"
        );
        let message = RawMessage {
            mailbox: mailbox.to_owned(),
            origin: Origin::File { name: format!("{mailbox}/{id}") },
            arrived_at: at(0),
            intake: Intake::Mailbox,
            raw: raw.into_bytes(),
        };
        self.raced.push(Arrival::new(message, &place.ids));
    }

    /// Brings all in, a few at a time, while four workers decide; until nothing is left to do `now`.
    fn run(&mut self, place: &Place, now: i64) {
        let mut arrivals = std::mem::take(&mut self.raced);
        let is_in = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let mut worker = self.worker(place, number, now);
                let (store, is_in) = (&self.store, &is_in);
                scope.spawn(move || {
                    for _ in 0..20_000 {
                        // Seen before the step: what comes later is found by the next one.
                        let was_in = is_in.load(Ordering::SeqCst);
                        let next = match worker.step() {
                            Ok(progress) => progress.next,
                            Err(failure) => {
                                assert!(failure.is_temporary(), "{failure}");
                                Next::Now
                            }
                        };
                        if was_in && next != Next::Now && is_over(store) {
                            return;
                        }
                        if next != Next::Now {
                            pause(number);
                        }
                    }
                    panic!("they never come to an end");
                });
            }
            // From the last to the first, so that the ids say nothing of the order.
            while !arrivals.is_empty() {
                let some = arrivals.split_off(arrivals.len().saturating_sub(3));
                write(&self.store, move |sql| spool::spool(sql, &some, at(0), Acknowledge::Never));
                pause(arrivals.len() as u64);
            }
            is_in.store(true, Ordering::SeqCst);
        });
        let books = read(&self.store, audit::audit);
        assert!(books.balance(), "{books:?}");
        assert_eq!(self.count("message WHERE attempts > 1"), 0, "a race is no failure");
    }

    fn worker(&self, place: &Place, number: u64, now: i64) -> Ingest {
        let clock: Arc<dyn Clock> = Arc::new(SetClock::at(at(now)));
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: format!("process/ingest {number}"),
        };
        Ingest::new(self.store.clone(), self.policy.clone(), clock, place.ids.clone(), options)
    }

    fn count(&self, from: &str) -> usize {
        let statement = format!("SELECT COUNT(*) FROM {from}");
        let counted = read(&self.store, |sql| sql.query(&statement, &[])?[0].int(0));
        usize::try_from(counted).expect("a count")
    }
}

fn is_over(store: &Store) -> bool {
    let waiting = "SELECT COUNT(*) FROM message WHERE state IN ('incoming', 'active')";
    read(store, |sql| sql.query(waiting, &[])?[0].int(0)) == 0
}

// A fixed sequence that looks like chance.
fn pause(seed: u64) {
    std::thread::sleep(Duration::from_micros(200 + seed.wrapping_mul(7_919) % 1_800));
}

pub fn first_messages_into_two_mailboxes_make_one_user_p_10(place: &Place) {
    let mut race = Race::new(place, "");
    for n in 0..ROUNDS {
        let from = format!("New Sender <s{n}@raced.example>");
        for (k, mailbox) in ["support", "sales", "support", "sales"].iter().enumerate() {
            race.comes(place, mailbox, &from, &format!("first{n}-{k}"), "");
        }
    }
    race.run(place, 60);
    assert_eq!(race.count("person"), ROUNDS, "one user each");
    let credentials = race.count("outbox WHERE template = 'credentials'");
    assert_eq!(credentials, ROUNDS, "one credentials mail each");
    assert_eq!(race.count("ticket"), 4 * ROUNDS);
}

pub fn two_of_one_name_at_one_new_site_are_two_users_of_it_p_10(place: &Place) {
    let mut race = Race::new(place, "");
    for n in 0..ROUNDS {
        for who in ["anna", "a.miller"] {
            let from = format!("Anna Miller <{who}{n}@raced.example>");
            race.comes(place, "support", &from, &format!("{who}{n}"), "");
        }
    }
    race.run(place, 60);
    assert_eq!(race.count("person"), 2 * ROUNDS);
    let elsewhere = "person JOIN site ON site.id = person.site WHERE site.name <> 'Raced'";
    assert_eq!(race.count(elsewhere), 0, "all belong to the site");
}

pub fn one_mail_in_two_mailboxes_is_one_ticket_p_02(place: &Place) {
    let mut race = Race::new(place, "");
    for n in 0..ROUNDS {
        let from = format!("One <s{n}@raced.example>");
        for mailbox in ["support", "sales"] {
            race.comes(place, mailbox, &from, &format!("same{n}"), "");
        }
    }
    race.run(place, 60);
    assert_eq!(race.count("ticket"), ROUNDS, "one ticket for both");
    assert_eq!(race.count("decision WHERE reason = 'duplicate'"), ROUNDS);
    assert_eq!(race.count("outbox WHERE template = 'ticket_received'"), ROUNDS);
}

pub fn two_answers_to_one_closed_ticket_reopen_it_once_p_10(place: &Place) {
    let mut race = Race::new(place, "");
    for n in 0..ROUNDS {
        race.comes(place, "support", &format!("One <s{n}@raced.example>"), &format!("q{n}"), "");
    }
    race.run(place, 60);
    write(&race.store, |sql| {
        sql.execute("UPDATE ticket SET status = 'closed', closed_at = ?1", &[at(61).into()])
    });
    for n in 0..ROUNDS {
        for k in 0..2 {
            let more = format!("In-Reply-To: <q{n}@mail.example>\r\n");
            let from = format!("One <s{n}@raced.example>");
            race.comes(place, "support", &from, &format!("a{n}-{k}"), &more);
        }
    }
    race.run(place, 120);
    assert_eq!(race.count("ticket"), ROUNDS, "no new one");
    assert_eq!(race.count("ticket WHERE status = 'open'"), ROUNDS, "each is open again");
    assert_eq!(race.count("ticket_message"), 3 * ROUNDS);
}

pub fn what_is_owed_is_given_once_whoever_comes_back_to_it_e_02(place: &Place) {
    const SENDERS: usize = 8;
    let mut race = Race::new(place, "per_sender = \"off\"\nnew_users = \"2/h\"\n");
    for n in 0..SENDERS {
        for k in 0..2 {
            let from = format!("New <s{n}@raced.example>");
            race.comes(place, "support", &from, &format!("owed{n}-{k}"), "");
        }
    }
    race.run(place, 60);
    let begun = race.count("person");
    assert!(begun < SENDERS && race.count("owed") > 0, "{begun} users, the others wait");
    for hour in 1..24 {
        race.run(place, 60 + 3_601 * hour);
    }
    assert_eq!(race.count("owed"), 0, "nothing is owed for ever");
    assert_eq!(race.count("person"), SENDERS, "one user each");
    assert_eq!(race.count("outbox WHERE template = 'credentials'"), SENDERS);
    assert_eq!(race.count("ticket"), 2 * SENDERS);
}
