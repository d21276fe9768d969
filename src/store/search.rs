//! Looking for a part of a text whatever its case and accents, as [`fold`] has it. PostgreSQL, with
//! the collation that we need, folds no letter but ASCII: there a text that has others is compared by
//! sets of letters. SQLite calls `fold` itself.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;

use super::sql::{Dialect, like};
use crate::mail::fold;

/// Where letters with accents stand, and those that are written in two cases: Latin, Greek, Cyrillic,
/// Kana, the wide forms of ASCII.
const ALPHABETS: [(u32, u32); 6] = [
    (0x00aa, 0x024f),
    (0x0370, 0x052f),
    (0x1e00, 0x1fff),
    (0x212a, 0x212b),
    (0x3040, 0x30ff),
    (0xff21, 0xff5a),
];

/// A part that is looked for (T-50: each of its signs stands for itself).
pub(super) struct Sought {
    dialect: Dialect,
    /// In PostgreSQL those for `LIKE`, and behind them the one of sets of letters.
    patterns: Vec<String>,
}

impl Sought {
    pub fn of(dialect: Dialect, part: &str) -> Sought {
        let folded = fold(part);
        let patterns = match dialect {
            Dialect::Postgres => {
                let folded: String = folded.nfc().collect();
                let mut patterns: Vec<String> =
                    forms(part, &folded).iter().map(|form| like(form)).collect();
                patterns.push(sets(&folded));
                patterns
            }
            Dialect::Sqlite => vec![folded],
        };
        Sought { dialect, patterns }
    }

    /// The values of [`Sought::stands_in`].
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// The condition that it stands in `text`; `places` are the placeholders of the patterns.
    pub fn stands_in(&self, text: &str, places: &[String]) -> String {
        let Some((last, plain)) = places.split_last() else { return "1 = 1".to_owned() };
        if self.dialect == Dialect::Sqlite {
            return format!("HOLDS_FOLDED({text}, {last})");
        }
        let mut ways: Vec<String> = plain
            .iter()
            .map(|pattern| format!("LOWER({text}) LIKE {pattern} ESCAPE '\\'"))
            .collect();
        // Most texts are ASCII throughout: the sets cost more than the rest.
        ways.push(format!("(OCTET_LENGTH({text}) <> LENGTH({text}) AND {text} ~ {last})"));
        format!("({})", ways.join(" OR "))
    }
}

/// How a part may be written once the database has put its ASCII letters in lower case: what no set
/// of letters finds, such as marks that are no accents. One form for most parts, four for `Übung`.
fn forms(part: &str, folded: &str) -> Vec<String> {
    let lower = part.to_lowercase();
    let upper = part.to_uppercase().to_ascii_lowercase();
    let mut capital: String = lower.chars().take(1).flat_map(char::to_uppercase).collect();
    capital.extend(lower.chars().skip(1));
    let mut forms = vec![lower, upper, capital.to_ascii_lowercase(), folded.to_owned()];
    forms.sort();
    forms.dedup();
    forms
}

/// A regular expression that finds `folded` in a text that is not.
fn sets(folded: &str) -> String {
    let letters = letters();
    let mut pattern = String::new();
    for c in folded.chars() {
        match letters.get(&c) {
            Some(alike) => {
                pattern.push('[');
                pattern.push(c);
                pattern.extend(c.to_uppercase().filter(|upper| !alike.contains(*upper)));
                pattern.push_str(alike);
                pattern.push(']');
            }
            None if c.is_ascii_punctuation() => pattern.extend(['\\', c]),
            None => pattern.push(c),
        }
    }
    pattern
}

/// The letters that fold to each letter.
fn letters() -> &'static BTreeMap<char, String> {
    static LETTERS: OnceLock<BTreeMap<char, String>> = OnceLock::new();
    LETTERS.get_or_init(|| {
        let mut letters: BTreeMap<char, String> =
            ('a'..='z').map(|letter| (letter, String::new())).collect();
        let all = ALPHABETS.into_iter().flat_map(|(first, last)| first..=last);
        for letter in all.filter_map(char::from_u32).filter(|letter| letter.is_alphabetic()) {
            let folded: Vec<char> = fold(letter.encode_utf8(&mut [0; 4])).nfc().collect();
            if let [one] = folded[..]
                && one != letter
            {
                letters.entry(one).or_default().push(letter);
            }
        }
        letters
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_however_its_letters_are_written() {
        let of = |word: &str| forms(word, &fold(word));
        assert_eq!(of("VPN"), ["vpn"]);
        assert_eq!(of("ÜBUNG"), ["ubung", "Übung", "übung"]);
        assert_eq!(of("été"), ["ete", "ÉtÉ", "Été", "été"]);
    }

    #[test]
    fn a_letter_stands_for_all_that_fold_to_it() {
        let letters = letters();
        for (letter, alike) in [('e', "éÉêęẽＥ"), ('ж', "Ж"), ('и', "йЙИ"), ('か', "が")]
        {
            let known = &letters[&letter];
            assert!(alike.chars().all(|c| known.contains(c)), "{letter}: {known}");
        }
        assert!(letters.values().all(|alike| !alike.contains([']', '^', '-', '\\'])));
    }

    #[test]
    fn a_sign_stands_for_itself_t_50() {
        assert_eq!(sets("0.*\\"), "0\\.\\*\\\\");
    }
}
