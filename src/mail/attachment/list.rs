//! Lists what is attached to a message (M-23, M-24, M-26).

use std::collections::HashSet;

use encoding_rs::Encoding;

use super::name::{Names, extension_for, label};
use super::{Attachment, AttachmentSource, TransferEncoding, measure};
use crate::mail::body::{Body, Leftover};
use crate::mail::headers::unfold;
use crate::mail::structure::{Contents, Part, Structure};
use crate::mail::words;

/// The most attachments that are listed (M-04).
pub const ATTACHMENT_LIMIT: usize = 100;

/// What is attached to a message, and whether there was more than the limit.
#[derive(Debug, Default)]
pub struct Listed {
    pub attachments: Vec<Attachment>,
    pub is_cut: bool,
}

/// Lists every part of the message at `root` that is not a chosen body and holds no parts (M-23),
/// and what the body left over.
pub fn list(
    structure: &Structure,
    root: usize,
    body: &Body,
    own: Option<&'static Encoding>,
) -> Listed {
    let mut lister = Lister {
        structure,
        own,
        names: Names::default(),
        inline: &body.content_ids,
        listed: Listed::default(),
    };
    for id in structure.parts_of(root) {
        let part = &structure.parts[id];
        let is_container =
            matches!(&part.contents, Contents::Multipart(parts) if !parts.is_empty());
        if !is_container && !body.parts.contains(&id) {
            lister.part(part);
        }
    }
    for leftover in &body.leftovers {
        lister.leftover(leftover);
    }
    lister.listed
}

struct Lister<'a> {
    structure: &'a Structure<'a>,
    own: Option<&'static Encoding>,
    names: Names,
    inline: &'a HashSet<String>,
    listed: Listed,
}

impl Lister<'_> {
    fn part(&mut self, part: &Part) {
        let content_id = content_id(part);
        let encoding = match part.contents {
            Contents::Leaf => part.encoding,
            // RFC 2045 §6.4: what holds parts is not encoded.
            Contents::Message(_) | Contents::Multipart(_) => TransferEncoding::Identity,
        };
        let source =
            AttachmentSource::Part { start: part.start as u64, end: part.end as u64, encoding };
        let is_inline = content_id.as_ref().is_some_and(|id| self.inline.contains(id));
        let name = self.written_name(part).unwrap_or_else(|| {
            let number = self.listed.attachments.len() + 1;
            let extension = extension_for(part.media_type());
            let kind = if content_id.is_some() { "image" } else { "part" };
            format!("{kind}-{number}.{extension}")
        });
        self.add(name, part.media_type(), is_inline, source);
    }

    fn leftover(&mut self, leftover: &Leftover) {
        match leftover {
            Leftover::Html(part) => {
                let part = &self.structure.parts[*part];
                let (start, end) = (part.start as u64, part.end as u64);
                let source = AttachmentSource::Part { start, end, encoding: part.encoding };
                self.add("message.html".to_owned(), "text/html", false, source);
            }
            Leftover::RestOfText { part, from } => {
                let part = &self.structure.parts[*part];
                let source = AttachmentSource::RestOfText {
                    start: part.start as u64,
                    end: part.end as u64,
                    encoding: part.encoding,
                    from: *from as u64,
                };
                self.add("rest-of-text.txt".to_owned(), "text/plain", false, source);
            }
            Leftover::Whole => {
                let source = AttachmentSource::Whole;
                self.add("message.eml".to_owned(), "message/rfc822", false, source);
            }
        }
    }

    fn add(&mut self, name: String, content_type: &str, inline: bool, source: AttachmentSource) {
        if self.listed.attachments.len() == ATTACHMENT_LIMIT {
            self.listed.is_cut = true;
            return;
        }
        let (size, sha256) = measure(self.structure.raw, &source)
            .expect("a part of a message lies within the message");
        self.listed.attachments.push(Attachment {
            name: self.names.apart(name),
            content_type: content_type.to_owned(),
            size,
            inline,
            sha256,
            source,
        });
    }

    /// The first name that the part has (M-24).
    fn written_name(&self, part: &Part) -> Option<String> {
        let disposition = part.disposition.text("filename", self.own);
        let in_type = || part.content_type.text("name", self.own);
        disposition
            .and_then(|name| label(&name))
            .or_else(|| in_type().and_then(|name| label(&name)))
            .or_else(|| self.last_segment(part))
            .or_else(|| self.subject_of(part))
            .or_else(|| (part.media_type() == "text/calendar").then(|| "invite.ics".to_owned()))
    }

    fn last_segment(&self, part: &Part) -> Option<String> {
        let location = words::decode(&unfold(part.fields.first("content-location")?), self.own);
        label(location.trim_end_matches('/').rsplit(['/', ':']).next()?)
    }

    /// `<Subject>.eml` for an attached message.
    fn subject_of(&self, part: &Part) -> Option<String> {
        let Contents::Message(root) = part.contents else { return None };
        let subject = self.structure.parts[root].fields.first("subject")?;
        let subject = words::decode(subject, self.own);
        if subject.is_empty() { None } else { label(&format!("{subject}.eml")) }
    }
}

/// The Content-ID of a part, without its brackets.
fn content_id(part: &Part) -> Option<String> {
    let id = unfold(part.fields.first("content-id")?);
    let id = String::from_utf8_lossy(&id).trim().trim_matches(['<', '>']).to_owned();
    (!id.is_empty()).then_some(id)
}
