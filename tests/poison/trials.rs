//! A trial: what it sees, and what limits it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::Signal;

use crate::support::{message, wait_for};
use crate::{deliver, on_sqlite, said, totals, with_one_held};

#[test]
fn p_12_a_trial_needs_no_file_of_the_program_that_runs() {
    let desk = on_sqlite();
    let id = with_one_held(&desk, "abort");
    let copy = desk.path().join("guichet");
    fs::copy(env!("CARGO_BIN_EXE_guichet"), &copy).expect("a copy");
    let mut daemon = desk.start_program(&copy);
    desk.wait_for_role();
    fs::remove_file(&copy).expect("it goes, as in an upgrade");
    desk.ok(&["held", "release", &id]);
    wait_for("it to be held again", 30, || {
        assert!(!daemon.has_ended(), "it was read where it must not be");
        totals(&desk).get("internal_error") == Some(&1)
    });
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn p_12_a_trial_sees_nothing_of_the_desk_and_ends_with_it() {
    let desk = on_sqlite();
    // The first ends the process that has both in hand; the second then stands its trial.
    deliver(&desk, 1, "abort");
    deliver(&desk, 2, "sleep");
    assert!(desk.run(&["run", "--once"]).status.signal().is_some());
    let daemon = desk.start();
    let child = wait_for_trial(daemon.pid());
    let at = |what: &str| Path::new("/proc").join(child.to_string()).join(what);
    // What these tests were started with is nobody's secret.
    let own = open_files(Path::new("/proc/self/fd"));
    let foreign: Vec<PathBuf> =
        open_files(&at("fd")).into_iter().filter(|file| !own.contains(file)).collect();
    let kinds = ["/memfd:message", "pipe:"];
    let is_its_own =
        |file: &PathBuf| kinds.iter().any(|kind| file.to_string_lossy().starts_with(kind));
    assert!(!foreign.is_empty() && foreign.iter().all(is_its_own), "{foreign:?}");
    assert_eq!(fs::read_link(at("cwd")).expect("it runs"), Path::new("/"));
    let environment = fs::read(at("environ")).expect("it runs");
    assert!(!String::from_utf8_lossy(&environment).contains("PATH="), "{environment:?}");
    daemon.kill();
    wait_for("the trial to end", 10, || !at("fd").exists());
}

fn open_files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("it runs");
    entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect()
}

/// The process of a trial that sleeps.
fn wait_for_trial(daemon: u32) -> u32 {
    let mut found = None;
    wait_for("a trial", 30, || {
        let tasks = fs::read_dir(format!("/proc/{daemon}/task")).expect("it runs");
        let children =
            tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|line| {
                line.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
            })
            .collect();
        // It has read the whole message, and limited itself: that comes first.
        found = children.into_iter().find(|child| {
            let limits = fs::read_to_string(format!("/proc/{child}/limits")).unwrap_or_default();
            let threads = fs::read_dir(format!("/proc/{child}/task")).map_or(0, Iterator::count);
            threads > 1 && limits.contains("Max cpu time              5 ")
        });
        found.is_some()
    });
    found.expect("there is one")
}

/// A trial by itself.
fn start_trial(raw: &[u8]) -> Child {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(raw).expect("it is written");
    file.rewind().expect("it is read from its start");
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.args(["trial", &raw.len().to_string()]).stdin(file);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

fn trial_of(raw: &[u8]) -> Output {
    start_trial(raw).wait_with_output().expect("it ends")
}

fn with_fault(fault: &str) -> Vec<u8> {
    let more = format!("X-Guichet-Fault: {fault}\r\n");
    message("a@x.example", "Printer", "1@x", &more, "hello")
}

#[test]
fn p_13_a_trial_ends_after_five_seconds_of_processor_time() {
    let mut child = start_trial(&with_fault("spin"));
    let (id, mut ended) = (child.id(), None);
    wait_for("it to use up its time", 120, || {
        ended = child.try_wait().expect("it is ours");
        ended.is_some() || processor_seconds(id) > 7
    });
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
    let status = ended.expect("it is still there after 7 s of processor time");
    assert_eq!(status.signal(), Some(Signal::XCPU.as_raw()), "{status}");
}

fn processor_seconds(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may hold blanks: the 12th is the time in hundredths.
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().nth(11).and_then(|time| time.parse().ok()).unwrap_or(0) / 100
}

#[test]
fn p_13_a_trial_ends_at_its_limit_of_memory() {
    let ended = trial_of(&with_fault("memory"));
    assert!(!ended.status.success(), "it has eaten 2 GB");
    assert!(said(&ended).contains("memory allocation"), "{}", said(&ended));
}

#[test]
#[ignore = "it waits for a minute and a half"]
fn p_12_a_trial_that_only_waits_ends_as_well() {
    let ended = trial_of(&with_fault("sleep"));
    assert_eq!(ended.status.code(), Some(1));
    assert!(said(&ended).contains("did not end within 90 s"), "{}", said(&ended));
}

const HEAD: &str = "From: a@x.example\r\nTo: support@helpdesk.example\r\nSubject: Printer\r\n";

/// A message whose body is this, `size` bytes of it.
fn full(head: &str, body: &str, size: usize) -> Vec<u8> {
    let mut raw = format!("{HEAD}{head}\r\n\r\n").into_bytes();
    raw.extend(body.bytes().cycle().take(size));
    raw
}

// P-13 at the largest that is taken in, 50 MB, and where a little costs much: a trial passes within
// five seconds of processor time and 256 MB and four times the message, or the limits end it. The
// promise is that of an optimized program; one that is not takes some eight times as long.
#[test]
fn p_13_the_costliest_messages_pass_their_trials() {
    const LARGEST: usize = if cfg!(debug_assertions) { 12_000_000 } else { 50_000_000 - 1_000 };
    let base64 = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64";
    let mixed = "Content-Type: multipart/mixed; boundary=b";
    let part = format!("--b\r\n{base64}\r\n\r\n{}\r\n", "QUJD".repeat(12_000));
    let line = format!("{}\r\n", "QUJDREVG".repeat(9));
    let quoted =
        "Content-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: quoted-printable";
    let messages = [
        ("one attachment", full(base64, &line, LARGEST)),
        ("many attachments", full(mixed, &part, LARGEST)),
        ("one line", full("Content-Type: text/plain", "x", LARGEST)),
        ("html", full("Content-Type: text/html", "<p><a href=x>y</a> z", LARGEST)),
        ("quoted-printable", full(quoted, "=B0=A1=B0=A1=\r\n", LARGEST)),
        ("uuencoded", full("", "begin 644 a\nM1234\n`\nend\n", LARGEST)),
        ("quoted lines", full("In-Reply-To: <a@b>", "> > > a\r\nOn 1/1/26 b wrote:\r\n", LARGEST)),
        ("tnef", full("Content-Type: application/ms-tnef", "\x78\x3e\x22\x01", 5_000_000)),
        ("fields", [HEAD.as_bytes(), "X-A: b\r\n".repeat(990).as_bytes(), b"\r\nx"].concat()),
        ("parts", full(mixed, "--b\r\n\r\nx\r\n", 9_000)),
    ];
    for (what, raw) in messages {
        let ended = trial_of(&raw);
        assert!(ended.status.success(), "{what}: {} {}", ended.status, said(&ended));
    }
}
