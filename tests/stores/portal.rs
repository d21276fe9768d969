//! What users see of tickets in the portal.

use guichet::mail::Attachment;
use guichet::mail::attachment::{AttachmentSource, TransferEncoding};
use guichet::store::tickets::EventKind;
use guichet::store::tickets::portal::{
    self, Asked, Author, Doer, Folded, Found, Reader, Scope, Sheet, Standing, StatusFilter,
};
use guichet::store::users::{self, Addition, Change};
use guichet::store::{Sql, Store, StoreError, apply, sites, spool, tickets};
use guichet::triage::facts::TicketRole;
use guichet::triage::plan::{Effect, MessageAuthor, StaffNote};
use guichet::triage::policy::Access;
use guichet::{args, mail};

use crate::suites::people::added;
use crate::support::{
    Place, address, at, gather, key, message, questions, read, site, ticket_only, write,
};

const CLAIRE: &str = "claire@contoso.example";
const PAUL: &str = "paul@contoso.example";
const MALLORY: &str = "mallory@evil.example";

pub fn a_ticket_is_seen_by_its_people_and_nobody_else_t_02_t_05(place: &Place) {
    let desk = Desk::open(place);
    let [claire, paul, mallory] = desk.people();
    let number = desk.ticket("printer", CLAIRE);
    desk.run(&format!(
        "UPDATE ticket SET site = (SELECT id FROM site WHERE name = 'Contoso') \
        WHERE number = {number}"
    ));
    let standing = |person: &str| desk.sheet(person, number).map(|sheet| sheet.standing);
    assert_eq!(standing(&claire), Some(Standing::Requester), "a ticket older than its user");
    assert_eq!(standing(&mallory), None);
    assert_eq!(standing(&paul), None, "to belong to the same site is not enough");
    for (role, seen) in
        [(TicketRole::Correspondent, None), (TicketRole::Participant, Some(Standing::Participant))]
    {
        let (store, people) = (&desk.store, [(key(MALLORY), role)]);
        write(store, move |sql| tickets::add_people(sql, number, &people));
        assert_eq!(standing(&mallory), seen, "T-03: {role:?}");
    }
    desk.run(&format!(
        "INSERT INTO site_primary (site, address_key) \
        SELECT id, '{PAUL}' FROM site WHERE name = 'Contoso'"
    ));
    assert_eq!(standing(&paul), Some(Standing::PrimaryUser));
    let numbers = |person: &str, scope| desk.numbers(person, Asked { scope, ..Asked::default() });
    for (person, own, sites) in [
        (&claire, vec![number], vec![]),
        (&mallory, vec![number], vec![]),
        (&paul, vec![], vec![number]),
    ] {
        assert_eq!((numbers(person, Scope::Own), numbers(person, Scope::Sites)), (own, sites));
    }
    let everybody = [&claire, &mallory, &paul];
    for hidden in ["staff_only = 1", "staff_only = 0, deleted_at = 1"] {
        desk.run(&format!("UPDATE ticket SET {hidden}"));
        for person in everybody {
            assert_eq!(standing(person), None, "{hidden}");
            assert_eq!(numbers(person, Scope::Own), [0; 0], "{hidden}");
            assert_eq!(numbers(person, Scope::Sites), [0; 0], "{hidden}");
        }
    }
    desk.run("UPDATE ticket SET deleted_at = NULL");
    assert_eq!(standing(&claire), Some(Standing::Requester), "or nothing above was tested");
    // Nobody is primary user of strangers.
    desk.run("UPDATE site SET is_default = 1 - is_default");
    assert_eq!(standing(&paul), None);
    desk.run("UPDATE site SET is_default = 1 - is_default");
    let id = claire.clone();
    write(&desk.store, move |sql| users::set(sql, &id, &[Change::Disable], at(9)));
    let id = paul.clone();
    write(&desk.store, move |sql| users::delete(sql, &id, at(9)));
    for gone in [&claire, &paul, &"nobody".to_owned()] {
        assert_eq!(read(&desk.store, |sql| Reader::of(sql, gone)), None);
    }
}

