//! Who wrote: the cases E-61…E-76 that the message alone decides.

use super::*;
use crate::mail::Header;
use crate::triage::facts::SenderAnswer;
use crate::triage::samples::*;

/// What List-Post of a list in front of our mailbox says.
const DESK_POST: &str = "<mailto:support@helpdesk.example>";

/// `address evidence marks`, or why there is none.
fn resolved(message: &InboundMessage, policy: &Policy) -> Result<String, String> {
    match resolve(message, policy) {
        SenderAnswer::Known(sender) => {
            let marks = [(sender.fallback, " fallback"), (sender.relayed, " relayed")];
            let marks: String = marks.iter().filter(|mark| mark.0).map(|mark| mark.1).collect();
            Ok(format!("{} {}{marks}", sender.address, sender.evidence))
        }
        SenderAnswer::None { why } => Err(why),
    }
}

fn from(message: InboundMessage, written: &[&str]) -> InboundMessage {
    let from = written.iter().map(|written| named(written)).collect();
    InboundMessage { from, headers: vec![header("From", &written.join(", "))], ..message }
}

#[test]
fn m_34_the_sender_is_from() {
    let expected = Ok("claire.johnson@myorg.example sender: from".to_owned());
    assert_eq!(resolved(&mail_from(CLAIRE), &policy()), expected);
}

#[test]
fn e_61_two_different_from_fields_are_nobody_in_both_orders() {
    for written in [["a@x.example", "b@x.example"], ["b@x.example", "a@x.example"]] {
        let mut message = from(mail_from(CLAIRE), &written);
        message.headers = written.map(|written| header("From", written)).to_vec();
        assert!(resolved(&message, &policy()).is_err());
    }
}

#[test]
fn m_41_two_equal_from_fields_are_one() {
    let mut message = from(mail_from(CLAIRE), &["a@x.example", "A@X.example"]);
    message.headers = vec![header("From", "a@x.example"), header("FROM", "A@X.example")];
    assert_eq!(resolved(&message, &policy()), Ok("a@x.example sender: from".to_owned()));
}

#[test]
fn e_62_of_two_addresses_in_from_the_first_good_one() {
    let message = from(mail_from(CLAIRE), &["nobody", "a@x.example", "b@x.example"]);
    assert_eq!(resolved(&message, &policy()), Ok("a@x.example sender: from".to_owned()));
    assert!(names_several(&message));
}

#[test]
fn m_41_a_group_is_nobody() {
    let mut message = mail_from("a@x.example");
    message.flags.insert(Flag::GroupInFrom);
    assert!(resolved(&message, &policy()).is_err());
}

#[test]
fn e_63_without_from_the_next_best_field() {
    let fallback = |message: InboundMessage| resolved(&message, &policy());
    let message = InboundMessage {
        reply_to: vec![named(DESK), named("claire@x.example")],
        sender: Some(named("s@x.example")),
        ..from(mail_from("r@x.example"), &[])
    };
    assert_eq!(
        fallback(message.clone()),
        Ok("claire@x.example sender: reply-to fallback".to_owned())
    );
    let message = InboundMessage { reply_to: Vec::new(), ..message };
    assert_eq!(fallback(message.clone()), Ok("s@x.example sender: sender fallback".to_owned()));
    let message = InboundMessage { sender: None, ..message };
    assert_eq!(
        fallback(message.clone()),
        Ok("r@x.example sender: return-path fallback".to_owned())
    );
    let message = InboundMessage { return_path: ReturnPath::Null, ..message };
    assert!(fallback(message).is_err());
}

#[test]
fn e_64_e_68_what_is_no_address_is_nobody() {
    for written in [
        "x@unknown",
        "x@localhost",
        "x@invalid",
        "nobody",
        "\"Name\"@dom>",
        "claire johnson@good.example",
        "victim(c)@good.example",
        "\"a b\"@good.example",
        "=?utf-8?q?victim=40good.example?=@evil.example",
        "a@b@c.example",
    ] {
        let message = from(mail_from(CLAIRE), &[written]);
        let message = InboundMessage { return_path: ReturnPath::Absent, ..message };
        assert!(resolved(&message, &policy()).is_err(), "{written}");
    }
}

