//! Reads bounces and other reports of machines (mail.md 4.3). Whose bounce it is, and what follows,
//! is decided in `triage` (M-64, M-65). Parts inside attached messages never count: a bounce that
//! somebody forwards is that person's mail.

mod dsn;
mod ses;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::MessageId;
use super::address::list::AddressList;
use super::headers::{Fields, LineEnd, contains_word, read_block};
use super::structure::{Contents, Structure};
use super::thread::read_ids;
use super::transfer::decode_text;
use dsn::Group;

/// A bounce, or a report that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineReport {
    Bounce(Bounce),
    /// M-60, or a DSN about a success.
    Report {
        /// `arf`, `dmarc`, `dsn-success`, `mdn` or `tlsrpt`.
        what: &'static str,
        /// The rule and what was seen, e.g. `M-60 message/disposition-notification`.
        evidence: String,
    },
}

/// A notice that mail could not be, or not yet be, delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// In the order they are named (M-62).
    pub recipients: Vec<BouncedRecipient>,
    /// The id of the mail that bounced, if the bounce returns its header.
    pub original_message_id: Option<MessageId>,
    /// The id that the mail had when we sent it, beside one that a relay gave it (M-82).
    pub given_message_id: Option<MessageId>,
    /// The rules and what was seen, strongest first.
    pub evidence: Vec<String>,
}

/// One recipient a bounce speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BouncedRecipient {
    pub address: String,
    /// `failed` or `delayed`, …, as written or derived (M-63b).
    pub action: Option<String>,
    /// An enhanced status code (RFC 3463).
    pub status: Option<String>,
    pub diagnostic: Option<String>,
}

/// What a message reports, if it is a machine's report.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub report: Option<MachineReport>,
    /// It is shaped as a bounce but asks the sender to prove something (M-68): the words that say so.
    pub challenge: Option<String>,
}

/// What was read of the message before.
pub(super) struct Seen<'a> {
    pub structure: &'a Structure<'a>,
    /// The part that is the message.
    pub root: usize,
    pub fields: &'a Fields<'a>,
    pub subject: &'a str,
    pub text: &'a str,
}

/// Reads bounces and reports by their structure (M-59, M-60); challenges go first (M-68).
pub(super) fn read(seen: &Seen) -> Reported {
    let groups = seen.groups("message/delivery-status", "message/global-delivery-status");
    if let Some(challenge) = groups.iter().flatten().find_map(Group::challenge) {
        return Reported { report: None, challenge: Some(challenge) };
    }
    let report = seen
        .delivery_status(groups)
        .or_else(|| seen.failed_recipients())
        .or_else(|| ses::read(seen.text))
        .or_else(|| seen.other_report());
    Reported { report, challenge: None }
}

