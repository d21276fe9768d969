//! The mail of the desks that are killed: little, but of every kind. What comes second is about what
//! came first.

use std::sync::OnceLock;

use guichet::args;
use guichet::store::Sql;

use crate::desks::Office;
use crate::support::message;
use crate::{field, seconds_now};

// Three of the four who are new get their users at once.
const FIRST_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
                            new_users = \"3/h\"\nauto_mails_per_address = \"off\"\n";
const SECOND_LIMITS: &str = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\n\
                             new_users = \"off\"\nauto_mails_per_address = \"off\"\n\
                             [[site]]\nname = \"Fabrikam\"\ndomains = [\"fabrikam.example\"]\n";

/// New users, a duplicate, an auto-reply, a suspect, an oversize mail, a bounce nobody knows.
pub fn deliver_first(office: &Office) {
    office.configure(FIRST_LIMITS);
    let claire = claire();
    let again: Vec<u8> = claire.iter().copied().filter(|byte| *byte != b'\r').collect();
    let huge = "All the text there is.\r\n".repeat(2_000);
    let two = String::from_utf8(message("ann@x.example", "Who", "two@x", "", "x"));
    let two = format!("From: bea@y.example\r\n{}", two.expect("it is text"));
    let elsewhere = "Reply-To: erin@elsewhere.example\r\n";
    let automatic = "Auto-Submitted: auto-replied\r\n";
    let mails = [
        claire,
        again,
        message("bob@contoso.example", "Out of office", "bob1@contoso", automatic, "Back soon."),
        two.into_bytes(),
        message("Dan <dan@litware.example>", "Huge", "dan1@litware", "", &huge),
        bounce(
            "nobody1@x.example",
            "support@helpdesk.example",
            "nobody@x.example",
            "never@sent.example",
        ),
        message("Erin <erin@fabrikam.example>", "Scanner", "erin1@fabrikam", elsewhere, "hello"),
        message("Frank <frank@litware.example>", "Mouse", "frank1@litware", "", "hello"),
    ];
    deliver(office, 0, &mails);
}

/// So many senders, with a message each.
pub fn deliver_crowd(office: &Office, count: usize) {
    let mails = (0..count).map(|n| {
        message(&format!("u{n}@contoso.example"), "Printer", &format!("{n}@crowd"), "", "hello")
    });
    deliver(office, 200, &mails.collect::<Vec<_>>());
}

/// What happens between: time passes, staff close a ticket.
pub fn time_passes(office: &Office) {
    office.configure(SECOND_LIMITS);
    let store = office.store();
    store
        .transact(|sql: &mut dyn Sql| {
            sql.execute("UPDATE owed SET due_at = 1", args![])?;
            sql.execute(
                "UPDATE ticket SET status = 'closed', closed_at = updated_at \
                 WHERE subject = 'Printer'",
                args![],
            )?;
            sql.execute(
                "UPDATE person SET first_name = '', last_name = '' \
                 WHERE first_name = 'Erin'",
                args![],
            )
        })
        .expect("the store takes it");
}

/// Replies, a stranger on a ticket, bounces of our own mails, and users who write again.
pub fn deliver_second(office: &Office) {
    let claires = "In-Reply-To: <claire1@contoso>\r\nReferences: <claire1@contoso>\r\n";
    let (sender, id) = ours(office, "dan@litware.example", "too large");
    let lost = bounce("dsn1@litware.example", &sender, "dan@litware.example", &id);
    let (sender, id, whole) = credentials(office, "claire@contoso.example");
    let mut returned = bounce("dsn2@contoso.example", &sender, "claire@contoso.example", &id);
    let end = returned.len() - b"--b--\r\n".len();
    returned.truncate(end);
    returned.extend(b"--b\r\nContent-Type: message/rfc822\r\n\r\n");
    returned.extend(&whole);
    returned.extend(b"\r\n--b--\r\n");
    let mails = [
        message("claire@contoso.example", "Re: Printer", "claire2@contoso", claires, "Still."),
        message("Eve <eve@evil.example>", "Re: Printer", "eve1@evil", claires, "Let me in."),
        lost,
        message("dan@litware.example", "Smaller", "dan2@litware", "", "hello"),
        message("Erin Fox <erin@fabrikam.example>", "Again", "erin2@fabrikam", "", "hello"),
        returned,
    ];
    deliver(office, 100, &mails);
}

fn deliver(office: &Office, from: u64, mails: &[Vec<u8>]) {
    // The same for every desk: what is compared holds times of arrival.
    static BEGINNING: OnceLock<u64> = OnceLock::new();
    let beginning = BEGINNING.get_or_init(|| seconds_now() - 600);
    for (n, raw) in (from..).zip(mails) {
        office.deliver(beginning + n, raw);
    }
}

fn claire() -> Vec<u8> {
    let plain = message(
        "Claire Martin <claire@contoso.example>",
        "Printer",
        "claire1@contoso",
        "",
        "--b\r\nContent-Type: text/plain\r\n\r\nIt smokes.\r\n\
         --b\r\nContent-Type: image/png; name=\"smoke.png\"\r\n\
         Content-Disposition: attachment; filename=\"smoke.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--",
    );
    let plain = String::from_utf8(plain).expect("it is text");
    plain.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=\"b\"").into_bytes()
}

fn bounce(id: &str, to: &str, recipient: &str, original: &str) -> Vec<u8> {
    format!(
        "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@{}>\r\nTo: {to}\r\n\
         Delivered-To: {to}\r\nSubject: Undelivered Mail\r\nMessage-ID: <{id}>\r\n\
         Date: Mon, 5 Jan 2026 09:00:00 +0000\r\nAuto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{original}>\r\n\
         To: {recipient}\r\n--b--\r\n",
        recipient.split('@').next_back().unwrap_or_default()
    )
    .into_bytes()
}

/// The envelope sender and the Message-ID of our mail to `to` about `subject`.
fn ours(office: &Office, to: &str, subject: &str) -> (String, String) {
    let is_it = |mail: &[u8]| {
        is_to(mail, to) && field(mail, "Subject").is_some_and(|line| line.contains(subject))
    };
    let arrived = office.arrived();
    let mail = arrived.iter().find(|mail| is_it(mail));
    let mail = mail.unwrap_or_else(|| {
        let subjects: Vec<_> = arrived.iter().map(|mail| field(mail, "Subject")).collect();
        panic!("no mail to {to} about `{subject}` among {subjects:?}")
    });
    (sender_of(mail), id_of(mail))
}

/// The same of the credentials mail, and all of it.
fn credentials(office: &Office, to: &str) -> (String, String, Vec<u8>) {
    let is_it = |mail: &Vec<u8>| {
        let text = String::from_utf8_lossy(mail).replace("=\r\n", "");
        is_to(mail, to) && text.contains("/portal/activate/")
    };
    let mail = office.arrived().into_iter().rfind(is_it).expect("it was sent");
    (sender_of(&mail), id_of(&mail), mail)
}

fn is_to(mail: &[u8], address: &str) -> bool {
    field(mail, "To").is_some_and(|line| line.contains(address))
}

fn sender_of(mail: &[u8]) -> String {
    let sender = field(mail, "Return-Path").expect("it has one");
    sender.trim_matches(['<', '>']).to_owned()
}

/// Without its brackets.
pub fn id_of(mail: &[u8]) -> String {
    let id = field(mail, "Message-ID").expect("each mail has one");
    id.trim_matches(['<', '>']).to_owned()
}
