//! The few words of a mail that stand in no template: times, states, the name of nothing.

use jiff::Zoned;

use crate::triage::facts::TicketStatus;
use crate::triage::policy::Priority;

/// A time as people of that language write it; ISO 8601 for a language not known.
pub fn moment(locale: &str, at: &Zoned) -> String {
    let month = usize::from(at.month().unsigned_abs()) - 1;
    let (day, year) = (at.day(), at.year());
    let time = at.strftime("%H:%M");
    let zone = at.strftime("%Z");
    // French and Italian count the first day of a month, and name the others.
    let first = |ordinal: &str| if day == 1 { ordinal.to_owned() } else { day.to_string() };
    match language(locale) {
        "de" => format!("{day}. {} {year}, {time} Uhr ({zone})", GERMAN[month]),
        "en" => format!("{day} {} {year}, {time} {zone}", ENGLISH[month]),
        "es" => format!("{day} de {} de {year}, {time} ({zone})", SPANISH[month]),
        "fr" => format!("{} {} {year} à {time} ({zone})", first("1er"), FRENCH[month]),
        "it" => format!("{} {} {year}, ore {time} ({zone})", first("1º"), ITALIAN[month]),
        "nl" => format!("{day} {} {year} om {time} uur ({zone})", DUTCH[month]),
        "pt" => format!("{day} de {} de {year}, {time} ({zone})", PORTUGUESE[month]),
        _ => at.strftime("%Y-%m-%d %H:%M %Z").to_string(),
    }
}

/// The state of a ticket.
pub fn status(locale: &str, status: TicketStatus) -> &'static str {
    let [closed, open, pending] = match language(locale) {
        "de" => ["abgeschlossen", "offen", "wartend"],
        "es" => ["cerrada", "abierta", "en espera"],
        "fr" => ["close", "ouverte", "en attente"],
        "it" => ["chiusa", "aperta", "in attesa"],
        "nl" => ["afgesloten", "open", "in afwachting"],
        "pt" => ["encerrado", "aberto", "pendente"],
        _ => return status.as_str(),
    };
    match status {
        TicketStatus::Closed => closed,
        TicketStatus::Open => open,
        TicketStatus::Pending => pending,
    }
}

/// How pressing a ticket is.
pub fn priority(locale: &str, priority: Priority) -> &'static str {
    let [high, low, normal, urgent] = match language(locale) {
        "de" => ["hoch", "niedrig", "normal", "dringend"],
        "es" => ["alta", "baja", "normal", "urgente"],
        "fr" => ["haute", "basse", "normale", "urgente"],
        "it" => ["alta", "bassa", "normale", "urgente"],
        "nl" => ["hoog", "laag", "normaal", "dringend"],
        "pt" => ["alta", "baixa", "normal", "urgente"],
        _ => return priority.as_str(),
    };
    match priority {
        Priority::High => high,
        Priority::Low => low,
        Priority::Normal => normal,
        Priority::Urgent => urgent,
    }
}

/// What stands for an empty subject (M-20).
pub fn no_subject(locale: &str) -> &'static str {
    match language(locale) {
        "de" => "(kein Betreff)",
        "es" => "(sin asunto)",
        "fr" => "(sans objet)",
        "it" => "(nessun oggetto)",
        "nl" => "(geen onderwerp)",
        "pt" => "(sem assunto)",
        _ => "(no subject)",
    }
}

/// `fr` of `fr-CA`.
pub fn language(locale: &str) -> &str {
    locale.split(['-', '_']).next().unwrap_or(locale)
}

type Months = [&'static str; 12];

#[rustfmt::skip]
const DUTCH: Months = [
    "januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
    "oktober", "november", "december",
];
#[rustfmt::skip]
const ENGLISH: Months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
];
#[rustfmt::skip]
const FRENCH: Months = [
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
];
#[rustfmt::skip]
const GERMAN: Months = [
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
    "Oktober", "November", "Dezember",
];
#[rustfmt::skip]
const ITALIAN: Months = [
    "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
    "ottobre", "novembre", "dicembre",
];
#[rustfmt::skip]
const PORTUGUESE: Months = [
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
    "outubro", "novembro", "dezembro",
];
#[rustfmt::skip]
const SPANISH: Months = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
    "octubre", "noviembre", "diciembre",
];

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn states_and_priorities_are_said_in_every_language() {
        let locales = ["de", "en", "es", "fr", "it", "nl", "pt"];
        let every = |locale| {
            let states = [TicketStatus::Closed, TicketStatus::Open, TicketStatus::Pending];
            let mut said = states.map(|state| status(locale, state)).to_vec();
            said.extend(Priority::ALL.map(|one| priority(locale, one)));
            said
        };
        for locale in locales {
            let said = every(locale);
            let each: std::collections::BTreeSet<&str> = said.iter().copied().collect();
            assert_eq!(each.len(), said.len(), "{locale}: two are said alike");
            let same = locales.iter().filter(|other| every(other) == said).count();
            assert_eq!(same, 1, "{locale} says it in a language of its own");
        }
        assert_eq!(priority("fr-CA", Priority::High), "haute");
        assert_eq!(priority("ja", Priority::High), "high", "else as it is stored");
    }

    #[test]
    fn a_time_is_written_as_each_language_writes_it() {
        let zone = TimeZone::get("Europe/Paris").expect("a time zone");
        let at = |moment: &str| moment.parse::<Timestamp>().expect("a time").to_zoned(zone.clone());
        let written = |locale| moment(locale, &at("2027-03-01T07:05:00Z"));
        assert_eq!(written("de"), "1. März 2027, 08:05 Uhr (CET)");
        assert_eq!(written("en-GB"), "1 March 2027, 08:05 CET");
        assert_eq!(written("es"), "1 de marzo de 2027, 08:05 (CET)");
        assert_eq!(written("fr-CA"), "1er mars 2027 à 08:05 (CET)");
        assert_eq!(written("it"), "1º marzo 2027, ore 08:05 (CET)");
        assert_eq!(written("nl"), "1 maart 2027 om 08:05 uur (CET)");
        assert_eq!(written("pt_BR"), "1 de março de 2027, 08:05 (CET)");
        assert_eq!(written("ja"), "2027-03-01 08:05 CET");
        assert_eq!(moment("fr", &at("2027-08-02T10:00:00Z")), "2 août 2027 à 12:00 (CEST)");
    }
}
