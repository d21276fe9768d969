//! Whose template wins (interfaces §7): the site's, the mailbox's, then the desk's, each in the
//! reader's language, the site's, the desk's.

use super::*;

// The subject says which file it is.
fn desk(files: &[&str]) -> Desk {
    let content: Vec<(&str, String)> =
        files.iter().map(|file| (*file, format!("Subject: {file}\n\nx\n"))).collect();
    let files: Vec<(&str, &str)> =
        content.iter().map(|(file, content)| (*file, content.as_str())).collect();
    Desk::new(&files)
}

fn found(templates: &Templates, reader: Reader<'_>) -> String {
    let template = templates.find_for("welcome", reader).expect("there is one");
    templates.render(template, &sample()).expect("it renders").subject
}

const ALL: [&str; 7] = [
    "sites/contoso/welcome.fr.txt",
    "sites/contoso/welcome.en.txt",
    "mailboxes/support/welcome.de.txt",
    "mailboxes/support/welcome.fr.txt",
    "welcome.de.txt",
    "welcome.fr.txt",
    "welcome.en.txt",
];

#[test]
fn the_narrower_owner_wins_then_the_readers_language() {
    let templates = desk(&ALL).load();
    let reader = |site, mailbox, locales| found(&templates, Reader { site, mailbox, locales });
    let (contoso, support) = (Some("Contoso"), Some("support"));
    // A site's own text wins in any language that is asked for, even over the reader's own.
    assert_eq!(reader(contoso, support, &["de", "fr", "en"]), "sites/contoso/welcome.fr.txt");
    assert_eq!(reader(contoso, support, &["de", "", "en"]), "sites/contoso/welcome.en.txt");
    // English that nobody asked for is no reason to leave the mailbox's German.
    assert_eq!(reader(contoso, support, &["de", "", "de"]), "mailboxes/support/welcome.de.txt");
    assert_eq!(reader(Some("Other"), support, &["fr"]), "mailboxes/support/welcome.fr.txt");
    assert_eq!(reader(None, Some("sales"), &["de", "fr"]), "welcome.de.txt");
    assert_eq!(reader(None, None, &["it", "fr", "en"]), "welcome.fr.txt");
    assert_eq!(reader(None, None, &["ja"]), "welcome.en.txt");
}

#[test]
fn a_region_comes_before_its_language_and_each_owner_is_asked_for_all() {
    let templates = desk(&["sites/contoso/welcome.fr.txt", "welcome.fr-CA.txt"]).load();
    let site = Some("Contoso");
    let reader = |site, locales| found(&templates, Reader { site, mailbox: None, locales });
    assert_eq!(reader(site, &["fr_CA"]), "sites/contoso/welcome.fr.txt");
    assert_eq!(reader(None, &["fr_CA"]), "welcome.fr-CA.txt");
}

#[test]
fn the_places_are_told_in_the_order_they_are_looked_at() {
    let templates = desk(&ALL).load();
    let reader =
        Reader { site: Some("Fabrikam"), mailbox: Some("support"), locales: &["fr-BE", "de"] };
    let told: Vec<String> = templates
        .places("welcome", reader)
        .iter()
        .map(|place| {
            let there = if place.template.is_some() { " there" } else { "" };
            format!("{} {}{there}", place.owner, place.locale)
        })
        .collect();
    assert_eq!(
        told,
        [
            "site fabrikam fr-be",
            "site fabrikam fr",
            "site fabrikam de",
            "mailbox support fr-be",
            "mailbox support fr there",
            "mailbox support de there",
            "desk fr-be",
            "desk fr there",
            "desk de there",
            "desk en there",
        ]
    );
}

#[test]
fn a_folder_is_named_after_its_owner_whatever_the_case() {
    assert_eq!(folder_of(" ACME/Nord "), "acme-nord");
    let templates = desk(&["sites/ACME-Nord/welcome.en.txt"]).load();
    let reader = Reader { site: Some("Acme/Nord"), mailbox: None, locales: &["en"] };
    assert_eq!(found(&templates, reader), "sites/ACME-Nord/welcome.en.txt");
}

#[test]
fn what_nobody_would_ever_read_is_a_warning() {
    let desk = desk(&["mailboxes/suport/welcome.en.txt", "sites/welcome.en.txt", "welcome.en.txt"]);
    let templates = desk.load();
    let warnings: Vec<String> =
        templates.warnings().iter().map(|problem| desk.short(problem)).collect();
    assert_eq!(
        warnings,
        [
            "mailboxes/suport:1:1: no mailbox is called `suport` | did you mean `support`?",
            "sites/welcome.en.txt:1:1: no mail is written with `welcome.en.txt` as it stands here \
             | put it into a folder of the right name below `sites`",
        ]
    );
}

#[test]
fn a_sites_template_is_checked_like_any_other() {
    let desk = Desk::new(&[("sites/contoso/welcome.en.txt", "Subject: x\n\n{{ user.nme }}\n")]);
    assert_eq!(
        desk.problems(),
        ["sites/contoso/welcome.en.txt:3:4: `user.nme` is no name a template can use \
          | did you mean `user.name`?"]
    );
}
