//! Whole days at the desk: the real binary on real maildirs, with a generated workload whose right
//! outcome is known. Takes about two minutes.

mod support;

use std::fs;

use serde_json::Value;
use support::workload::{Workload, fill};
use support::{postgres, wait_for};

#[test]
fn the_workload_gives_exactly_what_a_correct_reading_gives() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk();
    fill(&desk, &workload.messages());
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
    workload.check_notes(&desk);

    // P-02: a second pass adds nothing.
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
}

/// The same counts, whichever database is underneath.
#[test]
fn the_workload_gives_the_same_on_postgresql() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk_on(&format!(
        "[store]\nurl = \"{}\"\npassword = \"{}\"\ntls = \"none\"\n",
        postgres::fresh_schema().url,
        postgres::PASSWORD
    ));
    fill(&desk, &workload.messages());
    for _ in 0..2 {
        desk.ok(&["run", "--once"]);
        workload.check(&desk);
    }
}

#[test]
fn the_order_of_the_files_in_the_folder_does_not_matter() {
    let Some(workload) = Workload::generate(500, 2) else { return };
    let desk = workload.desk();
    let mut messages = workload.messages();
    // A fixed shuffle: by the last digits of the name, backwards.
    messages.sort_by_key(|path| {
        path.file_name().expect("a file").to_string_lossy().chars().rev().collect::<String>()
    });
    fill(&desk, &messages);
    desk.ok(&["run", "--once"]);
    workload.check(&desk);
}

#[test]
fn messages_that_arrive_in_any_order_find_their_tickets() {
    let Some(workload) = Workload::generate(300, 3) else { return };
    let desk = workload.desk();
    for (place, message) in workload.messages().iter().rev().enumerate() {
        let name = format!("{}.M{place:06}P1.shuffled", 1_767_600_000 + place);
        fs::copy(message, desk.maildir().join("new").join(name)).expect("a copy");
    }
    desk.ok(&["run", "--once"]);
    let count = |kind: &str| workload.expected[kind].as_i64().expect("a total");
    let tickets = desk.lines(&["tickets", "list", "--limit", "1000000"]);
    assert_eq!(
        tickets.len() as i64,
        count("tickets"),
        "a reply that comes first opens the ticket (M-83b)"
    );
    desk.audit();
}

#[test]
fn p_04_kill_9_in_the_middle_changes_nothing() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk();
    fill(&desk, &workload.messages());
    for round in 1..=3 {
        let daemon = desk.start();
        let decided = || -> usize {
            let output = desk.run(&["log", "--totals", "--json"]);
            let totals: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let count = |row: &Value| row["messages"].as_u64().unwrap_or_default() as usize;
            totals.as_array().map(|rows| rows.iter().map(count).sum()).unwrap_or_default()
        };
        wait_for("the daemon to be in the middle", 60, || decided() > round * 150);
        daemon.kill();
    }
    let daemon = desk.start();
    wait_for("the rest", 120, || {
        let output = desk.run(&["audit", "--json"]);
        let books: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        books["stored"] == 2000 && books["pending"] == 0
    });
    assert_eq!(daemon.stop(), Some(0), "SIGTERM is a clean stop (P-14)");
    workload.check(&desk);
}
