//! The ticket number in a subject (V5, M-78): found in what others write, cut from the subject of a
//! ticket that follows another one.

/// Numbers looked up of one subject: it is cut at 500 characters, but not by us.
const LIMIT: usize = 10;

/// A tag as `threading.subject_tag` writes it, around its number.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    before: &'a str,
    after: &'a str,
}

impl<'a> Tag<'a> {
    /// The tag that `written` describes, e.g. `[#{number}]`; `None` when nothing but the number
    /// would be left, since every number in a subject would then name a ticket.
    pub fn new(written: &'a str) -> Option<Tag<'a>> {
        let (before, after) = written.split_once("{number}")?;
        (!before.trim().is_empty() || !after.trim().is_empty()).then_some(Tag { before, after })
    }

    /// The ticket numbers in `subject`, in the order they stand there, each once.
    pub fn numbers(self, subject: &str) -> Vec<i64> {
        let mut numbers = Vec::new();
        for (_, number) in self.found_in(subject) {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
            if numbers.len() == LIMIT {
                break;
            }
        }
        numbers
    }

    /// `subject` without any tag (M-86).
    pub fn cut_from(self, subject: &str) -> String {
        let mut kept = String::with_capacity(subject.len());
        let mut from = 0;
        for (range, _) in self.found_in(subject) {
            kept.push_str(subject[from..range.start].trim_end());
            from = range.end;
        }
        kept.push_str(&subject[from..]);
        kept.trim().to_owned()
    }

    fn found_in(self, subject: &'a str) -> impl Iterator<Item = (std::ops::Range<usize>, i64)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            while from < subject.len() {
                // Without text before the number, the tag begins where digits begin.
                let start = match self.before {
                    "" => from + subject[from..].find(|c: char| c.is_ascii_digit())?,
                    before => from + subject[from..].find(before)?,
                };
                let digits_from = start + self.before.len();
                let digits = subject[digits_from..].bytes().take_while(u8::is_ascii_digit).count();
                let end = digits_from + digits;
                from = end.max(start + 1);
                while !subject.is_char_boundary(from) {
                    from += 1;
                }
                let number = subject[digits_from..end].parse().ok().filter(|number| *number > 0);
                if let Some(number) = number
                    && subject[end..].starts_with(self.after)
                {
                    from = end + self.after.len();
                    return Some((start..from, number));
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(tag: &str, subject: &str) -> Vec<i64> {
        Tag::new(tag).expect("a tag").numbers(subject)
    }

    #[test]
    fn m_78_a_tag_is_found_wherever_it_stands() {
        assert_eq!(numbers("[#{number}]", "Re: [#4711] Printer"), [4711]);
        assert_eq!(numbers("[#{number}]", "[#1] Fwd: [#2] x [#1]"), [1, 2]);
        assert_eq!(numbers("Ticket {number}", "AW: Ticket 12: Drucker"), [12]);
        assert_eq!(numbers("{number}#", "12# and 13 14#"), [12, 14]);
        assert_eq!(numbers("(ä{number})", "Re: (ä7)"), [7]);
    }

    #[test]
    fn m_78_what_only_looks_like_a_tag_is_none() {
        for subject in ["", "#4711", "[#]", "[#47 11]", "[#-1]", "[#0]", "[#99999999999999999999]"]
        {
            assert!(numbers("[#{number}]", subject).is_empty(), "{subject}");
        }
        assert!(Tag::new("{number}").is_none());
        assert!(Tag::new("[ticket]").is_none());
    }

    #[test]
    fn m_78_a_subject_full_of_tags_asks_for_ten() {
        let subject: String = (1..=999).map(|number| format!("[#{number}]")).collect();
        assert_eq!(numbers("[#{number}]", &subject).len(), LIMIT);
    }

    #[test]
    fn m_86_the_tag_is_cut() {
        let cut = |subject| Tag::new("[#{number}]").expect("a tag").cut_from(subject);
        assert_eq!(cut("Re: [#4711] Printer"), "Re: Printer");
        assert_eq!(cut("Printer [#4711]"), "Printer");
        assert_eq!(cut("[#1]"), "");
        assert_eq!(cut("Printer [#x]"), "Printer [#x]");
    }

    proptest! {
        #[test]
        fn any_subject_and_tag_can_be_searched(
            subject in "\\PC{0,60}|[\\[#0-9\\] ä]{0,60}",
            before in "[#\\[ä]{0,2}",
            after in "[\\]ä]{0,2}",
        ) {
            let written = format!("{before}{{number}}{after}");
            if let Some(tag) = Tag::new(&written) {
                tag.numbers(&subject);
                prop_assert!(tag.cut_from(&subject).len() <= subject.len());
            }
        }
    }
}
