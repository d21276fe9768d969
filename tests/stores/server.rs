//! What is PostgreSQL's alone: the way in, the rights, the schema, transactions side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use guichet::args;
use guichet::net::{Password, Security};
use guichet::store::{
    Durability, Location, Options, PostgresOptions, Sql, Store, StoreError, mailboxes,
};

use crate::suites::guarded::free_port;
use crate::suites::{Desk, postgres};
use crate::support::{Place, at, count, read, write};

fn open(options: PostgresOptions) -> Result<Store, StoreError> {
    let location = Location::Postgres(options);
    Store::open(&Options { location, durability: Durability::Full }, at(0))
}

fn options() -> PostgresOptions {
    postgres::options(&postgres::fresh_schema().url)
}

fn replaced(part: &str, by: &str) -> PostgresOptions {
    let options = options();
    assert!(options.url.contains(part), "{}", options.url);
    PostgresOptions { url: options.url.replace(part, by), ..options }
}

fn refused(options: PostgresOptions) -> StoreError {
    let error = open(options).expect_err("it is refused");
    let said = error.to_string();
    assert!(!said.contains(postgres::PASSWORD), "{said}");
    assert!(said.contains("\nhint: "), "{said}");
    error
}

#[test]
fn a_wrong_password_is_named_and_not_shown() {
    let wrong = PostgresOptions { password: Some(Password::new("wr0ng")), ..options() };
    let error = refused(wrong);
    let StoreError::LoginRefused { user, .. } = &error else { panic!("{error}") };
    assert_eq!(user, postgres::USER);
    assert!(!error.is_temporary() && !error.to_string().contains("wr0ng"), "{error}");
    let error = refused(PostgresOptions { password: None, ..options() });
    assert!(matches!(error, StoreError::NotAgreed { .. }), "{error}");
}

/// With the checker of indexes in the database, the sound ones are found sound.
#[test]
fn an_index_that_is_not_to_be_relied_on_is_found() {
    let schema = postgres::fresh_schema();
    let store = open(postgres::options(&schema.url)).expect("it opens");
    let server = postgres::server();
    server.execute(postgres::DATABASE, "CREATE EXTENSION IF NOT EXISTS amcheck");
    assert_eq!(store.verify().expect("it can be looked at"), Vec::<String>::new());
    let distrust = format!(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{}.message_held'::regclass",
        schema.name
    );
    server.execute(postgres::DATABASE, &distrust);
    let problems = store.verify().expect("it can be looked at");
    assert_eq!(problems, ["the index `message_held` is not to be relied on"]);
}

#[test]
fn a_database_that_is_not_there_is_named() {
    let error = refused(replaced("/guichet?", "/nowhere?"));
    let StoreError::NoDatabase { place } = &error else { panic!("{error}") };
    assert!(place.ends_with("/nowhere") && !error.is_temporary(), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_unreachable_for_now() {
    let port = format!(":{}/", postgres::server().port);
    let error = refused(replaced(&port, &format!(":{}/", free_port())));
    assert!(matches!(error, StoreError::Unreachable { .. }) && error.is_temporary(), "{error}");
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in ["postgres://", "mysql://a@b/c", "postgres://g@127.0.0.1:port/g", "postgres://h/d"] {
        let error = refused(PostgresOptions { url: url.to_owned(), ..options() });
        assert!(matches!(error, StoreError::Address { .. }), "{url}: {error}");
    }
}

/// Interfaces §1: 69 when a service that is needed cannot be reached, with one sentence.
#[test]
fn the_exit_code_tells_that_the_database_is_not_there() {
    let desk = Desk::new(&format!(
        "[store]\nurl = \"postgres://guichet@127.0.0.1:{}/guichet\"\npassword = \"x\"\n",
        free_port()
    ));
    for command in ["run", "audit"] {
        let output = desk.run(&[command]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(69), "{command}: {said}");
        assert!(said.contains("cannot be reached") && said.contains("hint: "), "{said}");
    }
}

#[test]
fn a_schema_that_is_not_there_is_named() {
    let error = refused(replaced("search_path%3Dtest_", "search_path%3Dnone_"));
    assert!(matches!(error, StoreError::Unfit { .. }), "{error}");
}

#[test]
fn a_database_of_another_encoding_is_refused() {
    postgres::server().execute(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    );
    let port = postgres::server().port;
    let url = format!("postgres://{}@127.0.0.1:{port}/latin", postgres::USER);
    let error = refused(PostgresOptions { url, ..options() });
    assert!(matches!(&error, StoreError::Unfit { said } if said.contains("LATIN1")), "{error}");
}

#[test]
fn who_may_make_no_tables_is_told_and_may_work_on_those_there_are() {
    let schema = postgres::fresh_schema();
    let role = format!("role_of_{}", schema.name);
    postgres::server().execute(
        postgres::DATABASE,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{}'; GRANT USAGE ON SCHEMA {} TO {role}",
            postgres::PASSWORD,
            schema.name
        ),
    );
    let other = || {
        let url = schema.url.replace("postgres://guichet@", &format!("postgres://{role}@"));
        postgres::options(&url)
    };
    let error = refused(other());
    assert!(matches!(error, StoreError::Forbidden { .. }) && !error.is_temporary(), "{error}");
    drop(open(postgres::options(&schema.url)).expect("the owner makes the tables"));
    postgres::server().execute(
        postgres::DATABASE,
        &format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {role}",
            schema.name
        ),
    );
    let store = open(other()).expect("the tables are there");
    write(&store, |sql| mailboxes::begin(sql, "support", "a@desk.example", at(0)));
    assert_eq!(count(&store, "mailbox"), 1);
}

