//! Which passwords may be chosen (threats §6): long enough, not among those that are tried first, not
//! about the person. No rule says what characters a password is made of.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::secrets::Typed;
use crate::mail::fold;
use crate::store::users::account::Person;

/// The fewest characters.
pub(super) const SHORTEST: usize = 8;
/// The most characters; all of them count.
pub(super) const LONGEST: usize = 128;

/// Why a password may not be chosen; `key` names its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Common,
    LikeYou,
    TooLong,
    TooShort,
}

impl Unfit {
    /// The key of what is said about it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Unfit::Common => "password.common",
            Unfit::LikeYou => "password.like_you",
            Unfit::TooLong => "password.too_long",
            Unfit::TooShort => "password.too_short",
        }
    }
}

/// Whether a person may choose this password. `portal` is what the helpdesk is called.
pub(super) fn fit(typed: &Typed, person: &Person, portal: &str) -> Result<(), Unfit> {
    let text = typed.reveal();
    let length = text.chars().count();
    if length < SHORTEST {
        return Err(Unfit::TooShort);
    }
    if length > LONGEST {
        return Err(Unfit::TooLong);
    }
    if is_about(text, person, portal) {
        return Err(Unfit::LikeYou);
    }
    if is_common(text) { Err(Unfit::Common) } else { Ok(()) }
}

/// Whether nothing is left of it but a word that everybody thinks of and what people put around one:
/// a year, digits, an exclamation mark, a capital, `0` for `o`.
fn is_common(text: &str) -> bool {
    let folded = fold(text);
    if is_a_row(&folded) || is_repeated(&folded) {
        return true;
    }
    [folded.clone(), unleet(&folded)].iter().any(|spelt| {
        let core = core(spelt);
        COMMON.contains(core) || COMMON.contains(spelt.as_str()) || is_two_of_them(core)
    })
}

/// Whether it is the person's name or address, or that of the helpdesk, with little around it.
fn is_about(text: &str, person: &Person, portal: &str) -> bool {
    let folded = fold(text);
    let bare = |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).collect() };
    let mut about: BTreeSet<String> = BTreeSet::new();
    let mut add = |text: &str| {
        about.insert(bare(&fold(text)));
    };
    for address in &person.addresses {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        [address.as_str(), local, domain].into_iter().for_each(&mut add);
        local.split(|c: char| !c.is_alphanumeric()).for_each(&mut add);
        domain.split('.').for_each(&mut add);
    }
    let (first, last) = (&person.first_name, &person.last_name);
    let (one, other) = (format!("{first}{last}"), format!("{last}{first}"));
    [first, last, &one, &other].into_iter().for_each(|name| add(name));
    add(portal);
    add(&person.site.1);
    [bare(&folded), bare(&unleet(&folded))].iter().any(|spelt| {
        let core = core(spelt);
        // A name of two letters is in many words; one that is most of the password is the password.
        about.iter().any(|name| {
            name.chars().count() >= 3 && (core == name || spelt == name || is_mostly(spelt, name))
        })
    })
}

fn is_mostly(text: &str, name: &str) -> bool {
    let (length, named) = (text.chars().count(), name.chars().count());
    named >= 5 && text.contains(name) && length - named < SHORTEST - 3
}

/// What people write for a letter, as the letter.
fn unleet(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        c => c,
    };
    // Digits at the end are digits; only what is among letters stands for one.
    let end = text.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    let start = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if start >= end {
        return text.chars().map(letter).collect();
    }
    let (before, rest) = text.split_at(start);
    let (among, after) = rest.split_at(end - start);
    format!("{before}{}{after}", among.chars().map(letter).collect::<String>())
}

/// The word inside what people put around one: up to eight digits and marks on each side.
fn core(text: &str) -> &str {
    let is_letter = |c: char| c.is_alphabetic();
    let start = text.find(is_letter).unwrap_or(text.len());
    let end = text
        .rfind(is_letter)
        .map_or(start, |at| at + text[at..].chars().next().map_or(0, char::len_utf8));
    if start > 8 || text.len() - end > 8 { text } else { &text[start..end] }
}

/// `12345678`, `abcdefgh`, `qwertyuiop`, `87654321`, and what is made of such pieces.
fn is_a_row(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let step = ROWS.iter().map(|row| common_piece(rest, row)).max().unwrap_or(0);
        if step < 3 {
            // A remainder of one or two belongs to the piece before it.
            return rest.len() <= 2 && rest.len() < text.len();
        }
        rest = &rest[step..];
    }
    true
}

