//! What one user may ask of the portal: forms without end, texts to search, mails to cause, files to
//! fill the store with. Takes about half a minute, most of it waiting for a turn.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use guichet::clock::Clock;
use guichet::triage::policy::Access;
use jiff::SignedDuration;

use crate::browser::{Browser, Sent};
use crate::desk::{CLAIRE, Desk, MALLORY, PAUL};

/// The status that a form gets of which this comes, and no more; `length` is what it announces.
fn begun(browser: &Browser, path: &str, length: u64, body: &[u8]) -> u16 {
    let session = browser.session.as_deref().expect("somebody is logged in");
    let head = format!(
        "POST /portal/{path} HTTP/1.1\r\nHost: {}\r\nCookie: guichet={session}\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: {length}\r\n\r\n",
        browser.at
    );
    let mut stream = TcpStream::connect(browser.at).expect("the portal listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream.write_all(head.as_bytes()).expect("it is sent");
    // It may be refused before all of it was sent.
    let _ = stream.write_all(body);
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("it is answered while it waits for more");
    String::from_utf8_lossy(&status[9..]).parse().expect("a status")
}

fn field(name: &str, value: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[test]
fn t_52_a_form_without_end_is_refused_before_it_ends() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    let token = field("form", &claire.get("tickets/new").hidden("form"));
    let long = "x".repeat(300_000);
    let header = "--XX\r\nContent-Disposition: form-data; name=\"";
    for (what, body) in [
        ("no boundary", long.clone()),
        ("a header that never ends", format!("{token}{header}{long}")),
        ("nothing behind a boundary", format!("{token}--XX{}", " ".repeat(300_000))),
    ] {
        assert_eq!(begun(&claire, "tickets/new", 20_000_000, body.as_bytes()), 400, "{what}");
    }
    assert_eq!(begun(&claire, "tickets/new", 1 << 30, token.as_bytes()), 413, "announced");
    let fields: String = (0..300).map(|n| field(&format!("x{n}"), "")).collect();
    let body = format!("{token}{fields}--XX--\r\n");
    assert_eq!(begun(&claire, "tickets/new", body.len() as u64, body.as_bytes()), 400, "fields");
    let file = "--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"\"\r\n\r\n\r\n";
    let body = format!("{token}{}--XX--\r\n", file.repeat(200));
    assert_eq!(begun(&claire, "tickets/new", body.len() as u64, body.as_bytes()), 400, "parts");
    assert_eq!(desk.count("message"), 0);
    // A form of ours comes through in whatever pieces.
    let (subject, text) = (field("subject", "Printer"), field("text", "It smokes."));
    let body = format!("{token}{subject}{text}{}--XX--\r\n", file.repeat(3));
    assert_eq!(begun(&claire, "tickets/new", body.len() as u64, body.as_bytes()), 303);
}

#[test]
fn t_50_a_search_looks_at_the_beginning_of_a_text() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    desk.ticket(CLAIRE, "Printer", "It smokes.");
    desk.run(
        "UPDATE ticket_message SET visible = NULL, internal = NULL, \
         body = 'early' || SUBSTR(HEX(ZEROBLOB(8187)), 1, 16374) || 'edge' || ' late'",
    );
    for (word, is_found) in [("early", true), ("EDGE", true), ("late", false), ("print", true)] {
        let page = claire.get(&format!("tickets?q={word}"));
        assert_eq!((page.status, page.holds("Printer")), (200, is_found), "{word}");
    }
}

