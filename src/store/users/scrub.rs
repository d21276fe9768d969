//! Takes a person out of texts: their addresses, names and numbers, wherever they stand and however
//! they are written: with accents or without, with a country's number or without.

mod folded;
mod number;

use regex::{NoExpand, Regex, RegexBuilder};
use serde_json::Value;

use self::folded::{Folded, folded};
use super::User;
use crate::clock::Ids;
use crate::store::StoreError;

/// What stands where a name or a number stood.
const SOMEBODY: &str = "[…]";

// A name of one letter stands in every text.
const SHORTEST: usize = 2;

/// What is to be taken out of texts, and what stands there instead.
pub(super) struct Scrub {
    /// The address that their messages and tickets have from now on: nobody's.
    pub placeholder: String,
    addresses: Option<Regex>,
    /// Names and numbers, looked for in folded text.
    words: Option<Regex>,
}

impl Scrub {
    /// For this user, known by these ids, who is written as one of `names`.
    pub fn of(
        user: &User,
        known: &[String],
        names: &[String],
        ids: &Ids,
    ) -> Result<Scrub, StoreError> {
        // Made of chance: what is left of the user must not lead back to what they wrote.
        let minted = ids.uuid();
        let tail = minted.rsplit('-').next().unwrap_or(&minted);
        let placeholder = format!("user-{tail}@deleted.invalid");
        let addresses =
            user.addresses.iter().flat_map(|one| [one.address.clone(), one.key.clone()]);
        let addresses = addresses.chain(known.iter().cloned());
        let mut words: Vec<String> = Vec::new();
        for name in names {
            words.extend(spellings(name));
        }
        words.retain(|word| word.chars().count() >= SHORTEST);
        let numbers = [&user.phone, &user.mobile].into_iter().flatten();
        let numbers = numbers.filter_map(|number| number::pattern(&folded(number)));
        let words = words.iter().map(|word| bounded(word)).chain(numbers);
        Ok(Scrub {
            placeholder,
            addresses: alternatives(addresses.map(|address| bounded(&address)).collect())?,
            words: alternatives(words.collect())?,
        })
    }

    /// Whether a word is made of their name, as a tag may be.
    pub fn is_named(&self, word: &str) -> bool {
        self.words.as_ref().is_some_and(|words| words.is_match(&folded(word)))
    }

    /// The text without the person.
    pub fn text(&self, text: &str) -> String {
        let text = match &self.addresses {
            Some(addresses) => addresses.replace_all(text, NoExpand(&self.placeholder)),
            None => text.into(),
        };
        match &self.words {
            Some(words) => Folded::of(&text).replace(words, SOMEBODY),
            None => text.into_owned(),
        }
    }

    /// The same for a text that may be absent.
    pub fn optional(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.text(&text))
    }

    /// A document in JSON with every text in it scrubbed.
    pub fn json(&self, json: &str) -> Option<String> {
        let mut value: Value = serde_json::from_str(json).ok()?;
        self.value(&mut value);
        Some(value.to_string())
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.value(field)),
            Value::String(text) => *text = self.text(text),
            Value::Bool(_) | Value::Null | Value::Number(_) => {}
        }
    }
}

/// How a name is written, folded: whole, each word by itself, and run together as in a tag.
fn spellings(name: &str) -> Vec<String> {
    let name = folded(name);
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let mut words: Vec<String> = name.split_whitespace().map(plain).collect();
    let mut spellings = vec![name.trim().to_owned()];
    // Two initials run together are anybody's word.
    if words.len() > 1 && words.concat().chars().count() > SHORTEST * 2 {
        let reversed: Vec<String> = words.iter().rev().cloned().collect();
        // An underscore is no end of a word, other signs are.
        for between in ["", "_"] {
            spellings.extend([words.join(between), reversed.join(between)]);
        }
    }
    spellings.append(&mut words);
    spellings
}

// Whole words alone: `ann@x.example` is no part of `joann@x.example`.
fn bounded(word: &str) -> String {
    let edge = |c: Option<char>| if c.is_some_and(is_word) { r"\b" } else { "" };
    let (first, last) = (edge(word.chars().next()), edge(word.chars().last()));
    format!("{first}{}{last}", regex::escape(word))
}

// The longest first.
fn alternatives(mut patterns: Vec<String>) -> Result<Option<Regex>, StoreError> {
    patterns.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    patterns.dedup();
    if patterns.is_empty() {
        return Ok(None);
    }
    let pattern = patterns.join("|");
    RegexBuilder::new(&pattern).case_insensitive(true).build().map(Some).map_err(|error| {
        StoreError::Violated(format!("the user's names cannot be looked for: {error}"))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        let mut patterns = vec![bounded("claire o'neil (x)"), bounded("elodie")];
        patterns.extend(spellings("Léa Blanche").iter().map(|word| bounded(word)));
        patterns.extend(number::pattern("+33 6 12 34 56 78"));
        let addresses = ["Claire@x.example", "claire@x.example", "c+t@x.example"];
        Scrub {
            placeholder: "user-1@deleted.invalid".to_owned(),
            addresses: alternatives(addresses.map(bounded).to_vec()).expect("it compiles"),
            words: alternatives(patterns).expect("it compiles"),
        }
    }

    #[test]
    fn a_person_is_taken_out_however_they_are_written() {
        let scrub = scrub();
        for (text, left) in [
            (
                "to CLAIRE@X.example, joclaire@x.example",
                "to user-1@deleted.invalid, joclaire@x.example",
            ),
            ("<c+t@x.example>", "<user-1@deleted.invalid>"),
            ("by claire o'neil (x).", "by […]."),
            ("ÉLODIE, élodies", "[…], élodies"),
            ("Elodie, e\u{301}lodie; Ｅlodie.", "[…], […]; […]."),
            ("Lea BLANCHE, Blänche; léas", "[…], […]; léas"),
            ("lea-blanche lea_blanche blanchelea", "[…]-[…] […] […]"),
            ("06 12 34 56 78, 0612345678", "[…], […]"),
            ("tel:+33612345678 or 0033.6.12.34.56.78!", "tel:[…] or […]!"),
            ("+33 (0)6-12-34-56-78", "[…]"),
            ("ticket 17 of 06 12 34 56 79", "ticket 17 of 06 12 34 56 79"),
            ("12 06 12 34 56 78 and 99906123456780", "12 […] and 99906123456780"),
            ("ﬁne", "ﬁne"),
            ("nobody", "nobody"),
        ] {
            assert_eq!(scrub.text(text), left);
        }
        let json = scrub.json(r#"{"a":["Élodie",1],"b":{"c":"claire@x.example"}}"#);
        assert_eq!(json.as_deref(), Some(r#"{"a":["[…]",1],"b":{"c":"user-1@deleted.invalid"}}"#));
        assert_eq!(scrub.json("{"), None);
        assert!(scrub.is_named("lea-blanche") && scrub.is_named("léablanche"));
        assert!(!scrub.is_named("printer"));
    }
}
