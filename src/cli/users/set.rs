//! `guichet users set` and `delete`: what people change about users.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::add::placeable;
use super::{Profile, address, agent, find, name, print, refused, row, split_name};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, confirm, escape};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Format, Globals};
use crate::store::users::{self, Change};

#[derive(Args)]
pub(in crate::cli) struct SetArgs {
    /// An address or an id
    who: String,
    #[command(flatten)]
    profile: Profile,
    /// Adds addresses
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    add_address: Vec<String>,
    /// Takes addresses away; the last one stays
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    remove_address: Vec<String>,
    /// Sends mail to this one of their addresses from now on
    #[arg(long, value_name = "ADDRESS")]
    main_address: Option<String>,
    /// Whether tickets are made of their mail
    #[arg(long, value_enum)]
    tickets: Option<Switch>,
    /// Whether they may use the portal
    #[arg(long, value_enum)]
    status: Option<Status>,
}

#[derive(Args)]
pub(in crate::cli) struct DeleteArgs {
    /// An address or an id
    who: String,
    /// What becomes of their tickets
    #[arg(long, value_enum, default_value_t = Tickets::Keep)]
    tickets: Tickets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Status {
    Active,
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    Off,
    On,
}

/// What becomes of the tickets of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Tickets {
    /// They stay, with the requester's address
    Keep,
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: SetArgs) -> Result<Exit> {
    let before = find(desk, &args.who)?;
    let changes = changes(desk, &args)?;
    if changes.is_empty() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed\nhint: `guichet users set --help` lists what can be",
        ));
    }
    let (id, now) = (before.id.clone(), desk.clock.now());
    let found = desk.store.transact(move |sql| users::set(sql, &id, &changes, now));
    if !found.map_err(refused)? {
        return Err(deleted(&name(&before)));
    }
    let after = find(desk, &before.id)?;
    if globals.format() != Format::Table {
        print(globals, desk, &after)?;
        return Ok(Exit::Done);
    }
    let times = Times::new(globals, &desk.settings);
    let told = differences(&row(&before, &times), &row(&after, &times));
    if told.is_empty() {
        output::line(format_args!("`{}` is so already", escape(&name(&after))))?;
        return Ok(Exit::Done);
    }
    output::line(format_args!("changed `{}`", escape(&name(&after))))?;
    for difference in told {
        output::line(format_args!("  {difference}"))?;
    }
    hint(globals, format_args!("`guichet users show {}` shows them", after.id));
    Ok(Exit::Done)
}

fn changes(desk: &Desk, args: &SetArgs) -> Result<Vec<Change>> {
    let (policy, profile) = (&desk.settings.policy, &args.profile);
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut changes = Vec::new();
    if let Some(whole) = &profile.name {
        let (first, last) = split_name(whole);
        changes.extend([Change::FirstName(first), Change::LastName(last)]);
    }
    changes.extend(profile.first.clone().map(Change::FirstName));
    changes.extend(profile.last.clone().map(Change::LastName));
    if let Some(site) = &profile.site {
        changes.push(Change::Site(placeable(desk, site)?));
    }
    changes.extend(profile.access.map(Change::Access));
    changes.extend(profile.phone.as_ref().map(|text| Change::Phone(some(text))));
    changes.extend(profile.mobile.as_ref().map(|text| Change::Mobile(some(text))));
    changes.extend(profile.department.as_ref().map(|text| Change::Department(some(text))));
    changes.extend(profile.job_title.as_ref().map(|text| Change::JobTitle(some(text))));
    if let Some(written) = &profile.agent {
        let agent = some(written).map(|written| agent(desk, &written)).transpose()?;
        changes.push(Change::Agent(agent));
    }
    changes.extend(profile.locale.as_ref().map(|text| Change::Locale(some(text))));
    // In this order an address can be added and made the main one, and the old one taken away.
    for written in &args.add_address {
        let (address, key) = address(written, policy)?;
        changes.push(Change::AddAddress(address, key));
    }
    if let Some(written) = &args.main_address {
        changes.push(Change::MainAddress(address(written, policy)?.1));
    }
    for written in &args.remove_address {
        changes.push(Change::RemoveAddress(address(written, policy)?.1));
    }
    changes.extend(args.tickets.map(|tickets| Change::NoTickets(tickets == Switch::Off)));
    changes.extend(args.status.map(|status| match status {
        Status::Active => Change::Enable,
        Status::Disabled => Change::Disable,
    }));
    Ok(changes)
}

/// `field: before → after`, for every field that is another one now.
fn differences(before: &Value, after: &Value) -> Vec<String> {
    let said = |value: &Value| match value {
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).map(escape).collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        other => other.to_string(),
    };
    let said = |value: &Value| Some(said(value)).filter(|said| !said.is_empty());
    let said = |value: &Value| said(value).unwrap_or_else(|| "nothing".to_owned());
    let fields = after.as_object().into_iter().flatten();
    fields
        .filter(|(field, value)| *field != "updated_at" && before[*field] != **value)
        .map(|(field, value)| {
            format!("{}: {} → {}", field.replace('_', " "), said(&before[field]), said(value))
        })
        .collect()
}

pub(super) fn delete(globals: &Globals, desk: &Desk, args: &DeleteArgs) -> Result<Exit> {
    let user = find(desk, &args.who)?;
    let shown = escape(&name(&user));
    let kept = match args.tickets {
        Tickets::Keep => "their tickets stay",
    };
    confirm(globals, &format!("delete the user `{shown}` for good ({kept})?"))?;
    let (id, now) = (user.id.clone(), desk.clock.now());
    if !desk.store.transact(move |sql| users::delete(sql, &id, now))? {
        return Err(deleted(&name(&user)));
    }
    match globals.format() {
        Format::Table => {
            output::line(format_args!(
                "deleted `{shown}`; {kept}, and their links and passwords ended"
            ))?;
            output::line("mail from their addresses still becomes tickets, but makes no user")?;
        }
        _ => print(globals, desk, &find(desk, &user.id)?)?,
    }
    Ok(Exit::Done)
}

fn deleted(name: &str) -> anyhow::Error {
    failure(
        Exit::Negative,
        format!(
            "the user `{}` was deleted\nhint: their addresses stay reserved; mail from them becomes tickets without a user",
            escape(name)
        ),
    )
}
