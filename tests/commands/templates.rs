//! `templates`: what there is, which one wins, what a mail would say, and texts from elsewhere.

use std::fs;

use serde_json::Value;

use crate::support::Desk;
use crate::{CONTOSO, desk, fails, list};

/// A desk with templates of its own, whose one site is French.
fn with_templates(files: &[(&str, &str)]) -> Desk {
    // `CONTOSO` ends within its site.
    let desk = Desk::new(&format!("{CONTOSO}locale = \"fr\"\n"));
    place(&desk, files);
    desk
}

fn place(desk: &Desk, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = desk.path().join("templates").join(name);
        fs::create_dir_all(path.parent().expect("it is below a folder")).expect("a folder");
        fs::write(path, content).expect("a template is written");
    }
}

const OWN: [(&str, &str); 3] = [
    ("sites/contoso/ticket_received.it.txt", "Subject: Contoso\n\nFor {{ site.name }}.\n"),
    ("mailboxes/support/ticket_received.fr.txt", "Subject: Boîte\n\n{[Ticket ID]}\n"),
    ("welcome.en.txt", "Subject: Welcome\n\nHello {{ user.name }}\n"),
];

#[test]
fn what_there_is_is_listed_with_where_it_comes_from() {
    let desk = with_templates(&OWN);
    let rows = list(&desk, &["templates", "list"]);
    let built_in = rows.iter().filter(|row| row["origin"] == "built-in").count();
    assert_eq!((built_in, rows.len() - built_in), (14 * 7, OWN.len()));
    let received = desk.ok(&["templates", "list", "ticket_received"]);
    assert!(received.contains("de en es fr it nl pt  built-in"), "{received}");
    assert!(received.contains("site contoso"), "{received}");
    assert!(received.contains("templates/mailboxes/support/ticket_received.fr.txt"), "{received}");
    assert_eq!(list(&desk, &["templates", "list", "--locale", "nl"]).len(), 14);
    let said = fails(&desk, &["templates", "list", "ticket_recieved"], 66);
    assert!(said.contains("did you mean `ticket_received`?"), "{said}");
}

#[test]
fn which_one_wins_is_told_with_all_that_was_looked_at() {
    let desk = with_templates(&OWN);
    let won = |args: &[&str]| {
        let args = [&["templates", "which", "ticket_received"][..], args].concat();
        let rows = list(&desk, &args);
        let wins: Vec<&Value> = rows.iter().filter(|row| row["wins"] == true).collect();
        assert_eq!(wins.len(), 1, "{rows:?}");
        let found = wins[0]["found"].as_str().expect("a file").to_owned();
        (found, wins[0]["whose"].as_str().expect("somebody's").to_owned())
    };
    let (file, whose) = won(&["--site", "Contoso", "--locale", "it-CH"]);
    assert!(file.ends_with("sites/contoso/ticket_received.it.txt"), "{file}");
    assert_eq!(whose, "the reader's");
    let (file, whose) = won(&["--site", "Contoso", "--locale", "de"]);
    assert!(file.ends_with("mailboxes/support/ticket_received.fr.txt"), "{file}");
    assert_eq!(whose, "the site's");
    assert_eq!(won(&["--locale", "de"]).0, "built-in ticket_received.de.txt");
    let table = desk.ok(&["templates", "which", "ticket_received", "--locale", "de"]);
    assert!(table.lines().any(|line| line.trim_start().starts_with("*  desk")), "{table}");
    let said = fails(&desk, &["templates", "which", "nothing"], 66);
    assert!(said.contains("there is no template `nothing`"), "{said}");
}

