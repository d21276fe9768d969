//! Reports that are no bounces: abuse reports, read receipts, statistics (M-60).

use super::{MachineReport, Seen};
use crate::mail::headers::contains_word;

/// Media types and endings of the names of files that DMARC statistics are packed in.
const PACKED_TYPES: [&str; 3] = ["gzip", "xml", "zip"];
const PACKED_NAMES: [&str; 3] = [".gz", ".xml", ".zip"];

impl Seen<'_> {
    /// M-60.
    pub fn other_report(&self) -> Option<MachineReport> {
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
                let evidence = "M-60 Disposition=deleted, rejected".to_owned();
                return Some(self.bounce(evidence, groups));
            }
            return report("mdn", mdn);
        }
        match self.report_type().as_deref() {
            Some("disposition-notification") => {
                return report("mdn", "report-type=disposition-notification");
            }
            Some("feedback-report") => return report("arf", "report-type=feedback-report"),
            Some("tlsrpt") => return report("tlsrpt", "report-type=tlsrpt"),
            _ => (),
        }
        if self.has_part("application/tlsrpt+gzip") || self.has_part("application/tlsrpt+json") {
            return report("tlsrpt", "application/tlsrpt");
        }
        let subject = self.subject.to_lowercase();
        let is_dmarc = subject.contains("report domain:") && subject.contains("report-id:");
        if is_dmarc && self.has_packed_part() {
            return report("dmarc", "subject Report Domain … Report-ID");
        }
        None
    }

    fn has_packed_part(&self) -> bool {
        let mut parts = self.structure.parts_of(self.root).into_iter();
        parts.any(|part| {
            let part = &self.structure.parts[part];
            let is_packed = |written: &str, marks: &[&str]| {
                let written = written.to_lowercase();
                marks.iter().any(|mark| written.contains(mark))
            };
            let named =
                |name: Option<String>| name.is_some_and(|name| is_packed(&name, &PACKED_NAMES));
            is_packed(part.media_type(), &PACKED_TYPES)
                || named(part.disposition.keyword("filename"))
                || named(part.content_type.keyword("name"))
        })
    }
}
