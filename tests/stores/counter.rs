//! What people do at the counter, decided and sent on a store.

use guichet::args;
use guichet::counter::{Actor, CounterError, Requester, TicketChange, Upload, Writing};
use guichet::mail::InboundMessage;
use guichet::store::tickets::{self, EventKind};
use guichet::store::{audit, mailboxes, users};
use guichet::triage::facts::{TicketRole, TicketStatus};
use guichet::triage::policy::Priority;

use crate::support::{Place, address, at, count, key, read, write};
use crate::talk::{Talk, mail_of, mail_to};

const CLAIRE: &str = "claire.johnson@contoso.example";
const BOB: &str = "bob@contoso.example";
const EVE: &str = "eve@evil.example";
const ANNA: &str = "anna@desk.example";
const OTTO: &str = "otto@desk.example";

const STAFF: &str = "[[agent]]\nname = \"Anna Weiss\"\nemail = \"anna@desk.example\"\n\
    signature = \"Anna Weiss, Example IT\"\n[[agent]]\nname = \"Otto\"\n\
    email = \"otto@desk.example\"\nnotify = [\"ticket.created\"]\n";

fn desk(place: &Place) -> Talk {
    Talk::with(place, STAFF)
}

fn anna() -> Actor {
    Actor::Agent(address(ANNA))
}

fn user(talk: &Talk, written: &str) -> Actor {
    let key = key(written);
    let user = read(&talk.store, |sql| users::show(sql, key.as_str()));
    Actor::User { id: user.expect("they wrote").id }
}

fn reply(ticket: i64, text: &str) -> Writing {
    Writing { ticket: Some(ticket), text: text.to_owned(), ..Writing::default() }
}

fn field<'a>(mail: &'a InboundMessage, name: &str) -> Option<&'a str> {
    let named = mail.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value.as_str())
}

fn balance(talk: &Talk) {
    let books = read(&talk.store, audit::audit);
    assert!(books.balance(), "{:#?}", books.imbalances().collect::<Vec<_>>());
}

pub fn what_a_user_writes_in_the_portal_comes_onto_their_ticket_once_p_02(place: &Place) {
    let talk = desk(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let (claire, counter) = (user(&talk, CLAIRE), talk.counter(2));
    let file = Upload {
        name: "smoke.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: vec![137, 80, 78, 71, 0, 255],
    };
    let writing = Writing {
        attachments: vec![file],
        token: Some("form-1".to_owned()),
        ..reply(1, "> no quote\n\nIt still does.\n-- \nClaire")
    };
    let first = counter.write(&claire, writing.clone()).expect("she may");
    let again = counter.write(&claire, writing.clone()).expect("a double click");
    assert_eq!(first, again);
    assert_eq!(counter.outcome(&first).expect("the store is there"), None);
    let end = talk.decide(2);
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
    assert_eq!(end.matched_by.as_deref(), Some("portal"));
    assert_eq!(counter.write(&claire, writing).expect("a reload, later"), first);
    let outcome = counter.outcome(&first).expect("the store is there").expect("it is decided");
    assert!(outcome.is_accepted() && outcome.ticket == Some(1));
    let messages = talk.messages(1);
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1].visible, "> no quote\n\nIt still does.\n-- \nClaire");
    assert_eq!(messages[1].author, "person");
    assert_eq!(Actor::User { id: messages[1].user.clone().expect("hers") }, claire);
    assert_eq!(messages[1].attachments[0].name, "smoke.png");
    // Anna hears of answers too.
    assert_eq!((talk.sent_to(ANNA).len(), talk.sent_to(OTTO).len()), (2, 1));
    let new = Writing {
        subject: "Scanner".to_owned(),
        text: "It hums.".to_owned(),
        ..Writing::default()
    };
    counter.write(&claire, new).expect("she may");
    let end = talk.decide(3);
    assert_eq!((end.reason, end.ticket), ("ticket_created", Some(2)));
    let got = talk.sent_to(CLAIRE);
    assert!(got.iter().any(|mail| mail.subject.contains("[#2]")), "it is acknowledged");
    // Of its mailbox's mail there was one.
    write(&talk.store, |sql| mailboxes::begin(sql, "support", "support@desk.example", at(0)));
    let known = read(&talk.store, mailboxes::known);
    assert_eq!(known.iter().map(|mailbox| mailbox.messages).collect::<Vec<_>>(), [1]);
    balance(&talk);
}

