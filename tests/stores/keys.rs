//! The signing keys, and what is found by what they signed.

use guichet::args;
use guichet::store::keys::{self, Part};
use guichet::store::mailboxes::{self, Tags};
use guichet::store::outbox::{self, Attempt, Whose};
use guichet::store::{Store, apply, facts, spool};
use guichet::triage::facts::{
    Bounced, FoundIn, Intake, Questions, Reference, SignedTicket, TagsSeen, TicketEvidence,
    TicketFacts,
};
use guichet::triage::keys::Mark;
use jiff::SignedDuration;

use crate::support::{
    Place, at, first_contact, gather, id, key, message, questions, read, ticket_only, write,
};

const CLAIRE: &str = "claire@contoso.example";

pub fn a_key_is_made_once_and_rotated_m_73(place: &Place) {
    let store = place.open();
    let begin = || {
        let ids = place.ids.clone();
        write(&store, move |sql| keys::begin(sql, &ids, at(0)))
    };
    let first = begin();
    assert_eq!(begin(), first);
    let token = first.newest().expect("a key").body_token(7);
    let ids = place.ids.clone();
    let made = write(&store, move |sql| keys::rotate(sql, &ids, at(60)));
    let both = read(&store, keys::keyring);
    assert_eq!(both.newest(), Some(&made));
    assert_eq!(both.body_token(&token), Some(Mark::Valid(7)));
    assert_ne!(made.body_token(7), token);
    let told = read(&store, keys::list);
    assert_eq!(told.iter().map(|key| key.part).collect::<Vec<_>>(), [Part::Signs, Part::Verifies]);
    assert_eq!((told[0].made_at, told[1].made_at), (at(60), at(0)));
    // The names come again, and every key still verifies.
    for n in 0..40 {
        let ids = place.ids.clone();
        write(&store, move |sql| keys::rotate(sql, &ids, at(100 + n)));
    }
    assert_eq!(read(&store, keys::list).len(), 42);
    assert_eq!(read(&store, keys::keyring).body_token(&token), Some(Mark::Valid(7)));
}

pub fn what_is_known_of_tags_is_of_one_address_m_79(place: &Place) {
    let store = place.open();
    let begin = |address: &'static str| {
        write(&store, move |sql| mailboxes::begin(sql, "support", address, at(0)).map(drop));
    };
    let tags = || read(&store, |sql| mailboxes::tags(sql, "support"));
    assert_eq!(tags(), Tags::Unknown, "it was never seen");
    begin("support@desk.example");
    assert_eq!(tags(), Tags::Unknown);
    write(&store, |sql| mailboxes::note_tags(sql, "support", TagsSeen::Probe, at(5)));
    write(&store, |sql| mailboxes::note_tags(sql, "support", TagsSeen::ReplyAddress, at(9)));
    begin("support@desk.example");
    assert_eq!(tags(), Tags::Arrive);
    let noted = read(&store, |sql| {
        let row = sql.query("SELECT tags_since, tags_seen FROM mailbox", args![])?.remove(0);
        Ok((row.time(0)?, row.text(1)?))
    });
    assert_eq!(noted, (at(5), "probe".to_owned()), "what was seen first");
    begin("help@desk.example");
    assert_eq!(tags(), Tags::Unknown, "another address takes them, or does not");
}

pub fn signed_tickets_go_before_references_and_tags_m_83(place: &Place) {
    let store = place.open();
    let numbers: Vec<i64> =
        ["a", "b", "c", "d"].iter().map(|name| contact(place, &store, name).0).collect();
    let mut asked = questions(&message("reply", CLAIRE));
    let named = Reference { id: id("a@sender.example"), found_in: FoundIn::References };
    asked.references = vec![named];
    asked.tagged = vec![numbers[1], numbers[3]];
    let signed = |number, evidence| SignedTicket { number, evidence };
    asked.signed.tickets = vec![
        signed(numbers[2], TicketEvidence::ReplyAddress),
        signed(numbers[1], TicketEvidence::BodyToken),
        signed(4711, TicketEvidence::BodyToken),
    ];
    let found = candidates(&store, &asked);
    let order: Vec<i64> = found.iter().map(|ticket| ticket.number).collect();
    assert_eq!(order, [numbers[2], numbers[1], numbers[0], numbers[3]]);
    assert_eq!(found[0].evidence, TicketEvidence::ReplyAddress);
    assert_eq!(found[1].evidence, TicketEvidence::BodyToken);
    assert_eq!(found[3].evidence, TicketEvidence::SubjectTag);
    let (gone, target) = (numbers[2], numbers[0]);
    write(&store, move |sql| {
        sql.execute("UPDATE ticket SET deleted_at = 1 WHERE number = ?1", args![gone])?;
        sql.execute(
            "UPDATE ticket SET merged_into = ?2 WHERE number = ?1",
            args![numbers[1], target],
        )
    });
    // A deleted ticket is no evidence, a merged one leads to its target (M-86).
    let found = candidates(&store, &asked);
    assert_eq!((found[0].number, &found[0].evidence), (target, &TicketEvidence::BodyToken));
    assert!(found.iter().all(|ticket| ticket.number != gone));
}

