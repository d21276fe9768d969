//! The part of the configuration that decides about mail, compiled into a [`Policy`].

use std::collections::BTreeSet;

use super::{address, addresses, agent, name_of, plus_tag, public_domains, sender_of};
use crate::config::file::{self, File};
use crate::config::formats::{self, Sender};
use crate::config::values::Rates;
use crate::mail::AddressKey;
use crate::mail::address::{PlusTag, domain_to_ascii};
use crate::triage::policy::{self, Policy};

/// What of the configuration decides about mail.
pub fn policy(file: &File) -> Policy {
    let tag = plus_tag(file);
    let mailboxes = file.mailbox.iter().map(|mailbox| {
        let policy = mailbox_policy(mailbox, file);
        (policy.name.clone(), policy)
    });
    let agents = file.agent.iter().map(|written| {
        let super::Agent { name, address, .. } = agent(written);
        let notify = written.notify.iter().map(|notify| match notify {
            file::Notify::Assigned => policy::Notified::Assigned,
            file::Notify::Created => policy::Notified::Created,
            file::Notify::Replied => policy::Notified::Replied,
        });
        let (sites, notify) = (written.sites.clone(), notify.collect());
        (address.key(tag), policy::Agent { name, address, sites, notify })
    });
    let announce = file.tickets.announce.iter().map(|announce| match announce {
        file::Announce::Assignee => policy::Announced::Assignee,
        file::Announce::Closed => policy::Announced::Closed,
        file::Announce::Site => policy::Announced::Site,
        file::Announce::Status => policy::Announced::Status,
    });
    Policy {
        mailboxes: mailboxes.collect(),
        own: own_addresses(file),
        users: users(&file.users, tag),
        credentials: credentials(&file.credentials),
        sites: policy::SitePolicy {
            default: file.sites.default.clone(),
            match_subdomains: file.sites.match_subdomains,
            public_domains: public_domains(&file.sites.public_domains),
        },
        threading: policy::ThreadingPolicy {
            subject_tag: file.threading.subject_tag.clone(),
            use_references: file.threading.use_references,
            use_body_token: file.threading.use_body_token,
            sender_check: match file.threading.sender_check {
                file::SenderCheck::Anyone => policy::SenderCheck::Anyone,
                file::SenderCheck::Participants => policy::SenderCheck::Participants,
                file::SenderCheck::Site => policy::SenderCheck::Site,
            },
            reopen_within: file.threading.reopen_within.0,
        },
        filters: filters(&file.filters),
        limits: limits(&file.limits),
        agents: agents.collect(),
        announce: announce.collect(),
        locale: file.locale.clone(),
        portal: match (&file.portal.url, file.portal.enabled) {
            (Some(_), true) => policy::Portal::Present,
            _ => policy::Portal::Absent,
        },
    }
}

/// M-35; the tag is stripped whatever `users.strip_plus_tag` says.
fn own_addresses(file: &File) -> BTreeSet<AddressKey> {
    let of_mailbox = |mailbox: &file::Mailbox| {
        let from = mailbox.smtp.from.as_deref().map(|from| sender_of(from).1);
        let written = [&mailbox.address].into_iter().chain(&mailbox.aliases);
        written.map(|written| address(written)).chain(from).collect::<Vec<_>>()
    };
    file.mailbox.iter().flat_map(of_mailbox).map(|own| own.key(PlusTag::Strip)).collect()
}

fn mailbox_policy(mailbox: &file::Mailbox, file: &File) -> policy::MailboxPolicy {
    let address = address(&mailbox.address);
    let domain = file.outbox.message_id_domain.as_deref().and_then(domain_to_ascii);
    policy::MailboxPolicy {
        name: name_of(mailbox),
        message_id_domain: domain.unwrap_or_else(|| address.domain().to_owned()),
        address,
        aliases: addresses(&mailbox.aliases),
        department: mailbox.department.clone(),
        default_site: mailbox.default_site.clone(),
        server: server(mailbox, &file.filters),
    }
}

/// what is written for the mailbox goes first; `filters.authserv_id` names the server of the
/// others, and Microsoft's writes no name.
pub(super) fn server(mailbox: &file::Mailbox, filters: &file::Filters) -> policy::TrustedServer {
    match (&mailbox.authserv_id, mailbox.provider, &filters.authserv_id) {
        (Some(name), _, _) | (None, file::Provider::Imap | file::Provider::Maildir, Some(name)) => {
            policy::TrustedServer::Named(name.clone())
        }
        (None, file::Provider::Microsoft365, _) => policy::TrustedServer::Unnamed,
        (None, file::Provider::Imap | file::Provider::Maildir, None) => policy::TrustedServer::None,
    }
}

