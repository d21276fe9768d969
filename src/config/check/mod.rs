//! What is wrong with settings that are each well formed: two that cannot both be, one that needs
//! another, a value out of its range. Sees the configuration only; what it points at is looked at
//! in [`super::surroundings`].

mod portal;
mod servers;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use super::file::{File, SenderCheck};
use super::formats;
use super::problem::{Place, Problem};
use super::settings::{plus_tag, public_domains};
use super::tree::{Node, Value};
use super::values::{Duration, Misread, Size};
use super::walk::nearest;
use crate::mail::AddressKey;
use crate::mail::address::PlusTag;
use crate::triage::policy::SitePolicy;
use crate::triage::sites::site_domain;

/// Checks `file`, which was read from `tree`.
pub fn check(file: &File, tree: &Node, problems: &mut Vec<Problem>) {
    let mut check = Check { file, tree, problems };
    check.version();
    check.mailboxes();
    check.own_addresses();
    check.outgoing();
    check.store();
    check.agents();
    check.quick_replies();
    check.sites();
    check.portal();
    check.ranges();
    if file.threading.sender_check == SenderCheck::Anyone {
        let message = "anyone who knows or guesses a ticket's number can add to it";
        let hint = "use `\"site\"` or `\"participants\"` unless all senders are trusted";
        check.warn(&["threading", "sender_check"], Misread::new(message, hint));
    }
}

