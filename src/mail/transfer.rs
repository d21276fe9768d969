//! Undoes transfer encodings (RFC 2045 §6) leniently: what can be decoded is, the rest is kept
//! (M-14). Large bodies go through in pieces, so that only hashing them takes no memory.

use std::borrow::Cow;

use memchr::{memchr, memrchr};

use super::attachment::TransferEncoding;

/// How much of an encoded body is decoded at a time.
const PIECE: usize = 64 * 1024;

impl TransferEncoding {
    /// The encoding of that name; one that nobody knows leaves the bytes as they are (M-14).
    pub fn named(name: &str) -> TransferEncoding {
        match name {
            "base64" => TransferEncoding::Base64,
            "quoted-printable" => TransferEncoding::QuotedPrintable,
            _ => TransferEncoding::Identity,
        }
    }
}

/// The bytes of an attachment: characters that are no base64 are skipped.
pub fn decode(bytes: &[u8], encoding: TransferEncoding) -> Cow<'_, [u8]> {
    if encoding == TransferEncoding::Identity {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    decode_pieces(bytes, encoding, |piece| decoded.extend_from_slice(piece));
    Cow::Owned(decoded)
}

/// The bytes of a text: from the first line that is no base64 on they are kept as they are, since
/// lists append their footers in the clear (M-14).
pub fn decode_text(bytes: &[u8], encoding: TransferEncoding) -> Cow<'_, [u8]> {
    if encoding != TransferEncoding::Base64 {
        return decode(bytes, encoding);
    }
    let encoded = base64_lines(bytes);
    if encoded == 0 {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = decode(&bytes[..encoded], encoding).into_owned();
    decoded.extend_from_slice(&bytes[encoded..]);
    Cow::Owned(decoded)
}

/// Hands the decoded bytes over piece by piece.
pub fn decode_pieces(bytes: &[u8], encoding: TransferEncoding, mut take: impl FnMut(&[u8])) {
    let mut piece = Vec::new();
    match encoding {
        TransferEncoding::Identity => take(bytes),
        TransferEncoding::Base64 => {
            let mut base64 = Base64::default();
            for encoded in bytes.chunks(PIECE) {
                piece.clear();
                base64.feed(encoded, &mut piece);
                take(&piece);
            }
            piece.clear();
            base64.finish(&mut piece);
            take(&piece);
        }
        TransferEncoding::QuotedPrintable => {
            let mut rest = bytes;
            while !rest.is_empty() {
                let (encoded, after) = rest.split_at(whole_lines(rest));
                piece.clear();
                decode_quoted_printable(encoded, &mut piece);
                take(&piece);
                rest = after;
            }
        }
    }
}

/// Decodes the `Q` encoding of encoded-words (RFC 2047 §4.2).
pub fn decode_q(bytes: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'_' => decoded.push(b' '),
            b'=' => match hex_pair(after) {
                Some(byte) => {
                    decoded.push(byte);
                    rest = &after[2..];
                }
                None => decoded.push(b'='),
            },
            _ => decoded.push(*first),
        }
    }
}

