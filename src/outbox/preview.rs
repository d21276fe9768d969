//! What a mail would say, without one: samples. Nothing is minted here: a secret is always the sample
//! of one.

use jiff::tz::TimeZone;

use super::snippets::VARIABLES;
use super::values::{Values, is_secret, samples};
use super::{Options, words};
use crate::triage::facts::TicketStatus;
use crate::triage::policy::Priority;

// What stands before the name of a template that goes out with samples, on trial.
const TRIAL: &str = "test/";

/// The name under which a template is queued to go out with samples.
pub fn on_trial(template: &str) -> String {
    format!("{TRIAL}{template}")
}

/// The template that is on trial, if it is queued under such a name.
pub fn tried(queued_as: &str) -> Option<&str> {
    queued_as.strip_prefix(TRIAL)
}

/// A sample for every name, for a mail in `locale`, its times in the zone of the desk.
pub fn sample_values(options: &Options, locale: &str) -> Values {
    let mut values = samples(TimeZone::get(&options.timezone).unwrap_or(TimeZone::UTC));
    for status in ["change.status", "ticket.status"] {
        values.line(status, words::status(locale, TicketStatus::Open));
    }
    values.line("ticket.priority", words::priority(locale, Priority::Normal));
    values.line("user.locale", locale);
    values.line("company.name", &options.portal_name);
    values.line("portal.name", &options.portal_name);
    if let Some(portal) = &options.portal_url {
        values.line("portal.url", portal);
        values.line("ticket.url", &format!("{portal}/portal/tickets/4711"));
    }
    sample_secrets(&mut values, options);
    values
}

/// Sets every name that stands for a secret to its sample.
pub(super) fn sample_secrets(values: &mut Values, options: &Options) {
    for variable in VARIABLES.iter().filter(|variable| is_secret(variable.name)) {
        values.line(variable.name, variable.sample);
    }
    let Some(portal) = &options.portal_url else { return };
    for (link, page) in
        [("portal.activation_url", "activate/sample"), ("portal.confirm_url", "confirm/sample")]
    {
        values.line(link, &format!("{portal}/portal/{page}"));
    }
}
