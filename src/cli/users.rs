//! `guichet users`: end users, their addresses, their site, what they may do. A name comes from mail
//! or from here; mail never changes one that exists (M-53).

mod add;
mod credentials;
mod delete;
pub(super) mod invitation;
mod merge;
mod reserved;
mod set;
mod upgrade;

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::listing::Listing;
use super::output;
use super::times::Times;
use super::words::{hint, one_of, said, text};
use super::{Format, Globals, export, sites};
use crate::mail::{Address, AddressKey};
use crate::outbox::template::normal_locale;
use crate::outbox::{OutboxError, Templates};
use crate::store::StoreError;
use crate::store::users::{self, Change, Filter, User};
use crate::triage::facts::UserStatus;
use crate::triage::names;
use crate::triage::policy::{Access, Policy};

pub(super) use add::make_of_sender;
pub(super) use reserved::reserved;

#[derive(Subcommand)]
pub(super) enum UsersCommand {
    /// Adds a user with full access, or upgrades one whom a mail made, and queues the mail with their credentials
    Add(Box<add::AddArgs>),
    /// Deletes a user; their addresses stay reserved, so that mail revives nobody
    Delete(delete::DeleteArgs),
    /// Lets a user log in no more; their mail still becomes tickets
    Disable {
        /// An address or an id
        who: String,
    },
    /// Lets a user log in again
    Enable {
        /// An address or an id
        who: String,
    },
    /// Writes out users as `import users` reads them: the same as `export users`
    Export(export::UsersArgs),
    /// Lists users, in the order they were made
    List(ListArgs),
    /// Makes two users one: addresses, tickets and what is known of them go to the second
    Merge(merge::MergeArgs),
    /// Gives a user a way to choose a new password, by mail or by telephone
    ResetPassword(credentials::ResetArgs),
    /// Mails users a way to log in
    SendCredentials(Box<credentials::SendArgs>),
    /// Changes a user; an empty text clears a field
    Set(Box<set::SetArgs>),
    /// Shows a user
    Show {
        /// An address or an id
        who: String,
    },
}

#[derive(Args)]
pub(super) struct ListArgs {
    /// Only those of this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// Only those with this access
    #[arg(long, value_parser = one_of(ACCESS, Access::parse))]
    access: Option<Access>,
    /// Only those with this status; all but the deleted when not given
    #[arg(long, value_parser = one_of(STATUS, UserStatus::parse))]
    status: Option<UserStatus>,
    /// Only those with this in a name or an address
    #[arg(long, value_name = "PART")]
    q: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// What `add` and `set` can both say of a user.
#[derive(Args, Default)]
struct Profile {
    /// First and last name, split at the first space
    #[arg(long, value_parser = text, conflicts_with_all = ["first", "last"])]
    name: Option<String>,
    /// The first name
    #[arg(long, value_name = "NAME", value_parser = text)]
    first: Option<String>,
    /// The last name
    #[arg(long, value_name = "NAME", value_parser = text)]
    last: Option<String>,
    /// The site's name
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// What they may do in the portal: one who is added has `full` access
    #[arg(long, value_parser = one_of(ACCESS, Access::parse))]
    access: Option<Access>,
    /// Their telephone number
    #[arg(long, value_name = "NUMBER", value_parser = text)]
    phone: Option<String>,
    /// Their mobile number
    #[arg(long, value_name = "NUMBER", value_parser = text)]
    mobile: Option<String>,
    /// The department they work in
    #[arg(long, value_name = "NAME", value_parser = text)]
    department: Option<String>,
    /// What they work as
    #[arg(long, value_name = "TITLE", value_parser = text)]
    job_title: Option<String>,
    /// The address of the agent who looks after them
    #[arg(long, value_name = "ADDRESS", value_parser = text)]
    agent: Option<String>,
    /// The language of mail to them, e.g. `fr`
    #[arg(long, value_parser = locale)]
    locale: Option<String>,
}

const ACCESS: [&str; 2] = ["full", "limited"];
const STATUS: [&str; 3] = ["active", "disabled", "deleted"];

pub(super) fn run(globals: &Globals, command: UsersCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        UsersCommand::Add(args) => add::run(globals, &desk, *args),
        UsersCommand::Delete(args) => delete::run(globals, &desk, &args),
        UsersCommand::Disable { who } => set::switch(globals, &desk, &who, Change::Disable),
        UsersCommand::Enable { who } => set::switch(globals, &desk, &who, Change::Enable),
        UsersCommand::Export(args) => export::users(globals, &desk, &args),
        UsersCommand::List(args) => list(globals, &desk, args),
        UsersCommand::Merge(args) => merge::run(globals, &desk, &args),
        UsersCommand::ResetPassword(args) => credentials::reset(globals, &desk, &args),
        UsersCommand::SendCredentials(args) => credentials::send(globals, &desk, &args),
        UsersCommand::Set(args) => set::run(globals, &desk, *args),
        UsersCommand::Show { who } => show(globals, &desk, &who),
    }
}

