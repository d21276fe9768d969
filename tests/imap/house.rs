//! The real binary on Dovecot: what an operator sees when a mailbox is in trouble, that the others go
//! on, and that large mail takes bounded memory (E-01, E-07, E-10, E-11, E-15, T-37, P-01).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::desk::letter;
use crate::support::account::Account;
use crate::support::dovecot::Dovecot;
use crate::support::guarded::free_port;
use crate::support::scripted::Scripted;
use crate::support::tls::Leaf;
use crate::support::{Desk, message, signal, wait_for};

const NO_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
                         new_users = \"off\"\nauto_mails_per_address = \"off\"\n";

/// A desk with these mailboxes beside its maildir, which is empty.
pub fn desk(mailboxes: &[String]) -> Desk {
    let mut more = NO_LIMITS.to_owned();
    for mailbox in mailboxes {
        more.push_str(&format!("[[mailbox]]\n{mailbox}start = \"all\"\n"));
    }
    Desk::new(&more)
}

pub fn mail(id: &str) -> Vec<u8> {
    message("Claire <claire@contoso.example>", id, &format!("{id}@contoso.example"), "", "Help!")
}

fn subjects(desk: &Desk) -> BTreeSet<String> {
    let tickets = desk.json(&["tickets", "list"]);
    let tickets = tickets.as_array().expect("a list of tickets");
    tickets.iter().map(|one| one["subject"].as_str().expect("a subject").to_owned()).collect()
}

