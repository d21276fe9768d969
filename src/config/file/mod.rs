//! The configuration as written: one field a key, under the key's own name, each with the words
//! that the schema, the reference and `config explain` say about it. What is used is in
//! [`super::settings`].

mod incoming;
mod mailbox;
mod outgoing;
mod people;
mod portal;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use incoming::{
    AutoReply, Bounce, Filters, Limits, Machine, ReplyAddress, SenderCheck, Suspicion, Threading,
};
pub use mailbox::{After, Imap, Mailbox, Provider};
pub use outgoing::{Envelope, MailboxSmtp, Smtp, Transport};
pub use people::{
    Access, Agent, Announce, Builtin, Credentials, CredentialsMode, NameFrom, Names, NoSplit,
    Notify, Proof, PublicDomains, QuickReply, Site, Sites, Tickets, Users,
};
pub use portal::{Http, Portal};

use super::secret::Secret;
use super::values::{Duration, Size};

/// The configuration of guichet.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["mailbox"]))]
pub struct File {
    /// The version of this format.
    pub version: u32,
    /// The language of mails to people whose own is not known.
    #[schemars(extend("format" = "guichet-locale"))]
    pub locale: String,
    /// The IANA time zone of dates in mails and of `start`.
    #[schemars(extend("format" = "guichet-timezone"))]
    pub timezone: String,
    /// The folder where guichet keeps what it must remember. Default: `/var/lib/guichet` for a
    /// configuration below `/etc`, else `$XDG_STATE_HOME/guichet`.
    #[schemars(example = &"/var/lib/guichet", extend("format" = "guichet-path"))]
    pub state: Option<PathBuf>,
    /// With less free space than this fetching stops and mail stays on the server.
    pub min_free_space: Size,
    /// The portal of end users.
    pub portal: Portal,
    /// Where the portal is listened for.
    pub http: Http,
    /// Where tickets, users and mail are stored.
    pub store: Store,
    /// A mailbox whose mail becomes tickets.
    pub mailbox: Vec<Mailbox>,
    /// How mail leaves.
    pub smtp: Smtp,
    /// A member of the staff: may forward and answer by mail and be assigned.
    pub agent: Vec<Agent>,
    /// How senders become users.
    pub users: Users,
    /// The mail that tells a new user how to log in.
    pub credentials: Credentials,
    /// How users are assigned to sites.
    pub sites: Sites,
    /// A site: a customer, a branch. Declared sites are created or updated at load; one taken out
    /// is retired: its users and tickets stay, it matches no more.
    pub site: Vec<Site>,
    /// Which ticket a reply belongs to.
    pub threading: Threading,
    /// What requesters are told of their tickets.
    pub tickets: Tickets,
    /// An answer kept ready, for `tickets reply --quick`.
    pub quick_reply: Vec<QuickReply>,
    /// What becomes of mail that no person wrote.
    pub filters: Filters,
    /// How much is taken in at once, counted by arrival; what is beyond waits until there is room.
    pub limits: Limits,
    /// Where the texts of mails are.
    pub templates: Templates,
    /// The queue of mail that leaves.
    pub outbox: Outbox,
    /// What guichet says of its work.
    pub log: Log,
}

impl Default for File {
    fn default() -> File {
        File {
            version: 1,
            locale: "en".to_owned(),
            timezone: "UTC".to_owned(),
            state: None,
            min_free_space: Size(500_000_000),
            portal: Portal::default(),
            http: Http::default(),
            store: Store::default(),
            mailbox: Vec::new(),
            smtp: Smtp::default(),
            agent: Vec::new(),
            users: Users::default(),
            credentials: Credentials::default(),
            sites: Sites::default(),
            site: Vec::new(),
            threading: Threading::default(),
            tickets: Tickets::default(),
            quick_reply: Vec::new(),
            filters: Filters::default(),
            limits: Limits::default(),
            templates: Templates::default(),
            outbox: Outbox::default(),
            log: Log::default(),
        }
    }
}

