//! Where a new mailbox begins (`mailbox.start`, E-09), asked of Dovecot.

use guichet::intake::Start;
use jiff::SignedDuration;

use crate::desk::{CONTACT, Desk, letter, logged, on_dovecot, seconds};
use crate::support::dovecot::Dovecot;

// Four messages, two days to an hour old; the second was read.
fn inbox() -> Dovecot {
    let dovecot = Dovecot::start();
    for (number, age) in [(1, 48), (2, 24), (3, 2), (4, 1)] {
        let arrived_at = seconds(CONTACT - age * 3_600);
        dovecot.deliver_at("support", "INBOX", &letter(number), arrived_at);
    }
    let mut session = dovecot.session("support");
    session.ok("SELECT INBOX");
    session.ok("UID STORE 2 +FLAGS (\\Seen)");
    dovecot
}

#[test]
fn each_start_takes_what_it_says_and_what_comes_later() {
    let dovecot = inbox();
    let cases = [
        ("all", Start::All, vec![1, 2, 3, 4]),
        ("now", Start::Now, vec![]),
        ("unseen", Start::Unseen, vec![1, 3, 4]),
        ("a date", Start::Since(seconds(CONTACT - 25 * 3_600)), vec![2, 3, 4]),
    ];
    let desk = Desk::new();
    let mut watches = Vec::new();
    for (name, start, expected) in &cases {
        let mut options = on_dovecot(&desk, &dovecot);
        (*name).clone_into(&mut options.name);
        options.start = *start;
        let mut watch = desk.watch(options);
        let log = logged(|| {
            desk.settle(&mut watch);
        });
        assert_eq!(desk.uids(name), *expected, "start = {name}");
        assert_eq!(desk.skipped(name).len(), 4 - expected.len(), "start = {name}");
        // The count is printed.
        let count = format!("{} messages from before its start", 4 - expected.len());
        assert!(log.contains(&count), "start = {name}: {log}");
        watches.push(watch);
    }
    dovecot.deliver_at("support", "INBOX", &letter(5), seconds(CONTACT + 60));
    desk.pass(SignedDuration::from_mins(10));
    for ((name, _, expected), watch) in cases.iter().zip(&mut watches) {
        desk.settle(watch);
        let mut expected = expected.clone();
        expected.push(5);
        assert_eq!(desk.uids(name), expected, "start = {name}");
    }
    let flags: Vec<usize> =
        dovecot.list("support", "INBOX").iter().map(|one| one.flags.len()).collect();
    assert_eq!(flags, [0, 1, 0, 0, 0], "E-09: left in place, untouched");
}

#[test]
fn mail_that_is_moved_in_later_with_an_old_date_is_read() {
    let desk = Desk::new();
    let dovecot = inbox();
    let mut options = on_dovecot(&desk, &dovecot);
    options.start = Start::Now;
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.pass(SignedDuration::from_mins(10));
    // A person drags a mail of last week into the mailbox: its INTERNALDATE is from before.
    dovecot.deliver_at("support", "INBOX", &letter(5), seconds(CONTACT - 7 * 86_400));
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), [5]);
}
