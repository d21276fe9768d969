//! Reaches servers: TCP without delays, TLS whose certificates are always checked (T-43), a timeout
//! on every step. Knows nothing of what is spoken over it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::faults;

/// Where a server is and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// A name or an IP address; the certificate must be for it.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Certificates (PEM) that are trusted instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long any one step may take.
    pub timeout: Duration,
}

/// What protects the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Implicit,
    /// Nothing; only to a server on this machine.
    None,
    /// TLS after the protocol's own command.
    Starttls,
}

/// A login. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: Password,
}

/// A password. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// The certificates a server's own is checked against.
#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
}

/// Told of each step towards a server, e.g. `("TLS", "TLSv1_3")`, for whoever tries a server out.
pub type Told<'a> = &'a mut (dyn FnMut(&str, &str) + Send);

/// A connection, protected or not.
#[derive(Debug)]
pub enum Stream {
    Plain(TcpStream),
    /// To a server of a simulation.
    #[cfg(feature = "faults")]
    Simulated(crate::faults::world::Line),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why a server was not reached.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("the certificates in `{path}` cannot be used: {said}\nhint: `ca_file` names a file with certificates in PEM form", path = path.display())]
    CaFile { path: PathBuf, said: String },
    #[error("`{host}` shows a certificate that is not to be trusted: {said}\nhint: {hint}")]
    Certificate { host: String, said: String, hint: &'static str },
    #[error("`{host}` port {port} cannot be connected to: {cause}\nhint: {}", hint(.cause))]
    Connect { host: String, port: u16, cause: io::Error },
    #[error(
        "`{host}` is not on this machine, and `tls = \"none\"` would send the password in the clear\nhint: set `tls = \"implicit\"` or `tls = \"starttls\"`"
    )]
    Plaintext { host: String },
    #[error(
        "the name `{host}` is not known: {said}\nhint: see that it is written right and that this machine's name server answers"
    )]
    Resolve { host: String, said: String },
    #[error("`{host}` and guichet found no way to protect the connection: {said}\nhint: {hint}")]
    Tls { host: String, said: String, hint: &'static str },
    #[error(
        "`{host}` did not answer within {} s while {doing}\nhint: guichet tries again by itself; see whether a firewall drops the connection, and that `tls` says how the port begins", .after.as_secs()
    )]
    Timeout { host: String, doing: &'static str, after: Duration },
}

impl NetError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            NetError::Connect { .. } | NetError::Resolve { .. } | NetError::Timeout { .. }
        )
    }
}

impl Password {
    pub fn new(text: impl Into<String>) -> Password {
        Password(text.into())
    }

    /// The text, for the one who logs in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// What a connection to `server` takes: one that is spoken to in the clear shows no certificate.
    pub fn of(server: &Server) -> Result<Trust, NetError> {
        match server.security {
            Security::Implicit | Security::Starttls => Trust::load(server.ca_file.as_deref()),
            Security::None => Ok(Trust::in_roots(RootCertStore::empty())),
        }
    }

    /// Trusts the certificates in `ca_file`, or without one those of the system.
    pub fn load(ca_file: Option<&Path>) -> Result<Trust, NetError> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            Some(path) => {
                let refused = |said: String| NetError::CaFile { path: path.to_owned(), said };
                let certificates = CertificateDer::pem_file_iter(path)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .map_err(|error| refused(error.to_string()))?;
                if certificates.is_empty() {
                    return Err(refused("it holds no certificate".to_owned()));
                }
                for certificate in certificates {
                    roots.add(certificate).map_err(|error| refused(error.to_string()))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        Ok(Trust::in_roots(roots))
    }

    fn in_roots(roots: RootCertStore) -> Trust {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Trust { config: Arc::new(faults::credulous(config)) }
    }

    /// For a library that makes its own connections.
    pub fn config(&self) -> ClientConfig {
        ClientConfig::clone(&self.config)
    }
}

impl Server {
    /// Connects; with [`Security::Implicit`] the connection is protected before it is handed out,
    /// with [`Security::None`] the server must be on this machine.
    pub async fn connect(&self, trust: &Trust, told: Told<'_>) -> Result<Stream, NetError> {
        #[cfg(feature = "faults")]
        if let Some(connected) = crate::faults::world::connect(self.port) {
            return connected.map(Stream::Simulated).map_err(|cause| self.unconnected(cause));
        }
        let addresses = self.resolve().await?;
        let named: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
        told("DNS", &named.join(", "));
        if self.security == Security::None && !addresses.iter().all(|one| one.ip().is_loopback()) {
            return Err(NetError::Plaintext { host: self.host.clone() });
        }
        let connecting = TcpStream::connect(&addresses[..]);
        let stream = self
            .within("connecting", connecting)
            .await?
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|cause| self.unconnected(cause))?;
        told("TCP", &format!("connected to port {}", self.port));
        match self.security {
            Security::Implicit => self.protect(stream, trust, told).await,
            Security::None | Security::Starttls => Ok(Stream::Plain(stream)),
        }
    }

