mod secrets;
mod texts;

use std::path::{Path, PathBuf};

use mail_parser::MessageParser;
use sha2::{Digest, Sha256};

use super::*;
use crate::args;
use crate::clock::{SetClock, SystemChance};
use crate::mail::Address;
use crate::outbox::testing::{at, options};
use crate::outbox::{TemplateOptions, TransportOptions};
use crate::store::credentials::CredentialKind;
use crate::store::outbox::{Entry, OutboxState, QueuedFor};
use crate::store::{Durability, Location, credentials};
use crate::triage::plan::{MailCause, OutgoingMail};
use crate::triage::policy::CredentialsMode;

struct Desk {
    dir: tempfile::TempDir,
    store: Store,
    clock: Arc<SetClock>,
    ids: Ids,
    options: Options,
}

impl Desk {
    fn new() -> Desk {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(dir.path().join("guichet.db"));
        let store =
            Store::open(&crate::store::Options { location, durability: Durability::None }, at(0))
                .expect("a store opens");
        let clock = Arc::new(SetClock::at(at(0)));
        let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
        let transport = TransportOptions::File { maildir: dir.path().join("outgoing") };
        // The templates' own words are looked at.
        let options = Options { transport, use_body_token: false, ..options() };
        let desk = Desk { dir, store, clock, ids, options };
        desk.run(
            "INSERT INTO site (id, name, declared, created_at) VALUES ('s1', 'Contoso', 0, 0)",
        );
        desk.run(
            "INSERT INTO person (id, first_name, last_name, derived, status, access, site, \
               made_by, credentials, created_at, updated_at) \
             VALUES ('p1', 'Claire', 'Johnson', 0, 'active', 'limited', 's1', 'mail', 'sent', 0, 0)",
        );
        desk.run(
            "INSERT INTO person_address (address_key, person, address, n) \
             VALUES ('claire@c.example', 'p1', 'claire@c.example', 0)",
        );
        desk.run(
            "INSERT INTO ticket (subject, requester_address, requester_key, site, mailbox, status, \
               staff_only, created_at, updated_at, last_message_at) \
             VALUES ('Printer', 'claire@c.example', 'claire@c.example', 's1', 'support', 'open', \
               0, 0, 0, 0)",
        );
        desk
    }

    fn run(&self, statement: &'static str) {
        self.store
            .transact(move |sql| sql.execute(statement, args![]).map(drop))
            .expect("the statement runs");
    }

    fn outbox(&self) -> Outbox {
        let clock = self.clock.clone();
        let (store, ids) = (self.store.clone(), self.ids.clone());
        Outbox::new(store, clock, ids, self.options.clone(), "test".to_owned())
            .expect("the outbox opens")
    }

    fn templates(&mut self, files: &[(&str, &str)]) {
        let dir = self.dir.path().join("templates");
        for (name, content) in files {
            let path = dir.join(name);
            let folder = path.parent().expect("it is below the folder");
            std::fs::create_dir_all(folder).expect("a folder can be made");
            std::fs::write(path, content).expect("a file can be written");
        }
        self.options.templates = TemplateOptions { dir: Some(dir), ..TemplateOptions::default() };
    }

    fn queue(&self, template: &str) -> i64 {
        let mail = OutgoingMail {
            template: template.to_owned(),
            to: Address::parse("claire@c.example").expect("an address"),
            user: None,
            ticket: None,
            mailbox: "support".to_owned(),
            message_id_domain: "help.example".to_owned(),
            locale: "en".to_owned(),
            site: "s1".to_owned(),
            cause: MailCause::Notice,
        };
        let (ids, now) = (self.ids.clone(), self.clock.now());
        let is_of_account = matches!(template, "address_change" | "credentials");
        let ticket = (!is_of_account).then_some(1);
        self.store
            .transact(move |sql| {
                let about = QueuedFor { person: Some("p1"), ticket, ..QueuedFor::default() };
                Ok(outbox::queue(sql, &mail, about, &ids, now)?.id)
            })
            .expect("it is queued")
    }

    fn entry(&self, id: i64) -> Entry {
        self.store
            .read_only(|sql| outbox::show(sql, id))
            .expect("the row reads")
            .expect("the row is there")
    }

    fn live(&self) -> Vec<credentials::LiveCredential> {
        let now = self.clock.now();
        self.store.read_only(|sql| credentials::live(sql, "p1", now)).expect("the rows read")
    }

    fn mails(&self) -> Vec<PathBuf> {
        let mut files = files(&self.dir.path().join("outgoing").join("new"));
        files.sort();
        files
    }

