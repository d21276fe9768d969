//! `templates preview` and `show`: what a mail would say, and what it is made of. Nothing is minted:
//! a secret is shown as a sample.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::ShowArgs;
use super::reader::{Meant, ReaderArgs};
use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::words::hint;
use crate::cli::{Format, Globals, output, tickets};
use crate::config::Settings;
use crate::outbox::preview::sample_values;
use crate::outbox::render::subject_of;
use crate::outbox::template::{Format as Form, Template};
use crate::outbox::values::Values;

#[derive(Args)]
pub(in crate::cli) struct PreviewArgs {
    #[command(flatten)]
    reader: ReaderArgs,
    /// With what is known of this ticket, instead of samples
    #[arg(long, value_name = "NUMBER", conflicts_with = "message")]
    ticket: Option<String>,
    /// With what is known of this message and its ticket
    #[arg(long, value_name = "MESSAGE")]
    message: Option<String>,
    /// The HTML, for a browser
    #[arg(long)]
    html: bool,
}

pub(super) fn run(globals: &Globals, args: &PreviewArgs) -> Result<Exit> {
    let (settings, templates) = super::load(globals)?;
    let about = about(globals, args)?;
    let mut reader = args.reader.clone();
    if let Some(about) = &about {
        reader.site = reader.site.or_else(|| Some(about.site.clone()));
        reader.mailbox = reader.mailbox.or_else(|| {
            // A mailbox that has left the configuration has no templates either.
            let mailboxes = &settings.mailboxes;
            let known = mailboxes.iter().any(|mailbox| mailbox.name == about.mailbox);
            known.then(|| about.mailbox.clone())
        });
    }
    let meant = Meant::of(globals, &reader, &settings)?;
    let template = meant.template(&templates)?;
    let (values, number) = match &about {
        None => (sample_values(&settings.outbox, template.locale()), 4711),
        Some(about) => (about.values(template, &settings)?, about.ticket),
    };
    let rendered = templates
        .render(template, &values)
        .map_err(|error| failure(Exit::Negative, error.to_string()))?;
    let is_about_ticket = template.uses("ticket.number");
    let tag = is_about_ticket.then_some(settings.outbox.subject_tag.as_str());
    let subject = subject_of(&rendered.subject, tag.map(|tag| (tag, number)));
    match (globals.format(), args.html) {
        (Format::Table, true) => super::write(None, &rendered.html)?,
        (Format::Table, false) => {
            output::line(format_args!("Subject: {}\n", output::escape(&subject)))?;
            output::line(output::escape_lines(rendered.text.trim_end()))?;
        }
        (format, _) => output::object(
            format,
            &json!({
                "name": template.name(),
                "owner": template.owner().to_string(),
                "locale": template.locale(),
                "from": template.file(),
                "subject": subject,
                "text": rendered.text,
                "html": rendered.html,
            }),
        )?,
    }
    if globals.format() == Format::Table && !args.html {
        hint(globals, format_args!("this is `{}`; `--html` shows the other form", template.file()));
    }
    Ok(Exit::Done)
}

/// A ticket, and one message of it, that a mail would be about.
struct About {
    desk: Desk,
    ticket: i64,
    message: Option<String>,
    site: String,
    mailbox: String,
}

fn about(globals: &Globals, args: &PreviewArgs) -> Result<Option<About>> {
    if args.ticket.is_none() && args.message.is_none() {
        return Ok(None);
    }
    let desk = Desk::open(globals)?;
    let (shown, message) = match (&args.ticket, &args.message) {
        (Some(number), _) => (tickets::ticket(&desk, number)?, None),
        (None, Some(written)) => {
            let id = tickets::message(globals, &desk, written)?;
            (tickets::ticket_of(&desk, &id)?, Some(id))
        }
        (None, None) => return Ok(None),
    };
    let (ticket, site, mailbox) = (shown.ticket.number, shown.ticket.site, shown.ticket.mailbox);
    Ok(Some(About { desk, ticket, message, site, mailbox }))
}

impl About {
    fn values(&self, template: &Template, settings: &Settings) -> Result<Values> {
        let outbox = self.desk.drafts(settings)?;
        let values = outbox.known_of(self.ticket, self.message.as_deref(), template)?;
        values.ok_or_else(|| {
            let said = format!("ticket {} has just gone\nhint: try again", self.ticket);
            failure(Exit::InputMissing, said)
        })
    }
}

/// The template as it is written, header and all.
pub(super) fn show(globals: &Globals, args: &ShowArgs) -> Result<Exit> {
    let (settings, templates) = super::load(globals)?;
    let meant = Meant::of(globals, &args.reader, &settings)?;
    let template = meant.template(&templates)?;
    let wanted = if args.html { Form::Html } else { Form::Text };
    let Some(content) = template.written().get(&wanted) else {
        let (has, lacks) = if args.html { ("text", "HTML") } else { ("HTML", "text") };
        return Err(failure(
            Exit::InputMissing,
            format!(
                "`{}` is written as {has} only; its {lacks} is made from that\nhint: leave `--html` out or put it in",
                template.file()
            ),
        ));
    };
    match globals.format() {
        Format::Table => super::write(None, content)?,
        format => output::object(
            format,
            &json!({
                "name": template.name(),
                "owner": template.owner().to_string(),
                "locale": template.locale(),
                "from": template.file(),
                "content": content,
            }),
        )?,
    }
    Ok(Exit::Done)
}
