//! Disks with no room: the one the store is on, the one mail of ours goes to, the one that done mail
//! is moved to, the one the log is on (P-05).

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use crate::books::{database, drafts};
use crate::house::{bulky, desk, floor, mail_of, name, subjects, wait_for_log};
use crate::mount::Tmpfs;
use crate::support::dovecot::Dovecot;
use crate::support::{Desk, message, wait_for};

/// What is neither in the mailbox nor in the store.
fn missing(desk: &Desk, delivered: &BTreeSet<String>) -> Vec<String> {
    let known: BTreeSet<String> = subjects(desk).into_iter().collect();
    let waiting = mail_of(desk);
    delivered
        .iter()
        .filter(|one| !known.contains(*one) && !waiting.contains(*one))
        .cloned()
        .collect()
}

#[test]
fn p_05_a_full_disk_takes_nothing_in_half_and_goes_on_alone_once_there_is_room() {
    let dovecot = Dovecot::start();
    let desk = desk(&format!(
        "[[mailbox]]\n{}start = \"all\"\nafter = \"move\"\n",
        dovecot.mailbox("remote")
    ));
    floor(&desk, "1KB");
    let disk = Tmpfs::mount(&desk.path().join("state"), "size=4m");
    let daemon = desk.start();
    wait_for_log(&desk, 20, "the mailbox `support` is new");
    desk.deliver(&name(0), &bulky(0));
    wait_for("the first ticket", 20, || subjects(&desk).len() == 1);
    // More than the floor, and less than what comes.
    let ballast = disk.fill();
    let file = fs::File::options().write(true).open(&ballast).expect("it opens");
    let length = file.metadata().expect("it is there").len();
    file.set_len(length - 300_000).expect("it is cut");
    let mut delivered = BTreeSet::from(["bulky 0".to_owned()]);
    for n in 1..40 {
        delivered.insert(format!("bulky {n}"));
        if n % 2 == 0 {
            dovecot.deliver("remote", "INBOX", &bulky(n));
        } else {
            desk.deliver(&name(n), &bulky(n));
        }
    }
    wait_for_log(&desk, 20, "is full");

    let remote = || -> BTreeSet<String> {
        let listed = dovecot.list("remote", "INBOX");
        listed
            .iter()
            .map(|one| format!("bulky {}", one.message_id.trim_end_matches("@x")))
            .collect()
    };
    let lost: Vec<String> =
        missing(&desk, &delivered).into_iter().filter(|one| !remote().contains(one)).collect();
    assert_eq!(lost, Vec::<String>::new(), "P-01");
    assert!(subjects(&desk).len() < 40, "there is no room for all of it");
    let said = desk.log();
    for line in said.lines().filter(|line| line.contains("is full")) {
        let again = said.lines().filter(|other| {
            other.split_once(' ').map(|(_, rest)| rest)
                == line.split_once(' ').map(|(_, rest)| rest)
        });
        assert_eq!(again.count(), 1, "said once: {said}");
    }
    assert!(said.contains("hint: free some space"), "{said}");
    fs::remove_file(ballast).expect("removed");
    disk.remount("size=64m");
    wait_for("all tickets", 60, || subjects(&desk).len() == 40);
    wait_for("the mailboxes to be told", 60, || {
        mail_of(&desk).is_empty() && dovecot.list("remote", "INBOX").is_empty()
    });
    wait_for("mail of ours", 60, || {
        desk.lines(&["outbox", "list", "--limit", "1000"])
            .iter()
            .all(|mail| mail["state"] == "sent")
    });
    assert_eq!(daemon.stop(), Some(0), "{}", desk.log());
    let sent = desk.lines(&["outbox", "list", "--limit", "1000"]).len();
    assert!(sent >= 40 && desk.sent().len() == sent, "each went once");
    desk.audit();
    desk.ok(&["db", "verify"]);
}

