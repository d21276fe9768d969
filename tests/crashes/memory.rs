//! What breaks parsers, and little memory to read it in.

use std::process::{Command, Output, Stdio};

use crate::support::{Desk, message};
use crate::{desk, files_below, name, totals};

/// Runs `guichet run --once` with at most so many MiB of memory.
fn run_in(desk: &Desk, mebibytes: u32) -> Output {
    let guichet = desk.command(&["run", "--once"]);
    let mut words: Vec<String> = vec![guichet.get_program().to_string_lossy().into_owned()];
    words.extend(guichet.get_args().map(|word| word.to_string_lossy().into_owned()));
    Command::new("sh")
        .args(["-c", &format!("ulimit -v {} && exec \"$@\"", mebibytes * 1024), "sh"])
        .args(words)
        .current_dir(desk.path())
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

#[test]
fn p_13_t_35_t_36_t_38_bombs_are_held_or_read_in_bounded_memory() {
    let desk = desk("keep", "");
    let head = "From: a@x.example\r\nTo: support@helpdesk.example\r\nSubject: bomb\r\n";
    let held = [
        format!(
            "{head}{}\r\nx",
            "Content-Type: message/rfc822\r\n\r\nFrom: b@x.example\r\n".repeat(40_000)
        ),
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
            "--b\r\n\r\n\r\n".repeat(200_000)
        ),
        format!("{head}{}\r\nx", "X-A: b\r\n".repeat(500_000)),
        format!("{head}X-A: b{}\r\n\r\nx", "\r\n b".repeat(1_000_000)),
        "\0".repeat(100_000),
    ];
    let read = [
        "x".repeat(1_000_000),
        ">".repeat(1_000_000),
        "<o:p>".repeat(200_000),
        "<table><tr><td>".repeat(70_000),
        "<!--".repeat(250_000),
        "begin 644 a\r\n".repeat(70_000),
    ];
    for (n, raw) in held.iter().enumerate() {
        desk.deliver(&name(n), raw.as_bytes());
    }
    for (n, body) in read.iter().enumerate() {
        let from = format!("r{n}@x.example");
        let raw = message(&from, "Re: long", &format!("long{n}@x"), "In-Reply-To: <q@x>\r\n", body);
        let raw = String::from_utf8(raw).expect("it is text");
        let kind = if body.starts_with('<') { "text/html" } else { "text/plain" };
        desk.deliver(&name(100 + n), raw.replace("text/plain", kind).as_bytes());
    }
    let output = run_in(&desk, 400);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = totals(&desk);
    assert_eq!(seen.get("parse_failed"), Some(&(held.len() as i64)), "{seen:?}");
    assert_eq!(seen.get("ticket_created"), Some(&(read.len() as i64)), "{seen:?}");
    desk.audit();
}

#[test]
fn p_12_without_memory_for_a_reader_messages_wait_and_are_not_blamed() {
    // How much is too little depends on the build, so the first amount that the rest can live with.
    let lacks_a_reader = |mebibytes: &u32| {
        let desk = desk("delete", "");
        desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
        let said = run_in(&desk, *mebibytes).stderr;
        String::from_utf8_lossy(&said).contains("no thread can be started").then_some(desk)
    };
    let found = (40..400).step_by(10).find_map(|n| lacks_a_reader(&n).map(|desk| (n, desk)));
    let (mebibytes, desk) = found.expect("a reader needs more memory than the rest");
    for _ in 0..4 {
        let output = run_in(&desk, mebibytes);
        assert_eq!(output.status.code(), Some(75), "{}", String::from_utf8_lossy(&output.stderr));
    }
    desk.ok(&["run", "--once"]);
    assert_eq!(totals(&desk).get("ticket_created"), Some(&1));
    desk.audit();
}

#[test]
fn m_04_t_37_an_oversize_message_is_a_stub_and_stays_in_the_mailbox() {
    let desk = desk("delete", "");
    let body = format!("{}\r\n", "y".repeat(76)).repeat(800_000);
    desk.deliver(&name(1), &message("a@x.example", "big", "big@x", "", &body));
    let output = run_in(&desk, 300);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(totals(&desk)["ticket_created"], 1);
    assert_eq!(files_below(&desk.maildir().join("new")).len(), 1);
}