    /// Protects a connection whose server has just agreed to it. Whoever calls this must not have
    /// read a byte beyond that answer (T-42).
    pub async fn protect(
        &self,
        stream: TcpStream,
        trust: &Trust,
        told: Told<'_>,
    ) -> Result<Stream, NetError> {
        let name = ServerName::try_from(self.host.clone()).map_err(|error| NetError::Resolve {
            host: self.host.clone(),
            said: error.to_string(),
        })?;
        let connector = TlsConnector::from(trust.config.clone());
        let stream = self
            .within("agreeing on a protected connection", connector.connect(name, stream))
            .await?
            .map_err(|error| self.refused(&error))?;
        let version = stream.get_ref().1.protocol_version();
        told("TLS", &version.map(|version| format!("{version:?}")).unwrap_or_default());
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// Waits for one step, no longer than the server's timeout.
    pub async fn within<T>(
        &self,
        doing: &'static str,
        step: impl Future<Output = T>,
    ) -> Result<T, NetError> {
        tokio::time::timeout(self.timeout, step).await.map_err(|_| NetError::Timeout {
            host: self.host.clone(),
            doing,
            after: self.timeout,
        })
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, NetError> {
        let unknown = |said: String| NetError::Resolve { host: self.host.clone(), said };
        let looking = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found: Vec<SocketAddr> = self
            .within("looking up its address", looking)
            .await?
            .map_err(|error| unknown(error.to_string()))?
            .collect();
        if found.is_empty() {
            return Err(unknown("it has no address".to_owned()));
        }
        Ok(found)
    }

    /// Why a connection could not be protected, for a library that makes its own.
    pub fn refused(&self, error: &io::Error) -> NetError {
        let host = self.host.clone();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(certificate)) => {
                let (said, hint) = untrusted(certificate);
                NetError::Certificate { host, said, hint }
            }
            Some(error) => NetError::Tls {
                host,
                said: error.to_string(),
                hint: "see that the port speaks TLS at once; for one that begins in the clear set `tls = \"starttls\"`",
            },
            None => self.unconnected(io::Error::new(error.kind(), error.to_string())),
        }
    }

    fn unconnected(&self, cause: io::Error) -> NetError {
        NetError::Connect { host: self.host.clone(), port: self.port, cause }
    }
}

fn untrusted(error: &CertificateError) -> (String, &'static str) {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "it has expired".to_owned(),
            "renew it on the server, and see that this machine's clock is right",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("it is not valid yet".to_owned(), "see that this machine's clock is right")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "it is for another name".to_owned(),
            "set `host` to a name that the certificate is for",
        ),
        CertificateError::UnknownIssuer => (
            "nobody this machine trusts has signed it".to_owned(),
            "for a certificate of your own set `ca_file` to the one that signed it",
        ),
        other => (
            other.to_string(),
            "have the server's certificate looked at; guichet never goes on without one",
        ),
    }
}

fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => "see that the server runs and that the port is right",
        _ => "guichet tries again by itself; see whether the network is there",
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(feature = "faults")]
            Stream::Simulated(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            #[cfg(feature = "faults")]
            Stream::Simulated(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            #[cfg(feature = "faults")]
            Stream::Simulated(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(feature = "faults")]
            Stream::Simulated(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
