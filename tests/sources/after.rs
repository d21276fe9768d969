//! What is done to a message in its mailbox once it is safe, and what refuses.

use std::collections::BTreeSet;
use std::fs;

use guichet::args;
use guichet::intake::{After, Start};

use crate::desk::{Desk, logged, names_below, settle};

#[test]
fn p_01_nothing_is_done_to_a_message_before_its_decision() {
    for after in [After::Delete, After::Flag, After::Move { to: "../done".to_owned() }] {
        let desk = Desk::new();
        desk.put("new/1767500001.letter");
        let before = desk.names();
        let mut mailbox = desk.mailbox(Start::All, after.clone());
        settle(&mut mailbox);
        settle(&mut mailbox);
        assert_eq!(desk.names(), before, "{after:?}");
        assert!(!desk.dir.path().join("done").exists());
    }
}

#[test]
fn after_keep_leaves_everything_as_it_was() {
    let desk = Desk::new();
    desk.put("new/1767500001.a");
    let before = desk.names();
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    settle(&mut mailbox);
    desk.decide();
    settle(&mut mailbox);
    assert_eq!((desk.names(), desk.owed()), (before, 0));
}

#[test]
fn after_flag_marks_as_read_and_keeps_the_other_flags() {
    let desk = Desk::new();
    for name in
        ["new/1767500001.a", "cur/1767500002.b:2,FT", "cur/1767500003.c:2,RS", "new/1767500004.d"]
    {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Flag);
    settle(&mut mailbox);
    // A mail client looked at it meanwhile, and starred it.
    fs::rename(desk.mail().join("new/1767500004.d"), desk.mail().join("cur/1767500004.d:2,F"))
        .expect("renamed");
    desk.decide();
    settle(&mut mailbox);
    let expected = [
        "cur/1767500001.a:2,S",
        "cur/1767500002.b:2,FST",
        "cur/1767500003.c:2,RS",
        "cur/1767500004.d:2,FS",
    ];
    assert_eq!(desk.names(), expected.map(str::to_owned).into());
    assert_eq!(desk.owed(), 0);
    settle(&mut desk.mailbox(Start::All, After::Flag));
    assert_eq!(desk.column("SELECT origin FROM message").len(), 4);
}

#[test]
fn after_move_takes_what_is_decided_and_nothing_else() {
    let desk = Desk::new();
    for name in ["new/1767500001.a", "cur/1767500002.b:2,F"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Move { to: "guichet/done".to_owned() });
    settle(&mut mailbox);
    desk.put("new/1767500003.c");
    desk.decide();
    settle(&mut mailbox);
    let done = desk.mail().join("guichet/done");
    assert_eq!(
        names_below(&done),
        ["new/1767500001.a", "cur/1767500002.b:2,F"].map(str::to_owned).into()
    );
    assert_eq!(desk.names(), ["new/1767500003.c".to_owned()].into());
    assert_eq!(desk.owed(), 0);
}

#[test]
fn after_delete_removes_what_is_decided() {
    let desk = Desk::new();
    for name in ["new/1767500001.a", "cur/1767500002.b:2,F"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Delete);
    settle(&mut mailbox);
    desk.decide();
    settle(&mut mailbox);
    assert_eq!((desk.names(), desk.owed()), (BTreeSet::new(), 0));
}

#[test]
fn p_04_what_a_crash_left_done_but_unnoted_is_found_done() {
    for (after, left) in [
        (After::Delete, &[][..]),
        (After::Flag, &["cur/1767500001.a:2,S", "cur/1767500002.b:2,FS"]),
        (After::Move { to: "../done".to_owned() }, &[]),
    ] {
        let desk = Desk::new();
        desk.put("new/1767500001.a");
        desk.put("cur/1767500002.b:2,F");
        let mut mailbox = desk.mailbox(Start::All, after.clone());
        settle(&mut mailbox);
        desk.decide();
        settle(&mut mailbox);
        // The crash came after the rename and before the note.
        let statement = "UPDATE message SET acknowledgement = 'owed'";
        desk.store.transact(move |sql| sql.execute(statement, args![])).expect("written");
        settle(&mut desk.mailbox(Start::All, after.clone()));
        assert_eq!(desk.owed(), 0, "{after:?}");
        let names: Vec<String> = desk.names().into_iter().collect();
        assert_eq!(names, left, "{after:?}");
        if matches!(after, After::Move { .. }) {
            assert_eq!(names_below(&desk.dir.path().join("done")).len(), 2);
        }
    }
}

#[test]
fn e_04_what_refuses_to_be_marked_stays_owed_and_stops_nobody() {
    let desk = Desk::new();
    for n in 0..300 {
        desk.put(&format!("new/{}.M1P1.demo", 1_767_500_000 + n));
    }
    let mut mailbox = desk.mailbox(Start::All, After::Move { to: "../done".to_owned() });
    settle(&mut mailbox);
    // No folder can be made where a file stands.
    fs::write(desk.dir.path().join("done"), b"in the way").expect("written");
    desk.decide();
    let log = logged(|| {
        settle(&mut mailbox);
        settle(&mut mailbox);
    });
    assert_eq!(desk.owed(), 300);
    assert!(log.matches("could not be marked").count() <= 2, "{log}");
    fs::remove_file(desk.dir.path().join("done")).expect("removed");
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!((desk.owed(), desk.names().len()), (0, 0));
    assert_eq!(desk.column("SELECT origin FROM message").len(), 300);
}

#[test]
fn p_06_a_folder_that_does_not_read_is_not_taken_for_empty() {
    let desk = Desk::new();
    desk.put("cur/1767500001.a:2,F");
    let mut mailbox = desk.mailbox(Start::All, After::Delete);
    settle(&mut mailbox);
    desk.decide();
    let (cur, away) = (desk.mail().join("cur"), desk.mail().join("away"));
    fs::rename(&cur, &away).expect("it goes");
    fs::write(&cur, b"no folder").expect("written");
    let log = logged(|| {
        settle(&mut mailbox);
    });
    assert_eq!(desk.owed(), 1, "what cannot be looked for was taken for done: {log}");
    assert_eq!(log.matches("could not be marked").count(), 1, "{log}");
    assert!(mailbox.left_behind().is_some(), "a single sweep says so");
    fs::remove_file(&cur).expect("removed");
    fs::rename(&away, &cur).expect("it comes back");
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!((desk.owed(), desk.names().len()), (0, 0));
}
