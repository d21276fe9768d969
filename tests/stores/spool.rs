//! The ledger, the raw bytes, leases, acknowledgements.

use guichet::mail::AddressKey;
use guichet::store::mailboxes::{self, Beginning};
use guichet::store::spool::{
    self, Acknowledge, Arrival, Attempt, Finished, Origin, RawMessage, Series,
};
use guichet::store::tickets::By;
use guichet::store::{StoreError, apply, audit};
use guichet::triage::facts::Intake;
use guichet::triage::plan::{Outcome, Reason, Verdict};
use jiff::SignedDuration;

use crate::support::{Place, at, claim, count, plan, read, write};

pub fn a_message_is_spooled_once_p_02(place: &Place) {
    let store = place.open();
    for round in 0..2 {
        let arrivals: Vec<_> = (0..300).map(|n| place.arrival(&format!("m{n}"), n, b"x")).collect();
        let new = write(&store, move |sql| {
            spool::spool(sql, &arrivals, at(0), Acknowledge::AfterDecision)
        });
        let expected = if round == 0 { 300 } else { 0 };
        assert_eq!(new.len(), expected, "what is there already came in again");
    }
    assert_eq!(count(&store, "message"), 300);
    assert_eq!(count(&store, "raw_chunk"), 300);
    let asked: Vec<String> =
        ["m0", "m299", "m300"].map(|base| Origin::MaildirFile { base: base.into() }.key()).into();
    let known = read(&store, |sql| spool::known(sql, "support", &asked));
    assert_eq!(known.len(), 2);
    assert!(read(&store, |sql| spool::known(sql, "other", &asked)).is_empty());
}

pub fn large_messages_come_back_as_they_were(place: &Place) {
    let store = place.open();
    for (name, size) in [("empty", 0), ("frame", 1 << 20), ("more", (5 << 20) + 3)] {
        let raw: Vec<u8> =
            (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let arrival = place.arrival(name, 0, &raw);
        let id = arrival.id().to_owned();
        write(&store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)
        });
        assert!(read(&store, |sql| spool::raw(sql, &id)).expect("it is there") == raw, "{name}");
    }
    assert_eq!(read(&store, |sql| spool::raw(sql, "no such message")), None);
}

pub fn the_oldest_arrival_is_claimed_first(place: &Place) {
    let store = place.open();
    let arrivals: Vec<_> = [5, 1, 9, 3].map(|n| place.arrival(&format!("m{n}"), n, b"x")).to_vec();
    write(&store, move |sql| spool::spool(sql, &arrivals, at(0), Acknowledge::Never));
    // Even what claims to come from the future is not left lying.
    let claims = write(&store, |sql| claim(sql, 0, 3));
    let order: Vec<_> = claims.iter().map(|claim| claim.arrived.arrived_at).collect();
    assert_eq!(order, [at(1), at(3), at(5)]);
    assert!(claims.iter().all(|claim| claim.attempts == 1 && claim.fence == 1));
    assert_eq!(write(&store, |sql| claim(sql, 0, 3)).len(), 1, "no claim is given twice");
}

pub fn claims_are_bounded_in_count_and_bytes(place: &Place) {
    let store = place.open();
    let arrivals: Vec<_> =
        (0..4).map(|n| place.arrival(&format!("m{n}"), n, &vec![b'x'; 400_000])).collect();
    write(&store, move |sql| spool::spool(sql, &arrivals, at(0), Acknowledge::Never));
    let lease = SignedDuration::from_mins(1);
    let some = write(&store, move |sql| spool::claim(sql, "w", at(9), lease, 64, 1_000_000));
    assert_eq!(some.len(), 2);
    let one = write(&store, move |sql| spool::claim(sql, "w", at(9), lease, 64, 1));
    assert_eq!(one.len(), 1, "one message is always taken");
}

