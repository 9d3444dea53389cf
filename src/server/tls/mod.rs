//! TLS for clients: the certificate and its key, the handshake, and the change of a certificate while the gateway runs.
//!
//! `certificate.rs` reads a pair of files and says what is wrong with it, `refresh.rs` notices when they change,
//! and here newcomers shake hands with the pair that holds at the moment.
//! A connection keeps what it was made with, so a change touches none that is there.
//! What happens on an encrypted stream afterwards is `ws::wire`'s, and for plain HTTP actix's.

mod certificate;
mod refresh;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use metrics::Gauge;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use crate::model::{read_lock, write_lock};
use crate::server::limits::{HANDSHAKE_DEADLINE, HANDSHAKES_MAX};
use crate::server::paced::Paced;

pub use certificate::CertificateError;
pub use refresh::CertificateKeeper;

use certificate::Pair;

/// The files of a certificate and its key.
#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What all workers need to shake hands.
#[derive(Debug)]
pub(super) struct Tls {
    files: Files,
    /// The settings for new connections. Locked for a moment by each of them, and by a change.
    current: RwLock<Arc<ServerConfig>>,
    handshakes: Semaphore,
    /// Until when the certificate holds, in Unix seconds.
    valid_until: Gauge,
    /// When the certificate ends, in Unix seconds.
    ends: AtomicU64,
}

/// Why a TLS handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    /// It took longer than it may.
    #[error("the handshake took longer than {HANDSHAKE_DEADLINE:?}")]
    TooSlow,
    /// It speaks no TLS, or none that we do, or went away.
    #[error("the handshake failed")]
    Failed(#[source] io::Error),
}

impl Tls {
    /// Reads the files.
    fn read(files: Files) -> Result<Self, CertificateError> {
        let pair = Pair::read(&files)?;
        metrics::describe_gauge!(
            "riser_tls_certificate_valid_until_seconds",
            "Until when the certificate holds, in Unix seconds"
        );
        let valid_until = metrics::gauge!("riser_tls_certificate_valid_until_seconds");
        pair.announce(&valid_until);
        let ends = pair.ends();
        Ok(Self {
            files,
            current: RwLock::new(pair.into_config()),
            handshakes: Semaphore::new(HANDSHAKES_MAX),
            ends: AtomicU64::new(ends),
            valid_until,
        })
    }

    /// Makes an encrypted stream of a plain one, within a deadline.
    pub(super) async fn accept(&self, stream: Paced) -> Result<TlsStream<Paced>, HandshakeError> {
        let handshake = async {
            // A silent client must not keep a place from others.
            stream.readable().await?;
            let _place = self.handshakes.acquire().await.map_err(io::Error::other)?;
            TlsAcceptor::from(self.config()).accept(stream).await
        };
        match timeout(HANDSHAKE_DEADLINE, handshake).await {
            Ok(done) => done.map_err(HandshakeError::Failed),
            Err(_) => Err(HandshakeError::TooSlow),
        }
    }

    /// When the certificate ends, in Unix seconds.
    pub(super) fn ends(&self) -> u64 {
        self.ends.load(Ordering::Relaxed)
    }

    fn config(&self) -> Arc<ServerConfig> {
        let current = read_lock(&self.current);
        Arc::clone(&current)
    }

    /// Newcomers are served with this pair from here on. Sessions made with the one before it cannot be resumed.
    fn replace(&self, pair: Pair) {
        pair.announce(&self.valid_until);
        self.ends.store(pair.ends(), Ordering::Relaxed);
        let mut current = write_lock(&self.current);
        *current = pair.into_config();
    }
}