/// How much of `text`, in bytes, stands one character after the other in `row`.
fn common_piece(text: &str, row: &str) -> usize {
    let piece = |at: usize| {
        let same = text.chars().zip(row[at..].chars()).take_while(|(one, other)| one == other);
        same.map(|(c, _)| c.len_utf8()).sum()
    };
    row.char_indices().map(|(at, _)| piece(at)).max().unwrap_or(0)
}

/// `aaaaaaaa`, `abababab`, `abcabcabc`: one short piece over and over.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| {
        chars.len() >= 2 * period && (period..chars.len()).all(|n| chars[n] == chars[n - period])
    })
}

/// Two words of the list, or one twice.
fn is_two_of_them(text: &str) -> bool {
    text.char_indices().skip(3).any(|(at, _)| {
        let (one, other) = text.split_at(at);
        let other = other.trim_start_matches(|c: char| !c.is_alphanumeric());
        let one = one.trim_end_matches(|c: char| !c.is_alphanumeric());
        text.len() <= 16 && COMMON.contains(one) && COMMON.contains(other)
    })
}

const ROWS: [&str; 14] = [
    "0123456789012345678901234567890",
    "0987654321098765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "poiuytrewqlkjhgfdsamnbvcxz",
    "1q2w3e4r5t6z7u8i9o0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "!@#$%^&*()_+",
    "!\"§$%&/()=",
    "qazwsxedcrfvtgbyhnujm",
];

// One word a line, folded as `fold` does; a line that begins with `#` is a heading.
static COMMON: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    include_str!("common_words.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::facts::UserStatus;

    fn person() -> Person {
        Person {
            id: "1".to_owned(),
            first_name: "Claire".to_owned(),
            last_name: "Johnson".to_owned(),
            status: UserStatus::Active,
            password: None,
            main: None,
            addresses: vec!["claire.johnson@contoso.com".to_owned()],
            phone: None,
            mobile: None,
            locale: None,
            site: ("s".to_owned(), "Contoso".to_owned()),
            site_locale: None,
        }
    }

    fn judged(text: &str) -> Result<(), Unfit> {
        fit(&Typed::new(text), &person(), "Example IT")
    }

    #[test]
    fn a_password_has_8_to_128_characters_however_many_bytes() {
        assert_eq!(judged("kfW9-xq"), Err(Unfit::TooShort));
        assert_eq!(judged("kfW9-xqz"), Ok(()));
        assert_eq!(judged("ŝŭĉ-ĥĵĝ"), Err(Unfit::TooShort));
        let long: String = "wagon tulip ".chars().cycle().take(128).collect();
        assert_eq!(judged(&long), Ok(()));
        assert_eq!(judged(&format!("{long}x")), Err(Unfit::TooLong));
    }

    #[test]
    fn what_everybody_tries_first_may_not_be_chosen() {
        for text in [
            "password",
            "Password1",
            "P@ssw0rd!",
            "passwort123",
            "motdepasse",
            "MotDePasse2024!",
            "contraseña1",
            "12345678",
            "123456789012",
            "87654321",
            "qwertyuiop",
            "azertyuiop",
            "1q2w3e4r",
            "1qaz2wsx",
            "aaaaaaaa",
            "abcabcabc",
            "abcd1234",
            "iloveyou",
            "Sommer2024",
            "Welkom01",
            "Bonjour123",
            "football1",
            "letmein!!",
            "admin1234",
            "superman",
            "sunshine!",
            "passwordpassword",
            "qwerty123456",
            "11111111",
            "changeme123",
            "Januar2026!",
            "senha1234",
        ] {
            assert_eq!(judged(text), Err(Unfit::Common), "{text}");
        }
    }

    #[test]
    fn what_is_about_the_person_may_not_be_chosen() {
        for text in [
            "claire.johnson@contoso.com",
            "clairejohnson",
            "Johnson1985",
            "Cl@ire2024",
            "johnsonclaire",
            "contoso2024",
            "contoso!",
            "exampleit1",
            "1985johnson",
        ] {
            assert_eq!(judged(text), Err(Unfit::LikeYou), "{text}");
        }
    }

    #[test]
    fn no_rule_says_what_characters_there_are() {
        for text in [
            "correct horse battery",
            "blaue Gurke im Regen",
            "wagontulip",
            "93815702746",
            "вода и хлеб",
            "Tr33frogs eat soup",
            "the password is elsewhere",
            "claire paints green doors",
        ] {
            assert_eq!(judged(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_words_are_written_as_they_are_looked_up() {
        assert!(COMMON.len() > 900, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert_eq!(*word, fold(word), "{word}");
            assert!(word.chars().count() >= 3, "{word}");
        }
    }
}
