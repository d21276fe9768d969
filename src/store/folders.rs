//! Folders that survive a power cut: a file is safe once its bytes are, and its name once its folder is
//! (P-07).

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::faults;

/// Makes a folder that nobody else may read, and those above it that are missing.
pub fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    make(above)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync(above)
}

/// Makes the names in `folder` last, as they are now. Where the file system knows no such thing, that
/// is all there is to have.
pub fn sync(folder: &Path) -> io::Result<()> {
    if !faults::stands("P-07-folders") {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        synced => synced,
    }
}
