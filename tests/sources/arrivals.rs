//! What is brought in, in which order, and what is left alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use jiff::{SignedDuration, Timestamp};

use guichet::clock::{Clock, Next};
use guichet::intake::{After, MailboxWatch, Start};

use crate::desk::{CONTACT, Desk, logged, seconds, settle};

#[test]
fn messages_come_in_order_of_arrival_never_of_the_directory() {
    let desk = Desk::new();
    for name in [
        "cur/1767500003.M7P1.demo:2,S",
        "new/1767500001.M5P1.demo",
        "new/1767500001.M000004P9.demo",
        "new/1767500001.P1.demo",
        "cur/1767500002.b.demo:2,RS",
        "cur/1767500002.a.demo",
        "new/letter.eml",
    ] {
        desk.put(name);
    }
    let letter = fs::File::options().write(true).open(desk.mail().join("new/letter.eml"));
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_500_004);
    letter.expect("opens").set_modified(time).expect("set");
    for ignored in ["new/.gitkeep", "cur/.DS_Store", "tmp/1767500000.M1P1.demo", "dovecot-uidlist"]
    {
        desk.put(ignored);
    }

    settle(&mut desk.mailbox(Start::All, After::Keep));
    assert_eq!(
        desk.spooled(),
        [
            "1767500001.P1.demo",
            "1767500001.M000004P9.demo",
            "1767500001.M5P1.demo",
            "1767500002.a.demo",
            "1767500002.b.demo",
            "1767500003.M7P1.demo",
            "letter.eml"
        ]
    );
    let arrived = desk.store.read_only(|sql| {
        sql.query_one("SELECT arrived_at FROM message WHERE origin LIKE '%1767500003%'", &[])
    });
    assert_eq!(arrived.expect("reads").expect("there").int(0).expect("a time"), 1_767_500_003_000);
}

