//! `guichet mailbox …` and `check --online` by the real binary, against Dovecot, a TLS sink and
//! PostgreSQL; and what the README says of a first mailbox, by the letter. Takes about half a minute.

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use serde_json::Value;
use support::dovecot::{Dovecot, PASSWORD};
use support::sink::{Sink, SinkOptions, SinkSecurity};
use support::tls::Leaf;
use support::{Desk, message, postgres};

/// A desk whose mailbox `support` is on `dovecot`, and answers by `sink`; `more` is added to the
/// keys of the mailbox.
fn desk(dovecot: &Dovecot, sink: &Sink, more: &str) -> Desk {
    let desk = Desk::new("");
    let text = format!(
        "state = \"state\"\nportal.url = \"https://help.example.com\"\n\
         [[mailbox]]\nname = \"support\"\naddress = \"support@helpdesk.example\"\n\
         host = \"127.0.0.1\"\nusername = \"support\"\npassword = {{ file = \"password\" }}\n\
         imap.port = {}\nimap.ca_file = \"{}\"\nsmtp.port = {}\nsmtp.rate = \"off\"\n{more}\n",
        dovecot.ports.imaps,
        dovecot.ca_file().display(),
        sink.port(),
    );
    fs::write(desk.config(), text).expect("it is written");
    secret(&desk, PASSWORD);
    desk
}

