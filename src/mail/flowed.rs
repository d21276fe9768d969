//! Joins the lines that a mailer broke on the way out: `format=flowed` (RFC 3676), and Outlook's
//! doubled line breaks (M-18). Takes text with LF line ends; never drops anything but line breaks and
//! the marks around them.

use super::headers::Fields;

/// Whether the space before a soft line break belongs to the text (RFC 3676 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoftSpace {
    /// `DelSp=yes`: it is only there to mark the break.
    Deleted,
    Kept,
}

/// Joins the soft line breaks of a flowed text (M-18, RFC 3676 §4). Quotes keep their depth, `-- `
/// stays a line of its own.
pub fn unflow(text: &str, space: SoftSpace) -> String {
    let mut unflowed = String::with_capacity(text.len() + text.len() / 32);
    // The depth of the quote whose last line goes on.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let (line, line_break) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let is_signature_mark = content == "-- ";
        if open.is_some_and(|open| open != depth || is_signature_mark) {
            unflowed.push('\n');
            open = None;
        }
        if open.is_none() && depth > 0 {
            unflowed.push_str(&line[..depth]);
            if !content.is_empty() {
                unflowed.push(' ');
            }
        }
        let is_soft = content.ends_with(' ') && !is_signature_mark && !line_break.is_empty();
        match (is_soft, space) {
            (true, SoftSpace::Deleted) => unflowed.push_str(&content[..content.len() - 1]),
            (true, SoftSpace::Kept) => unflowed.push_str(content),
            (false, _) => {
                unflowed.push_str(content);
                unflowed.push_str(line_break);
            }
        }
        open = is_soft.then_some(depth);
    }
    if open.is_some() {
        unflowed.push('\n');
    }
    unflowed
}

/// Whether an Outlook wrote a message that doubles line breaks when it makes plain text of its HTML
/// (M-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Its name says so.
    Doubling,
    None,
    /// An Exchange handled the message, whoever wrote it.
    Perhaps,
}

/// What the fields of a message say of that.
pub fn outlook(fields: &Fields) -> Outlook {
    let starts = |name: &str, start: &str| {
        name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    let mailer = fields.first("x-mailer").or_else(|| fields.first("user-agent"));
    let Some(mailer) = mailer else {
        // A receiving Exchange adds X-MS-* to everybody's mail; Gmail names no mailer.
        let has = |start| fields.0.iter().any(|field| starts(field.name, start));
        let is_perhaps = has("x-ms-") && !has("x-google-") && !has("x-gm-");
        return if is_perhaps { Outlook::Perhaps } else { Outlook::None };
    };
    match is_doubling_outlook(&String::from_utf8_lossy(mailer)) {
        true => Outlook::Doubling,
        false => Outlook::None,
    }
}

/// `Microsoft Office Outlook 12.0`, `Microsoft Outlook 14.0`, `Microsoft Outlook 15.0` is none.
fn is_doubling_outlook(mailer: &str) -> bool {
    let mailer = mailer.to_lowercase();
    let Some((_, version)) = mailer.split_once("outlook") else { return false };
    let version = version.trim_start_matches([' ', ',']);
    ["12", "13", "14"].iter().any(|major| {
        version.strip_prefix(major).is_some_and(|rest| !rest.starts_with(|c: char| c.is_numeric()))
    })
}

/// Takes out every second line when all of these are empty (M-18); `None` when the line breaks are
/// not doubled.
pub fn halved(text: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let first = lines.iter().position(|line| !line.trim().is_empty())?;
    let lines = &lines[first..];
    let is_doubled = lines.len() >= 3
        && lines.iter().skip(1).step_by(2).all(|line| line.trim().is_empty())
        && lines.len() % 2 == 1;
    is_doubled.then(|| {
        let kept: Vec<&str> = lines.iter().step_by(2).copied().collect();
        kept.join("\n") + "\n"
    })
}

/// Whether an empty line was doubled too: three of them in a row. A person who writes paragraphs of
/// one line leaves one between each two.
pub fn has_doubled_gap(text: &str) -> bool {
    let mut gap = 0;
    let mut has_begun = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            gap += 1;
            continue;
        }
        if has_begun && gap == DOUBLED_GAP {
            return true;
        }
        (gap, has_begun) = (0, true);
    }
    false
}

