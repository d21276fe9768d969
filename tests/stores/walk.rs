//! From the facts about a message to its effects.

use guichet::args;
use guichet::mail::AddressKey;
use guichet::store::spool::{self, Acknowledge};
use guichet::store::{
    Dialect, Row, Sql, Store, StoreError, Value, apply, facts, owed, tickets, users,
};
use guichet::triage::facts::{
    Bounced, CredentialsState, Facts, FoundIn, Intake, Reference, SiteMatch,
};
use guichet::triage::plan::{BounceEffect, Effect, OpenedBy, Outcome, Reason, UserRef};
use guichet::triage::policy::{LimitPolicy, Rate};
use jiff::SignedDuration;

use crate::support::{
    Place, address, at, claim, count, first_contact, gather, id, key, message, plan, questions,
    read, site, ticket_only, write,
};

const CLAIRE: &str = "claire.johnson@contoso.example";

pub fn a_new_sender_becomes_a_user_with_ticket_and_mails(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    let applied = contact(place, &store, "first", CLAIRE, 0);
    let number = applied.ticket.expect("a ticket was opened");
    assert_eq!(applied.queued.len(), 2);
    let shown = read(&store, |sql| tickets::show(sql, number)).expect("it is there");
    assert_eq!(shown.ticket.site, "Contoso");
    assert_eq!(shown.ticket.user.expect("a user").1, "Claire Johnson");
    assert_eq!(shown.messages[0].from_address, CLAIRE);
    assert_eq!(shown.messages[0].written_at, at(0));
    let user = read(&store, |sql| users::show(sql, CLAIRE)).expect("she is there");
    assert_eq!(Some(&user.id), applied.user.as_ref());
    assert_eq!(user.credentials, CredentialsState::Sent);
    let ids = read(&store, |sql| {
        sql.query("SELECT seen FROM thread_id ORDER BY id", args![])?
            .iter()
            .map(|row| row.flag(0))
            .collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(ids, [true], "the message's own id; that of our answer is signed");
    assert_eq!(read(&store, |sql| spool::owed(sql, "support", "", 10)).len(), 1);
}

pub fn an_existing_user_is_known_by_any_address_m_43(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    contact(place, &store, "first", CLAIRE, 0);
    let user = read(&store, |sql| users::show(sql, CLAIRE)).expect("she is there").id;
    write(&store, move |sql| {
        let home = address("claire@mail.example");
        let added = users::Change::AddAddress(home, key("claire@mail.example"));
        users::set(sql, &user, &[added], at(1))
    });
    let facts = facts_about(&store, &message("second", "claire@mail.example"));
    let user = facts.user.expect("the user is known");
    assert_eq!(user.address.to_string(), CLAIRE, "mail of ours goes to the first address");
    assert_eq!((user.site.name.as_str(), user.site.matched_by), ("Contoso", SiteMatch::Kept));
    assert!(facts.sites.is_empty(), "an alternate address moves nobody (M-109)");
    let nobody = facts_about(&store, &message("third", "nobody@mail.example"));
    assert!(nobody.user.is_none());
}

pub fn a_duplicate_is_recognised_m_09(place: &Place) {
    let store = place.open();
    contact(place, &store, "same", CLAIRE, 0);
    let first = read(&store, |sql| sql.query("SELECT id FROM message", args![])?[0].text(0));
    let same = message("same", CLAIRE);
    let facts = facts_about(&store, &same);
    assert_eq!(facts.duplicate_of, Some(first.clone()));
    assert!(!facts.message_id_known);
    let mut other = message("other", CLAIRE);
    other.message_id = same.message_id.clone();
    let facts = facts_about(&store, &other);
    assert_eq!((facts.duplicate_of, facts.message_id_known), (None, true));
    // A plan made without the fact is refused as a race, not carried out.
    let claim = place.receive(&store, "again", 5);
    let ids = place.ids.clone();
    let raced = store.transact(move |sql| {
        let plan = plan(Reason::OwnMessage, Outcome::Ignored, vec![]);
        apply::apply(sql, &plan, Some(&same), &claim, &ids, at(5))
    });
    assert!(matches!(raced, Err(StoreError::Raced(_))));
    assert_eq!(count(&store, "decision"), 1);
}

pub fn a_failing_plan_leaves_nothing_e_82(place: &Place) {
    let store = place.open();
    let claim = place.receive(&store, "m", 0);
    let ids = place.ids.clone();
    let failed = store.transact(move |sql| {
        let message = message("m", CLAIRE);
        let facts = gather(sql, &questions(&message), &claim, 0);
        let mut plan = first_contact(&message, &facts);
        plan.effects.push(plan.effects[0].clone());
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(0))
    });
    assert!(matches!(failed, Err(StoreError::Raced(_))), "one key, one user");
    for table in ["person", "person_address", "ticket", "outbox", "decision", "content_key"] {
        assert_eq!(count(&store, table), 0, "{table}");
    }
}

pub fn limits_count_by_arrival_e_142(place: &Place) {
    let store = place.open();
    let hourly = |count| vec![Rate { count, per: SignedDuration::from_hours(1) }];
    for n in 0..3 {
        contact(place, &store, &format!("m{n}"), &format!("{n}{CLAIRE}"), n * 60);
    }
    let asked = |limits: LimitPolicy| {
        let mut questions = questions(&message("next", &format!("0{CLAIRE}")));
        questions.limits = limits;
        questions
    };
    let room = |limits, arrived| {
        let asked = asked(limits);
        // Long after: only the arrival counts.
        read(&store, |sql| facts::gather(sql, &asked, &self::arrived(arrived), at(90_000))).room
    };
    let per_domain = |count| LimitPolicy { per_domain: hourly(count), ..Default::default() };
    assert_eq!(room(per_domain(4), 200).domain, None);
    assert_eq!(room(per_domain(3), 200).domain, Some(at(3600)));
    assert_eq!(room(per_domain(2), 200).domain, Some(at(3660)));
    assert_eq!(room(per_domain(3), 3600).domain, None, "the oldest has left the hour");
    assert_eq!(room(per_domain(1), -10).domain, None, "what arrives later is no reason");
    let per_sender = LimitPolicy { per_sender: hourly(1), ..Default::default() };
    assert_eq!(room(per_sender, 200).sender, Some(at(3600)));
    let new_users = LimitPolicy { new_users: hourly(3), ..Default::default() };
    assert_eq!(room(new_users, 200).new_users, Some(at(3600)));
}

pub fn limits_slide_across_midnight_and_a_clock_change_e_143(place: &Place) {
    let store = place.open();
    // Seconds since the first arrival, which is ten minutes before midnight.
    let before_midnight = 86_400 - at(0).as_second().rem_euclid(86_400) - 600;
    let seconds = |after: i64| before_midnight + after;
    for (n, after) in [0, 300, 900].into_iter().enumerate() {
        contact(place, &store, &format!("m{n}"), &format!("{n}{CLAIRE}"), seconds(after));
    }
    let mut asked = questions(&message("next", &format!("0{CLAIRE}")));
    let hourly = vec![Rate { count: 3, per: SignedDuration::from_hours(1) }];
    asked.limits = LimitPolicy { per_domain: hourly, ..Default::default() };
    let room = |after: i64, now: i64| {
        let arrived = self::arrived(seconds(after));
        read(&store, |sql| facts::gather(sql, &asked, &arrived, at(seconds(now)))).room.domain
    };
    let until = Some(at(seconds(3600)));
    assert_eq!(room(1200, 1200), until, "midnight resets nothing");
    assert_eq!(room(3599, 3599), until);
    assert_eq!(room(3600, 3600), None, "it slides");
    // The clock of the machine was set back, or forward by a day: only arrivals count.
    assert_eq!(room(1200, -7200), until);
    assert_eq!(room(1200, 90_000), until);
}

pub fn budgets_of_credentials_are_counted_c_10(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    for n in 0..20 {
        contact(place, &store, &format!("m{n}"), &format!("{n}{CLAIRE}"), n);
    }
    let budget = |from: &str, now| {
        let asked = questions(&message("next", from));
        let arrived = arrived(now);
        read(&store, |sql| facts::gather(sql, &asked, &arrived, at(now))).budget
    };
    // C-06 withholds them from whoever had them already, whatever is left: nothing is counted.
    let had_them = budget(&format!("7{CLAIRE}"), 30);
    assert_eq!((had_them.recipient, had_them.domain), (None, None));
    write(&store, |sql| sql.execute("UPDATE person SET credentials = 'due'", &[]));
    let beyond = budget(CLAIRE, 30);
    assert_eq!((beyond.domain, beyond.site, beyond.total), (Some(at(3600)), None, None));
    assert_eq!(beyond.recipient, None);
    assert_eq!(budget(CLAIRE, 3600).domain, None);
    let again = budget(&format!("7{CLAIRE}"), 3600);
    assert_eq!(again.recipient, Some(at(7 + 86_400)));
    assert_eq!(budget("x@other.example", 30).domain, None);
    // Three to one user who never logged in are all there will be, however long ago.
    let days = 10 * 86_400;
    assert_eq!(budget(&format!("7{CLAIRE}"), days).recipient, None);
    let seventh = key(&format!("7{CLAIRE}"));
    write(&store, move |sql| {
        sql.execute(
            "UPDATE outbox SET person = (SELECT person FROM person_address WHERE address_key = ?1) \
             WHERE cause = 'notice' AND to_key IN (?2, ?3)",
            args![&seventh, &key(&format!("1{CLAIRE}")), &key(&format!("2{CLAIRE}"))],
        )
    });
    assert_eq!(budget(&format!("7{CLAIRE}"), days).recipient, Some(at(days + 86_400)));
    // The acknowledgements count for the loop brake.
    let mut asked = questions(&message("next", &format!("7{CLAIRE}")));
    let per = SignedDuration::from_hours(1);
    asked.limits.auto_mails_per_address = vec![Rate { count: 2, per }];
    let room = read(&store, |sql| facts::gather(sql, &asked, &arrived(30), at(30))).room;
    assert_eq!(room.auto_mails, Some(at(3607)));
}

pub fn what_is_owed_is_made_up_for_later(place: &Place) {
    let store = place.open();
    let claim = place.receive(&store, "m", 0);
    let ids = place.ids.clone();
    let number = write(&store, move |sql| {
        let message = message("m", CLAIRE);
        let facts = gather(sql, &questions(&message), &claim, 0);
        let mut plan = ticket_only(&message, &facts);
        plan.effects.push(Effect::Owe { until: at(600) });
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(0))
    })
    .ticket
    .expect("a ticket was opened");
    assert!(read(&store, |sql| owed::due(sql, at(599), 10)).is_empty());
    assert_eq!(read(&store, owed::next_due), Some(at(600)));
    let due = read(&store, |sql| owed::due(sql, at(600), 10)).remove(0);
    let ids = place.ids.clone();
    let (settled, again) = (due.clone(), due);
    write(&store, move |sql| {
        let message = message("m", CLAIRE);
        let facts = facts::gather(sql, &questions(&message), &settled.arrived, at(600))?;
        assert_eq!(facts.duplicate_of, None, "a message is no duplicate of itself");
        let mut plan = first_contact(&message, &facts);
        plan.effects.retain(|effect| matches!(effect, Effect::CreateUser(_)));
        plan.effects.push(Effect::AttachUser {
            user: UserRef::New,
            key: key(CLAIRE),
            opened_by: OpenedBy::Requester,
        });
        apply::apply_owed(sql, &plan, &message, &settled, &ids, at(600))
    });
    let shown = read(&store, |sql| tickets::show(sql, number)).expect("it is there");
    assert_eq!(shown.ticket.user.expect("the new user").1, "Claire Johnson");
    assert!(shown.messages[0].user.is_some());
    assert_eq!(read(&store, owed::next_due), None);
    let ids = place.ids.clone();
    let twice = store.transact(move |sql| {
        let plan = plan(Reason::TicketCreated, Outcome::Accepted, vec![]);
        apply::apply_owed(sql, &plan, &message("m", CLAIRE), &again, &ids, at(601))
    });
    assert!(matches!(twice, Err(StoreError::ClaimLost(_))));
}

