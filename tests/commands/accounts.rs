//! Accounts as admins handle them: upgraded, ended, merged, told how to log in; and sites made by hand.

use std::fs;

use serde_json::Value;

use crate::support::{Database, Desk, message};
use crate::{CONTOSO, desk_on, fails, list, text};

const CLAIRE: &str = "claire.johnson@contoso.example";

pub(crate) fn credentials_to(desk: &Desk, to: &str) -> Vec<Value> {
    let mails = list(desk, &["outbox", "list", "--to", to]);
    mails.into_iter().filter(|mail| mail["template"] != "ticket_received").collect()
}

/// The links to log in by that stand in the mails that were sent, without what is before the token.
pub(crate) fn links(desk: &Desk) -> Vec<String> {
    let mut links = Vec::new();
    for mail in desk.sent() {
        let text = String::from_utf8_lossy(&mail).replace("=\r\n", "").replace("=3D", "=");
        for (at, found) in text.match_indices("/portal/activate/") {
            let token = text[at + found.len()..].chars();
            let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            links.push(token.take_while(is_part).collect());
        }
    }
    links
}

pub fn who_is_added_by_hand_after_a_mail_made_them_is_the_same_user(on: Database) {
    let desk = desk_on(on);
    let before = desk.json(&["users", "show", CLAIRE]);
    let add = ["users", "add", CLAIRE, "--name", "Clara Jones", "--phone", "12"];
    let after = desk.json(&add);
    for (field, value) in [
        ("id", before["id"].clone()),
        ("upgraded", true.into()),
        ("name", "Clara Jones".into()),
        ("derived", false.into()),
        ("access", "full".into()),
        ("phone", "12".into()),
        ("site", before["site"].clone()),
    ] {
        assert_eq!(after[field], value, "{field}");
    }
    assert_eq!(list(&desk, &["tickets", "list", "--user", CLAIRE]).len(), 1, "tickets stay");
    assert_eq!(credentials_to(&desk, CLAIRE).len(), 1, "what she was sent still works");
    // Upgraded, disabled, deleted: each is refused with the way out.
    let refused = |hint: &str| {
        let said = fails(&desk, &add, 1);
        assert!(said.contains(hint), "{said}");
    };
    refused("`guichet users set claire.johnson@contoso.example …` changes them");
    desk.ok(&["users", "disable", CLAIRE]);
    refused("`guichet users enable claire.johnson@contoso.example`");
    desk.ok(&["users", "delete", CLAIRE, "--yes"]);
    refused("`--revive`");
    desk.audit();
}

pub fn a_user_made_by_mail_is_upgraded_in_place_and_told_once(on: Database) {
    let desk = desk_on(on);
    let before = desk.json(&["users", "show", CLAIRE]);
    assert_eq!((&before["access"], &before["derived"]), (&"limited".into(), &true.into()));
    let upgrade = ["users", "set", CLAIRE, "--access", "full", "--name", "Clara Jones"];
    // What she was sent still works, so she gets no second mail.
    assert!(desk.ok(&upgrade).contains("still works"));
    let after = desk.json(&["users", "show", CLAIRE]);
    assert_eq!(after["id"], before["id"]);
    for (field, value) in [("access", "full"), ("name", "Clara Jones")] {
        assert_eq!(after[field], value, "{field}");
    }
    assert_eq!(after["derived"], false);
    assert_eq!(list(&desk, &["tickets", "list", "--user", CLAIRE]).len(), 1, "tickets stay");
    assert_eq!(credentials_to(&desk, CLAIRE).len(), 1);

    // Who was made without credentials gets them with the upgrade, once.
    desk.ok(&["users", "add", "omar@contoso.example", "--access", "limited", "--no-mail"]);
    let upgrade = ["users", "set", "omar@contoso.example", "--access", "full"];
    assert!(desk.ok(&upgrade).contains("queued as mail"));
    desk.ok(&["users", "set", "omar@contoso.example", "--access", "limited"]);
    assert!(desk.ok(&upgrade).contains("still works"));
    assert_eq!(credentials_to(&desk, "omar@contoso.example").len(), 1);
    // Not when it is not wished; and whoever is added with full access is told at once.
    desk.ok(&["users", "add", "nina@contoso.example", "--access", "limited", "--no-mail"]);
    desk.ok(&["users", "set", "nina@contoso.example", "--access", "full", "--no-mail"]);
    assert!(credentials_to(&desk, "nina@contoso.example").is_empty());
    desk.ok(&["users", "add", "otto@contoso.example"]);
    assert_eq!(credentials_to(&desk, "otto@contoso.example").len(), 1);
    desk.ok(&["run", "--once"]);
    desk.audit();
}

