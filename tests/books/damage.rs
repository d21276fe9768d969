//! Databases that are damaged: nothing is decided on them, nothing is made worse, no mailbox is
//! touched, and whoever reads the message knows what to do.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::desk::{
    NO_LIMITS, database, deliver, letter, listing, mailed, open, stored, tickets, told,
    wait_for_all,
};
use crate::support::dovecot::now;
use crate::support::{Desk, postgres, wait_for};

/// A desk whose mail is decided, and one message more in its mailbox; its store is one file.
fn desk() -> Desk {
    let desk = Desk::new(&format!("after = \"delete\"\n{NO_LIMITS}"));
    for n in 0..20 {
        deliver(&desk, &format!("n{n}"));
    }
    desk.ok(&["run", "--once"]);
    deliver(&desk, "waiting");
    desk
}

fn write_at(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(file).expect("it opens");
    file.seek(SeekFrom::Start(at)).expect("it is long enough");
    file.write_all(bytes).expect("it is written");
}

// Where the tables and indexes of that name begin in the file, and how long a page is.
fn pages(database: &Path, table: &str) -> (Vec<u64>, u64) {
    let store = open(database);
    let size: i64 =
        store.query_row("PRAGMA page_size", [], |row| row.get(0)).expect("a pragma answers");
    let size = size.unsigned_abs();
    let mut roots =
        store.prepare("SELECT rootpage FROM sqlite_master WHERE tbl_name = ?1").expect("it reads");
    let roots = roots.query_map([table], |row| row.get::<_, i64>(0)).expect("it reads");
    (roots.map(|page| (page.expect("it reads").unsigned_abs() - 1) * size).collect(), size)
}

fn zero(database: &Path, table: &str) {
    let (pages, size) = pages(database, table);
    for page in pages {
        write_at(database, page, &vec![0; size as usize]);
    }
}

type Inflict = fn(&Path);