pub fn a_bounce_fails_the_mail_and_its_address_m_65(place: &Place) {
    let store = place.open();
    contact(place, &store, "m", CLAIRE, 0);
    let sent = read(&store, |sql| {
        let mails = sql.query("SELECT message_id FROM outbox WHERE cause = 'notice'", args![])?;
        mails[0].text(0)
    });
    let bounced = |recipients: &[&str]| {
        let recipients: Vec<AddressKey> = recipients.iter().map(|text| key(text)).collect();
        let mut asked = questions(&message("bounce", "mailer-daemon@contoso.example"));
        asked.signed.bounced =
            Some(Bounced { ids: vec![id(&sent)], recipients, ..Bounced::default() });
        read(&store, |sql| facts::gather(sql, &asked, &arrived(1), at(1))).bounced
    };
    assert!(bounced(&["other@contoso.example"]).is_none(), "T-19");
    let mail = bounced(&["other@contoso.example", CLAIRE]).expect("it went to her");
    assert_eq!((mail.template.as_str(), mail.ticket), ("credentials", None));
    assert!(bounced(&[]).is_some(), "no recipient could be read (M-64)");
    let claim = place.receive(&store, "bounce", 2);
    let ids = place.ids.clone();
    write(&store, move |sql| {
        let failed = Effect::RecordBounce {
            outbox: mail.outbox,
            bounce: BounceEffect::Permanent,
            diagnostic: "550 no such user".to_owned(),
        };
        let plan = plan(Reason::BounceAttached, Outcome::Accepted, vec![failed]);
        let message = message("bounce", "mailer-daemon@contoso.example");
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(2))
    });
    let user = facts_about(&store, &message("n", CLAIRE)).user.expect("she is there");
    assert!(user.undeliverable && user.credentials_bounced);
    write(&store, |sql| users::clear_undeliverable(sql, &key(CLAIRE)));
    let user = facts_about(&store, &message("n", CLAIRE)).user.expect("she is there");
    assert!(!user.undeliverable, "E-152");
    assert!(read(&store, guichet::store::audit::audit).balance());
}