pub fn t_54_a_user_who_is_disabled_or_deleted_gets_nothing_by_writing(on: Database) {
    let desk = desk_on(on);
    let write = |n: u32| {
        let id = format!("{n}@contoso.example");
        let new = message(CLAIRE, &format!("About {n}"), &id, "", "Hello again");
        desk.deliver(&format!("1767700000.{n}.a"), &new);
        desk.ok(&["run", "--once"]);
    };
    let tickets = || list(&desk, &["tickets", "list"]);
    assert!(desk.ok(&["users", "disable", CLAIRE]).contains("was active"));
    assert_eq!(desk.json(&["users", "show", CLAIRE])["status"], "disabled");
    write(11);
    assert_eq!((tickets().len(), &tickets()[0]["user"]), (2, &Value::Null), "a ticket, no user");
    assert!(desk.ok(&["users", "enable", CLAIRE]).contains("was disabled"));
    write(12);
    assert_eq!(tickets()[0]["user_name"], "Claire Johnson");
    desk.ok(&["users", "delete", CLAIRE, "--yes"]);
    write(13);
    assert_eq!((tickets().len(), &tickets()[0]["user"]), (4, &Value::Null));
    assert!(list(&desk, &["users", "list"]).is_empty(), "nobody was made anew");
    assert_eq!(credentials_to(&desk, CLAIRE).len(), 1, "only those from before");
    for command in ["disable", "enable", "reset-password", "send-credentials"] {
        fails(&desk, &["users", command, CLAIRE], 1);
    }
    for show in [&[][..], &["--show"]] {
        let said = fails(&desk, &[&["users", "reset-password", CLAIRE], show].concat(), 1);
        assert!(said.contains("--revive") && !said.contains("users enable"), "{said}");
    }
    // Asked for, she is a user again, with the tickets that were kept.
    let said = fails(&desk, &["users", "add", CLAIRE], 1);
    assert!(said.contains("--revive"), "{said}");
    desk.ok(&["users", "add", CLAIRE, "--revive", "--no-mail", "--name", "Claire Back"]);
    assert_eq!(desk.json(&["users", "show", CLAIRE])["name"], "Claire Back");
    assert_eq!(list(&desk, &["tickets", "list", "--user", CLAIRE]).len(), 2);
    write(14);
    assert_eq!(tickets()[0]["user_name"], "Claire Back");
    desk.audit();
}

pub fn t_56_a_name_made_of_an_address_is_plain_text(on: Database) {
    let desk = desk_on(on);
    let from = "www.evil.com@contoso.example";
    desk.deliver("1767700000.7.a", &message(from, "Hi", "7@contoso.example", "", "Hello"));
    desk.ok(&["run", "--once"]);
    let user = desk.json(&["users", "show", from]);
    assert_eq!(user["name"], "Www Evil Com");
    let long = format!("{}@contoso.example", "a".repeat(64));
    desk.deliver("1767700000.8.a", &message(&long, "Hi", "8@contoso.example", "", "Hello"));
    desk.ok(&["run", "--once"]);
    let name = text(&desk.json(&["users", "show", &long])["first_name"]);
    assert!(name.chars().count() <= 64, "{name}");
    for mail in desk.sent() {
        let mail = String::from_utf8_lossy(&mail).to_lowercase();
        assert!(!mail.contains("href=\"http://www.evil") && !mail.contains("//www.evil"), "{mail}");
    }
}

