//! A proxy that ends TLS in front of a gateway, with a certificate of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name in the certificate; the address is not in it.
const NAME: &str = "localhost";

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Front {
    port: u16,
    certificate: String,
    _tasks: JoinSet<()>,
}

impl Front {
    /// Takes TLS connections and hands what they carry to this address.
    pub(crate) async fn before(gateway: SocketAddr) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([NAME.to_owned()]).expect("a certificate for one name");
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::from(key))
            .expect("the key is the certificate's");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((NAME, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // Whoever does not trust the certificate goes away.
                    let Ok(mut outside) = acceptor.accept(stream).await else {
                        return;
                    };
                    let inside = TcpStream::connect(gateway).await;
                    let mut inside = inside.expect("the gateway takes connections");
                    // How it ends is for the two sides to see.
                    let _ = copy_bidirectional(&mut outside, &mut inside).await;
                });
            }
        });
        Self {
            port,
            certificate: cert.pem(),
            _tasks: tasks,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{NAME}:{}", self.port)
    }

    /// Its certificate, as a file has it.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }
}
