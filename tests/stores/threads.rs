//! Which tickets the evidence of a message leads to.

use guichet::args;
use guichet::store::{Store, apply, facts, outbox, spool, tickets};
use guichet::triage::facts::{
    FoundIn, Intake, Questions, Reference, TicketEvidence, TicketFacts, TicketRole,
};
use guichet::triage::plan::{Effect, OpenedBy, StaffNote};

use crate::support::{
    Place, at, first_contact, gather, id, key, message, questions, read, ticket_only, write,
};

const CLAIRE: &str = "claire@contoso.example";

pub fn references_lead_to_tickets_in_their_order(place: &Place) {
    let store = place.open();
    let first = open(place, &store, "first", CLAIRE, &[]);
    let second = open(place, &store, "second", "x@other.example", &["unseen@x.example"]);
    let asked = asking(&["unseen@x.example", "nowhere@x.example", "first@sender.example"], &[]);
    let found = candidates(&store, &asked);
    assert_eq!(numbers(&found), [second, first]);
    let unseen = TicketEvidence::Reference {
        id: id("unseen@x.example"),
        found_in: FoundIn::References,
        seen: false,
    };
    assert_eq!(found[0].evidence, unseen);
    assert_eq!(found[0].sender_role, None);
    assert_eq!(found[1].sender_role, Some(TicketRole::Requester));
    // A tag comes after every reference, and a ticket stands there once.
    let tagged = candidates(&store, &asking(&["first@sender.example"], &[second, first, 4711]));
    assert_eq!(numbers(&tagged), [first, second]);
    assert_eq!(tagged[1].evidence, TicketEvidence::SubjectTag);
    // Seen later, an id that was only named counts as seen.
    let id = id("unseen@x.example");
    write(&store, move |sql| {
        let seen = tickets::Seen::Received;
        tickets::add_ids(sql, &[tickets::Known { id: id.as_str(), ticket: second, seen }])
    });
    let found = candidates(&store, &asking(&["unseen@x.example"], &[]));
    assert!(matches!(found[0].evidence, TicketEvidence::Reference { seen: true, .. }));
}

/// What was only named on a ticket lets fewer in than what was seen there (M-80): the reply of a
/// colleague who was in Cc of mail that we never got.
pub fn a_ticket_is_found_by_what_was_seen_there_m_80(place: &Place) {
    let store = place.open();
    let number = open(place, &store, "first", CLAIRE, &["between@x.example"]);
    let other = open(place, &store, "other", "noise@x.example", &["between@x.example"]);
    let asked = asking(&["between@x.example", "first@sender.example"], &[]);
    let found = candidates(&store, &asked);
    assert_eq!(numbers(&found), [number, other], "what was seen goes before what was named");
    let seen = TicketEvidence::Reference {
        id: id("first@sender.example"),
        found_in: FoundIn::References,
        seen: true,
    };
    assert_eq!(found[0].evidence, seen);
    assert!(found[1].evidence.is_hearsay());
}

pub fn deleted_tickets_are_no_evidence_e_116(place: &Place) {
    let store = place.open();
    let number = open(place, &store, "first", CLAIRE, &[]);
    write(&store, |sql| sql.execute("UPDATE ticket SET deleted_at = 1", args![]));
    let asked = asking(&["first@sender.example"], &[number]);
    assert!(candidates(&store, &asked).is_empty(), "E-116");
}

pub fn a_merged_ticket_leads_to_its_target_m_86_e_115(place: &Place) {
    let store = place.open();
    let names: Vec<String> = (0..13).map(|n| format!("t{n}")).collect();
    let all: Vec<i64> = names.iter().map(|name| open(place, &store, name, CLAIRE, &[])).collect();
    let merge = |from: i64, to: i64| {
        write(&store, move |sql| {
            sql.execute("UPDATE ticket SET merged_into = ?2 WHERE number = ?1", args![from, to])
        });
    };
    for pair in all[..12].windows(2) {
        merge(pair[0], pair[1]);
    }
    let through = |name: &str| {
        numbers(&candidates(&store, &asking(&[&format!("{name}@sender.example")], &[])))
    };
    assert_eq!(through("t1"), [all[11]], "ten redirects");
    assert!(through("t0").is_empty(), "eleven are too many");
    merge(all[11], all[5]);
    assert!(through("t8").is_empty(), "E-115: a circle leads nowhere");
    assert_eq!(through("t12"), [all[12]]);
}

pub fn noise_pushes_no_ticket_out(place: &Place) {
    let store = place.open();
    let real = open(place, &store, "real", CLAIRE, &["root@x.example"]);
    for n in 0..110 {
        open(place, &store, &format!("n{n}"), "noise@x.example", &["root@x.example"]);
    }
    let found = candidates(&store, &asking(&["root@x.example"], &[]));
    assert_eq!(found.len(), 10);
    assert!(numbers(&found).contains(&real));
}

