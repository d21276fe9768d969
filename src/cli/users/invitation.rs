//! The mail that brings a user made by hand their credentials. Of the gate only what concerns the
//! account itself applies: nobody's mail is being answered (threats §6).

use jiff::Timestamp;

use crate::clock::Ids;
use crate::config::Settings;
use crate::mail::address::{PlusTag, local_part};
use crate::mail::{ContentHash, Dmarc, MessageId};
use crate::store::outbox::{self, QueuedFor};
use crate::store::spool::{Arrived, Intake};
use crate::store::users::{self, Addition};
use crate::store::{Sql, StoreError, facts};
use crate::triage::credentials::{self, Code};
use crate::triage::facts::{Facts, Questions, Sender, SenderAnswer, Signed, UserStatus};
use crate::triage::plan::{MailCause, OutgoingMail, UserRef};
use crate::triage::policy::{LimitPolicy, MailboxPolicy, Policy};

/// What became of the mail.
pub(super) enum Invitation {
    /// They are to have none.
    NotAsked,
    /// No credentials are mailed at this desk.
    NotMailed,
    /// Its number in the outbox.
    Queued(i64),
    /// It waits, for the first of these reasons and the others.
    Withheld(Vec<Code>),
}

impl Invitation {
    /// What became of it, in words.
    pub(super) fn said(&self) -> String {
        match self {
            Invitation::NotAsked => "they get no credentials by mail".to_owned(),
            Invitation::NotMailed => {
                "they get no credentials by mail: `credentials.send` is off, or there is no `portal.url`".to_owned()
            }
            Invitation::Queued(number) => format!("their credentials are queued as mail {number}"),
            Invitation::Withheld(codes) => {
                let why: Vec<String> =
                    codes.iter().map(|code| format!("{} ({})", code.said(), code.as_str())).collect();
                format!("their credentials wait: {}", why.join("; "))
            }
        }
    }
}

/// Queues the credentials mail of the user `id`, just added, or notes why it waits.
pub(super) fn invite(
    sql: &mut dyn Sql,
    user: &Addition,
    id: &str,
    settings: &Settings,
    ids: &Ids,
    now: Timestamp,
) -> Result<Invitation, StoreError> {
    let policy = &settings.policy;
    // The first mailbox of the configuration is the desk's own.
    let mailbox = settings.mailboxes.first().and_then(|first| policy.mailboxes.get(&first.name));
    let Some(mailbox) = mailbox.filter(|_| credentials::are_mailed(policy)) else {
        return Ok(Invitation::NotMailed);
    };
    let sender = sender(user);
    let facts = gather(sql, &sender, mailbox, policy, now)?;
    let against = judge(&sender, &facts, policy);
    if let Some(first) = against.first() {
        users::withhold_credentials(sql, id, first.as_str())?;
        return Ok(Invitation::Withheld(against));
    }
    let site_locale = facts.user.as_ref().and_then(|user| user.site.locale.clone());
    let mail = OutgoingMail {
        template: policy.credentials.template.clone(),
        to: sender.address,
        user: Some(UserRef::Existing(id.to_owned())),
        ticket: None,
        mailbox: mailbox.name.clone(),
        message_id_domain: mailbox.message_id_domain.clone(),
        locale: user.locale.clone().or(site_locale).unwrap_or_else(|| policy.locale.clone()),
        site: user.site.clone(),
        cause: MailCause::Notice,
    };
    let about = QueuedFor { person: Some(id), ..QueuedFor::default() };
    let queued = outbox::queue(sql, &mail, about, ids, now)?;
    users::credentials_queued(sql, id, now)?;
    Ok(Invitation::Queued(queued.id))
}

/// Everything that speaks against a mail by hand, in the order of the rules. C-01 does not: the
/// address was read as a good one.
fn judge(sender: &Sender, facts: &Facts, policy: &Policy) -> Vec<Code> {
    let user = facts.user.as_ref();
    let is_nobodys = policy.own.contains(&sender.address.key(PlusTag::Strip))
        || policy.agents.contains_key(&sender.key)
        || local_part::is_robot(sender.address.local());
    [
        (Code::C07, user.is_none_or(|user| user.status != UserStatus::Active)),
        (Code::C08, is_nobodys),
        (Code::C10, credentials::room_at(&facts.budget).is_some()),
        (Code::C12, user.is_some_and(|user| user.undeliverable || user.credentials_bounced)),
    ]
    .into_iter()
    .filter_map(|(code, speaks_against)| speaks_against.then_some(code))
    .collect()
}

fn sender(user: &Addition) -> Sender {
    let (address, key) = user.addresses[0].clone();
    Sender { address, key, name: None, evidence: String::new(), fallback: false, relayed: false }
}

// What would be asked if they had just written: so the budgets count here as they count there.
fn gather(
    sql: &mut dyn Sql,
    sender: &Sender,
    mailbox: &MailboxPolicy,
    policy: &Policy,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let questions = Questions {
        mailbox: mailbox.name.clone(),
        default_site: policy.sites.default.clone(),
        content_hash: ContentHash([0; 32]),
        message_id: MessageId::parse("none@guichet.invalid").expect("it is a usable id"),
        sender: SenderAnswer::Known(sender.clone()),
        references: Vec::new(),
        tagged: Vec::new(),
        site_domains: Vec::new(),
        signed: Signed::default(),
        dmarc: Dmarc::default(),
        forwarded: None,
        limits: LimitPolicy::default(),
        reply: None,
        known: Vec::new(),
    };
    let arrived = Arrived {
        message: String::new(),
        arrived_at: now,
        counted_at: now,
        intake: Intake::Mailbox,
    };
    facts::gather(sql, &questions, &arrived, now)
}
