//! A disk that loses its power: what was synced is there, and of the rest nothing, all, or some of it.
//! A file's content lasts by syncing the file, its name by syncing its folder; names of one folder
//! last in the order of their changes, as file systems with a journal keep them, and a move is there
//! or not, never half.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::dice::Dice;
use crate::trace::{Event, What};

const PAGE: usize = 4096;

/// What becomes of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    All,
    Nothing,
    /// Any pages of the files, and the first few changes of each folder.
    Some {
        seed: u64,
    },
}

/// The files below a folder, as they were before anything happened to them.
pub struct Disk {
    root: PathBuf,
    folders: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

/// A file and its changes.
#[derive(Default)]
struct File {
    before: Vec<u8>,
    changes: Vec<Change>,
    length: usize,
}

/// A change of a file: bytes at an offset, or a new length.
struct Change {
    end: usize,
    lasts: bool,
    offset: usize,
    bytes: Option<Vec<u8>>,
}

/// Changes of the names in one folder.
#[derive(Default)]
struct Names {
    changes: Vec<(usize, Naming)>,
    /// So many of them last.
    lasting: usize,
}

#[derive(Clone, Copy)]
enum Thing {
    File(usize),
    Folder,
}

enum Naming {
    Adds(PathBuf, Thing),
    Removes(PathBuf),
    /// The other half of a move out of this folder: done when that is.
    MovesOut(PathBuf, PathBuf),
}

impl Disk {
    /// What is there now.
    pub fn of(root: &Path) -> Disk {
        let mut disk = Disk { root: root.to_owned(), folders: Vec::new(), files: BTreeMap::new() };
        disk.look(root);
        disk
    }

    /// The names of the files in `folder`.
    pub fn names_in(&self, folder: &Path) -> BTreeSet<String> {
        let names = self.files.keys().filter(|path| path.parent() == Some(folder));
        names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
    }

    fn look(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                self.folders.push(path.clone());
                self.look(&path);
            } else {
                self.files.insert(path.clone(), fs::read(&path).expect("a readable file"));
            }
        }
    }

    /// Writes to `target` what is left when the power goes at line `cut` of the trace.
    pub fn after(&self, events: &[Event], cut: usize, unsynced: Unsynced, target: &Path) {
        let mut wreck = Wreck::of(self);
        for event in events.iter().filter(|event| event.begin <= cut) {
            wreck.happens(event, event.end <= cut);
        }
        wreck.write(&self.root, unsynced, target);
    }
}

struct Wreck {
    files: Vec<File>,
    folders: BTreeMap<PathBuf, Names>,
    // What is where for the program that runs.
    live: HashMap<PathBuf, usize>,
    there: BTreeMap<PathBuf, Thing>,
}

impl Wreck {
    fn of(disk: &Disk) -> Wreck {
        let mut wreck = Wreck {
            files: Vec::new(),
            folders: BTreeMap::new(),
            live: HashMap::new(),
            there: BTreeMap::new(),
        };
        for folder in &disk.folders {
            wreck.there.insert(folder.clone(), Thing::Folder);
        }
        for (path, bytes) in &disk.files {
            let file = wreck.files.len();
            wreck.files.push(File {
                before: bytes.clone(),
                length: bytes.len(),
                ..File::default()
            });
            wreck.live.insert(path.clone(), file);
            wreck.there.insert(path.clone(), Thing::File(file));
        }
        wreck
    }

    fn happens(&mut self, event: &Event, is_over: bool) {
        match &event.what {
            What::Folder(path) => self.name(event.end, path, Thing::Folder),
            What::Made(path) => {
                if !self.live.contains_key(path) {
                    self.live.insert(path.clone(), self.files.len());
                    self.name(event.end, path, Thing::File(self.files.len()));
                    self.files.push(File::default());
                }
            }
            What::Removed(path) => {
                self.live.remove(path);
                let gone = Naming::Removes(path.clone());
                self.folder(path).changes.push((event.end, gone));
            }
            What::Renamed { from, to } => {
                let file = self.live.remove(from).expect("what is moved is known");
                self.live.insert(to.clone(), file);
                self.name(event.end, to, Thing::File(file));
                let gone = Naming::MovesOut(from.clone(), to.clone());
                self.folder(from).changes.push((event.end, gone));
            }
            What::Said(_) => {}
            What::Synced(path) if is_over => self.synced(path, event.begin),
            What::Synced(_) => {}
            What::Truncated { path, length } => {
                self.change(event.end, path, Some(*length), None);
            }
            What::Wrote { path, offset, bytes } => {
                self.change(event.end, path, *offset, Some(bytes));
            }
        }
    }

