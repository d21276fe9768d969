//! What goes into the text of a message from parts that are no text: the body inside a TNEF (M-21),
//! the line that tells of an invitation (M-22), the notice of an encrypted mail (M-19).

use super::pieces::ENCRYPTED_NOTICE;
use super::{Body, Leftover, SignedBody, TEXT_LIMIT, charset_of, content_ids};
use crate::mail::calendar::Calendar;
use crate::mail::charset::{Bits, decode_body};
use crate::mail::html;
use crate::mail::reply::Scope;
use crate::mail::smime::Signed;
use crate::mail::structure::Structure;
use crate::mail::tnef::{RtfText, Winmail};
use crate::mail::transfer::decode_text;
use crate::mail::{Flag, TextFrom};

/// How much of a calendar part is looked at, in bytes.
const CALENDAR_LIMIT: usize = 256 * 1024;

impl Body {
    /// Takes the body of a TNEF when the message has none of its own (M-21).
    pub(super) fn take_tnef(&mut self, winmails: &[Winmail]) {
        for winmail in winmails {
            let Some(tnef) = &winmail.tnef else { continue };
            let found = [
                Some(RtfText::Plain(tnef.body.plain.clone())),
                Some(RtfText::Html(tnef.body.html.clone())),
                tnef.rtf(&winmail.bytes),
            ];
            for form in found.into_iter().flatten() {
                let (text, from) = match form {
                    RtfText::Plain(text) => (super::normalise_lines(text), TextFrom::Plain),
                    RtfText::Html(source) => {
                        let read = html::to_text(&source);
                        if read.text.trim().is_empty() {
                            continue;
                        }
                        content_ids::note(&source, &mut self.content_ids);
                        if read.limit.is_some() {
                            self.leftovers.push(Leftover::Part(winmail.part));
                        }
                        (read.text, TextFrom::Html)
                    }
                };
                if !text.trim().is_empty() {
                    // M-02: no database takes a NUL.
                    (self.text, self.from) = (text.replace('\0', "\u{fffd}"), from);
                    self.cut_text(winmail.part);
                    return;
                }
            }
        }
    }

    /// Takes the body of the message inside a signed part when there is no other (M-15). What that
    /// body leaves over is only in the signed part, which stays an attachment.
    pub(super) fn take_signed(&mut self, scope: Scope, signed: &[Signed]) {
        let Some(Signed { part, structure }) = signed.first() else { return };
        let inner = super::read(structure, 0, scope, &[], &[]);
        self.flags.extend(inner.flags.into_iter().filter(|flag| *flag != Flag::NoText));
        self.content_ids.extend(inner.content_ids);
        self.signed = Some(SignedBody { part: *part, parts: inner.parts });
        (self.text, self.from, self.marks) = (inner.text, inner.from, inner.marks);
        (self.html, self.calendar) = (inner.html, inner.calendar);
    }

    fn cut_text(&mut self, part: usize) {
        if self.text.len() > TEXT_LIMIT {
            self.text.truncate(self.text.floor_char_boundary(TEXT_LIMIT));
            self.flags.push(Flag::Limit("text"));
            self.leftovers.push(Leftover::Part(part));
        }
    }

    /// Appends the line that tells of an invitation, and notes what the calendar wants (M-22).
    pub(super) fn take_calendar(&mut self, structure: &Structure, root: usize) {
        for id in structure.parts_of(root) {
            let part = &structure.parts[id];
            if part.media_type() != "text/calendar" || !part.is_leaf() {
                continue;
            }
            let encoded = structure.bytes(part);
            let encoded = &encoded[..encoded.len().min(CALENDAR_LIMIT)];
            let bytes = decode_text(encoded, part.encoding);
            let (text, _) = decode_body(&bytes, charset_of(part), Bits::Eight);
            let mut calendar = Calendar::read(&text);
            if let Some(method) = part.content_type.keyword("method") {
                calendar.method = method;
            }
            if calendar.method.is_empty() {
                continue;
            }
            if let Some(line) = calendar.line() {
                self.flags.push(Flag::Calendar);
                self.append(&line);
            }
            self.calendar = Some(calendar.method);
            return;
        }
    }

    /// Leaves a notice where the text of an encrypted mail would stand (M-19).
    pub(super) fn take_encrypted(&mut self, structure: &Structure, root: usize, signed: &[Signed]) {
        if is_encrypted(structure, root, signed) {
            self.flags.push(Flag::Encrypted);
            if self.text.trim().is_empty() {
                self.append(ENCRYPTED_NOTICE);
            }
        }
    }

    fn append(&mut self, line: &str) {
        self.text.truncate(self.text.trim_end().len());
        if self.text.is_empty() {
            self.from = TextFrom::Plain;
        } else {
            self.text.push_str("\n\n");
        }
        self.text.push_str(&line.replace('\0', "\u{fffd}"));
        self.text.push('\n');
    }
}

/// By PGP/MIME (RFC 3156) or S/MIME (RFC 8551). A signed S/MIME mail is not encrypted.
fn is_encrypted(structure: &Structure, root: usize, signed: &[Signed]) -> bool {
    let is_encrypted = |id: usize| {
        let part = &structure.parts[id];
        // What was opened is only signed, even if it does not say so.
        if signed.iter().any(|signed| signed.part == id) {
            return false;
        }
        match part.media_type() {
            "multipart/encrypted" => true,
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                part.content_type.keyword("smime-type").is_none_or(|kind| {
                    matches!(kind.as_str(), "authenveloped-data" | "enveloped-data")
                })
            }
            _ => false,
        }
    };
    structure.parts_of(root).into_iter().any(is_encrypted)
}
