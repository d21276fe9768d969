//! The soak: mail comes in steadily, the daemon is killed at random moments, again and again, and
//! nothing is lost, nothing is there twice, and nobody is needed (P-01 to P-04, P-17). A dozen kills
//! here, in about twenty seconds; `tests/soak COUNT` does as many as one likes.

mod books;
mod feed;
mod report;
mod rig;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;

use report::Report;
use rig::{Database, Rig};

fn soak(database: Database, kills: usize, seed: u64) -> Report {
    println!("seed {seed}");
    let started = rig::now();
    let mut rig = Rig::new(database, seed);
    for kill in 1..=kills {
        rig.kill_once();
        if kill % 100 == 0 {
            let fed = rig.feed.expected.fed;
            println!("{kill} kills, {fed} messages, {} s", started.elapsed().as_secs());
        }
    }
    rig.finish();
    Report::of(&mut rig, kills, seed, started.elapsed())
}

fn nothing_is_wrong(report: &Report) {
    println!("{report}");
    assert!(report.wrong.is_empty(), "{report}");
}

#[test]
fn p_04_killed_at_random_moments_on_sqlite() {
    nothing_is_wrong(&soak(Database::Sqlite, 8, 1));
}

#[test]
fn p_04_killed_at_random_moments_on_postgres() {
    nothing_is_wrong(&soak(Database::Postgres, 4, 2));
}

/// What `tests/soak` asks for in its environment.
#[test]
#[ignore = "it takes as long as it is asked to: see tests/soak"]
fn as_often_as_asked() {
    let asked = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let number = |name: &str| asked(name).parse().unwrap_or_else(|_| panic!("{name}: no number"));
    let database = match asked("GUICHET_SOAK_STORE").as_str() {
        "postgres" => Database::Postgres,
        "sqlite" => Database::Sqlite,
        other => panic!("there is no store `{other}`"),
    };
    let kills = usize::try_from(number("GUICHET_SOAK_KILLS")).expect("a number of kills");
    let report = soak(database, kills, number("GUICHET_SOAK_SEED"));
    let mut file = std::fs::File::create(asked("GUICHET_SOAK_REPORT")).expect("a report is made");
    write!(file, "store {database:?}\n{report}").expect("the report is written");
    nothing_is_wrong(&report);
}
