//! Lists what is attached to a message (M-23, M-24, M-26).

use std::collections::HashSet;
use std::ops::Range;

use encoding_rs::Encoding;
use sha2::{Digest, Sha256};

use super::name::{Names, extension_for, label};
use super::{Attachment, AttachmentSource, TransferEncoding, measure};
use crate::mail::body::{Body, Leftover};
use crate::mail::headers::unfold;
use crate::mail::smime::Signed;
use crate::mail::structure::{Contents, Part, Structure};
use crate::mail::tnef::{Tnef, Winmail};
use crate::mail::transfer;
use crate::mail::uuencode;
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
/// and what the body left over. In the place of a TNEF stand the files that are in it (M-21); those
/// in a signed message that is the body stand before it (M-15).
pub fn list(
    structure: &Structure,
    root: usize,
    body: &Body,
    winmails: &[Winmail],
    signed: &[Signed],
    own: Option<&'static Encoding>,
) -> Listed {
    let mut lister = Lister {
        structure,
        own,
        names: Names::default(),
        inline: &body.content_ids,
        listed: Listed::default(),
        decoded: None,
    };
    for id in files_of(structure, root, &body.parts) {
        let part = &structure.parts[id];
        let opened = body.signed.as_ref().filter(|opened| opened.part == id);
        let opened = opened
            .and_then(|opened| Some((signed.iter().find(|one| one.part == id)?, &opened.parts)));
        if let Some((signed, of_body)) = opened {
            lister.signed(signed, of_body);
        }
        match winmails.iter().find(|winmail| winmail.part == id) {
            Some(winmail) => lister.winmail(winmail, body),
            None => lister.part(part),
        }
    }
    for leftover in &body.leftovers {
        lister.leftover(leftover);
    }
    lister.listed
}

/// The parts that are neither a body nor hold others.
fn files_of(structure: &Structure, root: usize, of_body: &HashSet<usize>) -> Vec<usize> {
    let is_file = |id: &usize| {
        let contents = &structure.parts[*id].contents;
        let is_container = matches!(contents, Contents::Multipart(parts) if !parts.is_empty());
        !is_container && !of_body.contains(id)
    };
    structure.parts_of(root).into_iter().filter(is_file).collect()
}

struct Lister<'a> {
    structure: &'a Structure<'a>,
    own: Option<&'static Encoding>,
    names: Names,
    inline: &'a HashSet<String>,
    listed: Listed,
    /// The decoded text of the part that pieces were last taken from.
    decoded: Option<(usize, Vec<u8>)>,
}

