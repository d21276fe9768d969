//! What the daemon does about signals while something else keeps it busy: a reader of the log that
//! stands still, a mail server that says nothing, a file that may not grow.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::OFlags;

use crate::support::{Desk, message, signal, wait_for};

/// The daemon; killed when dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, log: File) -> Running {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Running(command.spawn().expect("the daemon starts"))
    }

    /// Its exit code once it has ended; `None` in it when a signal ended it.
    fn ended(&mut self) -> Option<Option<i32>> {
        self.0.try_wait().expect("it is ours").map(|status| status.code())
    }

    fn is_listening(&self) -> bool {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0.id()));
        threads.into_iter().flatten().flatten().any(|thread| {
            fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name == "signals\n")
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn p_14_who_stops_it_twice_ends_it_although_nobody_reads_its_log() {
    let desk = Desk::new("");
    let (_reader, log) = full_pipe(&desk.path().join("log"));
    let mut daemon = Running::start(&mut desk.command(&["run"]), log);
    wait_for("the daemon to hear signals", 20, || daemon.is_listening());
    let mut ended = None;
    wait_for("a daemon whose log nobody reads to end", 20, || {
        ended = daemon.ended();
        if ended.is_none() {
            signal(daemon.0.id(), "TERM");
        }
        ended.is_some()
    });
    assert_eq!(ended, Some(Some(1)));
    desk.audit();
}

/// A pipe that takes nothing more: its reader, which reads nothing, and its other end.
fn full_pipe(path: &Path) -> (File, File) {
    let made = Command::new("mkfifo").arg(path).status().expect("`mkfifo` runs");
    assert!(made.success());
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let open = |options: &mut OpenOptions, flags| {
        options.custom_flags(flags).open(path).expect("the pipe opens")
    };
    let reader = open(OpenOptions::new().read(true), nonblocking);
    let mut filler = open(OpenOptions::new().write(true), nonblocking);
    for size in [4_096, 1] {
        while filler.write(&vec![b'\n'; size]).is_ok() {}
    }
    (reader, open(OpenOptions::new().write(true), 0))
}

#[test]
fn p_18_a_call_to_read_the_configuration_is_heard_while_the_last_one_is_carried_out() {
    let desk = Desk::new("");
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = server.local_addr().expect("it is bound").port();
    let text = fs::read_to_string(desk.config()).expect("it is there");
    let relay =
        format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"");
    let text = text.replace("transport = \"file\"\npath = \"outgoing\"", &relay);
    fs::write(desk.config(), text).expect("it is written");
    desk.deliver("1.a", &message("claire@myorg.example", "Printer", "1@x", "", "It is jammed."));
    let (log, trace) = (desk.path().join("daemon.log"), desk.path().join("trace"));
    let mut command = desk.command(&["run"]);
    command.env("GUICHET_FAULTS", faults(&format!("trace={}", trace.display())));
    let daemon = Running::start(&mut command, File::create(&log).expect("a log"));
    // It waits for a greeting, with a mail in hand.
    let (silent, _) = server.accept().expect("the daemon connects");
    signal(daemon.0.id(), "HUP");
    wait_for("the rooms to be told to end", 10, || {
        fs::read_to_string(&trace).is_ok_and(|passed| passed.contains("stop.begun"))
    });
    signal(daemon.0.id(), "HUP");
    wait_for("the second call to be taken", 10, || !is_pending(daemon.0.id()));
    drop((silent, server));
    wait_for("the configuration to be read for each of the two calls", 20, || {
        let said = fs::read_to_string(&log).expect("a log");
        said.matches("the configuration was read again").count() == 2
    });
}

/// What this test program was told to do about faults, and `more`.
fn faults(more: &str) -> String {
    format!("{} {more}", std::env::var("GUICHET_FAULTS").unwrap_or_default())
}

fn is_pending(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let pending = pending.expect("every process has some");
    !pending.trim().trim_matches('0').is_empty()
}

#[test]
fn p_05_a_file_that_may_not_grow_is_waited_for_like_a_full_disk() {
    const MESSAGES: usize = 40;
    let desk = Desk::new("[limits]\nper_domain = \"off\"\nnew_users = \"off\"\n");
    desk.audit();
    // What zstd cannot make smaller.
    let mut noise = 7_u64;
    for n in 0..MESSAGES {
        let lines = (0..600).map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{noise:020} {:020}\r\n", noise.rotate_left(29))
        });
        let body: String = lines.collect();
        let from = format!("u{n}@d{n}.example");
        desk.deliver(&format!("1.{n}"), &message(&from, "Printer", &format!("{n}@x"), "", &body));
    }
    let plain = desk.command(&["run"]);
    let mut limited = Command::new("prlimit");
    limited.arg("--fsize=600000:unlimited").arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(desk.path()).env_remove("GUICHET_CONFIG");
    let log = desk.path().join("daemon.log");
    let mut daemon = Running::start(&mut limited, File::create(&log).expect("a log"));
    wait_for("the daemon to say that the store cannot be written", 20, || {
        assert_eq!(daemon.ended(), None, "a file that may not grow ends the daemon");
        fs::read_to_string(&log).expect("a log").contains("nothing was lost")
    });
    let pid = daemon.0.id().to_string();
    let freed = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
    assert!(freed.expect("`prlimit` runs").success());
    let books =
        || serde_json::from_slice::<serde_json::Value>(&desk.run(&["audit", "--json"]).stdout);
    wait_for("every message to be accepted", 40, || {
        books().is_ok_and(|books| books["accepted"] == MESSAGES && books["pending"] == 0)
    });
}
