//! `[[mailbox]]` as written: where mail comes from.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MailboxSmtp, Tls};
use crate::config::secret::Secret;
use crate::config::values::{Duration, Size, Start};

/// One `[[mailbox]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["address"]))]
pub struct Mailbox {
    /// What commands and logs call it. Default: the address.
    #[schemars(example = &"support", extend("format" = "guichet-line"))]
    pub name: Option<String>,
    /// The address people write to.
    #[schemars(example = &"support@example.com", extend("format" = "guichet-address"))]
    pub address: String,
    /// More addresses that end up in it; mail from one of them is ours too.
    #[schemars(extend("examples" = [["help@example.com"]], "format" = "guichet-address"))]
    pub aliases: Vec<String>,
    /// What kind of mailbox it is: `imap`, on a mail server; `microsoft365`, the same behind a
    /// gateway that logs in to Microsoft 365, whose mail carries its verdicts without an
    /// `authserv_id`; or a `maildir` at `path`.
    pub provider: Provider,
    /// The mail server that is watched, and that takes our mail unless `smtp.host` names another.
    #[schemars(example = &"mail.example.com", extend("format" = "guichet-host"))]
    pub host: Option<String>,
    /// The login at the mail server. Default: the address.
    #[schemars(example = &"support@example.com", extend("format" = "guichet-line"))]
    pub username: Option<String>,
    /// The password at the mail server: a string, `{ file = "…" }`, `{ credential = "…" }` or
    /// `{ env = "…" }`.
    #[schemars(extend("examples" = [{ "credential": "support" }]))]
    pub password: Option<Secret>,
    /// The folder at the mail server.
    #[schemars(extend("format" = "guichet-line"))]
    pub folder: String,
    /// The folder of a `maildir`, with `new` and `cur` in it.
    #[schemars(example = &"/var/mail/support", extend("format" = "guichet-path"))]
    pub path: Option<PathBuf>,
    /// Where a new mailbox begins: `now`, `unseen`, `all`, a date or a date-time. Default: `now`,
    /// of a maildir `unseen`.
    #[schemars(example = &"now")]
    pub start: Option<Start>,
    /// What becomes of a message in the mailbox once it is stored.
    pub after: After,
    /// The folder for `after = "move"`; of a maildir, another maildir below it.
    #[schemars(extend("format" = "guichet-line"))]
    pub move_to: String,
    /// A larger message becomes a ticket from its header and first text.
    pub max_message_size: Size,
    /// The department of its tickets.
    #[schemars(example = &"Helpdesk", extend("format" = "guichet-line"))]
    pub department: Option<String>,
    /// The site of users whom no site matches. Default: `sites.default`.
    #[schemars(example = &"Unassigned", extend("format" = "guichet-line"))]
    pub default_site: Option<String>,
    /// As `filters.authserv_id`, for this mailbox. One with `provider = "microsoft365"` needs none.
    #[schemars(example = &"mx.example.com", extend("format" = "guichet-line"))]
    pub authserv_id: Option<String>,
    /// A maildir is looked through this often, also when nothing was heard of it.
    pub sweep: Duration,
    /// How the mail server is watched.
    pub imap: Imap,
    /// What differs from `[smtp]` for this mailbox: each key here stands before the one there.
    pub smtp: MailboxSmtp,
}

impl Default for Mailbox {
    fn default() -> Mailbox {
        Mailbox {
            name: None,
            address: String::new(),
            aliases: Vec::new(),
            provider: Provider::Imap,
            host: None,
            username: None,
            password: None,
            folder: "INBOX".to_owned(),
            path: None,
            start: None,
            after: After::Keep,
            move_to: "guichet/done".to_owned(),
            max_message_size: Size(50_000_000),
            department: None,
            default_site: None,
            authserv_id: None,
            sweep: Duration::seconds(300),
            imap: Imap::default(),
            smtp: MailboxSmtp::default(),
        }
    }
}

/// `mailbox.provider`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    Imap,
    Maildir,
    Microsoft365,
}

/// `mailbox.after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    Delete,
    Flag,
    Keep,
    Move,
}

/// `[mailbox.imap]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Imap {
    /// The server that is watched, when another one takes our mail. Default: `mailbox.host`.
    #[schemars(example = &"imap.example.com", extend("format" = "guichet-host"))]
    pub host: Option<String>,
    /// The port at the server. Default: 993, without `tls = "implicit"` 143.
    #[schemars(example = &993, extend("minimum" = 1))]
    pub port: Option<u16>,
    /// What protects the connection: TLS from the first byte, TLS by the command STARTTLS, or
    /// nothing, to a server on this machine only.
    pub tls: Tls,
    /// The file with the certificates (PEM) that are trusted instead of those of the system.
    #[schemars(example = &"ca.pem", extend("format" = "guichet-path"))]
    pub ca_file: Option<PathBuf>,
    /// The mailbox is looked through this often, also when nothing was heard of it.
    pub sweep: Duration,
    /// How often the server is asked for new mail.
    pub poll_interval: Duration,
    /// How long any one answer of the server may take.
    pub timeout: Duration,
}

impl Default for Imap {
    fn default() -> Imap {
        Imap {
            host: None,
            port: None,
            tls: Tls::Implicit,
            ca_file: None,
            sweep: Duration::seconds(300),
            poll_interval: Duration::seconds(60),
            timeout: Duration::seconds(60),
        }
    }
}
