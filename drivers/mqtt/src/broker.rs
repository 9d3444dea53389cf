//! A connection to a broker: bytes there, packets here.
//!
//! Separate because the kit's own messages are bytes within a bound: here each packet has a type,
//! and one that is too long is passed over without losing the connection.

use std::io;

use driver_sdk::transport::{Connection, Link, Tcp};
use driver_sdk::{BoxFuture, Error};
use futures_util::{sink, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::limits::READ_BYTES;
use crate::packet::{Decoder, Packet, Request};

/// Where the broker is.
pub(crate) struct Broker(pub(crate) Tcp);

impl Link<Request, Packet> for Broker {
    fn open(&self) -> BoxFuture<'_, Result<Connection<Request, Packet>, Error>> {
        Box::pin(async {
            let (reader, writer) = tokio::io::split(self.0.stream().await?);
            let start = Reading {
                reader,
                decoder: Decoder::default(),
            };
            let incoming = stream::try_unfold(start, |mut reading| async {
                let packet = reading.next().await.map_err(lost)?;
                Ok(Some((packet, reading)))
            });
            let outgoing = sink::unfold(writer, |mut writer, request: Request| async move {
                let written = async {
                    writer.write_all(&request.encode()).await?;
                    writer.flush().await
                };
                written.await.map_err(lost)?;
                Ok(writer)
            });
            Ok(Connection::messages(incoming, outgoing))
        })
    }
}

struct Reading<R> {
    reader: R,
    decoder: Decoder,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    async fn next(&mut self) -> io::Result<Packet> {
        loop {
            if let Some(packet) = self.decoder.next()? {
                return Ok(packet);
            }
            if self.reader.read_buf(self.decoder.room(READ_BYTES)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A broker never closes a connection because it is idle, so one that does is lost at once: what it says meanwhile would be missed.
fn lost(error: io::Error) -> io::Error {
    use io::ErrorKind as Kind;
    let hang_ups = [
        Kind::UnexpectedEof,
        Kind::ConnectionReset,
        Kind::ConnectionAborted,
        Kind::BrokenPipe,
    ];
    match hang_ups.contains(&error.kind()) {
        true => io::Error::other("the broker closed the connection"),
        false => error,
    }
}
