//! The configuration as used: checked, resolved, and divided into each room's `Options`.

mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::environment::Environment;
use super::file::{self, File, Log, PublicDomains};
use super::formats;
use super::tree::Node;
use super::values::{Duration, Start};
use crate::mail::Address;
use crate::mail::address::{PlusTag, domain_to_ascii};
use crate::triage::policy::Policy;
use crate::triage::sites::builtin_public_domains;
use crate::{intake, outbox, store};

/// The configuration as used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The main file.
    pub main: PathBuf,
    /// The state folder; nobody has made it yet.
    pub state: PathBuf,
    pub store: store::Options,
    pub policy: Policy,
    pub mailboxes: Vec<Mailbox>,
    pub outbox: outbox::Options,
    pub sites: Vec<DeclaredSite>,
    pub agents: Vec<Agent>,
    pub log: Log,
    /// Bytes.
    pub min_free_space: u64,
}

/// One mailbox, and whether this release can watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// On a mail server: `explain`, `replay` and `ingest` know it, `run` does not watch it yet.
    Network {
        name: String,
        address: Address,
        max_message_size: u64,
    },
    Watched(intake::Options),
}

impl Mailbox {
    /// The mailbox's name.
    pub fn name(&self) -> &str {
        match self {
            Mailbox::Network { name, .. } => name,
            Mailbox::Watched(options) => &options.name,
        }
    }

    /// Bytes beyond which a message is a ticket from its header and first text (M-04).
    pub fn max_message_size(&self) -> u64 {
        match self {
            Mailbox::Network { max_message_size, .. } => *max_message_size,
            Mailbox::Watched(options) => options.max_message_size,
        }
    }
}

/// One `[[site]]`: what is declared is read-only elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredSite {
    pub site: store::sites::DeclaredSite,
    /// `file:line`, for whoever tries to change it elsewhere.
    pub declared_at: String,
}

/// One `[[agent]]`, for lists and templates; what decides about mail is in the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    pub name: String,
    pub address: Address,
    pub signature: Option<String>,
}

/// The domains that `sites.public_domains` means, as lower-case A-labels (M-108).
pub fn public_domains(written: &PublicDomains) -> BTreeSet<String> {
    match written {
        PublicDomains::Builtin(_) => builtin_public_domains(),
        PublicDomains::List(domains) => {
            domains.iter().filter_map(|domain| domain_to_ascii(domain)).collect()
        }
    }
}

/// What `users.strip_plus_tag` says of the people who write (M-32).
pub fn plus_tag(file: &File) -> PlusTag {
    match file.users.strip_plus_tag {
        true => PlusTag::Strip,
        false => PlusTag::Keep,
    }
}

impl Settings {
    /// Makes settings of a file that has been checked; `tree` is what it was read from.
    pub fn new(file: &File, tree: &Node, main: &Path, environment: &Environment) -> Settings {
        let state = file.state.clone().unwrap_or_else(|| environment.default_state(main));
        let policy = policy::policy(file);
        let tag = plus_tag(file);
        let sites = file.site.iter().enumerate();
        let database = formats::store(&file.store.url).expect("the walk has checked the store");
        let location = store::Location::Sqlite(state.join(database));
        Settings {
            store: store::Options { location, durability: store::Durability::Full },
            mailboxes: file.mailbox.iter().map(|mailbox| watched(mailbox, file)).collect(),
            outbox: outbox(file, tree, &policy),
            sites: sites.map(|(i, site)| declared(site, i, tag, tree)).collect(),
            agents: file.agent.iter().map(agent).collect(),
            log: file.log,
            min_free_space: file.min_free_space.0,
            main: main.to_owned(),
            state,
            policy,
        }
    }
}

fn watched(mailbox: &file::Mailbox, file: &File) -> Mailbox {
    let (name, address) = (name_of(mailbox), address(&mailbox.address));
    let max_message_size = mailbox.max_message_size.0;
    let path = match (mailbox.provider, &mailbox.path) {
        (file::Provider::Maildir, Some(path)) => path.clone(),
        _ => return Mailbox::Network { name, address, max_message_size },
    };
    Mailbox::Watched(intake::Options {
        name,
        address: address.to_string(),
        source: intake::SourceOptions::Maildir { path },
        start: start(mailbox.start.unwrap_or(Start::Unseen), &file.timezone),
        after: match mailbox.after {
            file::After::Delete => intake::After::Delete,
            file::After::Flag => intake::After::Flag,
            file::After::Keep => intake::After::Keep,
            file::After::Move => intake::After::Move { to: mailbox.move_to.clone() },
        },
        max_message_size,
        sweep: mailbox.sweep.0,
    })
}