impl Lister<'_> {
    /// The files of a TNEF; itself when it is broken, or nothing else would be left of it.
    fn winmail(&mut self, winmail: &Winmail, body: &Body) {
        let part = &self.structure.parts[winmail.part];
        if let Some(tnef) = &winmail.tnef {
            self.tnef(part, winmail, tnef);
        }
        let is_told = winmail
            .tnef
            .as_ref()
            .is_some_and(|tnef| tnef.is_whole && !(tnef.files.is_empty() && body.text.is_empty()));
        if !is_told {
            self.part(part);
        }
    }

    fn tnef(&mut self, part: &Part, winmail: &Winmail, tnef: &Tnef) {
        for file in &tnef.files {
            let source = AttachmentSource::InTnef {
                start: part.start as u64,
                end: part.end as u64,
                encoding: part.encoding,
                from: file.data.start as u64,
                to: file.data.end as u64,
            };
            let content_type = match file.content_type.contains('/') {
                true => &file.content_type,
                false => "application/octet-stream",
            };
            let is_inline = self.inline.contains(&file.content_id);
            let name = label(&file.name).unwrap_or_else(|| self.made_up("part", content_type));
            let bytes = &winmail.bytes[file.data.clone()];
            self.add(name, content_type, is_inline, source, Some(bytes));
        }
    }

    /// The files of a signed message, but for those that are its body.
    fn signed(&mut self, signed: &Signed, of_body: &HashSet<usize>) {
        let outer = &self.structure.parts[signed.part];
        for id in files_of(&signed.structure, 0, of_body) {
            let part = &signed.structure.parts[id];
            let inner = encoding_of(part);
            let source = AttachmentSource::InSigned {
                start: outer.start as u64,
                end: outer.end as u64,
                encoding: outer.encoding,
                from: part.start as u64,
                to: part.end as u64,
                inner,
            };
            let bytes = transfer::decode(signed.structure.bytes(part), inner);
            self.file(&signed.structure, part, source, Some(&bytes));
        }
    }

    fn part(&mut self, part: &Part) {
        let (start, end) = (part.start as u64, part.end as u64);
        let source = AttachmentSource::Part { start, end, encoding: encoding_of(part) };
        self.file(self.structure, part, source, None);
    }

    /// Lists a part of `structure` by its name.
    fn file(
        &mut self,
        structure: &Structure,
        part: &Part,
        source: AttachmentSource,
        bytes: Option<&[u8]>,
    ) {
        let content_id = content_id(part);
        let is_inline = content_id.as_ref().is_some_and(|id| self.inline.contains(id));
        let name = self.written_name(structure, part).unwrap_or_else(|| {
            let kind = if content_id.is_some() { "image" } else { "part" };
            self.made_up(kind, part.media_type())
        });
        self.add(name, part.media_type(), is_inline, source, bytes);
    }

    /// A name for a file that has none (M-24).
    fn made_up(&self, kind: &str, content_type: &str) -> String {
        let number = self.listed.attachments.len() + 1;
        format!("{kind}-{number}.{}", extension_for(content_type))
    }

    fn leftover(&mut self, leftover: &Leftover) {
        match leftover {
            Leftover::Encrypted { part, from, to } => {
                self.armour("encrypted.asc", "application/pgp-encrypted", *part, *from..*to);
            }
            Leftover::Html(part) => {
                let part = &self.structure.parts[*part];
                let (start, end) = (part.start as u64, part.end as u64);
                let source = AttachmentSource::Part { start, end, encoding: part.encoding };
                self.add("message.html".to_owned(), "text/html", false, source, None);
            }
            Leftover::Key { part, from, to } => {
                self.armour("public-key.asc", "application/pgp-keys", *part, *from..*to);
            }
            Leftover::Part(part) => self.part(&self.structure.parts[*part]),
            Leftover::RestOfText { part, from } => {
                let part = &self.structure.parts[*part];
                let source = AttachmentSource::RestOfText {
                    start: part.start as u64,
                    end: part.end as u64,
                    encoding: part.encoding,
                    from: *from as u64,
                };
                self.add("rest-of-text.txt".to_owned(), "text/plain", false, source, None);
            }
            Leftover::Uuencoded { part: id, from, to, name } => {
                let part = &self.structure.parts[*id];
                let source = AttachmentSource::Uuencoded {
                    start: part.start as u64,
                    end: part.end as u64,
                    encoding: part.encoding,
                    from: *from as u64,
                    to: *to as u64,
                };
                let kind = "application/octet-stream";
                let name = label(&words::decode(name, self.own));
                let name = name.unwrap_or_else(|| self.made_up("part", kind));
                let file = uuencode::decode(&self.decoded(*id)[*from..*to]).unwrap_or_default();
                self.add(name, kind, false, source, Some(&file));
            }
            Leftover::Whole => {
                let source = AttachmentSource::Whole;
                self.add("message.eml".to_owned(), "message/rfc822", false, source, None);
            }
        }
    }

    /// PGP armour out of a text (M-19).
    fn armour(&mut self, name: &str, content_type: &str, id: usize, range: Range<usize>) {
        let part = &self.structure.parts[id];
        let source = AttachmentSource::PieceOfText {
            start: part.start as u64,
            end: part.end as u64,
            encoding: part.encoding,
            from: range.start as u64,
            to: range.end as u64,
        };
        let bytes = self.decoded(id)[range].to_vec();
        self.add(name.to_owned(), content_type, false, source, Some(&bytes));
    }

    /// The decoded text of a part. It is kept: a text may hold many pieces, and to decode it for each
    /// would not take linear time.
    fn decoded(&mut self, id: usize) -> &[u8] {
        let part = &self.structure.parts[id];
        if self.decoded.as_ref().is_none_or(|(of, _)| *of != id) {
            let text = transfer::decode_text(self.structure.bytes(part), part.encoding);
            self.decoded = Some((id, text.into_owned()));
        }
        self.decoded.as_ref().map(|(_, text)| text.as_slice()).unwrap_or_default()
    }

    /// Lists an attachment; `bytes` are those that the source stands for, where they are at hand.
    fn add(
        &mut self,
        name: String,
        content_type: &str,
        inline: bool,
        source: AttachmentSource,
        bytes: Option<&[u8]>,
    ) {
        if self.listed.attachments.len() == ATTACHMENT_LIMIT {
            self.listed.is_cut = true;
            return;
        }
        let (size, sha256) = match bytes {
            Some(bytes) => (bytes.len() as u64, Sha256::digest(bytes).into()),
            None => measure(self.structure.raw, &source)
                .expect("a part of a message lies within the message"),
        };
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
    fn written_name(&self, structure: &Structure, part: &Part) -> Option<String> {
        let disposition = part.disposition.text("filename", self.own);
        let in_type = || part.content_type.text("name", self.own);
        disposition
            .and_then(|name| label(&name))
            .or_else(|| in_type().and_then(|name| label(&name)))
            .or_else(|| self.last_segment(part))
            .or_else(|| self.subject_of(structure, part))
            .or_else(|| (part.media_type() == "text/calendar").then(|| "invite.ics".to_owned()))
    }

    fn last_segment(&self, part: &Part) -> Option<String> {
        let location = words::decode(&unfold(part.fields.first("content-location")?), self.own);
        label(location.trim_end_matches('/').rsplit(['/', ':']).next()?)
    }

    /// `<Subject>.eml` for an attached message.
    fn subject_of(&self, structure: &Structure, part: &Part) -> Option<String> {
        let Contents::Message(root) = part.contents else { return None };
        let subject = structure.parts[root].fields.first("subject")?;
        let subject = words::decode(subject, self.own);
        if subject.is_empty() { None } else { label(&format!("{subject}.eml")) }
    }
}

fn encoding_of(part: &Part) -> TransferEncoding {
    match part.contents {
        Contents::Leaf => part.encoding,
        // RFC 2045 §6.4: what holds parts is not encoded.
        Contents::Message(_) | Contents::Multipart(_) => TransferEncoding::Identity,
    }
}

/// The Content-ID of a part, without its brackets.
fn content_id(part: &Part) -> Option<String> {
    let id = unfold(part.fields.first("content-id")?);
    let id = String::from_utf8_lossy(&id).trim().trim_matches(['<', '>']).to_owned();
    (!id.is_empty()).then_some(id)
}
