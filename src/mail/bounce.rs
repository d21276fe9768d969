//! Reads bounces and other reports of machines (mail.md 4.3). Whose bounce it is, and what follows,
//! is decided in `triage` (M-64, M-65). Parts inside attached messages never count: a bounce that
//! somebody forwards is that person's mail.

mod dsn;
mod named;
mod report;
mod returned;
mod ses;
mod status;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use serde::Serialize;

use super::address::list::AddressList;
use super::headers::Fields;
use super::structure::{Contents, Structure};
use super::transfer::decode_text;
use super::{Complaint, MessageId, NamedAddress, ReturnPath};
use dsn::Group;
use named::{Named, Notice, Only};
use returned::{Returned, Split, is_returned_type};
use writer::{Returns, Sender, Words, Writer};

/// A bounce, or a report that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MachineReport {
    Bounce(Bounce),
    /// M-60: somebody reported a mail of ours as abuse.
    Complaint(Complaint),
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
    /// It looks like a bounce but asks the sender to prove something (M-68): the words that say so.
    pub challenge: Option<String>,
}

/// What was read of the message before.
pub(super) struct Seen<'a> {
    pub structure: &'a Structure<'a>,
    /// The part that is the message.
    pub root: usize,
    pub fields: &'a Fields<'a>,
    pub subject: &'a str,
    pub from: &'a [NamedAddress],
    pub return_path: &'a ReturnPath,
    pub text: &'a str,
}

/// How much of a delivery status is read.
const STATUS_LIMIT: usize = 256 * 1024;

/// What a delivery status begins with (RFC 3464 §2.2).
const STATUS_START: &[u8] = b"reporting-mta:";

/// How much of the text is read: notices are short, what they return is long.
const NOTICE_LIMIT: usize = 32 * 1024;

/// Reads bounces and reports by their structure (M-59, M-60), then by their words (M-61); challenges
/// go first (M-68).
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
    if report.is_none() {
        let challenge = seen.challenge();
        let report = if challenge.is_some() { None } else { seen.written() };
        return Reported { report, challenge };
    }
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
        if are_served(&groups) {
            return Some(served("M-59 message/delivery-status, all recipients served".to_owned()));
        }
        let evidence = match groups.is_empty() {
            false => "M-59 message/delivery-status",
            true => "M-59 report-type=delivery-status",
        };
        Some(self.bounce(evidence.to_owned(), groups))
    }

    /// X-Failed-Recipients alone makes a bounce (M-59, M-62 source 2).
    fn failed_recipients(&self) -> Option<MachineReport> {
        self.fields.first("x-failed-recipients")?;
        Some(self.bounce("M-59 X-Failed-Recipients".to_owned(), Vec::new()))
    }

    /// The words of a challenge that a person's own address sends (M-68); those programs borrow the
    /// phrases of bounces.
    fn challenge(&self) -> Option<String> {
        Writer::of(self.sender()).filter(|writer| *writer == Writer::NullPath)?;
        let text = writer::collapsed(Split::of(self.notice()).above, NOTICE_LIMIT);
        let found = tables::CHALLENGE.find(&text)?;
        Some(format!("text \"{}\"", cut(found.as_str())))
    }

    /// A bounce by its sender and its words (M-61), or a notice in words that all went well.
    fn written(&self) -> Option<MachineReport> {
        let writer = Writer::of(self.sender())?;
        let split = Split::of(self.notice());
        let returned = match self.returns_a_part() {
            true => Returns::AsPart,
            false => Returns::Nothing,
        };
        let evidence = writer.evidence(Words { subject: self.subject, split: &split, returned })?;
        let mut groups = Notice::of(split.above).groups();
        if groups.is_empty() {
            groups = self.renamed_groups();
        }
        if are_served(&groups) || tables::SUCCESS.is_match(self.subject) {
            return Some(served(evidence));
        }
        Some(self.bounce(evidence, groups))
    }

    /// A bounce with the recipients of the first source that yields any (M-62).
    fn bounce(&self, evidence: String, groups: Vec<Group>) -> MachineReport {
        let split = Split::of(self.notice());
        let notice = Notice::of(split.above);
        let in_text = || split.below.and_then(Returned::in_text);
        let returned = Returned::in_parts(self.structure, self.root).or_else(in_text);
        let returned = returned.unwrap_or_default();
        let named = notice.recipients(&self.strangers());

        let failed: Vec<Group> = groups.into_iter().filter(|group| !group.is_success).collect();
        // A group that names nobody says why all the same.
        let nameless = failed.iter().find(|group| group.address.is_none());
        let nameless = nameless.map(|group| BouncedRecipient {
            address: String::new(),
            action: group.action.clone(),
            status: group.status.clone(),
            diagnostic: group.diagnostic.clone(),
        });
        let mut recipients: Vec<_> = failed.into_iter().filter_map(Group::recipient).collect();
        let of = |address: &str| BouncedRecipient {
            address: address.to_owned(),
            ..nameless.clone().unwrap_or_default()
        };
        if recipients.is_empty() {
            recipients.extend(self.named_in("x-failed-recipients").iter().map(|name| of(name)));
        }
        if recipients.is_empty() {
            recipients.extend(named.iter().map(|named| of(&named.address)));
        }
        if recipients.is_empty() {
            // A gateway that says nothing of its own wraps the notice of another system.
            let in_text = || split.below.map(|below| Notice::of(below).groups());
            let wrapped = self
                .wrapped_groups()
                .or_else(in_text)
                .into_iter()
                .flatten()
                .filter(|group| !group.is_success);
            recipients.extend(wrapped.filter_map(Group::recipient));
        }
        if recipients.is_empty() {
            recipients.extend(returned.only_recipient.iter().map(|address| of(address)));
        }
        recipients.truncate(RECIPIENT_LIMIT);
        let mut told = Told { notice: &notice, named: &named, evidence: vec![evidence] };
        told.complete(&mut recipients, self.subject);
        MachineReport::Bounce(Bounce {
            recipients,
            original_message_id: returned.message_id,
            given_message_id: returned.given_id,
            evidence: told.evidence,
        })
    }

    /// The delivery status inside the message that is returned.
    fn wrapped_groups(&self) -> Option<Vec<Group>> {
        let inner = self.structure.parts_of(self.root).into_iter().find_map(|part| {
            match self.structure.parts[part].contents {
                Contents::Message(inner) => Some(inner),
                _ => None,
            }
        })?;
        Seen { root: inner, ..*self }
            .groups("message/delivery-status", "message/global-delivery-status")
    }

    /// The delivery status in a part whose type says nothing of it: some gateways write it as a file.
    /// Only the notice of a mail system may have it so, people attach what they got.
    fn renamed_groups(&self) -> Vec<Group> {
        let parts = self.structure.parts_of(self.root).into_iter();
        let mut parts = parts.map(|part| &self.structure.parts[part]).filter(|part| {
            let media_type = part.media_type();
            part.is_leaf() && matches!(media_type, "application/octet-stream" | "text/plain")
        });
        let status = parts.find_map(|part| {
            let bytes = self.structure.bytes(part);
            let text = decode_text(&bytes[..bytes.len().min(STATUS_LIMIT)], part.encoding);
            let start = text.trim_ascii_start().get(..STATUS_START.len())?;
            start.eq_ignore_ascii_case(STATUS_START).then_some(text)
        });
        status.map_or_else(Vec::new, |status| dsn::groups(&status))
    }

    fn notice(&self) -> &str {
        &self.text[..self.text.floor_char_boundary(NOTICE_LIMIT)]
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            from: self.from,
            written: self.fields.first("from"),
            return_path: self.return_path,
        }
    }

    /// Who the notice is from and to, in lower case: they are not who it speaks of.
    fn strangers(&self) -> Vec<String> {
        let names = ["from", "to", "reply-to", "return-path", "sender"];
        names.iter().flat_map(|name| self.named_in(name)).collect()
    }

    fn named_in(&self, name: &str) -> Vec<String> {
        let entries = self.fields.all(name).flat_map(|raw| AddressList::read(raw, None).entries);
        entries.map(|entry| entry.address).filter(|address| address.contains('@')).collect()
    }

    fn returns_a_part(&self) -> bool {
        let mut parts = self.structure.parts_of(self.root).into_iter().skip(1);
        parts.any(|part| is_returned_type(self.structure.parts[part].media_type()))
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
}

