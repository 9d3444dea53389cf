//! Which Redis, and how it is reached: `redis://`, `rediss://` with a CA and a certificate of our own, or a unix socket, with a password and a user.

use std::fmt;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    TlsCertificates,
};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// An address that can be connected to, with its credentials. What it shows has none.
#[derive(Clone)]
pub struct RedisAddress {
    info: ConnectionInfo,
    tls: RedisTls,
    shown: String,
}

/// The certificates for a `rediss://` address: those that identify the server, and those that identify the gateway. PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// The authorities to trust, in place of those that the system trusts.
    pub authority: Option<Vec<u8>>,
    /// The certificate to show, and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why a text is no address of a Redis. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRedisAddress {
    /// It cannot be read.
    #[error(
        "is no address of a Redis; write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH, with USER:PASSWORD@ before the host where needed"
    )]
    Form,
    /// It asks for something that is never right.
    #[error("ends in #insecure, which believes any certificate; name the CA with `redis.ca`")]
    Insecure,
    /// A certificate or key was named for an address without TLS.
    #[error("is not rediss://, so there is no use for `redis.ca`, `redis.cert` and `redis.key`")]
    Plain,
    /// A file cannot be read.
    #[error("needs {path}, which could not be read ({cause}); check the path and its permissions")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        cause: String,
    },
    /// A certificate or key cannot be used.
    #[error("needs `redis.ca`, `redis.cert` and `redis.key` to be PEM, and one of them is not")]
    Certificate,
}

impl RedisAddress {
    /// Reads an address. Nothing is connected yet.
    pub fn parse(url: &str, tls: RedisTls) -> Result<Self, BadRedisAddress> {
        let info = url
            .into_connection_info()
            .map_err(|_| BadRedisAddress::Form)?;
        let encrypted = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(BadRedisAddress::Insecure);
        }
        if !encrypted && tls != RedisTls::default() {
            return Err(BadRedisAddress::Plain);
        }
        // The library would accept a file without any certificate, and then trust no server.
        let has_certificate =
            |pem: &Vec<u8>| CertificateDer::pem_slice_iter(pem).any(|one| one.is_ok());
        if !tls.authority.as_ref().is_none_or(has_certificate) {
            return Err(BadRedisAddress::Certificate);
        }
        let redis = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("riser", env!("CARGO_PKG_VERSION"));
        let shown = info.addr().to_string();
        let address = Self {
            info: info.set_redis_settings(redis),
            tls,
            shown,
        };
        // Certificates are read when a client is made.
        match address.client(&TcpSettings::default()) {
            Ok(_) => Ok(address),
            Err(_) => Err(BadRedisAddress::Certificate),
        }
    }

    /// A client for this address. It connects later.
    pub(super) fn client(&self, tcp: &TcpSettings) -> redis::RedisResult<Client> {
        let info = self.info.clone().set_tcp_settings(tcp.clone());
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Client::open(info);
        }
        let identity = self.tls.identity.clone();
        Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: identity.map(|(client_cert, client_key)| ClientTlsConfig {
                    client_cert,
                    client_key,
                }),
                root_cert: self.tls.authority.clone(),
            },
        )
    }
}

/// The place alone, without credentials.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisAddress").field(&self.shown).finish()
    }
}

impl PartialEq for RedisAddress {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.info.redis_settings(), other.info.redis_settings());
        self.shown == other.shown
            && self.tls == other.tls
            && ours.db() == theirs.db()
            && ours.username() == theirs.username()
            && ours.password() == theirs.password()
    }
}

impl Eq for RedisAddress {}

/// A key is a secret.
impl fmt::Debug for RedisTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTls").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<RedisAddress, BadRedisAddress> {
        RedisAddress::parse(url, RedisTls::default())
    }

    #[test]
    fn every_form_is_read() {
        for url in [
            "redis://localhost",
            "redis://10.0.0.7:6380/3",
            "redis://user:pass@host",
            "redis://:pass@host",
            "rediss://host:6390",
            "unix:///run/redis.sock",
            "redis+unix:///run/redis.sock",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "localhost:6379", "http://host", "redis://"] {
            assert_eq!(parse(url), Err(BadRedisAddress::Form), "{url}");
        }
        assert_eq!(
            parse("rediss://host/#insecure"),
            Err(BadRedisAddress::Insecure)
        );
        let tls = RedisTls {
            authority: Some(b"x".to_vec()),
            identity: None,
        };
        assert_eq!(
            RedisAddress::parse("redis://host", tls.clone()),
            Err(BadRedisAddress::Plain)
        );
        assert_eq!(
            RedisAddress::parse("rediss://host", tls),
            Err(BadRedisAddress::Certificate)
        );
    }

    #[test]
    fn credentials_are_not_shown() {
        let address = parse("redis://user:hunter2@host:1").unwrap();
        assert_eq!(address.to_string(), "host:1");
        assert!(!format!("{address:?}").contains("hunter2"));
    }
}
