//! The phrases by which a subject betrays an automatic answer (M-70). All languages are tried at
//! once.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::mail::reply::without_reply_prefixes;

/// In lower case; a space stands for a hyphen or underscore, too.
const PHRASES: [&str; 48] = [
    // en
    "auto",
    "auto reply",
    "autoreply",
    "auto response",
    "automated response",
    "automatic reply",
    "out of office",
    "out of the office",
    "vacation",
    // de
    "abwesenheitsnotiz",
    "automatische antwort",
    "abwesend",
    // fr
    "réponse automatique",
    "absence du bureau",
    // es
    "respuesta automática",
    "fuera de la oficina",
    // it
    "risposta automatica",
    "risposta non al computer",
    "fuori sede",
    // pt
    "resposta automática",
    "ausência temporária",
    // nl
    "automatisch antwoord",
    "afwezig",
    // sv
    "autosvar",
    "automatiskt svar",
    "frånvaro",
    // da, no
    "automatisk svar",
    "fraværsmelding",
    // fi
    "automaattinen vastaus",
    "poissa",
    // pl
    "automatyczna odpowiedź",
    "autoodpowiedź",
    // cs
    "automatická odpověď",
    // sk
    "automatická odpoveď",
    // hu
    "automatikus válasz",
    // ro
    "răspuns automat",
    // tr
    "otomatik yanıt",
    // ru
    "автоответ",
    "автоматический ответ",
    // uk
    "автоматична відповідь",
    // el
    "αυτόματη απάντηση",
    // ja
    "自動応答",
    "自動返信",
    "不在通知",
    // zh
    "自动答复",
    "自动回复",
    "自動回覆",
    // ko
    "자동 회신",
];

/// Phrases that people use too: strong only right before a colon (M-70).
const ONLY_BEFORE_COLON: [&str; 5] = ["abwesend", "afwezig", "auto", "poissa", "vacation"];

/// All phrases as one expression, so that a subject is read once; longer ones are tried first.
static PHRASE: LazyLock<Regex> = LazyLock::new(|| {
    let mut phrases = PHRASES.map(folded);
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    Regex::new(&phrases.map(|phrase| regex::escape(&phrase)).join("|"))
        .expect("escaped phrases make an expression")
});

/// How a phrase stands in a subject (M-70).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the start, and `:`, `]`, ` -` or the end follows.
    Strong,
    /// Elsewhere.
    Weak,
}

/// The first phrase of M-70 in a subject, as found, and how it stands there.
pub fn automatic_phrase(subject: &str) -> Option<(String, Standing)> {
    let subject = folded(subject);
    let start = without_reply_prefixes(&subject).trim_start_matches(['[', '【', ' ']);
    let (at, phrase) = found(start).next()?;
    let after = start[at + phrase.len()..].trim_start_matches(' ');
    let had_space = after.len() < start.len() - at - phrase.len();
    let is_colon = after.starts_with([':', '：']);
    let ends = is_colon
        || after.is_empty()
        || after.starts_with([']', '】'])
        || (had_space && after.starts_with(['-', '–', '—']));
    let is_strong = at == 0 && if ONLY_BEFORE_COLON.contains(&phrase) { is_colon } else { ends };
    let standing = if is_strong { Standing::Strong } else { Standing::Weak };
    Some((phrase.to_owned(), standing))
}

/// How many phrases of M-70 a subject holds: three are a loop (M-58).
pub fn count_automatic_phrases(subject: &str) -> usize {
    found(&folded(subject)).count()
}

/// The phrases that stand there as whole words; those in scripts without spaces stand anywhere.
fn found(subject: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    PHRASE.find_iter(subject).map(|found| (found.start(), found.as_str())).filter(
        move |(at, phrase)| {
            let has_no_spaces = phrase.chars().all(|c| ('\u{3000}'..='\u{9fff}').contains(&c));
            let before = subject[..*at].chars().next_back();
            let after = subject[at + phrase.len()..].chars().next();
            has_no_spaces || (!is_letter(before) && !is_letter(after))
        },
    )
}

/// Lower case, NFC, Turkish `ı` and `İ` as `i`, and `auto-reply` and `auto_reply` as `auto reply`.
fn folded(subject: &str) -> String {
    const DOT_ABOVE: char = '\u{307}';
    let mut folded = String::with_capacity(subject.len());
    let lower = subject.to_lowercase().replace('ı', "i");
    let mut chars = lower.nfc().filter(|c| *c != DOT_ABOVE).peekable();
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
        for phrase in PHRASES {
            for subject in [
                format!("{phrase}: x"),
                format!("Re: {phrase}: x"),
                format!("[{}: x]", phrase.to_uppercase()),
            ] {
                assert_eq!(standing(&subject), Some(Standing::Strong), "{subject}");
            }
            let is_ambiguous = ONLY_BEFORE_COLON.contains(&phrase);
            let expected = if is_ambiguous { Standing::Weak } else { Standing::Strong };
            for subject in [phrase.to_owned(), format!("{phrase} - x"), format!("[{phrase}] x")] {
                assert_eq!(standing(&subject), Some(expected), "{subject}");
            }
            assert_eq!(standing(&format!("the {phrase} x")), Some(Standing::Weak), "{phrase}");
        }
    }

    #[test]
    fn m_70_people_write_such_words_too() {
        for (subject, expected) in [
            ("Autoreply: x", Some(Standing::Strong)),
            ("Auto-Reply: x", Some(Standing::Strong)),
            ("AW: Automatische Antwort: x", Some(Standing::Strong)),
            ("自動返信：x", Some(Standing::Strong)),
            ("Out of office calendar is broken", Some(Standing::Weak)),
            ("My out-of-office does not work", Some(Standing::Weak)),
            ("auto parts", Some(Standing::Weak)),
            ("Automobile: x", None),
            ("Autobahn", None),
            ("Printer on fire", None),
            ("", None),
        ] {
            assert_eq!(standing(subject), expected, "{subject}");
        }
    }

    #[test]
    fn m_58_phrases_are_counted() {
        assert_eq!(
            count_automatic_phrases("Automated Response: Re: Auto Reply: Re: Autoreply: x"),
            3
        );
        assert_eq!(count_automatic_phrases("Re: x"), 0);
    }
}
