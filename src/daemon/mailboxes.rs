//! Mailboxes at work: a thread for each maildir, and one thread for all that are on servers, each a
//! task of its own. They wait out their troubles themselves: one never stops another (E-11).

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Runtime;

use super::Furniture;
use super::stepping::Bell;
use crate::clock::{Clock, Next};
use crate::intake::{
    ImapWatch, IntakeError, MailboxWatch, MaildirWatcher, Options, SourceOptions, Wake,
};

// Servers that break off are tried again so often in one sweep: what ended a session may be a
// single message, and the next session goes around it.
const RETRIES: u32 = 8;
// An answer of a server is parsed on this stack (F-14).
pub(super) const STACK: usize = 8 * 1024 * 1024;
const PANICKED: &str = "it panicked; this is a bug in guichet";

/// A maildir that is watched, and the bell that new mail rings.
pub(super) struct Watched {
    pub(super) watch: MailboxWatch,
    path: PathBuf,
    wake: Arc<Wake>,
}

impl Watched {
    /// Watches until the house stops, or the store is broken.
    pub(super) fn live(mut self, name: &str) -> Result<(), IntakeError> {
        // Only here: who looks once needs no bell, nor the thread that rings it.
        let _awake = MaildirWatcher::start(name, &self.path, self.wake.clone());
        self.watch.run()
    }
}

/// The mailboxes of a house, by kind.
#[derive(Default)]
pub(super) struct Mailboxes {
    pub(super) maildirs: Vec<(String, Watched)>,
    pub(super) imap: Vec<(String, ImapWatch)>,
    pub(super) wakes: Vec<Arc<Wake>>,
}

impl Mailboxes {
    /// The watches of all mailboxes; `on_spool` rings when messages are in.
    pub(super) fn of(furniture: &Furniture, on_spool: &[Arc<Bell>]) -> Mailboxes {
        let mut mailboxes = Mailboxes::default();
        for options in furniture.watched() {
            let (wake, bells) = (Wake::new(), on_spool.to_vec());
            let spooled = move |_| bells.iter().for_each(|bell| bell.ring());
            let house = furniture.house(&options.name, &wake, Box::new(spooled));
            let name = format!("mailbox {}", options.name);
            mailboxes.add(name, options, house, &wake);
            mailboxes.wakes.push(wake);
        }
        mailboxes
    }

    fn add(
        &mut self,
        name: String,
        options: &Options,
        house: crate::intake::House,
        wake: &Arc<Wake>,
    ) {
        match &options.source {
            SourceOptions::Imap(_) => {
                self.imap.push((name, ImapWatch::new(options.clone(), house)));
            }
            SourceOptions::Maildir { path } => {
                let watch = MailboxWatch::new(options.clone(), house);
                let (path, wake) = (path.clone(), wake.clone());
                self.maildirs.push((name, Watched { watch, path, wake }));
            }
        }
    }
}

/// A runtime for a thread that watches mailboxes on servers.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Watches all of them until each was told to stop; answers the failure of those that panicked. When
/// one finds the store broken, none goes on.
pub(super) fn watch_all(runtime: &Runtime, imap: Vec<(String, ImapWatch)>) -> Result<(), String> {
    let lives = imap.into_iter().map(|(name, mut watch)| async move {
        let lived = AssertUnwindSafe(watch.run()).catch_unwind().await;
        lived.map_err(|_| {
            let said = format!("{name}: {PANICKED}");
            tracing::error!("{said}");
            said
        })
    });
    runtime.block_on(async {
        let mut lives: FuturesUnordered<_> = lives.collect();
        let mut ended = Ok(());
        while let Some(life) = lives.next().await {
            if let Ok(Err(broken)) = life {
                return Err(broken.to_string());
            }
            ended = ended.and(life.map(drop));
        }
        ended
    })
}

/// Looks at each once, all at the same time; answers the names of those that failed, and why.
pub(super) fn look_once(
    runtime: &Runtime,
    imap: &mut [(String, ImapWatch)],
    clock: &dyn Clock,
) -> Vec<(String, String)> {
    let looks = imap.iter_mut().map(|(name, watch)| async move {
        match AssertUnwindSafe(until_rest(watch, clock)).catch_unwind().await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                tracing::error!("{error}");
                Some((name.clone(), error.to_string()))
            }
            Err(_) => Some((name.clone(), PANICKED.to_owned())),
        }
    });
    runtime.block_on(async {
        let looks: FuturesUnordered<_> = looks.collect();
        looks.filter_map(std::future::ready).collect().await
    })
}

async fn until_rest(watch: &mut ImapWatch, clock: &dyn Clock) -> Result<(), IntakeError> {
    let mut retries = 0;
    loop {
        let was_at_work = watch.is_at_work();
        match watch.step().await {
            Ok(Next::Now) => {}
            Ok(Next::At(time)) if time <= clock.now() => {}
            Ok(Next::At(_) | Next::Idle) => return Ok(()),
            Err(error) if was_at_work && error.is_broken_off() && retries < RETRIES => {
                if retries == 0 {
                    tracing::warn!("{error}");
                }
                retries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
