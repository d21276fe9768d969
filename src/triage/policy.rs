//! The administrator's wishes, checked and compiled: what of the configuration decides about mail.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::mail::{Address, AddressKey};

/// All that `ask` and `decide` heed of the configuration.
#[derive(Clone, Debug)]
pub struct Policy {
    /// By mailbox name.
    pub mailboxes: BTreeMap<String, MailboxPolicy>,
    /// M-35: every address that is ours, keyed with the tag stripped.
    pub own: BTreeSet<AddressKey>,
    pub users: UserPolicy,
    pub credentials: CredentialsPolicy,
    pub sites: SitePolicy,
    pub threading: ThreadingPolicy,
    pub filters: FilterPolicy,
    pub limits: LimitPolicy,
    /// By address key (tag kept or stripped as `users.strip_plus_tag` says).
    pub agents: BTreeMap<AddressKey, Agent>,
    /// `tickets.announce`: the changes that a requester is told.
    pub announce: BTreeSet<Announced>,
    /// The fallback locale of mails, e.g. `en`.
    pub locale: String,
    /// Whether there is a portal to invite users to.
    pub portal: Portal,
}

/// Whether users have a portal to be invited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portal {
    /// No `portal.url`, or `portal.enabled = false`: no credentials mail.
    Absent,
    Present,
}

/// One `[[mailbox]]`.
#[derive(Clone, Debug)]
pub struct MailboxPolicy {
    pub name: String,
    pub address: Address,
    pub aliases: Vec<Address>,
    pub department: Option<String>,
    /// Overrides `sites.default`.
    pub default_site: Option<String>,
    /// `outbox.message_id_domain`, else the domain of the address.
    pub message_id_domain: String,
    /// Whose verdicts about senders are believed.
    pub server: TrustedServer,
}

/// The mail server whose Authentication-Results count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedServer {
    /// By its authserv-id: `mailbox.authserv_id`, else `filters.authserv_id`.
    Named(String),
    /// None is known: nobody's word counts.
    None,
    /// The one of `provider = "microsoft365"`, which writes no authserv-id.
    Unnamed,
}

/// `[users]`.
#[derive(Clone, Debug)]
pub struct UserPolicy {
    pub auto_create: bool,
    pub name_from: NameFrom,
    pub access: Access,
    pub strip_plus_tag: bool,
    /// Empty: everyone.
    pub allow: AddressList,
    pub deny: AddressList,
    /// M-36.
    pub reply_to_senders: AddressList,
    pub names: NamePolicy,
}

/// `users.name_from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFrom {
    Address,
    Header,
    HeaderThenAddress,
}

/// What a user may do in the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Full,
    Limited,
}

impl Access {
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Full => "full",
            Access::Limited => "limited",
        }
    }

    pub fn parse(text: &str) -> Option<Access> {
        match text {
            "full" => Some(Access::Full),
            "limited" => Some(Access::Limited),
            _ => None,
        }
    }
}

/// `[users.names]`.
#[derive(Clone, Debug)]
pub struct NamePolicy {
    /// A set of characters, each a separator (M-47).
    pub split_on: String,
    pub no_split: NoSplit,
}

/// What the last name is when nothing splits (M-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSplit {
    Blank,
    Repeat,
}

/// A list of addresses and `@domains`.
#[derive(Clone, Debug, Default)]
pub struct AddressList {
    pub keys: BTreeSet<AddressKey>,
    /// Lower-case A-labels, without `@`; exact, no subdomains.
    pub domains: BTreeSet<String>,
}

impl AddressList {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.domains.is_empty()
    }

    /// Whether `address`, whose key is `key`, is on the list.
    pub fn contains(&self, key: &AddressKey, address: &Address) -> bool {
        self.keys.contains(key) || self.domains.contains(address.domain())
    }
}

/// `[credentials]`.
#[derive(Clone, Debug)]
pub struct CredentialsPolicy {
    pub send: bool,
    pub template: String,
    /// Older mail, by arrival, earns no automatic mail (C-11, M-72).
    pub max_age: SignedDuration,
    pub require: RequiredProof,
    /// Also to users of the default site (C-09).
    pub unassigned: bool,
    pub mode: CredentialsMode,
}

