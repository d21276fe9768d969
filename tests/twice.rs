//! The same mail again and again, and two programs on one store: everything happens once. Takes about
//! fifteen seconds.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;
use support::dovecot::{Dovecot, now};
use support::{Desk, message, wait_for};

const NO_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
                         new_users = \"off\"\nauto_mails_per_address = \"off\"\n";
// What a repeated message leaves: its own row in the ledger, its bytes and its decision; and a folder
// that is numbered anew, when that was.
const OF_A_DELIVERY: [&str; 4] = ["message", "raw_chunk", "decision", "renumbered"];

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail");
    let entries = fs::read_dir(folder).expect("the fixtures");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

/// How many rows each table has that repeated mail must not add to.
fn rows(desk: &Desk) -> BTreeMap<String, i64> {
    let store = Connection::open(desk.path().join("state/guichet.db")).expect("the store");
    let mut names = store
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .expect("a statement");
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .expect("it runs")
        .collect::<Result<_, _>>()
        .expect("names");
    let count = |name: &String| {
        let count = format!("SELECT COUNT(*) FROM \"{name}\"");
        store.query_row(&count, [], |row| row.get(0)).expect("it counts")
    };
    names
        .into_iter()
        .filter(|name| !OF_A_DELIVERY.contains(&name.as_str()) && !name.starts_with("mailbox"))
        .map(|name| (name.clone(), count(&name)))
        .collect()
}

fn stored(desk: &Desk) -> i64 {
    desk.json(&["audit"])["stored"].as_i64().expect("a number")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn p_02_every_fixture_delivered_again_and_in_a_second_folder_changes_nothing() {
    let second = "[[mailbox]]\nname = \"second\"\nprovider = \"maildir\"\n\
                  address = \"second@helpdesk.example\"\npath = \"second\"\nstart = \"all\"\n";
    let desk = Desk::new(&format!("{second}{NO_LIMITS}"));
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(desk.path().join("second").join(part)).expect("a maildir");
    }
    let fixtures = fixtures();
    let deliver = |round: usize, folder: &str| {
        for (n, path) in fixtures.iter().enumerate() {
            let name = format!("{}.M{n:06}P{round}.twice", now().as_second());
            let target = desk.path().join(folder).join("new").join(name);
            fs::copy(path, target).expect("it is delivered");
        }
        desk.ok(&["run", "--once"]);
    };
    deliver(1, "mail");
    let once = rows(&desk);
    assert!(once["ticket"] > 20 && once["outbox"] > 20, "{once:?}");
    deliver(2, "mail");
    assert_eq!(rows(&desk), once, "what is delivered again changes nothing");
    deliver(3, "second");
    assert_eq!(rows(&desk), once, "what lies in a second folder changes nothing");
    assert_eq!(stored(&desk), 3 * i64::try_from(fixtures.len()).expect("few"));
    desk.audit();
}

