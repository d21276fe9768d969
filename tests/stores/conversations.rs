//! Conversations: what people write, what guichet answers, and what comes back.

use guichet::args;
use guichet::mail::InboundMessage;
use guichet::outbox::secret::{Minted, activation_token, temporary_password};
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::tickets;
use jiff::Timestamp;

use crate::support::{Place, at, read, write};
use crate::talk::{Talk, in_reply_to, mail_of, mail_to};

const CLAIRE: &str = "claire.johnson@contoso.example";
const BOB: &str = "bob@contoso.example";
const EVE: &str = "eve@evil.example";
const DAY: i64 = 24 * 3600;

pub fn e_102_whoever_has_a_part_in_a_ticket_adds_to_it_and_e_103_a_stranger_does_not(
    place: &Place,
) {
    let talk = Talk::at(place);
    let cc = "Cc: pat@partner.example\r\n";
    assert_eq!(
        talk.receive("support", 1, &mail_of("one", CLAIRE, cc, "It smokes.")).ticket,
        Some(1)
    );
    let ours = talk.sent_to(CLAIRE).into_iter().find(|mail| !mail.marks.tokens.is_empty());
    let ours = ours.expect("the acknowledgement");
    let alternate = "cj@home.example";
    write(&talk.store, move |sql| {
        sql.execute(
            "INSERT INTO person_address (address_key, person, address, n) \
             SELECT ?1, person, ?1, 1 FROM person_address WHERE address_key = ?2",
            args![alternate, CLAIRE],
        )
    });
    let (reply_to, id) = (&ours.reply_to[0].address, ours.message_id.as_str());
    let token = &ours.marks.tokens[0];
    let desk = "support@desk.example";
    let rows = [
        ("reply_address", reply_to.as_str(), String::new(), "Thanks.".to_owned()),
        ("message_id", desk, in_reply_to(id), "Thanks.".to_owned()),
        ("body_token", desk, String::new(), format!("Thanks.\r\n\r\n> {token}")),
        ("reference", desk, in_reply_to("one@mail.example"), "Thanks.".to_owned()),
    ];
    let mut second = 1;
    for from in [CLAIRE, alternate, "pat@partner.example", EVE] {
        for (matched_by, to, fields, text) in &rows {
            second += 1;
            let raw = mail_to(to, &format!("m{second}"), from, fields, text);
            let end = talk.receive("support", second, &raw);
            assert_eq!(end.matched_by.as_deref(), Some(*matched_by), "{from}");
            if from == EVE {
                assert_eq!((end.outcome, end.reason), ("accepted", "follow_up_linked"));
                assert_eq!(end.linked_to, Some(1));
            } else {
                assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)), "{from}");
            }
        }
    }
    assert_eq!(talk.messages(1).len(), 13, "none of Eve's");
    assert!(talk.sent_to(EVE).is_empty());
}

pub fn e_107_e_108_references_are_found_however_they_are_written(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("root", CLAIRE, "", "It smokes."));
    let many: Vec<String> = (0..99).map(|n| format!("<n{n}@far.example>")).collect();
    let rows = [
        "References: <unknown@far.example> <root@mail.example>".to_owned(),
        "References: <root@mail.example> <unknown@far.example>".to_owned(),
        "References: <unknown@far.example>,<root@mail.example>".to_owned(),
        "References: <unknown@far.example>\r\n\t<root@mail.example>".to_owned(),
        "References: <unknown@far.example>\t<root@mail.example>".to_owned(),
        "References: unknown@far.example root@mail.example".to_owned(),
        "References: (as far as known) <root@mail.example>".to_owned(),
        format!("References: {} <root@mail.example>", many.join("\r\n ")),
        format!("References: <root@mail.example> {}", many.join("\r\n ")),
        "In-Reply-To: <unknown@far.example> <root@mail.example>".to_owned(),
        "In-Reply-To: message from Desk of Monday <root@mail.example>".to_owned(),
    ];
    for (n, fields) in rows.iter().enumerate() {
        let raw = mail_of(&format!("m{n}"), CLAIRE, &format!("{fields}\r\n"), "Thanks.");
        let end = talk.receive("support", 2 + n as i64, &raw);
        assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)), "{fields}");
    }
}

pub fn e_109_mails_that_share_an_unseen_root_come_to_one_ticket_of_the_same_people(place: &Place) {
    let talk = Talk::at(place);
    let fields = format!("Cc: {BOB}\r\nReferences: <root@far.example>\r\n");
    let first = talk.receive("support", 1, &mail_of("first", CLAIRE, &fields, "We agree."));
    assert_eq!(first.reason, "ticket_created");
    for (n, from) in [(2, CLAIRE), (3, BOB)] {
        let raw = mail_of(&format!("m{n}"), from, "References: <root@far.example>\r\n", "So do I.");
        let end = talk.receive("support", n, &raw);
        assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)), "{from}");
    }
}

