//! Deterministic simulation: the rooms of the daemon, step by step on one thread, in a world that is
//! made up, through random histories of mail and of trouble; then everything must be in order. Takes
//! about a minute on two processors.
//!
//! `GUICHET_SIMULATIONS=200000 cargo test --release --test simulation` plays more histories;
//! `GUICHET_SIMULATION_SEED=7 cargo test --test simulation -- --nocapture` plays one, and tells it.

mod desk;
mod dice;
mod history;
mod invariants;
mod mailboxes;
mod outside;
mod owing;
mod people;
mod process;
mod processes;
mod relay;
mod rest;
mod run;
mod server;
mod shrink;
#[path = "../support/mod.rs"]
mod support;
mod tally;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use history::History;
use outside::Log;
use tally::Tally;

const HISTORIES: u64 = 2_000;
// Histories that end badly and are told.
const TOLD: usize = 3;

#[test]
fn p_17_everything_is_in_order_after_every_history() {
    if let Some(seed) = number("GUICHET_SIMULATION_SEED") {
        return tell(seed);
    }
    let count = number("GUICHET_SIMULATIONS").unwrap_or(HISTORIES);
    let (next, tally) = (AtomicU64::new(1), Mutex::new(Tally::begin()));
    let is_over = AtomicBool::new(false);
    let bad: Mutex<Vec<(u64, String)>> = Mutex::default();
    // Without a defence, one that ends badly is enough.
    let is_disarmed = std::env::var("GUICHET_FAULTS").is_ok_and(|words| words.contains("disarm="));
    let most = if is_disarmed { 1 } else { TOLD };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed > count {
                        return;
                    }
                    let history = History::of(seed);
                    let outcome = run::play(&history, Log::default());
                    if let Some(fault) = outcome.faults.first() {
                        eprintln!("seed {seed} ends badly: {fault}");
                        let mut bad = bad.lock().expect("no holder of this lock panics");
                        bad.push((seed, fault.clone()));
                        is_over.fetch_or(bad.len() >= most, Ordering::SeqCst);
                    }
                    let mut tally = tally.lock().expect("no holder of this lock panics");
                    tally.add(&history, &outcome, count);
                }
            });
        }
    });
    println!("{}", tally.lock().expect("no holder of this lock panics"));
    let bad = bad.into_inner().expect("no holder of this lock panics");
    let say = |(seed, fault): &(u64, String)| match is_disarmed {
        true => format!("seed {seed}: {fault}"),
        false => said(*seed, fault),
    };
    let told: Vec<String> = bad.iter().take(most).map(say).collect();
    assert!(bad.is_empty(), "histories that ended badly:\n\n{}", told.join("\n"));
}

#[test]
fn a_seed_gives_the_same_history_byte_for_byte() {
    for seed in 1..=20 {
        let history = History::of(seed);
        let one = run::play(&history, Log::kept());
        let other = run::play(&History::of(seed), Log::kept());
        assert!(one.lines.len() > 20, "something happens");
        let differs = one.lines.iter().zip(&other.lines).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!((one.lines.len(), one.hash), (other.lines.len(), other.hash), "seed {seed}");
    }
}

fn tell(seed: u64) {
    let outcome = run::play(&History::of(seed), Log::kept());
    for line in &outcome.lines {
        println!("{line}");
    }
    assert!(outcome.faults.is_empty(), "{}", outcome.faults.join("\n"));
}

// What is wrong, the shortest way to it, and how to walk that again.
fn said(seed: u64, fault: &str) -> String {
    let shortest = shrink::shrunk(&History::of(seed), fault);
    let outcome = run::play(&shortest, Log::kept());
    let events: Vec<String> = shortest.events.iter().map(|event| format!("    {event}")).collect();
    let tail = outcome.lines.len().saturating_sub(LINES);
    let lines = if std::env::var_os("GUICHET_SIMULATION_LINES").is_some() {
        outcome.lines[tail..].join("\n")
    } else {
        String::new()
    };
    format!(
        "seed {seed}: {fault}\n  {:?}, processes: {}\n{}\n  ends with: {:?}\n{lines}\n  \
         GUICHET_SIMULATION_SEED={seed} cargo test --test simulation -- --nocapture\n",
        shortest.variant,
        shortest.processes,
        events.join("\n"),
        outcome.faults,
    )
}

// Lines of a shortened history that are told when they are asked for.
const LINES: usize = 4_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{variable}` is a number, and not `{text}`")))
}
