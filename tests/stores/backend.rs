//! The threads and the transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use guichet::args;
use guichet::store::{Sql, Store, StoreError, mailboxes};

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
    let work = move |_: &mut dyn Sql| {
        let _kept_until_the_work_is_dropped = &inside;
        receiver.recv().map_err(|_| StoreError::Stopped)
    };
    let answer = match &store {
        Store::Postgres(postgres) => postgres.submit(work),
        Store::Sqlite(sqlite) => sqlite.submit(work),
    };
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

pub fn no_nul_reaches_the_store(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "a\0b", "a@desk.example", at(0)));
    let name = read(&store, |sql| sql.query("SELECT name FROM mailbox", &[])?[0].text(0));
    assert_eq!(name, "a\u{fffd}b");
}

pub fn a_sound_store_is_found_sound(place: &Place) {
    let store = place.open();
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    assert_eq!(store.verify().expect("it can be looked at"), Vec::<String>::new());
}

pub fn raw_bytes_that_were_changed_are_found(place: &Place) {
    let store = place.open();
    let ids: Vec<String> =
        (0..70).map(|n| place.receive(&store, &format!("m{n}"), n).id().to_owned()).collect();
    assert_eq!(store.verify().expect("it can be looked at"), Vec::<String>::new());
    let changed = ids[66].clone();
    write(&store, move |sql| {
        let bytes = "SELECT bytes FROM raw_chunk WHERE message = ?1";
        let mut bytes = sql.query(bytes, args![&changed])?[0].blob(0)?;
        let last = bytes.len() - 5;
        bytes[last] ^= 1;
        sql.execute(
            "UPDATE raw_chunk SET bytes = ?1 WHERE message = ?2",
            args![&bytes[..], &changed],
        )
    });
    let problems = store.verify().expect("it can be looked at");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(&ids[66]) && problems[0].contains("m66"), "{problems:?}");
}

pub fn values_come_back_as_they_went(place: &Place) {
    let store = place.open();
    let text = "a `?1` 'quoted' \"text\" \\ of Zoë \u{1f389}";
    write(&store, move |sql| {
        let into = "INSERT INTO content_key (hash, message_id, message) VALUES (?1, ?2, '?3')";
        sql.execute(into, args![&[0_u8, 255, 39][..], text])?;
        let into = "INSERT INTO mailbox (name, address, started_at, position) \
                    VALUES (?1, ?1, ?2, ?3)";
        sql.execute(into, args!["most", i64::MAX - 7, Option::<&str>::None])?;
        sql.execute(into, args!["least", -5_i64, ""])?;
        sql.execute(into, args!["little", 12_i64, Some("here")])
    });
    read(&store, |sql| {
        let key = sql.query("SELECT hash, message_id, message FROM content_key", args![])?;
        assert_eq!((key[0].blob(0)?, key[0].text(1)?), (vec![0, 255, 39], text.to_owned()));
        assert_eq!(key[0].text(2)?, "?3");
        let rows = sql.query("SELECT started_at, position FROM mailbox ORDER BY name", args![])?;
        assert_eq!((rows[0].int(0)?, rows[0].opt_text(1)?), (-5, Some(String::new())));
        assert_eq!((rows[2].int(0)?, rows[2].opt_text(1)?), (i64::MAX - 7, None));
        let sums = "SELECT SUM(started_at), COUNT(*), MAX(position), 1 FROM mailbox";
        let row = sql.query_one(sums, args![])?.expect("a row");
        assert_eq!((row.int(0)?, row.int(1)?, row.int(3)?), (i64::MAX, 3, 1));
        assert_eq!(row.text(2)?, "here");
        Ok(())
    });
}
