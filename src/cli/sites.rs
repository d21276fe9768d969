//! `guichet sites`: customer companies, found by domain.

pub(super) mod change;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::output::{self, escape};
use super::times::Times;
use super::words::{counted, hint, said};
use super::{Format, Globals};
use crate::config;
use crate::mail::Address;
use crate::mail::address::domain_to_unicode;
use crate::store::sites::{self, Moved, Rematch, Site};
use crate::store::users;
use crate::triage::facts::SiteMatch;
use crate::triage::names;
use crate::triage::sites::{site_domain, site_domains};

#[derive(Subcommand)]
pub(super) enum SitesCommand {
    /// Makes a site, beside those that the configuration declares
    Add(Box<change::AddArgs>),
    /// Deletes a site made by hand
    Delete(change::DeleteArgs),
    /// Lists the sites
    List,
    /// Says which site an address belongs to, and why
    Match { address: String },
    /// Matches the users of the default site again, but for those whom a person placed there
    Rematch(RematchArgs),
    /// Changes a site made by hand
    Set(Box<change::SetArgs>),
    /// Shows a site
    Show {
        /// Its name
        name: String,
    },
    /// Lists the domains of users whom no site matches, the most frequent first
    Unmatched,
}

#[derive(Args)]
pub(super) struct RematchArgs {
    /// Only says who would be moved
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(globals: &Globals, command: SitesCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        SitesCommand::Add(args) => change::add(globals, &desk, &args),
        SitesCommand::Delete(args) => change::delete(globals, &desk, &args),
        SitesCommand::List => list(globals, &desk),
        SitesCommand::Match { address } => match_address(globals, &desk, &address),
        SitesCommand::Rematch(args) => rematch(globals, &desk, &args),
        SitesCommand::Set(args) => change::set(globals, &desk, &args),
        SitesCommand::Show { name } => show(globals, &desk, &name),
        SitesCommand::Unmatched => unmatched(globals, &desk),
    }
}

/// The site of this name, or an error with the nearest one.
pub(super) fn named(desk: &Desk, name: &str) -> Result<Site> {
    let name = name.trim();
    if let Some(site) = desk.store.read_only(|sql| sites::show(sql, name))? {
        return Ok(site);
    }
    let all = desk.store.read_only(|sql| sites::list(sql, None))?;
    let hint = match config::nearest(name, all.iter().map(|site| site.name.as_str())) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`guichet sites list` lists them; `guichet sites add` makes one, or a `[[site]]` in the configuration".to_owned(),
    };
    Err(failure(
        Exit::InputMissing,
        format!("there is no site `{}`\nhint: {hint}", name.escape_debug()),
    ))
}

fn list(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let sites = desk.store.read_only(|sql| sites::list(sql, None))?;
    let times = Times::new(globals, &desk.settings);
    let rows: Vec<Value> = sites.iter().map(|site| row(site, desk, &times)).collect();
    let columns: &[&str] = match globals.format() {
        Format::Table => &["name", "domains", "users", "tickets", "state"],
        Format::Csv | Format::Json | Format::Jsonl => &COLUMNS,
    };
    output::rows(globals.format(), columns, &rows)?;
    Ok(Exit::Done)
}

fn show(globals: &Globals, desk: &Desk, name: &str) -> Result<Exit> {
    let site = named(desk, name)?;
    let fields = row(&site, desk, &Times::new(globals, &desk.settings));
    match globals.format() {
        Format::Table => output::object(Format::Table, &said(fields))?,
        format => output::object(format, &fields)?,
    }
    hint(globals, format_args!("`guichet users list --site '{}'` lists its users", site.name));
    Ok(Exit::Done)
}

const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "state",
    "declared_at",
    "is_default",
    "domains",
    "addresses",
    "primary_users",
    "locale",
    "phone",
    "credentials",
    "users",
    "tickets",
    "declared",
    "created_at",
];

fn row(site: &Site, desk: &Desk, times: &Times) -> Value {
    let declared_at = desk
        .settings
        .sites
        .iter()
        .find(|declared| declared.site.name == site.name)
        .map(|declared| declared.declared_at.as_str());
    json!({
        "id": site.id,
        "name": site.name,
        "state": state(site),
        "declared": site.declared,
        "declared_at": declared_at,
        "retired": site.retired,
        "is_default": site.is_default,
        "domains": site.domains,
        "addresses": site.addresses,
        "primary_users": site.primary_users,
        "locale": site.locale,
        "phone": site.phone,
        "credentials": site.credentials,
        "users": site.users,
        "tickets": site.tickets,
        "created_at": times.value(site.created_at),
    })
}

/// Where a site comes from, in a word.
pub(super) fn state(site: &Site) -> &'static str {
    match (site.retired, site.is_default, site.declared) {
        (true, _, _) => "retired",
        (false, true, _) => "default",
        (false, false, true) => "declared",
        (false, false, false) => "by hand",
    }
}

