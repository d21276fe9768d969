//! Builds TNEF for tests, as Outlook and Exchange write it.

use super::{SIGNATURE, attribute, property};

/// A TNEF under construction.
#[derive(Clone)]
pub struct Builder(Vec<u8>);

/// A value of a property.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    Bytes(&'a [u8]),
    Number(u32),
    /// A class of 16 bytes goes before the bytes.
    Object(&'a [u8]),
    Text16(&'a str),
    Text8(&'a [u8]),
    /// Several texts.
    Texts(&'a [&'a [u8]]),
}

impl Builder {
    pub fn new() -> Builder {
        Builder([&SIGNATURE[..], &[1, 0]].concat()).attribute(1, attribute::CODEPAGE, &{
            let mut pages = [0; 8];
            pages[..4].copy_from_slice(&1252u32.to_le_bytes());
            pages
        })
    }

    pub fn attribute(mut self, level: u8, id: u32, data: &[u8]) -> Builder {
        let checksum = data.iter().fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        self.0.push(level);
        self.0.extend(id.to_le_bytes());
        self.0.extend(u32::try_from(data.len()).expect("a small size").to_le_bytes());
        self.0.extend(data);
        self.0.extend(checksum.to_le_bytes());
        self
    }

    /// Properties of the message.
    pub fn message(self, properties: &[(u16, Given)]) -> Builder {
        let properties = encoded(properties);
        self.attribute(1, attribute::MESSAGE_PROPERTIES, &properties)
    }

    pub fn subject(self, subject: &[u8]) -> Builder {
        self.attribute(1, attribute::SUBJECT, subject)
    }

    pub fn plain(self, text: &[u8]) -> Builder {
        self.attribute(1, attribute::BODY, text)
    }

    /// A file as Exchange writes it: the data as an attribute of its own.
    pub fn file(self, title: &[u8], data: &[u8], properties: &[(u16, Given)]) -> Builder {
        self.attribute(2, attribute::ATTACH_RENDERING, &[0; 14])
            .attribute(2, attribute::ATTACH_DATA, data)
            .attribute(2, attribute::ATTACH_TITLE, title)
            .attribute(2, attribute::ATTACHMENT, &encoded(properties))
    }

    /// A file whose data is a property.
    pub fn object(self, properties: &[(u16, Given)]) -> Builder {
        self.attribute(2, attribute::ATTACH_RENDERING, &[0; 14]).attribute(
            2,
            attribute::ATTACHMENT,
            &encoded(properties),
        )
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A property that carries its name along, and one of several values, before those given: what a
/// reader must be able to skip.
fn encoded(properties: &[(u16, Given)]) -> Vec<u8> {
    let count = u32::try_from(properties.len() + 3).expect("few properties");
    let mut bytes = count.to_le_bytes().to_vec();
    // A named number: type, id, set of names, kind, number, value.
    bytes.extend([0x03, 0, 0x01, 0x80]);
    bytes.extend([0x11; 16]);
    bytes.extend([0, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0]);
    // One named by a text of three characters.
    bytes.extend([0x0b, 0, 0x02, 0x80]);
    bytes.extend([0x22; 16]);
    bytes.extend([1, 0, 0, 0, 6, 0, 0, 0, b'a', 0, b'b', 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    // Two times in one property.
    bytes.extend([0x40, 0x10, 0x03, 0x40, 2, 0, 0, 0]);
    bytes.extend([0; 16]);
    for (id, value) in properties {
        let (kind, values): (u16, Vec<Vec<u8>>) = match value {
            Given::Number(number) => {
                bytes.extend(0x0003u16.to_le_bytes());
                bytes.extend(id.to_le_bytes());
                bytes.extend(number.to_le_bytes());
                continue;
            }
            Given::Bytes(value) => (0x0102, vec![value.to_vec()]),
            Given::Object(value) => (0x000d, vec![[&[0x33; 16], *value].concat()]),
            Given::Text16(text) => {
                let units = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
                (0x001f, vec![units.collect()])
            }
            Given::Text8(text) => (0x001e, vec![[text, &b"\0"[..]].concat()]),
            Given::Texts(texts) => (0x101e, texts.iter().map(|text| text.to_vec()).collect()),
        };
        bytes.extend(kind.to_le_bytes());
        bytes.extend(id.to_le_bytes());
        bytes.extend(u32::try_from(values.len()).expect("few values").to_le_bytes());
        for value in values {
            bytes.extend(u32::try_from(value.len()).expect("a small value").to_le_bytes());
            bytes.extend(&value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
    }
    bytes
}

/// A `winmail.dat` with a text as compressed RTF, a file with a long name and a message inside.
pub fn winmail() -> Vec<u8> {
    let rtf = br"{\rtf1\ansi\ansicpg1252\fromtext{\fonttbl{\f0 Arial;}}The toner is empty.\par Gr\'fc\'dfe}";
    let size = u32::try_from(rtf.len()).expect("a small text").to_le_bytes();
    let packed = [&size[..], &size, b"MELA", &[0; 4], rtf].concat();
    let inner = Builder::new().subject(b"Old order\0").file(b"inner.txt\0", b"inside", &[]).bytes();
    Builder::new()
        .subject(b"Toner\0")
        .message(&[
            (property::SUBJECT, Given::Text16("Toner")),
            (property::RTF_COMPRESSED, Given::Bytes(&packed)),
        ])
        .file(
            b"QUOTAT~1.PDF\0",
            b"%PDF-1.4 quotation",
            &[
                (property::ATTACH_FILE_NAME, Given::Text8(b"QUOTAT~1.PDF")),
                (property::ATTACH_LONG_FILE_NAME, Given::Text16("Quotation für März.pdf")),
                (property::ATTACH_MIME_TAG, Given::Text8(b"application/pdf")),
            ],
        )
        .object(&[(property::ATTACH_DATA, Given::Object(&inner))])
        .bytes()
}