pub fn a_message_takes_at_most_twenty_statements(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    let earlier = ["one", "two"]
        .map(|name| contact(place, &store, name, &format!("{name}@contoso.example"), 0).ticket);
    let arrival = place.arrival("m", 0, b"x");
    let ids = place.ids.clone();
    let limits = LimitPolicy {
        per_sender: vec![Rate { count: 30, per: SignedDuration::from_hours(1) }],
        ..Default::default()
    };
    let statements = write(&store, move |sql| {
        let mut sql = Counting { sql, statements: 0 };
        spool::spool(&mut sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)?;
        let before = sql.statements;
        let claim = claim(&mut sql, 0, 1)?.remove(0);
        let claiming = sql.statements - before;
        let mut message = message("m", "bob@contoso.example");
        message.references = (0..40).map(|n| id(&format!("r{n}@x.example"))).collect();
        let mut asked = questions(&message);
        asked.limits = limits.clone();
        asked.tagged = earlier.into_iter().flatten().collect();
        asked.known = vec![7];
        let facts = gather(&mut sql, &asked, &claim, 0);
        assert_eq!(facts.tickets.len(), 2, "whose messages are looked at");
        let plan = first_contact(&message, &facts);
        apply::apply(&mut sql, &plan, Some(&message), &claim, &ids, at(0))?;
        Ok(sql.statements - claiming)
    });
    assert!(statements <= 20, "{statements} statements");
}

