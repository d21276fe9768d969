//! The phrases by which a subject betrays an automatic answer (M-70). All languages are tried at
//! once.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::words::{AMBIGUOUS, PHRASES, TOPICS};
use crate::mail::reply::without_reply_prefixes;

/// All phrases as one expression, so that a subject is read once; longer ones are tried first.
static PHRASE: LazyLock<Regex> = LazyLock::new(|| {
    let all = PHRASES.iter().flat_map(|(_, phrases)| phrases.iter());
    let mut phrases: Vec<String> = all.map(|phrase| folded(phrase)).collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    let escaped: Vec<String> = phrases.iter().map(|phrase| regex::escape(phrase)).collect();
    Regex::new(&escaped.join("|")).expect("escaped phrases make an expression")
});

/// Tags looked behind at most: gateways put one or two before a subject.
const TAGS: usize = 4;

/// How a phrase stands in a subject (M-70).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the start, and `:`, `]`, ` -` or the end follows.
    Strong,
    /// Elsewhere.
    Weak,
}

/// The phrase of M-70 that says most in a subject, as compared, and how it stands there.
pub fn automatic_phrase(subject: &str) -> Option<(String, Standing)> {
    let whole = folded(subject);
    let (_, elsewhere) = found(&whole).next()?;
    let at_start = starts(subject).into_iter().map(folded).find_map(|rest| {
        let (at, phrase) = found(&rest).next()?;
        let is_strong = at == 0 && is_ended(phrase, &rest[phrase.len()..]);
        is_strong.then(|| phrase.to_owned())
    });
    Some(match at_start {
        Some(phrase) => (phrase, Standing::Strong),
        None => (elsewhere.to_owned(), Standing::Weak),
    })
}

/// How many phrases of M-70 a subject holds: three are a loop (M-58). Words that people use too
/// count only where they are a label.
pub fn count_automatic_phrases(subject: &str) -> usize {
    let subject = folded(subject);
    let is_label = |(at, phrase): &(usize, &str)| {
        !AMBIGUOUS.contains(phrase) || begins_with_colon(&subject[at + phrase.len()..])
    };
    found(&subject).filter(is_label).count()
}

/// Where a subject may be said to begin: behind the prefixes of answers, inside a bracket, and
/// behind the tags that gateways and tickets put there (`[EXTERNAL] Automatic reply: …`).
fn starts(subject: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut rest = subject;
    for _ in 0..TAGS {
        rest = without_reply_prefixes(rest);
        starts.push(rest);
        let mut chars = rest.chars();
        let close = match chars.next() {
            Some('(') => ')',
            Some('[') => ']',
            Some('【') => '】',
            _ => break,
        };
        let inside = chars.as_str();
        if close != ')' {
            starts.push(inside.trim_start());
        }
        let Some((_, behind)) = inside.split_once(close) else { break };
        rest = behind.trim_start_matches([':', '-', ' ']);
    }
    starts
}

/// Whether a phrase is a label of the subject, not a part of its sentence: by what follows it.
fn is_ended(phrase: &str, behind: &str) -> bool {
    if AMBIGUOUS.contains(&phrase) {
        return begins_with_colon(behind);
    }
    if is_topic(phrase) {
        return false;
    }
    let after = behind.trim_start();
    let has_space = after.len() < behind.len();
    begins_with_colon(behind)
        || after.trim_start_matches(['.', '!']).is_empty()
        || after.starts_with([']', '】'])
        || (has_space && after.starts_with(['-', '–', '—']))
}

fn is_topic(phrase: &str) -> bool {
    static FOLDED: LazyLock<Vec<String>> =
        LazyLock::new(|| TOPICS.iter().map(|topic| folded(topic)).collect());
    FOLDED.iter().any(|topic| topic == phrase)
}

/// French and some Asian programs put a space before it.
fn begins_with_colon(behind: &str) -> bool {
    behind.trim_start().starts_with([':', '：'])
}

/// The phrases that stand there as whole words; those in scripts without spaces stand anywhere.
fn found(subject: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    PHRASE.find_iter(subject).map(|found| (found.start(), found.as_str())).filter(
        move |(at, phrase)| {
            let before = subject[..*at].chars().next_back();
            let after = subject[at + phrase.len()..].chars().next();
            phrase.chars().all(needs_no_space) || (!is_letter(before) && !is_letter(after))
        },
    )
}

/// Chinese, Japanese, Thai.
fn needs_no_space(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3000}'..='\u{9fff}')
}

