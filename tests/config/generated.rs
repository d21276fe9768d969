//! The files in `config/` are in order and say what the types say.

use std::fs;
use std::path::Path;

use guichet::config::{Environment, Request, load, reference, schema};

use crate::{MAILBOX, load_text};

#[test]
fn the_shipped_configurations_are_in_order() {
    for name in ["guichet.toml", "demo.toml", "reference.toml"] {
        let path = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name));
        let request = Request { path, set: Vec::new(), environment: Environment::empty() };
        let loaded = load(&request).unwrap_or_else(|invalid| panic!("{invalid}"));
        assert!(loaded.warnings.is_empty() || name != "guichet.toml", "{:#?}", loaded.warnings);
    }
    // The smallest of the contract, as a mail server is named there.
    load_text(
        "[portal]\n\
     url = \"https://help.example.com\"\n\
     [[mailbox]]\n\
     address = \"support@guichet.example\"\n\
     host = \"127.0.0.1\"\n\
     password = \"x\"\n",
    )
    .unwrap_or_else(|invalid| panic!("{invalid}"));
}

#[test]
fn the_reference_and_the_schema_are_what_the_types_say() {
    for (name, text) in
        [("reference.toml", reference::text()), ("guichet.schema.json", schema::text())]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        if std::env::var_os("REWRITE").is_some() {
            // Other tests read it at the same time.
            let fresh = path.with_extension("new");
            fs::write(&fresh, &text).expect("writable");
            fs::rename(&fresh, &path).expect("writable");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "config/{name} is out of date: run `REWRITE=1 cargo test --test config`"
        );
    }
}

#[test]
fn the_reference_says_what_holds_without_it() {
    let path = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/reference.toml"));
    let request = Request { path, set: Vec::new(), environment: Environment::empty() };
    let reference = load(&request).unwrap_or_else(|invalid| panic!("{invalid}")).file;
    let plain = load_text(MAILBOX).expect("in order").file;
    let tables = |file: &guichet::config::file::File| {
        let mut json = serde_json::to_value(file).expect("plain");
        for name in ["mailbox", "agent", "quick_reply", "site", "templates"] {
            json[name] = serde_json::Value::Null;
        }
        json
    };
    assert_eq!(tables(&reference), tables(&plain));
}
