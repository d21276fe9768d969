//! `guichet users reset-password` and `send-credentials`: a way to log in, by mail or by telephone.
//! Staff starts a reset; nobody but the user chooses a password (threats §6).

use anyhow::Result;
use clap::{ArgGroup, Args, ValueEnum};
use serde_json::{Value, json};

use super::{find, invitation, name, refused};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, escape};
use crate::cli::times::Times;
use crate::cli::words::{counted, hint};
use crate::cli::{Format, Globals};
use crate::outbox::{OutboxError, Templates, secret};
use crate::store::credentials::{self, CredentialKind, NewCredential};
use crate::store::users::invitation::{Invitation, against, send as queue};
use crate::store::users::{self, Filter, User};
use crate::triage::credentials::Code;
use crate::triage::facts::{CredentialsState, UserStatus};
use crate::triage::policy::{CredentialsMode, Portal};

/// What a password is reset by.
const RESET: &str = "password_reset";

// Users looked at together.
const PAGE: u32 = 500;

#[derive(Args)]
pub(in crate::cli) struct ResetArgs {
    /// An address or an id
    who: String,
    /// Prints the link or the temporary password once, for the telephone, instead of mailing it;
    /// which of them, `credentials.mode` says unless it is said here
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    show: Option<Shown>,
    /// Only says what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["users", "due"]))]
pub(in crate::cli) struct SendArgs {
    /// Addresses or ids
    #[arg(value_name = "WHO")]
    users: Vec<String>,
    /// All who were never sent their credentials: who is due them, and who was imported without
    #[arg(long)]
    due: bool,
    /// The template, instead of `credentials.template`
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Only says to whom they would go
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is told by telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shown {
    Auto,
    Link,
    Password,
}

pub(super) fn reset(globals: &Globals, desk: &Desk, args: &ResetArgs) -> Result<Exit> {
    let user = find(desk, &args.who)?;
    let shown = escape(&name(&user));
    if let Some(wanted) = args.show {
        return show(globals, desk, &user, wanted, args);
    }
    must_have_template(desk, RESET)?;
    let invitation = mail(desk, &user, RESET, args.dry_run)?;
    match &invitation {
        Invitation::Queued(number) => {
            if globals.format() == Format::Table {
                let said = match number {
                    0 => "would be queued".to_owned(),
                    number => format!("is queued as mail {number}"),
                };
                output::line(format_args!("a mail to choose a new password {said} for `{shown}`"))?;
            } else {
                output::object(globals.format(), &row(&user, &invitation))?;
            }
            hint(globals, "the old password works until they choose another one");
            Ok(Exit::Done)
        }
        Invitation::Withheld(codes) => Err(failure(
            Exit::Negative,
            format!(
                "no mail goes to `{shown}`: {}{}",
                invitation::reasons(codes),
                if codes.contains(&Code::C07) {
                    let_in_again(&user)
                } else if codes.contains(&Code::C10) {
                    "\nhint: one goes to an address in 24 hours; the user can have one from the login page now, and `--show` prints a link or a password to tell by telephone"
                } else {
                    "\nhint: `--show` prints a link or a password to tell by telephone"
                }
            ),
        )),
        _ => Err(not_mailed()),
    }
}

/// Prints what opens the account, alone and once; the store gets its hash (T-26).
fn show(
    globals: &Globals,
    desk: &Desk,
    user: &User,
    wanted: Shown,
    args: &ResetArgs,
) -> Result<Exit> {
    let shown = escape(&name(user));
    if user.status != UserStatus::Active {
        return Err(failure(
            Exit::Negative,
            format!(
                "`{shown}` gets nothing to log in with: {} ({}){}",
                Code::C07.said(),
                Code::C07.as_str(),
                let_in_again(user)
            ),
        ));
    }
    let policy = &desk.settings.policy;
    if policy.portal == Portal::Absent {
        return Err(failure(
            Exit::Negative,
            "there is no portal to log in to\nhint: set `portal.url`, and leave `portal.enabled` on",
        ));
    }
    let kind = kind(wanted, policy.credentials.mode)?;
    let outbox = &desk.settings.outbox;
    let (minted, lifetime) = match kind {
        CredentialKind::Address | CredentialKind::Link => {
            (secret::activation_token(&desk.ids), outbox.link_expires)
        }
        CredentialKind::Password => {
            (secret::temporary_password(&desk.ids), outbox.password_expires)
        }
    };
    let now = desk.clock.now();
    let expires_at = now.saturating_add(lifetime).unwrap_or(jiff::Timestamp::MAX);
    if args.dry_run {
        let what = if kind == CredentialKind::Link { "a link" } else { "a temporary password" };
        output::line(format_args!("{what} would be printed for `{shown}`"))?;
        return Ok(Exit::Done);
    }
    let new = NewCredential {
        person: user.id.clone(),
        kind,
        hash: minted.hash,
        sha256: minted.sha256,
        expires_at,
    };
    let ids = desk.ids.clone();
    desk.store.transact(move |sql| {
        credentials::keep(sql, &new, None, &ids, now)?;
        // C-06: they have them now.
        if users::show(sql, &new.person)?
            .is_some_and(|user| user.credentials == CredentialsState::Due)
        {
            let settled = users::Change::Credentials(CredentialsState::NotDue);
            users::set(sql, &new.person, &[settled], now)?;
        }
        Ok(())
    })?;
    let url = outbox.portal_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let told = match kind {
        CredentialKind::Address | CredentialKind::Link => {
            minted.secret.after(&format!("{url}/portal/activate/"))
        }
        CredentialKind::Password => minted.secret,
    };
    let times = Times::new(globals, &desk.settings);
    match globals.format() {
        Format::Table => output::line(told.reveal())?,
        format => output::object(
            format,
            &json!({
                "user": user.id,
                "kind": kind.as_str(),
                "secret": told.reveal(),
                "expires_at": times.value(expires_at),
            }),
        )?,
    }
    let until = times.short(expires_at);
    hint(
        globals,
        match kind {
            CredentialKind::Address | CredentialKind::Link => {
                format!("it works once, until {until}, for `{shown}` alone; it is not shown again")
            }
            CredentialKind::Password => format!(
                "`{shown}` logs in with it once at {url}/portal/ until {until}, and chooses another; it is not shown again"
            ),
        },
    );
    Ok(Exit::Done)
}

/// What makes an account one that may be used, for the end of an error.
fn let_in_again(user: &User) -> &'static str {
    match user.status {
        UserStatus::Deleted => {
            "\nhint: `guichet users add ADDRESS --revive` makes them a user again"
        }
        UserStatus::Active | UserStatus::Disabled => {
            "\nhint: `guichet users enable` lets a disabled user in again"
        }
    }
}

fn kind(wanted: Shown, mode: CredentialsMode) -> Result<CredentialKind> {
    let refuse = |said: &str| {
        Err(failure(
            Exit::Usage,
            format!(
                "{said}\nhint: set `credentials.mode` to `auto` for both, or leave the kind out"
            ),
        ))
    };
    match (wanted, mode) {
        (_, CredentialsMode::None) => Err(failure(
            Exit::Usage,
            "`credentials.mode` is `none`: nobody gets anything to log in with\nhint: set it to `auto`, `link` or `temporary_password`",
        )),
        (Shown::Password, CredentialsMode::Link) => {
            refuse("`credentials.mode` is `link`: there are no temporary passwords")
        }
        (Shown::Link, CredentialsMode::TemporaryPassword) => {
            refuse("`credentials.mode` is `temporary_password`: there are no links")
        }
        (Shown::Auto, CredentialsMode::TemporaryPassword) | (Shown::Password, _) => {
            Ok(CredentialKind::Password)
        }
        (Shown::Auto | Shown::Link, _) => Ok(CredentialKind::Link),
    }
}

pub(super) fn send(globals: &Globals, desk: &Desk, args: &SendArgs) -> Result<Exit> {
    let written = args.template.as_deref();
    let template = written.unwrap_or(&desk.settings.policy.credentials.template);
    must_have_template(desk, template)?;
    let users = match args.due {
        true => all_due(desk)?,
        false => args.users.iter().map(|who| find(desk, who)).collect::<Result<_>>()?,
    };
    let mut rows = Vec::new();
    let mut left = 0;
    for user in &users {
        let invitation = mail(desk, user, template, args.dry_run)?;
        if invitation == Invitation::NotMailed {
            return Err(not_mailed());
        }
        left += usize::from(!matches!(invitation, Invitation::Queued(_)));
        rows.push(row(user, &invitation));
    }
    output::rows(globals.format(), &["user", "name", "address", "mail", "withheld"], &rows)?;
    let done = counted(rows.len() - left, "mail");
    let what = if args.dry_run { "would be queued" } else { "queued" };
    match left {
        0 => hint(globals, format_args!("{done} {what}; a running guichet sends what is queued")),
        left => hint(
            globals,
            format_args!(
                "{done} {what}, {} left out: what is withheld by C-10 may go in an hour, or a day after the last one",
                counted(left, "user")
            ),
        ),
    }
    Ok(if left == 0 { Exit::Done } else { Exit::Negative })
}

/// Mails one user, or says whether it would; a mail that would be queued has the number 0.
fn mail(desk: &Desk, user: &User, template: &str, dry_run: bool) -> Result<Invitation> {
    let (settings, ids, now) = (desk.settings.clone(), desk.ids.clone(), desk.clock.now());
    if dry_run {
        let policy = &settings.policy;
        let can_be = policy.credentials.mode != CredentialsMode::None
            && policy.portal == Portal::Present
            && invitation::desk(&settings).mailbox.is_some();
        let codes = desk.store.read_only(|sql| against(sql, user, policy, now))?;
        return Ok(match (can_be, codes.is_empty()) {
            (false, _) => Invitation::NotMailed,
            (true, true) => Invitation::Queued(0),
            (true, false) => Invitation::Withheld(codes),
        });
    }
    let (id, template) = (user.id.clone(), template.to_owned());
    let queued = desk
        .store
        .transact(move |sql| queue(sql, &id, &template, invitation::desk(&settings), &ids, now));
    queued.map_err(refused)
}

fn all_due(desk: &Desk) -> Result<Vec<User>> {
    let mut due = Vec::new();
    let mut filter = Filter { status: Some(UserStatus::Active), ..Filter::default() };
    loop {
        let page = desk.store.read_only(|sql| users::list(sql, &filter, PAGE))?;
        let Some(last) = page.last() else { return Ok(due) };
        filter.after = Some(last.id.clone());
        due.extend(page.into_iter().filter(is_due));
    }
}

// C-06 lets who was imported wait until somebody asks: that is now. Who can log in needs nothing.
fn is_due(user: &User) -> bool {
    match user.credentials {
        CredentialsState::Due => true,
        CredentialsState::NotDue => user.made_by == "import" && user.password_set_at.is_none(),
        CredentialsState::Sent => false,
    }
}

// A mail that nobody could log in by would be queued in vain.
fn must_have_template(desk: &Desk, wanted: &str) -> Result<()> {
    let outbox = &desk.settings.outbox;
    let templates = Templates::load(outbox).map_err(OutboxError::Templates)?;
    let Some(template) = templates.find(wanted, &[&outbox.locale]) else {
        return Err(failure(
            Exit::InputMissing,
            format!(
                "there is no template `{}`\nhint: put `{}.en.txt` into the folder of templates",
                wanted.escape_debug(),
                wanted.escape_debug()
            ),
        ));
    };
    let mode = desk.settings.policy.credentials.mode;
    if template.uses_link() || template.uses_password() || mode == CredentialsMode::None {
        return Ok(());
    }
    Err(failure(
        Exit::Usage,
        format!(
            "the template `{wanted}` brings neither a link nor a temporary password\nhint: take one that says `portal.activation_url` or `portal.password`"
        ),
    ))
}

fn row(user: &User, invitation: &Invitation) -> Value {
    let (mail, withheld) = match invitation {
        Invitation::Queued(0) => (json!("would be queued"), Vec::new()),
        Invitation::Queued(number) => (json!(number), Vec::new()),
        Invitation::Withheld(codes) => {
            (Value::Null, codes.iter().map(|code| code.as_str()).collect())
        }
        _ => (Value::Null, Vec::new()),
    };
    json!({
        "user": user.id,
        "name": name(user),
        "address": user.addresses.first().map(|main| &main.address),
        "mail": mail,
        "withheld": withheld,
    })
}

fn not_mailed() -> anyhow::Error {
    failure(
        Exit::Negative,
        "no credentials are mailed: `credentials.mode` is `none`, or there is no `portal.url` or no mailbox\nhint: `guichet config show` tells what is set",
    )
}
