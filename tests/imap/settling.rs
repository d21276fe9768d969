//! What is done to a message in its mailbox once it is safe (`mailbox.after`, E-04, R-38, P-01).

use guichet::intake::{After, Start};
use jiff::SignedDuration;

use crate::desk::{Desk, imap, letter, letters, logged, on_dovecot};
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;

fn move_to(folder: &str) -> After {
    After::Move { to: folder.to_owned() }
}

#[test]
fn each_after_does_what_it_says_on_dovecot_and_only_after_the_decision() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for (user, after) in [
        ("deletes", After::Delete),
        ("flags", After::Flag),
        ("keeps", After::Keep),
        ("moves", move_to("guichet/erledigt für heute")),
    ] {
        for raw in letters(3) {
            dovecot.deliver(user, "INBOX", &raw);
        }
        let mut options = on_dovecot(&desk, &dovecot);
        user.clone_into(&mut options.name);
        user.clone_into(&mut imap(&mut options).login.username);
        options.after = after;
        let mut watch = desk.watch(options);
        desk.settle(&mut watch);
        let listed = dovecot.list(user, "INBOX");
        assert!(listed.iter().all(|one| one.flags.is_empty()), "{user}: {listed:?}");
        assert_eq!(listed.len(), 3, "{user}: not before it is safe (P-01)");
        desk.decide();
        desk.pass(SignedDuration::from_mins(5));
        desk.settle(&mut watch);
        let listed = dovecot.list(user, "INBOX");
        match user {
            "flags" => {
                assert_eq!(listed.len(), 3);
                assert!(listed.iter().all(|one| one.flags == ["\\Seen"]), "{listed:?}");
            }
            "keeps" => assert!(listed.len() == 3 && listed[0].flags.is_empty(), "{listed:?}"),
            _ => assert!(listed.is_empty(), "{user}: {listed:?}"),
        }
    }
    let moved = dovecot.list("moves", "guichet/erledigt f&APw-r heute");
    let ids: Vec<&str> = moved.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!(ids, ["1@contoso.example", "2@contoso.example", "3@contoso.example"]);
    assert_eq!(desk.uids("moves"), [1, 2, 3]);
}

#[test]
fn r_38_without_move_the_mail_is_copied_marked_and_expunged_by_uid() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(3));
    // Somebody else marked this one and may still change their mind.
    let other = account.inbox().add(letter(9));
    account.inbox().messages[3].flags = vec!["\\Deleted".to_owned()];
    let server = Scripted::start("copy_with_uidplus", account);
    let mut options = desk.options(&server);
    options.after = move_to("done");
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    desk.endure(&mut watch, 2);
    let mut account = server.account();
    assert_eq!(account.inbox().uids(), [other], "{:?}", account.changes);
    assert_eq!(account.folders["done"].messages.len(), 3);
    assert!(account.changes.iter().all(|change| change != "EXPUNGE 1:*"), "{:?}", account.changes);
}

#[test]
fn r_38_a_plain_expunge_is_never_said() {
    for after in [After::Delete, move_to("done")] {
        let desk = Desk::new();
        let server = Scripted::start("copy_without_uidplus", Account::holding(letters(3)));
        let mut options = desk.options(&server);
        options.after = after;
        let mut watch = desk.watch(options);
        desk.settle(&mut watch);
        desk.decide();
        let mut failures = Vec::new();
        let log = logged(|| failures = desk.endure(&mut watch, 4));
        let mut account = server.account();
        let deleted = |message: &crate::support::account::Message| {
            message.flags.iter().filter(|flag| *flag == "\\Deleted").count() == 1
        };
        assert_eq!(account.inbox().uids(), [1, 2, 3], "{failures:?} {log}");
        assert!(account.inbox().messages.iter().all(deleted), "{failures:?} {log}");
        assert_eq!(desk.owed(), 0, "marked is all that can be done: {failures:?} {log}");
        assert!(!server.heard().iter().any(|line| line.contains(" EXPUNGE")));
        assert!(!server.heard().iter().any(|line| line.ends_with(" CLOSE")));
    }
}

