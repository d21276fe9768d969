//! The way of a mail through the outbox, on a store in memory.

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::clock::{SeededChance, SetClock};
use crate::mail::{Address, MessageId};
use crate::store::credentials::{self, CredentialKind, NewCredential};
use crate::store::{Durability, Location, Options, Store};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

fn ids() -> Ids {
    ids_of(1)
}

fn ids_of(seed: u64) -> Ids {
    Ids::new(Arc::new(SetClock::at(at(0))), Arc::new(SeededChance::new(seed)))
}

fn on_store<T: Send + 'static>(
    work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
) -> T {
    let options = Options { location: Location::Memory, durability: Durability::None };
    let store = Store::open(&options, at(0)).expect("a store in memory opens");
    store.transact(work).expect("the work succeeds")
}

fn mail(to: &str) -> OutgoingMail {
    OutgoingMail {
        template: "ticket_received".to_owned(),
        to: Address::parse(to).expect("an address"),
        user: None,
        ticket: None,
        mailbox: "support".to_owned(),
        message_id_domain: "helpdesk.example".to_owned(),
        locale: "en".to_owned(),
        site: "s1".to_owned(),
        cause: MailCause::Answer {
            parent: MessageId::parse("b@c.example").expect("an id"),
            parent_references: vec![MessageId::parse("a@c.example").expect("an id")],
        },
    }
}

fn queue_one(sql: &mut dyn Sql, to: &str, second: i64) -> Result<i64, StoreError> {
    let ids = ids_of(100 + second.unsigned_abs());
    Ok(queue(sql, &mail(to), QueuedFor::default(), &ids, at(second))?.id)
}

fn state_of(sql: &mut dyn Sql, id: i64) -> OutboxState {
    show(sql, id).expect("the row reads").expect("the row is there").state
}

