//! Finds what the ticket already holds: our own marks (M-90) and lines of its earlier messages
//! (M-91). A person's paragraph between known ones is never folded: one unknown paragraph ends it.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::lines::{Class, Lines};

/// Shorter lines stand in every mail and prove nothing.
const LEAST_CHARS: usize = 20;
/// One line alone may be somebody's habit: a thank-you that ends each of their mails.
const LEAST_KNOWN: usize = 2;
/// How far the cut moves up over attributions, header lines and empty lines.
const MOST_ABOVE: usize = 6;
/// As many lines as are classified (M-89).
const MOST_LINES: usize = 2000;
const MOST_BYTES: usize = 256 * 1024;
/// Longer lines are data, not words.
const LONGEST: usize = 10_000;

/// The [`known_line`]s of a text after [`normalise`](super::normalise()), in ascending order, each
/// once: what later messages of its ticket are compared with (M-91).
pub fn known_lines(normalised: &str) -> Vec<u64> {
    let mut left = MOST_BYTES;
    let lines = normalised.lines().take(MOST_LINES).take_while(|line| {
        let fits = line.len() <= left;
        left = left.saturating_sub(line.len());
        fits
    });
    let mut hashes: Vec<u64> = lines.filter_map(known_line).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The hash of a line for [`Context::known`](super::Context): quote marks removed, spaces
/// collapsed, lower case; none for a line under 20 characters or of no words (M-91). Stable over
/// versions: FNV-1a of its characters, since it is made for each line of each message. Always even:
/// anybody can write a line of a hash they wish, so what else a ticket knows is told by odd numbers.
pub fn known_line(line: &str) -> Option<u64> {
    let line = line.trim_start_matches(['>', '|', ' ', '\t']);
    if line.len() > LONGEST {
        return None;
    }
    let mut words = Words { hash: FNV_OFFSET, chars: 0, has_word: false };
    let mut is_apart = false;
    for c in line.chars() {
        if c.is_whitespace() {
            is_apart = words.chars > 0;
            continue;
        }
        if is_apart {
            words.push(' ');
            is_apart = false;
        }
        if c.is_ascii() {
            words.push(c.to_ascii_lowercase());
        } else {
            c.to_lowercase().for_each(|c| words.push(c));
        }
    }
    // Rules and boxes stand in every mail, however long they are.
    (words.chars >= LEAST_CHARS && words.has_word).then_some(words.hash & !1)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The words of a line, as far as it was read.
struct Words {
    hash: u64,
    chars: usize,
    has_word: bool,
}

impl Words {
    fn push(&mut self, c: char) {
        self.hash = (self.hash ^ u64::from(u32::from(c))).wrapping_mul(FNV_PRIME);
        self.chars += 1;
        self.has_word |= c.is_alphanumeric();
    }
}

/// The line from which on all is one of ours, by one of our marks (M-90). A mark inside a quote
/// with an answer below it does not count: the quote rules find the answer.
pub(super) fn marked(lines: &Lines<'_>, marks: &[String]) -> Option<usize> {
    let is_mark = |line: &str| {
        is_reply_above(line) || marks.iter().any(|mark| !mark.is_empty() && line.contains(mark))
    };
    let at = (0..lines.len()).find(|&n| is_mark(lines.text[n]))?;
    let answered = (at + 1..lines.len()).any(|n| lines.is_text(n));
    let quoted = lines.class[at] == Class::Quote;
    (!(quoted && answered)).then(|| with_attribution(lines, at))
}

/// Whether the line asks to write above it and says nothing else, whatever it is decorated with.
fn is_reply_above(line: &str) -> bool {
    if line.len() < *PHRASE_BYTES.start() {
        return false;
    }
    let is_frame = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '#' | '-' | '=' | '*' | '_' | '~' | '>' | '|' | '.' | ':' | '[' | ']' | '<'
            )
    };
    let line = line.trim_matches(is_frame);
    let mut lower = line.chars().flat_map(char::to_lowercase);
    let Some(first) = lower.next().filter(|_| PHRASE_BYTES.contains(&line.len())) else {
        return false;
    };
    // Every line is asked: most are told apart by their first letter.
    let mut alike = REPLY_ABOVE.iter().filter_map(|phrase| phrase.strip_prefix(first));
    alike.any(|rest| lower.clone().eq(rest.chars()))
}