/// The byte that two hexadecimal digits stand for.
pub fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match bytes {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// A base64 decoder that skips what is no base64 and starts afresh after padding.
#[derive(Default)]
pub struct Base64 {
    bits: u32,
    digits: u8,
}

impl Base64 {
    pub fn feed_all(mut self, encoded: &[u8], decoded: &mut Vec<u8>) {
        self.feed(encoded, decoded);
        self.finish(decoded);
    }

    fn feed(&mut self, encoded: &[u8], decoded: &mut Vec<u8>) {
        let mut rest = encoded;
        while let [first, after @ ..] = rest {
            if self.digits == 0
                && let [a, b, c, d, after @ ..] = rest
            {
                let digits = [a, b, c, d].map(|byte| BASE64_DIGITS[usize::from(*byte)]);
                if digits.iter().all(|digit| *digit < 64) {
                    let [a, b, c, d] = digits;
                    decoded.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
                    rest = after;
                    continue;
                }
            }
            rest = after;
            match BASE64_DIGITS[usize::from(*first)] {
                digit if digit < 64 => {
                    self.bits = self.bits << 6 | u32::from(digit);
                    self.digits += 1;
                    if self.digits == 4 {
                        decoded.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                        (self.bits, self.digits) = (0, 0);
                    }
                }
                PADDING => self.finish(decoded),
                _ => (),
            }
        }
    }

    fn finish(&mut self, decoded: &mut Vec<u8>) {
        let [_, high, low, _] = (self.bits << (6 * (4 - u32::from(self.digits)))).to_be_bytes();
        match self.digits {
            2 => decoded.push(high),
            3 => decoded.extend_from_slice(&[high, low]),
            _ => (),
        }
        (self.bits, self.digits) = (0, 0);
    }
}

const PADDING: u8 = 64;
const NO_DIGIT: u8 = 65;

static BASE64_DIGITS: [u8; 256] = base64_digits();

const fn base64_digits() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < alphabet.len() {
        digits[alphabet[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits[b'=' as usize] = PADDING;
    digits
}

/// How many bytes of a text stand in lines that are base64.
fn base64_lines(bytes: &[u8]) -> usize {
    let mut end = 0;
    while end < bytes.len() {
        let line_end = memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |at| end + at + 1);
        let line = bytes[end..line_end].trim_ascii();
        if line.iter().any(|byte| BASE64_DIGITS[usize::from(*byte)] == NO_DIGIT) {
            break;
        }
        end = line_end;
    }
    end
}

/// The length of a piece that ends with a line, since soft line breaks reach over one.
fn whole_lines(bytes: &[u8]) -> usize {
    if bytes.len() <= PIECE {
        return bytes.len();
    }
    match memrchr(b'\n', &bytes[..PIECE]) {
        Some(at) => at + 1,
        None => memchr(b'\n', &bytes[PIECE..]).map_or(bytes.len(), |at| PIECE + at + 1),
    }
}

/// RFC 2045 §6.7. White space at the end of a line was added in transit; a `=` that encodes nothing
/// stays.
fn decode_quoted_printable(bytes: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let line_end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(line_end);
        rest = after;
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line_break = &line[text.len()..];
        let end =
            text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
        let text = &text[..end];
        let (text, line_break) = match text.strip_suffix(b"=") {
            Some(text) => (text, &b""[..]),
            None => (text, line_break),
        };
        decode_line(text, decoded);
        decoded.extend_from_slice(line_break);
    }
}

fn decode_line(line: &[u8], decoded: &mut Vec<u8>) {
    let mut rest = line;
    while let Some(at) = memchr(b'=', rest) {
        decoded.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match hex_pair(rest) {
            Some(byte) => {
                decoded.push(byte);
                rest = &rest[2..];
            }
            None => decoded.push(b'='),
        }
    }
    decoded.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_14_broken_base64_is_decoded_as_far_as_it_goes() {
        let decode = |text: &str| decode(text.as_bytes(), TransferEncoding::Base64).into_owned();
        assert_eq!(decode("aGVsbG8="), b"hello");
        assert_eq!(decode("aGVs\r\nbG8"), b"hello");
        assert_eq!(decode("aGV!sbG8="), b"hello");
        assert_eq!(decode("aGVsbG8=aGVsbG8="), b"hellohello");
        assert_eq!(decode("a"), b"");
        assert_eq!(decode(""), b"");
        let text = |text: &str| {
            let decoded = decode_text(text.as_bytes(), TransferEncoding::Base64).into_owned();
            String::from_utf8(decoded).expect("text")
        };
        assert_eq!(text("aGVsbG8K\r\n-- \r\nA list footer\r\n"), "hello\n-- \r\nA list footer\r\n");
        assert_eq!(text("Never encoded at all"), "Never encoded at all");
    }

    #[test]
    fn m_14_broken_quoted_printable_keeps_what_it_cannot_decode() {
        let decode =
            |text: &str| decode(text.as_bytes(), TransferEncoding::QuotedPrintable).into_owned();
        assert_eq!(decode("caf=C3=a9"), "café".as_bytes());
        assert_eq!(decode("a=\r\nb= \nc"), b"abc");
        assert_eq!(decode("a \t\r\nb"), b"a\r\nb");
        assert_eq!(decode("1=2 =zz ="), b"1=2 =zz ");
    }

    #[test]
    fn long_bodies_decode_the_same_in_pieces() {
        let line = "=C3=A9 and so on, with a soft break=\r\n";
        let encoded = line.repeat(5000);
        let decoded = decode(encoded.as_bytes(), TransferEncoding::QuotedPrintable);
        assert_eq!(decoded, "é and so on, with a soft break".repeat(5000).as_bytes());
        let encoded = "aGVsbG8g\r\n".repeat(20_000);
        let decoded = decode(encoded.as_bytes(), TransferEncoding::Base64);
        assert_eq!(decoded, b"hello ".repeat(20_000));
    }
}
