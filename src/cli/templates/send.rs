//! `templates send-test`: a mail with samples through the outbox, like any other: rendered, recorded,
//! tried again. It opens no account: its secrets are samples.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::reader::{Meant, ReaderArgs};
use crate::cli::desk::{self, Desk};
use crate::cli::exit::Exit;
use crate::cli::words::hint;
use crate::cli::{Format, Globals, output, sites, users};
use crate::mail::Address;
use crate::outbox::preview::on_trial;
use crate::outbox::{OutboxError, Templates, TransportOptions};
use crate::store::outbox::{self, QueuedFor};
use crate::triage::plan::{MailCause, OutgoingMail};

#[derive(Args)]
pub(in crate::cli) struct SendTestArgs {
    /// To whom it goes
    #[arg(value_name = "ADDRESS", value_parser = address)]
    to: Address,
    /// The template
    #[arg(long, value_name = "NAME", default_value = "credentials")]
    template: String,
    /// The reader's language, e.g. `fr` or `fr-CA`
    #[arg(long, value_parser = users::locale)]
    locale: Option<String>,
    /// With the template of this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    /// The mailbox it comes from; else the first one
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
}

pub(super) fn run(globals: &Globals, args: SendTestArgs) -> Result<Exit> {
    let SendTestArgs { to, template: name, locale, site, mailbox } = args;
    let settings = std::sync::Arc::new(desk::settings(globals)?);
    let templates = Templates::load(&settings.outbox).map_err(OutboxError::Templates)?;
    let reader = ReaderArgs { name, locale, site, mailbox };
    let meant = Meant::of(globals, &reader, &settings)?;
    let from = meant.template(&templates)?.file().to_owned();
    let desk = Desk::of(settings)?;
    let policy = &desk.settings.policy;
    let site = meant.site.as_deref().unwrap_or(&policy.sites.default);
    let site = sites::named(&desk, site)?;
    let mail = OutgoingMail {
        template: on_trial(&meant.name),
        to,
        user: None,
        ticket: None,
        message_id_domain: policy.mailboxes[&meant.mailbox].message_id_domain.clone(),
        mailbox: meant.mailbox.clone(),
        locale: meant.locale().to_owned(),
        site: site.id,
        cause: MailCause::Notice,
    };
    let (ids, now, address) = (desk.ids.clone(), desk.clock.now(), mail.to.to_string());
    let queued = desk
        .store
        .transact(move |sql| outbox::queue(sql, &mail, QueuedFor::default(), &ids, now))?;
    match globals.format() {
        Format::Table => {
            output::line(format_args!("mail {} to `{address}` is queued", queued.id))?;
        }
        format => output::object(
            format,
            &json!({ "id": queued.id, "to": address, "template": meant.name, "from": from }),
        )?,
    }
    let next = match desk.settings.outbox.transport {
        TransportOptions::None => {
            "nothing is sent: `smtp.transport` is `none`; `guichet outbox show"
        }
        _ => "a running guichet sends it, else `guichet run --once` does; `guichet outbox show",
    };
    hint(globals, format_args!("{next} {}` shows it", queued.id));
    Ok(Exit::Done)
}

fn address(written: &str) -> Result<Address, String> {
    Address::parse(written).map_err(|problem| problem.to_string())
}