/// Other lines, most of all the short ones that a text may be full of, are passed over (M-102).
const PHRASE_BYTES: RangeInclusive<usize> = 20..=100;

/// How a helpdesk's templates ask to answer above a line (M-90), in lower case, by locale.
const REPLY_ABOVE: [&str; 28] = [
    // de
    "bitte antworten sie oberhalb dieser zeile",
    "bitte oberhalb dieser zeile antworten",
    "bitte über dieser zeile antworten",
    "bitte geben sie ihre antwort oberhalb dieser zeile ein",
    // en
    "add your reply above this line",
    "in replies all text above this line is added to the ticket",
    "please reply above this line",
    "please type your reply above this line",
    "please write above this line",
    "reply above this line",
    "reply above this line to add a comment",
    "type your response above this line",
    "write your reply above this line",
    // es
    "por favor, escriba su respuesta por encima de esta línea",
    "responda por encima de esta línea",
    "responder por encima de esta línea",
    // fr
    "merci de répondre au-dessus de cette ligne",
    "répondez au-dessus de cette ligne",
    "veuillez répondre au-dessus de cette ligne",
    "veuillez saisir votre réponse au-dessus de cette ligne",
    // it
    "rispondere al di sopra di questa riga",
    "rispondi sopra questa riga",
    "scrivi la risposta sopra questa riga",
    // nl
    "antwoord boven deze regel",
    "typ uw antwoord boven deze regel",
    // pt
    "escreva a sua resposta acima desta linha",
    "responda acima desta linha",
    "responder acima desta linha",
];

/// The line from which on the text is known (M-91): walking up by paragraphs, each of which begins
/// and ends with a known line or holds only lines too short to tell; at least 80 % of the others
/// are known, and these are more than one.
pub(super) fn known_from(lines: &Lines<'_>, known: &HashSet<u64>) -> Option<usize> {
    if known.is_empty() {
        return None;
    }
    let mut start = None;
    let (mut familiar, mut strange) = (0_usize, 0_usize);
    let mut end = lines.len();
    while end > 0 {
        let first = paragraph(lines, end);
        let mut top = None;
        let mut between = 0;
        for n in (first..end).rev() {
            if lines.class[n] == Class::Quote {
                return start;
            }
            match known_line(lines.text[n]) {
                Some(hash) if known.contains(&hash) => {
                    familiar += 1;
                    strange += std::mem::take(&mut between);
                    top = Some(n);
                }
                // Below the last known line somebody answers.
                Some(_) if top.is_none() => return start,
                Some(_) => between += 1,
                None => {}
            }
        }
        if let Some(top) = top {
            if familiar >= LEAST_KNOWN && familiar * 5 >= (familiar + strange) * 4 {
                start = Some(with_attribution(lines, top));
            }
            if between > 0 {
                return start;
            }
        }
        end = first.saturating_sub(1);
    }
    start
}

/// Whether lines say what is known (M-91): at least 80 % of those that tell anything, and more than one.
pub(super) fn is_known(lines: &[&str], known: &HashSet<u64>) -> bool {
    if known.is_empty() {
        return false;
    }
    let telling: Vec<u64> = lines.iter().filter_map(|line| known_line(line)).collect();
    let familiar = telling.iter().filter(|hash| known.contains(hash)).count();
    familiar >= LEAST_KNOWN && familiar * 5 >= telling.len() * 4
}

/// The first line of the paragraph whose last line is before `end`; `end` itself when that is
/// empty.
fn paragraph(lines: &Lines<'_>, end: usize) -> usize {
    let mut first = end;
    while first > 0 && lines.class[first - 1] != Class::Empty {
        first -= 1;
    }
    first
}

