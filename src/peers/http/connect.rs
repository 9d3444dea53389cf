//! Streams to other nodes, plain or by TLS.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::peers::PeerError;
use crate::peers::http::address::Address;
use crate::peers::limits::CONNECT_DEADLINE;

/// A plain or an encrypted stream.
pub(super) type Stream = Box<dyn Duplex>;

/// What both kinds of stream can do.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// Opens streams.
#[derive(Debug)]
pub(super) struct Connector {
    tls: Arc<ClientConfig>,
}

impl Connector {
    /// `roots` are the trusted authorities for nodes that are listed with `https`.
    pub(super) fn new(roots: RootCertStore) -> Result<Self, rustls::Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Arc::new(config),
        })
    }

    /// A new stream, within [`CONNECT_DEADLINE`] and no later than `deadline`. After an error nothing was sent.
    pub(super) async fn open(
        &self,
        address: &Address,
        deadline: Instant,
    ) -> Result<Stream, PeerError> {
        let deadline = deadline.min(Instant::now() + CONNECT_DEADLINE);
        match timeout_at(deadline, self.connect(address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(PeerError::Unreachable(error.to_string())),
            Err(_) => Err(PeerError::Unreachable("no answer".to_owned())),
        }
    }

    async fn connect(&self, address: &Address) -> io::Result<Stream> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        // Each call is one small write, and its caller waits for the answer.
        stream.set_nodelay(true)?;
        if !address.encrypted {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}
