//! What the settings are that come of a configuration.

use std::path::Path;

use guichet::config::{Environment, Request, load};
use guichet::triage::policy::TrustedServer;
use guichet::{intake, outbox, store, triage};

use crate::{Folder, MAILBOX, load_text};

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = load_text(MAILBOX).expect("the smallest is in order").settings;
    let policy = &settings.policy;
    assert_eq!(policy.locale, "en");
    assert_eq!(settings.min_free_space, 500_000_000);
    assert_eq!(settings.outbox.transport, outbox::TransportOptions::Smtp);
    assert_eq!((policy.users.auto_create, policy.users.strip_plus_tag), (true, true));
    assert_eq!(policy.users.name_from, triage::policy::NameFrom::Address);
    assert_eq!(policy.users.access, triage::policy::Access::Limited);
    assert_eq!(policy.users.names.split_on, ".");
    assert_eq!(policy.users.names.no_split, triage::policy::NoSplit::Repeat);
    assert_eq!(policy.credentials.max_age.as_hours(), 7 * 24);
    assert_eq!(policy.credentials.require, triage::policy::RequiredProof::PassIfKnown);
    assert_eq!(policy.credentials.mode, triage::policy::CredentialsMode::Auto);
    assert_eq!(settings.outbox.link_expires.as_hours(), 7 * 24);
    assert_eq!(settings.outbox.password_expires.as_hours(), 24);
    assert_eq!(
        (policy.sites.default.as_str(), policy.sites.match_subdomains),
        ("Unassigned", true)
    );
    assert!(policy.sites.public_domains.contains("gmail.com"));
    assert_eq!(policy.threading.subject_tag, "[#{number}]");
    assert_eq!(policy.threading.sender_check, triage::policy::SenderCheck::Site);
    assert_eq!(policy.threading.reopen_within.as_hours(), 14 * 24);
    assert_eq!(policy.filters.auto_reply, triage::policy::AutoReplyFilter::Attach);
    assert_eq!(policy.filters.auto_generated, triage::policy::MachineFilter::Ticket);
    assert_eq!(policy.filters.bounce, triage::policy::BounceFilter::Attach);
    assert_eq!(policy.filters.list, triage::policy::MachineFilter::Ticket);
    assert_eq!(policy.filters.spam_headers, triage::policy::SuspicionFilter::Flag);
    assert_eq!(policy.filters.dmarc_fail, triage::policy::SuspicionFilter::Flag);
    assert_eq!(policy.mailboxes["support@example.com"].server, TrustedServer::None);
    assert_eq!(policy.filters.blocked_attachments, [".exe", ".js", ".scr"]);
    assert_eq!(policy.limits.auto_mails_per_address.len(), 2);
    assert_eq!(policy.portal, triage::policy::Portal::Absent);
    let pauses: Vec<_> = settings.outbox.retry.iter().map(|pause| pause.as_mins()).collect();
    assert_eq!(pauses, [1, 5, 30, 120, 480, 1440]);
}

#[test]
fn r_33_each_mailbox_believes_its_own_server() {
    let server = |filters: &str, mailbox: &str| {
        let text = format!("{filters}\n{MAILBOX}{mailbox}\n");
        let settings = load_text(&text).expect("in order").settings;
        settings.policy.mailboxes["support@example.com"].server.clone()
    };
    let named = |name: &str| TrustedServer::Named(name.to_owned());
    let general = "[filters]\nauthserv_id = \"mx.example.com\"";
    let own = "authserv_id = \"mx.example.org\"";
    let microsoft = "provider = \"microsoft365\"";
    assert_eq!(server("", ""), TrustedServer::None);
    assert_eq!(server(general, ""), named("mx.example.com"));
    assert_eq!(server(general, own), named("mx.example.org"));
    assert_eq!(server("", own), named("mx.example.org"));
    // Its server is not the one of the other mailboxes.
    assert_eq!(server("", microsoft), TrustedServer::Unnamed);
    assert_eq!(server(general, microsoft), TrustedServer::Unnamed);
    assert_eq!(server(general, &format!("{microsoft}\n{own}")), named("mx.example.org"));
}

