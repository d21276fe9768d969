//! Whom mail is from, as written: agents, users and their names, credentials, sites.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DAY;
use crate::config::values::{Duration, Rates};

/// One `[[agent]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["email"]))]
pub struct Agent {
    /// The name in mails and lists. Default: the address.
    #[schemars(example = &"Anna Weiss", extend("format" = "guichet-line"))]
    pub name: Option<String>,
    /// The address the agent writes from.
    #[schemars(example = &"anna@example.com", extend("format" = "guichet-address"))]
    pub email: String,
    /// What `agent.signature` gives in templates.
    #[schemars(example = &"Anna Weiss, Example IT")]
    pub signature: Option<String>,
    /// The sites whose tickets the agent works on; empty: all.
    #[schemars(extend("format" = "guichet-line"))]
    pub sites: Vec<String>,
    /// What the agent hears of by mail: of tickets assigned to them, and of those that are assigned to
    /// nobody. What somebody else gives them is new to them, too; `ticket.assigned` is that alone.
    pub notify: Vec<Notify>,
}

impl Default for Agent {
    fn default() -> Agent {
        Agent {
            name: None,
            email: String::new(),
            signature: None,
            sites: Vec::new(),
            notify: vec![Notify::Created, Notify::Replied],
        }
    }
}

/// An entry of `agent.notify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
pub enum Notify {
    #[serde(rename = "ticket.assigned")]
    Assigned,
    #[serde(rename = "ticket.created")]
    Created,
    #[serde(rename = "ticket.replied")]
    Replied,
}

/// `[tickets]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tickets {
    /// Which changes of a ticket its requester is told by mail: who looks after it, that it is closed,
    /// its site, and any other change of its state.
    pub announce: Vec<Announce>,
}

impl Default for Tickets {
    fn default() -> Tickets {
        use Announce::{Assignee, Closed, Site, Status};
        Tickets { announce: vec![Assignee, Closed, Site, Status] }
    }
}

/// An entry of `tickets.announce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Announce {
    Assignee,
    Closed,
    Site,
    Status,
}

/// One `[[quick_reply]]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name", "template"]))]
pub struct QuickReply {
    /// What `tickets reply --quick` calls it.
    #[schemars(example = &"portal access", extend("format" = "guichet-line"))]
    pub name: String,
    /// The template that says it; its name begins with `quick_`.
    #[schemars(example = &"quick_portal_access", extend("format" = "guichet-template"))]
    pub template: String,
}

/// `[users]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// Whether somebody unknown who writes becomes a user; otherwise the mail is held.
    pub auto_create: bool,
    /// Where a new user's name comes from: the address, the name in the mail, or that with the
    /// address as a fallback.
    pub name_from: NameFrom,
    /// What users whom a mail made may see in the portal; whoever is added or imported may see all.
    pub access: Access,
    /// `claire+x@` is `claire@` for matching and naming.
    pub strip_plus_tag: bool,
    /// Who may write: addresses or `@domains`; empty: everyone.
    #[schemars(extend("format" = "guichet-sender"))]
    pub allow: Vec<String>,
    /// Whose mail is ignored: addresses or `@domains`.
    #[schemars(extend("format" = "guichet-sender"))]
    pub deny: Vec<String>,
    /// From addresses or `@domains`, of web forms, whose Reply-To is the real sender.
    #[schemars(extend("format" = "guichet-sender"))]
    pub reply_to_senders: Vec<String>,
    /// How an address becomes a first and a last name.
    pub names: Names,
}

impl Default for Users {
    fn default() -> Users {
        Users {
            auto_create: true,
            name_from: NameFrom::Address,
            access: Access::Limited,
            strip_plus_tag: true,
            allow: Vec::new(),
            deny: Vec::new(),
            reply_to_senders: Vec::new(),
            names: Names::default(),
        }
    }
}

/// `users.name_from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameFrom {
    Address,
    Header,
    HeaderThenAddress,
}

/// `users.access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Full,
    Limited,
}

/// `[users.names]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// The characters that split a local part: what is before the first is the first name, the
    /// rest the last name, its separators turned into spaces.
    #[schemars(extend("format" = "guichet-separators"))]
    pub split_on: String,
    /// The last name of an address that does not split: the first name again, or none.
    pub no_split: NoSplit,
}

