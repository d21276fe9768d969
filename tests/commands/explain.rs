//! `explain`, `replay` and `ingest`: what is told of messages in files, and of those in the store.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Desk, message};
use crate::{CONTOSO, desk, fails, list};

fn objects(output: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(output);
    text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

/// One object that `explain` tells of `raw`.
fn explained(desk: &Desk, raw: &[u8]) -> Value {
    let output = desk.run_with(&["explain", "-", "--json"], raw);
    objects(&output.stdout).remove(0)
}

#[test]
fn what_was_decided_is_told_as_it_was() {
    let desk = Desk::new(CONTOSO);
    let answer = "In-Reply-To: <1@contoso.example>\r\n";
    let body = "Now it works.\r\n\r\nOn Mon, 5 Jan 2026 at 09:00, Support wrote:\r\n> Try again.";
    let first = message("info@contoso.example", "Hi", "1@contoso.example", "", "Hello");
    let dated = "Date: Mon, 5 Jan 2026 09:00:00 +0000";
    let undated = String::from_utf8(first).expect("ASCII").replace(dated, "Date: yesterday");
    desk.deliver("1767600000.1.a", undated.as_bytes());
    let second = message("info@contoso.example", "Re: Hi", "2@contoso.example", answer, body);
    desk.deliver("1767600001.2.a", &second);
    desk.ok(&["run", "--once"]);
    let told = objects(desk.ok(&["explain", "1", "--json"]).as_bytes());
    assert_eq!(told.len(), 2, "one line a message of the ticket");
    // The flags that only the settings and the arrival could tell, and the date of M-27.
    assert_eq!(told[0]["message"]["flags"], serde_json::json!(["date_repaired", "role"]));
    assert_eq!(told[0]["message"]["date"], "2026-01-05T08:00:00Z", "its arrival (E-56)");
    assert_eq!(told[1]["message"]["reply"], "Now it works.");
    assert_eq!(told[1]["ticket"]["number"], 1);
}

// Who, what kind, which site, which ticket, what is sent, each with its reason and its key.
#[test]
fn a_support_lead_reads_a_story() {
    let desk = Desk::new(CONTOSO);
    let mail = message(
        "Claire <claire.johnson@contoso.example>",
        "The printer",
        "1@contoso.example",
        "Auto-Submitted: no\r\n",
        "It burns.\r\n\r\n-- \r\nClaire",
    );
    let told = desk.run_with(&["explain", "-"], &mail);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let expected = "-
  Claire <claire.johnson@contoso.example> wrote on 2026-01-05 09:00 UTC: The printer

  Who      Claire Johnson <claire.johnson@contoso.example>, a new user
           - the sender is `claire.johnson@contoso.example`, named in `from` (M-34)
           - local part `claire.johnson` split at the first dot (M-48, `users.names.split_on`)
           - `claire.johnson@contoso.example` is unknown: a user is made (M-55, `users.auto_create`)
  Kind     a person's mail
           - no automatic marks (M-54)
  Outcome  opens a new ticket (accepted, ticket_created)
  Site     Contoso, by domain contoso.example
           - the domain `contoso.example` belongs to `Contoso` (M-107, `sites`)
  Ticket   a new one
           - nothing in it leads to a ticket that exists: it opens a new one (M-79)
  Mail     `ticket_received` goes to claire.johnson@contoso.example
           `credentials` goes to claire.johnson@contoso.example
           - a new ticket of a person is acknowledged (M-72)
           - nothing speaks against sending credentials (C-01…C-14, `credentials.send`)

  | It burns.
  folded: 2 lines of signature (M-97)
";
    assert_eq!(told, expected);
}

#[test]
fn the_story_in_the_readme_is_told_to_the_letter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let prompt = "$ guichet -c config/demo.toml explain ";
    let (_, shown) = readme.split_once(prompt).expect("an explanation");
    let (path, shown) = shown.split_once('\n').expect("a line");
    let (shown, _) = shown.split_once("```").expect("an end");
    let mut command = Command::new(env!("CARGO_BIN_EXE_guichet"));
    command.args(["-c", "config/demo.toml", "explain", path]).env("NO_COLOR", "1");
    let told = command.current_dir(root).output().expect("the binary starts");
    assert_eq!(String::from_utf8_lossy(&told.stdout), shown);
}

