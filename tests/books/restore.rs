//! Restoring a backup: nothing that was sent is sent again, no number is given twice, what is still in
//! a mailbox is taken in again.

use std::collections::BTreeSet;
use std::fs;

use crate::desk::{
    NO_LIMITS, database, deliver, ends, in_state, letter, mailed, open, tickets, wait_for_all,
};
use crate::support::dovecot::now;
use crate::support::{Desk, postgres};

/// A desk that was backed up as `copy.db` with `before` messages, and has `after` more since. In the
/// backup one mail waits to be sent, one is being sent, and a link is live.
fn backed_up(before: i64, after: i64) -> Desk {
    let desk = Desk::new(NO_LIMITS);
    for n in 0..before {
        deliver(&desk, &format!("before{n}"));
    }
    let daemon = desk.start();
    wait_for_all(&desk, before);
    desk.ok(&["db", "backup", "copy.db"]);
    for n in 0..after {
        deliver(&desk, &format!("after{n}"));
    }
    wait_for_all(&desk, before + after);
    assert_eq!(daemon.stop(), Some(0));
    let copy = open(&desk.path().join("copy.db"));
    let tampering = "UPDATE outbox SET state = 'queued', sent_at = NULL WHERE id = 1; \
        UPDATE outbox SET state = 'sending', sent_at = NULL, leased_by = 'w', leased_until = 1 \
        WHERE id = 2";
    copy.execute_batch(tampering).expect("the mails wait again");
    desk
}

#[test]
fn p_03_nobody_is_mailed_twice_by_a_restore_and_no_number_is_given_twice() {
    let desk = backed_up(6, 5);
    let (had, mails) = (tickets(&desk), mailed(&desk));
    assert_eq!((had.len(), mails.len()), (11, 11));
    let restored = desk.json(&["--yes", "db", "restore", "copy.db"]);
    assert_eq!(restored["credentials_ended"], 6, "they may have been used since");
    assert_eq!((&restored["last_ticket"], &restored["numbers_known"]), (&11.into(), &true.into()));
    desk.audit();
    assert!(desk.ok(&["db", "verify"]).contains("is sound"));

    desk.ok(&["run", "--once"]);
    desk.audit();
    assert_eq!(mailed(&desk), mails, "nobody is mailed unasked");
    let has = tickets(&desk);
    assert_eq!(has.keys().collect::<Vec<_>>(), had.keys().collect::<Vec<_>>());
    for (subject, numbers) in &has {
        assert_eq!(numbers.len(), 1, "{subject}");
        let is_new = subject.contains("after");
        assert_eq!(numbers[0] > 11, is_new, "{subject} is {numbers:?}: no number means two things");
    }
    // Those two, and the two for each message that was taken in again.
    let parked = in_state(&desk, "parked");
    assert_eq!(parked.len(), 2 + 2 * 5);
    let known: BTreeSet<i64> = (1..=22).collect();
    assert!(parked.iter().filter(|id| known.contains(id)).count() == 2, "{parked:?}");

    // Asked to, it goes; and who writes from now on is answered.
    desk.ok(&["outbox", "retry", &parked[0].to_string()]);
    let later = now().as_second() + 60;
    desk.deliver(&format!("{later}.M1P1.new"), &letter("new"));
    desk.ok(&["run", "--once"]);
    let sum = |mails: &std::collections::BTreeMap<String, usize>| mails.values().sum::<usize>();
    assert_eq!(sum(&mailed(&desk)), sum(&mails) + 1 + 2);
    desk.audit();
}