#[test]
fn p_02_p_09_every_fixture_in_a_renumbered_folder_changes_nothing() {
    let dovecot = Dovecot::start();
    let desk = Desk::new("");
    let text = format!(
        "state = \"state\"\nportal.url = \"https://help.example.com\"\n\
         smtp.transport = \"file\"\nsmtp.path = \"outgoing\"\n{NO_LIMITS}[[mailbox]]\n\
         start = \"all\"\nafter = \"flag\"\n{}",
        dovecot.mailbox("support")
    );
    fs::write(desk.config(), text).expect("it is written");
    fs::set_permissions(desk.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("it is ours");
    let fixtures = fixtures();
    for path in &fixtures {
        dovecot.deliver("support", "INBOX", &fs::read(path).expect("a fixture"));
    }
    desk.ok(&["run", "--once"]);
    let once = rows(&desk);
    assert!(once["ticket"] > 20 && once["outbox"] > 20, "{once:?}");
    desk.ok(&["run", "--once"]);
    assert_eq!(rows(&desk), once, "a second look changes nothing");
    for round in 2..4 {
        dovecot.renumber("support", "INBOX");
        desk.ok(&["run", "--once"]);
        assert_eq!(rows(&desk), once, "what is numbered anew changes nothing");
        assert_eq!(stored(&desk), round * i64::try_from(fixtures.len()).expect("few"));
    }
    desk.audit();
}

#[test]
fn p_10_a_second_program_on_one_store_is_refused_and_a_dead_one_is_followed_at_once() {
    let desk = Desk::new(NO_LIMITS);
    let raw = |n: usize| message("a@d.example", "Printer", &format!("k{n}@x"), "", "hello");
    desk.deliver("1767600000.M1P1.two", &raw(1));
    let daemon = desk.start();
    let tickets = |desk: &Desk| desk.lines(&["tickets", "list"]).len();
    wait_for("the first ticket", 20, || tickets(&desk) == 1);
    let pid = daemon.pid().to_string();
    // Under its own name, and through a link to it.
    symlink(desk.path().join("state/guichet.db"), desk.path().join("state/link.db"))
        .expect("a link");
    let other = ["--set", "store.url=\"sqlite:link.db\""];
    for args in [&["run", "--once"][..], &["run"]] {
        for more in [&[][..], &other] {
            let refused = desk.run(&[more, args].concat());
            let said = text(&refused);
            assert_eq!(refused.status.code(), Some(75), "a second one runs: {said}");
            assert!(said.contains(&format!("process {pid}")) && said.contains("hint: "), "{said}");
        }
    }
    // Commands work beside it.
    fs::write(desk.path().join("by-hand.eml"), raw(2)).expect("it is written");
    desk.ok(&["ingest", "by-hand.eml"]);
    wait_for("the second ticket", 20, || tickets(&desk) == 2);
    desk.ok(&["db", "backup", "copy.db"]);
    desk.ok(&["db", "verify"]);
    desk.audit();
    daemon.kill();
    // The number of the dead one in the lock means nothing: it is this test's by now.
    let lock = desk.path().join("state/guichet.db.lock");
    assert_eq!(fs::read_to_string(&lock).expect("its lock").trim(), pid);
    fs::write(&lock, format!("{}\n", std::process::id())).expect("it is written");
    desk.deliver("1767600001.M3P1.two", &raw(3));
    desk.ok(&["run", "--once"]);
    assert_eq!(tickets(&desk), 3);
    desk.audit();
}

#[test]
fn p_10_a_store_with_two_names_is_refused() {
    let desk = Desk::new("");
    desk.ok(&["run", "--once"]);
    let (name, other) = (desk.path().join("state/guichet.db"), desk.path().join("state/other.db"));
    fs::hard_link(&name, &other).expect("a hard link");
    let refused = desk.run(&["--set", "store.url=\"sqlite:other.db\"", "run", "--once"]);
    let said = text(&refused);
    assert_eq!(refused.status.code(), Some(69), "{said}");
    assert!(said.contains("2 names (hard links)") && said.contains("hint: "), "{said}");
    fs::remove_file(other).expect("it goes");
    desk.ok(&["run", "--once"]);
}

#[test]
fn p_10_commands_that_bring_mail_in_beside_the_daemon_do_everything_once() {
    const ROUNDS: usize = 30;
    let desk = Desk::new(NO_LIMITS);
    let daemon = desk.start();
    desk.wait_for_role();
    for n in 0..ROUNDS {
        let from = format!("New Sender <n{n}@d{}.example>", n % 5);
        let raw = |id: &str| message(&from, "Printer", &format!("{id}{n}@x"), "", "hello");
        fs::write(desk.path().join("one.eml"), raw("one")).expect("written");
        fs::write(desk.path().join("same.eml"), raw("same")).expect("written");
        let bring = || desk.command(&["ingest", "one.eml", "same.eml"]).spawn().expect("it starts");
        let mut bringing = [bring(), bring()];
        desk.deliver(&format!("{}.M{n}P1.raced", now().as_second()), &raw("same"));
        for command in &mut bringing {
            assert!(command.wait().expect("it ends").success(), "it waits for its turn");
        }
    }
    wait_for("all to be decided", 60, || {
        let books = desk.json(&["audit"]);
        books["stored"].as_u64() >= Some(3 * ROUNDS as u64) && books["pending"] == 0
    });
    assert_eq!(daemon.stop(), Some(0));
    let rows = rows(&desk);
    let of = |table: &str| usize::try_from(rows[table]).expect("a count");
    assert_eq!((of("person"), of("ticket")), (ROUNDS, 2 * ROUNDS));
    let store = Connection::open(desk.path().join("state/guichet.db")).expect("the store");
    let credentials = "SELECT COUNT(*) FROM outbox WHERE template = 'credentials'";
    let credentials: i64 = store.query_row(credentials, [], |row| row.get(0)).expect("it counts");
    assert_eq!(usize::try_from(credentials), Ok(ROUNDS));
    desk.audit();
}

#[test]
fn p_16_t_49_a_replay_says_the_same_each_time_and_connects_to_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it need not wait");
    let port = listener.local_addr().expect("its address").port();
    let desk = Desk::new("");
    let text = format!(
        "state = \"state\"\nportal.url = \"https://help.example.com\"\n\
         smtp.transport = \"smtp\"\nsmtp.host = \"127.0.0.1\"\nsmtp.port = {port}\n\
         smtp.tls = \"none\"\n[limits]\nper_sender = \"2/h\"\n[[mailbox]]\nname = \"support\"\n\
         address = \"support@helpdesk.example\"\nprovider = \"imap\"\nhost = \"127.0.0.1\"\n\
         username = \"support\"\npassword = \"none\"\nimap = {{ port = {port}, tls = \"none\" }}\n"
    );
    fs::write(desk.config(), text).expect("it is written");
    fs::set_permissions(desk.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("it is ours");
    // A file arrived when it was written: these just now, so that a clock that goes on would show.
    let folder = desk.path().join("copies");
    fs::create_dir(&folder).expect("a folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail");
    for file in fs::read_dir(fixtures).expect("the fixtures").flatten() {
        fs::write(folder.join(file.file_name()), fs::read(file.path()).expect("it reads"))
            .expect("it is written");
    }
    let folder = folder.to_str().expect("a path in UTF-8");
    let replay = |jobs: &str| desk.ok(&["replay", "--json", "--jobs", jobs, folder, folder]);
    let first = replay("1");
    assert_eq!(first, replay("1"), "two replays of one folder");
    assert_eq!(first, replay("3"), "on more threads");
    assert!(!desk.path().join("state").exists(), "the desk's own store is not touched");
    assert!(listener.accept().is_err(), "somebody was connected to");
}
