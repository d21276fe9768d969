//! Exit codes (interfaces §1), and how an error is told.

use std::io;
use std::process::ExitCode;

use super::output::aside;
use crate::intake::{ImapError, IntakeError};
use crate::outbox::OutboxError;
use crate::store::StoreError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Bug,
    CannotCreate,
    Configuration,
    Done,
    Input,
    InputMissing,
    Io,
    /// Ran, with a negative result: a difference, some items failed, not ready.
    Negative,
    /// A login, or the permission for something.
    Refused,
    Temporary,
    Unreachable,
    Usage,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Negative => 1,
            Exit::Usage => 2,
            Exit::Input => 65,
            Exit::InputMissing => 66,
            Exit::Unreachable => 69,
            Exit::Bug => 70,
            Exit::CannotCreate => 73,
            Exit::Io => 74,
            Exit::Temporary => 75,
            Exit::Refused => 77,
            Exit::Configuration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An error that already says everything, with the exit code it means.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// An error with an exit code of its own.
pub(crate) fn failure(exit: Exit, message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Failure { exit, message: message.into() })
}

/// Tells `error` on standard error, its causes below it, and answers its exit code.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    let exit = exit_of(error);
    if exit == Exit::Done {
        return exit;
    }
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let said = cause.to_string();
        // Some errors repeat their source in their own text.
        if !lines.iter().any(|line| line.contains(&said)) {
            lines.push(said);
        }
    }
    let mut hints = Vec::new();
    for (depth, line) in lines.iter().enumerate() {
        let mut parts = line.split("\nhint: ");
        let said = parts.next().unwrap_or_default();
        if depth == 0 {
            // A report of several problems begins each with `error:` itself.
            let who = if said.starts_with("error: ") { "" } else { "guichet: " };
            aside(format_args!("{who}{said}"));
        } else {
            aside(format_args!("  because {said}"));
        }
        hints.extend(parts.map(str::to_owned));
    }
    for hint in hints {
        aside(format_args!("hint: {hint}"));
    }
    exit
}

fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if let Some(store) = cause.downcast_ref::<StoreError>() {
            return exit_of_store(store);
        }
        if let Some(intake) = cause.downcast_ref::<IntakeError>() {
            return exit_of_intake(intake);
        }
        if let Some(outbox) = cause.downcast_ref::<OutboxError>() {
            return exit_of_outbox(outbox);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            // A reader that went away (`guichet log | head`) is no failure of ours.
            return if io.kind() == io::ErrorKind::BrokenPipe { Exit::Done } else { Exit::Io };
        }
    }
    Exit::Bug
}

pub(crate) fn exit_of_intake(error: &IntakeError) -> Exit {
    match error {
        IntakeError::Folder { cause, .. } | IntakeError::Input { cause, .. } => {
            match cause.kind() {
                io::ErrorKind::IsADirectory
                | io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied => Exit::InputMissing,
                _ => Exit::Io,
            }
        }
        IntakeError::Imap { cause, .. } => exit_of_imap(cause),
        IntakeError::NoMaildir { .. } => Exit::InputMissing,
        IntakeError::Store { cause, .. } => exit_of_store(cause),
    }
}

pub(crate) fn exit_of_imap(error: &ImapError) -> Exit {
    if error.is_login_refused() || matches!(error, ImapError::LeftAlone { .. }) {
        Exit::Refused
    } else if error.is_unreachable() {
        Exit::Unreachable
    } else {
        Exit::Negative
    }
}

// Templates and the time zone are the operator's: `check` finds the same.
fn exit_of_outbox(error: &OutboxError) -> Exit {
    match error {
        OutboxError::Store(cause) => exit_of_store(cause),
        OutboxError::Templates(_) | OutboxError::TimeZone(_) => Exit::Configuration,
        OutboxError::Thread(_) => Exit::Temporary,
    }
}

pub(crate) fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Busy(_)
        | StoreError::ClaimLost(_)
        | StoreError::Doubtful(_)
        | StoreError::InUse
        | StoreError::LeaseLost(_)
        | StoreError::Locked { .. }
        | StoreError::NoThread(_)
        | StoreError::Raced(_) => Exit::Temporary,
        StoreError::Address { .. } => Exit::Configuration,
        StoreError::Forbidden { .. } | StoreError::LoginRefused { .. } => Exit::Refused,
        StoreError::DamagedBackup { .. } | StoreError::Foreign(_) => Exit::Input,
        StoreError::NoFile(_) => Exit::Usage,
        StoreError::Disk { .. } | StoreError::Full(_) | StoreError::ReadOnly { .. } => Exit::Io,
        StoreError::Frail { .. } | StoreError::NotEmpty { .. } | StoreError::Open { .. } => {
            Exit::CannotCreate
        }
        StoreError::Damaged { .. }
        | StoreError::DamagedMessage { .. }
        | StoreError::GoneBack { .. }
        | StoreError::Linked { .. }
        | StoreError::Net(_)
        | StoreError::Newer { .. }
        | StoreError::NoDatabase { .. }
        | StoreError::NotAgreed { .. }
        | StoreError::Removed(_)
        | StoreError::Rewritten { .. }
        | StoreError::Unfit { .. }
        | StoreError::Unreachable { .. } => Exit::Unreachable,
        StoreError::Taken { .. } => Exit::Negative,
        StoreError::Unknown { .. } => Exit::InputMissing,
        _ => Exit::Bug,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn mail_that_is_not_there_is_missing_input_and_no_bug() {
        let input = |kind: io::ErrorKind| {
            let (path, cause) = (PathBuf::from("nowhere"), io::Error::from(kind));
            exit_of(&IntakeError::Input { path, cause }.into())
        };
        assert_eq!(input(io::ErrorKind::NotFound), Exit::InputMissing);
        assert_eq!(input(io::ErrorKind::PermissionDenied), Exit::InputMissing);
        assert_eq!(input(io::ErrorKind::StorageFull), Exit::Io);
    }

    #[test]
    fn a_broken_template_is_the_configurations_fault() {
        let error = OutboxError::Templates(Vec::new());
        assert_eq!(exit_of(&error.into()), Exit::Configuration);
    }

    #[test]
    fn a_store_that_is_held_is_temporary_whoever_asks() {
        let cause = StoreError::Busy("guichet.db".to_owned());
        let error = IntakeError::Store { mailbox: "support".to_owned(), cause };
        assert_eq!(exit_of(&error.into()), Exit::Temporary);
    }
}
