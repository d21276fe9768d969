//! Renders mail of ours and gets it away: claims it, mints what is secret, commits its hash and the
//! attempt, and only then talks to a server. The store never holds a secret.

mod clean;
pub mod convert;
pub mod deliver;
mod markup;
pub mod password;
pub mod preview;
pub mod probe;
pub mod render;
pub mod secret;
pub mod snippets;
pub mod template;
#[cfg(test)]
mod testing;
pub mod transport;
pub mod values;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;

pub use deliver::{Outbox, Unreached};
pub use render::RenderedMail;
pub use template::{Problem, Severity, Templates};
pub use transport::smtp::{Failure, Relay, RelayError};
pub use transport::{Response, SendError, Transport};

use crate::mail::AddressKey;
use crate::net::{Login, Server};
use crate::store::StoreError;
use crate::triage::policy::CredentialsMode;

/// How mail of ours is written and sent.
#[derive(Clone, Debug)]
pub struct Options {
    pub transport: TransportOptions,
    /// By mailbox name.
    pub senders: BTreeMap<String, SenderOptions>,
    /// By the key of their address.
    pub agents: BTreeMap<AddressKey, AgentOptions>,
    pub templates: TemplateOptions,
    /// Without it nothing links to the portal. An activation link is
    /// `{portal.url}/portal/activate/{token}`, a ticket's `{portal.url}/portal/tickets/{number}`.
    pub portal_url: Option<String>,
    pub portal_name: String,
    /// The fallback locale.
    pub locale: String,
    /// An IANA name, e.g. `Europe/Paris`.
    pub timezone: String,
    /// With `{number}` in it.
    pub subject_tag: String,
    /// Whether mail about a ticket ends with its signed token (M-77).
    pub use_body_token: bool,
    pub credentials_mode: CredentialsMode,
    pub link_expires: SignedDuration,
    pub password_expires: SignedDuration,
    /// The pauses after each failed attempt; after the last one the mail is given up.
    pub retry: Vec<SignedDuration>,
}

/// How mail leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportOptions {
    /// Into a maildir, for trying things out.
    File { maildir: PathBuf },
    /// Rendered and recorded, not sent.
    None,
    /// Each mailbox's mail through its own relay.
    Smtp,
}

/// A server that takes our mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayOptions {
    pub server: Server,
    /// Without one the server takes our mail as it is.
    pub login: Option<Login>,
    pub rate: Option<Rate>,
    /// Connections at a time, at least 1.
    pub connections: usize,
}

/// `smtp.rate`: at most this many mails in this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub mails: u32,
    pub per: SignedDuration,
}

/// `smtp.envelope` and `threading.reply_address`: whether an address of ours carries a signed `+tag`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tagging {
    Always,
    /// Once the mailbox was seen to accept `+tags`.
    #[default]
    Auto,
    Never,
}

/// Whom mail of a mailbox comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderOptions {
    pub address: String,
    pub name: Option<String>,
    /// The address of the mailbox itself, which answers and bounces come to.
    pub mailbox_address: String,
    /// Where its mail leaves by, with the transport [`TransportOptions::Smtp`].
    pub relay: Option<RelayOptions>,
    /// The envelope sender (M-76): without a tag, the mailbox's address as it is if none is wanted,
    /// else `<>`.
    pub envelope: Tagging,
    /// The Reply-To (M-75).
    pub reply_address: Tagging,
    /// Whether the mailbox's server tells who wrote a mail, so that an agent's answer is known
    /// without a reply address of their own (M-81).
    pub proves_senders: bool,
}

/// How mail of ours names an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentOptions {
    pub name: String,
    pub address: String,
    /// What stands below what they write.
    pub signature: Option<String>,
}

/// Where templates are looked for, before the built-in ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateOptions {
    pub dir: Option<PathBuf>,
    /// A TOML file: more names for snippets.
    pub aliases: Option<PathBuf>,
    /// `templates.allow_quoting_unverified`.
    pub quoting: Quoting,
}

/// Whether automatic mail may repeat what an unverified sender wrote (R-10, T-01).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quoting {
    Allowed,
    #[default]
    Refused,
}

/// Why mail of ours cannot be worked on at all.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{}", listed(.0))]
    Templates(Vec<Problem>),
    #[error(
        "no thread can be started to send mail: {0}\nhint: give guichet more memory or more processes; the mails wait"
    )]
    Thread(String),
    #[error(
        "the time zone `{0}` is not known\nhint: write a name such as `Europe/Paris` as `timezone`; on a small system install the package `tzdata`"
    )]
    TimeZone(String),
}

impl OutboxError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            OutboxError::Store(error) => error.is_temporary(),
            OutboxError::Thread(_) => true,
            OutboxError::Templates(_) | OutboxError::TimeZone(_) => false,
        }
    }
}

/// Why one mail cannot be written: it is parked with this reason, and blocks no other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    #[error("the address `{address}` cannot be written to: {why}")]
    Address { address: String, why: String },
    #[error(
        "the file `{name}` cannot be cut out of the message that it came with: {said}\nhint: `guichet db verify` says whether more is damaged; what was written is on the ticket, and can be sent anew"
    )]
    Attachment { name: String, said: String },
    #[error("the mail could not be put together: {0}")]
    Builder(String),
    #[error(
        "the template `{0}` brings credentials, which go out in a mail of their own only\nhint: run `guichet check`, then `guichet outbox retry`"
    )]
    Credentials(String),
    #[error(
        "no mailbox is called `{0}` any more\nhint: `guichet outbox cancel` it, or give the mailbox its name back"
    )]
    NoMailbox(String),
    #[error(
        "the mailbox `{0}` has no relay to send by\nhint: set `host` below `[smtp]`, then `guichet outbox retry`"
    )]
    NoRelay(String),
    #[error("there is no template `{0}`\nhint: put `{0}.en.txt` into the folder of templates")]
    NoTemplate(String),
    #[error(
        "the template `{file}` failed: {said}\nhint: run `guichet check`, then `guichet outbox retry`"
    )]
    Template { file: String, said: String },
    #[error("credentials go to active users only, and there is none behind this mail any more")]
    User,
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