#[test]
fn the_store_that_was_there_is_kept_and_a_running_one_is_not_replaced() {
    let desk = backed_up(2, 1);
    let restore = ["--yes", "db", "restore", "copy.db"];
    assert!(ends(&desk, &restore[1..], 2).contains("add `--yes`"));
    let daemon = desk.start();
    desk.wait_for_role();
    ends(&desk, &restore[1..], 75);
    let said = ends(&desk, &restore, 75);
    assert!(said.contains(&daemon.pid().to_string()), "{said}");
    assert_eq!(daemon.stop(), Some(0));

    let restored = desk.json(&restore);
    let aside = restored["kept_aside"].as_str().expect("it is kept").to_owned();
    assert_eq!(tickets(&desk).len(), 2);
    let url = format!("store.url=\"sqlite:{aside}\"");
    assert!(desk.ok(&["--set", &url, "audit"]).contains("3 stored"));
    // Back again, and the backup itself is as it was.
    desk.ok(&["--yes", "db", "restore", &aside]);
    assert_eq!(tickets(&desk).len(), 3);
    let waiting: i64 = open(&desk.path().join("copy.db"))
        .query_row("SELECT COUNT(*) FROM outbox WHERE state = 'queued'", [], |row| row.get(0))
        .expect("it reads");
    assert_eq!(waiting, 1);
}

#[test]
fn what_is_no_good_backup_changes_nothing() {
    let desk = backed_up(2, 0);
    let before = fs::read(database(&desk)).expect("it reads");
    let good = fs::read(desk.path().join("copy.db")).expect("it reads");
    let file = |name: &str, bytes: &[u8]| {
        fs::write(desk.path().join(name), bytes).expect("it is written");
    };
    file("text.db", b"Dear diary, this is no database at all.");
    file("empty.db", b"");
    file("cut.db", &good[..good.len() / 2]);
    open(&desk.path().join("other.db")).execute_batch("CREATE TABLE t (n)").expect("it is made");
    file("newer.db", &good);
    let newer = "INSERT INTO migration (name, hash, applied_at) VALUES ('9999_later', 'x', 0)";
    open(&desk.path().join("newer.db")).execute_batch(newer).expect("it is newer now");
    for (name, code, words) in [
        ("text.db", 65, "the backup `text.db` is damaged"),
        ("empty.db", 65, "is no store of guichet's"),
        ("cut.db", 65, "restore another one"),
        ("other.db", 65, "is no store of guichet's"),
        ("newer.db", 69, "written by a newer guichet"),
        ("missing.db", 66, "there is no backup"),
    ] {
        let said = ends(&desk, &["--yes", "db", "restore", name], code);
        assert!(said.contains(words) && said.contains(name), "{name}: {said}");
        assert_eq!(fs::read(database(&desk)).expect("it reads"), before, "{name}");
    }
    let state = fs::read_dir(desk.path().join("state")).expect("it reads");
    let state: BTreeSet<_> = state.map(|file| file.expect("it reads").file_name()).collect();
    assert!(state.iter().all(|name| !name.to_string_lossy().contains("restor")), "{state:?}");
}

#[test]
fn p_04_a_restore_that_is_killed_leaves_a_store_and_is_done_again() {
    let desk = backed_up(2, 1);
    let restore = ["--yes", "db", "restore", "copy.db"];
    let mut killed = desk.command(&restore);
    let killed = killed.env("GUICHET_FAULTS", "kill=restore.aside").output().expect("it starts");
    assert_eq!(killed.status.code(), None, "{}", String::from_utf8_lossy(&killed.stderr));
    assert_eq!(tickets(&desk).len(), 3, "the store that was there");
    desk.audit();
    desk.ok(&restore);
    assert_eq!(tickets(&desk).len(), 2);
    desk.audit();
}

/// Somebody else put it back: only what has to follow is done.
#[test]
fn a_store_that_was_put_back_by_other_means_is_settled_in_place() {
    let desk = backed_up(2, 1);
    fs::copy(desk.path().join("copy.db"), database(&desk)).expect("it is copied");
    assert!(ends(&desk, &["run", "--once"], 69).contains("db restore --in-place"));
    let settled = desk.json(&["--yes", "db", "restore", "--in-place"]);
    assert_eq!((&settled["mails_parked"], &settled["numbers_known"]), (&2.into(), &false.into()));
    let mails = mailed(&desk);
    desk.ok(&["run", "--once"]);
    assert_eq!(mailed(&desk), mails);
    assert!(tickets(&desk)["About after0"][0] > 10_000, "what was given out since is not known");
    desk.audit();
}

