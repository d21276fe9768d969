//! T-26: what is secret is in no table, no file and no log; and a search that would find it.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guichet::args;
use guichet::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use guichet::triage::facts::Intake;
use guichet::triage::policy::Access;

use crate::heard::heard;
use crate::house::{Browser, House, PASSWORD, USUAL, Unusual};
use crate::suites::postgres;
use crate::suites::secrets::Secrets;

const CLAIRE: &str = "claire@contoso.example";
const NEW: &str = "claire@fabrikam.example";
const CHOSEN: &str = "fünf rote Rüben";

#[test]
fn t_26_no_secret_is_in_any_table_file_or_log() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let secrets = everything_there_is(&house);
        let kinds = [
            "a form",
            "a link",
            "a link of an address",
            "a password",
            "a password in the wrong field",
            "a session",
            "a temporary password",
            "a wrong password",
        ];
        assert_eq!(secrets.kinds(), kinds);
        assert_eq!(secrets.in_store(&house.store), [""; 0]);
        assert_eq!(secrets.in_folder(house.folder.path(), &[]), [""; 0]);
        assert_eq!(secrets.in_text("the log", &heard()), [""; 0]);
        if is_on_postgres {
            let log = fs::read(postgres::server().log()).expect("the server keeps a log");
            assert_eq!(secrets.in_text("the log of PostgreSQL", &log), [""; 0]);
        }
    }
}

