//! The trial of a message that was in hand when an attempt failed: before it is read here, a process
//! of its own reads it, under limits on processor time and memory (design §4.2, P-12, P-13). Whatever
//! ends that one would have ended this one. It sees nothing but the bytes of the message: no
//! configuration, no store, no lock, no socket.

mod child;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::Signal;

use crate::faults;

pub use child::{PATIENCE, read_under_limits};

/// The command of `guichet` that reads the message on its standard input, and says `READ`. Its
/// argument is the size of the message.
pub const COMMAND: &str = "trial";

/// Where a message is read that was tried before.
#[derive(Clone, Debug)]
pub enum Suspects {
    /// Here, as any other: where the program that runs is not `guichet`.
    ReadHere,
    /// Here, once this program has read it in a process of its own.
    TriedFirst { program: PathBuf },
}

impl Suspects {
    /// Tried by the program that runs, also when an upgrade has replaced or removed its file.
    pub fn tried_by_ourselves() -> Suspects {
        Suspects::TriedFirst { program: PathBuf::from("/proc/self/exe") }
    }

    /// Whether a message can be read here; not when no process can be started to try it in.
    pub fn can_be_read(&self, raw: &[u8]) -> bool {
        match self {
            Suspects::ReadHere => true,
            Suspects::TriedFirst { program } => {
                of(program, raw).is_ok_and(|verdict| verdict == Verdict::Innocent)
            }
        }
    }
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Reading it ended badly; what happened, in words.
    Guilty(String),
    Innocent,
}

/// What the child says last when it has read the message to its end. A program that is not `guichet`
/// says something else, whatever its exit code.
const READ: &str = "guichet has read it";
// More of its last words is not for people.
const LAST_WORDS: u64 = 4096;
const TOLD: usize = 300;

/// Tries a message in a process of its own; fails when none can be started.
pub fn of(program: &Path, raw: &[u8]) -> io::Result<Verdict> {
    let (said, saying) = io::pipe()?;
    let mut child = {
        let mut command = Command::new(program);
        command.arg(COMMAND).arg(raw.len().to_string()).current_dir("/");
        command.env_clear().envs(faults::handed_on());
        // Not a pipe: who writes into one waits for who reads from it.
        command.stdin(in_memory(raw)?).stdout(saying.try_clone()?).stderr(saying);
        command.spawn()?
    };
    let mut words = Vec::new();
    // Ends with the child, which ends itself in time.
    let heard = said.take(LAST_WORDS).read_to_end(&mut words);
    let status = child.wait()?;
    heard?;
    let words = String::from_utf8_lossy(&words);
    if status.success() && words.ends_with(READ) {
        return Ok(Verdict::Innocent);
    }
    Ok(Verdict::Guilty(told(status, &words, raw.len() as u64)))
}

/// Whether starting a process failed for want of something that may be there later.
pub fn is_shortage(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| {
        [Errno::AGAIN, Errno::MFILE, Errno::NFILE, Errno::NOMEM].contains(&errno)
    })
}

fn in_memory(raw: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("message", MemfdFlags::CLOEXEC)?);
    file.write_all(raw)?;
    file.rewind()?;
    Ok(file)
}

fn told(status: ExitStatus, words: &str, size: u64) -> String {
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return format!(
            "reading it took more than {} s of processor time",
            child::PROCESSOR_SECONDS
        );
    }
    if words.contains("memory allocation of") {
        return format!("reading it took more than {} MB of memory", child::memory(size) >> 20);
    }
    let ended = match status.signal() {
        Some(signal) => format!("reading it ended with {}", named(signal)),
        None => format!("reading it ended with {status}"),
    };
    let words: Vec<&str> = words.split_whitespace().collect();
    let words: String = words.join(" ").chars().take(TOLD).collect();
    if words.is_empty() { ended } else { format!("{ended}: {words}") }
}

fn named(signal: i32) -> String {
    let name = match Signal::from_named_raw(signal) {
        Some(Signal::ABORT) => "SIGABRT",
        Some(Signal::BUS) => "SIGBUS",
        Some(Signal::ILL) => "SIGILL",
        Some(Signal::KILL) => "SIGKILL",
        Some(Signal::SEGV) => "SIGSEGV",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}