#[test]
fn e_65_reply_to_changes_nothing() {
    for reply_to in ["", DESK, "other@other.example"] {
        let message = InboundMessage { reply_to: vec![named(reply_to)], ..mail_from(CLAIRE) };
        let expected = Ok("claire.johnson@myorg.example sender: from".to_owned());
        assert_eq!(resolved(&message, &policy()), expected);
    }
}

#[test]
fn e_66_the_person_behind_a_form_that_is_listed() {
    let message = InboundMessage { reply_to: vec![named(CLAIRE)], ..mail_from(DESK) };
    let expected = Ok("support@helpdesk.example sender: from".to_owned());
    assert_eq!(resolved(&message, &policy()), expected);
    let mut policy = policy();
    policy.users.reply_to_senders = list(&[DESK]);
    let expected = Ok("claire.johnson@myorg.example sender: reply-to".to_owned());
    assert_eq!(resolved(&message, &policy), expected);
    let two = vec![named(CLAIRE), named("b@x.example")];
    for reply_to in [two, vec![named(DESK)], vec![named("Talk@lists.example")], Vec::new()] {
        let headers = vec![header("List-Post", "<mailto:talk@lists.example>")];
        let message = InboundMessage { reply_to, headers, ..mail_from(DESK) };
        assert!(resolved(&message, &policy).is_ok_and(|sender| sender.starts_with(DESK)));
    }
}

#[test]
fn e_67_repairs() {
    let message = from(mail_from(CLAIRE), &["mailto:a@x.example"]);
    assert_eq!(resolved(&message, &policy()), Ok("a@x.example sender: from".to_owned()));
}

#[test]
fn e_70_mailman_in_front_of_us_and_a_foreign_list() {
    let munged = InboundMessage {
        from: vec![NamedAddress { name: Some("Claire via Support".to_owned()), ..named(DESK) }],
        reply_to: vec![named(CLAIRE)],
        cc: vec![NamedAddress { name: Some("Claire Johnson".to_owned()), ..named(CLAIRE) }],
        headers: vec![header("X-Mailman-Version", "2.1"), header("X-BeenThere", DESK)],
        ..mail_from(DESK)
    };
    let SenderAnswer::Known(sender) = resolve(&munged, &policy()) else { panic!("a sender") };
    assert_eq!((sender.address.to_string().as_str(), sender.relayed), (CLAIRE, true));
    assert_eq!(sender.name.as_deref(), Some("Claire Johnson"));

    let headers = vec![
        header("X-Mailman-Version", "2.1"),
        header("List-Post", "<mailto:talk@lists.example>"),
        header("X-Original-From", "victim@x.example"),
    ];
    let foreign = InboundMessage { headers, ..mail_from(CLAIRE) };
    let expected = Ok("claire.johnson@myorg.example sender: from".to_owned());
    assert_eq!(resolved(&foreign, &policy()), expected);
}

#[test]
fn m_37_a_list_is_known_in_any_spelling() {
    let munged = InboundMessage {
        from: vec![named("Support@HelpDesk.example")],
        reply_to: vec![named(CLAIRE)],
        cc: vec![NamedAddress {
            name: Some("Claire Johnson".to_owned()),
            ..named("Claire.Johnson@MyOrg.example")
        }],
        headers: vec![header("List-Post", "<mailto:SUPPORT@helpdesk.example>")],
        ..mail_from(DESK)
    };
    let SenderAnswer::Known(sender) = resolve(&munged, &policy()) else { panic!("a sender") };
    assert_eq!((sender.address.to_string().as_str(), sender.relayed), (CLAIRE, true));
    assert_eq!(sender.name.as_deref(), Some("Claire Johnson"));
}

