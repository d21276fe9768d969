//! What is done to a message in its maildir once its decision is committed: nothing, marked as
//! read, moved, or deleted (`mailbox.after`). Each is one step that a crash cannot split, and doing
//! it again finds it done. Nothing is ever overwritten.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::After;
use super::maildir::{Half, Maildir};
use super::name;
use crate::faults;
use crate::store::folders;

// How often a name that a client changes under our hands is looked up again.
const LOOKUPS: u32 = 3;
// Other names tried when the name is taken in the folder that a message is moved to.
const NUMBERS: u32 = 100;

/// A file that could not be flagged, moved or deleted.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) base: String,
    pub(super) path: PathBuf,
    pub(super) cause: io::Error,
}

impl Maildir {
    /// Does `after` to the messages of these base names; answers those that refuse. A message that
    /// is not there any more needs nothing.
    pub(super) fn settle(&self, bases: &[String], after: &After) -> Vec<Refused> {
        if *after == After::Keep || bases.is_empty() {
            return Vec::new();
        }
        let mut refused = Vec::new();
        let mut open: Vec<&String> = bases.iter().collect();
        for lookup in 1..=LOOKUPS {
            let places = match self.places(&open) {
                Ok(places) => places,
                // They may well be there.
                Err((path, cause)) => {
                    refused.extend(open.into_iter().map(|base| {
                        let (path, cause) = (path.clone(), copy_of(&cause));
                        Refused { base: base.clone(), path, cause }
                    }));
                    break;
                }
            };
            let mut again = Vec::new();
            for base in open {
                let Some((half, file)) = places.get(base.as_str()) else { continue };
                match self.act(*half, file, after) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound && lookup < LOOKUPS => {
                        again.push(base);
                    }
                    Err(cause) => {
                        let path = self.path.join(half.as_str()).join(file);
                        refused.push(Refused { base: base.clone(), path, cause });
                    }
                }
            }
            if again.is_empty() {
                break;
            }
            open = again;
        }
        if let Err((path, error)) = self.sync(after) {
            refused = bases
                .iter()
                .map(|base| Refused {
                    base: base.clone(),
                    path: path.clone(),
                    cause: copy_of(&error),
                })
                .collect();
        }
        refused
    }

    // What is recorded as done is not undone by a power cut (P-07): the folders that messages went to
    // are synced, then those that they left. Also when all was done before: nobody knows by whom.
    fn sync(&self, after: &After) -> Result<(), (PathBuf, io::Error)> {
        let target = match after {
            After::Move { to } => Some(self.path.join(to)),
            After::Delete | After::Flag | After::Keep => None,
        };
        for folder in target.iter().chain([&self.path]) {
            for half in [Half::Cur, Half::New] {
                let half = folder.join(half.as_str());
                match folders::sync(&half) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err((half, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    // Where the messages are now. Most are where they were delivered, so the likely names are tried
    // before a folder is read. What a folder that does not read holds is not known (P-06).
    fn places(
        &self,
        bases: &[&String],
    ) -> Result<HashMap<String, (Half, OsString)>, (PathBuf, io::Error)> {
        let mut places = HashMap::with_capacity(bases.len());
        let mut missing = HashSet::new();
        for &base in bases {
            let likely = [
                (Half::New, base.clone()),
                (Half::Cur, format!("{base}:2,")),
                (Half::Cur, format!("{base}:2,S")),
            ];
            let found = likely.into_iter().find(|(half, name)| self.is_file(*half, name));
            match found {
                Some((half, name)) => {
                    places.insert(base.clone(), (half, OsString::from(name)));
                }
                None => {
                    missing.insert(base.as_str());
                }
            }
        }
        for half in [Half::New, Half::Cur] {
            if missing.is_empty() {
                break;
            }
            let folder = self.path.join(half.as_str());
            let failed = |cause| (folder.clone(), cause);
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) if !faults::stands("P-06-mailbox") => continue,
                entries => entries.map_err(failed)?,
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name();
                if let Some(base) = name::base(&name).filter(|base| missing.contains(base.as_str()))
                    && entry.file_type().map_err(failed)?.is_file()
                {
                    missing.remove(base.as_str());
                    places.insert(base, (half, name));
                }
            }
        }
        Ok(places)
    }

    // A ledger key is a file name; one that is a path came from somewhere else.
    fn is_file(&self, half: Half, name: &str) -> bool {
        Path::new(name).file_name() == Some(OsStr::new(name))
            && fs::symlink_metadata(self.path.join(half.as_str()).join(name))
                .is_ok_and(|metadata| metadata.is_file())
    }

    fn act(&self, half: Half, file: &OsStr, after: &After) -> io::Result<()> {
        let from = self.path.join(half.as_str()).join(file);
        faults::point("maildir.settle");
        let settled = match after {
            After::Delete => fs::remove_file(from),
            After::Flag => match name::with_seen(file) {
                Some(seen) => put(&from, &self.path.join(Half::Cur.as_str()), &seen),
                None => Ok(()),
            },
            After::Keep => Ok(()),
            After::Move { to } => {
                let target = self.path.join(to);
                for folder in ["tmp", "new", "cur"] {
                    folders::make(&target.join(folder))?;
                }
                put(&from, &target.join(half.as_str()), file)
            }
        };
        faults::point("maildir.settled");
        settled
    }
}

// The system's own errors are all that happens here, and these are numbers.
fn copy_of(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::from(error.kind()),
    }
}

// Renames a file into `folder` as `name`. When that name is taken by the same message, an earlier
// try got so far and died: what is left is to remove the source. When it is taken by another, the
// file gets a number.
fn put(from: &Path, folder: &Path, name: &OsStr) -> io::Result<()> {
    for n in 0..NUMBERS {
        let name = if n == 0 { name.to_owned() } else { name::numbered(name, n) };
        let to = folder.join(&name);
        let moved = match rename_new(from, &to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy_new(from, folder, &name)
            }
            moved => moved,
        };
        match moved {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if same_place(from, &to)? {
                    return Ok(());
                }
                if same_content(from, &to)? {
                    return fs::remove_file(from);
                }
            }
            moved => return moved,
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

// `rename(2)` that does not overwrite.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // This file system, or this kernel, has no such rename.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            fs::rename(from, to)
        }
        result => Ok(result?),
    }
}

