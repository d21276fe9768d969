use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::portal::words::Locale;

fn library(files: &[(&str, &str)]) -> (tempfile::TempDir, Articles, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let (articles, wrong) = read(folder.path(), Some(Locale::En)).expect("the folder is there");
    (folder, articles, wrong.iter().map(Flaw::to_string).collect())
}

fn titles(found: &[&Article]) -> Vec<String> {
    found.iter().map(|article| article.title.clone()).collect()
}

#[test]
fn an_article_is_read_by_its_site_alone_and_in_the_readers_language() {
    let (_folder, articles, wrong) = library(&[
        ("vpn.md", "# VPN\n\nHow to connect."),
        ("vpn.fr.md", "# Le VPN\n\nSe connecter."),
        ("vpn.de.md", "# Das VPN"),
        ("Contoso/wifi.fr.md", "Le réseau.\n\n## Wi-Fi chez Contoso\n"),
        ("v1.2.md", "No heading."),
        (".hidden.md", "# Hidden"),
        ("notes.txt", "not one"),
    ]);
    assert_eq!(wrong, [""; 0]);
    assert_eq!(titles(&articles.of(None, Locale::Fr)), ["Le VPN", "v1.2"]);
    assert_eq!(titles(&articles.of(None, Locale::Es)), ["v1.2", "VPN"]);
    assert_eq!(titles(&articles.of(Some("Fabrikam"), Locale::En)), ["v1.2", "VPN"]);
    let own = articles.of(Some("Contoso"), Locale::En);
    assert_eq!(titles(&own), ["v1.2", "VPN", "Wi-Fi chez Contoso"]);
    let wifi = Place { site: Some("Contoso".to_owned()), name: "wifi".to_owned() };
    for site in [None, Some("Fabrikam"), Some("contoso"), Some("")] {
        assert_eq!(articles.article(&wifi, site, Locale::Fr), None, "{site:?}");
    }
    assert!(articles.article(&wifi, Some("Contoso"), Locale::Fr).is_some());
}

#[test]
fn words_are_looked_for_in_title_and_text() {
    let (_folder, articles, _) = library(&[
        ("a.md", "# Printing\n\nThe VPN must be on."),
        ("b.md", "# VPN\n\nÜber Wi-Fi."),
        ("Contoso/c.md", "# VPN of Contoso"),
    ]);
    let find = |words: &str, site| titles(&articles.search(words, site, Locale::En));
    assert_eq!(find("vpn", None), ["VPN", "Printing"], "the title goes first");
    assert_eq!(find("vpn print", None), ["Printing"]);
    for written in ["über", "uber", "ÜBER"] {
        assert_eq!(find(written, None), ["VPN"], "{written}");
    }
    assert_eq!(find("contoso", None), [""; 0]);
    assert_eq!(find("contoso", Some("Contoso")), ["VPN of Contoso"]);
    assert_eq!(find("", None).len(), 2);
    let offer = |subject: &str| titles(&articles.offered(subject, None, Locale::En));
    assert_eq!(offer("The printing does not work, who can help?"), ["Printing"]);
    assert_eq!(offer("my vpn"), ["VPN"], "what stands in capitals tells something, short as it is");
    assert_eq!(offer("the on is"), [""; 0], "words of every text tell nothing");
}

#[test]
fn t_29_html_in_an_article_is_shown_and_not_obeyed() {
    let (_folder, articles, wrong) = library(&[(
        "x.md",
        "# <script>alert(1)</script> *One*\n\n<script>alert(2)</script>\n\n\
         <img src=x onerror=alert(3)> [a](javascript:alert(4)) [b](JaVaScRiPt:alert(5)) \
         [c](data:text/html,x) [d](//evil.example) [e](/portal/logout) \
         [f](java&#10;script:alert(6)) ![g](https://evil.example/p.png) \
         [h](https://good.example \"t\") <mailto:us@desk.example> [i](x.md) [j](../../etc/passwd)\n\n\
         | a |\n|--:|\n| \"><b>1 |\n",
    )]);
    let place = Place { site: None, name: "x".to_owned() };
    let article = articles.article(&place, None, Locale::En).expect("it is there");
    assert_eq!(article.title, "<script>alert(1)</script> One");
    let html = &article.html;
    for inert in ["<script", "<img", "javascript:", "data:", "href=\"/", "<b>", "style="] {
        assert!(!html.to_lowercase().contains(inert), "{inert}: {html}");
    }
    let links: Vec<&str> =
        html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["https://good.example", "mailto:us@desk.example", "./x"]);
    assert_eq!(wrong.len(), 8, "{wrong:#?}");
    assert!(wrong[0].contains("x.md: `javascript:alert(4)` is shown as text"), "{}", wrong[0]);
}