pub fn e_110_customers_who_answer_one_bulk_mail_have_a_ticket_each(place: &Place) {
    let talk = Talk::at(place);
    let fields = in_reply_to("bulk@far.example");
    for (n, from) in (1..).zip([CLAIRE, BOB, EVE]) {
        let end = talk.receive("support", n, &mail_of(&format!("m{n}"), from, &fields, "Yes."));
        assert_eq!((end.reason, end.ticket), ("ticket_created", Some(n)), "{from}");
        assert_eq!(end.linked_to, None);
    }
}

pub fn m_83b_a_parent_that_comes_late_joins_its_reply(place: &Place) {
    let talk = Talk::at(place);
    let fields = format!("Cc: {BOB}\r\n{}", in_reply_to("parent@mail.example"));
    talk.receive("support", 1, &mail_of("reply", CLAIRE, &fields, "I agree."));
    let end = talk.receive("support", 2, &mail_of("parent", BOB, "", "Shall we?"));
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
    // A copy that came another way, and whose lines a list broke anew.
    let copy = talk.receive("support", 3, &mail_of("parent", BOB, "", "Shall\r\nwe?"));
    assert_eq!((copy.reason, copy.ticket), ("reply_added", Some(1)));
}

pub fn e_111_a_reply_by_the_id_that_a_relay_gave_our_mail_is_found(place: &Place) {
    const RELAY: &str = "0102018f2d3c4b5a-1b2c3d4e-000000";
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    assert!(!talk.sent_to(CLAIRE).is_empty());
    write(&talk.store, |sql| {
        sql.execute("INSERT INTO thread_id (id, ticket, seen) VALUES (?1, 1, 1)", args![RELAY])
    });
    let fields = in_reply_to(&format!("{RELAY}@relay.example"));
    let end = talk.receive("support", 2, &mail_of("two", CLAIRE, &fields, "It works."));
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
}

pub fn e_115_e_116_a_merged_ticket_is_answered_at_its_target_and_a_deleted_one_is_none(
    place: &Place,
) {
    let talk = Talk::at(place);
    for (n, name) in (1..).zip(["one", "two", "three"]) {
        talk.receive("support", n, &mail_of(name, CLAIRE, "", "It smokes."));
    }
    talk.run("UPDATE ticket SET merged_into = 2 WHERE number = 1");
    let fields = in_reply_to("one@mail.example");
    let end = talk.receive("support", 10, &mail_of("a", CLAIRE, &fields, "Still."));
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(2)));
    talk.run("UPDATE ticket SET merged_into = 1 WHERE number = 2");
    let end = talk.receive("support", 11, &mail_of("b", CLAIRE, &fields, "Still."));
    assert_eq!((end.reason, end.ticket), ("ticket_created", Some(4)), "a circle");
    talk.run("UPDATE ticket SET deleted_at = 1 WHERE number = 3");
    let tagged = "Subject: Re: [#3] About three\r\n";
    let raw = mail_of("c", CLAIRE, "", "Still.").replace("Subject: About c\r\n", tagged);
    let end = talk.receive("support", 12, &raw);
    assert_eq!((end.reason, end.ticket), ("ticket_created", Some(5)), "a deleted one");
}

pub fn e_117_e_131_a_closed_ticket_reopens_for_a_while_and_never_for_a_machine(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 0, &mail_of("one", CLAIRE, "", "It smokes."));
    let close = "UPDATE ticket SET status = 'closed', closed_at = 1800000000000 WHERE number = 1";
    talk.run(close);
    let vacation = format!("{}Auto-Submitted: auto-replied\r\n", in_reply_to("one@mail.example"));
    let end = talk.receive("support", DAY, &mail_of("away", CLAIRE, &vacation, "I am away."));
    assert_eq!(end.reason, "auto_reply_attached");
    let fields = in_reply_to("one@mail.example");
    let end = talk.receive("support", 3 * DAY, &mail_of("soon", CLAIRE, &fields, "Again."));
    assert_eq!((end.reason, end.ticket), ("ticket_reopened", Some(1)));
    talk.run(close);
    let raw = mail_of("late", CLAIRE, &fields, "Again.");
    let raw = raw.replace("Subject: About late", "Subject: Re: [#1] About one");
    let end = talk.receive("support", 20 * DAY, &raw);
    assert_eq!((end.reason, end.ticket), ("follow_up_linked", Some(2)));
    assert_eq!(end.linked_to, Some(1));
    let shown = read(&talk.store, |sql| tickets::show(sql, 2)).expect("it is there");
    assert_eq!(shown.ticket.subject, "Re: About one");
    assert_eq!(shown.ticket.linked_to, Some(1));
}