/// How many messages were decided so.
pub fn total(desk: &Desk, reason: &str) -> i64 {
    let totals = desk.json(&["log", "--totals"]);
    let rows = totals.as_array().expect("a list of totals");
    let is_meant = |row: &&serde_json::Value| row["reason"] == reason;
    rows.iter().find(is_meant).map_or(0, |row| row["messages"].as_i64().expect("a number"))
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

// One look at a mailbox that is in trouble: exit code 1, and the words that name it.
#[track_caller]
fn trouble(desk: &Desk, words: &[&str]) -> String {
    let output = desk.run(&["run", "--once"]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in:\n{told}");
    }
    assert!(told.contains("hint: "), "{told}");
    assert!(!told.contains(crate::support::dovecot::PASSWORD), "{told}");
    desk.audit();
    told
}

#[test]
fn e_11_mailboxes_in_trouble_are_named_and_the_others_go_on() {
    let dovecot = Dovecot::start();
    for user in ["first", "second", "locked", "lost"] {
        dovecot.deliver(user, "INBOX", &mail(user));
    }
    let wrong = dovecot.mailbox("locked").replace("s3cret", "wrong");
    let missing = dovecot.mailbox("lost") + "folder = \"Anfragen\"\n";
    let away = dovecot
        .mailbox("away")
        .replace(&format!("port = {}", dovecot.ports.imaps), &format!("port = {}", free_port()));
    let nowhere = dovecot.mailbox("nowhere").replace("127.0.0.1", "no-such-host.invalid");
    let untrusted = {
        let text = dovecot.mailbox("untrusted");
        let ca = format!(", ca_file = \"{}\"", dovecot.ca_file().display());
        text.replace(&ca, "")
    };
    let mailboxes = [
        dovecot.mailbox("first"),
        wrong,
        missing,
        away,
        nowhere,
        untrusted,
        dovecot.mailbox("second"),
    ];
    let desk = desk(&mailboxes);
    desk.deliver("1767600000.1.a", &mail("in the maildir"));
    let told = trouble(
        &desk,
        &[
            "refused the login of `locked`",
            "has no folder `Anfragen`",
            "cannot be connected to",
            "`no-such-host.invalid`",
            "nobody this machine trusts has signed it",
        ],
    );
    let expected = ["first", "in the maildir", "second"].map(str::to_owned);
    assert_eq!(subjects(&desk), BTreeSet::from(expected), "{told}");
    for name in ["locked", "lost", "away", "nowhere", "untrusted"] {
        assert!(told.contains(name), "`{name}` is not in:\n{told}");
    }
}

#[test]
fn t_43_an_expired_certificate_and_one_for_another_name_are_named() {
    for (leaf, words) in [(Leaf::Expired, "expired"), (Leaf::WrongName, "for another name")] {
        let dovecot = Dovecot::with(leaf, "");
        let desk = desk(&[dovecot.mailbox("support1")]);
        trouble(&desk, &[words, "support1"]);
    }
}

#[test]
fn a_folder_that_may_only_be_read_is_named_and_its_mail_is_ticketed() {
    let acls = tempfile::tempdir().expect("a temporary folder");
    let file = acls.path().join("acl");
    fs::write(&file, "* owner lrk\n").expect("written");
    let public = |path: &std::path::Path, mode| {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    public(acls.path(), 0o755);
    public(&file, 0o644);
    let more = format!(
        "mail_plugins = acl\nprotocol imap {{\n  mail_plugins = acl imap_acl\n}}\n\
         plugin {{\n  acl = vfile:{}\n}}\n",
        file.display()
    );
    let dovecot = Dovecot::with(Leaf::Good, &more);
    dovecot.deliver("support1", "INBOX", &mail("only to be read"));
    let desk = desk(&[dovecot.mailbox("support1") + "after = \"flag\"\n"]);
    trouble(&desk, &["support1", "read-only"]);
    trouble(&desk, &["support1", "read-only"]);
    assert_eq!(subjects(&desk), BTreeSet::from(["only to be read".to_owned()]));
    assert_eq!(total(&desk, "ticket_created"), 1);
}

#[test]
fn a_quota_that_is_reached_is_named_and_nothing_is_lost() {
    let more = "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n\
                imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS QUOTA\n\
                plugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=4k\n}\n";
    let dovecot = Dovecot::with(Leaf::Good, more);
    let large = message(
        "Claire <claire@contoso.example>",
        "large",
        "large@contoso.example",
        "",
        &"All the text there is.\r\n".repeat(400),
    );
    dovecot.deliver("support1", "INBOX", &large);
    let mailbox = dovecot.mailbox("support1") + "after = \"move\"\nmove_to = \"done\"\n";
    let desk = desk(&[mailbox]);
    trouble(&desk, &["support1", "uota", "make room"]);
    assert_eq!(subjects(&desk), BTreeSet::from(["large".to_owned()]));
    assert_eq!(dovecot.list("support1", "INBOX").len(), 1, "it stays where it was");
    // Another try moves no copy there either, and opens no second ticket.
    trouble(&desk, &["uota"]);
    assert_eq!(total(&desk, "ticket_created"), 1);
    assert_eq!(dovecot.list("support1", "INBOX").len(), 1);
}

#[test]
fn e_01_a_message_that_cannot_be_read_holds_up_no_other() {
    let dovecot = Dovecot::start();
    let mut nested = String::from("From: x@contoso.example\r\nMIME-Version: 1.0\r\n");
    for part in 0..40_000 {
        nested.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{part}\r\n\r\n--b{part}\r\n"
        ));
    }
    dovecot.deliver("support1", "INBOX", &mail("one"));
    dovecot.deliver("support1", "INBOX", nested.as_bytes());
    dovecot.deliver("support1", "INBOX", &mail("two"));
    let desk = desk(&[dovecot.mailbox("support1")]);
    desk.ok(&["run", "--once"]);
    assert_eq!(subjects(&desk), BTreeSet::from(["one", "two"].map(str::to_owned)));
    assert_eq!(total(&desk, "parse_failed"), 1);
    desk.audit();
}

#[test]
fn e_07_a_restored_server_opens_no_second_ticket() {
    let dovecot = Dovecot::start();
    for id in ["one", "two", "three"] {
        dovecot.deliver("support1", "INBOX", &mail(id));
    }
    let desk = desk(&[dovecot.mailbox("support1")]);
    desk.ok(&["run", "--once"]);
    dovecot.renumber("support1", "INBOX");
    dovecot.deliver("support1", "INBOX", &mail("four"));
    desk.ok(&["run", "--once"]);
    assert_eq!(total(&desk, "ticket_created"), 4);
    assert_eq!(total(&desk, "duplicate"), 3);
    desk.audit();
}