/// More recipients than any one mail of ours has; as many as other fields may name (M-04).
const RECIPIENT_LIMIT: usize = 500;

/// What the words of a notice tell of its recipients.
struct Told<'a> {
    notice: &'a Notice<'a>,
    named: &'a [Named],
    evidence: Vec<String>,
}

impl Told<'_> {
    /// Fills in what the source of the recipients left open: code, action, the server's words (M-63b).
    fn complete(&mut self, recipients: &mut [BouncedRecipient], subject: &str) {
        let only = if recipients.len() == 1 { Only::Yes } else { Only::No };
        let groups = self.notice.groups();
        let own = self.notice.parts_about(recipients);
        for recipient in recipients.iter_mut() {
            let group = groups.iter().find(|group| {
                let address = group.address.as_deref().unwrap_or_default();
                address.eq_ignore_ascii_case(&recipient.address)
            });
            if let Some(group) = group {
                let BouncedRecipient { action, status, diagnostic, .. } = recipient;
                *action = action.take().or_else(|| group.action.clone());
                *status = status.take().or_else(|| group.status.clone());
                *diagnostic = diagnostic.take().or_else(|| group.diagnostic.clone());
            }
            let mut parts = own.iter().chain(self.named);
            let part = parts.find(|part| part.address.eq_ignore_ascii_case(&recipient.address));
            let part = part.or_else(|| self.named.first().filter(|_| only == Only::Yes));
            self.complete_one(recipient, part, only, subject);
        }
    }

    fn complete_one(
        &mut self,
        recipient: &mut BouncedRecipient,
        part: Option<&Named>,
        only: Only,
        subject: &str,
    ) {
        if recipient.status.as_deref().is_none_or(status::is_vague) {
            let stated = self.notice.stated(&recipient.address, part, only);
            let is_of_class = |stated: &String| {
                recipient.status.as_ref().is_none_or(|own| own[..1] == stated[..1])
            };
            if let Some(stated) = stated.filter(is_of_class) {
                recipient.status = Some(stated);
            }
        }
        if recipient.status.is_none() {
            let derived = self.notice.derived(part, only).or_else(|| status::derived(subject));
            if let Some((code, words)) = derived {
                self.evidence.push(format!("M-63b {code} derived from \"{}\"", cut(&words)));
                recipient.status = Some(code.to_owned());
            }
        }
        if recipient.diagnostic.is_none() {
            recipient.diagnostic = part.and_then(|part| self.notice.diagnostic(part));
        }
        if recipient.action.is_none() {
            let is_delayed = tables::DELAY.is_match(subject) || self.notice.is_about_delay();
            recipient.action = Some(if is_delayed { "delayed" } else { "failed" }.to_owned());
        }
    }
}

/// What was seen, as evidence shows it (M-54).
fn cut(said: &str) -> String {
    said.chars().take(80).collect()
}

fn are_served(groups: &[Group]) -> bool {
    !groups.is_empty() && groups.iter().all(|group| group.is_success)
}

fn served(evidence: String) -> MachineReport {
    MachineReport::Report { what: "dsn-success", evidence }
}
