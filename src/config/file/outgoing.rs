//! How mail leaves, as written: `[smtp]`, and what differs from it for one mailbox.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tls;
use crate::config::secret::Secret;
use crate::config::values::{Duration, Rate};

/// `[smtp]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// `smtp` hands mail to a mail server; `file` delivers into the maildir at `path`, for trying
    /// things out; `none` renders and records mail, and sends nothing.
    pub transport: Transport,
    /// The maildir that `transport = "file"` delivers into.
    #[schemars(example = &"outgoing", extend("format" = "guichet-path"))]
    pub path: Option<PathBuf>,
    /// The server that takes our mail. Default: `mailbox.host`.
    #[schemars(example = &"mail.example.com", extend("format" = "guichet-host"))]
    pub host: Option<String>,
    /// The port at the server. Default: 587, with `tls = "implicit"` 465, with `tls = "none"` 25.
    #[schemars(example = &587, extend("minimum" = 1))]
    pub port: Option<u16>,
    /// What protects the connection: TLS from the first byte, TLS by the command STARTTLS, or
    /// nothing, to a server on this machine only.
    pub tls: Tls,
    /// The file with the certificates (PEM) that are trusted instead of those of the system.
    /// Default, when the server is that of the mailbox: `mailbox.imap.ca_file`.
    #[schemars(example = &"ca.pem", extend("format" = "guichet-path"))]
    pub ca_file: Option<PathBuf>,
    /// The login at the server; `""` for a server that takes our mail without one. Default: that of
    /// the mailbox; with `tls = "none"` no login.
    #[schemars(example = &"support@example.com", extend("format" = "guichet-username"))]
    pub username: Option<String>,
    /// The password at the server: a string, `{ file = "…" }`, `{ credential = "…" }` or
    /// `{ env = "…" }`. Default: that of the mailbox.
    #[schemars(extend("examples" = [{ "credential": "relay" }]))]
    pub password: Option<Secret>,
    /// How many mails leave by one server at most; `"off"` is no limit.
    pub rate: Rate,
    /// How many connections to one server are open at most.
    #[schemars(extend("minimum" = 1, "maximum" = MOST_CONNECTIONS))]
    pub connections: u16,
    /// How long any one answer of the server may take.
    pub timeout: Duration,
    /// The address that bounces of our mail come to: with a signed +tag (`plus`), without (`plain`),
    /// or with one once the mailbox was seen to accept +tags (`auto`).
    pub envelope: Envelope,
}

impl Default for Smtp {
    fn default() -> Smtp {
        Smtp {
            transport: Transport::Smtp,
            path: None,
            host: None,
            port: None,
            tls: Tls::Starttls,
            ca_file: None,
            username: None,
            password: None,
            rate: Rate::minutely(25),
            connections: 2,
            timeout: Duration::seconds(60),
            envelope: Envelope::Auto,
        }
    }
}

/// `smtp.transport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    File,
    None,
    Smtp,
}

/// `smtp.envelope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    Auto,
    Plain,
    Plus,
}

/// `[mailbox.smtp]`: each key stands before the one of `[smtp]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxSmtp {
    /// Whom mail of this mailbox comes from. Default: the address.
    #[schemars(example = &"Example IT <support@example.com>", extend("format" = "guichet-from"))]
    pub from: Option<String>,
    /// As `smtp.host`, for this mailbox.
    #[schemars(example = &"mail.example.com", extend("format" = "guichet-host"))]
    pub host: Option<String>,
    /// As `smtp.port`, for this mailbox.
    #[schemars(example = &587, extend("minimum" = 1))]
    pub port: Option<u16>,
    /// As `smtp.tls`, for this mailbox.
    #[schemars(example = &"starttls")]
    pub tls: Option<Tls>,
    /// As `smtp.ca_file`, for this mailbox.
    #[schemars(example = &"ca.pem", extend("format" = "guichet-path"))]
    pub ca_file: Option<PathBuf>,
    /// As `smtp.username`, for this mailbox.
    #[schemars(example = &"support@example.com", extend("format" = "guichet-username"))]
    pub username: Option<String>,
    /// As `smtp.password`, for this mailbox.
    #[schemars(extend("examples" = [{ "credential": "relay" }]))]
    pub password: Option<Secret>,
    /// As `smtp.rate`, for this mailbox.
    #[schemars(example = &"25/min")]
    pub rate: Option<Rate>,
    /// As `smtp.connections`, for this mailbox.
    #[schemars(example = &2, extend("minimum" = 1, "maximum" = MOST_CONNECTIONS))]
    pub connections: Option<u16>,
    /// As `smtp.timeout`, for this mailbox.
    #[schemars(example = &"60s")]
    pub timeout: Option<Duration>,
    /// As `smtp.envelope`, for this mailbox.
    #[schemars(example = &"auto")]
    pub envelope: Option<Envelope>,
}

/// More than any server grants one client.
const MOST_CONNECTIONS: u16 = 50;