#[test]
fn e_15_a_denied_sender_is_decided_once_however_often_the_mailbox_is_looked_at() {
    let dovecot = Dovecot::start();
    dovecot.deliver("support1", "INBOX", &mail("denied"));
    let desk = desk(&[dovecot.mailbox("support1")]);
    let config = fs::read_to_string(desk.config()).expect("it is there");
    let denied = config.replace("[limits]", "[users]\ndeny = [\"@contoso.example\"]\n[limits]");
    fs::write(desk.config(), denied).expect("written");
    for _ in 0..3 {
        desk.ok(&["run", "--once"]);
    }
    assert_eq!(total(&desk, "sender_denied"), 1);
    assert_eq!(desk.lines(&["log"]).len(), 1);
}

#[test]
fn e_10_a_mailbox_taken_out_by_a_reload_is_left_and_the_others_go_on() {
    let dovecot = Dovecot::start();
    let soon = "poll_interval = \"1s\"";
    let (stays, goes) = (dovecot.mailbox_with("stays", soon), dovecot.mailbox_with("goes", soon));
    dovecot.deliver("stays", "INBOX", &mail("first here"));
    dovecot.deliver("goes", "INBOX", &mail("first there"));
    let desk = desk(&[stays.clone(), goes]);
    let daemon = desk.start();
    wait_for("both first mails", 20, || desk_has(&desk, &["first here", "first there"]));
    let alone = self::desk(&[stays]);
    fs::copy(alone.config(), desk.config()).expect("written");
    signal(daemon.pid(), "HUP");
    wait_for("the reload", 20, || desk.log().contains("was read again"));
    dovecot.deliver("goes", "INBOX", &mail("second there"));
    dovecot.deliver("stays", "INBOX", &mail("second here"));
    wait_for("the mail of the one that stays", 20, || desk_has(&desk, &["second here"]));
    assert!(!desk_has(&desk, &["second there"]), "{}", desk.log());
    assert_eq!(daemon.stop(), Some(0), "{}", desk.log());
    desk.audit();
}

#[test]
fn a_server_that_goes_away_and_comes_back_is_told_of_once_and_nothing_is_lost() {
    let mut dovecot = Dovecot::start();
    dovecot.deliver("support1", "INBOX", &mail("before"));
    let desk = desk(&[dovecot.mailbox_with("support1", "poll_interval = \"1s\"")]);
    let daemon = desk.start();
    wait_for("the first mail", 20, || desk_has(&desk, &["before"]));
    dovecot.stop();
    wait_for("a word about it", 30, || desk.log().contains("WARN"));
    dovecot.deliver("support1", "INBOX", &mail("meanwhile"));
    dovecot.start_again();
    wait_for("the mail of meanwhile", 60, || desk_has(&desk, &["before", "meanwhile"]));
    assert_eq!(daemon.stop(), Some(0), "{}", desk.log());
    let log = desk.log();
    assert!(log.matches("WARN").count() + log.matches("ERROR").count() <= 2, "{log}");
    assert_eq!(total(&desk, "ticket_created"), 2);
    desk.audit();
}

#[test]
fn p_01_kills_lose_nothing_while_mail_is_moved() {
    let dovecot = Dovecot::start();
    let count = 60;
    for number in 0..count {
        dovecot.deliver("support1", "INBOX", &mail(&format!("number {number}")));
    }
    let mailbox = dovecot.mailbox_with("support1", "poll_interval = \"1s\"");
    let desk = desk(&[mailbox + "after = \"move\"\nmove_to = \"done\"\n"]);
    for round in 0..5 {
        let daemon = desk.start();
        let seen = dovecot.list("support1", "INBOX").len();
        wait_for("some progress", 20, || {
            round % 2 == 0 && total_messages(&desk) > 0
                || dovecot.list("support1", "INBOX").len() < seen
                || seen == 0
        });
        daemon.kill();
    }
    desk.ok(&["run", "--once"]);
    let done = dovecot.list("support1", "done");
    let ids: BTreeSet<&str> = done.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!((done.len(), ids.len()), (count, count));
    assert!(dovecot.list("support1", "INBOX").is_empty());
    assert_eq!(total(&desk, "ticket_created"), i64::try_from(count).expect("small"));
    assert_eq!(total(&desk, "duplicate"), 0);
    desk.audit();
}