#[test]
fn links_and_pictures_stay_in_the_folder() {
    let (folder, articles, wrong) = library(&[
        ("map.png", "x"),
        ("a b.md", "# A"),
        (
            "Contoso/in.fr.md",
            "[up](../a%20b.md) ![here](plan.png) ![up](../map.png) [x](../../y.md)",
        ),
        ("Contoso/plan.png", "x"),
        ("Contoso/deep/z.md", "# Z"),
        ("top.md", "[in](Contoso/in.md#part) ![map](./map.png)"),
    ]);
    let html = |site: Option<&str>, name: &str| {
        let place = Place { site: site.map(str::to_owned), name: name.to_owned() };
        articles.article(&place, Some("Contoso"), Locale::En).expect("it is there").html.clone()
    };
    let inside = html(Some("Contoso"), "in");
    for part in ["href=\"../a%20b\"", "src=\"./plan.png\"", "src=\"../map.png\"", "alt=\"here\""] {
        assert!(inside.contains(part), "{part}: {inside}");
    }
    let top = html(None, "top");
    assert!(top.contains("href=\"./Contoso/in\"") && top.contains("src=\"./map.png\""), "{top}");
    assert_eq!(wrong.len(), 2, "{wrong:#?}");
    let plan = Place { site: Some("Contoso".to_owned()), name: "plan.png".to_owned() };
    assert!(articles.picture(&plan, Some("Contoso")).is_some());
    assert_eq!(articles.picture(&plan, None), None);
    drop(folder);
}

#[test]
fn a_link_that_leads_out_of_the_folder_is_refused() {
    let outside = tempfile::tempdir().expect("a temporary directory");
    fs::write(outside.path().join("secret.md"), "# Secret").expect("a file");
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("a.md"), "# A").expect("a file");
    symlink(outside.path().join("secret.md"), folder.path().join("b.md")).expect("a link");
    symlink(outside.path(), folder.path().join("Contoso")).expect("a link");
    symlink(folder.path().join("a.md"), folder.path().join("c.md")).expect("a link");
    symlink("nowhere", folder.path().join("d.md")).expect("a link");
    fs::write(folder.path().join("e.md"), b"\xff\xfe").expect("a file");
    let (articles, wrong) = read(folder.path(), None).expect("the folder is there");
    assert_eq!(titles(&articles.of(Some("Contoso"), Locale::En)), ["A", "A"], "a and c");
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
    let error = read(&folder.path().join("none"), None).expect_err("there is no such folder");
    assert!(error.hint.contains("`portal.articles`"), "{error}");
    assert!(error.to_string().contains("/none: the folder of articles cannot be read: No such"));
}

#[test]
fn a_summary_is_of_paragraphs_and_not_of_headings() {
    let (_folder, articles, _) = library(&[
        (
            "a.md",
            "# VPN\n\n## On Windows\n\nOpen *it*.\n\n### First\n\n- one\n- two\n\n| a |\n|---|\n| b |\n\nThen\nwait.",
        ),
        ("b.md", "# List\n\n- one\n- two\n"),
        ("c.md", "# Late\n\nBefore.\n\n# After\n\nBehind."),
    ]);
    let summary = |name: &str| {
        let place = Place { site: None, name: name.to_owned() };
        articles.article(&place, None, Locale::En).expect("it is there").summary.clone()
    };
    assert_eq!(summary("a"), "Open it. Then wait.");
    assert_eq!(summary("b"), "one two", "where there is nothing else");
    assert_eq!(summary("c"), "Before. Behind.");
    assert_eq!(articles.search("windows first", None, Locale::En).len(), 1, "all is found");
}

#[test]
fn what_other_programs_keep_at_the_top_of_an_article_is_told_of() {
    let (_folder, articles, wrong) = library(&[
        ("a.md", "---\ntitle: The VPN\nlang: fr\n---\n\n# VPN\n\nText."),
        ("b.md", "---\n\nA line above.\n\n---\n\n# B"),
        ("c.md", "# C\n\n---\n\nx: y\n\n---\n"),
    ]);
    assert_eq!(articles.of(None, Locale::En).len(), 3);
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    assert!(wrong[0].contains("a.md: what stands between `---`"), "{}", wrong[0]);
    assert!(wrong[0].contains("the title is the first heading"), "{}", wrong[0]);
}
