//! The noun commands, each by the real binary on a desk of its own: what they print, what they change,
//! how they refuse; those that change accounts on both databases. Takes about a minute.

mod accounts;
mod answers;
mod explain;
mod handing;
mod imports;
mod mailboxes;
mod messages;
mod portal;
mod signals;
#[path = "../support/mod.rs"]
mod support;
mod templates;
mod tickets;
mod users;

use std::fs;
use std::process::Output;

use serde_json::Value;
use support::{Database, Desk, message, wait_for};

macro_rules! on_both {
    ($($room:ident: $($test:ident)*;)*) => {
        on_both!(on_postgres, Postgres, $($room: $($test)*;)*);
        on_both!(on_sqlite, Sqlite, $($room: $($test)*;)*);
    };
    ($module:ident, $database:ident, $($room:ident: $($test:ident)*;)*) => {
        mod $module {
            $(mod $room {
                $(#[test]
                fn $test() {
                    crate::$room::$test(crate::support::Database::$database);
                })*
            })*
        }
    };
}

on_both! {
    accounts:
        a_user_made_by_mail_is_upgraded_in_place_and_told_once
        credentials_by_hand_are_refused_by_name
        sites_are_made_changed_and_deleted_by_hand
        t_26_a_password_is_reset_by_mail_or_by_telephone_and_nothing_is_kept_of_it
        t_54_a_user_who_is_disabled_or_deleted_gets_nothing_by_writing
        t_56_a_name_made_of_an_address_is_plain_text
        tickets_of_a_deleted_user_stay_go_or_lose_their_name
        two_accounts_of_one_person_become_one
        who_is_added_by_hand_after_a_mail_made_them_is_the_same_user;
    imports:
        a_table_is_tried_taken_over_and_taken_again_without_a_change
        empty_cells_leave_or_empty_and_the_deleted_come_back_only_when_asked_for
        many_rows_are_taken_in_many_transactions_within_the_budgets
        sites_are_imported_but_not_those_the_configuration_declares
        t_41_what_is_exported_is_inert_and_is_imported_again
        tables_of_other_programs_are_known_by_their_columns
        what_cannot_be_imported_is_said;
    handing:
        a_requester_without_an_account_gets_no_credentials
        m_25_a_locked_file_is_released_once_and_the_history_says_so
        t_22_t_26_a_quick_reply_brings_credentials_in_a_mail_of_its_own;
}

const CONTOSO: &str = "[credentials]\nmax_age = \"36500d\"\n[[agent]]\nname = \"Anna Weiss\"\n\
    email = \"anna@helpdesk.example\"\nnotify = []\n[[site]]\nname = \"Contoso\"\ndomains = [\"contoso.example\"]\n";

/// A desk with a ticket of two messages and an attachment, its mails sent, and a held message.
fn desk() -> Desk {
    desk_on(Database::Sqlite)
}

fn desk_on(database: Database) -> Desk {
    let desk = Desk::on(database, CONTOSO);
    let part = |head: &str, body: &str| format!("--x\r\n{head}\r\n\r\n{body}\r\n");
    let log = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"../log.txt\"\r\n\
               Content-Transfer-Encoding: base64";
    let first = format!(
        "From: Claire <claire.johnson@contoso.example>\r\nTo: support@helpdesk.example\r\n\
         Subject: =HYPERLINK(1)\r\nMessage-ID: <1@contoso.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n{}{}--x--\r\n",
        part("Content-Type: text/plain; charset=utf-8", "It \u{1b}[31mburns\u{9b}2J \u{202e}now."),
        part(log, "aGVsbG8K"),
    );
    desk.deliver("1767600000.1.a", first.as_bytes());
    let answer = "In-Reply-To: <1@contoso.example>\r\n";
    let second =
        message("claire.johnson@contoso.example", "Re: fire", "2@contoso.example", answer, "Out.");
    desk.deliver("1767600001.2.a", &second);
    desk.deliver("1767600002.3.a", b"no header at all");
    desk.ok(&["run", "--once"]);
    desk
}

