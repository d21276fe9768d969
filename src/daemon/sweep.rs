//! `run --once`: every mailbox once, then all that is due.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;
use tracing::error;

use super::mailboxes::{self, Mailboxes, Watched};
use super::stepping::{Bell, until_idle};
use super::{Ending, Furniture, ingest_of, outbox_of};
use crate::clock::Clock;
use crate::intake::ImapWatch;
use crate::outbox::Unreached;
use crate::store::StoreError;

// How long a sweep waits for more to decide before it sees whether all is in.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// One sweep: every mailbox once, then all that is due; answers the rooms that failed.
pub fn sweep(furniture: &Furniture) -> anyhow::Result<Vec<Ending>> {
    let mut failures: Vec<Ending> = Vec::new();
    let clock = furniture.clock.as_ref();
    let mut ingest = ingest_of(furniture, 1);
    let outbox = outbox_of(furniture)?;
    let brought = Arc::new(Bell::default());
    let Mailboxes { mut maildirs, mut imap, wakes: _ } =
        Mailboxes::of(furniture, std::slice::from_ref(&brought));
    // Its threads reserve memory, which a desk without servers keeps for its readers.
    let runtime = if imap.is_empty() { None } else { Some(mailboxes::runtime()?) };
    // Once to bring mail in and decide it, once more to tell the mailboxes what is safe.
    for _ in 0..2 {
        let mut decide_due = || {
            until_idle(clock, || {
                furniture.presence.keep_up()?;
                let progress = ingest.step()?;
                progress.decided.iter().for_each(|decided| (furniture.on_decision)(decided));
                Ok::<_, StoreError>(progress.next)
            })
        };
        // What is in is decided while the rest comes in.
        thread::scope(|scope| {
            let bringing =
                thread::Builder::new().stack_size(mailboxes::STACK).spawn_scoped(scope, || {
                    bring_in(&mut maildirs, &mut failures, clock);
                    if let Some(runtime) = &runtime {
                        bring_in_from_servers(runtime, &mut imap, &mut failures, clock);
                    }
                    brought.ring();
                })?;
            while !bringing.is_finished() {
                decide_due()?;
                brought.wait(BETWEEN_LOOKS);
            }
            decide_due()?;
            anyhow::Ok(())
        })?;
    }
    until_idle(clock, || {
        furniture.presence.keep_up()?;
        Ok::<_, anyhow::Error>(outbox.step()?)
    })?;
    for Unreached { relay, why } in outbox.unreached() {
        failures.push(Ending { room: format!("relay {relay}"), failure: Some(why) });
    }
    let maildirs = maildirs.into_iter().map(|(room, one)| (room, one.watch.left_behind()));
    let imap = imap.into_iter().map(|(room, watch)| (room, watch.left_behind()));
    for (room, why) in maildirs.chain(imap) {
        if let Some(why) = why
            && !has_failed(&failures, &room)
        {
            failures.push(Ending { room, failure: Some(why.to_owned()) });
        }
    }
    Ok(failures)
}

/// Every maildir once; one that failed is left alone.
fn bring_in(maildirs: &mut [(String, Watched)], failures: &mut Vec<Ending>, clock: &dyn Clock) {
    for (room, Watched { watch, .. }) in maildirs {
        if has_failed(failures, room) {
            continue;
        }
        if let Err(failure) = until_idle(clock, || watch.step()) {
            error!("{failure}");
            failures.push(Ending { room: room.clone(), failure: Some(failure.to_string()) });
        }
    }
}

/// Every mailbox on a server once, together; those that failed are taken out.
fn bring_in_from_servers(
    runtime: &Runtime,
    imap: &mut Vec<(String, ImapWatch)>,
    failures: &mut Vec<Ending>,
    clock: &dyn Clock,
) {
    for (room, why) in mailboxes::look_once(runtime, imap, clock) {
        imap.retain(|(name, _)| *name != room);
        failures.push(Ending { room, failure: Some(why) });
    }
}

fn has_failed(failures: &[Ending], room: &str) -> bool {
    failures.iter().any(|failed| failed.room == room)
}
