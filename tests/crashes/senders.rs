//! Lies about who writes, and what must not come of them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::secrets::Secrets;
use crate::support::{Desk, message};
use crate::{NO_LIMITS, desk, name};

fn text_of(mail: &[u8]) -> String {
    String::from_utf8_lossy(mail).replace("=\r\n", "").replace("=3D", "=")
}

/// The tokens of the activation links in mail of ours.
fn tokens(desk: &Desk) -> BTreeSet<String> {
    let mut tokens = BTreeSet::new();
    for mail in desk.sent() {
        for link in text_of(&mail).split("/portal/activate/").skip(1) {
            tokens.insert(link.chars().take(43).collect());
        }
    }
    tokens
}

#[test]
fn t_01_forged_senders_get_no_credentials_beyond_the_budgets() {
    let desk = desk("keep", "");
    for n in 0..300 {
        let from = format!("v{n}@d{n}.example");
        desk.deliver(&name(n), &message(&from, "forged", &format!("f{n}@x"), "", "x"));
    }
    desk.ok(&["run", "--once"]);
    let outbox = desk.lines(&["outbox", "list", "--limit", "100000"]);
    let count = |template: &str| outbox.iter().filter(|mail| mail["template"] == template).count();
    assert_eq!((count("ticket_received"), count("credentials")), (300, 50), "C-10: 50/h a site");

    desk.configure(&format!("{NO_LIMITS}[filters]\nauthserv_id = \"mx.helpdesk.example\"\n"));
    let forged = "Authentication-Results: mx.evil.example; dmarc=pass\r\n";
    desk.deliver(&name(900), &message("w@w.example", "forged", "w@x", forged, "x"));
    desk.ok(&["run", "--once"]);
    let user = desk.json(&["users", "show", "w@w.example"]);
    assert!(user.to_string().contains("C-02"), "{user}");
}

#[test]
fn t_02_a_stranger_with_a_stolen_reference_gets_nothing_and_draws_nothing() {
    let desk = desk("keep", "");
    desk.deliver(&name(1), &message("victim@v.example", "secret", "v1@v", "", "x"));
    desk.ok(&["run", "--once"]);
    let stolen = "References: <v1@v>\r\nIn-Reply-To: <v1@v>\r\nCc: victim@v.example\r\n";
    desk.deliver(&name(2), &message("evil@e.example", "Re: secret", "e1@e", stolen, "x"));
    desk.ok(&["run", "--once"]);
    let answer = "References: <v1@v>\r\nIn-Reply-To: <v1@v>\r\n";
    desk.deliver(&name(3), &message("victim@v.example", "Re: secret", "v2@v", answer, "hunter2"));
    desk.ok(&["run", "--once"]);
    let ticket = desk.json(&["tickets", "show", "1"]).to_string();
    assert!(ticket.contains("hunter2"), "{ticket}");
    let lure = desk.json(&["tickets", "show", "2"]).to_string();
    assert!(!lure.contains("hunter2"), "{lure}");
    let outbox: Vec<Value> = desk.lines(&["outbox", "list"]);
    assert!(outbox.iter().all(|mail| mail["to"] != "evil@e.example"), "{outbox:?}");
}

#[test]
fn t_22_t_26_no_secret_is_kept_and_what_comes_back_is_revoked() {
    let desk = desk("keep", "");
    desk.deliver(&name(1), &message("u@x.example", "Hi", "u1@x", "", "x"));
    desk.ok(&["run", "--once"]);
    let minted = tokens(&desk);
    assert_eq!(minted.len(), 1);
    let token = minted.first().expect("one");
    let mut secrets = Secrets::default();
    secrets.add("a link", token);
    assert_eq!(secrets.in_folder(&desk.path().join("state"), &[]), [""; 0], "T-26");
    let sent = desk.sent();
    let ours =
        sent.iter().find(|mail| text_of(mail).contains(token.as_str())).expect("it is there");
    let mut bounce = message("MAILER-DAEMON@x.example", "failed", "b1@x", "", "");
    let report = "multipart/report; report-type=delivery-status; boundary=b";
    bounce = String::from_utf8(bounce)
        .expect("it is text")
        .replace("text/plain; charset=utf-8", report)
        .into_bytes();
    bounce.extend(
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n\
          Final-Recipient: rfc822; u@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
          --b\r\nContent-Type: message/rfc822\r\n\r\n",
    );
    bounce.extend(ours);
    bounce.extend(b"\r\n--b--\r\n");
    desk.deliver(&name(2), &bounce);
    desk.ok(&["run", "--once"]);
    let explained = desk.lines(&["log", "--limit", "1"]);
    let id = explained[0]["message"].as_str().expect("an id").to_owned();
    let steps = desk.ok(&["explain", &id, "--json"]);
    assert!(steps.contains("which is revoked"), "{steps}");
}
