//! Which messages are read, once each, by UID: windows, gaps, changes of UIDVALIDITY, folders
//! (E-01 … E-19, P-09, R-36, R-37).

use guichet::intake::{Start, Wake};
use jiff::SignedDuration;

use crate::desk::{CONTACT, Desk, imap, letter, letters, logged, on_dovecot, seconds};
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;
use crate::support::wait_for;

#[test]
fn e_19_an_empty_mailbox_is_no_trouble() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    let mut watch = desk.watch(on_dovecot(&desk, &dovecot));
    let log = logged(|| {
        desk.settle(&mut watch);
    });
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    dovecot.deliver("support", "INBOX", &letter(1));
    desk.pass(SignedDuration::from_mins(5));
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), [1]);
}

#[test]
fn e_06_what_another_client_has_read_is_read_too_and_reading_marks_nothing() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for raw in letters(3) {
        dovecot.deliver("support", "INBOX", &raw);
    }
    let mut session = dovecot.session("support");
    session.ok("SELECT INBOX");
    session.ok("UID STORE 2 +FLAGS (\\Seen)");
    desk.settle(&mut desk.watch(on_dovecot(&desk, &dovecot)));
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    let contents: Vec<Vec<u8>> = desk.contents("support").into_values().collect();
    assert_eq!(contents, letters(3));
    let flags: Vec<Vec<String>> =
        dovecot.list("support", "INBOX").into_iter().map(|one| one.flags).collect();
    assert_eq!(flags, [vec![], vec!["\\Seen".to_owned()], vec![]]);
}

#[test]
fn e_03_what_is_marked_for_deletion_or_gone_is_no_error() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for raw in letters(5) {
        dovecot.deliver("support", "INBOX", &raw);
    }
    let mut session = dovecot.session("support");
    session.ok("SELECT INBOX");
    session.ok("UID STORE 2,4 +FLAGS (\\Deleted)");
    session.ok("UID EXPUNGE 4");
    desk.settle(&mut desk.watch(on_dovecot(&desk, &dovecot)));
    assert_eq!(desk.uids("support"), [1, 3, 5]);
}

#[test]
fn e_03_a_message_that_goes_while_it_is_fetched_blocks_nothing() {
    let desk = Desk::new();
    let server = Scripted::start("gone_while_it_is_fetched", Account::holding(letters(4)));
    let mut watch = desk.watch(desk.options(&server));
    let failures = desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 3, 4], "{failures:?}");
    assert_eq!(watch.left_behind(), None, "it is gone for certain");
    server.account().inbox().add(letter(5));
    let failures = desk.endure(&mut watch, 1);
    assert_eq!(failures, [""; 0]);
    assert_eq!(desk.uids("support"), [1, 3, 4, 5]);
}

#[test]
fn e_02_a_message_that_never_comes_blocks_no_other_and_is_asked_for_again() {
    let desk = Desk::new();
    // Message 2 is listed and has a size, but its bytes never come.
    let mut account = Account::holding(letters(3));
    account.inbox().messages[1].raw = Vec::new();
    let server = Scripted::play("", account);
    let mut watch = desk.watch(desk.options(&server));
    desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 3]);
    server.account().inbox().add(letter(4));
    desk.endure(&mut watch, 2);
    assert_eq!(desk.uids("support"), [1, 3, 4], "what is owed holds nobody up");
    server.account().inbox().messages[1].raw = letter(2);
    // Another process knows that it is owed.
    let mut watch = desk.watch(desk.options(&server));
    desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 2, 3, 4]);
}

#[test]
fn p_05_what_never_came_is_not_asked_for_while_the_disk_is_full() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(3));
    account.inbox().messages[1].raw = Vec::new();
    let server = Scripted::play("", account);
    let mut watch = desk.watch(desk.options(&server));
    desk.endure(&mut watch, 3);
    drop(watch);
    server.account().inbox().messages[1].raw = letter(2);
    let mut watch = desk.watch_with(desk.options(&server), 999, &Wake::new());
    desk.endure(&mut watch, 3);
    assert_eq!(desk.uids("support"), [1, 3], "nothing is fetched below the floor");
    assert_eq!(watch.left_behind(), Some("the disk is nearly full"));
    drop(watch);
    let mut watch = desk.watch(desk.options(&server));
    desk.endure(&mut watch, 1);
    assert_eq!(desk.uids("support"), [1, 2, 3]);
}

