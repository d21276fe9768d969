//! A user whom a mail made, added by hand: the same user, with what the hand says of them.

use super::add::AddArgs;
use crate::store::users::{self, Addition, Change, User};
use crate::store::{Sql, StoreError};
use crate::triage::facts::{CredentialsState, UserStatus};
use crate::triage::policy::{Access, Policy};

/// The user of the first address, when a mail made them and nobody upgraded them yet.
pub(super) fn made_by_mail(
    sql: &mut dyn Sql,
    addition: &Addition,
    policy: &Policy,
) -> Result<Option<User>, StoreError> {
    let Some((_, key)) = addition.addresses.first() else { return Ok(None) };
    let user = users::show(sql, key.as_str())?;
    Ok(user.filter(|user| {
        user.made_by == "mail"
            && user.status == UserStatus::Active
            && (user.access == Access::Limited || policy.users.access == Access::Full)
    }))
}

/// What `users add` says of somebody who is there: what it does not say stays.
pub(super) fn changes(user: &User, args: &AddArgs, addition: &Addition) -> Vec<Change> {
    let profile = &args.profile;
    let mut changes = vec![Change::Access(addition.access)];
    if !addition.derived {
        changes.push(Change::FirstName(addition.first_name.clone()));
        changes.push(Change::LastName(addition.last_name.clone()));
    }
    if profile.site.is_some() {
        changes.push(Change::Site(addition.site.clone()));
    }
    type Field = fn(Option<String>) -> Change;
    let fields: [(&Option<String>, Field); 6] = [
        (&addition.phone, Change::Phone),
        (&addition.mobile, Change::Mobile),
        (&addition.department, Change::Department),
        (&addition.job_title, Change::JobTitle),
        (&addition.agent, Change::Agent),
        (&addition.locale, Change::Locale),
    ];
    for (given, change) in fields {
        changes.extend(given.clone().map(|given| change(Some(given))));
    }
    if args.no_tickets {
        changes.push(Change::NoTickets(true));
    }
    for (address, key) in &addition.addresses {
        if user.addresses.iter().all(|known| known.key != key.as_str()) {
            changes.push(Change::AddAddress(address.clone(), key.clone()));
        }
    }
    let main = user.addresses.first().map(|main| main.key.as_str());
    if let Some((_, key)) = addition.addresses.first()
        && main != Some(key.as_str())
    {
        changes.push(Change::MainAddress(key.clone()));
    }
    if args.no_mail && user.credentials == CredentialsState::Due {
        changes.push(Change::Credentials(CredentialsState::NotDue));
    }
    changes
}
