//! `audit --online`: what is in the mailboxes themselves, on a real Dovecot and in maildirs, against the
//! ledger.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use serde_json::Value;

use crate::desk::{NO_LIMITS, database, deliver, in_state, letter, mailed, open, tickets, told};
use crate::support::dovecot::{Dovecot, PASSWORD, now};
use crate::support::{Desk, wait_for};

/// A desk with the mailbox `claire` on that server beside its maildir.
fn desk(dovecot: &Dovecot, more: &str) -> Desk {
    let mailbox = dovecot.mailbox_with("claire", "poll_interval = \"1s\"");
    Desk::new(&format!("{NO_LIMITS}[[mailbox]]\n{mailbox}{more}\n"))
}

fn deliver_to(dovecot: &Dovecot, names: std::ops::Range<u32>) {
    for n in names {
        dovecot.deliver("claire", "INBOX", &letter(&format!("n{n}")));
    }
}

fn audit(desk: &Desk) -> Output {
    desk.run(&["audit", "--online", "--json"])
}

/// What is said of a mailbox by an audit that ends so.
#[track_caller]
fn look(desk: &Desk, mailbox: &str, code: i32) -> Value {
    let output = audit(desk);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{out}\n{}", told(&output));
    let fields: Value = serde_json::from_str(&out).expect("it is JSON");
    let looks = fields["mailboxes"].as_array().expect("a list").clone();
    looks.into_iter().find(|look| look["name"] == mailbox).expect("it is looked at")
}

