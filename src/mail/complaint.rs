//! Reads what an abuse report is about (RFC 5965, M-60): which mail of ours, and who complained. An
//! automatic report about the same, e.g. a failed signature, is no complaint.

use std::borrow::Cow;

use super::address::list::AddressList;
use super::headers::{Fields, LineEnd, keyword, read_block};
use super::structure::{Contents, Part, Structure};
use super::thread::{MessageId, read_ids};
use super::transfer::decode_text;

/// That somebody does not want a mail of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaint {
    /// Who complained, as far as it says; most reports hide it.
    pub recipients: Vec<String>,
    /// The ids of the mail it is about, ours before a relay's.
    pub ids: Vec<MessageId>,
    /// The rule and what was seen.
    pub evidence: String,
}

/// The types of reports by which a person asks for no more mail.
const TYPES: [&str; 4] = ["abuse", "complaint", "fraud", "opt-out"];

/// The fields that name who complained.
const RECIPIENT_FIELDS: [&str; 3] = ["original-rcpt-to", "original-recipient", "removal-recipient"];

/// How much of a part is read.
const LIMIT: usize = 64 * 1024;

/// The complaint that the message at `root` is, if it names a mail by its id.
pub(super) fn read(structure: &Structure, root: usize) -> Option<Complaint> {
    let parts = || structure.parts_of(root).into_iter().map(|part| &structure.parts[part]);
    let report = parts().find(|part| part.media_type() == "message/feedback-report")?;
    let report = bytes_of(structure, report);
    let report = read_block(&report, 0, LineEnd::of(&report), |_| false).ok()?;
    let kind = keyword(report.fields.first("feedback-type")?);
    if !TYPES.contains(&kind.as_str()) {
        return None;
    }
    let ids = parts().skip(1).find_map(|part| returned_ids(structure, part))?;
    let named = RECIPIENT_FIELDS.iter().flat_map(|name| report.fields.all(name));
    let recipients = named
        .flat_map(|raw| AddressList::read(without_type(raw), None).entries)
        .map(|entry| entry.address)
        .filter(|address| address.contains('@'))
        .collect();
    Some(Complaint { recipients, ids, evidence: format!("M-60 Feedback-Type={kind}") })
}

/// The ids in the header of the returned message; `None` when the part is none.
fn returned_ids(structure: &Structure, part: &Part) -> Option<Vec<MessageId>> {
    if let Contents::Message(inner) = part.contents {
        return Some(ids_of(&structure.parts[inner].fields));
    }
    let is_header = matches!(part.media_type(), "message/rfc822" | "text/rfc822-headers");
    if !is_header {
        return None;
    }
    let header = bytes_of(structure, part);
    let block = read_block(&header, 0, LineEnd::of(&header), |_| false).ok()?;
    Some(ids_of(&block.fields))
}

fn ids_of(fields: &Fields) -> Vec<MessageId> {
    let names = ["x-guichet-message-id", "message-id"];
    names.iter().flat_map(|name| fields.all(name)).flat_map(read_ids).collect()
}

fn bytes_of<'a>(structure: &Structure<'a>, part: &Part<'a>) -> Cow<'a, [u8]> {
    let bytes = structure.bytes(part);
    decode_text(&bytes[..bytes.len().min(LIMIT)], part.encoding)
}

/// An address without `rfc822;` before it.
fn without_type(raw: &[u8]) -> &[u8] {
    match raw.iter().position(|byte| *byte == b';') {
        Some(at) => &raw[at + 1..],
        None => raw,
    }
}

#[cfg(test)]
mod tests {
    use crate::mail::{MachineReport, read};

    fn report(feedback: &str, returned: &str) -> Option<MachineReport> {
        let raw = format!(
            "From: fbl@provider.example\nTo: support@helpdesk.example\nSubject: Complaint\n\
             MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; \
             boundary=b\n\n--b\nContent-Type: text/plain\n\nA person complained.\n\
             --b\nContent-Type: message/feedback-report\n\n{feedback}\n\
             --b\n{returned}\n--b--\n"
        );
        read(raw.as_bytes()).expect("it can be read").report
    }

    const RETURNED: &str = "Content-Type: message/rfc822\n\nMessage-ID: <relay@relay.example>\n\
        X-Guichet-Message-ID: <ours@helpdesk.example>\nTo: redacted\n\nYour ticket";

    #[test]
    fn e_145_m_60_a_complaint_names_our_mail_and_who_complained() {
        let headers = RETURNED.replace("message/rfc822", "text/rfc822-headers");
        for returned in [RETURNED, &headers] {
            let feedback = "Feedback-Type: Abuse\nVersion: 1\n\
                Original-Rcpt-To: <claire@myorg.example>\nRemoval-Recipient: rfc822; x@y.example\n";
            let Some(MachineReport::Complaint(complaint)) = report(feedback, returned) else {
                panic!("no complaint in {returned}")
            };
            let ids: Vec<&str> = complaint.ids.iter().map(|id| id.as_str()).collect();
            assert_eq!(ids, ["ours@helpdesk.example", "relay@relay.example"]);
            assert_eq!(complaint.recipients, ["claire@myorg.example", "x@y.example"]);
            assert_eq!(complaint.evidence, "M-60 Feedback-Type=abuse");
        }
    }

    #[test]
    fn m_60_other_feedback_is_a_report() {
        for (feedback, returned) in [
            ("Feedback-Type: auth-failure\n", RETURNED),
            ("Feedback-Type: not-spam\n", RETURNED),
            ("Version: 1\n", RETURNED),
            ("Feedback-Type: abuse\n", "Content-Type: text/plain\n\nnothing"),
        ] {
            let report = report(feedback, returned);
            let is_report = matches!(report, Some(MachineReport::Report { what: "arf", .. }));
            assert!(is_report, "{feedback}");
        }
    }
}