#[test]
fn a_postgresql_store_is_left_to_its_own_programs_and_settled_in_place() {
    let schema = postgres::fresh_schema();
    let store = format!(
        "[store]\nurl = \"{}\"\npassword = \"{}\"\ntls = \"none\"\n",
        schema.url,
        postgres::PASSWORD
    );
    let desk = Desk::new(&format!("{NO_LIMITS}{store}"));
    deliver(&desk, "before");
    desk.ok(&["run", "--once"]);
    assert!(ends(&desk, &["db", "backup", "--online", "copy.db"], 2).contains("`pg_dump`"));
    let said = ends(&desk, &["--yes", "db", "restore", "copy.db"], 2);
    assert!(said.contains("`pg_restore`") && said.contains("db restore --in-place"), "{said}");

    let undo = format!("UPDATE {}.outbox SET state = 'queued', sent_at = NULL", schema.name);
    postgres::server().execute(postgres::DATABASE, &undo);
    let mails = mailed(&desk);
    let settled = desk.json(&["--yes", "db", "restore", "--in-place"]);
    assert_eq!(settled["mails_parked"], 2);
    desk.deliver(&format!("{}.M1P1.after", now().as_second() - 60), &letter("after"));
    desk.ok(&["run", "--once"]);
    assert_eq!(mailed(&desk), mails, "what is caused by mail from before waits, too");
    assert!(tickets(&desk)["About after"][0] > 10_000);
    desk.audit();
    the_parked_are_queued_again_by_one_command(&desk, 4);
}

#[test]
fn mails_that_a_restore_parked_are_queued_again_by_one_command() {
    let desk = backed_up(2, 1);
    desk.ok(&["--yes", "db", "restore", "copy.db"]);
    desk.ok(&["run", "--once"]);
    // One that waits for another reason stays where it is.
    let other = "UPDATE outbox SET state = 'parked', response = '100%_sure' WHERE id = \
        (SELECT MIN(id) FROM outbox WHERE state = 'sent')";
    assert_eq!(open(&database(&desk)).execute(other, []).expect("it is parked"), 1);
    the_parked_are_queued_again_by_one_command(&desk, 4);
    let left = ["outbox", "retry", "-n", "--all", "--state", "parked", "--response"];
    assert_eq!(desk.lines(&[&left[..], &["0%_S"]].concat()).len(), 1, "it is still parked");
    assert_eq!(desk.lines(&[&left[..], &["0_%S"]].concat()).len(), 0, "no patterns");
    assert!(ends(&desk, &["outbox", "retry", "--all", "--state", "sent"], 2).contains("`parked`"));
    ends(&desk, &["outbox", "retry", "--all"], 2);
}

fn the_parked_are_queued_again_by_one_command(desk: &Desk, count: usize) {
    let parked = in_state(desk, "parked").len();
    let sent = in_state(desk, "sent").len();
    let all = ["outbox", "retry", "--all", "--state", "parked", "--response", "RESTORED from"];
    let later = [&all[..], &["--since", "2099-01-01"]].concat();
    assert!(desk.lines(&[&later[..], &["-n"]].concat()).is_empty());
    assert_eq!(desk.lines(&[&all[..], &["-n"]].concat()).len(), count);
    assert!(ends(desk, &all, 2).contains(&format!("{count} mails are queued again")));
    assert_eq!(in_state(desk, "parked").len(), parked, "nobody said yes");
    assert_eq!(desk.lines(&[&["--yes"], &all[..]].concat()).len(), count);
    assert_eq!(in_state(desk, "parked").len(), parked - count);
    desk.ok(&["run", "--once"]);
    assert_eq!(in_state(desk, "sent").len(), sent + count);
    desk.audit();
}
