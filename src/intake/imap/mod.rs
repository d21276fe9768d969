//! Mailboxes on IMAP servers. Identity is UIDVALIDITY and UID, messages are read with
//! `BODY.PEEK[]` only; what a server may do wrong ends its session, never a message.

mod after;
mod attributes;
mod error;
mod fetch;
mod folder;
mod gauge;
mod ledger;
mod logins;
mod names;
mod position;
mod reply;
mod restless;
mod run;
mod session;
mod sighting;
mod stock;
mod trial;
mod watch;
mod wire;

use jiff::Timestamp;

use self::position::{Rewound, Standing};
use crate::store::{Store, StoreError, mailboxes};

pub use error::ImapError;
pub use restless::{Unrest, unrest};
pub use stock::contents;
pub(super) use stock::{Numbering, numbering};
pub use trial::{TriedOut, folders, try_out};
pub use watch::ImapWatch;

/// Sets a mailbox back, so that what arrived at `since` or later is read again: what is in the ledger
/// stays known by its UID or its content, what was left alone as `before_start` is taken from it
/// first. A daemon that runs sees it at its next look. Answers how many messages were left alone;
/// `None` when the mailbox was never looked at. For every kind of mailbox.
pub fn rewind(store: &Store, mailbox: &str, since: Timestamp) -> Result<Option<usize>, StoreError> {
    let mailbox = mailbox.to_owned();
    store.transact(move |sql| {
        let Some((_, position)) = mailboxes::standing(sql, &mailbox)? else { return Ok(None) };
        // A maildir has no position of its own: what its ledger does not know is read.
        if let Some(standing) = position.as_deref().and_then(Standing::parse) {
            let from = match standing {
                Standing::At(position) => Some((position.series, position.low)),
                Standing::Rewound(rewound) => rewound.from,
            };
            let rewound = Standing::Rewound(Rewound { since, from });
            mailboxes::set_position(sql, &mailbox, &rewound.text())?;
        }
        Ok(Some(mailboxes::forget_skipped(sql, &mailbox, since)?))
    })
}
