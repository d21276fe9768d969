//! Reads TNEF, the `winmail.dat` in which Outlook wraps files and formatted text (M-21, MS-OXTNEF).
//! Works on ranges of the given bytes: what they claim of lengths allocates nothing, and nothing is
//! unpacked but one text. Checksums are not verified: gateways are known to break them, and each
//! file has its SHA-256 once it is read.

mod open;
mod properties;
mod rtf;
mod rtf_text;
#[cfg(test)]
pub mod samples;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use open::{Winmail, open};
use properties::{Property, Value};
pub use rtf_text::RtfText;

use super::charset::{Bits, Charset, decode_body};

/// The most files that are taken from one TNEF; more than a message may list (M-04).
const FILE_LIMIT: usize = 128;

/// The first bytes.
const SIGNATURE: [u8; 4] = 0x223e_9f78_u32.to_le_bytes();

/// What a TNEF holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tnef {
    /// The forms of the body, each perhaps empty.
    pub body: Body,
    pub files: Vec<File>,
    /// Whether it could be read to its end.
    pub is_whole: bool,
    /// Of an embedded message: what it is about.
    subject: String,
    codepage: Option<u32>,
}

/// The body in the forms that a TNEF may hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body {
    pub plain: String,
    pub html: String,
    /// The text of the compressed RTF.
    pub rtf: Option<Range<usize>>,
}

/// A file inside a TNEF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// As written, not yet cleaned; empty when it has none.
    pub name: String,
    /// In lower case; empty when it says none.
    pub content_type: String,
    /// Without brackets; empty when it has none.
    pub content_id: String,
    /// Where its bytes are.
    pub data: Range<usize>,
}

/// Attributes (MS-OXTNEF §2.1.3.3).
mod attribute {
    pub const ATTACHMENT: u32 = 0x0006_9005;
    pub const ATTACH_DATA: u32 = 0x0006_800f;
    pub const ATTACH_RENDERING: u32 = 0x0006_9002;
    pub const ATTACH_TITLE: u32 = 0x0001_8010;
    pub const BODY: u32 = 0x0002_800c;
    pub const CODEPAGE: u32 = 0x0006_9007;
    pub const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
    pub const SUBJECT: u32 = 0x0001_8004;
}

/// MAPI properties (MS-OXPROPS).
mod property {
    pub const ATTACH_CONTENT_ID: u16 = 0x3712;
    pub const ATTACH_DATA: u16 = 0x3701;
    pub const ATTACH_EXTENSION: u16 = 0x3703;
    pub const ATTACH_FILE_NAME: u16 = 0x3704;
    pub const ATTACH_LONG_FILE_NAME: u16 = 0x3707;
    pub const ATTACH_MIME_TAG: u16 = 0x370e;
    pub const BODY: u16 = 0x1000;
    pub const BODY_HTML: u16 = 0x1013;
    pub const DISPLAY_NAME: u16 = 0x3001;
    pub const INTERNET_CODEPAGE: u16 = 0x3fde;
    pub const RTF_COMPRESSED: u16 = 0x1009;
    pub const SUBJECT: u16 = 0x0037;
}

impl Tnef {
    /// Reads the decoded bytes of a TNEF part, and the messages embedded in it, one level deep. `None`
    /// when they are no TNEF at all.
    pub fn read(bytes: &[u8]) -> Option<Tnef> {
        let mut tnef = read_stream(bytes, 0..bytes.len())?;
        let embedded: Vec<(usize, Tnef)> = tnef
            .files
            .iter()
            .enumerate()
            .filter_map(|(n, file)| Some((n, read_stream(bytes, file.data.clone())?)))
            .collect();
        for (n, message) in embedded {
            let file = &mut tnef.files[n];
            file.content_type = "application/ms-tnef".to_owned();
            if !message.subject.is_empty() {
                file.name = format!("{}.dat", message.subject);
            }
            tnef.files.extend(message.files);
        }
        tnef.files.truncate(FILE_LIMIT);
        Some(tnef)
    }

    /// What the compressed RTF says, if there is one; `bytes` are those that were read.
    pub fn rtf(&self, bytes: &[u8]) -> Option<RtfText> {
        let range = self.body.rtf.clone()?;
        rtf::unpack(bytes.get(range)?).map(|rtf| rtf_text::rtf_text(&rtf))
    }
}

/// Reads one stream of attributes; those of embedded messages are left to the caller.
fn read_stream(bytes: &[u8], range: Range<usize>) -> Option<Tnef> {
    let mut at = range.start;
    if bytes.get(at..range.end)?.get(..4)? != SIGNATURE {
        return None;
    }
    // The signature, and a key that nobody uses.
    at += 6;
    let mut reader = Reader { bytes, tnef: Tnef::default(), open: None };
    while at < range.end {
        let Some((attribute, next)) = Attribute::read(bytes, at, range.end) else { break };
        reader.attribute(&attribute);
        at = next;
    }
    reader.close_file();
    let mut tnef = reader.tnef;
    // What a mailer pads the end with is no attribute.
    tnef.is_whole = bytes[at.min(range.end)..range.end].iter().all(|byte| *byte == 0);
    Some(tnef)
}

struct Attribute {
    id: u32,
    data: Range<usize>,
}

