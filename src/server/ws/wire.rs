//! The seam under which a plain and a TLS stream look the same.
//!
//! Two users share one stream: the connection's task reads, the worker's flusher writes. So everything takes `&self`.

use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A connection's byte stream.
#[derive(Debug)]
pub(super) enum Wire {
    /// Without encryption.
    Plain(TcpStream),
    /// A client that reads as much as a test lets it.
    #[cfg(test)]
    Memory(super::tests::MemoryWire),
    /// A client that reads everything at once and sends nothing.
    #[cfg(feature = "bench")]
    Sink(super::bench::Sink),
}

impl Wire {
    /// Takes a stream over from whoever used it before.
    pub(super) fn plain(stream: TcpStream, send_buffer_bytes: usize) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_send_buffer_size(send_buffer_bytes)?;
        // The stream still holds the wakers of the task that had it, and with them that task's whole memory.
        let mut nobody = Context::from_waker(Waker::noop());
        let _ = stream.poll_read_ready(&mut nobody);
        let _ = stream.poll_write_ready(&mut nobody);
        Ok(Self::Plain(stream))
    }

    /// Waits until there is something to read. For one task only: there is one place for its waker.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => stream.poll_read_ready(cx),
            #[cfg(test)]
            Self::Memory(_) => Poll::Pending,
            #[cfg(feature = "bench")]
            Self::Sink(_) => Poll::Pending,
        }
    }

    /// Reads what is there. `WouldBlock` when nothing is, 0 bytes when the peer has ended its side.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => {
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
            Self::Memory(_) => Err(io::ErrorKind::WouldBlock.into()),
            #[cfg(feature = "bench")]
            Self::Sink(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Writes what the kernel takes. `WouldBlock` when it takes nothing.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_write(bytes),
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
            #[cfg(test)]
            Self::Memory(memory) => memory.writable().await,
            #[cfg(feature = "bench")]
            Self::Sink(_) => Ok(()),
        }
    }

    /// Ends our side: the peer reads an end after what has been written.
    pub(super) fn shutdown_write(&self) {
        self.end(Shutdown::Write);
    }

    /// Ends both sides, and wakes whoever waits for either.
    pub(super) fn shutdown(&self) {
        self.end(Shutdown::Both);
    }

    fn end(&self, how: Shutdown) {
        match self {
            // A peer that has gone already is no error here.
            Self::Plain(stream) => drop(SockRef::from(stream).shutdown(how)),
            #[cfg(test)]
            Self::Memory(_) => {}
            #[cfg(feature = "bench")]
            Self::Sink(_) => {}
        }
    }
}
