//! How fast mail leaves: measured, never asserted. Run it with
//! `cargo test --release --test smtp -- --ignored --nocapture speed`.

use std::process::Command;

use guichet::clock::Next;
use guichet::outbox::RelayOptions;
use guichet::store::Durability;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, relay};
use crate::support::sink::SmtpSink;

#[test]
#[ignore = "a measurement: it asserts no speed, and takes a release build"]
fn mails_a_second_to_smtp_sink() {
    const MAILS: usize = 4_000;
    for connections in [1, 2, 4] {
        let sink = SmtpSink::forgetting();
        let relay = RelayOptions { connections, ..relay(sink.port) };
        let desk = Desk::with(&[("support", relay)], Durability::Full);
        let ids = desk.queue_many(MAILS);
        let outbox = desk.outbox();
        let before = figures();
        let steps = (0..).take_while(|_| outbox.step().is_ok_and(|next| next == Next::Now)).count();
        let after = figures();
        let sent = ids.iter().filter(|id| desk.state(**id).0 == OutboxState::Sent).count();
        let [seconds, cpu] = [after[0] - before[0], after[1] - before[1]];
        println!(
            "{connections} connections: {sent} mails in {seconds:.2} s: {:.0} mails/s, {:.3} ms \
             CPU of ours a mail, {steps} steps",
            sent as f64 / seconds,
            cpu * 1000.0 / sent as f64
        );
    }
}

/// Seconds since the machine started, and seconds of CPU that this process used.
fn figures() -> [f64; 2] {
    let read = |path: &str| std::fs::read_to_string(path).expect("Linux");
    let since: f64 =
        read("/proc/uptime").split(' ').next().and_then(|s| s.parse().ok()).expect("a number");
    let stat = read("/proc/self/stat");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks: f64 = [11, 12].iter().map(|n| fields[*n].parse::<f64>().expect("a number")).sum();
    let output = Command::new("getconf").arg("CLK_TCK").output().expect("getconf runs");
    let a_second: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
    [since, ticks / a_second]
}
