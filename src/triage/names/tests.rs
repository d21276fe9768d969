//! Section 3 of mail.md: every row of its table, in both modes.

use proptest::prelude::*;

use super::*;
use crate::triage::policy::{Access, AddressList};

const REPEAT: NoSplit = NoSplit::Repeat;
const BLANK: NoSplit = NoSplit::Blank;

fn policy(name_from: NameFrom, split_on: &str, no_split: NoSplit) -> UserPolicy {
    UserPolicy {
        auto_create: true,
        name_from,
        access: Access::Limited,
        strip_plus_tag: true,
        allow: AddressList::default(),
        deny: AddressList::default(),
        reply_to_senders: AddressList::default(),
        names: NamePolicy { split_on: split_on.to_owned(), no_split },
    }
}

fn address(written: &str) -> Address {
    Address::parse(&format!("{written}@myorg.example")).expect("a good address")
}

fn assert_name(name: &Name, address: &Address, expected: (&str, &str, &str)) {
    let shown = display(&name.first, &name.last, &address.to_string());
    assert_eq!((name.first.as_str(), name.last.as_str(), shown.as_str()), expected, "{address}");
}

fn derived(local: &str, expected: (&str, &str, &str)) {
    let address = address(local);
    for name_from in [NameFrom::Address, NameFrom::HeaderThenAddress] {
        let name = name(&address, None, &policy(name_from, ".", REPEAT));
        assert_name(&name, &address, expected);
        assert_eq!(name.source, NameSource::Address);
    }
}

fn written(header: &str, expected: (&str, &str, &str)) {
    let address = address("c1");
    for name_from in [NameFrom::Header, NameFrom::HeaderThenAddress] {
        let name = name(&address, Some(header), &policy(name_from, ".", REPEAT));
        assert_name(&name, &address, expected);
        assert_eq!(name.source, NameSource::Header, "{header}");
    }
}

macro_rules! rows {
    ($($name:ident: $how:ident($($given:expr),+) => $expected:expr;)+) => {
        $(#[test]
        fn $name() {
            $($how($given, $expected);)+
        })+
    };
}

rows! {
    e_78_m_47_row_01_case_and_quotes:
        derived("claire.johnson", "CLAIRE.JOHNSON", "\"claire.johnson\"")
            => ("Claire", "Johnson", "Claire Johnson");
    e_78_m_48_row_02_an_initial: derived("c.johnson") => ("C", "Johnson", "C Johnson");
    e_78_m_48_row_03_nothing_to_split_repeats:
        derived("clairejohnson")
            => ("Clairejohnson", "Clairejohnson", "Clairejohnson Clairejohnson");
    e_78_m_48_row_05_the_rest_is_the_last_name:
        derived("anna.maria.lopez")
            => ("Anna", "Maria Lopez", "Anna Maria Lopez");
    e_78_m_48_row_06_many_dots:
        derived("j.d.van.der.berg")
            => ("J", "D Van Der Berg", "J D Van Der Berg");
    e_78_m_49_row_07_capitals_are_ours:
        derived("Claire.McDonald")
            => ("Claire", "Mcdonald", "Claire Mcdonald");
    e_78_m_49_row_08_a_hyphen:
        derived("jean-pierre.dupont")
            => ("Jean-Pierre", "Dupont", "Jean-Pierre Dupont");
    e_78_m_49_row_09_an_apostrophe_after_one_letter:
        derived("sean.o'brien")
            => ("Sean", "O'Brien", "Sean O'Brien");
    e_78_m_49_row_10_an_apostrophe_after_more:
        derived("claire's.shop")
            => ("Claire's", "Shop", "Claire's Shop");
    e_78_m_32_row_11_the_tag_is_cut:
        derived("claire.johnson+news")
            => ("Claire", "Johnson", "Claire Johnson");
    e_78_m_32_row_13_a_tag_alone_is_no_tag: derived("+news") => ("+news", "+news", "+news +news");
    e_78_m_47_row_14_separators_at_the_ends_and_in_runs:
        derived(".claire.johnson", "claire.johnson.", "claire..johnson")
            => ("Claire", "Johnson", "Claire Johnson");
    e_78_m_47_row_15_one_word_and_a_dot:
        derived("claire.")
            => ("Claire", "Claire", "Claire Claire");
    e_78_m_49_row_16_digits_stay:
        derived("claire.johnson2")
            => ("Claire", "Johnson2", "Claire Johnson2");
    e_78_m_49_row_17_digits_only: derived("4711") => ("4711", "4711", "4711 4711");
    e_78_m_49_row_18_digits_start_no_word:
        derived("2fast.driver")
            => ("2fast", "Driver", "2fast Driver");
    e_78_m_49_row_19_an_underscore_starts_no_word:
        derived("claire_johnson")
            => ("Claire_johnson", "Claire_johnson", "Claire_johnson Claire_johnson");
    e_78_m_47_row_21_accents_composed_and_not:
        derived("josé.muñoz", "jose\u{301}.mun\u{303}oz")
            => ("José", "Muñoz", "José Muñoz");
    e_78_m_49_row_22_letters_of_the_north:
        derived("øystein.ås") => ("Øystein", "Ås", "Øystein Ås");
    e_78_m_49_row_23_no_case: derived("田中.太郎") => ("田中", "太郎", "田中 太郎");
    e_78_m_49_row_24_a_capital_of_two_letters:
        derived("ßeta.test")
            => ("ßeta", "Test", "ßeta Test");
    e_78_m_44_row_25_a_role: derived("info") => ("Info", "Info", "Info Info");
    e_78_m_53_row_27_never_a_link: derived("www.evil.com") => ("Www", "Evil Com", "Www Evil Com");
    e_78_m_52_row_29_titles:
        written("Dr. Anna Maria Lopez")
            => ("Dr. Anna", "Maria Lopez", "Dr. Anna Maria Lopez");
    e_78_m_52_row_30_one_word: written("Claire") => ("Claire", "", "Claire");
    e_78_m_52_row_31_one_word_with_dots:
        written("claire.johnson")
            => ("Claire", "Johnson", "Claire Johnson");
    e_78_m_52_row_28_a_header:
        written("Claire Johnson", "\"Johnson, Claire\"", "Claire Johnson (IT)",
                "Claire Johnson [x.com]", "'Claire  Johnson'")
            => ("Claire", "Johnson", "Claire Johnson");
}

