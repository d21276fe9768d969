//! The portal as used.

use super::{plus_tag, portal_name};
use crate::config::file::File;
use crate::config::formats;
use crate::mail::address::PlusTag;
use crate::portal::{Options, PlainHttp, Sender};
use crate::triage::policy::Policy;

/// What the portal needs to know; `None` when there is none.
pub(super) fn portal(file: &File, policy: &Policy) -> Option<Options> {
    let portal = &file.portal;
    let url = portal.url.as_ref().filter(|_| portal.enabled)?;
    let network = |written: &String| {
        formats::network(written).expect("the walk has checked the networks of proxies")
    };
    let agents = policy.agents.values().map(|agent| agent.address.key(PlusTag::Strip));
    // The first mailbox of the configuration is the desk's own.
    let first = file.mailbox.first().map(super::name_of);
    let sender = first.and_then(|name| policy.mailboxes.get(&name)).map(|mailbox| Sender {
        mailbox: mailbox.name.clone(),
        address: mailbox.address.to_string(),
        message_id_domain: mailbox.message_id_domain.clone(),
    });
    Some(Options {
        url: url.trim_end_matches('/').to_owned(),
        name: portal_name(file),
        articles: portal.articles.clone(),
        listen: formats::listen(&file.http.listen).expect("the walk has checked it"),
        trusted_proxies: file.http.trusted_proxies.iter().map(network).collect(),
        plain_http: match portal.allow_plain_http {
            true => PlainHttp::Allowed,
            false => PlainHttp::Refused,
        },
        locale: file.locale.clone(),
        zone: formats::timezone(&file.timezone).unwrap_or(jiff::tz::TimeZone::UTC),
        reset_limit: file.credentials.reset_limit.0.clone(),
        plus_tag: plus_tag(file),
        sender,
        nobodys: policy.own.iter().cloned().chain(agents).collect(),
    })
}
