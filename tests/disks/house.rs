//! The desk of these tests: a maildir whose messages are moved once they are decided, mail of ours
//! written to files, and work of every kind waiting.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::books::database;
use crate::support::{Desk, dovecot, message};

const CONFIG: &str = r#"after = "move"
move_to = "done"
[limits]
per_sender = "off"
per_domain = "off"
new_users = "off"
auto_mails_per_address = "off"
[outbox]
retry = ["1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s"]
[log]
format = "text"
"#;

/// A maildir name of a message that arrives now, the `n`-th: only to new mail guichet answers.
pub fn name(n: usize) -> String {
    let now = dovecot::now().as_second();
    format!("{now}.M{n:06}P1.disk")
}

/// A desk with nothing to do yet.
pub fn desk(more: &str) -> Desk {
    Desk::new(&format!("{CONFIG}{more}"))
}

/// Sets `min_free_space`.
pub fn floor(desk: &Desk, size: &str) {
    let folder = desk.path().join("conf.d");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("floor.toml"), format!("min_free_space = \"{size}\"\n"))
        .expect("written");
}

/// A desk on which a ticket was opened before, and work of every kind waits now.
pub fn busy_desk() -> Desk {
    let desk = desk("");
    let first = message("anna@contoso.example", "Printer", "first@contoso.example", "", "On fire");
    desk.deliver(&name(0), &first);
    desk.ok(&["run", "--once"]);
    let answer = "In-Reply-To: <first@contoso.example>\r\nReferences: <first@contoso.example>\r\n";
    let away = "Auto-Submitted: auto-replied\r\n";
    for (name, raw) in [
        (name(1), first.clone()),
        (
            name(2),
            message("anna@contoso.example", "Re: Printer", "2@contoso.example", answer, "Still"),
        ),
        (name(3), message("bob@fabrikam.example", "Scanner", "3@f.example", "", "x")),
        (name(4), message("eve@x.example", "Away", "4@x.example", away, "Back on Monday")),
        (name(5), vec![0; 1_000]),
        (
            name(6),
            message(
                "dan@northwind.example",
                "Logs",
                "6@n.example",
                "",
                &"line of a log\r\n".repeat(4_000),
            ),
        ),
    ] {
        desk.deliver(&name, &raw);
    }
    // Somebody's client has seen one, and it keeps its flags.
    let mail = message("carl@tailspin.example", "Mouse", "7@t.example", "", "Dead");
    fs::write(desk.maildir().join("cur").join(format!("{}:2,FS", name(7))), mail)
        .expect("delivered");
    desk
}

/// A message that the store cannot make smaller.
pub fn bulky(n: usize) -> Vec<u8> {
    let mut noise = vec![0; 150_000];
    fs::File::open("/dev/urandom")
        .and_then(|mut chance| chance.read_exact(&mut noise))
        .expect("read");
    let body: String = noise.iter().map(|byte| char::from(b'!' + byte % 90)).collect();
    let lines: Vec<&str> =
        (0..body.len()).step_by(75).filter_map(|at| body.get(at..at + 75)).collect();
    message(
        &format!("u{n}@x.example"),
        &format!("bulky {n}"),
        &format!("{n}@x"),
        "",
        &lines.join("\r\n"),
    )
}

/// Another desk with the same in it.
pub fn copy_of(desk: &Desk) -> Desk {
    let copy = Desk::new("");
    copy_folder(desk.path(), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    fs::set_permissions(to, fs::metadata(from).expect("it is there").permissions()).expect("set");
    for entry in fs::read_dir(from).expect("it reads").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

/// The subjects of the tickets, in order; none while there is no store.
pub fn subjects(desk: &Desk) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let read = || -> rusqlite::Result<Vec<String>> {
        let store = Connection::open_with_flags(database(desk), flags)?;
        let mut statement = store.prepare("SELECT subject FROM ticket ORDER BY subject")?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    read().unwrap_or_default()
}

/// The subjects of what is in the mailbox.
pub fn mail_of(desk: &Desk) -> BTreeSet<String> {
    let files = ["new", "cur"]
        .into_iter()
        .flat_map(|half| fs::read_dir(desk.maildir().join(half)).into_iter().flatten().flatten());
    let texts = files.filter_map(|file| fs::read(file.path()).ok());
    texts
        .filter_map(|raw| {
            let text = String::from_utf8_lossy(&raw).into_owned();
            let line = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            line.map(str::to_owned)
        })
        .collect()
}

/// Waits until the daemon has logged `words`, at most `seconds`.
pub fn wait_for_log(desk: &Desk, seconds: u64, words: &str) {
    for _ in 0..seconds * 20 {
        if desk.log().contains(words) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited {seconds} s in vain for `{words}`:\n{}", desk.log());
}