struct Check<'a> {
    file: &'a File,
    tree: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn version(&mut self) {
        if self.file.version != 1 {
            let message =
                format!("version {} of the configuration is not known", self.file.version);
            self.err(&["version"], Misread::new(message, "this guichet reads `version = 1`"));
        }
    }

    fn mailboxes(&mut self) {
        let written = self.tree.at(&["mailbox"]).map(|node| &node.value);
        if matches!(written, Some(Value::Array(items)) if items.is_empty()) {
            let hint = "add a table `[[mailbox]]` with an `address`";
            self.err(&["mailbox"], Misread::new("there is no mailbox", hint));
        }
        let mut names = BTreeMap::new();
        for (i, mailbox) in self.file.mailbox.iter().enumerate() {
            let i = i.to_string();
            let name = mailbox.name.as_deref().unwrap_or(&mailbox.address);
            let key = if mailbox.name.is_some() { "name" } else { "address" };
            self.once(&mut names, name.to_lowercase(), &["mailbox", &i, key], |first| {
                let hint = format!("the other one is at {first}; give each a `name` of its own");
                Misread::new(format!("two mailboxes are named `{name}`"), hint)
            });
            self.provider(mailbox, &i);
            let local =
                mailbox.address.rsplit_once('@').map_or(0, |(local, _)| local.chars().count());
            if local > LONGEST_LOCAL_PART {
                let message =
                    format!("`{}` leaves no room for the tag of a reply address", mailbox.address);
                let hint = format!(
                    "replies are then known by other marks only; {LONGEST_LOCAL_PART} characters \
                     before the `@` leave room"
                );
                self.warn(&["mailbox", &i, "address"], Misread::new(message, hint));
            }
        }
    }

    /// M-35: an address that is ours belongs to one mailbox.
    fn own_addresses(&mut self) {
        let mut own = BTreeMap::new();
        for (i, mailbox) in self.file.mailbox.iter().enumerate() {
            let i = i.to_string();
            self.own_address(&mut own, &mailbox.address, &["mailbox", &i, "address"]);
            for (j, alias) in mailbox.aliases.iter().enumerate() {
                let j = j.to_string();
                self.own_address(&mut own, alias, &["mailbox", &i, "aliases", &j]);
            }
        }
        for (i, agent) in self.file.agent.iter().enumerate() {
            let i = i.to_string();
            let Some(key) = key(&agent.email, PlusTag::Strip) else { continue };
            if let Some(mailbox) = own.get(&key) {
                let message = format!("the agent `{}` has the address of a mailbox", agent.email);
                let hint = format!(
                    "the mailbox is at {mailbox}; give the agent's personal address, for mail \
                     from our own is never read"
                );
                self.err(&["agent", &i, "email"], Misread::new(message, hint));
            }
        }
    }

    fn own_address(&mut self, own: &mut BTreeMap<AddressKey, Place>, written: &str, path: &[&str]) {
        let Some(key) = key(written, PlusTag::Strip) else { return };
        self.once(own, key, path, |first| {
            let hint = format!("the other one is at {first}; an address belongs to one mailbox");
            Misread::new(format!("`{written}` is an address of two mailboxes"), hint)
        });
    }

    fn agents(&mut self) {
        let mut emails = BTreeMap::new();
        for (i, agent) in self.file.agent.iter().enumerate() {
            let i = i.to_string();
            let Some(key) = key(&agent.email, plus_tag(self.file)) else { continue };
            self.once(&mut emails, key, &["agent", &i, "email"], |first| {
                let hint = format!("the other one is at {first}; keep one of the two");
                Misread::new(format!("two agents have the address `{}`", agent.email), hint)
            });
            for (j, site) in agent.sites.iter().enumerate() {
                self.known_site(site, &["agent", &i, "sites", &j.to_string()]);
            }
        }
        for (i, mailbox) in self.file.mailbox.iter().enumerate() {
            if let Some(site) = &mailbox.default_site {
                self.known_site(site, &["mailbox", &i.to_string(), "default_site"]);
            }
        }
    }

    fn quick_replies(&mut self) {
        let mut names = BTreeMap::new();
        for (i, reply) in self.file.quick_reply.iter().enumerate() {
            let i = i.to_string();
            let folded = reply.name.trim().to_lowercase();
            self.once(&mut names, folded, &["quick_reply", &i, "name"], |first| {
                let hint = format!("the other one is at {first}; give one of them another name");
                Misread::new(format!("two quick replies are named `{}`", reply.name), hint)
            });
            if !reply.template.starts_with("quick_") {
                let message = format!("`{}` is no template of a quick reply", reply.template);
                let hint = "its name begins with `quick_`, as in `quick_portal_access`";
                self.err(&["quick_reply", &i, "template"], Misread::new(message, hint));
            }
        }
    }

    /// A warning only: a site may have been added with `guichet sites add`.
    fn known_site(&mut self, name: &str, path: &[&str]) {
        let names = self.file.site.iter().map(|site| site.name.as_str());
        let mut names = names.chain([self.file.sites.default.as_str()]);
        if names.clone().any(|known| known == name) {
            return;
        }
        let hint = match nearest(name, names.by_ref()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "declare it with `[[site]]`, or add it with `guichet sites add`".to_owned(),
        };
        self.warn(path, Misread::new(format!("the site `{name}` is not declared here"), hint));
    }

    /// M-108 and M-109.
    fn sites(&mut self) {
        let policy = SitePolicy {
            default: self.file.sites.default.clone(),
            match_subdomains: self.file.sites.match_subdomains,
            public_domains: public_domains(&self.file.sites.public_domains),
        };
        let (mut names, mut domains, mut addresses) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (i, site) in self.file.site.iter().enumerate() {
            let i = i.to_string();
            self.once(
                &mut names,
                site.name.trim().to_lowercase(),
                &["site", &i, "name"],
                |first| {
                    let hint =
                        format!("the other one is at {first}; put what belongs together into one");
                    Misread::new(format!("two sites are named `{}`", site.name), hint)
                },
            );
            for (j, written) in site.domains.iter().enumerate() {
                let j = j.to_string();
                let path = ["site", &i, "domains", &j];
                match site_domain(written, &policy) {
                    Ok(domain) => self.once(&mut domains, domain, &path, |first| {
                        let hint =
                            format!("the other one is at {first}; one domain belongs to one site");
                        Misread::new(format!("the domain `{written}` is given twice"), hint)
                    }),
                    Err(problem) => {
                        let said = problem.to_string();
                        let (said, hint) = said.split_once("\nhint: ").unwrap_or((
                            &said,
                            "write the part behind the `@`, such as `contoso.com`",
                        ));
                        let message = format!("`{written}` cannot be a site's domain: {said}");
                        self.err(&path, Misread::new(message, hint));
                    }
                }
            }
            for (j, written) in site.addresses.iter().enumerate() {
                let Some(key) = key(written, plus_tag(self.file)) else { continue };
                self.once(
                    &mut addresses,
                    key,
                    &["site", &i, "addresses", &j.to_string()],
                    |first| {
                        let hint =
                            format!("the other one is at {first}; a person belongs to one site");
                        Misread::new(format!("the address `{written}` is given twice"), hint)
                    },
                );
            }
        }
    }

    fn ranges(&mut self) {
        let minute = Duration::seconds(60);
        let second = Duration::seconds(1);
        let credentials = &self.file.credentials;
        self.at_least(credentials.link_expires, minute, &["credentials", "link_expires"]);
        self.at_least(credentials.password_expires, minute, &["credentials", "password_expires"]);
        self.at_least(credentials.max_age, minute, &["credentials", "max_age"]);
        if self.file.outbox.retry.is_empty() {
            let hint = "give at least one pause, as `[\"5m\"]`";
            let misread =
                Misread::new("`outbox.retry` is empty: no mail would be tried twice", hint);
            self.err(&["outbox", "retry"], misread);
        }
        for (i, pause) in self.file.outbox.retry.iter().enumerate() {
            self.at_least(*pause, second, &["outbox", "retry", &i.to_string()]);
        }
        for (i, mailbox) in self.file.mailbox.iter().enumerate() {
            let i = i.to_string();
            let path = ["mailbox", &i, "max_message_size"];
            self.between(mailbox.max_message_size, Size(1_000), Size(1_000_000_000), &path);
        }
        self.waits();
    }

    fn between<T: PartialOrd + Display>(&mut self, value: T, least: T, most: T, path: &[&str]) {
        if value > most {
            let hint = format!("the most is `\"{most}\"`");
            self.err(path, Misread::new(format!("`{value}` is too much"), hint));
        }
        self.at_least(value, least, path);
    }

    fn at_least<T: PartialOrd + Display>(&mut self, value: T, least: T, path: &[&str]) {
        if value < least {
            let hint = format!("the least is `\"{least}\"`");
            self.err(path, Misread::new(format!("`{value}` is too little"), hint));
        }
    }

    /// Remembers where `key` was seen first, and complains at each later place. What is missing or
    /// empty was complained about before.
    fn once<K: Ord>(
        &mut self,
        seen: &mut BTreeMap<K, Place>,
        key: K,
        path: &[&str],
        complaint: impl FnOnce(&Place) -> Misread,
    ) {
        let Some(node) = self.tree.at(path) else { return };
        match seen.entry(key) {
            Entry::Occupied(first) => {
                self.problems.push(Problem::error(&node.place, complaint(first.get())));
            }
            Entry::Vacant(free) => {
                free.insert(node.place.clone());
            }
        }
    }

    fn is_set(&self, path: &[&str]) -> bool {
        self.tree.at(path).is_some()
    }

    fn err(&mut self, path: &[&str], misread: Misread) {
        let place = nearest_place(self.tree, path);
        self.problems.push(Problem::error(place, misread));
    }

    fn warn(&mut self, path: &[&str], misread: Misread) {
        let place = nearest_place(self.tree, path);
        self.problems.push(Problem::warning(place, misread));
    }
}

/// Where the setting at `path` stands, or the table it is missing from.
pub fn nearest_place<'a>(tree: &'a Node, path: &[&str]) -> &'a Place {
    let mut upwards = (0..=path.len()).rev();
    upwards.find_map(|len| tree.at(&path[..len])).map_or(&tree.place, |node| &node.place)
}

fn key(written: &str, tag: PlusTag) -> Option<AddressKey> {
    formats::address(written).ok().map(|address| address.key(tag))
}

/// What is left of 64 characters beside `+r1k-1234567-` and a MAC of 26 (M-75).
const LONGEST_LOCAL_PART: usize = 64 - 39;