pub fn tickets_of_a_deleted_user_stay_go_or_lose_their_name(on: Database) {
    for (what, stays) in [("anonymize", true), ("delete", false)] {
        let desk = desk_on(on);
        let question = fails(&desk, &["users", "delete", CLAIRE, "--tickets", what], 2);
        assert!(question.contains("--yes"), "{question}");
        desk.ok(&["tickets", "set", "1", "--tag", "claire-johnson", "fire"]);
        // Kept at first, cleared later.
        desk.ok(&["users", "delete", CLAIRE, "--yes"]);
        fails(&desk, &["users", "delete", CLAIRE, "--yes"], 1);
        let said = desk.ok(&["users", "delete", CLAIRE, "--tickets", what, "--yes"]);
        assert!(said.contains("cleared: 1 ticket, 2 messages"), "{said}");
        let listed = list(&desk, &["tickets", "list"]);
        assert_eq!(listed.len(), usize::from(stays));
        let everything = [
            desk.ok(&["export", "all"]),
            desk.ok(&["log", "--json"]),
            desk.ok(&["outbox", "list", "--json"]),
            desk.ok(&["held", "list", "--json"]),
        ];
        for said in &everything {
            assert!(!said.to_lowercase().contains("claire"), "{what}: {said}");
        }
        assert_eq!(everything[0].contains("burns"), stays, "{what}");
        for mail in list(&desk, &["outbox", "list"]) {
            let shown = desk.ok(&["outbox", "show", &mail["id"].to_string()]);
            assert!(!shown.to_lowercase().contains("claire"), "{what}: {shown}");
        }
        if stays {
            let shown = desk.json(&["tickets", "show", "1"]);
            assert_eq!(shown["tags"], serde_json::json!(["fire"]));
            assert!(!shown.to_string().to_lowercase().contains("claire"), "{shown}");
            let raw = desk.ok(&["tickets", "raw", "1"]);
            assert!(raw.contains("was removed") && !raw.contains("aGVsbG8K"), "{raw}");
        }
        // The same mail again is still known.
        let again = message(
            CLAIRE,
            "Re: fire",
            "2@contoso.example",
            "In-Reply-To: <1@contoso.example>\r\n",
            "Out.",
        );
        desk.deliver("1767600009.2.a", &again);
        desk.ok(&["run", "--once"]);
        let newest = &list(&desk, &["log", "--limit", "1"])[0];
        assert_eq!(newest["reason"], "duplicate", "{what}: {newest}");
        desk.audit();
        desk.ok(&["db", "verify"]);
    }
}

pub fn two_accounts_of_one_person_become_one(on: Database) {
    let desk = desk_on(on);
    let home = "claire@home.example";
    desk.deliver("1767700000.5.a", &message(home, "From home", "5@home.example", "", "Me too"));
    desk.ok(&["run", "--once"]);
    let said = desk.ok(&["users", "merge", home, CLAIRE, "-n"]);
    assert!(said.contains("would become"), "{said}");
    fails(&desk, &["users", "merge", home, CLAIRE], 2);
    let from = text(&desk.json(&["users", "show", home])["id"]);
    let into = text(&desk.json(&["users", "show", CLAIRE])["id"]);
    let merged = desk.json(&["users", "merge", home, CLAIRE, "--yes"]);
    assert_eq!((&merged["addresses"], &merged["tickets"]), (&1.into(), &1.into()));
    let user = desk.json(&["users", "show", home]);
    assert_eq!((&user["id"], &user["addresses"][1]), (&into.clone().into(), &home.into()));
    assert_eq!(desk.json(&["users", "show", &from])["merged_into"], into);
    assert_eq!(list(&desk, &["tickets", "list", "--user", CLAIRE]).len(), 2);
    desk.deliver("1767700001.6.a", &message(home, "Again", "6@home.example", "", "From home"));
    desk.ok(&["run", "--once"]);
    let tickets = list(&desk, &["tickets", "list", "--user", CLAIRE]);
    assert_eq!((tickets.len(), &tickets[0]["user"]), (3, &into.into()));
    fails(&desk, &["users", "merge", &from, CLAIRE, "--yes"], 1);
    fails(&desk, &["users", "merge", CLAIRE, home, "--yes"], 1);
    fails(&desk, &["users", "delete", &from, "--yes"], 1);
    fails(&desk, &["users", "merge", CLAIRE, "nobody@home.example", "--yes"], 66);
    desk.audit();
}

