//! What is asked of a folder: what is in it, by UID alone; messages, sizes first and no more bytes
//! at a time than were bargained for (T-37, T-44).

use async_imap::imap_proto::{MailboxDatum, MessageSection, NameAttribute, Response, ResponseCode};
use jiff::Timestamp;

use super::attributes::{Sighted, id_in, section_in, sighted_in, uid_in};
use super::error::ImapError;
use super::gauge::{ANSWER, Limits, SMALL};
use super::names::{from_wire, quoted, to_wire};
use super::reply::validity_in;
use super::session::Session;
use crate::faults;
use crate::intake::bounded::STUB_BODY;
use crate::mail::MessageId;
use crate::store::spool::Growing;

/// Messages announced as larger are fetched in pieces of [`PIECE`].
pub(super) const WHOLE: u64 = 4 * 1024 * 1024;
const PIECE: u64 = 1024 * 1024;
// Sizes are announced wrongly by some servers (Exchange), but not by that much.
const WHOLE_LIMITS: Limits =
    Limits { literal: 4 * WHOLE, response: 4 * WHOLE + 64 * 1024, answer: 16 * WHOLE };
const PIECE_LIMITS: Limits = Limits { literal: PIECE, response: PIECE + 64 * 1024, answer: ANSWER };
const STUB_HEADERS: usize = 128 * 1024;
const STUB_LIMITS: Limits = Limits {
    literal: STUB_BODY as u64,
    response: (STUB_HEADERS + STUB_BODY) as u64 + 64 * 1024,
    answer: ANSWER,
};
// Characters of a set of UIDs in one command: RFC 2683 §3.2.1.5 asks for lines below 8 000.
const SET: usize = 4_000;
// Folders named in a hint.
const ALIKE: usize = 3;

/// Whether what is done to messages is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A folder as it was when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) validity: u32,
    /// Every UID in it is below this one.
    pub(super) next: u32,
    /// Whether the server says so (UIDNEXT); else it is reckoned by what is there.
    pub(super) says_next: bool,
    pub(super) count: u32,
    pub(super) is_read_only: bool,
}

impl Session {
    /// Opens the folder, or looks at it anew.
    pub(super) async fn select(
        &mut self,
        folder: &str,
        access: Access,
    ) -> Result<Folder, ImapError> {
        let name = self.wire_name(folder).await?;
        let doing = "opening the folder";
        let verb = match access {
            Access::Read => "EXAMINE",
            Access::Write => "SELECT",
        };
        let (mut validity, mut next, mut count) = (None, None, 0);
        self.validity = None;
        let command = format!("{verb} {}", quoted(&name));
        let reply = self
            .command(doing, &command, SMALL, |response| match response {
                Response::MailboxData(MailboxDatum::Exists(n)) => count = *n,
                Response::Data { outcome, .. } | Response::Done { outcome, .. } => {
                    validity = validity_in(response).or(validity);
                    if let Some(ResponseCode::UidNext(n)) = outcome.code {
                        next = Some(n);
                    }
                }
                _ => {}
            })
            .await?;
        if !reply.is_ok() {
            let refused = self.refused(doing, &reply);
            return Err(self.missing(folder).await?.unwrap_or(refused));
        }
        let Some(validity) = validity else {
            return Err(ImapError::Unnumbered { folder: folder.to_owned() });
        };
        self.validity = Some(validity);
        let says_next = next.is_some();
        let next = match next {
            Some(next) => next,
            None => self.next_uid().await?,
        };
        Ok(Folder { validity, next, says_next, count, is_read_only: reply.code == "READ-ONLY" })
    }

    // UIDNEXT, for a server that does not say it.
    async fn next_uid(&mut self) -> Result<u32, ImapError> {
        let last = self.search_set("*").await?.into_iter().max();
        Ok(last.unwrap_or(0).saturating_add(1))
    }

