//! PostgreSQL servers that refuse for a while: locked tables, read-only, too many connections, a full
//! disk. Said with what to do; then guichet goes on by itself (P-05, P-06).

use std::fs;
use std::os::unix::fs::chown;

use crate::house::{bulky, desk, mail_of, name, wait_for_log};
use crate::mount::Tmpfs;
use crate::support::guarded::{Account, shared_folder};
use crate::support::postgres::{self, DATABASE, PASSWORD};
use crate::support::{Daemon, Desk, message, wait_for};

/// A desk whose store is a schema of a role of its own, and its daemon, with nothing to do.
fn started(role: &str, more: &str) -> (Desk, Daemon) {
    postgres::server().execute(
        DATABASE,
        &format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; CREATE SCHEMA {role} AUTHORIZATION {role}"),
    );
    let port = postgres::server().port;
    let options = format!("-csearch_path%3D{role}{more}");
    let desk = desk(&format!(
        "[store]\nurl = \"postgres://{role}@127.0.0.1:{port}/{DATABASE}?options={options}\"\n\
         password = \"{PASSWORD}\"\ntls = \"none\"\n"
    ));
    let daemon = desk.start();
    wait_for_log(&desk, 30, "the mailbox `support` is new");
    (desk, daemon)
}

/// Ends the sessions of `role`; the next ones are as the server has them now.
fn hang_up(role: &str) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename";
    postgres::server().execute(DATABASE, &format!("{end} = '{role}'"));
}

fn tickets(desk: &Desk) -> usize {
    desk.lines(&["tickets", "list", "--limit", "1000"]).len()
}

fn stops_well(desk: &Desk, daemon: Daemon) {
    let said = desk.log();
    assert_eq!(daemon.stop(), Some(0), "{said}");
    assert!(!said.contains("a message could not be decided"), "no message is blamed: {said}");
    desk.audit();
}

#[test]
fn p_06_a_database_that_lets_nobody_write_for_a_while_is_waited_for() {
    let role = "refused";
    let (desk, daemon) = started(role, "");
    let ways = [
        ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1", "too many connections"),
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only", "hint: "),
    ];
    for (n, (refuse, allow, words)) in (1..).zip(ways) {
        let already = desk.log().len();
        postgres::server().execute(DATABASE, &format!("ALTER ROLE {role} {refuse}"));
        hang_up(role);
        desk.deliver(&name(n), &message("a@x.example", "one", &format!("{n}@x"), "", "x"));
        wait_for(words, 30, || desk.log()[already..].contains(words));
        assert_eq!(mail_of(&desk).len(), 1, "{refuse}: it stays where it is");
        postgres::server().execute(DATABASE, &format!("ALTER ROLE {role} {allow}"));
        wait_for("the ticket", 60, || mail_of(&desk).is_empty());
        assert_eq!(tickets(&desk), n, "{refuse}");
    }
    stops_well(&desk, daemon);
}

#[test]
fn p_06_tables_that_are_locked_are_waited_for() {
    let (desk, daemon) = started("locked", "");
    let mut other = postgres::server().client(DATABASE).expect("PostgreSQL answers");
    let mut held = other.transaction().expect("it begins");
    held.batch_execute("LOCK TABLE locked.message").expect("it is ours");
    desk.deliver(&name(1), &message("a@x.example", "one", "1@x", "", "x"));
    // Longer than anybody waits for a lock.
    wait_for_log(&desk, 45, "is busy");
    assert_eq!(mail_of(&desk).len(), 1);
    held.rollback().expect("it is free");
    wait_for("the ticket", 60, || mail_of(&desk).is_empty());
    assert_eq!(tickets(&desk), 1);
    stops_well(&desk, daemon);
}

#[test]
fn p_05_a_database_on_a_full_disk_takes_nothing_in_half_and_goes_on() {
    let folder = shared_folder();
    let disk = Tmpfs::mount(&folder.path().join("disk"), "size=16m");
    let space = folder.path().join("disk/space");
    fs::create_dir(&space).expect("made");
    let account = Account::named("postgres");
    for path in [space.as_path(), &folder.path().join("disk")] {
        chown(path, Some(account.user), Some(account.group)).expect("given");
    }
    let server = postgres::server();
    server.execute(DATABASE, &format!("CREATE TABLESPACE small LOCATION '{}'", space.display()));
    server.execute(DATABASE, "GRANT CREATE ON TABLESPACE small TO public");
    let (desk, daemon) = started("cramped", "%20-cdefault_tablespace%3Dsmall");
    let ballast = disk.fill();
    for n in 0..20 {
        desk.deliver(&name(n), &bulky(n));
    }
    wait_for_log(&desk, 30, "is full");
    assert!(!mail_of(&desk).is_empty(), "what is not in stays where it is");
    fs::remove_file(ballast).expect("removed");
    wait_for("all of it", 90, || mail_of(&desk).is_empty());
    assert_eq!(tickets(&desk), 20);
    stops_well(&desk, daemon);
    server.execute(DATABASE, "DROP SCHEMA cramped CASCADE");
    server.execute(DATABASE, "DROP TABLESPACE small");
}
