//! The sender's account: found, completed, moved, made (mail.md sections 2, 3 and 8). Only a
//! person's mail does any of this (M-55).

use super::case::Case;
use crate::triage::facts::{CredentialsState, Sender, SiteFacts, UserFacts, UserStatus};
use crate::triage::names::{self, Name, NameSource};
use crate::triage::plan::{Effect, MadeBy, NewUser, UserRef, UserStory};
use crate::triage::policy::{NameFrom, NoSplit, UserPolicy};
use crate::triage::{flags, sites};

/// Finds or makes the account of the person who wrote; `None` when they get none.
pub fn settle(case: &mut Case, sender: &Sender) -> Option<UserRef> {
    match &case.facts.user {
        Some(user) if user.status == UserStatus::Active => Some(known(case, sender, user)),
        Some(user) => {
            let status = user.status.as_str();
            case.say("T-54", format!("the sender's account is {status}: mail does not revive it"));
            None
        }
        None => make(case, sender),
    }
}

/// The site that the sender's user has, or gets.
pub fn say_site(case: &mut Case) {
    let site = case.home();
    match case.facts.user {
        Some(_) if case.new_home().is_none() => {
            case.say("M-110", format!("its user belongs to the site `{}`", site.name));
        }
        _ => say_match(case, site),
    }
    case.tell_site(site, "user");
}

/// The site that a sender without an account belongs to: a machine's, a list's, a robot's.
pub fn say_match(case: &mut Case, site: &SiteFacts) {
    use crate::triage::facts::SiteMatch;
    let name = &site.name;
    match &site.matched_by {
        SiteMatch::Address => {
            case.say_by("M-109", "sites", format!("the sender's address is listed for `{name}`"));
        }
        SiteMatch::Default => {
            let key = match case.mailbox().and_then(|mailbox| mailbox.default_site.as_ref()) {
                Some(_) => "mailbox.default_site",
                None => "sites.default",
            };
            case.say_by("M-107", key, format!("no site has the sender's domain: `{name}`"));
        }
        SiteMatch::Domain(domain) => {
            case.say_by("M-107", "sites", format!("the domain `{domain}` belongs to `{name}`"));
        }
        SiteMatch::Kept => case.say("M-110", format!("the site `{name}` is kept")),
    }
}

fn known(case: &mut Case, sender: &Sender, user: &UserFacts) -> UserRef {
    case.say("M-32", format!("`{}` is a known user", sender.address));
    let mut story = story_of(sender, user);
    if user.undeliverable {
        case.effects.push(Effect::ClearUndeliverable { key: sender.key.clone() });
        case.say("M-65", "its owner writes again, so mail to the address is tried again");
    }
    if user.first_name.is_empty() && user.last_name.is_empty() {
        let name = named(case, sender);
        if name.source != NameSource::Nothing {
            case.effects.push(Effect::FillName {
                user: user.id.clone(),
                first_name: name.first.clone(),
                last_name: name.last.clone(),
            });
            case.say("M-53", "the user had no name yet");
            story.name_from = name.source.as_str().map(str::to_owned);
            (story.first_name, story.last_name) = (name.first, name.last);
        }
    }
    if let Some(site) = case.new_home() {
        let effect = Effect::MoveUser { user: user.id.clone(), site: site.id.clone() };
        case.effects.push(effect);
        case.say("M-110", format!("the user moves from the default site to `{}`", site.name));
    }
    tell_user(case, story);
    UserRef::Existing(user.id.clone())
}

/// Tells whose user it is, and changes nothing about them.
pub fn tell_known(case: &mut Case, sender: &Sender, user: &UserFacts) {
    tell_user(case, story_of(sender, user));
}