/// Makes and uses one of each kind, as people do.
fn everything_there_is(house: &House) -> Secrets {
    let mut secrets = Secrets::default();
    let id = house.user(CLAIRE, Access::Full);
    let mut browser = house.browser();
    let mut note = |browser: &Browser| {
        for (name, value) in &browser.cookies {
            let kind = if name == "guichet" { "a session" } else { "a form" };
            if value.len() == 43 {
                secrets.add(kind, value);
            }
        }
        secrets.add("a form", &browser.token());
    };

    // A temporary password, and another after it.
    let temporary = house.temporary(&id);
    browser.log_in(CLAIRE, "not the right one");
    note(&browser);
    assert_eq!(browser.log_in(CLAIRE, &temporary).location(), "/portal/choose");
    browser.get("/portal/choose");
    note(&browser);
    let choice = [("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(browser.post("/portal/choose", &choice).location(), "/portal/");

    // A link, used, and one that is not.
    let (link, other) = (house.link(&id), house.link(&id));
    let path = format!("/portal/activate/{link}");
    browser.get(&path);
    note(&browser);
    assert_eq!(browser.post(&path, &choice).location(), "/portal/");

    // Another password, another address.
    browser.get("/portal/profile");
    note(&browser);
    let fields = [("old", PASSWORD), ("password", CHOSEN), ("again", CHOSEN)];
    assert_eq!(browser.post("/portal/profile/password", &fields).status, 303);
    browser.get("/portal/profile");
    note(&browser);
    let fields = [("new_address", NEW), ("old", CHOSEN)];
    assert_eq!(browser.post("/portal/profile/address", &fields).status, 303);
    let is_there =
        || house.mails().into_iter().find(|(_, template, _)| template == "address_change");
    crate::suites::wait_for("the mail", 20, || is_there().is_some());
    let confirmation = house.confirmation(&id, is_there().expect("it was waited for").0);
    let path = format!("/portal/confirm/{confirmation}");
    browser.get(&path);
    assert!(browser.post(&path, &[]).says("Your address is changed"));

    let typed = "a password typed as the address";
    let mut hasty = house.browser();
    hasty.log_in(typed, PASSWORD);
    note(&hasty);
    hasty.get("/portal/forgotten");
    hasty.post("/portal/forgotten", &[("address", typed)]);
    // One of the hash of something that somebody guessed.
    hasty.get(&format!("/portal/activate/{}", "g".repeat(43)));

    secrets.add("a temporary password", &temporary);
    for password in [PASSWORD, CHOSEN] {
        secrets.add("a password", password);
    }
    secrets.add("a wrong password", "not the right one");
    secrets.add("a password in the wrong field", typed);
    for link in [link, other] {
        secrets.add("a link", &link);
    }
    secrets.add("a link of an address", &confirmation);
    secrets
}

#[test]
fn t_26_a_secret_is_found_wherever_it_was_planted() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let secret = "grün & geheim: 4711";
        let mut secrets = Secrets::default();
        secrets.add("a secret", secret);
        assert_eq!(secrets.in_store(&house.store), [""; 0]);
        assert_eq!(secrets.in_folder(house.folder.path(), &[]), [""; 0]);
        assert_eq!(secrets.in_text("the log", &heard()), [""; 0]);

        let in_base64 = STANDARD.encode(format!("It is {secret}, she said."));
        for planted in [format!("login/account/{secret}"), in_base64.clone()] {
            let (ids, now) = (house.ids.clone(), house.now());
            house.write(move |sql| {
                let insert = "INSERT INTO portal_attempt (id, counted, at) VALUES (?1, ?2, ?3)";
                sql.execute(insert, args![ids.uuid(), &planted, now]).map(drop)
            });
        }
        // Inside a message, which is kept compressed; base64 in lines, as mail has it.
        let (before, after) = in_base64.split_at(20);
        // So many of them that none stands there as it is.
        let words: String = (0..5_000_u64).map(|n| format!("{} ", n * 7_919)).collect();
        let head = format!("From: {CLAIRE}\r\nSubject: x\r\n\r\n{words}\r\n");
        spool(&house, format!("{head}{secret}\r\n{before}\r\n{after}\r\n").into_bytes());
        assert_eq!(
            secrets.in_store(&house.store),
            [
                "a secret is in the column portal_attempt.counted, as it is",
                "a secret is in the column portal_attempt.counted, in base64",
                "a secret is in the column raw_chunk.bytes, compressed, as it is",
                "a secret is in the column raw_chunk.bytes, compressed, in base64",
            ]
        );

        let folder = house.folder.path().join("temporary");
        fs::create_dir(&folder).expect("a folder");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let packed = zstd::encode_all(format!("{words}{secret}").as_bytes(), 1);
        let packed = packed.expect("it is packed");
        for (name, planted, how) in [
            ("1", secret.as_bytes(), "as it is"),
            ("2", b"x=gr%C3%BCn%20%26%20geheim%3A%204711&y", "percent-encoded"),
            ("3", b"x=gr%C3%BCn+%26+geheim%3A+4711&y", "as a form sends it"),
            ("4", b"gr=C3=BCn & gehe=\r\nim: 4711", "quoted-printable"),
            ("5", hex.as_bytes(), "in hexadecimal"),
            ("6", &[b"before", &packed[..]].concat(), "compressed, as it is"),
        ] {
            fs::write(folder.join(name), planted).expect("it is planted");
            let expected =
                format!("a secret is in the file {}, {how}", folder.join(name).display());
            assert_eq!(secrets.in_folder(&folder, &[]), [expected]);
            fs::remove_file(folder.join(name)).expect("it is taken away");
        }
        let found = secrets.in_folder(house.folder.path(), &[]);
        assert_eq!(
            found.iter().any(|one| one.contains("guichet.db")),
            !is_on_postgres,
            "{found:?}"
        );

        // Nothing else may say it: the log is that of all tests of this program.
        let told = format!("told {is_on_postgres}");
        let mut secrets = Secrets::default();
        secrets.add("a secret", &told);
        tracing::debug!(target: "guichet::portal", "it is {told}");
        assert_eq!(secrets.in_text("the log", &heard()), ["a secret is in the log, as it is"]);
    }
}

fn spool(house: &House, raw: Vec<u8>) {
    let message = RawMessage {
        mailbox: "support".to_owned(),
        origin: Origin::MaildirFile { base: house.ids.uuid() },
        arrived_at: house.now(),
        intake: Intake::Mailbox,
        raw,
    };
    let (arrival, now) = (Arrival::new(message, &house.ids), house.now());
    house.write(move |sql| {
        spool::spool(sql, std::slice::from_ref(&arrival), now, Acknowledge::Never).map(drop)
    });
}
