//! Hostile bytes for all that reads mail: no panic, no abort, no hang, whatever they are. Each target
//! changes fixtures at random; takes about ten seconds in all. `GUICHET_FUZZ_SECONDS=600` runs each
//! target that long instead (with `--release`), keeps the input in hand in `target/fuzz`, and takes
//! the mail corpus for seeds, too, where `GUICHET_CORPUS` names it. What is found becomes a fixture.

mod mutation;
mod watch;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guichet::mail::authentication::{Findings, Server};
use guichet::mail::reply::{self, Context, Prefix, Reply, Scope};
use guichet::mail::{self, Address, Dmarc, PlusTag, Unreadable};
use mutation::Seeds;
use watch::Watch;

/// Inputs a target, unless it runs for a time.
const INPUTS: usize = 500;

/// More than any input of this size may take, on a slow machine in a debug build.
const LONGEST: Duration = Duration::from_secs(30);

/// Runs `check` on inputs made of `seeds`.
fn fuzz(target: &'static str, seeds: &Seeds, check: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let watch = Watch::new(target, LONGEST, seconds().map(|_| folder()));
    let run = |script: &Vec<u8>| {
        let input = seeds.mutated(script);
        let _turning = watch.begins(&input);
        check(&input);
    };
    let fuzzing = bolero::check!().with_type::<Vec<u8>>();
    match seconds() {
        Some(seconds) => fuzzing
            .with_iterations(usize::MAX)
            .with_test_time(Duration::from_secs(seconds))
            .with_max_len(SCRIPT)
            .for_each(run),
        None => fuzzing.with_iterations(INPUTS).with_max_len(SCRIPT).for_each(run),
    }
    println!("{target}: {} inputs", watch.count());
}

/// The longest list of changes, in bytes: about six to a change.
const SCRIPT: usize = 160;

fn seconds() -> Option<u64> {
    std::env::var("GUICHET_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/fuzz")
}

/// Reads a message as the daemon does. A panic inside is caught there, and told as the reader's.
fn read(raw: &[u8]) -> Option<mail::InboundMessage> {
    match mail::read(raw) {
        Ok(message) => Some(message),
        Err(Unreadable::Reader(said)) => panic!("reading panicked: {said}"),
        Err(_) => None,
    }
}

/// What holds for every message that can be read.
fn assert_sound(raw: &[u8], message: &mail::InboundMessage) {
    assert!(message.subject.chars().count() <= 500);
    assert!(!message.subject.contains(char::is_control));
    assert!(!message.text.contains('\0'));
    assert!(message.references.len() <= 50 && message.in_reply_to.len() <= 50);
    assert!(message.attachments.len() <= 100);
    for attachment in &message.attachments {
        assert!(!attachment.name.is_empty() && attachment.name.len() <= 255);
        assert!(!attachment.name.contains(['/', '\\', '\0']));
        let bytes = mail::cut(raw, attachment).expect("an attachment of this message");
        assert_eq!(bytes.len() as u64, attachment.size);
    }
}

#[test]
fn messages_are_read_or_refused() {
    fuzz("messages", &Seeds::messages(), |raw| {
        if let Some(message) = read(raw) {
            assert_sound(raw, &message);
        }
    });
}

#[test]
fn bounces_are_read() {
    fuzz("bounces", &Seeds::bounces(), |raw| {
        let Some(message) = read(raw) else { return };
        if let Some(mail::MachineReport::Bounce(bounce)) = message.report {
            assert!(bounce.recipients.len() <= 1_000);
            for recipient in bounce.recipients {
                assert!(!recipient.address.contains(['\n', '\r', '\0']), "{recipient:?}");
            }
        }
    });
}

#[test]
fn texts_are_trimmed_and_nothing_is_made_up() {
    fuzz("trimming", &Seeds::texts(), |raw| {
        let text = String::from_utf8_lossy(raw);
        for prefix in [Prefix::Reply, Prefix::Forward] {
            let context = Context { scope: Scope::Answer, prefix, ..Context::default() };
            assert_made_of_what_was_written(&reply::trim(&text, &context));
        }
    });
}

