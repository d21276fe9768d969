//! WebDriver (https://www.w3.org/TR/webdriver2/) as far as the journeys need it: one chromedriver of
//! our own, asked over HTTP.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::guarded::{Account, Guarded, answers, free_port};

// A page may take long on a machine that others use too; chromedriver gives up by itself before that.
const LONGEST: Duration = Duration::from_secs(400);

/// A chromedriver that runs; it and the browsers it started end when this is dropped.
pub struct Driver {
    // Ended before its folder is removed.
    _server: Guarded,
    port: u16,
    pub folder: TempDir,
}

/// What chromedriver refused, in its words.
#[derive(Debug)]
pub struct Refused {
    /// As the standard names it, e.g. `no such element`.
    pub error: String,
    pub message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.message.lines().next().unwrap_or_default();
        write!(to, "{}: {first}", self.error)
    }
}

impl Driver {
    pub fn start() -> Driver {
        installed("chromedriver", "chromium-driver");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("chromedriver.log");
        let port = free_port();
        let flag = format!("--port={port}");
        let server = Guarded::start(&["chromedriver", &flag], Account::own(), &log, "TERM");
        server.wait_until("chromedriver", &log, || answers(port));
        Driver { _server: server, port, folder }
    }

    /// Asks; `body` makes it a POST.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Refused> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect(address).expect("chromedriver listens");
        stream.set_read_timeout(Some(LONGEST)).expect("a timeout");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("chromedriver takes a request");
        stream.write_all(body.as_bytes()).expect("chromedriver takes a request");
        let (status, answer) = answer(BufReader::new(stream));
        let mut answer: Value = serde_json::from_slice(&answer).expect("chromedriver says JSON");
        let value = answer["value"].take();
        if status == 200 {
            return Ok(value);
        }
        let said = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Err(Refused { error: said("error"), message: said("message") })
    }
}

fn answer(mut from: BufReader<TcpStream>) -> (u16, Vec<u8>) {
    let mut line = String::new();
    let mut next = |from: &mut BufReader<TcpStream>| {
        line.clear();
        from.read_line(&mut line).expect("chromedriver answers");
        line.trim_end().to_owned()
    };
    let status = next(&mut from);
    let status = status.split(' ').nth(1).and_then(|word| word.parse().ok());
    let mut length = 0;
    loop {
        let field = next(&mut from);
        let Some((name, value)) = field.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length is a number");
        }
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).expect("chromedriver answers whole");
    (status.expect("an answer has a status"), bytes)
}

/// Where a program is; one that is missing is a failure, not a reason to skip.
pub fn installed(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("`{program}` is not installed; `tests/run` does it: apt-get install {package}")
    })
}