#[test]
fn r_15_what_holds_the_place_of_a_message_id_is_a_dot_atom_of_our_own_domain() {
    on_store(|sql| {
        let about = QueuedFor { ticket: Some(7), ..QueuedFor::default() };
        let queued = queue(sql, &mail("claire@c.example"), about, &ids(), at(0))?;
        let read = letter(sql, queued.id)?.expect("the mail is there");
        let (left, domain) = read.message_id.split_once('@').expect("an @");
        assert_eq!(domain, "helpdesk.example");
        assert!(left.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{left}");
        Ok(())
    });
}

#[test]
fn r_15_a_strange_domain_still_makes_a_message_id() {
    assert_eq!(dot_atom("..b\r\nad >..example"), "bad.example");
    assert_eq!(dot_atom(""), "guichet.invalid");
}

#[test]
fn a_mail_is_claimed_once_until_its_lease_runs_out() {
    on_store(|sql| {
        let id = queue_one(sql, "claire@c.example", 0)?;
        let lease = SignedDuration::from_secs(60);
        let first = claim_due(sql, "one", &Whose::All, at(1), lease, 10)?;
        assert_eq!(first.iter().map(|claim| claim.id).collect::<Vec<_>>(), [id]);
        assert!(claim_due(sql, "two", &Whose::All, at(2), lease, 10)?.is_empty());
        assert_eq!(next_due(sql, "one", &Whose::All)?, Some(at(61)));
        let second = claim_due(sql, "two", &Whose::All, at(61), lease, 10)?;
        assert_eq!(second.len(), 1);
        // P-10: the first worker's lease is over, so nothing it says counts.
        assert!(!sent(sql, first[0], "ok", None, at(62))?);
        assert_eq!(state_of(sql, id), OutboxState::Sending);
        assert!(sent(sql, second[0], "ok", None, at(62))?);
        assert_eq!(state_of(sql, id), OutboxState::Sent);
        assert_eq!(next_due(sql, "one", &Whose::All)?, None);
        Ok(())
    });
}

#[test]
fn the_longest_due_goes_first_and_no_more_than_asked() {
    on_store(|sql| {
        let late = queue_one(sql, "a@c.example", 5)?;
        let early = queue_one(sql, "b@c.example", 1)?;
        let lease = SignedDuration::from_secs(60);
        assert_eq!(claim_due(sql, "one", &Whose::All, at(9), lease, 1)?[0].id, early);
        assert_eq!(claim_due(sql, "one", &Whose::All, at(9), lease, 1)?[0].id, late);
        Ok(())
    });
}

#[test]
fn an_attempt_is_counted_before_it_is_made_and_an_answer_takes_the_doubt() {
    on_store(|sql| {
        let id = queue_one(sql, "claire@c.example", 0)?;
        let lease = SignedDuration::from_secs(60);
        let claim = claim_due(sql, "one", &Whose::All, at(1), lease, 10)?[0];
        let attempt = Attempt {
            claim,
            credentials: Vec::new(),
            message_id: "g1a.0.1.x@helpdesk.example".to_owned(),
            subject: "s".to_owned(),
            body: "b".to_owned(),
            known: Vec::new(),
        };
        assert!(begin_attempt(sql, &attempt, lease, &ids(), at(1))?);
        assert!(retry_at(sql, claim.tried(Heard::Answer), at(30), "4.7.1 try later")?);
        assert!(claim_due(sql, "one", &Whose::All, at(29), lease, 10)?.is_empty());
        let claim = claim_due(sql, "one", &Whose::All, at(30), lease, 10)?[0];
        assert_eq!((claim.attempts, claim.unsure), (1, 0));
        let attempt = Attempt { claim, ..attempt };
        assert!(begin_attempt(sql, &attempt, lease, &ids(), at(30))?);
        assert!(retry_at(sql, claim.tried(Heard::Nothing), at(60), "the connection died")?);
        let claim = claim_due(sql, "one", &Whose::All, at(60), lease, 10)?[0];
        assert_eq!((claim.attempts, claim.unsure), (2, 1));
        assert!(give_up(sql, claim, GaveUp::Parked, "no answer twice")?);
        assert_eq!(state_of(sql, id), OutboxState::Parked);
        Ok(())
    });
}

#[test]
fn retry_and_cancel_leave_alone_what_is_gone() {
    on_store(|sql| {
        let id = queue_one(sql, "claire@c.example", 0)?;
        assert_eq!(retry(sql, id, at(1))?, Some(OutboxState::Queued));
        assert_eq!(cancel(sql, id)?, Some(OutboxState::Queued));
        assert_eq!(state_of(sql, id), OutboxState::Cancelled);
        assert_eq!(retry(sql, id, at(2))?, Some(OutboxState::Cancelled));
        let claim = claim_due(sql, "one", &Whose::All, at(2), SignedDuration::from_secs(60), 1)?[0];
        sent(sql, claim, "ok", None, at(3))?;
        assert_eq!(cancel(sql, id)?, Some(OutboxState::Sent));
        assert_eq!(state_of(sql, id), OutboxState::Sent);
        assert_eq!(cancel(sql, 99)?, None);
        Ok(())
    });
}

#[test]
fn the_list_is_filtered_and_newest_first() {
    on_store(|sql| {
        let first = queue_one(sql, "Claire@c.example", 0)?;
        let second = queue_one(sql, "claire@c.example", 1)?;
        queue_one(sql, "omar@c.example", 2)?;
        let all = Page { before: None, limit: 10 };
        let to = Filter { to: Some("CLAIRE@c.example".to_owned()), ..Filter::default() };
        let found: Vec<i64> = list(sql, &to, all)?.iter().map(|entry| entry.id).collect();
        assert_eq!(found, [second, first]);
        let next = Page { before: Some(second), limit: 10 };
        assert_eq!(list(sql, &to, next)?.len(), 1);
        let sent = Filter { state: Some(OutboxState::Sent), ..Filter::default() };
        assert!(list(sql, &sent, all)?.is_empty());
        Ok(())
    });
}

#[test]
fn at_most_two_credentials_of_a_person_are_live() {
    on_store(|sql| {
        sql.execute(
            "INSERT INTO site (id, name, declared, created_at) VALUES ('s1', 'S', 0, 0)",
            args![],
        )?;
        sql.execute(
            "INSERT INTO person (id, first_name, last_name, derived, status, access, site, \
               made_by, credentials, created_at, updated_at) \
             VALUES ('p1', '', '', 0, 'active', 'limited', 's1', 'mail', 'due', 0, 0)",
            args![],
        )?;
        let ids = ids();
        for n in 0..3 {
            let new = NewCredential {
                person: "p1".to_owned(),
                kind: CredentialKind::Link,
                hash: format!("hash {n}"),
                sha256: None,
                expires_at: at(100),
            };
            credentials::keep(sql, &new, n, &ids, at(n))?;
        }
        let live = credentials::live(sql, "p1", at(5))?;
        let hashes: Vec<&str> = live.iter().map(|one| one.hash.as_str()).collect();
        assert_eq!(hashes, ["hash 1", "hash 2"]);
        // P-11: what has expired is not live, and ending it changes nothing.
        assert!(credentials::live(sql, "p1", at(100))?.is_empty());
        assert_eq!(credentials::end_all(sql, "p1", at(6))?, 2);
        assert!(credentials::live(sql, "p1", at(7))?.is_empty());
        Ok(())
    });
}

fn begun(claim: OutboxClaim) -> Attempt {
    Attempt {
        claim,
        credentials: Vec::new(),
        message_id: "g1a.0.1.x@helpdesk.example".to_owned(),
        subject: "s".to_owned(),
        body: "b".to_owned(),
        known: Vec::new(),
    }
}

#[test]
fn p_03_an_attempt_begun_twice_counts_once_and_renews_the_lease() {
    on_store(|sql| {
        queue_one(sql, "claire@c.example", 0)?;
        let lease = SignedDuration::from_secs(60);
        let claim = claim_due(sql, "one", &Whose::All, at(1), lease, 10)?[0];
        assert!(begin_attempt(sql, &begun(claim), lease, &ids(), at(30))?);
        assert!(begin_attempt(sql, &begun(claim), lease, &ids(), at(31))?);
        assert_eq!(next_due(sql, "one", &Whose::All)?, Some(at(91)));
        let again = claim_due(sql, "two", &Whose::All, at(91), lease, 10)?[0];
        assert_eq!((again.attempts, again.unsure), (1, 1));
        Ok(())
    });
}

#[test]
fn a_mail_handed_back_is_as_it_was_before_the_claim() {
    on_store(|sql| {
        let id = queue_one(sql, "claire@c.example", 0)?;
        let lease = SignedDuration::from_secs(60);
        let claim = claim_due(sql, "one", &Whose::All, at(1), lease, 10)?[0];
        assert!(begin_attempt(sql, &begun(claim), lease, &ids(), at(2))?);
        assert!(hand_back(sql, claim, at(3))?);
        assert_eq!(state_of(sql, id), OutboxState::Queued);
        let again = claim_due(sql, "one", &Whose::All, at(3), lease, 10)?[0];
        assert_eq!((again.attempts, again.unsure), (0, 0));
        assert!(!hand_back(sql, claim, at(4))?, "P-10: the lease is another's");
        Ok(())
    });
}

#[test]
fn the_mail_of_some_mailboxes_is_claimed_alone() {
    on_store(|sql| {
        let id = queue_one(sql, "claire@c.example", 0)?;
        let lease = SignedDuration::from_secs(60);
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let others = [Whose::Of(some(&["a", "b"])), Whose::NotOf(some(&["a", "support"]))];
        for whose in &others {
            assert_eq!(next_due(sql, "one", whose)?, None);
            assert!(claim_due(sql, "one", whose, at(1), lease, 10)?.is_empty());
        }
        let theirs = Whose::Of(some(&["a", "support"]));
        assert_eq!(next_due(sql, "one", &theirs)?, Some(at(0)));
        assert_eq!(claim_due(sql, "one", &theirs, at(1), lease, 10)?[0].id, id);
        Ok(())
    });
}

#[test]
fn p_15_mail_that_waits_for_a_relay_says_so_and_is_parked_in_the_end() {
    on_store(|sql| {
        let old = queue_one(sql, "a@c.example", 0)?;
        let young = queue_one(sql, "b@c.example", 50)?;
        let later = queue_one(sql, "c@c.example", 99)?;
        let whose = Whose::Of([String::from("support")].into());
        assert_eq!(out_of_reach(sql, &whose, at(10), "no way", at(60))?, 1);
        let said = |sql: &mut dyn Sql, id| {
            let entry = show(sql, id).expect("it reads").expect("it is there");
            (entry.state, entry.response)
        };
        let why = Some("no way".to_owned());
        assert_eq!(said(sql, old), (OutboxState::Parked, why.clone()));
        assert_eq!(said(sql, young), (OutboxState::Queued, why));
        assert_eq!(said(sql, later), (OutboxState::Queued, None));
        Ok(())
    });
}

// A mail of ours has kilobytes of text: who asks for those of one message passes over a million
// others, or reads them.
#[test]
fn the_mails_of_a_message_are_found_among_those_queued_after_it() {
    on_store(|sql| {
        let of = |message, after| Filter {
            message: Some(String::from(message)),
            after: Some(after),
            ..Filter::default()
        };
        let page = Page { before: None, limit: 50 };
        let about = |message| QueuedFor { message: Some(message), ..QueuedFor::default() };
        for (second, message) in [(0, "m1"), (1, "m1"), (2, "m2")] {
            queue(sql, &mail("a@c.example"), about(message), &ids_of(1 + second), at(0))?;
        }
        assert_eq!(newest(sql)?, 3);
        let found = |sql: &mut dyn Sql, filter| -> Result<Vec<i64>, StoreError> {
            Ok(list(sql, &filter, page)?.iter().map(|mail| mail.id).collect())
        };
        assert_eq!(found(sql, of("m1", 0))?, [2, 1]);
        assert_eq!(found(sql, of("m1", 1))?, [2]);
        assert_eq!(found(sql, of("m2", 3))?, [0; 0]);
        let (statement, values) = desk::listing(&of("m1", 1), page);
        let plan = sql.query(&format!("EXPLAIN QUERY PLAN {statement}"), &values)?;
        let plan: Vec<String> = plan.iter().map(|row| row.text(3)).collect::<Result<_, _>>()?;
        assert_eq!(plan, ["SEARCH outbox USING INTEGER PRIMARY KEY (rowid>?)"]);
        Ok(())
    });
}