pub fn an_address_that_went_to_somebody_else_takes_no_tickets_along(place: &Place) {
    let desk = Desk::open(place);
    let [claire, paul, _] = desk.people();
    let number = desk.ticket("private", CLAIRE);
    desk.run(&format!("UPDATE ticket SET person = '{claire}'"));
    let changes = [
        Change::AddAddress(address("c@home.example"), key("c@home.example")),
        Change::RemoveAddress(key(CLAIRE)),
    ];
    let id = claire.clone();
    write(&desk.store, move |sql| users::set(sql, &id, &changes, at(9)));
    let id = paul.clone();
    write(&desk.store, move |sql| {
        users::set(sql, &id, &[Change::AddAddress(address(CLAIRE), key(CLAIRE))], at(9))
    });
    assert!(desk.sheet(&claire, number).is_some());
    assert_eq!(desk.sheet(&paul, number), None);
    assert_eq!(desk.numbers(&paul, Asked::default()), [0; 0]);
    assert_eq!(desk.numbers(&claire, Asked::default()), [number]);
}

pub fn a_merged_ticket_leads_to_its_target_when_the_reader_may_see_it(place: &Place) {
    let desk = Desk::open(place);
    let [claire, paul, _] = desk.people();
    let (first, second) = (desk.ticket("first", CLAIRE), desk.ticket("second", CLAIRE));
    let of_paul = desk.ticket("other", PAUL);
    let merge = |from: i64, into: i64| {
        desk.run(&format!("UPDATE ticket SET merged_into = {into} WHERE number = {from}"));
    };
    merge(first, second);
    assert_eq!(desk.find(&claire, first), Some(Found::Merged(second)));
    assert_eq!(desk.numbers(&claire, Asked::default()), [second]);
    assert_eq!(desk.find(&paul, first), None);
    merge(second, of_paul);
    assert_eq!(desk.find(&claire, first), None, "the target is not hers");
    merge(second, first);
    assert_eq!(desk.find(&claire, first), None, "a circle leads nowhere");
}

pub fn what_is_for_staff_is_not_read_out_m_105_t_07(place: &Place) {
    let desk = Desk::open(place);
    let [claire, ..] = desk.people();
    let number = desk.ticket_of("forward", CLAIRE, |text, new| {
        *text = "Hold the line, she is difficult.\n\n> It smokes.\n".to_owned();
        let note = "Hold the line, she is difficult.".to_owned();
        new.note = Some(StaffNote { note, forwarded: "> It smokes.".to_owned() });
    });
    desk.message(number, "machine", "The mailbox is full.", None);
    desk.message(
        number,
        "staff",
        "Try again.\n\n> guichet+secret@desk.example",
        Some("Try again."),
    );
    let sheet = desk.sheet(&claire, number).expect("it is hers");
    let shown: Vec<_> =
        sheet.messages.iter().map(|message| (message.text.as_str(), &message.folded)).collect();
    assert_eq!(shown, [("> It smokes.", &Folded::Nothing), ("Try again.", &Folded::Nothing)]);
    assert_eq!(sheet.messages[1].author, Author::Staff);
    // What is not shown is not found either.
    for word in ["difficult", "full", "secret"] {
        let words = word.to_owned();
        assert_eq!(desk.numbers(&claire, Asked { words, ..Asked::default() }), [0; 0], "{word}");
    }
    for word in ["smokes", "AGAIN"] {
        let words = word.to_owned();
        assert_eq!(desk.numbers(&claire, Asked { words, ..Asked::default() }), [number], "{word}");
    }
    desk.run(&format!(
        "INSERT INTO ticket_event (ticket, n, at, by_kind, by_whom, kind, before, after) VALUES \
           ({number}, 1, 1, 'operator', NULL, 'tags', NULL, 'difficult'), \
           ({number}, 2, 2, 'user', '{claire}', 'closed', 'open', 'closed')"
    ));
    let history = desk.sheet(&claire, number).expect("it is hers").history;
    let told: Vec<_> = history.iter().map(|change| (change.kind, &change.by)).collect();
    assert_eq!(told, [(EventKind::Closed, &Doer::Reader)]);
}