pub fn e_118_a_forward_of_a_known_mail_is_a_new_ticket_linked(place: &Place) {
    let talk = Talk::at(place);
    for (n, prefix) in (1..).zip(["Fwd", "WG", "TR"]) {
        let (known, second) = (2 * n - 1, 10 * n);
        let name = format!("m{known}");
        talk.receive("support", second, &mail_of(&name, CLAIRE, "", "It smokes."));
        let fields = in_reply_to(&format!("{name}@mail.example"));
        let raw = mail_of(&format!("forward{n}"), CLAIRE, &fields, "See below.");
        let raw = raw.replace("Subject: ", &format!("Subject: {prefix}: "));
        let end = talk.receive("support", second + 1, &raw);
        assert_eq!((end.reason, end.ticket), ("follow_up_linked", Some(known + 1)), "{prefix}");
        assert_eq!(end.linked_to, Some(known));
    }
}

pub fn e_120_e_124_t_22_an_answer_to_credentials_opens_a_ticket_and_ends_their_link(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let mails = talk.sent_to(CLAIRE);
    let link = |mail: &InboundMessage| {
        let words = mail.text.split_whitespace();
        words.map(str::to_owned).find(|word| word.contains("/portal/activate/"))
    };
    let credentials = mails.iter().find(|mail| link(mail).is_some()).expect("credentials");
    let live = "SELECT COUNT(*) FROM credential WHERE ended_at IS NULL";
    let live = || read(&talk.store, |sql| sql.query(live, &[])?[0].int(0));
    assert_eq!(live(), 1);
    let hashed = "SELECT COUNT(*) FROM outbox WHERE template = 'credentials' AND known IS NOT NULL";
    assert_eq!(read(&talk.store, |sql| sql.query(hashed, &[])?[0].int(0)), 0);
    let link = link(credentials).expect("it has one");
    let token = link.rsplit('/').next().expect("the token is last");
    let text = format!("What is this?\r\n\r\n> Click here, please: {link}");
    let fields = in_reply_to(credentials.message_id.as_str());
    let end = talk.receive("support", 2, &mail_of("two", CLAIRE, &fields, &text));
    assert_eq!((end.reason, end.ticket), ("ticket_created", Some(2)));
    assert_eq!(live(), 0, "whoever saw it may have it");
    let stored = &talk.messages(2)[0];
    assert!(stored.body.contains("[redacted]") && !stored.body.contains(token));
    assert!(!stored.visible.contains(token));
}

pub fn t_22_t_26_a_temporary_password_that_comes_back_opens_nothing_and_is_not_kept(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let people = "SELECT person FROM person_address WHERE address_key = ?1";
    let person = read(&talk.store, |sql| sql.query(people, args![CLAIRE])?[0].text(0));
    let keep = |kind, minted: Minted| {
        let expires_at = Timestamp::from_second(4_000_000_000).expect("in range");
        let (person, ids) = (person.clone(), place.ids.clone());
        let Minted { hash, sha256, .. } = minted;
        let new = NewCredential { person, kind, hash, sha256, expires_at };
        write(&talk.store, move |sql| credentials::keep(sql, &new, None, &ids, at(1)));
    };
    let live = "SELECT COUNT(*) FROM credential WHERE ended_at IS NULL AND kind <> 'link'";
    let live = || read(&talk.store, |sql| sql.query(live, &[])?[0].int(0));
    let kinds = [
        (CredentialKind::Password, temporary_password(&place.ids)),
        (CredentialKind::Address, activation_token(&place.ids)),
    ];
    for (n, (kind, minted)) in (2..).zip(kinds) {
        let secret = minted.secret.reveal().to_owned();
        keep(kind, minted);
        assert_eq!(live(), 1);
        let text = format!("What is `{secret}`?\r\n\r\n> Use this: {secret}\r\n> or ring us.");
        let raw = mail_of(&format!("n{n}"), CLAIRE, "", &text);
        let raw = raw.replace("Subject: ", &format!("Subject: {secret} "));
        let end = talk.receive("support", n, &raw);
        assert_eq!((end.reason, end.ticket), ("ticket_created", Some(n)));
        assert_eq!(live(), 0, "whoever saw it may have it");
        let stored = &talk.messages(n)[0];
        assert_eq!(stored.body.matches("[redacted]").count(), 2, "{}", stored.body);
        assert!(stored.visible.contains("What is `[redacted]`?"), "{}", stored.visible);
        let kept = "SELECT COUNT(*) FROM ticket t, ticket_message m, decision d \
            WHERE t.subject || m.subject || m.body || COALESCE(m.visible, '') || d.story \
              LIKE '%' || ?1 || '%'";
        assert_eq!(read(&talk.store, |sql| sql.query(kept, args![&secret])?[0].int(0)), 0);
    }
    // A word that is as long is nobody's secret.
    let text = "Straightforwards, administratives, abcdefgh23456789.";
    let end = talk.receive("support", 9, &mail_of("nine", CLAIRE, "", text));
    assert_eq!(end.visible, text);
}

