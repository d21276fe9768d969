//! T-44: servers and networks that stand still, or nearly: a deadline ends what does not go on, and
//! what is only slow is waited for.

use std::time::Duration;

use guichet::intake::After;
use guichet::net::Security;

use crate::desk::{Desk, imap, lanes, letters};
use crate::support::account::Account;
use crate::support::proxy::{Fault, Proxy, Way};
use crate::support::scripted::Scripted;

// They wait, mostly.
const LANES: usize = 12;
const STEP: usize = 13;

#[test]
fn t_44_a_network_that_stands_still_anywhere_is_left_after_a_while_and_nothing_is_lost() {
    lanes(LANES, |lane| {
        let desk = Desk::new();
        let server = Scripted::play("", Account::new());
        let proxy = Proxy::to(server.port());
        let named = |name: &str| {
            *server.account() = Account::holding(letters(3));
            let mut options = desk.options_at(proxy.port, Security::None);
            imap(&mut options).server.timeout = Duration::from_millis(250);
            options.after = After::Move { to: "done".to_owned() };
            name.clone_into(&mut options.name);
            options
        };
        proxy.befall(Fault::Cut(Way::ToClient, usize::MAX));
        desk.endure(&mut desk.watch(named("whole")), 2);
        let whole = proxy.passed();
        for way in [Way::ToClient, Way::ToServer] {
            for offset in (lane * STEP..whole.on(way)).step_by(LANES * STEP) {
                let name = format!("still {way:?} from {offset}");
                let options = named(&name);
                proxy.befall(Fault::Stall(way, offset));
                let mut watch = desk.watch(options);
                let mut failures = Vec::from_iter(desk.attempt(&mut watch).err());
                assert!(
                    proxy.be_well().is_some() || failures.concat().contains("did not answer"),
                    "{name}: {failures:?}"
                );
                // A machine at its limits may be too slow for this deadline once more.
                for _ in 0..8 {
                    desk.decide();
                    failures.extend(desk.endure(&mut watch, 1));
                }
                assert_eq!(desk.uids(&name), [1, 2, 3], "{name}: {failures:?}");
                assert_eq!(desk.owed_to(&name), 0, "{name}: {failures:?}");
                let mut account = server.account();
                let left = account.inbox().uids();
                let done = account.folders["done"].messages.len();
                assert_eq!((left.len(), done), (0, 3), "{name}: {failures:?}");
            }
        }
    });
}

#[test]
fn t_44_a_server_that_dawdles_longer_than_any_deadline_is_waited_for() {
    for (pause, timeout) in [(0, 2_000), (2, 300)] {
        let desk = Desk::new();
        let server = Scripted::play("", Account::holding(letters(2)));
        let proxy = Proxy::to(server.port());
        let mut options = desk.options_at(proxy.port, Security::None);
        imap(&mut options).server.timeout = Duration::from_millis(timeout);
        proxy.befall(Fault::Dawdle(Duration::from_millis(pause)));
        desk.settle(&mut desk.watch(options));
        assert_eq!(desk.uids("support"), [1, 2]);
        let contents: Vec<Vec<u8>> = desk.contents("support").into_values().collect();
        assert_eq!(contents, letters(2), "byte by byte");
        assert_eq!(proxy.connections(), 1);
    }
}

#[test]
fn t_44_a_server_that_talks_without_an_end_is_left() {
    let desk = Desk::new();
    // Each line comes in time, and the answer never ends.
    let endless =
        "once TAG UID SEARCH ...\n  repeat 1000000 * OK I am not done yet\\r\\n\n  stall\n";
    let server = Scripted::play(endless, Account::holding(letters(2)));
    let mut watch = desk.watch(desk.options(&server));
    let failure = desk.attempt(&mut watch).expect_err("it is left");
    assert!(
        failure.contains("sent too much while looking for mail: an answer without"),
        "{failure}"
    );
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), [1, 2]);
}

#[test]
fn t_44_a_server_that_drips_without_an_end_is_left() {
    let desk = Desk::new();
    let server = Scripted::play(
        "once TAG UID SEARCH ...\n  repeat 50000 * OK wait\\r\\n\n  stall\n",
        Account::holding(letters(2)),
    );
    let proxy = Proxy::to(server.port());
    let mut options = desk.options_at(proxy.port, Security::None);
    // A hundred timeouts are three seconds.
    imap(&mut options).server.timeout = Duration::from_millis(30);
    let mut watch = desk.watch(options);
    proxy.befall(Fault::Dawdle(Duration::from_micros(100)));
    let failure = (0..3).find_map(|_| desk.attempt(&mut watch).err()).expect("it is left");
    assert!(failure.contains("did not answer within"), "{failure}");
    proxy.be_well();
    desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 2]);
}
