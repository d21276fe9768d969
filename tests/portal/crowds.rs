//! How many are let in at a time, and what becomes of whoever only takes a place.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use guichet::clock::Stopwatch;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::house::{House, USUAL, Unusual};

// As `PLACES` and `PATIENCE` of the door.
const PLACES: usize = 512;
const PATIENCE: Duration = Duration::from_secs(60);
// What there is for a header.
const SHORTEST: Duration = Duration::from_secs(10);
// What a machine that is shared may take besides.
const GRACE: Duration = Duration::from_secs(60);

#[test]
fn p_13_so_many_are_let_in_at_a_time_and_the_next_one_waits_for_a_place() {
    // Both ends of every connection are in this process.
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.map_or(4096, |most| most.min(4096));
    let current = limit.current.map(|now| now.max(enough));
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).expect("files enough");
    // Behind a proxy all come from one address.
    let house = House::with(&Unusual { proxies: &["127.0.0.1"], ..USUAL });
    let mut held: Vec<TcpStream> = (0..PLACES - 1).map(|_| connected(&house)).collect();
    assert_eq!(house.browser().get("/portal/login").status, 200, "one place is left");
    held.push(connected(&house));

    let mut next = connected(&house);
    next.write_all(b"GET /portal/login HTTP/1.0\r\nHost: x\r\n\r\n").expect("it is taken");
    next.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    let early = next.read(&mut [0]).expect_err("nobody listens to more than there are places for");
    assert!(matches!(early.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{early}");

    held.pop();
    next.set_read_timeout(Some(GRACE)).expect("a timeout");
    let mut said = String::new();
    next.read_to_string(&mut said).expect("it is answered once somebody has left");
    assert!(said.starts_with("HTTP/1.0 200") || said.starts_with("HTTP/1.1 200"), "{said}");
    drop(held);
    assert_eq!(house.browser().get("/portal/login").status, 200);
}

/// One in its header, one in its body.
#[test]
fn p_13_who_sends_a_byte_now_and_then_is_cut_off_while_others_are_served() {
    let house = House::open();
    let head = "POST /portal/login HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    let in_header = format!("{head}X-Long: ");
    let in_body = format!("{head}Content-Length: 60000\r\n\r\naddress=");
    let beginnings = [in_header.as_str(), in_body.as_str()];
    std::thread::scope(|scope| {
        let slow: Vec<_> = beginnings
            .iter()
            .map(|beginning| scope.spawn(|| cut_off_after(connected(&house), beginning)))
            .collect();
        while !slow.iter().all(|one| one.is_finished()) {
            assert_eq!(house.browser().get("/portal/login").status, 200);
            std::thread::sleep(Duration::from_millis(500));
        }
        for (one, beginning) in slow.into_iter().zip(beginnings) {
            let after = one.join().expect("no panic");
            let after = after.unwrap_or_else(|| panic!("listened to for ever: {beginning:?}"));
            assert!(after > SHORTEST / 2, "who is slow has a while: {after:?}, {beginning:?}");
        }
    });
}

/// After how long a client that sends a byte now and then is cut off, if it is.
fn cut_off_after(mut stream: TcpStream, beginning: &str) -> Option<Duration> {
    let watch = Stopwatch::start();
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    stream.write_all(beginning.as_bytes()).expect("it is taken");
    while watch.elapsed() < PATIENCE + GRACE {
        // What is said before the end is of no interest; that there is one is.
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return Some(watch.elapsed()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return Some(watch.elapsed()),
        }
        if stream.write_all(b"x").is_err() {
            return Some(watch.elapsed());
        }
    }
    None
}

fn connected(house: &House) -> TcpStream {
    TcpStream::connect(house.at).expect("the door is open")
}
