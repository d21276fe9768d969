//! The names a template may use, and the `{[Portal address]}` way of writing them. A snippet becomes
//! `{{ portal.url }}` in one pass over the template's own text, before any value is known: nothing a
//! sender typed is ever looked at (T-32).

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name that templates may use (interfaces §7).
pub struct Variable {
    pub name: &'static str,
    /// What `check` renders in its place.
    pub sample: &'static str,
    /// How it may be written in `{[…]}`, besides its own name.
    pub snippets: &'static [&'static str],
}

const fn variable(
    name: &'static str,
    sample: &'static str,
    snippets: &'static [&'static str],
) -> Variable {
    Variable { name, sample, snippets }
}

/// Every name there is, group by group.
#[rustfmt::skip]
pub const VARIABLES: &[Variable] = &[
    variable("user.first_name", "Claire", &["Contact First Name", "User First Name", "Requester First Name", "First Name", "Prénom", "Vorname"]),
    variable("user.last_name", "Johnson", &["Contact Last Name", "User Last Name", "Requester Last Name", "Last Name", "Nom", "Nachname"]),
    variable("user.name", "Claire Johnson", &["Contact Full Name", "User Full Name", "Requester Full Name", "Full Name", "Nom complet"]),
    variable("user.email", "claire.johnson@customer.example", &["Contact Email", "User Email", "Requester Email", "Email"]),
    variable("user.phone", "+33 1 23 45 67 89", &[]),
    variable("user.mobile", "+33 6 12 34 56 78", &[]),
    variable("user.department", "Accounting", &[]),
    variable("user.job_title", "Accountant", &[]),
    variable("user.locale", "en", &[]),
    variable("user.access", "limited", &[]),
    variable("portal.url", "https://help.example", &["Portal address", "Portal URL", "Adresse du portail", "URL du portail", "Portaladresse"]),
    variable("portal.name", "Example IT support", &[]),
    variable("portal.username", "claire.johnson@customer.example", &["Portal username", "Nom d'utilisateur du portail", "Nom d'utilisateur", "Identifiant", "Portalbenutzername"]),
    variable("portal.activation_url", "https://help.example/portal/activate/sample", &["Activation link", "Set password link", "Lien d'activation"]),
    variable("portal.password", "sample-password", &["Portal password", "Mot de passe du portail", "Portalpasswort"]),
    variable("portal.confirm_url", "https://help.example/portal/confirm/sample", &[]),
    variable("portal.expires", MOMENT, &[]),
    variable("ticket.number", "4711", &["Ticket ID", "Ticket Number", "Numéro du ticket"]),
    variable("ticket.subject", "The printer is on fire", &["Ticket Title", "Ticket Subject", "Titre du ticket"]),
    variable("ticket.status", "open", &["Ticket Status"]),
    variable("ticket.priority", "normal", &["Ticket Priority"]),
    variable("ticket.url", "https://help.example/portal/tickets/4711", &["Ticket Link", "Lien du ticket"]),
    variable("ticket.created_at", MOMENT, &[]),
    variable("ticket.assignee", "Anna Weiss", &[]),
    variable("ticket.due_at", MOMENT, &[]),
    variable("ticket.department", "Helpdesk", &[]),
    variable("site.name", "Contoso", &["Site Name", "Customer Name", "Company Name", "Nom du site", "Nom du client"]),
    variable("site.phone", "+33 1 98 76 54 32", &[]),
    variable("site.primary_users", "Anna Weiss", &[]),
    variable("agent.name", "Anna Weiss", &["Technician Name", "Agent Name", "Nom du technicien"]),
    variable("agent.email", "anna@help.example", &["Technician Email", "Agent Email"]),
    variable("agent.signature", "Anna Weiss, Example IT", &["Technician Signature", "Agent Signature", "Signature"]),
    variable("message.from", "Claire Johnson <claire.johnson@customer.example>", &[]),
    variable("message.entered_by", "Anna Weiss <anna@help.example>", &[]),
    variable("message.attachments", "log.txt, screen.png", &[]),
    variable("message.text", "Good morning,\nit is still on fire.", &["Last Comment", "Dernier commentaire"]),
    variable("message.quoted", "> Good morning,\n> it is still on fire.", &[]),
    variable("message.date", MOMENT, &[]),
    variable("reply.from", "support@help.example", &[]),
    variable("reply.command", "", &[]),
    variable("change.status", "open", &[]),
    variable("change.assignee", "Anna Weiss", &[]),
    variable("change.site", "Contoso", &[]),
    variable("held.count", "2", &[]),
    variable("held.list", "21 November, 09:12  claire.johnson@customer.example\nThe printer is on fire (no_sender)\n\n21 November, 09:40  shop@news.example\nYour order (spam_flagged)", &[]),
    variable("digest.since", "2026-11-16T08:00:00Z", &[]),
    variable("digest.until", "2026-11-23T08:00:00Z", &[]),
    variable("digest.opened", "12", &[]),
    variable("digest.closed", "9", &[]),
    variable("digest.open", "4", &[]),
    variable("digest.list", "4711  The printer is on fire\n4708  New laptop for Paul", &[]),
    variable("company.name", "Example IT", &[]),
    variable("company.phone", "+33 1 11 11 11 11", &["Company Phone"]),
    variable("mailbox.address", "support@help.example", &["Support Email", "E-mail du support"]),
    variable("now", MOMENT, &[]),
];

