//! Servers that break off, garble, stall and flood: nothing is skipped, nothing is there twice, and
//! memory is bounded (E-02, F-13, F-14, T-44, crates' own ways of losing mail).

use std::time::Duration;

use jiff::SignedDuration;

use crate::desk::{Desk, imap, letter, letters, logged};
use crate::support::account::Account;
use crate::support::scripted::Scripted;

// Plays a dialogue over three messages: whatever fails on the way, all of them are in at the end,
// byte by byte. Answers the server and all that was told of it.
#[track_caller]
fn all_arrive(dialogue: &str) -> (Scripted, String) {
    let desk = Desk::new();
    let server = Scripted::start(dialogue, Account::holding(letters(3)));
    let mut options = desk.options(&server);
    imap(&mut options).server.timeout = Duration::from_millis(500);
    let mut watch = desk.watch(options);
    let mut failures = Vec::new();
    let log = logged(|| failures = desk.endure(&mut watch, 5));
    assert_eq!(desk.uids("support"), [1, 2, 3], "{failures:?}\n{log}");
    let contents: Vec<Vec<u8>> = desk.contents("support").into_values().collect();
    assert_eq!(contents, letters(3), "{failures:?}");
    let told = failures.join("\n") + &log;
    assert!(!told.contains("It smokes"), "mail is told: {told}");
    assert!(!told.contains("secret"), "mail or a password is told: {told}");
    (server, told)
}

#[test]
fn a_fetch_that_ends_between_two_responses_is_not_complete() {
    let (server, _) = all_arrive("fetch_ends_between_two_responses");
    assert!(server.connections() >= 2);
    all_arrive("fetch_ends_in_the_sizes");
}

#[test]
fn a_fetch_that_is_answered_with_no_is_not_complete() {
    let (_, told) = all_arrive("fetch_is_refused");
    assert_eq!(told.matches("try again later").count(), 1, "{told}");
    all_arrive("fetch_is_bad");
}

#[test]
fn bye_in_the_middle_loses_nothing() {
    all_arrive("fetch_ends_with_bye");
    all_arrive("search_ends_with_bye");
}

#[test]
fn e_02_a_message_without_a_body_is_tried_again() {
    all_arrive("bodies_are_missing_at_first");
}

#[test]
fn r_41_what_nobody_asked_for_is_passed_over() {
    for dialogue in ["chatter", "unknown_attribute"] {
        let (_, told) = all_arrive(dialogue);
        assert!(!told.contains("WARN") && !told.contains("ERROR"), "{told}");
    }
}

#[test]
fn sizes_that_are_wrong_and_strangers_in_the_answers_change_nothing() {
    all_arrive("sizes_are_wrong");
    all_arrive("strangers_in_the_answers");
}

#[test]
fn e_01_answers_the_parser_panics_at_hold_up_no_other_message() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(40));
    for index in [4, 29] {
        "NIL".clone_into(&mut account.inbox().messages[index].internal_date);
    }
    let server = Scripted::play("", account);
    let mut watch = desk.watch(desk.options(&server));
    let mut failures = Vec::new();
    let log = logged(|| failures = desk.endure(&mut watch, 12));
    let others: Vec<u32> = (1..=40).filter(|uid| ![5, 30].contains(uid)).collect();
    assert_eq!(desk.uids("support"), others, "{failures:?}\n{log}");
    assert_eq!(watch.left_behind(), Some("some messages cannot be fetched"));
    // They are not forgotten, and what comes later is read at once.
    server.account().inbox().add(letter(41));
    let date = server.account().inbox().messages[0].internal_date.clone();
    for message in &mut server.account().inbox().messages {
        message.internal_date.clone_from(&date);
    }
    desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), (1..=41).collect::<Vec<u32>>());
    assert_eq!(watch.left_behind(), None);
}

#[test]
fn r_36_a_folder_without_uidvalidity_is_refused() {
    let desk = Desk::new();
    let server = Scripted::start("no_uidvalidity", Account::holding(letters(3)));
    let failure = desk.attempt(&mut desk.watch(desk.options(&server))).expect_err("it is refused");
    assert!(failure.contains("UIDVALIDITY") && failure.contains("\nhint: "), "{failure}");
    assert!(desk.uids("support").is_empty());
}

#[test]
fn a_session_that_the_server_ends_while_it_rests_is_no_trouble() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(1)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    server.hang_up();
    server.account().inbox().add(letter(2));
    desk.pass(SignedDuration::from_mins(5));
    let log = logged(|| {
        desk.settle(&mut watch);
    });
    assert_eq!(desk.uids("support"), [1, 2]);
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[test]
fn f_13_a_literal_that_is_too_large_is_refused_when_it_is_announced() {
    let (_, told) = all_arrive("literal_too_large");
    assert!(told.contains("a literal larger than"), "it waited for 4 GB: {told}");
    all_arrive("literal_larger_than_said");
}

#[test]
fn f_14_lists_in_lists_are_refused() {
    let (_, told) = all_arrive("nested_too_deeply");
    assert!(told.contains("lists nested too deeply"), "{told}");
}

#[test]
fn f_13_a_line_without_an_end_is_refused() {
    all_arrive("line_without_an_end");
}

#[test]
fn what_does_not_parse_is_never_told_of() {
    all_arrive("garbage");
}

#[test]
fn a_server_that_stalls_is_left_and_tried_again() {
    let (server, _) = all_arrive("stalls_in_a_message");
    assert!(server.connections() >= 2);
}
