//! `guichet sites add`, `set` and `delete`: sites that people make. What the configuration declares is
//! read-only here: the error says where it stands.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{named, show};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, confirm, escape};
use crate::cli::users;
use crate::cli::words::{counted, hint, text};
use crate::cli::{Format, Globals};
use crate::mail::AddressKey;
use crate::store::sites::Site;
use crate::store::sites::hand::{self, SiteEdit};
use crate::triage::policy::SitePolicy;
use crate::triage::sites::site_domain;

#[derive(Args)]
pub(in crate::cli) struct AddArgs {
    /// The name of the new site
    #[arg(value_parser = text)]
    name: String,
    #[command(flatten)]
    profile: Profile,
}

#[derive(Args)]
pub(in crate::cli) struct SetArgs {
    /// The name of the site
    name: String,
    /// Its new name
    #[arg(long = "name", value_name = "NAME", value_parser = text)]
    new_name: Option<String>,
    #[command(flatten)]
    profile: Profile,
    /// Takes domains away
    #[arg(long, value_name = "DOMAIN", num_args = 1..)]
    remove_domain: Vec<String>,
    /// Takes addresses away
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    remove_address: Vec<String>,
    /// Takes away that somebody sees all tickets of the site
    #[arg(long, value_name = "WHO", num_args = 1..)]
    remove_primary_user: Vec<String>,
}

#[derive(Args)]
pub(in crate::cli) struct DeleteArgs {
    /// The name of the site
    name: String,
    /// The site that its users and tickets go to
    #[arg(long, value_name = "NAME")]
    move_to: Option<String>,
}

/// What `add` and `set` can both say of a site.
#[derive(Args)]
struct Profile {
    /// Whoever writes from one of these belongs to the site
    #[arg(long, value_name = "DOMAIN", num_args = 1..)]
    domain: Vec<String>,
    /// People of the site without a domain of its own
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    address: Vec<String>,
    /// Who sees all tickets of the site: an address, or a user's id
    #[arg(long, value_name = "WHO", num_args = 1..)]
    primary_user: Vec<String>,
    /// The language of mail to its users; empty for that of the desk
    #[arg(long, value_parser = users::locale)]
    locale: Option<String>,
    /// Its telephone number; empty for none
    #[arg(long, value_name = "NUMBER", value_parser = text)]
    phone: Option<String>,
    /// Whether its new users are told how to log in
    #[arg(long, value_enum)]
    credentials: Option<Switch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    Off,
    On,
}

pub(super) fn add(globals: &Globals, desk: &Desk, args: &AddArgs) -> Result<Exit> {
    if args.name.is_empty() {
        return Err(failure(
            Exit::Usage,
            "a site needs a name\nhint: it is what people call it by",
        ));
    }
    let edits = edits(desk, &args.profile)?;
    let (name, ids, now) = (args.name.clone(), desk.ids.clone(), desk.clock.now());
    desk.store
        .transact(move |sql| {
            let id = hand::add(sql, &name, &ids, now)?;
            hand::set(sql, &id, &edits)
        })
        .map_err(users::refused)?;
    told(globals, desk, &args.name, "added")
}

pub(super) fn set(globals: &Globals, desk: &Desk, args: &SetArgs) -> Result<Exit> {
    let site = changeable(desk, &args.name)?;
    let mut edits: Vec<SiteEdit> = args.new_name.clone().map(SiteEdit::Name).into_iter().collect();
    edits.extend(self::edits(desk, &args.profile)?);
    for written in &args.remove_domain {
        let domain = crate::mail::address::domain_to_ascii(written.trim().trim_start_matches('@'));
        edits.push(SiteEdit::RemoveDomain(domain.unwrap_or_else(|| written.trim().to_owned())));
    }
    for written in &args.remove_address {
        edits.push(SiteEdit::RemoveAddress(key(desk, written)?));
    }
    for who in &args.remove_primary_user {
        edits.push(SiteEdit::RemovePrimaryUser(primary_user(desk, who)?));
    }
    if edits.is_empty() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed\nhint: `guichet sites set --help` lists what can be",
        ));
    }
    let id = site.id.clone();
    desk.store.transact(move |sql| hand::set(sql, &id, &edits)).map_err(users::refused)?;
    told(globals, desk, args.new_name.as_ref().unwrap_or(&site.name), "changed")
}

