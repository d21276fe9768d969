//! What is found of our secrets, and what is taken out (T-22, T-26).

use super::*;
use crate::mail::tests::growth::assert_linear;

const SECRET: &str = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEE-";

fn hashes_of(text: &str) -> Vec<String> {
    scan::links(text.as_bytes()).map(|link| hash(&link.secret)).collect()
}

fn link() -> String {
    format!("https://help.example.com/portal/activate/{SECRET}")
}

#[test]
fn t_22_a_quoted_link_is_found_and_taken_out() {
    let text = format!("> {}\nHow does this work?", link());
    assert_eq!(hashes_of(&text).len(), 1);
    let shown = redacted(&text);
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains("/portal/activate/[redacted]\nHow does this work?"));
}

#[test]
fn t_22_a_link_that_a_mail_program_broke_is_the_same_link() {
    let broken = format!(
        "> https://help.example.com/portal/activate/{}\r\n> {} ok",
        &SECRET[..20],
        &SECRET[20..]
    );
    assert_eq!(hashes_of(&broken), hashes_of(&link()));
    assert!(!redacted(&broken).contains(&SECRET[20..]), "{}", redacted(&broken));
    assert!(redacted(&broken).ends_with(" ok"));
}

#[test]
fn t_22_a_link_that_a_scanner_wrapped_is_the_same_link() {
    for slash in ["%2F", "%2f", "%252F"] {
        let wrapped = format!("https://scan.example/?u={}&x=1", link().replace('/', slash));
        assert_eq!(hashes_of(&wrapped), hashes_of(&link()), "{wrapped}");
        assert!(!redacted(&wrapped).contains(SECRET));
    }
}

#[test]
fn t_22_a_link_is_found_wherever_it_stands_in_a_message() {
    let link = link();
    let ours = format!(
        "From: support@helpdesk.example\nContent-Type: text/plain\n\
         Content-Transfer-Encoding: quoted-printable\n\n{}=\n{}\n",
        &link[..60],
        &link[60..]
    );
    let mixed = |part: &str| {
        format!(
            "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n\
             --b\n{part}\n--b--\n"
        )
    };
    let base64 = "aHR0cHM6Ly9oZWxwLmV4YW1wbGUuY29tL3BvcnRhbC9hY3RpdmF0ZS9BQUFBQUFBQUFBQkJCQkJCQkJC\n\
                  QkNDQ0NDQ0NDQ0NERERERERERERERUUt";
    for message in [
        format!("From: a@x.example\nSubject: {link}\n\nhello\n"),
        format!("From: \"{link}\" <a@x.example>\n\nhello\n"),
        mixed(&format!("Content-Type: text/html\n\n<a href=\"{link}\">x</a>")),
        format!(
            "From: a@x.example\nContent-Type: text/html\n\n<a href=\"{}\">x</a>",
            link.replace('/', "&#47;")
        ),
        mixed(&format!("Content-Type: text/plain; name=a.txt\n\n{link}")),
        mixed(&format!("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{base64}")),
        mixed(&format!("Content-Type: message/rfc822\n\n{ours}")),
    ] {
        let read = crate::mail::read(message.as_bytes()).expect("it can be read");
        assert!(read.secret_hashes.starts_with(&hashes_of(&link)), "{message}");
        assert!(!read.subject.contains(SECRET));
    }
}

#[test]
fn what_is_no_token_stays() {
    for text in [
        "https://help.example.com/portal/activate/short",
        "https://help.example.com/portal/activate/",
        "https://help.example.com/portal/activate/\nnothing more",
        "activate/",
        "/activate/",
        "nothing at all",
    ] {
        assert_eq!(redacted(text), text);
        assert!(hashes_of(text).is_empty());
    }
}

/// A mail with these parts.
fn mixed(parts: &str) -> Vec<String> {
    let raw = format!(
        "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n\
         --b\n{parts}\n--b--\n"
    );
    crate::mail::read(raw.as_bytes()).expect("it can be read").secret_hashes
}

const PASSWORD: &str = "abcdefgh23456789";

