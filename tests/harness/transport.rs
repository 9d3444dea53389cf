//! The byte streams of the clients: plain, or by TLS.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::harness::Certificate;

/// A byte stream.
pub(crate) type Transport = Box<dyn Duplex>;

/// What a byte stream can do.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Duplex for T {}

/// Where a gateway is, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// What it must show, when it is spoken to by TLS.
    pub(crate) certificate: Option<Certificate>,
}

/// Spoken to without encryption.
impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            certificate: None,
        }
    }
}

impl Endpoint {
    /// Connects, and shakes hands where that is due. `receive_buffer` is how much the kernel may hold of what is not read.
    pub(crate) async fn connect(&self, receive_buffer: Option<u32>) -> io::Result<Transport> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(self.address).await?;
        let Some(certificate) = &self.certificate else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::from(self.address.ip());
        let stream = certificate.connector().connect(name, stream).await?;
        Ok(Box::new(stream))
    }

    /// The word that a URL begins with, for websockets.
    pub(crate) fn websocket_scheme(&self) -> &'static str {
        if self.certificate.is_some() {
            "wss"
        } else {
            "ws"
        }
    }

    /// The same for plain HTTP.
    pub(crate) fn http_scheme(&self) -> &'static str {
        if self.certificate.is_some() {
            "https"
        } else {
            "http"
        }
    }
}
