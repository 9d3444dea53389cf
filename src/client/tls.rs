//! Whom the client trusts behind `https`: the system's authorities, or those of one file.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::error::ClientError;

/// The settings of every TLS connection. There is no way to skip the check of a certificate.
pub(super) fn client(ca: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let roots = match ca {
        Some(file) => roots_of(file)?,
        None => roots_of_the_system()?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Usage(format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn roots_of(file: &Path) -> Result<RootCertStore, ClientError> {
    let wrong = |reason: String| {
        ClientError::Usage(format!(
            "{}: {reason}; name a PEM file of certificates with --ca",
            file.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(wrong("there is no certificate in it".to_owned())),
        false => Ok(roots),
    }
}

fn roots_of_the_system() -> Result<RootCertStore, ClientError> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is one that is not trusted; the others still are.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err(ClientError::Usage(
            "the system has no trusted certificates; install its package of them, or name a file with --ca"
                .to_owned(),
        )),
        false => Ok(roots),
    }
}