pub fn what_is_new_is_shown_and_the_rest_is_folded_m_88(place: &Place) {
    let desk = Desk::open(place);
    let [claire, ..] = desk.people();
    let number = desk.ticket("question", CLAIRE);
    desk.message(number, "person", "Thanks.\n\n> Try again.\n", Some("Thanks."));
    let sheet = desk.sheet(&claire, number).expect("it is hers");
    let last = sheet.messages.last().expect("a message was added");
    assert_eq!(last.text, "Thanks.");
    assert_eq!(last.folded, Folded::Rest("> Try again.".to_owned()));
}

pub fn words_are_found_as_they_stand_t_50(place: &Place) {
    let desk = Desk::open(place);
    let [claire, ..] = desk.people();
    let (first, second) = (desk.ticket("printer", CLAIRE), desk.ticket("Übung", CLAIRE));
    desk.run(&format!("UPDATE ticket_message SET body = '100%_sure' WHERE ticket = {first}"));
    let find =
        |words: &str| desk.numbers(&claire, Asked { words: words.to_owned(), ..Asked::default() });
    assert_eq!(find(""), [second, first]);
    assert_eq!(find("ABOUT printer"), [first], "each word, in the subject");
    assert_eq!(find("0%_s"), [first]);
    assert_eq!(find("%"), [first], "T-50: a sign, not a wildcard");
    assert_eq!(find("0__s"), [0; 0]);
    assert_eq!(find("%' OR 1=1 --"), [0; 0], "T-50");
    assert_eq!(find(&format!("#{second}")), [second]);
    assert_eq!(find("übung"), [second]);
    for written in ["ubung", "ÜBUNG", "ÙbuNg", "U\u{308}bung"] {
        assert_eq!(find(written), [second], "{written}");
    }
    desk.run(&format!(
        "UPDATE ticket_message SET body = 'Écran cassé, le réseau aussi. ไม่ได้ 한글 ЖУК' \
         WHERE ticket = {second}"
    ));
    for written in ["ecran CASSE", "reseau", "RÉSEAU", "ไม่ได้", "한글", "жук"] {
        assert_eq!(find(written), [second], "{written}");
    }
    assert_eq!(find("r?seau r*seau r.seau [é]cran"), [0; 0], "T-50");
    assert_eq!(find("printer Übung"), [0; 0], "all of them");
    assert_eq!(find(&"é".repeat(3000)), [0; 0]);
}

pub fn pages_follow_one_another_while_tickets_are_written_to(place: &Place) {
    let desk = Desk::open(place);
    let [claire, ..] = desk.people();
    let all: Vec<i64> = (0..5).map(|n| desk.ticket(&format!("t{n}"), CLAIRE)).collect();
    // Two of one moment: the number decides.
    desk.run(&format!(
        "UPDATE ticket SET last_message_at = (SELECT last_message_at FROM ticket WHERE number = {}) \
         WHERE number = {}",
        all[3], all[2]
    ));
    // Hers in more than one way, and there once.
    desk.run(&format!("UPDATE ticket SET person = '{claire}' WHERE number = {}", all[1]));
    let people = [(key(CLAIRE), TicketRole::Participant)];
    let own = all[1];
    write(&desk.store, move |sql| {
        sql.execute("DELETE FROM ticket_role WHERE ticket = ?1", args![own])?;
        tickets::add_people(sql, own, &people)
    });
    let page = |after| desk.page(&claire, Asked { after, ..Asked::default() }, 2);
    let first = page(None);
    assert_eq!(numbers(&first), [all[4], all[3]]);
    desk.run(&format!("UPDATE ticket SET last_message_at = 1 WHERE number = {}", all[4]));
    let second = page(Some(first[1].cursor()));
    assert_eq!(numbers(&second), [all[2], all[1]]);
    assert_eq!(numbers(&page(Some(second[1].cursor()))), [all[0], all[4]]);
    desk.run(&format!("UPDATE ticket SET status = 'closed' WHERE number = {}", all[0]));
    desk.run(&format!("UPDATE ticket SET status = 'pending' WHERE number = {}", all[1]));
    let of = |status| desk.numbers(&claire, Asked { status, ..Asked::default() });
    assert_eq!(of(StatusFilter::Closed), [all[0]]);
    assert_eq!(of(StatusFilter::Open), [all[3], all[2], all[1], all[4]]);
}

