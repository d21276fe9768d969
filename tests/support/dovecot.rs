//! Dovecot 2.3 in a temporary folder, on free ports of the loopback: plain with STARTTLS, and
//! implicit TLS. Ended by its pid when dropped. Starts in about a quarter of a second.
//!
//! Users are made as they are named: any name logs in with [`PASSWORD`]. A message is delivered by
//! writing it into the maildir, as a delivery agent does.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::guarded::{Account, Guarded, free_port, shared_folder, tail};
use super::tls::{self, Leaf};

/// The password of every user.
pub const PASSWORD: &str = "s3cret-of-the-mailbox";

/// A server that runs.
pub struct Dovecot {
    // Dropped first: the server goes before its folder does.
    server: Option<Guarded>,
    folder: TempDir,
    account: Account,
    pub ports: Ports,
    delivered: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// In the clear, with STARTTLS.
    pub imap: u16,
    /// TLS at once.
    pub imaps: u16,
}

/// One message as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub uid: u32,
    /// As they stand in the answer, e.g. `\Seen`, without `\Recent`; sorted.
    pub flags: Vec<String>,
    /// The value of the field `Message-ID`, without brackets; empty when there is none.
    pub message_id: String,
}

impl Dovecot {
    /// One with a good certificate.
    pub fn start() -> Dovecot {
        Dovecot::with(Leaf::Good, "")
    }

    /// One with that certificate and more settings (Dovecot's own words).
    pub fn with(leaf: Leaf, more: &str) -> Dovecot {
        let folder = shared_folder();
        let account = match Account::own() {
            own if own.is_root() => Account::named("nobody"),
            own => own,
        };
        let ports = Ports { imap: free_port(), imaps: free_port() };
        let mut dovecot =
            Dovecot { server: None, folder, account, ports, delivered: AtomicU64::new(0) };
        for part in ["tls", "run", "state", "mail"] {
            fs::create_dir(dovecot.path(part)).expect("a folder");
        }
        dovecot.own(&dovecot.path("mail"));
        let identity = tls::identity(leaf);
        fs::write(dovecot.path("tls/leaf.pem"), identity.certificate).expect("written");
        fs::write(dovecot.path("tls/leaf.key"), identity.key).expect("written");
        tls::ca_file(dovecot.folder.path());
        fs::write(dovecot.path("dovecot.conf"), dovecot.settings(more)).expect("written");
        dovecot.start_again();
        dovecot
    }

    /// The certificate that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// What `[[mailbox]]` says for `user`'s INBOX here, over implicit TLS: paste it under a
    /// `[[mailbox]]` line, before any table of it.
    pub fn mailbox(&self, user: &str) -> String {
        self.mailbox_with(user, "")
    }

    /// The same with more of `[mailbox.imap]`, e.g. `poll_interval = "1s"`.
    pub fn mailbox_with(&self, user: &str, imap: &str) -> String {
        let comma = if imap.is_empty() { "" } else { ", " };
        format!(
            "name = \"{user}\"\naddress = \"{user}@helpdesk.example\"\nprovider = \"imap\"\n\
             host = \"127.0.0.1\"\nusername = \"{user}\"\npassword = \"{PASSWORD}\"\n\
             imap = {{ port = {}, ca_file = \"{}\"{comma}{imap} }}\n",
            self.ports.imaps,
            self.ca_file().display()
        )
    }

    /// Ends the server; its mail stays. [`Dovecot::start_again`] brings it back on the same ports.
    pub fn stop(&mut self) {
        self.server = None;
    }

    pub fn start_again(&mut self) {
        let (log, conf) = (self.log(), self.path("dovecot.conf"));
        let conf = conf.to_str().expect("temporary folders are UTF-8");
        let server = Guarded::start(&["dovecot", "-F", "-c", conf], Account::own(), &log, "TERM");
        let port = self.ports.imap;
        server.wait_until("Dovecot", &log, || greets(port));
        self.server = Some(server);
    }

    pub fn pid(&self) -> u32 {
        self.server.as_ref().expect("it runs").pid()
    }

    /// What the server logged so far, its last lines.
    pub fn said(&self) -> String {
        tail(&self.log())
    }

    /// Delivers `raw` to `user`'s `folder` (`INBOX` or another), arrived now.
    pub fn deliver(&self, user: &str, folder: &str, raw: &[u8]) {
        self.deliver_at(user, folder, raw, now());
    }

    /// The same with another time of arrival: what the server says as INTERNALDATE.
    pub fn deliver_at(&self, user: &str, folder: &str, raw: &[u8], arrived_at: Timestamp) {
        let maildir = self.maildir(user, folder);
        for part in ["cur", "new", "tmp"] {
            self.make(&maildir.join(part));
        }
        let number = self.delivered.fetch_add(1, Ordering::SeqCst);
        // The server gives out UIDs in the order of these names.
        let name = format!("{}.M{number:09}P1.test,S={}", arrived_at.as_second(), raw.len());
        let (tmp, new) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
        let mut file = fs::File::create(&tmp).expect("the message is written");
        file.write_all(raw).expect("the message is written");
        let modified = std::time::SystemTime::from(arrived_at);
        file.set_modified(modified).expect("the file's time is set");
        self.own(&tmp);
        fs::rename(tmp, new).expect("the message is delivered");
    }

    /// Makes `folder` for `user`, if it is not there.
    pub fn make_folder(&self, user: &str, folder: &str) {
        for part in ["cur", "new", "tmp"] {
            self.make(&self.maildir(user, folder).join(part));
        }
    }

