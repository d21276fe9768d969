//! Telephone numbers, which everybody writes otherwise.

// So many digits at the end are one person's, whatever stands before them.
const TELLING: usize = 9;
// Fewer stand in every text.
const FEWEST: usize = 6;
// What stands between digits.
const BETWEEN: &str = r"[ \t().\-/]{0,3}";

/// A pattern of a number in folded text: with its country's number, with a zero, or without; `None` for
/// what is no number.
pub fn pattern(number: &str) -> Option<String> {
    let digits: Vec<&str> = number
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .map(|(at, _)| &number[at..=at])
        .collect();
    if digits.len() < FEWEST {
        let written = number.trim();
        return (!written.is_empty()).then(|| super::bounded(written));
    }
    if digits.len() < TELLING {
        return Some(format!(r"\b{}\b", digits.join(BETWEEN)));
    }
    let last = digits[digits.len() - TELLING..].join(BETWEEN);
    let country = format!(r"(?:\+|\b00){BETWEEN}\d{{1,3}}{BETWEEN}(?:0{BETWEEN})?");
    Some(format!(r"(?:{country}|\b)\d{{0,3}}?{last}\b"))
}
