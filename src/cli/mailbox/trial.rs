//! Tries the servers of a mailbox out: each step with what was seen, and on failure the other side's
//! words and the likely fix. Reads and sends nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::exit::{Exit, exit_of_imap};
use crate::cli::ways;
use crate::config::Settings;
use crate::intake::imap;
use crate::intake::{self, ImapOptions, SourceOptions};
use crate::net::Told;
use crate::outbox::{Relay, RelayError, SenderOptions, TransportOptions};

/// One server, or folder, tried out.
pub(in crate::cli) struct Trial {
    /// `imap`, `maildir`, `smtp` or `outgoing`.
    pub(in crate::cli) what: &'static str,
    /// Where it is.
    pub(in crate::cli) place: String,
    steps: Vec<Step>,
    pub(in crate::cli) failure: Option<Failure>,
}

struct Step {
    name: String,
    seen: String,
}

/// Why something cannot be used.
pub(in crate::cli) struct Failure {
    pub(in crate::cli) exit: Exit,
    pub(in crate::cli) message: String,
    pub(in crate::cli) hint: String,
}

/// Where the mail of a mailbox comes from.
pub(in crate::cli) fn source(options: &intake::Options, listen: Told<'_>) -> Trial {
    match &options.source {
        SourceOptions::Imap(imap) => Trial::of("imap", ways::place(&imap.server), listen, |told| {
            in_a_runtime(mailbox(imap, told))
        }),
        SourceOptions::Maildir { path } => {
            Trial::of("maildir", path.display().to_string(), listen, |told| maildir(path, told))
        }
    }
}

/// How the mail of a mailbox leaves.
pub(in crate::cli) fn way_out(
    settings: &Settings,
    sender: &SenderOptions,
    listen: Told<'_>,
) -> Trial {
    match (&settings.outbox.transport, &sender.relay) {
        (TransportOptions::Smtp, Some(relay)) => {
            let place = ways::place(&relay.server);
            let relay = Relay::new(relay.clone(), &sender.address);
            Trial::of("smtp", place, listen, |told| in_a_runtime(answers(&relay, told)))
        }
        (TransportOptions::File { maildir }, _) => {
            Trial::of("outgoing", maildir.display().to_string(), listen, |told| {
                told("transport", "mail of ours is written to this maildir");
                Ok(())
            })
        }
        (TransportOptions::None | TransportOptions::Smtp, _) => {
            Trial::of("outgoing", "nowhere".to_owned(), listen, |told| {
                told("transport", "mail of ours is rendered and recorded, not sent");
                Ok(())
            })
        }
    }
}

impl Trial {
    fn of(
        what: &'static str,
        place: String,
        listen: Told<'_>,
        attempt: impl FnOnce(Told<'_>) -> Result<(), Failure>,
    ) -> Trial {
        let mut steps = Vec::new();
        let mut told = |name: &str, seen: &str| {
            listen(name, seen);
            steps.push(Step { name: name.to_owned(), seen: seen.to_owned() });
        };
        let failure = attempt(&mut told).err();
        Trial { what, place, steps, failure }
    }

    /// The trial for programs.
    pub(in crate::cli) fn fields(&self) -> Value {
        let steps: Vec<Value> =
            self.steps.iter().map(|step| json!({ "step": step.name, "seen": step.seen })).collect();
        json!({
            "what": self.what,
            "place": self.place,
            "works": self.failure.is_none(),
            "steps": steps,
            "failure": self.failure.as_ref().map(|failure| &failure.message),
            "hint": self.failure.as_ref().map(|failure| &failure.hint),
        })
    }
}

impl Failure {
    /// A failure in the words of an error, which carry its hint.
    pub(in crate::cli) fn new(exit: Exit, said: &str) -> Failure {
        let (message, hint) = said.split_once("\nhint: ").unwrap_or((said, "try again"));
        Failure { exit, message: message.to_owned(), hint: hint.to_owned() }
    }
}

/// The exit code of several failures: who cannot log in knows at least that there is a server.
pub(in crate::cli) fn exit<'a>(failures: impl Iterator<Item = &'a Failure>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Refused => 2,
        Exit::Unreachable => 1,
        _ => 0,
    };
    failures.map(|failure| failure.exit).max_by_key(rank).unwrap_or(Exit::Done)
}

fn in_a_runtime(attempt: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(attempt),
        Err(error) => {
            let said =
                format!("the network cannot be used: {error}\nhint: give guichet more memory");
            Err(Failure::new(Exit::Io, &said))
        }
    }
}

async fn mailbox(options: &ImapOptions, told: Told<'_>) -> Result<(), Failure> {
    let tried = imap::try_out(options, told).await;
    tried.map(drop).map_err(|error| Failure::new(exit_of_imap(&error), &error.to_string()))
}

async fn answers(relay: &Relay, told: Told<'_>) -> Result<(), Failure> {
    let tried = relay.try_out(told).await;
    tried.map_err(|error| Failure::new(exit_of_relay(&error), &error.to_string()))
}

fn maildir(path: &Path, told: Told<'_>) -> Result<(), Failure> {
    for part in ["new", "cur"] {
        let folder = path.join(part);
        let listed = fs::read_dir(&folder).map_err(|error| {
            let said = format!(
                "the folder `{}` cannot be read: {error}\nhint: see that it is a maildir, and that the user guichet runs as may read it",
                folder.display()
            );
            Failure::new(Exit::Negative, &said)
        })?;
        told(part, &format!("{} messages", listed.count()));
    }
    Ok(())
}

/// The exit code of a relay that cannot be used.
pub(super) fn exit_of_relay(error: &RelayError) -> Exit {
    match error {
        RelayError::Login { .. } | RelayError::NoLogin { .. } => Exit::Refused,
        RelayError::Closed
        | RelayError::Injected { .. }
        | RelayError::Lost { .. }
        | RelayError::Net(_)
        | RelayError::NotSmtp { .. }
        | RelayError::OutOfTurn { .. }
        | RelayError::Stripped { .. } => Exit::Unreachable,
        RelayError::Refused { .. } => Exit::Negative,
    }
}