/// Standard error of a run that ends with `code`.
fn fails(desk: &Desk, args: &[&str], code: i32) -> String {
    let Output { status, stdout, stderr } = desk.run(args);
    let (said, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert_eq!(status.code(), Some(code), "guichet {args:?}:\n{said}\n{stderr}");
    stderr.into_owned()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a command answers whose result is a list.
fn list(desk: &Desk, args: &[&str]) -> Vec<Value> {
    desk.json(args).as_array().expect("a list").clone()
}

#[test]
fn every_list_is_a_table_json_json_lines_and_csv() {
    let desk = desk();
    desk.ok(&["users", "add", "omar@unknown.example"]);
    for (command, column) in [
        ("users list", "credentials"),
        ("sites list", "domains"),
        ("sites unmatched", "users"),
        ("tickets list", "requester"),
        ("held list", "reason"),
        ("outbox list", "template"),
        ("log", "outcome"),
        ("log --totals", "messages"),
    ] {
        let args: Vec<&str> = command.split(' ').collect();
        let rows = list(&desk, &args);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.get(column).is_some()), "{command}");
        assert_eq!(desk.lines(&args), rows, "{command}");
        let table = desk.ok(&args);
        assert!(
            table.lines().next().expect("a header").contains(&column.to_uppercase()),
            "{command}"
        );
        assert_eq!(table.lines().count(), rows.len() + 1, "{command}");
        let csv = desk.ok(&[&args[..], &["-o", "csv"]].concat());
        assert!(
            csv.lines().next().expect("a header").split(',').any(|one| one == column),
            "{command}"
        );
        assert_eq!(csv.lines().count(), rows.len() + 1, "{command}");
    }
    assert!(desk.ok(&["tickets", "list", "-o", "csv"]).contains("'=HYPERLINK"), "T-41");
    let users = list(&desk, &["users", "list"]);
    let mut keys: Vec<&String> = users[0].as_object().expect("an object").keys().collect();
    let csv = desk.ok(&["users", "list", "-o", "csv"]);
    let mut columns: Vec<&str> = csv.lines().next().expect("a header").split(',').collect();
    keys.sort();
    columns.sort();
    assert_eq!(columns, keys, "a table for programs has what JSON has");
}

#[test]
fn every_thing_is_shown_to_people_and_to_programs() {
    let desk = desk();
    let held = text(&list(&desk, &["held", "list"])[0]["id"]);
    let mails = list(&desk, &["outbox", "list"]);
    let credentials = mails.iter().find(|mail| mail["template"] == "credentials");
    let credentials = credentials.expect("a mail with credentials")["id"].to_string();
    for (command, field, words) in [
        ("users show claire.johnson@contoso.example", "addresses", "Claire Johnson"),
        ("sites show Contoso", "declared_at", "guichet.toml:"),
        ("sites match x@mail.contoso.example", "rule", "M-107"),
        ("tickets show 1", "people", "Out."),
        (&format!("held show {held}"), "steps", "M-05"),
        (&format!("outbox show {credentials}"), "body", "[redacted]"),
        ("audit", "equations", "the books balance"),
        ("db verify", "problems", "sound"),
        ("db migrate", "up_to_date", "up to date"),
    ] {
        let args: Vec<&str> = command.split(' ').collect();
        assert!(desk.json(&args).get(field).is_some(), "{command}");
        assert!(desk.ok(&args).contains(words), "{command}: {}", desk.ok(&args));
    }
}

#[test]
fn p_17_books_that_do_not_balance_are_told() {
    let desk = desk();
    let lost = text(&list(&desk, &["log", "--outcome", "held"])[0]["message"]);
    let store = rusqlite::Connection::open(desk.path().join("state/guichet.db")).expect("it opens");
    store.execute("DELETE FROM decision WHERE message = ?1", [&lost]).expect("it is deleted");
    for command in [&["audit"][..], &["db", "verify"]] {
        let output = desk.run(command);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&lost), "{said}");
    }
    let output = desk.run(&["audit", "--json"]);
    let books: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(books["balances"], false);
}

#[test]
fn a_backup_is_a_whole_store_made_beside_a_running_daemon() {
    let desk = desk();
    let daemon = desk.start();
    let log = desk.path().join("daemon.log");
    wait_for("the daemon", 20, || !fs::read(&log).expect("a log").is_empty());
    let second = fails(&desk, &["run", "--once"], 75);
    assert!(second.contains(&daemon.pid().to_string()), "{second}");
    desk.ok(&["users", "add", "omar@contoso.example"]);
    desk.ok(&["db", "backup", "copy.db"]);
    let to_omar = ["outbox", "list", "--to", "omar@contoso.example"];
    wait_for("the mail to go", 20, || list(&desk, &to_omar)[0]["state"] == "sent");
    desk.audit();
    assert_eq!(daemon.stop(), Some(0));
    assert!(fails(&desk, &["db", "backup", "copy.db"], 73).contains("not overwritten"));
    fails(&desk, &["db", "backup", "no/folder.db"], 73);
    fails(&desk, &["db", "backup", "-"], 2);
    let other = Desk::new(CONTOSO);
    fs::create_dir_all(other.path().join("state")).expect("a folder");
    fs::copy(desk.path().join("copy.db"), other.path().join("state/guichet.db")).expect("a copy");
    assert_eq!(list(&other, &["users", "list"]).len(), 2);
    other.audit();
}