pub fn a_message_tried_before_is_claimed_alone(place: &Place) {
    let store = place.open();
    let arrivals: Vec<_> = (0..3).map(|n| place.arrival(&format!("m{n}"), n, b"x")).collect();
    write(&store, move |sql| spool::spool(sql, &arrivals, at(0), Acknowledge::Never));
    let claims = write(&store, |sql| claim(sql, 10, 2));
    let returned = claims.clone();
    write(&store, move |sql| {
        spool::release(sql, &returned[0], Attempt::Forgiven)?;
        spool::release(sql, &returned[1], Attempt::Counted)
    });
    let first = write(&store, |sql| claim(sql, 10, 3));
    assert_eq!(first.len(), 1, "the second was tried before");
    assert_eq!((first[0].id(), first[0].attempts), (claims[0].id(), 1));
    let second = write(&store, |sql| claim(sql, 10, 3));
    assert_eq!((second.len(), second[0].attempts, second[0].fence), (1, 2, 2));
    assert_eq!(write(&store, |sql| claim(sql, 10, 3)).len(), 1);
}

pub fn a_claim_that_lost_its_lease_cannot_finish_p_10(place: &Place) {
    let store = place.open();
    let lost = place.receive(&store, "m", 0);
    assert!(write(&store, |sql| claim(sql, 299, 1)).is_empty());
    assert_eq!(read(&store, |sql| spool::next_due(sql, at(1))), Some(at(300)));
    let ours = write(&store, |sql| claim(sql, 300, 1)).remove(0);
    assert_eq!((ours.attempts, ours.fence), (2, 2));
    let stale = lost.clone();
    let refused = store.transact(move |sql| {
        apply::apply(
            sql,
            &plan(Reason::ParseFailed, Outcome::Held, vec![]),
            None,
            &stale,
            &no_ids(),
            at(301),
        )
    });
    assert!(matches!(refused, Err(StoreError::ClaimLost(_))), "a late commit is accepted");
    assert_eq!(count(&store, "decision"), 0, "all of it is rolled back");
    let stale = lost.clone();
    assert!(store.transact(move |sql| spool::release(sql, &stale, Attempt::Counted)).is_err());
    assert!(store.transact(move |sql| spool::defer(sql, &lost, at(900))).is_err());
    write(&store, move |sql| spool::finish(sql, &ours, Finished::Done));
    assert_eq!(read(&store, |sql| spool::next_due(sql, at(999))), None);
}

pub fn a_deferred_message_waits_and_counts_as_arrived_later(place: &Place) {
    let store = place.open();
    let first = place.receive(&store, "m", 0);
    write(&store, move |sql| {
        let mut later = plan(Reason::TicketCreated, Outcome::Accepted, vec![]);
        later.verdict = Verdict::Deferred { until: at(3600) };
        apply::apply(sql, &later, None, &first, &no_ids(), at(1))
    });
    assert!(write(&store, |sql| claim(sql, 3599, 1)).is_empty());
    assert_eq!(read(&store, |sql| spool::next_due(sql, at(1))), Some(at(3600)));
    let again = write(&store, |sql| claim(sql, 3600, 1)).remove(0);
    assert_eq!(again.attempts, 1, "putting off is no failed attempt");
    assert_eq!((again.arrived.arrived_at, again.arrived.counted_at), (at(0), at(3600)));
}

