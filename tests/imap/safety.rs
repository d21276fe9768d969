//! Who a password is sent to, and who not (F-12, T-42, T-43, T-45, R-41).

use guichet::net::Security;

use crate::desk::{Desk, imap, letters, on_dovecot};
use crate::support::account::{Account, PASSWORD};
use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;
use crate::support::tls::Leaf;

// Plays a dialogue to a mailbox with that protection: nothing is brought in, nobody hears the
// password, and the failure says `words`.
#[track_caller]
fn refused(dialogue: &str, security: Security, words: &str) -> Scripted {
    let desk = Desk::new();
    let server = Scripted::start(dialogue, Account::holding(letters(1)));
    let mut watch = desk.watch(desk.options_at(server.port(), security));
    let failure = desk.attempt(&mut watch).expect_err("the server is refused");
    assert!(failure.contains(words), "{failure}");
    assert!(failure.contains("\nhint: "), "{failure}");
    assert!(!failure.contains(PASSWORD));
    assert!(!server.heard_secret(PASSWORD), "{:?}", server.heard());
    assert_eq!((server.count("LOGIN"), server.count("AUTHENTICATE")), (0, 0));
    assert!(desk.spooled("support").is_empty());
    server
}

#[test]
fn f_12_a_server_that_says_preauth_hears_nothing() {
    let server = refused("preauth", Security::None, "logged in already");
    assert!(server.heard().is_empty(), "{:?}", server.heard());
    refused("preauth", Security::Starttls, "logged in already");
}

#[test]
fn f_12_a_server_that_says_bye_hears_no_password() {
    refused("bye_at_the_greeting", Security::None, "too many connections");
}

#[test]
fn t_42_a_stripped_starttls_is_refused() {
    refused("starttls_stripped", Security::Starttls, "offers no STARTTLS");
    refused("starttls_refused", Security::Starttls, "STARTTLS");
}

#[test]
fn t_42_what_is_injected_before_the_protection_ends_the_session() {
    refused("starttls_injected", Security::Starttls, "before the connection was protected");
}

#[test]
fn r_41_logindisabled_is_obeyed() {
    refused("login_disabled", Security::None, "no login with a password");
}

#[test]
fn t_42_a_server_that_never_says_a_word_is_left() {
    refused("stalls_at_the_greeting", Security::None, "did not answer within 2 s");
}

#[test]
fn t_45_a_line_break_in_a_name_never_reaches_the_server() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(1)));
    for wrong in ["x\"\r\na1 DELETE INBOX", "x\ny", "x\0y"] {
        for part in 0..2 {
            let mut options = desk.options(&server);
            match part {
                0 => wrong.clone_into(&mut imap(&mut options).folder),
                _ => wrong.clone_into(&mut imap(&mut options).login.username),
            }
            let failure = desk.attempt(&mut desk.watch(options)).expect_err("it is refused");
            assert!(failure.contains("holds a line break or a NUL"), "it was said: {failure}");
            assert!(failure.contains("\nhint: "), "{failure}");
        }
    }
    assert!(!server.heard().iter().any(|line| line.contains("DELETE")), "{:?}", server.heard());
}

#[test]
fn t_43_every_certificate_that_is_not_to_be_trusted_is_refused() {
    for (leaf, words) in [
        (Leaf::Expired, "it has expired"),
        (Leaf::Foreign, "nobody this machine trusts has signed it"),
        (Leaf::SelfSigned, "nobody this machine trusts has signed it"),
        (Leaf::WrongName, "it is for another name"),
    ] {
        for (tls, security) in
            [("tls implicit", Security::Implicit), ("tls starttls", Security::Starttls)]
        {
            let desk = Desk::new();
            let server = Scripted::with(tls, Account::holding(letters(1)), leaf);
            let mut watch = desk.watch(desk.options_at(server.port(), security));
            let failure = desk.attempt(&mut watch).expect_err("the certificate is refused");
            assert!(failure.contains(words), "{leaf:?}: {failure}");
            assert!(failure.contains("\nhint: "), "{leaf:?}: {failure}");
            assert!(!server.heard_secret(PASSWORD), "{leaf:?}");
            assert!(desk.spooled("support").is_empty());
        }
    }
}

#[test]
fn t_43_dovecot_is_spoken_to_over_tls_at_once_after_starttls_and_in_the_clear_on_loopback() {
    let dovecot = Dovecot::start();
    for (number, security) in
        [Security::Implicit, Security::None, Security::Starttls].into_iter().enumerate()
    {
        let desk = Desk::new();
        let user = format!("support{number}");
        dovecot.deliver(&user, "INBOX", &letters(1)[0]);
        let mut options = on_dovecot(&desk, &dovecot);
        let source = imap(&mut options);
        source.login.username = user;
        source.server.security = security;
        source.server.host = "localhost".to_owned();
        source.server.port = match security {
            Security::Implicit => dovecot.ports.imaps,
            Security::None | Security::Starttls => dovecot.ports.imap,
        };
        desk.settle(&mut desk.watch(options));
        assert_eq!(desk.uids("support"), [1], "{security:?}");
    }
}

#[test]
fn a_login_is_plain_where_that_is_offered_and_else_the_login_command() {
    for (dialogue, plain, login) in
        [("chatter", 1, 0), ("plain_without_initial_response", 1, 0), ("login_command_only", 0, 1)]
    {
        let desk = Desk::new();
        let server = Scripted::start(dialogue, Account::holding(letters(1)));
        desk.settle(&mut desk.watch(desk.options(&server)));
        assert_eq!(desk.uids("support"), [1], "`{dialogue}`");
        assert_eq!((server.count("AUTHENTICATE PLAIN"), server.count("LOGIN")), (plain, login));
    }
}

#[test]
fn a_wrong_password_is_named_and_never_shown() {
    let desk = Desk::new();
    let server = Scripted::start("login_refused_at_first", Account::new());
    let failure =
        desk.attempt(&mut desk.watch(desk.options(&server))).expect_err("the login is refused");
    assert!(failure.contains("refused the login of `support`"), "{failure}");
    assert!(failure.contains("that is not the password"), "{failure}");
    assert!(!failure.contains(PASSWORD), "{failure}");
}
