//! Which authorities the client trusts behind `https`: the system's, or those of one file.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

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

/// Why a handshake failed, for a user who knows neither TLS nor the library.
pub(super) fn in_words(error: &Error) -> String {
    if let Error::InvalidCertificate(why) = error {
        return about_certificate(why);
    }
    let words = if matches!(error, Error::InvalidMessage(_)) {
        "what answers there speaks no TLS"
    } else if matches!(error, Error::AlertReceived(_)) {
        "the gateway broke off the handshake"
    } else if matches!(error, Error::PeerIncompatible(_)) {
        "the gateway speaks neither TLS 1.2 nor TLS 1.3"
    } else if matches!(error, Error::NoCertificatesPresented) {
        "the gateway showed no certificate"
    } else {
        "the handshake failed"
    };
    words.to_owned()
}

fn about_certificate(why: &CertificateError) -> String {
    let words = if matches!(why, CertificateError::UnknownIssuer) {
        "its certificate is signed by no authority that this machine trusts"
    } else if let CertificateError::NotValidForNameContext { presented, .. } = why {
        return format!("its certificate is for {}", names(presented));
    } else if matches!(why, CertificateError::NotValidForName) {
        "its certificate is for another name"
    } else if matches!(
        why,
        CertificateError::Expired | CertificateError::ExpiredContext { .. }
    ) {
        "its certificate has expired"
    } else if matches!(
        why,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
    ) {
        "its certificate is not valid yet, or the clock of this machine is wrong"
    } else if matches!(why, CertificateError::Revoked) {
        "its certificate was revoked"
    } else if matches!(why, CertificateError::BadEncoding) {
        "its certificate is damaged"
    } else if matches!(
        why,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. }
    ) {
        "its certificate is not one for servers"
    } else if format!("{why:?}").contains("CaUsedAsEndEntity") {
        "its certificate is an authority's own, and may be no server's"
    } else {
        "its certificate cannot be verified"
    };
    words.to_owned()
}

/// The names in a certificate, which the library gives as `DnsName("localhost")`.
fn names(presented: &[String]) -> String {
    let names: Vec<&str> = presented
        .iter()
        .map(|name| {
            let inner = name
                .split_once('(')
                .map_or(name.as_str(), |(_, inner)| inner);
            inner.trim_end_matches(')').trim_matches('"')
        })
        .collect();
    match names.is_empty() {
        true => "no name at all".to_owned(),
        false => format!("{}, which the URL does not name", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_that_fails_is_told_in_words_and_not_in_names_of_the_program() {
        let certificate = |why| in_words(&Error::InvalidCertificate(why));
        let presented = ["DnsName(\"localhost\")", "IpAddress(10.0.0.7)"];
        let presented = presented.map(str::to_owned).to_vec();
        let expected = tokio_rustls::rustls::pki_types::ServerName::try_from("h").unwrap();
        for (found, expect) in [
            (
                certificate(CertificateError::UnknownIssuer),
                "its certificate is signed by no authority that this machine trusts",
            ),
            (
                certificate(CertificateError::NotValidForNameContext {
                    expected,
                    presented,
                }),
                "its certificate is for localhost, 10.0.0.7, which the URL does not name",
            ),
            (
                certificate(CertificateError::Expired),
                "its certificate has expired",
            ),
            (
                in_words(&Error::NoCertificatesPresented),
                "the gateway showed no certificate",
            ),
            (in_words(&Error::DecryptError), "the handshake failed"),
        ] {
            assert_eq!(found, expect);
        }
    }
}
