//! The plans that need no facts: what could not be read, what failed too often, what is older than
//! its mailbox's start.

use super::case::decided;
use crate::mail::Unreadable;
use crate::mail::reply::Reply;
use crate::triage::plan::{Outcome, Plan, Reason, Step, Story};

/// A message that cannot be read is held, its bytes kept (M-04, M-05).
pub fn unreadable(why: &Unreadable) -> Plan {
    let rule = match why {
        Unreadable::TooMuch { .. } => "M-04",
        Unreadable::Excuse => "E-12",
        Unreadable::Empty | Unreadable::NoHeader | Unreadable::Reader(_) => "M-05",
    };
    given(Outcome::Held, Reason::ParseFailed, step(rule, why.to_string(), None))
}

/// A message whose bytes are not what they were when they were stored is held: there is nothing to
/// read, and its mailbox, which is not told of it, still has it.
pub fn damaged(said: &str) -> Plan {
    let said = format!(
        "its raw bytes are damaged in the store ({said}); copy it anew into its mailbox, which still has it, and drop this one"
    );
    given(Outcome::Held, Reason::ParseFailed, step("M-05", said, None))
}

/// A message that failed too often is held (P-12): our fault, not its own.
pub fn gave_up(attempts: u32, said: &str) -> Plan {
    let said = format!("given up after {attempts} attempts: {said}");
    given(Outcome::Held, Reason::InternalError, step("P-12", said, None))
}

/// A message that was in the mailbox before guichet was is left alone (E-09).
pub fn before_start() -> Plan {
    let said = "it was in the mailbox before guichet was told to begin".to_owned();
    given(Outcome::Ignored, Reason::BeforeStart, step("M-01", said, Some("mailbox.start")))
}

fn given(outcome: Outcome, reason: Reason, step: Step) -> Plan {
    Plan {
        verdict: decided(outcome, reason),
        effects: Vec::new(),
        flags: Vec::new(),
        reply: Reply::default(),
        counts: None,
        story: Story { steps: vec![step], ..Story::default() },
    }
}

fn step(rule: &str, said: String, key: Option<&str>) -> Step {
    Step { rule: rule.to_owned(), said, key: key.map(str::to_owned) }
}
