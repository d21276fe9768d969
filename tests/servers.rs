//! The servers that other suites run against, tried themselves: each starts, answers, and is gone
//! afterwards. Takes about four seconds, most of it PostgreSQL's `initdb`.

#[path = "support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use support::account::Account;
use support::dovecot::Dovecot;
use support::scripted::Scripted;
use support::sink::{Sink, SinkOptions, SmtpSink};
use support::{message, postgres};

fn raw(id: &str) -> Vec<u8> {
    message("Claire <claire@contoso.example>", "Printer", id, "", "It smokes.")
}

#[test]
fn dovecot_takes_mail_lists_it_and_gives_it_other_uids() {
    let dovecot = Dovecot::start();
    dovecot.deliver("support", "INBOX", &raw("one@contoso.example"));
    dovecot.deliver("support", "INBOX", &raw("two@contoso.example"));
    let listed = dovecot.list("support", "INBOX");
    let ids: Vec<&str> = listed.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!(ids, ["one@contoso.example", "two@contoso.example"]);
    assert_eq!(listed.iter().map(|one| one.uid).collect::<Vec<_>>(), [1, 2]);
    let mut session = dovecot.session("support");
    session.ok("SELECT INBOX");
    session.ok("UID STORE 1 +FLAGS (\\Seen)");
    assert_eq!(dovecot.list("support", "INBOX")[0].flags, ["\\Seen"]);
    let validity = |dovecot: &Dovecot| {
        let lines = dovecot.session("support").ok("STATUS INBOX (UIDVALIDITY)");
        lines.concat()
    };
    let before = validity(&dovecot);
    dovecot.renumber("support", "INBOX");
    assert_ne!(validity(&dovecot), before);
    assert_eq!(dovecot.list("support", "INBOX").len(), 2);
    dovecot.make_folder("support", "done");
    assert_eq!(dovecot.folders("support"), ["INBOX", "done"]);
}

#[test]
fn a_server_is_gone_once_its_guard_is_let_go() {
    let dovecot = Dovecot::start();
    let pid = dovecot.pid();
    drop(dovecot);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn postgresql_gives_every_test_a_schema_of_its_own() {
    let (one, two) = (postgres::fresh_schema(), postgres::fresh_schema());
    assert_ne!(one.name, two.name);
    let server = postgres::server();
    for schema in [&one, &two] {
        let mut config: ::postgres::Config = schema.url.parse().expect("a good URL");
        let mut client =
            config.password(postgres::PASSWORD).connect(::postgres::NoTls).expect("it answers");
        client.batch_execute("CREATE TABLE same (n BIGINT)").expect("nobody made it here");
    }
    assert!(server.ca_file().exists());
}

#[test]
fn a_scripted_server_answers_as_its_account_and_fails_as_its_dialogue_says() {
    let dialogue = "once TAG UID FETCH ...\n  play 20\n  close\n";
    let server = Scripted::play(dialogue, Account::holding([raw("one@contoso.example")]));
    let login = "a LOGIN support s3cret-of-the-mailbox\r\nb SELECT INBOX\r\nc UID FETCH 1 (UID BODY.PEEK[])\r\n";
    let first = said(server.port(), login.as_bytes());
    assert!(first.ends_with("b OK [READ-WRITE] done\r\n* 1 FETCH (UID 1 BOD"), "{first}");
    let second = said(server.port(), format!("{login}d LOGOUT\r\n").as_bytes());
    assert!(second.contains("It smokes.\r\n)\r\nc OK done"), "{second}");
    assert!(server.heard_secret("s3cret-of-the-mailbox"));
    assert_eq!(server.count("UID FETCH"), 2);
}

#[test]
fn both_sinks_keep_what_they_are_sent() {
    let mail = b"EHLO test.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\
        Subject: dots\r\n\r\n..\r\n.\r\nQUIT\r\n";
    let sink = Sink::start(SinkOptions::default());
    said(sink.port(), mail);
    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].raw, b"Subject: dots\r\n\r\n.\r\n");
    assert_eq!(mails[0].to, ["<c@d.example>"]);
    let sink = SmtpSink::keeping();
    said(sink.port, mail);
    let mails = sink.mails();
    assert_eq!(mails.len(), 1, "smtp-sink kept nothing");
    assert!(String::from_utf8_lossy(&mails[0]).contains("Subject: dots"));
}

// Everything a server says to a client that says all at once.
fn said(port: u16, words: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a timeout");
    stream.write_all(words).expect("it listens");
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while reader.read_line(&mut text).expect("it says ASCII") > 0 {}
    text
}

#[test]
fn every_dialogue_reads_and_some_test_plays_it() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = String::new();
    let mut folders = vec![root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a readable folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => tests.push_str(&std::fs::read_to_string(path).unwrap_or_default()),
            }
        }
    }
    for entry in std::fs::read_dir(root.join("fixtures/dialogues")).expect("readable").flatten() {
        let path = entry.path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        drop(Scripted::start(name, Account::new()));
        assert!(tests.contains(&format!("\"{name}\"")), "no test plays `{name}`");
    }
}
