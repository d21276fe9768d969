//! `guichet users set`, `disable` and `enable`: what people change about users. Whoever gets full
//! access is told how to log in, once.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::add::placeable;
use super::{Profile, address, agent, find, invitation, lock_keys, name, print, refused, row};
use super::{must_be_written_in, reserved, split_name};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, escape};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Format, Globals};
use crate::store::users::invitation::{Invitation, invite_upgraded};
use crate::store::users::{self, Change, User};
use crate::triage::policy::Access;

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
    /// Sends no mail to whoever gets full access
    #[arg(long)]
    no_mail: bool,
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

pub(super) fn run(globals: &Globals, desk: &Desk, args: SetArgs) -> Result<Exit> {
    let before = find(desk, &args.who)?;
    must_be_written_in(desk, args.profile.locale.as_deref())?;
    let changes = changes(desk, &args)?;
    if changes.is_empty() {
        return Err(failure(
            Exit::Usage,
            "nothing is to be changed\nhint: `guichet users set --help` lists what can be",
        ));
    }
    let invitation = change(desk, &before, changes, mail(&args))?;
    let Some(invitation) = invitation else { return Err(deleted(&name(&before))) };
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
    if invitation != Invitation::NotAsked {
        output::line(invitation::said(&invitation))?;
    }
    hint(globals, format_args!("`guichet users show {}` shows them", after.id));
    Ok(Exit::Done)
}

/// Whether whoever gets full access is told how to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mail {
    None,
    Once,
}

fn mail(args: &SetArgs) -> Mail {
    if args.no_mail { Mail::None } else { Mail::Once }
}

/// Changes a user, and queues the mail of whoever gets full access by it; nothing when they were
/// deleted.
fn change(
    desk: &Desk,
    before: &User,
    changes: Vec<Change>,
    mail: Mail,
) -> Result<Option<Invitation>> {
    let (id, now) = (before.id.clone(), desk.clock.now());
    let (ids, settings) = (desk.ids.clone(), desk.settings.clone());
    let added = changes.iter().filter_map(|change| match change {
        Change::AddAddress(address, key) => Some((address.clone(), key.clone())),
        _ => None,
    });
    let keys = lock_keys(&added.collect::<Vec<_>>());
    let changed = desk.store.transact_keyed(keys, move |sql| {
        let before = users::show(sql, &id)?;
        if !users::set(sql, &id, &changes, now)? {
            return Ok(None);
        }
        let was_limited = before.is_some_and(|before| before.access == Access::Limited);
        let is_upgraded = was_limited && changes.contains(&Change::Access(Access::Full));
        if !is_upgraded || mail == Mail::None {
            return Ok(Some(Invitation::NotAsked));
        }
        invite_upgraded(sql, &id, invitation::desk(&settings), &ids, now).map(Some)
    });
    changed.map_err(refused)
}

/// Ends what they could log in with, and lets them log in no more, or lets them again.
pub(super) fn switch(globals: &Globals, desk: &Desk, who: &str, to: Change) -> Result<Exit> {
    let before = find(desk, who)?;
    let shown = escape(&name(&before));
    let is_off = to == Change::Disable;
    let Some(_) = change(desk, &before, vec![to], Mail::None)? else {
        return Err(deleted(&name(&before)));
    };
    if globals.format() != Format::Table {
        print(globals, desk, &find(desk, &before.id)?)?;
        return Ok(Exit::Done);
    }
    let was = before.status.as_str();
    if is_off {
        output::line(format_args!(
            "disabled `{shown}` (was {was}); their sessions, links and temporary passwords ended"
        ))?;
        hint(
            globals,
            "their mail still becomes tickets; `guichet users enable WHO` lets them in again",
        );
    } else {
        output::line(format_args!("enabled `{shown}` (was {was})"))?;
        hint(
            globals,
            format_args!(
                "they log in with the password they chose; `guichet users send-credentials {}` sends them a way to choose one",
                before.id
            ),
        );
    }
    Ok(Exit::Done)
}

fn changes(desk: &Desk, args: &SetArgs) -> Result<Vec<Change>> {
    let (policy, profile) = (&desk.settings.policy, &args.profile);
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut changes = Vec::new();
    if let Some(whole) = &profile.name {
        if whole.is_empty() {
            return Err(failure(
                Exit::Usage,
                "`--name` is empty\nhint: leave it out, and the name stays as it is",
            ));
        }
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
        if let Some(why) = reserved(&address, &key, policy) {
            return Err(failure(Exit::Usage, why));
        }
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

pub(super) fn deleted(name: &str) -> anyhow::Error {
    failure(
        Exit::Negative,
        format!(
            "the user `{}` was deleted\nhint: their addresses stay reserved, and mail from them becomes tickets without a user; `guichet users add ADDRESS --revive` makes them one again",
            escape(name)
        ),
    )
}
