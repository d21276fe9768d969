//! PostgreSQL in a temporary folder on a free port of the loopback, one server a test binary: asked
//! for first, it is made (about two seconds); when the process ends, however it ends, its guard ends
//! the server and removes the folder. Nothing it writes survives a power cut: `fsync` is off.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use guichet::net::{Password, Security};
use guichet::store::PostgresOptions;

use super::guarded::{Account, Guarded, free_port, shared_folder};
use super::tls::{self, Leaf};

/// The role that owns the database; it is a superuser.
pub const USER: &str = "guichet";
pub const PASSWORD: &str = "s3cret-of-the-store";
pub const DATABASE: &str = "guichet";

/// A server that runs.
pub struct Postgres {
    guarded: Guarded,
    folder: PathBuf,
    pub port: u16,
}

/// A schema of one test's own.
#[derive(Clone, Debug)]
pub struct Schema {
    pub name: String,
    /// `postgres://…` without the password; tables are made and looked for in the schema.
    pub url: String,
}

impl Schema {
    /// A table that has these words in a row, as text.
    pub fn table_with(&self, words: &str) -> Option<String> {
        let mut client = server().client(DATABASE).expect("PostgreSQL answers");
        let tables = client
            .query(
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1",
                &[&self.name],
            )
            .expect("it lists its tables");
        assert!(tables.len() > 20, "the tables were not found");
        tables.iter().map(|row| row.get::<_, String>(0)).find(|table| {
            let found = format!(
                "SELECT 1 FROM {}.{table} row WHERE POSITION($1 IN row::text) > 0 LIMIT 1",
                self.name
            );
            !client.query(&found, &[&words]).expect("it reads its tables").is_empty()
        })
    }
}

/// The server that the tests of this binary share.
pub fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// A new schema on the shared server.
pub fn fresh_schema() -> Schema {
    server().fresh_schema()
}

/// How a store reaches `url`: with the owner's password, and without TLS.
pub fn options(url: &str) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        password: Some(Password::new(PASSWORD)),
        security: Security::None,
        ca_file: None,
    }
}

impl Postgres {
    /// A server of a test's own, for tests that end it; gone when dropped.
    pub fn start() -> Postgres {
        let folder = shared_folder().keep();
        let account = match Account::own() {
            own if own.is_root() => Account::named("postgres"),
            own => own,
        };
        let own = |path: &Path| {
            chown(path, Some(account.user), Some(account.group)).expect("the owner is set");
        };
        own(&folder);
        let identity = tls::identity(Leaf::Good);
        tls::ca_file(&folder);
        for (name, text) in [
            ("leaf.pem", identity.certificate.as_str()),
            ("leaf.key", identity.key.as_str()),
            ("password", PASSWORD),
        ] {
            let path = folder.join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
            own(&path);
        }
        initdb(&folder, account);
        let port = free_port();
        let mut postgres = Postgres { guarded: run(&folder, account, port), folder, port };
        postgres.wait();
        postgres.execute("postgres", &format!("CREATE DATABASE {DATABASE}"));
        postgres
    }

    /// The certificate that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What the server says about itself and its clients.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub fn pid(&self) -> u32 {
        self.guarded.pid()
    }

    pub fn fresh_schema(&self) -> Schema {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::SeqCst));
        self.execute(DATABASE, &format!("CREATE SCHEMA {name}"));
        let url = format!(
            "postgres://{USER}@127.0.0.1:{}/{DATABASE}?options=-csearch_path%3D{name}",
            self.port
        );
        Schema { name, url }
    }

    /// Runs statements as the owner, without TLS.
    pub fn execute(&self, database: &str, statements: &str) {
        let mut client = self.client(database).expect("PostgreSQL answers");
        client.batch_execute(statements).unwrap_or_else(|error| panic!("`{statements}`: {error}"));
    }

    /// A connection of the owner, without TLS.
    pub fn client(&self, database: &str) -> Result<postgres::Client, postgres::Error> {
        postgres::Config::new()
            .host("127.0.0.1")
            .port(self.port)
            .user(USER)
            .password(PASSWORD)
            .dbname(database)
            .connect(postgres::NoTls)
    }

    fn wait(&mut self) {
        let log = self.folder.join("log");
        self.guarded.wait_until("PostgreSQL", &log, || self.client("postgres").is_ok());
    }
}

fn initdb(folder: &Path, account: Account) {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(binary("initdb"));
    command.arg("-D").arg(folder.join("data"));
    command.args(["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]);
    command.args(["--no-sync", "--pwfile"]).arg(folder.join("password")).current_dir(folder);
    if Account::own().is_root() {
        command.uid(account.user).gid(account.group);
    }
    let output = command.output().expect("`initdb` starts");
    assert!(
        output.status.success(),
        "initdb ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

fn run(folder: &Path, account: Account, port: u16) -> Guarded {
    let text = |path: PathBuf| path.into_os_string().into_string().expect("folders are UTF-8");
    let mut words = vec![text(binary("postgres")), "-D".to_owned(), text(folder.join("data"))];
    let settings = [
        ("listen_addresses", "127.0.0.1".to_owned()),
        ("port", port.to_string()),
        ("unix_socket_directories", text(folder.to_owned())),
        ("fsync", "off".to_owned()),
        ("synchronous_commit", "off".to_owned()),
        ("full_page_writes", "off".to_owned()),
        ("max_connections", "200".to_owned()),
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", text(folder.join("leaf.pem"))),
        ("ssl_key_file", text(folder.join("leaf.key"))),
    ];
    for (name, value) in settings {
        words.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Guarded::start_in(&words, account, &folder.join("log"), "QUIT", Some(folder))
}

// Debian keeps the server's programs out of the path, one folder a version: the newest.
fn binary(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| -> u32 {
        path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0)
    };
    versions
        .map(|entry| entry.path())
        .filter(|path| path.join("bin").join(name).exists())
        .max_by_key(|path| number(path))
        .map_or(PathBuf::from(name), |path| path.join("bin").join(name))
}