pub fn t_26_a_password_is_reset_by_mail_or_by_telephone_and_nothing_is_kept_of_it(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    desk.ok(&["users", "add", CLAIRE, "--no-mail"]);
    let dry = desk.ok(&["users", "reset-password", CLAIRE, "-n"]);
    assert!(dry.contains("would be queued"), "{dry}");
    assert!(credentials_to(&desk, CLAIRE).is_empty());
    assert!(desk.ok(&["users", "reset-password", CLAIRE]).contains("is queued as mail"));
    assert_eq!(credentials_to(&desk, CLAIRE)[0]["template"], "password_reset");
    // C-10: one a day.
    let said = fails(&desk, &["users", "reset-password", CLAIRE], 1);
    assert!(said.contains("(C-10)") && said.contains("--show"), "{said}");
    // By telephone: alone on standard output, and once.
    let shown = desk.run(&["users", "reset-password", CLAIRE, "--show"]);
    let link = String::from_utf8(shown.stdout).expect("it is UTF-8");
    let token = link.trim().strip_prefix("https://help.example.com/portal/activate/");
    let token = token.unwrap_or_else(|| panic!("{link}")).to_owned();
    assert_eq!((token.len(), link.lines().count()), (43, 1), "{link}");
    let password = desk.ok(&["users", "reset-password", CLAIRE, "--show=password"]);
    assert_eq!(password.trim().len(), 16, "{password}");
    let asked = desk.json(&["users", "reset-password", CLAIRE, "--show"]);
    assert_eq!(asked["kind"], "link");
    for (mode, wanted, code) in [
        ("link", "--show=password", 2),
        ("temporary_password", "--show=link", 2),
        ("none", "--show", 2),
    ] {
        let set = format!("credentials.mode={mode}");
        let said = fails(&desk, &["users", "reset-password", CLAIRE, wanted, "--set", &set], code);
        assert_eq!(said.contains("leave the kind out"), mode != "none", "{mode}: {said}");
    }
    desk.ok(&["users", "add", "otto@contoso.example"]);
    let csv = desk.path().join("users.csv");
    fs::write(&csv, "email\nnina@contoso.example\n").expect("it is written");
    desk.ok(&["import", "users", "users.csv", "--apply", "--send-credentials"]);
    desk.ok(&["run", "--once"]);
    let mut secrets = links(&desk);
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 3, "one for each mail");
    secrets.extend([token, password.trim().to_owned()]);
    secrets.push(text(&asked["secret"]).rsplit('/').next().expect("a token").to_owned());
    for secret in secrets {
        assert_eq!(desk.keeps(&secret), None, "{secret} is kept");
    }
    desk.audit();
}