#[test]
fn the_story_of_a_bounce_names_who_did_not_get_the_mail() {
    let desk = Desk::new("");
    let told = desk.ok(&[
        "explain",
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/mail/a_bounce_of_our_mail.eml"),
    ]);
    for said in [
        "Kind     a bounce",
        "- recipient ",
        "failed, 5.1.1",
        "(ignored, bounce_unmatched)\n           - no mail of ours",
        "its sender is a robot",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
}

// What is refused, set aside or shown to staff says by which key, beside the outcome.
#[test]
fn the_deciding_key_stands_beside_the_outcome() {
    let desk = Desk::new("[filters]\nauthserv_id = \"mx.helpdesk.example\"\n");
    for (fixture, expected) in [
        (
            "a_mail_that_its_domain_disowns",
            "(accepted, staff_ticket_created)\n           - the mail server \
             `mx.helpdesk.example` found that the sender's domain disowns it: dmarc=fail \
             header.from=myorg.example (R-34, \
             `filters.dmarc_fail`)\n",
        ),
        (
            "a_mail_that_a_spam_filter_marked",
            "(accepted, staff_ticket_created)\n           - a spam filter marked it: \
             X-Spam-Flag=YES (M-01, `filters.spam_headers`)\n",
        ),
        (
            "an_out_of_office_reply",
            "(ignored, auto_reply)\n           - a machine's answer without a ticket to note it on \
             is ignored (M-55, `filters.auto_reply`)\n",
        ),
        (
            "two_different_from_fields",
            "  Who      unclear\n           - the message has several From",
        ),
    ] {
        let path = format!("{}/fixtures/mail/{fixture}.eml", env!("CARGO_MANIFEST_DIR"));
        let told = desk.run(&["explain", &path]).stdout;
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains(expected), "{fixture}: {told}");
    }
}

#[test]
fn m_91_a_reply_is_told_as_its_ticket_made_it_out() {
    let desk = Desk::new("");
    let said = "The printer in the second office smokes.\nNobody dares to open its lid any more.";
    let mail = |name: &str, fields: &str, text: &str| {
        format!(
            "From: claire@contoso.example\nTo: support@helpdesk.example\nSubject: Printer\n\
             Message-ID: <{name}@contoso.example>\n{fields}\n{text}\n"
        )
    };
    desk.deliver("1767600000.1.a", mail("one", "", said).as_bytes());
    let fields = "In-Reply-To: <one@contoso.example>\n";
    let repeated = format!("It is out.\n\n{said}");
    desk.deliver("1767600060.2.a", mail("two", fields, &repeated).as_bytes());
    desk.ok(&["run", "--once"]);
    let told = objects(desk.ok(&["explain", "1", "--json"]).as_bytes());
    // What came later changes nothing about the first one.
    assert_eq!(told[0]["message"]["reply"], said);
    assert_eq!(told[1]["message"]["reply"], "It is out.");
    assert_eq!(told[1]["message"]["text"], format!("{repeated}\n"));
    let shown = desk.json(&["tickets", "show", "1"]);
    assert_eq!(shown["messages"][1]["visible"], "It is out.");
}