pub fn a_bounce_is_known_by_its_envelope_address_e_150(place: &Place) {
    let store = place.open();
    let (ticket, mail) = contact(place, &store, "m");
    let bounced = |bounced: Bounced| {
        let mut asked = questions(&message("bounce", "mailer-daemon@contoso.example"));
        asked.signed.bounced = Some(bounced);
        read(&store, |sql| facts::gather(sql, &asked, &arrived(), at(1))).bounced
    };
    // Whomever it names: they may forward their mail.
    let recipients = vec![key("elsewhere@other.example")];
    let proven =
        bounced(Bounced { mail: Some(mail), recipients: recipients.clone(), ..Bounced::default() });
    let proven = proven.expect("it is known");
    assert_eq!((proven.outbox, proven.ticket), (mail, Some(ticket)));
    assert!(bounced(Bounced { mail: Some(4711), recipients, ..Bounced::default() }).is_none());
}

pub fn a_relay_s_id_leads_to_the_mail_and_its_ticket_m_82(place: &Place) {
    let store = place.open();
    let (ticket, mail) = contact(place, &store, "m");
    let ids = place.ids.clone();
    write(&store, move |sql| {
        let lease = SignedDuration::from_secs(60);
        for claim in outbox::claim_due(sql, "w", &Whose::All, at(1), lease, 10)? {
            let attempt = Attempt {
                claim,
                credentials: Vec::new(),
                message_id: format!("g1a.0.{}.x@desk.example", claim.id),
                subject: String::new(),
                body: String::new(),
                known: Vec::new(),
            };
            assert!(outbox::begin_attempt(sql, &attempt, lease, &ids, at(1))?);
            let given = format!("0102018f2d3c4b5a-6f7e8d9c-{}-000000", claim.id);
            assert!(outbox::sent(sql, claim, "250 Ok", Some(&given), at(1))?);
        }
        Ok(())
    });
    let relayed = id(&format!("0102018f2d3c4b5a-6f7e8d9c-{mail}-000000"));
    let mut asked = questions(&message("reply", CLAIRE));
    let named = Reference { id: relayed.clone(), found_in: FoundIn::RelayId };
    asked.references = vec![named];
    asked.signed.bounced = Some(Bounced {
        ids: vec![id(&format!("{relayed}@relay.example"))],
        relay_ids: vec![relayed.clone()],
        recipients: vec![key(CLAIRE)],
        ..Bounced::default()
    });
    let facts = read(&store, |sql| facts::gather(sql, &asked, &arrived(), at(2)));
    assert_eq!(facts.tickets[0].number, ticket);
    let seen = TicketEvidence::Reference { id: relayed, found_in: FoundIn::RelayId, seen: true };
    assert_eq!(facts.tickets[0].evidence, seen);
    assert_eq!(facts.bounced.expect("it is known").outbox, mail);
    // By the id that we gave it, too; and to nobody else's bounce (T-19).
    let ours = Bounced {
        ids: vec![id(&format!("g1a.0.{mail}.x@desk.example"))],
        recipients: vec![key("other@contoso.example")],
        ..Bounced::default()
    };
    asked.signed.bounced = Some(ours.clone());
    let facts = read(&store, |sql| facts::gather(sql, &asked, &arrived(), at(2)));
    assert!(facts.bounced.is_none());
    asked.signed.bounced = Some(Bounced { recipients: vec![key(CLAIRE)], ..ours });
    let facts = read(&store, |sql| facts::gather(sql, &asked, &arrived(), at(2)));
    assert_eq!(facts.bounced.expect("it is known").outbox, mail);
}

// The number of the ticket, and that of its acknowledgement, if the sender was new.
fn contact(place: &Place, store: &Store, name: &str) -> (i64, i64) {
    let claim = place.receive(store, name, 0);
    let (name, ids) = (name.to_owned(), place.ids.clone());
    let applied = write(store, move |sql| {
        let message = message(&name, CLAIRE);
        let facts = gather(sql, &questions(&message), &claim, 0);
        let plan = match facts.user {
            Some(_) => ticket_only(&message, &facts),
            None => first_contact(&message, &facts),
        };
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(0))
    });
    let mail = applied.queued.first().copied().unwrap_or_default();
    (applied.ticket.expect("a ticket was opened"), mail)
}

fn candidates(store: &Store, asked: &Questions) -> Vec<TicketFacts> {
    read(store, |sql| facts::gather(sql, asked, &arrived(), at(1))).tickets
}

fn arrived() -> spool::Arrived {
    spool::Arrived {
        message: String::new(),
        arrived_at: at(1),
        counted_at: at(1),
        intake: Intake::Mailbox,
    }
}
