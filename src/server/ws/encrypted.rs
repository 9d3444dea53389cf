//! A TLS stream that one task reads and another writes, as they do with a plain one.
//!
//! `rustls` does the encryption, and has buffers: what it has taken, the kernel need not have.
//! So a write counts as done when all that was made of it has left, and until then the bytes stay where they are, in the outbox.
//! An outbox thus sees the same as with a plain stream: a write is taken, or the kernel takes no more.
//!
//! What TLS says by itself (answers to a change of keys, alerts) leaves after the read that it answers, or with the next write.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::task::{Context, Poll};

use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConnection;

use crate::server::limits::ENCRYPTED_AHEAD_MAX_BYTES;
use crate::server::ws::wire::read_socket;

/// How many reads of a socket the largest record of TLS takes at most: `rustls` reads 4 KiB at a time.
const READS_PER_RECORD: usize = 5;

/// An encrypted stream.
pub(in crate::server) struct Encrypted {
    stream: TcpStream,
    session: RefCell<ServerConnection>,
    /// How many bytes of the write that is under way have been encrypted. The caller still owes them.
    under_way: Cell<usize>,
}

impl Encrypted {
    /// A stream whose handshake is over.
    pub(super) fn new(stream: TcpStream, session: ServerConnection) -> Self {
        let mut session = session;
        session.set_buffer_limit(Some(ENCRYPTED_AHEAD_MAX_BYTES));
        Self {
            stream,
            session: RefCell::new(session),
            under_way: Cell::new(0),
        }
    }

    /// What all of it goes through. Writable when this is: TLS never waits for input to write.
    pub(super) fn socket(&self) -> &TcpStream {
        &self.stream
    }

    /// Waits until there is something to read. The socket does not know of bytes that are decrypted already.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut session = self.session.borrow_mut();
        match session.reader().fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.stream.poll_read_ready(cx)
            }
            Ok(_) | Err(_) => Poll::Ready(Ok(())),
        }
    }

    /// Reads what is there. `WouldBlock` when nothing is, or when what has come so far is no whole record; 0 bytes when the peer has ended its side.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let session = &mut *self.session.borrow_mut();
        let mut socket = Socket(&self.stream);
        // Bounded, because a client could keep us here with records without content.
        for _ in 0..READS_PER_RECORD {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A client that ends the stream without TLS's close has ended it all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            session.read_tls(&mut socket)?;
            let processed = session.process_new_packets();
            // Sends what TLS has to answer. The rest leaves with the next write; after an error there is none, and no client that needs it.
            let _ = send(session, &mut socket);
            processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        session.reader().read(buffer)
    }

    /// Encrypts a bounded part of these bytes and writes it. `WouldBlock` when the kernel did not take all of that.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let session = &mut *self.session.borrow_mut();
        if self.under_way.get() == 0 {
            self.under_way.set(session.writer().write(bytes)?);
        }
        send(session, &mut Socket(&self.stream))?;
        Ok(self.under_way.take())
    }

    /// Says that nothing more comes, as far as the kernel takes it. Nothing can be written after this.
    pub(super) fn say_goodbye(&self) {
        let session = &mut *self.session.borrow_mut();
        session.send_close_notify();
        let _ = send(session, &mut Socket(&self.stream));
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted")
            .field("stream", &self.stream)
            .field("under_way", &self.under_way)
            .finish_non_exhaustive()
    }
}

/// Writes all that is encrypted. `WouldBlock` when the kernel does not take all of it.
fn send(session: &mut ServerConnection, socket: &mut Socket<'_>) -> io::Result<()> {
    while session.wants_write() {
        session.write_tls(socket)?;
    }
    Ok(())
}

/// A socket in the words of `std::io`, for `rustls`.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_socket(self.0, buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::timeout;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio_rustls::{TlsAcceptor, TlsConnector, client};

    use super::*;
    use crate::server::ws::wire::{ClientStream, Wire};

    const DEADLINE: Duration = Duration::from_secs(10);

    /// The two ends of an encrypted stream with little room between them.
    async fn pair() -> (Wire, client::TlsStream<TcpStream>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], made.signing_key.into())
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let stream = socket.connect(address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(client));
            connector.connect(name, stream).await.unwrap()
        };
        let accept = async {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(server));
            acceptor.accept(stream).await.unwrap()
        };
        let (client, server) = tokio::join!(connect, accept);
        (server.into_wire(4096).unwrap(), client)
    }

    /// Writes until the kernel takes no more, and gives how many bytes were taken.
    fn write_all_that_goes(wire: &Wire, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            match wire.try_write(&bytes[taken..]) {
                Ok(written) => taken += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        taken
    }

    #[tokio::test]
    async fn what_is_taken_has_left_and_what_has_not_left_stays_the_callers() {
        let (wire, mut client) = pair().await;
        let bytes: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_be_bytes).collect();
        let mut read = Vec::new();
        let mut taken = 0;
        while taken < bytes.len() {
            taken += write_all_that_goes(&wire, &bytes[taken..]);
            assert_eq!(write_all_that_goes(&wire, &bytes[taken..]), 0);
            // Without another write all that was taken arrives, and perhaps some of what is under way.
            while read.len() < taken {
                let arrive = timeout(DEADLINE, client.read_buf(&mut read));
                arrive.await.expect("what was taken arrives").unwrap();
            }
            let room = async {
                tokio::select! {
                    writable = wire.writable() => writable.unwrap(),
                    // Takes the beginning of a record off the socket, which makes room.
                    arrived = client.read_buf(&mut read) => drop(arrived.unwrap()),
                }
            };
            timeout(DEADLINE, room).await.expect("there is room");
        }
        assert!(read == bytes);
        wire.shutdown_write();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