/// Lower case, without accents, Turkish `ı` as `i`, and `auto-reply` and `auto_reply` as
/// `auto reply`. Accents get lost on the way, and some programs never had them.
fn folded(subject: &str) -> String {
    let is_accent = |c: char| matches!(c, '\u{300}'..='\u{36f}');
    let lower = subject.to_lowercase().replace('ı', "i");
    let mut chars = lower.nfd().filter(|c| !is_accent(*c)).nfc().peekable();
    let mut folded = String::with_capacity(lower.len());
    while let Some(c) = chars.next() {
        let joins = folded.ends_with(char::is_alphabetic)
            && chars.peek().is_some_and(|next| next.is_alphabetic());
        folded.push(if joins && matches!(c, '-' | '_') { ' ' } else { c });
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(subject: &str) -> Option<Standing> {
        automatic_phrase(subject).map(|(_, standing)| standing)
    }

    #[test]
    fn m_70_each_phrase_is_strong_at_the_start() {
        for phrase in PHRASES.iter().flat_map(|(_, phrases)| *phrases) {
            let is_topic = TOPICS.contains(phrase);
            let labelled = if is_topic { Standing::Weak } else { Standing::Strong };
            for subject in [
                format!("{phrase}: x"),
                format!("{phrase} : x"),
                format!("Re: {phrase}: x"),
                format!("[{}: x]", phrase.to_uppercase()),
                format!("[EXTERNAL] {phrase}: x"),
                format!("(EXT) AW: {phrase}: x"),
            ] {
                assert_eq!(standing(&subject), Some(labelled), "{subject}");
            }
            let is_strong = !is_topic && !AMBIGUOUS.contains(phrase);
            let alone = if is_strong { Standing::Strong } else { Standing::Weak };
            for subject in [(*phrase).to_owned(), format!("{phrase} - x"), format!("[{phrase}] x")]
            {
                assert_eq!(standing(&subject), Some(alone), "{subject}");
            }
            assert_eq!(standing(&format!("the {phrase} x")), Some(Standing::Weak), "{phrase}");
        }
    }

    #[test]
    fn m_70_the_tables_are_in_order_and_each_word_stands_once() {
        assert!(PHRASES.is_sorted_by_key(|(language, _)| language));
        for (language, phrases) in PHRASES {
            assert!(phrases.is_sorted(), "{language}");
            let mut folded: Vec<String> = phrases.iter().map(|phrase| folded(phrase)).collect();
            folded.sort();
            assert!(folded.windows(2).all(|two| two[0] != two[1]), "{language}");
        }
        let known = |word: &&str| PHRASES.iter().any(|(_, phrases)| phrases.contains(word));
        assert!(AMBIGUOUS.is_sorted() && AMBIGUOUS.iter().all(&known));
        assert!(TOPICS.is_sorted() && TOPICS.iter().all(known));
    }

    #[test]
    fn e_129_m_70_people_write_such_words_too() {
        for (subject, expected) in [
            ("Autoreply: x", Some(Standing::Strong)),
            ("Auto-Reply: x", Some(Standing::Strong)),
            ("AW: Automatische Antwort: x", Some(Standing::Strong)),
            ("Out of Office AutoReply: x", Some(Standing::Strong)),
            ("AUTO: Claire Johnson is out of the office", Some(Standing::Strong)),
            ("Reponse automatique : x", Some(Standing::Strong)),
            ("Réf: Réponse automatique\u{a0}: x", Some(Standing::Strong)),
            ("OTOMATİK YANIT: x", Some(Standing::Strong)),
            ("自動返信：x", Some(Standing::Strong)),
            ("【自動返信】x", Some(Standing::Strong)),
            ("[EXT] [Desk] Automatic reply: x", Some(Standing::Strong)),
            ("Out of office.", Some(Standing::Strong)),
            ("Fwd: Automatic reply: x", Some(Standing::Weak)),
            ("Out of office calendar is broken", Some(Standing::Weak)),
            ("Out of office message: how do I set it?", Some(Standing::Weak)),
            ("Abwesenheitsnachricht: bei mir fehlt der Knopf", Some(Standing::Weak)),
            ("My out-of-office does not work", Some(Standing::Weak)),
            ("Problem: out of office: cannot switch it off", Some(Standing::Weak)),
            ("auto parts", Some(Standing::Weak)),
            ("Vacation", Some(Standing::Weak)),
            ("Automobile: x", None),
            ("Autobahn", None),
            ("Automatic replies stopped", None),
            ("Printer on fire", None),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(standing(subject), expected, "{subject}");
        }
    }

    #[test]
    fn e_140_m_58_phrases_are_counted_where_they_are_labels() {
        for (subject, count) in [
            ("Automated Response: Re: Auto Reply: Re: Autoreply: x", 3),
            ("Automatic reply: Automatic reply: Automatic reply: x", 3),
            ("Auto: Auto: Auto: x", 3),
            ("Auto, Auto und noch ein Auto", 0),
            ("Re: x", 0),
        ] {
            assert_eq!(count_automatic_phrases(subject), count, "{subject}");
        }
    }
}