impl Default for Names {
    fn default() -> Names {
        Names { split_on: ".".to_owned(), no_split: NoSplit::Repeat }
    }
}

/// `users.names.no_split`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoSplit {
    Blank,
    Repeat,
}

/// `[credentials]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Whether a new user is mailed, once.
    pub send: bool,
    /// The template of that mail.
    #[schemars(extend("format" = "guichet-template"))]
    pub template: String,
    /// What the mail brings: `link` to set a password, `temporary_password`, `auto` for a link
    /// unless the template uses `portal.password`, or `none`.
    pub mode: CredentialsMode,
    /// How long the link works.
    pub link_expires: Duration,
    /// How long the temporary password works.
    pub password_expires: Duration,
    /// Mail that arrived longer ago than this earns no automatic mail.
    pub max_age: Duration,
    /// The proof of sender that is needed: `pass`, a trusted authentication pass; `pass-if-known`,
    /// that once `filters.authserv_id` is set; `not-failed`.
    pub require: Proof,
    /// Whether users of the default site get the mail too.
    pub unassigned: bool,
    /// How often one address may ask for a new password.
    pub reset_limit: Rates,
}

impl Default for Credentials {
    fn default() -> Credentials {
        Credentials {
            send: true,
            template: "credentials".to_owned(),
            mode: CredentialsMode::Auto,
            link_expires: Duration::seconds(7 * DAY),
            password_expires: Duration::seconds(DAY),
            max_age: Duration::seconds(7 * DAY),
            require: Proof::PassIfKnown,
            unassigned: true,
            reset_limit: Rates::parse("3/h").expect("the default is a good rate"),
        }
    }
}

/// `credentials.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsMode {
    Auto,
    Link,
    None,
    TemporaryPassword,
}

/// `credentials.require`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    NotFailed,
    Pass,
    PassIfKnown,
}

/// `[sites]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sites {
    /// The site of users whom no other matches.
    #[schemars(extend("format" = "guichet-line"))]
    pub default: String,
    /// Whether a site's domain stands for its subdomains too; the longest domain wins.
    pub match_subdomains: bool,
    /// Domains that never stand for a site, such as gmail.com: `builtin`, or a list of your own.
    pub public_domains: PublicDomains,
}

impl Default for Sites {
    fn default() -> Sites {
        Sites {
            default: "Unassigned".to_owned(),
            match_subdomains: true,
            public_domains: PublicDomains::Builtin(Builtin::Builtin),
        }
    }
}

/// `sites.public_domains`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(untagged)]
#[schemars(extend("format" = "guichet-public-domains"))]
pub enum PublicDomains {
    Builtin(Builtin),
    List(Vec<String>),
}

/// The word `builtin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builtin {
    Builtin,
}

/// One `[[site]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name"]))]
pub struct Site {
    /// The name of the site.
    #[schemars(example = &"Contoso", extend("format" = "guichet-line"))]
    pub name: String,
    /// Whoever writes from one of these belongs to the site.
    #[schemars(
        extend("examples" = [["contoso.example", "contoso-fr.example"]], "format" = "guichet-domain")
    )]
    pub domains: Vec<String>,
    /// People of the site without a domain of its own; wins over domains.
    #[schemars(extend("examples" = [["boss@mail.example"]], "format" = "guichet-address"))]
    pub addresses: Vec<String>,
    /// Users who see all tickets of the site; made when they first write or are added.
    #[schemars(extend("examples" = [["it@contoso.example"]], "format" = "guichet-address"))]
    pub primary_users: Vec<String>,
    /// The language of mails to its users. Default: `locale`.
    #[schemars(example = &"fr", extend("format" = "guichet-locale"))]
    pub locale: Option<String>,
    /// Whether its new users are told how to log in.
    pub credentials: bool,
}

impl Default for Site {
    fn default() -> Site {
        Site {
            name: String::new(),
            domains: Vec::new(),
            addresses: Vec::new(),
            primary_users: Vec::new(),
            locale: None,
            credentials: true,
        }
    }
}
