//! What can go wrong while mail is brought in, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::imap::ImapError;
use crate::store::StoreError;

/// Why a mailbox or a file with mail could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(
        "the mailbox `{mailbox}` cannot be read: `{path}`: {cause}\nhint: {hint}",
        path = path.display(), hint = hint(cause)
    )]
    Folder { mailbox: String, path: PathBuf, cause: io::Error },
    #[error("the mailbox `{mailbox}` cannot be worked on: {cause}")]
    Imap { mailbox: String, cause: ImapError },
    #[error(
        "`{path}` cannot be read as mail: {cause}\nhint: name a maildir, an mbox file, an .eml file, or a folder of them",
        path = path.display()
    )]
    Input { path: PathBuf, cause: io::Error },
    #[error(
        "the mailbox `{mailbox}` is no maildir: `{path}` has neither `new` nor `cur`\nhint: make it with `mkdir -p {path}/cur {path}/new {path}/tmp`, or correct `mailbox.path`",
        path = path.display()
    )]
    NoMaildir { mailbox: String, path: PathBuf },
    #[error("what the mailbox `{mailbox}` brought could not be stored: {cause}")]
    Store { mailbox: String, cause: StoreError },
}

impl IntakeError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            IntakeError::Folder { cause, .. } | IntakeError::Input { cause, .. } => {
                !needs_somebody(cause)
            }
            IntakeError::Imap { cause, .. } => cause.is_temporary(),
            IntakeError::NoMaildir { .. } => false,
            IntakeError::Store { cause, .. } => cause.is_temporary(),
        }
    }

    /// Whether the store itself is broken: more mail would be brought into nothing.
    pub fn is_of_a_broken_store(&self) -> bool {
        matches!(self, IntakeError::Store { cause, .. } if cause.is_broken())
    }

    /// Whether a conversation with a server broke off in its middle: another may get further.
    pub fn is_broken_off(&self) -> bool {
        matches!(self, IntakeError::Imap { cause, .. } if cause.is_broken_off())
    }
}

// What to do about a file or folder that refuses.
pub(super) fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotADirectory => "a maildir is a folder with `cur`, `new` and `tmp` in it",
        io::ErrorKind::NotFound => "see that the path is right and the disk is mounted",
        io::ErrorKind::PermissionDenied => {
            "let the user guichet runs as read and write there, e.g. with `setfacl -R -m u:guichet:rwX`"
        }
        io::ErrorKind::ReadOnlyFilesystem => "mount it writable, or set `after = \"keep\"`",
        _ => "nothing was lost; guichet tries again by itself",
    }
}

fn needs_somebody(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
    )
}