/// M-111: the site, and the domain and rule that decided.
fn match_address(globals: &Globals, desk: &Desk, written: &str) -> Result<Exit> {
    let policy = &desk.settings.policy;
    let address = Address::parse(written.trim())
        .map_err(|problem| failure(Exit::Usage, problem.to_string()))?;
    let key = address.key(names::plus_tag(&policy.users));
    let domains = site_domains(address.domain(), policy);
    let (matched, default, user) = desk.store.read_only(|sql| {
        let (matched, default) = sites::matches(sql, &key, &domains, &policy.sites.default)?;
        Ok((matched, default, users::show(sql, key.as_str())?))
    })?;
    let site = matched.into_iter().next().unwrap_or(default);
    let (matched_by, rule, said) = why(&site.matched_by, &domains);
    let kept = user.filter(|user| user.site.0 != site.id).map(|user| user.site.1);
    let fields = json!({
        "address": address.to_string(),
        "site": site.name,
        "matched_by": matched_by,
        "rule": rule,
        "user_site": kept,
    });
    if globals.format() != Format::Table {
        output::object(globals.format(), &fields)?;
        return Ok(Exit::Done);
    }
    output::line(format_args!(
        "`{}` belongs to `{}`: {said} ({rule})",
        escape(&address.to_string()),
        escape(&site.name)
    ))?;
    if let Some(kept) = kept {
        output::line(format_args!("their user is at `{}` and stays there (M-110)", escape(&kept)))?;
        hint(
            globals,
            "`guichet users set WHO --site NAME` moves a user, `guichet sites rematch` those of the default site",
        );
    }
    Ok(Exit::Done)
}

/// How a site was found: as in a decision's story, the rule, and in words.
fn why(matched_by: &SiteMatch, domains: &[String]) -> (String, &'static str, String) {
    match matched_by {
        SiteMatch::Address => {
            ("address".to_owned(), "M-109", "the address is one of its `addresses`".to_owned())
        }
        SiteMatch::Domain(domain) => {
            (format!("domain {domain}"), "M-107", format!("its domain is `{domain}`"))
        }
        SiteMatch::Default | SiteMatch::Kept if domains.is_empty() => (
            "default".to_owned(),
            "M-108",
            "everybody can have an address at that domain, so it says nothing about a site"
                .to_owned(),
        ),
        SiteMatch::Default | SiteMatch::Kept => {
            ("default".to_owned(), "M-107", "no site has its domain or one above it".to_owned())
        }
    }
}

fn rematch(globals: &Globals, desk: &Desk, args: &RematchArgs) -> Result<Exit> {
    let how = if args.dry_run { Rematch::Dry } else { Rematch::Apply };
    let (settings, now) = (desk.settings.clone(), desk.clock.now());
    let moved = desk.store.transact(move |sql| {
        let domains = |address: &Address| site_domains(address.domain(), &settings.policy);
        sites::rematch(sql, &domains, how, now)
    })?;
    let rows: Vec<Value> = moved
        .iter()
        .map(|Moved { user, address, from, to, matched_by }| {
            json!({ "user": user, "address": address, "from": from, "to": to, "matched_by": why(matched_by, &[]).0 })
        })
        .collect();
    let columns = ["address", "from", "to", "matched_by", "user"];
    if globals.format() != Format::Table || !rows.is_empty() {
        output::rows(globals.format(), &columns, &rows)?;
    }
    let users = counted(rows.len(), "user");
    match how {
        Rematch::Apply => hint(
            globals,
            format_args!("{users} moved; their tickets stay where they were opened (M-110)"),
        ),
        Rematch::Dry => {
            hint(globals, format_args!("{users} would be moved; without `-n` they are"))
        }
    }
    Ok(Exit::Done)
}

fn unmatched(globals: &Globals, desk: &Desk) -> Result<Exit> {
    let domains = desk.store.read_only(sites::unmatched)?;
    let policy = &desk.settings.policy.sites;
    let rows: Vec<Value> = domains
        .iter()
        .map(|(domain, users)| {
            let problem = site_domain(domain, policy).err().map(|problem| problem.to_string());
            // The hint of a problem stands on a line of its own.
            let note = problem.as_deref().and_then(|problem| problem.lines().next());
            // Programs compare it, people read it (M-31).
            let domain = match globals.format() {
                Format::Table => domain_to_unicode(domain),
                Format::Csv | Format::Json | Format::Jsonl => domain.clone(),
            };
            json!({ "domain": domain, "users": users, "note": note })
        })
        .collect();
    output::rows(globals.format(), &["domain", "users", "note"], &rows)?;
    if !rows.is_empty() {
        hint(
            globals,
            "put a domain into the `domains` of a `[[site]]`, or `guichet sites set NAME --domain`; then `guichet sites rematch`",
        );
    }
    Ok(Exit::Done)
}