#[test]
fn e_146_suspect_mail_is_flagged_held_or_ignored() {
    use triage::policy::SuspicionFilter;
    for (word, filter) in [
        ("flag", SuspicionFilter::Flag),
        ("hold", SuspicionFilter::Hold),
        ("ignore", SuspicionFilter::Ignore),
    ] {
        for key in ["spam_headers", "dmarc_fail"] {
            let text = format!("[filters]\n{key} = \"{word}\"\n{MAILBOX}");
            let filters = load_text(&text).expect("in order").settings.policy.filters;
            let (spam, dmarc) = (filters.spam_headers, filters.dmarc_fail);
            let (read, other) = if key == "spam_headers" { (spam, dmarc) } else { (dmarc, spam) };
            assert_eq!((read, other), (filter, SuspicionFilter::Flag), "{key} {word}");
        }
    }
}

#[test]
fn limits_can_be_switched_off_one_by_one() {
    let text = format!("[limits]\nper_sender = \"off\"\nnew_users = \"off\"\n{MAILBOX}");
    let limits = load_text(&text).expect("in order").settings.policy.limits;
    assert!(limits.per_sender.is_empty() && limits.new_users.is_empty());
    assert_eq!(limits.per_domain.len(), 1);
}

#[test]
fn a_maildir_is_watched_as_it_says() {
    let text = "timezone = \"Europe/Paris\"\n\
     smtp.transport = \"none\"\n\
     [[mailbox]]\n\
     name = \"dir\"\n\
     address = \"a@example.com\"\n\
     provider = \"maildir\"\n\
     path = \"/m\"\n\
     start = 2026-01-05\n\
     after = \"move\"\n\
     [[mailbox]]\n\
     name = \"unseen\"\n\
     address = \"c@example.com\"\n\
     provider = \"maildir\"\n\
     path = \"/n\"\n";
    let settings = load_text(text).expect("in order").settings;
    let watched: Vec<_> =
        settings.mailboxes.iter().filter_map(|mailbox| mailbox.watched.as_ref()).collect();
    let [dir, unseen] = watched[..] else {
        panic!("two maildirs: {:?}", settings.mailboxes);
    };
    let midnight = "2026-01-04T23:00:00Z".parse().expect("a time");
    assert_eq!(dir.start, intake::Start::Since(midnight));
    assert_eq!(dir.after, intake::After::Move { to: "guichet/done".to_owned() });
    assert_eq!(dir.max_message_size, 50_000_000);
    assert_eq!(unseen.start, intake::Start::Unseen);
}

#[test]
fn m_35_every_address_of_ours_is_known() {
    let text = "[[mailbox]]\n\
     address = \"Support+x@example.com\"\n\
     aliases = [\"help@example.com\"]\n\
     host = \"h.example\"\n\
     smtp.from = \"IT <it@example.com>\"\n";
    let settings = load_text(text).expect("in order").settings;
    let own: Vec<_> = settings.policy.own.iter().map(|key| key.as_str()).collect();
    assert_eq!(own, ["help@example.com", "it@example.com", "support@example.com"]);
    let sender = &settings.outbox.senders["Support+x@example.com"];
    assert_eq!((sender.address.as_str(), sender.name.as_deref()), ("it@example.com", Some("IT")));
}

#[test]
fn the_state_lies_where_the_file_or_the_surroundings_say() {
    let folder = Folder::with(&[("guichet.toml", &format!("state = \"state\"\n{MAILBOX}"))]);
    let settings = folder.load().expect("in order").settings;
    assert_eq!(settings.state, folder.path("state"));
    let location = store::Location::Sqlite(folder.path("state/guichet.db"));
    assert_eq!(settings.store.location, location);
    let folder = Folder::with(&[("guichet.toml", MAILBOX)]);
    for (environment, state) in [
        (Environment::empty(), "/var/lib/guichet"),
        (Environment::of([("XDG_STATE_HOME", "/s")]), "/s/guichet"),
        (Environment::of([("HOME", "/home/anna")]), "/home/anna/.local/state/guichet"),
        (Environment::of([("XDG_STATE_HOME", "relative")]), "/var/lib/guichet"),
    ] {
        let loaded = load(&Request { environment, ..folder.request() }).expect("in order");
        assert_eq!(loaded.settings.state, Path::new(state));
    }
}

#[test]
fn a_declared_site_says_where_it_is_declared() {
    let text = format!(
        "{MAILBOX}[[site]]\n\
         name = \"Bücher\"\n\
         domains = [\"bücher.example\"]\n\
         addresses = [\"boss@mail.example\"]\n"
    );
    let settings = load_text(&text).expect("in order").settings;
    assert_eq!(settings.sites[0].site.domains, ["xn--bcher-kva.example"]);
    assert!(settings.sites[0].declared_at.ends_with("guichet.toml:5"), "{:?}", settings.sites[0]);
}
