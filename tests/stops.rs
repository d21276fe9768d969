//! Two processes on one PostgreSQL store, one of which stands still at a step of its work until the
//! other has given it up and done everything, and is woken then: nothing is lost, nothing happens
//! twice, and it goes on as if nothing had been (P-10). Takes about half a minute.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};

use serde_json::Value;
use support::dovecot::{Dovecot, now};
use support::postgres::{self, PASSWORD, Schema};
use support::sink::{Sink, SinkOptions};
use support::{Desk, message, signal, wait_for};

const MESSAGES: usize = 12;
// In milliseconds: long enough for a busy machine, short enough for a test.
const PATIENCE: u32 = 2_000;

/// A desk on a store of its own; `mailbox` is what stands in its `[[mailbox]]`.
fn desk(smtp: &str, mailbox: &str) -> (Desk, Schema) {
    let desk = Desk::new("");
    let schema = postgres::fresh_schema();
    let url = &schema.url;
    let text = format!(
        "state = \"state\"\nportal.url = \"https://help.example.com\"\n\
         http.listen = \"127.0.0.1:0\"\n[smtp]\n{smtp}\n\
         [store]\nurl = \"{url}\"\npassword = \"{PASSWORD}\"\ntls = \"none\"\nworkers = 2\n\
         [limits]\nper_sender = \"off\"\nper_domain = \"off\"\nnew_users = \"off\"\n\
         auto_mails_per_address = \"off\"\n[[mailbox]]\nstart = \"all\"\n{mailbox}\n"
    );
    fs::write(desk.config(), text).expect("it is written");
    fs::set_permissions(desk.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("it is ours");
    (desk, schema)
}

const INTO_FILES: &str = "transport = \"file\"\npath = \"outgoing\"";
const MAILDIR: &str = "name = \"support\"\nprovider = \"maildir\"\n\
    address = \"support@helpdesk.example\"\npath = \"mail\"\nafter = \"delete\"";

fn letter(n: usize) -> Vec<u8> {
    message(&format!("u{n}@d{n}.example"), "Printer", &format!("k{n}@x"), "", "hello")
}

/// The real binary, on a desk that others work at too.
struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(desk: &Desk, name: &str, faults: &str) -> Daemon {
        let log = desk.path().join(format!("{name}.log"));
        let child = desk
            .command(&["run", "--set", &format!("state={name}")])
            .env("GUICHET_FAULTS", format!("patience={PATIENCE} {faults}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("a log"))
            .spawn()
            .expect("it starts");
        Daemon { child, log }
    }

    fn stands_still(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("it is there");
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn stop(mut self) {
        signal(self.child.id(), "TERM");
        let code = self.child.wait().expect("it ends").code();
        assert_eq!(code, Some(0), "{}", self.said());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_done(desk: &Desk, messages: usize) -> bool {
    let output = desk.run(&["audit", "--json"]);
    let books: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let unsent = |state| desk.lines(&["outbox", "list", "--state", state]).len();
    books["stored"] == messages
        && books["pending"] == 0
        && unsent("queued") + unsent("sending") == 0
}

/// Whether one process only is entered: the other was given up.
fn is_alone(schema: &Schema) -> bool {
    let mut client = postgres::server().client(postgres::DATABASE).expect("it answers");
    let count = format!("SELECT count(*) FROM {}.worker", schema.name);
    client.query_one(&count, &[]).expect("it is counted").get::<_, i64>(0) == 1
}

// As the server does by itself after a minute: a stopped process keeps its locks until then.
fn end_idle_transactions() {
    postgres::server().execute(
        postgres::DATABASE,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '1 second'",
    );
}

/// Lets a first process stand still at `point`, a second do all, and wakes the first.
fn stopped_at(
    point: &str,
    (desk, schema): &(Desk, Schema),
    emptied: impl Fn() -> bool,
    deliver: impl Fn(usize),
) {
    (0..MESSAGES).for_each(&deliver);
    let one = Daemon::start(desk, "one", &format!("stop={point}"));
    wait_for("the first to stand still", 30, || one.stands_still());
    let two = Daemon::start(desk, "two", "");
    wait_for("the second to do everything", 60, || {
        end_idle_transactions();
        is_done(desk, MESSAGES) && emptied() && is_alone(schema)
    });
    signal(one.child.id(), "CONT");
    wait_for("the first to see that it was given up", 30, || {
        one.said().contains("another one has taken over its work")
    });
    // They share the work again.
    deliver(MESSAGES);
    wait_for("the next message", 30, || is_done(desk, MESSAGES + 1) && emptied());
    one.stop();
    two.stop();
    let tickets = desk.lines(&["tickets", "list", "--limit", "1000"]).len();
    let users = desk.lines(&["users", "list", "--limit", "1000"]).len();
    assert_eq!((tickets, users), (MESSAGES + 1, MESSAGES + 1), "stopped at {point}");
    desk.audit();
}

/// How often each Message-ID is there.
fn copies<'a>(mails: impl Iterator<Item = &'a [u8]>) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for mail in mails {
        let text = String::from_utf8_lossy(mail).into_owned();
        let id = text.lines().find(|line| line.starts_with("Message-ID:")).expect("each has one");
        *copies.entry(id.to_owned()).or_default() += 1;
    }
    copies
}

fn with_a_maildir(point: &str) {
    let at = desk(INTO_FILES, MAILDIR);
    let desk = &at.0;
    let emptied = || fs::read_dir(desk.maildir().join("new")).expect("it").next().is_none();
    let deliver =
        |n: usize| desk.deliver(&format!("{}.M{n}P1.stop", now().as_second()), &letter(n));
    stopped_at(point, &at, emptied, deliver);
    let sent = desk.sent();
    let copies = copies(sent.iter().map(Vec::as_slice));
    assert!(copies.values().all(|copies| *copies == 1), "stopped at {point}: {copies:?}");
    assert_eq!(copies.len(), 2 * (MESSAGES + 1), "stopped at {point}");
}

fn with_dovecot(point: &str) {
    let dovecot = Dovecot::start();
    let mailbox = format!(
        "{}after = \"move\"\nmove_to = \"done\"\n",
        dovecot.mailbox_with("support", "poll_interval = \"1s\"")
    );
    let at = desk(INTO_FILES, &mailbox);
    let desk = &at.0;
    dovecot.make_folder("support", "done");
    let emptied = || dovecot.list("support", "INBOX").is_empty();
    stopped_at(point, &at, emptied, |n| dovecot.deliver("support", "INBOX", &letter(n)));
    let mut moved: Vec<String> =
        dovecot.list("support", "done").into_iter().map(|one| one.message_id).collect();
    moved.sort();
    let mut all: Vec<String> = (0..=MESSAGES).map(|n| format!("k{n}@x")).collect();
    all.sort();
    assert_eq!(moved, all, "stopped at {point}: each is in its folder once");
    assert_eq!(desk.sent().len(), 2 * (MESSAGES + 1), "stopped at {point}");
}

fn with_a_relay(point: &str, most: usize) {
    let sink = Sink::start(SinkOptions::default());
    let smtp = format!(
        "transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nrate = \"off\"\n\
         connections = 2",
        sink.port()
    );
    let at = desk(&smtp, MAILDIR);
    let desk = &at.0;
    let emptied = || fs::read_dir(desk.maildir().join("new")).expect("it").next().is_none();
    let deliver =
        |n: usize| desk.deliver(&format!("{}.M{n}P1.stop", now().as_second()), &letter(n));
    stopped_at(point, &at, emptied, deliver);
    let mails = sink.mails();
    let copies = copies(mails.iter().map(|mail| mail.raw.as_slice()));
    let worst = copies.values().max().copied().unwrap_or_default();
    assert!(worst <= most, "stopped at {point}, a mail went out {worst} times: {copies:?}");
    assert_eq!(copies.len(), 2 * (MESSAGES + 1), "stopped at {point}");
}

#[test]
fn p_10_stopped_between_claim_and_commit_its_late_commit_is_refused() {
    with_a_maildir("ingest.claimed");
    with_a_maildir("ingest.read");
}

#[test]
fn p_10_stopped_in_the_middle_of_a_transaction_it_changes_nothing() {
    with_a_maildir("apply.finish");
}

#[test]
fn p_10_stopped_between_fetch_and_spool_it_brings_nothing_in_twice() {
    with_a_maildir("maildir.fetched");
    with_dovecot("imap.fetched");
}

#[test]
fn p_10_stopped_between_commit_and_acknowledgement_it_tells_the_mailbox_nothing_twice() {
    with_a_maildir("maildir.settle");
    with_dovecot("imap.take");
}

#[test]
fn p_10_stopped_before_it_begins_a_mail_it_does_not_send_it() {
    with_a_relay("outbox.claimed", 1);
}

#[test]
fn p_10_p_03_stopped_while_it_sends_a_mail_goes_out_at_most_twice() {
    with_a_relay("outbox.begun", 2);
    with_a_relay("smtp.data", 2);
}
