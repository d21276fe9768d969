//! Folders whose UIDVALIDITY changes again and again: each time all of it is stored again, so they
//! rest, longer and longer, and others go on (P-05, P-09).

use std::collections::BTreeSet;

use guichet::intake::{After, Options, Start};
use guichet::store::StoreError;
use jiff::SignedDuration;

use crate::desk::{Desk, letter, letters};
use crate::support::account::Account;
use crate::support::scripted::Scripted;

const WORDS: &str = "came to mean other messages 3 times";

// Of how many UIDVALIDITYs there are messages in the ledger.
fn series(desk: &Desk) -> usize {
    let every = "SELECT origin FROM message WHERE mailbox = 'support'";
    let rows = desk.store.read_only(|sql| sql.query(every, guichet::args![]));
    let origins: Result<Vec<String>, StoreError> =
        rows.expect("the store reads").iter().map(|row| row.text(0)).collect();
    let origins = origins.expect("text");
    let of = |origin: &String| origin.rsplit_once('/').map(|(series, _)| series.to_owned());
    origins.iter().filter_map(of).collect::<BTreeSet<_>>().len()
}

// One look under another UIDVALIDITY than before, by a process of its own.
fn look_anew(desk: &Desk, server: &Scripted, options: &Options) -> Result<(), String> {
    server.account().inbox().renumber(1);
    let looked = desk.attempt(&mut desk.watch(options.clone()));
    looked.map(drop)
}

#[test]
fn p_09_a_uidvalidity_that_changes_at_each_look_fills_no_store() {
    for start in [Start::All, Start::Now] {
        let desk = Desk::new();
        let server = Scripted::play("", Account::holding(letters(20)));
        let steady = Scripted::play("", Account::new());
        let mut options = desk.options(&server);
        options.start = start;
        let mut other = desk.options(&steady);
        other.name = "other".to_owned();
        let mut failures = Vec::new();
        for number in 1..=144 {
            failures.extend(look_anew(&desk, &server, &options).err());
            steady.account().inbox().add(letter(number));
            desk.settle(&mut desk.watch(other.clone()));
            assert_eq!(desk.uids("other").len(), number, "others go on");
            desk.pass(SignedDuration::from_mins(10));
        }
        // Three at once, and after one, two, four and eight hours; the first look is none.
        assert_eq!(series(&desk), 1 + 3 + 4, "{start:?}: in a day: {failures:?}");
        assert_eq!(failures.len(), 144 - 8);
        assert!(failures[0].contains(WORDS) && failures[0].contains("hint: "), "{}", failures[0]);
        // It comes to rest, and is read once more.
        server.account().inbox().add(letter(99));
        server.account().inbox().messages[20].internal_date = "09-Jan-2026 09:00:00 +0000".into();
        desk.pass(SignedDuration::from_hours(24));
        assert_eq!(desk.endure(&mut desk.watch(options.clone()), 6), [""; 0]);
        assert!(desk.contents("support").values().any(|raw| *raw == letter(99)));
        assert_eq!(series(&desk), 1 + 3 + 4 + 1);
    }
}

#[test]
fn p_09_a_folder_that_rests_is_read_on_at_once_when_its_uidvalidity_comes_back() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(5)));
    let options = desk.options(&server);
    for _ in 0..4 {
        look_anew(&desk, &server, &options).expect("it is borne so often");
        desk.pass(SignedDuration::from_mins(1));
    }
    let before = server.account().inbox().clone();
    look_anew(&desk, &server, &options).expect_err("it rests");
    *server.account().inbox() = before;
    server.account().inbox().add(letter(6));
    desk.settle(&mut desk.watch(options));
    assert!(desk.contents("support").values().any(|raw| *raw == letter(6)));
}

#[test]
fn p_09_uids_that_are_given_out_again_and_again_fill_no_store_either() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(5)));
    let options = desk.options(&server);
    let mut failures = Vec::new();
    for look in 0..36 {
        // A copy that lags behind, and the other one.
        server.account().inbox().next = if look % 2 == 0 { 6 } else { 3 };
        server.account().inbox().messages.truncate(2);
        if look % 2 == 0 {
            let raws = letters(5);
            *server.account().inbox() = Account::holding(raws).inbox().clone();
        }
        failures.extend(desk.attempt(&mut desk.watch(options.clone())).err());
        desk.pass(SignedDuration::from_mins(10));
    }
    assert!(failures.iter().any(|failure| failure.contains(WORDS)), "{failures:?}");
    assert!(series(&desk) <= 1 + 3 + 2, "in six hours: {}", series(&desk));
}

#[test]
fn p_09_a_folder_of_new_mail_alone_never_rests() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::new());
    let mut options = desk.options(&server);
    options.after = After::Delete;
    for number in 1..=12 {
        server.account().inbox().add(letter(number));
        let date = format!("06-Jan-2026 09:{number:02}:00 +0000");
        server.account().inbox().messages[0].internal_date = date;
        server.account().inbox().renumber(1);
        let mut watch = desk.watch(options.clone());
        desk.settle(&mut watch);
        desk.decide();
        desk.settle(&mut watch);
        assert_eq!(server.account().inbox().uids(), [0; 0], "deleted, and nothing of it known");
        desk.pass(SignedDuration::from_mins(2));
    }
}
