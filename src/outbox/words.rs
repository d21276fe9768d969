//! The few words of a mail that stand in no template: times, states, the name of nothing.

use jiff::Zoned;

use crate::triage::facts::TicketStatus;

/// A time as people of that language write it; ISO 8601 for a language not known.
pub fn moment(locale: &str, at: &Zoned) -> String {
    #[rustfmt::skip]
    const ENGLISH: [&str; 12] = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ];
    #[rustfmt::skip]
    const FRENCH: [&str; 12] = [
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ];
    let month = usize::from(at.month().unsigned_abs()) - 1;
    let (day, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
    let zone = at.strftime("%Z");
    match language(locale) {
        "en" => format!("{day} {} {year}, {hour:02}:{minute:02} {zone}", ENGLISH[month]),
        "fr" => {
            let day = if day == 1 { "1er".to_owned() } else { day.to_string() };
            format!("{day} {} {year} à {hour:02}:{minute:02} {zone}", FRENCH[month])
        }
        _ => at.strftime("%Y-%m-%d %H:%M %Z").to_string(),
    }
}

/// The state of a ticket.
pub fn status(locale: &str, status: TicketStatus) -> &'static str {
    match (language(locale), status) {
        ("fr", TicketStatus::Closed) => "fermé",
        ("fr", TicketStatus::Open) => "ouvert",
        ("fr", TicketStatus::Pending) => "en attente",
        _ => status.as_str(),
    }
}

/// What stands for an empty subject (M-20).
pub fn no_subject(locale: &str) -> &'static str {
    match language(locale) {
        "de" => "(kein Betreff)",
        "fr" => "(sans objet)",
        _ => "(no subject)",
    }
}

/// `fr` of `fr-CA`.
pub fn language(locale: &str) -> &str {
    locale.split(['-', '_']).next().unwrap_or(locale)
}
