//! Takes a person out of texts: their addresses, names and numbers, wherever they stand and however
//! they are written.

use regex::{NoExpand, Regex, RegexBuilder};
use serde_json::Value;

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
            words.push(name.trim().to_owned());
            words.extend(
                name.split_whitespace()
                    .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()),
            );
        }
        words.extend([user.phone.clone(), user.mobile.clone()].into_iter().flatten());
        words.retain(|word| word.chars().count() >= SHORTEST);
        Ok(Scrub {
            placeholder,
            addresses: alternatives(addresses.collect())?,
            words: alternatives(words)?,
        })
    }

    /// The text without the person.
    pub fn text(&self, text: &str) -> String {
        let text = match &self.addresses {
            Some(addresses) => addresses.replace_all(text, NoExpand(&self.placeholder)),
            None => text.into(),
        };
        match &self.words {
            Some(words) => words.replace_all(&text, NoExpand(SOMEBODY)).into_owned(),
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

// Whole words alone, the longest first: `ann@x.example` is no part of `joann@x.example`.
fn alternatives(mut words: Vec<String>) -> Result<Option<Regex>, StoreError> {
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    if words.is_empty() {
        return Ok(None);
    }
    let bounded = |word: &String| {
        let edge = |c: Option<char>| if c.is_some_and(is_word) { r"\b" } else { "" };
        let (first, last) = (edge(word.chars().next()), edge(word.chars().last()));
        format!("{first}{}{last}", regex::escape(word))
    };
    let pattern = words.iter().map(bounded).collect::<Vec<_>>().join("|");
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
        let addresses = ["Claire@x.example", "claire@x.example", "c+t@x.example"];
        Scrub {
            placeholder: "user-1@deleted.invalid".to_owned(),
            addresses: alternatives(addresses.map(str::to_owned).to_vec()).expect("it compiles"),
            words: alternatives(vec!["Claire O'Neil (x)".to_owned(), "Élodie".to_owned()])
                .expect("it compiles"),
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
            ("nobody", "nobody"),
        ] {
            assert_eq!(scrub.text(text), left);
        }
        let json = scrub.json(r#"{"a":["Élodie",1],"b":{"c":"claire@x.example"}}"#);
        assert_eq!(json.as_deref(), Some(r#"{"a":["[…]",1],"b":{"c":"user-1@deleted.invalid"}}"#));
        assert_eq!(scrub.json("{"), None);
    }
}
