//! How messages fall into parts, and what is refused (M-04, M-05, T-35).

use super::*;

fn sketch(raw: &[u8]) -> String {
    let structure = Structure::read(raw).expect("a readable message");
    let part = |part: &Part| format!("{}={:?}", part.media_type(), part_text(&structure, part));
    let all: Vec<String> = structure.parts.iter().map(part).collect();
    all.join(" ")
}

fn part_text(structure: &Structure, part: &Part) -> String {
    match part.contents {
        Contents::Leaf => String::from_utf8_lossy(structure.bytes(part)).into_owned(),
        Contents::Message(root) => format!("#{root}"),
        Contents::Multipart(ref children) => format!("{children:?}"),
    }
}

#[test]
fn parts_are_ranges_of_the_message() {
    let raw = b"Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\r\none\r\n\
        --a bc\r\n--a b  \r\nContent-Type: text/html\r\n\r\ntwo\r\n\r\n--a b\r\n--a b--\r\nepilogue";
    assert_eq!(
        sketch(raw),
        "multipart/mixed=\"[1, 2, 3]\" text/plain=\"one\\r\\n--a bc\" text/html=\"two\\r\\n\" \
         text/plain=\"\""
    );
}

#[test]
fn nested_parts_end_with_what_is_around_them() {
    let raw =
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; \
        boundary=oo\n\n--oo\n\nin\n--o\nContent-Type: message/rfc822\n\nA: b\n\nmail\n--o\n\nlast";
    assert_eq!(
        sketch(raw),
        "multipart/mixed=\"[1, 3, 5]\" multipart/related=\"[2]\" text/plain=\"in\" \
         message/rfc822=\"#4\" text/plain=\"mail\" text/plain=\"last\""
    );
    let structure = Structure::read(raw).expect("a readable message");
    assert_eq!(structure.bytes(&structure.parts[3]), b"A: b\n\nmail");
    assert_eq!(structure.parts_of(0), [0, 1, 2, 3, 5]);
}

#[test]
fn a_digest_holds_messages() {
    let raw = b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: x\n\nbody\n--d--\n";
    assert_eq!(sketch(raw), "multipart/digest=\"[1]\" message/rfc822=\"#2\" text/plain=\"body\"");
}

#[test]
fn m_14_the_nearest_type_is_taken() {
    for (written, meant) in [
        ("", "text/plain"),
        ("text", "text/plain"),
        ("pdf;", "application/pdf"),
        ("x", "application/octet-stream"),
    ] {
        let raw = format!("Content-Type: {written}\n\nbody");
        assert_eq!(sketch(raw.as_bytes()), format!("{meant}=\"body\""));
    }
}

fn nested(depth: usize) -> Vec<u8> {
    let mut raw = "Content-Type: message/rfc822\n\n".repeat(depth - 1).into_bytes();
    raw.extend_from_slice(b"Subject: x\n\nbody");
    raw
}

fn nested_multiparts(depth: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    for level in 1..depth {
        raw.extend_from_slice(
            format!("Content-Type: multipart/x; boundary={level}\n\n--{level}\n").as_bytes(),
        );
    }
    raw.extend_from_slice(b"Subject: x\n\nbody");
    raw
}

fn many_parts(count: usize) -> Vec<u8> {
    let mut raw = b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec();
    raw.extend(b"--b\n\n".repeat(count - 1));
    raw
}

#[test]
fn m_04_depth_and_parts_are_limited() {
    let is_refused = |raw: &[u8]| matches!(Structure::read(raw), Err(Unreadable::TooMuch { .. }));
    for build in [nested, nested_multiparts] {
        assert!(!is_refused(&build(DEPTH_LIMIT - 1)));
        assert!(!is_refused(&build(DEPTH_LIMIT)));
        assert!(is_refused(&build(DEPTH_LIMIT + 1)));
    }
    assert!(!is_refused(&many_parts(PART_LIMIT - 1)));
    assert!(!is_refused(&many_parts(PART_LIMIT)));
    assert!(is_refused(&many_parts(PART_LIMIT + 1)));
}

#[test]
fn t_35_f_01_f_03_bombs_are_refused() {
    for bomb in
        [nested(40_000), nested_multiparts(40_000), many_parts(200_000), b"A: b\n".repeat(500_000)]
    {
        assert!(matches!(Structure::read(&bomb), Err(Unreadable::TooMuch { .. })));
    }
}

#[test]
fn m_05_nothing_at_all_is_unreadable() {
    assert_eq!(Structure::read(b"").err(), Some(Unreadable::Empty));
    for raw in [&b"\n\n"[..], b"just text\nand more", b"\0\0\0", b"--\n--"] {
        assert_eq!(Structure::read(raw).err(), Some(Unreadable::NoHeader), "{raw:?}");
    }
}
