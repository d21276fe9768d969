//! Credentials on their way: made when they are sent, found nowhere afterwards (T-22, T-26).

use super::*;

#[test]
fn t_26_the_link_is_in_the_mail_and_nowhere_else() {
    let desk = Desk::new();
    let id = desk.queue("credentials");
    drain(&desk.outbox());
    let text = desk.text(&desk.mails()[0]);
    let token = text
        .split_once("https://help.example/portal/activate/")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .expect("the mail has a link");
    assert_eq!(token.len(), 43);
    let live = desk.live();
    assert_eq!(live.len(), 1);
    let hash: String =
        Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((live[0].hash.as_str(), live[0].outbox), (hash.as_str(), Some(id)));
    assert_eq!(live[0].expires_at, at(7 * 24 * 3600));
    assert!(desk.entry(id).body.expect("a copy").contains("[redacted]"));
    assert_found_nowhere(&desk, token);
}

#[test]
fn t_26_a_temporary_password_is_in_the_mail_and_nowhere_else() {
    let mut desk = Desk::new();
    desk.templates(&[(
        "credentials.en.txt",
        "Subject: {[Portal password]}\n\nhttps://help.example\n{[Portal username]}\n\
         {[Portal password]}\n{{ portal.password | upper }}\n",
    )]);
    let id = desk.queue("credentials");
    drain(&desk.outbox());
    let text = desk.text(&desk.mails()[0]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "claire@c.example");
    let password = lines[2];
    assert_eq!(password.len(), 16);
    let live = desk.live();
    assert!(live[0].hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", live[0].hash);
    assert_eq!(live[0].expires_at, at(24 * 3600));
    let entry = desk.entry(id);
    assert_eq!(entry.subject.as_deref(), Some("[redacted]"));
    assert_eq!(
        entry.body.as_deref(),
        Some("https://help.example\nclaire@c.example\n[redacted]\n[REDACTED]\n")
    );
    assert_found_nowhere(&desk, password);
    assert_found_nowhere(&desk, &password.to_uppercase());
}

#[test]
fn t_26_a_link_that_confirms_an_address_is_in_the_mail_and_nowhere_else() {
    let mut desk = Desk::new();
    let text = "Subject: Your address\n\n{{ portal.confirm_url }}\n";
    desk.templates(&[("address_change.en.txt", text)]);
    let id = desk.queue("address_change");
    drain(&desk.outbox());
    let text = desk.text(&desk.mails()[0]);
    let token = text.trim().strip_prefix("https://help.example/portal/confirm/");
    let token = token.expect("the mail has a link");
    let live = desk.live();
    assert_eq!((live[0].kind, live[0].outbox), (CredentialKind::Address, Some(id)));
    let (hash, now) = (live[0].hash.clone(), desk.clock.now());
    let find = |sql: &mut dyn Sql| credentials::find_link(sql, CredentialKind::Address, &hash, now);
    let link = desk.store.read_only(find).expect("it reads").expect("it is there");
    assert_eq!(link.confirms.as_deref(), Some("claire@c.example"));
    assert_eq!(desk.entry(id).body.as_deref(), Some("[redacted]\n"));
    assert_found_nowhere(&desk, token);
}

// In no byte of the store, of its log, of anything in the folder but the mail itself.
fn assert_found_nowhere(desk: &Desk, secret: &str) {
    let databases: Vec<PathBuf> =
        files(desk.dir.path()).into_iter().filter(|path| path.is_file()).collect();
    assert!(databases.len() > 1, "the database and its log: {databases:?}");
    for path in databases {
        let bytes = std::fs::read(&path).expect("it can be read");
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "the secret stands in {}", path.display());
    }
}

#[test]
fn the_mode_decides_what_the_built_in_mail_brings() {
    for (mode, kinds) in [
        (CredentialsMode::Auto, vec![CredentialKind::Link]),
        (CredentialsMode::Link, vec![CredentialKind::Link]),
        (CredentialsMode::TemporaryPassword, vec![CredentialKind::Password]),
        (CredentialsMode::None, vec![]),
    ] {
        let mut desk = Desk::new();
        desk.options.credentials_mode = mode;
        desk.queue("credentials");
        drain(&desk.outbox());
        assert_eq!(desk.mails().len(), 1);
        let live: Vec<CredentialKind> = desk.live().iter().map(|one| one.kind).collect();
        assert_eq!(live, kinds, "{mode:?}");
    }
}

#[test]
fn t_22_credentials_do_not_go_to_a_user_who_is_gone() {
    let desk = Desk::new();
    let id = desk.queue("credentials");
    desk.run("UPDATE person SET status = 'disabled'");
    drain(&desk.outbox());
    assert_eq!(desk.mails().len(), 0);
    assert_eq!(desk.entry(id).state, OutboxState::Parked);
    assert!(desk.live().is_empty());
}

#[test]
fn t_22_no_mail_about_a_ticket_brings_credentials() {
    let mut desk = Desk::new();
    desk.templates(&[("quick_access.en.txt", "Subject: x\n\n{[Activation link]}\n")]);
    let id = desk.queue("quick_access");
    drain(&desk.outbox());
    assert_eq!(desk.entry(id).state, OutboxState::Parked);
    assert!(desk.mails().is_empty() && desk.live().is_empty());
}

#[test]
fn credentials_that_were_only_recorded_are_still_due_and_open_nothing() {
    let mut desk = Desk::new();
    desk.options.transport = TransportOptions::None;
    let id = desk.queue("credentials");
    desk.run("UPDATE person SET credentials = 'sent'");
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!(desk.entry(id).state, OutboxState::Recorded);
    assert!(desk.live().is_empty(), "nobody has the link, so it opens nothing");
    let due = desk
        .store
        .read_only(|sql| sql.query("SELECT 1 FROM person WHERE credentials = 'due'", args![]));
    assert_eq!(due.expect("it is asked").len(), 1);
}