pub(super) fn delete(globals: &Globals, desk: &Desk, args: &DeleteArgs) -> Result<Exit> {
    let site = named(desk, &args.name)?;
    if site.declared || site.is_default {
        return Err(read_only(desk, &site));
    }
    let into = match &args.move_to {
        Some(name) => Some(named(desk, name)?),
        None => None,
    };
    if let Some(into) = into.as_ref().filter(|into| into.retired || into.id == site.id) {
        return Err(failure(
            Exit::Negative,
            format!(
                "`{}` cannot take its users and tickets: it is {}\nhint: name another one",
                escape(&into.name),
                if into.retired { "retired" } else { "the one that is to go" }
            ),
        ));
    }
    confirm(globals, &format!("delete the site `{}` for good?", escape(&site.name)))?;
    let (id, now) = (site.id.clone(), desk.clock.now());
    let into_id = into.as_ref().map(|into| into.id.clone());
    let moved = desk
        .store
        .transact(move |sql| hand::delete(sql, &id, into_id.as_deref(), now))
        .map_err(users::refused)?;
    match globals.format() {
        Format::Table => {
            output::line(format_args!("deleted the site `{}`", escape(&site.name)))?;
            if let Some(into) = into {
                output::line(format_args!(
                    "{} and {} are at `{}` now",
                    counted(moved.users as usize, "user"),
                    counted(moved.tickets as usize, "ticket"),
                    escape(&into.name)
                ))?;
            }
        }
        format => output::object(
            format,
            &json!({ "site": site.name, "moved_to": into.map(|into| into.name), "users": moved.users, "tickets": moved.tickets }),
        )?,
    }
    Ok(Exit::Done)
}

/// The site of this name, if people may change it.
pub(in crate::cli) fn changeable(desk: &Desk, name: &str) -> Result<Site> {
    let site = named(desk, name)?;
    if !site.is_by_hand() {
        return Err(read_only(desk, &site));
    }
    if site.retired {
        return Err(failure(
            Exit::Negative,
            format!(
                "the site `{0}` is retired: it was taken out of the configuration\nhint: `guichet sites add '{0}'` takes it up again, to be changed here",
                escape(&site.name)
            ),
        ));
    }
    Ok(site)
}

/// Why a site cannot be changed here, and where it can.
pub(in crate::cli) fn read_only(desk: &Desk, site: &Site) -> anyhow::Error {
    let name = escape(&site.name);
    let declared = desk.settings.sites.iter().find(|declared| declared.site.name == site.name);
    let said = match declared {
        Some(declared) => format!(
            "the site `{name}` is declared in the configuration ({})\nhint: change it there; a running guichet takes it up with the next start or reload",
            declared.declared_at
        ),
        None => format!(
            "the site `{name}` is where those go whom no site matches: the configuration makes it\nhint: `sites.default` and `default_site` of a mailbox name such sites"
        ),
    };
    failure(Exit::Negative, said)
}

fn told(globals: &Globals, desk: &Desk, name: &str, what: &str) -> Result<Exit> {
    if globals.format() != Format::Table {
        return show(globals, desk, name);
    }
    let site = named(desk, name)?;
    output::line(format_args!("{what} the site `{}`", escape(&site.name)))?;
    let listed = [
        ("domains", &site.domains),
        ("addresses", &site.addresses),
        ("primary users", &site.primary_users),
    ];
    for (what, list) in listed.iter().filter(|(_, list)| !list.is_empty()) {
        output::line(format_args!("  {what}: {}", escape(&list.join(", "))))?;
    }
    hint(globals, "`guichet sites rematch -n` says which users of the default site it would get");
    Ok(Exit::Done)
}

fn edits(desk: &Desk, profile: &Profile) -> Result<Vec<SiteEdit>> {
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    users::must_be_written_in(desk, profile.locale.as_deref())?;
    let mut edits = Vec::new();
    for written in &profile.domain {
        edits.push(SiteEdit::AddDomain(domain(desk, written)?));
    }
    for written in &profile.address {
        edits.push(SiteEdit::AddAddress(key(desk, written)?));
    }
    for who in &profile.primary_user {
        edits.push(SiteEdit::AddPrimaryUser(primary_user(desk, who)?));
    }
    edits.extend(profile.locale.as_ref().map(|locale| SiteEdit::Locale(some(locale))));
    edits.extend(profile.phone.as_ref().map(|phone| SiteEdit::Phone(some(phone))));
    let credentials = profile.credentials;
    edits.extend(credentials.map(|switch| SiteEdit::Credentials(switch == Switch::On)));
    Ok(edits)
}

/// A domain that may stand for a site, in lower-case A-labels (M-108, T-10), or why it may not.
pub(in crate::cli) fn site_of(written: &str, policy: &SitePolicy) -> Result<String, String> {
    let written = written.trim().trim_start_matches('@');
    site_domain(written, policy)
        .map_err(|problem| format!("the domain `{}`: {problem}", escape(written)))
}

fn domain(desk: &Desk, written: &str) -> Result<String> {
    site_of(written, &desk.settings.policy.sites).map_err(|problem| failure(Exit::Usage, problem))
}

/// The key of an address written by hand.
fn key(desk: &Desk, written: &str) -> Result<AddressKey> {
    Ok(users::address(written, &desk.settings.policy)?.1)
}

// One who has not written yet is primary from the day they are made.
fn primary_user(desk: &Desk, who: &str) -> Result<AddressKey> {
    if who.contains('@') {
        return key(desk, who);
    }
    let user = users::find(desk, who)?;
    let main = user.addresses.first().map(|main| AddressKey(main.key.clone()));
    main.ok_or_else(|| users::gone(&user))
}
