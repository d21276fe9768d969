//! Rewrites the placeholders of other helpdesks to ours, for whoever brings their texts along. What
//! a placeholder stood for there is known by its public documentation; what is not known is left as
//! it is, and told with its place.

use super::snippets::{Snippets, VARIABLES, known, nearest};

/// A text with its placeholders rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    pub text: String,
    /// How many placeholders are ours now that were not.
    pub rewritten: usize,
    pub unknown: Vec<Unknown>,
}

/// A placeholder that nobody knows, where it stands. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub line: usize,
    pub column: usize,
    pub written: String,
    pub hint: String,
}

/// Rewrites `{[Name]}` (Atera, guichet), `#{name}` (Zammad), `%{name}` (osTicket), `${name}` and
/// `{{name}}` (Freshdesk, Zendesk) as `{{ variable }}`.
pub fn convert(text: &str, snippets: &Snippets) -> Converted {
    let mut converted = Converted { text: String::new(), rewritten: 0, unknown: Vec::new() };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut rest = line;
        while let Some((start, style)) = next(rest) {
            let (before, opened) = rest.split_at(start);
            converted.text.push_str(before);
            let inner = &opened[style.open.len()..];
            let Some(end) = inner.find(style.close) else {
                // A brace of the text itself.
                converted.text.push_str(style.open);
                rest = inner;
                continue;
            };
            let whole = &opened[..style.open.len() + end + style.close.len()];
            match meaning(&inner[..end], style, snippets) {
                Meaning::Known(written) => {
                    converted.rewritten += usize::from(written != whole);
                    converted.text.push_str(&written);
                }
                Meaning::NoName => converted.text.push_str(whole),
                Meaning::Unknown(hint) => {
                    converted.text.push_str(whole);
                    converted.unknown.push(Unknown {
                        line: index + 1,
                        column: line[..line.len() - opened.len()].chars().count() + 1,
                        written: whole.to_owned(),
                        hint,
                    });
                }
            }
            rest = &opened[whole.len()..];
        }
        converted.text.push_str(rest);
    }
    converted
}

/// A way of writing placeholders.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style {
    open: &'static str,
    close: &'static str,
}

const STYLES: [Style; 5] = [
    Style { open: "{[", close: "]}" },
    Style { open: "{{", close: "}}" },
    Style { open: "#{", close: "}" },
    Style { open: "${", close: "}" },
    Style { open: "%{", close: "}" },
];

enum Meaning {
    /// As we write it.
    Known(String),
    /// Nothing that could be a name stands there.
    NoName,
    /// And what may be meant.
    Unknown(String),
}

fn next(text: &str) -> Option<(usize, Style)> {
    STYLES
        .into_iter()
        .filter_map(|style| text.find(style.open).map(|at| (at, style)))
        .min_by_key(|(at, _)| *at)
}

fn meaning(inner: &str, style: Style, snippets: &Snippets) -> Meaning {
    // What comes after a bar is a filter, which ours keep and others did not have.
    let (name, filters) = match inner.split_once('|') {
        Some((name, filters)) => (name.trim(), format!(" | {}", filters.trim())),
        None => (inner.trim(), String::new()),
    };
    let is_name = name.starts_with(char::is_alphabetic);
    if !is_name || name.contains(['"', '<', '>', '\\', '{', '(']) {
        return Meaning::NoName;
    }
    let is_ours = style.open == "{{" && known(name).is_some();
    let variable = if is_ours { Some(name) } else { foreign(name, style) };
    match variable.or_else(|| snippets.meaning(name)) {
        Some(variable) if is_ours => {
            Meaning::Known(format!("{{{{{inner}}}}}").replace(name, variable))
        }
        Some(variable) => Meaning::Known(format!("{{{{ {variable}{filters} }}}}")),
        None => {
            let names = VARIABLES.iter().map(|variable| variable.name);
            Meaning::Unknown(match nearest(name, names.chain(snippets.spelt())) {
                Some(near) => format!("`{near}` comes nearest"),
                None => "`guichet templates vars` lists what there is".to_owned(),
            })
        }
    }
}