/// The sample of a time.
pub const MOMENT: &str = "2026-11-21T10:00:00Z";

/// The variable of that name.
pub fn known(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// The names closest to `written`, best first, when one is close enough to be meant.
pub fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    names
        // As meant, and, between two that mean the same, as spelt.
        .map(|name| (strsim::jaro_winkler(&folded, &fold(name)), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(likeness, name)| (likeness + strsim::jaro_winkler(written, name), name))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// What may stand in `{[…]}`, by its folded form.
#[derive(Clone)]
pub struct Snippets {
    /// The variable, and how the snippet is spelt when somebody must be told.
    meaning: BTreeMap<String, (&'static str, String)>,
}

/// A snippet, where it stands. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub name: &'static str,
    pub line: usize,
    pub column: usize,
}

/// A snippet that cannot be understood, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub hint: String,
}

impl Snippets {
    /// The snippets of interfaces §7, and every variable by its own name.
    pub fn shipped() -> Snippets {
        let mut meaning = BTreeMap::new();
        for variable in VARIABLES {
            for spelt in variable.snippets.iter().copied().chain([variable.name]) {
                meaning.insert(fold(spelt), (variable.name, spelt.to_owned()));
            }
        }
        Snippets { meaning }
    }

    /// Lets `alias` stand for a variable too; refuses to change what a snippet means already.
    pub fn alias(&mut self, alias: &str, variable: &'static Variable) -> Result<(), &'static str> {
        match self.meaning.get(&fold(alias)) {
            Some((meant, _)) if *meant != variable.name => Err(meant),
            _ => {
                self.meaning.insert(fold(alias), (variable.name, alias.to_owned()));
                Ok(())
            }
        }
    }

    /// The variable that a snippet stands for.
    pub fn meaning(&self, snippet: &str) -> Option<&'static str> {
        self.meaning.get(&fold(snippet)).map(|(name, _)| *name)
    }

    /// The snippets that stand for a variable, but for its own name.
    pub fn meant_by(&self, variable: &str) -> impl Iterator<Item = &str> {
        self.meaning
            .values()
            .filter(move |(name, spelt)| *name == variable && spelt != variable)
            .map(|(_, spelt)| spelt.as_str())
    }

    /// How the snippets are spelt.
    pub fn spelt(&self) -> impl Iterator<Item = &str> {
        self.meaning.values().map(|(_, spelt)| spelt.as_str())
    }

    /// Writes every snippet of `text` as `{{ variable }}`, in one pass; lines stay where they are.
    pub fn translate(&self, text: &str) -> (String, Vec<Use>, Vec<Misuse>) {
        let (mut out, mut uses, mut misuses) = (String::new(), Vec::new(), Vec::new());
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let mut rest = line;
            while let Some(start) = rest.find("{[") {
                let (before, opened) = rest.split_at(start);
                out.push_str(before);
                let at = (index + 1, line[..line.len() - opened.len()].chars().count() + 1);
                let Some(end) = opened.find("]}") else {
                    misuses.push(Misuse {
                        line: at.0,
                        column: at.1,
                        message: "`{[` is never closed".to_owned(),
                        hint: "write `]}` after the name, on the same line".to_owned(),
                    });
                    rest = "";
                    break;
                };
                match self.meaning.get(&fold(&opened[2..end])) {
                    Some((name, _)) => {
                        out.push_str(&format!("{{{{ {name} }}}}"));
                        uses.push(Use { name, line: at.0, column: at.1 });
                    }
                    None => misuses.push(self.unknown(opened[2..end].trim(), at)),
                }
                rest = &opened[end + 2..];
            }
            out.push_str(rest);
        }
        (out, uses, misuses)
    }

    fn unknown(&self, written: &str, (line, column): (usize, usize)) -> Misuse {
        let hint = match nearest(written, self.spelt()) {
            Some(name) => format!("did you mean `{{[{name}]}}`?"),
            None => "use a name of the documentation, or explain this one in the file named by \
                     `templates.aliases`"
                .to_owned(),
        };
        let message = format!("`{{[{}]}}` is no snippet", written.escape_debug());
        Misuse { line, column, message, hint }
    }
}