#[test]
fn e_12_what_exchange_says_in_place_of_a_message_is_asked_for_again_and_then_taken_as_it_is() {
    let desk = Desk::new();
    let excuse = crate::support::message(
        "System <system@helpdesk.example>",
        "Retrieval using the IMAP4 protocol failed for the following message: 2",
        "2@helpdesk.example",
        "",
        "The server couldn't retrieve the following message.",
    );
    let server = Scripted::play("", Account::holding([letter(1), excuse, letter(3)]));
    let mut watch = desk.watch(desk.options(&server));
    desk.endure(&mut watch, 1);
    assert_eq!(desk.uids("support"), [1, 3]);
    assert_eq!(watch.left_behind(), Some("some messages cannot be fetched"));
    desk.endure(&mut watch, 4);
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    assert_eq!(watch.left_behind(), None);
}

#[test]
fn e_17_gaps_and_high_uids_skip_nothing() {
    let desk = Desk::new();
    let mut account = Account::new();
    let uids = [1, 4_999, 5_000, 5_001, 9_998, 12_345, 250_000];
    for uid in uids {
        account.inbox().next = uid;
        account.inbox().add(letter(usize::try_from(uid % 90).expect("small")));
    }
    let server = Scripted::play("", account);
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), uids);
    assert!(server.count("UID SEARCH") < 200, "{} searches", server.count("UID SEARCH"));
    desk.pass(SignedDuration::from_mins(5));
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), uids);
}

#[test]
fn e_17_a_folder_of_thousands_is_read_whole_and_a_second_look_downloads_nothing() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for number in 0..6_000 {
        dovecot.deliver("support", "INBOX", &letter(number % 9));
    }
    let mut options = on_dovecot(&desk, &dovecot);
    imap(&mut options).server.port = dovecot.ports.imap;
    imap(&mut options).server.security = guichet::net::Security::None;
    let mut watch = desk.watch(options.clone());
    desk.settle(&mut watch);
    let uids: Vec<u32> = (1..=6_000).collect();
    assert_eq!(desk.uids("support"), uids);
    desk.pass(SignedDuration::from_mins(5));
    desk.settle(&mut watch);
    desk.settle(&mut desk.watch(options));
    assert_eq!(desk.uids("support").len(), 6_000);
}

#[test]
fn a_second_look_asks_for_no_message_again() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(5)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    let bodies = server.count("UID FETCH");
    for _ in 0..5 {
        desk.pass(SignedDuration::from_mins(5));
        desk.settle(&mut watch);
    }
    desk.settle(&mut desk.watch(desk.options(&server)));
    let all: Vec<String> =
        server.heard().into_iter().filter(|line| line.contains("BODY")).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(server.count("UID FETCH") - bodies <= 6, "{:?}", server.heard());
}

#[test]
fn e_18_an_old_server_hears_nothing_it_does_not_know() {
    let desk = Desk::new();
    let server = Scripted::start("old_server", Account::holding(letters(3)));
    let mut options = desk.options(&server);
    options.start = Start::Unseen;
    desk.settle(&mut desk.watch(options));
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    for line in server.heard() {
        let line = line.to_ascii_uppercase();
        for word in ["CHARSET", "SORT", "NOT ", "UNSEEN", "RFC822)", "BODY[", "ENVELOPE"] {
            assert!(!line.contains(word), "{line}");
        }
    }
}

