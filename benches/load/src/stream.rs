//! A client's byte stream, plain or by TLS. Nothing here waits: it takes and gives what is there.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// What a server by TLS must show. `None` for one that is plain.
pub(crate) type Trust = Option<Arc<ClientConfig>>;

/// Trusts this certificate and no other.
pub(crate) fn trust(certificate: &CertificateDer<'static>) -> Result<Trust> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Arc::new(config)))
}

/// A stream.
pub(crate) struct Stream {
    socket: TcpStream,
    /// Its memory is the tool's and not measured, but plain streams, which are most, need not have it.
    tls: Option<Box<ClientConnection>>,
}

impl Stream {
    /// Begins to connect.
    pub(crate) fn connect(address: SocketAddr, trust: &Trust) -> Result<Self> {
        let socket = TcpStream::connect(address)
            .with_context(|| format!("could not connect to {address}"))?;
        let tls = match trust {
            None => None,
            Some(config) => Some(Box::new(session(config, address.ip())?)),
        };
        Ok(Self { socket, tls })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut self.socket, token, interest)
    }

    /// The connection has come up, or not.
    pub(crate) fn connected(&mut self) -> Result<()> {
        match self.socket.take_error()? {
            Some(error) => Err(error.into()),
            None => Ok(self.socket.set_nodelay(true)?),
        }
    }

    /// Reads what is there: 0 bytes at the end of the stream, `WouldBlock` when nothing has come.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else {
            return self.socket.read(buffer);
        };
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The end of the stream without the end of TLS.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            session.read_tls(&mut self.socket)?;
            let processed = session.process_new_packets();
            // Its part of a handshake, or why it fails.
            send(session, &mut self.socket)?;
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Whether a read that filled this much of its buffer has emptied the stream.
    pub(crate) fn is_emptied_by(&self, read: usize, buffer: usize) -> bool {
        // By TLS a read gives what one look at the socket brought.
        self.tls.is_none() && read < buffer
    }

    /// Writes what is taken. By TLS that is all, and [`Self::flush`] has the rest leave.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.write(bytes),
            Some(session) => session.writer().write(bytes),
        }
    }

    /// Writes what TLS has not written yet, as far as the kernel takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(session) => send(session, &mut self.socket),
        }
    }
}

fn session(config: &Arc<ClientConfig>, address: IpAddr) -> Result<ClientConnection> {
    let mut session = ClientConnection::new(Arc::clone(config), ServerName::from(address))?;
    session.set_buffer_limit(None);
    Ok(session)
}

fn send(session: &mut ClientConnection, socket: &mut TcpStream) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(socket) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