#[test]
fn p_05_mail_of_ours_waits_for_room_and_leaves_no_half_mails() {
    let desk = desk("");
    let disk = Tmpfs::mount(&desk.path().join("outgoing"), "size=256k");
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir(desk.path().join("outgoing").join(folder)).expect("made");
    }
    let ballast = disk.fill();
    let daemon = desk.start();
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    wait_for_log(&desk, 20, "mail cannot be sent");
    wait_for("it to be tried again", 20, || {
        desk.lines(&["outbox", "list"]).iter().any(|mail| mail["attempts"].as_i64() > Some(1))
    });
    let said = desk.log();
    assert_eq!(said.matches("mail cannot be sent").count(), 1, "{said}");
    assert!(
        said.contains("No space left on device") && said.contains("hint: see that there is room"),
        "{said}"
    );
    assert_eq!(drafts(&desk), BTreeSet::new(), "no half mail takes up room");
    assert!(subjects(&desk).contains(&"one".to_owned()), "deciding goes on");
    fs::remove_file(ballast).expect("removed");
    wait_for("the mail", 20, || desk.sent().len() == 2);
    assert!(desk.log().contains("mail goes to"), "{}", desk.log());
    assert_eq!(daemon.stop(), Some(0));
    assert!(desk.lines(&["outbox", "list"]).iter().all(|mail| mail["state"] == "sent"));
    desk.audit();
}

#[test]
fn p_05_what_cannot_be_moved_to_a_full_disk_stays_and_is_moved_later() {
    let desk = desk("");
    let disk = Tmpfs::mount(&desk.maildir().join("done"), "size=64k");
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir(desk.maildir().join("done").join(folder)).expect("made");
    }
    let ballast = disk.fill();
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", &"much\r\n".repeat(4_000)));
    let run = desk.run(&["run", "--once"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("could not be marked in their mailbox"), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]), "P-01: it stays where it is");
    assert_eq!(drafts(&desk), BTreeSet::new(), "no half copy takes up room");
    fs::remove_file(ballast).expect("removed");
    desk.ok(&["run", "--once"]);
    assert_eq!(mail_of(&desk), BTreeSet::new());
    assert_eq!(fs::read_dir(desk.maildir().join("done/new")).expect("reads").count(), 1);
    assert_eq!(subjects(&desk), ["one"]);
    desk.audit();
}

#[test]
fn p_05_a_log_that_cannot_be_written_stops_nothing() {
    let desk = desk("");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("it is always there");
    let run = desk.command(&["run", "--once"]).stdin(Stdio::null()).stderr(full()).status();
    assert_eq!(run.expect("it starts").code(), Some(0), "a log on a full disk ends the program");
    assert_eq!(subjects(&desk), ["one"]);
    // Nor does an error that nobody can be told become another one.
    let absent = desk.command(&["ingest", "nowhere.eml"]).stderr(full()).status();
    assert_eq!(absent.expect("it starts").code(), Some(66));
}

#[test]
fn p_05_without_inodes_nothing_is_lost_and_it_goes_on_once_there_are_some() {
    let desk = desk("");
    floor(&desk, "1KB");
    let disk = Tmpfs::mount(&desk.path().join("state"), "size=8m,nr_inodes=64");
    desk.ok(&["run", "--once"]);
    let many = disk.use_up_inodes();
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    let run = desk.run(&["run", "--once"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(matches!(run.status.code(), Some(73 | 74)), "{:?}: {said}", run.status);
    assert!(
        said.contains("hint: ") && said.contains(&database(&desk).display().to_string()),
        "{said}"
    );
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]));
    fs::remove_dir_all(many).expect("removed");
    let daemon = desk.start();
    wait_for("the ticket", 20, || subjects(&desk) == ["one"]);
    // One that runs has all the files that it needs.
    let many = disk.use_up_inodes();
    desk.deliver(&name(2), &message("b@x.example", "two", "2@x", "", "x"));
    wait_for("the next", 20, || subjects(&desk) == ["one", "two"]);
    fs::remove_dir_all(many).expect("removed");
    assert_eq!(daemon.stop(), Some(0), "{}", desk.log());
    desk.audit();
}
