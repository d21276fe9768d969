//! The ways out. A transport is handed whole mails and says what became of each; it knows nothing of
//! the store.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;

use super::TransportOptions;
use super::render::RenderedMail;

// Mails worked on together. Where a mail is written again under its own name after a crash, many
// can share a commit.
const TOGETHER: usize = 32;
const LANES: usize = 8;

/// How mail leaves: closed, so that each is seen to by the compiler.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Into a maildir.
    File(PathBuf),
    /// Nowhere: mail is rendered and recorded (shadow mode).
    None,
}

/// What became of a mail that no side refused, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Nobody got it.
    Recorded { said: String },
    /// The other side took it.
    Taken { said: String },
}

/// Why a mail did not leave, with the other side's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection died after the data: it may have left.
    #[error("{said}")]
    Ambiguous { said: String },
    /// Refused for good.
    #[error("{said}")]
    Permanent { said: String },
    /// Refused for now.
    #[error("{said}")]
    Temporary { said: String },
}

impl SendError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        !matches!(self, SendError::Permanent { .. })
    }
}

/// Whether sending a mail a second time leaves two of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The second takes the place of the first.
    Harmless,
    /// There are two then, with one Message-ID (P-03).
    Twice,
}

impl Transport {
    /// The transport that was asked for.
    pub fn new(options: &TransportOptions) -> Transport {
        match options {
            TransportOptions::File { maildir } => Transport::File(maildir.clone()),
            TransportOptions::None => Transport::None,
            TransportOptions::Smtp => unreachable!("no settings ask for it yet"),
        }
    }

    /// Hands mails over; answers for each, in their order.
    pub fn send(&self, mails: &[RenderedMail]) -> Vec<Result<Response, SendError>> {
        match self {
            Transport::File(maildir) => deliver_all(maildir, mails),
            Transport::None => {
                let said = "not sent: the transport is `none`";
                mails.iter().map(|_| Ok(Response::Recorded { said: said.to_owned() })).collect()
            }
        }
    }

    /// What comes of a mail that was handed over, and then again because nobody remembers.
    pub fn repeat(&self) -> Repeat {
        match self {
            Transport::File(_) | Transport::None => Repeat::Harmless,
        }
    }

    /// How many mails may be under way between two commits.
    pub fn together(&self) -> usize {
        match self.repeat() {
            Repeat::Harmless => TOGETHER,
            Repeat::Twice => 1,
        }
    }
}

// A disk syncs many files at once as fast as one, so a few lanes share the waiting.
fn deliver_all(maildir: &Path, mails: &[RenderedMail]) -> Vec<Result<Response, SendError>> {
    let refused = |error: &io::Error| {
        let said = format!("`{}` cannot be written: {error}", maildir.display());
        SendError::Temporary { said }
    };
    if let Err(error) = make_maildir(maildir) {
        return mails.iter().map(|_| Err(refused(&error))).collect();
    }
    let lane = mails.len().div_ceil(LANES).max(1);
    let delivered: Vec<io::Result<Response>> = thread::scope(|scope| {
        let lanes: Vec<_> = mails
            .chunks(lane)
            .map(|lane| {
                scope.spawn(move || {
                    lane.iter().map(|mail| deliver(maildir, mail)).collect::<Vec<_>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("no lane panics")).collect()
    });
    // The moves are safe once the folder is.
    let synced = File::open(maildir.join("new")).and_then(|folder| folder.sync_all());
    delivered
        .into_iter()
        .map(|response| match (response, &synced) {
            (Ok(response), Ok(())) => Ok(response),
            (Err(error), _) => Err(refused(&error)),
            (Ok(_), Err(error)) => Err(refused(error)),
        })
        .collect()
}

fn make_maildir(maildir: &Path) -> io::Result<()> {
    for folder in ["tmp", "new", "cur"] {
        let folder = maildir.join(folder);
        if !folder.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        }
    }
    Ok(())
}

// As a delivery agent does it: written and synced in `tmp`, then moved to `new`. The name comes from
// the row, so a mail written again takes its own place.
fn deliver(maildir: &Path, mail: &RenderedMail) -> io::Result<Response> {
    let unique: String = mail
        .message_id
        .split('@')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = format!("{}.{}_{unique}.guichet", mail.queued_at.as_second(), mail.outbox);
    if mail.attempts > 0
        && let Some(read) = already_read(maildir, &name)?
    {
        return Ok(Response::Taken { said: format!("lies in `cur/{read}` already") });
    }
    let written = maildir.join("tmp").join(&name);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&written)?;
    let sender = mail.envelope_from.as_deref().unwrap_or_default();
    // RFC 5321 §4.4: who delivers writes down the envelope sender.
    file.write_all(format!("Return-Path: <{sender}>\r\n").as_bytes())?;
    file.write_all(&mail.bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&written, maildir.join("new").join(&name))?;
    Ok(Response::Taken { said: format!("written to `new/{name}`") })
}

// A mail program may have moved it on since an attempt that nobody remembers.
fn already_read(maildir: &Path, name: &str) -> io::Result<Option<String>> {
    let seen = format!("{name}:");
    for entry in std::fs::read_dir(maildir.join("cur"))? {
        let entry = entry?.file_name().to_string_lossy().into_owned();
        if entry == name || entry.starts_with(&seen) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}
