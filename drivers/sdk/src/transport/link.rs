//! How a connection to a device is opened, and what it is once it is open.

use std::fmt;
use std::io;
use std::pin::Pin;

use futures_util::future::BoxFuture;
use futures_util::{Sink, Stream, StreamExt, future, sink, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::message::Message;
use super::tokens::{Buffer, Token, Tokens};
use crate::Error;

/// Opens connections to one device: [`Tcp`](super::Tcp), [`Udp`](super::Udp), [`Serial`](super::Serial), [`Websocket`](super::Websocket), [`Http`](super::Http), or a driver's own function.
pub trait Link<Q = Vec<u8>, A = Message>: Send + Sync + 'static {
    /// Opens a connection. The error is told to callers; with the code [`REFUSED`](super::REFUSED) it says that the device refuses the password.
    fn open(&self) -> BoxFuture<'_, Result<Connection<Q, A>, Error>>;

    /// Whether a connection that the device has closed waits for the next command, however long that takes.
    fn rests(&self) -> bool {
        false
    }

    /// Whether nothing of a command has left while its sending has not ended, so that one whose connection was closed meanwhile certainly did not run.
    fn sends_at_once(&self) -> bool {
        false
    }
}

impl<Q, A, F, Opening> Link<Q, A> for F
where
    F: Fn() -> Opening + Send + Sync + 'static,
    Opening: Future<Output = Result<Connection<Q, A>, Error>> + Send + 'static,
{
    fn open(&self) -> BoxFuture<'_, Result<Connection<Q, A>, Error>> {
        Box::pin(self())
    }
}

/// An open connection: what comes and what goes.
pub struct Connection<Q = Vec<u8>, A = Message> {
    pub(super) incoming: Incoming<A>,
    pub(super) outgoing: Outgoing<Q>,
}

pub(super) type Incoming<A> = Pin<Box<dyn Stream<Item = io::Result<Arrival<A>>> + Send>>;
pub(super) type Outgoing<Q> = Pin<Box<dyn Sink<Q, Error = io::Error> + Send>>;

/// What comes over a connection.
pub(super) enum Arrival<A> {
    Message(A),
    /// A message that was longer than allowed has been dropped.
    TooLong,
}

impl Connection {
    /// A connection that is a stream of bytes; `tokens` makes messages of them.
    pub fn bytes(stream: impl AsyncRead + AsyncWrite + Send + 'static, tokens: &Tokens) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let start = Reading {
            reader,
            buffer: tokens.start(),
            has_ended: false,
        };
        let incoming = stream::try_unfold(start, |mut reading| async {
            let token = reading.next().await?;
            Ok(token.map(|token| (token.into(), reading)))
        });
        let outgoing = sink::unfold(writer, |mut writer, bytes: Vec<u8>| async move {
            writer.write_all(&bytes).await?;
            writer.flush().await?;
            Ok(writer)
        });
        Self {
            incoming: Box::pin(incoming),
            outgoing: Box::pin(outgoing),
        }
    }
}

impl<Q: 'static, A: Send + 'static> Connection<Q, A> {
    /// The same connection without the messages that `is_message` does not take: what is not of the protocol is no sign of life of the device, and answers no command.
    #[must_use]
    pub fn filter(self, mut is_message: impl FnMut(&A) -> bool + Send + 'static) -> Self {
        let incoming = self.incoming.filter(move |arrival| {
            let is_kept = match arrival {
                Ok(Arrival::Message(message)) => is_message(message),
                Ok(Arrival::TooLong) | Err(_) => true,
            };
            future::ready(is_kept)
        });
        Self {
            incoming: Box::pin(incoming),
            ..self
        }
    }
}

impl<Q, A> Connection<Q, A> {
    /// A connection of whole messages.
    pub fn messages(
        incoming: impl Stream<Item = io::Result<A>> + Send + 'static,
        outgoing: impl Sink<Q, Error = io::Error> + Send + 'static,
    ) -> Self
    where
        A: 'static,
    {
        Self {
            incoming: incoming.map(|it| it.map(Arrival::Message)).boxed(),
            outgoing: Box::pin(outgoing),
        }
    }
}

impl From<Token> for Arrival<Message> {
    fn from(token: Token) -> Self {
        match token {
            Token::Message(bytes) => Self::Message(bytes.into()),
            Token::TooLong => Self::TooLong,
        }
    }
}

impl<Q, A> fmt::Debug for Connection<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// The incoming half of a stream of bytes.
struct Reading<R> {
    reader: R,
    buffer: Buffer,
    has_ended: bool,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    /// The next message. At the end of the stream what is left is one too.
    async fn next(&mut self) -> io::Result<Option<Token>> {
        loop {
            if let Some(token) = self.buffer.next()? {
                return Ok(Some(token));
            }
            if self.has_ended {
                return Ok(self.buffer.last().map(Token::Message));
            }
            let silence = self.buffer.silence();
            let reading = self.reader.read_buf(self.buffer.room());
            let read = match silence {
                None => reading.await,
                Some(silence) => match timeout(silence, reading).await {
                    Ok(read) => read,
                    Err(_) => match self.buffer.rest() {
                        Some(rest) => return Ok(Some(Token::Message(rest))),
                        None => continue,
                    },
                },
            };
            match read {
                Ok(0) => self.has_ended = true,
                Ok(_) => {}
                // A peer of TLS that hangs up without a goodbye has hung up all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.has_ended = true,
                Err(error) => return Err(error),
            }
        }
    }
}