#[test]
fn m_37_each_field_of_mailman_in_its_order() {
    let said = |more: Vec<Header>| {
        let mut headers = vec![header("X-Mailman-Version", "2.1"), header("X-BeenThere", DESK)];
        headers.extend(more);
        resolved(&InboundMessage { headers, ..mail_from(DESK) }, &policy())
    };
    let original = header("X-Original-From", "Bob <bob@x.example>");
    let mail_from = header("X-Mailfrom", CLAIRE);
    let expected = Ok(format!("{CLAIRE} sender: x-mailfrom relayed"));
    assert_eq!(said(vec![original.clone(), mail_from]), expected);
    let expected = Ok("bob@x.example sender: x-original-from relayed".to_owned());
    assert_eq!(said(vec![original]), expected);
    assert_eq!(said(Vec::new()), Ok(format!("{DESK} sender: from")));
}

#[test]
fn e_72_m_57_our_own_mail_that_a_list_of_ours_returns_stays_ours() {
    let mut policy = policy();
    policy.own.insert(key("team@helpdesk.example"));
    let headers = vec![header("X-Mailman-Version", "2.1"), header("X-BeenThere", DESK)];
    let returned = InboundMessage {
        reply_to: vec![named(CLAIRE)],
        headers,
        ..mail_from("team@helpdesk.example")
    };
    let expected = Ok("team@helpdesk.example sender: from relayed".to_owned());
    assert_eq!(resolved(&returned, &policy), expected);
}

#[test]
fn e_71_row_33_a_google_group_in_front_of_us() {
    let mut message = InboundMessage {
        from: vec![NamedAddress {
            name: Some("'Claire Johnson' via Support".to_owned()),
            ..named(DESK)
        }],
        reply_to: vec![named("other@other.example")],
        headers: vec![
            header("X-Google-Group-Id", "123"),
            header("X-Original-From", "Claire J <claire.johnson@myorg.example>"),
        ],
        ..mail_from(DESK)
    };
    let expected = "claire.johnson@myorg.example sender: x-original-from relayed";
    assert_eq!(resolved(&message, &policy()), Ok(expected.to_owned()));
    message.headers = vec![header("X-Original-Sender", CLAIRE)];
    let SenderAnswer::Known(sender) = resolve(&message, &policy()) else { panic!("a sender") };
    assert_eq!(sender.name.as_deref(), Some("Claire Johnson"));
    // What the group did not rewrite is taken as it stands, whatever the writer put beside it.
    message.headers = vec![header("X-Google-Group-Id", "123"), header("List-Post", DESK_POST)];
    message.headers.push(header("X-Original-From", "victim@x.example"));
    message.from = vec![named(CLAIRE)];
    let expected = "claire.johnson@myorg.example sender: from relayed";
    assert_eq!(resolved(&message, &policy()), Ok(expected.to_owned()));
    message.headers.clear();
    // A stranger's ` via ` is no list of ours.
    message.from = vec![NamedAddress { name: Some("A via B".to_owned()), ..named("x@x.example") }];
    assert_eq!(resolved(&message, &policy()), Ok("x@x.example sender: from".to_owned()));
}

#[test]
fn e_76_m_33_a_local_part_beyond_ascii_is_a_good_identity() {
    let resolve = |written: &str| resolved(&mail_from(written), &policy());
    assert_eq!(resolve("zoe\u{301}@x.example"), Ok("zoé@x.example sender: from".to_owned()));
    assert_eq!(
        resolve("田中@例え.example"),
        Ok("田中@xn--r8jz45g.example sender: from".to_owned())
    );
}

#[test]
fn e_74_e_75_spellings_of_one_person_have_one_key() {
    let key_of = |written: &str| match resolve(&mail_from(written), &policy()) {
        SenderAnswer::Known(sender) => sender.key,
        SenderAnswer::None { why } => panic!("{why}"),
    };
    assert_eq!(key_of("A@X.example"), key_of("a+1@x.example"));
    assert_eq!(key_of("a@bücher.example"), key_of("a@xn--bcher-kva.example"));
}
