//! Finds the site of an address (mail.md section 8), and says what is wrong with the domains of a
//! site. Only a person's own address, or the domain of the address they write from, leads to a
//! site: no name, no Reply-To, no content.

use std::collections::BTreeSet;

use super::facts::{Facts, SiteFacts, SiteMatch};
use super::policy::{Policy, SitePolicy};
use crate::mail::address::domain_to_ascii;

/// What `sites.public_domains = "builtin"` stands for (M-108).
pub fn builtin_public_domains() -> BTreeSet<String> {
    include_str!("public_domains.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The site domains that lead from `domain` (lower-case A-labels) to a site: itself and, with
/// `sites.match_subdomains`, its parents by whole labels, longest first (M-107). None for a public
/// mail domain (M-108); only itself for a domain of our own addresses (M-109).
pub fn site_domains(domain: &str, policy: &Policy) -> Vec<String> {
    if is_public_mail(domain, &policy.sites.public_domains) {
        return Vec::new();
    }
    if !policy.sites.match_subdomains || is_own_domain(domain, policy) {
        return vec![domain.to_owned()];
    }
    // A single label is no site domain: it is a public suffix, or nobody's.
    let parents = with_parents(domain).skip(1).filter(|parent| parent.contains('.'));
    std::iter::once(domain).chain(parents).map(str::to_owned).collect()
}

/// The site that the facts lead to: by address, else by the longest domain, else the default one
/// (M-107, M-109).
pub fn matched(facts: &Facts) -> &SiteFacts {
    let rank = |site: &SiteFacts| match &site.matched_by {
        SiteMatch::Address => Some(usize::MAX),
        SiteMatch::Domain(domain) => Some(domain.len()),
        SiteMatch::Default | SiteMatch::Kept => None,
    };
    facts
        .sites
        .iter()
        .filter_map(|site| rank(site).map(|rank| (rank, site)))
        // The first of the best: `max_by_key` would take the last.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or(&facts.default_site, |(_, site)| site)
}

/// The name of the default site for mail to `mailbox`.
pub fn default_site<'a>(mailbox: &str, policy: &'a Policy) -> &'a str {
    policy
        .mailboxes
        .get(mailbox)
        .and_then(|mailbox| mailbox.default_site.as_deref())
        .unwrap_or(&policy.sites.default)
}

/// Whether everybody can have an address at `domain`, or at a domain above it (M-108).
pub fn is_public_mail(domain: &str, public_domains: &BTreeSet<String>) -> bool {
    with_parents(domain).any(|domain| public_domains.contains(domain))
}

/// What keeps a domain from being a site's (M-108).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainProblem {
    #[error("a site domain may not be empty")]
    Empty,
    #[error("it is no domain\nhint: write the part behind the `@`, such as `contoso.com`")]
    NotADomain,
    #[error(
        "everybody can have an address there, so it says nothing about a site\n\
         hint: list the people in `addresses` instead"
    )]
    PublicMail,
    #[error(
        "it is a public suffix, under which everybody can register a domain\n\
         hint: write the whole domain, such as `contoso.com`"
    )]
    PublicSuffix,
}

/// Takes a domain as written for a site and gives it as lower-case A-labels, or says why it cannot
/// be a site's (M-108).
pub fn site_domain(written: &str, policy: &SitePolicy) -> Result<String, DomainProblem> {
    let written = written.trim();
    let written = written.strip_suffix('.').unwrap_or(written);
    if written.is_empty() {
        return Err(DomainProblem::Empty);
    }
    let domain = domain_to_ascii(written).ok_or(DomainProblem::NotADomain)?;
    if is_public_mail(&domain, &policy.public_domains) {
        return Err(DomainProblem::PublicMail);
    }
    match psl::suffix_str(&domain) {
        Some(suffix) if suffix == domain => Err(DomainProblem::PublicSuffix),
        _ => Ok(domain),
    }
}

/// `domain` and what is above it, by whole labels.
fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above))
}

