//! Whether a device answers pings: ICMP echoes through the kernel's own datagram sockets, which need no privilege where the system allows them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

use crate::dialects::placeos::rest::PingShape;
use crate::server::limits::{PING_DEADLINE, PINGS};

/// Sends pings to a host until one is answered.
pub(super) async fn ping(host: &str) -> PingShape {
    let address = match find(host).await {
        Ok(address) => address,
        Err(error) => return failed(host.to_owned(), format!("no address was found ({error})")),
    };
    let shown = address.ip().to_string();
    match send_until_answered(address).await {
        Ok(()) => PingShape {
            host: shown,
            pingable: true,
            warning: None,
            exception: None,
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => failed(
            shown,
            "the system does not let this process send pings; see net.ipv4.ping_group_range"
                .to_owned(),
        ),
        Err(error) => failed(shown, error.to_string()),
    }
}

fn failed(host: String, exception: String) -> PingShape {
    PingShape {
        host,
        pingable: false,
        warning: None,
        exception: Some(exception),
    }
}

async fn find(host: &str) -> io::Result<SocketAddr> {
    // A URI writes the address of version 6 in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(PING_DEADLINE, lookup_host((host, 0))).await;
    let mut found = found.map_err(|_| io::Error::from(ErrorKind::TimedOut))??;
    found.next().ok_or_else(|| ErrorKind::NotFound.into())
}

async fn send_until_answered(address: SocketAddr) -> io::Result<()> {
    let socket = open(address)?;
    let mut answer = [0; 64];
    for number in 1..=PINGS {
        socket.send(&echo(address.ip(), number)).await?;
        // The kernel gives a socket the answers to its own pings alone.
        if let Ok(received) = timeout(PING_DEADLINE, socket.recv(&mut answer)).await {
            return received.map(|_| ());
        }
    }
    Err(io::Error::new(
        ErrorKind::TimedOut,
        format!("none of {PINGS} pings was answered"),
    ))
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let protocol = match address.ip() {
        IpAddr::V4(_) => Protocol::ICMPV4,
        IpAddr::V6(_) => Protocol::ICMPV6,
    };
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&address.into())?;
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

/// An echo request (RFC 792, RFC 4443). The kernel fills in the checksum and the identifier.
fn echo(address: IpAddr, number: u8) -> [u8; 8] {
    let kind = match address {
        IpAddr::V4(_) => 8,
        IpAddr::V6(_) => 128,
    };
    [kind, 0, 0, 0, 0, 0, 0, number]
}