#[test]
fn the_connection_is_protected_and_the_certificate_checked_t_43() {
    let server = postgres::server();
    let protected = || PostgresOptions { security: Security::Implicit, ca_file: None, ..options() };
    let error = refused(protected());
    assert!(matches!(&error, StoreError::Net(said) if said.contains("certificate")), "{error}");
    assert!(!error.is_temporary());
    let trusted = PostgresOptions { ca_file: Some(server.ca_file()), ..protected() };
    let store = open(trusted).expect("it is signed by whom we trust");
    let is_protected = "SELECT CAST(ssl AS BIGINT) FROM (SELECT CAST(ssl AS INT) AS ssl \
                        FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS own";
    assert_eq!(read(&store, |sql| sql.query(is_protected, args![])?[0].int(0)), 1);
    let written = write(&store, move |sql| sql.query(is_protected, args![])?[0].int(0));
    assert_eq!(written, 1);
    // In the clear only on this machine: nothing is connected to.
    let error = refused(replaced("@127.0.0.1:", "@192.0.2.1:"));
    assert!(matches!(&error, StoreError::Net(said) if said.contains("in the clear")), "{error}");
}

#[test]
fn both_databases_have_the_same_tables_columns_and_indexes() {
    let (at_postgres, at_sqlite) = (Place::postgres(), Place::sqlite());
    let (postgres, sqlite) = (at_postgres.open(), at_sqlite.open());
    let columns_of_postgres = "SELECT CAST(table_name || '.' || column_name || ' ' || \
          CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' \
            WHEN 'text' THEN 'TEXT' ELSE data_type END || \
          CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END || \
          CASE WHEN column_default IS NULL THEN '' ELSE ' DEFAULT ' || REPLACE(column_default, '::text', '') END AS TEXT) \
        FROM information_schema.columns WHERE table_schema = current_schema() \
          AND table_name NOT IN ('last_commit', 'migration') ORDER BY 1";
    // A column of a primary key is never null, whether it says so or not.
    let columns_of_sqlite = "SELECT t.name || '.' || c.name || ' ' || c.type || \
          CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END || \
          COALESCE(' DEFAULT ' || c.dflt_value, '') \
        FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
          AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name <> 'migration' ORDER BY 1";
    assert_eq!(texts(&postgres, columns_of_postgres), texts(&sqlite, columns_of_sqlite));
    let indexes_of_postgres = "SELECT CAST(i.relname || ' on ' || t.relname || ' (' || \
          (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n) \
            FROM generate_series(1, x.indnkeyatts) AS n) || ')' AS TEXT) \
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
        JOIN pg_class t ON t.oid = x.indrelid WHERE NOT x.indisunique \
          AND t.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1";
    let indexes_of_sqlite = "SELECT i.name || ' on ' || i.tbl_name || ' (' || \
          (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) \
            ORDER BY seqno)) || ')' \
        FROM sqlite_master i WHERE i.type = 'index' AND i.sql IS NOT NULL ORDER BY 1";
    assert_eq!(texts(&postgres, indexes_of_postgres), texts(&sqlite, indexes_of_sqlite));
}

fn texts(store: &Store, statement: &str) -> Vec<String> {
    let texts = read(store, |sql| {
        sql.query(statement, args![])?.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()
    });
    assert!(texts.len() > 20, "{texts:?}");
    texts
}