fn secret(desk: &Desk, password: &str) {
    let path = desk.path().join("password");
    fs::write(&path, format!("{password}\n")).expect("it is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// A sink with STARTTLS that wants the mailbox's login.
fn sink() -> Sink {
    let login = Some(("PLAIN", "support", PASSWORD));
    Sink::start(SinkOptions { security: SinkSecurity::Starttls, login, ..SinkOptions::default() })
}

/// The exit code and all that was said.
fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// The answer to a command that may fail.
fn answer(desk: &Desk, args: &[&str]) -> (i32, Value) {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    let output = desk.run(&args);
    let json = serde_json::from_slice(&output.stdout).expect("the answer is JSON");
    (output.status.code().unwrap_or(-1), json)
}

fn steps(trial: &Value) -> Vec<&str> {
    let steps = trial["steps"].as_array().expect("a list");
    steps.iter().filter_map(|step| step["step"].as_str()).collect()
}

#[test]
fn a_mailbox_is_tried_out_step_by_step_both_ways() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    dovecot.deliver("support", "INBOX", &message("claire@contoso.example", "Fire", "1@a", "", "x"));
    dovecot.make_folder("support", "Archive");
    let desk = desk(&dovecot, &sink, "");
    let (code, tried) = answer(&desk, &["mailbox", "test", "support"]);
    assert_eq!(code, 0, "{tried:#}");
    let [imap, smtp] = &tried["tried"].as_array().expect("a list")[..] else { panic!("{tried:#}") };
    let expected = ["DNS", "TCP", "TLS", "greeting", "capabilities", "login", "folder"];
    assert_eq!(steps(imap), expected);
    assert_eq!(imap["steps"][6]["seen"], "`INBOX` holds 1 messages");
    assert!(["DNS", "TCP", "TLS", "login"].iter().all(|step| steps(smtp).contains(step)));
    let (code, text) = said(&desk.run(&["mailbox", "test", "support"]));
    assert!(code == 0 && text.contains("`support` works") && !text.contains(PASSWORD), "{text}");
    assert_eq!(sink.mails().len(), 0, "nothing was sent");
    let folders = desk.json(&["mailbox", "folders", "support"]);
    let names: Vec<_> =
        folders.as_array().expect("a list").iter().map(|row| &row["folder"]).collect();
    assert!(names.contains(&&"INBOX".into()) && names.contains(&&"Archive".into()), "{names:?}");
    assert!(!desk.path().join("state").exists(), "neither needs the store");
    assert_eq!(
        said(&desk.run(&["check", "--online", "--strict"])),
        (0, {
            let config = desk.config();
            format!("`{}` is in order\n", config.display())
        })
    );
    assert_eq!(said(&desk.run(&["mailbox", "test", "suport"])).0, 2);
}

#[test]
fn what_is_wrong_with_a_server_is_named_with_the_likely_fix_and_its_exit_code() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    let foreign = Dovecot::with(Leaf::Foreign, "");
    let nobody = format!("imap.port = {}\n", support::guarded::free_port());
    let port = format!("imap.port = {}\n", dovecot.ports.imaps);
    let strange = format!("imap.port = {}\n", foreign.ports.imaps);
    for (replaced, by, password, code, message, hint) in [
        ("", "", "wrong", 77, "refused the login of `support`", "username and password"),
        (&port[..], &nobody[..], PASSWORD, 69, "cannot be connected to", "the server runs"),
        (&port, &strange, PASSWORD, 69, "nobody this machine trusts has signed it", "ca_file"),
        ("username", "folder = \"INBX\"\nusername", PASSWORD, 1, "no folder `INBX`", "`INBOX`"),
    ] {
        let desk = desk(&dovecot, &sink, "");
        let text = fs::read_to_string(desk.config()).expect("it is there");
        fs::write(desk.config(), text.replace(replaced, by)).expect("it is written");
        secret(&desk, password);
        let (exit, tried) = answer(&desk, &["mailbox", "test", "support"]);
        let imap = &tried["tried"][0];
        assert_eq!(exit, code, "{tried:#}");
        assert!(imap["failure"].as_str().is_some_and(|said| said.contains(message)), "{imap:#}");
        assert!(imap["hint"].as_str().is_some_and(|said| said.contains(hint)), "{imap:#}");
        let (exit, text) = said(&desk.run(&["check", "--online"]));
        assert_eq!(exit, code, "{text}");
        assert!(text.contains(message) && text.contains("guichet.toml:"), "{text}");
        // Named once by a sweep too, which goes on with the rest.
        let (exit, text) = said(&desk.run(&["run", "--once"]));
        assert!(exit == 1 && text.contains(message), "{exit} {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn a_relay_that_refuses_the_login_is_told_from_one_that_is_not_there() {
    let dovecot = Dovecot::start();
    let login = Some(("PLAIN", "support", "another"));
    let options = SinkOptions { security: SinkSecurity::Starttls, login, ..SinkOptions::default() };
    let sink = Sink::start(options);
    let desk = desk(&dovecot, &sink, "");
    let (code, tried) = answer(&desk, &["mailbox", "test", "support"]);
    assert_eq!(code, 77, "{tried:#}");
    let failed = &tried["tried"][1]["failure"];
    assert!(failed.as_str().is_some_and(|said| said.contains("login of `support`")), "{failed}");
    assert!(tried["tried"][0]["works"] == true);
    let port = format!("smtp.port = {}", sink.port());
    let text = fs::read_to_string(desk.config()).expect("it is there");
    let nobody = format!("smtp.port = {}", support::guarded::free_port());
    fs::write(desk.config(), text.replace(&port, &nobody)).expect("it is written");
    assert_eq!(answer(&desk, &["mailbox", "test", "support"]).0, 69);
}

#[test]
fn m_57_a_probe_that_comes_back_shows_that_tags_arrive() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    let desk = desk(&dovecot, &sink, "");
    desk.ok(&["run", "--once"]);
    assert_eq!(desk.json(&["mailbox", "list"])[0]["tags"], "unknown");
    let own = "support@helpdesk.example";
    let sent = desk.json(&["mailbox", "test", "support", "--send-to", own]);
    assert_eq!(sent["sent"]["is_probe"], true, "{sent:#}");
    let mails = sink.mails();
    let to = mails[0].to[0].trim_start_matches('<').split('>').next().expect("an address");
    assert!(to.starts_with("support+") && sent["sent"]["to"] == to, "{to}");
    // It comes back by the mail server.
    dovecot.deliver("support", "INBOX", &mails[0].raw);
    desk.ok(&["run", "--once"]);
    let listed = desk.json(&["mailbox", "list"]);
    assert_eq!((&listed[0]["tags"], &listed[0]["tags_seen"]), (&"arrive".into(), &"probe".into()));
    assert_eq!(desk.json(&["tickets", "list"]), Value::Array(Vec::new()), "it is no request");
    // To somebody else goes a mail without the mark.
    let (code, text) =
        said(&desk.run(&["mailbox", "test", "support", "--send-to", "anna@elsewhere.example"]));
    assert!(code == 0 && text.contains("to anna@elsewhere.example: "), "{text}");
    let greeting = String::from_utf8_lossy(&sink.mails()[1].raw).into_owned();
    assert!(greeting.contains("Subject:") && !greeting.contains("X-Guichet-Probe"), "{greeting}");
}

#[test]
fn a_mailbox_goes_back_to_what_it_left_alone() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    let day = 24 * 60 * 60;
    let now = support::dovecot::now();
    for (id, days) in [("old@a", 9), ("new@a", 2)] {
        let raw = message("claire@contoso.example", id, id, "", "x");
        let at = now.as_second() - days * day;
        dovecot.deliver_at(
            "support",
            "INBOX",
            &raw,
            jiff::Timestamp::from_second(at).expect("one"),
        );
    }
    let desk = desk(&dovecot, &sink, "start = \"now\"");
    let (code, text) = said(&desk.run(&["mailbox", "rewind", "support", "--since", "5d"]));
    assert!(code == 1 && text.contains("was never looked at"), "{text}");
    desk.ok(&["run", "--once"]);
    assert_eq!(desk.json(&["tickets", "list"]).as_array().map(Vec::len), Some(0));
    let rewound = desk.json(&["mailbox", "rewind", "support", "--since", "5d"]);
    assert_eq!(rewound["left_alone"], 1, "{rewound:#}");
    desk.ok(&["run", "--once"]);
    let tickets = desk.json(&["tickets", "list"]);
    let subjects: Vec<_> =
        tickets.as_array().expect("a list").iter().map(|t| &t["subject"]).collect();
    assert_eq!(subjects, ["new@a"], "{tickets:#}");
    desk.ok(&["audit"]);
}

