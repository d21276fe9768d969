//! Which body is chosen, and how it reads (M-12, M-15, M-16, M-20).

use super::*;

fn body(raw: &str) -> Body {
    read(
        &Structure::read(raw.as_bytes()).expect("a readable message"),
        0,
        Scope::Standalone,
        &[],
        &[],
    )
}

fn parts(kind: &str, parts: &[&str]) -> String {
    let boundary = format!("b{}", kind.len());
    let all: String = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary={boundary}\n\n{all}--{boundary}--\n")
}

const PLAIN: &str = "Content-Type: text/plain\n\nplain";
const HTML: &str = "Content-Type: text/html\n\n<p>html</p>";
const PDF: &str = "Content-Type: application/pdf\n\npdf";

#[test]
fn m_15_the_body_is_found_wherever_it_is() {
    for (raw, text, from) in [
        (PLAIN.to_owned(), "plain", TextFrom::Plain),
        (HTML.to_owned(), "html", TextFrom::Html),
        (parts("alternative", &[PLAIN, HTML]), "plain", TextFrom::Plain),
        (parts("mixed", &[PLAIN, PDF, PLAIN]), "plain\n\nplain", TextFrom::Plain),
        (parts("related", &[HTML, PDF]), "html", TextFrom::Html),
        (parts("signed", &[PLAIN, PLAIN]), "plain", TextFrom::Plain),
        (
            parts(
                "mixed",
                &[&parts("alternative", &[PLAIN, &parts("related", &[HTML, PDF])]), PDF],
            ),
            "plain",
            TextFrom::Plain,
        ),
        (
            parts("mixed", &[&parts("alternative", &[&parts("related", &[HTML, PDF])]), PDF]),
            "html",
            TextFrom::Html,
        ),
        (parts("alternative", &["\nfirst", "\nlast"]), "last", TextFrom::Plain),
        (parts("mixed", &[PDF]), "", TextFrom::None),
        (
            parts("mixed", &["Content-Disposition: attachment\n\nfile", PLAIN]),
            "plain",
            TextFrom::Plain,
        ),
        (
            parts("mixed", &["Content-Type: text/plain; name=a.txt\n\nfile", PLAIN]),
            "plain",
            TextFrom::Plain,
        ),
        (
            parts("mixed", &[PLAIN, "Content-Type: message/rfc822\n\nA: b\n\ninner"]),
            "plain",
            TextFrom::Plain,
        ),
    ] {
        let body = body(&raw);
        assert_eq!((body.text.as_str(), body.from), (text, from), "{raw}");
    }
}

#[test]
fn m_16_the_html_is_read_when_the_text_says_little() {
    let html = |text: &str| format!("Content-Type: text/html\n\n<p>{text}</p>");
    let long = "word ".repeat(100);
    for (plain, from) in [
        ("\n", TextFrom::Html),
        ("\nshort", TextFrom::Html),
        (
            "\nYour mail program does not support HTML messages. Please use another one, which can.\
          It is needed for this message, whose content is in its other part.",
            TextFrom::Html,
        ),
        (&format!("\n{}", &long[..150]), TextFrom::Plain),
    ] {
        let body = body(&parts("alternative", &[plain, &html(&long)]));
        assert_eq!(body.from, from, "{plain}");
        assert_eq!(body.parts.len(), 2);
    }
}

#[test]
fn m_20_no_text_is_flagged() {
    assert_eq!(body("Subject: x\n\n").flags, [Flag::NoText]);
    assert_eq!(body("Subject: x").flags, [Flag::NoText]);
    assert_eq!(body(&parts("mixed", &[PDF])).flags, [Flag::NoText]);
}

#[test]
fn m_05_a_multipart_without_parts_is_shown_as_text() {
    for kind in ["multipart/mixed; boundary=nowhere", "multipart/mixed"] {
        let body = body(&format!("Content-Type: {kind}\n\nHello\n"));
        assert_eq!(body.text, "Hello\n");
        assert_eq!(body.flags, [Flag::BodyUnreadable]);
        assert_eq!(body.leftovers, [Leftover::Whole]);
    }
}

#[test]
fn m_12_m_02_text_is_utf_8_with_lf() {
    for (raw, text) in [
        (&b"A: b\r\n\r\na\r\nb\r\n"[..], "a\nb\n"),
        (b"A: b\r\ra\rb", "a\nb"),
        (b"A: b\n\na\rb\n", "a\rb\n"),
        (b"A: b\n\na\0b", "a\u{fffd}b"),
        (b"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9", "café"),
        (
            b"Content-Transfer-Encoding: 8bit\nContent-Type: text/plain; charset=x\n\ncaf\xc3\xa9",
            "café",
        ),
        (b"Content-Type: text/plain; charset=utf-7\n\ncaf+AOk-", "café"),
        (b"Content-Type: text/html\n\n<meta charset=windows-1251>\xcf\xf0", "Пр"),
    ] {
        let structure = Structure::read(raw).expect("a readable message");
        assert_eq!(read(&structure, 0, Scope::Standalone, &[], &[]).text, text);
    }
}

#[test]
fn m_04_a_text_part_is_limited_and_the_rest_attached() {
    for (size, is_cut) in [(TEXT_LIMIT - 1, false), (TEXT_LIMIT, false), (TEXT_LIMIT + 1, true)] {
        let body =
            body(&format!("A: b\n\n{}", "0123456\n".repeat(size.div_ceil(8))).as_str()[..6 + size]);
        assert_eq!(!body.leftovers.is_empty(), is_cut, "{size}");
        assert!(body.text.len() <= TEXT_LIMIT);
        if is_cut {
            assert_eq!(body.leftovers, [Leftover::RestOfText { part: 0, from: body.text.len() }]);
            assert_eq!(body.flags, [Flag::Limit("text")]);
        }
    }
}

#[test]
fn m_26_the_html_names_its_pictures() {
    let html = "Content-Type: text/html\n\n<img src=\"cid:a%40b\"><img src=cid:c>";
    let body = body(&parts("related", &[html, "Content-ID: <a@b>\nContent-Type: image/png\n\nx"]));
    assert_eq!(body.content_ids, HashSet::from(["a@b".to_owned(), "c".to_owned()]));
}