/// Two that read before they write do not both act on what they read.
#[test]
fn transactions_side_by_side_are_as_if_one_after_the_other() {
    let store = Place::postgres().open();
    let runs = Arc::new(AtomicUsize::new(0));
    let meeting = Arc::new(Barrier::new(2));
    thread::scope(|scope| {
        for name in ["a", "b"] {
            let (store, runs, meeting) = (&store, runs.clone(), meeting.clone());
            scope.spawn(move || {
                let mut is_first = true;
                write(store, move |sql| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let found = sql.query("SELECT name FROM mailbox", args![])?;
                    if std::mem::take(&mut is_first) {
                        meeting.wait();
                    }
                    if found.is_empty() {
                        mailboxes::begin(sql, name, "a@desk.example", at(0))?;
                    }
                    Ok(())
                });
            });
        }
    });
    assert_eq!(count(&store, "mailbox"), 1, "one of them saw the other");
    assert!(runs.load(Ordering::SeqCst) >= 3, "the other ran again");
}

/// Design §5: locks take the place of the checks, so nobody has to begin again.
#[test]
fn works_that_name_the_same_run_one_after_the_other() {
    const EACH: i64 = 20;
    let place = Place::postgres();
    let (store, other) = (place.open(), place.open());
    let runs = Arc::new(AtomicUsize::new(0));
    let meeting = Barrier::new(2);
    thread::scope(|scope| {
        for (store, keys) in [(&store, ["id a", "id b"]), (&other, ["id b", "id c"])] {
            let (runs, meeting) = (&runs, &meeting);
            scope.spawn(move || {
                meeting.wait();
                for _ in 0..EACH {
                    let runs = runs.clone();
                    let done = store.transact_keyed(keys.map(str::to_owned).to_vec(), move |sql| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        let found = sql.query("SELECT name FROM mailbox", args![])?.len();
                        mailboxes::begin(sql, &format!("{found}"), "a@desk.example", at(0))
                    });
                    done.expect("it is written");
                }
            });
        }
    });
    assert_eq!(count(&store, "mailbox"), 2 * EACH, "each saw what the others had done");
    assert_eq!(runs.load(Ordering::SeqCst), 2 * EACH as usize);
}

#[test]
fn locks_are_given_back_however_the_work_ends() {
    type Failing = fn(&mut dyn Sql) -> Result<(), StoreError>;
    let place = Place::postgres();
    let (store, other) = (place.open(), place.open());
    let keys = || vec!["id a".to_owned(), "id a".to_owned(), "id b".to_owned()];
    let failures: [Failing; 4] = [
        |_| Err(StoreError::Violated("on purpose".to_owned())),
        |sql| sql.query("SELECT nothing", args![]).map(drop),
        |_| panic!("on purpose"),
        // The connection is lost: the work runs again on another one.
        |sql| sql.query("SELECT pg_terminate_backend(pg_backend_pid())", args![]).map(drop),
    ];
    for failure in failures {
        assert!(store.transact_keyed(keys(), failure).is_err());
        other.transact_keyed(keys(), |_| Ok(())).expect("nobody has them");
    }
    let mine = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_locks \
                WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    let left = |sql: &mut dyn Sql| sql.query(mine, args![])?[0].int(0);
    assert_eq!(write(&other, left), 0);
}

/// An address that somebody else has by now is met with fresh facts (design §4).
#[test]
fn a_key_that_is_taken_meanwhile_runs_the_work_again() {
    let store = Place::postgres().open();
    let rival = store.clone();
    let mut runs = 0;
    let found = write(&store, move |sql| {
        runs += 1;
        let found = sql.query("SELECT name FROM mailbox", args![])?.len();
        if runs == 1 {
            let insert = "INSERT INTO mailbox (name, address, started_at) VALUES ('x', 'y', 0)";
            write(&rival, move |sql| sql.execute(insert, args![]));
            sql.execute(insert, args![])?;
        }
        Ok((runs, found))
    });
    assert_eq!(found, (2, 1));
}

/// A statement that failed stays failed, whatever the work makes of it: nothing of it is committed.
#[test]
fn a_failure_that_is_passed_over_is_a_failure_all_the_same() {
    let store = Place::postgres().open();
    let result = store.transact(|sql| {
        mailboxes::begin(sql, "support", "a@desk.example", at(0))?;
        let _ = sql.query("SELECT nothing", args![]);
        Ok(())
    });
    assert!(matches!(result, Err(StoreError::Refused { .. })));
    assert_eq!(count(&store, "mailbox"), 0);
}

#[test]
fn several_processes_may_take_the_role_and_none_copies_to_a_file() {
    let store = Place::postgres().open();
    let _first = store.take_role().expect("it may");
    store.take_role().expect("so may another");
    let error = store.back_up(std::path::Path::new("nowhere")).expect_err("it is no file");
    assert!(error.to_string().contains("pg_dump"), "{error}");
}

/// Processes that start together on an empty schema make the tables once.
#[test]
fn tables_are_made_once_by_many_that_start_together() {
    let options = options();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| open(options.clone()).expect("it opens").verify().expect("it reads"));
        }
    });
    let store = open(options).expect("it opens");
    assert_eq!(count(&store, "mailbox"), 0);
}
