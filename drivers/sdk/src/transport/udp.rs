//! Datagrams: each one is a message.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{sink, stream};
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

use super::address::{Address, Security};
use super::errors;
use super::limits::{CONNECT_DEADLINE, DATAGRAM_MAX_BYTES};
use super::link::{Connection, Link};
use super::message::Message;
use crate::Error;

/// A device at `udp://HOST:PORT`, or all devices at a broadcast or multicast address; what any of those answers is a message.
#[derive(Debug, Clone)]
pub struct Udp {
    address: Address,
}

impl Udp {
    /// A device at this URI; without a port in it at `default_port`.
    pub fn new(uri: &str, default_port: impl Into<Option<u16>>) -> Result<Self, Error> {
        let schemes = [("udp", Security::Plain, default_port.into())];
        Ok(Self {
            address: Address::parse(uri, &schemes)?,
        })
    }

    /// Sends one datagram and keeps no connection: to what never answers, and may not even be on. Nobody learns whether it arrived.
    pub async fn send(&self, datagram: &[u8]) -> Result<(), Error> {
        let sending = async {
            let (socket, to) = self.bind().await?;
            socket.send_to(datagram, to).await
        };
        let sent = timeout(CONNECT_DEADLINE, sending).await;
        let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        sent.map(drop).map_err(|error| errors::unreachable(&error))
    }

    /// A socket for one device, or for all at an address.
    async fn socket(&self) -> io::Result<(UdpSocket, SocketAddr)> {
        let (socket, to) = self.bind().await?;
        if !is_for_many(to.ip()) {
            // Only what the device sends comes in then, and its refusal is an error.
            socket.connect(to).await?;
        }
        Ok((socket, to))
    }

    async fn bind(&self) -> io::Result<(UdpSocket, SocketAddr)> {
        let place = (self.address.host.as_str(), self.address.port);
        let to = lookup_host(place).await?.next();
        let to = to.ok_or(io::ErrorKind::NotFound)?;
        let any: IpAddr = match to.is_ipv4() {
            true => Ipv4Addr::UNSPECIFIED.into(),
            false => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.set_broadcast(true)?;
        Ok((socket, to))
    }
}

impl Link for Udp {
    fn open(&self) -> BoxFuture<'_, Result<Connection, Error>> {
        Box::pin(async {
            let socket = self.socket().await;
            let (socket, to) = socket.map_err(|error| errors::unreachable(&error))?;
            let socket = Arc::new(socket);
            let incoming = stream::try_unfold(Arc::clone(&socket), |socket| async {
                let mut datagram = Vec::with_capacity(DATAGRAM_MAX_BYTES);
                socket.recv_buf(&mut datagram).await?;
                Ok(Some((Message::from(datagram.as_slice().to_vec()), socket)))
            });
            let outgoing = sink::unfold(socket, move |socket, datagram: Vec<u8>| async move {
                match is_for_many(to.ip()) {
                    true => socket.send_to(&datagram, to).await?,
                    false => socket.send(&datagram).await?,
                };
                Ok(socket)
            });
            Ok(Connection::messages(incoming, outgoing))
        })
    }
}

fn is_for_many(address: IpAddr) -> bool {
    address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}