/// `[store]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The database: `sqlite:` and a file, relative to the state folder; or a database of
    /// PostgreSQL, as `postgres://user@host/database`.
    #[schemars(extend("format" = "guichet-store"))]
    pub url: String,
    /// The password at PostgreSQL: a string, `{ file = "…" }`, `{ credential = "…" }` or
    /// `{ env = "…" }`.
    #[schemars(extend("examples" = [{ "credential": "pg" }]))]
    pub password: Option<Secret>,
    /// What protects the connection to PostgreSQL: TLS (`require`), or nothing, to a server on this
    /// machine only (`none`). Default: `require`, for a server on this machine `none`.
    #[schemars(example = &"require")]
    pub tls: Option<StoreTls>,
    /// The file with the certificates (PEM) that are trusted instead of those of the system.
    #[schemars(example = &"ca.pem", extend("format" = "guichet-path"))]
    pub ca_file: Option<PathBuf>,
    /// How many messages are worked on at a time; more than 1 needs PostgreSQL.
    #[schemars(extend("minimum" = 1, "maximum" = 64))]
    pub workers: u16,
}

impl Default for Store {
    fn default() -> Store {
        Store {
            url: "sqlite:guichet.db".to_owned(),
            password: None,
            tls: None,
            ca_file: None,
            workers: 1,
        }
    }
}

/// `store.tls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreTls {
    None,
    Require,
}

/// `mailbox.imap.tls` and `smtp.tls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    Implicit,
    None,
    Starttls,
}

/// `[templates]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Templates {
    /// The folder with your own templates, as `NAME.LOCALE.txt` and `NAME.LOCALE.html`; the built-in
    /// ones stand in for those it lacks. Those in `sites/NAME/` are for one site, those in
    /// `mailboxes/NAME/` for one mailbox, and win over the others: `guichet templates which` says
    /// which one a mail is written with.
    #[schemars(extend("format" = "guichet-path"))]
    pub dir: PathBuf,
    /// A TOML file with more names for `{[…]}` placeholders.
    #[schemars(extend("format" = "guichet-path"))]
    pub aliases: PathBuf,
    /// Whether automatic mail may repeat what an unverified sender wrote.
    pub allow_quoting_unverified: bool,
}

impl Default for Templates {
    fn default() -> Templates {
        Templates {
            dir: "templates".into(),
            aliases: "templates/aliases.toml".into(),
            allow_quoting_unverified: false,
        }
    }
}

/// `[outbox]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbox {
    /// The pauses after each failed attempt to send a mail; after the last it is given up.
    pub retry: Vec<Duration>,
    /// The domain in the Message-IDs of our mail. Default: that of the mailbox concerned.
    #[schemars(example = &"example.com", extend("format" = "guichet-domain"))]
    pub message_id_domain: Option<String>,
}

impl Default for Outbox {
    fn default() -> Outbox {
        let retry = [60, 5 * 60, 30 * 60, 2 * HOUR, 8 * HOUR, DAY].map(Duration::seconds);
        Outbox { retry: retry.to_vec(), message_id_domain: None }
    }
}

/// `[log]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` for people, `json` for machines; `auto` is `text` on a terminal, else `json`.
    pub format: LogFormat,
    /// The least important lines that are written.
    pub level: LogLevel,
    /// What is masked: nothing, mail addresses, or subjects and names too.
    pub redact: Redact,
}

impl Default for Log {
    fn default() -> Log {
        Log { format: LogFormat::Auto, level: LogLevel::Info, redact: Redact::Addresses }
    }
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    Auto,
    Json,
    Text,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    Debug,
    Error,
    Info,
    Trace,
    Warn,
}

impl LogLevel {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Error => "error",
            LogLevel::Info => "info",
            LogLevel::Trace => "trace",
            LogLevel::Warn => "warn",
        }
    }
}

/// `log.redact`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redact {
    Addresses,
    All,
    None,
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
