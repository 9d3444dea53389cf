//! Reading a certificate and its key, and saying in one line what is wrong with them.
//!
//! An error names the file and what to do, and holds nothing of what the key's file says.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use metrics::Gauge;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject, SectionKind};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{Error as TlsError, ServerConfig};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

use crate::server::tls::Files;

/// The one protocol that is spoken inside of TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// How the PEM of a key begins whose reading takes a password.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{file}: could not read the {what} ({cause}); check the path and its permissions")]
    Unreadable {
        /// The file.
        file: String,
        /// What should be in it.
        what: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// A file has nothing in it.
    #[error("{file}: the file of the {what} is empty; write the {what} into it, in PEM")]
    Empty {
        /// The file.
        file: String,
        /// What should be in it.
        what: &'static str,
    },
    /// A file is not what it should be.
    #[error("{file}: holds {found} where a {what} should be; {remedy}")]
    WrongKind {
        /// The file.
        file: String,
        /// What should be in it.
        what: &'static str,
        /// What is in it.
        found: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A file is of the right kind, and damaged or of a make that is not known here.
    #[error("{file}: the {what} cannot be used ({cause}); {remedy}")]
    Unusable {
        /// The file.
        file: String,
        /// What should be in it.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Certificate and key are not of the same pair.
    #[error(
        "{key}: this key does not belong to the certificate in {certificate}; name the key that the certificate was made with, and put the gateway's own certificate first"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
}

/// A certificate with its key, which belong together.
#[derive(Debug)]
pub(super) struct Pair {
    certified: CertifiedKey,
    /// The certificate's file.
    file: String,
    valid_from: Time,
    valid_until: Time,
}

/// What a file should have in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Certificate,
    Key,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Certificate => "name the certificate's file by --tls-cert or tls.cert",
            Self::Key => "name the key's file by --tls-key or tls.key",
        }
    }
}

impl Pair {
    /// Reads both files.
    pub(super) fn read(files: &Files) -> Result<Self, CertificateError> {
        let (certificates, keys) = (
            PemFile::read(&files.certificate, Part::Certificate)?,
            PemFile::read(&files.key, Part::Key)?,
        );
        let chain = certificates.chain()?;
        let key = keys.key()?;
        let (valid_from, valid_until) = certificates.validity(&chain[0])?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let certified = certified.map_err(|error| {
            if let TlsError::InconsistentKeys(_) = error {
                CertificateError::Mismatch {
                    certificate: certificates.name.clone(),
                    key: keys.name.clone(),
                }
            } else if let TlsError::InvalidCertificate(_) = error {
                certificates.unusable("it is damaged, or older than X.509 version 3".to_owned())
            } else {
                CertificateError::Unusable {
                    file: keys.name.clone(),
                    what: keys.part.name(),
                    cause: "it is damaged, or of another kind".to_owned(),
                    remedy: "use RSA of 2048 bits or more, ECDSA on P-256 or P-384, or Ed25519",
                }
            }
        })?;
        Ok(Self {
            certified,
            file: certificates.name,
            valid_from,
            valid_until,
        })
    }

    /// When the certificate ends, in Unix seconds.
    pub(super) fn ends(&self) -> u64 {
        self.valid_until.to_unix_duration().as_secs()
    }

    /// Says until when the certificate holds; clients turn away from one that does not.
    pub(super) fn announce(&self, measure: &Gauge) {
        let Self {
            file,
            valid_from,
            valid_until,
            ..
        } = self;
        measure.set(valid_until.to_unix_duration().as_secs_f64());
        let now = SystemTime::now();
        if now > valid_until.to_system_time() {
            tracing::warn!(%file, %valid_until, "the certificate has expired; clients will refuse it");
        } else if now < valid_from.to_system_time() {
            tracing::warn!(%file, %valid_from, "the certificate is not valid yet; clients will refuse it");
        } else {
            tracing::info!(%file, %valid_until, "new connections get this certificate");
        }
    }

