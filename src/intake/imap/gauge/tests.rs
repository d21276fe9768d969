//! Each bound to the byte, however the bytes are cut.

use super::*;

fn checked(limits: Limits, text: &[u8], step: usize) -> Result<(Vec<u8>, u64), TooMuch> {
    let mut gauge = Gauge::new();
    gauge.allow(limits);
    let mut out = Vec::new();
    for chunk in text.chunks(step) {
        gauge.check(chunk, &mut out)?;
    }
    Ok((out, gauge.passed))
}

const BODY: Limits = Limits { literal: 100, response: 300, answer: 100_000 };

#[test]
fn what_is_within_the_bounds_passes_however_it_is_cut() {
    let text =
        b"* 1 FETCH (UID 7 BODY[] {9}\r\n((((\r\n)) FLAGS (\\Seen))\r\n* OK {5}\r\na1 OK done\r\n";
    for step in [1, 2, 3, 7, 1000] {
        let (out, passed) = checked(BODY, text, step).expect("it passes");
        assert_eq!((out.as_slice(), passed), (&text[..], 3), "in pieces of {step}");
    }
}

#[test]
fn r_41_unknown_untagged_data_is_left_out_with_its_literals() {
    let text = b"* FANCY {4}\r\n\r\n* (x)\r\n* 3 EXISTS\r\n* 3 GLOWS\r\n";
    for step in [1, 5, 1000] {
        let (out, passed) = checked(BODY, text, step).expect("it passes");
        assert_eq!((out.as_slice(), passed), (&b"* 3 EXISTS\r\n"[..], 1));
    }
}

#[test]
fn t_44_each_end_of_an_answer_is_counted() {
    for (text, ended) in [
        ("* 1 EXISTS\r\n+ go on\r\n* OK a1 OK\r\n+\r\n", 0),
        ("a1 OK done\r\n* 2 EXISTS\r\na2 NO\r\n", 2),
        ("a1 BAD", 0),
    ] {
        for step in [1, 5, 1000] {
            let mut gauge = Gauge::new();
            for chunk in text.as_bytes().chunks(step) {
                gauge.check(chunk, &mut Vec::new()).expect("it passes");
            }
            assert_eq!(gauge.ended, ended, "{text} in pieces of {step}");
        }
    }
}

#[test]
fn f_13_a_literal_is_refused_when_it_is_announced() {
    for size in ["101", "4294967295", "99999999999999999999999"] {
        let text = format!("* 1 FETCH (BODY[] {{{size}}}\r\n");
        assert_eq!(
            checked(BODY, text.as_bytes(), 3).unwrap_err(),
            TooMuch("a literal larger than what was asked for"),
            "{size}"
        );
    }
}

#[test]
fn f_13_each_bound_holds_to_the_byte() {
    let limits = Limits { literal: 1_000, response: 100_000, answer: 200_000 };
    let line = |length: usize| format!("* OK {}\r\n", "x".repeat(length - 7));
    let literal =
        |size: usize| format!("* 1 FETCH (BODY[] {{{size}}}\r\n{})\r\n", "x".repeat(size));
    let response = |size: usize| {
        let head = "* 1 FETCH (".to_owned();
        let part = format!("BODY[] {{1000}}\r\n{} ", "x".repeat(1_000));
        let text = head + &part.repeat(98);
        let rest = size - text.len() - 3;
        text + &"x".repeat(rest) + ")\r\n"
    };
    let answer = |size: usize| line(1_000).repeat(size / 1_000 - 1) + &line(1_000 + size % 1_000);
    let cases: [(&dyn Fn(usize) -> String, usize); 4] =
        [(&line, LINE), (&literal, 1_000), (&response, 100_000), (&answer, 200_000)];
    for (text, most) in cases {
        for (size, is_fine) in [(most - 1, true), (most, true), (most + 1, false)] {
            let checked = checked(limits, text(size).as_bytes(), 4096);
            assert_eq!(checked.is_ok(), is_fine, "{size} of {most}: {:?}", checked.err());
        }
    }
}

#[test]
fn f_13_a_line_without_an_end_is_refused() {
    let limits = Limits { literal: 0, response: u64::MAX, answer: u64::MAX };
    for start in ["* OK ", "* FANCY ", "* 1 FETCH (", "x"] {
        let text = [start.as_bytes(), &vec![b'y'; LINE]].concat();
        assert!(checked(limits, &text, 4096).is_err(), "{start}");
    }
    let uids = [b"* SEARCH".as_slice(), " 123456".repeat(20_000).as_bytes()].concat();
    assert!(checked(SMALL, &uids, 4096).is_ok());
    assert!(
        checked(SMALL, &[b"* SEARCH ".as_slice(), &vec![b'1'; 2 << 20]].concat(), 4096).is_err()
    );
}

#[test]
fn f_14_lists_that_nest_too_deeply_are_refused() {
    for (depth, is_fine) in [(50, true), (51, false), (10_000, false)] {
        let text = format!("* 1 FETCH {}", "(".repeat(depth));
        assert_eq!(checked(BODY, text.as_bytes(), 9).is_ok(), is_fine && depth < 290, "{depth}");
    }
    // Nothing hides behind a status line that ends like a literal, or in a quoted string.
    let hidden = format!("* OK {{90}}\r\n* 1 FETCH {}", "(".repeat(60));
    assert!(checked(BODY, hidden.as_bytes(), 9).is_err());
    let quoted = format!("* 1 FETCH (X \"{}\" Y", "(".repeat(60));
    assert!(checked(BODY, quoted.as_bytes(), 9).is_ok());
    // What the parser takes for the value of an unknown attribute may not end in a literal.
    for text in [
        "* 1 FETCH (X ({90}\r\n",
        "* 1 FETCH (X (a> {90}\r\n",
        "* 1 FETCH (X {90}\r\n",
        "* 1 FETCH (X \"a] {90}\r\n",
        "* 1 FETCH (X a\" Y (\" Z> {90}\r\n",
    ] {
        assert!(checked(BODY, text.as_bytes(), 9).is_err(), "{text}");
    }
}
