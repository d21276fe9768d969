//! P-08: a session cut at any byte is resumed, with the same ledger at the end. Every third byte of
//! a session that reads is tried, and every seventh of one that moves.

use guichet::intake::After;

use crate::desk::{Desk, letters};
use crate::support::account::Account;
use crate::support::scripted::Scripted;

#[test]
fn p_08_reading_that_is_cut_at_any_byte_is_resumed() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let named = |name: String| {
        let mut options = desk.options(&server);
        options.name = name;
        options
    };
    let whole = whole_session(&desk, &server, named("whole".to_owned()));
    let expected = desk.contents("whole");
    assert_eq!(expected.len(), 3);
    for offset in (0..whole).step_by(3) {
        let name = format!("cut at {offset}");
        server.cut_next(offset);
        let mut watch = desk.watch(named(name.clone()));
        let failed = desk.endure(&mut watch, 1);
        // Every other time the process is another one too.
        if offset % 2 == 0 {
            watch = desk.watch(named(name.clone()));
        }
        let later = desk.endure(&mut watch, 3);
        assert_eq!(desk.contents(&name), expected, "{name}: {failed:?} {later:?}");
        assert_eq!(desk.uids(&name), [1, 2, 3], "{name}: {failed:?} {later:?}");
    }
}

#[test]
fn p_08_moving_that_is_cut_at_any_byte_is_resumed() {
    let mut whole = 1;
    let mut offset = 0;
    while offset < whole {
        let desk = Desk::new();
        let server = Scripted::play("", Account::holding(letters(2)));
        let mut options = desk.options(&server);
        options.after = After::Move { to: "done".to_owned() };
        let mut watch = desk.watch(options.clone());
        desk.settle(&mut watch);
        desk.decide();
        drop(watch);
        if whole == 1 {
            // How much the server says while it is told what to do: once without a cut.
            let copy = Desk::new();
            let again = Scripted::play("", Account::holding(letters(2)));
            let mut options = copy.options(&again);
            options.after = After::Move { to: "done".to_owned() };
            copy.settle(&mut copy.watch(options.clone()));
            copy.decide();
            whole = whole_session(&copy, &again, options);
        }
        server.cut_next(offset);
        let mut watch = desk.watch(options);
        let failed = desk.endure(&mut watch, 4);
        let mut account = server.account();
        assert_eq!(account.inbox().uids(), [0; 0], "cut at {offset}: {failed:?}");
        assert_eq!(account.folders["done"].messages.len(), 2, "cut at {offset}: {failed:?}");
        assert_eq!(desk.owed(), 0, "cut at {offset}: {failed:?}");
        assert_eq!(desk.uids("support"), [1, 2], "cut at {offset}: {failed:?}");
        offset += 7;
    }
}

// The bytes that the server says in a session without a cut.
fn whole_session(desk: &Desk, server: &Scripted, options: guichet::intake::Options) -> usize {
    let before = server.sent().len();
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    drop(watch);
    crate::support::wait_for("the end of the session", 5, || server.sent().len() > before);
    server.sent().last().copied().expect("a session ended")
}