#[test]
fn e_08_a_folder_with_umlauts_is_opened() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for (folder, wire, number) in
        [("Hilfe/Entwürfe", "Hilfe/Entw&APw-rfe", 1), ("R&D \"neu\"", "R&-D \"neu\"", 2)]
    {
        let user = format!("support{number}");
        dovecot.deliver(&user, wire, &letter(number));
        let mut options = on_dovecot(&desk, &dovecot);
        options.name = user.clone();
        imap(&mut options).login.username = user.clone();
        imap(&mut options).folder = folder.to_owned();
        desk.settle(&mut desk.watch(options));
        assert_eq!(desk.uids(&user), [1], "{folder}");
    }
}

#[test]
fn a_missing_folder_is_named_with_those_that_are_like_it() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    dovecot.make_folder("support", "Anfragen");
    let mut options = on_dovecot(&desk, &dovecot);
    imap(&mut options).folder = "anfrage".to_owned();
    let failure = desk.attempt(&mut desk.watch(options)).expect_err("it is not there");
    assert!(failure.contains("has no folder `anfrage`"), "{failure}");
    assert!(failure.contains("`Anfragen`"), "{failure}");
}

#[test]
fn e_07_p_09_another_uidvalidity_is_read_again_and_the_start_is_kept() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(3));
    let times = ["04-Jan-2026 09:00:00 +0000", "05-Jan-2026 08:00:00 +0000"];
    for (message, time) in account.inbox().messages.iter_mut().zip(times) {
        time.clone_into(&mut message.internal_date);
    }
    let server = Scripted::play("", account);
    let mut options = desk.options(&server);
    options.start = Start::Since(seconds(CONTACT - 2 * 3_600));
    let mut watch = desk.watch(options.clone());
    desk.settle(&mut watch);
    assert_eq!(desk.uids("support"), [2, 3]);
    assert_eq!(desk.skipped("support").len(), 1);
    server.hang_up();
    server.account().inbox().renumber(11);
    server.account().inbox().add(letter(4));
    let failures = desk.endure(&mut watch, 3);
    let spooled: Vec<String> = desk.spooled("support").into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        spooled,
        ["uid/1/2", "uid/1/3", "uid/1001/12", "uid/1001/13", "uid/1001/14"],
        "{failures:?}"
    );
    let contents = desk.contents("support");
    assert_eq!(contents["uid/1/3"], contents["uid/1001/13"]);
    assert_eq!(contents["uid/1001/14"], letter(4));
    assert!(desk.skipped("support").contains("uid/1001/11"), "{:?}", desk.skipped("support"));
    desk.settle(&mut desk.watch(options));
    assert_eq!(desk.spooled("support").len(), 5, "P-02");
}

#[test]
fn e_07_a_folder_full_of_strangers_after_a_change_is_not_read_at_once() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(3)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    server.hang_up();
    {
        let mut account = server.account();
        let inbox = account.inbox();
        inbox.messages.clear();
        inbox.renumber(1);
        for number in 0..400 {
            inbox.add(letter(number % 50 + 10));
            let time = format!("04-Jan-2026 {:02}:{:02}:00 +0000", number / 60, number % 60);
            inbox.messages[number].internal_date = time;
        }
    }
    let failures = desk.endure(&mut watch, 2);
    assert!(
        failures.iter().any(|failure| failure.contains("never seen") || failure.contains("anew")),
        "{failures:?}"
    );
    assert_eq!(desk.uids("support"), [1, 2, 3]);
}

#[test]
fn e_07_e_01_after_a_change_a_message_nobody_can_read_of_blocks_no_other() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(30)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    assert_eq!(desk.spooled("support").len(), 30);
    server.hang_up();
    server.account().inbox().renumber(101);
    server.account().inbox().add(letter(31));
    let date = server.account().inbox().messages[11].internal_date.clone();
    "NIL".clone_into(&mut server.account().inbox().messages[11].internal_date);
    desk.pass(SignedDuration::from_mins(5));
    // All, an eighth of them, one alone: the fourth session reads the others.
    let failures = desk.endure(&mut watch, 4);
    let origins: Vec<String> = desk.spooled("support").into_iter().map(|(key, _)| key).collect();
    let anew = |origins: &[String]| origins.iter().filter(|o| o.starts_with("uid/1001/")).count();
    assert_eq!(anew(&origins), 30, "{failures:?}");
    assert!(!origins.contains(&"uid/1001/112".to_owned()));
    assert_eq!(watch.left_behind(), Some("some messages cannot be fetched"));
    server.account().inbox().messages[11].internal_date = date;
    desk.endure(&mut watch, 2);
    let origins: Vec<String> = desk.spooled("support").into_iter().map(|(key, _)| key).collect();
    assert_eq!(anew(&origins), 31);
}