    fn text(&self, file: &Path) -> String {
        let raw = std::fs::read(file).expect("the mail is there");
        let mail = MessageParser::default().parse(&raw).expect("a mail");
        mail.body_text(0).expect("a text").into_owned()
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

fn drain(outbox: &Outbox) -> Next {
    for _ in 0..100 {
        let next = outbox.step().expect("a step succeeds");
        if next != Next::Now {
            return next;
        }
    }
    panic!("the outbox never comes to rest");
}

#[test]
fn a_mail_goes_into_the_maildir_once_and_is_recorded() {
    let desk = Desk::new();
    let id = desk.queue("ticket_received");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::Idle);
    let mails = desk.mails();
    assert_eq!(mails.len(), 1);
    let raw = std::fs::read(&mails[0]).expect("the mail is there");
    assert!(raw.starts_with(b"Return-Path: <>\r\n"), "R-11");
    let entry = desk.entry(id);
    assert_eq!((entry.state, entry.attempts), (OutboxState::Sent, 1));
    assert_eq!(entry.subject.as_deref(), Some("[#1] We have received your request"));
    assert!(entry.body.expect("a copy").contains("Number: 1\n"));
    assert_eq!(drain(&outbox), Next::Idle);
    assert_eq!(desk.mails().len(), 1);
}

#[test]
fn p_15_a_temporary_failure_is_retried_as_planned_and_then_parked() {
    let mut desk = Desk::new();
    // A file where the maildir should be.
    let maildir = desk.dir.path().join("blocked");
    std::fs::write(&maildir, "").expect("written");
    desk.options.transport = TransportOptions::File { maildir: maildir.clone() };
    let id = desk.queue("credentials");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    assert_eq!(desk.entry(id).attempts, 1);
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::At(at(360)));
    // T-22: each attempt brings a new secret, and no more than two are live.
    assert_eq!(desk.live().len(), 2);
    desk.clock.set(at(360));
    assert_eq!(drain(&outbox), Next::Idle);
    let entry = desk.entry(id);
    assert_eq!((entry.state, entry.attempts), (OutboxState::Parked, 3));
    let said = entry.response.expect("a reason");
    assert!(said.starts_with("given up after 3 attempts: `"), "{said}");
    assert_eq!(desk.live().len(), 2);
    std::fs::remove_file(&maildir).expect("removed");
    let now = desk.clock.now();
    desk.store.transact(move |sql| outbox::retry(sql, id, now)).expect("it is queued again");
    assert_eq!(drain(&outbox), Next::Idle);
    assert_eq!(desk.entry(id).state, OutboxState::Sent);
    assert_eq!(files(&maildir.join("new")).len(), 1);
}

#[test]
fn p_03_a_mail_written_again_after_a_crash_takes_its_own_place() {
    let desk = Desk::new();
    let id = desk.queue("ticket_received");
    drain(&desk.outbox());
    let first = desk.mails();
    // As if guichet had been killed between the sending and the recording.
    desk.run("UPDATE outbox SET state = 'sending', leased_by = 'gone', due_at = 0");
    drain(&desk.outbox());
    assert_eq!(desk.mails(), first);
    assert_eq!(desk.entry(id).state, OutboxState::Sent);
    // Nor when somebody has read it meanwhile.
    let name = first[0].file_name().expect("a name").to_string_lossy().into_owned();
    let read = desk.dir.path().join("outgoing").join("cur").join(format!("{name}:2,S"));
    std::fs::rename(&first[0], read).expect("moved");
    desk.run("UPDATE outbox SET state = 'sending', leased_by = 'gone', due_at = 0");
    drain(&desk.outbox());
    assert!(desk.mails().is_empty());
    assert!(desk.entry(id).response.expect("words").contains("already"));
}

#[test]
fn a_mail_that_cannot_be_written_is_parked_and_blocks_no_other() {
    let desk = Desk::new();
    let unknown = desk.queue("never_written");
    let lost = desk.queue("ticket_received");
    desk.run("UPDATE outbox SET mailbox = 'gone' WHERE id = 2");
    let broken = desk.queue("ticket_received");
    desk.run("UPDATE outbox SET template = 'ticket_received', person = 'p1' WHERE id = 3");
    let nowhere = desk.queue("ticket_received");
    desk.run("UPDATE outbox SET to_address = 'zoe@c d.example' WHERE id = 4");
    let good = desk.queue("ticket_received");
    drain(&desk.outbox());
    let said = |id| desk.entry(id).response.unwrap_or_default();
    assert!(said(unknown).starts_with("there is no template `never_written`"), "{}", said(unknown));
    assert!(said(lost).starts_with("no mailbox is called `gone`"), "{}", said(lost));
    assert!(said(nowhere).contains("cannot be written to"), "{}", said(nowhere));
    for id in [unknown, lost, nowhere] {
        assert_eq!(desk.entry(id).state, OutboxState::Parked);
        assert_eq!(desk.entry(id).attempts, 0);
    }
    for id in [broken, good] {
        assert_eq!(desk.entry(id).state, OutboxState::Sent);
    }
    assert_eq!(desk.mails().len(), 2);
}