fn list(globals: &Globals, desk: &Desk, args: ListArgs) -> Result<Exit> {
    let site = args.site.map(|name| sites::named(desk, &name)).transpose()?;
    let filter = Filter {
        site: site.map(|site| site.name),
        access: args.access,
        status: args.status,
        part: args.q,
        after: None,
    };
    let listing = Listing {
        what: "user",
        shown: &["name", "addresses", "site", "access", "status", "credentials", "id"],
        all: &COLUMNS,
        limit: args.limit,
    };
    let users = desk.store.read_only(|sql| users::list(sql, &filter, listing.wanted()))?;
    let times = Times::new(globals, &desk.settings);
    listing.print(globals, &users, |user| row(user, &times))?;
    Ok(Exit::Done)
}

fn show(globals: &Globals, desk: &Desk, who: &str) -> Result<Exit> {
    let user = find(desk, who)?;
    print(globals, desk, &user)?;
    hint(globals, format_args!("`guichet tickets list --user {}` lists their tickets", user.id));
    Ok(Exit::Done)
}

/// The user with this address or id, deleted ones too.
pub(super) fn find(desk: &Desk, who: &str) -> Result<User> {
    let wanted = id_or_key(who, &desk.settings.policy)?;
    desk.store.read_only(|sql| users::show(sql, &wanted))?.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!("there is no user `{}`\nhint: `guichet users list --q PART` finds one by a part of a name or an address", who.escape_debug()),
        )
    })
}

/// What the store knows somebody by: the key of an address (M-32), else an id.
pub(super) fn id_or_key(who: &str, policy: &Policy) -> Result<String> {
    let who = who.trim();
    if !who.contains('@') {
        return Ok(who.to_owned());
    }
    Ok(address(who, policy)?.1.0)
}

/// An address given by hand, with its key.
pub(super) fn address(written: &str, policy: &Policy) -> Result<(Address, AddressKey)> {
    let address = Address::parse(written.trim()).map_err(|problem| {
        failure(Exit::Usage, format!("{problem}\nhint: write it as `claire.johnson@contoso.com`"))
    })?;
    let key = address.key(names::plus_tag(&policy.users));
    Ok((address, key))
}

/// One user, a field a line for people.
fn print(globals: &Globals, desk: &Desk, user: &User) -> Result<()> {
    let fields = row(user, &Times::new(globals, &desk.settings));
    match globals.format() {
        Format::Table => output::object(Format::Table, &said(fields)),
        format => output::object(format, &fields),
    }
}

const COLUMNS: [&str; 28] = [
    "id",
    "name",
    "first_name",
    "last_name",
    "derived",
    "addresses",
    "undeliverable",
    "status",
    "access",
    "site",
    "site_placed",
    "phone",
    "mobile",
    "department",
    "job_title",
    "agent",
    "locale",
    "made_by",
    "no_tickets",
    "credentials",
    "credentials_withheld",
    "credentials_bounced",
    "created_at",
    "updated_at",
    "deleted_at",
    "password_set_at",
    "last_login_at",
    "merged_into",
];

/// A user as a row; the first of the addresses is where mail of ours goes.
pub(super) fn row(user: &User, times: &Times) -> Value {
    let addresses: Vec<&str> = user.addresses.iter().map(|one| one.address.as_str()).collect();
    let undeliverable: Vec<&str> = user
        .addresses
        .iter()
        .filter(|one| one.undeliverable)
        .map(|one| one.address.as_str())
        .collect();
    json!({
        "id": user.id,
        "name": name(user),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "derived": user.derived,
        "addresses": addresses,
        "undeliverable": undeliverable,
        "status": user.status.as_str(),
        "access": user.access.as_str(),
        "site": user.site.1,
        "site_placed": user.site_placed,
        "phone": user.phone,
        "mobile": user.mobile,
        "department": user.department,
        "job_title": user.job_title,
        "agent": user.agent,
        "locale": user.locale,
        "made_by": user.made_by,
        "no_tickets": user.no_tickets,
        "credentials": user.credentials.as_str(),
        "credentials_withheld": user.credentials_withheld,
        "credentials_bounced": user.credentials_bounced,
        "created_at": times.value(user.created_at),
        "updated_at": times.value(user.updated_at),
        "deleted_at": times.value_of(user.deleted_at),
        "password_set_at": times.value_of(user.password_set_at),
        "last_login_at": times.value_of(user.last_login_at),
        "merged_into": user.merged_into,
    })
}

/// M-50: the name shown for a user.
pub(super) fn name(user: &User) -> String {
    let address = user.addresses.first().map(|main| main.address.as_str()).unwrap_or_default();
    names::display(&user.first_name, &user.last_name, address)
}