pub fn what_a_user_may_not_see_they_write_nothing_to_t_02(place: &Place) {
    let talk = desk(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    talk.receive("support", 2, &mail_of("two", BOB, "", "Mine too."));
    talk.receive("support", 3, &mail_of("three", EVE, "", "Hello."));
    let counter = talk.counter(4);
    let (claire, bob, eve) = (user(&talk, CLAIRE), user(&talk, BOB), user(&talk, EVE));
    let is_nothing = |actor: &Actor, number: i64| {
        let written = counter.write(actor, reply(number, "Let me in."));
        let changed = counter.change(number, actor, &[TicketChange::Status(TicketStatus::Closed)]);
        matches!(written, Err(CounterError::NoTicket(_)))
            && matches!(changed, Err(CounterError::NoTicket(_)))
    };
    for (actor, number) in [(&bob, 1), (&eve, 1), (&claire, 3), (&claire, 4711)] {
        assert!(is_nothing(actor, number), "{actor:?} {number}");
    }
    write(&talk.store, |sql| tickets::add_people(sql, 1, &[(key(EVE), TicketRole::Correspondent)]));
    assert!(is_nothing(&eve, 1), "who stood in Cc answers by mail and sees nothing (M-80)");
    write(&talk.store, |sql| tickets::add_people(sql, 1, &[(key(EVE), TicketRole::Participant)]));
    assert!(!is_nothing(&eve, 1), "staff added them");
    write(&talk.store, |sql| {
        sql.execute(
            "INSERT INTO site_primary (site, address_key) SELECT id, ?1 FROM site \
             WHERE name = 'Contoso'",
            args![BOB],
        )
    });
    assert!(!is_nothing(&bob, 1), "he sees the tickets of his site");
    assert!(is_nothing(&bob, 3), "and no other's");
    talk.run("UPDATE ticket SET staff_only = 1 WHERE number = 1");
    assert!(is_nothing(&claire, 1) && is_nothing(&bob, 1));
    talk.run("UPDATE ticket SET staff_only = 0 WHERE number = 1");
    let more = [TicketChange::Priority(Some(Priority::Urgent))];
    let refused = counter.change(1, &claire, &more);
    assert!(matches!(refused, Err(CounterError::Refused { .. })), "{refused:?}");
    let pending = counter.change(1, &claire, &[TicketChange::Status(TicketStatus::Pending)]);
    assert!(matches!(pending, Err(CounterError::Refused { .. })));
    assert!(matches!(counter.merge(1, 2, &claire), Err(CounterError::NoTicket(_))));
    for status in ["disabled", "deleted"] {
        write(&talk.store, move |sql| {
            let change = "UPDATE person SET status = ?2 WHERE id = \
                          (SELECT person FROM person_address WHERE address_key = ?1)";
            sql.execute(change, args![CLAIRE, status])
        });
        let refused = counter.write(&claire, reply(1, "It is me."));
        assert!(matches!(refused, Err(CounterError::Account)), "{status}: {refused:?}");
        let phone = Requester { address: address(CLAIRE), name: None };
        let new = Writing { requester: Some(phone), text: "x".to_owned(), ..Writing::default() };
        // Mail from who is disabled becomes tickets; who was deleted is not to be asked after.
        let is_refused = matches!(counter.write(&anna(), new), Err(CounterError::Account));
        assert_eq!(is_refused, status == "deleted", "T-54: {status}");
    }
}

pub fn a_ticket_by_telephone_is_answered_closed_and_told_once_r_13(place: &Place) {
    let talk = desk(place);
    let counter = talk.counter(1);
    let claire = Requester { address: address(CLAIRE), name: Some("Claire Johnson-Smith".into()) };
    let writing = Writing {
        subject: "Printer".to_owned(),
        text: "She says that it smokes.".to_owned(),
        requester: Some(claire),
        ..Writing::default()
    };
    counter.write(&anna(), writing).expect("she may");
    let end = talk.decide(1);
    assert_eq!((end.reason, end.ticket), ("ticket_created", Some(1)));
    let user = read(&talk.store, |sql| users::show(sql, CLAIRE)).expect("she was made");
    assert_eq!((user.made_by.as_str(), user.site.1.as_str()), ("hand", "Contoso"));
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Claire", "Johnson-Smith"));
    let templates = |talk: &Talk| {
        read(&talk.store, |sql| {
            let rows = sql.query("SELECT template FROM outbox ORDER BY id", args![])?;
            rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()
        })
    };
    assert_eq!(templates(&talk), ["agent_notice", "ticket_received", "credentials"]);
    assert!(talk.sent_to(ANNA).is_empty() && talk.sent_to(OTTO).len() == 1);
    let message = &talk.messages(1)[0];
    assert_eq!((message.author.as_str(), message.from_address.as_str()), ("staff", ANNA));
    // The answer.
    let file = Upload {
        name: "manuál.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        bytes: (0..=255).collect(),
    };
    let answer = Writing { attachments: vec![file.clone()], ..reply(1, "Switch it off.") };
    counter.write(&anna(), answer).expect("she may");
    assert_eq!(talk.decide(2).matched_by.as_deref(), Some("staff"));
    let sent = talk.sent_to(CLAIRE).pop().expect("she gets it");
    assert!(sent.text.starts_with("Switch it off."), "{}", sent.text);
    assert!(sent.text.contains("Anna Weiss, Example IT"), "{}", sent.text);
    assert!(sent.subject.contains("[#1]") && sent.subject.contains("Printer"));
    assert_eq!(sent.from[0].address, "support@desk.example");
    assert!(sent.reply_to[0].address.starts_with("support+r1"), "{:?}", sent.reply_to);
    assert_eq!(field(&sent, "Auto-Submitted"), None, "a person wrote it");
    assert_eq!(sent.attachments.len(), 1);
    assert_eq!(sent.attachments[0].name, file.name);
    assert_eq!(sent.attachments[0].size, 256);
    // The changes.
    let close =
        [TicketChange::Assignee(Some(address(OTTO))), TicketChange::Status(TicketStatus::Closed)];
    let closed = counter.change(1, &anna(), &close).expect("she may");
    let kinds: Vec<EventKind> = closed.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Assignee, EventKind::Closed]);
    assert!(closed.mail.is_some());
    let same = counter.change(1, &anna(), &close).expect("nothing is left to do");
    assert!(same.events.is_empty() && same.mail.is_none());
    let told = talk.sent_to(CLAIRE).pop().expect("she is told");
    assert!(told.text.contains("closed"), "{}", told.text);
    assert_eq!(field(&told, "Auto-Submitted"), Some("auto-generated"));
    let told = templates(&talk).split_off(3);
    assert_eq!(told, ["ticket_reply", "agent_notice", "ticket_closed"], "it is new to Otto");
    // Her answer opens it again, and Otto alone hears of nothing: he wishes to hear of new ones.
    let fields = format!("In-Reply-To: <{}>\r\n", sent.message_id);
    let end = talk.receive("support", 3, &mail_of("again", CLAIRE, &fields, "It smokes."));
    assert_eq!(end.reason, "ticket_reopened");
    assert!(talk.sent_to(ANNA).is_empty());
    balance(&talk);
}

