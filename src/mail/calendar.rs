//! Reads of a calendar part what people must see: what, when, where (M-22, RFC 5545). Only the first
//! event counts, and no rule of repetition is worked out.

/// What a calendar part wants, and of which event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// In lower case: `request`, `cancel`, `reply`, `counter`, …; empty when it says nothing.
    pub method: String,
    pub summary: String,
    pub start: Option<Moment>,
    pub end: Option<Moment>,
    pub location: String,
}

/// A time as written: the day, the time of day, and the name of its zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    day: String,
    time: Option<String>,
    zone: String,
}

/// How many lines of a calendar part are looked at; the event stands near its beginning.
const LINE_LIMIT: usize = 20_000;

/// The longest text that is shown of one property, in characters.
const TEXT_LIMIT: usize = 300;

impl Calendar {
    /// Reads the text of a calendar part; what is missing stays empty.
    pub fn read(text: &str) -> Calendar {
        let mut calendar = Calendar::default();
        // The components around the line, and whether an event was read already.
        let mut around: Vec<String> = Vec::new();
        let mut is_read = false;
        for line in unfolded(text) {
            let Some(property) = Property::read(&line) else { continue };
            match property.name.as_str() {
                "BEGIN" if around.len() < 8 => around.push(property.value.to_ascii_uppercase()),
                "END" => {
                    is_read |= around.pop().is_some_and(|name| is_event(&name));
                }
                "METHOD" if around.len() <= 1 => {
                    calendar.method = property.value.trim().to_ascii_lowercase();
                }
                _ if !is_read && around.last().is_some_and(|name| is_event(name)) => {
                    calendar.take(&property);
                }
                _ => (),
            }
        }
        calendar
    }

    fn take(&mut self, property: &Property) {
        match property.name.as_str() {
            "DTEND" | "DUE" => self.end = Moment::read(property),
            "DTSTART" => self.start = Moment::read(property),
            "LOCATION" => self.location = unescaped(property.value),
            "SUMMARY" => self.summary = unescaped(property.value),
            _ => (),
        }
    }

    /// The line that tells people of it; `None` unless somebody invites or calls off (M-22).
    pub fn line(&self) -> Option<String> {
        let what = match self.method.as_str() {
            "cancel" => "cancelled",
            "request" => "invitation",
            _ => return None,
        };
        let when = self.start.as_ref().map(|start| start.until(self.end.as_ref()));
        let told = [Some(self.summary.clone()), when, Some(self.location.clone())];
        let told: Vec<String> =
            told.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        match told.is_empty() {
            true => Some(format!("[{what}]")),
            false => Some(format!("[{what}: {}]", told.join(", "))),
        }
    }
}

impl Moment {
    /// `20260302T100000Z`, `20260302T100000` with a `TZID`, or `20260302`.
    fn read(property: &Property) -> Option<Moment> {
        let value = property.value.trim();
        let digits = |range: std::ops::Range<usize>| {
            value.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let day = format!("{}-{}-{}", digits(0..4)?, digits(4..6)?, digits(6..8)?);
        let time = match value.get(8..9) {
            Some("T") => Some(format!("{}:{}", digits(9..11)?, digits(11..13)?)),
            _ => None,
        };
        let zone = match value.ends_with('Z') {
            true => "UTC".to_owned(),
            false => unescaped(property.zone.trim_matches('"').trim_start_matches('/')),
        };
        Some(Moment { day, time, zone })
    }

    /// `2026-03-02 10:00–11:00 Europe/Berlin`, the second day only when it is another one.
    fn until(&self, end: Option<&Moment>) -> String {
        let mut told = self.day.clone();
        let Some(time) = &self.time else { return told };
        told += &format!(" {time}");
        if let Some(Moment { day, time: Some(time), zone }) = end {
            let is_same = (&self.day, &self.zone) == (day, zone);
            told += &if is_same { format!("–{time}") } else { format!(" – {day} {time}") };
        }
        if !self.zone.is_empty() {
            told += &format!(" {}", self.zone);
        }
        told
    }
}

fn is_event(component: &str) -> bool {
    matches!(component, "VEVENT" | "VTODO")
}

/// `NAME;PARAMETER=value:value` (RFC 5545 §3.1).
struct Property<'a> {
    /// In upper case.
    name: String,
    zone: &'a str,
    value: &'a str,
}

