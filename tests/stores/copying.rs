//! From one database to the other and back.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use guichet::args;
use guichet::store::copy::{self, Copied};
use guichet::store::spool::{self, Acknowledge, Attempt, Finished};
use guichet::store::workers::{self, Process};
use guichet::store::{Store, StoreError, Value, apply, audit, mailboxes, outbox};
use guichet::triage::plan::{Effect, Outcome, Plan, Reason, StaffNote};

use crate::support::{
    Place, at, claim, count, first_contact, gather, message, plan, questions, read, site,
    ticket_only, write,
};

/// A store with all that a desk comes to have: tickets, users, a held message, one that is worked
/// on, a large one, mail of ours in several states, credentials, and numbers whose rows are gone.
fn fill(place: &Place) -> Store {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    write(&store, |sql| mailboxes::begin(sql, "support", "a\0@desk.example", at(0)));
    write(&store, |sql| mailboxes::set_position(sql, "support", "7:12"));
    for n in 0..300 {
        let claim = place.receive(&store, &format!("m{n}"), n);
        let message = message(&format!("m{n}"), &format!("claire{n}@contoso.example"));
        let ids = place.ids.clone();
        write(&store, move |sql| {
            let facts = gather(sql, &questions(&message), &claim, n);
            let plan = match n % 3 {
                0 => first_contact(&message, &facts),
                1 => with_note(ticket_only(&message, &facts)),
                _ => plan(Reason::ParseFailed, Outcome::Held, vec![]),
            };
            apply::apply(sql, &plan, Some(&message), &claim, &ids, at(n))
        });
    }
    // More than is read at a time, in one row more than another.
    for (name, size) in [("large", 9 << 20), ("empty", 0)] {
        let raw: Vec<u8> =
            (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let arrival = place.arrival(name, 400, &raw);
        write(&store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(400), Acknowledge::AfterDecision)
        });
    }
    write(&store, |sql| claim(sql, 400, 1));
    let claims = write(&store, |sql| {
        let term = jiff::SignedDuration::from_mins(1);
        outbox::claim_due(sql, "w", &outbox::Whose::All, at(500), term, 3)
    });
    let ids = place.ids.clone();
    write(&store, move |sql| {
        let attempt = outbox::Attempt {
            claim: claims[0],
            credentials: Vec::new(),
            message_id: "g1a.1.1.mac@desk.example".to_owned(),
            subject: "Hello".to_owned(),
            body: "Hello".to_owned(),
            known: Vec::new(),
        };
        outbox::begin_attempt(sql, &attempt, jiff::SignedDuration::from_mins(1), &ids, at(501))?;
        outbox::sent(sql, claims[0], "250 ok", None, at(501))
    });
    write(&store, |sql| {
        sql.execute("DELETE FROM outbox WHERE id = (SELECT MAX(id) FROM outbox)", args![])
    });
    store
}

/// The same, of a message that staff forwards.
fn with_note(mut plan: Plan) -> Plan {
    for effect in &mut plan.effects {
        if let Effect::AddMessage(new) = effect {
            let (note, forwarded) = ("Be quick.".to_owned(), "It smokes.".to_owned());
            new.note = Some(StaffNote { note, forwarded });
        }
    }
    plan
}

/// Every row of every table, in words.
fn rows(store: &Store) -> BTreeMap<String, Vec<String>> {
    let tables = copy::tables(at(0)).expect("the tables are known");
    read(store, |sql| {
        tables
            .iter()
            .map(|table| {
                let (columns, key) = (table.columns.join(", "), table.key.join(", "));
                let statement = format!("SELECT {columns} FROM {} ORDER BY {key}", table.name);
                let rows = sql.query(&statement, args![])?;
                Ok((table.name.clone(), rows.iter().map(|row| format!("{row:?}")).collect()))
            })
            .collect()
    })
}

fn copied(from: &Store, to: &Store) -> Vec<Copied> {
    copy::copy(from, to, at(600), |_| ()).expect("the copy succeeds")
}

#[test]
fn a_store_is_moved_to_postgresql_and_back_and_is_the_same() {
    let (first, between, last) = (Place::sqlite(), Place::postgres(), Place::sqlite());
    let store = fill(&first);
    let before = rows(&store);
    let (told, heard) = channel();
    let told = Mutex::new(told);
    let there = between.try_open().expect("a new store opens");
    let copied_there = copy::copy(&store, &there, at(600), move |one| {
        told.lock().expect("nobody panics").send(one.clone()).expect("the test listens");
    });
    let copied_there = copied_there.expect("the copy succeeds");
    assert_eq!(copy::survey(&store, at(600)).expect("it is counted"), copied_there);
    assert_eq!(heard.iter().collect::<Vec<_>>(), copied_there);
    assert_eq!(rows(&there), before);
    let sum = |table: &str| copied_there.iter().find(|one| one.table == table).expect("it is").rows;
    assert_eq!((sum("message"), sum("ticket"), sum("raw_chunk")), (302, 200, 310));

    let back = last.try_open().expect("a new store opens");
    assert_eq!(copied(&there, &back), copied_there);
    assert_eq!(rows(&back), before);
    assert!(read(&back, audit::audit).balance());

    // All three go on from there: no number is given twice.
    let last_mail = read(&store, |sql| {
        sql.query("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", args![])?[0].int(0)
    });
    for (place, store) in [(&first, &store), (&between, &there), (&last, &back)] {
        place.queue_mail(store, 0);
        let newest = read(store, |sql| sql.query("SELECT MAX(id) FROM outbox", args![])?[0].int(0));
        assert_eq!(newest, last_mail + 1);
        place.tick(700);
        let arrival = place.arrival("later", 700, b"x");
        write(store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(700), Acknowledge::Never)
        });
        // What was being worked on goes on when its lease ends.
        let claims = write(store, |sql| claim(sql, 701, 3));
        assert_eq!(claims.len(), 1, "it was tried before");
        write(store, move |sql| spool::release(sql, &claims[0], Attempt::Counted));
    }
}

