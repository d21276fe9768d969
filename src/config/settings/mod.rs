//! The configuration as used: checked, resolved, and divided into each room's `Options`.

mod policy;
mod portal;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::environment::Environment;
use super::file::{self, File, Log, PublicDomains};
use super::formats;
use super::problem::{Invalid, Problem};
use super::relay::Relay;
use super::tree::Node;
use super::values::{Duration, Start};
use crate::mail::address::{PlusTag, domain_to_ascii};
use crate::mail::{Address, AddressKey};
use crate::triage::policy::{Policy, TrustedServer};
use crate::triage::sites::builtin_public_domains;
use crate::{intake, outbox, store};

use self::servers::Secrets;
pub use self::servers::no_password;

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
    /// `None` without a `portal.url`, or when it is switched off.
    pub portal: Option<crate::portal::Options>,
    pub sites: Vec<DeclaredSite>,
    pub agents: Vec<Agent>,
    pub quick_replies: Vec<QuickReply>,
    pub log: Log,
    /// Bytes.
    pub min_free_space: u64,
    /// How many messages are worked on at a time; 1 unless the store is PostgreSQL.
    pub workers: usize,
    /// Empty when everything can be logged in to; see [`Settings::require`].
    pub missing: Vec<MissingSecret>,
}

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: String,
    /// Bytes beyond which a message is a ticket from its header and first text (M-04).
    pub max_message_size: u64,
    /// How it is watched; `None` when [`Settings::missing`] has the secret that it takes.
    pub watched: Option<intake::Options>,
}

/// A secret that could not be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSecret {
    pub need: Need,
    /// An error at the place where the secret is named, or is not.
    pub problem: Problem,
}

/// What a secret is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// To watch the mailbox of this name.
    Mailbox(String),
    /// To send the mail of the mailbox of this name.
    Relay(String),
    /// To open the store.
    Store,
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

/// One `[[quick_reply]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickReply {
    pub name: String,
    pub template: String,
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
        let mut secrets = Secrets { tree, environment, missing: Vec::new() };
        let location = servers::location(file, &state, &mut secrets);
        let mailboxes = file.mailbox.iter().enumerate();
        let mailboxes = mailboxes.map(|(i, written)| mailbox(written, i, file, &mut secrets));
        Settings {
            store: store::Options { location, durability: store::Durability::Full },
            mailboxes: mailboxes.collect(),
            outbox: outbox(file, tree, &policy, &mut secrets),
            portal: portal::portal(file, &policy),
            sites: sites.map(|(i, site)| declared(site, i, tag, tree)).collect(),
            agents: file.agent.iter().map(agent).collect(),
            quick_replies: file.quick_reply.iter().map(quick_reply).collect(),
            log: file.log,
            min_free_space: file.min_free_space.0,
            workers: usize::from(file.store.workers),
            missing: secrets.missing,
            main: main.to_owned(),
            state,
            policy,
        }
    }

    /// What lies on the disk whose free space counts (`min_free_space`): the store when it is a file,
    /// wherever that is.
    pub fn disk(&self) -> &Path {
        match &self.store.location {
            store::Location::Sqlite(database) => database,
            store::Location::Memory | store::Location::Postgres(_) => &self.state,
        }
    }

    /// Refuses when a secret is missing for one of the things that are `needed`.
    pub fn require(&self, needed: impl Fn(&Need) -> bool) -> Result<(), Invalid> {
        let missing = self.missing.iter().filter(|missing| needed(&missing.need));
        let problems: Vec<Problem> = missing.map(|missing| missing.problem.clone()).collect();
        if problems.is_empty() { Ok(()) } else { Err(Invalid::new(problems)) }
    }
}