/// `credentials.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsMode {
    /// A link; a temporary password when the template names one.
    Auto,
    Link,
    None,
    TemporaryPassword,
}

/// `credentials.require` (C-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredProof {
    NotFailed,
    Pass,
    PassIfKnown,
}

/// `[sites]` and what concerns sites elsewhere. The sites themselves are in the store.
#[derive(Clone, Debug)]
pub struct SitePolicy {
    pub default: String,
    pub match_subdomains: bool,
    /// Public mail domains never map to a site, nor do their subdomains (M-108).
    pub public_domains: BTreeSet<String>,
}

/// `[threading]`.
#[derive(Clone, Debug)]
pub struct ThreadingPolicy {
    /// With `{number}` in it, e.g. `[#{number}]`.
    pub subject_tag: String,
    pub use_references: bool,
    /// Whether a signed token in a text leads to a ticket (V3).
    pub use_body_token: bool,
    pub sender_check: SenderCheck,
    pub reopen_within: SignedDuration,
}

/// `threading.sender_check` (M-80).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderCheck {
    Anyone,
    Participants,
    Site,
}

/// `[filters]`.
#[derive(Clone, Debug)]
pub struct FilterPolicy {
    pub auto_reply: AutoReplyFilter,
    pub auto_generated: MachineFilter,
    pub bounce: BounceFilter,
    pub list: MachineFilter,
    pub spam_headers: SuspicionFilter,
    pub dmarc_fail: SuspicionFilter,
    /// Lower case, each with its dot.
    pub blocked_attachments: Vec<String>,
}

/// `filters.auto_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoReplyFilter {
    Attach,
    Ignore,
    Ticket,
}

/// `filters.auto_generated` and `filters.list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineFilter {
    Ignore,
    Ticket,
}

/// `filters.bounce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BounceFilter {
    Attach,
    Ignore,
}

/// `filters.spam_headers` and `filters.dmarc_fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspicionFilter {
    /// A ticket for staff, without a user and without automatic mail.
    Flag,
    Hold,
    Ignore,
}

/// `[limits]`; an empty list of rates is `"off"`.
#[derive(Clone, Debug, Default)]
pub struct LimitPolicy {
    pub per_sender: Vec<Rate>,
    pub per_domain: Vec<Rate>,
    pub new_users: Vec<Rate>,
    pub auto_mails_per_address: Vec<Rate>,
}

/// At most so many in any stretch of time this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: SignedDuration,
}

/// A change of a ticket that its requester may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Announced {
    /// Who looks after it.
    Assignee,
    Closed,
    Site,
    /// Open, pending, and open again.
    Status,
}

impl Announced {
    pub const ALL: [Announced; 4] =
        [Announced::Assignee, Announced::Closed, Announced::Site, Announced::Status];
}

/// How pressing a ticket is; one without is normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    High,
    Low,
    Normal,
    Urgent,
}

impl Priority {
    pub const ALL: [Priority; 4] =
        [Priority::High, Priority::Low, Priority::Normal, Priority::Urgent];

    pub fn as_str(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::Urgent => "urgent",
        }
    }

    pub fn parse(text: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.as_str() == text)
    }
}

/// One `[[agent]]`.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    pub address: Address,
    /// The names of the sites whose tickets they work on; empty: all.
    pub sites: Vec<String>,
    /// What they hear of by mail, of tickets assigned to them or to nobody.
    pub notify: BTreeSet<Notified>,
}

impl Agent {
    /// Whether they hear of `event` on a ticket of the site of this name, which is `assignee`'s or
    /// nobody's; `key` is their own.
    pub fn hears(
        &self,
        key: &AddressKey,
        event: Notified,
        site: &str,
        assignee: Option<&AddressKey>,
    ) -> bool {
        self.notify.contains(&event)
            && assignee.is_none_or(|assignee| assignee == key)
            && (self.sites.is_empty() || self.sites.iter().any(|name| name == site))
    }
}

/// What an agent hears of by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notified {
    /// `ticket.assigned`: to them.
    Assigned,
    /// `ticket.created`.
    Created,
    /// `ticket.replied`.
    Replied,
}