/// The keys of a work that gives addresses to users: beside it nothing is decided about mail from them.
pub(super) fn lock_keys(addresses: &[(Address, AddressKey)]) -> Vec<String> {
    addresses.iter().map(|(_, key)| format!("address {}", key.as_str())).collect()
}

/// Refuses a language that no mail is written in. What an empty one means, the caller knows.
pub(super) fn must_be_written_in(desk: &Desk, locale: Option<&str>) -> Result<()> {
    let Some(locale) = locale.filter(|locale| !locale.is_empty()) else { return Ok(()) };
    let templates = Templates::load(&desk.settings.outbox).map_err(OutboxError::Templates)?;
    let language = |locale: &str| normal_locale(locale).split('-').next().map(str::to_owned);
    let known: BTreeSet<String> =
        templates.all().filter_map(|template| language(template.locale())).collect();
    if language(locale).is_some_and(|language| known.contains(&language)) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|language| format!("`{language}`")).collect();
    Err(failure(
        Exit::Usage,
        format!(
            "no mail is written in `{}`\nhint: there are {}; others with templates of your own, as `NAME.LOCALE.txt`",
            locale.escape_debug(),
            known.join(", ")
        ),
    ))
}

/// First and last name of a whole one: the first space parts them.
pub(super) fn split_name(whole: &str) -> (String, String) {
    let (first, last) = whole.split_once(' ').unwrap_or((whole, ""));
    (first.to_owned(), last.trim_start().to_owned())
}

/// The address of an agent as the configuration declares it.
pub(super) fn agent(desk: &Desk, written: &str) -> Result<String> {
    let agents = &desk.settings.agents;
    let found = agents.iter().find(|agent| {
        agent.address.to_string().eq_ignore_ascii_case(written)
            || agent.name.eq_ignore_ascii_case(written)
    });
    found.map(|agent| agent.address.to_string()).ok_or_else(|| {
        let known: Vec<String> =
            agents.iter().map(|agent| format!("`{}`", agent.address)).collect();
        let hint = match known.is_empty() {
            true => "the configuration has no `[[agent]]` yet".to_owned(),
            false => format!("the configuration has {}", known.join(", ")),
        };
        failure(
            Exit::InputMissing,
            format!("there is no agent `{}`\nhint: {hint}", written.escape_debug()),
        )
    })
}

// A language, perhaps with a region: what templates are named after.
pub(super) fn locale(written: &str) -> Result<String, String> {
    let locale = written.trim().replace('_', "-");
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or_default();
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let is_language =
        (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_alphabetic());
    if locale.is_empty() || (is_language && parts.all(is_part)) {
        return Ok(locale);
    }
    Err("write a language such as `fr`, perhaps with a region as in `fr-CA`".to_owned())
}

/// That a user cannot be changed, having been deleted.
pub(super) fn gone(user: &User) -> anyhow::Error {
    set::deleted(&name(user))
}

/// The same for an address that is to be a new user's: whose it is, and what to do with them.
fn refused_new(desk: &Desk, error: StoreError) -> anyhow::Error {
    let StoreError::Taken { address, by } = &error else { return refused(error) };
    let Ok(owner) = find(desk, address) else { return refused(error) };
    let hint = match owner.status {
        UserStatus::Active => format!("`guichet users set {address} …` changes them"),
        UserStatus::Disabled => {
            format!(
                "`guichet users enable {address}` lets them log in again, `users set` changes them"
            )
        }
        UserStatus::Deleted => return refused(error),
    };
    let said = format!("the address `{address}` belongs to {by} already\nhint: {hint}");
    failure(Exit::Negative, said)
}

/// What the store refuses about users is a negative result, not a failure.
pub(super) fn refused(error: StoreError) -> anyhow::Error {
    match &error {
        StoreError::Taken { address, by } if by.starts_with("the deleted user") => failure(
            Exit::Negative,
            format!(
                "the address `{address}` belongs to {by} already\nhint: `--revive` makes them a user again; their tickets, if they were kept, are theirs"
            ),
        ),
        StoreError::Taken { .. } | StoreError::Unknown { .. } | StoreError::Violated(_) => {
            failure(Exit::Negative, error.to_string())
        }
        _ => anyhow!(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_space_parts_a_name() {
        let split = |whole| {
            let (first, last) = split_name(whole);
            format!("{first}|{last}")
        };
        assert_eq!(split("Claire Marie Johnson"), "Claire|Marie Johnson");
        assert_eq!(split("Claire  Johnson"), "Claire|Johnson");
        assert_eq!(split("Claire"), "Claire|");
    }

    #[test]
    fn a_locale_is_a_language_and_perhaps_a_region() {
        for good in ["fr", "fr-CA", "fr_CA", "zh-Hant-TW", ""] {
            assert!(locale(good).is_ok(), "{good}");
        }
        for bad in ["french", "f", "fr-", "../x", "fr CA"] {
            assert!(locale(bad).is_err(), "{bad}");
        }
    }
}
