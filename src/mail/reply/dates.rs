//! Reads the marks of a date that any language shares (M-93): years, days, hours.

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
            && !rest.starts_with(|c: char| (c.is_alphabetic() && c != '年' && c != 'г') || c == '@')
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

/// Whether an hour and minutes stand in the line: `7:07`, `18:02`.
pub(super) fn has_time(line: &str) -> bool {
    numbers(line).any(|(number, _, rest)| {
        number.len() <= 2
            && rest.starts_with(':')
            && rest[1..].bytes().take(2).filter(u8::is_ascii_digit).count() == 2
    })
}
