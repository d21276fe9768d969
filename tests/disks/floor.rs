//! `min_free_space`: below it nothing is fetched, all else goes on, and fetching resumes alone (P-05).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::house::{desk, floor, mail_of, name, subjects, wait_for_log};
use crate::mount::Tmpfs;
use crate::support::dovecot::Dovecot;
use crate::support::{message, wait_for};

/// Takes up so many megabytes.
fn take_up(disk: &Path, megabytes: usize) -> std::path::PathBuf {
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; megabytes << 20]).expect("there is room for it");
    ballast
}

#[test]
fn p_05_below_the_floor_nothing_is_fetched_and_all_else_goes_on() {
    let dovecot = Dovecot::start();
    let remote = dovecot.mailbox_with("remote", "poll_interval = \"1s\"");
    let desk =
        desk(&format!("[users]\nauto_create = false\n[[mailbox]]\n{remote}start = \"all\"\n"));
    floor(&desk, "40MB");
    let state = desk.path().join("state");
    let _disk = Tmpfs::mount(&state, "size=64m");
    desk.deliver(&name(1), &message("held@x.example", "held", "1@x", "", "x"));
    desk.ok(&["run", "--once"]);
    let held = desk.lines(&["held", "list"]);
    let ballast = take_up(&state, 40);
    let daemon = desk.start();
    desk.deliver(&name(2), &message("a@x.example", "kept here", "2@x", "", "x"));
    dovecot.deliver("remote", "INBOX", &message("b@x.example", "kept there", "3@x", "", "x"));
    wait_for_log(&desk, 20, "stopped fetching from `support`");
    wait_for_log(&desk, 20, "stopped fetching from `remote`");
    let said = desk.log();
    assert!(said.contains("`min_free_space` wants 40 MB"), "{said}");
    assert!(said.contains("hint: free some space; the mail stays in the mailbox"), "{said}");

    // Deciding what is in, and sending, need little: they are how a full desk gets on.
    let id = held[0]["id"].as_str().expect("an id");
    desk.ok(&["held", "release", "--create-user", id]);
    wait_for("the decision and its mail", 20, || {
        subjects(&desk) == ["held"] && !desk.sent().is_empty()
    });
    assert!(mail_of(&desk).contains("kept here"), "it was fetched below the floor");
    assert_eq!(dovecot.list("remote", "INBOX").len(), 1);
    let said = desk.log();
    assert_eq!(said.matches("stopped fetching").count(), 2, "once for each mailbox: {said}");

    fs::remove_file(ballast).expect("removed");
    let fetched = || desk.lines(&["log"]).len();
    wait_for("both to be fetched", 45, || fetched() == 3);
    assert!(desk.log().contains("there is room on the disk"), "{}", desk.log());
    assert_eq!(daemon.stop(), Some(0));
    desk.audit();
}

#[test]
fn p_05_the_floor_is_that_of_the_disk_the_store_is_on_for_every_way_in() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let disk = elsewhere.path().join("disk");
    let desk = desk(&format!("[store]\nurl = \"sqlite:{}/guichet.db\"\n", disk.display()));
    floor(&desk, "40MB");
    let _disk = Tmpfs::mount(&disk, "size=64m");
    desk.ok(&["run", "--once"]);
    let ballast = take_up(&disk, 40);
    let mail = message("a@x.example", "one", "1@x", "", "x");
    desk.deliver(&name(1), &mail);
    fs::write(desk.path().join("piped.eml"), message("b@x.example", "two", "2@x", "", "x"))
        .expect("written");

    let swept = desk.run(&["run", "--once"]);
    let said = String::from_utf8_lossy(&swept.stderr).into_owned();
    assert_eq!(swept.status.code(), Some(1), "mail was left behind: {said}");
    assert!(said.contains("stopped fetching") && said.contains("hint: "), "{said}");
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]));
    for args in [&["ingest", "piped.eml"][..], &["ingest", "-"]] {
        let piped = desk.run_with(args, &mail);
        let said = String::from_utf8_lossy(&piped.stderr).into_owned();
        assert_eq!(piped.status.code(), Some(75), "whoever pipes it in tries again: {said}");
        assert!(said.contains("`min_free_space` wants 40 MB") && said.contains("hint: "), "{said}");
    }
    assert_eq!(desk.lines(&["log"]).len(), 0, "nothing was taken in");

    fs::remove_file(ballast).expect("removed");
    desk.ok(&["ingest", "piped.eml"]);
    desk.ok(&["run", "--once"]);
    assert_eq!(desk.lines(&["tickets", "list"]).len(), 2);
    desk.audit();
}