pub fn credentials_by_hand_are_refused_by_name(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    for (who, code) in [
        ("disabled@contoso.example", "C-07"),
        ("no-reply@contoso.example", "C-08"),
        ("anna@helpdesk.example", "C-08"),
        ("support@helpdesk.example", "C-08"),
        ("bounced@contoso.example", "C-12"),
    ] {
        if code == "C-08" {
            // A user's before it became an agent's, or ours.
            desk.ok(&["users", "add", "before@contoso.example", "--no-mail"]);
            desk.execute(&format!(
                "UPDATE person_address SET address = '{who}', address_key = '{who}' \
                 WHERE address_key = 'before@contoso.example'"
            ));
        } else {
            desk.ok(&["users", "add", who, "--no-mail"]);
        }
        if code == "C-07" {
            desk.ok(&["users", "disable", who]);
        }
        if code == "C-12" {
            desk.execute(&format!(
                "UPDATE person_address SET undeliverable = 1 WHERE address_key = '{who}'"
            ));
        }
        let said = fails(&desk, &["users", "reset-password", who], 1);
        assert!(said.contains(&format!("({code})")), "{who}: {said}");
        let output = desk.run(&["users", "send-credentials", who, "--json"]);
        let rows: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        assert_eq!((output.status.code(), &rows[0]["withheld"][0]), (Some(1), &code.into()));
    }
    // None of what is only about a message applies by hand: she was made without (C-06).
    desk.ok(&["users", "add", "nina@contoso.example", "--no-mail"]);
    let two = ["users", "send-credentials", "nina@contoso.example", "no-reply@contoso.example"];
    assert!(
        String::from_utf8_lossy(&desk.run(&[&two[..], &["-n"]].concat()).stdout)
            .contains("would be")
    );
    assert!(credentials_to(&desk, "nina@contoso.example").is_empty());
    assert_eq!(desk.run(&two).status.code(), Some(1), "one of two");
    assert_eq!(credentials_to(&desk, "nina@contoso.example").len(), 1);
    for (args, code, said) in [
        (&["users", "send-credentials"][..], 2, "--due"),
        (
            &["users", "send-credentials", "nina@contoso.example", "--template", "nope"],
            66,
            "no template",
        ),
        (
            &["users", "send-credentials", "nina@contoso.example", "--template", "ticket_received"],
            2,
            "neither",
        ),
        (&["users", "send-credentials", "nobody@contoso.example"], 66, "no user"),
        (&["users", "reset-password", "nobody@contoso.example"], 66, "no user"),
        (
            &["users", "reset-password", "nina@contoso.example", "--set", "credentials.mode=none"],
            1,
            "credentials.mode",
        ),
    ] {
        let stderr = fails(&desk, args, code);
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    // Who is due them gets them with the next call.
    let off = ["--set", "credentials.send=false"];
    desk.ok(&[&off[..], &["users", "add", "due@other.example"]].concat());
    let rows = list(&desk, &["users", "send-credentials", "--due"]);
    assert_eq!((rows.len(), &rows[0]["address"]), (1, &"due@other.example".into()));
    assert!(list(&desk, &["users", "send-credentials", "--due"]).is_empty());
    // So does who was imported without them (C-06), but not who was made without a mail for good.
    let table = "email\nimported@other.example\n";
    desk.run_with(&["import", "users", "-", "--apply"], table.as_bytes());
    desk.ok(&["users", "add", "quiet@other.example", "--no-mail"]);
    let rows = list(&desk, &["users", "send-credentials", "--due"]);
    assert_eq!((rows.len(), &rows[0]["address"]), (1, &"imported@other.example".into()));
    assert!(list(&desk, &["users", "send-credentials", "--due"]).is_empty());
    desk.audit();
}

pub fn sites_are_made_changed_and_deleted_by_hand(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    let said = desk.ok(&[
        "sites",
        "add",
        "Nordwind",
        "--domain",
        "nordwind.example",
        "NÖRD.example",
        "--address",
        "boss@gmail.com",
        "--primary-user",
        "it@nordwind.example",
        "--locale",
        "de",
        "--phone",
        "+49 30 1",
        "--credentials",
        "off",
    ]);
    assert!(said.contains("added the site `Nordwind`"), "{said}");
    let site = desk.json(&["sites", "show", "Nordwind"]);
    for (field, value) in [
        ("state", Value::from("by hand")),
        ("domains", vec!["nordwind.example", "xn--nrd-sna.example"].into()),
        ("addresses", vec!["boss@gmail.com"].into()),
        ("primary_users", vec!["it@nordwind.example"].into()),
        ("locale", "de".into()),
        ("phone", "+49 30 1".into()),
        ("credentials", false.into()),
    ] {
        assert_eq!(site[field], value, "{field}");
    }
    desk.ok(&["users", "add", "ida@nordwind.example", "--no-mail"]);
    assert_eq!(desk.json(&["users", "show", "ida@nordwind.example"])["site"], "Nordwind");
    let id = text(&desk.json(&["users", "show", "ida@nordwind.example"])["id"]);
    desk.ok(&[
        "sites",
        "set",
        "Nordwind",
        "--name",
        "Nordwind AG",
        "--remove-domain",
        "nörd.example",
        "--primary-user",
        &id,
        "--remove-primary-user",
        "it@nordwind.example",
        "--phone",
        "",
        "--credentials",
        "on",
    ]);
    let site = desk.json(&["sites", "show", "Nordwind AG"]);
    for (field, value) in [
        ("domains", Value::from(vec!["nordwind.example"])),
        ("primary_users", vec!["ida@nordwind.example"].into()),
        ("phone", Value::Null),
        ("credentials", true.into()),
    ] {
        assert_eq!(site[field], value, "{field}");
    }
    for (args, code, said) in [
        (&["sites", "add", "Nordwind AG"][..], 1, "already"),
        (&["sites", "add", "X", "--domain", "contoso.example"], 1, "`Contoso`"),
        (&["sites", "add", "X", "--domain", "gmail.com"], 2, "addresses"),
        (&["sites", "add", "X", "--domain", "co.uk"], 2, "public suffix"),
        (&["sites", "add", "X", "--primary-user", "nobody"], 66, "no user"),
        (&["sites", "set", "Contoso", "--phone", "1"], 1, "guichet.toml:"),
        (&["sites", "delete", "Contoso", "--yes"], 1, "guichet.toml:"),
        (&["sites", "set", "Unassigned", "--phone", "1"], 1, "sites.default"),
        (&["sites", "set", "Nordwind AG"], 2, "nothing is to be changed"),
        (&["sites", "set", "Nordwind AG", "--remove-domain", "x.example"], 1, "has no domain"),
        (&["sites", "set", "Nordwnd AG", "--phone", "1"], 66, "did you mean `Nordwind AG`?"),
        (&["sites", "delete", "Nordwind AG", "--yes"], 1, "--move-to"),
        (
            &["sites", "delete", "Nordwind AG", "--move-to", "Nordwind AG", "--yes"],
            1,
            "name another",
        ),
        (&["sites", "delete", "Nordwind AG"], 2, "--yes"),
    ] {
        let stderr = fails(&desk, args, code);
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let moved = desk.json(&["sites", "delete", "Nordwind AG", "--move-to", "Contoso", "--yes"]);
    assert_eq!((&moved["users"], &moved["moved_to"]), (&1.into(), &"Contoso".into()));
    assert_eq!(desk.json(&["users", "show", "ida@nordwind.example"])["site"], "Contoso");
    // What the configuration drops is retired, and may be taken up by hand.
    desk.configure("");
    assert_eq!(desk.json(&["sites", "show", "Contoso"])["state"], "retired");
    assert!(fails(&desk, &["sites", "set", "Contoso", "--phone", "1"], 1).contains("sites add"));
    desk.ok(&["sites", "add", "Contoso", "--domain", "contoso.example"]);
    assert_eq!(desk.json(&["sites", "match", "x@contoso.example"])["site"], "Contoso");
    desk.audit();
}
