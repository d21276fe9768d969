//! Servers that were restored from a backup and give out UIDs again under the same UIDVALIDITY: what
//! is new is read, what is known changes nothing, what is owed touches nothing else (P-01, P-02, P-09).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use guichet::intake::{After, Options};
use guichet::store::mailboxes;
use jiff::SignedDuration;

use crate::desk::{Desk, letter, letters, logged};
use crate::house;
use crate::support::account::{Account, Folder};
use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;

const SAID: &str = "gives out UIDs of the folder `INBOX` again";

// A backup from when the first `kept` messages had come; these came since, later than any before.
fn restore(inbox: &mut Folder, kept: usize, since: &[usize]) {
    inbox.messages.truncate(kept);
    inbox.next = u32::try_from(kept).expect("small") + 1;
    for number in since {
        inbox.add(letter(*number));
        let message = inbox.messages.last_mut().expect("it was added");
        message.internal_date = format!("06-Jan-2026 09:{number:02}:00 +0000");
    }
}

// How often a message was asked for.
fn fetched(server: &Scripted) -> usize {
    server.heard().iter().filter(|line| line.contains("BODY.PEEK[]")).count()
}

fn look_again(desk: &Desk, options: &Options) -> String {
    desk.pass(SignedDuration::from_mins(1));
    logged(|| {
        desk.settle(&mut desk.watch(options.clone()));
    })
}

#[track_caller]
fn assert_read(desk: &Desk, numbers: &[usize]) {
    let contents = desk.contents("support");
    for number in numbers {
        assert!(contents.values().any(|raw| *raw == letter(*number)), "{number} was never read");
    }
}

#[test]
fn p_09_new_mail_under_uids_that_a_restored_server_gives_out_again_is_read_once() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(5)));
    let mut watch = desk.watch(desk.options(&server));
    desk.settle(&mut watch);
    // In the same session, and again after another backup.
    for (kept, since) in [(3, [6].as_slice()), (2, &[7])] {
        restore(server.account().inbox(), kept, since);
        desk.pass(SignedDuration::from_mins(1));
        let log = logged(|| {
            desk.settle(&mut watch);
        });
        assert_read(&desk, since);
        assert!(log.contains(SAID) && log.contains("UIDNEXT is "), "{log}");
        assert_eq!(log.matches("WARN").count(), 1, "{log}");
        let before = fetched(&server);
        assert_eq!(desk.endure(&mut watch, 3), [""; 0]);
        assert_eq!(desk.endure(&mut desk.watch(desk.options(&server)), 3), [""; 0]);
        assert_eq!(fetched(&server), before, "it is noticed once");
    }
    server.account().inbox().add(letter(8));
    desk.settle(&mut watch);
    assert_read(&desk, &[8]);
}

#[test]
fn p_09_uids_given_out_again_are_noticed_though_uidnext_has_grown_past_them() {
    for after in [After::Keep, After::Delete] {
        let desk = Desk::new();
        let server = Scripted::play("", Account::holding(letters(5)));
        let mut options = desk.options(&server);
        options.after = after.clone();
        desk.settle(&mut desk.watch(options.clone()));
        desk.decide();
        desk.settle(&mut desk.watch(options.clone()));
        {
            let mut account = server.account();
            account.changes.clear();
            account
                .folders
                .insert("INBOX".to_owned(), Account::holding(letters(5)).inbox().clone());
            restore(account.inbox(), 3, &[6, 7, 8, 9]);
        }
        server.hang_up();
        let log = look_again(&desk, &options);
        assert_read(&desk, &[6, 7, 8, 9]);
        assert!(log.contains(SAID) && log.contains("UID 5 is another message"), "{log}");
        assert!(server.account().changes.is_empty(), "{after:?}: nothing of it is decided");
        let before = fetched(&server);
        assert!(!look_again(&desk, &options).contains("WARN"));
        assert_eq!(fetched(&server), before, "{after:?}");
    }
}

#[test]
fn p_09_what_is_owed_touches_no_message_that_has_its_uid_now() {
    for (after, since) in [
        (After::Delete, [6].as_slice()),
        (After::Flag, &[6]),
        (After::Move { to: "done".to_owned() }, &[6, 7, 8]),
    ] {
        let desk = Desk::new();
        let server = Scripted::play("", Account::holding(letters(5)));
        let mut options = desk.options(&server);
        options.after = after.clone();
        desk.settle(&mut desk.watch(options.clone()));
        desk.decide();
        restore(server.account().inbox(), 3, since);
        look_again(&desk, &options);
        assert_read(&desk, since);
        let changes = server.account().changes.clone();
        assert!(changes.is_empty(), "{after:?}: not decided yet: {changes:?}");
        // All of it is settled under the UIDs of today.
        desk.decide();
        look_again(&desk, &options);
        let mut account = server.account();
        let left = account.inbox().messages.iter().filter(|one| one.flags.is_empty()).count();
        assert_eq!(left, 0, "{after:?}: {:?}", account.changes);
        let known = desk.store.read_only(mailboxes::known).expect("the store reads");
        assert_eq!(known[0].owed, 0, "{after:?}: what is owed of before rests");
    }
}