/// What is not damaged.
enum Rest {
    Lost,
    /// Other tables, where it is noted who worked on the store.
    Sound,
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is_by_every_command() {
    let damages: [(&str, Inflict, Rest); 4] = [
        ("garbage for a header", |file| write_at(file, 0, b"Dear diary, this"), Rest::Lost),
        ("a table of zeros", |file| zero(file, "message"), Rest::Sound),
        ("the raw bytes of zeros", |file| zero(file, "raw_chunk"), Rest::Sound),
        (
            "half of it",
            |file| {
                let length = fs::metadata(file).expect("it is there").len();
                let file = OpenOptions::new().write(true).open(file).expect("it opens");
                file.set_len(length / 2).expect("it is cut");
            },
            Rest::Lost,
        ),
    ];
    for (damage, inflict, rest) in damages {
        let desk = desk();
        let (file, mailbox) = (database(&desk), listing(&desk));
        inflict(&file);
        let damaged = fs::read(&file).expect("it reads");
        for command in [&["run", "--once"][..], &["audit"], &["db", "verify"], &["run"]] {
            let output = desk.run(command);
            let said = told(&output) + &String::from_utf8_lossy(&output.stdout);
            assert!(
                matches!(output.status.code(), Some(1 | 69)),
                "{damage}: {command:?} ended with {}: {said}",
                output.status
            );
            assert!(said.contains("guichet.db"), "{damage}: {command:?}: {said}");
            assert!(said.contains("damaged"), "{damage}: {command:?}: {said}");
            assert!(said.contains("backup"), "{damage}: {command:?}: {said}");
        }
        let left = fs::read(&file).expect("it reads");
        match rest {
            Rest::Lost => assert!(left == damaged, "{damage}: it was written to"),
            Rest::Sound => assert_eq!(left.len(), damaged.len(), "{damage}: something was added"),
        }
        assert_eq!(listing(&desk), mailbox, "{damage}: the mailbox was touched");
    }
}

#[test]
fn a_daemon_whose_database_is_damaged_under_it_decides_nothing_more_and_stops() {
    let desk = desk();
    let daemon = desk.start();
    wait_for_all(&desk, 21);
    let file = database(&desk);
    let store = open(&file);
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    wait_for("the WAL to be empty", 20, || {
        store.query_row(checkpoint, [], |row| row.get::<_, i64>(0)).is_ok_and(|busy| busy == 0)
    });
    zero(&file, "message");
    // Whoever writes makes the others look at the file anew.
    let write = "INSERT INTO refused_login (mailbox, refused_at, login) VALUES ('x', 1, 1)";
    store.execute(write, []).expect("another program writes");
    deliver(&desk, "late");
    let mailbox = listing(&desk);
    let log = || fs::read_to_string(desk.path().join("daemon.log")).expect("a log");
    wait_for("the daemon to stop", 30, || log().contains("everything stops"));
    assert!(log().contains("is damaged") && log().contains("guichet db restore"), "{}", log());
    assert_eq!(listing(&desk), mailbox, "the message is where it was");
    assert_eq!(daemon.stop(), Some(1));
}

#[test]
fn raw_bytes_that_were_changed_are_found_by_verify() {
    let desk = desk();
    let store = open(&database(&desk));
    let (id, n): (String, Vec<u8>) = store
        .query_row("SELECT message, bytes FROM raw_chunk LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("it reads");
    let mut bytes = n;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let change = "UPDATE raw_chunk SET bytes = ?1 WHERE message = ?2";
    store.execute(change, rusqlite::params![bytes, id]).expect("it is changed");
    drop(store);
    desk.audit();
    let output = desk.run(&["db", "verify"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&id) && said.contains("has 1 problem"), "{said}");
}

#[test]
fn an_index_that_says_something_else_than_its_table_is_found_by_verify() {
    let desk = desk();
    let store = open(&database(&desk));
    let damage = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = \
        (SELECT rootpage FROM sqlite_master WHERE name = 'message_held') \
        WHERE name = 'decision_decided'";
    store.execute_batch(damage).expect("it is done");
    drop(store);
    let output = desk.run(&["db", "verify"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("decision_decided"), "{said}");
    assert!(told(&output).contains("db restore FILE"), "{}", told(&output));
}

/// The last commits are gone with it, and with them what says which mails went out; what is left is
/// sound.
#[test]
fn p_03_a_store_that_lost_its_wal_mails_nobody_again_and_says_what_to_do() {
    for is_gone in [true, false] {
        let desk = Desk::new(NO_LIMITS);
        deliver(&desk, "first");
        desk.ok(&["run", "--once"]);
        let daemon = desk.start();
        for n in 0..10 {
            deliver(&desk, &format!("n{n}"));
        }
        wait_for_all(&desk, 11);
        daemon.kill();
        let mails = mailed(&desk);
        let wal = database(&desk).with_extension("db-wal");
        assert!(fs::metadata(&wal).expect("a killed daemon leaves it").len() > 0);
        match is_gone {
            true => fs::remove_file(&wal).expect("it is there"),
            false => fs::write(&wal, vec![b'x'; 300_000]).expect("it is written"),
        }
        assert_eq!(stored(&desk), (1, 0), "what was moved into the file");
        desk.audit();
        let refused = desk.run(&["run", "--once"]);
        let said = told(&refused);
        let goes_on = "it goes on with a store that went back";
        assert_eq!(refused.status.code(), Some(69), "{goes_on}: {said}");
        assert_eq!(mailed(&desk), mails, "nobody is mailed twice");
        assert!(said.contains("back in time") && said.contains("db restore --in-place"), "{said}");
        let verified = desk.run(&["db", "verify"]);
        let verified = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert!(verified.contains("back in time") && verified.contains("1 problem"), "{verified}");

        desk.ok(&["--yes", "db", "restore", "--in-place"]);
        desk.ok(&["run", "--once"]);
        assert_eq!((stored(&desk), mailed(&desk)), ((11, 0), mails));
        assert!(desk.ok(&["db", "verify"]).contains("is sound"));
        desk.audit();
    }
}

/// Not so one that is what it was, however it ended, nor a new one in its place.
#[test]
fn a_store_that_was_killed_moved_or_made_anew_has_not_gone_back() {
    let desk = desk();
    for _ in 0..3 {
        let daemon = desk.start();
        let log = desk.path().join("daemon.log");
        wait_for("it to begin", 20, || {
            fs::read_to_string(&log).is_ok_and(|log| log.contains("mailbox support"))
        });
        daemon.kill();
    }
    desk.ok(&["run", "--once"]);
    desk.ok(&["db", "backup", "copy.db"]);
    desk.ok(&["--set", "store.url=\"sqlite:../copy.db\"", "run", "--once"]);
    let state = desk.path().join("state");
    fs::rename(&state, desk.path().join("moved")).expect("it is moved");
    desk.ok(&["--set", "state=\"moved\"", "run", "--once"]);
    for file in ["guichet.db", "guichet.db-wal", "guichet.db-shm"] {
        let _ = fs::remove_file(desk.path().join("moved").join(file));
    }
    desk.ok(&["--set", "state=\"moved\"", "run", "--once"]);
}

/// A desk, and how to run a statement on its store.
type Opened = (Desk, Box<dyn Fn(&str)>);

fn on_sqlite() -> Opened {
    let desk = Desk::new(NO_LIMITS);
    let file = database(&desk);
    (desk, Box::new(move |sql| open(&file).execute_batch(sql).expect("it is done")))
}

fn on_postgres() -> Opened {
    let schema = postgres::fresh_schema();
    let store = format!(
        "[store]\nurl = \"{}\"\npassword = \"{}\"\ntls = \"none\"\n",
        schema.url,
        postgres::PASSWORD
    );
    let run = move |sql: &str| {
        let sql = format!("SET search_path TO {}; {sql}", schema.name);
        postgres::server().execute(postgres::DATABASE, &sql);
    };
    (Desk::new(&format!("{NO_LIMITS}{store}")), Box::new(run))
}

#[test]
fn p_12_a_damaged_message_is_held_at_once_and_the_others_go_on_on_sqlite() {
    a_damaged_message_is_held_at_once_and_the_others_go_on(on_sqlite());
}

#[test]
fn p_12_a_damaged_message_is_held_at_once_and_the_others_go_on_on_postgres() {
    a_damaged_message_is_held_at_once_and_the_others_go_on(on_postgres());
}

fn a_damaged_message_is_held_at_once_and_the_others_go_on((desk, execute): Opened) {
    let damages = [
        ("cut", "UPDATE raw_chunk SET bytes = SUBSTR(bytes, 1, LENGTH(bytes) - 3)"),
        ("gone", "DELETE FROM raw_chunk"),
        ("headless", "UPDATE raw_chunk SET bytes = SUBSTR(bytes, 5)"),
    ];
    for name in ["first", "cut", "gone", "headless", "last"] {
        deliver(&desk, name);
    }
    let mut killed = desk.command(&["run", "--once"]);
    let killed = killed.env("GUICHET_FAULTS", "kill=spool.committed").output().expect("it starts");
    assert_eq!(killed.status.code(), None, "{}", told(&killed));
    assert_eq!(stored(&desk), (5, 5), "they wait");
    for (name, damage) in damages {
        let which = format!("(SELECT id FROM message WHERE origin LIKE '%.{name}')");
        execute(&format!("{damage} WHERE message = {which}"));
    }

    let run = desk.run(&["run", "--once"]);
    let subjects: Vec<String> = tickets(&desk).into_keys().collect();
    assert_eq!(subjects, ["About first", "About last"], "a damaged one stops them: {}", told(&run));
    assert_eq!(run.status.code(), Some(0), "{}", told(&run));
    let held = desk.lines(&["held", "list"]);
    let ids: Vec<&str> = held.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids.len(), 3, "{held:?}");
    for one in &held {
        assert_eq!(one["reason"], "parse_failed", "{one}");
    }
    let why = desk.ok(&["held", "show", ids[0]]);
    assert!(why.contains("raw bytes are damaged") && why.contains("copy it anew"), "{why}");

    // The books add up, and say what is missing, as far as they look.
    let books = desk.run(&["audit", "--json"]);
    assert_eq!(books.status.code(), Some(1));
    let books: serde_json::Value = serde_json::from_slice(&books.stdout).expect("it is JSON");
    assert_eq!((&books["held"], &books["pending"]), (&3.into(), &0.into()));
    let off = books["equations"].as_array().expect("a list").iter();
    let off: Vec<&str> = off
        .filter(|equation| equation["holds"] == false)
        .filter_map(|equation| equation["what"].as_str())
        .collect();
    assert!(off.len() == 2 && off[0].contains("missing") && off[1].contains("begin"), "{off:?}");
    let verified = desk.run(&["db", "verify"]);
    let verified = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!(verified.matches(" is damaged: ").count(), 2, "{verified}");

    // Another try finds the same; what is copied anew comes in.
    desk.ok(&["held", "release", ids[0]]);
    assert_eq!(desk.lines(&["held", "list"]).len(), 3);
    desk.deliver(&format!("{}.M1P1.again", now().as_second()), &letter("cut"));
    desk.ok(&["run", "--once"]);
    assert!(tickets(&desk).contains_key("About cut"));
    desk.ok(&["--yes", "held", "drop", "--all", "--reason", "parse_failed"]);
    assert_eq!(stored(&desk), (6, 0));
}
