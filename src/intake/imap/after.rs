//! What is done to messages on the server once their decision is committed (`mailbox.after`): doing
//! it again finds it done. Never a plain EXPUNGE, which removes what others marked.

use super::error::ImapError;
use super::folder::sets;
use super::gauge::SMALL;
use super::names::quoted;
use super::session::Session;
use crate::faults;
use crate::intake::After;

// Messages copied before they are marked: those that a crash finds in between are copied again.
const COPIED: usize = 16;

/// How far it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Marked as deleted; without UIDPLUS they go when somebody tidies the folder.
    Marked,
    Wholly,
}

impl Session {
    /// Does `after` to these messages, of the folder that is open; those that are gone need nothing.
    pub(super) async fn settle(
        &mut self,
        uids: &[u32],
        after: &After,
    ) -> Result<Settled, ImapError> {
        match after {
            After::Delete => self.delete(uids).await,
            After::Flag => {
                self.mark(uids, "\\Seen", "marking mail as read").await?;
                Ok(Settled::Wholly)
            }
            After::Keep => Ok(Settled::Wholly),
            After::Move { to } => self.move_to(uids, to).await,
        }
    }

    async fn delete(&mut self, uids: &[u32]) -> Result<Settled, ImapError> {
        let doing = "deleting mail";
        self.mark(uids, "\\Deleted", doing).await?;
        if !self.has("UIDPLUS") {
            return Ok(Settled::Marked);
        }
        for set in sets(uids) {
            faults::point("imap.expunge");
            self.command_ok(doing, &format!("UID EXPUNGE {set}"), SMALL, |_| ()).await?;
            faults::point("imap.expunged");
        }
        Ok(Settled::Wholly)
    }

    async fn mark(
        &mut self,
        uids: &[u32],
        flag: &str,
        doing: &'static str,
    ) -> Result<(), ImapError> {
        for set in sets(uids) {
            let command = format!("UID STORE {set} +FLAGS.SILENT ({flag})");
            faults::point("imap.store");
            self.command_ok(doing, &command, SMALL, |_| ()).await?;
            faults::point("imap.stored");
        }
        Ok(())
    }

    async fn move_to(&mut self, uids: &[u32], folder: &str) -> Result<Settled, ImapError> {
        if self.has("MOVE") {
            self.take_to("UID MOVE", uids, folder).await?;
            return Ok(Settled::Wholly);
        }
        // Those marked as deleted were copied by an earlier try.
        let copied = self.deleted(uids).await?;
        let open: Vec<u32> = uids.iter().copied().filter(|uid| !copied.contains(uid)).collect();
        for some in open.chunks(COPIED) {
            self.take_to("UID COPY", some, folder).await?;
            self.mark(some, "\\Deleted", "deleting mail").await?;
        }
        self.delete(uids).await
    }

    // The folder is made when it is missing (RFC 3501 §6.4.7).
    async fn take_to(&mut self, verb: &str, uids: &[u32], folder: &str) -> Result<(), ImapError> {
        let doing = "moving mail";
        let name = quoted(&self.wire_name(folder).await?);
        for set in sets(uids) {
            let command = format!("{verb} {set} {name}");
            faults::point("imap.take");
            let reply = self.command(doing, &command, SMALL, |_| ()).await?;
            faults::point("imap.taken");
            if reply.is_ok() {
                continue;
            }
            let create = format!("CREATE {name}");
            let is_made = matches!(reply.code.as_str(), "" | "NONEXISTENT" | "TRYCREATE")
                && self.command("making a folder", &create, SMALL, |_| ()).await?.is_ok();
            if !is_made {
                return Err(self.refused(doing, &reply));
            }
            tracing::info!("made the folder `{folder}`, for mail that is done with");
            self.command_ok(doing, &command, SMALL, |_| ()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::imap::names::to_wire;

    #[test]
    fn t_45_a_folder_to_move_to_stays_within_its_quotes() {
        assert_eq!(
            quoted(&to_wire("x\" y\r\nA1 DELETE INBOX")),
            "\"x\\\" y&AA0ACg-A1 DELETE INBOX\""
        );
    }
}
