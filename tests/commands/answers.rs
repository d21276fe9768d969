//! What commands answer to whoever types them: exit codes, words, and JSON that is whole.

use std::fs;
use std::process::Output;

use crate::support::{Desk, message, signal, wait_for};

fn with_a_mail() -> Desk {
    let desk = Desk::new("");
    let raw = message("claire@myorg.example", "Printer", "1@myorg.example", "", "It is jammed.");
    desk.deliver("1767603600.M1P1.desk", &raw);
    desk
}

fn said(output: &Output) -> (i32, String) {
    let code = output.status.code().expect("it ended by itself");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn mail_that_is_not_there_is_missing_input() {
    let desk = Desk::new("");
    for command in ["ingest", "replay"] {
        let (code, said) = said(&desk.run(&[command, "nowhere.eml"]));
        assert_eq!(code, 66, "{command}: {said}");
    }
}

#[test]
fn a_replay_says_at_once_that_there_is_nothing_to_compare_with() {
    let desk = with_a_mail();
    let output = desk.run(&["replay", "mail", "--expect", "nowhere.jsonl"]);
    let (code, said) = said(&output);
    assert_eq!(code, 66, "{said}");
    assert!(said.contains("`nowhere.jsonl` cannot be read"), "{said}");
    assert!(output.stdout.is_empty(), "it replayed all the same");
}

#[test]
fn a_replay_into_a_store_that_has_the_mail_is_no_imbalance() {
    let desk = with_a_mail();
    let store = format!("sqlite:{}", desk.path().join("replay.db").display());
    let mail = desk.maildir();
    let mail = mail.to_str().expect("a plain path");
    desk.ok(&["replay", mail, "--store", &store]);
    let (code, said) = said(&desk.run(&["replay", mail, "--store", &store]));
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("the store had 1 of these before"), "{said}");
}

#[test]
fn a_broken_template_stops_a_run_as_the_configuration_does() {
    let desk = with_a_mail();
    let folder = desk.path().join("templates");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("credentials.en.txt"), "Subject: x\n\n{{ portal.usrname }}\n")
        .expect("a template");
    let (code, said) = said(&desk.run(&["run", "--once"]));
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("did you mean `portal.username`?"), "{said}");
}

#[test]
fn p_05_one_sweep_that_leaves_mail_behind_says_so_and_the_next_one_takes_it() {
    let desk = with_a_mail();
    let floor = ["--set", "min_free_space=\"1000000000MB\"", "run", "--once"];
    let (code, said) = said(&desk.run(&floor));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("min_free_space"), "{said}");
    assert_eq!(desk.json(&["tickets", "list"]).as_array().map(Vec::len), Some(0));
    desk.ok(&["run", "--once"]);
    assert_eq!(desk.json(&["tickets", "list"]).as_array().map(Vec::len), Some(1));
    desk.audit();
}

#[test]
fn p_18_a_reload_that_cannot_be_keeps_what_was() {
    let desk = with_a_mail();
    let daemon = desk.start();
    let tickets = || {
        let output = desk.run(&["tickets", "list", "--json"]);
        serde_json::from_slice::<serde_json::Value>(&output.stdout)
            .ok()
            .and_then(|tickets| tickets.as_array().map(Vec::len))
    };
    wait_for("the first ticket", 20, || tickets() == Some(1));
    let template = desk.path().join("templates/credentials.en.txt");
    fs::create_dir(desk.path().join("templates")).expect("a folder");
    fs::write(&template, "Subject: x\n\n{{ nobody.knows }}\n").expect("a template");
    signal(daemon.pid(), "HUP");
    let log = || fs::read_to_string(desk.path().join("daemon.log")).expect("a log");
    wait_for("the refusal", 20, || log().contains("the configuration stays as it was"));
    let raw = message("omar@myorg.example", "Scanner", "2@myorg.example", "", "It beeps.");
    desk.deliver("1767603700.M1P1.desk", &raw);
    wait_for("the second ticket", 20, || tickets() == Some(2));
    fs::remove_file(&template).expect("it was written");
    signal(daemon.pid(), "HUP");
    wait_for("the reload", 20, || log().contains("the configuration was read again"));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn what_is_explained_from_the_store_is_as_whole_as_from_a_file() {
    let desk = with_a_mail();
    desk.ok(&["run", "--once"]);
    let stored = desk.lines(&["explain", "1"]);
    let path = desk.maildir().join("new/1767603600.M1P1.desk");
    let read = desk.lines(&["explain", path.to_str().expect("a plain path")]);
    for field in ["text", "reply", "signature", "reply_confidence"] {
        assert_eq!(stored[0]["message"][field], read[0]["message"][field], "{field}");
    }
    assert_eq!(stored[0]["message"]["reply"], "It is jammed.");
}

#[test]
fn t_48_only_who_logs_in_needs_the_secret() {
    let desk = Desk::new("");
    let text = fs::read_to_string(desk.config()).expect("it is there");
    let text = text.replace("provider = \"maildir\"", "provider = \"imap\"");
    let text = text.replace("path = \"mail\"", "host = \"mail.example.com\"");
    let with = |password: &str| {
        let address = "provider = \"imap\"";
        let text = text.replace(address, &format!("{address}\n{password}"));
        fs::write(desk.config(), text).expect("it is written");
    };
    // An admin's shell is not given the credentials of the service.
    with("password = { credential = \"support\" }");
    assert_eq!(said_code(&desk.run(&["check"])), 0);
    assert_eq!(said_code(&desk.run(&["check", "--strict"])), 78);
    assert_eq!(said_code(&desk.run(&["tickets", "list"])), 0);
    let (code, text) = said(&desk.run(&["run", "--once"]));
    assert_eq!(code, 78, "{text}");
    let place = format!("{}:", desk.config().display());
    assert!(text.contains(&place) && text.contains("the credential `support`"), "{text}");
    with("");
    for command in [&["check"][..], &["run", "--once"]] {
        let (code, text) = said(&desk.run(command));
        assert!(code == 78 && text.contains("it has no `password`"), "{text}");
    }
}

fn said_code(output: &Output) -> i32 {
    said(output).0
}
