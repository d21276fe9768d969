//! Finds the TNEF parts of a message and opens them, once for its body and its files (M-21).

use std::borrow::Cow;

use super::Tnef;
use crate::mail::structure::{Part, Structure};
use crate::mail::transfer;

/// A part that is a TNEF, or says so.
#[derive(Debug)]
pub struct Winmail<'a> {
    pub part: usize,
    /// Its decoded bytes.
    pub bytes: Cow<'a, [u8]>,
    /// What is inside; `None` when it cannot be read.
    pub tnef: Option<Tnef>,
}

/// Opens the TNEF parts of the message at `root`.
pub fn open<'a>(structure: &Structure<'a>, root: usize) -> Vec<Winmail<'a>> {
    let parts = structure.parts_of(root).into_iter();
    let winmails = parts.filter(|part| is_tnef(&structure.parts[*part]));
    winmails
        .map(|part| {
            let found = &structure.parts[part];
            let bytes = transfer::decode(structure.bytes(found), found.encoding);
            let tnef = Tnef::read(&bytes);
            Winmail { part, bytes, tnef }
        })
        .collect()
}

/// By its type; gateways that do not know the type leave only the name.
fn is_tnef(part: &Part) -> bool {
    match part.media_type() {
        "application/ms-tnef" | "application/vnd.ms-tnef" => part.is_leaf(),
        "application/octet-stream" => {
            let name = part.disposition.text("filename", None);
            let name = name.or_else(|| part.content_type.text("name", None));
            name.is_some_and(|name| name.trim().eq_ignore_ascii_case("winmail.dat"))
        }
        _ => false,
    }
}
