//! Opens S/MIME mail that is signed and not encrypted (`smime.p7m`, RFC 8551 §3.5.2): the message
//! lies inside the signature, which nobody checks here (M-15). What cannot be opened stays a file.

mod ber;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use super::structure::{Part, Structure};
use super::transfer;

pub use ber::signed_content;

/// A signed part, its message taken out of it.
#[derive(Debug)]
pub struct Signed<'a> {
    pub part: usize,
    /// The message inside; its own signed parts stay closed.
    pub structure: Structure<'a>,
}

/// The parts of the message at `root` that hold a signed message, with the bytes of that message.
pub fn contents(structure: &Structure, root: usize) -> Vec<(usize, Vec<u8>)> {
    let parts = structure.parts_of(root).into_iter();
    parts
        .filter_map(|id| {
            let part = &structure.parts[id];
            let bytes = || transfer::decode(structure.bytes(part), part.encoding);
            let content = if is_smime(part) { signed_content(&bytes()) } else { None };
            content.map(|content| (id, content))
        })
        .collect()
}

/// The messages in `contents`, as far as they can be read.
pub fn open(contents: &[(usize, Vec<u8>)]) -> Vec<Signed<'_>> {
    contents
        .iter()
        .filter_map(|(part, content)| {
            Some(Signed { part: *part, structure: Structure::read(content).ok()? })
        })
        .collect()
}

/// By its type; gateways that do not know the type leave only the name.
fn is_smime(part: &Part) -> bool {
    match part.media_type() {
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => part.is_leaf(),
        "application/octet-stream" => {
            let name = part.disposition.text("filename", None);
            let name = name.or_else(|| part.content_type.text("name", None));
            name.is_some_and(|name| name.trim().eq_ignore_ascii_case("smime.p7m"))
        }
        _ => false,
    }
}
