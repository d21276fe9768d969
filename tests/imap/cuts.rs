//! P-08: a session cut at any byte, in either direction, is resumed by the next one, with the same
//! ledger at the end and every message told of once.

use guichet::intake::{After, Options};
use guichet::net::Security;
use jiff::SignedDuration;

use crate::desk::{Desk, imap, lanes, letters, on_dovecot};
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::proxy::{Fault, Passed, Proxy, Way};
use crate::support::scripted::Scripted;

const LANES: usize = 2;
// Letters in a mailbox that is read: a dialogue of about 4 KB.
const MAIL: usize = 8;

/// A mailbox behind a network that can be cut.
struct Cut {
    desk: Desk,
    server: Scripted,
    proxy: Proxy,
}

impl Cut {
    fn new(dialogue: &str) -> Cut {
        let server = Scripted::play(dialogue, Account::new());
        let proxy = Proxy::to(server.port());
        Cut { desk: Desk::new(), server, proxy }
    }

    // The mailbox of that name, which has never been looked at, on an account with so much mail.
    fn mailbox(&self, name: &str, after: After, mail: usize) -> Options {
        let capability = self.server.account().capability.clone();
        *self.server.account() = Account { capability, ..Account::holding(letters(mail)) };
        let mut options = self.desk.options_at(self.proxy.port, Security::None);
        (options.name, options.after) = (name.to_owned(), after);
        options
    }

    // What passes in a session without a cut.
    fn whole(&self, options: &Options) -> Passed {
        // Counts anew, and cuts nothing.
        self.proxy.befall(Fault::Cut(Way::ToClient, usize::MAX));
        self.desk.settle(&mut self.desk.watch(options.clone()));
        self.proxy.be_well();
        self.proxy.passed()
    }

    // A session that is cut, and those after it, in the same process or, every other time, in another.
    fn session(&self, options: &Options, way: Way, offset: usize) -> String {
        let before = self.proxy.connections();
        self.proxy.befall(Fault::Cut(way, offset));
        let mut watch = self.desk.watch(options.clone());
        let mut failures = Vec::from_iter(self.desk.attempt(&mut watch).err());
        self.proxy.be_well();
        if (offset / LANES).is_multiple_of(2) {
            watch = self.desk.watch(options.clone());
        }
        // Before the next sweep, which would find what was skipped.
        for _ in 0..3 {
            self.desk.pass(SignedDuration::from_secs(61));
            failures.extend(self.desk.attempt(&mut watch).err());
        }
        let said = format!("{}: {failures:?}", options.name);
        assert!(failures.len() <= 1, "more than one session was lost: {said}");
        assert!(self.proxy.connections() - before <= 2, "one more session is enough: {said}");
        said
    }
}

// Every offset of both directions, those of one lane.
fn offsets(whole: Passed, lane: usize, step: usize) -> impl Iterator<Item = (Way, usize)> {
    [Way::ToClient, Way::ToServer].into_iter().flat_map(move |way| {
        let first = lane * step;
        (first..=whole.on(way)).step_by(LANES * step).map(move |offset| (way, offset))
    })
}

#[test]
fn p_08_reading_that_is_cut_at_any_byte_is_resumed() {
    lanes(LANES, |lane| {
        let cut = Cut::new("");
        let whole = cut.whole(&cut.mailbox("whole", After::Keep, MAIL));
        let expected = cut.desk.contents("whole");
        assert!(whole.to_client + whole.to_server > 3_600, "{whole:?} is no long dialogue");
        for (way, offset) in offsets(whole, lane, 1) {
            let name = format!("cut {way:?} at {offset}");
            let said = cut.session(&cut.mailbox(&name, After::Keep, MAIL), way, offset);
            assert_eq!(cut.desk.contents(&name), expected, "{said}");
            assert_eq!(cut.desk.uids(&name).len(), MAIL, "{said}");
        }
    });
}

// Brings two messages in, decides, and cuts the session that tells the mailbox of it.
fn told_of(dialogue: &str, step: usize, copies: usize) {
    lanes(LANES, |lane| {
        let cut = Cut::new(dialogue);
        let after = || After::Move { to: "done".to_owned() };
        let ready = |name: &str| {
            let options = cut.mailbox(name, after(), 2);
            cut.desk.settle(&mut cut.desk.watch(options.clone()));
            cut.desk.decide();
            options
        };
        let whole = cut.whole(&ready("whole"));
        for (way, offset) in offsets(whole, lane, step) {
            let name = format!("cut {way:?} at {offset}");
            let said = cut.session(&ready(&name), way, offset);
            let mut account = cut.server.account();
            assert_eq!(account.inbox().uids(), [0; 0], "{said}");
            let done = account.folders["done"].messages.len();
            assert!((2..=2 * copies).contains(&done), "{done} in the other folder: {said}");
            assert_eq!(cut.desk.owed_to(&name), 0, "{said}");
            assert_eq!(cut.desk.uids(&name), [1, 2], "{said}");
        }
    });
}

#[test]
fn p_08_moving_that_is_cut_at_any_byte_is_resumed() {
    told_of("", 1, 1);
}

// Without MOVE nothing tells whether a COPY was carried out whose answer never came.
#[test]
fn p_08_copying_that_is_cut_at_any_byte_is_resumed_and_copies_at_most_twice() {
    told_of("capability IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS\n", 7, 2);
}

#[test]
fn p_08_dovecot_is_cut_anywhere_and_every_message_is_read_once() {
    let dovecot = Dovecot::start();
    let proxy = Proxy::to(dovecot.ports.imap);
    for raw in letters(3) {
        dovecot.deliver("support", "INBOX", &raw);
    }
    let desk = Desk::new();
    let named = |name: &str| {
        let mut options = on_dovecot(&desk, &dovecot);
        let source = imap(&mut options);
        (source.server.port, source.server.security) = (proxy.port, Security::None);
        source.login.username = "support".to_owned();
        name.clone_into(&mut options.name);
        options
    };
    proxy.befall(Fault::Cut(Way::ToClient, usize::MAX));
    desk.settle(&mut desk.watch(named("whole")));
    let whole = proxy.passed();
    let expected = desk.contents("whole");
    assert_eq!(expected.len(), 3);
    for (way, offset) in offsets(whole, 0, 35) {
        let name = format!("cut {way:?} at {offset}");
        proxy.befall(Fault::Cut(way, offset));
        let mut watch = desk.watch(named(&name));
        let failures = desk.endure(&mut watch, 3);
        proxy.be_well();
        assert!(failures.len() <= 1, "{name}: {failures:?}");
        assert_eq!(desk.contents(&name), expected, "{name}: {failures:?}");
    }
}
