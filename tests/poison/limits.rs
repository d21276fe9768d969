//! The limits of `threats.md` section 5, each one below, at and above it: taken as it is, taken as it
//! is, and cut with a flag or held, as M-04 says. Those of servers' dialogues are in `imap`, that of
//! display names in `triage::names`.

use guichet::intake::read_bounded;
use guichet::mail::{Flag, InboundMessage, Unreadable, read};
use guichet::store::spool::Intake;

const HEAD: &str = "From: a@x.example\nSubject: Printer\n";

/// A message with so many of something.
type Build = fn(usize) -> String;

/// What a message gets that is above a limit.
enum Above {
    /// What is cut keeps so much.
    Cut(fn(&InboundMessage) -> usize),
    Flagged(&'static str),
    Held(&'static str),
}

fn with(head: &str, body: &str) -> String {
    format!("{HEAD}{head}\n{body}")
}

fn header_bytes(n: usize) -> String {
    let begin = format!("{HEAD}X-A: ");
    format!("{begin}{}\n\nbody", "b".repeat(n - begin.len() - 1))
}

fn fields(n: usize) -> String {
    with(&"X-A: b\n".repeat(n - 2), "body")
}

fn addresses(n: usize) -> String {
    let all: Vec<String> = (0..n).map(|n| format!("a{n}@b.example")).collect();
    with(&format!("To: {}\n", all.join(",\n ")), "body")
}

fn levels(n: usize) -> String {
    let head = format!("{HEAD}Content-Type: message/rfc822\n\n");
    format!("{}{HEAD}\nbody", head.repeat(n - 1))
}

fn parts(n: usize) -> String {
    let parts = "--b\n\nx\n".repeat(n - 1);
    with("Content-Type: multipart/mixed; boundary=b\n", &format!("{parts}--b--\n"))
}

fn attachments(n: usize) -> String {
    let part = "--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n";
    let parts = part.repeat(n);
    with("Content-Type: multipart/mixed; boundary=b\n", &format!("--b\n\nHi\n{parts}--b--\n"))
}

fn boundary(n: usize) -> String {
    let boundary = "b".repeat(n);
    let head = format!("Content-Type: multipart/mixed;\n boundary=\"{boundary}\"\n");
    with(&head, &format!("--{boundary}\n\nHi\n--{boundary}--\n"))
}

fn file_name(n: usize) -> String {
    let name = format!("{}.pdf", "a".repeat(n - 4));
    with(&format!("Content-Type: application/pdf; name=\"{name}\"\n"), "x")
}

fn subject(n: usize) -> String {
    format!("From: a@x.example\nSubject: {}\n\nbody", "s".repeat(n))
}

fn references(n: usize) -> String {
    let all: Vec<String> = (0..n).map(|n| format!("<{n}@b.example>")).collect();
    with(&format!("References: {}\n", all.join("\n ")), "body")
}

fn received(n: usize) -> String {
    with(&"Received: from a by b; Mon, 5 Jan 2026 09:00:00 +0000\n".repeat(n), "body")
}

fn text(n: usize) -> String {
    let lines: String =
        "all work and no play makes jack a dull boy\n".chars().cycle().take(n).collect();
    with("", &lines)
}

#[test]
fn t_35_t_36_every_limit_holds_one_below_at_and_above_it() {
    let limits: [(&str, usize, Build, Above); 12] = [
        ("addresses", 500, addresses, Above::Flagged("limit_addresses")),
        ("attachments", 100, attachments, Above::Flagged("limit_attachments")),
        ("boundary", 2_048, boundary, Above::Flagged("limit_boundary")),
        ("bytes of a text", 1 << 20, text, Above::Flagged("limit_text")),
        ("bytes of header", 100 << 10, header_bytes, Above::Held("bytes of header")),
        ("fields", 1_000, fields, Above::Held("header fields")),
        ("file name", 255, file_name, Above::Cut(|read| read.attachments[0].name.len())),
        ("levels", 100, levels, Above::Held("levels of parts")),
        ("parts", 1_000, parts, Above::Held("parts")),
        ("Received", 50, received, Above::Flagged("limit_received")),
        ("References", 50, references, Above::Flagged("limit_references")),
        ("subject", 500, subject, Above::Cut(|read| read.subject.chars().count())),
    ];
    for (what, limit, build, above) in limits {
        for n in [limit - 1, limit, limit + 1] {
            judge(what, n, limit, read(build(n).as_bytes()), &above);
        }
    }
}

fn judge(
    what: &str,
    n: usize,
    limit: usize,
    seen: Result<InboundMessage, Unreadable>,
    above: &Above,
) {
    if let (Above::Held(which), true) = (above, n > limit) {
        let refused = Unreadable::TooMuch { what: which, limit };
        assert_eq!(seen.err(), Some(refused), "{n} {what} are read");
        return;
    }
    let read = seen.unwrap_or_else(|why| panic!("{n} {what}: {why}"));
    let flags: Vec<String> = read.flags.iter().map(Flag::name).collect();
    let expected = match above {
        Above::Flagged(flag) if n > limit => Some(*flag),
        _ => None,
    };
    let limits = flags.iter().find(|flag| flag.starts_with("limit_")).map(String::as_str);
    assert_eq!(limits, expected, "{n} {what}");
    if let Above::Cut(length) = above {
        assert_eq!(length(&read), n.min(limit), "{n} {what}");
    }
}

#[test]
fn t_36_a_message_of_the_largest_size_is_whole_and_a_byte_more_makes_it_a_stub() {
    const LARGEST: u64 = 50_000_000;
    for (size, expected) in
        [(LARGEST - 1, Intake::Mailbox), (LARGEST, Intake::Mailbox), (LARGEST + 1, Intake::Stub)]
    {
        let raw = [HEAD.as_bytes(), b"\n", &vec![b'x'; size as usize - HEAD.len() - 1]].concat();
        let (read, intake) = read_bounded(&raw[..], LARGEST).expect("memory reads");
        assert_eq!(intake, expected, "{size}");
        assert_eq!(read.len() as u64 == size, intake == Intake::Mailbox, "{size}");
    }
}