// Case, accents, spaces, `_` and `-` do not count; the typographic apostrophe is the plain one, as
// are those that an editor of HTML writes as an entity.
fn fold(name: &str) -> String {
    let mut name = name.replace("&nbsp;", " ");
    for apostrophe in ["&#39;", "&apos;", "&rsquo;"] {
        name = name.replace(apostrophe, "'");
    }
    name.nfd()
        .filter(|c| !is_combining_mark(*c) && !c.is_whitespace() && !matches!(c, '_' | '-'))
        .map(|c| if matches!(c, '\u{2018}' | '\u{2019}' | '\u{2bc}') { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translate(text: &str) -> String {
        let (out, _, misuses) = Snippets::shipped().translate(text);
        assert_eq!(misuses, [], "{text}");
        out
    }

    #[test]
    fn every_snippet_of_the_table_means_its_variable() {
        for variable in VARIABLES {
            for snippet in variable.snippets {
                let wanted = format!("{{{{ {} }}}}", variable.name);
                assert_eq!(translate(&format!("{{[{snippet}]}}")), wanted, "{snippet}");
                assert_eq!(translate(&format!("{{[ {} ]}}", snippet.to_uppercase())), wanted);
            }
        }
    }

    #[test]
    fn each_variable_is_listed_once() {
        let names: std::collections::BTreeSet<&str> =
            VARIABLES.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), VARIABLES.len());
    }

    #[test]
    fn no_two_variables_share_a_snippet() {
        let names: Vec<String> = VARIABLES
            .iter()
            .flat_map(|variable| variable.snippets.iter().map(|snippet| fold(snippet)))
            .collect();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(names.len(), distinct.len());
    }

    #[test]
    fn case_accents_spaces_and_apostrophes_do_not_count() {
        for written in [
            "{[Nom d'utilisateur du portail]}",
            "{[nom d\u{2019}utilisateur  du_portail]}",
            "{[NOMD'UTILISATEUR\u{a0}DU PORTAIL]}",
            "{[Nom d&rsquo;utilisateur&nbsp;du portail]}",
        ] {
            assert_eq!(translate(written), "{{ portal.username }}");
        }
        assert_eq!(translate("{[Prenom]} {[PRE\u{301}NOM]}"), translate("{[prénom]} {[prénom]}"));
    }

    #[test]
    fn t_32_a_snippet_is_not_looked_at_twice() {
        assert_eq!(translate("{[portal.url]} {{ x }}"), "{{ portal.url }} {{ x }}");
        let (out, _, misuses) = Snippets::shipped().translate("{[{[Portal address]}]}");
        assert_eq!(misuses.len(), 1, "{out}");
    }

    #[test]
    fn an_unknown_snippet_is_placed_and_the_nearest_one_named() {
        let (_, _, misuses) = Snippets::shipped().translate("Hello\né {[Portal adress]} x");
        assert_eq!(misuses.len(), 1);
        assert_eq!((misuses[0].line, misuses[0].column), (2, 3));
        assert_eq!(misuses[0].message, "`{[Portal adress]}` is no snippet");
        assert_eq!(misuses[0].hint, "did you mean `{[Portal address]}`?");
        let (_, _, misuses) = Snippets::shipped().translate("{[open");
        assert_eq!(misuses[0].message, "`{[` is never closed");
    }

    #[test]
    fn an_alias_adds_a_name_and_changes_none() {
        let mut snippets = Snippets::shipped();
        let site = known("site.name").expect("it is listed");
        assert_eq!(snippets.alias("Client final", site), Ok(()));
        assert_eq!(snippets.translate("{[client FINAL]}").0, "{{ site.name }}");
        assert_eq!(snippets.alias("Prénom", site), Err("user.first_name"));
    }
}