#[test]
fn html_is_trimmed_and_nothing_is_made_up() {
    const HEAD: &[u8] = b"From: a@x.example\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    const CONTEXTS: [(Scope, Prefix); 3] = [
        (Scope::Answer, Prefix::Reply),
        (Scope::Answer, Prefix::Forward),
        (Scope::Standalone, Prefix::None),
    ];
    fuzz("html", &Seeds::html(), |raw| {
        let message = [HEAD, raw].concat();
        let read = read(&message).expect("a message with whatever HTML is a message");
        assert_sound(&message, &read);
        for mark in &read.text_marks {
            assert!(read.text.get(mark.range.clone()).is_some(), "{mark:?} is no part of the text");
        }
        let (scope, prefix) = CONTEXTS[raw.len() % CONTEXTS.len()];
        let html = read.text_marks;
        let context = Context { scope, prefix, html, ..Context::default() };
        assert_made_of_what_was_written(&reply::trim(&read.text, &context));
    });
}

/// A reply has only lines of the text, in its order, and each byte of it lies in one segment.
fn assert_made_of_what_was_written(reply: &Reply) {
    let mut lines = reply.normalised.lines().map(str::trim_end);
    let is_there = |line: &str| lines.any(|other| other == line.trim_end());
    assert!(reply.text.lines().all(is_there), "a line that nobody wrote");
    let mut at = 0;
    for segment in &reply.segments {
        assert_eq!(segment.range.start, at, "segments leave nothing out");
        at = segment.range.end;
    }
}

#[test]
fn winmail_dat_is_read_or_attached() {
    fuzz("tnef", &Seeds::winmails(), |raw| {
        let head = "From: a@x.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
            Content-Type: application/ms-tnef; name=winmail.dat\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n";
        let message = [head, &STANDARD.encode(raw)].concat();
        let read = read(message.as_bytes()).expect("a message with a broken part is a message");
        assert_sound(message.as_bytes(), &read);
    });
}

#[test]
fn findings_of_servers_prove_no_more_than_they_say() {
    const SERVER: &str = "mx.helpdesk.example";
    fuzz("authentication", &Seeds::authentication(), |raw| {
        let head =
            [b"Authentication-Results: ".as_slice(), raw, b"\r\nFrom: c@myorg.example\r\n\r\n"];
        let Some(message) = read(&head.concat()) else { return };
        // Quotes and what they escape are no part of a value.
        let wrote =
            String::from_utf8_lossy(raw).to_ascii_lowercase().replace(['"', '\\', '\0'], "");
        for server in [Server::Named(SERVER), Server::Named("other.example"), Server::Unnamed] {
            let (Dmarc::Fail { evidence } | Dmarc::Pass { evidence }) =
                message.authentication.dmarc(server, &message.from)
            else {
                continue;
            };
            let (said, domain) = evidence.split_once(" header.from=").expect("what and of whom");
            let result = said.strip_prefix("dmarc=").expect("the method");
            assert!(wrote.contains(result), "{evidence}: nobody said so");
            let is_of_domain = |from: &mail::NamedAddress| {
                Address::repaired(&from.address).is_ok_and(|(from, _)| from.domain() == domain)
            };
            assert!(message.from.iter().all(is_of_domain), "{evidence} for {:?}", message.from);
            assert!(!matches!(server, Server::Named(name) if !wrote.contains(name)), "{evidence}");
        }
        for finding in Findings::read(raw).all {
            assert_eq!(finding.method, finding.method.to_ascii_lowercase());
            assert_eq!(finding.result, finding.result.to_ascii_lowercase());
        }
    });
}

#[test]
fn addresses_are_good_or_refused() {
    fuzz("addresses", &Seeds::addresses(), |raw| {
        let written = String::from_utf8_lossy(raw);
        for line in written.lines() {
            let address = Address::repaired(line).map(|(address, _)| address);
            for address in address.iter().chain(Address::parse(line).iter()) {
                assert!(!address.local().is_empty() && !address.domain().is_empty(), "{line}");
                let is_bad = |c: char| c.is_control() || c.is_whitespace();
                assert!(!address.to_string().contains(is_bad), "{line}");
                let again = Address::parse(&address.to_string());
                assert_eq!(again.as_ref(), Ok(address), "what is good stays good: {line}");
                let _ = address.key(PlusTag::Strip);
            }
        }
        let head = [b"From: ".as_slice(), raw, b"\r\nTo: ", raw, b"\r\n\r\n"].concat();
        let _ = read(&head);
    });
}