#[test]
fn a_mistake_fails_the_check_with_its_place_and_the_nearest_name() {
    let desk = with_templates(&[("welcome.fr.txt", "Subject: x\n\n{{ user.nme }} {[Prénon]}\n")]);
    let said = fails(&desk, &["templates", "check"], 78);
    for part in ["welcome.fr.txt:3:4", "`user.name`", "welcome.fr.txt:3:16", "{[Prénom]}"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(fails(&desk, &["templates", "preview", "welcome"], 78).contains("welcome.fr.txt:3:4"));
    place(&desk, &[("welcome.fr.txt", "Subject: x\n\n{{ user.name }}\n")]);
    assert!(desk.ok(&["templates", "check"]).contains("in order"));
    place(&desk, &[("ticket_received.fr.txt", "Subject: x\n\n{{ message.text }}\n")]);
    assert!(desk.ok(&["templates", "check"]).contains("with 1 warning"));
    fails(&desk, &["templates", "check", "--strict"], 78);
}

#[test]
fn every_name_is_told_with_how_else_it_may_be_written() {
    let desk = with_templates(&[("aliases.toml", "\"Client final\" = \"site.name\"\n")]);
    let rows = list(&desk, &["templates", "vars"]);
    let site = rows.iter().find(|row| row["name"] == "site.name").expect("it is listed");
    let written: Vec<&str> =
        site["snippets"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(written.contains(&"Nom du site") && written.contains(&"Client final"), "{written:?}");
    assert!(rows.iter().all(|row| row["sample"].is_string()));
}

#[test]
fn a_preview_is_in_the_readers_language_and_mints_nothing() {
    let desk = desk();
    let shown = desk.ok(&["templates", "preview", "credentials", "--locale", "de"]);
    assert!(shown.starts_with("Subject: Ihr Zugang zu "), "{shown}");
    assert!(shown.contains("/portal/activate/sample"), "{shown}");
    let html = desk.ok(&["templates", "preview", "credentials", "--locale", "pt", "--html"]);
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("lang=\"pt\""), "{html}");
    let about = desk.json(&["templates", "preview", "ticket_closed", "--ticket", "1"]);
    assert_eq!(about["subject"], "[#1] Your request has been closed: =HYPERLINK(1)");
    let message = desk.json(&["templates", "preview", "agent_notice", "--message", "1/2"]);
    let text = message["text"].as_str().expect("a text");
    assert!(text.contains("Out.") && text.contains("claire.johnson@contoso.example"), "{text}");
    assert!(text.contains("Organisation: Contoso"), "{text}");
    // What a sender wrote cannot move the cursor (T-40).
    let shown = desk.ok(&["templates", "preview", "agent_notice", "--message", "1/1"]);
    assert!(shown.contains("burns") && !shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']));
    let said = fails(&desk, &["templates", "preview", "agent_notice", "--ticket", "99"], 66);
    assert!(said.contains("there is no ticket 99"), "{said}");
}

#[test]
fn a_preview_about_a_ticket_says_what_a_mail_would() {
    let desk = desk();
    let anna = "anna@helpdesk.example";
    desk.ok(&["tickets", "set", "1", "--priority", "high", "--assignee", anna]);
    desk.ok(&["users", "set", "claire.johnson@contoso.example", "--phone", "+33 1"]);
    let names = [
        "ticket.number",
        "ticket.status",
        "ticket.priority",
        "ticket.department",
        "agent.name",
        "agent.email",
        "change.assignee",
        "site.name",
        "user.name",
        "user.phone",
        "user.mobile",
        "message.text",
        "ticket.url",
    ];
    let line = names.map(|name| format!("{name}: {{{{ {name} }}}}"));
    // What staff sends by hand may quote.
    place(&desk, &[("quick_all.fr.txt", &format!("Subject: x\n\n{}\n", line.join("\n")))]);
    let about =
        desk.json(&["templates", "preview", "quick_all", "--locale", "fr", "--ticket", "1"]);
    let text = about["text"].as_str().expect("a text");
    for said in [
        "ticket.number: 1",
        "ticket.status: ouverte",
        "ticket.priority: haute",
        "ticket.department:",
        "agent.name: Anna Weiss",
        "agent.email: anna@helpdesk.example",
        "change.assignee: Anna Weiss",
        "site.name: Contoso",
        "user.name: Claire Johnson",
        "user.phone: +33 1",
        "user.mobile:",
        "message.text: Out.",
        "ticket.url: https://help.example.com/portal/tickets/1",
    ] {
        assert!(text.lines().any(|line| line.trim_end() == said), "{said}: {text}");
    }
    // The same that a mail says that goes out.
    let mails = list(&desk, &["outbox", "list", "--ticket", "1"]);
    let updated = mails.iter().find(|mail| mail["template"] == "ticket_updated");
    let id = updated.expect("she was told")["id"].to_string();
    desk.ok(&["run", "--once"]);
    let sent = desk.json(&["outbox", "show", &id])["body"].as_str().expect("a body").to_owned();
    let preview = desk.json(&["templates", "preview", "ticket_updated", "--ticket", "1"]);
    assert_eq!(preview["text"].as_str().expect("a text").trim(), sent.trim());
}

#[test]
fn what_is_shown_is_a_template_to_begin_with() {
    let desk = with_templates(&[]);
    fs::create_dir_all(desk.path().join("templates")).expect("a folder");
    for (args, file) in [
        (&["--locale", "fr"][..], "credentials.fr.txt"),
        (&["--locale", "it", "--html"][..], "credentials.it.html"),
    ] {
        let args = [&["templates", "show", "credentials"][..], args].concat();
        let content = desk.ok(&args);
        assert!(content.starts_with("Subject: "), "{content}");
        place(&desk, &[(file, content.as_str())]);
    }
    assert!(desk.ok(&["templates", "check"]).contains("in order"));
    let shown = desk.json(&["templates", "which", "credentials", "--locale", "it"]);
    assert!(shown.to_string().contains("templates/credentials.it.html"), "{shown}");
}

#[test]
fn a_test_mail_goes_out_with_samples_and_is_recorded() {
    let desk = Desk::new(CONTOSO);
    let queued = desk.json(&["templates", "send-test", "boss@contoso.example", "--locale", "es"]);
    desk.ok(&["run", "--once"]);
    let sent = list(&desk, &["outbox", "list"]);
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0]["id"], &sent[0]["state"]), (&queued["id"], &"sent".into()));
    assert_eq!(sent[0]["template"], "test/credentials");
    let id = queued["id"].to_string();
    let shown = desk.json(&["outbox", "show", &id]);
    let subject = shown["subject"].as_str().expect("a subject");
    assert!(subject.starts_with("[Test] Su acceso a "), "{subject}");
    let mail = String::from_utf8_lossy(&desk.sent()[0]).into_owned();
    assert!(mail.contains("portal/activate/sample"), "{mail}");
    // T-26: nothing was minted, nobody was made.
    assert_eq!(desk.json(&["users", "list"]), Value::Array(Vec::new()));
    desk.audit();
    fails(&desk, &["templates", "send-test", "boss@contoso.example", "--template", "nothing"], 66);
    fails(&desk, &["templates", "send-test", "boss"], 2);
}

