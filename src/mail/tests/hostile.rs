//! What must hold for any bytes: no panic, bounded results, linear time (F-01…F-08, T-35, T-38, E-38).

use proptest::prelude::*;

use super::*;

/// What holds for every message that can be read.
fn assert_sound(raw: &[u8]) {
    let Ok(read) = read(raw) else { return };
    assert!(read.subject.chars().count() <= 500);
    assert!(!read.subject.contains(char::is_control));
    assert!(!read.text.contains('\0') && !read.text.contains("\r\n"));
    assert!(read.references.len() <= 50 && read.in_reply_to.len() <= 50);
    assert!(read.to.len() <= 500 && read.cc.len() <= 500);
    assert!(read.attachments.len() <= 100);
    for attachment in &read.attachments {
        assert!(!attachment.name.is_empty() && attachment.name.len() <= 255);
        assert!(!attachment.name.contains(['/', '\\', '\0']));
        let bytes = cut(raw, attachment).expect("an attachment of this message");
        assert_eq!(bytes.len() as u64, attachment.size);
    }
    for header in &read.headers {
        assert!(!header.value.contains(char::is_control), "{header:?}");
    }
    let _ = automatic(&read.signals);
}

/// Pieces of mail, which random bytes would take long to hit upon.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"From: ",
        b"To: ",
        b"Subject: ",
        b"Date: ",
        b"References: ",
        b"Message-ID: ",
        b"Return-Path: <>",
        b"Content-Type: ",
        b"multipart/mixed; boundary=b",
        b"multipart/alternative; boundary=\"b b\"",
        b"message/rfc822",
        b"message/delivery-status",
        b"text/html",
        b"text/plain; charset=",
        b"iso-2022-jp",
        b"utf-7",
        b"gb18030",
        b"Content-Transfer-Encoding: ",
        b"base64",
        b"quoted-printable",
        b"Content-Disposition: attachment; filename",
        b"*0*=utf-8''%e9",
        b"=\"a",
        b"=?utf-8?q?",
        b"=?iso-2022-jp?b?",
        b"?=",
        b"\r\n",
        b"\n",
        b"\r",
        b"\n\n",
        b"\n\n",
        b"\n--b\n",
        b"\n--b--\n",
        b"\n--b b\n",
        b"\n ",
        b"\t",
        b"<",
        b">",
        b"\"",
        b"(",
        b")",
        b"@",
        b",",
        b";",
        b":",
        b"a@b.example",
        b"&#1234;",
        b"&amp",
        b"<p ",
        b"<a href='",
        b"<!--",
        b"-->",
        b"<blockquote>",
        b"</",
        b"<td>",
        b"<style>",
        b"begin 644 x\n",
        b"\n#0V%T\n`\nend\n",
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n",
        b"-----BEGIN PGP MESSAGE-----\n\n",
        b"\n-----BEGIN PGP SIGNATURE-----\n",
        b"\n-----END PGP SIGNATURE-----\n",
        b"\n-----END PGP MESSAGE-----\n",
        b"; format=flowed; delsp=yes",
        b"X-Mailer: Microsoft Outlook 12.0",
        b"text/calendar; method=REQUEST",
        b"BEGIN:VEVENT\nDTSTART:20260302T100000\n",
        b"application/ms-tnef",
        b"\x78\x9f\x3e\x22\x01\0",
        b"\x02\x05\x90\x06\0",
        b"hz-gb-2312",
        b"~{VP~}",
        b"\x1b$(D",
        b"\x1b$B",
        b"\x1b(B",
        b"\0",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"\xe9",
        b"=E9",
        b"=",
        b"aGVsbG8=",
        b"Action: failed\n",
        b"Final-Recipient: rfc822; ",
        b"Status: 5.1.1\n",
        b"X-Failed-Recipients: ",
        b"Received: for <",
        b"{\"notificationType\":\"Bounce\"",
        b"Mon, 2 Mar 2026 10:00:00 +0100",
        b"99 Xxx 99999999999 99:99",
    ];
    prop::collection::vec(prop::sample::select(words), 0..60).prop_map(|words| words.concat())
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = format!("{}/fixtures/mail", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(&folder).expect("the folder of the fixtures");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a fixture")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_read_or_are_refused(raw in prop::collection::vec(any::<u8>(), 0..2000)) {
        assert_sound(&raw);
    }

    #[test]
    fn any_pieces_of_mail_read_or_are_refused(raw in pieces()) {
        assert_sound(&raw);
        assert_sound(&[b"Subject: x\n", &raw[..]].concat());
    }

    #[test]
    fn any_mutated_message_reads_or_is_refused(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0..40usize,
        piece in pieces(),
    ) {
        let all = fixtures();
        let mut raw = which.get(&all).clone();
        let at = at.index(raw.len() + 1);
        raw.splice(at..(at + length).min(raw.len()), piece);
        assert_sound(&raw);
    }

    #[test]
    fn any_text_is_an_address_or_none(written in "[ -~é\u{0}\u{200b}]{0,40}") {
        if let Ok((address, _)) = Address::repaired(&written) {
            let again = Address::parse(&address.to_string()).expect("what is shown can be read");
            assert_eq!(again, address);
        }
    }
}

