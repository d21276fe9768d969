//! Address lists as they come (M-28, M-41, F-05, F-06).

use super::*;

fn read(raw: &str) -> Vec<(String, String)> {
    let list = AddressList::read(raw.as_bytes(), None);
    let pair = |entry: NamedAddress| (entry.address, entry.name.unwrap_or_default());
    list.entries.into_iter().map(pair).collect()
}

fn check(rows: &[(&str, &[(&str, &str)])]) {
    for (raw, entries) in rows {
        let got = read(raw);
        let got: Vec<_> = got.iter().map(|(a, n)| (a.as_str(), n.as_str())).collect();
        assert_eq!(&got[..], *entries, "{raw}");
    }
}

#[test]
fn m_28_lists_yield_what_is_good_in_them() {
    check(&[
        ("a@b.example", &[("a@b.example", "")]),
        ("<a@b.example>", &[("a@b.example", "")]),
        ("Claire Johnson <c@x.example>", &[("c@x.example", "Claire Johnson")]),
        ("\"Johnson, Claire\" <c@x.example>", &[("c@x.example", "Johnson, Claire")]),
        ("Johnson, Claire <c@x.example>", &[("c@x.example", "Johnson, Claire")]),
        ("c@x.example (Claire Johnson)", &[("c@x.example", "Claire Johnson")]),
        ("(Claire) c@x.example", &[("c@x.example", "Claire")]),
        ("<c@x.example> (Claire)", &[("c@x.example", "Claire")]),
        ("Claire (IT) <c@x.example>", &[("c@x.example", "Claire (IT)")]),
        ("\"Claire \\\"C\\\" J\" <c@x.example>", &[("c@x.example", "Claire \"C\" J")]),
        ("Max | [x.example] <a@b.example>", &[("a@b.example", "Max | [x.example]")]),
        ("a@b.example, , c@d.example,", &[("a@b.example", ""), ("c@d.example", "")]),
        ("a@b.example; c@d.example", &[("a@b.example", ""), ("c@d.example", "")]),
        ("<a@b.example> <c@d.example>", &[("a@b.example", ""), ("c@d.example", "")]),
        ("undisclosed-recipients:;", &[]),
        ("undisclosed-recipients: ;, a@b.example", &[("a@b.example", "")]),
        ("", &[]),
        ("=?utf-8?q?Johnson,_Claire?= <c@x.example>", &[("c@x.example", "Johnson, Claire")]),
        ("=?utf-8?q?Jos=C3=A9?= =?utf-8?q?_M?= <c@x.example>", &[("c@x.example", "José M")]),
        ("\"=?utf-8?q?Jos=C3=A9?=\" <c@x.example>", &[("c@x.example", "José")]),
        (
            "\"victim@good.example\" <evil@evil.example>",
            &[("evil@evil.example", "victim@good.example")],
        ),
        ("mailto:x@y.example", &[("mailto:x@y.example", "")]),
        ("Claire <mailto:x@y.example>", &[("mailto:x@y.example", "Claire")]),
        ("Claire <x@y.example>>", &[("x@y.example", "Claire")]),
        ("MAILER-DAEMON (Mail Delivery System)", &[("MAILER-DAEMON", "Mail Delivery System")]),
        ("Mail Delivery <>", &[("", "Mail Delivery")]),
        ("Claire Johnson", &[("", "Claire Johnson")]),
        ("\"open <a@b.example>", &[("a@b.example", "\"open")]),
        ("a (open <a@b.example>", &[("a@b.example", "a (open")]),
        ("<a@b.example, c@d.example", &[("<a@b.example", ""), ("c@d.example", "")]),
    ]);
}

#[test]
fn f_05_f_06_addresses_come_out_as_they_went_in() {
    check(&[
        ("victim(c)@good.example", &[("victim(c)@good.example", "")]),
        ("\"a b\"@good.example", &[("\"a b\"@good.example", "")]),
        ("\"claire.j\"@good.example", &[("\"claire.j\"@good.example", "")]),
        ("\"victim@good.example,\"@evil.example", &[("\"victim@good.example,\"@evil.example", "")]),
        (
            "=?utf-8?q?victim=40good.example?=@evil.example",
            &[("=?utf-8?q?victim=40good.example?=@evil.example", "")],
        ),
        ("<@route.example:a@b.example>", &[("@route.example:a@b.example", "")]),
        ("a\0b@good.example", &[("a\u{fffd}b@good.example", "")]),
        ("a b@good.example", &[("a b@good.example", "")]),
        ("\"Name\"@dom>", &[("\"Name\"@dom>", "")]),
        ("<\"a>b\"@good.example>", &[("\"a>b\"@good.example", "")]),
    ]);
}

#[test]
fn e_69_m_28_a_broken_list_yields_the_addresses_that_are_good() {
    check(&[
        ("Max | [x.example] <a@b.example>", &[("a@b.example", "Max | [x.example]")]),
        ("undisclosed-recipients;", &[]),
        ("Undisclosed-Recipients", &[]),
        ("undisclosed-recipients:;, a@b.example", &[("a@b.example", "")]),
        (",, <a@b.example>; ,c@d.example,", &[("a@b.example", ""), ("c@d.example", "")]),
    ]);
    let many = "Bob <bob@x.example>, ".repeat(600);
    let list = AddressList::read(many.as_bytes(), None);
    assert_eq!((list.entries.len(), list.is_cut), (500, true));
}

#[test]
fn m_41_a_group_is_told() {
    let list = AddressList::read(b"Friends: a@b.example, c@d.example;", None);
    assert!(list.has_group);
    assert_eq!(list.entries.len(), 2);
    assert!(!AddressList::read(b"mailto:a@b.example", None).has_group);
}

#[test]
fn m_04_addresses_are_limited() {
    for (count, is_cut) in [(499, false), (500, false), (501, true)] {
        let list = AddressList::read("a@b.example, ".repeat(count).as_bytes(), None);
        assert_eq!((list.entries.len(), list.is_cut), (count.min(500), is_cut));
    }
}
