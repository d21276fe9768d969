//! `tickets`, `held`, `outbox` and `log`: what became of mail, theirs and ours.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Desk, message};
use crate::{CONTOSO, desk, fails, list};

#[test]
fn t_40_what_a_sender_wrote_is_shown_and_not_obeyed() {
    let desk = desk();
    for command in ["tickets show 1", "tickets list", "log", "users list", "held list"] {
        let shown = desk.ok(&command.split(' ').collect::<Vec<_>>());
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(bad), "{command}: {shown:?}");
    }
    let shown = desk.ok(&["tickets", "show", "1"]);
    assert!(shown.contains("| It ") && shown.contains("burns"), "{shown}");
}

#[test]
fn an_attachment_and_a_message_come_out_as_they_came_in() {
    let desk = desk();
    let ticket = desk.json(&["tickets", "show", "#1"]);
    let attachment = &ticket["messages"][0]["attachments"][0];
    assert_eq!(attachment["size"], 6);
    let name = attachment["name"].as_str().expect("a name");
    assert!(!name.contains('/'), "T-33: {name}");
    for args in [&["1", "1"][..], &["1", name], &["1", "1", "--out", "-"]] {
        assert_eq!(desk.ok(&[&["tickets", "attachment"], args].concat()), "hello\n", "{args:?}");
    }
    desk.ok(&["tickets", "attachment", "1", "1", "--out", "copy"]);
    assert_eq!(fs::read(desk.path().join("copy")).expect("it was written"), b"hello\n");
    let said = fails(&desk, &["tickets", "attachment", "1", "1", "--out", "copy"], 73);
    assert!(said.contains("not overwritten"), "{said}");
    fails(&desk, &["tickets", "attachment", "1", "1", "--out", "no/folder"], 73);
    let missing = fails(&desk, &["tickets", "attachment", "1", "log.exe"], 66);
    assert!(missing.contains(name), "{missing}");

    let raw = fs::read(desk.maildir().join("new/1767600001.2.a")).expect("the mailbox keeps it");
    let id = ticket["messages"][1]["message"].as_str().expect("an id");
    for what in ["1/2", id, "2@contoso.example", "<2@contoso.example>"] {
        assert_eq!(desk.run(&["tickets", "raw", what]).stdout, raw, "{what}");
    }
    let first = desk.run(&["tickets", "raw", "1"]);
    assert!(String::from_utf8_lossy(&first.stderr).contains("2 messages"), "which one is told");
    let hostile =
        fs::read(desk.maildir().join("new/1767600000.1.a")).expect("the mailbox keeps it");
    assert_eq!(first.stdout, hostile);
}