impl<'a> Property<'a> {
    fn read(line: &'a str) -> Option<Property<'a>> {
        // A colon inside quotes belongs to a parameter.
        let mut is_quoted = false;
        let colon = line.bytes().position(|byte| {
            is_quoted ^= byte == b'"';
            byte == b':' && !is_quoted
        })?;
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let mut parameters = head.split(';');
        let name = parameters.next().unwrap_or_default().trim().to_ascii_uppercase();
        let zone = parameters.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("TZID").then_some(value)
        });
        Some(Property { name, zone: zone.unwrap_or_default(), value })
    }
}

/// The lines, those that begin with white space joined to the one before (RFC 5545 §3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take(LINE_LIMIT) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A text without its backslashes (RFC 5545 §3.3.11), on one line.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push(' '),
                Some(c) => text.push(c),
                None => (),
            },
            c => text.push(c),
        }
    }
    let clean: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words: Vec<&str> = clean.into_iter().filter(|word| !word.is_empty()).collect();
    cut(&words.join(" "))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(method: &str, event: &str) -> Option<String> {
        let text = format!(
            "BEGIN:VCALENDAR\r\nMETHOD:{method}\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\n\
             DTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n{event}\r\n\
             BEGIN:VALARM\r\nSUMMARY:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        Calendar::read(&text).line()
    }

    #[test]
    fn m_22_an_invitation_is_told_in_a_line() {
        for (method, event, told) in [
            (
                "REQUEST",
                "SUMMARY:Printer \\, part 2\r\nDTSTART;TZID=Europe/Berlin:20260302T100000\r\n\
                 DTEND;TZID=Europe/Berlin:20260302T113000\r\nLOCATION:Room 5\\nfirst floor",
                "[invitation: Printer , part 2, 2026-03-02 10:00–11:30 Europe/Berlin, Room 5 first floor]",
            ),
            (
                "CANCEL",
                "SUMMARY;LANGUAGE=de:Abstimmung\r\nDTSTART:20260302T230000Z\r\nDTEND:20260303T010000Z",
                "[cancelled: Abstimmung, 2026-03-02 23:00 – 2026-03-03 01:00 UTC]",
            ),
            (
                "request",
                "DTSTART;VALUE=DATE:20260302\r\nSUMMARY:Mo\r\n ve",
                "[invitation: Move, 2026-03-02]",
            ),
            (
                "REQUEST",
                "DTSTART;TZID=\"(UTC+01:00) Berlin\":20260302T100000\r\nSUMMARY:x",
                "[invitation: x, 2026-03-02 10:00 (UTC+01:00) Berlin]",
            ),
            ("REQUEST", "DTSTART:soon", "[invitation]"),
        ] {
            assert_eq!(line(method, event).as_deref(), Some(told));
        }
        for method in ["COUNTER", "PUBLISH", "REPLY", ""] {
            assert_eq!(line(method, "SUMMARY:x"), None, "{method}");
        }
    }

    #[test]
    fn m_22_only_the_first_event_is_told() {
        let two = "SUMMARY:one\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:two";
        assert_eq!(line("REQUEST", two).as_deref(), Some("[invitation: one]"));
        let long = line("REQUEST", &format!("SUMMARY:{}", "é".repeat(400))).expect("a line");
        assert!(long.chars().count() < 330 && long.ends_with("…]"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_a_calendar(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "BEGIN:", "END:", "VEVENT\n", "METHOD:REQUEST\n", "DTSTART", ";TZID=\"", "\":", ":",
                "2026é302T1", "SUMMARY:", "\\", "\n", " ", "é", "20260302T100000Z",
            ]), 0..20),
        ) {
            let told = Calendar::read(&pieces.concat()).line();
            prop_assert!(told.is_none_or(|told| !told.contains('\n')));
        }
    }
}