fn story_of(sender: &Sender, user: &UserFacts) -> UserStory {
    UserStory {
        address: sender.address.to_string(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        name: String::new(),
        is_new: false,
        name_from: None,
    }
}

/// Makes the account of a sender who has none, if that is wished and there is room.
pub fn make(case: &mut Case, sender: &Sender) -> Option<UserRef> {
    if !case.policy.users.auto_create {
        let key = "users.auto_create";
        case.say_by("M-45", key, "the sender is unknown, and no user is made");
        return None;
    }
    if let Some(until) = case.facts.room.new_users {
        let key = "limits.new_users";
        let said = "too many new users at this time: this one is made when there is room";
        case.say_by("M-01", key, said);
        case.effects.push(Effect::Owe { until });
        return None;
    }
    let made = create(case, sender, MadeBy::Mail, CredentialsState::Due);
    let address = &sender.address;
    case.say_by("M-55", "users.auto_create", format!("`{address}` is unknown: a user is made"));
    Some(made)
}

/// Finds or makes the account of somebody for whom staff writes; `None` when theirs may not be used.
pub fn settle_by_hand(
    case: &mut Case,
    requester: &Sender,
    credentials: CredentialsState,
) -> Option<UserRef> {
    match &case.facts.user {
        Some(user) if user.status == UserStatus::Active => {
            case.say("M-32", format!("`{}` is a known user", requester.address));
            tell_known(case, requester, user);
            Some(UserRef::Existing(user.id.clone()))
        }
        Some(user) => {
            let status = user.status.as_str();
            case.say("T-54", format!("the requester's account is {status}: it gets no ticket"));
            None
        }
        None => {
            let made = create(case, requester, MadeBy::Hand, credentials);
            let said = format!("`{}` is unknown: staff makes a user", requester.address);
            case.say("M-55", said);
            Some(made)
        }
    }
}

fn create(
    case: &mut Case,
    sender: &Sender,
    made_by: MadeBy,
    credentials: CredentialsState,
) -> UserRef {
    let name = match (named_agent(case, sender), made_by) {
        (Some(name), _) => name,
        (None, MadeBy::Hand) => told(case, sender),
        (None, MadeBy::Mail) => named(case, sender),
    };
    let site = sites::matched(case.facts);
    let address = sender.address.to_string();
    tell_user(
        case,
        UserStory {
            address: address.clone(),
            first_name: name.first.clone(),
            last_name: name.last.clone(),
            name: String::new(),
            is_new: true,
            name_from: name.source.as_str().map(str::to_owned),
        },
    );
    case.effects.push(Effect::CreateUser(NewUser {
        address: sender.address.clone(),
        key: sender.key.clone(),
        first_name: name.first,
        last_name: name.last,
        derived: name.source == NameSource::Address,
        access: case.policy.users.access,
        site: site.id.clone(),
        is_primary: site.sender_is_primary,
        made_by,
        credentials,
    }));
    UserRef::New
}

/// The name of a staff member who is a user too: the configuration knows it.
fn named_agent(case: &mut Case, sender: &Sender) -> Option<Name> {
    let agent = case.policy.agents.get(&sender.key)?;
    let written = agent.name.trim();
    if written.contains('@') {
        return None;
    }
    let (first, last) = written.split_once(' ').unwrap_or((written, ""));
    let (first, last) = (first.to_owned(), last.trim_start().to_owned());
    case.say_by("M-52", "agent.name", format!("named as its `[[agent]]` says: `{written}`"));
    Some(Name { first, last, source: NameSource::Agent })
}

/// The name that staff was told, else one from the address.
fn told(case: &mut Case, requester: &Sender) -> Name {
    let policy = UserPolicy { name_from: NameFrom::HeaderThenAddress, ..case.policy.users.clone() };
    let header = flags::usable_name(requester, case.policy);
    let name = names::name(&requester.address, header, &policy);
    match name.source {
        NameSource::Header => case.say("M-52", "named as staff was told"),
        _ => return named(case, requester),
    }
    name
}

/// Names the sender, and says how (section 3).
fn named(case: &mut Case, sender: &Sender) -> Name {
    let policy = &case.policy.users;
    let header = flags::usable_name(sender, case.policy);
    let name = names::name(&sender.address, header, policy);
    if policy.name_from != NameFrom::Address && sender.name.is_some() && header.is_none() {
        case.say("M-45", "the name in the mail shows another address, so it is not used");
    }
    let key = sender.address.key(names::plus_tag(policy));
    let local = names::local_of(&key);
    let separators = &policy.names.split_on;
    let is_separator = |c| separators.contains(c);
    let is_split = local.trim_matches(is_separator).contains(is_separator);
    match name.source {
        NameSource::Address if is_split => {
            let at = match separators.as_str() {
                "." => "dot".to_owned(),
                _ => format!("of `{separators}`"),
            };
            let said = format!("local part `{local}` split at the first {at}");
            case.say_by("M-48", "users.names.split_on", said);
        }
        NameSource::Address => {
            let last = match policy.names.no_split {
                NoSplit::Blank => "the first name alone",
                NoSplit::Repeat => "both names",
            };
            let said = format!("local part `{local}` has nothing to split at: it is {last}");
            case.say_by("M-48", "users.names.no_split", said);
        }
        NameSource::Agent | NameSource::Header => {
            let said = format!("named as the mail says: `{}`", header.unwrap_or_default());
            case.say_by("M-52", "users.name_from", said);
        }
        NameSource::Nothing => {
            case.say_by("M-50", "users.name_from", "nothing to make a name from");
        }
    }
    name
}

fn tell_user(case: &mut Case, story: UserStory) {
    let name = names::display(&story.first_name, &story.last_name, &story.address);
    case.story.user = Some(UserStory { name, ..story });
}
