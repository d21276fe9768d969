//! Servers that say what is not so: lengths, UIDs, validities. What they say twice, or of another
//! message, changes nothing; what cannot be so ends the session (R-36, P-09, T-44).

use guichet::intake::After;

use crate::desk::{Desk, letter, letters, logged};
use crate::support::account::Account;
use crate::support::scripted::Scripted;

// The first answer to the FETCH of the bodies is this; then the server is honest.
#[track_caller]
fn made_good(answer: &str) -> String {
    let desk = Desk::new();
    let dialogue = format!("once TAG UID FETCH ...BODY.PEEK[]...\n{answer}\n");
    let server = Scripted::play(&dialogue, Account::holding(letters(3)));
    let mut watch = desk.watch(desk.options(&server));
    let mut failures = Vec::new();
    let log = logged(|| failures = desk.endure(&mut watch, 4));
    let contents: Vec<Vec<u8>> = desk.contents("support").into_values().collect();
    assert_eq!(contents, letters(3), "{answer}: {failures:?}\n{log}");
    assert_eq!(desk.uids("support"), [1, 2, 3], "{answer}: {failures:?}");
    assert_eq!(watch.left_behind(), None, "{answer}: {failures:?}");
    failures.concat()
}

#[test]
fn a_literal_that_is_shorter_or_longer_than_was_announced_is_no_message() {
    for announced in [0, 1, 20, 100, 4_000] {
        let text = "Subject: cut\\r\\n\\r\\nIt was said to be longer, or shorter.\\r\\n";
        let said = made_good(&format!(
            "  raw * 1 FETCH (UID 1 BODY[] {{{announced}}}\\r\\n{text})\\r\\n\n  play rest 1"
        ));
        if announced > 0 {
            assert!(!said.is_empty(), "{announced}: it was believed");
        }
    }
}

#[test]
fn a_message_that_is_answered_twice_or_for_another_uid_is_taken_once() {
    for answer in [
        "  play first 3\n  play",
        "  play first 1\n  play first 2\n  play",
        "  S: * 2 FETCH (UID 77 BODY[] \"Subject: not asked for\")\n  play",
        "  S: * 2 FETCH (BODY[] \"Subject: whose is this\")\n  play",
        "  S: * 2 FETCH (UID 2 BODY[HEADER] \"Subject: only a part\")\n  play",
        "  S: * 2 FETCH (UID 2 FLAGS (\\Seen) X-GM-MSGID 12 X-NEU \"ü\")\n  play",
        "  S: * 2 FETCH (UID 2 BODY[] NIL)\n  play",
        "  S: * 1 FETCH (UID 1 BODY[] \"\")\n  S: TAG OK done",
    ] {
        made_good(answer);
    }
}

#[test]
fn e_03_mail_that_goes_while_it_is_listed_or_fetched_leaves_no_trace() {
    for command in ["UID SEARCH ...", "UID FETCH ...RFC822.SIZE...", "UID FETCH ...BODY.PEEK[]..."]
    {
        for order in ["  expunge 2\n  play", "  play first 1\n  expunge 2\n  play rest 1"] {
            let desk = Desk::new();
            let dialogue = format!("once TAG {command}\n{order}\n");
            let server = Scripted::play(&dialogue, Account::holding(letters(4)));
            let mut watch = desk.watch(desk.options(&server));
            let failures = desk.endure(&mut watch, 3);
            let uids = desk.uids("support");
            // One that was given out before it went is read.
            assert!(uids == [1, 3, 4] || uids == [1, 2, 3, 4], "{dialogue}: {uids:?} {failures:?}");
            assert_eq!(watch.left_behind(), None, "{dialogue}");
            server.account().inbox().add(letter(5));
            assert_eq!(desk.endure(&mut watch, 1), [""; 0], "{dialogue}");
            assert_eq!(desk.uids("support").last(), Some(&5), "{dialogue}");
        }
    }
}

