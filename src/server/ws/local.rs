//! Connections whose client is in this process: what stands for a client that cannot hold a stream itself, such as a page that asks by plain requests.
//!
//! Such a client speaks the websocket protocol over a pair of sockets, so everything behind it is as for any other.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering;

use tokio::net::UnixStream;

use crate::dialects::{Carrier, DialectKind, Head};
use crate::model::ConnectionId;
use crate::server::ServerState;
use crate::server::admission::{AdmissionPhase, TurnedAway};
use crate::server::ws::connection::{self, Identity};
use crate::server::ws::entering::{self, NotAdmitted};
use crate::server::ws::goodbye;
use crate::server::ws::upgrade::{place_for, start};
use crate::server::ws::wire::Wire;
use crate::server::ws::worker_of_this_thread;

const HEAD_BYTES: usize = 2;
const MASK: [u8; 4] = [0; 4];

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Opens a connection of a dialect on this thread's worker, and gives its client.
///
/// A client that is refused learns of it by the last messages.
pub(in crate::server) async fn open(
    state: &ServerState,
    kind: DialectKind,
    head: &Head<'_>,
    address: IpAddr,
) -> io::Result<LocalClient> {
    let (client, server) = UnixStream::pair()?;
    let wire = Wire::Local(Box::new(server));
    let entered = async {
        if state.admission.phase() == AdmissionPhase::Starting {
            return Err(NotAdmitted::from(TurnedAway::Starting));
        }
        let (caller, hello) = entering::enter(state, kind, head, address).await?;
        let permit = place_for(state, caller.as_ref(), address)?;
        Ok((caller, hello, permit))
    };
    match entered.await {
        Ok((caller, hello, permit)) => {
            let worker = worker_of_this_thread(state);
            let id = ConnectionId(state.next_connection.fetch_add(1, Ordering::Relaxed));
            let identity = caller.map_or(Identity::Anonymous(address), Identity::Identified);
            let carrier = Carrier::WebSocket;
            let beginning = connection::begin(&worker, id, wire, carrier, identity, hello, permit);
            start(&worker, beginning, Vec::new());
        }
        Err(NotAdmitted { told, .. }) => {
            state.metrics.turned_away.increment(1);
            if let (Some(told), Some(place)) = (told, state.admission.admit_to_refuse()) {
                let messages = goodbye::to_newcomer(kind, Carrier::WebSocket, told);
                // Ends with the client's end of the pair, or at its own deadline.
                actix_rt::spawn(async move {
                    goodbye::say(&wire, &messages).await;
                    drop(place);
                });
            }
        }
    }
    Ok(LocalClient::new(client))
}

/// What a connection says to its client in this process.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum ToClient {
    /// A message.
    Text(String),
    /// Why the connection ends: a code and a text.
    Close(u16, String),
}

/// The client's end of a connection. Dropping it ends the connection.
#[derive(Debug)]
pub(in crate::server) struct LocalClient {
    stream: UnixStream,
    /// What has been read and is no whole frame yet.
    read: Vec<u8>,
    /// What is still to be written.
    unwritten: Vec<u8>,
}