#[test]
fn a_held_message_walks_again_or_is_dropped() {
    let desk = desk();
    let ids = |reason: &str| -> Vec<String> {
        let held = list(&desk, &["held", "list", "--reason", reason]);
        held.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    let unreadable = ids("parse_failed");
    assert_eq!(desk.run(&["held", "raw", &unreadable[0]]).stdout, b"no header at all");
    desk.configure(&format!("{CONTOSO}[users]\nauto_create = false\n"));
    desk.deliver("1767600003.4.a", &message("new@b.example", "Hi", "4@b.example", "", "Hello"));
    desk.ok(&["run", "--once"]);
    let stranger = ids("auto_create_off");
    assert_eq!((unreadable.len(), stranger.len()), (1, 1));

    desk.configure(CONTOSO);
    let all = ["--all", "--reason", "auto_create_off"];
    assert_eq!(list(&desk, &[&["held", "release", "-n"], &all[..]].concat()).len(), 1);
    assert_eq!(ids("auto_create_off"), stranger, "a dry run changes nothing");
    let as_nobody = ["held", "release", &stranger[0], "--as", "nobody@b.example"];
    assert!(fails(&desk, &as_nobody, 66).contains("`[[agent]]`"));
    assert_eq!(ids("auto_create_off"), stranger);
    let as_anna = ["--as", "Anna@helpdesk.example"];
    let decided = list(&desk, &[&["held", "release"], &all[..], &as_anna[..]].concat());
    assert_eq!((&decided[0]["outcome"], &decided[0]["ticket"]), (&"accepted".into(), &2.into()));
    let step = |id: &str, at: fn(&[Value]) -> Option<&Value>| {
        let told = desk.json(&["explain", id]);
        at(told["steps"].as_array().expect("steps")).expect("a step")["said"].clone()
    };
    assert_eq!(step(&stranger[0], |steps| steps.first()), "released by anna@helpdesk.example");
    assert!(fails(&desk, &["held", "release", &stranger[0]], 66).contains("is held"));

    assert!(fails(&desk, &["held", "drop", &unreadable[0]], 2).contains("--yes"));
    fails(&desk, &["held", "drop", &unreadable[0], "nope", "--yes"], 66);
    assert_eq!(ids("parse_failed"), unreadable, "all or nothing");
    assert!(desk.ok(&["held", "drop", &unreadable[0], "--yes"]).contains("dropped 1 message"));
    assert_eq!(step(&unreadable[0], |steps| steps.last()), "dropped by an operator");
    assert_eq!(list(&desk, &["log", "--reason", "dropped"]).len(), 1);
    assert!(list(&desk, &["held", "list"]).is_empty());
    desk.audit();
}

#[test]
fn a_held_sender_is_made_a_user_when_asked() {
    let desk = Desk::new("[users]\nauto_create = false");
    let mail = message("zoe.neu@firm.example", "Hello", "new@firm.example", "", "It is me.");
    desk.deliver("1767600000.M1.x", &mail);
    desk.ok(&["run", "--once"]);
    assert!(list(&desk, &["users", "list"]).is_empty());
    desk.ok(&["held", "release", "--create-user", "--all", "--reason", "auto_create_off"]);
    let users = list(&desk, &["users", "list"]);
    assert_eq!(users.len(), 1);
    assert_eq!((&users[0]["name"], &users[0]["made_by"]), (&"Zoe Neu".into(), &"hand".into()));
    assert_eq!(list(&desk, &["tickets", "list"]).len(), 1);
    desk.audit();
}

#[test]
fn mail_of_ours_is_cancelled_and_tried_again_until_it_is_gone() {
    let desk = Desk::new(CONTOSO);
    desk.ok(&["users", "add", "omar@contoso.example"]);
    let state = || desk.json(&["outbox", "show", "1"])["state"].clone();
    assert!(fails(&desk, &["outbox", "retry", "1"], 1).contains("is queued, and stays so"));
    let said = fails(&desk, &["outbox", "cancel", "1", "1", "7"], 1);
    assert!(said.contains("there is no mail 7") && !said.contains("mail 1"), "{said}");
    assert_eq!(state(), "cancelled");
    desk.ok(&["run", "--once"]);
    assert_eq!(state(), "cancelled", "it stays so");
    assert_eq!(list(&desk, &["outbox", "retry", "1"])[0]["state"], "queued");
    desk.ok(&["run", "--once"]);
    assert_eq!(state(), "sent");
    fails(&desk, &["outbox", "cancel", "1"], 1);
    let some = |args: &[&str]| list(&desk, &[&["outbox", "list"], args].concat()).len();
    assert_eq!([some(&["--to", "OMAR@contoso.example"]), some(&["--to", "x@y.example"])], [1, 0]);
    assert_eq!(
        [some(&["--state", "sent"]), some(&["--state", "queued"]), some(&["--ticket", "1"])],
        [1, 0, 0]
    );
}

#[test]
fn the_log_is_filtered_summed_up_and_followed() {
    let desk = desk();
    let some = |args: &[&str]| list(&desk, &[&["log"], args].concat()).len();
    assert_eq!([some(&[]), some(&["--limit", "1"]), some(&["--outcome", "held"])], [3, 1, 1]);
    assert_eq!([some(&["--from", "CLAIRE"]), some(&["--mailbox", "none"])], [2, 0]);
    assert_eq!([some(&["--since", "1h"]), some(&["--since", "2099-01-01"])], [3, 0]);
    assert_eq!(
        [some(&["--totals", "--from", "claire"]), some(&["--reason", "reply_added"])],
        [2, 1]
    );
    let newest_first = list(&desk, &["log"]);
    assert_eq!(newest_first[2]["reason"], "ticket_created");

    let mut follower = desk.command(&["log", "--follow", "-o", "jsonl"]);
    let mut follower = follower.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("it was piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("it reads");
        serde_json::from_str(&line).expect("it is JSON")
    };
    for old in newest_first.iter().rev() {
        assert_eq!(next(), *old);
    }
    desk.run_with(&["ingest", "-"], &message("new@b.example", "Hi", "4@b.example", "", "Hello"));
    assert_eq!(next()["from"], "new@b.example");
    follower.kill().expect("it runs still");
    follower.wait().expect("it ends");
    fails(&desk, &["log", "--follow", "-o", "csv"], 2);
}

#[test]
fn e_14_what_a_filter_ignores_at_a_later_attempt_is_final() {
    let desk = Desk::new("");
    let mail = message("claire@contoso.example", "Hi", "1@contoso.example", "", "Hello");
    desk.deliver("1767600000.1.a", &mail);
    desk.ok(&["run", "--once"]);
    // As if the first attempt had ended with the machine.
    let store = rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("it opens");
    store
        .execute_batch(
            "DELETE FROM ticket_message; DELETE FROM content_key; DELETE FROM decision; \
             UPDATE message SET state = 'incoming', attempts = 1, due_at = arrived_at",
        )
        .expect("it waits again");
    desk.configure("[users]\ndeny = [\"@contoso.example\"]\n");
    for _ in 0..2 {
        desk.ok(&["run", "--once"]);
        let log = list(&desk, &["log"]);
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(log[0]["reason"], "sender_denied");
    }
    desk.configure("");
    desk.ok(&["run", "--once"]);
    assert_eq!(list(&desk, &["log"])[0]["reason"], "sender_denied", "it is not asked again");
}

#[test]
fn e_16_what_staff_dropped_is_not_taken_in_again_though_it_is_still_there() {
    let desk = Desk::new("");
    desk.deliver("1767600000.1.a", b"no header at all");
    desk.ok(&["run", "--once"]);
    let held = list(&desk, &["held", "list"]);
    let id = held[0]["id"].as_str().expect("an id").to_owned();
    desk.ok(&["held", "drop", &id, "--yes"]);
    desk.ok(&["run", "--once"]);
    desk.ok(&["run", "--once"]);
    assert!(list(&desk, &["held", "list"]).is_empty());
    let log = list(&desk, &["log"]);
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0]["reason"], "dropped");
    desk.audit();
}

