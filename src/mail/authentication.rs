//! Reads what mail servers found out about the author of a message (RFC 8601). Anybody can write
//! such a field: only the topmost ones of a server that is trusted count, and only for the domain
//! that From names (R-33, R-34, T-46).

mod field;

use super::NamedAddress;
use super::address::{Address, domain_to_ascii};
use super::headers::Fields;
use crate::faults;

pub use field::{Finding, Findings, Property};

/// The most fields that are looked at: a server writes a handful, one for each of its checks.
const FIELD_LIMIT: usize = 50;

/// What stands in the header about the way of the message and about its author, topmost first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication(pub Vec<Trace>);

/// One field of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// An `Authentication-Results` field.
    Findings(Findings),
    /// A `Received` field: a server took the message over.
    Received,
}

/// Whose findings are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server<'a> {
    /// The one that calls itself so (its authserv-id).
    Named(&'a str),
    /// The one that does not name itself, as Microsoft 365.
    Unnamed,
}

/// Whether the domain that From names vouches for the message (`dmarc=`), by a trusted server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dmarc {
    /// The domain says that its mail looks otherwise; with what was seen.
    Fail { evidence: String },
    /// With what was seen.
    Pass { evidence: String },
    /// Nobody who is trusted says either.
    #[default]
    Unknown,
}

impl Dmarc {
    /// The domain disowns the message.
    pub fn is_fail(&self) -> bool {
        matches!(self, Dmarc::Fail { .. })
    }

    /// The domain vouches for the message.
    pub fn is_pass(&self) -> bool {
        matches!(self, Dmarc::Pass { .. })
    }
}

impl Authentication {
    /// Reads the trace of a header. `ARC-Authentication-Results` and `X-` variants are other
    /// fields, whatever they say.
    pub(super) fn read(fields: &Fields) -> Authentication {
        let mut trace = Vec::new();
        for field in &fields.0 {
            if field.name.eq_ignore_ascii_case("received") {
                // Several in a row end a block as one does.
                if trace.last() != Some(&Trace::Received) {
                    trace.push(Trace::Received);
                }
            } else if field.name.eq_ignore_ascii_case("authentication-results") {
                trace.push(Trace::Findings(Findings::read(field.raw)));
            }
            if trace.len() == FIELD_LIMIT {
                break;
            }
        }
        Authentication(trace)
    }

    /// What `server` says of the author in `from`. Findings that contradict one another say
    /// nothing, nor does anything about a From of several domains. A server that has found no
    /// pass has found one thing: a pass that stands beside it is somebody else's.
    pub fn dmarc(&self, server: Server<'_>, from: &[NamedAddress]) -> Dmarc {
        let Some(domain) = domain_of(from) else { return Dmarc::Unknown };
        let (mut verdict, mut is_pass_doubtful) = (Dmarc::Unknown, false);
        for finding in self.believed(server).filter(|finding| finding.method == "dmarc") {
            let mut domains =
                finding.properties.iter().filter(|property| property.name == "header.from");
            let is_about = |property: &Property| names(&property.value, &domain);
            // One at least, and no other beside it.
            let is_ours = domains.next().is_some_and(is_about) && domains.all(is_about);
            let evidence = format!("dmarc={} header.from={domain}", finding.result);
            let found = match finding.result.as_str() {
                "fail" if is_ours => Dmarc::Fail { evidence },
                "pass" if is_ours => Dmarc::Pass { evidence },
                _ => {
                    is_pass_doubtful = true;
                    continue;
                }
            };
            if verdict != Dmarc::Unknown && verdict != found {
                return Dmarc::Unknown;
            }
            verdict = found;
        }
        if verdict.is_pass() && is_pass_doubtful { Dmarc::Unknown } else { verdict }
    }

    /// The findings of the topmost block that `server` wrote. What is above it was put there on the
    /// way from that server to us; below it stands what the message came with, where the sender may
    /// have written anything. So the block ends at the next `Received`, and nothing counts below
    /// findings of somebody else: a server that is no longer ours strips no forgeries of its name.
    fn believed<'a>(&'a self, server: Server<'a>) -> impl Iterator<Item = &'a Finding> {
        let is_theirs = move |findings: &&Findings| match (server, &findings.server) {
            (Server::Named(name), Some(written)) => {
                let is_named = !written.is_empty() && written.eq_ignore_ascii_case(name);
                is_named || !faults::stands("T-46-servers")
            }
            (Server::Unnamed, None) => true,
            (Server::Named(_), None) | (Server::Unnamed, Some(_)) => false,
        };
        // One that does not name itself cannot be told from another of its kind: only one field.
        let most = match server {
            Server::Named(_) => usize::MAX,
            Server::Unnamed => 1,
        };
        // iCloud writes each method under a name of its own, `dmarc.icloud.com`.
        let is_beside = move |findings: &Findings| match (server, &findings.server) {
            (Server::Named(name), Some(written)) => is_sister(written, name),
            (Server::Named(_), None) | (Server::Unnamed, _) => false,
        };
        let above = self.0.iter().take_while(|trace| **trace == Trace::Received).count();
        let block = self.0[above..].iter().map_while(|trace| match trace {
            Trace::Findings(findings) => Some(findings),
            Trace::Received => None,
        });
        block
            .take_while(move |findings| is_theirs(findings) || is_beside(findings))
            .filter(is_theirs)
            .take(most)
            .flat_map(|findings| &findings.all)
    }
}

/// Whether a server's name is in the domain that `name` is in.
fn is_sister(written: &str, name: &str) -> bool {
    let domain = name.split_once('.').map(|(_, domain)| domain);
    let domain = domain.filter(|domain| domain.contains('.')).unwrap_or(name);
    let Some(at) = written.len().checked_sub(domain.len()) else { return false };
    written.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(domain))
        && (at == 0 || written[..at].ends_with('.'))
}

/// The one domain of From, as A-labels; `None` when there is none or several.
fn domain_of(from: &[NamedAddress]) -> Option<String> {
    let mut domains = from.iter().map(|named| {
        Address::repaired(&named.address).ok().map(|(address, _)| address.domain().to_owned())
    });
    let first = domains.next()??;
    domains.all(|domain| domain.as_ref() == Some(&first)).then_some(first)
}

/// Whether what a server wrote as `header.from` names the domain.
fn names(written: &str, domain: &str) -> bool {
    let written = written.rsplit_once('@').map_or(written, |(_, domain)| domain);
    let written = written.strip_suffix('.').unwrap_or(written);
    domain_to_ascii(written).is_some_and(|written| written == domain)
}

#[cfg(test)]
mod tests;