fn is_own_domain(domain: &str, policy: &Policy) -> bool {
    policy
        .own
        .iter()
        .any(|own| own.as_str().rsplit_once('@').is_some_and(|(_, owned)| owned == domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::samples::{address, facts, key, my_org, policy};

    fn domains(of: &str) -> Vec<String> {
        site_domains(address(of).domain(), &policy())
    }

    /// What the store answers to `domains` when these are the sites' domains.
    fn found(of: &str, declared: &[&str]) -> Option<String> {
        let sites: Vec<_> = domains(of)
            .into_iter()
            .filter(|domain| declared.contains(&domain.as_str()))
            .map(|domain| SiteFacts { matched_by: SiteMatch::Domain(domain), ..my_org() })
            .collect();
        match &matched(&Facts { sites, ..facts() }).matched_by {
            SiteMatch::Domain(domain) => Some(domain.clone()),
            _ => None,
        }
    }

    #[test]
    fn e_83_the_longest_domain_wins() {
        let declared = ["contoso.com", "mail.contoso.com"];
        assert_eq!(found("a@mail.contoso.com", &declared).as_deref(), Some("mail.contoso.com"));
        assert_eq!(found("a@x.mail.contoso.com", &declared).as_deref(), Some("mail.contoso.com"));
        assert_eq!(found("a@fr.contoso.com", &declared).as_deref(), Some("contoso.com"));
    }

    #[test]
    fn e_84_t_10_what_only_looks_alike_does_not_match() {
        for alike in ["a@attacker-contoso.com", "a@contoso.com.evil.net", "a@cоntoso.com"] {
            assert_eq!(found(alike, &["contoso.com"]), None, "{alike}");
        }
    }

    #[test]
    fn e_85_case_and_a_trailing_dot_do_not_matter() {
        assert_eq!(found("a@CONTOSO.COM.", &["contoso.com"]).as_deref(), Some("contoso.com"));
    }

    #[test]
    fn e_75_a_labels_and_u_labels_are_one() {
        assert_eq!(domains("a@bücher.example"), domains("a@xn--bcher-kva.example"));
    }

    #[test]
    fn e_86_public_mail_never_matches() {
        assert!(domains("claire@gmail.com").is_empty());
        assert!(domains("claire@mail.gmail.com").is_empty());
        assert!(!domains("claire@notgmail.com").is_empty());
    }

    #[test]
    fn e_89_subdomains_may_be_left_out() {
        let mut policy = policy();
        policy.sites.match_subdomains = false;
        assert_eq!(site_domains("mail.contoso.com", &policy), ["mail.contoso.com"]);
        assert_eq!(site_domains("contoso.com", &policy), ["contoso.com"]);
    }

    #[test]
    fn m_107_parents_end_before_the_top() {
        assert_eq!(
            domains("a@b.c.contoso.com"),
            ["b.c.contoso.com", "c.contoso.com", "contoso.com"]
        );
        assert_eq!(domains("root@server1"), ["server1"]);
    }

    #[test]
    fn m_109_a_domain_of_ours_matches_only_itself() {
        let mut policy = policy();
        policy.own.insert(key("support@desk.contoso.com"));
        assert_eq!(site_domains("desk.contoso.com", &policy), ["desk.contoso.com"]);
    }

    #[test]
    fn m_109_an_address_wins_over_a_domain() {
        let by_address = SiteFacts { matched_by: SiteMatch::Address, ..my_org() };
        let facts = Facts { sites: vec![my_org(), by_address], ..facts() };
        assert_eq!(matched(&facts).matched_by, SiteMatch::Address);
    }

    #[test]
    fn m_107_nothing_found_is_the_default_site() {
        assert_eq!(matched(&Facts { sites: Vec::new(), ..facts() }).matched_by, SiteMatch::Default);
    }

    #[test]
    fn m_107_a_mailbox_may_have_a_default_of_its_own() {
        let mut policy = policy();
        assert_eq!(default_site("support", &policy), "Unassigned");
        let mailbox = policy.mailboxes.get_mut("support").expect("the desk's");
        mailbox.default_site = Some("Contoso".to_owned());
        assert_eq!(default_site("support", &policy), "Contoso");
        assert_eq!(default_site("gone", &policy), "Unassigned");
    }

    #[test]
    fn m_108_what_no_site_may_claim() {
        let check = |written: &str| site_domain(written, &policy().sites);
        assert_eq!(check("  "), Err(DomainProblem::Empty));
        assert_eq!(check("."), Err(DomainProblem::Empty));
        assert_eq!(check("contoso .com"), Err(DomainProblem::NotADomain));
        assert_eq!(check("a@contoso.com"), Err(DomainProblem::NotADomain));
        assert_eq!(check("gmail.com"), Err(DomainProblem::PublicMail));
        assert_eq!(check("x.GMAIL.com"), Err(DomainProblem::PublicMail));
        for suffix in ["com", "co.uk", "github.io", "рф", "xn--p1ai", "local"] {
            assert_eq!(check(suffix), Err(DomainProblem::PublicSuffix), "{suffix}");
        }
        assert_eq!(check("Contoso.COM."), Ok("contoso.com".to_owned()));
        assert_eq!(check("bücher.example"), Ok("xn--bcher-kva.example".to_owned()));
    }

    #[test]
    fn m_108_the_built_in_list_is_sorted_and_in_a_labels() {
        let listed =
            include_str!("public_domains.txt").lines().filter(|line| !line.starts_with('#'));
        let listed: Vec<&str> = listed.collect();
        assert!(listed.is_sorted());
        for domain in listed {
            assert_eq!(domain_to_ascii(domain).as_deref(), Some(domain));
        }
    }
}
