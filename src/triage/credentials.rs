//! The gate of the mail that brings a user their credentials (threats §6). A user is *due* one from
//! the day they are made; it goes out with the first message that passes, and at most once.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::facts::{CredentialsBudget, CredentialsState, Facts, Intake, Sender, SiteFacts};
use super::facts::{UserFacts, UserStatus};
use super::plan::Kind;
use super::policy::{
    CredentialsMode, MailboxPolicy, Policy, Portal, Rate, RequiredProof, TrustedServer,
};
use super::{names, recipients};
use crate::mail::address::local_part;
use crate::mail::{Address, Dmarc, Flag, InboundMessage, ReturnPath};

/// The budgets of C-10, which the store counts by.
pub const PER_RECIPIENT: Rate = Rate { count: 1, per: SignedDuration::from_hours(24) };
/// C-10: to one recipient who never logged in, ever.
pub const PER_RECIPIENT_BEFORE_LOGIN: u32 = 3;
/// C-10: to the addresses of one domain.
pub const PER_DOMAIN: Rate = Rate { count: 20, per: SignedDuration::from_hours(1) };
/// C-10: to the users of one site.
pub const PER_SITE: Rate = Rate { count: 50, per: SignedDuration::from_hours(1) };
/// C-10: to everybody.
pub const IN_TOTAL: Rate = Rate { count: 200, per: SignedDuration::from_hours(1) };

/// Why a credentials mail is not sent with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    C01,
    C02,
    C03,
    C04,
    C05,
    C06,
    C07,
    C08,
    C09,
    C10,
    C11,
    C12,
    C13,
    C14,
}

impl Code {
    pub const ALL: [Code; 14] = [
        Code::C01,
        Code::C02,
        Code::C03,
        Code::C04,
        Code::C05,
        Code::C06,
        Code::C07,
        Code::C08,
        Code::C09,
        Code::C10,
        Code::C11,
        Code::C12,
        Code::C13,
        Code::C14,
    ];

    /// The id of the rule, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::C01 => "C-01",
            Code::C02 => "C-02",
            Code::C03 => "C-03",
            Code::C04 => "C-04",
            Code::C05 => "C-05",
            Code::C06 => "C-06",
            Code::C07 => "C-07",
            Code::C08 => "C-08",
            Code::C09 => "C-09",
            Code::C10 => "C-10",
            Code::C11 => "C-11",
            Code::C12 => "C-12",
            Code::C13 => "C-13",
            Code::C14 => "C-14",
        }
    }

    /// The reason in words.
    pub fn said(self) -> &'static str {
        match self {
            Code::C01 => "the sender is not the one good address of From",
            Code::C02 => "nothing proves that the mail comes from its sender's domain",
            Code::C03 => "a machine or a list wrote it, or it is an invitation",
            Code::C04 => "its return path is empty",
            Code::C05 => "answers to it would go to another domain",
            Code::C06 => "the user has had them, or was made without",
            Code::C07 => "the user is disabled or deleted",
            Code::C08 => "the address is ours, a staff member's or a robot's",
            Code::C09 => "users of this site get none",
            Code::C10 => "as many as may go out in this time have gone out",
            Code::C11 => "the message arrived too long ago, or only its beginning was fetched",
            Code::C12 => "an earlier mail to the user came back",
            Code::C13 => "the mail was not addressed to us",
            Code::C14 => "the message was imported as old mail",
        }
    }

    /// The configuration key that decides, if one does.
    pub fn key(self) -> Option<&'static str> {
        match self {
            Code::C02 => Some("credentials.require"),
            Code::C05 => Some("users.reply_to_senders"),
            Code::C09 => Some("credentials.unassigned"),
            Code::C11 => Some("credentials.max_age"),
            _ => None,
        }
    }
}

/// What the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct Application<'a> {
    pub message: &'a InboundMessage,
    pub kind: Kind,
    pub sender: &'a Sender,
    /// Whether the sender's domain vouches for the message.
    pub dmarc: &'a Dmarc,
    /// The message's flags, completed.
    pub flags: &'a BTreeSet<Flag>,
    pub mailbox: &'a MailboxPolicy,
    pub account: Account<'a>,
    /// The site of the user.
    pub site: &'a SiteFacts,
    pub facts: &'a Facts,
    pub policy: &'a Policy,
}

/// Whose credentials they are.
#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    Existing(&'a UserFacts),
    /// Made with this message.
    New,
}

/// Whether credentials are mailed at all: switched on, and there is a portal to invite to.
pub fn are_mailed(policy: &Policy) -> bool {
    policy.credentials.send
        && policy.credentials.mode != CredentialsMode::None
        && policy.portal == Portal::Present
}

/// Everything that speaks against sending with this message, in the order of the rules; empty means
/// send.
pub fn judge(application: &Application) -> Vec<Code> {
    Code::ALL.into_iter().filter(|code| speaks_against(*code, application)).collect()
}

/// Whom a mail would bring credentials to, as far as the account itself goes.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// Where the mail would go; absent when the account has no address that reads.
    pub address: Option<&'a Address>,
    pub status: UserStatus,
    /// A mail to them came back for good, or an earlier one of these.
    pub bounced: bool,
    pub budget: &'a CredentialsBudget,
}