#[test]
fn t_47_nobody_closes_and_opens_a_ticket_all_day() {
    let desk = Desk::open();
    let (claire, paul) = (desk.user(CLAIRE, Access::Limited), desk.user(PAUL, Access::Limited));
    let tickets: Vec<i64> =
        (0..4).map(|n| desk.ticket(CLAIRE, &format!("Printer {n}"), "It smokes.")).collect();
    let form = claire.get("tickets/new");
    let turn = |browser: &Browser, ticket: i64, n: i32| {
        let form =
            if browser.session == claire.session { &form } else { &browser.get("tickets/new") };
        let what = if n % 2 == 0 { "close" } else { "reopen" };
        browser.post(form, &format!("tickets/{ticket}/{what}"))
    };
    let statuses: Vec<u16> = (0..10).map(|n| turn(&paul, tickets[0], n).status).collect();
    assert_eq!(statuses, [303, 303, 303, 303, 303, 303, 429, 429, 429, 429]);
    let told = "outbox WHERE template IN ('ticket_closed', 'ticket_updated')";
    let all = desk.count(told);
    assert!((1..=6).contains(&all), "{all}");
    assert_eq!(desk.count(&format!("{told} AND state = 'queued'")), 1, "the last tells of all");
    let page = turn(&claire, tickets[0], 0);
    assert_eq!(page.status, 429, "whoever does it");
    assert!(page.holds("Closed and opened again too often") && !page.holds("password"));
    let statuses: Vec<u16> =
        (0..18).map(|n| turn(&paul, tickets[1 + n as usize / 6], n).status).collect();
    let allowed = statuses.iter().filter(|status| **status == 303).count();
    assert_eq!(allowed, 14, "twenty in an hour, of all tickets together: {statuses:?}");
    desk.clock.set(
        Clock::now(desk.clock.as_ref())
            .checked_add(SignedDuration::from_mins(61))
            .expect("in range"),
    );
    assert_eq!(turn(&claire, tickets[0], 0).status, 303, "nothing is for good");
}

#[test]
fn t_52_who_is_not_read_yet_writes_no_more() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    desk.walk(false);
    let fields = [("subject", "Printer"), ("text", "It smokes.")];
    let forms: Vec<_> = (0..8).map(|_| claire.get("tickets/new")).collect();
    let send = |form| claire.submit(form, "tickets/new", &fields, &[]).status;
    let statuses: Vec<u16> = thread::scope(|scope| {
        let all: Vec<_> = forms.iter().map(|form| scope.spawn(move || send(form))).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 3, "{statuses:?}");
    let sent = statuses.iter().position(|status| *status == 303).expect("some were taken");
    assert_eq!(send(&forms[sent]), 303, "P-02: what was taken is not asked for again");
    assert_eq!(desk.count("message"), 5);
    let page = claire.submit(&claire.get("tickets/new"), "tickets/new", &fields, &[]);
    assert!(page.holds("Your earlier messages come first") && !page.holds("password"));
    let mallory = desk.user(MALLORY, Access::Limited);
    let sent = mallory.submit(&mallory.get("tickets/new"), "tickets/new", &fields, &[]);
    assert_eq!(sent.status, 303, "another is in nobody's way");
    desk.walk(true);
    desk.settle();
    assert_eq!(send(&claire.get("tickets/new")), 303, "once it is read");
}

#[test]
fn t_52_who_takes_no_file_gets_no_third() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    let large = vec![b'x'; 6_000_000];
    let file = Sent { name: "x.bin", content_type: "application/octet-stream", bytes: &large };
    let fields = [("subject", "Files"), ("text", "See below.")];
    let sent = claire.submit(&claire.get("tickets/new"), "tickets/new", &fields, &[file]);
    assert_eq!(sent.status, 303, "{}", sent.text());
    desk.settle();
    let path = format!(
        "/portal/tickets/{}/files/1/0",
        desk.text("SELECT CAST(number AS TEXT) FROM ticket")
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let stalled: Vec<_> = (0..2).map(|_| runtime.block_on(stalled(&claire, &path))).collect();
    let third = claire.get(&path);
    assert_eq!(third.status, 503, "it waits for its turn, and then says so");
    let paul = desk.user(PAUL, Access::Limited);
    assert_eq!(paul.get(&path).bytes.len(), large.len(), "another is in nobody's way");
    drop(stalled);
    assert_eq!(claire.get(&path).bytes.len(), large.len(), "and so is who hung up");
}

/// A connection that asks for a file, and takes hardly anything of it.
async fn stalled(browser: &Browser, path: &str) -> tokio::net::TcpStream {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("it can be small");
    let mut stream = socket.connect(browser.at).await.expect("the portal listens");
    let session = browser.session.as_deref().expect("somebody is logged in");
    let asked =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: guichet={session}\r\n\r\n", browser.at);
    stream.write_all(asked.as_bytes()).await.expect("it is sent");
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("it begins");
    assert_eq!(&status[9..], b"200");
    stream
}
