//! Notices domain names that mix scripts (M-108, T-10): a Cyrillic `а` inside a Latin name.

/// Whether one label of the domain (given as A-labels or U-labels) mixes scripts that no language
/// writes together (M-108).
pub fn domain_is_mixed_script(domain: &str) -> bool {
    let (shown, _) = idna::domain_to_unicode(domain);
    shown.split('.').any(|label| {
        let mut scripts = label.chars().filter_map(Script::of);
        match scripts.next() {
            Some(first) => scripts.any(|script| !script.goes_with(first)),
            None => false,
        }
    })
}

/// The scripts that have look-alikes in one another, and the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Armenian,
    Cyrillic,
    EastAsian,
    Greek,
    Latin,
    Other,
}

impl Script {
    /// The script of a letter; digits, hyphens and marks belong to none.
    fn of(c: char) -> Option<Script> {
        match c {
            'a'..='z' | 'A'..='Z' => Some(Script::Latin),
            _ if !c.is_alphabetic() => None,
            '\u{aa}'..='\u{24f}' | '\u{250}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' => {
                Some(Script::Latin)
            }
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Script::Greek),
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => Some(Script::Cyrillic),
            '\u{531}'..='\u{58f}' => Some(Script::Armenian),
            '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' => {
                Some(Script::EastAsian)
            }
            '\u{20000}'..='\u{3ffff}' => Some(Script::EastAsian),
            _ => Some(Script::Other),
        }
    }

    /// Japanese, Chinese and Korean names hold Latin letters as a matter of course.
    fn goes_with(self, other: Script) -> bool {
        self == other
            || matches!(
                (self, other),
                (Script::EastAsian, Script::Latin) | (Script::Latin, Script::EastAsian)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::domain_is_mixed_script;

    #[test]
    fn m_108_a_cyrillic_letter_in_a_latin_name_is_noticed() {
        assert!(domain_is_mixed_script("cont\u{43e}so.example"));
        assert!(domain_is_mixed_script(
            &super::super::domain_to_ascii("cont\u{43e}so.example").expect("a valid domain")
        ));
        for plain in ["contoso.example", "пример.example", "東京tokyo.example", "bücher-1.example"]
        {
            assert!(!domain_is_mixed_script(plain), "{plain}");
        }
    }
}