#[test]
fn e_03_a_file_that_vanishes_before_it_is_read_is_skipped() {
    let desk = Desk::new();
    for name in ["new/1767500001.gone", "new/1767500002.moved", "new/1767500003.stays"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    // Contact, start, sweep.
    for _ in 0..3 {
        assert_eq!(mailbox.step().expect("the mailbox works"), Next::Now);
    }
    fs::remove_file(desk.mail().join("new/1767500001.gone")).expect("removed");
    fs::rename(
        desk.mail().join("new/1767500002.moved"),
        desk.mail().join("cur/1767500002.moved:2,S"),
    )
    .expect("renamed");
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500003.stays", "1767500002.moved"]);
}

#[test]
fn what_is_no_plain_file_is_skipped_and_named_once() {
    let desk = Desk::new();
    desk.put("new/1767500001.letter");
    fs::create_dir(desk.mail().join("new/1767500002.folder")).expect("made");
    symlink("/etc/hostname", desk.mail().join("new/1767500003.link")).expect("linked");
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let log = logged(|| {
        let due = settle(&mut mailbox);
        desk.clock.set(due);
        settle(&mut mailbox);
    });
    assert_eq!(desk.spooled(), ["1767500001.letter"]);
    assert_eq!(log.matches("1767500002.folder").count(), 1, "{log}");
    assert_eq!(log.matches("1767500003.link").count(), 1, "{log}");
}

#[test]
fn e_01_a_file_that_cannot_be_read_is_named_once_and_tried_again() {
    let desk = Desk::new();
    desk.put("new/1767500001.refuses");
    desk.put("new/1767500002.letter");
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    for _ in 0..3 {
        mailbox.step().expect("the mailbox works");
    }
    // Nobody may open a socket as a file, not even root.
    let path = desk.mail().join("new/1767500001.refuses");
    fs::remove_file(&path).expect("removed");
    let socket = UnixListener::bind(&path).expect("bound");
    let log = logged(|| {
        settle(&mut mailbox);
    });
    assert_eq!(log.matches("1767500001.refuses").count(), 1, "{log}");
    assert_eq!(desk.spooled(), ["1767500002.letter"]);
    drop(socket);
    fs::remove_file(&path).expect("removed");
    desk.put("new/1767500001.refuses");
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500002.letter", "1767500001.refuses"]);
}

#[test]
fn a_file_without_permission_does_not_stop_the_others() {
    let desk = Desk::new();
    desk.put("new/1767500001.secret");
    desk.put("new/1767500002.letter");
    let path = desk.mail().join("new/1767500001.secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("set");
    if fs::File::open(&path).is_ok() {
        eprintln!("not tried: this user may read everything");
        return;
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let log = logged(|| {
        let due = settle(&mut mailbox);
        desk.clock.set(due);
        settle(&mut mailbox);
    });
    assert_eq!(log.matches("1767500001.secret").count(), 1, "{log}");
    assert!(log.contains("hint: let the user guichet runs as read"), "{log}");
    assert_eq!(desk.spooled(), ["1767500002.letter"]);
}

#[test]
fn a_folder_that_is_no_maildir_is_named_with_what_to_do() {
    let desk = Desk::new();
    for half in ["new", "cur"] {
        fs::remove_dir(desk.mail().join(half)).expect("removed");
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let refused =
        |mailbox: &mut MailboxWatch| (0..4).find_map(|_| mailbox.step().err()).expect("a refusal");
    let error = refused(&mut mailbox);
    assert!(error.to_string().contains("has neither `new` nor `cur`\nhint: "), "{error}");
    assert!(!error.is_temporary());
    fs::remove_dir_all(desk.mail()).expect("removed");
    let error = refused(&mut mailbox);
    assert!(error.to_string().contains("mailbox `support` cannot be read"), "{error}");
    // It goes on by itself once the folder is there.
    fs::create_dir_all(desk.mail().join("new")).expect("made");
    desk.put("new/1767500001.letter");
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500001.letter"]);
}

#[test]
fn e_09_start_says_where_a_new_mailbox_begins() {
    let all = ["1767500001.a", "1767500002.b", "1767599999.c"];
    for (start, skipped) in [
        (Start::All, &all[..0]),
        (Start::Now, &all[..]),
        (Start::Since(seconds(1_767_500_002)), &all[..1]),
        (Start::Unseen, &all[1..2]),
    ] {
        let desk = Desk::new();
        desk.put("new/1767500001.a");
        desk.put("cur/1767500002.b:2,FS");
        desk.put("cur/1767599999.c:2,F");
        let before = desk.names();
        let mut mailbox = desk.mailbox(start, After::Delete);
        let log = logged(|| {
            settle(&mut mailbox);
        });
        assert_eq!(desk.skipped(), skipped, "{start:?}");
        assert!(
            log.contains(&format!("{} messages from before its start", skipped.len())),
            "{log}"
        );
        assert_eq!(desk.spooled().len(), all.len() - skipped.len(), "{start:?}");
        assert_eq!(desk.names(), before, "{start:?}: left in place");

        // Later mail is taken, read or not, however old its name.
        desk.put("cur/1767500003.late:2,S");
        settle(&mut desk.mailbox(start, After::Delete));
        assert_eq!(desk.spooled().last().map(String::as_str), Some("1767500003.late"), "{start:?}");
    }
}

#[test]
fn p_04_a_first_contact_that_a_crash_cut_off_is_finished() {
    let desk = Desk::new();
    desk.put("new/1767500001.before");
    let mut mailbox = desk.mailbox(Start::Now, After::Keep);
    mailbox.step().expect("the contact is committed");
    drop(mailbox);
    // Delivered while guichet was down.
    desk.put("new/1767600002.after");
    desk.clock.set(seconds(CONTACT + 60));
    settle(&mut desk.mailbox(Start::Now, After::Keep));
    assert_eq!(desk.skipped(), ["1767500001.before"]);
    assert_eq!(desk.spooled(), ["1767600002.after"]);
}

#[test]
fn m_04_an_oversize_message_comes_in_as_a_stub_and_stays() {
    let mut desk = Desk::new();
    desk.max_message_size = 300_000;
    let large = format!("Subject: large\n\n{}", "x".repeat(2_000_000));
    fs::write(desk.mail().join("new/1767500001.large"), large).expect("written");
    desk.put("new/1767500002.small");
    let mut mailbox = desk.mailbox(Start::All, After::Delete);
    settle(&mut mailbox);
    let rows = desk
        .store
        .read_only(|sql| sql.query("SELECT intake, size FROM message ORDER BY rowid", &[]));
    let rows = rows.expect("reads");
    assert_eq!(rows[0].text(0).expect("text"), "stub");
    assert_eq!(rows[0].int(1).expect("a size"), 16 + 256 * 1024);
    assert_eq!(rows[1].text(0).expect("text"), "mailbox");
    desk.decide();
    settle(&mut mailbox);
    assert_eq!(desk.names(), ["new/1767500001.large".to_owned()].into());
}

#[test]
fn e_02_an_empty_file_is_given_time_to_be_written() {
    let desk = Desk::new();
    let path = desk.mail().join("new/1767500001.empty");
    fs::write(&path, b"").expect("written");
    let written: Timestamp = fs::metadata(&path)
        .and_then(|file| file.modified())
        .expect("a time")
        .try_into()
        .expect("fits");
    desk.clock.set(written + SignedDuration::from_secs(1));
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let due = settle(&mut mailbox);
    assert_eq!(due, desk.clock.now() + SignedDuration::from_secs(1));
    assert_eq!(desk.spooled().len(), 0);
    desk.clock.set(written + SignedDuration::from_mins(2));
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 1);
}
