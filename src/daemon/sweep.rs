//! `run --once`: every mailbox once, then all that is due.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing::error;

use super::stepping::{Bell, until_idle};
use super::{Ending, Furniture, ingest_of, outbox_of};
use crate::clock::Clock;
use crate::ingest;
use crate::intake::{MailboxWatch, Wake};
use crate::store::StoreError;

// How long a sweep waits for more to decide before it sees whether all is in.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// One sweep: every mailbox once, then all that is due; answers the rooms that failed.
pub fn sweep(furniture: &Furniture) -> anyhow::Result<Vec<Ending>> {
    let mut failures: Vec<Ending> = Vec::new();
    let clock = furniture.clock.as_ref();
    let ingest = ingest_of(furniture, ingest::TimeOfDecision::Clock)?;
    let outbox = outbox_of(furniture)?;
    let brought = Arc::new(Bell::default());
    let mut watches: Vec<(String, MailboxWatch)> = furniture
        .watched()
        .map(|options| {
            let on_spool = brought.clone();
            let house = furniture.house(&Wake::new(), Box::new(move |_| on_spool.ring()));
            (format!("mailbox {}", options.name), MailboxWatch::new(options.clone(), house))
        })
        .collect();
    // Once to bring mail in and decide it, once more to tell the mailboxes what is safe.
    for _ in 0..2 {
        let decide_due = || {
            until_idle(clock, || {
                let progress = ingest.step()?;
                progress.decided.iter().for_each(|decided| (furniture.on_decision)(decided));
                Ok::<_, StoreError>(progress.next)
            })
        };
        // What is in is decided while the rest comes in.
        thread::scope(|scope| {
            let bringing = scope.spawn(|| bring_in(&mut watches, &mut failures, clock, &brought));
            while !bringing.is_finished() {
                decide_due()?;
                brought.wait(BETWEEN_LOOKS);
            }
            decide_due()
        })?;
    }
    until_idle(clock, || outbox.step())?;
    for (room, watch) in watches {
        if let Some(why) = watch.left_behind() {
            failures.push(Ending { room, failure: Some(why.to_owned()) });
        }
    }
    Ok(failures)
}

/// Every mailbox once; one that failed is left alone.
fn bring_in(
    watches: &mut [(String, MailboxWatch)],
    failures: &mut Vec<Ending>,
    clock: &dyn Clock,
    brought: &Bell,
) {
    for (room, watch) in watches {
        if failures.iter().any(|failed| failed.room == *room) {
            continue;
        }
        if let Err(failure) = until_idle(clock, || watch.step()) {
            error!("{failure}");
            failures.push(Ending { room: room.clone(), failure: Some(failure.to_string()) });
        }
    }
    brought.ring();
}
