//! Finds what is wrong with a template before it is ever sent: unknown names, secrets that the
//! settings do not hand out, sender text in automatic mail, and whatever fails with sample values.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use minijinja::Error;

use super::source::{Piece, Source};
use super::{Compiled, Options, Problem, Template};
use crate::outbox::Quoting;
use crate::outbox::snippets::{VARIABLES, known, nearest};
use crate::outbox::values::{bare_samples, samples};
use crate::triage::policy::CredentialsMode;

// Mail to staff, or sent by them: it may repeat what somebody wrote. So may quick replies.
const QUOTING: [&str; 6] = [
    "agent_notice",
    "held_digest",
    "site_digest",
    "ticket_closed",
    "ticket_reply",
    "ticket_updated",
];

// Mail that answers anybody, or is about a ticket or the desk: credentials go out in a mail of their
// own, past the gate C-01…C-14 and its budgets.
const WITHOUT_CREDENTIALS: [&str; 11] = [
    // To an address that nobody has confirmed: whoever reads it must not get at the account.
    "address_change",
    "address_changed",
    "agent_notice",
    "held_digest",
    "password_changed",
    "site_digest",
    "ticket_closed",
    "ticket_received",
    "ticket_reply",
    "ticket_updated",
    "too_large",
];

/// Whether mail of this template may repeat what a sender wrote. Automatic mail may not, as nobody
/// knows whether its recipient is the sender (R-10, T-01), unless the settings allow it.
pub fn may_quote(template: &str, quoting: Quoting) -> bool {
    quoting == Quoting::Allowed || QUOTING.contains(&template) || template.starts_with("quick_")
}

/// The names a piece uses; those that do not exist become problems.
pub fn names(
    piece: &Piece,
    undeclared: impl IntoIterator<Item = String>,
    problems: &mut Vec<Problem>,
) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    let undeclared: BTreeSet<String> = undeclared.into_iter().collect();
    for name in undeclared {
        match known(&name) {
            Some(variable) => {
                names.insert(variable.name);
            }
            None => {
                let place = piece.find(&name);
                problems.push(Problem::error(
                    &piece.file,
                    place,
                    format!("`{}` is no name a template can use", name.escape_debug()),
                    hint(&name),
                ));
            }
        }
    }
    names
}

/// What the settings say against a template.
pub fn against_settings(source: &Source, compiled: &Compiled, options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    let pieces = [Some(&source.subject), source.text.as_ref(), source.html.as_ref()];
    for name in &compiled.names {
        // Each file that uses it.
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for piece in pieces.iter().flatten() {
            let place = piece.find(name);
            let used = place != piece.place(1, 1) || piece.code.contains(*name);
            if !used || !told.insert(piece.file.as_str()) {
                continue;
            }
            if let Some((message, hint)) = refusal(&source.name, name, options) {
                problems.push(Problem::error(&piece.file, place, message, hint));
            }
            let is_of_ticket = name.starts_with("agent.") || name.starts_with("ticket.");
            let brings = compiled.names.contains("portal.activation_url")
                || compiled.names.contains("portal.password");
            if source.name.starts_with("quick_") && brings && is_of_ticket {
                problems.push(Problem::warning(
                    &piece.file,
                    place,
                    format!(
                        "`{}` brings credentials, so it goes out in a mail of its own, which is \
                         about no ticket: `{name}` will be empty",
                        source.name
                    ),
                    "take it out, or bring the credentials by another template".to_owned(),
                ));
            }
            let quotes = matches!(*name, "message.attachments" | "message.quoted" | "message.text");
            if quotes && !may_quote(&source.name, options.templates.quoting) {
                problems.push(Problem::warning(
                    &piece.file,
                    place,
                    format!(
                        "`{}` answers anybody, so what a sender wrote is left out: `{name}` will \
                         be empty",
                        source.name
                    ),
                    "take it out, or set `templates.allow_quoting_unverified`".to_owned(),
                ));
            }
        }
    }
    problems
}

/// What fails when a template is rendered: with every name filled, and with none that may be empty.
pub fn rendering(source: &Source, compiled: &Compiled, zone: &TimeZone) -> Vec<Problem> {
    let mut problems = Vec::new();
    for values in [samples(zone.clone()), bare_samples(zone.clone())] {
        let context = values.context(&compiled.names, &source.locale);
        for (ending, piece) in Template::pieces(source) {
            let rendered =
                compiled.engine.get_template(ending).and_then(|made| made.render(context.clone()));
            if let Err(error) = rendered
                && problems.is_empty()
            {
                problems.push(engine_problem(piece, &error));
            }
        }
    }
    problems
}

/// What the engine has against a piece.
pub fn engine_problem(piece: &Piece, error: &Error) -> Problem {
    let said = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Problem::error(
        &piece.file,
        piece.place(error.line().unwrap_or(1), 1),
        format!("the template does not work: {said}"),
        "write `{{ name }}`, `{{ name | default(\"x\") }}` or `{% if name %}…{% endif %}`; the \
         filters are date, default, lower, upper"
            .to_owned(),
    )
}

fn refusal(template: &str, name: &str, options: &Options) -> Option<(String, String)> {
    let mode = options.credentials_mode;
    let is_secret = matches!(name, "portal.activation_url" | "portal.password");
    if is_secret && WITHOUT_CREDENTIALS.contains(&template) {
        return Some((
            format!(
                "`{template}` may not bring `{name}`: credentials go out in a mail of their own"
            ),
            "take it out: a new user is mailed the template `credentials` besides".to_owned(),
        ));
    }
    if name == "portal.confirm_url" && template != "address_change" {
        return Some((
            format!("`{template}` confirms no address, so there is no `{name}` to write"),
            "only `address_change` has it".to_owned(),
        ));
    }
    match (name, mode) {
        // Whoever asks for a new password chooses it, however the first one came.
        ("portal.activation_url", _) if template == "password_reset" => {}
        ("portal.password", CredentialsMode::Link) => {
            return Some((
                "`credentials.mode` is `link`, so there is no password to write".to_owned(),
                "write `{[Set password link]}`, or set `credentials.mode` to `auto`".to_owned(),
            ));
        }
        ("portal.activation_url", CredentialsMode::TemporaryPassword) => {
            return Some((
                "`credentials.mode` is `temporary_password`, so there is no link to write"
                    .to_owned(),
                "write `{[Portal password]}`, or set `credentials.mode` to `auto`".to_owned(),
            ));
        }
        ("portal.activation_url" | "portal.password", CredentialsMode::None) => {
            return Some((
                format!("`credentials.mode` is `none`, so there is no `{name}` to write"),
                "take it out, or set `credentials.mode` to `auto`".to_owned(),
            ));
        }
        _ => {}
    }
    let needs_portal = matches!(
        name,
        "portal.activation_url" | "portal.confirm_url" | "portal.url" | "ticket.url"
    );
    (needs_portal && options.portal_url.is_none()).then(|| {
        (
            format!("`{name}` needs a portal, and there is none"),
            "set `portal.url`, or take it out of the template".to_owned(),
        )
    })
}

fn hint(name: &str) -> String {
    let names = VARIABLES.iter().map(|variable| variable.name);
    let group: Vec<&str> = names
        .clone()
        .filter(|known| known.split_once('.').is_some_and(|(group, _)| group == name))
        .collect();
    if !group.is_empty() {
        return format!("`{name}` is a group: name one of {}", group.join(", "));
    }
    match nearest(name, names) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            "the groups are user, portal, ticket, site, agent, message, company, mailbox".to_owned()
        }
    }
}