    // The error that names the folders there are, if this one is not among them.
    async fn missing(&mut self, folder: &str) -> Result<Option<ImapError>, ImapError> {
        let names = self.folders().await?;
        let is_it = |name: &String| name == folder || is_inbox(name) && is_inbox(folder);
        if names.iter().any(is_it) {
            return Ok(None);
        }
        let wanted = folder.to_lowercase();
        let mut like: Vec<(f64, String)> = names
            .into_iter()
            .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &wanted), name))
            .filter(|(likeness, name)| *likeness > 0.75 || name.to_lowercase().ends_with(&wanted))
            .collect();
        like.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let like = like.into_iter().take(ALIKE).map(|(_, name)| name).collect();
        Ok(Some(ImapError::MissingFolder { host: self.host(), folder: folder.to_owned(), like }))
    }

    /// The names of all folders that hold messages, as people write them.
    pub(super) async fn folders(&mut self) -> Result<Vec<String>, ImapError> {
        let mut names = Vec::new();
        self.command_ok("listing the folders", "LIST \"\" \"*\"", SMALL, |response| {
            if let Response::MailboxData(MailboxDatum::List(found)) = response
                && !found.name_attributes.contains(&NameAttribute::NoSelect)
            {
                names.push(from_wire(&found.name));
            }
        })
        .await?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A folder's name as this server writes it: people write `/` between a folder and the one it
    /// is in, whatever the server does.
    pub(super) async fn wire_name(&mut self, folder: &str) -> Result<String, ImapError> {
        let name = to_wire(folder);
        if !name.contains('/') {
            return Ok(name);
        }
        let mut between = None;
        self.command_ok("listing the folders", "LIST \"\" \"\"", SMALL, |response| {
            if let Response::MailboxData(MailboxDatum::List(found)) = response {
                between = found.delimiter.as_deref().map(str::to_owned);
            }
        })
        .await?;
        Ok(match between {
            Some(between) if between != "/" => name.replace('/', &between),
            _ => name,
        })
    }

    /// The UIDs from `first` to `last` that are there, in order.
    pub(super) async fn search(&mut self, first: u32, last: u32) -> Result<Vec<u32>, ImapError> {
        let mut uids = self.search_set(&format!("{first}:{last}")).await?;
        uids.retain(|uid| (first..=last).contains(uid));
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// Those from `first` to `last` that are marked as deleted, in order.
    pub(super) async fn search_deleted(
        &mut self,
        first: u32,
        last: u32,
    ) -> Result<Vec<u32>, ImapError> {
        let mut uids = self.search_set(&format!("{first}:{last} DELETED")).await?;
        uids.sort_unstable();
        Ok(uids)
    }

    /// The ids of these messages, one after the other; `None` where there is none, or it does not
    /// read.
    pub(super) async fn message_ids(
        &mut self,
        uids: &[u32],
    ) -> Result<Vec<Option<MessageId>>, ImapError> {
        let mut ids = Vec::with_capacity(uids.len());
        for set in sets(uids) {
            let command = format!("UID FETCH {set} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
            self.command_ok("looking at mail", &command, SMALL, |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some(field) = section_in(attributes, Some(MessageSection::Header))
                {
                    ids.push(id_in(field));
                }
            })
            .await?;
        }
        Ok(ids)
    }

    /// Those of these UIDs that are still there.
    pub(super) async fn present(&mut self, uids: &[u32]) -> Result<Vec<u32>, ImapError> {
        self.those(uids, "").await
    }

    /// Those of these UIDs that are marked as deleted.
    pub(super) async fn deleted(&mut self, uids: &[u32]) -> Result<Vec<u32>, ImapError> {
        self.those(uids, " DELETED").await
    }

    async fn those(&mut self, uids: &[u32], what: &str) -> Result<Vec<u32>, ImapError> {
        let mut found = Vec::new();
        for set in sets(uids) {
            found.extend(self.search_set(&format!("{set}{what}")).await?);
        }
        found.retain(|uid| uids.contains(uid));
        Ok(found)
    }

    async fn search_set(&mut self, set: &str) -> Result<Vec<u32>, ImapError> {
        let mut uids = Vec::new();
        let command = format!("UID SEARCH UID {set}");
        self.command_ok("looking for mail", &command, SMALL, |response| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = response {
                uids.extend_from_slice(found);
            }
        })
        .await?;
        Ok(uids)
    }

    /// What the server tells of these messages, in order; those that are gone are missing. A
    /// message without a date arrived `now`.
    pub(super) async fn sight(
        &mut self,
        uids: &[u32],
        now: Timestamp,
    ) -> Result<Vec<Sighted>, ImapError> {
        let mut sighted: Vec<Sighted> = Vec::with_capacity(uids.len());
        for set in sets(uids) {
            let command = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE FLAGS)");
            self.command_ok("looking at mail", &command, SMALL, |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some(message) = sighted_in(attributes, now)
                {
                    sighted.push(message);
                }
            })
            .await?;
        }
        sighted.sort_by_key(|message| message.uid);
        sighted.dedup_by_key(|message| message.uid);
        sighted.retain(|message| uids.binary_search(&message.uid).is_ok());
        Ok(sighted)
    }

    /// Hands each of these messages to `each` as it comes, as often as it comes. An answer that
    /// does not end in OK is an error, but what came before it came whole.
    pub(super) async fn bodies(
        &mut self,
        uids: &[u32],
        mut each: impl FnMut(u32, &[u8]),
    ) -> Result<(), ImapError> {
        for set in sets(uids) {
            // What is only fetched is not read: a crash would leave it behind as seen.
            let body = if faults::stands("P-01-peek") { "BODY.PEEK[]" } else { "BODY[]" };
            let command = format!("UID FETCH {set} (UID {body})");
            self.command_ok("fetching mail", &command, WHOLE_LIMITS, |response| {
                if let Response::Fetch(_, attributes) = response
                    && let Some(uid) = uid_in(attributes)
                    && let Some(raw) = section_in(attributes, None)
                    && !raw.is_empty()
                {
                    each(uid, raw);
                }
            })
            .await?;
        }
        Ok(())
    }

    /// A large message, piece by piece; what was got when it ends, or is over `most` bytes. `None`
    /// when the server does not give it.
    pub(super) async fn pieces(
        &mut self,
        uid: u32,
        most: u64,
    ) -> Result<Option<Growing>, ImapError> {
        let mut message = Growing::new();
        loop {
            let before = message.size();
            let mut came = false;
            let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<{before}.{PIECE}>)");
            self.command_ok("fetching a large message", &command, PIECE_LIMITS, |response| {
                if let Response::Fetch(_, attributes) = response
                    && uid_in(attributes) == Some(uid)
                    && let Some(raw) = section_in(attributes, None)
                    && !came
                {
                    message.push(raw);
                    came = true;
                }
            })
            .await?;
            // Nothing is not the same as an empty piece, which ends a message.
            if !came || message.size() == 0 {
                return Ok(None);
            }
            if message.size() - before < PIECE || message.size() > most {
                return Ok(Some(message));
            }
        }
    }

    /// The headers of a message and the first of its text (M-04, T-37); `None` when the server
    /// does not give them.
    pub(super) async fn stub(&mut self, uid: u32) -> Result<Option<Vec<u8>>, ImapError> {
        let (mut head, mut text) = (None, None);
        let command = format!(
            "UID FETCH {uid} (UID BODY.PEEK[HEADER]<0.{STUB_HEADERS}> BODY.PEEK[TEXT]<0.{STUB_BODY}>)"
        );
        self.command_ok("fetching an oversize message", &command, STUB_LIMITS, |response| {
            if let Response::Fetch(_, attributes) = response
                && uid_in(attributes) == Some(uid)
            {
                let part = |part| section_in(attributes, Some(part)).map(<[u8]>::to_vec);
                head = part(MessageSection::Header).or(head.take());
                text = part(MessageSection::Text).or(text.take());
            }
        })
        .await?;
        Ok(head.map(|mut raw| {
            raw.extend(text.unwrap_or_default());
            raw
        }))
    }
}