#[test]
fn e_38_f_01_f_03_bombs_are_refused_and_nothing_breaks() {
    let nested = b"Content-Type: message/rfc822\n\n".repeat(40_000);
    let parts =
        [&b"Content-Type: multipart/mixed; boundary=b\n\n"[..], &b"--b\n\n".repeat(200_000)]
            .concat();
    let fields = b"A: b\n".repeat(500_000);
    for bomb in [nested, parts, fields] {
        assert!(matches!(read(&bomb), Err(Unreadable::TooMuch { .. })));
    }
}

// A reader that owns nested messages overflows 2 MiB of stack when it drops or clones a few thousand
// of them. Ours is flat: an eighth of that is plenty, for the bombs and for the deepest mail it reads.
#[test]
fn f_01_f_02_nothing_nested_needs_a_deep_stack_to_be_read_cloned_or_dropped() {
    let wrapped = |depth: usize| {
        let head = b"From: a@b.example\nContent-Type: message/rfc822\n\n".as_slice();
        [&head.repeat(depth), b"From: a@b.example\n\nHello\n".as_slice()].concat()
    };
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    let reading = small.spawn(move || {
        for depth in [2_000, 40_000] {
            assert!(matches!(read(&wrapped(depth)), Err(Unreadable::TooMuch { .. })), "{depth}");
        }
        let deepest = (1..200).rev().find_map(|depth| read(&wrapped(depth)).ok());
        let deepest = deepest.expect("a message in a message can be read");
        let copy = deepest.clone();
        drop(deepest);
        copy.flags.contains(&Flag::Unwrapped)
    });
    let is_unwrapped = reading.expect("a thread").join().expect("the stack suffices");
    assert!(is_unwrapped);
}

/// A message of a given size that some reader would choke on.
pub type Build = fn(usize) -> Vec<u8>;

fn header(name: &str, piece: &str, size: usize) -> Vec<u8> {
    format!("{name}: {}\n\nbody", piece.repeat(size / piece.len())).into_bytes()
}

fn html(piece: &str, size: usize) -> Vec<u8> {
    format!("Content-Type: text/html\n\n{}", piece.repeat(size / piece.len())).into_bytes()
}

pub fn body(head: &str, piece: &str, size: usize) -> Vec<u8> {
    format!("{head}\n\n{}", piece.repeat(size / piece.len())).into_bytes()
}

/// As large as a header may be when doubled.
const HEADER: usize = 48 * 1024;
pub const BODY: usize = 400 * 1024;

#[test]
fn t_38_m_102_header_fields_are_read_in_linear_time() {
    let builds: [Build; 15] = [
        |n| header("From", &format!("{}[{}", "a".repeat(n / 2), ":".repeat(n / 2)), n),
        |n| header("Subject", "=?a?q?x", n),
        |n| header("Subject", "=?", n),
        |n| header("Subject", "=?utf-8?q?=C3?= ", n),
        |n| header("Subject", "Re: ", n),
        |n| header("Subject", "auto ", n),
        |n| header("From", "(", n),
        |n| header("From", "<", n),
        |n| header("From", "\"<", n),
        |n| header("From", "\\\"=?a?q?x,", n),
        |n| header("To", "a@b ", n),
        |n| header("To", "a,", n),
        |n| header("References", "(<", n),
        |n| header("Content-Type", ";a*1=", n),
        |n| header("Content-Disposition", ";filename*9=a", n),
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("header {n}"), build, HEADER);
    }
}

#[test]
fn t_38_m_17_html_is_read_in_linear_time() {
    let builds: [Build; 16] = [
        |n| html("<a ", n),
        |n| html("<a a", n),
        |n| html("<a href=\"", n),
        |n| html("<b id=x>", n),
        |n| html("<b id=x><p>", n),
        |n| html("<o:p>", n),
        |n| html("<!--", n),
        |n| html("<!-- -->", n),
        |n| html("</", n),
        |n| html("&", n),
        |n| html("&#1;", n),
        |n| html("<style></x", n),
        |n| html("<blockquote>x", n),
        |n| html("<table><tr><td>x", n),
        |n| html("<a href=x>y</p>", n),
        |n| html("<div style='display:none'>", n),
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("html {n}"), build, BODY);
    }
}

#[test]
fn t_38_bodies_are_read_in_linear_time() {
    let builds: [Build; 9] = [
        |n| body("Subject: x", ">", n),
        |n| body("Subject: x", "a@b ", n),
        |n| body("Subject: x", "\r", n),
        |n| body("Content-Transfer-Encoding: quoted-printable", "=", n),
        |n| body("Content-Transfer-Encoding: base64", "a\n!", n),
        |n| body("Content-Type: multipart/mixed; boundary=b", "--\n", n),
        |n| body("Content-Type: multipart/mixed; boundary=b", "\n--bb", n),
        |n| body("Content-Type: message/delivery-status", "Action: x\n\n", n),
        |n| {
            let signed = "-----BEGIN PGP SIGNED MESSAGE-----\n\n";
            [body("Subject: x", signed, n), b"-----BEGIN PGP SIGNATURE-----\n".to_vec()].concat()
        },
    ];
    for (n, build) in builds.iter().enumerate() {
        assert_linear(&format!("body {n}"), build, BODY);
    }
}

/// Twice the size of a message may take less than three times the time to read.
#[track_caller]
pub fn assert_linear(name: &str, build: &Build, size: usize) {
    growth::assert_linear(name, size, build, |raw| read(raw));
}