    /// The settings for new connections: TLS 1.2 and 1.3, and HTTP/1.1 inside.
    pub(super) fn into_config(self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(self.certified)));
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Arc::new(config)
    }
}

/// A file that should have one part of the pair in it.
struct PemFile {
    part: Part,
    /// The path, for errors.
    name: String,
    bytes: Vec<u8>,
}

impl PemFile {
    fn read(path: &Path, part: Part) -> Result<Self, CertificateError> {
        let (name, what) = (path.display().to_string(), part.name());
        match fs::read(path) {
            Ok(bytes) if bytes.trim_ascii().is_empty() => {
                Err(CertificateError::Empty { file: name, what })
            }
            Ok(bytes) => Ok(Self { part, name, bytes }),
            Err(cause) => Err(CertificateError::Unreadable {
                file: name,
                what,
                cause,
            }),
        }
    }

    /// All certificates, in their order; at least one.
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err(self.wrong_kind()),
            Ok(chain) => Ok(chain),
            Err(error) => Err(self.not_pem(&error)),
        }
    }

    /// The first key.
    fn key(&self) -> Result<PrivateKeyDer<'static>, CertificateError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| {
            if matches!(error, pem::Error::NoItemsFound) || self.is_encrypted() {
                self.wrong_kind()
            } else {
                self.not_pem(&error)
            }
        })
    }

    /// From when and until when a certificate holds.
    fn validity(&self, certificate: &CertificateDer<'_>) -> Result<(Time, Time), CertificateError> {
        let certificate = Certificate::from_der(certificate)
            .map_err(|_| self.unusable("it is damaged".to_owned()))?;
        let validity = certificate.tbs_certificate().validity();
        Ok((validity.not_before, validity.not_after))
    }

    /// Whether it takes a password to read it. In base64 the word has no place but by chance.
    fn is_encrypted(&self) -> bool {
        let mut words = self.bytes.windows(ENCRYPTED.len());
        words.any(|word| word == ENCRYPTED)
    }

    fn wrong_kind(&self) -> CertificateError {
        let mut kinds = <(SectionKind, Vec<u8>)>::pem_slice_iter(&self.bytes).flatten();
        let (found, remedy) = match kinds.next().map(|(kind, _)| kind) {
            _ if self.part == Part::Key && self.is_encrypted() => (
                "an encrypted key",
                "write it without a password: openssl pkey -in OLD -out NEW",
            ),
            Some(SectionKind::Certificate) => ("a certificate", self.part.remedy()),
            Some(
                SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey,
            ) => ("a private key", self.part.remedy()),
            Some(SectionKind::PublicKey) => ("a public key", self.part.remedy()),
            Some(SectionKind::Csr) => (
                "a request for a certificate",
                "name the file that the certificate authority gave back",
            ),
            Some(_) => ("something else", self.part.remedy()),
            None => ("no PEM", "convert it to PEM, which begins with -----BEGIN"),
        };
        CertificateError::WrongKind {
            file: self.name.clone(),
            what: self.part.name(),
            found,
            remedy,
        }
    }

    fn not_pem(&self, error: &pem::Error) -> CertificateError {
        // The library quotes lines as lists of bytes, and a line may be a part of the key.
        let cause = match error {
            pem::Error::MissingSectionEnd { .. } => "its end is missing",
            pem::Error::IllegalSectionStart { .. } => "a line -----BEGIN is malformed",
            pem::Error::Base64Decode(_) => "its base64 is malformed",
            pem::Error::Io(_) | pem::Error::NoItemsFound | pem::Error::SectionTooLarge | _ => {
                "it is no valid PEM"
            }
        };
        self.unusable(cause.to_owned())
    }

    fn unusable(&self, cause: String) -> CertificateError {
        CertificateError::Unusable {
            file: self.name.clone(),
            what: self.part.name(),
            cause,
            remedy: "write the file anew",
        }
    }
}