#[test]
fn check_tells_all_that_is_wrong_with_its_place() {
    let desk = Desk::new("");
    assert!(desk.ok(&["check"]).contains("is in order"));
    assert_eq!(desk.ok(&["check", "-q"]), "");
    let anyone = ["--set", "threading.sender_check=anyone"];
    desk.ok(&[&["check"], &anyone[..]].concat());
    assert!(
        fails(&desk, &[&["check", "--strict"], &anyone[..]].concat(), 78).contains("1 warning")
    );
    let templates = desk.path().join("templates");
    fs::create_dir(&templates).expect("a folder");
    let text = "Subject: x\n\nHello {{ user.nam }}\n{[Portal adress]}\n";
    fs::write(templates.join("credentials.en.txt"), text).expect("a template");
    let said = fails(&desk, &["check", "--set", "templates.dir=templates"], 78);
    for part in [
        "credentials.en.txt:3",
        "credentials.en.txt:4",
        "hint: did you mean `user.name`?",
        "2 errors",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let output = desk.run(&["check", "--json", "--set", "templates.dir=templates"]);
    let problems: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!((&problems[0]["severity"], &problems[0]["line"]), (&"error".into(), &3.into()));
    fails(&desk, &["check", "--set", "credentials.template=nope"], 78);
    let said = fails(&desk, &["check", "--set", "templates.dir=/nope"], 78);
    assert!(said.contains("--set:1:15") && said.contains("1 error,"), "each once: {said}");
    fails(&desk, &["users", "list", "--set", "userz=1"], 78);
}

#[test]
fn check_knows_the_templates_of_quick_replies() {
    let desk = Desk::new("[[quick_reply]]\nname = \"x\"\ntemplate = \"quick_portal_acces\"\n");
    let said = fails(&desk, &["check"], 78);
    for part in [
        "guichet.toml:17:12",
        "there is no template `quick_portal_acces`",
        "hint: did you mean `quick_portal_access`?",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    fails(&desk, &["templates", "check"], 78);
    // One site's own is one as well; what it says wrongly is told with its place.
    let own = desk.path().join("templates/sites/contoso");
    fs::create_dir_all(&own).expect("a folder");
    let write = |text: &str| {
        fs::write(own.join("quick_portal_acces.en.txt"), text).expect("it is written");
    };
    write("Subject: x\n\n{{ portal.usrname }}\n");
    let said = fails(&desk, &["check"], 78);
    assert!(said.contains("quick_portal_acces.en.txt:3:4"), "{said}");
    assert!(said.contains("did you mean `portal.username`?"), "{said}");
    // A mail with credentials is about no ticket, and nobody's in particular.
    write("Subject: x\n\n{{ ticket.number }} {{ portal.password }}\n{{ agent.name }}\n");
    desk.ok(&["check"]);
    let said = fails(&desk, &["check", "--strict"], 78);
    assert!(
        said.contains("`ticket.number` will be empty") && said.contains("`agent.name`"),
        "{said}"
    );
    write("Subject: x\n\n{{ ticket.number }} {{ portal.url }}\n");
    desk.ok(&["check", "--strict"]);
}

#[test]
fn check_reads_the_articles_and_says_what_to_do_about_each() {
    let desk = Desk::new("");
    let key = "portal.articles=articles";
    // The portal goes on without them, so this fails the strict alone.
    let said = fails(&desk, &["check", "--strict", "--set", key], 78);
    for part in ["articles`: the folder of articles cannot be read: No such file", "--set:1:17"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(
        said.contains("hint: `portal.articles` names a folder that guichet may read"),
        "{said}"
    );
    assert!(desk.ok(&["check", "--set", key]).contains("with 1 warning"));
    let folder = desk.path().join("articles");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("good.md"), "# Good\n\nText.\n").expect("an article");
    assert!(!desk.ok(&["check", "--strict", "--set", key]).contains("warning"));
    std::os::unix::fs::symlink("nowhere", folder.join("gone.md")).expect("a link");
    fs::write(folder.join("latin.md"), b"# \xe9t\xe9").expect("an article");
    fs::write(folder.join("front.md"), "---\ntitle: x\n---\n# X\n").expect("an article");
    fs::write(folder.join("link.md"), "# L\n\n[x](y.md)\n").expect("an article");
    fs::write(folder.join("far.md"), "# F\n\n![x](http://evil.example/x.png)\n").expect("one");
    let output = desk.run(&["check", "--json", "--set", key]);
    assert_eq!(output.status.code(), Some(0));
    let problems: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let problems = problems.as_array().expect("a list");
    assert_eq!(problems.len(), 5, "{problems:#?}");
    for (file, what, hint) in [
        ("gone.md", "it cannot be read: No such file", "must be allowed to read it"),
        ("latin.md", "not written in UTF-8", "save it as UTF-8"),
        ("front.md", "between `---` at its top", "the title is the first heading"),
        ("far.md", "pictures are shown from the folder alone", "put what it names into the folder"),
        ("link.md", "`y.md` is shown as text", "put what it names into the folder"),
    ] {
        let of_file = |one: &&Value| one["file"].as_str().is_some_and(|name| name.ends_with(file));
        let problem = problems.iter().find(of_file).unwrap_or_else(|| panic!("{file}"));
        assert_eq!(problem["severity"], "warning", "{file}");
        for (field, words) in [("message", what), ("hint", hint)] {
            let said = problem[field].as_str().unwrap_or_default();
            assert!(said.contains(words), "{file}: {said}");
        }
    }
}

#[test]
fn an_empty_name_is_none_and_the_address_gives_it() {
    let desk = desk();
    let added = desk.json(&["users", "add", "nina.weber@b.example", "--name", " ", "--no-mail"]);
    assert_eq!(added["name"], "Nina Weber");
}

#[test]
fn what_cannot_be_done_is_refused_with_its_exit_code_and_a_hint() {
    let desk = desk();
    let nameless = ["users", "set", "claire.johnson@contoso.example", "--name", "  "];
    assert!(fails(&desk, &nameless, 2).contains("is empty"));
    for (command, code, said) in [
        ("users add nonsense", 2, "no address"),
        ("users add a@b.example --access all", 2, "possible values"),
        ("users add a@b.example --locale french", 2, "fr-CA"),
        ("users add a@b.example --locale xx", 2, "`de`, `en`, `es`, `fr`, `it`, `nl`, `pt`"),
        ("users set claire.johnson@contoso.example --locale xx", 2, "no mail is written in `xx`"),
        ("sites add Nordwind --locale xx-YY", 2, "no mail is written in `xx-YY`"),
        ("users add a@b.example --name A --first B", 2, "cannot be used"),
        ("users add a@b.example --site Contosso", 66, "did you mean `Contoso`?"),
        ("users add a@b.example --agent bob@b.example", 66, "anna@helpdesk.example"),
        ("users add anna@helpdesk.example", 2, "the address of an agent"),
        ("users add a@b.example --also support@helpdesk.example", 2, "one of our mailboxes"),
        ("users add no-reply@b.example", 2, "nobody reads"),
        ("users set claire.johnson@contoso.example", 2, "nothing is to be changed"),
        ("users set claire.johnson@contoso.example --add-address x", 2, "no address"),
        ("users show nobody@b.example", 66, "there is no user"),
        ("users list --site Nowhere", 66, "there is no site"),
        ("sites show Contos", 66, "did you mean `Contoso`?"),
        ("sites match nonsense", 2, "no address"),
        ("tickets show twelve", 2, "no ticket number"),
        ("tickets show 12", 66, "there is no ticket 12"),
        ("tickets list --since tomorrow", 2, "is no time"),
        ("tickets list --status done", 2, "possible values"),
        ("tickets raw 1/3", 66, "it has 2 messages"),
        ("tickets raw nope", 66, "there is no message"),
        ("tickets attachment 1 2", 66, "it has 1"),
        ("held list --reason ticket_created", 2, "possible values"),
        ("held release", 2, "required"),
        ("held release --all", 2, "--reason"),
        ("held show nope", 66, "held list"),
        ("outbox show 99", 66, "there is no mail 99"),
        ("outbox list --state gone", 2, "possible values"),
        ("log --outcome done", 2, "possible values"),
        ("log --follow --totals", 2, "cannot be used"),
    ] {
        let stderr = fails(&desk, &command.split(' ').collect::<Vec<_>>(), code);
        assert!(stderr.contains(said), "{command}: {stderr}");
    }
    desk.audit();
}
