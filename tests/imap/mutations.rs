//! Good answers of which bytes were changed, doubled or left out at random, over TCP that does not
//! notice: no panic, and once the network is well again every message is there, once.
//! `GUICHET_MUTATIONS=10000` tries so many; each says its number when it fails, and
//! `GUICHET_MUTATION=NUMBER` tries that one alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use guichet::clock::{Ids, SeededChance, SetClock};
use guichet::intake::After;
use guichet::net::Security;

use crate::desk::{CONTACT, Desk, imap, lanes, letter, letters, seconds};
use crate::support::account::Account;
use crate::support::proxy::{Edit, Fault, Passed, Proxy, Way};
use crate::support::scripted::Scripted;

const IN_CI: u64 = 400;
// Whoever waits for a literal that never comes whole leaves the processor to the others.
const LANES: usize = 6;
// Mutations on one store.
const ROUND: u64 = 100;

struct Network {
    desk: Desk,
    server: Scripted,
    proxy: Proxy,
    reading: Passed,
    moving: Passed,
}

/// Numbers at random, the same for the same seed.
struct Dice(Ids);

impl Dice {
    fn new(seed: u64) -> Dice {
        let clock = Arc::new(SetClock::at(seconds(CONTACT)));
        Dice(Ids::new(clock, Arc::new(SeededChance::new(seed))))
    }

    fn below(&self, most: usize) -> usize {
        usize::try_from(u32::from_be_bytes(self.0.secret())).expect("it fits") % most
    }

    // One to five places; at each a byte, or a few in a row.
    fn edits(&self, bytes: usize) -> BTreeMap<usize, Edit> {
        let mut edits = BTreeMap::new();
        for _ in 0..=self.below(5) {
            let (at, kind) = (self.below(bytes), self.below(4));
            let length = if self.below(4) == 0 { 1 + self.below(40) } else { 1 };
            for offset in at..at + length {
                let edit = match kind {
                    0 => Edit::Become(b"0123456789 ()[]{}\"\\\r\n*+~\xc3\0"[self.below(25)]),
                    1 => Edit::Become(u8::try_from(self.below(256)).expect("a byte")),
                    2 => Edit::Double,
                    _ => Edit::Vanish,
                };
                edits.insert(offset, edit);
            }
        }
        edits
    }
}

impl Network {
    fn new() -> Network {
        let server = Scripted::play("", Account::new());
        let proxy = Proxy::to(server.port());
        let none = Passed::default();
        let mut network = Network { desk: Desk::new(), server, proxy, reading: none, moving: none };
        network.proxy.befall(Fault::Cut(Way::ToClient, usize::MAX));
        network.try_one("whole", None);
        network
    }

    // Reads three messages and moves them, with one of the two sessions altered; then one more comes.
    fn try_one(&mut self, name: &str, dice: Option<&Dice>) {
        *self.server.account() = Account::holding(letters(3));
        let mut options = self.desk.options_at(self.proxy.port, Security::None);
        imap(&mut options).server.timeout = Duration::from_millis(150);
        name.clone_into(&mut options.name);
        options.after = After::Move { to: "done".to_owned() };
        let alters_reading = dice.is_some_and(|dice| dice.below(3) > 0);
        let mut failures = Vec::new();
        let mut altered = Vec::new();
        for is_reading in [true, false] {
            match dice {
                Some(dice) if alters_reading == is_reading => {
                    let whole = if is_reading { self.reading } else { self.moving };
                    self.proxy.befall(Fault::Alter(dice.edits(whole.to_client)));
                }
                _ => self.proxy.befall(Fault::Cut(Way::ToClient, usize::MAX)),
            }
            let mut watch = self.desk.watch(options.clone());
            failures.extend(self.desk.endure(&mut watch, 1));
            self.proxy.be_well();
            altered.extend(self.proxy.altered());
            if dice.is_none() {
                let whole = self.proxy.passed();
                *(if is_reading { &mut self.reading } else { &mut self.moving }) = whole;
            }
            self.desk.decide();
        }
        self.server.account().inbox().add(letter(4));
        // A machine at its limits may be too slow for this deadline, now and then.
        for _ in 0..12 {
            let mut watch = self.desk.watch(options.clone());
            failures.extend(self.desk.endure(&mut watch, 2));
            self.desk.decide();
            if self.is_over(name) {
                break;
            }
        }
        self.judge(name, &altered, &failures);
    }

    fn is_over(&self, name: &str) -> bool {
        self.desk.owed_to(name) == 0
            && (1..=4).all(|uid| self.desk.contents(name).contains_key(&format!("uid/1/{uid}")))
    }

    // What the server gave out as a message is that message: nobody can tell that it was altered.
    fn judge(&self, name: &str, altered: &[u8], failures: &[String]) {
        let contents = self.desk.contents(name);
        for number in 1..=4 {
            let raw = contents.get(&format!("uid/1/{number}"));
            let raw = raw.unwrap_or_else(|| panic!("{name}: {number} is lost: {failures:?}"));
            let was_said = || altered.windows(raw.len().max(1)).any(|part| part == raw);
            assert!(*raw == letter(number) || was_said(), "{name}: {number}: {failures:?}");
        }
        assert_eq!(self.desk.owed_to(name), 0, "{name}: {failures:?}");
        let mut account = self.server.account();
        let is_open = |message: &&crate::support::account::Message| message.flags.is_empty();
        let open = account.inbox().messages.iter().filter(is_open).count();
        assert_eq!(open, 0, "{name}: {:?} {failures:?}", account.changes);
        let done = account.folders["done"].messages.len();
        assert!((4..=8).contains(&done), "{name}: {done} were moved: {failures:?}");
    }
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}

#[test]
fn p_08_t_44_answers_that_were_changed_at_random_lose_nothing_and_take_nothing_twice() {
    if let Some(seed) = number_in("GUICHET_MUTATION") {
        return Network::new().try_one(&format!("mutation {seed}"), Some(&Dice::new(seed)));
    }
    let count = number_in("GUICHET_MUTATIONS").unwrap_or(IN_CI);
    lanes(LANES, |lane| {
        let mut network = Network::new();
        let lane = u64::try_from(lane).expect("small");
        for (tried, seed) in (lane..count).step_by(LANES).enumerate() {
            if tried > 0 && u64::try_from(tried).expect("small").is_multiple_of(ROUND) {
                network = Network::new();
            }
            network.try_one(&format!("mutation {seed}"), Some(&Dice::new(seed)));
        }
    });
}
