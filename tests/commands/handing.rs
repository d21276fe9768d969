//! What staff hands out: credentials by an answer kept ready, files that were locked.

use std::fs;

use serde_json::Value;

use crate::accounts::{credentials_to, links};
use crate::support::{Database, Desk};
use crate::{CONTOSO, fails, list};

const ANNA: &str = "anna@helpdesk.example";
const CLAIRE: &str = "claire.johnson@contoso.example";
const QUICK: &str = "[[quick_reply]]\nname = \"New access\"\ntemplate = \"quick_access\"\n";
const ACCESS: &str = "Subject: Your access\n\nHello {{ user.first_name }},\n\
    choose a password at {{ portal.activation_url }}\nor take {{ portal.password }}\n\
    until {{ portal.expires }}.\n";

/// A desk where Claire has a ticket, and an account that she was told nothing of.
fn desk(on: Database) -> Desk {
    let desk = Desk::on(on, &format!("{CONTOSO}{QUICK}"));
    fs::create_dir(desk.path().join("templates")).expect("a folder");
    fs::write(desk.path().join("templates/quick_access.en.txt"), ACCESS).expect("it is written");
    let add = ["tickets", "add", "--from", CLAIRE, "--subject", "Login", "--text", "I cannot."];
    desk.ok(&[&add[..], &["--no-mail"]].concat());
    desk
}

fn messages(desk: &Desk) -> Vec<Value> {
    let shown = desk.json(&["tickets", "show", "1"]);
    shown["messages"].as_array().expect("a list").clone()
}

pub fn t_22_t_26_a_quick_reply_brings_credentials_in_a_mail_of_its_own(on: Database) {
    let desk = desk(on);
    let reply = ["tickets", "reply", "1", "--quick", "new access", "--as", ANNA];
    let said = fails(&desk, &[&reply[..], &["--attach", "guichet.toml"]].concat(), 1);
    assert!(said.contains("no files"), "{said}");
    assert_eq!(messages(&desk).len(), 1);
    let said = desk.ok(&reply);
    assert!(said.contains("`quick_access`, brings the credentials"), "{said}");
    let mails = credentials_to(&desk, CLAIRE);
    assert_eq!(mails.len(), 1, "one mail, and none with the answer");
    assert_eq!(
        (&mails[0]["template"], &mails[0]["ticket"]),
        (&"quick_access".into(), &Value::Null)
    );
    assert_eq!(desk.json(&["users", "show", CLAIRE])["credentials"], "sent");
    let copy = &messages(&desk)[1];
    assert_eq!((&copy["author"], &copy["from_address"]), (&"staff".into(), &ANNA.into()));
    let text = copy["visible"].as_str().expect("a text");
    assert!(text.contains("Hello Claire,") && text.matches("[redacted]").count() == 2, "{text}");
    // C-10: one a day; what is withheld leaves no trace.
    let said = fails(&desk, &reply, 1);
    assert!(said.contains("(C-10)"), "{said}");
    assert_eq!((messages(&desk).len(), credentials_to(&desk, CLAIRE).len()), (2, 1));
    assert_eq!(list(&desk, &["log"]).len(), 2);
    desk.ok(&["run", "--once"]);
    let sent = desk.sent();
    assert_eq!(sent.len(), 1);
    let mail = String::from_utf8_lossy(&sent[0]).into_owned();
    assert!(!mail.contains("[#1]") && !mail.contains("In-Reply-To"), "a thread of its own: {mail}");
    let read = guichet::mail::read(&sent[0]).expect("our mail can be read");
    let password = read.text.lines().find_map(|line| line.strip_prefix("or take "));
    let password = password.expect("it has one").trim().to_owned();
    assert_eq!(password.len(), 16, "{}", read.text);
    let mut secrets = links(&desk);
    secrets.dedup();
    assert!(!secrets.is_empty() && secrets.iter().all(|token| token.len() == 43), "{secrets:?}");
    for secret in secrets.iter().chain([&password]) {
        assert_eq!(desk.keeps(secret), None, "{secret} is kept");
    }
    desk.ok(&["users", "disable", CLAIRE]);
    let said = fails(&desk, &reply, 1);
    assert!(said.contains("(C-07)"), "{said}");
    let said = fails(&desk, &[&reply[..], &["--set", "credentials.mode=none"]].concat(), 78);
    assert!(said.contains("credentials.mode"), "{said}");
    desk.audit();
}

pub fn a_requester_without_an_account_gets_no_credentials(on: Database) {
    let desk = desk(on);
    desk.ok(&["users", "delete", CLAIRE, "--tickets", "anonymize", "--yes"]);
    let said = fails(&desk, &["tickets", "reply", "1", "--quick", "new access"], 1);
    assert!(said.contains("no account"), "{said}");
    assert!(credentials_to(&desk, CLAIRE).is_empty());
    desk.audit();
}

pub fn m_25_a_locked_file_is_released_once_and_the_history_says_so(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    let file = |name: &str| {
        format!(
            "--x\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; \
             filename=\"{name}\"\r\n\r\n{name}\r\n"
        )
    };
    for (n, files) in [["a.txt", "b.exe"], ["c.js", "d.exe"]].iter().enumerate() {
        let parts: String = files.iter().map(|name| file(name)).collect();
        let reply = if n == 0 { "" } else { "In-Reply-To: <0@contoso.example>\r\n" };
        let raw = format!(
            "From: {CLAIRE}\r\nTo: support@helpdesk.example\r\nSubject: Files\r\n\
             Message-ID: <{n}@contoso.example>\r\n{reply}MIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=x\r\n\r\n\
             --x\r\nContent-Type: text/plain\r\n\r\nSee below, {n}.\r\n{parts}--x--\r\n"
        );
        desk.deliver(&format!("176760000{n}.{n}.a"), raw.as_bytes());
    }
    desk.ok(&["run", "--once"]);
    let locked = || -> Vec<bool> {
        let of = |message: &Value| message["attachments"].as_array().expect("a list").clone();
        let files = messages(&desk).iter().flat_map(of).collect::<Vec<_>>();
        files.iter().map(|file| file["locked"].as_bool().expect("a flag")).collect()
    };
    assert_eq!(locked(), [false, true, true, true]);
    let output = desk.run(&["tickets", "attachment", "1", "4"]);
    assert_eq!(output.stdout, b"d.exe", "staff always gets it");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("tickets release 1 4"), "{stderr}");
    let said = desk.ok(&["tickets", "release", "1", "4", "--as", ANNA]);
    assert!(said.contains("released `d.exe`"), "{said}");
    assert!(desk.ok(&["tickets", "release", "1", "d.exe"]).contains("it is so already"));
    let fields = desk.json(&["tickets", "release", "1", "b.exe"]);
    assert_eq!(fields["changes"][0]["kind"], "released");
    assert_eq!(locked(), [false, false, true, false]);
    assert!(fails(&desk, &["tickets", "release", "1", "1"], 1).contains("is not locked"));
    assert!(fails(&desk, &["tickets", "release", "1", "5"], 66).contains("it has 1 `a.txt`"));
    let shown = desk.ok(&["tickets", "show", "1"]);
    assert!(shown.contains("released `d.exe`, by agent anna@helpdesk.example"), "{shown}");
    assert!(shown.contains("c.js, application/octet-stream, 4 bytes, locked"), "{shown}");
    assert_eq!(credentials_to(&desk, CLAIRE).len(), 1, "nobody is told of a release");
    desk.audit();
    desk.ok(&["db", "verify"]);
}
