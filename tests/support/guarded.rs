//! A server of another project, run for a test: ended by its pid when the test ends, and also when
//! the test process is killed, because a guard beside it notices that its standard input closed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A server that runs.
pub struct Guarded {
    guard: Child,
    // Closing it is what ends the server.
    _leash: Option<ChildStdin>,
    server: u32,
}

/// Whom a server runs as: the user and group ids of an account of this machine.
#[derive(Clone, Copy)]
pub struct Account {
    pub user: u32,
    pub group: u32,
}

impl Account {
    /// The account of that name; it must exist, the server's package makes it.
    pub fn named(name: &str) -> Account {
        let ask = |flag: &str| {
            let output = Command::new("id").args([flag, name]).output().expect("`id` runs");
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            text.parse().unwrap_or_else(|_| panic!("there is no user `{name}`; see tests/run"))
        };
        Account { user: ask("-u"), group: ask("-g") }
    }

    /// Whom the tests run as.
    pub fn own() -> Account {
        Account {
            user: rustix::process::getuid().as_raw(),
            group: rustix::process::getgid().as_raw(),
        }
    }

    pub fn is_root(&self) -> bool {
        self.user == 0
    }
}

// The server leads a session of its own, so that what it forks is ended with it, and nothing but
// the guard ends it when somebody presses Ctrl-C.
const GUARD: &str = r#"
stop=$1; log=$2; litter=$3; shift 3
setsid "$@" </dev/null >>"$log" 2>&1 &
server=$!
echo "$server"
read -r _
kill -s "$stop" "$server" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  kill -0 "$server" 2>/dev/null || break
  sleep 0.05
done
kill -s KILL -- -"$server" 2>/dev/null
wait "$server" 2>/dev/null
[ -z "$litter" ] || rm -rf "$litter"
"#;

impl Guarded {
    /// Starts `words` as `account`; what it prints goes to `log`. It is ended with the signal
    /// `stop` (`TERM`, `QUIT`), and killed when it takes longer than a second.
    pub fn start(words: &[&str], account: Account, log: &Path, stop: &str) -> Guarded {
        Guarded::start_in(words, account, log, stop, None)
    }

    /// The same; the folder `litter` is removed once the server has ended.
    pub fn start_in(
        words: &[&str],
        account: Account,
        log: &Path,
        stop: &str,
        litter: Option<&Path>,
    ) -> Guarded {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard", stop]).arg(log);
        command.arg(litter.unwrap_or(Path::new(""))).args(words);
        if Account::own().is_root() && !account.is_root() {
            command.uid(account.user).gid(account.group);
        }
        command.process_group(0).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = command.spawn().expect("`sh` starts");
        let leash = guard.stdin.take();
        let mut line = String::new();
        let said = guard.stdout.take().expect("it was piped");
        BufReader::new(said).read_line(&mut line).expect("the guard says the server's pid");
        let server = line.trim().parse().expect("the guard says the server's pid");
        Guarded { guard, _leash: leash, server }
    }

    pub fn pid(&self) -> u32 {
        self.server
    }

    pub fn is_running(&self) -> bool {
        // A server that ended is a zombie until its guard ends too.
        let state = fs::read_to_string(format!("/proc/{}/stat", self.server)).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    }

    /// Waits until `ready`, at most a minute; shows `log` when that does not come about.
    pub fn wait_until(&self, what: &str, log: &Path, mut ready: impl FnMut() -> bool) {
        for _ in 0..6_000 {
            if ready() {
                return;
            }
            assert!(self.is_running(), "{what} ended at once:\n{}", tail(log));
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what} did not get ready in a minute:\n{}", tail(log));
    }

    /// Ends the server now.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self._leash.take());
        let _ = self.guard.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

/// The end of a log, for a failure.
pub fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// A port of the loopback that nobody listens at, and another one each time. It is none of those that
/// the system gives to whoever connects: one of the many connections of other tests would have it now
/// and then before the server does, which then ends at once.
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // Of as many as one process needs, so that two that run at a time do not meet.
    const EACH: u32 = 97;
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let given = range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32_768);
    let ours = OURS.start..given.clamp(OURS.start + EACH, OURS.end);
    for _ in ours.clone() {
        let asked = ASKED.fetch_add(1, Ordering::SeqCst);
        let place = std::process::id().wrapping_mul(EACH).wrapping_add(asked);
        let port = u16::try_from(ours.start + place % (ours.end - ours.start));
        let port = port.expect("they end before 65536");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("somebody listens at every port of {ours:?}");
}

// Above the ports of well-known services.
const OURS: Range<u32> = 11_000..32_768;

/// Whether somebody listens at `port`.
pub fn answers(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
}

/// Opens a temporary folder for servers that run as another user.
pub fn shared_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}
