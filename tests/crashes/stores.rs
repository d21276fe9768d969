//! A store, a mailbox or a way out that goes away, or is not what it should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::{Desk, message, signal, wait_for};
use crate::{desk, files_below, name, totals};

#[test]
fn m_01_e_01_p_06_one_unreadable_file_stops_nobody_and_a_mailbox_that_vanishes_comes_back() {
    let desk = desk("delete", "");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    let locked = desk.maildir().join("new").join(name(2));
    fs::create_dir(&locked).expect("what is no file");
    desk.deliver(&name(3), &message("b@x.example", "two", "2@x", "", "x"));
    let daemon = desk.start();
    wait_for("both", 20, || totals(&desk).get("ticket_created") == Some(&2));
    let (here, away) = (desk.maildir(), desk.path().join("away"));
    fs::rename(&here, &away).expect("it goes");
    std::thread::sleep(Duration::from_millis(500));
    fs::rename(&away, &here).expect("it comes back");
    // SIGSTOP for a while is what a suspended machine looks like.
    signal(daemon.pid(), "STOP");
    desk.deliver(&name(4), &message("c@x.example", "three", "3@x", "", "x"));
    let second = desk.run(&["run", "--once"]);
    assert_eq!(second.status.code(), Some(75), "a second daemon is refused");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&daemon.pid().to_string()), "{said}");
    signal(daemon.pid(), "CONT");
    wait_for("the third", 45, || totals(&desk).get("ticket_created") == Some(&3));
    assert_eq!(daemon.stop(), Some(0), "P-14");
    desk.audit();
}

#[test]
fn p_05_mail_that_cannot_be_written_out_waits() {
    let desk = desk("keep", "");
    let outgoing = desk.path().join("outgoing");
    fs::write(&outgoing, b"a file stands where the maildir goes").expect("written");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    assert_eq!(desk.run(&["run", "--once"]).status.code(), Some(1));
    let outbox = desk.lines(&["outbox", "list"]);
    assert!(outbox.iter().all(|mail| mail["state"] == "queued"), "{outbox:?}");
    assert_eq!(totals(&desk)["ticket_created"], 1);
    desk.audit();
}

#[test]
fn p_01_a_store_that_is_removed_under_the_daemon_takes_no_mail_with_it() {
    let desk = desk("delete", "");
    let daemon = desk.start();
    let database = desk.path().join("state/guichet.db");
    wait_for("the store", 20, || totals(&desk).is_empty() && database.exists());
    for file in files_below(&desk.path().join("state")) {
        fs::remove_file(file).expect("it goes");
    }
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    wait_for("the daemon to see it", 20, || desk.log().contains("was removed or replaced"));
    drop(daemon);
    assert_eq!(files_below(&desk.maildir().join("new")).len(), 1);
    desk.ok(&["run", "--once"]);
    assert_eq!(totals(&desk).get("ticket_created"), Some(&1));
}

#[test]
fn p_19_a_store_that_is_garbage_is_refused_and_left_as_it_is() {
    let desk = desk("delete", "");
    let state = desk.path().join("state");
    fs::create_dir(&state).expect("made");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).expect("ours");
    let garbage = b"not a database, and not a short one either ".repeat(3_000);
    fs::write(state.join("guichet.db"), &garbage).expect("written");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    let output = desk.run(&["run", "--once"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint: "));
    assert_eq!(fs::read(state.join("guichet.db")).expect("there"), garbage);
    assert_eq!(files_below(&desk.maildir().join("new")).len(), 1, "P-01");
}

// E-13: no half record: what cannot be written down is not taken in, and its source is left alone.
#[test]
fn e_13_while_the_store_is_locked_nothing_is_taken_in_and_nothing_removed() {
    let desk = Desk::new("");
    desk.ok(&["run", "--once"]);
    let mail = message("claire@contoso.example", "Hi", "1@contoso.example", "", "Hello");
    let mbox = [b"From claire Mon Jan  5 09:00:00 2026\n".as_slice(), &mail, b"\n"].concat();
    fs::write(desk.path().join("old.mbox"), &mbox).expect("a file");
    let store = rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("it opens");
    store.execute_batch("BEGIN EXCLUSIVE").expect("it is locked");
    let refused = desk.run(&["ingest", "old.mbox"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(75), "{said}");
    assert!(said.contains("hint: "), "{said}");
    store.execute_batch("ROLLBACK").expect("it is free again");
    assert_eq!(fs::read(desk.path().join("old.mbox")).expect("it is there"), mbox);
    let count = |table: &str| -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        store.query_row(&count, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!((count("message"), count("raw_chunk")), (0, 0));
    desk.ok(&["ingest", "old.mbox"]);
    assert_eq!(totals(&desk).get("ticket_created"), Some(&1));
    desk.audit();
}