#[test]
fn check_online_names_a_database_that_lets_nobody_in() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    let schema = postgres::fresh_schema();
    let desk = desk(&dovecot, &sink, "");
    let text = fs::read_to_string(desk.config()).expect("it is there");
    let with = |password: &str| {
        let store = format!("[store]\nurl = \"{}\"\npassword = \"{password}\"\n", schema.url);
        fs::write(desk.config(), format!("{text}{store}")).expect("it is written");
    };
    with(postgres::PASSWORD);
    let (code, text) = said(&desk.run(&["check", "--online"]));
    assert_eq!(code, 0, "{text}");
    desk.ok(&["run", "--once"]);
    with("wrong");
    let (code, text) = said(&desk.run(&["check", "--online"]));
    assert!(code == 77 && text.contains("does not let"), "{code} {text}");
    assert_eq!(desk.run(&["run", "--once"]).status.code(), Some(77));
}

/// The first mailbox of the README, its commands in their order, on servers of our own: only the
/// names of the servers and what goes with them are others.
#[test]
fn the_readme_leads_to_a_first_ticket_and_its_answer() {
    let (dovecot, sink) = (Dovecot::start(), sink());
    let readme =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("it is there");
    let chapter = readme.split("## Your first mailbox").nth(1).expect("the chapter");
    let block = |kind: &str| {
        let after = chapter.split(&format!("```{kind}\n")).nth(1).expect("a block");
        after.split("```").next().expect("its end").to_owned()
    };
    let commands = block("sh");
    for command in ["config init", "check", "mailbox test support", "run"] {
        assert!(commands.contains(&format!("guichet {command}")), "{commands}");
    }
    let desk = Desk::new("");
    let more = format!(
        "username = \"support\"\nimap = {{ port = {}, ca_file = \"{}\" }}\nsmtp.port = {}\n[[site]]",
        dovecot.ports.imaps,
        dovecot.ca_file().display(),
        sink.port()
    );
    let text = block("toml").replace("mail.example.com", "127.0.0.1").replace("[[site]]", &more);
    fs::write(desk.config(), format!("state = \"state\"\n{text}")).expect("it is written");
    let password = desk.path().join("support.password");
    fs::write(&password, format!("{PASSWORD}\n")).expect("it is written");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("it is ours");
    desk.ok(&["check", "--strict"]);
    desk.ok(&["mailbox", "test", "support"]);
    let daemon = desk.start();
    support::wait_for("the mailbox to be watched", 20, || {
        desk.json(&["mailbox", "list"])[0]["watched_since"].is_string()
    });
    let raw =
        message("Claire <claire.johnson@example.com>", "Printer", "1@example.com", "", "Fire.");
    let raw = String::from_utf8(raw).expect("text").replace("helpdesk.example", "example.com");
    dovecot.deliver("support", "INBOX", raw.as_bytes());
    daemon.stop();
    desk.ok(&["run", "--once"]);
    let tickets = desk.json(&["tickets", "list"]);
    assert_eq!(tickets[0]["site"], "Example", "{tickets:#}");
    let outbox = desk.json(&["outbox", "list"]);
    assert_eq!(sink.mails().len(), 2, "the receipt and the way to log in: {outbox:#}");
    assert!(sink.mails().iter().all(|mail| mail.to[0].contains("claire.johnson@example.com")));
    assert!(sink.mails().iter().all(|mail| mail.is_protected && mail.login.is_some()));
}
