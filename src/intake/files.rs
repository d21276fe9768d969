//! Mail in files that are given by hand, for `replay`, `ingest` and `explain`: maildirs, mbox files,
//! single messages, and folders of them. First everything is found, by names and places only; then
//! one message at a time is read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::IntakeError;
use super::maildir::{Maildir, open_plain, written_at};
use super::mbox::{self, Part, PartPlace};
use crate::store::spool::{Intake, Origin};

// Folders in folders that are looked into.
const DEPTH: u32 = 16;
// Standard input, as a file.
const STDIN: &str = "/dev/stdin";
// What a file begins with is enough to see that it is no mbox.
const OPENING: usize = 5;

/// A message that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// When it arrived: the seconds in a maildir file's name, the date of an mbox's `From ` line,
    /// else when the file was last written.
    pub arrived_at: Timestamp,
    /// What the ledger calls it. The same name may hold other mail tomorrow, so that of a plain file
    /// or an mbox has the time of writing in it; only a maildir's base name is for one message.
    pub origin: Origin,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    MaildirFile,
    Mbox(Part),
    Whole,
}

impl Found {
    /// Reads the message: whole, or a stub when it is larger than `limit` bytes (M-04). `None` when
    /// the file has gone since (E-03).
    pub fn read(&self, limit: u64) -> Result<Option<(Vec<u8>, Intake)>, IntakeError> {
        let failed = |cause| IntakeError::Input { path: self.path.clone(), cause };
        match &self.place {
            Place::MaildirFile => match open_plain(&self.path).map_err(failed)? {
                Some(opened) => opened.read(limit).map_err(failed),
                None => Ok(None),
            },
            Place::Mbox(part) => {
                let mut file = File::open(&self.path).map_err(failed)?;
                mbox::read(&mut file, part, limit).map(Some).map_err(failed)
            }
            Place::Whole => {
                let file = File::open(&self.path).map_err(failed)?;
                let size = file.metadata().map_err(failed)?.len();
                let limit = if size > limit { 0 } else { limit };
                super::read_bounded(file, limit).map(Some).map_err(failed)
            }
        }
    }

    /// The path, or `-`; for a later message of an mbox with its place, e.g. `mail.mbox:4711`.
    pub fn name(&self) -> String {
        if self.path == Path::new(STDIN) {
            return "-".to_owned();
        }
        match &self.place {
            Place::Mbox(part) if part.place == PartPlace::Later => {
                format!("{}:{}", self.path.display(), part.start)
            }
            _ => self.path.display().to_string(),
        }
    }
}

/// Finds all messages of these paths, in order of arrival; `-` is standard input. A file given by name is read whatever it
/// is called; in a folder only `.eml` files and mbox files count, and links are not followed.
pub fn walk(paths: &[PathBuf]) -> Result<Vec<Found>, IntakeError> {
    let mut found = Vec::new();
    let mut passed_over = 0;
    for path in paths {
        let path = if path.as_os_str() == "-" { Path::new(STDIN) } else { path.as_path() };
        let failed = |cause| IntakeError::Input { path: path.to_owned(), cause };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            walk_folder(path, DEPTH, &mut found, &mut passed_over)?;
        } else {
            found.extend(parts(path, usize::MAX).map_err(failed)?);
        }
    }
    if passed_over > 0 {
        tracing::info!("passed over {passed_over} files: links, or neither `.eml` nor mbox");
    }
    // Stable: messages of one second keep the order in which they stand.
    found.sort_by_key(|message| message.arrived_at);
    Ok(found)
}

/// The one message of a file; of an mbox the first.
pub fn first(path: &Path) -> Result<Found, IntakeError> {
    let failed = |cause| IntakeError::Input { path: path.to_owned(), cause };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let mut parts = parts(path, 1).map_err(failed)?.into_iter();
    Ok(parts.next().expect("a file is one message at least"))
}

fn walk_folder(
    folder: &Path,
    depth: u32,
    found: &mut Vec<Found>,
    passed_over: &mut usize,
) -> Result<(), IntakeError> {
    if folder.join("cur").is_dir() || folder.join("new").is_dir() {
        return walk_maildir(folder, found, passed_over);
    }
    let failed = |cause| IntakeError::Input { path: folder.to_owned(), cause };
    let mut entries: Vec<_> =
        fs::read_dir(folder).and_then(Iterator::collect::<io::Result<_>>).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            walk_folder(&path, depth - 1, found, passed_over)?;
            continue;
        }
        let failed = |cause| IntakeError::Input { path: path.clone(), cause };
        let is_message = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("eml"));
        let messages =
            if kind.is_file() { parts(&path, usize::MAX).map_err(failed)? } else { Vec::new() };
        if is_message || messages.iter().any(|one| matches!(one.place, Place::Mbox(_))) {
            found.extend(messages);
        } else {
            *passed_over += 1;
        }
    }
    Ok(())
}

// The names of a maildir, all at once: `replay` needs them in order.
fn walk_maildir(
    folder: &Path,
    found: &mut Vec<Found>,
    passed_over: &mut usize,
) -> Result<(), IntakeError> {
    let maildir = Maildir { mailbox: folder.display().to_string(), path: folder.to_owned() };
    let mut done = HashSet::new();
    loop {
        let known = |bases: &[String]| {
            Ok(bases.iter().filter(|base| done.contains(*base)).cloned().collect())
        };
        let sweep = maildir.sweep(known, |_| true)?;
        for candidate in sweep.candidates {
            let path = maildir.file(&candidate);
            found.push(Found {
                origin: Origin::File { name: shown(&folder.join(&candidate.base)) },
                path,
                arrived_at: candidate.arrived_at,
                place: Place::MaildirFile,
            });
            done.insert(candidate.base);
        }
        if !sweep.more {
            *passed_over += sweep.strange.len();
            return Ok(());
        }
    }
}

fn parts(path: &Path, most: usize) -> io::Result<Vec<Found>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let written_at = written_at(&metadata);
    let mut opening = Vec::with_capacity(OPENING);
    // What a pipe has given it does not give again.
    if metadata.is_file() {
        file.take(OPENING as u64).read_to_end(&mut opening)?;
    }
    let parts = match opening.as_slice() {
        b"From " => mbox::parts(File::open(path)?, most)?,
        _ => None,
    };
    let name = shown(path);
    let found = |place, start, arrived_at| Found {
        path: path.to_owned(),
        arrived_at,
        origin: Origin::File { name: format!("{name}:{start}@{}", written_at.as_millisecond()) },
        place,
    };
    Ok(match parts {
        Some(parts) => {
            let part = |part: Part| {
                found(Place::Mbox(part), part.start, part.arrived_at.unwrap_or(written_at))
            };
            parts.into_iter().map(part).collect()
        }
        None => vec![found(Place::Whole, 0, written_at)],
    })
}

// The same file from whichever folder it is named.
fn shown(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