#[test]
fn a_row_that_does_not_read_is_parked_alone() {
    let desk = Desk::new();
    let bad = desk.queue("ticket_received");
    desk.run("UPDATE ticket SET status = 'nonsense'");
    drain(&desk.outbox());
    assert_eq!(desk.entry(bad).state, OutboxState::Parked);
    assert!(desk.entry(bad).response.expect("a reason").contains("a ticket's status"));
}

#[test]
fn shadow_mode_records_and_sends_nothing() {
    let mut desk = Desk::new();
    desk.options.transport = TransportOptions::None;
    let id = desk.queue("ticket_received");
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    let entry = desk.entry(id);
    assert_eq!(entry.state, OutboxState::Recorded);
    assert_eq!(entry.response.as_deref(), Some("not sent: the transport is `none`"));
    assert!(desk.mails().is_empty());
    assert!(entry.body.expect("a copy").contains("Number: 1\n"));
}

#[test]
fn p_03_an_end_nobody_knows_is_tried_once_more_and_then_parked() {
    let desk = Desk::new();
    let outbox = desk.outbox();
    let claim = OutboxClaim { id: 1, fence: 1, attempts: 0, unsure: 0 };
    let lost = || Err(SendError::Ambiguous { said: "the connection died".to_owned() });
    let ended = outbox.judge(claim, lost());
    assert!(matches!(ended.end, End::Later(..)));
    let again = OutboxClaim { attempts: 1, unsure: 1, ..claim };
    assert_eq!(ended.claim, again);
    assert!(matches!(outbox.judge(again, lost()).end, End::GaveUp(GaveUp::Parked, _)));
    let refused = Err(SendError::Permanent { said: "550 no".to_owned() });
    assert!(matches!(outbox.judge(claim, refused).end, End::GaveUp(GaveUp::Failed, _)), "R-32");
}

#[test]
fn what_a_template_may_say_comes_from_the_store() {
    let mut desk = Desk::new();
    desk.templates(&[(
        "ticket_received.en.txt",
        "Subject: {{ ticket.subject }}\n\n{{ user.name }}|{{ user.first_name }}|{{ user.email }}|\
         {{ portal.username }}|{{ ticket.number }}|{{ ticket.status }}|{{ ticket.url }}|\
         {{ ticket.created_at | date(\"%Y\") }}|{{ site.name }}|{{ site.primary_users }}|\
         {{ mailbox.address }}|{{ user.phone | default(\"-\") }}|{{ now }}\n",
    )]);
    desk.run("INSERT INTO site_primary (site, address_key) VALUES ('s1', 'boss@c.example')");
    desk.run("INSERT INTO site_primary (site, address_key) VALUES ('s1', 'claire@c.example')");
    desk.queue("ticket_received");
    drain(&desk.outbox());
    assert_eq!(
        desk.text(&desk.mails()[0]).trim_end(),
        "Claire Johnson|Claire|claire@c.example|claire@c.example|1|open|\
         https://help.example/portal/tickets/1|1970|Contoso|boss@c.example, Claire Johnson|\
         support@help.example|-|15 January 2027, 08:00 UTC"
    );
}

#[test]
fn t_01_what_a_sender_wrote_is_left_out_of_automatic_mail() {
    let mut desk = Desk::new();
    let template = "Subject: x\n\n[{{ message.text }}]\n";
    desk.templates(&[("ticket_received.en.txt", template), ("agent_notice.en.txt", template)]);
    desk.run(
        "INSERT INTO message (id, mailbox, origin, intake, arrived_at, spooled_at, size, state, \
           acknowledgement) VALUES ('m1', 'support', 'x', 'mailbox', 0, 0, 0, 'done', 'owed')",
    );
    desk.run(
        "INSERT INTO ticket_message (ticket, n, message, author, from_address, written_at, \
           added_at, subject, body, visible, flags, attachments) \
         VALUES (1, 1, 'm1', 'person', 'x@y.example', 0, 0, 's', 'whole', 'seen', '[]', '[]')",
    );
    desk.queue("ticket_received");
    desk.queue("agent_notice");
    desk.run("UPDATE outbox SET message = 'm1'");
    drain(&desk.outbox());
    let mut texts: Vec<String> = desk.mails().iter().map(|mail| desk.text(mail)).collect();
    texts.sort();
    assert_eq!(texts.iter().map(|text| text.trim_end()).collect::<Vec<_>>(), ["[]", "[seen]"]);
}

#[test]
fn many_mails_are_sent_in_few_steps() {
    let desk = Desk::new();
    for _ in 0..70 {
        desk.queue("ticket_received");
    }
    let outbox = desk.outbox();
    let steps = (0..).take_while(|_| outbox.step().expect("a step succeeds") == Next::Now).count();
    assert_eq!((steps, desk.mails().len()), (3, 70));
}
