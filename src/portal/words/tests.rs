use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::*;

#[test]
fn every_key_is_in_every_language_and_takes_the_same_values() {
    let named = Regex::new(r"\{([a-z_]+)\}").expect("a pattern");
    let names = |text: &str| -> BTreeSet<String> {
        named.captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let english = &WORDS[&Locale::En];
    for locale in Locale::ALL {
        let words = &WORDS[&locale];
        let missing: Vec<_> = english.keys().filter(|key| !words.contains_key(*key)).collect();
        let beyond: Vec<_> = words.keys().filter(|key| !english.contains_key(*key)).collect();
        assert!(missing.is_empty() && beyond.is_empty(), "{locale:?}: {missing:?} {beyond:?}");
        for (key, text) in words {
            assert_eq!(names(text), names(&english[key]), "{locale:?}: {key}");
            assert!(!text.trim().is_empty(), "{locale:?}: {key}");
        }
    }
}

#[test]
fn no_language_is_a_copy_of_english() {
    for locale in Locale::ALL.into_iter().filter(|locale| *locale != Locale::En) {
        let words = &WORDS[&locale];
        let same = words.iter().filter(|(key, text)| WORDS[&Locale::En][*key] == **text);
        let same: Vec<_> = same.map(|(key, _)| key).collect();
        assert!(same.len() * 20 < words.len(), "{locale:?}: {same:?}");
    }
}

#[test]
fn what_pages_ask_for_is_there_and_what_is_there_is_asked_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal");
    let mut text = String::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the source tree is readable") {
            let path: PathBuf = entry.expect("the source tree is readable").path();
            match path.extension().and_then(|extension| extension.to_str()) {
                None if path.is_dir() => folders.push(path),
                Some("html" | "rs") => {
                    text.push_str(&fs::read_to_string(&path).expect("readable"));
                }
                _ => {}
            }
        }
    }
    let english = &WORDS[&Locale::En];
    let asked = Regex::new(r#"\b(?:t|words)\("([a-z_.]+)""#).expect("a pattern");
    let asked: BTreeSet<&str> = asked
        .captures_iter(&text)
        .map(|found| found.get(1).expect("it matched").as_str())
        .collect();
    let unknown: Vec<_> = asked.iter().filter(|key| !english.contains_key(**key)).collect();
    assert!(unknown.is_empty(), "no words for {unknown:?}");
    // What is put together from a prefix and a key has the key in quotes somewhere.
    let is_named = |key: &str| text.contains(&format!("\"{key}\""));
    let idle: Vec<_> = english
        .keys()
        .filter(|key| {
            let whole = asked.contains(key.as_str());
            let parts: Vec<&str> = key.split('.').collect();
            !whole && !parts.get(1).is_some_and(|part| is_named(part)) && !is_named(key)
        })
        .collect();
    assert!(idle.is_empty(), "nobody asks for {idle:?}");
}

#[test]
fn what_a_limit_says_is_about_it_alone_and_when_it_goes_on() {
    for locale in Locale::ALL {
        let limits = WORDS[&locale].iter().filter(|(key, _)| {
            key.starts_with("trouble.too_") && key.ends_with(".text") && !key.contains("too_large")
        });
        let password = of(locale, "login.password").to_lowercase();
        let mut about_passwords = Vec::new();
        for (key, text) in limits {
            assert!(text.contains("{time}"), "{locale:?}: {key}");
            if text.to_lowercase().contains(&password) {
                about_passwords.push(key.as_str());
            }
        }
        assert_eq!(about_passwords, ["trouble.too_often.text"], "{locale:?}");
    }
}

#[test]
fn the_users_language_goes_before_the_browsers_before_the_desks() {
    assert_eq!(locale(Some("nl-BE"), Some("fr"), "de"), Locale::Nl);
    assert_eq!(locale(Some("sv"), Some("fr"), "de"), Locale::Fr);
    assert_eq!(locale(None, Some("sv, pt-BR;q=0.7, it;q=0.8"), "de"), Locale::It);
    assert_eq!(locale(None, Some("fr;q=0, *"), "de"), Locale::De);
    assert_eq!(locale(None, None, "sv"), Locale::En);
}

#[test]
fn values_are_put_in_once() {
    let with = |values: &[(&str, String)]| super::with(Locale::En, "tickets.by", values);
    assert_eq!(with(&[]), of(Locale::En, "tickets.by"));
    let text = super::with(Locale::En, "tickets.by", &[("name", "{name}".to_owned())]);
    assert!(text.contains("{name}"), "{text}");
}

#[test]
fn times_are_written_as_people_write_them() {
    let at: Timestamp = "2026-11-01T09:05:00Z".parse().expect("a time");
    let zone = TimeZone::get("Europe/Paris").expect("it is known");
    let written = |locale| moment(locale, at, &zone);
    assert_eq!(written(Locale::En), "1 Nov 2026, 10:05");
    assert_eq!(written(Locale::Fr), "01/11/2026 à 10:05");
    assert_eq!(written(Locale::De), "01.11.2026, 10:05");
}
