//! The other side of a trial: limits itself, reads a message, and says that it has.

use std::io::{self, Read, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::READ;
use crate::faults;
use crate::ingest::readers::STACK;
use crate::{mail, triage};

/// P-13.
pub(super) const PROCESSOR_SECONDS: u64 = 5;
/// For one that waits, and uses no processor; long, for one that has to wait for its processor.
pub const PATIENCE: Duration = Duration::from_secs(90);
// What reading takes whatever the size: the stack, and texts that are cut at fixed limits.
const BASE: u64 = 256 << 20;
// Files it may have open: its three, and a few that its runtime may want.
const FILES: u64 = 16;

/// How much memory a message of so many bytes may take to be read (P-13).
pub(super) fn memory(size: u64) -> u64 {
    BASE.saturating_add(size.saturating_mul(4))
}

/// Reads the message on standard input, of `size` bytes, and says on standard output that it is
/// read; what the message says is of no interest, only whether reading it ends well.
pub fn read_under_limits(size: u64) -> io::Result<()> {
    limit_ourselves(size);
    let (read, ended) = channel();
    thread::Builder::new().name("reader".to_owned()).stack_size(STACK).spawn(move || {
        let mut raw = Vec::new();
        let received = io::stdin().read_to_end(&mut raw);
        if let Ok(message) = mail::read(&raw) {
            triage::rehearse(&message);
        }
        // Nobody waits any more when the time is up.
        let _ = read.send(received);
    })?;
    match ended.recv_timeout(PATIENCE) {
        Ok(received) => {
            received?;
            io::stdout().write_all(READ.as_bytes())
        }
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("its reader panicked")),
        Err(RecvTimeoutError::Timeout) => {
            Err(io::Error::other(format!("it did not end within {} s", PATIENCE.as_secs())))
        }
    }
}

// A process that cannot be limited is still one of its own, so what refuses is passed over.
fn limit_ourselves(size: u64) {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let mut limits = vec![(Resource::Core, 0), (Resource::Nofile, FILES)];
    if faults::stands("P-13-memory") {
        limits.push((Resource::Data, memory(size)));
    }
    if faults::stands("P-13-processor") {
        limits.push((Resource::Cpu, PROCESSOR_SECONDS));
    }
    for (resource, most) in limits {
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(most, |maximum| most.min(maximum)));
        let _ = setrlimit(resource, Rlimit { current, maximum });
    }
}