impl LocalClient {
    /// The client at this end of a pair.
    pub(in crate::server) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
            unwritten: Vec::new(),
        }
    }

    /// Whether everything that was put has left.
    pub(in crate::server) fn is_written(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Puts a message behind what is still to be written.
    pub(in crate::server) fn put(&mut self, text: &str) {
        put_frame(TEXT, text.as_bytes(), &mut self.unwritten);
    }

    /// Waits until something can be read, where `wants_more` says so, or written.
    pub(in crate::server) async fn ready(&self, wants_more: bool) -> io::Result<()> {
        tokio::select! {
            readable = self.stream.readable(), if wants_more => readable,
            writable = self.stream.writable(), if !self.is_written() => writable,
            else => std::future::pending().await,
        }
    }

    /// Writes what can be written, and reads what is there. An error is the end of the connection.
    pub(in crate::server) fn turn(&mut self, said: &mut Vec<ToClient>) -> io::Result<()> {
        self.write()?;
        let mut buffer = [0; READ_BYTES];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.read.extend_from_slice(&buffer[..count]),
            Err(error) if may_go_on(&error) => {}
            Err(error) => return Err(error),
        }
        while let Some((opcode, payload)) = take_frame(&mut self.read) {
            match opcode {
                TEXT => said.push(ToClient::Text(lossy(&payload))),
                CLOSE => said.push(close(&payload)),
                PING => put_frame(PONG, &payload, &mut self.unwritten),
                _ => {}
            }
        }
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.stream.try_write(&self.unwritten) {
                Ok(count) => drop(self.unwritten.drain(..count)),
                Err(error) if may_go_on(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn may_go_on(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn close(payload: &[u8]) -> ToClient {
    match payload {
        [high, low, text @ ..] => ToClient::Close(u16::from_be_bytes([*high, *low]), lossy(text)),
        // RFC 6455 section 7.1.5: a close without a code.
        _ => ToClient::Close(1005, String::new()),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Takes a frame of a server, which is whole and without a mask (RFC 6455 section 5.1), once all of it is there.
fn take_frame(read: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (length, begins) = match *read.get(1)? {
        126 => {
            let bytes = read.get(HEAD_BYTES..4)?.try_into().ok()?;
            (usize::from(u16::from_be_bytes(bytes)), 4)
        }
        127 => {
            let bytes = read.get(HEAD_BYTES..10)?.try_into().ok()?;
            (usize::try_from(u64::from_be_bytes(bytes)).ok()?, 10)
        }
        short => (usize::from(short), HEAD_BYTES),
    };
    let ends = begins + length;
    let payload = read.get(begins..ends)?.to_vec();
    let opcode = read[0] & 0x0F;
    read.drain(..ends);
    Some((opcode, payload))
}

/// Writes a frame as a client does. A mask of zeros is a mask: nobody else is on the stream whom it would have to mislead.
fn put_frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(FIN | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => out.push(MASKED | short),
        (_, Ok(middle)) => {
            out.push(MASKED | 126);
            out.extend_from_slice(&middle.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        put_frame(opcode, payload, &mut frame);
        let mask_at = frame.len() - payload.len() - MASK.len();
        frame.drain(mask_at..mask_at + MASK.len());
        frame[1] &= !MASKED;
        frame
    }

    #[test]
    fn frames_of_every_length_are_taken_when_they_are_whole() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let frame = server_frame(TEXT, &payload);
            let mut read = Vec::new();
            for (at, byte) in frame.iter().enumerate() {
                read.push(*byte);
                if at + 1 < frame.len() && (at < 20 || at + 20 > frame.len()) {
                    assert_eq!(take_frame(&mut read), None, "{at} of {length}");
                }
            }
            assert_eq!(take_frame(&mut read), Some((TEXT, payload)));
            assert!(read.is_empty());
        }
    }

    #[test]
    fn a_close_has_its_code_and_text() {
        assert_eq!(
            close(b"\x10\x04late"),
            ToClient::Close(4100, "late".to_owned())
        );
        assert_eq!(close(b""), ToClient::Close(1005, String::new()));
    }

    #[tokio::test]
    async fn a_client_answers_pings_by_itself_and_hands_out_the_rest() {
        let (stream, server) = UnixStream::pair().unwrap();
        let mut client = LocalClient::new(stream);
        client.put("hello");
        let frames = [server_frame(PING, b"?"), server_frame(TEXT, b"1")].concat();
        server.writable().await.unwrap();
        assert_eq!(server.try_write(&frames).unwrap(), frames.len());

        let mut said = Vec::new();
        // It may be told of room to write before it is told of something to read.
        while said.is_empty() {
            client.ready(true).await.unwrap();
            client.turn(&mut said).unwrap();
        }
        assert_eq!(said, [ToClient::Text("1".to_owned())]);
        assert!(client.is_written());

        let mut expected = Vec::new();
        put_frame(TEXT, b"hello", &mut expected);
        put_frame(PONG, b"?", &mut expected);
        let mut got = vec![0; 64];
        server.readable().await.unwrap();
        let count = server.try_read(&mut got).unwrap();
        assert_eq!(got[..count], expected);
        drop(server);
        while client.turn(&mut said).is_ok() {
            client.ready(true).await.unwrap();
        }
    }
}