pub fn what_was_told_of_a_large_mail_is_known_r_13(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    let number = contact(place, &store, "first", CLAIRE, 0).ticket.expect("a ticket was opened");
    let told = |from: &str, intake| {
        let mut asked = questions(&message("next", from));
        let id = message("first", CLAIRE).message_id;
        asked.references.push(Reference { id, found_in: FoundIn::InReplyTo });
        let arrived = spool::Arrived { intake, ..arrived(10) };
        read(&store, |sql| facts::gather(sql, &asked, &arrived, at(10))).told_too_large
    };
    assert!(told(CLAIRE, Intake::Stub).is_empty(), "another notice is not this one");
    write(&store, |sql| {
        sql.execute("UPDATE outbox SET template = 'too_large' WHERE ticket IS NOT NULL", args![])
    });
    let tagged = CLAIRE.replace('@', "+x@");
    for (from, intake, expected) in [
        (CLAIRE, Intake::Stub, vec![number]),
        (&tagged, Intake::Stub, vec![number]),
        (CLAIRE, Intake::Mailbox, Vec::new()),
        ("bob@contoso.example", Intake::Stub, Vec::new()),
    ] {
        assert_eq!(told(from, intake), expected, "{from} {intake:?}");
    }
}

pub fn a_complaint_leaves_the_mail_and_silences_its_address_e_145(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    let mail = contact(place, &store, "first", CLAIRE, 0).queued[0];
    let state = || {
        let state = "SELECT state FROM outbox WHERE id = ?1";
        read(&store, |sql| sql.query_one(state, args![mail])?.expect("it is there").text(0))
    };
    let before = state();
    let claim = place.receive(&store, "complaint", 1);
    let ids = place.ids.clone();
    write(&store, move |sql| {
        let complained = Effect::RecordBounce {
            outbox: mail,
            bounce: BounceEffect::Complaint,
            diagnostic: "reported as abuse".to_owned(),
        };
        let plan = plan(Reason::BounceAttached, Outcome::Accepted, vec![complained]);
        let message = message("complaint", "fbl@provider.example");
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(2))
    });
    assert_eq!(state(), before, "it arrived");
    let user = facts_about(&store, &message("n", CLAIRE)).user.expect("she is there");
    assert!(user.undeliverable && !user.credentials_bounced);
}

/// Design §4: how a message is counted.
struct Counting<'a> {
    sql: &'a mut dyn Sql,
    statements: usize,
}

impl Sql for Counting<'_> {
    fn dialect(&self) -> Dialect {
        self.sql.dialect()
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError> {
        self.statements += 1;
        self.sql.execute(sql, args)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.statements += 1;
        self.sql.query(sql, args)
    }
}

pub fn contact(place: &Place, store: &Store, name: &str, from: &str, now: i64) -> apply::Applied {
    let claim = place.receive(store, name, now);
    let (name, from, ids) = (name.to_owned(), from.to_owned(), place.ids.clone());
    write(store, move |sql| {
        let message = message(&name, &from);
        let facts = gather(sql, &questions(&message), &claim, now);
        let plan = first_contact(&message, &facts);
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(now))
    })
}

fn facts_about(store: &Store, message: &guichet::mail::InboundMessage) -> Facts {
    let asked = questions(message);
    read(store, |sql| facts::gather(sql, &asked, &arrived(10), at(10)))
}

pub fn arrived(seconds: i64) -> spool::Arrived {
    spool::Arrived {
        message: String::new(),
        arrived_at: at(seconds),
        counted_at: at(seconds),
        intake: Intake::Mailbox,
    }
}
