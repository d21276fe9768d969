//! Wakes whoever watches a mailbox when something happened: mail was delivered, decisions were committed,
//! the house stops. A file system that tells nothing is no failure: the timed sweep carries alone.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// A bell that one thread or task waits at and any other may ring.
#[derive(Debug, Default)]
pub struct Wake {
    rung: Mutex<Rung>,
    bell: Condvar,
    // The same bell for a task, and one for its end: who waits at one must not hear the other.
    notify: Notify,
    stopping: Notify,
}

#[derive(Debug, Default)]
struct Rung {
    any: bool,
    mail: bool,
    stop: bool,
}

impl Wake {
    pub fn new() -> Arc<Wake> {
        Arc::new(Wake::default())
    }

    /// Says that there may be new mail.
    pub fn mail(&self) {
        self.ring(|rung| rung.mail = true);
    }

    /// Says that decisions were committed, which the mailbox may have to be told of.
    pub fn decided(&self) {
        self.ring(|_| ());
    }

    /// Says that the house stops; heard by every later wait too.
    pub fn stop(&self) {
        self.ring(|rung| rung.stop = true);
        self.stopping.notify_one();
    }

    pub fn is_stopped(&self) -> bool {
        self.lock().stop
    }

    /// Waits until the bell rings, or rang since the last wait, or until `timeout` is over; without
    /// one, until it rings.
    pub fn wait(&self, timeout: Option<Duration>) {
        let quiet = |rung: &mut Rung| !rung.any && !rung.stop;
        let mut rung = match timeout {
            Some(timeout) => {
                self.bell
                    .wait_timeout_while(self.lock(), timeout, quiet)
                    .expect("no holder of this lock panics")
                    .0
            }
            None => {
                self.bell.wait_while(self.lock(), quiet).expect("no holder of this lock panics")
            }
        };
        rung.any = false;
    }

    /// [`Wake::wait`] without a timeout, for a task.
    pub async fn heard(&self) {
        loop {
            {
                let mut rung = self.lock();
                if rung.any || rung.stop {
                    rung.any = false;
                    return;
                }
            }
            self.notify.notified().await;
        }
    }

    /// Waits until the house stops, for one task.
    pub async fn stopped(&self) {
        while !self.is_stopped() {
            self.stopping.notified().await;
        }
    }

    /// Whether mail was announced since the last time this was asked.
    pub fn take_mail(&self) -> bool {
        std::mem::take(&mut self.lock().mail)
    }

    fn ring(&self, note: impl FnOnce(&mut Rung)) {
        let mut rung = self.lock();
        note(&mut rung);
        rung.any = true;
        self.bell.notify_all();
        self.notify.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().expect("no holder of this lock panics")
    }
}

/// Rings a [`Wake`] at every delivery to a maildir, for as long as it lives.
#[derive(Debug)]
pub struct MaildirWatcher {
    _watcher: RecommendedWatcher,
}

impl MaildirWatcher {
    /// Watches `new/` and `cur/` of the maildir at `path`. `None`, said once in the log, where the
    /// system cannot: no inotify, or none left.
    pub fn start(mailbox: &str, path: &Path, wake: Arc<Wake>) -> Option<MaildirWatcher> {
        match watch(path, wake) {
            Ok(watcher) => Some(MaildirWatcher { _watcher: watcher }),
            Err(error) => {
                tracing::warn!(
                    mailbox.name = mailbox,
                    "new mail in `{mailbox}` is found by the timed sweep alone: {error}"
                );
                None
            }
        }
    }
}

fn watch(path: &Path, wake: Arc<Wake>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error may mean that events were lost: then it is better to look.
        if event.map_or(true, |event| event.need_rescan() || brings_mail(event.kind)) {
            wake.mail();
        }
    })?;
    for half in ["new", "cur"] {
        watcher.watch(&path.join(half), RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

// Reading a message is an event too, and must not wake the reader.
fn brings_mail(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)))
}
