//! A connection to the server: where it is, how it is protected, what is set on it, and the
//! statements that are prepared on it.

use std::collections::HashMap;
use std::net::ToSocketAddrs;
use std::time::Duration;

use postgres::config::{Host, SslMode, SslNegotiation, TargetSessionAttrs};
use postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::adapter::rewritten;
use super::errors::{explain, unconnected};
use crate::net::{NetError, Security, Server, Trust};
use crate::store::{Durability, PostgresOptions, StoreError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
// How long a network may swallow what is sent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);
// Statements kept prepared on each connection: all of ours, with their lists of different lengths.
const STATEMENTS: usize = 256;
const PORT: u16 = 5432;

// Nothing of ours takes so long; what does is stuck. Compiling a statement costs more than our short
// ones take. A server that was set to lose what it has committed is told not to (P-07). What it
// compresses costs a fraction with the method it may have since version 14.
const SETTINGS: &str = "SET statement_timeout = '60s'; SET lock_timeout = '20s'; \
    SET idle_in_transaction_session_timeout = '60s'; SET jit = off; \
    SELECT set_config('synchronous_commit', 'on', false) \
      WHERE current_setting('synchronous_commit') = 'off'; \
    SELECT set_config(name, 'lz4', false) FROM pg_settings \
      WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
// The tables may take long to change, and another process may be at it.
const PATIENT_SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = '10min'";
const THROWN_AWAY: &str = "SET synchronous_commit = off";

/// Where the database is, and how to get in.
pub(super) struct Place {
    /// Its address without a password, for people.
    pub name: String,
    config: Config,
    user: String,
    server: Server,
    tls: Option<MakeRustlsConnect>,
    durability: Durability,
}

/// A connection, and the statements prepared on it.
pub(super) struct Session {
    pub client: Client,
    statements: HashMap<String, Prepared>,
    uses: u64,
}

struct Prepared {
    statement: Statement,
    last_used: u64,
}

impl Place {
    /// Understands the address; nothing is connected to yet.
    pub fn of(options: &PostgresOptions, durability: Durability) -> Result<Place, StoreError> {
        let mut config: Config =
            options.url.parse().map_err(|error: postgres::Error| StoreError::Address {
                said: std::error::Error::source(&error)
                    .map_or_else(|| error.to_string(), ToString::to_string),
            })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(StoreError::Address { said: "it names no server".to_owned() });
        }
        let Some(user) = config.get_user().map(str::to_owned) else {
            return Err(StoreError::Address { said: "it names no user".to_owned() });
        };
        if let Some(password) = &options.password {
            config.password(password.reveal());
        }
        if config.get_application_name().is_none() {
            config.application_name("guichet");
        }
        config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        // A socket file is of this machine, and nothing speaks TLS over it.
        let is_protected = options.security != Security::None && !is_socket_file(&config);
        let tls = if is_protected {
            let trust = Trust::load(options.ca_file.as_deref())
                .map_err(|error| StoreError::Net(error.to_string()))?;
            config.ssl_mode(SslMode::Require);
            Some(MakeRustlsConnect::new(trust.config()))
        } else {
            config.ssl_mode(SslMode::Disable).ssl_negotiation(SslNegotiation::Postgres);
            None
        };
        let (host, port) = (host(&config), config.get_ports().first().copied().unwrap_or(PORT));
        let database = config.get_dbname().unwrap_or(&user);
        Ok(Place {
            name: format!("postgres://{user}@{host}:{port}/{database}"),
            server: Server {
                host,
                port,
                security: options.security,
                ca_file: options.ca_file.clone(),
                timeout: CONNECT_TIMEOUT,
            },
            config,
            user,
            tls,
            durability,
        })
    }

    /// Connects and sets what every connection of ours has set.
    pub fn connect(&self) -> Result<Session, StoreError> {
        self.connect_with(SETTINGS)
    }

    /// A connection for changing the tables: it waits as long as that takes.
    pub fn connect_patiently(&self) -> Result<Session, StoreError> {
        self.connect_with(PATIENT_SETTINGS)
    }

    fn connect_with(&self, settings: &str) -> Result<Session, StoreError> {
        if self.tls.is_none() && !self.is_on_this_machine() {
            let error = NetError::Plaintext { host: self.server.host.clone() };
            return Err(StoreError::Net(error.to_string()));
        }
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        let mut client =
            connected.map_err(|error| unconnected(&error, &self.name, &self.user, &self.server))?;
        let mut set = |settings: &str| {
            client.batch_execute(settings).map_err(|error| explain(&error, &self.name, settings))
        };
        set(settings)?;
        if self.durability == Durability::None {
            set(THROWN_AWAY)?;
        }
        Ok(Session { client, statements: HashMap::new(), uses: 0 })
    }

    // A name that has no address may have another one the next moment.
    fn is_on_this_machine(&self) -> bool {
        let addresses = self.config.get_hostaddrs();
        let hosts = self.config.get_hosts();
        addresses.iter().all(std::net::IpAddr::is_loopback)
            && hosts.iter().all(|host| match host {
                Host::Tcp(_) if addresses.len() == hosts.len() => true,
                Host::Tcp(name) => (name.as_str(), self.server.port)
                    .to_socket_addrs()
                    .is_ok_and(|mut found| found.all(|address| address.ip().is_loopback())),
                Host::Unix(_) => true,
            })
    }
}

impl Session {
    /// The statement, prepared now or before.
    pub fn prepared(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        self.uses += 1;
        if let Some(known) = self.statements.get_mut(sql) {
            known.last_used = self.uses;
            return Ok(known.statement.clone());
        }
        let statement = self.client.prepare(&rewritten(sql))?;
        if self.statements.len() >= STATEMENTS {
            self.forget_the_oldest();
        }
        let prepared = Prepared { statement: statement.clone(), last_used: self.uses };
        self.statements.insert(sql.to_owned(), prepared);
        Ok(statement)
    }

    // Seldom: lists come in lengths of powers of two.
    fn forget_the_oldest(&mut self) {
        let oldest = self.statements.iter().min_by_key(|(_, prepared)| prepared.last_used);
        if let Some(sql) = oldest.map(|(sql, _)| sql.clone()) {
            self.statements.remove(&sql);
        }
    }
}

fn is_socket_file(config: &Config) -> bool {
    config.get_hostaddrs().is_empty()
        && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
}

fn host(config: &Config) -> String {
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    }
}
