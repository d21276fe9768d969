//! What staff does with tickets at the command line: opens, answers, changes, merges and closes them.

use std::fs;

use guichet::mail;

use crate::support::{Desk, message, wait_for};
use crate::{CONTOSO, fails, list};

const ANNA: &str = "anna@helpdesk.example";
const CLAIRE: &str = "claire.johnson@contoso.example";

fn templates(desk: &Desk) -> Vec<String> {
    let mails = list(desk, &["outbox", "list"]);
    let mut mails: Vec<(i64, String)> = mails
        .iter()
        .map(|mail| {
            let template = mail["template"].as_str().expect("a template").to_owned();
            (mail["id"].as_i64().expect("a number"), template)
        })
        .collect();
    mails.sort();
    mails.into_iter().map(|(_, template)| template).collect()
}

#[test]
fn a_caller_gets_a_ticket_an_answer_and_its_end() {
    let desk = Desk::new(CONTOSO);
    let opened = desk.json(&[
        "tickets",
        "add",
        "--from",
        CLAIRE,
        "--subject",
        "Printer",
        "--text",
        "It smokes.",
        "--as",
        ANNA,
    ]);
    assert_eq!(
        (opened["reason"].as_str(), opened["ticket"].as_i64()),
        (Some("ticket_created"), Some(1))
    );
    assert_eq!(templates(&desk), ["ticket_received", "credentials"]);
    let user = desk.json(&["users", "show", CLAIRE]);
    assert_eq!(
        (user["made_by"].as_str(), user["name"].as_str()),
        (Some("hand"), Some("Claire Johnson"))
    );
    fs::write(desk.path().join("steps.txt"), "Switch it off.\n").expect("it is written");
    fs::write(desk.path().join("plan.pdf"), [0, 159, 146, 150]).expect("it is written");
    let said =
        desk.ok(&["tickets", "reply", "1", "steps.txt", "--attach", "plan.pdf", "--as", ANNA]);
    assert!(said.contains(CLAIRE) && said.contains("ticket_reply"), "{said}");
    let said = desk.ok(&["tickets", "set", "#1", "--assignee", ANNA, "--tag", "Printer", "fire"]);
    assert!(said.contains("assignee none → anna@helpdesk.example"), "{said}");
    let again = desk.ok(&["tickets", "set", "1", "--tag", "printer"]);
    assert!(again.contains("it is so already"), "{again}");
    desk.ok(&["tickets", "close", "1", "--as", ANNA]);
    desk.ok(&["tickets", "close", "1"]);
    let expected =
        ["ticket_received", "credentials", "ticket_reply", "ticket_updated", "ticket_closed"];
    assert_eq!(templates(&desk), expected, "each is told once (R-13)");
    desk.ok(&["run", "--once"]);
    let sent = desk.sent();
    let answer = sent.iter().map(|raw| mail::read(raw).expect("our mail can be read"));
    let answer = answer.into_iter().find(|mail| mail.text.contains("Switch it off."));
    let answer = answer.expect("the answer went out");
    assert_eq!(answer.attachments[0].name, "plan.pdf");
    assert!(answer.subject.contains("[#1]"), "{}", answer.subject);
    let shown = desk.json(&["tickets", "show", "1"]);
    assert_eq!(shown["status"], "closed");
    assert_eq!(shown["tags"], serde_json::json!(["fire", "printer"]));
    let kinds: Vec<&str> = shown["history"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["opened", "tags", "tags", "assignee", "closed"]);
    let text = desk.ok(&["tickets", "show", "1"]);
    assert!(text.contains("closed, by agent anna@helpdesk.example"), "{text}");
    assert!(text.contains("of staff"), "{text}");
    desk.audit();
}

#[test]
fn nobody_who_is_no_end_user_is_made_one_who_can_log_in_c_08() {
    let desk = Desk::new(CONTOSO);
    let add = |from: &str| {
        desk.ok(&["tickets", "add", "--from", from, "--subject", "s", "--text", "It smokes."])
    };
    let said = add("noreply@y.example");
    assert!(said.contains("no user is made of it, and no mail goes out"), "{said}");
    assert!(list(&desk, &["users", "list"]).is_empty() && templates(&desk).is_empty());
    let said = add(ANNA);
    assert!(!said.contains("nobody reads"), "{said}");
    assert_eq!(desk.json(&["users", "show", ANNA])["name"], "Anna Weiss");
    let said = desk.ok(&["users", "set", ANNA, "--access", "full"]);
    assert!(
        said.contains("they get no credentials by mail: the address is ours, a staff"),
        "{said}"
    );
    assert_eq!(templates(&desk), ["ticket_received"]);
    desk.audit();
}

