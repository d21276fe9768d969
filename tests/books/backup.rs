//! Backups made beside a daemon that writes all the time.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::desk::{NO_LIMITS, deliver, ends, stored, wait_for_all};
use crate::support::{Desk, wait_for};

#[test]
fn p_17_a_backup_under_constant_writing_ends_and_is_a_store_of_one_moment() {
    let desk = Desk::new(NO_LIMITS);
    for n in 0..150 {
        deliver(&desk, &format!("n{n}"));
    }
    let daemon = desk.start();
    wait_for("it to be in the middle", 60, || stored(&desk).0 > 0);
    let copies: Vec<String> = (0..3).map(|n| format!("copy{n}.db")).collect();
    for (n, copy) in copies.iter().enumerate() {
        deliver(&desk, &format!("later{n}"));
        desk.ok(&["db", "backup", "--online", copy]);
    }
    wait_for_all(&desk, 153);
    assert_eq!(daemon.stop(), Some(0));
    for copy in copies {
        let mode = fs::metadata(desk.path().join(&copy)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let url = format!("store.url=\"sqlite:{copy}\"");
        desk.ok(&["--set", &url, "audit"]);
        assert!(desk.ok(&["--set", &url, "db", "verify"]).contains("is sound"));
    }
    let left = fs::read_dir(desk.path()).expect("the folder reads");
    let left: Vec<_> = left.map(|file| file.expect("it reads").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("partial")), "{left:?}");
}

#[test]
fn nothing_is_overwritten_and_no_half_backup_is_left() {
    let desk = Desk::new(NO_LIMITS);
    deliver(&desk, "claire");
    desk.ok(&["run", "--once"]);
    fs::write(desk.path().join("mine.db"), "mine").expect("it is written");
    assert!(ends(&desk, &["db", "backup", "mine.db"], 73).contains("not overwritten"));
    assert_eq!(fs::read(desk.path().join("mine.db")).expect("it reads"), b"mine");
    // A copy of a damaged store would push the last good one out.
    let store = crate::desk::open(&crate::desk::database(&desk));
    let damage = "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = \
        (SELECT rootpage FROM sqlite_master WHERE name = 'message_held') \
        WHERE name = 'decision_decided'";
    store.execute_batch(damage).expect("it is done");
    drop(store);
    let said = ends(&desk, &["db", "backup", "damaged.db"], 69);
    assert!(said.contains("is damaged") && said.contains("guichet.db"), "{said}");
    assert!(!desk.path().join("damaged.db").exists());
    assert!(!desk.path().join("damaged.db.partial").exists());
}
