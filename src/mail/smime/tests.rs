//! What is inside of signed S/MIME, and what a broken one does (M-15, T-34).

use proptest::prelude::*;

use super::samples::{element, endless, signed, wrapped};
use super::*;

const MESSAGE: &[u8] = b"Content-Type: text/plain\r\n\r\nThe lamp is broken.\r\n";

#[test]
fn m_15_the_content_is_found_in_every_encoding() {
    assert_eq!(signed_content(&signed(MESSAGE)).as_deref(), Some(MESSAGE));
    let long = vec![b'x'; 70_000];
    assert_eq!(signed_content(&signed(&long)), Some(long.clone()));
    let pieces: Vec<u8> = long.chunks(1000).flat_map(|piece| element(4, piece)).collect();
    for string in [element(4, &long), element(0x24, &pieces), endless(0x24, &pieces)] {
        for wrap in [element, endless] {
            assert_eq!(signed_content(&wrapped(1, &string, wrap)), Some(long.clone()));
        }
    }
    let nested = [element(4, b"a"), endless(0x24, &element(4, b"b")), element(4, b"c")].concat();
    let nested = wrapped(1, &element(0x24, &nested), endless);
    assert_eq!(signed_content(&nested).as_deref(), Some(&b"abc"[..]));
}

#[test]
fn m_15_what_holds_no_message_stays_closed() {
    let whole = signed(MESSAGE);
    let is_cut_inside = |end: &usize| *end < whole.len() - 2;
    for end in (0..whole.len()).filter(is_cut_inside) {
        assert_eq!(signed_content(&whole[..end]), None, "cut at {end}");
    }
    // A receipt; certificates without content; an encrypted mail.
    assert_eq!(signed_content(&wrapped(9, &element(4, MESSAGE), element)), None);
    assert_eq!(signed_content(&wrapped(1, b"", element)), None);
    let mut encrypted = whole.clone();
    let kind = encrypted.windows(3).position(|window| window == [1, 7, 2]).expect("the type");
    encrypted[kind + 2] = 3;
    assert_eq!(signed_content(&encrypted), None);
}

#[test]
fn m_15_t_34_lengths_that_lie_are_bounded() {
    for lie in [
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..],
        &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x30, 0xff],
        &[0x30, 0x80],
        &[0x3f, 0x80],
        &[0x04, 0x80],
    ] {
        assert_eq!(signed_content(lie), None);
        assert_eq!(signed_content(&wrapped(1, lie, endless)), None);
    }
    let deep = [0x24, 0x80].repeat(100_000);
    assert_eq!(signed_content(&wrapped(1, &deep, endless)), None);
    let endless_set = [[0x31, 0x80].repeat(100_000), [0, 0].repeat(100_000)].concat();
    assert_eq!(signed_content(&endless_set), None);
}

proptest! {
    #[test]
    fn m_15_t_34_any_bytes_give_a_message_or_none(
        at in 0usize..200, bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut raw = wrapped(1, &endless(0x24, &element(4, MESSAGE)), endless);
        let at = at.min(raw.len());
        let end = (at + bytes.len()).min(raw.len());
        raw.splice(at..end, bytes.iter().copied());
        if let Some(content) = signed_content(&raw) {
            prop_assert!(content.len() <= raw.len());
        }
        let _ = signed_content(&bytes);
    }
}