// To another disk: the copy is durable under its name before the source goes.
fn copy_new(from: &Path, folder: &Path, name: &OsStr) -> io::Result<()> {
    let draft = folder.with_file_name("tmp").join(name);
    let copied = copy(from, &draft).and_then(|()| rename_new(&draft, &folder.join(name)));
    if copied.is_err() {
        // Half a copy would only fill the disk further (P-05); one that cannot be removed is
        // written over by the next try.
        let _ = fs::remove_file(&draft);
    }
    copied?;
    folders::sync(folder)?;
    fs::remove_file(from)
}

fn copy(from: &Path, draft: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut copy =
        OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(draft)?;
    io::copy(&mut source, &mut copy)?;
    // A name without a date has its arrival here.
    copy.set_modified(source.metadata()?.modified()?)?;
    copy.sync_all()
}

// Whether both names are one: the settings, or a link, may name the folder that the message is in,
// and then what looks like the source of a half-done move is the message itself.
fn same_place(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::canonicalize(one)? == fs::canonicalize(other)?)
}

fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(64 * 1024).read_to_end(&mut left)?;
        other.by_ref().take(64 * 1024).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_to_another_disk_is_whole_and_the_source_goes() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for folder in ["tmp", "new"] {
            fs::create_dir(dir.path().join(folder)).expect("made");
        }
        let from = dir.path().join("source");
        fs::write(&from, b"mail").expect("written");
        // What a try that died left behind.
        fs::write(dir.path().join("tmp/a:2,"), b"much more than the mail").expect("written");
        copy_new(&from, &dir.path().join("new"), OsStr::new("a:2,")).expect("copied");
        assert_eq!(fs::read(dir.path().join("new/a:2,")).expect("there"), b"mail");
        assert!(!from.exists());
        assert_eq!(fs::read_dir(dir.path().join("tmp")).expect("reads").count(), 0);
    }

    #[test]
    fn a_name_that_is_taken_by_another_message_is_never_overwritten() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (from, folder) = (dir.path().join("a:2,S"), dir.path().join("done"));
        fs::create_dir(&folder).expect("made");
        fs::write(&from, b"mine").expect("written");
        fs::write(folder.join("a:2,S"), b"them").expect("written");
        put(&from, &folder, OsStr::new("a:2,S")).expect("moved");
        assert_eq!(fs::read(folder.join("a:2,S")).expect("there"), b"them");
        assert_eq!(fs::read(folder.join("a.1:2,S")).expect("there"), b"mine");
        assert!(!from.exists());
    }

    #[test]
    fn p_01_a_message_that_is_moved_to_where_it_is_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (from, folder) = (dir.path().join("new/a"), dir.path().join("new"));
        fs::create_dir(&folder).expect("made");
        fs::write(&from, b"mail").expect("written");
        std::os::unix::fs::symlink(&folder, dir.path().join("link")).expect("linked");
        for folder in [folder, dir.path().join("link"), dir.path().join("link/../new")] {
            put(&from, &folder, OsStr::new("a")).expect("nothing to do");
            assert_eq!(fs::read(&from).expect("there"), b"mail");
        }
    }

    #[test]
    fn a_move_that_died_halfway_is_finished() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (from, folder) = (dir.path().join("a"), dir.path().join("done"));
        fs::create_dir(&folder).expect("made");
        fs::write(&from, b"mail").expect("written");
        fs::hard_link(&from, folder.join("a")).expect("linked");
        put(&from, &folder, OsStr::new("a")).expect("moved");
        assert!(!from.exists());
        assert_eq!(fs::read_dir(&folder).expect("reads").count(), 1);
    }
}