#[test]
fn texts_of_other_helpdesks_are_converted_and_what_is_unknown_is_told() {
    let desk = Desk::new(CONTOSO);
    let path = |name: &str| desk.path().join(name).display().to_string();
    fs::write(path("atera"), "Subject: x\n\nMot de passe : {[Mot de passe du portail]}\n")
        .expect("written");
    let converted = desk.ok(&["templates", "convert", &path("atera")]);
    assert_eq!(converted, "Subject: x\n\nMot de passe : {{ portal.password }}\n");
    let said = desk.run_with(
        &["templates", "convert", "-", "--to", &path("zammad.txt")],
        b"#{ticket.title}\n  #{ticket.tags}",
    );
    assert_eq!(said.status.code(), Some(65));
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(stderr.contains("-:2:3: `#{ticket.tags}`"), "{stderr}");
    assert!(stderr.contains("Subject:"), "{stderr}");
    let written = fs::read_to_string(path("zammad.txt")).expect("it is written");
    assert_eq!(written, "{{ ticket.subject }}\n  #{ticket.tags}");
    let fields = desk.json(&["templates", "convert", &path("atera")]);
    assert_eq!((&fields["rewritten"], &fields["unknown"]), (&1.into(), &Value::Array(Vec::new())));
    fails(&desk, &["templates", "convert", &path("nowhere")], 66);
}

#[test]
fn templates_lie_beside_the_configuration_wherever_guichet_is_started() {
    // As systemd does.
    let elsewhere = |desk: &Desk, args: &[&str]| {
        let output = desk.command(args).current_dir("/").output().expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).expect("output is UTF-8")
    };
    let own = ("welcome.en.txt", "Subject: Welcome\n\nHello {[Client final]}\n");
    let aliases = ("aliases.toml", "\"Client final\" = \"user.name\"\n");
    let desk = with_templates(&[own, aliases]);
    let place = desk.path().join("templates").join(own.0).display().to_string();
    for set in [&[][..], &["--set", "templates.dir=templates"]] {
        let listed = elsewhere(&desk, &[&["templates", "list", "welcome", "--json"], set].concat());
        assert!(listed.contains(&place), "{set:?}: {listed}");
        // The alias is known too.
        elsewhere(&desk, &[&["check", "--strict"], set].concat());
    }
    let aliases = ["check", "--strict", "--set", "templates.aliases=templates/aliases.toml"];
    elsewhere(&desk, &aliases);
}

#[test]
fn what_is_named_like_something_else_is_told_with_the_nearest() {
    let text = "Subject: x\n\nHello\n";
    let desk = with_templates(&[
        ("credentails.en.txt", text),
        ("sites/contosso/ticket_received.en.txt", text),
        ("sites/contoso/ticket_received.en.txt", text),
        ("sites/by hand/ticket_received.en.txt", text),
        ("welcome.en.txt", text),
    ]);
    for folder in ["Contoso", "contoso", "Elsewhere"] {
        fs::create_dir_all(desk.path().join("articles").join(folder)).expect("a folder");
    }
    let set = ["--set", "portal.articles=articles"];
    let rows = |args: &[&str]| list(&desk, &[args, &set].concat());
    assert_eq!(rows(&["templates", "check"]).len(), 2);
    let rows = rows(&["check"]);
    assert_eq!(rows.len(), 3, "{rows:#?}");
    for (file, message, hint) in [
        ("credentails.en.txt", "no mail is written with a template `credentails`", "`credentials`"),
        ("sites/contosso", "no site is called `contosso`", "`contoso`"),
        ("articles/contoso", "no site is called `contoso`", "`Contoso`"),
    ] {
        let says = |row: &&Value, key: &str, words: &str| {
            row[key].as_str().is_some_and(|said| said.contains(words))
        };
        let row = rows.iter().find(|row| row["file"].as_str().is_some_and(|f| f.ends_with(file)));
        let row = row.unwrap_or_else(|| panic!("{file}: {rows:#?}"));
        assert!(says(&row, "message", message) && says(&row, "hint", hint), "{row}");
        assert_eq!(row["severity"], "warning");
    }
    fails(&desk, &["templates", "check", "--strict"], 78);
}
