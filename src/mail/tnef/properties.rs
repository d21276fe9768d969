//! The MAPI properties inside a TNEF attribute (MS-OXTNEF §2.1.3.4). What is malformed ends the list:
//! the properties before it stand.

use std::ops::Range;

use super::{u16_at, u32_at};

/// One property.
#[derive(Debug, PartialEq, Eq)]
pub struct Property {
    pub id: u16,
    pub value: Value,
}

/// A value of a property, of several the first one.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    Bytes(Range<usize>),
    /// A number of four bytes, or the first four of a larger one.
    Number(u32),
    /// A file or message, after the 16 bytes that name its class.
    Object(Range<usize>),
    /// In the codepage of the TNEF.
    Text8(Range<usize>),
    Text16(Range<usize>),
}

/// Types of values.
const TEXT8: u16 = 0x001e;
const TEXT16: u16 = 0x001f;
const OBJECT: u16 = 0x000d;
const BYTES: u16 = 0x0102;

/// This bit says that there are several values.
const MULTIPLE: u16 = 0x1000;

/// Names below this number are well known; the others carry their name along.
const FIRST_NAMED: u16 = 0x8000;

/// The properties in that range of the bytes.
pub fn read(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = Property> {
    let bytes = &bytes[..range.end];
    let count = u32_at(bytes, range.start).unwrap_or(0);
    let mut cursor = Cursor { bytes, at: range.start + 4 };
    let mut left = count;
    std::iter::from_fn(move || {
        while left > 0 {
            left -= 1;
            // Several values may be none.
            if let (id, Some(value)) = cursor.property()? {
                return Some(Property { id, value });
            }
        }
        None
    })
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn property(&mut self) -> Option<(u16, Option<Value>)> {
        let kind = u16_at(self.bytes, self.at)?;
        let id = u16_at(self.bytes, self.at + 2)?;
        self.at += 4;
        if id >= FIRST_NAMED {
            self.skip_name()?;
        }
        let single = kind & !MULTIPLE;
        let is_sized = matches!(single, TEXT8 | TEXT16 | OBJECT | BYTES);
        let count = if is_sized || kind & MULTIPLE != 0 { self.number()? } else { 1 };
        let mut first = None;
        for _ in 0..count {
            let value = if is_sized { self.sized(single)? } else { self.fixed(single)? };
            first.get_or_insert(value);
        }
        Some((id, first))
    }

    /// A set of names, and a number or a text in it.
    fn skip_name(&mut self) -> Option<()> {
        self.take(16)?;
        match self.number()? {
            0 => self.take(4)?,
            _ => {
                let length = self.number()?;
                self.take(padded(length)?)?
            }
        };
        Some(())
    }

    fn sized(&mut self, kind: u16) -> Option<Value> {
        let length = self.number()?;
        let start = self.at;
        let range = start..start.checked_add(usize::try_from(length).ok()?)?;
        // The padding of the last value may be missing.
        self.bytes.get(range.clone())?;
        self.at = start.checked_add(padded(length)?)?.min(self.bytes.len());
        Some(match kind {
            BYTES => Value::Bytes(range),
            OBJECT => Value::Object(range),
            TEXT16 => Value::Text16(range),
            _ => Value::Text8(range),
        })
    }

    fn fixed(&mut self, kind: u16) -> Option<Value> {
        let length = match kind {
            0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => 4,
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => 8,
            0x0048 => 16,
            _ => return None,
        };
        let number = u32_at(self.bytes, self.at)?;
        self.take(length)?;
        Some(Value::Number(number))
    }

    fn number(&mut self) -> Option<u32> {
        let number = u32_at(self.bytes, self.at)?;
        self.at += 4;
        Some(number)
    }

    fn take(&mut self, length: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(length)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }
}

/// A length as values take it up: a multiple of four.
fn padded(length: u32) -> Option<usize> {
    usize::try_from(length).ok()?.checked_next_multiple_of(4)
}