fn mailbox(
    written: &file::Mailbox,
    index: usize,
    file: &File,
    secrets: &mut Secrets<'_>,
) -> Mailbox {
    let (name, max_message_size) = (name_of(written), written.max_message_size.0);
    let (source, sweep, start_of_kind) = match written.provider {
        file::Provider::Imap | file::Provider::Microsoft365 => {
            let source = servers::imap(written, index, secrets).map(intake::SourceOptions::Imap);
            (source, written.imap.sweep, Start::Now)
        }
        file::Provider::Maildir => {
            let path = written.path.clone().expect("the check has seen that there is a path");
            (Some(intake::SourceOptions::Maildir { path }), written.sweep, Start::Unseen)
        }
    };
    let watched = source.map(|source| intake::Options {
        name: name.clone(),
        address: address(&written.address).to_string(),
        source,
        start: start(written.start.unwrap_or(start_of_kind), &file.timezone),
        after: match written.after {
            file::After::Delete => intake::After::Delete,
            file::After::Flag => intake::After::Flag,
            file::After::Keep => intake::After::Keep,
            file::After::Move => intake::After::Move { to: written.move_to.clone() },
        },
        max_message_size,
        sweep: sweep.0,
    });
    Mailbox { name, max_message_size, watched }
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

fn outbox(file: &File, tree: &Node, policy: &Policy, secrets: &mut Secrets<'_>) -> outbox::Options {
    let senders = file.mailbox.iter().enumerate();
    let senders = senders.map(|(i, mailbox)| (name_of(mailbox), sender(file, i, secrets)));
    let senders: BTreeMap<_, _> = senders.collect();
    let portal_url = file.portal.url.as_ref().filter(|_| file.portal.enabled);
    let pauses = file.outbox.retry.iter().map(|Duration(pause)| *pause);
    outbox::Options {
        transport: match (file.smtp.transport, &file.smtp.path) {
            (file::Transport::File, Some(path)) => {
                outbox::TransportOptions::File { maildir: path.clone() }
            }
            (file::Transport::File, None) | (file::Transport::None, _) => {
                outbox::TransportOptions::None
            }
            (file::Transport::Smtp, _) => outbox::TransportOptions::Smtp,
        },
        senders,
        agents: file.agent.iter().map(|written| speaker(written, plus_tag(file))).collect(),
        templates: templates(file, tree),
        portal_url: portal_url.map(|url| url.trim_end_matches('/').to_owned()),
        portal_name: portal_name(file),
        locale: file.locale.clone(),
        timezone: file.timezone.clone(),
        subject_tag: file.threading.subject_tag.clone(),
        use_body_token: file.threading.use_body_token,
        credentials_mode: policy.credentials.mode,
        link_expires: file.credentials.link_expires.0,
        password_expires: file.credentials.password_expires.0,
        retry: pauses.collect(),
    }
}

fn speaker(written: &file::Agent, tag: PlusTag) -> (AddressKey, outbox::AgentOptions) {
    let Agent { name, address, signature } = agent(written);
    let key = address.key(tag);
    (key, outbox::AgentOptions { name, address: address.to_string(), signature })
}

fn sender(file: &File, index: usize, secrets: &mut Secrets<'_>) -> outbox::SenderOptions {
    let mailbox = &file.mailbox[index];
    let (name, address) = match &mailbox.smtp.from {
        Some(from) => sender_of(from),
        // People know the desk by the portal's name.
        None => (file.portal.name.clone(), address(&mailbox.address)),
    };
    outbox::SenderOptions {
        address: address.to_string(),
        name,
        mailbox_address: mailbox.address.clone(),
        relay: match file.smtp.transport {
            file::Transport::File | file::Transport::None => None,
            file::Transport::Smtp => servers::relay(file, index, secrets),
        },
        envelope: match Relay::of(file, index).envelope {
            file::Envelope::Auto => outbox::Tagging::Auto,
            file::Envelope::Plain => outbox::Tagging::Never,
            file::Envelope::Plus => outbox::Tagging::Always,
        },
        reply_address: match file.threading.reply_address {
            file::ReplyAddress::Auto => outbox::Tagging::Auto,
            file::ReplyAddress::None => outbox::Tagging::Never,
            file::ReplyAddress::Plus => outbox::Tagging::Always,
        },
        proves_senders: policy::server(mailbox, &file.filters) != TrustedServer::None,
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

fn quick_reply(reply: &file::QuickReply) -> QuickReply {
    QuickReply { name: reply.name.clone(), template: reply.template.clone() }
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