pub fn files_are_given_to_whoever_sees_the_message_t_07(place: &Place) {
    let desk = Desk::open(place);
    let [claire, paul, _] = desk.people();
    let number = desk.ticket_of("files", CLAIRE, |_, _| {});
    let file = |person: &str, n, index| {
        let reader = read(&desk.store, |sql| Reader::of(sql, person)).expect("a user");
        read(&desk.store, |sql| portal::attached(sql, &reader, number, n, index))
    };
    let given = file(&claire, 1, 0).expect("she sent it");
    assert_eq!((given.attachment.name.as_str(), given.size), ("log.txt", 14));
    let raw = read(&desk.store, |sql| spool::raw(sql, &given.message)).expect("it is stored");
    let attachment = given.attachment.as_read().expect("a checksum");
    assert_eq!(mail::attachment::cut(&raw, &attachment).expect("it is there"), b"x\n");
    assert_eq!(file(&claire, 1, 1), None);
    assert_eq!(file(&claire, 2, 0), None);
    assert_eq!(file(&paul, 1, 0), None, "T-05");
    for hidden in ["author = 'machine'", "author = 'person'"] {
        desk.run(&format!("UPDATE ticket_message SET {hidden}"));
        assert_eq!(file(&claire, 1, 0).is_some(), hidden.contains("person"), "T-07");
    }
    desk.run("UPDATE ticket SET staff_only = 1");
    assert_eq!(file(&claire, 1, 0), None);
}

/// A store with a site, and a way to tickets.
struct Desk<'a> {
    place: &'a Place,
    store: Store,
}

