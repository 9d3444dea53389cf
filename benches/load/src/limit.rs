//! The least that a server can do: the yardstick of every figure.
//!
//! One thread, one poll, every change encoded once, one write per connection and round.
//! It checks no credentials, parses no JSON and knows only the frames that the generator sends, at the places where it sends them.
//! What any gateway costs beyond this is the gateway's own.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::{Backlog, listen};

const LISTENER: Token = Token(usize::MAX);

/// How many emptied buffers are kept for the next round, and how large each may be.
const SPARE_MAX: usize = 1024;
const SPARE_MAX_BYTES: usize = 64 * 1024;

/// The answer to the one key that the generator sends (RFC 6455 section 1.3).
const SWITCHING: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Server {
    poll: Poll,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    topics: HashMap<Vec<u8>, Topic>,
    dirty: Vec<usize>,
    /// Emptied buffers: freed at the end of each round, their pages would go back to the kernel and be faulted in again.
    spare: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    /// Connections that have gone: still among the followers, and no longer.
    dead: usize,
    swept: usize,
}

struct Connection {
    stream: TcpStream,
    rest: Vec<u8>,
    out: Vec<u8>,
    greeted: bool,
    dirty: bool,
}

#[derive(Default)]
struct Topic {
    /// Who follows it, and the id that each gave its binding.
    followers: Vec<(usize, Vec<u8>)>,
    last: Option<Vec<u8>>,
}

/// Serves at this address until it is killed. Says on stdout where.
pub(crate) fn serve(address: SocketAddr) -> Result<()> {
    let poll = Poll::new()?;
    let mut listener =
        TcpListener::bind(address).with_context(|| format!("could not listen on {address}"))?;
    // The 128 that mio asks for are fewer than come at once; each one too many would wait a second for its next try.
    listen(&listener, Backlog::MAXALLOWABLE)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("limit ready http://{}", listener.local_addr()?);
    let mut server = Server {
        poll,
        listener,
        connections: Vec::new(),
        topics: HashMap::new(),
        dirty: Vec::new(),
        spare: Vec::new(),
        buffer: vec![0; 64 * 1024],
        dead: 0,
        swept: 0,
    };
    let mut events = Events::with_capacity(1024);
    loop {
        server.poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                Token(index) => server.read(index),
            }
        }
        server.flush();
    }
}