#[test]
fn what_an_older_guichet_stored_and_postgresql_refuses_is_replaced() {
    let (place, target) = (Place::sqlite(), Place::postgres());
    let store = place.open();
    write(&store, |sql| {
        sql.execute(
            "INSERT INTO mailbox (name, address, started_at) VALUES (?1, ?2, 0)",
            &[Value::Text("a\0b".to_owned()), Value::Text("c\0d".to_owned())],
        )
    });
    let there = target.try_open().expect("a new store opens");
    copied(&store, &there);
    let row = read(&there, |sql| sql.query("SELECT name, address FROM mailbox", args![]));
    assert_eq!(row[0].text(0).expect("text"), "a\u{fffd}b");
    assert_eq!(row[0].text(1).expect("text"), "c\u{fffd}d");
}

#[test]
fn a_copy_needs_an_empty_target_and_a_store_at_rest() {
    let (place, target) = (Place::sqlite(), Place::postgres());
    let store = place.open();
    let claim = place.receive(&store, "m", 0);
    write(&store, move |sql| spool::finish(sql, &claim, Finished::Held));
    let there = target.open();
    let refused = copy::copy(&store, &there, at(600), |_| ());
    assert!(matches!(refused, Err(StoreError::NotEmpty { table }) if table == "site"));

    // A process that works on the store; then one that was silent for long.
    write(&store, |sql| workers::enter(sql, "daemon", &Process::own(), at(590)));
    let there = Place::postgres().try_open().expect("a new store opens");
    assert!(matches!(copy::copy(&store, &there, at(600), |_| ()), Err(StoreError::InUse)));
    assert_eq!(count(&there, "site"), 0);
    copy::copy(&store, &there, at(700), |_| ()).expect("nobody works on it any more");
    assert_eq!(count(&there, "worker"), 0, "who works there is each store's own");
}

#[test]
fn a_copy_that_is_cut_off_leaves_nothing_and_can_be_tried_again() {
    let (place, target) = (Place::sqlite(), Place::postgres());
    let store = fill(&place);
    let there = target.try_open().expect("a new store opens");
    let cut_off = copy::copy(&store, &there, at(600), |one| {
        assert!(one.table != "ticket", "cut off in the middle");
    });
    assert!(matches!(cut_off, Err(StoreError::Panicked(_))), "{cut_off:?}");
    assert!(rows(&there).values().all(Vec::is_empty));
    copied(&store, &there);
    assert_eq!(rows(&there), rows(&store));
}

#[test]
fn a_copy_that_differs_is_noticed() {
    let (place, target) = (Place::sqlite(), Place::postgres());
    let store = fill(&place);
    let there = target.try_open().expect("a new store opens");
    copied(&store, &there);
    let tables = copy::tables(at(0)).expect("the tables are known");
    let same = || {
        let (tables, store) = (tables.clone(), store.clone());
        there.read_only(|to| store.read_only(|from| copy::compare(from, to, &tables)))
    };
    same().expect("they are the same");
    for spoil in [
        "UPDATE raw_chunk SET bytes = SUBSTR(bytes, 2) WHERE n = 3",
        "DELETE FROM thread_id WHERE id = (SELECT MAX(id) FROM thread_id)",
        "INSERT INTO content_key (hash, message_id, message) VALUES (CAST(?1 AS BYTEA), 'x', 'x')",
        "UPDATE message SET size = size + 1 WHERE id = (SELECT MAX(id) FROM message)",
        "SELECT setval(pg_get_serial_sequence('ticket', 'number'), 5000)",
    ] {
        let copy = Place::postgres().try_open().expect("a new store opens");
        copied(&store, &copy);
        let bytes = Value::Blob(vec![255; 32]);
        let args = if spoil.contains("?1") { vec![bytes] } else { Vec::new() };
        write(&copy, move |sql| sql.query(spoil, &args));
        let tables = tables.clone();
        let found = copy.read_only(|to| store.read_only(|from| copy::compare(from, to, &tables)));
        assert!(matches!(found, Err(StoreError::Violated(_))), "{spoil}");
    }
}
