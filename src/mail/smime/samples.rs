//! Builds signed S/MIME for tests, as OpenSSL and Outlook write it; the signature itself is left out.

/// An element of a known length.
pub fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a small value");
    let bytes = length.to_be_bytes();
    let length = match length {
        0..0x80 => bytes[3..].to_vec(),
        0x80..0x1_0000 => [&[0x82], &bytes[2..]].concat(),
        _ => [&[0x84], &bytes[..]].concat(),
    };
    [&[tag], &length[..], value].concat()
}

/// An element that ends with a mark.
pub fn endless(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], value, &[0, 0]].concat()
}

/// `kind` as the last number of the type of content that is signed: 1 is a message.
pub fn wrapped(kind: u8, string: &[u8], wrap: fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let object = |last| element(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last]);
    let digests = wrap(0x31, &wrap(0x30, &[object(5), vec![5, 0]].concat()));
    let inner = wrap(0x30, &[object(kind), wrap(0xa0, string)].concat());
    let version = element(2, &[1]);
    let signers = element(0x31, b"");
    let data = wrap(0x30, &[version, digests, inner, signers].concat());
    wrap(0x30, &[object(2), wrap(0xa0, &data)].concat())
}

/// A signed message, written in one piece.
pub fn signed(message: &[u8]) -> Vec<u8> {
    wrapped(1, &element(4, message), element)
}
