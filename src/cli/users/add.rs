//! `guichet users add`: a user made by hand, who gets their credentials at once unless told
//! otherwise (threats §6).

use anyhow::Result;
use clap::Args;

use super::invitation;
use super::{Profile, address, agent, find, lock_keys, must_be_written_in, name, refused};
use super::{refused_new, reserved, row, split_name, upgrade};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, escape};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Format, Globals, sites};
use crate::mail::{Address, AddressKey};
use crate::store::users::invitation::{Invitation, invite, invite_upgraded};
use crate::store::users::{self, Addition};
use crate::store::{Sql, StoreError};
use crate::triage::facts::{CredentialsState, UserStatus};
use crate::triage::names;
use crate::triage::policy::{Access, Policy};
use crate::triage::sites::site_domains;

#[derive(Args)]
pub(in crate::cli) struct AddArgs {
    /// The address that mail to them goes to
    address: String,
    /// Further addresses of theirs
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    also: Vec<String>,
    #[command(flatten)]
    pub(super) profile: Profile,
    /// Makes no tickets of their mail
    #[arg(long)]
    pub(super) no_tickets: bool,
    /// Sends them no credentials, now or later
    #[arg(long)]
    pub(super) no_mail: bool,
    /// Makes a deleted user one again, when the address is that of one
    #[arg(long)]
    revive: bool,
}

pub(super) fn run(globals: &Globals, desk: &Desk, args: AddArgs) -> Result<Exit> {
    must_be_written_in(desk, args.profile.locale.as_deref())?;
    let addition = addition(desk, &args, Access::Full)?;
    let policy = &desk.settings.policy;
    if let Some(why) =
        addition.addresses.iter().find_map(|(address, key)| reserved(address, key, policy))
    {
        return Err(failure(Exit::Usage, why));
    }
    let (ids, now, settings) = (desk.ids.clone(), desk.clock.now(), desk.settings.clone());
    let keys = lock_keys(&addition.addresses);
    let (id, is_upgraded, invitation) = desk
        .store
        .transact_keyed(keys, move |sql| {
            if let Some(user) = upgrade::made_by_mail(sql, &addition, &settings.policy)? {
                users::set(sql, &user.id, &upgrade::changes(&user, &args, &addition), now)?;
                let invitation = match args.no_mail {
                    true => Invitation::NotAsked,
                    false => {
                        let desk = invitation::desk(&settings);
                        invite_upgraded(sql, &user.id, desk, &ids, now)?
                    }
                };
                return Ok((user.id, true, invitation));
            }
            let gone = if args.revive { deleted(sql, &addition)? } else { None };
            let id = match gone {
                Some(id) => {
                    users::revive(sql, &id, &addition, now)?;
                    id
                }
                None => users::add(sql, &addition, &ids, now)?,
            };
            let invitation = match addition.credentials {
                CredentialsState::Due => invite(sql, &id, invitation::desk(&settings), &ids, now)?,
                CredentialsState::NotDue | CredentialsState::Sent => Invitation::NotAsked,
            };
            Ok((id, false, invitation))
        })
        .map_err(|error| refused_new(desk, error))?;
    let user = find(desk, &id)?;
    if globals.format() != Format::Table {
        let mut fields = row(&user, &Times::new(globals, &desk.settings));
        fields["upgraded"] = is_upgraded.into();
        output::object(globals.format(), &fields)?;
        return Ok(Exit::Done);
    }
    let (shown, main) = (name(&user), &user.addresses[0].address);
    let done = match is_upgraded {
        true => "upgraded the user whom a mail made,",
        false => "added",
    };
    output::line(format_args!(
        "{done} `{}` <{}> at `{}`",
        escape(&shown),
        escape(main),
        escape(&user.site.1)
    ))?;
    output::line(invitation::said(&invitation))?;
    match invitation {
        Invitation::Queued(number) => hint(
            globals,
            format_args!(
                "`guichet outbox show {number}` shows the mail; a running guichet sends it"
            ),
        ),
        _ => hint(globals, format_args!("`guichet users show {main}` shows them")),
    }
    Ok(Exit::Done)
}