fn start(start: Start, timezone: &str) -> intake::Start {
    let zone = formats::timezone(timezone).unwrap_or(TimeZone::UTC);
    let local = |local: jiff::civil::DateTime| {
        let time = zone.to_timestamp(local).expect("a date of four digits is a point in time");
        intake::Start::Since(time)
    };
    match start {
        Start::All => intake::Start::All,
        Start::Date(date) => local(date.at(0, 0, 0, 0)),
        Start::Local(time) => local(time),
        Start::Now => intake::Start::Now,
        Start::Timestamp(time) => intake::Start::Since(time),
        Start::Unseen => intake::Start::Unseen,
    }
}

fn outbox(file: &File, tree: &Node, policy: &Policy) -> outbox::Options {
    let senders = file.mailbox.iter().map(|mailbox| {
        let (name, address) = match &mailbox.smtp.from {
            Some(from) => sender_of(from),
            // People know the desk by the portal's name.
            None => (file.portal.name.clone(), address(&mailbox.address)),
        };
        let sender = outbox::SenderOptions {
            address: address.to_string(),
            name,
            mailbox_address: mailbox.address.clone(),
            relay: None,
            envelope: outbox::Tagging::Auto,
            reply_address: outbox::Tagging::Auto,
        };
        (name_of(mailbox), sender)
    });
    let senders: BTreeMap<_, _> = senders.collect();
    let portal_url = file.portal.url.as_ref().filter(|_| file.portal.enabled);
    let pauses = file.outbox.retry.iter().map(|Duration(pause)| *pause);
    outbox::Options {
        transport: match (file.smtp.transport, &file.smtp.path) {
            (file::Transport::File, Some(path)) => {
                outbox::TransportOptions::File { maildir: path.clone() }
            }
            _ => outbox::TransportOptions::None,
        },
        senders,
        templates: templates(file, tree),
        portal_url: portal_url.map(|url| url.trim_end_matches('/').to_owned()),
        portal_name: portal_name(file),
        locale: file.locale.clone(),
        timezone: file.timezone.clone(),
        subject_tag: file.threading.subject_tag.clone(),
        credentials_mode: policy.credentials.mode,
        link_expires: file.credentials.link_expires.0,
        password_expires: file.credentials.password_expires.0,
        retry: pauses.collect(),
    }
}

/// The default folder and file need not be there; what is named must be.
fn templates(file: &File, tree: &Node) -> outbox::TemplateOptions {
    let used = |key: &str, path: &PathBuf| {
        let is_named = tree.at(&["templates", key]).is_some();
        (is_named || path.exists()).then(|| path.clone())
    };
    outbox::TemplateOptions {
        dir: used("dir", &file.templates.dir),
        aliases: used("aliases", &file.templates.aliases),
        quoting: match file.templates.allow_quoting_unverified {
            true => outbox::Quoting::Allowed,
            false => outbox::Quoting::Refused,
        },
    }
}

/// `portal.name`, else the host of the portal, else the domain people write to.
fn portal_name(file: &File) -> String {
    let host = file.portal.url.as_deref().and_then(|url| {
        let rest = url.split_once("://").map(|(_, rest)| rest)?;
        rest.split(['/', ':']).next().filter(|host| !host.is_empty() && !host.starts_with('['))
    });
    let domain = file.mailbox.first().and_then(|mailbox| mailbox.address.rsplit_once('@'));
    let name = file.portal.name.as_deref().or(host).or(domain.map(|(_, domain)| domain));
    name.unwrap_or_default().to_owned()
}

fn declared(site: &file::Site, index: usize, tag: PlusTag, tree: &Node) -> DeclaredSite {
    let keys = |written: &[String]| addresses(written).iter().map(|one| one.key(tag)).collect();
    let declared_at = tree.at(&["site", &index.to_string(), "name"]);
    DeclaredSite {
        site: store::sites::DeclaredSite {
            name: site.name.trim().to_owned(),
            domains: site
                .domains
                .iter()
                .filter_map(|domain| domain_to_ascii(domain.trim()))
                .collect(),
            addresses: keys(&site.addresses),
            primary_users: keys(&site.primary_users),
            locale: site.locale.clone(),
            credentials: site.credentials,
        },
        declared_at: declared_at.map(|node| node.place.to_string()).unwrap_or_default(),
    }
}

fn agent(agent: &file::Agent) -> Agent {
    Agent {
        name: agent.name.clone().unwrap_or_else(|| agent.email.clone()),
        address: address(&agent.email),
        signature: agent.signature.clone(),
    }
}

fn name_of(mailbox: &file::Mailbox) -> String {
    mailbox.name.clone().unwrap_or_else(|| mailbox.address.clone())
}

fn sender_of(from: &str) -> (Option<String>, Address) {
    formats::from(from).expect("the walk has checked the senders of mail")
}

fn addresses(written: &[String]) -> Vec<Address> {
    written.iter().map(|written| address(written)).collect()
}

fn address(written: &str) -> Address {
    formats::address(written).expect("the walk has checked the addresses")
}
