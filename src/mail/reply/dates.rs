//! Reads the marks of a date that any language shares (M-93): years, days, hours.

use std::borrow::Cow;

/// The first digit of each script whose clients write dates in their own: Arabic, Persian,
/// Devanagari, Bengali, Thai, and the wide digits of Japan.
const ZEROS: [char; 6] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}'];

/// The line with the digits of other scripts as ASCII ones.
pub(super) fn ascii_digits(line: &str) -> Cow<'_, str> {
    let digit = |c: char| {
        let values = ZEROS.iter().map(|&zero| u32::from(c).wrapping_sub(u32::from(zero)));
        values.filter(|&value| value < 10).find_map(|value| char::from_digit(value, 10))
    };
    if line.is_ascii() || !line.chars().any(|c| digit(c).is_some()) {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.chars().map(|c| digit(c).unwrap_or(c)).collect())
}

/// Runs of digits with the characters right before and behind them.
fn numbers(line: &str) -> impl Iterator<Item = (&str, Option<char>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + line[at..].find(|c: char| c.is_ascii_digit())?;
        let length = line[start..].bytes().take_while(u8::is_ascii_digit).count();
        at = start + length;
        Some((&line[start..at], line[..start].chars().next_back(), &line[at..]))
    })
}

/// Whether a year of four digits stands in the line, alone.
pub(super) fn has_year(line: &str) -> bool {
    numbers(line).any(|(number, before, rest)| {
        number.len() == 4
            && matches!(&number[..2], "19" | "20")
            && !before.is_some_and(|c| c.is_alphabetic() || matches!(c, '@' | '+' | ':' | '#'))
            && !rest.starts_with(|c: char| {
                (c.is_alphabetic() && !matches!(c, 'г' | '年' | '년')) || c == '@'
            })
    })
}

/// `1/3/11`, `28.04.17`, `2011-03-01`.
pub(super) fn has_day_month_year(line: &str) -> bool {
    numbers(line).any(|(_, _, rest)| {
        let Some(mark) = rest.chars().next().filter(|c| matches!(c, '/' | '.' | '-')) else {
            return false;
        };
        let mut parts = rest[1..].splitn(3, mark);
        let is_number = |part: Option<&str>| {
            part.is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        };
        let middle = parts.next();
        middle.is_some_and(|m| m.len() <= 2) && is_number(middle) && is_number(parts.next())
    })
}

/// Whether an hour and minutes stand in the line: `7:07`, `18:02`, `10.05` as Finns write it.
pub(super) fn has_time(line: &str) -> bool {
    numbers(line).any(|(number, before, rest)| {
        if number.len() > 2 || !rest.starts_with([':', '.']) {
            return false;
        }
        let behind = &rest.as_bytes()[1..];
        let minutes = behind.iter().take_while(|b| b.is_ascii_digit()).count();
        let is_part_of_date = before == Some('.') || behind.get(2) == Some(&b'.');
        let is_dotted = rest.starts_with('.') && number.len() == 2;
        minutes == 2 && (rest.starts_with(':') || is_dotted && !is_part_of_date)
    })
}
