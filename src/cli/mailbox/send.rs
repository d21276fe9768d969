//! `mailbox test --send-to`: one mail through the mailbox's relay, now. To the mailbox itself it is
//! the probe of M-57, which goes to a tagged address and tells whether tags arrive; to anybody else
//! a few words.

use anyhow::Result;
use serde_json::{Value, json};

use super::trial::{Failure, exit_of_relay};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::mail::Address;
use crate::mail::address::PlusTag;
use crate::outbox::probe::{greeting, probe};
use crate::outbox::{self, Relay, RenderedMail, Response, SenderOptions};
use crate::store::keys;

/// A mail that left.
pub(super) struct Sent {
    mail: RenderedMail,
    /// The server's words.
    pub(super) said: String,
    is_probe: bool,
}

/// Writes a mail from `mailbox`, in the name of `sender`, to `to`, and sends it.
pub(super) fn send(
    desk: &Desk,
    mailbox: &str,
    sender: &SenderOptions,
    to: &Address,
) -> Result<Result<Sent, Failure>> {
    let Some(relay) = &sender.relay else {
        return Err(failure(
            Exit::Usage,
            "nothing is sent: `smtp.transport` is not `smtp`\nhint: set it, or look at what is written with `guichet outbox list`",
        ));
    };
    let own = Address::parse(&sender.mailbox_address);
    let is_probe = own.is_ok_and(|own| own.key(PlusTag::Strip) == to.key(PlusTag::Strip));
    let written = match is_probe {
        true => write_probe(desk, mailbox, sender)?,
        false => greeting(mailbox, sender, &to.to_string(), &desk.ids, desk.clock.now()),
    };
    let mail = written.map_err(|error| failure(Exit::Negative, error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let relay = Relay::new(relay.clone(), &sender.address);
    Ok(match runtime.block_on(relay.send(&mail)) {
        Ok(Response::Recorded { said } | Response::Taken { said, .. }) => {
            Ok(Sent { mail, said, is_probe })
        }
        Err(outbox::Failure::Mail(error)) => {
            let said =
                format!("`{}` was refused: {error}\nhint: ask whoever runs the server", mail.to);
            Err(Failure::new(Exit::Negative, &said))
        }
        Err(outbox::Failure::Relay(error)) => {
            Err(Failure::new(exit_of_relay(&error), &error.to_string()))
        }
    })
}

fn write_probe(
    desk: &Desk,
    mailbox: &str,
    sender: &SenderOptions,
) -> Result<Result<RenderedMail, outbox::Unwritable>> {
    let (ids, now) = (desk.ids.clone(), desk.clock.now());
    let keyring = desk.store.transact(move |sql| keys::begin(sql, &ids, now))?;
    let key = keyring.newest().expect("a store whose keys were begun has one");
    Ok(probe(mailbox, sender, key, &desk.ids, now))
}

impl Sent {
    /// The address it went to, with its tag.
    pub(super) fn to(&self) -> &str {
        &self.mail.to
    }

    /// How to see whether it arrived.
    pub(super) fn next(&self) -> &'static str {
        if self.is_probe {
            "once it is back, within `imap.poll_interval` when guichet runs, `guichet mailbox list` says that tagged addresses arrive"
        } else {
            "see that it arrives there, and not among the spam"
        }
    }

    pub(super) fn fields(&self) -> Value {
        json!({
            "to": self.mail.to,
            "message_id": self.mail.message_id,
            "is_probe": self.is_probe,
            "said": self.said,
        })
    }
}
