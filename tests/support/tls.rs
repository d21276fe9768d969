//! Certificates for the servers of the tests: an authority of our own, and leaves that are good or
//! wrong in one way each (T-43).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What is right or wrong about a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Ran out in 2020.
    Expired,
    /// Signed by an authority that nobody here trusts.
    Foreign,
    /// For `localhost` and 127.0.0.1.
    Good,
    /// Signed by itself.
    SelfSigned,
    /// For `mail.elsewhere.example`.
    WrongName,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// Writes the certificate of the authority to trust into `folder`: what `ca_file` names.
pub fn ca_file(folder: &Path) -> PathBuf {
    let path = folder.join("ca.pem");
    fs::write(&path, trusted().0.pem()).expect("the certificate is written");
    path
}

/// A certificate for a server.
pub fn identity(leaf: Leaf) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let names = match leaf {
        Leaf::WrongName => vec!["mail.elsewhere.example".to_owned()],
        _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
    };
    let mut params = CertificateParams::new(names).expect("the names are good");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if leaf == Leaf::Expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let certificate = match leaf {
        Leaf::Expired | Leaf::Good | Leaf::WrongName => params.signed_by(&key, &trusted().0),
        Leaf::Foreign => params.signed_by(&key, &Authority::new("Somebody else's authority").0),
        Leaf::SelfSigned => params.self_signed(&key),
    };
    let certificate = certificate.expect("a certificate").pem();
    Identity { certificate, key: key.serialize_pem() }
}

/// What a server of ours speaks TLS with.
pub fn server_config(identity: &Identity) -> Arc<ServerConfig> {
    let certificate =
        CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("it is PEM");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("it is PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key is the certificate's");
    Arc::new(config)
}

fn trusted() -> &'static Authority {
    static TRUSTED: OnceLock<Authority> = OnceLock::new();
    TRUSTED.get_or_init(|| Authority::new("The tests' own authority"))
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are good");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }
}