pub fn e_121_an_answer_that_reaches_another_mailbox_finds_its_ticket(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let ours = talk.sent_to(CLAIRE).into_iter().find(|mail| !mail.reply_to.is_empty());
    let reply_to = &ours.expect("the acknowledgement").reply_to[0].address;
    assert!(reply_to.starts_with("support+r1"), "{reply_to}");
    let raw = mail_to(reply_to, "two", CLAIRE, "Cc: sales@desk.example\r\n", "It works.");
    let end = talk.receive("sales", 2, &raw);
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
    assert_eq!(end.matched_by.as_deref(), Some("reply_address"));
    // By the tag of the other mailbox's ticket.
    let raw = mail_to("sales@desk.example", "three", CLAIRE, "", "It works.");
    let raw = raw.replace("Subject: About three", "Subject: Re: [#1] About one");
    let end = talk.receive("sales", 3, &raw);
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
    assert_eq!(end.matched_by.as_deref(), Some("subject_tag"));
    assert_eq!(talk.tickets(), 1);
}

pub fn m_91_what_was_received_and_what_was_sent_is_folded_when_it_comes_back(place: &Place) {
    let talk = Talk::at(place);
    let first = "The printer in the second office smokes since Monday.\r\n\
                 Nobody dares to open the lid any more, as you will understand.";
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", first));
    let ours = talk.sent_to(CLAIRE).into_iter().find(|mail| !mail.marks.tokens.is_empty());
    let ours = ours.expect("the acknowledgement");
    // Without the token, without its greeting, and without a mark of any quote.
    let is_plain = |line: &&str| !line.contains("[g1") && !line.starts_with("Hello");
    let said: Vec<&str> = ours.text.lines().filter(is_plain).collect();
    let id = ours.message_id.as_str();
    let text = format!("It is 4711.\r\n\r\n{}", said.join("\r\n").trim());
    let end = talk.receive("support", 2, &mail_of("two", CLAIRE, &in_reply_to(id), &text));
    assert_eq!(end.visible, "It is 4711.", "what we sent");
    let text = format!("It is 4712.\r\n\r\n{first}");
    let end = talk.receive("support", 3, &mail_of("three", BOB, &in_reply_to(id), &text));
    assert_eq!((end.reason, end.visible.as_str()), ("reply_added", "It is 4712."), "what she sent");
    let messages = talk.messages(1);
    assert_eq!(messages[2].visible.trim(), "It is 4712.");
    assert!(messages[2].body.contains("Nobody dares"), "nothing is deleted");
    // What one ticket knows is another one's news.
    let end = talk.receive("support", 4, &mail_of("four", EVE, &in_reply_to(id), &text));
    assert!(end.visible.contains("Nobody dares"), "{}", end.visible);
    // What it knew then, whatever came since.
    let known = |message: &str| read(&talk.store, |sql| tickets::known_before(sql, message));
    let counts: Vec<usize> = messages.iter().map(|message| known(&message.message).len()).collect();
    assert_eq!(counts[0], 0);
    assert!(counts[1] > 2 && counts[1] <= counts[2], "{counts:?}");
}

pub fn e_101_a_logo_is_stored_with_the_first_message_that_brings_it(place: &Place) {
    let talk = Talk::at(place);
    let html = |text: &str, number: u8| {
        format!(
            "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\
             Content-Type: text/html; charset=utf-8\r\n\r\n<p>{text}</p>\
             <p>-- <br>Claire<br><img src=\"cid:logo{number}\"></p>\r\n--b\r\n\
             Content-Type: image/png; name=logo{number}.png\r\nContent-ID: <logo{number}>\r\n\
             Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
        )
    };
    talk.receive("support", 1, &mail_of("one", CLAIRE, html("It smokes.", 1).trim_end(), ""));
    let fields = format!("{}{}", in_reply_to("one@mail.example"), html("Still.", 2).trim_end());
    talk.receive("support", 2, &mail_of("two", CLAIRE, &fields, ""));
    let messages = talk.messages(1);
    let repeated: Vec<bool> =
        messages.iter().map(|message| message.attachments[0].repeated).collect();
    assert_eq!(repeated, [false, true]);
    assert_eq!(messages[1].visible.trim(), "Still.");
}
