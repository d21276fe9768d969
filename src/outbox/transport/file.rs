//! Mail as files, for trying things out. A mail written again takes its own place.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;

use super::{Response, SendError};
use crate::faults;
use crate::outbox::render::RenderedMail;
use crate::store::folders;

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
    let along = |lane: &[RenderedMail]| -> Vec<io::Result<Response>> {
        lane.iter().map(|mail| deliver(maildir, mail)).collect()
    };
    let delivered: Vec<io::Result<Response>> = thread::scope(|scope| {
        let lanes: Vec<_> = mails
            .chunks(lane)
            .map(|lane| {
                let thread = thread::Builder::new().spawn_scoped(scope, move || along(lane));
                // The system gives no thread: then it takes longer.
                thread.map_err(|_| along(lane))
            })
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| match lane {
                Ok(thread) => thread.join().expect("no lane panics"),
                Err(delivered) => delivered,
            })
            .collect()
    });
    // The moves are safe once the folder is.
    let synced = folders::sync(&maildir.join("new"));
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
        folders::make(&maildir.join(folder))?;
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
    let draft = maildir.join("tmp").join(&name);
    faults::point("file.write");
    let delivered = write(&draft, mail).and_then(|()| {
        faults::point("file.rename");
        std::fs::rename(&draft, maildir.join("new").join(&name))
    });
    if delivered.is_err() {
        // Half a mail would only fill the disk further; the next attempt writes it anew.
        let _ = std::fs::remove_file(&draft);
    }
    delivered?;
    faults::point("file.renamed");
    Ok(taken(format!("written to `new/{name}`")))
}

fn write(draft: &Path, mail: &RenderedMail) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    let sender = mail.envelope_from.as_deref().unwrap_or_default();
    // RFC 5321 §4.4: who delivers writes down the envelope sender.
    file.write_all(format!("Return-Path: <{sender}>\r\n").as_bytes())?;
    file.write_all(&mail.bytes)?;
    match file.sync_all() {
        Err(_) if !faults::stands("P-06-sync") => Ok(()),
        synced => synced,
    }
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
