//! The signals of interfaces §2: SIGHUP reads the configuration again, SIGTERM and SIGINT stop, and a
//! second one leaves at once. Heard on a thread of its own, which ends the process when nobody else
//! does in time: whatever the others wait for, a disk, a database, a reader of the log (P-14).

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::timeout;

use super::DEADLINE;
use crate::cli::exit::{Exit, failure};
use crate::daemon::{Call, Event};
use crate::faults;

// How long after its deadline, or the second signal, a stop may still end by itself.
const GRACE: Duration = Duration::from_secs(2);
// What is said last may be what hangs.
const LAST_WORD: Duration = Duration::from_millis(200);

/// Tells of the signals that come from now on.
pub(super) fn listen(told: mpsc::Sender<Event>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        }
    };
    let listening = async move {
        signals.tell_until_stop(&told).await;
        let second = async {
            signals.tell_until_stop(&told).await;
        };
        let _ = timeout(DEADLINE, second).await;
        tokio::time::sleep(GRACE).await;
        if faults::stands("P-14-hurry") {
            leave();
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(listening))
        .map_err(no_thread)?;
    Ok(())
}

/// Makes a file that would grow beyond its limit a write that fails, as on a full disk (P-05); the
/// signal would end the process without a word.
pub(super) fn outlive_file_limits() -> Result<()> {
    if faults::stands("P-05-limit") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let _inside = runtime.enter();
        // What catches it stays for as long as the process lives.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    }
    Ok(())
}

/// Says what is to be done when the system starts no thread.
pub(super) fn no_thread(error: std::io::Error) -> anyhow::Error {
    failure(
        Exit::Temporary,
        format!(
            "guichet cannot start the threads it needs: {error}\nhint: give it more processes (`TasksMax=` of systemd, `ulimit -u`, `pids` of a container) or more memory; nothing was lost"
        ),
    )
}

struct Signals {
    hangup: unix::Signal,
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    async fn tell_until_stop(&mut self, told: &mpsc::Sender<Event>) {
        loop {
            let call = tokio::select! {
                _ = self.hangup.recv() => Call::Reload,
                _ = self.interrupt.recv() => Call::Stop,
                _ = self.terminate.recv() => Call::Stop,
            };
            // Nobody listens any more once all is over but the end.
            let _ = told.send(Event::Called(call));
            if call == Call::Stop {
                return;
            }
        }
    }
}

fn leave() {
    let _ = thread::Builder::new().spawn(super::left_in_a_hurry);
    thread::sleep(LAST_WORD);
    std::process::exit(1);
}
