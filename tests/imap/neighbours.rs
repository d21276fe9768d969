//! The real binary with a mailbox for each way a server can fail, and one that is well: each trouble
//! is in the log once, and its end, too; in the end every message is a ticket, once (P-06).

use crate::desk::letter;
use crate::support::account::{Account, PASSWORD};
use crate::support::scripted::Scripted;
use crate::support::{Desk, message, wait_for};

// What befalls the first session, or the first few; then the server is well.
const TROUBLES: [(&str, &str); 14] = [
    ("away", "greet\n  S: * OK ready\ntwice TAG CAPABILITY\n  close\n"),
    ("bad", "once TAG UID FETCH ...RFC822.SIZE...\n  S: TAG BAD what is that\n"),
    ("bye", "once TAG SELECT ...\n  S: * BYE shutting down\n  close\n"),
    ("bye in a message", "once TAG UID FETCH ...BODY.PEEK[]...\n  play 40\n  S: * BYE\n  close\n"),
    ("closes", "once TAG UID SEARCH ...\n  close\n"),
    ("deep", "once TAG UID SEARCH ...\n  raw * LIST \n  repeat 90 (\n  stall\n"),
    ("garbage", "once TAG UID SEARCH ...\n  S: * SEARCH one two\n  S: TAG OK done\n"),
    ("inuse", "once TAG AUTHENTICATE ...\n  S: TAG NO [INUSE] somebody else reads\n"),
    ("long", "once TAG UID SEARCH ...\n  raw * SEARCH\n  repeat 2000000 1\n  stall\n"),
    ("moves not", "once TAG UID MOVE ...\n  close\n"),
    ("no", "twice TAG SELECT ...\n  S: TAG NO [UNAVAILABLE] 請稍後再試\n"),
    ("other uids", "once TAG UID FETCH ...BODY...\n  S: * OK [UIDVALIDITY 7] new\n  play\n"),
    ("sizeless", "once TAG UID FETCH ...RFC822.SIZE...\n  play first 1\n  close\n"),
    ("well", ""),
];

#[test]
fn p_06_each_trouble_is_told_once_and_the_other_mailboxes_go_on() {
    let mail = |name: &str, number: usize| {
        let (subject, id) =
            (format!("{name} {number}"), format!("{name}.{number}@contoso.example"));
        let id = id.replace(' ', ".");
        message("Claire <claire@contoso.example>", &subject, &id, "", "Help!")
    };
    let servers = TROUBLES.map(|(name, dialogue)| {
        (name, Scripted::play(dialogue, Account::holding([mail(name, 1), mail(name, 2)])))
    });
    let mut more = "[limits]\nper_sender = \"off\"\nper_domain = \"off\"\nnew_users = \"off\"\n\
                    auto_mails_per_address = \"off\"\n"
        .to_owned();
    for (number, (name, server)) in servers.iter().enumerate() {
        more.push_str(&format!(
            "[[mailbox]]\nname = \"{name}\"\naddress = \"m{number}@helpdesk.example\"\n\
             provider = \"imap\"\nhost = \"127.0.0.1\"\nusername = \"support\"\n\
             password = \"{PASSWORD}\"\nstart = \"all\"\nafter = \"move\"\nmove_to = \"done\"\n\
             imap = {{ port = {}, tls = \"none\", poll_interval = \"1s\" }}\n",
            server.port()
        ));
    }
    let desk = Desk::new(&more);
    desk.deliver("1767600000.1.a", &letter(1));
    let daemon = desk.start();
    let is_done = |server: &Scripted| {
        let mut account = server.account();
        account.inbox().messages.is_empty()
            && account.folders.get("done").is_some_and(|done| done.messages.len() == 2)
    };
    wait_for("every mailbox to be worked off", 60, || {
        servers.iter().all(|(_, server)| is_done(server))
    });
    assert_eq!(daemon.stop(), Some(0));
    let log = desk.log();
    for (name, _) in TROUBLES {
        let of = |line: &&str| line.contains(&format!("\"mailbox.name\":\"{name}\""));
        let lines: Vec<&str> = log.lines().filter(of).collect();
        let troubles =
            lines.iter().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
        let is_well = name == "well";
        assert_eq!(troubles, usize::from(!is_well), "`{name}`:\n{}\n\n{log}", lines.join("\n"));
        let ends = lines.iter().filter(|line| line.contains("works again")).count();
        assert!(ends <= 1, "`{name}`:\n{}", lines.join("\n"));
    }
    let tickets = desk.json(&["tickets", "list"]);
    let mut subjects: Vec<&str> = tickets
        .as_array()
        .expect("a list")
        .iter()
        .map(|ticket| ticket["subject"].as_str().expect("a subject"))
        .collect();
    subjects.sort_unstable();
    let mut expected: Vec<String> = TROUBLES
        .iter()
        .flat_map(|(name, _)| [1, 2].map(|number| format!("{name} {number}")))
        .chain(["Printer 1".to_owned()])
        .collect();
    expected.sort_unstable();
    assert_eq!(subjects, expected);
    desk.audit();
}
