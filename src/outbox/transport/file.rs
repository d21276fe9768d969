//! Mail as files, for trying things out. A mail written again takes its own place.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::thread;

use super::{Response, SendError};
use crate::outbox::render::RenderedMail;

const LANES: usize = 8;

/// Delivers mails into a maildir, which is made when there is none.
// A disk syncs many files at once as fast as one, so a few lanes share the waiting.
pub(super) fn deliver_all(
    maildir: &Path,
    mails: &[RenderedMail],
) -> Vec<Result<Response, SendError>> {
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
        return Ok(taken(format!("lies in `cur/{read}` already")));
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
    Ok(taken(format!("written to `new/{name}`")))
}

fn taken(said: String) -> Response {
    Response::Taken { said, relay_id: None }
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
