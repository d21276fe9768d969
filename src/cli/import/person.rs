//! What a row of a table says of a user, once each cell is understood; nothing is looked up for it.

use super::columns::{Columns, plain};
use super::table::Row;
use super::{Cell, Clear, cell, entries, first_line, switch};
use crate::cli::users as people;
use crate::config::Settings;
use crate::config::settings::Agent;
use crate::mail::{Address, AddressKey};
use crate::store::users::Change;
use crate::triage::policy::{Access, Policy};

/// What a row says of somebody.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// At least one; for a new user the first is where mail of ours goes.
    pub addresses: Vec<(Address, AddressKey)>,
    pub changes: Vec<Change>,
    pub site: Option<String>,
    /// Whether an earlier row would have made them.
    pub made_before: bool,
}

impl Person {
    /// Reads a row, or says why it cannot be taken.
    pub fn read(
        row: &Row,
        columns: &Columns,
        settings: &Settings,
        clear: Clear,
    ) -> Result<Person, String> {
        let addresses = addresses(row, columns, &settings.policy)?;
        let changes = changes(row, columns, &settings.agents, clear)?;
        let site = match cell(row, columns, "site", Clear::No)? {
            Cell::Set(name) => Some(name),
            Cell::Clear | Cell::Leave => None,
        };
        Ok(Person { addresses, changes, site, made_before: false })
    }
}

fn addresses(
    row: &Row,
    columns: &Columns,
    policy: &Policy,
) -> Result<Vec<(Address, AddressKey)>, String> {
    let mut addresses: Vec<(Address, AddressKey)> = Vec::new();
    for field in ["email", "addresses"] {
        let Cell::Set(written) = cell(row, columns, field, Clear::No)? else { continue };
        for entry in entries(&written) {
            let (address, key) =
                people::address(entry, policy).map_err(|error| first_line(&error))?;
            if addresses.iter().all(|(_, known)| *known != key) {
                addresses.push((address, key));
            }
        }
    }
    if addresses.is_empty() {
        return Err("it has no address".to_owned());
    }
    Ok(addresses)
}

fn changes(
    row: &Row,
    columns: &Columns,
    agents: &[Agent],
    clear: Clear,
) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    let mut text = |field: &str, change: &dyn Fn(Option<String>) -> Change| {
        match cell(row, columns, field, clear)? {
            Cell::Clear => changes.push(change(None)),
            Cell::Leave => {}
            Cell::Set(text) => changes.push(change(Some(text))),
        }
        Ok::<(), String>(())
    };
    text("phone", &Change::Phone)?;
    text("mobile", &Change::Mobile)?;
    text("department", &Change::Department)?;
    text("job_title", &Change::JobTitle)?;
    text("first_name", &|name| Change::FirstName(name.unwrap_or_default()))?;
    text("last_name", &|name| Change::LastName(name.unwrap_or_default()))?;
    if let Cell::Set(whole) = cell(row, columns, "name", Clear::No)?
        && !changes.iter().any(|one| matches!(one, Change::FirstName(name) if !name.is_empty()))
    {
        let (first, last) = people::split_name(&whole);
        changes.retain(|one| !matches!(one, Change::FirstName(_) | Change::LastName(_)));
        changes.extend([Change::FirstName(first), Change::LastName(last)]);
    }
    match cell(row, columns, "agent", clear)? {
        Cell::Clear => changes.push(Change::Agent(None)),
        Cell::Leave => {}
        Cell::Set(written) => {
            changes.push(Change::Agent(Some(agent(agents, &written)?)));
        }
    }
    match cell(row, columns, "locale", clear)? {
        Cell::Clear => changes.push(Change::Locale(None)),
        Cell::Leave => {}
        Cell::Set(written) => {
            let locale = people::locale(language(&written));
            let problem =
                |problem| format!("`{}` is no language: {problem}", written.escape_debug());
            changes.push(Change::Locale(Some(locale.map_err(problem)?)));
        }
    }
    if let Cell::Set(written) = cell(row, columns, "access", Clear::No)? {
        let access = Access::parse(&written.to_lowercase());
        let access = access.ok_or_else(|| {
            format!("`{}` is no access: there are `full` and `limited`", written.escape_debug())
        })?;
        changes.push(Change::Access(access));
    }
    if let Cell::Set(written) = cell(row, columns, "status", Clear::No)? {
        let is_active = switch("status", &written)?;
        changes.push(if is_active { Change::Enable } else { Change::Disable });
    }
    if let Cell::Set(written) = cell(row, columns, "tickets", Clear::No)? {
        changes.push(Change::NoTickets(!switch("tickets", &written)?));
    }
    Ok(changes)
}

fn agent(agents: &[Agent], written: &str) -> Result<String, String> {
    let found = agents.iter().find(|agent| {
        agent.address.to_string().eq_ignore_ascii_case(written)
            || agent.name.eq_ignore_ascii_case(written)
    });
    let found = found.map(|agent| agent.address.to_string());
    found.ok_or_else(|| format!("there is no agent `{}`", written.escape_debug()))
}

/// Some programs write languages out.
fn language(written: &str) -> &str {
    match plain(written).as_str() {
        "alemao" | "aleman" | "allemand" | "deutsch" | "duits" | "german" | "tedesco" => "de",
        "dutch" | "holandes" | "neerlandais" | "neerlandes" | "nederlands" | "niederlandisch"
        | "olandese" => "nl",
        "anglais" | "engels" | "englisch" | "english" | "ingles" | "inglese" => "en",
        "castellano" | "espagnol" | "espanhol" | "espanol" | "spaans" | "spagnolo" | "spanisch"
        | "spanish" => "es",
        "francais" | "frances" | "francese" | "frans" | "franzosisch" | "french" => "fr",
        "italiaans" | "italian" | "italiano" | "italien" | "italienisch" => "it",
        "portoghese" | "portugais" | "portugees" | "portugiesisch" | "portugues" | "portuguese" => {
            "pt"
        }
        _ => written,
    }
}