pub fn a_held_message_is_released_or_dropped_and_never_acknowledged(place: &Place) {
    let store = place.open();
    for name in ["released", "dropped"] {
        let claim = place.receive(&store, name, 0);
        write(&store, move |sql| {
            let held = plan(Reason::ParseFailed, Outcome::Held, vec![]);
            apply::apply(sql, &held, None, &claim, &no_ids(), at(1))
        });
    }
    let owed = |store| read(store, |sql| spool::owed(sql, "support", "", 10));
    assert!(owed(&store).is_empty());
    let ids = read(&store, |sql| {
        sql.query("SELECT id FROM message ORDER BY id", &[])?
            .iter()
            .map(|row| row.text(0))
            .collect::<Result<Vec<_>, _>>()
    });
    let [released, dropped] = [ids[0].clone(), ids[1].clone()];
    let id = dropped.clone();
    assert!(write(&store, move |sql| spool::drop_held(sql, &id, &By::Operator, at(2))));
    assert_eq!(owed(&store).len(), 1, "what is dropped is decided");
    let id = dropped.clone();
    assert!(
        !write(&store, move |sql| spool::release_held(sql, &id, &By::Operator)),
        "it is held no more"
    );
    write(&store, move |sql| spool::acknowledged(sql, std::slice::from_ref(&dropped)));
    assert!(owed(&store).is_empty());
    let id = released.clone();
    let anna = By::Agent(AddressKey("anna@desk.example".to_owned()));
    assert!(write(&store, move |sql| spool::release_held(sql, &id, &anna)));
    let again = write(&store, |sql| claim(sql, 5, 1)).remove(0);
    assert_eq!(again.released_by.as_deref(), Some("anna@desk.example"));
    assert_eq!((again.id(), again.attempts), (released.as_str(), 1));
    let books = read(&store, audit::audit);
    assert_eq!((books.stored, books.ignored, books.pending), (2, 1, 1));
    assert!(books.balance(), "{books:?}");
}

pub fn what_came_before_the_start_has_no_bytes_e_09(place: &Place) {
    let store = place.open();
    let old: Vec<_> = (0..600)
        .map(|n| (Origin::Uid { series: Series::of(7), uid: n }, at(-i64::from(n))))
        .collect();
    let ids = place.ids.clone();
    let skipped = write(&store, move |sql| {
        let first = spool::skip(sql, "support", &old, at(0), &ids)?;
        Ok((first, spool::skip(sql, "support", &old, at(0), &ids)?))
    });
    assert_eq!(skipped, (600, 0));
    let books = read(&store, audit::audit);
    assert_eq!((books.stored, books.ignored), (600, 600));
    assert!(books.balance(), "{books:?}");
    assert!(read(&store, |sql| spool::owed(sql, "support", "", 10)).is_empty());
    let key = Origin::Uid { series: Series::of(7), uid: 599 }.key();
    assert_eq!(read(&store, |sql| spool::known(sql, "support", &[key])).len(), 1);
}

pub fn a_mailbox_is_never_told_of_a_stub_m_04(place: &Place) {
    let store = place.open();
    for (name, intake) in [("stub", Intake::Stub), ("whole", Intake::Mailbox)] {
        let message = RawMessage {
            mailbox: "support".to_owned(),
            origin: Origin::File { name: name.to_owned() },
            arrived_at: at(0),
            intake,
            raw: b"x".to_vec(),
        };
        let arrival = Arrival::new(message, &place.ids);
        write(&store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::AfterDecision)?;
            let claim = claim(sql, 0, 1)?.remove(0);
            assert_eq!(claim.arrived.intake, intake);
            spool::finish(sql, &claim, Finished::Done)
        });
    }
    let owed = read(&store, |sql| spool::owed(sql, "support", "", 10));
    let origins: Vec<_> = owed.into_iter().map(|owed| owed.origin).collect();
    assert_eq!(origins, [Origin::File { name: "whole".to_owned() }]);
}

pub fn mailboxes_begin_once(place: &Place) {
    let store = place.open();
    let begin =
        |now| write(&store, move |sql| mailboxes::begin(sql, "support", "a@desk.example", at(now)));
    assert_eq!(begin(1), Beginning::New);
    write(&store, |sql| mailboxes::set_position(sql, "support", "7:12"));
    let known = Beginning::Known { started_at: at(1), position: Some("7:12".to_owned()) };
    assert_eq!(begin(2), known);
    assert!(store.transact(|sql| mailboxes::set_position(sql, "none", "x")).is_err());
}

fn no_ids() -> guichet::clock::Ids {
    Place::sqlite().ids
}
