//! What is owed to a folder that is made anew (P-09): it rests for as long as its UIDVALIDITY is away,
//! and what lies in the folder is settled under its new UIDs.

use std::collections::BTreeSet;

use guichet::intake::After;
use guichet::store::mailboxes;

use crate::desk::{Desk, imap, letter, letters};
use crate::house;
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;

// What `mailbox list` says.
fn said_to_be_owed(desk: &Desk) -> i64 {
    let known = desk.store.read_only(mailboxes::known).expect("the store reads");
    known.iter().map(|mailbox| mailbox.owed).sum()
}

#[test]
fn p_09_what_is_owed_of_an_old_uidvalidity_rests_and_touches_nothing() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let mut options = desk.options(&server);
    options.after = After::Delete;
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    server.hang_up();
    {
        // The UIDs mean other messages now.
        let mut account = server.account();
        account.inbox().renumber(1);
        account.inbox().messages.reverse();
        for (uid, message) in (1..).zip(&mut account.inbox().messages) {
            message.uid = uid;
        }
    }
    desk.decide();
    assert_eq!(said_to_be_owed(&desk), 3);
    let failures = desk.endure(&mut watch, 3);
    let account = server.account();
    assert!(account.changes.is_empty(), "touched: {:?} {failures:?}", account.changes);
    assert_eq!(account.folders["INBOX"].messages.len(), 3);
    assert_eq!(said_to_be_owed(&desk), 0, "it rests");
}

#[test]
fn p_09_a_uidvalidity_that_comes_again_is_owed_again() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let mut options = desk.options(&server);
    options.after = After::Delete;
    desk.settle(&mut desk.watch(options.clone()));
    desk.decide();
    // One answer is garbled.
    server.account().inbox().validity = 11;
    desk.settle(&mut desk.watch(options.clone()));
    assert_eq!(said_to_be_owed(&desk), 0, "it rests");
    server.account().inbox().validity = 1;
    server.account().inbox().add(letter(4));
    let failures = desk.endure(&mut desk.watch(options), 2);
    assert_eq!(server.account().inbox().uids(), [4], "only this is not decided: {failures:?}");
    assert_eq!(said_to_be_owed(&desk), 0);
}

#[test]
fn p_09_a_uid_that_came_again_for_another_message_is_left_alone() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let mut options = desk.options(&server);
    options.after = After::Delete;
    desk.settle(&mut desk.watch(options.clone()));
    desk.decide();
    server.account().inbox().renumber(1);
    desk.settle(&mut desk.watch(options.clone()));
    {
        // An older copy of the server, which has given out UID 3 once more.
        let mut account = server.account();
        let inbox = account.inbox();
        inbox.validity = 1;
        inbox.messages[2].raw = letter(9);
        "05-Jan-2026 09:30:00 +0000".clone_into(&mut inbox.messages[2].internal_date);
    }
    let failures = desk.endure(&mut desk.watch(options), 2);
    assert_eq!(server.account().inbox().uids(), [3], "{failures:?}");
    assert_eq!(said_to_be_owed(&desk), 0, "{failures:?}");
}

#[test]
fn p_01_p_09_what_a_renumbered_folder_was_still_owed_is_settled_under_its_new_uids() {
    let dovecot = Dovecot::start();
    for (user, after, step) in [
        ("deletes", "after = \"delete\"\n", "imap.store"),
        ("flags", "after = \"flag\"\n", "imap.store"),
        ("moves", "after = \"move\"\nmove_to = \"done\"\n", "imap.take"),
    ] {
        let mails = ["one", "two", "three"].map(house::mail);
        for raw in mails.iter().chain([&of_two()]) {
            dovecot.deliver(user, "INBOX", raw);
        }
        let desk = house::desk(&[dovecot.mailbox(user) + after]);
        let ours = std::env::var("GUICHET_FAULTS").unwrap_or_default();
        let mut killed = desk.command(&["run", "--once"]);
        killed.env("GUICHET_FAULTS", format!("{ours} kill={step}"));
        let killed = killed.output().expect("it runs");
        assert_eq!(killed.status.code(), None, "decided, not told: {killed:?}");
        assert_eq!(house::total(&desk, "ticket_created"), 3, "{user}");
        dovecot.renumber(user, "INBOX");
        desk.ok(&["run", "--once"]);
        let present = dovecot.list(user, "INBOX");
        let untouched = present.iter().filter(|one| one.flags.is_empty()).count();
        let left = if user == "flags" { 4 } else { 1 };
        assert_eq!((present.len(), untouched), (left, 1), "{user}: all but the held: {present:?}");
        if user == "moves" {
            let done = dovecot.list(user, "done");
            let ids: BTreeSet<&str> = done.iter().map(|one| one.message_id.as_str()).collect();
            assert_eq!((done.len(), ids.len()), (3, 3), "{done:?}");
        }
        assert_eq!(house::total(&desk, "ticket_created"), 3, "{user}");
        assert_eq!(house::total(&desk, "duplicate"), 4, "{user}");
        let listed = desk.json(&["mailbox", "list"]);
        let listed = listed.as_array().expect("a list of mailboxes");
        assert!(listed.iter().all(|one| one["owed"] == 0), "{user}: {listed:?}");
        desk.ok(&["audit", "--online"]);
    }
}

#[test]
fn p_01_another_folder_with_the_numbers_of_the_last_one_is_left_alone() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(3));
    let second = account.inbox().clone();
    account.folders.insert("Second".to_owned(), second);
    let server = Scripted::play("", account);
    let mut options = desk.options(&server);
    options.after = After::Delete;
    desk.settle(&mut desk.watch(options.clone()));
    desk.decide();
    imap(&mut options).folder = "Second".to_owned();
    let failed = desk.attempt(&mut desk.watch(options.clone()));
    let said = failed.expect_err("it is not taken for the one that was");
    assert!(said.contains("give it another `name`"), "{said}");
    assert_eq!(server.account().folders["Second"].messages.len(), 3, "nothing of it is deleted");
    // By another name it begins like any other.
    options.name = "second".to_owned();
    desk.settle(&mut desk.watch(options));
    assert_eq!(desk.uids("second"), [1, 2, 3]);
}

// A message that is held: nobody knows who wrote it.
fn of_two() -> Vec<u8> {
    let other = b"From: Emil <emil@fabrikam.example>\r\n".to_vec();
    [other, house::mail("four")].concat()
}
