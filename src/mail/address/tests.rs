//! What is an address and what is none (M-29…M-32, T-08).

use super::*;

fn read(written: &str) -> String {
    match Address::parse(written) {
        Ok(address) => address.to_string(),
        Err(problem) => format!("refused: {}", problem.why),
    }
}

#[test]
fn m_30_what_is_no_address_is_refused() {
    for written in [
        "",
        "claire",
        "@good.example",
        "a@b@good.example",
        "a b@good.example",
        "victim(c)@good.example",
        "\"a b\"@good.example",
        "\"victim@good.example,\"@evil.example",
        "=?utf-8?q?victim=40good.example?=@evil.example",
        "<@route.example:a@good.example>",
        "@route.example:a@good.example",
        "a\0b@good.example",
        "a\u{202e}b@good.example",
        "a\u{200b}b@good.example",
        "a\u{fffd}b@good.example",
        "group:a@good.example;",
        " a@good.example",
        "a@good.example ",
        "a@good .example",
        "a@good..example",
        "a@-good.example",
        "a@good_bad.example",
        "a@[192.0.2.1]",
        "a@192.0.2.1",
        "a@",
        "a@.",
        "x@unknown",
        "x@localhost",
        "x@INVALID",
        "\"open@good.example",
        &format!("{}@good.example", "a".repeat(65)),
        &format!("a@{}.example", "b".repeat(64)),
        &format!("a@{}example", "bcdefghi.".repeat(28)),
    ] {
        assert!(Address::parse(written).is_err(), "{written:?} was taken: {}", read(written));
    }
}

#[test]
fn m_30_m_31_what_is_an_address_is_taken() {
    for (written, address) in [
        ("claire.johnson@myorg.example", "claire.johnson@myorg.example"),
        ("Claire@MyOrg.Example.", "Claire@myorg.example"),
        ("\"claire.johnson\"@myorg.example", "claire.johnson@myorg.example"),
        ("\"cl\\aire\"@myorg.example", "claire@myorg.example"),
        (".x@a.example", "\".x\"@a.example"),
        ("x.@a.example", "\"x.\"@a.example"),
        ("x..y@a.example", "\"x..y\"@a.example"),
        ("o'brien@a.example", "o'brien@a.example"),
        ("-oQspool@x.example", "-oQspool@x.example"),
        ("a$USER@x.example", "a$USER@x.example"),
        ("jose\u{301}@a.example", "josé@a.example"),
        ("田中.太郎@例え.example", "田中.太郎@xn--r8jz45g.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
        ("root@nas", "root@nas"),
    ] {
        assert_eq!(read(written), address, "{written:?}");
    }
    let limit = format!("{}@good.example", "a".repeat(64));
    assert_eq!(read(&limit), limit);
}

#[test]
fn m_29_only_named_repairs_are_made() {
    for (written, address) in [
        ("mailto:x@y.example", "x@y.example"),
        ("[mailto:x@y.example]", "x@y.example"),
        ("'x@y.example'", "x@y.example"),
        ("\"x@y.example\"", "x@y.example"),
        ("x@y.example.", "x@y.example"),
        ("x@y.example,", "x@y.example"),
        ("x@y.example;", "x@y.example"),
        ("<<x@y.example>>", "x@y.example"),
        ("x@y.example>", "x@y.example"),
        ("\u{a0}x@y.example\u{200b}", "x@y.example"),
        (" <mailto:x@y.example> ", "x@y.example"),
    ] {
        let (repaired, spelling) = Address::repaired(written).expect(written);
        assert_eq!((repaired.to_string().as_str(), spelling), (address, Spelling::Repaired));
    }
    for written in ["\"Name\"@dom>", "[x@y.example]", "x @y.example", "(c)x@y.example", "''"] {
        assert!(Address::repaired(written).is_err(), "{written}");
    }
    let (_, spelling) = Address::repaired("x@y.example").expect("a good address");
    assert_eq!(spelling, Spelling::AsWritten);
}

#[test]
fn m_32_a_person_is_one_whatever_the_spelling() {
    let key = |written: &str, tag| Address::parse(written).expect(written).key(tag).0;
    assert_eq!(key("A@X.example", PlusTag::Strip), "a@x.example");
    assert_eq!(key("a+1@x.example", PlusTag::Strip), "a@x.example");
    assert_eq!(key("a+1@x.example", PlusTag::Keep), "a+1@x.example");
    assert_eq!(key("+news@x.example", PlusTag::Strip), "+news@x.example");
    assert_eq!(key("a.b@x.example", PlusTag::Strip), "a.b@x.example");
    assert_eq!(
        key("a@bücher.example", PlusTag::Strip),
        key("a@xn--bcher-kva.example", PlusTag::Strip)
    );
}

#[test]
fn m_31_domains_are_shown_as_people_read_them() {
    let address = Address::parse("a@xn--bcher-kva.example").expect("a good address");
    assert_eq!(domain_to_unicode(address.domain()), "bücher.example");
}
