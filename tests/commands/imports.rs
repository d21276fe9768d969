//! `import` and `export`: tables of other programs come in, ours go out and come in again.

use std::fs;

use serde_json::Value;

use crate::support::{Database, Desk};
use crate::{CONTOSO, desk_on, fails, list, text};

/// A file of the desk.
fn table(desk: &Desk, name: &str, content: impl AsRef<[u8]>) {
    fs::write(desk.path().join(name), content).expect("it is written");
}

/// What an import counted, whatever its exit code.
fn counts(desk: &Desk, args: &[&str]) -> Value {
    let output = desk.run(&[&["import"], args, &["--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {said}"))
}

fn numbers(counts: &Value) -> [u64; 5] {
    ["rows", "created", "updated", "unchanged", "rejected"]
        .map(|field| counts[field].as_u64().expect("a number"))
}

fn state(desk: &Desk) -> String {
    desk.ok(&["export", "all"])
}

pub fn a_table_is_tried_taken_over_and_taken_again_without_a_change(on: Database) {
    let desk = desk_on(on);
    // Claire is there by her mail, under a derived name.
    table(
        &desk,
        "users.csv",
        "\u{feff}E-Mail;First Name;Last Name;Company;Mobile;Fax\r\n\
         CLAIRE.johnson@contoso.example;Clara;Jones;Contoso;;1\r\n\
         omar.ali@nowhere.example;;;;'+33 6;2\r\n\
         x@contoso.example;Xaver;;Unheard of;;3\r\n\
         nonsense;;;;;4\r\n\
         ;Nobody;;;;5\r\n\
         omar.ali@nowhere.example;Omar;Ali;;;6\r\n\
         y@contoso.example;a;b;c;d;e;f;g\r\n",
    );
    let before = state(&desk);
    let dry = counts(&desk, &["users", "users.csv", "--rejects", "dry.csv"]);
    assert_eq!(state(&desk), before, "a dry run writes nothing");
    assert_eq!((numbers(&dry), &dry["applied"]), ([7, 1, 1, 1, 4], &false.into()));
    let done = counts(&desk, &["users", "users.csv", "--apply", "--rejects", "rejects.csv"]);
    assert_eq!(numbers(&done), numbers(&dry), "what was said is what is done");
    let claire = desk.json(&["users", "show", "claire.johnson@contoso.example"]);
    assert_eq!((&claire["name"], &claire["derived"]), (&"Clara Jones".into(), &false.into()));
    let omar = desk.json(&["users", "show", "omar.ali@nowhere.example"]);
    for (field, value) in [
        ("name", Value::from("Omar Ali")),
        ("mobile", "+33 6".into()),
        ("site", "Unassigned".into()),
        ("made_by", "import".into()),
        // C-06: no mail unless it is asked for.
        ("credentials", "not_due".into()),
    ] {
        assert_eq!(omar[field], value, "{field}");
    }
    let rejects = fs::read_to_string(desk.path().join("rejects.csv")).expect("a file");
    assert_eq!(rejects.lines().count(), 5, "{rejects}");
    for part in
        ["no site `Unheard of`", "nonsense", "it has no address", "8 cells", "rejected_because"]
    {
        assert!(rejects.contains(part), "{part}: {rejects}");
    }
    // The same again changes nothing.
    let after = state(&desk);
    let again = counts(&desk, &["users", "users.csv", "--apply"]);
    assert_eq!(numbers(&again), [7, 0, 0, 3, 4]);
    assert_eq!(state(&desk), after);
    // What was rejected is corrected, with the site it names.
    let fixed = rejects.replace("nonsense", "n@contoso.example");
    table(&desk, "fixed.csv", fixed);
    let fixed = counts(&desk, &["users", "fixed.csv", "--apply", "--create-sites"]);
    assert_eq!(numbers(&fixed), [4, 3, 0, 0, 1]);
    assert_eq!(desk.json(&["users", "show", "x@contoso.example"])["site"], "Unheard of");
    assert_eq!(desk.json(&["sites", "show", "Unheard of"])["state"], "by hand");
    desk.audit();
}

pub fn empty_cells_leave_or_empty_and_the_deleted_come_back_only_when_asked_for(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    desk.ok(&[
        "users",
        "add",
        "a@contoso.example",
        "--name",
        "Ann Ay",
        "--phone",
        "12",
        "--no-mail",
    ]);
    desk.ok(&["users", "add", "b@contoso.example", "--name", "Bob Bee", "--no-mail"]);
    desk.ok(&["users", "delete", "b@contoso.example", "--yes"]);
    table(&desk, "t.csv", "email,phone,name\na@contoso.example,,\nb@contoso.example,3,Bob Back\n");
    assert_eq!(numbers(&counts(&desk, &["users", "t.csv", "--apply"])), [2, 0, 0, 1, 1]);
    assert_eq!(numbers(&counts(&desk, &["users", "t.csv", "--apply", "--clear"])), [2, 0, 1, 0, 1]);
    let ann = desk.json(&["users", "show", "a@contoso.example"]);
    assert_eq!((&ann["phone"], &ann["name"]), (&Value::Null, &"Ann Ay".into()));
    assert!(list(&desk, &["users", "list", "--q", "b@"]).is_empty(), "T-54");
    let revived = counts(&desk, &["users", "t.csv", "--apply", "--revive"]);
    assert_eq!((numbers(&revived), &revived["revived"]), ([2, 0, 0, 1, 0], &1.into()));
    assert_eq!(desk.json(&["users", "show", "b@contoso.example"])["name"], "Bob Back");
    // Two users are not made one by the way.
    table(
        &desk,
        "two.csv",
        "email,addresses\na@contoso.example,\"b@contoso.example; c@x.example\"\n",
    );
    let said = desk.run(&["import", "users", "two.csv"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("merge them first"));
    table(
        &desk,
        "more.csv",
        "email,addresses\nA@contoso.example,\"c@x.example, a+t@contoso.example\"\n",
    );
    assert_eq!(numbers(&counts(&desk, &["users", "more.csv", "--apply"])), [1, 0, 1, 0, 0]);
    assert_eq!(desk.json(&["users", "show", "c@x.example"])["name"], "Ann Ay");
    desk.audit();
}

pub fn tables_of_other_programs_are_known_by_their_columns(on: Database) {
    let utf_16: Vec<u8> = "\u{feff}login\tfirstname\tlastname\temail\torganization\tactive\r\n\
         zoe\tZoë\tMüller\tzoe@z.example\tContoso\tfalse\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let latin = b"Full name;Title;Email;Work phone;Company;Language\r\n\
        Zo\xeb M\xfcller;Leiterin;zoe@z.example;030;Contoso;German\r\n";
    let atera = "Customer Name,First Name,Last Name,Email,Job Title,Mobile Phone\n\
        Contoso,Zoë,Müller,zoe@z.example,Leiterin,0170\n";
    let resolve = "First name,Last name,Email,Company\nZoë,Müller,zoe@z.example,Contoso\n";
    for (profile, content, field, value) in [
        ("zammad", utf_16, "status", "disabled"),
        ("freshdesk", latin.to_vec(), "locale", "de"),
        ("atera", atera.into(), "mobile", "0170"),
        ("logmein-resolve", resolve.into(), "site", "Contoso"),
    ] {
        let desk = Desk::on(on, CONTOSO);
        table(&desk, "t.csv", content);
        let args = ["users", "t.csv", "--profile", profile, "--apply"];
        assert_eq!(numbers(&counts(&desk, &args)), [1, 1, 0, 0, 0], "{profile}");
        let zoe = desk.json(&["users", "show", "zoe@z.example"]);
        assert_eq!(zoe["name"], "Zoë Müller", "{profile}");
        assert_eq!((&zoe["site"], &zoe[field]), (&"Contoso".into(), &value.into()), "{profile}");
        assert_eq!(numbers(&counts(&desk, &args)), [1, 0, 0, 1, 0], "{profile}: again");
    }
}

pub fn what_cannot_be_imported_is_said(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    table(&desk, "t.csv", "Mail,Fax\na@x.example,1\n");
    table(&desk, "none.csv", "Fax,Street\n1,2\n");
    table(&desk, "empty.csv", "");
    table(&desk, "there.csv", "x");
    table(
        &desk,
        "bad.csv",
        "email,locale,access,status,agent\na@x.example,Klingon,,,\nb@x.example,,all,,\n\
         c@x.example,,,perhaps,\nd@x.example,,,,bob\ne@x.example,fr,full,active,Anna Weiss\n",
    );
    for (args, code, said) in [
        (&["import", "users", "nowhere.csv"][..], 66, "cannot be read"),
        (&["import", "users", "empty.csv"], 65, "no header row"),
        (&["import", "users", "none.csv"], 65, "--map 'Fax=email'"),
        (&["import", "users", "t.csv", "--map", "Fux=phone"], 2, "did you mean `Fax`?"),
        (&["import", "users", "t.csv", "--map", "Fax=fone"], 2, "the fields are"),
        (&["import", "users", "t.csv", "--profile", "osticket"], 2, "possible values"),
        (&["import", "users", "bad.csv", "--rejects", "there.csv"], 73, "not overwritten"),
        (&["export", "all", "-o", "csv"], 2, "no one table"),
        (&["export", "users", "--out", "there.csv"], 73, "not overwritten"),
        (&["export", "users", "--site", "Contosso"], 66, "did you mean"),
    ] {
        let stderr = fails(&desk, args, code);
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let stderr = fails(&desk, &["import", "users", "bad.csv", "--apply"], 1);
    for said in [
        "line 2: `Klingon` is no language",
        "line 3: `all` is no access",
        "line 4: `perhaps`",
        "line 5: there is no agent `bob`",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert_eq!(list(&desk, &["users", "list"]).len(), 1, "what is good is taken");
    table(
        &desk,
        "nobodys.csv",
        "email,name\nSupport+x@helpdesk.example,Desk\nanna@helpdesk.example,Anna\n\
         noreply@x.example,Robot\nOmar@x.example,Omar\nomar@x.example,Omar Ali\n",
    );
    for apply in [&["--apply"][..], &[]] {
        let args = [&["import", "users", "nobodys.csv"], apply].concat();
        let stderr = fails(&desk, &args, 1);
        for said in [
            "line 2: `Support+x@helpdesk.example` cannot be a user's: it is an address of one of our",
            "line 3: `anna@helpdesk.example` cannot be a user's: it is the address of an agent; ",
            "line 4: `noreply@x.example` cannot be a user's: it is an address that nobody reads",
            "line 6: `omar@x.example` is another spelling of an address of line 5",
        ] {
            assert!(stderr.contains(said), "C-08 {said}: {stderr}");
        }
    }
    let omar = desk.json(&["users", "show", "omar@x.example"]);
    assert_eq!((&omar["name"], &omar["access"]), (&"Omar".into(), &"full".into()));
    assert_eq!(
        numbers(&counts(&desk, &["users", "t.csv", "--map", "Fax=phone", "--apply"])),
        [1, 1, 0, 0, 0]
    );
    let piped =
        desk.run_with(&["import", "users", "-", "--apply", "--json"], b"email\np@x.example\n");
    let piped: Value = serde_json::from_slice(&piped.stdout).expect("it is JSON");
    assert_eq!(numbers(&piped), [1, 1, 0, 0, 0]);
}

pub fn t_41_what_is_exported_is_inert_and_is_imported_again(on: Database) {
    let desk = desk_on(on);
    desk.ok(&[
        "users",
        "add",
        "eve@evil.example",
        "--first",
        "=HYPERLINK(\"x\")",
        "--last",
        "+1",
        "--phone",
        "+49 30 1",
        "--department",
        "@sum",
        "--no-mail",
        "--locale",
        "fr",
    ]);
    desk.ok(&["users", "disable", "eve@evil.example"]);
    desk.ok(&[
        "sites",
        "add",
        "Nordwind",
        "--domain",
        "nordwind.example",
        "n.example",
        "--phone=-1",
    ]);
    desk.ok(&["users", "export", "--out", "users.csv"]);
    desk.ok(&["export", "sites", "--out", "sites.csv"]);
    let users = fs::read_to_string(desk.path().join("users.csv")).expect("a file");
    assert!(
        users.contains("\"'=HYPERLINK(\"\"x\"\")\"") && users.contains(",'+49 30 1,"),
        "{users}"
    );
    for file in ["users.csv", "sites.csv"] {
        let text = fs::read_to_string(desk.path().join(file)).expect("a file");
        for cell in text.split([',', '\n']) {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{file}: {cell}");
        }
    }
    // On this desk nothing differs, on another one all of it is made.
    let here = counts(&desk, &["users", "users.csv", "--apply"]);
    assert_eq!((&here["unchanged"], &here["rows"]), (&2.into(), &2.into()), "{here}");
    let sites = counts(&desk, &["sites", "sites.csv", "--apply"]);
    assert_eq!((&sites["unchanged"], &sites["rows"]), (&3.into(), &3.into()), "{sites}");
    let other = Desk::on(on, CONTOSO);
    for file in ["users.csv", "sites.csv"] {
        fs::copy(desk.path().join(file), other.path().join(file)).expect("a copy");
    }
    assert_eq!(numbers(&counts(&other, &["sites", "sites.csv", "--apply"])), [3, 1, 0, 2, 0]);
    assert_eq!(numbers(&counts(&other, &["users", "users.csv", "--apply"])), [2, 2, 0, 0, 0]);
    let eve = other.json(&["users", "show", "eve@evil.example"]);
    for (field, value) in [
        ("first_name", "=HYPERLINK(\"x\")"),
        ("last_name", "+1"),
        ("phone", "+49 30 1"),
        ("department", "@sum"),
        ("locale", "fr"),
        ("status", "disabled"),
    ] {
        assert_eq!(eve[field], value, "{field}");
    }
    let site = other.json(&["sites", "show", "Nordwind"]);
    assert_eq!((&site["phone"], &site["domains"][1]), (&"-1".into(), &"nordwind.example".into()));
    // Lines tell what each is, tickets with their texts and without what opens an account.
    let lines: Vec<Value> = desk
        .ok(&["export", "all"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let of = |what: &str| lines.iter().filter(|line| line["what"] == what).count();
    assert_eq!([of("site"), of("user"), of("ticket")], [3, 2, 1]);
    let ticket = lines.iter().find(|line| line["what"] == "ticket").expect("a ticket");
    assert!(text(&ticket["texts"][0]["body"]).contains("burns"));
    assert!(!desk.ok(&["export", "all"]).contains("argon2"));
    // One document, or one a line.
    for what in ["users", "sites", "tickets", "all"] {
        let rows = list(&desk, &["export", what]);
        assert!(!rows.is_empty(), "{what}");
        assert_eq!(desk.lines(&["export", what]), rows, "{what}");
    }
    assert_eq!(list(&desk, &["users", "export", "--site", "Nordwind"]), Vec::<Value>::new());
    let unknown = desk.run(&["users", "export", "--site", "Nowhere"]);
    assert_eq!((unknown.status.code(), unknown.stdout.len()), (Some(66), 0), "no header first");
    let tickets = desk.ok(&["export", "tickets", "-o", "csv"]);
    assert!(tickets.contains("'=HYPERLINK") && tickets.lines().count() == 2, "{tickets}");
    other.audit();
}

pub fn sites_are_imported_but_not_those_the_configuration_declares(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    table(
        &desk,
        "s.csv",
        "Customer Name,Domains,Phone\nContoso,other.example,1\nNordwind,\"nordwind.example, n.example\",2\n\
         Südwind,contoso.example,3\nOstwind,gmail.com,4\n,x.example,5\nNordwind,nordwind.example,2\n",
    );
    let args = ["sites", "s.csv", "--profile", "atera", "--apply"];
    let output = desk.run(&[&["import"], &args[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in [
        "line 2: the configuration declares it",
        "line 4: the domain `contoso.example` belongs to the site `Contoso`",
        "line 5: the domain `gmail.com`",
        "line 6: it has no name",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("\\n"), "{said}");
    assert_eq!(
        desk.json(&["sites", "show", "Nordwind"])["domains"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(desk.json(&["sites", "show", "Contoso"])["phone"], Value::Null);
    fails(&desk, &["sites", "show", "Südwind"], 66);
    desk.audit();
}

pub fn many_rows_are_taken_in_many_transactions_within_the_budgets(on: Database) {
    let desk = Desk::on(on, CONTOSO);
    let rows: String = (0..1_500)
        .map(|n| format!("user{n}@d{}.example,User,N{n},Site {}\n", n % 300, n % 7))
        .collect();
    table(&desk, "many.csv", format!("email,first name,last name,site\n{rows}"));
    let args = ["users", "many.csv", "--create-sites", "--send-credentials"];
    assert_eq!(numbers(&counts(&desk, &args)), [1_500, 1_500, 0, 0, 0]);
    assert!(list(&desk, &["users", "list"]).is_empty());
    let done = counts(&desk, &[&args[..], &["--apply"]].concat());
    assert_eq!(numbers(&done), [1_500, 1_500, 0, 0, 0]);
    // C-10: two hundred in an hour, the others wait.
    assert_eq!(
        (&done["credentials_queued"], &done["credentials_withheld"]),
        (&200.into(), &1_300.into())
    );
    assert_eq!(
        numbers(&counts(&desk, &[&args[..], &["--apply"]].concat())),
        [1_500, 0, 0, 1_500, 0]
    );
    desk.audit();
}