#[test]
fn t_37_30_mb_and_more_than_max_message_size_take_bounded_memory() {
    let dovecot = Dovecot::start();
    dovecot.deliver("support1", "INBOX", &letter(1));
    dovecot.deliver("support1", "INBOX", &attached("thirty", 30_000_000));
    dovecot.deliver("support1", "INBOX", &attached("too large", 60_000_000));
    let desk = desk(&[dovecot.mailbox_with("support1", "poll_interval = \"1s\"")]);
    let daemon = desk.start();
    wait_for("three tickets", 120, || desk_has(&desk, &["Printer 1", "thirty", "too large"]));
    let peak = peak(daemon.pid());
    assert_eq!(daemon.stop(), Some(0));
    println!("peak memory: {} MB", peak / 1000);
    // P-13: what it takes without mail, and four times the largest message that is read.
    assert!(peak < 260_000, "{peak} kB");
    let listed = dovecot.list("support1", "INBOX");
    assert!(listed.iter().all(|one| one.flags.is_empty()), "{listed:?}");
    desk.audit();
}

#[test]
fn t_44_servers_that_flood_fill_no_memory() {
    let servers = ["flood_of_lines", "line_without_an_end", "literal_larger_than_said"]
        .map(|name| (name, Scripted::start(name, Account::holding([mail(name)]))));
    let mailboxes = servers.each_ref().map(|(name, server)| {
        format!(
            "name = \"{name}\"\naddress = \"{name}@helpdesk.example\"\nprovider = \"imap\"\n\
             host = \"127.0.0.1\"\nusername = \"support\"\npassword = \"{}\"\n\
             imap = {{ port = {}, tls = \"none\", poll_interval = \"1s\" }}\n",
            crate::support::account::PASSWORD,
            server.port()
        )
    });
    let desk = desk(&mailboxes);
    let daemon = desk.start();
    let names = servers.each_ref().map(|(name, _)| *name);
    let mut most = 0;
    wait_for("all three tickets", 60, || {
        most = peak(daemon.pid());
        assert!(most < 100_000, "its memory grows: {most} kB");
        desk_has(&desk, &names)
    });
    assert_eq!(daemon.stop(), Some(0));
    println!("peak memory: {} MB", most / 1000);
}

// A message with one attachment, of about so many bytes in all.
fn attached(subject: &str, size: usize) -> Vec<u8> {
    let head = format!(
        "From: Claire <claire@contoso.example>\r\nTo: support1@helpdesk.example\r\n\
         Subject: {subject}\r\nMessage-ID: <{size}@contoso.example>\r\n\
         Date: Mon, 5 Jan 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nSee the scan.\r\n--b\r\n\
         Content-Type: application/pdf; name=scan.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    let line = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n";
    [head.as_str(), &line.repeat(size / line.len()), "--b--\r\n"].concat().into_bytes()
}

fn desk_has(desk: &Desk, expected: &[&str]) -> bool {
    let path: PathBuf = desk.path().join("state/guichet.db");
    // Before the daemon has made the store there is nothing to ask.
    path.exists() && {
        let output = desk.run(&["tickets", "list", "--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        expected.iter().all(|subject| text.contains(&format!("\"{subject}\"")))
    }
}

fn total_messages(desk: &Desk) -> usize {
    if desk.path().join("state/guichet.db").exists() {
        let output = desk.run(&["tickets", "list", "--json"]);
        String::from_utf8_lossy(&output.stdout).matches("\"subject\"").count()
    } else {
        0
    }
}

// The most memory a process ever had, in kB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