impl<'a> Recipient<'a> {
    /// The account of `user`, or one that is made at this moment.
    pub fn of(
        address: &'a Address,
        user: Option<&UserFacts>,
        budget: &'a CredentialsBudget,
    ) -> Recipient<'a> {
        Recipient {
            address: Some(address),
            status: user.map_or(UserStatus::Active, |user| user.status),
            bounced: user.is_some_and(|user| user.undeliverable || user.credentials_bounced),
            budget,
        }
    }

    /// C-01, C-07, C-08, C-10, C-12; no other rule is about the account.
    fn speaks_against(&self, code: Code, policy: &Policy) -> bool {
        match code {
            // Who was merged into another user has no address any more, which is no fault of it.
            Code::C01 => self.address.is_none() && self.status == UserStatus::Active,
            Code::C07 => self.status != UserStatus::Active,
            Code::C08 => self.address.is_some_and(|address| is_nobodys(address, policy)),
            Code::C10 => room_at(self.budget).is_some(),
            Code::C12 => self.bounced,
            Code::C02
            | Code::C03
            | Code::C04
            | Code::C05
            | Code::C06
            | Code::C09
            | Code::C11
            | Code::C13
            | Code::C14 => false,
        }
    }
}

/// What speaks against a mail that staff, a rule or an operator asks for, in the order of the rules:
/// only what concerns the account itself, since nobody's mail is being answered (threats §6).
pub fn judge_by_hand(recipient: &Recipient, policy: &Policy) -> Vec<Code> {
    Code::ALL.into_iter().filter(|code| recipient.speaks_against(*code, policy)).collect()
}

/// When the budgets of C-10 have room again, if one has none.
pub fn room_at(budget: &CredentialsBudget) -> Option<Timestamp> {
    [budget.recipient, budget.domain, budget.site, budget.total].into_iter().flatten().max()
}

fn speaks_against(code: Code, application: &Application) -> bool {
    let Application { message, kind, sender, dmarc, flags, mailbox, .. } = *application;
    let Application { account, site, facts, policy, .. } = *application;
    let user = match account {
        Account::Existing(user) => Some(user),
        Account::New => None,
    };
    match code {
        Code::C01 => {
            sender.fallback
                || sender.relayed
                || flags.contains(&Flag::SeveralFrom)
                || flags.contains(&Flag::SeveralFromFields)
        }
        Code::C02 => match (policy.credentials.require, dmarc) {
            (_, Dmarc::Fail { .. }) => true,
            (_, Dmarc::Pass { .. }) | (RequiredProof::NotFailed, Dmarc::Unknown) => false,
            (RequiredProof::Pass, Dmarc::Unknown) => true,
            (RequiredProof::PassIfKnown, Dmarc::Unknown) => mailbox.server != TrustedServer::None,
        },
        Code::C03 => kind != Kind::Person || flags.contains(&Flag::Calendar),
        Code::C04 => message.return_path == ReturnPath::Null,
        Code::C05 => answers_go_elsewhere(message, sender, policy),
        Code::C06 => user.is_some_and(|user| user.credentials != CredentialsState::Due),
        Code::C08 if flags.contains(&Flag::Robot) => true,
        Code::C07 | Code::C08 | Code::C10 | Code::C12 => {
            Recipient::of(&sender.address, user, &facts.budget).speaks_against(code, policy)
        }
        Code::C09 => !site.credentials || (site.is_default && !policy.credentials.unassigned),
        Code::C11 => {
            facts.intake == Intake::Stub
                || flags.contains(&Flag::TooLarge)
                || recipients::is_old(facts, policy)
        }
        Code::C13 => !recipients::is_addressed_to_us(message, policy),
        Code::C14 => facts.intake == Intake::Backfill,
    }
}

/// C-08: ours, of staff, or of a robot.
fn is_nobodys(address: &Address, policy: &Policy) -> bool {
    recipients::is_own(address, policy)
        || policy.agents.contains_key(&address.key(names::plus_tag(&policy.users)))
        || local_part::is_robot(address.local())
}

/// C-05: Reply-To names another domain, and no form of ours wrote it (M-36).
fn answers_go_elsewhere(message: &InboundMessage, sender: &Sender, policy: &Policy) -> bool {
    // One that does not read leads nobody knows where; one without `@` leads nowhere (E-65).
    let elsewhere =
        message.reply_to.iter().filter(|reply_to| reply_to.address.contains('@')).any(|reply_to| {
            match Address::parse(&reply_to.address) {
                Ok(address) => address.domain() != sender.address.domain(),
                Err(_) => true,
            }
        });
    elsewhere && !message.from.iter().any(|from| is_listed_form(&from.address, policy))
}

/// Whether `written` is one of `users.reply_to_senders` (M-36).
pub fn is_listed_form(written: &str, policy: &Policy) -> bool {
    let listed = &policy.users.reply_to_senders;
    !listed.is_empty()
        && Address::parse(written).is_ok_and(|address| {
            listed.contains(&address.key(names::plus_tag(&policy.users)), &address)
        })
}

#[cfg(test)]
mod tests;