#[test]
fn e_78_m_48_row_04_nothing_to_split_may_leave_it_blank() {
    let address = address("clairejohnson");
    let name = name(&address, None, &policy(NameFrom::Address, ".", BLANK));
    assert_name(&name, &address, ("Clairejohnson", "", "Clairejohnson"));
}

#[test]
fn e_78_m_32_row_12_the_tag_may_be_kept() {
    let address = address("claire.johnson+news");
    let policy = UserPolicy { strip_plus_tag: false, ..policy(NameFrom::Address, ".", REPEAT) };
    let name = name(&address, None, &policy);
    assert_name(&name, &address, ("Claire", "Johnson+news", "Claire Johnson+news"));
}

#[test]
fn e_78_m_47_row_20_other_separators() {
    let address = address("claire_johnson");
    let name = name(&address, None, &policy(NameFrom::Address, "._", REPEAT));
    assert_name(&name, &address, ("Claire", "Johnson", "Claire Johnson"));
}

#[test]
fn e_78_m_30_row_26_a_quoted_space_is_no_address() {
    assert!(Address::parse("\"claire johnson\"@myorg.example").is_err());
}

#[test]
fn e_78_m_52_row_32_a_header_with_an_address_is_of_no_use() {
    let address = Address::parse("evil@evil.example").expect("good");
    let header = Some("\"victim@good.example\"");
    let in_header_mode = name(&address, header, &policy(NameFrom::Header, ".", REPEAT));
    assert_name(&in_header_mode, &address, ("", "", "evil@evil.example"));
    assert_eq!(in_header_mode.source, NameSource::Nothing);
    let with_fallback = name(&address, header, &policy(NameFrom::HeaderThenAddress, ".", REPEAT));
    assert_name(&with_fallback, &address, ("Evil", "Evil", "Evil Evil"));
}

#[test]
fn m_47_only_separators_leave_both_names_empty() {
    let address = address("...");
    let name = name(&address, None, &policy(NameFrom::Address, ".", REPEAT));
    assert_name(&name, &address, ("", "", &address.to_string()));
}

#[test]
fn m_52_headers_of_no_use() {
    for header in ["", "  ", "\"\"", "claire.johnson", "CLAIRE.JOHNSON", "4711", "-- ..", "()"] {
        assert_eq!(from_header(header, &address("claire.johnson")), None, "{header}");
    }
}

#[test]
fn m_52_what_else_stands_in_headers() {
    let parts = |header: &str| {
        let name = from_header(header, &address("x")).expect("a name");
        (name.first, name.last)
    };
    let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    assert_eq!(parts("Prof. Dr. Anna Lopez"), pair("Prof. Dr. Anna", "Lopez"));
    assert_eq!(parts("Herr Dr. Weiß"), pair("Herr Dr. Weiß", ""));
    assert_eq!(parts("M. Dupont"), pair("M. Dupont", ""));
    assert_eq!(parts("M Dupont"), pair("M", "Dupont"));
    assert_eq!(parts("Johnson,"), pair("Johnson", ""));
    assert_eq!(parts("Johnson, Claire, Dr."), pair("Johnson,", "Claire, Dr."));
    assert_eq!(parts("van der Berg"), pair("van", "der Berg"));
    assert_eq!(parts("J."), pair("J.", ""));
    assert_eq!(parts("CLAIRE.JOHNSON"), pair("Claire", "Johnson"));
    assert_eq!(parts("田中 太郎"), pair("田中", "太郎"));
    assert_eq!(parts("{{7*7}} {[portal password]}"), pair("{{7*7}}", "{[portal password]}"));
}

proptest! {
    #[test]
    fn m_49_any_local_part_gives_a_clean_short_name(
        local in "[^@\"\\s()<>,;:\\\\\\p{Cc}]{1,64}", separators in "[._+-]{0,3}", blank: bool,
    ) {
        let no_split = if blank { BLANK } else { REPEAT };
        if let Ok(address) = Address::parse(&format!("{local}@myorg.example")) {
            let policy = policy(NameFrom::Address, &separators, no_split);
            assert_clean(&name(&address, None, &policy))?;
        }
    }

    #[test]
    fn m_52_any_header_gives_a_clean_short_name(header in "\\PC{0,200}|.{0,80}") {
        if let Some(name) = from_header(&header, &address("x")) {
            assert_clean(&name)?;
        }
    }
}

fn assert_clean(name: &Name) -> Result<(), TestCaseError> {
    for part in [&name.first, &name.last] {
        prop_assert!(part.chars().count() <= NAME_LIMIT, "{:?}", part);
        prop_assert!(!part.chars().any(is_unwanted), "{:?}", part);
        prop_assert!(part.trim().len() == part.len(), "{:?}", part);
    }
    Ok(())
}
