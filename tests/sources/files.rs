//! Mail that is read where it lies: maildirs, mboxes, folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use guichet::intake::files::{first, walk};
use guichet::store::spool::Intake;

use crate::desk::Desk;

#[test]
fn files_are_found_in_maildirs_mboxes_and_folders_in_order_of_arrival() {
    let desk = Desk::new();
    let dir = desk.dir.path();
    desk.put("cur/1767500002.b:2,S");
    desk.put("new/1767500004.d");
    desk.put("new/.gitkeep");
    fs::create_dir_all(dir.join("more/deep")).expect("made");
    let mbox = "From a@x.example Sun Jan  4 04:13:23 2026\nSubject: c\n\n>From here\n\nFrom a@x.example Sun Jan  4 04:13:21 2026\nSubject: a\n\none\n\n";
    fs::write(dir.join("more/archive"), mbox).expect("written");
    fs::write(dir.join("more/deep/late.EML"), "Subject: e\n\n").expect("written");
    fs::write(dir.join("more/notes.txt"), "Subject: no\n\n").expect("written");
    fs::write(dir.join("named"), "Subject: f\n\n").expect("written");
    for (name, at) in [("more/deep/late.EML", 1_767_500_005), ("named", 1_767_500_006)] {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at);
        let file = fs::File::options().write(true).open(dir.join(name)).expect("opens");
        file.set_modified(time).expect("set");
    }
    let paths = [dir.join("named"), desk.mail(), dir.join("more")];
    let found = walk(&paths).expect("all reads");
    let subjects: Vec<String> = found
        .iter()
        .map(|one| {
            let (raw, intake) = one.read(1_000).expect("reads").expect("still there");
            assert_eq!(intake, Intake::Mailbox);
            String::from_utf8(raw).expect("ASCII").lines().next().expect("a line").to_owned()
        })
        .collect();
    assert_eq!(
        subjects,
        [
            "Subject: a",
            "Subject: cur/1767500002.b:2,S",
            "Subject: c",
            "Subject: new/1767500004.d",
            "Subject: e",
            "Subject: f"
        ]
    );
    let origins: BTreeSet<String> = found.iter().map(|one| one.origin.key()).collect();
    assert_eq!(origins.len(), found.len());
    let quoted = found[2].read(1_000).expect("reads").expect("still there");
    assert_eq!(quoted.0, b"Subject: c\n\nFrom here\n");
    assert_eq!(first(&dir.join("more/archive")).expect("reads"), found[2]);
    let stub = found[5].read(3).expect("reads").expect("still there");
    assert_eq!(stub.1, Intake::Stub);
}

#[test]
fn a_path_with_nothing_there_is_named() {
    let error = walk(&[PathBuf::from("/nonexistent/mail.eml")]).expect_err("nothing is there");
    assert!(error.to_string().contains("`/nonexistent/mail.eml` cannot be read"), "{error}");
    assert!(!error.is_temporary());
}

#[test]
fn the_demo_mailbox_holds_what_its_readme_lists() {
    let mailboxes = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mailboxes");
    let readme = fs::read_to_string(mailboxes.join("README.md")).expect("there");
    let found = walk(&[mailboxes.join("demo")]).expect("the demo mailbox reads");
    assert_eq!(found.len(), 37);
    for (n, message) in (1..).zip(&found) {
        let file = message.path.strip_prefix(mailboxes.join("demo")).expect("below it");
        let row = format!("| {n} | `{}` |", file.display());
        assert!(readme.contains(&row), "{row}");
    }
}
