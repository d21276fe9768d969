//! What becomes of incoming mail, as written: threading, filters, limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DAY;
use crate::config::values::{Duration, Rates};

/// `[threading]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threading {
    /// What the subject of our mail carries, with `{number}` for the ticket's.
    #[schemars(extend("format" = "guichet-subject-tag"))]
    pub subject_tag: String,
    /// Whether In-Reply-To and References lead to a ticket.
    pub use_references: bool,
    /// Whether our mail carries a signed token in its text, which leads a reply to its ticket when
    /// the mail program kept nothing else.
    pub use_body_token: bool,
    /// The address that replies go to: with a signed +tag (`plus`), without (`none`), or with one
    /// once the mailbox was seen to accept +tags (`auto`).
    pub reply_address: ReplyAddress,
    /// Who may add to a ticket: its `participants`; users of its `site` too, unless that is the
    /// default one; or `anyone` who knows the number. From somebody else, a known reference opens a
    /// new ticket linked to the old one.
    pub sender_check: SenderCheck,
    /// How long after a ticket was closed a reply opens it again; later ones open a linked new one.
    pub reopen_within: Duration,
}

impl Default for Threading {
    fn default() -> Threading {
        Threading {
            subject_tag: "[#{number}]".to_owned(),
            use_references: true,
            use_body_token: true,
            reply_address: ReplyAddress::Auto,
            sender_check: SenderCheck::Site,
            reopen_within: Duration::seconds(14 * DAY),
        }
    }
}

/// `threading.reply_address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyAddress {
    Auto,
    None,
    Plus,
}

/// `threading.sender_check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderCheck {
    Anyone,
    Participants,
    Site,
}

/// `[filters]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Answers of machines: `ignore`; `attach` as a note to their ticket, without one ignored; or
    /// `ticket`.
    pub auto_reply: AutoReply,
    /// Reports and alarms of machines (backup, printer, monitoring): `ignore`, or `ticket` for the
    /// staff, with no user and no automatic mail.
    pub auto_generated: Machine,
    /// Bounces: `attach` to the ticket and the mail they belong to, or `ignore`, which notes them on
    /// the mail only.
    pub bounce: Bounce,
    /// Mailing lists: `ignore`, or `ticket` for the staff, with no user and no automatic mail.
    pub list: Machine,
    /// Mail that a spam filter marked in its header: `flag`, a ticket for the staff with a warning,
    /// no user and no automatic mail; `hold`; or `ignore`.
    pub spam_headers: Suspicion,
    /// Mail that the domain of its From disowns (`dmarc=fail`), as the server named by `authserv_id`
    /// found out: `flag`, `hold` or `ignore`, as for `spam_headers`.
    pub dmarc_fail: Suspicion,
    /// The name under which your own mail server writes Authentication-Results; no other is
    /// believed. It has to take fields of that name off mail from outside.
    #[schemars(example = &"mx.example.com", extend("format" = "guichet-line"))]
    pub authserv_id: Option<String>,
    /// Attachments with these endings are locked: the ticket opens, the staff can release the file.
    #[schemars(extend("format" = "guichet-extension"))]
    pub blocked_attachments: Vec<String>,
}

impl Default for Filters {
    fn default() -> Filters {
        Filters {
            auto_reply: AutoReply::Attach,
            auto_generated: Machine::Ticket,
            bounce: Bounce::Attach,
            list: Machine::Ticket,
            spam_headers: Suspicion::Flag,
            dmarc_fail: Suspicion::Flag,
            authserv_id: None,
            blocked_attachments: [".exe", ".js", ".scr"].map(str::to_owned).to_vec(),
        }
    }
}

/// `filters.auto_reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoReply {
    Attach,
    Ignore,
    Ticket,
}

/// `filters.auto_generated` and `filters.list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    Ignore,
    Ticket,
}

/// `filters.bounce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounce {
    Attach,
    Ignore,
}

/// `filters.spam_headers` and `filters.dmarc_fail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suspicion {
    Flag,
    Hold,
    Ignore,
}

/// `[limits]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Messages of one sender; `"off"` switches any limit off.
    pub per_sender: Rates,
    /// Messages of one domain.
    pub per_domain: Rates,
    /// New users; beyond, the ticket opens, the user and its mail follow when there is room.
    pub new_users: Rates,
    /// Automatic mails to one address: the brake of mail loops.
    pub auto_mails_per_address: Rates,
}

impl Default for Limits {
    fn default() -> Limits {
        let rates = |text| Rates::parse(text).expect("the defaults are good rates");
        Limits {
            per_sender: rates("30/h"),
            per_domain: rates("300/h"),
            new_users: rates("200/h"),
            auto_mails_per_address: rates("3/h, 10/d"),
        }
    }
}