fn foreign(name: &str, style: Style) -> Option<&'static str> {
    let name = name.to_lowercase();
    // In Zammad the user is whoever works on the ticket.
    let of_agent = if style.open == "#{" { name.strip_prefix("user.") } else { None };
    if let Some(field) = of_agent {
        return match field {
            "email" | "login" => Some("agent.email"),
            "firstname" | "fullname" | "lastname" => Some("agent.name"),
            _ => None,
        };
    }
    FOREIGN.iter().find(|(written, _)| *written == name).map(|(_, variable)| *variable)
}

#[rustfmt::skip]
const FOREIGN: &[(&str, &str)] = &[
    // The requester: Zammad, Freshdesk and Zendesk, osTicket.
    ("ticket.customer.firstname", "user.first_name"),
    ("ticket.customer.lastname", "user.last_name"),
    ("ticket.customer.fullname", "user.name"),
    ("ticket.customer.email", "user.email"),
    ("ticket.customer.phone", "user.phone"),
    ("ticket.customer.mobile", "user.mobile"),
    ("ticket.customer.department", "user.department"),
    ("ticket.requester.firstname", "user.first_name"),
    ("ticket.requester.first_name", "user.first_name"),
    ("ticket.requester.lastname", "user.last_name"),
    ("ticket.requester.last_name", "user.last_name"),
    ("ticket.requester.name", "user.name"),
    ("ticket.requester.email", "user.email"),
    ("ticket.requester.phone", "user.phone"),
    ("ticket.requester.language", "user.locale"),
    ("ticket.from_email", "user.email"),
    ("ticket.name", "user.name"),
    ("ticket.name.first", "user.first_name"),
    ("ticket.name.last", "user.last_name"),
    ("ticket.name.full", "user.name"),
    ("ticket.email", "user.email"),
    ("ticket.phone", "user.phone"),
    ("ticket.user", "user.name"),
    ("ticket.user.name", "user.name"),
    ("ticket.user.email", "user.email"),
    ("recipient", "user.name"),
    ("recipient.name", "user.name"),
    ("recipient.name.first", "user.first_name"),
    ("recipient.name.last", "user.last_name"),
    ("recipient.email", "user.email"),
    ("user.firstname", "user.first_name"),
    ("user.lastname", "user.last_name"),
    ("contact.name", "user.name"),
    ("contact.email", "user.email"),
    // The ticket.
    ("ticket.id", "ticket.number"),
    ("ticket.title", "ticket.subject"),
    ("ticket.state.name", "ticket.status"),
    ("ticket.state", "ticket.status"),
    ("ticket.priority.name", "ticket.priority"),
    ("ticket.group.name", "ticket.department"),
    ("ticket.dept", "ticket.department"),
    ("ticket.dept.name", "ticket.department"),
    ("ticket.link", "ticket.url"),
    ("ticket.client_link", "ticket.url"),
    ("ticket.public_url", "ticket.url"),
    ("recipient.ticket_link", "ticket.url"),
    ("ticket.create_date", "ticket.created_at"),
    ("ticket.due_date", "ticket.due_at"),
    ("ticket.due_by_time", "ticket.due_at"),
    ("ticket.escalation_at", "ticket.due_at"),
    // The site.
    ("ticket.organization.name", "site.name"),
    ("ticket.customer.organization.name", "site.name"),
    ("ticket.company.name", "site.name"),
    ("ticket.requester.company_name", "site.name"),
    ("ticket.user.organization", "site.name"),
    // Who works on it.
    ("ticket.owner.firstname", "agent.name"),
    ("ticket.owner.fullname", "agent.name"),
    ("ticket.owner.email", "agent.email"),
    ("ticket.agent.name", "agent.name"),
    ("ticket.agent.email", "agent.email"),
    ("ticket.assignee.name", "agent.name"),
    ("ticket.assignee.email", "agent.email"),
    ("ticket.assigned", "agent.name"),
    ("ticket.staff", "agent.name"),
    ("ticket.staff.name", "agent.name"),
    ("ticket.staff.email", "agent.email"),
    ("staff.name", "agent.name"),
    ("assignee", "agent.name"),
    ("agent.first_name", "agent.name"),
    ("current_user.name", "agent.name"),
    ("current_user.email", "agent.email"),
    ("agent.signature", "agent.signature"),
    ("signature", "agent.signature"),
    // What was written.
    ("article.body", "message.text"),
    ("article.created_at", "message.date"),
    ("article.from", "message.from"),
    ("ticket.latest_comment", "message.text"),
    ("ticket.latest_public_comment", "message.text"),
    ("comment.body", "message.text"),
    ("ticket.description", "message.text"),
    ("message", "message.text"),
    ("response", "message.text"),
    // The desk.
    ("config.fqdn", "portal.url"),
    ("config.product_name", "portal.name"),
    ("config.organization", "company.name"),
    ("helpdesk_name", "portal.name"),
    ("ticket.portal_name", "portal.name"),
    ("ticket.portal_url", "portal.url"),
    ("ticket.account", "company.name"),
    ("company.name", "company.name"),
    ("url", "portal.url"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(text: &str) -> Converted {
        convert(text, &Snippets::shipped())
    }

    #[test]
    fn every_foreign_name_means_one_of_ours() {
        for (written, variable) in FOREIGN {
            assert!(known(variable).is_some(), "{written} means {variable}");
            let same = FOREIGN.iter().filter(|(other, _)| other == written).count();
            assert_eq!(same, 1, "{written}");
            assert_eq!(*written, written.to_lowercase());
        }
    }

    #[test]
    fn each_helpdesks_placeholders_become_ours() {
        for (written, wanted) in [
            ("{[Mot de passe du portail]}", "{{ portal.password }}"),
            ("{[TicketID]}: {[Ticket Title]}", "{{ ticket.number }}: {{ ticket.subject }}"),
            ("#{ticket.customer.firstname}", "{{ user.first_name }}"),
            (
                "#{user.firstname} of #{config.product_name}",
                "{{ agent.name }} of {{ portal.name }}",
            ),
            ("{{user.firstname}}", "{{ user.first_name }}"),
            (
                "[#%{ticket.number}] %{recipient.name.first}",
                "[#{{ ticket.number }}] {{ user.first_name }}",
            ),
            ("{{ticket.id}} {{ ticket.requester.name }}", "{{ ticket.number }} {{ user.name }}"),
            ("${Ticket Number}", "{{ ticket.number }}"),
            ("{{ticket.title | upper}}", "{{ ticket.subject | upper }}"),
        ] {
            let converted = converted(written);
            assert_eq!(converted.text, wanted);
            assert_eq!(converted.unknown, [], "{written}");
            assert!(converted.rewritten > 0);
        }
    }

    #[test]
    fn what_is_ours_stays_to_the_letter() {
        let ours = "Subject: {{ ticket.subject }}\n\n{{user.name|default(\"x\")}} {% if site.name %}\n{[\n#{ } 100 %{ $ }\nbody { color: red }\n";
        let converted = converted(ours);
        assert_eq!((converted.text.as_str(), converted.rewritten), (ours, 0));
        assert_eq!(converted.unknown, []);
    }

    #[test]
    fn what_nobody_knows_stays_and_is_told_with_its_place() {
        let converted = converted("Hé #{ticket.tags}\r\n  {[Portal adress]} {{ticket.id}}");
        assert_eq!(converted.text, "Hé #{ticket.tags}\r\n  {[Portal adress]} {{ ticket.number }}");
        let told: Vec<_> = converted
            .unknown
            .iter()
            .map(|unknown| (unknown.line, unknown.column, unknown.written.as_str()))
            .collect();
        assert_eq!(told, [(1, 4, "#{ticket.tags}"), (2, 3, "{[Portal adress]}")]);
        assert_eq!(converted.unknown[1].hint, "`Portal address` comes nearest");
    }

    #[test]
    fn what_was_converted_is_not_converted_again() {
        let once = converted("#{ticket.title} {[Ticket ID]} %{ticket.name} ${ticket.id}");
        let twice = converted(&once.text);
        assert_eq!((twice.text, twice.rewritten), (once.text, 0));
    }
}
