//! The seam under which a plain and a TLS stream look the same.
//!
//! Two users share one stream: the connection's task reads, the worker's flusher writes. So everything takes `&self`.

use std::io;
use std::net::Shutdown;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use crate::server::paced::{Pace, Paced};
use crate::server::ws::encrypted::Encrypted;

/// A stream as actix serves it, before it is a [`Wire`].
pub(in crate::server) trait ClientStream:
    AsyncRead + AsyncWrite + Unpin + 'static
{
    /// What it and its requests know of each other.
    fn pace(&self) -> Option<&Rc<Pace>>;

    /// Takes it over from actix. `send_buffer_bytes` is what the kernel may hold of what is written.
    fn into_wire(self, send_buffer_bytes: usize) -> io::Result<Wire>;
}

/// A stream that is not encrypted, or what is below one that is.
pub(in crate::server) trait PlainStream: ClientStream {
    /// The socket, for who sees to it from here on.
    fn into_socket(self) -> TcpStream;
}

impl PlainStream for TcpStream {
    fn into_socket(self) -> TcpStream {
        self
    }
}

impl PlainStream for Paced {
    fn into_socket(self) -> TcpStream {
        self.into_socket()
    }
}

impl ClientStream for Paced {
    fn pace(&self) -> Option<&Rc<Pace>> {
        Some(self.pace())
    }

    fn into_wire(self, send_buffer_bytes: usize) -> io::Result<Wire> {
        self.into_socket().into_wire(send_buffer_bytes)
    }
}

impl ClientStream for TcpStream {
    fn pace(&self) -> Option<&Rc<Pace>> {
        None
    }

    fn into_wire(self, send_buffer_bytes: usize) -> io::Result<Wire> {
        take_over(&self, send_buffer_bytes)?;
        Ok(Wire::Plain(self))
    }
}

impl<S: PlainStream> ClientStream for TlsStream<S> {
    fn pace(&self) -> Option<&Rc<Pace>> {
        self.get_ref().0.pace()
    }

    fn into_wire(self, send_buffer_bytes: usize) -> io::Result<Wire> {
        let (stream, session) = self.into_inner();
        let stream = stream.into_socket();
        take_over(&stream, send_buffer_bytes)?;
        Ok(Wire::Tls(Box::new(Encrypted::new(stream, session))))
    }
}

/// Sets a socket up, and frees it of the wakers of its previous task.
fn take_over(stream: &TcpStream, send_buffer_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_send_buffer_size(send_buffer_bytes)?;
    // The stream still holds the wakers of the task that had it, and with them that task's whole memory.
    let mut context = Context::from_waker(Waker::noop());
    let _ = stream.poll_read_ready(&mut context);
    let _ = stream.poll_write_ready(&mut context);
    Ok(())
}

/// A connection's byte stream.
#[derive(Debug)]
pub(in crate::server) enum Wire {
    /// Without encryption.
    Plain(TcpStream),
    /// By TLS. Boxed, so that plain connections, which are many, do not grow by what its state takes.
    Tls(Box<Encrypted>),
    /// A client in this process.
    Local(Box<UnixStream>),
    /// A client that reads as much as a test lets it.
    #[cfg(test)]
    Memory(super::tests::MemoryWire),
    /// A client that reads everything at once and sends nothing.
    #[cfg(feature = "bench")]
    Sink(super::bench::Sink),
}

impl Wire {
    /// Waits until there is something to read. For one task only: there is one place for its waker.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(cx),
            Self::Tls(stream) => stream.poll_readable(cx),
            Self::Local(stream) => stream.poll_read_ready(cx),
            #[cfg(test)]
            Self::Memory(_) => Poll::Pending,
            #[cfg(feature = "bench")]
            Self::Sink(_) => Poll::Pending,
        }
    }

    /// Reads what is there. `WouldBlock` when nothing is, 0 bytes when the peer has ended its side.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => read_socket(stream, buffer),
            Self::Tls(stream) => stream.try_read(buffer),
            Self::Local(stream) => stream.try_read(buffer),
            #[cfg(test)]
            Self::Memory(_) => Err(io::ErrorKind::WouldBlock.into()),
            #[cfg(feature = "bench")]
            Self::Sink(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what the kernel takes. `WouldBlock` when it takes nothing.
    ///
    /// After `WouldBlock` the next write has to begin with the same bytes, though there may be more of them:
    /// encrypted, some of them may be under way already.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_write(bytes),
            Self::Tls(stream) => stream.try_write(bytes),
            Self::Local(stream) => stream.try_write(bytes),
            #[cfg(test)]
            Self::Memory(memory) => memory.try_write(bytes),
            #[cfg(feature = "bench")]
            Self::Sink(sink) => sink.try_write(bytes),
        }
    }

    /// Waits until the kernel takes something. Any number of tasks may wait.
    pub(super) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.writable().await,
            Self::Tls(stream) => stream.socket().writable().await,
            Self::Local(stream) => stream.writable().await,
            #[cfg(test)]
            Self::Memory(memory) => memory.writable().await,
            #[cfg(feature = "bench")]
            Self::Sink(_) => Ok(()),
        }
    }

    /// Ends our side: the peer reads an end after what has been written.
    pub(super) fn shutdown_write(&self) {
        if let Self::Tls(stream) = self {
            stream.say_goodbye();
        }
        self.end(Shutdown::Write);
    }

    /// Ends both sides, and wakes the tasks that wait for either.
    pub(super) fn shutdown(&self) {
        self.end(Shutdown::Both);
    }

    fn end(&self, how: Shutdown) {
        match self {
            // A peer that has gone already is no error here.
            Self::Plain(stream) => drop(SockRef::from(stream).shutdown(how)),
            Self::Tls(stream) => drop(SockRef::from(stream.socket()).shutdown(how)),
            Self::Local(stream) => drop(SockRef::from(&**stream).shutdown(how)),
            #[cfg(test)]
            Self::Memory(_) => {}
            #[cfg(feature = "bench")]
            Self::Sink(_) => {}
        }
    }
}

/// Reads what a socket has. `WouldBlock` when it has nothing, 0 bytes when the peer has ended its side.
pub(super) fn read_socket(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let read = stream.try_read(buffer)?;
    if read > 0 && read < buffer.len() {
        // The socket is empty; saying so saves the read that would find it out.
        let _ = stream.try_io(Interest::READABLE, || {
            Err::<(), _>(io::ErrorKind::WouldBlock.into())
        });
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_connection_is_hardly_larger_for_there_being_encrypted_ones() {
        assert!(size_of::<Wire>() <= size_of::<TcpStream>() + size_of::<usize>());
    }
}
