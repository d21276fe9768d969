//! An answer that brings credentials: they go out in a mail of their own, past the rules about the
//! account (threats §6), and the ticket keeps a copy without them (T-22, T-26).

use super::write::Written;
use super::{Actor, Counter, CounterError, Mails, Writing};
use crate::store::spool::{self, Acknowledge};
use crate::store::tickets;
use crate::store::users::invitation::{self, Desk, Invitation};
use crate::triage::credentials::Code;

/// What became of such an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The id of the message that the ticket keeps.
    pub message: String,
    /// The mail with the credentials, by its number in the outbox; none when the same answer was
    /// given before, with the same token.
    pub mail: Option<i64>,
}

impl Counter {
    /// Mails the requester of a ticket by `template`, which brings credentials, and puts `writing`,
    /// which holds none, on the ticket: both or neither.
    pub fn answer_with_credentials(
        &self,
        actor: &Actor,
        writing: Writing,
        template: &str,
    ) -> Result<Answered, CounterError> {
        let number = writing.ticket.ok_or(CounterError::Nobody)?;
        let seat = self.store.read_only(|sql| tickets::seat(sql, number, None))?;
        let seat = seat.ok_or(CounterError::NoTicket(number))?;
        let person = seat.user.ok_or_else(|| CounterError::Refused {
            what: format!("the requester of ticket {number} has no account to log in to"),
            hint: "`guichet users add` makes one, and mails the credentials",
        })?;
        if !writing.attachments.is_empty() {
            return Err(CounterError::Refused {
                what: "a mail with credentials brings no files (R-10)".to_owned(),
                hint: "send the files with another answer",
            });
        }
        let now = self.clock.now();
        let writing = Writing { mails: Mails::Withheld, ..writing };
        let Written { arrival, origin, mailbox } = self.put_together(actor, &writing, now)?;
        let message = arrival.id().to_owned();
        let arrivals = [arrival];
        let (policy, ids, template) =
            (self.options.policy.clone(), self.ids.clone(), template.to_owned());
        let (known, invitation) = self.store.transact(move |sql| {
            // P-02: it was sent before, with the same token.
            if let Some(known) = spool::of_origin(sql, &mailbox.name, &origin)? {
                return Ok((Some(known), None));
            }
            let desk = Desk { policy: &policy, mailbox: Some(&mailbox) };
            let invitation = invitation::send(sql, &person, &template, desk, &ids, now)?;
            if let Invitation::Queued(_) = invitation {
                spool::spool(sql, &arrivals, now, Acknowledge::Never)?;
            }
            Ok((None, Some(invitation)))
        })?;
        let mail = match invitation {
            None => None,
            Some(Invitation::Queued(mail)) => Some(mail),
            Some(Invitation::Withheld(codes)) => return Err(withheld(&codes)),
            Some(
                Invitation::HasCredentials
                | Invitation::HasPassword
                | Invitation::NotAsked
                | Invitation::NotMailed,
            ) => {
                return Err(CounterError::Refused {
                    what: "no credentials are mailed at this desk".to_owned(),
                    hint: "set `credentials.mode`, and `portal.url` for them to lead to",
                });
            }
        };
        (self.options.wake)();
        Ok(Answered { message: known.unwrap_or(message), mail })
    }
}

fn withheld(codes: &[Code]) -> CounterError {
    let each = codes.iter().map(|code| format!("{} ({})", code.said(), code.as_str()));
    let why = each.collect::<Vec<_>>().join(", and ");
    CounterError::Refused {
        what: format!("the credentials are withheld: {why}"),
        hint: "`guichet users show` tells of the account; C-10 passes by itself",
    }
}