#[test]
fn e_07_dovecot_gives_out_other_uids_and_nothing_is_lost() {
    let desk = Desk::new();
    let dovecot = Dovecot::start();
    for raw in letters(4) {
        dovecot.deliver("support", "INBOX", &raw);
    }
    let mut watch = desk.watch(on_dovecot(&desk, &dovecot));
    desk.settle(&mut watch);
    drop(watch);
    dovecot.renumber("support", "INBOX");
    dovecot.deliver("support", "INBOX", &letter(5));
    let failures = desk.endure(&mut desk.watch(on_dovecot(&desk, &dovecot)), 3);
    let spooled = desk.spooled("support");
    assert_eq!(spooled.len(), 9, "{spooled:?} {failures:?}");
    assert!(desk.contents("support").values().any(|raw| *raw == letter(5)));
}

#[test]
fn r_37_only_peeks_are_asked_for() {
    let desk = Desk::new();
    let mut account = Account::holding(letters(2));
    account.inbox().add([letter(3), vec![b'x'; 1_200_000]].concat());
    let server = Scripted::play("", account);
    desk.settle(&mut desk.watch(desk.options(&server)));
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    let account = server.account();
    assert!(account.folders["INBOX"].messages.iter().all(|message| message.flags.is_empty()));
    assert!(account.changes.is_empty(), "{:?}", account.changes);
}

#[test]
fn t_37_of_an_oversize_message_the_header_and_the_first_text_are_fetched() {
    let desk = Desk::new();
    let large = [letter(3), vec![b'x'; 1_200_000]].concat();
    let server = Scripted::play("", Account::holding([letter(1), large.clone(), letter(2)]));
    desk.settle(&mut desk.watch(desk.options(&server)));
    let spooled = desk.spooled("support");
    let stub: Vec<&str> = spooled.iter().map(|(_, intake)| intake.as_str()).collect();
    assert_eq!(stub, ["mailbox", "stub", "mailbox"]);
    let raw = &desk.contents("support")["uid/1/2"];
    assert!(raw.len() <= 262_144 + letter(3).len(), "{} bytes", raw.len());
    assert!(large.starts_with(raw));
    // Only of a connection that is over all is counted.
    wait_for("the connections' end", 20, || server.sent().len() == server.connections());
    let sent: usize = server.sent().iter().sum();
    assert!(sent < 400_000, "{sent} bytes came");
}

#[test]
fn e_05_p_10_of_two_processes_one_reads_and_the_other_goes_on_when_it_dies() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(2)));
    let mut first = desk.leased(desk.options(&server), "one");
    let mut second = desk.leased(desk.options(&server), "two");
    desk.settle(&mut first);
    desk.settle(&mut second);
    assert_eq!(desk.uids("support"), [1, 2]);
    assert_eq!(server.connections(), 1, "the other does not even connect");
    // The first dies, mail arrives, its lease ends.
    server.account().inbox().add(letter(3));
    desk.pass(SignedDuration::from_mins(10));
    desk.settle(&mut second);
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    // It was only asleep: it has nothing to say any more.
    server.account().inbox().add(letter(4));
    desk.settle(&mut first);
    assert_eq!(desk.uids("support"), [1, 2, 3]);
    desk.endure(&mut second, 2);
    assert_eq!(desk.uids("support"), [1, 2, 3, 4]);
}
