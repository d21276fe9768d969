//! `guichet mailbox`: what needs no server.

use std::fs;

use serde_json::Value;

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

#[test]
fn m_72_addresses_that_mail_came_by_and_nobody_knows_are_listed_until_they_are_aliases() {
    let desk = Desk::new("");
    let raw = |to: &str, id: &str, more: &str| {
        let raw = message("claire@contoso.example", "Fire", id, more, id);
        String::from_utf8(raw).expect("text").replace("support@helpdesk.example", to).into_bytes()
    };
    let hotline = "Hotline <Hotline@helpdesk.example>";
    let mails = [
        raw(hotline, "1@a", "Cc: bob@contoso.example\r\n"),
        raw(hotline, "2@a", ""),
        // It is not addressed to us, but delivered; and a machine's mail needs no acknowledgement.
        raw(hotline, "3@a", "Delivered-To: support+x@helpdesk.example\r\n"),
        raw(hotline, "4@a", "Auto-Submitted: auto-generated\r\n"),
        raw("support@helpdesk.example", "5@a", ""),
        raw("undisclosed-recipients:;", "6@a", ""),
    ];
    for (n, raw) in mails.iter().enumerate() {
        desk.deliver(&format!("176760000{n}.{n}.a"), raw);
    }
    desk.ok(&["run", "--once"]);
    let all = ["mailbox", "unknown-recipients"];
    let found = desk.json(&all);
    let rows: Vec<_> = found.as_array().expect("a list").iter().collect();
    assert_eq!(rows.len(), 2, "{found:#}");
    let (first, second) = (rows[0], rows[1]);
    assert_eq!(
        (&first["address"], &first["messages"]),
        (&"hotline@helpdesk.example".into(), &2.into())
    );
    assert_eq!(first["mailbox"], "support");
    assert_eq!(first["last_seen"], "2026-01-05T08:00:01Z");
    assert_eq!(
        (&second["address"], &second["messages"]),
        (&"bob@contoso.example".into(), &1.into())
    );
    let csv = desk.ok(&[&all[..], &["-o", "csv"]].concat());
    assert!(csv.starts_with("address,mailbox,messages,last_seen\nhotline@"), "{csv}");
    let output = desk.run(&[&all[..], &["--limit", "1"]].concat());
    let hints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(hints.contains("more than 1 recipient") && hints.contains("`aliases`"), "{hints}");
    assert_eq!(desk.run(&[&all[..], &["--mailbox", "suport"]].concat()).status.code(), Some(2));
    let nothing = || Value::Array(Vec::new());
    assert_eq!(desk.json(&[&all[..], &["--since", "2099-01-01"]].concat()), nothing());
    desk.configure("aliases = [\"hotline@helpdesk.example\"]");
    assert_eq!(desk.json(&all), nothing(), "what is an alias is known");
}