impl Seen<'_> {
    /// A delivery status: all recipients served is a report, anything else a bounce (M-59).
    fn delivery_status(&self, groups: Option<Vec<Group>>) -> Option<MachineReport> {
        let is_unreadable_report = || self.report_type().as_deref() == Some("delivery-status");
        let groups = match groups {
            Some(groups) if !groups.is_empty() => groups,
            _ if is_unreadable_report() => Vec::new(),
            _ => return None,
        };
        if !groups.is_empty() && groups.iter().all(|group| group.is_success) {
            let evidence = "M-59 message/delivery-status, all recipients served".to_owned();
            return Some(MachineReport::Report { what: "dsn-success", evidence });
        }
        let evidence = match groups.is_empty() {
            false => "M-59 message/delivery-status",
            true => "M-59 report-type=delivery-status",
        };
        let failed = groups.into_iter().filter(|group| !group.is_success);
        Some(self.bounce(evidence.to_owned(), failed.filter_map(|group| group.recipient).collect()))
    }

    /// X-Failed-Recipients alone makes a bounce (M-59, M-62 source 2).
    fn failed_recipients(&self) -> Option<MachineReport> {
        self.fields.first("x-failed-recipients")?;
        Some(self.bounce("M-59 X-Failed-Recipients".to_owned(), Vec::new()))
    }

    /// A bounce with the recipients of the first source that yields any (M-62).
    fn bounce(&self, evidence: String, mut recipients: Vec<BouncedRecipient>) -> MachineReport {
        let returned = self.returned_fields();
        if recipients.is_empty() {
            recipients = self.named_in("x-failed-recipients");
        }
        let to = || returned.as_ref().map(Returned::only_recipient);
        if recipients.is_empty() {
            recipients.extend(to().flatten());
        }
        let (original_message_id, given_message_id) =
            returned.map_or((None, None), |returned| (returned.message_id, returned.given_id));
        MachineReport::Bounce(Bounce {
            recipients,
            original_message_id,
            given_message_id,
            evidence: vec![evidence],
        })
    }

    fn named_in(&self, name: &str) -> Vec<BouncedRecipient> {
        let entries = self.fields.all(name).flat_map(|raw| AddressList::read(raw, None).entries);
        entries
            .filter(|entry| entry.address.contains('@'))
            .map(|entry| BouncedRecipient { address: entry.address, ..BouncedRecipient::default() })
            .collect()
    }

    /// M-60.
    fn other_report(&self) -> Option<MachineReport> {
        let report = |what, evidence: &str| {
            Some(MachineReport::Report { what, evidence: format!("M-60 {evidence}") })
        };
        if self.has_part("message/feedback-report") {
            return report("arf", "message/feedback-report");
        }
        let mdn = "message/disposition-notification";
        if let Some(groups) = self.groups(mdn, "message/global-disposition-notification") {
            let is_deleted = groups.iter().any(|group| group.is_deleted);
            if is_deleted && contains_word(self.text.as_bytes(), "rejected") {
                let recipients = groups.into_iter().filter_map(|group| group.recipient);
                let evidence = "M-60 Disposition=deleted, rejected".to_owned();
                return Some(self.bounce(evidence, recipients.collect()));
            }
            return report("mdn", mdn);
        }
        if self.report_type().as_deref() == Some("tlsrpt") {
            return report("tlsrpt", "report-type=tlsrpt");
        }
        let subject = self.subject.to_lowercase();
        let is_dmarc = subject.contains("report domain:") && subject.contains("report-id:");
        let is_packed = |kind: &str| ["zip", "xml"].iter().any(|packed| kind.contains(packed));
        let mut parts = self.structure.parts_of(self.root).into_iter();
        if is_dmarc && parts.any(|part| is_packed(self.structure.parts[part].media_type())) {
            return report("dmarc", "subject Report Domain … Report-ID");
        }
        None
    }

    fn report_type(&self) -> Option<String> {
        self.structure.parts[self.root].content_type.keyword("report-type")
    }

    fn has_part(&self, kind: &str) -> bool {
        let parts = self.structure.parts_of(self.root);
        parts.iter().any(|part| self.structure.parts[*part].media_type() == kind)
    }

    /// The groups of the first part of either type, or `None` when there is none.
    fn groups(&self, kind: &str, international: &str) -> Option<Vec<Group>> {
        let parts = self.structure.parts_of(self.root);
        let mut parts = parts.iter().map(|part| &self.structure.parts[*part]);
        let part = parts.find(|part| {
            let media_type = part.media_type();
            part.is_leaf() && (media_type == kind || media_type == international)
        })?;
        let bytes = self.structure.bytes(part);
        let status = decode_text(&bytes[..bytes.len().min(STATUS_LIMIT)], part.encoding);
        Some(dsn::groups(&status))
    }

    /// What the header of the returned message says, if it came back as a part.
    fn returned_fields(&self) -> Option<Returned> {
        self.structure.parts_of(self.root).into_iter().skip(1).find_map(|id| {
            let part = &self.structure.parts[id];
            if let Contents::Message(inner) = part.contents {
                return Some(Returned::read(&self.structure.parts[inner].fields));
            }
            let is_header = matches!(
                part.media_type(),
                "text/rfc822-headers"
                    | "message/rfc822-headers"
                    | "message/global-headers"
                    | "message/rfc822"
                    | "message/global"
            );
            if !is_header {
                return None;
            }
            let bytes = self.structure.bytes(part);
            let header = decode_text(&bytes[..bytes.len().min(STATUS_LIMIT)], part.encoding);
            let block = read_block(&header, 0, LineEnd::of(&header), |_| false).ok()?;
            Some(Returned::read(&block.fields))
        })
    }
}

/// How much of a report is read.
const STATUS_LIMIT: usize = 256 * 1024;

/// What the header of a returned message says.
struct Returned {
    message_id: Option<MessageId>,
    /// X-Guichet-Message-ID.
    given_id: Option<MessageId>,
    /// To or X-Original-To, when it holds one address (M-62 source 4).
    only_recipient: Option<String>,
}

impl Returned {
    fn read(fields: &Fields) -> Returned {
        let only = |name| {
            let list = AddressList::read(fields.first(name)?, None);
            match &list.entries[..] {
                [entry] if entry.address.contains('@') => Some(entry.address.clone()),
                _ => None,
            }
        };
        let id = |name| fields.all(name).find_map(|raw| read_ids(raw).into_iter().next());
        Returned {
            message_id: id("message-id"),
            given_id: id("x-guichet-message-id"),
            only_recipient: only("to").or_else(|| only("x-original-to")),
        }
    }

    fn only_recipient(&self) -> Option<BouncedRecipient> {
        let address = self.only_recipient.clone()?;
        Some(BouncedRecipient { address, ..BouncedRecipient::default() })
    }
}