#[test]
fn whoever_is_to_hear_nothing_hears_nothing() {
    let desk = Desk::new(CONTOSO);
    let add = ["tickets", "add", "--from", "x@y.example", "--name", "Ana Silva", "--subject", "s"];
    let output = desk.run_with(&[&add[..], &["--no-mail", "-"]].concat(), b"By telephone.\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(templates(&desk).is_empty());
    let user = desk.json(&["users", "show", "x@y.example"]);
    assert_eq!(
        (user["name"].as_str(), user["credentials"].as_str()),
        (Some("Ana Silva"), Some("not_due"))
    );
    desk.audit();
}

#[test]
fn what_cannot_be_done_is_refused_with_the_way_out() {
    let desk = Desk::new(CONTOSO);
    desk.deliver("1767600000.1.a", &message(CLAIRE, "Fire", "1@contoso.example", "", "It burns."));
    desk.ok(&["run", "--once"]);
    let rows: [(&[&str], i32, &str); 12] = [
        (&["tickets", "reply", "7", "--text", "x"], 66, "there is no ticket 7"),
        (&["tickets", "reply", "1"], 2, "there is no text"),
        (&["tickets", "reply", "1", "--text", " "], 2, "nothing in it"),
        (&["tickets", "reply", "1", "missing.txt"], 66, "cannot be read"),
        (&["tickets", "reply", "1", "--text", "x", "--as", "otto@x.example"], 66, "the agent"),
        (&["tickets", "reply", "1", "--quick", "nothing"], 66, "no `[[quick_reply]]`"),
        (&["tickets", "set", "1"], 2, "nothing is to be changed"),
        (&["tickets", "set", "1", "--site", "Nowhere"], 66, "`guichet sites list`"),
        (&["tickets", "set", "1", "--requester", "x@y.example"], 66, "users add"),
        (&["tickets", "set", "1", "--tag", "two words"], 1, "is no tag"),
        (&["tickets", "merge", "1", "1"], 1, "into itself"),
        (
            &[
                "tickets",
                "add",
                "--from",
                "support@helpdesk.example",
                "--subject",
                "s",
                "--text",
                "x",
            ],
            1,
            "our own",
        ),
    ];
    for (args, code, said) in rows {
        let stderr = fails(&desk, args, code);
        let plain = stderr.replace(
            &format!("{} -c {}", crate::support::program().display(), desk.config().display()),
            "guichet",
        );
        assert!(plain.contains(said), "guichet {args:?}: {stderr}");
    }
    let latin = desk.run_with(&["tickets", "reply", "1", "-"], b"caf\xe9");
    let said = String::from_utf8_lossy(&latin.stderr);
    assert_eq!(latin.status.code(), Some(65), "{said}");
    assert!(
        said.contains("standard input is no text in UTF-8") && said.contains("iconv"),
        "{said}"
    );
    assert_eq!(templates(&desk).len(), 2, "the acknowledgement and the credentials");
    desk.audit();
}

#[test]
fn two_tickets_become_one_when_somebody_says_so() {
    let desk = Desk::new(CONTOSO);
    for n in 1..=2 {
        let id = format!("{n}@contoso.example");
        desk.deliver(
            &format!("176760000{n}.{n}.a"),
            &message(CLAIRE, "Fire", &id, "", &format!("It burns, {n}.")),
        );
    }
    desk.ok(&["run", "--once"]);
    let stderr = fails(&desk, &["tickets", "merge", "2", "1"], 2);
    assert!(stderr.contains("--yes"), "{stderr}");
    desk.ok(&["tickets", "merge", "2", "1", "--yes", "--as", ANNA]);
    let shown = desk.json(&["tickets", "show", "1"]);
    assert_eq!(shown["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(desk.json(&["tickets", "show", "2"])["merged_into"], 1);
    let added = desk.json(&["tickets", "reply", "2", "--text", "Both are out."]);
    assert_eq!(added["ticket"], 1);
    desk.audit();
}

#[test]
fn a_quick_reply_is_what_its_template_says() {
    let quick = "[[quick_reply]]\nname = \"Off and on\"\ntemplate = \"quick_restart\"\n\
                 [templates]\ndir = \"templates\"\n";
    let desk = Desk::new(&format!("{CONTOSO}{quick}"));
    fs::create_dir(desk.path().join("templates")).expect("a folder");
    let text = "Subject: Restart\n\nHello {{ user.first_name }},\nplease restart it (ticket {{ ticket.number }}).\n\n{{ agent.name }}\n";
    fs::write(desk.path().join("templates/quick_restart.en.txt"), text).expect("it is written");
    desk.deliver(
        "1767600000.1.a",
        &message(CLAIRE, "Fire {{ portal.url }}", "1@contoso.example", "", "It burns."),
    );
    desk.ok(&["run", "--once"]);
    desk.ok(&["tickets", "reply", "1", "--quick", "off and on", "--as", ANNA]);
    let shown = desk.json(&["tickets", "show", "1"]);
    let said = shown["messages"][1]["visible"].as_str().expect("a text");
    assert_eq!(said, "Hello Claire,\nplease restart it (ticket 1).\n\nAnna Weiss");
    desk.audit();
}

#[test]
fn while_a_guichet_runs_it_does_the_walking() {
    let desk = Desk::new(CONTOSO);
    let daemon = desk.start();
    wait_for("the store", 20, || desk.path().join("state/guichet.db").exists());
    let add = ["tickets", "add", "--from", CLAIRE, "--subject", "s", "--text", "By telephone."];
    let lock = desk.path().join("state/guichet.db.lock");
    let pid = daemon.pid().to_string();
    wait_for("the daemon to have its role", 20, || {
        fs::read_to_string(&lock).is_ok_and(|holder| holder.trim() == pid)
    });
    let added = desk.json(&add);
    assert_eq!((&added["outcome"], &added["ticket"]), (&"accepted".into(), &1.into()), "{added}");
    let queued = added["queued"].as_array().expect("a list");
    let templates: Vec<&str> = queued.iter().filter_map(|mail| mail["template"].as_str()).collect();
    assert_eq!(templates.len(), 2, "what goes out is said: {templates:?}");
    assert!(templates.contains(&"credentials") && templates.contains(&"ticket_received"));
    wait_for("the mails", 20, || desk.sent().len() >= 2);
    assert_eq!(daemon.stop(), Some(0));
    desk.audit();
}

#[test]
fn staff_is_told_who_asks_and_who_entered_it() {
    let otto = "[[agent]]\nname = \"Otto\"\nemail = \"otto@helpdesk.example\"\n";
    let desk = Desk::new(&format!("{CONTOSO}{otto}"));
    let told = |words: &str| {
        desk.ok(&["run", "--once"]);
        let sent = desk.sent();
        let mut mails = sent.iter().map(|raw| mail::read(raw).expect("our mail can be read"));
        let is_notice = |one: &mail::InboundMessage| {
            one.to.iter().any(|to| to.address.starts_with("otto@")) && one.text.contains(words)
        };
        let notice = mails.find(is_notice).unwrap_or_else(|| panic!("no notice of {words}"));
        (notice.subject, notice.text)
    };
    let call = ["tickets", "add", "--from", CLAIRE, "--subject", "Printer", "--text"];
    let asker = "From: Claire Johnson <claire.johnson@contoso.example>";
    desk.ok(&[&call[..], &["It smokes."]].concat());
    let (subject, text) = told("It smokes.");
    assert!(subject.contains("Claire Johnson: Printer"), "{subject}");
    assert!(text.contains(asker), "{text}");
    assert!(text.contains("Entered by: support@helpdesk.example"), "{text}");
    desk.ok(&[&call[..], &["It burns.", "--as", ANNA]].concat());
    let (_, text) = told("It burns.");
    assert!(text.contains(asker) && text.contains("Entered by: Anna Weiss <anna@"), "{text}");
    // She is known, although her mail does not give her name.
    desk.deliver("1767600000.1.a", &message(CLAIRE, "Fire", "1@contoso.example", "", "Help!"));
    let (_, text) = told("Help!");
    assert!(text.contains(asker) && !text.contains("Entered by"), "{text}");
}
