//! Whose certificates a device may show, and the handshake.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::errors;
use crate::Error;

/// Whose certificates are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that one of the system's authorities has signed.
    #[default]
    System,
    /// Those that an authority of this PEM file has signed.
    Authority(PathBuf),
    /// Every one: the connection is encrypted, but whoever is at the address may be the device. For devices that make their own certificate.
    Anyone,
}

impl Trust {
    /// What a driver's settings `ca` and `verify` say: a PEM file of an authority, and whether certificates are checked.
    pub fn of_settings(ca: Option<&Path>, verify: bool) -> Result<Self, Error> {
        match (ca, verify) {
            (None, true) => Ok(Self::System),
            (Some(file), true) => Ok(Self::Authority(file.to_owned())),
            (None, false) => Ok(Self::Anyone),
            (Some(_), false) => Err(Error::new(
                "`ca` names whose certificates are believed and `verify: false` believes all; leave one out",
            )),
        }
    }
}

/// The client's side of TLS. What it believes is read when it is first needed.
#[derive(Default)]
pub(super) struct Tls {
    trust: Trust,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            config: OnceCell::new(),
        }
    }

    /// The stream in a layer of encryption.
    pub(super) async fn encrypt(
        &self,
        stream: TcpStream,
        host: &str,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let trust = self.trust.clone();
        let read = || async {
            let reading = tokio::task::spawn_blocking(move || config(&trust));
            reading.await?.map(Arc::new)
        };
        let config = self.config.get_or_try_init(read).await?;
        let name = ServerName::try_from(host.to_owned())?;
        let connector = TlsConnector::from(Arc::clone(config));
        let connecting = connector.connect(name, stream).await;
        connecting.map_err(|error| Error::new(in_words(&error)))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trust.fmt(f)
    }
}

fn config(trust: &Trust) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let config = match trust {
        Trust::System => builder.with_root_certificates(roots_of_the_system()?),
        Trust::Authority(file) => builder.with_root_certificates(roots_of(file)?),
        Trust::Anyone => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    Ok(config.with_no_client_auth())
}

fn roots_of_the_system() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is one that is not believed; the others still are.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err(Error::new(
            "the system has no trusted certificates; install its package of them, or name a file of the device's authority",
        )),
        false => Ok(roots),
    }
}

fn roots_of(file: &Path) -> Result<RootCertStore, Error> {
    let wrong = |reason: &dyn fmt::Display| {
        Error::new(format_args!(
            "{}: {reason}; a PEM file of certificates belongs there",
            file.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    match roots.is_empty() {
        true => Err(wrong(&"there is no certificate in it")),
        false => Ok(roots),
    }
}

/// Why a handshake came to nothing, for a person who knows the device and not TLS.
fn in_words(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let words = match inner {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => "its certificate is signed by no authority that is trusted here",
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "its certificate is for another name",
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "its certificate has expired",
        Some(rustls::Error::InvalidMessage(_)) => "what answers there speaks no TLS",
        Some(other) => return format!("the TLS handshake failed: {other}"),
        None => return errors::in_words(error),
    };
    words.to_owned()
}

/// Believes every certificate. That its owner has the key is still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
