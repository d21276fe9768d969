//! `guichet mailbox list`: what needs no server.

use std::fs;

use crate::support::{Desk, message};

#[test]
fn mailboxes_are_listed_with_where_mail_comes_from_and_how_it_leaves() {
    let server = "[[mailbox]]\nname = \"away\"\naddress = \"away@helpdesk.example\"\n\
         host = \"mail.example.com\"\nusername = \"anna\"\nfolder = \"Support\"\n\
         password = { file = \"password\" }\nsmtp.host = \"relay.example.com\"\n";
    let desk = Desk::new(server);
    fs::write(desk.path().join("password"), "x\n").expect("it is written");
    desk.deliver(
        "1767600000.1.a",
        &message("claire@contoso.example", "Fire", "1@a", "", "It burns."),
    );
    // It cannot be reached, and stops nobody.
    let list = |desk: &Desk| desk.json(&["mailbox", "list"]).as_array().expect("a list").clone();
    let before = list(&desk);
    assert_eq!(before[0]["name"], "support");
    assert!(before[0]["watched_since"].is_null(), "{before:?}");
    assert_eq!(before[1]["from"], "Support at mail.example.com:993");
    let outgoing = desk.path().join("outgoing").display().to_string();
    assert_eq!(before[1]["answers_by"], outgoing, "as smtp.transport says");
    let text = fs::read_to_string(desk.config()).expect("it is there");
    let text =
        text.replace("transport = \"file\"\npath = \"outgoing\"", "host = \"all.example.com\"");
    fs::write(desk.config(), text).expect("it is written");
    let sent = list(&desk);
    assert_eq!(sent[0]["answers_by"], "all.example.com:587");
    assert_eq!(sent[1]["answers_by"], "relay.example.com:587");
    fs::remove_file(desk.path().join("password")).expect("it was there");
    let missing = list(&desk);
    assert!(missing[1]["from"].is_null() && missing[1]["answers_by"].is_null(), "{missing:?}");
    // Only those who log in need it.
    let table = desk.ok(&["mailbox", "list"]);
    assert!(table.contains("away@helpdesk.example"), "{table}");
    desk.configure("");
    desk.ok(&["run", "--once"]);
    let after = list(&desk);
    assert_eq!((&after[0]["messages"], &after[0]["owed"]), (&1.into(), &0.into()));
    assert!(after[0]["watched_since"].is_string(), "{after:?}");
}