#[test]
fn p_09_another_uidvalidity_at_the_next_look_of_the_same_session_is_read_anew() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    server.account().inbox().renumber(1);
    server.account().inbox().add(letter(4));
    let failures = desk.endure(&mut watch, 2);
    assert_eq!(server.connections(), 1, "it was the same session: {failures:?}");
    let contents = desk.contents("support");
    for number in 1..=4 {
        let origin = format!("uid/1001/{number}");
        assert_eq!(contents.get(&origin), Some(&letter(number)), "{origin}: {failures:?}");
    }
    assert_eq!(contents.len(), 7);
}

#[test]
fn p_09_another_uidvalidity_in_the_middle_of_an_answer_ends_the_session() {
    let desk = Desk::new();
    let swapped = "once TAG UID FETCH ...BODY.PEEK[]...\n  play first 1\n  \
                   S: * OK [UIDVALIDITY 1001] the folder was restored\n  play rest 1\n";
    let server = Scripted::play(swapped, Account::holding(letters(3)));
    let mut watch = desk.watch(desk.options(&server));
    let failure = desk.attempt(&mut watch).expect_err("it is noticed");
    assert!(failure.contains("another UIDVALIDITY while fetching mail"), "{failure}");
    assert!(desk.uids("support").is_empty(), "nothing is kept under a UID that means another");
    server.account().inbox().renumber(1);
    let failures = desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 2, 3], "{failures:?}");
    assert!(desk.contents("support").keys().all(|origin| origin.starts_with("uid/1001/")));
}

#[test]
fn p_09_another_uidvalidity_while_mail_is_deleted_deletes_nothing_more() {
    let desk = Desk::new();
    let swapped = "once TAG UID STORE ...\n  S: * OK [UIDVALIDITY 1001] the folder was restored\n  \
                   S: TAG OK done\n";
    let server = Scripted::play(swapped, Account::holding(letters(3)));
    let mut options = desk.options(&server);
    options.after = After::Delete;
    let mut watch = desk.watch(options);
    desk.settle(&mut watch);
    desk.decide();
    let failure = desk.attempt(&mut watch).expect_err("it is noticed");
    assert!(failure.contains("another UIDVALIDITY while deleting mail"), "{failure}");
    assert_eq!(server.count("UID EXPUNGE"), 0, "these UIDs are other messages now");
    server.account().inbox().renumber(1);
    desk.endure(&mut watch, 3);
    assert_eq!(server.account().inbox().uids(), [1, 2, 3]);
}

#[test]
fn t_44_an_ok_that_was_said_in_advance_is_no_answer() {
    // One of these is the tag of the command after the STORE, which the server will refuse.
    let mut failures = Vec::new();
    for next in 4..14 {
        let early = format!(
            "once TAG UID STORE ...\n  play\n  S: g{next} OK done\n\
             once TAG UID EXPUNGE ...\n  S: TAG NO not now\n"
        );
        let desk = Desk::new();
        let server = Scripted::play(&early, Account::holding(letters(2)));
        let mut options = desk.options(&server);
        options.after = After::Delete;
        desk.settle(&mut desk.watch(options.clone()));
        desk.decide();
        failures.extend(desk.endure(&mut desk.watch(options), 3));
        let left = server.account().inbox().uids();
        assert!(left.is_empty(), "g{next}: left for ever: {left:?} {failures:?}");
    }
    let refused = failures.iter().filter(|failure| failure.contains("to what nobody asked"));
    assert_eq!(refused.count(), 10, "{failures:?}");
}

#[test]
fn a_uidnext_that_is_far_off_skips_nothing() {
    for said in ["2", "900000", "4294967295"] {
        let desk = Desk::new();
        let dialogue = format!(
            "once TAG EXAMINE ...\n  play first 5\n  S: * OK [UIDNEXT {said}] a guess\n  \
             S: TAG OK [READ-ONLY] done\n"
        );
        let server = Scripted::play(&dialogue, Account::holding(letters(3)));
        let mut watch = desk.watch(desk.options(&server));
        let failures = desk.endure(&mut watch, 2);
        assert_eq!(desk.uids("support"), [1, 2, 3], "{said}: {failures:?}");
        server.account().inbox().add(letter(4));
        desk.endure(&mut watch, 2);
        assert_eq!(desk.uids("support"), [1, 2, 3, 4], "{said}");
        assert!(server.count("UID SEARCH") < 200, "{said}: {}", server.count("UID SEARCH"));
    }
}
