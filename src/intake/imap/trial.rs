//! Tries a mailbox out without changing anything in it: for `mailbox test` and `mailbox folders`.

use super::error::ImapError;
use super::folder::{Access, Folder};
use super::session::Session;
use crate::intake::ImapOptions;
use crate::net::Told;

/// What a trial found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedOut {
    /// Messages in the folder.
    pub messages: u32,
    pub uid_validity: u32,
    pub uid_next: u32,
    /// Whether `after = "move"` is one step there (RFC 6851).
    pub has_move: bool,
    /// Whether messages can be removed without touching what others marked (RFC 4315).
    pub has_uidplus: bool,
}

/// Connects, logs in, opens the folder for reading and takes leave; `told` of each step: `DNS`,
/// `TCP`, `TLS`, `greeting`, `capabilities`, `login`, `folder`.
pub async fn try_out(options: &ImapOptions, told: Told<'_>) -> Result<TriedOut, ImapError> {
    let mut session = Session::open(options, told).await?;
    let Folder { validity, next, count, .. } =
        session.select(&options.folder, Access::Read).await?;
    told("folder", &format!("`{}` holds {count} messages", options.folder));
    let found = TriedOut {
        messages: count,
        uid_validity: validity,
        uid_next: next,
        has_move: session.has("MOVE"),
        has_uidplus: session.has("UIDPLUS"),
    };
    session.log_out().await;
    Ok(found)
}

/// The names of the account's folders, as people write them.
pub async fn folders(options: &ImapOptions) -> Result<Vec<String>, ImapError> {
    let mut session = Session::open(options, &mut |_, _| ()).await?;
    let names = session.folders().await?;
    session.log_out().await;
    Ok(names)
}
