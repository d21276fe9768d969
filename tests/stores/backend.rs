//! The thread, the transactions, the files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use guichet::args;
use guichet::store::{Store, StoreError, mailboxes, sqlite};

use crate::support::{Place, at, count, read, write};

pub fn a_failed_piece_of_work_is_rolled_back_alone(place: &Place) {
    let store = place.open();
    let failed: Result<(), _> = store.transact(|sql| {
        mailboxes::begin(sql, "gone", "gone@desk.example", at(0))?;
        Err(StoreError::Violated("on purpose".to_owned()))
    });
    assert!(matches!(failed, Err(StoreError::Violated(_))));
    assert_eq!(count(&store, "mailbox"), 0);
    write(&store, |sql| mailboxes::begin(sql, "kept", "kept@desk.example", at(0)));
    assert_eq!(count(&store, "mailbox"), 1);
}

pub fn a_panic_reaches_its_caller_alone(place: &Place) {
    let store = place.open();
    let failed: Result<(), _> = store.transact(|sql| {
        mailboxes::begin(sql, "gone", "gone@desk.example", at(0))?;
        panic!("on purpose")
    });
    assert!(matches!(failed, Err(StoreError::Panicked(said)) if said == "on purpose"));
    assert_eq!(count(&store, "mailbox"), 0);
    write(&store, |sql| mailboxes::begin(sql, "kept", "kept@desk.example", at(0)));
    assert_eq!(count(&store, "mailbox"), 1);
}

pub fn a_lost_race_runs_again_with_fresh_facts(place: &Place) {
    let store = place.open();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let second = write(&store, move |sql| {
        mailboxes::begin(sql, "raced", "raced@desk.example", at(0))?;
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err(StoreError::Raced("on purpose".to_owned())),
            run => Ok(run),
        }
    });
    assert_eq!(second, 1);
    assert_eq!(count(&store, "mailbox"), 1);
    let always: Result<(), _> = store.transact(|_| Err(StoreError::Raced("on purpose".to_owned())));
    assert!(always.expect_err("it is always beaten").is_temporary());
}

pub fn every_caller_of_a_group_is_answered(place: &Place) {
    let store = place.open();
    std::thread::scope(|scope| {
        for n in 0..40 {
            let store = &store;
            scope.spawn(move || {
                let name = format!("mailbox {n}");
                let result = store.transact(move |sql| {
                    mailboxes::begin(sql, &name, "desk@desk.example", at(0))?;
                    if n % 4 == 0 { Err(StoreError::Stopped) } else { Ok(n) }
                });
                match result {
                    Ok(answer) => assert_eq!(answer, n),
                    Err(error) => assert!(n % 4 == 0, "{n}: {error}"),
                }
            });
        }
    });
    assert_eq!(count(&store, "mailbox"), 30);
}

pub fn a_store_survives_being_dropped_and_opened_again(place: &Place) {
    let store = place.open();
    let other = store.clone();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    drop(store);
    write(&other, |sql| mailboxes::set_position(sql, "support", "here"));
    drop(other);
    let position =
        read(&place.open(), |sql| sql.query("SELECT position FROM mailbox", &[])?[0].text(0));
    assert_eq!(position, "here");
}

pub fn the_last_handle_may_be_dropped_by_the_store_thread(place: &Place) {
    let store = place.open();
    let inside = store.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let Store::Sqlite(sqlite) = &store;
    let answer = sqlite.submit(move |_| {
        let _kept_until_the_work_is_dropped = &inside;
        receiver.recv().map_err(|_| StoreError::Stopped)
    });
    drop(store);
    sender.send(7).expect("the work waits for it");
    assert_eq!(answer.blocking_recv().expect("an answer").expect("success"), 7);
}

pub fn a_newer_schema_is_refused(place: &Place) {
    let store = place.open();
    write(&store, |sql| {
        sql.execute(
            "INSERT INTO migration (name, hash, applied_at) VALUES ('9999_later', 'x', 0)",
            args![],
        )
    });
    drop(store);
    let error = place.try_open().expect_err("it is newer");
    assert!(matches!(&error, StoreError::Newer { found, .. } if found == "9999_later"));
}

pub fn a_migration_that_was_rewritten_is_refused(place: &Place) {
    let store = place.open();
    write(&store, |sql| sql.execute("UPDATE migration SET hash = 'x'", args![]));
    drop(store);
    let error = place.try_open().expect_err("it is another one");
    assert!(matches!(&error, StoreError::Rewritten { name } if name == "0001_core"));
}

pub fn a_file_that_is_no_store_is_named(place: &Place) {
    std::fs::write(place.file(), "Dear diary".repeat(1000)).expect("a file is written");
    let error = place.try_open().expect_err("it is no database");
    let named = place.file().display().to_string();
    assert!(matches!(&error, StoreError::Damaged { path, .. } if *path == named), "{error}");
    std::fs::remove_file(place.file()).expect("it is there");
    std::fs::create_dir(place.file()).expect("its name is free");
    let error = place.try_open().expect_err("it is a folder");
    assert!(matches!(&error, StoreError::Open { path, .. } if *path == named), "{error}");
}

pub fn a_second_daemon_is_refused_with_the_pid_of_the_first(place: &Place) {
    let (first, second) = (place.open(), place.open());
    let role = first.take_role().expect("nobody has it");
    let error = second.take_role().expect_err("the first has it");
    let own = std::process::id().to_string();
    assert!(matches!(&error, StoreError::Locked { pid, .. } if *pid == own));
    // A command needs no role.
    write(&second, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    drop(role);
    second.take_role().expect("the first gave it back");
}

pub fn files_are_private(place: &Place) {
    use std::os::unix::fs::PermissionsExt;
    let store = place.open();
    let _role = store.take_role().expect("nobody has it");
    for name in [place.file(), sqlite::lock_path(&place.file()), wal(place)] {
        let mode = std::fs::metadata(&name).expect("the file exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", name.display());
    }
}

pub fn no_nul_reaches_the_store(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "a\0b", "a@desk.example", at(0)));
    let name = read(&store, |sql| sql.query("SELECT name FROM mailbox", &[])?[0].text(0));
    assert_eq!(name, "a\u{fffd}b");
}

/// Somebody who copies the file of a daemon that was stopped has everything.
pub fn a_closed_store_is_one_file(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    read(&store, |sql| sql.query("SELECT name FROM mailbox", &[]).map(drop));
    drop(store);
    for rest in ["db-wal", "db-shm"] {
        assert!(!place.file().with_extension(rest).exists(), "`{rest}` is left");
    }
}

pub fn verify_finds_a_sound_store_sound_and_a_backup_reads(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    assert_eq!(store.verify().expect("it can be looked at"), Vec::<String>::new());
    let target = place.file().with_extension("copy");
    store.back_up(&target).expect("a copy is made");
    assert!(store.back_up(&target).is_err(), "nothing is overwritten");
    let options = guichet::store::Options {
        location: guichet::store::Location::Sqlite(target),
        durability: guichet::store::Durability::None,
    };
    let copy = Store::open(&options, at(0)).expect("the copy opens");
    assert_eq!(count(&copy, "mailbox"), 1);
}

fn wal(place: &Place) -> std::path::PathBuf {
    place.file().with_extension("db-wal")
}
