//! Looks at all that is in a folder, and in the one that messages are moved to, for taking stock:
//! UIDs, marks and Message-IDs, in few commands, changing nothing.

use jiff::Timestamp;

use super::error::ImapError;
use super::folder::Access;
use super::logins::{WITHIN, closed_until, mark};
use super::position::{Place, Rewound, Standing};
use super::session::Session;
use crate::faults;
use crate::intake::stock::{Contents, Present};
use crate::intake::{After, ImapOptions, IntakeError, Options, SourceOptions};
use crate::mail::MessageId;
use crate::store::spool::{self, Origin, Series};
use crate::store::{Sql, Store, StoreError, logins, mailboxes};

// UIDs asked about in one command.
const WINDOW: u32 = 65_536;

/// Which numbers of a folder a position is about.
pub(in crate::intake) enum Numbering {
    /// That of another kind of mailbox.
    None,
    Of {
        series: Series,
        low: u32,
    },
    Rewound {
        series: Option<Series>,
    },
}

/// Reads the position of a mailbox.
pub(in crate::intake) fn numbering(position: &str) -> Numbering {
    match Standing::parse(position) {
        Some(Standing::At(position)) => {
            Numbering::Of { series: position.series, low: position.low }
        }
        Some(Standing::Rewound(Rewound { from, .. })) => {
            Numbering::Rewound { series: from.map(|(series, _)| series) }
        }
        None => Numbering::None,
    }
}

/// What is in the mailbox on its server. Logs in once, and not at all while the server has refused
/// too many logins (P-21); a login that it refuses counts.
pub async fn contents(
    options: &Options,
    store: &Store,
    now: Timestamp,
) -> Result<Contents, IntakeError> {
    let SourceOptions::Imap(imap) = &options.source else {
        unreachable!("a mailbox of another kind is not on a server")
    };
    let of_store = |cause| IntakeError::Store { mailbox: options.name.clone(), cause };
    let (mailbox, login) = (options.name.clone(), mark(&imap.login));
    let since = now - WITHIN;
    let refused =
        store.transact_async(move |sql| logins::refused(sql, &mailbox, login, since, now)).await;
    let looked = match closed_until(&refused.map_err(of_store)?, now) {
        Some(until) => Err(ImapError::LeftAlone { host: imap.server.host.clone(), until }),
        // The position as it is before the look: a daemon that reads meanwhile moves it on.
        None => {
            let stood = stood(options, store).await.map_err(of_store)?;
            look(imap, &options.after, stood, now).await
        }
    };
    if let Err(error) = &looked
        && error.is_login_refused()
    {
        let mailbox = options.name.clone();
        let noted = move |sql: &mut dyn Sql| logins::refuse(sql, &mailbox, login, now, since);
        store.transact_async(noted).await.map_err(of_store)?;
    }
    let failed = |cause| IntakeError::Imap { mailbox: options.name.clone(), cause };
    let contents = looked.map_err(failed)?;
    let mailbox = options.name.clone();
    let standing = store.transact_async(move |sql| mailboxes::standing(sql, &mailbox)).await;
    let position = standing.map_err(of_store)?.and_then(|(_, position)| position);
    match (position.as_deref().and_then(Standing::parse), contents.validity) {
        (Some(Standing::At(position)), Some(validity))
            if position.is_of_another(validity, Place::of(imap)) =>
        {
            let (mailbox, folder) = (options.name.clone(), imap.folder.clone());
            Err(failed(ImapError::OtherFolder { mailbox, folder }))
        }
        _ => Ok(contents),
    }
}

// The series of a mailbox, its low-water UID and the highest UID that is known.
type Stood = Option<(Series, u32, u32)>;

async fn stood(options: &Options, store: &Store) -> Result<Stood, StoreError> {
    let mailbox = options.name.clone();
    let ask = move |sql: &mut dyn Sql| {
        let position = mailboxes::standing(sql, &mailbox)?.and_then(|(_, position)| position);
        let Some(Numbering::Of { series, low }) = position.as_deref().map(numbering) else {
            return Ok(None);
        };
        Ok(spool::last_uid(sql, &mailbox, series)?.map(|last| (series, low, last)))
    };
    store.transact_async(ask).await
}

async fn look(
    imap: &ImapOptions,
    after: &After,
    stood: Stood,
    now: Timestamp,
) -> Result<Contents, ImapError> {
    let mut session = Session::open(imap, &mut |_, _| ()).await?;
    let folder = session.select(&imap.folder, Access::Read).await?;
    let is_reused = |(series, low, last): &(Series, u32, u32)| {
        series.validity == folder.validity
            && folder.says_next
            && folder.next <= (*low).min(*last)
            && faults::stands("P-09-next")
    };
    let reused = stood.filter(is_reused).map(|(series, ..)| series);
    let mut present = Vec::new();
    for (first, last) in windows(folder.count, folder.next) {
        let uids = session.search(first, last).await?;
        let deleted = session.search_deleted(first, last).await?;
        present.extend(uids.into_iter().map(|uid| Present {
            origin: Origin::Uid { series: Series::of(folder.validity), uid },
            is_deleted: deleted.binary_search(&uid).is_ok(),
            since: None,
        }));
    }
    let target = match after {
        After::Move { to } => Some(ids_in(&mut session, to).await?),
        After::Delete | After::Flag | After::Keep => None,
    };
    session.log_out().await;
    Ok(Contents { looked_at: now, validity: Some(folder.validity), reused, present, target })
}

// Of the folder that messages are moved to: it is made with the first of them.
async fn ids_in(session: &mut Session, folder: &str) -> Result<Vec<Option<MessageId>>, ImapError> {
    let target = match session.select(folder, Access::Read).await {
        Err(ImapError::MissingFolder { .. }) => return Ok(Vec::new()),
        selected => selected?,
    };
    let mut ids = Vec::new();
    for (first, last) in windows(target.count, target.next) {
        let uids = session.search(first, last).await?;
        ids.extend(session.message_ids(&uids).await?);
    }
    Ok(ids)
}

// An empty folder may have had many messages.
fn windows(count: u32, next: u32) -> impl Iterator<Item = (u32, u32)> {
    let last = if count == 0 { 0 } else { next.saturating_sub(1) };
    let windows = (1..=last).step_by(WINDOW as usize);
    windows.map(move |first| (first, first.saturating_add(WINDOW - 1).min(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_to_the_last_uid_and_no_further() {
        let all = |count, next| windows(count, next).collect::<Vec<_>>();
        assert_eq!(all(0, 1_000_000), []);
        assert_eq!(all(1, 2), [(1, 1)]);
        assert_eq!(all(9, WINDOW + 2), [(1, WINDOW), (WINDOW + 1, WINDOW + 1)]);
        assert_eq!(all(9, u32::MAX).last(), Some(&(4_294_901_761, u32::MAX - 1)));
    }
}