#[test]
fn what_waits_is_told_as_an_object_too() {
    let desk = Desk::new("");
    for n in 0..2 {
        let id = format!("{n}@contoso.example");
        let mail = message("claire@contoso.example", &format!("Mail {n}"), &id, "", "Hello");
        desk.deliver(&format!("176760000{n}.{n}.a"), &mail);
    }
    desk.ok(&["run", "--once"]);
    // As if the second one had only just come in.
    let store = rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("it opens");
    let mut ids = store.prepare("SELECT id FROM message ORDER BY arrived_at").expect("a statement");
    let ids: Vec<String> = ids
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("the ids of both messages");
    store
        .execute_batch(&format!(
            "DELETE FROM ticket_message WHERE message = '{0}'; \
             DELETE FROM decision WHERE message = '{0}'",
            ids[1]
        ))
        .expect("it is undecided");
    let told = objects(desk.ok(&["explain", &ids[1], "--json"]).as_bytes());
    assert_eq!((&told[0]["outcome"], &told[0]["reason"]), (&Value::Null, &Value::Null));
    assert_eq!(told[0]["message"]["subject"], "Mail 1");
    assert!(desk.ok(&["explain", &ids[1]]).contains("waits to be decided"));
}

// E-142: what waits for room says by which limit, and until when.
#[test]
fn a_message_over_a_limit_says_what_it_waits_for() {
    let desk = Desk::new("[limits]\nper_sender = \"1/h\"\n");
    // Limits count by arrival: these have just come.
    let now = arrival();
    for n in 0..2 {
        let id = format!("{n}@contoso.example");
        let mail = message("claire@contoso.example", &format!("Mail {n}"), &id, "", "Hello");
        desk.deliver(&format!("{now}.{n}.a"), &mail);
    }
    let output = desk.run(&["run", "--once"]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert!(log.contains("its sender is over `limits.per_sender`"), "{log}");
    assert!(log.contains("1 × left waiting for room, by `limits.per_sender`"), "{log}");
    let store = rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("it opens");
    let deferred = "SELECT id FROM message WHERE state = 'deferred'";
    let id: String = store.query_row(deferred, [], |row| row.get(0)).expect("one waits");
    let told = desk.ok(&["explain", &id]);
    assert!(told.contains("decided after") && told.contains("`limits`"), "{told}");
}

#[expect(clippy::disallowed_methods, reason = "the daemon lives in the machine's time")]
fn arrival() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[test]
fn the_version_is_told_as_an_option_too() {
    let desk = Desk::new("");
    assert!(desk.ok(&["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_dash_is_standard_input() {
    let desk = Desk::new(CONTOSO);
    let mail = message("claire@contoso.example", "Hi", "1@contoso.example", "", "Hello");
    let replayed = desk.run_with(&["replay", "-", "--json"], &mail);
    let told = objects(&replayed.stdout).remove(0);
    assert_eq!((&told["path"], &told["reason"]), (&"-".into(), &"ticket_created".into()));
    assert_eq!(explained(&desk, &mail)["path"], "-");
    let ingested = desk.run_with(&["ingest", "-", "--json"], &mail);
    let told: Value = serde_json::from_slice(&ingested.stdout).expect("it is JSON");
    assert_eq!(told[0]["reason"], "ticket_created");
    let unreadable = desk.run_with(&["ingest", "-"], b"no mail");
    assert_eq!(unreadable.status.code(), Some(65), "M-05");
    assert!(String::from_utf8_lossy(&unreadable.stderr).contains("`-` cannot be read"));
}

#[test]
fn m_04_a_file_over_the_limit_is_a_stub_wherever_it_comes_from() {
    let desk = Desk::new("max_message_size = \"20KB\"\n");
    let long = "A line of the text that is far too long.\r\n".repeat(10_000);
    let mail = message("claire@contoso.example", "Hi", "1@contoso.example", "", &long);
    fs::write(desk.path().join("long.eml"), &mail).expect("a file");
    let is_stub = |told: &Value| {
        assert_eq!(told["reason"], "ticket_created");
        let flags = told["message"]["flags"].as_array().expect("a list");
        assert!(flags.contains(&"too_large".into()), "{flags:?}");
        assert!(told["message"]["size"].as_u64().expect("a number") < 300_000);
    };
    is_stub(&explained(&desk, &mail));
    is_stub(&objects(desk.ok(&["explain", "long.eml", "--json"]).as_bytes())[0]);
    is_stub(&objects(desk.ok(&["replay", "long.eml", "--json"]).as_bytes())[0]);
    desk.ok(&["ingest", "long.eml"]);
    is_stub(&objects(desk.ok(&["explain", "1", "--json"]).as_bytes())[0]);
    desk.ok(&["run", "--once"]);
    let told = list(&desk, &["outbox", "list"]);
    let told: Vec<&Value> = told.iter().filter(|mail| mail["template"] == "too_large").collect();
    assert_eq!(told.len(), 1, "the sender is told once");
    assert_eq!(told[0]["state"], "sent");
}

#[test]
fn ingest_takes_many_in_once_and_says_so() {
    let desk = Desk::new("");
    let folder = desk.path().join("many");
    fs::create_dir(&folder).expect("a folder");
    for n in 0..150 {
        let mail = message(
            &format!("user{n}@contoso.example"),
            &format!("Mail {n}"),
            &format!("{n}@contoso.example"),
            "",
            "Hello",
        );
        fs::write(folder.join(format!("{n}.eml")), mail).expect("a file");
    }
    let dry = desk.json(&["ingest", "-n", "many"]);
    assert_eq!((&dry["mailbox"], &dry["messages"]), (&"support".into(), &150.into()));
    assert!(desk.lines(&["log"]).is_empty(), "a dry run takes nothing in");
    assert_eq!(list(&desk, &["ingest", "many"]).len(), 150);
    let again = desk.run(&["ingest", "many"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("150 messages taken in before"));
    desk.audit();
}

#[test]
fn what_cannot_be_read_or_written_has_its_exit_code() {
    let desk = desk();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail");
    let folder = fixtures.to_str().expect("UTF-8");
    for (args, code, said) in [
        (&["replay", "nosuch"][..], 66, "`nosuch` cannot be read as mail"),
        (&["ingest", "nosuch"], 66, "`nosuch` cannot be read as mail"),
        (&["explain", "nosuch"], 66, "no message id"),
        (&["explain", folder], 66, "cannot be read as mail"),
        (&["explain", "1", "-o", "csv"], 2, "cannot be written as CSV"),
        (&["replay", folder, "-o", "csv"], 2, "cannot be written as CSV"),
    ] {
        let stderr = fails(&desk, args, code);
        assert!(stderr.contains(said) && stderr.contains("hint: "), "{args:?}: {stderr}");
    }
}

#[test]
fn e_25_m_09_a_mail_to_two_mailboxes_is_one_ticket_that_names_both() {
    let second = "[[mailbox]]\nname = \"second\"\nprovider = \"maildir\"\npath = \"mail2\"\n\
                  address = \"it@helpdesk.example\"\nstart = \"all\"\n";
    let desk = Desk::new(second);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(desk.path().join("mail2").join(part)).expect("a maildir");
    }
    let mail = message("claire@contoso.example", "Hi", "1@contoso.example", "", "Hello");
    desk.deliver("1767600000.1.a", &mail);
    desk.ok(&["run", "--once"]);
    fs::write(desk.path().join("mail2/new/1767600001.1.b"), &mail).expect("it is delivered");
    desk.ok(&["run", "--once"]);
    assert_eq!(list(&desk, &["tickets", "list"]).len(), 1);
    let ticket = desk.json(&["tickets", "show", "1"]);
    assert_eq!(
        (&ticket["mailbox"], ticket["messages"].as_array().map(Vec::len)),
        (&"support".into(), Some(1))
    );
    assert_eq!(ticket["messages"][0]["also_in"], serde_json::json!(["second"]));
    assert!(desk.ok(&["tickets", "show", "1"]).contains("came again to second"));
    desk.audit();
}
