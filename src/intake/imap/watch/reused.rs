//! UIDs that a server gives out again under the same UIDVALIDITY, as one does that was restored from a
//! backup (P-09). RFC 9051 §2.3.1.1 forbids it: by its number new mail would pass for what is known.

use std::fmt;

use super::ImapWatch;
use super::looking::WIDEST;
use crate::faults;
use crate::intake::IntakeError;
use crate::intake::imap::attributes::id_in;
use crate::intake::imap::error::ImapError;
use crate::intake::imap::folder::{Access, Folder};
use crate::mail::MessageId;
use crate::store::spool::{Seen, Series};

// The last known messages that are compared: the first of them that tells anything decides.
const COMPARED: usize = 8;
// UIDs asked about in the first search for them; each further one asks about so many times more.
const FIRST: u32 = 256;
const WIDER: u32 = 4;
const SEARCHES: usize = 16;

/// How it is known that UIDs were given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reused {
    Message { uid: u32 },
    Next { said: u32, last: u32 },
}

impl fmt::Display for Reused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reused::Message { uid } => write!(f, "the UID {uid} is another message than before"),
            Reused::Next { said, last } => {
                write!(f, "UIDNEXT is {said}, and the UID {last} is known already")
            }
        }
    }
}

impl ImapWatch {
    /// Whether the UIDs of the folder mean other messages than those that are known. A UIDNEXT that
    /// has gone back is asked for twice: one slip is no restored server. One that has grown again
    /// since is no help, so once a session and a sweep (`is_thorough`) the last known message is
    /// compared with what is in its place.
    pub(super) async fn reused(
        &mut self,
        folder: &mut Folder,
        (series, low): (Series, u32),
        access: Access,
        is_thorough: bool,
    ) -> Result<Option<Reused>, IntakeError> {
        if !faults::stands("P-09-next") {
            return Ok(None);
        }
        let has_gone_back = |folder: &Folder| folder.says_next && folder.next <= low;
        if has_gone_back(folder) {
            let last = self.ledger.last_uid(series).await?.unwrap_or(0);
            if folder.next <= last {
                *folder = self.asked_again(*folder, access).await?;
                if has_gone_back(folder) && folder.next <= last {
                    return Ok(Some(Reused::Next { said: folder.next, last }));
                }
            }
        }
        if is_thorough && folder.count > 0 {
            return self.replaced(*folder, series, low).await;
        }
        Ok(None)
    }

    async fn asked_again(&mut self, before: Folder, access: Access) -> Result<Folder, IntakeError> {
        let name = self.folder_name().to_owned();
        let selected = self.session().select(&name, access).await;
        let folder = selected.map_err(|cause| self.failed(cause))?;
        if folder.validity == before.validity {
            return Ok(folder);
        }
        let host = self.session().host();
        Err(self.failed(ImapError::AnotherValidity { host, doing: "opening the folder" }))
    }

    // INTERNALDATE tells most messages apart. Where it differs the ids decide: a restored server may
    // have lost its dates, and some have none.
    async fn replaced(
        &mut self,
        folder: Folder,
        series: Series,
        low: u32,
    ) -> Result<Option<Reused>, IntakeError> {
        let known = self.last_known(folder, series, low).await?;
        let uids: Vec<u32> = known.iter().map(|(uid, _)| *uid).collect();
        let sighted = self.sight_around(&uids).await?;
        for message in sighted.iter().rev() {
            let uid = message.uid;
            let Some((_, was)) = known.iter().find(|(known, _)| *known == uid) else {
                continue;
            };
            if was.at == message.arrived_at {
                return Ok(None);
            }
            let Some(id) = self.ledger.raw(was.id.clone()).await?.and_then(|raw| id_of(&raw))
            else {
                continue;
            };
            let ids = self.session().message_ids(&[uid]).await;
            match ids.map_err(|cause| self.failed(cause))?.into_iter().next().flatten() {
                Some(found) if found == id => return Ok(None),
                Some(_) => return Ok(Some(Reused::Message { uid })),
                None => {}
            }
        }
        Ok(None)
    }

    // The messages with the highest UIDs that are both in the ledger and in the folder, in order.
    async fn last_known(
        &mut self,
        folder: Folder,
        series: Series,
        low: u32,
    ) -> Result<Vec<(u32, Seen)>, IntakeError> {
        let mut last = low.min(folder.next.saturating_sub(1));
        let widest = if folder.count <= WIDEST { u32::MAX } else { WIDEST };
        let mut width = FIRST;
        for _ in 0..SEARCHES {
            if last == 0 {
                break;
            }
            let first = last.saturating_sub(width - 1).max(1);
            let found = self.session().search(first, last).await;
            let mut uids = found.map_err(|cause| self.failed(cause))?;
            uids.retain(|uid| !self.untold.iter().any(|(untold, _)| untold == uid));
            let mut known: Vec<_> = self.ledger.seen(series, &uids).await?.into_iter().collect();
            if !known.is_empty() {
                known.sort_unstable_by_key(|(uid, _)| *uid);
                return Ok(known.split_off(known.len().saturating_sub(COMPARED)));
            }
            last = first - 1;
            width = width.saturating_mul(WIDER).min(widest);
        }
        Ok(Vec::new())
    }
}

// The id that a message gives itself.
fn id_of(raw: &[u8]) -> Option<MessageId> {
    const NAME: &[u8] = b"message-id:";
    let is_it = |line: &[u8]| line.get(..NAME.len()).is_some_and(|n| n.eq_ignore_ascii_case(NAME));
    let lines = raw.split_inclusive(|byte| *byte == b'\n');
    let mut lines = lines.take_while(|line| !line.trim_ascii().is_empty());
    let mut field = lines.find(|line| is_it(line))?.to_vec();
    for folded in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        field.extend_from_slice(folded);
    }
    id_in(&field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_message_is_read_from_its_head() {
        let id = |raw: &[u8]| id_of(raw).map(|id| id.as_str().to_owned());
        let folded = b"Subject: x\r\nMessage-Id:\r\n <a@b.example>\r\nTo: x\r\n\r\nhello";
        assert_eq!(id(folded).as_deref(), Some("a@b.example"));
        assert_eq!(id(b"To: x\nMESSAGE-ID: <a@b.example>\n\n").as_deref(), Some("a@b.example"));
        assert_eq!(id(b"To: x\r\n\r\nMessage-ID: <a@b.example>\r\n"), None);
    }
}