impl<'a> Desk<'a> {
    fn open(place: &'a Place) -> Desk<'a> {
        Desk { place, store: place.open_with(&[site("Contoso", &["contoso.example"])]) }
    }

    /// Claire and Paul at Contoso, and Mallory elsewhere.
    fn people(&self) -> [String; 3] {
        [
            (CLAIRE, "Claire", "Contoso"),
            (PAUL, "Paul", "Contoso"),
            (MALLORY, "Mallory", "Unassigned"),
        ]
        .map(|(from, name, site)| self.user(from, name, site))
    }

    fn user(&self, from: &str, name: &str, site: &str) -> String {
        let site = read(&self.store, |sql| sites::show(sql, site)).expect("it was declared").id;
        let user = Addition { access: Access::Full, ..added(&[from], name, &site) };
        let ids = self.place.ids.clone();
        write(&self.store, move |sql| users::add(sql, &user, &ids, at(0)))
    }

    fn ticket(&self, name: &str, from: &str) -> i64 {
        self.ticket_of(name, from, |_, _| {})
    }

    /// A ticket a second newer than the one before; `change` has a look at its text and message.
    fn ticket_of(
        &self,
        name: &str,
        from: &str,
        change: impl Fn(&mut String, &mut guichet::triage::plan::NewMessage) + Send + 'static,
    ) -> i64 {
        let now = read(&self.store, |sql| count(sql, "ticket"));
        let claim = self.place.receive(&self.store, name, now);
        let mut message = message(name, from);
        // The bytes that `receive` spools: the last line of them is the file.
        let source =
            AttachmentSource::Part { start: 12, end: 14, encoding: TransferEncoding::Identity };
        message.attachments = vec![Attachment {
            name: "log.txt".to_owned(),
            content_type: "text/plain".to_owned(),
            size: 2,
            inline: false,
            sha256: SHA_256_OF_THE_FILE,
            source,
        }];
        let ids = self.place.ids.clone();
        write(&self.store, move |sql| {
            let mut message = message.clone();
            let facts = gather(sql, &questions(&message), &claim, now);
            let mut plan = ticket_only(&message, &facts);
            for effect in &mut plan.effects {
                if let Effect::AddMessage(new) = effect {
                    change(&mut message.text, new);
                    assert!(matches!(new.author, MessageAuthor::Person(_)));
                }
            }
            plan.reply.visible = message.text.clone();
            apply::apply(sql, &plan, Some(&message), &claim, &ids, at(now))
        })
        .ticket
        .expect("a ticket was opened")
    }

    fn message(&self, ticket: i64, author: &str, body: &str, visible: Option<&str>) {
        let id = format!("m-{author}");
        let claim = self.place.receive(&self.store, &id, 100);
        let (id, author) = (claim.id().to_owned(), author.to_owned());
        let (body, visible) = (body.to_owned(), visible.map(str::to_owned));
        write(&self.store, move |sql| {
            sql.execute(
                "INSERT INTO ticket_message (ticket, n, message, author, from_address, \
                   written_at, added_at, subject, body, visible, flags, attachments) \
                 VALUES (?1, (SELECT MAX(n) + 1 FROM ticket_message WHERE ticket = ?1), ?2, ?3, \
                   'x@x.example', 1, 1, '', ?4, ?5, '[]', '[]')",
                args![ticket, &id, &author, &body, visible.as_deref()],
            )
        });
    }

    fn run(&self, statement: &str) {
        let statement = statement.to_owned();
        write(&self.store, move |sql| sql.execute(&statement, args![]));
    }

    fn find(&self, person: &str, number: i64) -> Option<Found> {
        read(&self.store, |sql| {
            let reader = Reader::of(sql, person)?.expect("an active user");
            portal::find(sql, &reader, number)
        })
    }

    fn sheet(&self, person: &str, number: i64) -> Option<Sheet> {
        match self.find(person, number)? {
            Found::Merged(into) => panic!("it was merged into {into}"),
            Found::Ticket(sheet) => Some(*sheet),
        }
    }

    fn page(&self, person: &str, asked: Asked, limit: u32) -> Vec<portal::Listed> {
        read(&self.store, |sql| {
            let reader = Reader::of(sql, person)?.expect("an active user");
            portal::list(sql, &reader, &asked, limit)
        })
    }

    fn numbers(&self, person: &str, asked: Asked) -> Vec<i64> {
        numbers(&self.page(person, asked, 10))
    }
}

// Of `x` and a line end.
const SHA_256_OF_THE_FILE: [u8; 32] = [
    0x73, 0xcb, 0x38, 0x58, 0xa6, 0x87, 0xa8, 0x49, 0x4c, 0xa3, 0x32, 0x30, 0x53, 0x01, 0x62, 0x82,
    0xf3, 0xda, 0xd3, 0x9d, 0x42, 0xcf, 0x62, 0xca, 0x4e, 0x79, 0xdd, 0xa2, 0xaa, 0xc7, 0xd9, 0xac,
];

fn numbers(page: &[portal::Listed]) -> Vec<i64> {
    page.iter().map(|ticket| ticket.number).collect()
}

fn count(sql: &mut dyn Sql, table: &str) -> Result<i64, StoreError> {
    sql.query(&format!("SELECT COUNT(*) FROM {table}"), &[])?[0].int(0)
}