fn is_inbox(name: &str) -> bool {
    name.eq_ignore_ascii_case("INBOX")
}

/// Sets of UIDs, as commands name them, none too long for a command line.
pub(super) fn sets(uids: &[u32]) -> Vec<String> {
    let mut sets: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(&first) = uids.get(at) {
        let mut last = first;
        at += 1;
        while uids.get(at) == Some(&last.wrapping_add(1)) && last != u32::MAX {
            last += 1;
            at += 1;
        }
        let range = if first == last { first.to_string() } else { format!("{first}:{last}") };
        match sets.last_mut() {
            Some(set) if set.len() + range.len() < SET => {
                set.push(',');
                set.push_str(&range);
            }
            _ => sets.push(range),
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_uids_are_short() {
        assert_eq!(sets(&[]), Vec::<String>::new());
        assert_eq!(sets(&[1, 2, 3, 7, 9, 10, u32::MAX]), ["1:3,7,9:10,4294967295"]);
        let scattered: Vec<u32> = (0..5_000).map(|n| 4_000_000_000 + 2 * n).collect();
        let sets = sets(&scattered);
        assert!(sets.iter().all(|set| set.len() <= SET));
        let count: usize = sets.iter().map(|set| set.split(',').count()).sum();
        assert_eq!(count, scattered.len());
    }
}
