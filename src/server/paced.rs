//! A client's stream as actix serves it, with the deadlines that the gateway sets for it.
//!
//! actix gives a deadline to the first head of a connection alone, and none to the rest of a body that it drops unread.
//! So this says how long a client has: what comes between two requests has to become one within the deadline of a head,
//! and what is written to it has to be taken. It lies below TLS, where both kinds of streams are alike.
//! To who reads, a client without time left has ended its side; bodies have deadlines of their own (`http::kit`), and websockets leave it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::server::limits::{REQUEST_HEAD_DEADLINE, WRITE_DEADLINE};
use crate::server::strangers::Stranger;

/// A plain stream, or what is below an encrypted one.
pub(super) struct Paced {
    stream: TcpStream,
    pace: Rc<Pace>,
    /// Until when something has to come, while that is so.
    reading: Option<Pin<Box<Sleep>>>,
    /// Until when something has to be taken, while the kernel takes nothing.
    writing: Option<Pin<Box<Sleep>>>,
}

/// What a stream and the requests that come through it know of each other.
pub(super) struct Pace {
    /// `None` once the client has shown good credentials.
    stranger: RefCell<Option<Stranger>>,
    phase: Cell<Phase>,
    keep_alive: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The first head is awaited, or a request is served: others see to it.
    Elsewhere,
    /// Nothing has come of the next request.
    Resting(Instant),
    /// Something has come of the next request, or of what is left of a body.
    Arriving(Instant),
}

impl Pace {
    /// A request is being served.
    pub(super) fn begin(&self) {
        self.phase.set(Phase::Elsewhere);
    }

    /// It has been, and the next one may come. actix ends a connection that rests; not so when it has a part of a head already.
    pub(super) fn end(&self) {
        let until = Instant::now() + self.keep_alive + REQUEST_HEAD_DEADLINE;
        self.phase.set(Phase::Resting(until));
        if let Some(stranger) = &*self.stranger.borrow() {
            stranger.answered();
        }
    }

    /// The client has shown good credentials.
    pub(super) fn known(&self) {
        drop(self.stranger.take());
    }

    fn heard(&self, bytes: usize) {
        if let Phase::Resting(_) = self.phase.get() {
            let until = Instant::now() + REQUEST_HEAD_DEADLINE;
            self.phase.set(Phase::Arriving(until));
        }
        if let Some(stranger) = &*self.stranger.borrow() {
            stranger.heard(bytes);
        }
    }

    fn until(&self) -> Option<Instant> {
        match self.phase.get() {
            Phase::Elsewhere => None,
            Phase::Resting(until) | Phase::Arriving(until) => Some(until),
        }
    }

    fn has_to_go(&self, cx: &Context<'_>) -> bool {
        let stranger = self.stranger.borrow();
        stranger
            .as_ref()
            .is_some_and(|stranger| stranger.has_to_go(cx))
    }
}

impl Paced {
    pub(super) fn new(stream: TcpStream, stranger: Stranger, keep_alive: Duration) -> Self {
        let pace = Pace {
            stranger: RefCell::new(Some(stranger)),
            phase: Cell::new(Phase::Elsewhere),
            keep_alive,
        };
        Self {
            stream,
            pace: Rc::new(pace),
            reading: None,
            writing: None,
        }
    }

    pub(super) fn pace(&self) -> &Rc<Pace> {
        &self.pace
    }

    /// The socket, for a websocket that takes it over. It no longer counts among the strangers.
    pub(super) fn into_socket(self) -> TcpStream {
        self.pace.known();
        self.stream
    }

    /// Waits until something has come.
    pub(super) async fn readable(&self) -> io::Result<()> {
        poll_fn(|cx| match self.pace.has_to_go(cx) {
            true => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            false => self.stream.poll_read_ready(cx),
        })
        .await
    }

    /// After a write of which the kernel took this.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        taken: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if taken.is_ready() {
            self.writing = None;
            return taken;
        }
        let until = || Box::pin(sleep_until(Instant::now() + WRITE_DEADLINE));
        let deadline = self.writing.get_or_insert_with(until);
        match deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let until = this.pace.until();
        if this.pace.has_to_go(cx) || until.is_some_and(|until| until <= Instant::now()) {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if read.is_ready() {
            let bytes = buf.filled().len() - before;
            if bytes > 0 {
                this.pace.heard(bytes);
            }
            return read;
        }
        let Some(until) = until else {
            this.reading = None;
            return Poll::Pending;
        };
        let deadline = this
            .reading
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if deadline.deadline() != until {
            deadline.as_mut().reset(until);
        }
        deadline.as_mut().poll(cx).map(Ok)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let taken = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, taken)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let taken = Pin::new(&mut this.stream).poll_write_vectored(cx, parts);
        this.written(cx, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Paced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced")
            .field("stream", &self.stream)
            .field("phase", &self.pace.phase.get())
            .finish_non_exhaustive()
    }
}
