//! `[[mailbox]]` as written. The keys of network mailboxes are read and checked, so that one file
//! serves `explain`, `replay` and `check`; `run` watches maildirs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// What kind of mailbox it is: `imap`, or a `maildir` at `path`. This release watches maildirs
    /// only.
    pub provider: Provider,
    /// The mail server of an `imap` mailbox.
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
    /// As `filters.authserv_id`, for this mailbox.
    #[schemars(example = &"mx.example.com", extend("format" = "guichet-line"))]
    pub authserv_id: Option<String>,
    /// A maildir is looked through this often, also when nothing was heard of it.
    pub sweep: Duration,
    /// How the mail server is watched.
    pub imap: Imap,
    /// What differs from `[smtp]` for this mailbox.
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
    /// The mailbox is looked through this often, also when nothing was heard of it.
    pub sweep: Duration,
}

impl Default for Imap {
    fn default() -> Imap {
        Imap { sweep: Duration::seconds(300) }
    }
}

/// `[mailbox.smtp]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxSmtp {
    /// Whom mail of this mailbox comes from. Default: the address.
    #[schemars(example = &"Example IT <support@example.com>", extend("format" = "guichet-from"))]
    pub from: Option<String>,
}
