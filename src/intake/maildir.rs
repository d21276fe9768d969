//! A maildir: one file for each message, in `new/` until a mail client has seen it, then in `cur/`.
//! Other programs deliver, rename and delete while we look, so a name is only a hint; the base name
//! is what the ledger knows. Opens nothing but plain files, and never waits on one.

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, DirEntry, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::OFlags;

use super::bounded::read_bounded;
use super::error::IntakeError;
use super::name;
use crate::store::spool::Intake;

// Names held in memory at a time; the oldest unknown ones, so that the order of arrival holds.
const PENDING: usize = 16_384;
// Names asked of the ledger at a time.
const ASKED: usize = 500;

/// The folder of one mailbox.
#[derive(Debug)]
pub(super) struct Maildir {
    pub(super) mailbox: String,
    pub(super) path: PathBuf,
}

/// Which half of a maildir a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    Cur,
    New,
}

impl Half {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Half::Cur => "cur",
            Half::New => "new",
        }
    }
}

/// A file that was seen. Sorts by arrival, then base name: never by its place in the directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) arrived_at: Timestamp,
    pub(super) base: String,
    pub(super) half: Half,
    pub(super) name: OsString,
}

impl Candidate {
    /// Whether somebody has read it (`start = "unseen"`).
    pub(super) fn is_seen(&self) -> bool {
        self.half == Half::Cur && name::is_seen(&self.name)
    }
}

/// What a look at a mailbox found.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The wanted messages, in order of arrival.
    pub(super) candidates: VecDeque<Candidate>,
    /// There are later ones too: look again when these are done.
    pub(super) more: bool,
    /// Names of what is no message: links, folders, devices.
    pub(super) strange: Vec<PathBuf>,
}

/// A file about to be read.
pub(super) struct Opened {
    file: File,
    pub(super) size: u64,
    pub(super) written_at: Timestamp,
}

impl Maildir {
    /// Looks through both halves for messages that are not in the ledger, as `known` tells, and that
    /// are `wanted`. Needs memory for some thousands of names, however many there are.
    pub(super) fn sweep(
        &self,
        mut known: impl FnMut(&[String]) -> Result<HashSet<String>, IntakeError>,
        mut wanted: impl FnMut(&Candidate) -> bool,
    ) -> Result<Sweep, IntakeError> {
        let mut sweep = Sweep::default();
        let mut oldest = BinaryHeap::new();
        let mut asked = Vec::with_capacity(ASKED);
        let mut keep = |asked: &mut Vec<Candidate>, more: &mut bool| -> Result<(), IntakeError> {
            let bases: Vec<String> = asked.iter().map(|file| file.base.clone()).collect();
            let known = known(&bases)?;
            for candidate in asked.drain(..) {
                if !known.contains(&candidate.base) && wanted(&candidate) {
                    oldest.push(candidate);
                }
                if oldest.len() > PENDING {
                    oldest.pop();
                    *more = true;
                }
            }
            Ok(())
        };
        let mut halves = 0;
        // `new` first: what a client moves to `cur` meanwhile is then seen twice rather than never.
        for half in [Half::New, Half::Cur] {
            let folder = self.path.join(half.as_str());
            let failed = |cause| self.failed(&folder, cause);
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(failed)?,
            };
            halves += 1;
            for entry in entries {
                let entry = entry.map_err(failed)?;
                match look(&entry, half).map_err(|cause| self.failed(&entry.path(), cause))? {
                    Some(Look::Message(candidate)) => asked.push(candidate),
                    Some(Look::Strange) => sweep.strange.push(entry.path()),
                    None => {}
                }
                if asked.len() == ASKED {
                    keep(&mut asked, &mut sweep.more)?;
                }
            }
        }
        if halves == 0 {
            return Err(self.absent());
        }
        keep(&mut asked, &mut sweep.more)?;
        sweep.candidates = oldest.into_sorted_vec().into();
        let mut bases = HashSet::new();
        sweep.candidates.retain(|candidate| bases.insert(candidate.base.clone()));
        Ok(sweep)
    }

    /// Opens a file that was seen: `None` when it has gone meanwhile, or is no plain file any more
    /// (E-03).
    pub(super) fn open(&self, candidate: &Candidate) -> io::Result<Option<Opened>> {
        open_plain(&self.file(candidate))
    }

    /// Where a file that was seen is, or was.
    pub(super) fn file(&self, candidate: &Candidate) -> PathBuf {
        self.path.join(candidate.half.as_str()).join(&candidate.name)
    }

    pub(super) fn failed(&self, path: &Path, cause: io::Error) -> IntakeError {
        IntakeError::Folder { mailbox: self.mailbox.clone(), path: path.to_owned(), cause }
    }

    // A folder that we may not look into reads as one without halves.
    fn absent(&self) -> IntakeError {
        match fs::metadata(&self.path) {
            Err(cause) => self.failed(&self.path, cause),
            Ok(_) => {
                IntakeError::NoMaildir { mailbox: self.mailbox.clone(), path: self.path.clone() }
            }
        }
    }
}

impl Opened {
    /// Reads it: whole, or a stub when it is larger than `limit` bytes (M-04). `None` when somebody
    /// is still writing it: `cp` into a maildir, rather than a delivery.
    pub(super) fn read(self, limit: u64) -> io::Result<Option<(Vec<u8>, Intake)>> {
        let limit = if self.size > limit { 0 } else { limit };
        let read = read_bounded(&self.file, limit)?;
        Ok((self.file.metadata()?.len() == self.size).then_some(read))
    }
}

/// Opens a plain file without following a link and without waiting for a pipe's other end; `None`
/// when there is no such thing.
pub(super) fn open_plain(path: &Path) -> io::Result<Option<Opened>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then(|| Opened {
        file,
        size: metadata.len(),
        written_at: written_at(&metadata),
    }))
}

fn is_gone(error: &io::Error) -> bool {
    // `ELOOP`: a link stands in its place.
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

enum Look {
    Message(Candidate),
    Strange,
}

// `None`: not ours to mind, or gone.
fn look(entry: &DirEntry, half: Half) -> io::Result<Option<Look>> {
    let name = entry.file_name();
    let Some(base) = name::base(&name) else { return Ok(None) };
    let Some(kind) = there(entry.file_type())? else { return Ok(None) };
    if !kind.is_file() {
        return Ok(Some(Look::Strange));
    }
    let arrived_at = match name::arrival(&base) {
        Some(arrived_at) => arrived_at,
        None => match there(entry.metadata())? {
            Some(metadata) => written_at(&metadata),
            None => return Ok(None),
        },
    };
    Ok(Some(Look::Message(Candidate { arrived_at, base, half, name })))
}

// What has gone is no failure.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// When a file was last written: the arrival of a message that has no better one.
pub(super) fn written_at(metadata: &fs::Metadata) -> Timestamp {
    metadata
        .modified()
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