#[test]
fn e_04_a_refused_flag_is_named_once_and_tried_again_without_a_second_message() {
    let desk = Desk::new();
    let server = Scripted::start("flags_are_refused", Account::holding(letters(2)));
    let mut options = desk.options(&server);
    options.after = After::Flag;
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    let mut failures = Vec::new();
    let log = logged(|| failures = desk.endure(&mut watch, 4));
    let told = log.matches("not now").count() + failures.concat().matches("not now").count();
    assert_eq!(told, 1, "{failures:?}\n{log}");
    let mut account = server.account();
    assert!(account.inbox().messages.iter().all(|message| message.flags == ["\\Seen"]));
    assert_eq!((desk.owed(), desk.uids("support")), (0, vec![1, 2]));
}

#[test]
fn a_full_quota_is_named_once_with_what_to_do_and_mail_goes_on_coming_in() {
    let desk = Desk::new();
    let server = Scripted::start("over_quota", Account::holding(letters(2)));
    let mut options = desk.options(&server);
    options.after = move_to("done");
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    let mut failures = Vec::new();
    let log = logged(|| {
        failures = desk.endure(&mut watch, 4);
        server.account().inbox().add(letter(3));
        failures.extend(desk.endure(&mut watch, 2));
    });
    let all = failures.concat() + &log;
    assert_eq!(all.matches("Quota exceeded").count(), 1, "{all}");
    assert!(all.contains("make room"), "{all}");
    assert_eq!(desk.uids("support"), [1, 2, 3], "{all}");
    assert_eq!(desk.owed(), 3, "it stays owed (the third is not decided yet)");
}

#[test]
fn a_move_whose_answer_was_lost_is_not_done_twice() {
    let desk = Desk::new();
    let server = Scripted::start("move_without_an_answer", Account::holding(letters(2)));
    let mut options = desk.options(&server);
    options.after = move_to("done");
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    let failures = desk.endure(&mut watch, 4);
    let mut account = server.account();
    assert_eq!(account.inbox().uids(), [0; 0]);
    assert_eq!(account.folders["done"].messages.len(), 2, "{failures:?}");
    assert_eq!(desk.owed(), 0, "{failures:?}");
}

#[test]
fn a_folder_that_may_only_be_read_is_named_and_mail_comes_in_all_the_same() {
    let desk = Desk::new();
    let only_read = "on TAG SELECT ...\n  play first 5\n  S: TAG OK [READ-ONLY] look, do not touch\n\
                     on TAG UID STORE ...\n  S: TAG NO [NOPERM] look, do not touch\n";
    let server = Scripted::play(only_read, Account::holding(letters(2)));
    let mut options = desk.options(&server);
    options.after = After::Flag;
    let mut watch = desk.watch(options);
    let mut failures = Vec::new();
    let log = logged(|| {
        failures = desk.endure(&mut watch, 1);
        desk.decide();
        failures.extend(desk.endure(&mut watch, 3));
    });
    let all = failures.concat() + &log;
    assert!(all.contains("read-only") || all.contains("do not touch"), "{all}");
    assert!(all.contains("hint: "), "{all}");
    assert_eq!(desk.uids("support"), [1, 2], "{all}");
}

#[test]
fn what_is_from_before_the_start_or_only_a_stub_is_never_touched() {
    let desk = Desk::new();
    let large = [letter(3), vec![b'x'; 1_200_000]].concat();
    let server = Scripted::play("", Account::holding([letter(1), large, letter(2)]));
    {
        let mut account = server.account();
        account.inbox().messages[0].flags = vec!["\\Seen".to_owned()];
    }
    let mut options = desk.options(&server);
    options.start = Start::Unseen;
    options.after = After::Delete;
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    let failures = desk.endure(&mut watch, 3);
    assert_eq!(server.account().inbox().uids(), [1, 2], "{failures:?}");
}
