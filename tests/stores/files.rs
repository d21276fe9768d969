//! The files of a SQLite store, and the lock beside them.

use guichet::store::{Store, StoreError, mailboxes, sqlite};

use crate::support::{Place, at, count, read, write};

#[test]
fn a_file_that_is_no_store_is_named() {
    let place = Place::sqlite();
    std::fs::write(place.file(), "Dear diary".repeat(1000)).expect("a file is written");
    let error = place.try_open().expect_err("it is no database");
    let named = place.file().display().to_string();
    assert!(matches!(&error, StoreError::Damaged { path, .. } if *path == named), "{error}");
    std::fs::remove_file(place.file()).expect("it is there");
    std::fs::create_dir(place.file()).expect("its name is free");
    let error = place.try_open().expect_err("it is a folder");
    assert!(matches!(&error, StoreError::Open { path, .. } if *path == named), "{error}");
}

#[test]
fn a_second_daemon_is_refused_with_the_pid_of_the_first() {
    let place = Place::sqlite();
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

#[test]
fn files_are_private() {
    let place = Place::sqlite();
    use std::os::unix::fs::PermissionsExt;
    let store = place.open();
    let _role = store.take_role().expect("nobody has it");
    for name in [place.file(), sqlite::lock_path(&place.file()), wal(&place)] {
        let mode = std::fs::metadata(&name).expect("the file exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", name.display());
    }
}

/// Somebody who copies the file of a daemon that was stopped has everything.
#[test]
fn a_closed_store_is_one_file() {
    let place = Place::sqlite();
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    read(&store, |sql| sql.query("SELECT name FROM mailbox", &[]).map(drop));
    drop(store);
    for rest in ["db-wal", "db-shm"] {
        assert!(!place.file().with_extension(rest).exists(), "`{rest}` is left");
    }
}

#[test]
fn a_backup_reads() {
    let place = Place::sqlite();
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
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