#[test]
fn t_22_a_link_is_found_however_it_was_rewritten() {
    let token = "AAAAAAAA-ABBBBBBBBBB_CCCCCCCCCDDDDDDDDDDEE-";
    for written in [
        format!("https://h.example/portal/confirm/{token}"),
        format!("https://h.example/Portal/Activate/{token}"),
        format!("https://h.example/portal/activate//{token}"),
        format!("https:\\/\\/h.example\\/portal\\/activate\\/{token}"),
        format!("https://h.example/portal&#47;activate&#x2F;{token}"),
        format!(
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__h.example_portal_activate_{}&d=a",
            token.replace('-', "\0").replace('_', "-5F").replace('\0', "-2D")
        ),
        format!("https://urldefense.com/v3/__https://h.example/portal/activate/{token}__;!!a$"),
        format!("https://s.example/?u=https%3A%2F%2Fh.example%2Fportal%2Factivate%2F{token}&x"),
        format!("portal%252Factivate%252F{}", token.replace('-', "%252D").replace('_', "%5f")),
    ] {
        assert_eq!(hashes_of(&written), [hash(token.as_bytes())], "{written}");
        let shown = redacted(&written);
        assert!(shown.contains(REDACTED) && !shown.contains("DDDDDDDDDD"), "{shown}");
    }
}

#[test]
fn t_22_t_26_a_token_and_a_password_alone_are_found_wherever_they_stand() {
    let token = "AAAAAAAA-ABBBBBBBBBB_CCCCCCCCCDDDDDDDDDDEE-";
    let eml = "From: d@h.example\nSubject: x\nContent-Transfer-Encoding: base64\n\n\
               UGFzc3dvcmQ6IGFiY2RlZmdoMjM0NTY3ODkK\n";
    let encoded = "RnJvbTogZEBoLmV4YW1wbGUKU3ViamVjdDogeApDb250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBi\n\
                   YXNlNjQKClVHRnpjM2R2Y21RNklHRmlZMlJsWm1kb01qTTBOVFkzT0RrSwo=";
    for (parts, secret) in [
        (format!("\nPassword: {PASSWORD}."), PASSWORD),
        (format!("\n> *{PASSWORD}*"), PASSWORD),
        ("\nAbcdefgh23456789".to_owned(), PASSWORD),
        (format!("\nhttps://h.example/?p=%20{PASSWORD}"), PASSWORD),
        (format!("Content-Type: text/html\n\n<b>{PASSWORD}</b>"), PASSWORD),
        (format!("\nthe code is {token}, I think"), token),
        (format!("Content-Type: application/octet-stream; name=a.eml\n\n{eml}"), PASSWORD),
        (
            format!(
                "Content-Type: application/octet-stream; name=a.eml\n\
                 Content-Transfer-Encoding: base64\n\n{encoded}"
            ),
            PASSWORD,
        ),
    ] {
        assert!(mixed(&parts).contains(&hash(secret.as_bytes())), "{parts}");
    }
    let raw = format!("From: a@x.example\nSubject: Re: {PASSWORD}\n\nhello\n");
    let read = crate::mail::read(raw.as_bytes()).expect("it can be read");
    assert_eq!(read.secret_hashes, [hash(PASSWORD.as_bytes())]);
}

#[test]
fn t_22_of_a_message_so_many_hashes_are_taken_and_links_go_first() {
    let words: String = (0..1000u32).map(|n| format!("{:a>16}\n", base26(n))).collect();
    let found = mixed(&format!("\n{words}{}", link()));
    assert_eq!(found.len(), HASHES);
    assert_eq!(found[..1], hashes_of(&link())[..]);
    assert!(
        mixed("\nno word of sixteen characters, but administrativos0 and 0123456789").is_empty()
    );
}

fn base26(n: u32) -> String {
    [n / 676, n / 26, n]
        .map(|n| char::from(b'a' + (n % 26) as u8))
        .iter()
        .collect::<String>()
        .replace(['l', 'o'], "9")
}

#[test]
fn t_22_only_what_is_known_is_taken_out_and_marks_move_along() {
    use crate::mail::html::{Mark, MarkKind};
    let other = "zzzzzzzz23456789";
    let text = format!("Mine: {PASSWORD}\nand {other}\nquoted {PASSWORD}\nend\n");
    let at = text.find("quoted").expect("it is there");
    let range = at..text.len() - 4;
    let mut marks = [Mark { kind: MarkKind::Quote, range: range.clone() }];
    let shown = without(&text, &[hash(PASSWORD.as_bytes())], &mut marks);
    assert_eq!(shown, format!("Mine: {REDACTED}\nand {other}\nquoted {REDACTED}\nend\n"));
    assert_eq!(&shown[marks[0].range.clone()], format!("quoted {REDACTED}\n"));
    assert_eq!(without(&text, &[], &mut []), text);
}

#[test]
fn t_22_t_38_looking_for_secrets_is_linear() {
    for unit in
        ["portal/activate/", "portal_activate_-", "portal////", "abcdefgh23456789 ", "A-", "%25"]
    {
        assert_linear(
            unit,
            200_000 / unit.len(),
            |n| unit.repeat(n),
            |text| (scan::links(text.as_bytes()).count(), scan::words(text.as_bytes()).count()),
        );
    }
}