/// Moves up over the attribution or header that introduces the line, and the empty lines between.
fn with_attribution(lines: &Lines<'_>, line: usize) -> usize {
    lines
        .boundaries
        .iter()
        .rev()
        .find(|boundary| boundary.end <= line)
        .filter(|boundary| {
            line - boundary.end <= MOST_ABOVE
                && (boundary.end..line).all(|n| lines.class[n] == Class::Empty)
        })
        .map_or(line, |boundary| boundary.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::reply::{Context, Scope, trim};

    fn answered(text: &str) -> String {
        trim(text, &Context { scope: Scope::Answer, ..Context::default() }).text
    }

    #[test]
    fn m_90_a_line_that_asks_to_write_above_it_ends_what_is_new() {
        for line in [
            "##- Please type your reply above this line -##",
            "--- Reply above this line ---",
            "***** BITTE ÜBER DIESER ZEILE ANTWORTEN *****",
            "## Veuillez répondre au-dessus de cette ligne ##",
            "=== Responda por encima de esta línea ===",
        ] {
            let text = format!("It works.\n\n{line}\n\nYour request has the number 4711.\n");
            assert_eq!(answered(&text), "It works.", "{line}");
        }
    }

    #[test]
    fn m_90_no_phrase_is_passed_over() {
        assert!(REPLY_ABOVE.iter().all(|phrase| is_reply_above(phrase)));
    }

    #[test]
    fn m_90_words_about_such_a_line_are_words() {
        for text in [
            "Your mails say: reply above this line.\n\nWhy is that?",
            "Shall I reply above this line?\n\nI did.",
        ] {
            assert_eq!(answered(text), text);
        }
    }

    #[test]
    fn m_91_a_line_that_somebody_ends_each_mail_with_stays() {
        let known = known_lines("Many thanks for your kind help!").into_iter().collect();
        let context = Context { scope: Scope::Answer, known, ..Context::default() };
        let text = "It smokes again.\n\nMany thanks for your kind help!";
        assert_eq!(trim(text, &context).text, text);
    }

    #[test]
    fn m_91_a_quote_of_what_the_ticket_knows_needs_no_attribution() {
        let ours = "Hello Claire,\n\nplease switch the printer off and on again.\n\
                    The switch is behind the small door on the left.\n\nKind regards\nAnna\n\n\
                    This mail is about your request with the number 4711.\n";
        let quoted: String = ours.lines().map(|line| format!("> {line}\n")).collect();
        let known = known_lines(ours).into_iter().collect();
        let context = Context { scope: Scope::Answer, known, ..Context::default() };
        let reply = trim(&format!("Ok.\n\n{quoted}"), &context);
        assert_eq!((reply.text.as_str(), reply.visible.as_str()), ("Ok.", "Ok."));
        // What is quoted of somebody else may be what the answer is about.
        let strange = trim(
            &format!("Ok.\n\n{}", quoted.replace("printer", "x").replace("switch", "y")),
            &context,
        );
        assert!(strange.visible.contains("small door"), "{}", strange.visible);
    }

    #[test]
    fn m_91_a_line_is_known_by_its_words() {
        let known = |line| known_line(line).is_some();
        assert!(known("Nobody dares to open the lid."));
        assert!(!known("-----------------------------------"));
        assert!(!known("too short"));
        assert!(!known(&"x".repeat(LONGEST + 1)));
        let text = "Nobody dares to open the lid.\n> nobody  dares to open the LID.\nYes.\n";
        assert_eq!(known_lines(text).len(), 1);
        let lines = |count: usize| -> String {
            (0..count).map(|n| format!("this is line number {n:9} of a log\n")).collect()
        };
        assert_eq!(known_lines(&lines(3000)).len(), MOST_LINES);
        let long: String = (0..200).map(|n| format!("{n} {}\n", "word ".repeat(500))).collect();
        assert!(known_lines(&long).len() < 200);
    }
}