/// The empty lines that doubling makes of one.
const DOUBLED_GAP: usize = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn e_52_m_18_a_flowed_text_is_joined() {
        for (flowed, text) in [
            ("The printer \nis jammed.\n", "The printer is jammed.\n"),
            ("one\ntwo\n", "one\ntwo\n"),
            ("one \n\ntwo\n", "one \ntwo\n"),
            // Stuffed lines: a mailer put a space before `From`, `>` and a space.
            (
                " From here on\n >not a quote\n  indented\n",
                "From here on\n>not a quote\n indented\n",
            ),
            // Quotes keep their depth, and end where the depth changes.
            ("> a long \n> quote\nanswer\n", "> a long quote\nanswer\n"),
            (">> deep \n> less \nmine\n", ">> deep \n> less \nmine\n"),
            (">>deep \n>>again\n", ">> deep again\n"),
            ("> \n> x\n", ">\n> x\n"),
            // The mark of a signature neither joins nor is joined.
            ("Bye \n-- \nClaire\n", "Bye \n-- \nClaire\n"),
            ("> Bye \n> -- \n> Claire\n", "> Bye \n> -- \n> Claire\n"),
            ("last \n", "last \n"),
            ("no break ", "no break "),
            ("", ""),
        ] {
            assert_eq!(unflow(flowed, SoftSpace::Kept), text, "{flowed:?}");
        }
        for (flowed, text) in [
            ("プリン \nタ\n", "プリンタ\n"),
            ("> a  \n> b\n", "> a b\n"),
            ("-- \nClaire\n", "-- \nClaire\n"),
        ] {
            assert_eq!(unflow(flowed, SoftSpace::Deleted), text, "{flowed:?}");
        }
    }

    #[test]
    fn e_51_m_18_doubled_line_breaks_are_halved() {
        for (doubled, text) in [
            ("Hello,\n\nit stops.\n\nClaire\n", Some("Hello,\nit stops.\nClaire\n")),
            ("Hello,\n\n\n\nit stops.\n\nClaire\n\n\n", Some("Hello,\n\nit stops.\nClaire\n")),
            ("\n\u{a0}\nHello,\n \nit stops.", Some("Hello,\nit stops.\n")),
            ("Hello,\nit stops.\n\nClaire\n", None),
            ("Hello,\n\n\nit stops.\n", None),
            ("Hello\n", None),
            ("\n\n", None),
            ("", None),
        ] {
            assert_eq!(halved(doubled).as_deref(), text, "{doubled:?}");
        }
    }

    #[test]
    fn e_51_m_18_a_doubled_empty_line_is_three() {
        for (text, is_doubled) in [
            ("Hello,\n\n\n\nit stops.\n\nClaire\n", true),
            ("Hello,\n\n \n\u{a0}\nit stops.", true),
            ("Hello,\n\nit stops.\n\nClaire\n", false),
            ("Hello,\n\n\n\n\n\nit stops.\n", false),
            ("\n\n\nHello,\n\nit stops.\n\n\n\n", false),
            ("", false),
        ] {
            assert_eq!(has_doubled_gap(text), is_doubled, "{text:?}");
        }
    }

    #[test]
    fn m_18_only_some_outlooks_double_line_breaks() {
        for (mailer, doubles) in [
            ("Microsoft Office Outlook 12.0", true),
            ("Microsoft Outlook 14.0", true),
            ("Microsoft Office Outlook, Build 11.0.5510", false),
            ("Microsoft Outlook 15.0", false),
            ("Microsoft Outlook 16.0", false),
            ("Microsoft Outlook Express 6.00.2900.5512", false),
            ("Apple Mail (2.3654.120.0.1.15)", false),
        ] {
            assert_eq!(is_doubling_outlook(mailer), doubles, "{mailer}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn unflowing_changes_nothing_but_white_space_and_marks(text in "[>a \n-]{0,60}") {
            let bare = |text: &str| text.replace([' ', '\n', '>'], "");
            for space in [SoftSpace::Deleted, SoftSpace::Kept] {
                prop_assert_eq!(bare(&unflow(&text, space)), bare(&text));
            }
        }
    }
}