#[test]
fn p_09_a_uidnext_that_is_wrong_once_or_twice_is_believed_at_most_once() {
    let wrong = "  play first 4\n  S: * OK [UIDNEXT 2] a guess\n  S: TAG OK [READ-ONLY] done\n";
    for (times, expected) in [("once", 1), ("twice", 2)] {
        let desk = Desk::new();
        // The first look is answered truly.
        let dialogue = format!("once TAG EXAMINE ...\n  play\n{times} TAG EXAMINE ...\n{wrong}");
        let server = Scripted::play(&dialogue, Account::holding(letters(4)));
        let mut watch = desk.watch(desk.options(&server));
        desk.settle(&mut watch);
        let failures = desk.endure(&mut watch, 6);
        assert_eq!(failures, [""; 0]);
        let contents = desk.contents("support");
        let copies: BTreeSet<&str> =
            contents.keys().filter_map(|origin| origin.rsplit_once('/')).map(|o| o.0).collect();
        assert_eq!(copies.len(), expected, "{times}: {copies:?}");
        let before = fetched(&server);
        desk.endure(&mut watch, 6);
        assert_eq!(fetched(&server), before, "{times}: it is looked at for ever");
    }
}

#[test]
fn p_09_a_server_that_gives_no_uidnext_works_as_before() {
    let desk = Desk::new();
    let silent = "on TAG EXAMINE ...\n  play first 4\n  S: TAG OK [READ-ONLY] done\n";
    let server = Scripted::play(silent, Account::holding(letters(4)));
    let options = desk.options(&server);
    look_again(&desk, &options);
    server.account().inbox().messages.truncate(2);
    let before = fetched(&server);
    for _ in 0..3 {
        assert!(!look_again(&desk, &options).contains("WARN"));
    }
    assert_eq!(fetched(&server), before);
    server.account().inbox().add(letter(5));
    look_again(&desk, &options);
    assert_read(&desk, &[5]);
}

#[test]
fn p_09_a_restored_server_that_lost_its_dates_is_not_read_anew() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(4)));
    let options = desk.options(&server);
    look_again(&desk, &options);
    for (day, message) in (10..).zip(&mut server.account().inbox().messages) {
        message.internal_date = format!("{day}-Jan-2026 09:00:00 +0000");
    }
    let before = fetched(&server);
    assert!(!look_again(&desk, &options).contains("WARN"));
    assert_eq!(fetched(&server), before, "their ids are the same");
}

#[test]
fn e_07_many_unknown_messages_of_a_restored_server_wait_and_a_rewind_reads_them() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(130)));
    let options = desk.options(&server);
    desk.settle(&mut desk.watch(options.clone()));
    {
        let mut account = server.account();
        restore(account.inbox(), 3, &[]);
        for number in 0..110 {
            account.inbox().add(letter(200 + number));
            let message = account.inbox().messages.last_mut().expect("it was added");
            message.internal_date = format!("06-Jan-2026 09:{:02}:00 +0000", number % 60);
        }
    }
    let failures = desk.endure(&mut desk.watch(options.clone()), 2);
    assert!(failures.len() == 2 && failures[0].contains("110 of its 113"), "{failures:?}");
    let since = crate::desk::seconds(crate::desk::CONTACT);
    guichet::intake::imap::rewind(&desk.store, "support", since).expect("it runs");
    desk.settle(&mut desk.watch(options));
    assert_read(&desk, &(200..310).collect::<Vec<_>>());
}