impl Server {
    fn accept(&mut self) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let token = Token(self.connections.len());
            self.poll.registry().register(
                &mut stream,
                token,
                Interest::READABLE | Interest::WRITABLE,
            )?;
            self.connections.push(Some(Connection {
                stream,
                rest: Vec::new(),
                out: Vec::new(),
                greeted: false,
                dirty: false,
            }));
        }
    }

    /// Reads a connection, and marks it dirty when it can take more of what is owed.
    fn read(&mut self, index: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(connection) = &mut self.connections[index] {
            if !connection.out.is_empty() {
                mark(connection, index, &mut self.dirty);
            }
            match connection.stream.read(&mut buffer) {
                Ok(0) => {
                    self.drop_connection(index);
                    break;
                }
                Ok(read) => {
                    let mut rest = std::mem::take(&mut connection.rest);
                    rest.extend_from_slice(&buffer[..read]);
                    let used = self.take(index, &rest);
                    rest.drain(..used);
                    if let Some(connection) = &mut self.connections[index] {
                        connection.rest = rest;
                    }
                    if read < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.drop_connection(index);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    /// Its place among followers stays until there are as many dead ones as living: a scan for each would be quadratic.
    fn drop_connection(&mut self, index: usize) {
        self.connections[index] = None;
        self.dead += 1;
        if self.dead * 2 > self.connections.len() - self.swept {
            let connections = &self.connections;
            for topic in self.topics.values_mut() {
                topic
                    .followers
                    .retain(|(follower, _)| connections[*follower].is_some());
            }
            self.swept += self.dead;
            self.dead = 0;
        }
    }

    /// Acts on what is complete, and says how much that was.
    fn take(&mut self, index: usize, bytes: &[u8]) -> usize {
        let mut at = 0;
        if let Some(connection) = &mut self.connections[index]
            && !connection.greeted
        {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
                return 0;
            };
            at = end + 4;
            connection.greeted = true;
            lend(connection, &mut self.spare);
            connection.out.extend_from_slice(SWITCHING);
            mark(connection, index, &mut self.dirty);
        }
        while let Some((start, end)) = client_frame(&bytes[at..]) {
            self.act(index, &bytes[at + start..at + end]);
            at += end;
        }
        at
    }

    fn act(&mut self, index: usize, text: &[u8]) {
        let (Some(id), Some(name)) = (
            between(text, br#"{"id":"#, b","),
            between(text, br#""name":""#, b"\""),
        ) else {
            return;
        };
        let exec = memmem::find(text, br#""cmd":"exec""#).is_some();
        let arguments = between(text, br#""args":["#, b"").map(|rest| &rest[..rest.len() - 2]);
        match (exec, name, arguments) {
            (true, b"set", Some(arguments)) => {
                let Some(comma) = memchr::memchr(b',', arguments) else {
                    return;
                };
                self.publish(&arguments[1..comma - 1], &arguments[comma + 1..]);
                self.answer(index, id, b"null");
            }
            (true, _, Some(arguments)) => self.answer(index, id, arguments),
            _ if memmem::find(text, br#""cmd":"unbind""#).is_some() => self.unbind(index, id, name),
            _ => self.bind(index, id, name),
        }
    }

    fn answer(&mut self, index: usize, id: &[u8], value: &[u8]) {
        let meta = br#","meta":{"sys":"sys-1","mod":"Load","index":1,"name":"echo"},"code":200}"#;
        self.send(
            index,
            &[
                br#"{"id":"#,
                id,
                br#","type":"success","value":"#,
                value,
                meta,
            ],
        );
    }

    fn bind(&mut self, index: usize, id: &[u8], name: &[u8]) {
        let topic = self.topics.entry(name.to_vec()).or_default();
        topic.followers.push((index, id.to_vec()));
        let last = topic.last.clone();
        let meta = br#","type":"success","meta":{"sys":"sys-1","mod":"Load","index":1,"name":""#;
        self.send(index, &[br#"{"id":"#, id, meta, name, br#""}}"#]);
        if let Some(tail) = last {
            self.send(index, &[br#"{"id":"#, id, &tail]);
        }
    }

    fn unbind(&mut self, index: usize, id: &[u8], name: &[u8]) {
        if let Some(topic) = self.topics.get_mut(name) {
            topic.followers.retain(|(follower, _)| *follower != index);
        }
        self.answer(index, id, b"null");
    }

    fn send(&mut self, index: usize, parts: &[&[u8]]) {
        if let Some(connection) = &mut self.connections[index] {
            lend(connection, &mut self.spare);
            write_frame(parts, &mut connection.out);
            mark(connection, index, &mut self.dirty);
        }
    }

    fn publish(&mut self, name: &[u8], value: &[u8]) {
        if !self.topics.contains_key(name) {
            self.topics.insert(name.to_vec(), Topic::default());
        }
        let topic = self.topics.get_mut(name).expect("it is there");
        let meta = br#","meta":{"sys":"sys-1","mod":"Load","index":1,"name":""#;
        let tail = [
            br#","type":"notify","value":"#,
            value,
            meta,
            name,
            br#""}}"#,
        ]
        .concat();
        let mut frame = Vec::new();
        let mut framed_id: Option<&[u8]> = None;
        for (index, id) in &topic.followers {
            let Some(connection) = &mut self.connections[*index] else {
                continue;
            };
            if framed_id != Some(id) {
                frame.clear();
                write_frame(&[br#"{"id":"#, id, &tail], &mut frame);
                framed_id = Some(id);
            }
            lend(connection, &mut self.spare);
            connection.out.extend_from_slice(&frame);
            mark(connection, *index, &mut self.dirty);
        }
        topic.last = Some(tail);
    }

    fn flush(&mut self) {
        for index in std::mem::take(&mut self.dirty) {
            let Some(connection) = &mut self.connections[index] else {
                continue;
            };
            connection.dirty = false;
            match connection.stream.write(&connection.out) {
                Ok(written) if written == connection.out.len() => {
                    let mut out = std::mem::take(&mut connection.out);
                    if self.spare.len() < SPARE_MAX && out.capacity() <= SPARE_MAX_BYTES {
                        out.clear();
                        self.spare.push(out);
                    }
                }
                Ok(written) => drop(connection.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.drop_connection(index),
            }
        }
    }
}

/// Gives a connection that owes nothing a buffer that is there already.
fn lend(connection: &mut Connection, spare: &mut Vec<Vec<u8>>) {
    if connection.out.capacity() == 0 {
        connection.out = spare.pop().unwrap_or_default();
    }
}

fn mark(connection: &mut Connection, index: usize, dirty: &mut Vec<usize>) {
    if !connection.dirty {
        connection.dirty = true;
        dirty.push(index);
    }
}

/// Where the payload of the first whole frame lies. The generator masks with zero, so nothing is unmasked.
fn client_frame(bytes: &[u8]) -> Option<(usize, usize)> {
    let (head, length) = match *bytes.get(1)? & 0x7f {
        126 => (
            8,
            usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        ),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (14, usize::try_from(length).ok()?)
        }
        length => (6, usize::from(length)),
    };
    (bytes.len() >= head + length).then_some((head, head + length))
}

fn write_frame(parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(0x81);
    match length {
        0..=125 => out.push(u8::try_from(length).expect("at most 125")),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&u16::try_from(length).expect("at most 65535").to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// What stands between two texts; to the end when the second is empty.
fn between<'a>(text: &'a [u8], before: &[u8], behind: &[u8]) -> Option<&'a [u8]> {
    let start = memmem::find(text, before)? + before.len();
    let rest = &text[start..];
    if behind.is_empty() {
        return Some(rest);
    }
    Some(&rest[..memmem::find(rest, behind)?])
}
