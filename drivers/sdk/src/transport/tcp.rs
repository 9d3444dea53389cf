//! Streams over TCP, plain or encrypted.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::{Address, Security};
use super::errors;
use super::limits::KEEPALIVE;
use super::link::{Connection, Link};
use super::tls::{Tls, Trust};
use super::tokens::Tokens;
use crate::Error;

/// A device at `tcp://HOST:PORT`, or at `tls://HOST:PORT` with encryption.
#[derive(Debug, Clone)]
pub struct Tcp {
    address: Address,
    tls: Arc<Tls>,
    tokens: Tokens,
}

impl Tcp {
    /// A device at this URI; without a port in it at `default_port`.
    pub fn new(
        uri: &str,
        default_port: impl Into<Option<u16>>,
        tokens: Tokens,
    ) -> Result<Self, Error> {
        let port = default_port.into();
        let schemes = [("tcp", Security::Plain, port), ("tls", Security::Tls, port)];
        Ok(Self {
            address: Address::parse(uri, &schemes)?,
            tls: Arc::default(),
            tokens,
        })
    }

    /// A device at `PLAIN://HOST:PORT`, or at `ENCRYPTED://HOST:PORT`: for protocols whose URIs have schemes of their own, each with its default port.
    ///
    /// Messages are found by the driver, in what [`stream`](Self::stream) gives.
    pub fn of_schemes(
        uri: &str,
        plain: (&'static str, u16),
        encrypted: (&'static str, u16),
    ) -> Result<Self, Error> {
        let schemes = [
            (plain.0, Security::Plain, Some(plain.1)),
            (encrypted.0, Security::Tls, Some(encrypted.1)),
        ];
        Ok(Self {
            address: Address::parse(uri, &schemes)?,
            tls: Arc::default(),
            tokens: Tokens::packets(),
        })
    }

    /// Opens a stream, for a [`Link`] of the driver's own: one whose messages have a type, or that reads on where [`Tokens`] gives up.
    pub async fn stream(
        &self,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, Error> {
        connect(&self.address, &self.tls).await
    }

    /// Whose certificates are believed with `tls://`, the system's authorities if nothing is said.
    #[must_use]
    pub fn trust(self, trust: Trust) -> Self {
        Self {
            tls: Arc::new(Tls::new(trust)),
            ..self
        }
    }
}

impl Link for Tcp {
    fn open(&self) -> BoxFuture<'_, Result<Connection, Error>> {
        Box::pin(async {
            let stream = connect(&self.address, &self.tls).await?;
            Ok(Connection::bytes(stream, &self.tokens))
        })
    }
}

/// What both kinds of stream can do.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A stream to this address, encrypted if it says so.
pub(super) async fn connect(address: &Address, tls: &Tls) -> Result<Box<dyn Duplex>, Error> {
    let place = (address.host.as_str(), address.port);
    let connecting = TcpStream::connect(place).await;
    let stream = connecting.map_err(|error| errors::unreachable(&error))?;
    // A command is one small write that a person waits for.
    stream.set_nodelay(true)?;
    let (time, interval, retries) = KEEPALIVE;
    keep_alive(&stream, time, interval, retries)?;
    match address.security {
        Security::Plain => Ok(Box::new(stream)),
        Security::Tls => Ok(Box::new(tls.encrypt(stream, &address.host).await?)),
    }
}

fn keep_alive(
    stream: &TcpStream,
    time: Duration,
    interval: Duration,
    retries: u32,
) -> Result<(), Error> {
    let keepalive = TcpKeepalive::new()
        .with_time(time)
        .with_interval(interval)
        .with_retries(retries);
    Ok(SockRef::from(stream).set_tcp_keepalive(&keepalive)?)
}