#[test]
fn e_141_t_16_of_eleven_acknowledgements_in_an_hour_three_go_out_and_the_log_says_so_once() {
    let desk = Desk::new("[credentials]\nsend = false\nmax_age = \"3650d\"\n");
    for n in 0..11 {
        let raw =
            message("claire@contoso.example", &format!("Fire {n}"), &format!("{n}@a"), "", "x");
        desk.deliver(&format!("17676000{n:02}.{n}.a"), &raw);
    }
    let output = desk.run(&["run", "--once"]);
    assert!(output.status.success());
    let tickets = desk.json(&["tickets", "list"]);
    assert_eq!(tickets.as_array().map(Vec::len), Some(11), "every mail has its ticket");
    assert_eq!(desk.sent().len(), 3);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(log.matches("limits.auto_mails_per_address").count(), 1, "{log}");
    assert!(!log.contains("claire@"), "{log}");
}

#[test]
fn e_142_the_thirty_first_mail_of_an_hour_waits_and_a_weekend_s_backlog_does_not() {
    let numbers_after = |apart: u64, count: u64| {
        let desk = Desk::new("");
        let last = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
        for n in 0..count {
            let raw =
                message("claire@contoso.example", &format!("Fire {n}"), &format!("{n}@a"), "", "x");
            desk.deliver(&format!("{}.{n}.a", last - (count - n) * apart), &raw);
        }
        desk.ok(&["run", "--once"]);
        desk.audit();
        desk.json(&["tickets", "list", "--limit", "100"]).as_array().map(Vec::len)
    };
    assert_eq!(numbers_after(60, 31), Some(30), "one of them waits");
    assert_eq!(numbers_after(5400, 40), Some(40));
}
