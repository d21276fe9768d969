//! What servers write into `Authentication-Results`, and who is believed (R-33, R-34, T-46).

use super::*;
use crate::mail::InboundMessage;

const OURS: Server = Server::Named("mx.helpdesk.example");

/// A message from Claire with these fields above the others.
fn with(fields: &str) -> InboundMessage {
    let raw =
        format!("{fields}From: Claire <claire@myorg.example>\nTo: s@helpdesk.example\n\nHi\n");
    crate::mail::read(raw.as_bytes()).expect("it can be read")
}

fn verdict(fields: &str, server: Server<'_>) -> &'static str {
    let message = with(fields);
    match message.authentication.dmarc(server, &message.from) {
        Dmarc::Fail { .. } => "fail",
        Dmarc::Pass { .. } => "pass",
        Dmarc::Unknown => "unknown",
    }
}

#[test]
fn t_46_the_first_line_of_a_sender_adds_nothing_to_the_findings_above_it() {
    let found = "Authentication-Results: mx.helpdesk.example; spf=none;\n";
    assert_eq!(verdict(&format!("{found}dmarc=pass header.from=myorg.example\n"), OURS), "unknown");
}

#[test]
fn r_33_the_grammar_of_rfc_8601_is_read() {
    for (value, expected) in [
        ("mx.helpdesk.example; dmarc=pass header.from=myorg.example", "pass"),
        ("mx.helpdesk.example;dmarc=fail header.from=myorg.example", "fail"),
        ("MX.HELPDESK.example 1; DMARC=Pass Header.From=MyOrg.Example", "pass"),
        ("\"mx.helpdesk.example\"; dmarc=pass header.from=\"myorg.example\"", "pass"),
        // Folded, with comments wherever they may stand, nested and with quoted parentheses.
        (
            "(a (b) \\) c) mx.helpdesk.example (d)\n (1) ; (e) dmarc (f) = (g) pass (p=reject;\n \
             dis=none) header (h) . (i) from (j) = (k) myorg.example (l)",
            "pass",
        ),
        ("mx.helpdesk.example; dmarc/1=pass header.from=myorg.example", "pass"),
        ("mx.helpdesk.example; dmarc=pass(p=none) header.from=myorg.example;", "pass"),
        (
            "mx.helpdesk.example; dkim=pass header.d=myorg.example header.b=\"a=;b\"; spf=fail \
             reason=\"no; dmarc=pass\" smtp.mailfrom=prvs=1=a/b@myorg.example; dmarc=fail \
             action=none policy.dmarc=none header.from=myorg.example",
            "fail",
        ),
        ("mx.helpdesk.example; dmarc=pass header.from=x@myorg.example", "pass"),
        ("mx.helpdesk.example; none", "unknown"),
        ("mx.helpdesk.example; dmarc=none header.from=myorg.example", "unknown"),
        ("mx.helpdesk.example; dmarc=temperror header.from=myorg.example", "unknown"),
        ("mx.helpdesk.example; dmarc=bestguesspass header.from=myorg.example", "unknown"),
        ("mx.helpdesk.example; spf=pass header.from=myorg.example", "unknown"),
        ("mx.helpdesk.example", "unknown"),
        ("", "unknown"),
        // The server that removes forgeries does not take this for its name.
        ("mx.helpdesk.example\0; dmarc=pass header.from=myorg.example", "unknown"),
        ("\"mx.helpdesk\r.example\"; dmarc=pass header.from=myorg.example", "unknown"),
        // A version that nobody knows.
        ("mx.helpdesk.example 2; dmarc=pass header.from=myorg.example", "unknown"),
        // What stands in a comment or in quotes is nobody's finding.
        ("mx.helpdesk.example (; dmarc=pass header.from=myorg.example)", "unknown"),
        ("mx.helpdesk.example (; dmarc=pass header.from=myorg.example", "unknown"),
        (
            "mx.helpdesk.example; spf=none smtp.mailfrom=\"; dmarc=pass header.from=myorg.example\"",
            "unknown",
        ),
        ("mx.helpdesk.example; spf=pass dmarc=pass header.from=myorg.example", "unknown"),
        // Encoded-words are no part of the grammar: decoded, this one would end the quotes.
        (
            "mx.helpdesk.example; spf=none smtp.mailfrom=\"=?utf-8?q?=22=3B?= dmarc=pass \
             header.from=myorg.example\"",
            "unknown",
        ),
    ] {
        let field = format!("Authentication-Results: {value}\n");
        assert_eq!(verdict(&field, OURS), expected, "{value}");
    }
}

#[test]
fn e_146_t_46_only_the_topmost_block_of_the_server_we_trust_counts() {
    const PASS: &str =
        "Authentication-Results: mx.helpdesk.example; dmarc=pass header.from=myorg.example\n";
    const FAIL: &str =
        "Authentication-Results: mx.helpdesk.example; dmarc=fail header.from=myorg.example\n";
    const SPF: &str = "Authentication-Results: mx.helpdesk.example; spf=pass smtp.helo=x.example\n";
    const FOREIGN: &str =
        "Authentication-Results: mx.elsewhere.example; dmarc=pass header.from=myorg.example\n";
    const SISTER: &str = "Authentication-Results: Spam.helpdesk.example; dmarc=none\n";
    const HOP: &str = "Received: from a.example by b.example; Mon, 5 Jan 2026 12:00:00 +0000\n";
    const OTHER: &str = "X-Virus-Scanned: yes\nReceived-SPF: pass\n";
    for (fields, expected) in [
        (vec![PASS], "pass"),
        (vec![HOP, HOP, PASS, HOP], "pass"),
        (vec![SPF, OTHER, PASS, HOP], "pass"),
        (vec![PASS, SPF, PASS], "pass"),
        (vec![SPF, HOP, PASS], "unknown"),
        (vec![FOREIGN], "unknown"),
        (vec![FOREIGN, PASS], "unknown"),
        (vec![SPF, FOREIGN, PASS], "unknown"),
        (vec![FAIL, FOREIGN], "fail"),
        (vec![FAIL, HOP, PASS], "fail"),
        (vec![SISTER, SPF, SISTER, PASS, HOP], "pass"),
        (vec![SISTER, HOP, PASS], "unknown"),
        (vec![PASS, FAIL], "unknown"),
        (vec![FAIL, PASS], "unknown"),
        (vec![], "unknown"),
    ] {
        assert_eq!(verdict(&fields.concat(), OURS), expected, "{fields:?}");
    }
    for name in
        ["ARC-Authentication-Results: i=1", "X-Authentication-Results", "Authentication-Result"]
    {
        let field = format!("{name}: mx.helpdesk.example; dmarc=pass header.from=myorg.example\n");
        assert_eq!(verdict(&field, OURS), "unknown", "{name}");
    }
    for id in
        ["mx.helpdesk.example.evil.example", "helpdesk.example", "evil.example mx.helpdesk.example"]
    {
        let field = format!("Authentication-Results: {id}; dmarc=pass header.from=myorg.example\n");
        assert_eq!(verdict(&field, OURS), "unknown", "{id}");
    }
}

#[test]
fn e_146_t_46_c_02_a_pass_beside_anything_else_that_our_server_found_proves_nothing() {
    const PASS: &str =
        "Authentication-Results: mx.helpdesk.example; dmarc=pass header.from=myorg.example\n";
    for found in [
        "dmarc=none header.from=myorg.example",
        "dmarc=none (p=none dis=none)",
        "dmarc=temperror header.from=myorg.example",
        "dmarc=permerror header.from=myorg.example",
        "dmarc=none header.from=example",
        "dmarc=pass header.from=mail.myorg.example",
    ] {
        let found = format!("Authentication-Results: mx.helpdesk.example; {found}\n");
        for fields in [format!("{found}{PASS}"), format!("{PASS}{found}")] {
            assert_eq!(verdict(&fields, OURS), "unknown", "{fields}");
        }
        // Nor does it make up for a fail.
        let fail = PASS.replace("dmarc=pass", "dmarc=fail");
        for fields in [format!("{found}{fail}"), format!("{fail}{found}")] {
            assert_eq!(verdict(&fields, OURS), "fail", "{fields}");
        }
    }
}

#[test]
fn r_33_of_a_server_without_a_name_the_topmost_field_counts_and_no_other() {
    const PASS: &str = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\n \
        smtp.mailfrom=myorg.example; dkim=pass (signature was verified)\n \
        header.d=myorg.example;dmarc=pass action=none\n \
        header.from=myorg.example;compauth=pass reason=100\n";
    const NONE: &str = "Authentication-Results: dkim=none (message not signed)\n header.d=none;\n";
    const NAMED: &str =
        "Authentication-Results: mx.evil.example; dmarc=pass header.from=myorg.example\n";
    const EMPTY: &str = "Authentication-Results: ; dmarc=pass header.from=myorg.example\n";
    for (fields, expected) in [
        (vec![PASS], "pass"),
        (vec!["Received: by x.example; today\n", PASS, NAMED], "pass"),
        (vec![NONE, PASS], "unknown"),
        (vec![NAMED], "unknown"),
        (vec![NAMED, PASS], "unknown"),
        (vec![EMPTY], "unknown"),
    ] {
        assert_eq!(verdict(&fields.concat(), Server::Unnamed), expected, "{fields:?}");
    }
    // Nor does a named server write such a field.
    assert_eq!(verdict(PASS, OURS), "unknown");
}

#[test]
fn r_33_a_server_beside_ours_is_in_the_same_domain() {
    let rows = [
        ("dkim.icloud.example", "dmarc.icloud.example", true),
        ("ICLOUD.example", "dmarc.icloud.example", true),
        ("mx.helpdesk.example", "helpdesk.example", true),
        ("evilhelpdesk.example", "helpdesk.example", false),
        ("evil.example", "helpdesk.example", false),
        ("evil.example", "mx.helpdesk.example", false),
        ("", "mx.helpdesk.example", false),
        ("ä", "b", false),
        ("x", "mailserver", false),
    ];
    for (written, name, is) in rows {
        assert_eq!(is_sister(written, name), is, "{written} {name}");
    }
}

#[test]
fn r_34_a_verdict_counts_for_the_one_domain_of_from() {
    let by_from = |written: &str, from: &str| {
        let raw = format!(
            "Authentication-Results: mx.helpdesk.example; dmarc=pass {written}\n{from}\n\nHi\n"
        );
        let message = crate::mail::read(raw.as_bytes()).expect("it can be read");
        message.authentication.dmarc(OURS, &message.from).is_pass()
    };
    const CLAIRE: &str = "From: claire@myorg.example";
    assert!(by_from("header.from=myorg.example", CLAIRE));
    assert!(by_from("header.from=myorg.example.", "From: claire@MYORG.example"));
    assert!(by_from("header.from=xn--mller-kva.example", "From: a@müller.example"));
    assert!(by_from("header.from=müller.example", "From: a@xn--mller-kva.example"));
    assert!(!by_from("header.from=mail.myorg.example", CLAIRE));
    assert!(!by_from("header.from=example", CLAIRE));
    assert!(!by_from("header.d=myorg.example", CLAIRE));
    assert!(!by_from("header.from=", CLAIRE));
    assert!(!by_from("header.from=evil.example header.from=myorg.example", CLAIRE));
    assert!(by_from("header.from=myorg.example", "From: a@myorg.example, b@myorg.example"));
    assert!(!by_from("header.from=myorg.example", "From: a@myorg.example, b@evil.example"));
    assert!(!by_from("header.from=evil.example", "From: a@myorg.example, b@evil.example"));
    assert!(!by_from("header.from=myorg.example", "From: a@myorg.example\nFrom: b@evil.example"));
    assert!(!by_from("header.from=myorg.example", "From: somebody"));
    assert!(!by_from("header.from=myorg.example", "Subject: nobody wrote this"));
}

#[test]
fn m_06_of_a_wrapped_message_the_wrapping_says_who_was_verified() {
    let raw = "Authentication-Results: mx.helpdesk.example; dmarc=pass header.from=evil.example\n\
               From: eve@evil.example\nContent-Type: message/rfc822\n\n\
               Authentication-Results: mx.helpdesk.example; dmarc=pass header.from=myorg.example\n\
               From: claire@myorg.example\n\nHi\n";
    let message = crate::mail::read(raw.as_bytes()).expect("it can be read");
    assert_eq!(message.from[0].address, "claire@myorg.example");
    assert_eq!(message.authentication.dmarc(OURS, &message.from), Dmarc::Unknown);
}

#[test]
fn t_36_any_bytes_are_read_once() {
    for unit in
        ["(", "\"", "a=b ", ";", "\\", "(\\", "header . ", "=", "/", "\u{0}", "x.y=\"", "é("]
    {
        let value = unit.repeat(60_000 / unit.len());
        let findings = Findings::read(value.as_bytes());
        assert!(findings.all.len() <= 100, "{unit}");
        let after = Findings::read(format!("a; dmarc=pass {value}").as_bytes());
        assert_eq!(after.all[0].method, "dmarc", "{unit}");
    }
}
