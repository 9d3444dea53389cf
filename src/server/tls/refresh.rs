//! Renews the certificate while the gateway runs: looks at its files from time to time, and reads them again when they have changed.
//!
//! Looking at them works for every way of replacing a file, on every file system: written in place, renamed over,
//! or a link above them that points elsewhere, as Kubernetes does it. What cannot be used is refused, and the pair that is there stays.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::server::TlsSettings;
use crate::server::file_look::FileLook;
use crate::server::limits::CERTIFICATE_LOOK_INTERVAL;
use crate::server::tls::certificate::{CertificateError, Pair};
use crate::server::tls::{Files, Tls};

/// Keeps the certificate that newcomers see the one that is in its files.
#[derive(Debug)]
pub struct CertificateKeeper {
    tls: Arc<Tls>,
    /// What the files looked like when they were last read.
    read: Look,
}

/// What is seen of both files without reading them. `None` for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look([Option<FileLook>; 2]);

impl CertificateKeeper {
    /// Reads the files for the first time.
    pub(in crate::server) fn start(settings: &TlsSettings) -> Result<Self, CertificateError> {
        let files = Files {
            certificate: settings.certificate.clone(),
            key: settings.key.clone(),
        };
        // Before they are read, so that what changes meanwhile is noticed.
        let read = Look::at(&files);
        let tls = Arc::new(Tls::read(files)?);
        Ok(Self { tls, read })
    }

    pub(in crate::server) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.tls)
    }

    /// Looks at the files for as long as it is polled. `at_once` has them read whether they have changed or not.
    pub async fn run(mut self, at_once: Arc<Notify>) {
        let mut seen = self.read.clone();
        loop {
            let told = timeout(CERTIFICATE_LOOK_INTERVAL, at_once.notified()).await;
            // A network's disk may be slow, which must not hold up this runtime.
            let look = spawn_blocking(move || {
                let look = Look::at(&self.tls.files);
                // Two files are not replaced in one step: what still changes is left alone until it rests.
                if told.is_ok() || (look != self.read && look == seen) {
                    self.read_again(look.clone());
                }
                (self, look)
            });
            match look.await {
                Ok(looked) => (self, seen) = looked,
                Err(error) => {
                    if error.is_panic() {
                        tracing::error!("the certificate's files are no longer looked at");
                    }
                    return;
                }
            }
        }
    }

    fn read_again(&mut self, look: Look) {
        // Also when it is refused: it is tried again when the files change, not at every look.
        self.read = look;
        match Pair::read(&self.tls.files) {
            Ok(pair) => self.tls.replace(pair),
            Err(error) => {
                tracing::warn!(%error, "the new certificate is refused and the one before it stays");
            }
        }
    }
}

impl Look {
    fn at(files: &Files) -> Self {
        Self([&files.certificate, &files.key].map(|path| FileLook::at(path)))
    }
}
