//! Which process this is, so that another one on the same machine can see whether it still lives.

use std::os::unix::fs::MetadataExt;

/// A process, by the boot of its machine, its PID namespace, its number there and its beginning:
/// no two processes have all four in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    boot: String,
    namespace: u64,
    pid: u32,
    start: String,
}

impl Process {
    /// The one that asks. What `/proc` does not tell stays empty, and nobody is declared dead by it.
    pub fn own() -> Process {
        let pid = std::process::id();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Process {
            boot: boot.trim().to_owned(),
            namespace: std::fs::metadata("/proc/self/ns/pid").map_or(0, |found| found.ino()),
            pid,
            start: start(pid).unwrap_or_default(),
        }
    }

    /// Reads back what `Display` wrote.
    pub fn parse(text: &str) -> Option<Process> {
        let mut parts = text.split('/');
        let process = Process {
            boot: parts.next()?.to_owned(),
            namespace: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            start: parts.next()?.to_owned(),
        };
        parts.next().is_none().then_some(process)
    }

    /// Whether the process is known to be dead: it was one beside `witness` and is there no more.
    pub fn is_dead(&self, witness: &Process) -> bool {
        let is_beside = !self.boot.is_empty()
            && !self.start.is_empty()
            && (&self.boot, self.namespace) == (&witness.boot, witness.namespace);
        is_beside && start(self.pid).as_ref() != Some(&self.start)
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}/{}", self.boot, self.namespace, self.pid, self.start)
    }
}

// proc(5): field 22 of `stat`, counted behind the name, which may hold anything but is in brackets.
fn start(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace();
    // A zombie works no more.
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_dead_once_it_has_ended() {
        let own = Process::own();
        assert_eq!(Process::parse(&own.to_string()).as_ref(), Some(&own));
        assert!(!own.is_dead(&own));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let start = start(child.id()).expect("it lives");
        let beside = Process { pid: child.id(), start, ..own.clone() };
        assert!(!beside.is_dead(&own));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert!(beside.is_dead(&own));
        let elsewhere = Process { boot: "another machine".to_owned(), ..beside.clone() };
        assert!(!elsewhere.is_dead(&own), "nothing is known of other machines");
        let after_us = Process { start: "1".to_owned(), ..own.clone() };
        assert!(after_us.is_dead(&own), "another process has its number now");
    }
}