    /// What is in `folder` of `user`, by UID, asked over IMAP.
    pub fn list(&self, user: &str, folder: &str) -> Vec<Listed> {
        let mut session = self.session(user);
        session.ok(&format!("EXAMINE {}", quoted(folder)));
        let lines = session.ok("UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (Message-ID)])");
        let mut listed: Vec<Listed> = Vec::new();
        for line in lines {
            if let Some(rest) = line.strip_prefix("* ")
                && rest.contains(" FETCH (")
            {
                let uid = between(rest, "UID ", " ").parse().expect("a UID");
                let mut flags: Vec<String> = between(rest, "FLAGS (", ")")
                    .split_whitespace()
                    .filter(|flag| *flag != "\\Recent")
                    .map(str::to_owned)
                    .collect();
                flags.sort();
                listed.push(Listed { uid, flags, message_id: String::new() });
            } else if let (Some((name, value)), Some(last)) =
                (line.split_once(':'), listed.last_mut())
                && name.eq_ignore_ascii_case("message-id")
            {
                last.message_id = value.trim().trim_matches(['<', '>']).to_owned();
            }
        }
        listed.sort_by_key(|one| one.uid);
        listed
    }

    /// The names of `user`'s folders, as the server writes them (modified UTF-7).
    pub fn folders(&self, user: &str) -> Vec<String> {
        let lines = self.session(user).ok("LIST \"\" \"*\"");
        let mut names: Vec<String> = lines
            .iter()
            .filter(|line| line.starts_with("* LIST"))
            .filter_map(|line| line.split_once("\"/\" "))
            .map(|(_, name)| name.trim_matches('"').to_owned())
            .collect();
        names.sort();
        names
    }

    /// A session of `user` to speak IMAP by hand.
    pub fn session(&self, user: &str) -> Session {
        Session::open(self.ports.imap, user)
    }

    /// Gives `folder` another UIDVALIDITY and all its messages new UIDs, as a restored server does.
    pub fn renumber(&self, user: &str, folder: &str) {
        let list = self.maildir(user, folder).join("dovecot-uidlist");
        let text = fs::read_to_string(&list).unwrap_or_default();
        let validity: u64 = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix('V'))
            .map_or(1, |number| number.parse().expect("a number"));
        let maildir = self.maildir(user, folder);
        for entry in fs::read_dir(&maildir).expect("a maildir").flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(entry.path()).expect("an index goes");
            }
        }
        let global = validity + 1_000;
        fs::write(&list, format!("3 V{global} N1 G{global:032x}\n")).expect("written");
        self.own(&list);
    }

    /// Makes the maildir of `folder` unwritable for the server.
    pub fn make_read_only(&self, user: &str, folder: &str) {
        let maildir = self.maildir(user, folder);
        for part in ["cur", "new", "tmp", ""] {
            let mode = fs::Permissions::from_mode(0o555);
            fs::set_permissions(maildir.join(part), mode).expect("it is ours");
        }
    }

    /// Where `user`'s `folder` is on disk; a folder's name in modified UTF-7.
    pub fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let inbox = self.path("mail").join(user).join("Maildir");
        if folder == "INBOX" { inbox } else { inbox.join(format!(".{}", folder.replace('/', "."))) }
    }

    fn make(&self, folder: &Path) {
        let mut made = Vec::new();
        let mut missing = folder.to_owned();
        while !missing.exists() {
            made.push(missing.clone());
            assert!(missing.pop(), "the temporary folder is there");
        }
        for path in made.iter().rev() {
            fs::create_dir(path).expect("a folder");
            self.own(path);
        }
    }

    fn own(&self, path: &Path) {
        chown(path, Some(self.account.user), Some(self.account.group)).expect("the owner is set");
    }

    fn path(&self, part: &str) -> PathBuf {
        self.folder.path().join(part)
    }

    fn log(&self) -> PathBuf {
        self.path("dovecot.log")
    }

    fn settings(&self, more: &str) -> String {
        let folder = self.folder.path().display();
        let (Account { user, group }, Ports { imap, imaps }) = (self.account, self.ports);
        format!(
            "protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = guichet-test
log_path = {folder}/dovecot.log
auth_verbose = yes
ssl = yes
ssl_cert = <{folder}/tls/leaf.pem
ssl_key = <{folder}/tls/leaf.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u/Maildir
mail_fsync = never
first_valid_uid = 1
mail_max_userip_connections = 500
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{more}
"
        )
    }
}

/// IMAP by hand, in the clear.
pub struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Logs in.
    pub fn open(port: u16, user: &str) -> Session {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("Dovecot answers");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut session = Session { stream: BufReader::new(stream) };
        session.line();
        session.ok(&format!("LOGIN {user} {PASSWORD}"));
        session
    }

    /// Says `command`, answers the untagged lines of the reply; the tagged one must be OK.
    pub fn ok(&mut self, command: &str) -> Vec<String> {
        let (lines, end) = self.say(command);
        assert!(end.starts_with("a OK"), "`{command}` was answered with `{end}`");
        lines
    }

    /// The same, with the tagged line, whatever it says.
    pub fn say(&mut self, command: &str) -> (Vec<String>, String) {
        let stream = self.stream.get_mut();
        stream.write_all(format!("a {command}\r\n").as_bytes()).expect("Dovecot listens");
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.starts_with("a ") {
                return (lines, line);
            }
            lines.push(line);
        }
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        let count = self.stream.read_until(b'\n', &mut line).expect("Dovecot answers");
        assert!(count > 0, "Dovecot closed the connection");
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }
}

fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("* OK")
}

fn quoted(folder: &str) -> String {
    format!("\"{folder}\"")
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("`{from}` in `{text}`"));
    rest.split(to).next().unwrap_or_default().trim_end_matches(')')
}

/// The time by the clock of this machine, which the server lives in.
#[expect(clippy::disallowed_methods, reason = "the server lives in the machine's time")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