impl Attribute {
    /// Level, id, length, data, checksum (MS-OXTNEF §2.1.1).
    fn read(bytes: &[u8], at: usize, end: usize) -> Option<(Attribute, usize)> {
        let level = bytes.get(at)?;
        let id = u32_at(bytes, at + 1)?;
        let length = usize::try_from(u32_at(bytes, at + 5)?).ok()?;
        let start = at + 9;
        let next = start.checked_add(length)?.checked_add(2)?;
        let is_attribute = matches!(level, 1 | 2) && next <= end;
        is_attribute.then(|| (Attribute { id, data: start..start + length }, next))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    tnef: Tnef,
    open: Option<OpenFile>,
}

/// A file whose attributes are being read.
#[derive(Default)]
struct OpenFile {
    file: File,
    title: String,
    /// The rank of the property that the name was taken from.
    rank: u8,
    has_data: bool,
    extension: String,
}

impl Reader<'_> {
    fn attribute(&mut self, Attribute { id, data }: &Attribute) {
        let bytes = &self.bytes[data.clone()];
        match *id {
            attribute::ATTACH_RENDERING => {
                self.close_file();
                self.open = Some(OpenFile::default());
            }
            attribute::ATTACH_TITLE => {
                let title = text(bytes, self.tnef.codepage);
                self.file().title = title;
            }
            attribute::ATTACH_DATA => {
                let file = self.file();
                (file.file.data, file.has_data) = (data.clone(), true);
            }
            attribute::ATTACHMENT => {
                for property in properties::read(self.bytes, data.clone()) {
                    self.file_property(&property);
                }
            }
            attribute::BODY => self.tnef.body.plain = text(bytes, self.tnef.codepage),
            attribute::CODEPAGE => self.tnef.codepage = u32_at(bytes, 0),
            attribute::MESSAGE_PROPERTIES => self.message_properties(data.clone()),
            attribute::SUBJECT => self.tnef.subject = text(bytes, self.tnef.codepage),
            _ => (),
        }
    }

    /// The file that is being read; one that lacks its beginning is taken all the same.
    fn file(&mut self) -> &mut OpenFile {
        self.open.get_or_insert_default()
    }

    fn close_file(&mut self) {
        let Some(open) = self.open.take() else { return };
        let mut file = open.file;
        if file.name.is_empty() {
            file.name = open.title;
        }
        if file.name.is_empty() && !open.extension.is_empty() {
            file.name = format!("part-{}{}", self.tnef.files.len() + 1, open.extension);
        }
        if open.has_data && self.tnef.files.len() < FILE_LIMIT {
            self.tnef.files.push(file);
        }
    }

    fn file_property(&mut self, property: &Property) {
        let (bytes, codepage) = (self.bytes, self.tnef.codepage);
        let written = || value_text(bytes, &property.value, codepage);
        let file = self.file();
        // The long name goes before the short one, that before what is shown.
        let rank = match property.id {
            property::ATTACH_CONTENT_ID => {
                file.file.content_id = written().trim().trim_matches(['<', '>']).to_owned();
                return;
            }
            property::ATTACH_DATA => {
                let data = match &property.value {
                    Value::Bytes(range) => range.clone(),
                    Value::Object(range) => object(bytes, range.clone()),
                    Value::Number(_) | Value::Text8(_) | Value::Text16(_) => return,
                };
                (file.file.data, file.has_data) = (data, true);
                return;
            }
            property::ATTACH_EXTENSION => {
                file.extension = written();
                return;
            }
            property::ATTACH_MIME_TAG => {
                file.file.content_type = written().trim().to_lowercase();
                return;
            }
            property::ATTACH_LONG_FILE_NAME => 3,
            property::ATTACH_FILE_NAME => 2,
            property::DISPLAY_NAME => 1,
            _ => return,
        };
        if rank > file.rank {
            let name = written();
            if !name.is_empty() {
                (file.file.name, file.rank) = (name, rank);
            }
        }
    }

    fn message_properties(&mut self, data: Range<usize>) {
        let all: Vec<Property> = properties::read(self.bytes, data).collect();
        let html_codepage = all.iter().find_map(|property| match property.value {
            Value::Number(number) if property.id == property::INTERNET_CODEPAGE => Some(number),
            _ => None,
        });
        for Property { id, value } in &all {
            let told = |codepage| value_text(self.bytes, value, codepage);
            match *id {
                property::BODY => self.tnef.body.plain = told(self.tnef.codepage),
                property::BODY_HTML => {
                    self.tnef.body.html = told(html_codepage.or(self.tnef.codepage));
                }
                property::RTF_COMPRESSED => {
                    if let Value::Bytes(range) = value {
                        self.tnef.body.rtf = Some(range.clone());
                    }
                }
                property::SUBJECT => self.tnef.subject = told(self.tnef.codepage),
                _ => (),
            }
        }
    }
}

/// The bytes of an object, without the 16 bytes that say of what class it is.
fn object(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let start = range.start + 16;
    let is_message = bytes.get(start..start + 4).is_some_and(|begin| begin == SIGNATURE);
    if start <= range.end && (is_message || range.len() > 16) { start..range.end } else { range }
}

fn value_text(bytes: &[u8], value: &Value, codepage: Option<u32>) -> String {
    match value {
        Value::Bytes(range) | Value::Object(range) | Value::Text8(range) => {
            text(&bytes[range.clone()], codepage)
        }
        Value::Text16(range) => {
            let (text, _) =
                encoding_rs::UTF_16LE.decode_without_bom_handling(&bytes[range.clone()]);
            text.trim_end_matches('\0').to_owned()
        }
        Value::Number(_) => String::new(),
    }
}

/// A text in the codepage that the TNEF names: UTF-8 where it is, else windows-1252 when it names
/// none.
fn text(bytes: &[u8], codepage: Option<u32>) -> String {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    let declared = codepage.and_then(|page| Charset::named(&format!("cp{page}")));
    let (text, _) = decode_body(&bytes[..end], declared, Bits::Seven);
    text.replace('\0', "\u{fffd}")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
