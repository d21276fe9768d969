//! The disk that holds the store: while it is nearly full, nothing is fetched (P-05).

use std::io;
use std::path::Path;

use crate::faults;

/// How much room the disk that holds the store has, and must keep (`min_free_space`).
pub struct Space {
    /// Bytes; below, fetching stops.
    pub floor: u64,
    /// The free bytes now, e.g. [`free_bytes`] of the state directory.
    pub free: Box<dyn Fn() -> io::Result<u64> + Send>,
}

impl Space {
    /// How many bytes are free, when that is too little.
    pub fn shortage(&self) -> Option<u64> {
        // The store itself will tell when it cannot write.
        let free = (self.free)().ok()?;
        (free < self.floor && faults::stands("P-05-floor")).then_some(free)
    }
}

/// The bytes that an unprivileged user may still write to the disk that holds `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What one mailbox knows of the disk.
pub(super) struct Disk {
    space: Space,
    is_full: bool,
}

impl Disk {
    pub(super) fn new(space: Space) -> Disk {
        Disk { space, is_full: false }
    }

    /// Whether it was nearly full at the last look.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Looks whether mail may be fetched; each change is said once in the log, for `mailbox`.
    pub(super) fn has_room(&mut self, mailbox: &str) -> bool {
        let (shortage, floor) = (self.space.shortage(), self.space.floor);
        match shortage {
            Some(free) if !self.is_full => tracing::error!(
                mailbox.name = %mailbox, disk.free = free, disk.floor = floor,
                "stopped fetching from `{mailbox}`: {} MB are free where the store is, `min_free_space` wants {} MB\nhint: free some space; the mail stays in the mailbox, and fetching goes on by itself",
                free / 1_000_000, floor / 1_000_000
            ),
            None if self.is_full => {
                tracing::info!(mailbox.name = %mailbox, "fetching from `{mailbox}` again: there is room on the disk");
            }
            _ => {}
        }
        self.is_full = shortage.is_some();
        !self.is_full
    }
}