pub fn what_is_changed_stands_in_the_history(place: &Place) {
    let talk = desk(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    talk.receive("support", 2, &mail_of("two", BOB, "", "Mine too."));
    let counter = talk.counter(3);
    let changes = [
        TicketChange::Priority(Some(Priority::High)),
        TicketChange::Tag("Printer".to_owned()),
        TicketChange::Tag("floor-2".to_owned()),
        TicketChange::Untag("floor-2".to_owned()),
        TicketChange::Department(Some("Hardware".to_owned())),
        TicketChange::Site("Unassigned".to_owned()),
        TicketChange::Requester(address(BOB)),
        TicketChange::Status(TicketStatus::Pending),
    ];
    let changed = counter.change(1, &Actor::Operator, &changes).expect("it is done");
    assert_eq!(changed.events.len(), changes.len());
    let shown = read(&talk.store, |sql| tickets::show(sql, 1)).expect("it is there");
    assert_eq!(shown.tags, ["printer"]);
    assert_eq!(shown.ticket.priority.as_deref(), Some("high"));
    assert_eq!(shown.ticket.requester_address, BOB);
    assert_eq!(shown.ticket.status, TicketStatus::Pending);
    assert_eq!(shown.events, changed.events);
    let told = talk.sent_to(BOB).pop().expect("whose it is now is told");
    assert!(told.text.contains("pending") && told.text.contains("Unassigned"), "{}", told.text);
    let claire = user(&talk, CLAIRE);
    assert!(matches!(counter.write(&claire, reply(1, "?")), Err(CounterError::NoTicket(1))));
    // An answer opens it again, and the history says whose.
    talk.receive("support", 4, &mail_of("re", BOB, "In-Reply-To: <one@mail.example>\r\n", "Now?"));
    let events = read(&talk.store, |sql| tickets::events(sql, 1));
    let last = events.last().expect("there are some");
    assert_eq!((last.kind, last.after.as_deref()), (EventKind::Status, Some("open")));
    let unknown = [
        TicketChange::Assignee(Some(address(EVE))),
        TicketChange::Site("Nowhere".to_owned()),
        TicketChange::Requester(address(EVE)),
    ];
    for change in unknown {
        let before = read(&talk.store, |sql| tickets::events(sql, 1)).len();
        let both = [TicketChange::Tag("x".to_owned()), change];
        let refused = counter.change(1, &Actor::Operator, &both);
        assert!(matches!(refused, Err(CounterError::Unknown { .. })), "{refused:?}");
        assert_eq!(
            read(&talk.store, |sql| tickets::events(sql, 1)).len(),
            before,
            "all or nothing"
        );
    }
    balance(&talk);
}

/// Anna's notice of the first ticket, which is Claire's.
fn notice(talk: &Talk) -> InboundMessage {
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let notice = talk.sent_to(ANNA).pop().expect("she hears of it");
    assert!(notice.text.contains("It smokes."), "{}", notice.text);
    assert!(notice.text.contains(CLAIRE) && notice.text.contains("Contoso"), "{}", notice.text);
    assert_eq!(field(&notice, "Auto-Submitted"), Some("auto-generated"));
    notice
}

fn quoted(notice: &InboundMessage) -> String {
    let quoted: String = notice.text.lines().map(|line| format!("> {line}\r\n")).collect();
    format!(
        "Switch it off and on again.\r\n\r\n-- \r\nAnna Weiss\r\nRoom 7\r\n\r\n\
         On Mon, 5 Jan 2026 at 12:00, Support <support@desk.example> wrote:\r\n{quoted}"
    )
}

pub fn an_agent_answers_by_replying_to_their_notice_m_81(place: &Place) {
    let talk = desk(place);
    let notice = notice(&talk);
    let own = notice.reply_to[0].address.clone();
    assert!(own.starts_with("support+a1"), "{own}");
    let before = talk.sent_to(CLAIRE).len();
    let fields = format!("In-Reply-To: <{}>\r\n", notice.message_id);
    let raw = mail_to(&own, "answer", ANNA, &fields, &quoted(&notice));
    let end = talk.receive("support", 2, &raw);
    assert_eq!((end.outcome, end.reason, end.ticket), ("accepted", "reply_added", Some(1)));
    assert_eq!(end.matched_by.as_deref(), Some("agent_address"));
    let sent = talk.sent_to(CLAIRE);
    assert_eq!(sent.len(), before + 1);
    let sent = sent.last().expect("one more");
    assert!(sent.text.starts_with("Switch it off and on again."), "{}", sent.text);
    assert!(sent.text.contains("Anna Weiss, Example IT"), "as the desk signs: {}", sent.text);
    for hidden in ["Room 7", "> ", "a1", "Your answer to this mail"] {
        assert!(!sent.text.contains(hidden), "{hidden}: {}", sent.text);
    }
    assert_eq!(sent.in_reply_to.len(), 1);
    assert_eq!(sent.in_reply_to[0].as_str(), "one@mail.example");
    assert!(sent.references.iter().any(|id| id.as_str() == "one@mail.example"));
    let message = &talk.messages(1)[1];
    assert_eq!((message.author.as_str(), message.from_address.as_str()), ("staff", ANNA));
    assert_eq!(message.visible, "Switch it off and on again.");
    assert_eq!(message.body, message.visible, "whoever looks sees nothing of the notice");
    // P-02: it comes once more, by another way.
    let again = talk.receive("sales", 3, &raw);
    assert_eq!(again.reason, "duplicate");
    assert_eq!(talk.sent_to(CLAIRE).len(), before + 1);
    // Her answer is told Anna again, and nobody else heard of Anna's.
    let fields = format!("In-Reply-To: <{}>\r\n", sent.message_id);
    let end = talk.receive("support", 4, &mail_of("thanks", CLAIRE, &fields, "It works."));
    assert_eq!((end.reason, end.ticket), ("reply_added", Some(1)));
    assert_eq!((talk.sent_to(ANNA).len(), talk.sent_to(OTTO).len()), (2, 1));
    balance(&talk);
}

pub fn mail_in_the_name_of_an_agent_answers_nobody_t_04(place: &Place) {
    let talk = desk(place);
    let notice = notice(&talk);
    let own = notice.reply_to[0].address.clone();
    let before = count(&talk.store, "outbox");
    let broken = own.replace("+a1", "+a2");
    let ours = format!("In-Reply-To: <{}>\r\n", notice.message_id);
    let away = "Auto-Submitted: auto-replied\r\n";
    let rows = [
        ("forged", broken.as_str(), ANNA, ours.as_str(), "sender_not_participant"),
        ("elsewhere", "support@desk.example", ANNA, &ours, "sender_not_participant"),
        ("other", own.as_str(), OTTO, &ours, "sender_not_participant"),
        ("away", own.as_str(), ANNA, away, "auto_reply"),
    ];
    let mut second = 1;
    for (name, to, from, fields, reason) in rows {
        second += 1;
        let raw = mail_to(to, name, from, fields, "Send me your password.");
        let end = talk.receive("support", second, &raw);
        assert_eq!(end.reason, reason, "{name}");
        assert_eq!(count(&talk.store, "outbox"), before, "{name}: nobody is mailed");
    }
    assert_eq!(talk.messages(1).len(), 1, "and the ticket knows nothing of it");
    balance(&talk);
}

pub fn merged_tickets_are_one_m_86(place: &Place) {
    let talk = desk(place);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    talk.receive("support", 2, &mail_of("two", BOB, "", "Printer 2 smokes."));
    let re = |name: &str, to: &str, from: &str| {
        mail_of(name, from, &format!("In-Reply-To: <{to}@mail.example>\r\n"), "Still.")
    };
    talk.receive("support", 3, &re("three", "one", CLAIRE));
    let counter = talk.counter(4);
    let merged = counter.merge(2, 1, &anna()).expect("it is done");
    assert_eq!((merged.from, merged.into), (2, 1));
    let froms: Vec<String> =
        talk.messages(1).into_iter().map(|message| message.from_address).collect();
    assert_eq!(froms, [CLAIRE, BOB, CLAIRE], "in the order that they came");
    assert!(talk.messages(2).is_empty());
    assert_eq!(talk.receive("support", 5, &re("four", "two", BOB)).ticket, Some(1));
    let bob = user(&talk, BOB);
    counter.write(&bob, reply(2, "In the portal too.")).expect("he has a part in it");
    assert_eq!(talk.decide(6).ticket, Some(1));
    let shown = read(&talk.store, |sql| tickets::show(sql, 1)).expect("it is there");
    assert!(
        shown.people.contains(&(BOB.to_owned(), TicketRole::Participant)),
        "{:?}",
        shown.people
    );
    assert!(shown.people.contains(&(CLAIRE.to_owned(), TicketRole::Requester)));
    let again = counter.merge(2, 1, &anna());
    assert!(matches!(again, Err(CounterError::Refused { .. })), "{again:?}");
    talk.receive("support", 7, &mail_of("alarm", EVE, "Auto-Submitted: auto-generated\r\n", "!"));
    let refused = counter.merge(3, 1, &anna());
    assert!(matches!(refused, Err(CounterError::Refused { .. })), "T-07: {refused:?}");
    balance(&talk);
}