/// The numbers of a look that are not 0.
fn counts(look: &Value) -> Vec<(String, u64)> {
    let fields = look.as_object().expect("an object").iter();
    let counts = fields.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[track_caller]
fn assert_counts(look: &Value, expected: &[(&str, u64)]) {
    let expected: Vec<(String, u64)> =
        expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(counts(look), expected, "{look}");
}

#[test]
fn p_17_every_uid_is_decided_held_before_the_start_or_not_fetched_yet() {
    let dovecot = Dovecot::start();
    let old = now() - jiff::SignedDuration::from_hours(48);
    for n in 0..2 {
        dovecot.deliver_at("claire", "INBOX", &letter(&format!("old{n}")), old);
    }
    let desk = desk(&dovecot, "start = \"now\"\nafter = \"move\"\nmove_to = \"Done\"\n");
    let new = look(&desk, "claire", 0);
    assert_eq!(new["standing"], "new");
    assert_counts(&new, &[("present", 2), ("new", 2)]);
    desk.ok(&["run", "--once"]);
    deliver_to(&dovecot, 0..3);
    dovecot.deliver("claire", "INBOX", b"Subject: nobody wrote this\r\n\r\nHello\r\n");
    desk.ok(&["run", "--once"]);
    deliver_to(&dovecot, 3..5);
    let seen = look(&desk, "claire", 0);
    let expected = [
        ("present", 5),
        ("held", 1),
        ("before_start", 2),
        ("new", 2),
        ("gone", 3),
        ("gone_told", 3),
    ];
    assert_counts(&seen, &expected);
    assert_eq!((&seen["target"]["present"], &seen["target"]["unknown"]), (&3.into(), &0.into()));
    assert_eq!(
        dovecot.list("claire", "INBOX").iter().filter(|one| !one.flags.is_empty()).count(),
        0
    );
    let table = desk.ok(&["audit", "--online"]);
    assert!(table.contains("+ 2 not fetched yet + 0 owed"), "{table}");

    // Somebody marks one that was not fetched as deleted: it is theirs.
    let mut session = dovecot.session("claire");
    session.ok("SELECT INBOX");
    session.ok("UID STORE 7 +FLAGS (\\Deleted)");
    desk.ok(&["run", "--once"]);
    let seen = look(&desk, "claire", 0);
    let expected = [
        ("present", 4),
        ("held", 1),
        ("before_start", 2),
        ("deleted", 1),
        ("gone", 4),
        ("gone_told", 4),
    ];
    assert_counts(&seen, &expected);
}

#[test]
fn p_17_what_the_ledger_lost_and_what_is_hidden_below_the_position_is_named_until_it_is_taken_in() {
    let dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\nafter = \"flag\"\n");
    deliver_to(&dovecot, 0..6);
    desk.ok(&["run", "--once"]);
    assert_counts(&look(&desk, "claire", 0), &[("present", 6), ("decided", 6)]);
    let store = open(&database(&desk));
    let lose = "UPDATE message SET origin = 'file/elsewhere' WHERE origin LIKE 'uid/%/3'";
    assert_eq!(store.execute(lose, []).expect("it is done"), 1);
    let lost = look(&desk, "claire", 1);
    assert_counts(&lost, &[("present", 6), ("decided", 5), ("unaccounted", 1)]);
    assert_eq!(lost["examples"], serde_json::json!(["UID 3"]));
    let table = desk.run(&["audit", "--online"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("NOT accounted for: UID 3"));

    let skip = "UPDATE mailbox SET position = REPLACE(position, '/6', '/50') WHERE name = 'claire'";
    assert_eq!(store.execute(skip, []).expect("it is done"), 1);
    drop(store);
    deliver_to(&dovecot, 6..8);
    let hidden = look(&desk, "claire", 1);
    assert_eq!(hidden["examples"], serde_json::json!(["UID 3", "UID 7", "UID 8"]));
    // A sweep looks at all of it.
    desk.ok(&["run", "--once"]);
    assert_counts(&look(&desk, "claire", 0), &[("present", 8), ("decided", 8)]);
    assert_eq!(tickets(&desk).len(), 8, "what was lost was known by its content");
}

#[test]
fn what_people_move_and_delete_themselves_is_gone_and_no_more_than_that() {
    let dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\n");
    dovecot.make_folder("claire", "Mine");
    deliver_to(&dovecot, 0..4);
    desk.ok(&["run", "--once"]);
    let mut session = dovecot.session("claire");
    session.ok("SELECT INBOX");
    session.ok("UID MOVE 1 Mine");
    session.ok("UID STORE 2 +FLAGS (\\Deleted)");
    session.ok("EXPUNGE");
    let seen = look(&desk, "claire", 0);
    assert_counts(&seen, &[("present", 2), ("decided", 2), ("gone", 2)]);
    dovecot.renumber("claire", "INBOX");
    let seen = look(&desk, "claire", 0);
    assert_eq!(seen["standing"], "renumbered");
    assert_counts(&seen, &[("present", 2), ("new", 2)]);
    assert!(desk.ok(&["audit", "--online"]).contains("another UIDVALIDITY"));
}

#[test]
fn p_17_a_message_that_cannot_be_fetched_is_owed() {
    let dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\n");
    deliver_to(&dovecot, 0..3);
    let maildir = dovecot.maildir("claire", "INBOX").join("new");
    let mut files: Vec<_> = fs::read_dir(&maildir).expect("it reads").flatten().collect();
    files.sort_by_key(fs::DirEntry::file_name);
    let locked = files[1].path();
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).expect("it is ours");
    let look = desk.run(&["run", "--once"]);
    let output = audit(&desk);
    let fields: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let seen = &fields["mailboxes"][1];
    assert_eq!(seen["unaccounted"], 0, "each UID is stored, or owed: {seen}");
    assert_counts(seen, &[("present", 3), ("decided", 2), ("owed", 1)]);
    assert_eq!(look.status.code(), Some(1), "it is told of, too: {}", told(&look));
}

#[test]
fn a_daemon_at_work_is_no_imbalance() {
    let dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\nafter = \"move\"\nmove_to = \"Done\"\n");
    deliver_to(&dovecot, 0..40);
    let daemon = desk.start();
    for n in 40..46 {
        deliver_to(&dovecot, n..n + 1);
        deliver(&desk, &format!("maildir{n}"));
        for mailbox in ["claire", "support"] {
            assert_eq!(look(&desk, mailbox, 0)["unaccounted"], 0);
        }
    }
    let mut seen = Value::Null;
    wait_for("all to be moved", 60, || {
        let now = look(&desk, "claire", 0);
        if now != seen {
            eprintln!("{now}");
            seen = now;
        }
        seen["gone_told"] == 46
    });
    assert_eq!(look(&desk, "claire", 0)["target"]["present"], 46);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_mailbox_that_cannot_be_reached_is_told_and_stops_no_other() {
    let mut dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\n");
    deliver_to(&dovecot, 0..1);
    deliver(&desk, "here");
    desk.ok(&["run", "--once"]);
    dovecot.stop();
    let away = look(&desk, "claire", 69);
    assert_eq!(away["reached"], false);
    assert_counts(&look(&desk, "support", 69), &[("present", 1), ("decided", 1)]);
    dovecot.start_again();

    // P-21: a login that is refused counts, and after three of them none is tried.
    let config = fs::read_to_string(desk.config()).expect("it reads");
    fs::write(desk.config(), config.replace(PASSWORD, "wrong")).expect("it is written");
    for _ in 0..3 {
        let refused = look(&desk, "claire", 77);
        assert!(refused["failure"].as_str().is_some_and(|said| said.contains("refused the login")));
    }
    let tried = dovecot.said();
    let left_alone = look(&desk, "claire", 77);
    assert!(left_alone["failure"].as_str().is_some_and(|said| said.contains("none is tried")));
    assert_eq!(dovecot.said(), tried, "the server was left alone");
}

