//! Certificates of a test's own: each is its own authority, so whoever trusts it trusts nothing else.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

/// A certificate for this machine, with its key; both in PEM.
#[derive(Clone)]
pub struct Certificate {
    /// The certificate.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

impl Certificate {
    /// A new one.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// One that held long ago.
    pub fn expired() -> Self {
        Self::with(|params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    /// One that holds for no longer than this from now on.
    pub fn that_ends_in(rest: Duration) -> Self {
        Self::with(|params| params.not_after = (SystemTime::now() + rest).into())
    }

    fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("names that a certificate can have");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// What connects to whoever shows this certificate, and to nobody else.
    pub fn connector(&self) -> TlsConnector {
        self.connector_with(&[&version::TLS13, &version::TLS12], &[])
    }

    /// The same with these versions of TLS and these protocols inside.
    pub fn connector_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> TlsConnector {
        let certificate = CertificateDer::from_pem_slice(self.chain.as_bytes());
        let mut roots = RootCertStore::empty();
        let added = roots.add(certificate.expect("our own PEM"));
        added.expect("our own certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions that the provider knows")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        TlsConnector::from(Arc::new(config))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
