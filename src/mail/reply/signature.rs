//! Finds signatures (M-97), the footers of lists (M-96) and what is left of rules at the end
//! (M-98). Works on the lines still kept, from the last one up.

use super::Sender;
use super::lines::{Class, Lines};
use super::mobile::is_mobile;
use super::words::locales;

/// What ends a text, from which of its kept lines on, and why.
pub(super) struct Tail {
    /// An index into the kept lines.
    pub from: usize,
    pub kind: TailKind,
    pub rule: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TailKind {
    Footer,
    Mobile,
    /// The sender's own: nobody else's mail ends with it.
    Name,
    Signature,
}

const MOST_SIGNATURE_LINES: usize = 11;
const MOST_SIGNATURE_CHARS: usize = 100;
const MOST_FOOTER_LINES: usize = 6;

/// The signature or footer that ends the kept lines, if any. `blocked(line)` tells the lines that
/// no signature may reach over.
pub(super) fn ending(
    lines: &Lines<'_>,
    kept: &[usize],
    sender: &Sender,
    blocked: &dyn Fn(usize) -> bool,
) -> Option<Tail> {
    let end = kept.iter().rposition(|&n| lines.class[n] != Class::Empty)? + 1;
    let kept = &kept[..end];
    let tail = footer(lines, kept, blocked)
        .or_else(|| delimited(lines, kept, blocked))
        .or_else(|| mobile(lines, kept, blocked))
        .or_else(|| name(lines, kept, sender, blocked))?;
    let has_text_above = kept[..tail.from].iter().any(|&n| lines.class[n] != Class::Empty);
    // A phone signs a picture without words too.
    (has_text_above || tail.kind == TailKind::Mobile).then_some(tail)
}

/// The kept lines that count before M-98: rules and empty lines at the end go.
pub(super) fn without_rules(lines: &Lines<'_>, kept: &[usize]) -> usize {
    let is_rest = |&n: &usize| {
        lines.class[n] != Class::Quote
            && lines.text[n].chars().all(|c| {
                c.is_whitespace() || matches!(c, '-' | '_' | ',' | '=' | '+' | '~' | '#' | '*')
                    // U+1427 is the mark a mail tracker for Gmail leaves behind.
                    || matches!(c, '—' | '–' | 'ᐧ')
            })
    };
    kept.iter().rposition(|n| !is_rest(n)).map_or(0, |last| last + 1)
}

/// A line of underscores with few lines below it, or a line that tells how to unsubscribe or that
/// a mail was scanned (M-96).
/// With a second such line near above them, underscores are the layout of a text.
fn footer(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let (mut below, mut unsubscribe, mut rule) = (0, None, None);
    for (at, &n) in kept.iter().enumerate().rev() {
        if lines.class[n] == Class::Empty {
            continue;
        }
        if blocked(n) || !lines.is_text(n) || below > 2 * MOST_FOOTER_LINES + 1 {
            break;
        }
        let line = lines.text[n].trim();
        if line.len() >= 7 && line.bytes().all(|b| b == b'_') {
            rule = Some((at, below));
        }
        if below < 3 && (is_unsubscribe(line) || is_scan_notice(line)) {
            unsubscribe = Some(at);
        }
        below += 1;
    }
    rule.filter(|(_, below)| *below <= MOST_FOOTER_LINES)
        .map(|(at, _)| at)
        .or(unsubscribe)
        .map(|from| Tail { from, kind: TailKind::Footer, rule: "M-96" })
}

/// `Unsubscribe: https://…`, as a list writes it; a person asks without a link or in a sentence.
fn is_unsubscribe(line: &str) -> bool {
    // Whose address is to leave stands in a person's wish; a list tells where to write.
    let tells_where = ["://", "-leave@", "-request@", "mailto:", "unsubscribe@"]
        .iter()
        .any(|place| line.contains(place));
    if !tells_where || line.len() > 300 {
        return false;
    }
    let lower = line.to_lowercase();
    locales().flat_map(|locale| locale.unsubscribe).any(|start| lower.starts_with(start))
}

/// What virus scanners add below a mail, whatever they link to.
fn is_scan_notice(line: &str) -> bool {
    // The longest of the notices, and room for a link.
    line.len() <= 200 && {
        let lower = line.to_lowercase().replace('’', "'");
        SCAN_NOTICES.iter().any(|start| lower.starts_with(start))
    }
}

/// How the notices of Avast and AVG begin, in lower case.
const SCAN_NOTICES: [&str; 19] = [
    "bez virů. www.avast",
    "deze e-mail is gecontroleerd op virussen met avast",
    "diese e-mail wurde von avast antivirus-software auf viren geprüft",
    "el software de antivirus avast ha analizado este correo",
    "garanti sans virus. www.avast",
    "l'absence de virus dans ce courrier électronique a été vérifiée par",
    "libre de virus. www.avast",
    "livre de vírus. www.avast",
    "privo di virus. www.avast",
    "questa e-mail è stata controllata per individuare virus con avast",
    "ta wiadomość e-mail została sprawdzona pod kątem wirusów przez",
    "tato zpráva byla zkontrolována na viry programem avast",
    "this email has been checked for viruses by avast",
    "this email has been checked for viruses by avg",
    "virenfrei. www.avast",
    "virus-free. www.avast",
    "virus-free. www.avg",
    "virusvrij. www.avast",
    "wolny od wirusów. www.avast",
];

/// `-- ` and the like, alone on a line (M-97).
fn delimited(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let mut below = 0;
    let mut from = None;
    for (at, &n) in kept.iter().enumerate().rev() {
        if blocked(n) || lines.class[n] == Class::Quote {
            break;
        }
        if is_delimiter(lines.text[n]) && lines.class[n] == Class::Text {
            // Two of them are a layout, not a signature, unless both fit into one.
            from = Some((at, below));
        }
        if lines.class[n] != Class::Empty {
            below += 1;
            if lines.text[n].trim().chars().nth(MOST_SIGNATURE_CHARS).is_some() {
                break;
            }
        }
        if below > 2 * MOST_SIGNATURE_LINES + 1 {
            break;
        }
    }
    from.filter(|(_, below)| *below <= MOST_SIGNATURE_LINES).map(|(from, _)| Tail {
        from,
        kind: TailKind::Signature,
        rule: "M-97",
    })
}

fn is_delimiter(line: &str) -> bool {
    let line = line.trim_end();
    matches!(line, "--" | "—" | "__" | "–")
}

/// `Sent from my iPhone` among the last three lines (M-97).
fn mobile(lines: &Lines<'_>, kept: &[usize], blocked: &dyn Fn(usize) -> bool) -> Option<Tail> {
    let mut seen = 0;
    for (at, &n) in kept.iter().enumerate().rev() {
        if lines.class[n] == Class::Empty {
            continue;
        }
        if blocked(n) || !lines.is_text(n) {
            return None;
        }
        if is_mobile(lines.text[n]) {
            return Some(Tail { from: at, kind: TailKind::Mobile, rule: "M-97" });
        }
        seen += 1;
        if seen == 3 {
            return None;
        }
    }
    None
}

/// The sender's own name alone on the last line (M-97).
fn name(
    lines: &Lines<'_>,
    kept: &[usize],
    sender: &Sender,
    blocked: &dyn Fn(usize) -> bool,
) -> Option<Tail> {
    let from = kept.len().checked_sub(1)?;
    let n = kept[from];
    let is_name =
        lines.class[n] == Class::Text && !blocked(n) && is_own_name(lines.text[n], sender);
    is_name.then_some(Tail { from, kind: TailKind::Name, rule: "M-97" })
}

fn is_own_name(line: &str, sender: &Sender) -> bool {
    if line.len() > 80 {
        return false;
    }
    let words = words_of(line);
    if words.is_empty() || words.len() > 5 {
        return false;
    }
    let local = sender.address.split('@').next().unwrap_or_default();
    let own: Vec<String> = words_of(&sender.name).into_iter().chain(words_of(local)).collect();
    words.iter().any(|word| word.chars().count() > 1) && words.iter().all(|word| own.contains(word))
}

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
