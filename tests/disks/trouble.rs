//! Stores that cannot be written for a while: read-only, over quota, failing, held by another
//! program. Said once with what to do; then guichet goes on by itself (P-06).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::books::database;
use crate::house::{desk, floor, mail_of, name, subjects, wait_for_log};
use crate::mount::Tmpfs;
use crate::support::guarded::Account;
use crate::support::{Desk, message, wait_for};

/// Lets the calls of a process that runs fail, until it is dropped.
struct Spell {
    strace: Child,
}

impl Spell {
    fn cast(pid: u32, calls: &str, error: &str) -> Spell {
        let strace = Command::new("strace")
            .args(["-f", "-q", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}")])
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace starts");
        let traced = || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            !status.contains("TracerPid:\t0\n")
        };
        wait_for("strace to take hold", 20, traced);
        Spell { strace }
    }
}

impl Drop for Spell {
    // It lets go of what it traces.
    fn drop(&mut self) {
        crate::support::signal(self.strace.id(), "TERM");
        let _ = self.strace.wait();
    }
}

/// A daemon whose store cannot be written for a while: it must say `words`, once, and go on.
fn spellbound(calls: &str, error: &str, words: &str) {
    let desk = desk("");
    let daemon = desk.start();
    wait_for_log(&desk, 30, "the mailbox `support` is new");
    let spell = Spell::cast(daemon.pid(), calls, error);
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    wait_for_log(&desk, 30, words);
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]), "{error}: it stays where it is");
    drop(spell);
    wait_for("the ticket", 60, || subjects(&desk) == ["one"]);
    wait_for("the mail of ours", 30, || desk.sent().len() == 2);
    wait_for("the mailbox to be told", 30, || mail_of(&desk).is_empty());
    let said = desk.log();
    assert_eq!(daemon.stop(), Some(0), "{error}: {said}");
    let told = said.lines().filter(|line| line.contains(words)).count();
    assert!((1..=3).contains(&told), "{error}: once for each room that was at work: {said}");
    assert!(
        !said.contains("a message could not be decided"),
        "{error}: no message is blamed: {said}"
    );
    assert!(said.contains("works again"), "{error}: {said}");
    desk.audit();
}

#[test]
fn p_06_a_disk_that_fails_for_a_while_is_waited_for() {
    std::thread::scope(|scope| {
        scope.spawn(|| spellbound("pwrite64,ftruncate", "EDQUOT", "does not do what it is told"));
        scope.spawn(|| spellbound("fsync,fdatasync", "EIO", "does not do what it is told"));
        scope.spawn(|| spellbound("pwrite64,ftruncate,openat", "EROFS", "hint: "));
        scope.spawn(|| spellbound("pwrite64", "ENOSPC", "is full"));
    });
}

fn run_as_nobody(desk: &Desk, args: &[&str]) -> Output {
    let nobody = Account::named("nobody");
    let mut command = desk.command(args);
    command.uid(nobody.user).gid(nobody.group).stdin(Stdio::null());
    command.output().expect("it starts")
}

fn give_to_nobody(path: &Path) {
    let nobody = Account::named("nobody");
    chown(path, Some(nobody.user), Some(nobody.group)).expect("given");
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("it reads").flatten() {
            give_to_nobody(&entry.path());
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
}

#[test]
fn p_06_a_read_only_store_is_named_and_takes_nothing() {
    let desk = desk("");
    desk.ok(&["run", "--once"]);
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    give_to_nobody(desk.path());
    let refused = |what: &str| {
        let run = run_as_nobody(&desk, &["run", "--once"]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(matches!(run.status.code(), Some(73 | 74)), "{what}: {:?}: {said}", run.status);
        assert!(said.contains(&database(&desk).display().to_string()), "{what}: {said}");
        assert!(said.contains("belong") && said.contains("hint: "), "{what}: {said}");
        assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]), "{what}");
    };
    let state = desk.path().join("state");
    set_mode(&database(&desk), 0o400);
    refused("the file is read-only");
    set_mode(&database(&desk), 0o600);
    set_mode(&state, 0o500);
    refused("the folder is read-only");
    set_mode(&state, 0o700);
    let run = run_as_nobody(&desk, &["run", "--once"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(subjects(&desk), ["one"]);
}

#[test]
fn p_06_a_disk_that_is_mounted_read_only_is_named_and_used_again_once_it_is_not() {
    let desk = desk("");
    floor(&desk, "1KB");
    let disk = Tmpfs::mount(&desk.path().join("state"), "size=16m");
    desk.ok(&["run", "--once"]);
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    disk.remount("ro");
    let run = desk.run(&["run", "--once"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(matches!(run.status.code(), Some(73 | 74)), "{:?}: {said}", run.status);
    assert!(said.contains("hint: see that its disk is mounted for writing"), "{said}");
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]));
    disk.remount("rw");
    desk.ok(&["run", "--once"]);
    assert_eq!(subjects(&desk), ["one"]);
    desk.audit();
}

#[test]
fn p_06_a_store_that_another_program_holds_is_waited_for() {
    let desk = desk("");
    let daemon = desk.start();
    wait_for_log(&desk, 30, "the mailbox `support` is new");
    let other = rusqlite::Connection::open(database(&desk)).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is held");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    // Longer than anybody waits for a lock.
    wait_for_log(&desk, 40, "is busy");
    assert_eq!(mail_of(&desk), BTreeSet::from(["one".to_owned()]));
    other.execute_batch("ROLLBACK").expect("it is free");
    wait_for("the ticket", 60, || subjects(&desk) == ["one"]);
    wait_for("the mailbox to be told", 30, || mail_of(&desk).is_empty());
    let said = desk.log();
    assert_eq!(daemon.stop(), Some(0), "{said}");
    assert!(said.contains("hint: `fuser` on that file names the program"), "{said}");
    desk.audit();
}
