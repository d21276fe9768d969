//! Header blocks as they come (M-02…M-04, M-56).

use super::*;

fn read(raw: &[u8]) -> Block<'_> {
    let line_end = LineEnd::of(raw);
    read_block(raw, skip_envelope(raw, line_end), line_end, |_| false).expect("a small header")
}

fn names<'a>(block: &Block<'a>) -> Vec<&'a str> {
    block.fields.0.iter().map(|field| field.name).collect()
}

#[test]
fn m_02_lines_end_with_lf_crlf_or_a_lone_cr() {
    for raw in [
        &b"A: 1\r\nB: 2\r\n\r\nbody"[..],
        b"A: 1\nB: 2\n\nbody",
        b"A: 1\r\nB: 2\n\nbody",
        b"A: 1\rB: 2\r\rbody",
        b"From x@y Mon Jan 1 00:00:00 2026\nA: 1\nB: 2\n\nbody",
        b">From x@y Mon Jan 1 00:00:00 2026\nA: 1\nB: 2\n\nbody",
        b"\xef\xbb\xbfA: 1\nB: 2\n\nbody",
        b"\r\n\r\nA: 1\nB: 2\n\nbody",
    ] {
        let block = read(raw);
        assert_eq!(names(&block), ["A", "B"], "{raw:?}");
        assert_eq!(block.fields.first("b"), Some(&b"2"[..]));
        assert_eq!(&raw[block.body..], b"body");
    }
}

#[test]
fn m_03_folds_continue_and_stray_lines_are_skipped() {
    let block = read(b"A: 1\r\n\t2\r\n 3\r\nB : x\r\n\r\n");
    assert_eq!(unfold(block.fields.first("A").expect("A")), b"1\t2 3");
    assert_eq!(block.fields.first("B"), Some(&b"x"[..]));
    assert!(!block.has_bad_line);

    let block = read(b"Content-Type: a/b;\nboundary=\"x\"\n\nbody");
    assert_eq!(block.fields.first("content-type"), Some(&b"a/b;\nboundary=\"x\""[..]));
    assert!(block.has_bad_line);

    let block = read(b"A: 1\ngarbage here\n and its fold\nSubject: x\n\nbody");
    assert_eq!(names(&block), ["A", "Subject"]);
    assert_eq!(block.fields.first("A"), Some(&b"1"[..]));
    assert!(block.has_bad_line);
}

#[test]
fn m_03_text_without_an_empty_line_before_it_is_the_body() {
    let raw = b"A: 1\nHello there,\nmy printer is on fire.\n\nClaire\n";
    let block = read(raw);
    assert_eq!(names(&block), ["A"]);
    assert!(raw[block.body..].starts_with(b"Hello there"));
    let block = read(b"A: 1\nB: 2");
    assert_eq!((names(&block), block.body), (vec!["A", "B"], 9));
}

#[test]
fn m_04_header_limits() {
    let fields = |count: usize| "A: 1\n".repeat(count) + "\nbody";
    let result = |raw: &str| read_block(raw.as_bytes(), 0, LineEnd::Lf, |_| false).map(|_| ());
    assert_eq!(result(&fields(FIELD_LIMIT - 1)), Ok(()));
    assert_eq!(result(&fields(FIELD_LIMIT)), Ok(()));
    assert!(matches!(result(&fields(FIELD_LIMIT + 1)), Err(Unreadable::TooMuch { .. })));
    let block = |size: usize| format!("A: {}\n\nbody", "x".repeat(size - 4));
    assert_eq!(result(&block(BLOCK_LIMIT - 1)), Ok(()));
    assert!(matches!(result(&block(BLOCK_LIMIT + 1)), Err(Unreadable::TooMuch { .. })));
}

#[test]
fn m_56_values_compare_without_case_comments_quotes_and_parameters() {
    for (raw, value) in [
        (&b"No"[..], "no"),
        (b"no (x)", "no"),
        (b"(a (b)) no; a=b", "no"),
        (b"auto-replied ; x", "auto-replied"),
        (b"\"auto-generated\" ", "auto-generated"),
        (b"auto-\r\n generated", "auto- generated"),
        (b"no (open", "no (open"),
    ] {
        assert_eq!(keyword(raw), value);
    }
}
