//! What an operator sets about Redis.

use std::path::PathBuf;

use crate::model::Secret;
use crate::stores::redis::address::{BadRedisAddress, RedisAddress, RedisTls};

/// Which Redis, and the files for TLS to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    /// The address, which may hold a password.
    url: Secret,
    /// The authorities to trust; those that the system trusts when absent.
    pub ca: Option<PathBuf>,
    /// The certificate to show, with its key, where the server asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl RedisSettings {
    /// The Redis at this address, which is known to be one, without files.
    pub fn at(url: &str) -> Result<Self, BadRedisAddress> {
        RedisAddress::parse(url, RedisTls::default())?;
        Ok(Self {
            url: Secret::new(url),
            ca: None,
            identity: None,
        })
    }

    /// Whether connections to it use TLS.
    pub fn is_encrypted(&self) -> bool {
        self.url.expose().starts_with("rediss:")
    }

    /// The address with what its files say. Blocks while they are read.
    pub fn open(&self) -> Result<RedisAddress, BadRedisAddress> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|cause| BadRedisAddress::File {
                path: path.display().to_string(),
                cause: cause.to_string(),
            })
        };
        let tls = RedisTls {
            authority: self.ca.as_ref().map(read).transpose()?,
            identity: match &self.identity {
                Some((certificate, key)) => Some((read(certificate)?, read(key)?)),
                None => None,
            },
        };
        RedisAddress::parse(self.url.expose(), tls)
    }
}
