//! The mail that brings a user their credentials because a person asked for it: of the gate only what
//! concerns the account itself applies, since nobody's mail is being answered (threats §6).

use jiff::Timestamp;

use super::{User, credentials_queued, show, withhold_credentials};
use crate::args;
use crate::clock::Ids;
use crate::mail::Address;
use crate::store::facts::room;
use crate::store::outbox::{self, QueuedFor};
use crate::store::{Sql, StoreError, credentials as live};
use crate::triage::credentials::{self, Code, Recipient};
use crate::triage::facts::CredentialsBudget;
use crate::triage::plan::{MailCause, OutgoingMail, UserRef};
use crate::triage::policy::{CredentialsMode, MailboxPolicy, Policy, Portal};

/// What became of the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invitation {
    /// They have a link or a temporary password that still works, or that is on its way.
    HasCredentials,
    /// They chose a password already.
    HasPassword,
    /// They are to have none.
    NotAsked,
    /// No credentials are mailed at this desk.
    NotMailed,
    /// Its number in the outbox.
    Queued(i64),
    /// The first of these reasons and the others keep it back.
    Withheld(Vec<Code>),
}

/// By what a mail goes out.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    pub policy: &'a Policy,
    /// Whose address it comes from; without one nothing is mailed.
    pub mailbox: Option<&'a MailboxPolicy>,
}

/// Queues the credentials mail of a user who is due it, or notes why it waits.
pub fn invite(
    sql: &mut dyn Sql,
    id: &str,
    desk: Desk<'_>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Invitation, StoreError> {
    if !credentials::are_mailed(desk.policy) {
        return Ok(Invitation::NotMailed);
    }
    let invitation = send(sql, id, &desk.policy.credentials.template, desk, ids, now)?;
    if let Invitation::Withheld(codes) = &invitation
        && let Some(first) = codes.first()
    {
        withhold_credentials(sql, id, first.as_str())?;
    }
    Ok(invitation)
}

/// Queues the mail of somebody whose access was widened: once, so not to who can log in, or is about
/// to be able to. One that is withheld goes out with their first message that passes.
pub fn invite_upgraded(
    sql: &mut dyn Sql,
    id: &str,
    desk: Desk<'_>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Invitation, StoreError> {
    let Some(user) = show(sql, id)? else { return Ok(Invitation::NotAsked) };
    if user.password_set_at.is_some() {
        return Ok(Invitation::HasPassword);
    }
    if is_on_its_way(sql, id)? || !live::live(sql, id, now)?.is_empty() {
        return Ok(Invitation::HasCredentials);
    }
    sql.execute("UPDATE person SET credentials = 'due' WHERE id = ?1", args![id])?;
    invite(sql, id, desk, ids, now)
}

/// Queues a mail by `template` that brings a user a link or a temporary password, unless a rule
/// forbids it; leaves no trace when one does. Asked for by name, it goes out also where new users get
/// none of themselves.
pub fn send(
    sql: &mut dyn Sql,
    id: &str,
    template: &str,
    desk: Desk<'_>,
    ids: &Ids,
    now: Timestamp,
) -> Result<Invitation, StoreError> {
    let Desk { policy, mailbox } = desk;
    let can_be =
        policy.credentials.mode != CredentialsMode::None && policy.portal == Portal::Present;
    let Some(mailbox) = mailbox.filter(|_| can_be) else {
        return Ok(Invitation::NotMailed);
    };
    let user = show(sql, id)?.ok_or_else(|| StoreError::Unknown {
        what: "user",
        name: id.to_owned(),
        hint: "`guichet users list` lists them",
    })?;
    let against = against(sql, &user, policy, now)?;
    let to = user.addresses.first().and_then(|main| Address::parse(&main.address).ok());
    let Some(to) = to.filter(|_| against.is_empty()) else {
        return Ok(Invitation::Withheld(against));
    };
    let site = sql.query_one("SELECT locale FROM site WHERE id = ?1", args![&user.site.0])?;
    let site_locale = site.map_or(Ok(None), |row| row.opt_text(0))?;
    let mail = OutgoingMail {
        template: template.to_owned(),
        to,
        user: Some(UserRef::Existing(id.to_owned())),
        // A thread of its own (T-22).
        ticket: None,
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: user.locale.or(site_locale).unwrap_or_else(|| policy.locale.clone()),
        site: user.site.0,
        cause: MailCause::Notice,
    };
    let about = QueuedFor { person: Some(id), ..QueuedFor::default() };
    let queued = outbox::queue(sql, &mail, about, ids, now)?;
    credentials_queued(sql, id, now)?;
    Ok(Invitation::Queued(queued.id))
}

/// Everything that speaks against a mail by hand to this user, in the order of the rules.
pub fn against(
    sql: &mut dyn Sql,
    user: &User,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Code>, StoreError> {
    let main = user.addresses.first();
    let address = main.and_then(|main| Address::parse(&main.address).ok());
    let budget = match &address {
        Some(address) => {
            let counted = room::Spent { to: address, user: Some(&user.id), site: &user.site.0 };
            room::budget(sql, &counted, now)?
        }
        None => CredentialsBudget::default(),
    };
    let recipient = Recipient {
        address: address.as_ref(),
        status: user.status,
        bounced: user.credentials_bounced || main.is_some_and(|main| main.undeliverable),
        budget: &budget,
    };
    Ok(credentials::judge_by_hand(&recipient, policy))
}

fn is_on_its_way(sql: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    let row = sql.query_one(
        "SELECT 1 FROM outbox WHERE person = ?1 AND cause = 'notice' AND ticket IS NULL \
         AND state IN ('queued', 'sending') \
         AND template NOT IN ('address_change', 'address_changed', 'password_changed') LIMIT 1",
        args![id],
    )?;
    Ok(row.is_some())
}