pub fn a_ticket_remembers_who_is_what_m_80(place: &Place) {
    let store = place.open();
    let number = open(place, &store, "first", CLAIRE, &[]);
    write(&store, move |sql| {
        let people = [
            (key(CLAIRE), TicketRole::Correspondent),
            (key("bob@x.example"), TicketRole::Correspondent),
            (key("bob@x.example"), TicketRole::Participant),
        ];
        tickets::add_people(sql, number, &people)
    });
    let shown = read(&store, |sql| tickets::show(sql, number)).expect("it is there");
    assert_eq!(
        shown.people,
        [
            (CLAIRE.to_owned(), TicketRole::Requester),
            ("bob@x.example".to_owned(), TicketRole::Participant),
        ]
    );
    let list = read(&store, |sql| {
        let of_claire = tickets::Filter {
            user: Some(CLAIRE.to_owned()),
            since: Some(at(0)),
            ..Default::default()
        };
        tickets::list(sql, &of_claire, 10)
    });
    assert_eq!((list.len(), list[0].messages), (1, 1));
}

pub fn what_staff_writes_above_a_forward_is_internal_m_105(place: &Place) {
    let store = place.open();
    let claim = place.receive(&store, "forward", 1);
    let mut message = message("forward", "anna@desk.example");
    message.text = "Be quick.\n\n> It smokes.\n".to_owned();
    let (ids, arrived) = (place.ids.clone(), claim.id().to_owned());
    let number = write(&store, move |sql| {
        let facts = gather(sql, &questions(&message), &claim, 1);
        let mut plan = ticket_only(&message, &facts);
        for effect in &mut plan.effects {
            if let Effect::AddMessage(new) = effect {
                let (note, forwarded) = ("Be quick.".to_owned(), "> It smokes.".to_owned());
                new.note = Some(StaffNote { note, forwarded });
            }
        }
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(1))
    })
    .ticket
    .expect("a ticket was opened");
    let shown = read(&store, |sql| tickets::messages(sql, number)).remove(0);
    assert_eq!(shown.internal.as_deref(), Some("Be quick."));
    assert_eq!(shown.visible, "> It smokes.");
    assert_eq!(shown.body, "Be quick.\n\n> It smokes.\n", "nothing is deleted");
    let caused = read(&store, |sql| outbox::causing_message(sql, &arrived)).expect("it is there");
    assert_eq!([caused.text, caused.whole], ["> It smokes.", "> It smokes."]);
    let plain = open(place, &store, "plain", CLAIRE, &[]);
    assert_eq!(read(&store, |sql| tickets::messages(sql, plain))[0].internal, None);
}

pub fn a_user_who_had_to_wait_gets_the_messages_they_wrote_m_105(place: &Place) {
    let store = place.open();
    let claim = place.receive(&store, "known", 0);
    let first = message("known", CLAIRE);
    let ids = place.ids.clone();
    let user = write(&store, move |sql| {
        let facts = gather(sql, &questions(&first), &claim, 0);
        apply::apply(sql, &first_contact(&first, &facts), Some(&first), &claim, &ids, at(0))
    })
    .user
    .expect("a user was made");
    for (name, opened_by) in [("own", OpenedBy::Requester), ("forwarded", OpenedBy::Staff)] {
        let number = open(place, &store, name, CLAIRE, &[]);
        let id = read(&store, |sql| tickets::messages(sql, number)).remove(0).message;
        let person = user.clone();
        write(&store, move |sql| tickets::attach_user(sql, &id, &person, &key(CLAIRE), opened_by));
        let shown = read(&store, |sql| tickets::show(sql, number)).expect("it is there");
        assert_eq!(shown.ticket.user.map(|(id, _)| id).as_ref(), Some(&user), "{name}");
        let author = (opened_by == OpenedBy::Requester).then_some(&user);
        assert_eq!(shown.messages[0].user.as_ref(), author, "{name}");
    }
}

// Each ticket is a second newer than the one before.
fn open(place: &Place, store: &Store, name: &str, from: &str, named: &[&str]) -> i64 {
    let now = read(store, |sql| sql.query("SELECT COUNT(*) FROM ticket", args![])?[0].int(0));
    let claim = place.receive(store, name, now);
    let mut message = message(name, from);
    message.references = named.iter().map(|text| id(text)).collect();
    let ids = place.ids.clone();
    write(store, move |sql| {
        let facts = gather(sql, &questions(&message), &claim, now);
        let plan = ticket_only(&message, &facts);
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(now))
    })
    .ticket
    .expect("a ticket was opened")
}

fn asking(references: &[&str], tagged: &[i64]) -> Questions {
    let mut asked = questions(&message("reply", CLAIRE));
    let named = |text: &&str| Reference { id: id(text), found_in: FoundIn::References };
    asked.references = references.iter().map(named).collect();
    asked.tagged = tagged.to_vec();
    asked
}

fn candidates(store: &Store, asked: &Questions) -> Vec<TicketFacts> {
    let arrived = spool::Arrived {
        message: String::new(),
        arrived_at: at(1),
        counted_at: at(1),
        intake: Intake::Mailbox,
    };
    read(store, |sql| facts::gather(sql, asked, &arrived, at(1))).tickets
}

fn numbers(found: &[TicketFacts]) -> Vec<i64> {
    found.iter().map(|ticket| ticket.number).collect()
}