#[test]
fn what_a_restored_backup_does_not_know_is_named_and_comes_back_without_a_second_mail() {
    let dovecot = Dovecot::start();
    let desk = desk(&dovecot, "start = \"all\"\nafter = \"move\"\nmove_to = \"Done\"\n");
    deliver_to(&dovecot, 0..2);
    desk.ok(&["run", "--once"]);
    desk.ok(&["db", "backup", "copy.db"]);
    deliver_to(&dovecot, 2..5);
    desk.ok(&["run", "--once"]);
    let mails = mailed(&desk);
    desk.ok(&["--yes", "db", "restore", "copy.db"]);
    let seen = look(&desk, "claire", 0);
    assert_eq!((&seen["target"]["present"], &seen["target"]["unknown"]), (&5.into(), &3.into()));
    let table = desk.run(&["audit", "--online"]);
    assert!(told(&table).contains("move it back into the mailbox"), "{}", told(&table));

    let mut session = dovecot.session("claire");
    session.ok("SELECT Done");
    session.ok("UID MOVE 1:* INBOX");
    desk.ok(&["run", "--once"]);
    assert_eq!(tickets(&desk).len(), 5, "what is known changes nothing");
    assert_eq!(mailed(&desk), mails, "nobody is mailed unasked");
    assert_eq!(in_state(&desk, "parked").len(), 6);
    assert_eq!(look(&desk, "claire", 0)["target"]["unknown"], 0);
    desk.audit();
}

#[test]
fn a_maildir_is_looked_at_by_its_names() {
    let desk = Desk::new(&format!("after = \"flag\"\n{NO_LIMITS}"));
    for n in 0..4 {
        deliver(&desk, &format!("n{n}"));
    }
    desk.ok(&["run", "--once"]);
    deliver(&desk, "new");
    assert_counts(&look(&desk, "support", 0), &[("present", 5), ("decided", 4), ("new", 1)]);
    fs::remove_file(
        desk.maildir()
            .join("new")
            .read_dir()
            .expect("it reads")
            .next()
            .expect("one is new")
            .expect("it reads")
            .path(),
    )
    .expect("it goes");
    let seen = desk.maildir().join("cur");
    let gone =
        seen.read_dir().expect("it reads").next().expect("it was flagged").expect("it reads");
    fs::remove_file(gone.path()).expect("somebody deletes it");
    let expected = [("present", 3), ("decided", 3), ("gone", 1), ("gone_told", 1)];
    assert_counts(&look(&desk, "support", 0), &expected);

    // It was there when others came that were taken in long after it.
    let store = open(&database(&desk));
    let name = seen.read_dir().expect("it reads").next().expect("one").expect("it reads");
    let base = name.file_name().to_string_lossy().split(':').next().expect("a name").to_owned();
    let lose = "UPDATE message SET origin = 'file/elsewhere' WHERE origin = 'maildir/' || ?1";
    assert_eq!(store.execute(lose, [&base]).expect("it is done"), 1);
    assert_eq!(look(&desk, "support", 0)["new"], 1, "it may have come just now");
    let later =
        "UPDATE message SET spooled_at = spooled_at + 3600000 WHERE origin LIKE 'maildir/%'";
    store.execute(later, []).expect("it is done");
    let lost = look(&desk, "support", 1);
    assert_eq!(lost["examples"], serde_json::json!([base]));
}
