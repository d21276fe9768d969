//! Takes out of what others wrote whatever could end a header line, hide text or turn it round
//! (T-13, F-09).

/// What fits into one line: no control, no line or paragraph separator, no bidi control; at most
/// `longest` characters.
pub fn line(text: &str, longest: usize) -> String {
    text.chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c })
        .filter(|c| !is_hidden(*c))
        .take(longest)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Text of several lines, their ends as LF.
pub fn text(text: &str, longest: usize) -> String {
    text.replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}'], "\n")
        .chars()
        .filter(|c| matches!(c, '\t' | '\n') || !is_hidden(*c))
        .take(longest)
        .collect()
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    #[test]
    fn t_13_a_line_stays_one_line() {
        assert_eq!(super::line("a\r\nBcc: x\0\u{2028}\u{202e}b\u{85}", 99), "a  Bcc: xb");
        assert_eq!(super::line("ééé", 2), "éé");
    }

    #[test]
    fn text_keeps_its_lines_and_loses_what_hides() {
        assert_eq!(super::text("a\r\nb\rc\u{1b}[2Jd\te\0", 99), "a\nb\nc[2Jd\te");
    }
}
