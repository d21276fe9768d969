//! `users` and `sites`: people made, changed and deleted by hand, and where they belong.

use serde_json::Value;

use crate::support::{Desk, message};
use crate::{CONTOSO, desk, fails, list};

#[test]
fn a_user_made_by_hand_is_named_placed_and_invited() {
    let desk = Desk::new(CONTOSO);
    let derived = desk.json(&["users", "add", "omar.ben.ali@contoso.example"]);
    for (field, value) in [
        ("first_name", Value::from("Omar")),
        ("last_name", "Ben Ali".into()),
        ("name", "Omar Ben Ali".into()),
        ("derived", true.into()),
        ("site", "Contoso".into()),
        ("made_by", "hand".into()),
        ("credentials", "sent".into()),
    ] {
        assert_eq!(derived[field], value, "{field}");
    }
    let named =
        desk.json(&["users", "add", "x@y.example", "--name", "Ana Maria Silva", "--no-mail"]);
    for (field, value) in [
        ("first_name", Value::from("Ana")),
        ("last_name", "Maria Silva".into()),
        ("derived", false.into()),
        ("site", "Unassigned".into()),
        ("access", "full".into()),
        ("upgraded", false.into()),
        ("credentials", "not_due".into()),
    ] {
        assert_eq!(named[field], value, "{field}");
    }
    // C-08: a robot's address, a staff member's and our own are no user's.
    for address in ["no-reply@c.example", "anna@helpdesk.example", "support@helpdesk.example"] {
        for command in [
            &["users", "add", address][..],
            &["users", "add", "z@y.example", "--also", address],
            &["users", "set", "x@y.example", "--add-address", address],
        ] {
            let said = fails(&desk, command, 2);
            assert!(said.contains("cannot be a user's: it is "), "{command:?}: {said}");
        }
    }
    desk.ok(&["run", "--once"]);
    let sent = list(&desk, &["outbox", "list", "--state", "sent"]);
    assert_eq!(sent.len(), 1, "one was to be invited");
    assert_eq!(sent[0]["to"], "omar.ben.ali@contoso.example");
    desk.audit();
}

#[test]
fn c_10_users_made_by_hand_are_invited_within_the_budgets() {
    let desk = Desk::new("");
    for n in 0..20 {
        assert!(
            desk.ok(&["users", "add", &format!("u{n}@contoso.example")]).contains("queued"),
            "{n}"
        );
    }
    let user = desk.json(&["users", "add", "u20@contoso.example"]);
    assert_eq!(
        (&user["credentials"], &user["credentials_withheld"]),
        (&"due".into(), &"C-10".into())
    );
    assert!(desk.ok(&["users", "add", "u@other.example"]).contains("queued"));
    let off = ["--set", "credentials.send=false"];
    let said = desk.ok(&[&off[..], &["users", "add", "v@other.example"]].concat());
    assert!(said.contains("credentials.send"), "{said}");
}

#[test]
fn m_43_an_address_has_one_user_and_keeps_it() {
    let desk = desk();
    let said = fails(
        &desk,
        &["users", "add", "x@y.example", "--also", "CLAIRE.johnson+t@contoso.example"],
        1,
    );
    assert!(said.contains("belongs to the user `Claire Johnson`"), "{said}");
    assert!(list(&desk, &["users", "list", "--q", "x@y"]).is_empty(), "all or nothing");

    let question = fails(&desk, &["users", "delete", "claire.johnson@contoso.example"], 2);
    assert!(question.contains("--yes"), "{question}");
    desk.ok(&["users", "delete", "claire.johnson@contoso.example", "--yes"]);
    let said = fails(&desk, &["users", "add", "claire.johnson@contoso.example"], 1);
    assert!(said.contains("the deleted user"), "{said}");
    fails(&desk, &["users", "set", "claire.johnson@contoso.example", "--phone", "1"], 1);
    fails(&desk, &["users", "delete", "claire.johnson@contoso.example", "--yes"], 1);
    // T-54: mail revives nobody.
    let again = message("claire.johnson@contoso.example", "New", "9@contoso.example", "", "Hello");
    desk.deliver("1767700000.9.a", &again);
    desk.ok(&["run", "--once"]);
    assert_eq!(list(&desk, &["users", "list", "--status", "deleted"]).len(), 1);
    assert!(list(&desk, &["users", "list"]).is_empty());
    desk.audit();
}