fn users(users: &file::Users, tag: PlusTag) -> policy::UserPolicy {
    policy::UserPolicy {
        auto_create: users.auto_create,
        name_from: match users.name_from {
            file::NameFrom::Address => policy::NameFrom::Address,
            file::NameFrom::Header => policy::NameFrom::Header,
            file::NameFrom::HeaderThenAddress => policy::NameFrom::HeaderThenAddress,
        },
        access: match users.access {
            file::Access::Full => policy::Access::Full,
            file::Access::Limited => policy::Access::Limited,
        },
        strip_plus_tag: users.strip_plus_tag,
        allow: senders(&users.allow, tag),
        deny: senders(&users.deny, tag),
        reply_to_senders: senders(&users.reply_to_senders, tag),
        names: policy::NamePolicy {
            split_on: users.names.split_on.clone(),
            no_split: match users.names.no_split {
                file::NoSplit::Blank => policy::NoSplit::Blank,
                file::NoSplit::Repeat => policy::NoSplit::Repeat,
            },
        },
    }
}

fn senders(written: &[String], tag: PlusTag) -> policy::AddressList {
    let mut list = policy::AddressList::default();
    for sender in written {
        match formats::sender(sender).expect("the walk has checked the senders") {
            Sender::Address(address) => list.keys.insert(address.key(tag)),
            Sender::Domain(domain) => list.domains.insert(domain),
        };
    }
    list
}

fn credentials(credentials: &file::Credentials) -> policy::CredentialsPolicy {
    policy::CredentialsPolicy {
        send: credentials.send,
        template: credentials.template.clone(),
        max_age: credentials.max_age.0,
        require: match credentials.require {
            file::Proof::NotFailed => policy::RequiredProof::NotFailed,
            file::Proof::Pass => policy::RequiredProof::Pass,
            file::Proof::PassIfKnown => policy::RequiredProof::PassIfKnown,
        },
        unassigned: credentials.unassigned,
        mode: credentials_mode(credentials.mode),
    }
}

fn credentials_mode(mode: file::CredentialsMode) -> policy::CredentialsMode {
    match mode {
        file::CredentialsMode::Auto => policy::CredentialsMode::Auto,
        file::CredentialsMode::Link => policy::CredentialsMode::Link,
        file::CredentialsMode::None => policy::CredentialsMode::None,
        file::CredentialsMode::TemporaryPassword => policy::CredentialsMode::TemporaryPassword,
    }
}

fn filters(filters: &file::Filters) -> policy::FilterPolicy {
    let machine = |filter| match filter {
        file::Machine::Ignore => policy::MachineFilter::Ignore,
        file::Machine::Ticket => policy::MachineFilter::Ticket,
    };
    let suspicion = |filter| match filter {
        file::Suspicion::Flag => policy::SuspicionFilter::Flag,
        file::Suspicion::Hold => policy::SuspicionFilter::Hold,
        file::Suspicion::Ignore => policy::SuspicionFilter::Ignore,
    };
    policy::FilterPolicy {
        auto_reply: match filters.auto_reply {
            file::AutoReply::Attach => policy::AutoReplyFilter::Attach,
            file::AutoReply::Ignore => policy::AutoReplyFilter::Ignore,
            file::AutoReply::Ticket => policy::AutoReplyFilter::Ticket,
        },
        auto_generated: machine(filters.auto_generated),
        bounce: match filters.bounce {
            file::Bounce::Attach => policy::BounceFilter::Attach,
            file::Bounce::Ignore => policy::BounceFilter::Ignore,
        },
        list: machine(filters.list),
        spam_headers: suspicion(filters.spam_headers),
        dmarc_fail: suspicion(filters.dmarc_fail),
        blocked_attachments: filters
            .blocked_attachments
            .iter()
            .map(|ending| ending.to_lowercase())
            .collect(),
    }
}

fn limits(limits: &file::Limits) -> policy::LimitPolicy {
    let rates = |rates: &Rates| rates.0.clone();
    policy::LimitPolicy {
        per_sender: rates(&limits.per_sender),
        per_domain: rates(&limits.per_domain),
        new_users: rates(&limits.new_users),
        auto_mails_per_address: rates(&limits.auto_mails_per_address),
    }
}