#[test]
fn p_02_p_09_dovecot_restored_under_the_same_uidvalidity_opens_each_ticket_once() {
    let mut dovecot = Dovecot::start();
    let users = [("keeps", ""), ("deletes", "after = \"delete\"\n")];
    let all = ["one", "two", "three", "four", "five", "six", "seven"];
    for (user, after) in users {
        let desk = house::desk(&[dovecot.mailbox(user) + after]);
        let deliver = |dovecot: &Dovecot, names: &[&str]| {
            for name in names {
                dovecot.deliver(user, "INBOX", &house::mail(name));
            }
        };
        // The server numbers what it finds when it is asked.
        deliver(&dovecot, &all[..2]);
        dovecot.list(user, "INBOX");
        let maildir = dovecot.maildir(user, "INBOX");
        let backup = saved(&maildir);
        deliver(&dovecot, &all[2..4]);
        desk.ok(&["run", "--once"]);
        dovecot.stop();
        put_back(&maildir, &backup);
        dovecot.start_again();
        // Three come since: UIDNEXT is beyond all that was seen.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        deliver(&dovecot, &all[4..]);
        assert_eq!(dovecot.list(user, "INBOX").last().map(|one| one.uid), Some(5), "{user}");
        let told = desk.run(&["run", "--once"]);
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.contains(SAID), "{user}: {told}");
        assert_eq!(house::total(&desk, "ticket_created"), 7, "{user}: {told}");
        assert_eq!(house::total(&desk, "duplicate"), 2, "{user}: {told}");
        let left = if after.is_empty() { 5 } else { 0 };
        assert_eq!(dovecot.list(user, "INBOX").len(), left, "{user}");
        // And once more, with a UIDNEXT that has gone back.
        dovecot.stop();
        put_back(&maildir, &backup);
        dovecot.start_again();
        deliver(&dovecot, &["eight"]);
        desk.ok(&["run", "--once"]);
        assert_eq!(house::total(&desk, "ticket_created"), 8, "{user}");
        desk.ok(&["run", "--once"]);
        assert_eq!(house::total(&desk, "duplicate"), 4, "{user}");
        desk.ok(&["audit", "--online"]);
    }
}

#[test]
fn p_09_audits_and_lists_say_that_uids_came_to_mean_other_messages() {
    let mut dovecot = Dovecot::start();
    let desk = house::desk(&[dovecot.mailbox("claire")]);
    dovecot.deliver("claire", "INBOX", &house::mail("one"));
    dovecot.list("claire", "INBOX");
    let maildir = dovecot.maildir("claire", "INBOX");
    let backup = saved(&maildir);
    dovecot.deliver("claire", "INBOX", &house::mail("two"));
    desk.ok(&["run", "--once"]);
    assert!(!desk.ok(&["mailbox", "list"]).contains("UIDs"));
    dovecot.stop();
    put_back(&maildir, &backup);
    dovecot.start_again();
    let seen = desk.json(&["audit", "--online"])["mailboxes"][1].clone();
    let counts = [&seen["present"], &seen["new"], &seen["unaccounted"]];
    assert_eq!(
        (seen["standing"].as_str(), counts.map(|n| n.as_u64())),
        (Some("reused"), [1, 1, 0].map(Some))
    );
    assert!(desk.ok(&["audit", "--online"]).contains("gives out UIDs again"));
    desk.ok(&["run", "--once"]);
    let listed = desk.json(&["mailbox", "list"])[1]["renumbered"].clone();
    assert_eq!((listed["times"].as_u64(), listed["cause"].as_str()), (Some(1), Some("reused")));
    for command in [["mailbox", "list"], ["audit", "--online"]] {
        let table = desk.ok(&command);
        assert!(table.contains("its server gave out UIDs again"), "{table}");
        assert!(!table.contains("it waits until then"), "{table}");
    }
    for looks in 0..3 {
        dovecot.renumber("claire", "INBOX");
        let code = desk.run(&["run", "--once"]).status.code();
        assert_eq!(code, Some(if looks < 2 { 0 } else { 1 }), "the third time it waits");
    }
    for command in [["mailbox", "list"], ["audit", "--online"]] {
        let table = desk.ok(&command);
        assert!(table.contains("3 times since ") && table.contains("it waits until"), "{table}");
    }
}

// All files of a maildir, with their times.
type Backup = Vec<(std::path::PathBuf, Vec<u8>, fs::Metadata)>;

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let (folders, mut found): (Vec<_>, Vec<_>) =
        entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

fn saved(maildir: &Path) -> Backup {
    let read = |path: std::path::PathBuf| {
        let bytes = fs::read(&path).expect("it reads");
        let metadata = fs::metadata(&path).expect("it is there");
        (path, bytes, metadata)
    };
    files(maildir).into_iter().map(read).collect()
}

fn put_back(maildir: &Path, backup: &Backup) {
    use std::os::unix::fs::{MetadataExt, chown};
    for path in files(maildir) {
        fs::remove_file(path).expect("it goes");
    }
    for (path, bytes, metadata) in backup {
        fs::write(path, bytes).expect("written");
        let file = fs::File::options().write(true).open(path).expect("it opens");
        file.set_modified(metadata.modified().expect("a time")).expect("the time is set");
        chown(path, Some(metadata.uid()), Some(metadata.gid())).expect("the owner is set");
    }
}