    fn name(&mut self, end: usize, path: &Path, thing: Thing) {
        self.folder(path).changes.push((end, Naming::Adds(path.to_owned(), thing)));
    }

    fn folder(&mut self, path: &Path) -> &mut Names {
        let folder = path.parent().expect("it is below the root").to_owned();
        self.folders.entry(folder).or_default()
    }

    fn change(&mut self, end: usize, path: &Path, offset: Option<usize>, bytes: Option<&Vec<u8>>) {
        // A name that a file had once says whose it is as well as the one that it has now.
        let Some(&file) = self.live.get(path) else { return };
        let file = &mut self.files[file];
        let offset = offset.unwrap_or(file.length);
        file.length = match bytes {
            Some(bytes) => file.length.max(offset + bytes.len()),
            None => offset,
        };
        file.changes.push(Change { end, lasts: false, offset, bytes: bytes.cloned() });
    }

    // What ended before the syncing began lasts.
    fn synced(&mut self, path: &Path, begin: usize) {
        if let Some(&file) = self.live.get(path) {
            let changes = self.files[file].changes.iter_mut();
            changes.filter(|change| change.end < begin).for_each(|change| change.lasts = true);
        } else if let Some(names) = self.folders.get_mut(path) {
            names.lasting = names.changes.iter().take_while(|(end, _)| *end < begin).count();
        }
    }

    fn write(mut self, root: &Path, unsynced: Unsynced, target: &Path) {
        let mut dice = Dice::new(match unsynced {
            Unsynced::Some { seed } => seed,
            Unsynced::All | Unsynced::Nothing => 0,
        });
        let mut done: Vec<(usize, Naming)> = Vec::new();
        for names in self.folders.values_mut() {
            let rest = names.changes.len() - names.lasting;
            let more = match unsynced {
                Unsynced::All => rest,
                Unsynced::Nothing => 0,
                Unsynced::Some { .. } => {
                    usize::try_from(dice.below(rest as u64 + 1)).expect("it is small")
                }
            };
            // A move is one change, of the folder that it goes to.
            let moves = names.changes.split_off(names.lasting + more);
            let moves = moves.into_iter().filter(|(_, one)| matches!(one, Naming::MovesOut(..)));
            done.extend(names.changes.drain(..).chain(moves));
        }
        done.sort_by_key(|(end, _)| *end);
        let mut moved: Vec<PathBuf> = Vec::new();
        for (_, naming) in done {
            match naming {
                Naming::Adds(path, thing) => {
                    moved.push(path.clone());
                    self.there.insert(path, thing);
                }
                Naming::Removes(path) => drop(self.there.remove(&path)),
                Naming::MovesOut(from, to) => {
                    if moved.contains(&to) {
                        self.there.remove(&from);
                    }
                }
            }
        }
        for (path, thing) in &self.there {
            let path = target.join(path.strip_prefix(root).expect("it is below the root"));
            match thing {
                Thing::Folder => drop(fs::create_dir(&path)),
                // Memory that processes share is no file: SQLite makes it anew.
                Thing::File(_) if path.extension().is_some_and(|end| end == "db-shm") => {}
                // A file in a folder whose own name did not last is gone with it.
                Thing::File(file) if path.parent().is_some_and(Path::is_dir) => {
                    let bytes = self.files[*file].after(unsynced, &mut dice);
                    fs::write(&path, bytes).expect("written");
                }
                Thing::File(_) => {}
            }
        }
    }
}

impl File {
    fn after(&self, unsynced: Unsynced, dice: &mut Dice) -> Vec<u8> {
        let mut happens = |lasts: bool| match unsynced {
            _ if lasts => true,
            Unsynced::All => true,
            Unsynced::Nothing => false,
            Unsynced::Some { .. } => dice.below(2) == 0,
        };
        let mut content = self.before.clone();
        for change in &self.changes {
            let Some(bytes) = &change.bytes else {
                if happens(change.lasts) {
                    content.resize(change.offset, 0);
                }
                continue;
            };
            let mut at = 0;
            while at < bytes.len() {
                let page = PAGE - (change.offset + at) % PAGE;
                let piece = &bytes[at..bytes.len().min(at + page)];
                if happens(change.lasts) {
                    let from = change.offset + at;
                    content.resize(content.len().max(from + piece.len()), 0);
                    content[from..from + piece.len()].copy_from_slice(piece);
                }
                at += piece.len();
            }
        }
        content
    }
}