#[test]
fn a_user_is_changed_field_by_field() {
    let desk = Desk::new(CONTOSO);
    desk.ok(&[
        "users",
        "add",
        "omar@a.example",
        "--phone",
        "12",
        "--access",
        "limited",
        "--no-mail",
    ]);
    let who = "omar@a.example";
    let said = desk.ok(&[
        "users",
        "set",
        who,
        "--name",
        "Omar Ali",
        "--phone",
        "",
        "--mobile",
        "34",
        "--access",
        "full",
        "--site",
        "Contoso",
        "--department",
        "Sales",
        "--job-title",
        "Buyer",
        "--agent",
        "anna@helpdesk.example",
        "--locale",
        "fr",
        "--tickets",
        "off",
        "--status",
        "disabled",
        "--add-address",
        "o@b.example",
        "--main-address",
        "o@b.example",
        "--remove-address",
        who,
    ]);
    assert!(
        said.contains("access: limited → full") && said.contains("phone: 12 → nothing"),
        "{said}"
    );
    let user = desk.json(&["users", "show", "o@b.example"]);
    for (field, value) in [
        ("name", Value::from("Omar Ali")),
        ("derived", false.into()),
        ("phone", Value::Null),
        ("mobile", "34".into()),
        ("access", "full".into()),
        ("site", "Contoso".into()),
        ("site_placed", true.into()),
        ("department", "Sales".into()),
        ("job_title", "Buyer".into()),
        ("agent", "anna@helpdesk.example".into()),
        ("locale", "fr".into()),
        ("no_tickets", true.into()),
        ("status", "disabled".into()),
        ("addresses", vec!["o@b.example"].into()),
    ] {
        assert_eq!(user[field], value, "{field}");
    }
    let id = user["id"].as_str().expect("an id");
    assert!(desk.ok(&["users", "set", id, "--access", "full"]).contains("is so already"));
    let last = fails(&desk, &["users", "set", id, "--remove-address", "o@b.example"], 1);
    assert!(last.contains("last address"), "{last}");
    fails(&desk, &["users", "show", who], 66);
    let some = |args: &[&str]| list(&desk, &[&["users", "list"], args].concat()).len();
    assert_eq!(
        [some(&["--site", "Contoso"]), some(&["--access", "limited"]), some(&["--q", "%"])],
        [1, 0, 0]
    );
    assert_eq!([some(&["--status", "disabled"]), some(&["--q", "OMAR"])], [1, 1]);
}

#[test]
fn m_110_those_whom_nobody_placed_are_matched_again() {
    let desk = Desk::new("");
    desk.ok(&["users", "add", "a@contoso.example", "--no-mail"]);
    desk.ok(&["users", "add", "b@contoso.example", "--no-mail", "--site", "Unassigned"]);
    let domains = list(&desk, &["sites", "unmatched"]);
    assert_eq!(
        (&domains[0]["domain"], &domains[0]["users"]),
        (&"contoso.example".into(), &2.into())
    );
    desk.configure(CONTOSO);
    for (args, moved) in [
        (&["sites", "rematch", "-n"][..], 1),
        (&["sites", "rematch"], 1),
        (&["sites", "rematch"], 0),
    ] {
        assert_eq!(list(&desk, args).len(), moved, "{args:?}");
    }
    let site = |who| desk.json(&["users", "show", who])["site"].clone();
    assert_eq!([site("a@contoso.example"), site("b@contoso.example")], ["Contoso", "Unassigned"]);
    assert!(desk.ok(&["sites", "match", "b@contoso.example"]).contains("stays there (M-110)"));
    assert_eq!(desk.json(&["sites", "match", "x@gmail.com"])["rule"], "M-108");
}