/// The deleted user whom the first address belongs to.
fn deleted(sql: &mut dyn Sql, addition: &Addition) -> Result<Option<String>, StoreError> {
    let Some((_, key)) = addition.addresses.first() else { return Ok(None) };
    let user = users::show(sql, key.as_str())?;
    Ok(user.filter(|user| user.status == UserStatus::Deleted).map(|user| user.id))
}

/// Makes a user of somebody whose mail was held (`held release --create-user`), unless they are one.
/// Their credentials are due: they go out with the message, by the gate.
pub(in crate::cli) fn make_of_sender(desk: &Desk, written: &str) -> Result<()> {
    let args = AddArgs {
        address: written.to_owned(),
        also: Vec::new(),
        profile: Profile::default(),
        no_tickets: false,
        no_mail: false,
        revive: false,
    };
    let addition = addition(desk, &args, desk.settings.policy.users.access)?;
    let (ids, now) = (desk.ids.clone(), desk.clock.now());
    match desk.store.transact(move |sql| users::add(sql, &addition, &ids, now)) {
        Ok(_) | Err(StoreError::Taken { .. }) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

fn addition(desk: &Desk, args: &AddArgs, access: Access) -> Result<Addition> {
    let (policy, profile) = (&desk.settings.policy, &args.profile);
    let mut addresses: Vec<(Address, AddressKey)> = Vec::new();
    for written in std::iter::once(&args.address).chain(&args.also) {
        let (address, key) = address(written, policy)?;
        // M-32: what has the same key is the same address.
        if addresses.iter().all(|(_, known)| *known != key) {
            addresses.push((address, key));
        }
    }
    let (main, key) = &addresses[0];
    // Whoever has no name at hand says an empty one, or none: the address gives it.
    let whole = profile.name.as_ref().filter(|whole| !whole.is_empty());
    let given = match (whole, &profile.first, &profile.last) {
        (Some(whole), _, _) => Some(split_name(whole)),
        (None, None, None) => None,
        (None, first, last) => {
            Some((first.clone().unwrap_or_default(), last.clone().unwrap_or_default()))
        }
    };
    let derived = given.is_none();
    let (first_name, last_name) = given.unwrap_or_else(|| {
        let name = names::from_address(main, names::plus_tag(&policy.users), &policy.users.names);
        (name.first, name.last)
    });
    let site_placed = profile.site.is_some();
    let site = match &profile.site {
        Some(name) => placeable(desk, name)?,
        None => matched(desk, main, key, policy)?,
    };
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Ok(Addition {
        first_name,
        last_name,
        derived,
        access: profile.access.unwrap_or(access),
        site,
        site_placed,
        phone: some(&profile.phone),
        mobile: some(&profile.mobile),
        department: some(&profile.department),
        job_title: some(&profile.job_title),
        agent: some(&profile.agent).map(|written| agent(desk, &written)).transpose()?,
        locale: some(&profile.locale),
        no_tickets: args.no_tickets,
        // C-06: made by hand without it.
        credentials: if args.no_mail { CredentialsState::NotDue } else { CredentialsState::Due },
        made_by: "hand",
        addresses,
    })
}

/// The id of the site of this name, which must still be in use.
pub(super) fn placeable(desk: &Desk, name: &str) -> Result<String> {
    let site = sites::named(desk, name)?;
    if site.retired {
        return Err(failure(
            Exit::Negative,
            format!(
                "the site `{name}` was taken out of the configuration\nhint: declare it again, or name another one"
            ),
        ));
    }
    Ok(site.id)
}

/// The id of the site that an address leads to (M-107, M-109).
pub(in crate::cli) fn matched(
    desk: &Desk,
    address: &Address,
    key: &AddressKey,
    policy: &Policy,
) -> Result<String> {
    let domains = site_domains(address.domain(), policy);
    let default = &policy.sites.default;
    let (matched, default) =
        desk.store.read_only(|sql| crate::store::sites::matches(sql, key, &domains, default))?;
    Ok(matched.into_iter().next().unwrap_or(default).id)
}
