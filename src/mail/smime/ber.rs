//! Walks into the signed content of a CMS message (RFC 5652 §5), in BER (X.690): programs that write
//! while they read do not know lengths before. One pass, no recursion; what is claimed of lengths
//! allocates nothing.

/// How deep the pieces of one content may be nested; who writes them nests them once.
const DEPTH_LIMIT: usize = 16;

/// Tags (X.690 §8.1.2).
mod tag {
    pub const CONTEXT_0: u8 = 0xa0;
    pub const END: u8 = 0x00;
    pub const INTEGER: u8 = 0x02;
    pub const OBJECT: u8 = 0x06;
    pub const PIECES: u8 = 0x24;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;
    pub const STRING: u8 = 0x04;
}

/// 1.2.840.113549.1.7.1: the content is a message.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// 1.2.840.113549.1.7.2: the content is signed.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The message that a signature holds: `ContentInfo`, `SignedData`, `encapContentInfo`. `None` when
/// it holds none, or is broken before the end of it.
pub fn signed_content(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut walk = Walk { bytes, at: 0 };
    walk.enter(tag::SEQUENCE)?;
    if walk.value(tag::OBJECT)? != SIGNED_DATA {
        return None;
    }
    walk.enter(tag::CONTEXT_0)?;
    walk.enter(tag::SEQUENCE)?;
    walk.value(tag::INTEGER)?;
    walk.skip(tag::SET)?;
    walk.enter(tag::SEQUENCE)?;
    if walk.value(tag::OBJECT)? != DATA {
        return None;
    }
    walk.enter(tag::CONTEXT_0)?;
    walk.string()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    /// The value ends with an element of tag 0.
    Unknown,
}

/// Goes only forward and inward: `bytes` end where the innermost element of known length does.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Reads a tag and a length. What is longer than what it is in is broken.
    fn header(&mut self) -> Option<(u8, Length)> {
        const LONG_TAG: u8 = 0x1f;
        const IS_CONSTRUCTED: u8 = 0x20;
        let tag = self.byte()?;
        let first = self.byte()?;
        if tag & LONG_TAG == LONG_TAG {
            return None;
        }
        let length = match first {
            0..0x80 => usize::from(first),
            0x80 if tag & IS_CONSTRUCTED != 0 => return Some((tag, Length::Unknown)),
            0x80 => return None,
            _ => {
                let mut length = 0usize;
                for _ in 0..first & 0x7f {
                    length = length.checked_mul(256)?.checked_add(usize::from(self.byte()?))?;
                }
                length
            }
        };
        (length <= self.bytes.len() - self.at).then_some((tag, Length::Known(length)))
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Goes into the element that begins here.
    fn enter(&mut self, wanted: u8) -> Option<()> {
        let (tag, length) = self.header()?;
        if let Length::Known(length) = length {
            self.bytes = &self.bytes[..self.at + length];
        }
        (tag == wanted).then_some(())
    }

    /// The value of the element that begins here, which has no others inside.
    fn value(&mut self, wanted: u8) -> Option<&'a [u8]> {
        match self.header()? {
            (tag, Length::Known(length)) if tag == wanted => Some(self.take(length)),
            _ => None,
        }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let value = &self.bytes[self.at..self.at + length];
        self.at += length;
        value
    }

    /// Goes past the element that begins here.
    fn skip(&mut self, wanted: u8) -> Option<()> {
        let (tag, length) = self.header()?;
        let mut open = usize::from(self.pass(length));
        while open > 0 {
            match self.header()? {
                (tag::END, _) => open -= 1,
                (_, length) => open += usize::from(self.pass(length)),
            }
        }
        (tag == wanted).then_some(())
    }

    /// Goes past a value of known length; whether one of unknown length begins here instead.
    fn pass(&mut self, length: Length) -> bool {
        match length {
            Length::Known(length) => {
                self.take(length);
                false
            }
            Length::Unknown => true,
        }
    }

    /// The string that begins here, in one piece or in several.
    fn string(&mut self) -> Option<Vec<u8>> {
        let mut string = Vec::new();
        // Where the pieces that are being read end.
        let mut open: Vec<Option<usize>> = Vec::new();
        loop {
            match self.header()? {
                (tag::END, Length::Known(0)) if open.last() == Some(&None) => {
                    open.pop();
                }
                (tag::PIECES, length) if open.len() < DEPTH_LIMIT => open.push(match length {
                    Length::Known(length) => Some(self.at + length),
                    Length::Unknown => None,
                }),
                (tag::STRING, Length::Known(length)) => {
                    string.extend_from_slice(self.take(length));
                }
                _ => return None,
            }
            while open.last().is_some_and(|end| end.is_some_and(|end| end <= self.at)) {
                open.pop();
            }
            if open.is_empty() {
                return Some(string);
            }
        }
    }
}
