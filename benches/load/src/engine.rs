//! The generator's connections: one thread, one poll, no timers of its own.
//!
//! It spins instead of sleeping, since a generator that sleeps makes the server pay for waking it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mio::{Events, Poll, Token};

use crate::protocol::{Framing, Message, Protocol, Role, Unframer};
use crate::stream::{Stream, Trust};
use crate::target::Running;

/// The size of the buffer that all connections are read into, one after the other.
const READ_BUFFER_BYTES: usize = 256 * 1024;

/// How many connections are opened before the first ones are served, so that the server's backlog is not what is measured.
const OPENING_MAX: usize = 512;

/// Many client connections.
pub(crate) struct Engine {
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    /// What has been taken out of websocket frames, likewise.
    payload: Vec<u8>,
    clients: Place,
    publishers: Place,
    /// How many bytes clients have read.
    received: u64,
}

/// Where a connection leads.
#[derive(Clone)]
struct Place {
    address: SocketAddr,
    trust: Trust,
}

struct Connection {
    stream: Stream,
    role: Role,
    /// The beginning of a message whose end has not come yet.
    rest: Vec<u8>,
    unframer: Unframer,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
    phase: Phase,
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Greeting,
    /// The connection before it has ended behind an answer; this one needs no greeting.
    Reconnecting,
    Open,
    Closed,
}

/// Whether a connection reads what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It does.
    On,
    /// It leaves everything in the kernel, as a stopped client does.
    Off,
}

impl Engine {
    /// An engine for a server and, where changes take another way, for what they are published at.
    pub(crate) fn of(server: &Running) -> Result<Self> {
        let clients = Place {
            address: server.address(),
            trust: server.trust(),
        };
        let publishers = match (server.protocol().publishers(), server.redis()) {
            (Some(_), Some(redis)) => Place::plain(redis.address()),
            _ => clients.clone(),
        };
        Self::new(clients, publishers)
    }

    /// An engine for an address alone, without encryption.
    pub(crate) fn plain(address: SocketAddr) -> Result<Self> {
        Self::new(Place::plain(address), Place::plain(address))
    }

    fn new(clients: Place, publishers: Place) -> Result<Self> {
        Ok(Self {
            poll: Poll::new().context("could not make a poll")?,
            events: Events::with_capacity(4096),
            connections: Vec::new(),
            buffer: vec![0; READ_BUFFER_BYTES],
            payload: Vec::new(),
            clients,
            publishers,
            received: 0,
        })
    }

    /// How many bytes clients have read, frames and greetings included; by TLS as they are without it.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Opens this many clients, and behind them one that publishes.
    pub(crate) fn open_clients(
        &mut self,
        protocol: &dyn Protocol,
        clients: usize,
        deadline: Duration,
    ) -> Result<()> {
        self.open(protocol, Role::Client, clients, deadline)?;
        self.open(protocol, Role::Publisher, clients + 1, deadline)
    }

    /// Opens connections for this role until there are `count` of all, and waits until each is greeted.
    pub(crate) fn open(
        &mut self,
        protocol: &dyn Protocol,
        role: Role,
        count: usize,
        deadline: Duration,
    ) -> Result<()> {
        let end = crate::account::now() + deadline;
        let mut greeted = self.connections.len();
        while greeted < count {
            while self.connections.len() < count && self.connections.len() - greeted < OPENING_MAX {
                self.begin(role)?;
            }
            greeted += self.turn(protocol, &mut |_, _| Ok(()))?;
            if crate::account::now() > end {
                bail!("only {greeted} of {count} connections came up in {deadline:?}");
            }
        }
        Ok(())
    }

    fn begin(&mut self, role: Role) -> Result<()> {
        let count = self.connections.len();
        self.connections.push(Connection {
            stream: self.connect(role, count)?,
            role,
            rest: Vec::new(),
            unframer: Unframer::default(),
            unsent: Vec::new(),
            phase: Phase::Connecting,
            reading: Reading::On,
        });
        Ok(())
    }

    fn connect(&self, role: Role, index: usize) -> Result<Stream> {
        let place = match role {
            Role::Client => &self.clients,
            Role::Publisher => &self.publishers,
        };
        let mut stream = Stream::connect(place.address, &place.trust)
            .with_context(|| format!("could not open connection {index}"))?;
        stream.register(self.poll.registry(), Token(index))?;
        Ok(stream)
    }

    /// Puts another connection in the place of one that the server ends.
    fn reconnect(&mut self, index: usize) -> Result<()> {
        let stream = self.connect(self.connections[index].role, index)?;
        let connection = &mut self.connections[index];
        connection.stream = stream;
        connection.phase = Phase::Reconnecting;
        Ok(())
    }

    /// Sends bytes on a connection; what the kernel does not take goes out later.
    pub(crate) fn send(&mut self, connection: usize, bytes: &[u8]) -> Result<()> {
        let connection = &mut self.connections[connection];
        connection.unsent.extend_from_slice(bytes);
        connection.flush()
    }

    /// Lets a connection read or not.
    pub(crate) fn set_reading(
        &mut self,
        protocol: &dyn Protocol,
        connection: usize,
        reading: Reading,
        handle: &mut dyn FnMut(usize, Message<'_>) -> Result<()>,
    ) -> Result<()> {
        self.connections[connection].reading = reading;
        if reading == Reading::On {
            self.read(protocol, connection, handle)?;
        }
        Ok(())
    }

    /// Serves what is ready, and returns how many connections were greeted meanwhile.
    pub(crate) fn turn(
        &mut self,
        protocol: &dyn Protocol,
        handle: &mut dyn FnMut(usize, Message<'_>) -> Result<()>,
    ) -> Result<usize> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        self.poll.poll(&mut events, Some(Duration::ZERO))?;
        let mut greeted = 0;
        for event in &events {
            let index = event.token().0;
            if event.is_writable() {
                self.writable(protocol, index)?;
            }
            if event.is_readable() && self.connections[index].reading == Reading::On {
                greeted += self.read(protocol, index, handle)?;
            }
        }
        self.events = events;
        Ok(greeted)
    }

    fn writable(&mut self, protocol: &dyn Protocol, index: usize) -> Result<()> {
        let connection = &mut self.connections[index];
        if connection.is_connecting() {
            if let Err(error) = connection.stream.connected() {
                bail!("connection {index} was refused: {error}");
            }
            if connection.phase == Phase::Connecting {
                connection.phase = Phase::Greeting;
                let protocol = spoken(protocol, connection.role);
                protocol.greet(&mut connection.unsent);
            } else {
                connection.phase = Phase::Open;
            }
        }
        connection.flush()
    }

    fn read(
        &mut self,
        protocol: &dyn Protocol,
        index: usize,
        handle: &mut dyn FnMut(usize, Message<'_>) -> Result<()>,
    ) -> Result<usize> {
        let connection = &mut self.connections[index];
        let protocol = spoken(protocol, connection.role);
        let (mut greeted, mut is_over) = (0, false);
        while !connection.is_connecting() {
            let read = match connection.stream.read(&mut self.buffer) {
                Ok(0) => {
                    connection.phase = Phase::Closed;
                    bail!("the server closed connection {index}");
                }
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(greeted),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => bail!("connection {index} was lost: {error}"),
            };
            if connection.role == Role::Client {
                self.received += read as u64;
            }
            let mut bytes = &self.buffer[..read];
            let mut rest = std::mem::take(&mut connection.rest);
            let greeting;
            if connection.phase == Phase::Greeting {
                rest.extend_from_slice(bytes);
                let used =
                    protocol.greeted(index, connection.role, &rest, &mut connection.unsent)?;
                connection.flush()?;
                let Some(used) = used else {
                    connection.rest = rest;
                    continue;
                };
                connection.phase = Phase::Open;
                is_over |= protocol.is_last(&rest[..used]);
                greeted += 1;
                greeting = std::mem::take(&mut rest);
                bytes = &greeting[used..];
            }
            if protocol.framing() == Framing::Websocket {
                self.payload.clear();
                self.payload.append(&mut rest);
                connection.unframer.unframe(bytes, &mut self.payload)?;
                bytes = &self.payload;
            } else if !rest.is_empty() {
                rest.extend_from_slice(bytes);
                bytes = &rest;
            }
            while let Some((used, message)) = protocol.read(bytes)? {
                match message {
                    Message::Ping { payload } => protocol.pong(payload, &mut connection.unsent),
                    Message::Several { text } => {
                        protocol.take_apart(text, &mut |message| handle(index, message))?;
                    }
                    Message::Change { .. }
                    | Message::Done { .. }
                    | Message::Members(_)
                    | Message::Other => {
                        handle(index, message)?;
                    }
                }
                is_over |= protocol.is_last(&bytes[..used]);
                bytes = &bytes[used..];
            }
            if is_over {
                self.reconnect(index)?;
                return Ok(greeted);
            }
            connection.rest = if bytes.len() == rest.len() {
                // Nothing of it was whole; a long message comes in many reads.
                rest
            } else {
                bytes.to_vec()
            };
            if !connection.unsent.is_empty() {
                connection.flush()?;
            }
            // When the stream is empty the next arrival is a new event.
            if connection.stream.is_emptied_by(read, self.buffer.len()) {
                break;
            }
        }
        Ok(greeted)
    }
}

impl Place {
    fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            trust: None,
        }
    }
}

/// What a connection of this role speaks.
fn spoken(protocol: &dyn Protocol, role: Role) -> &dyn Protocol {
    match role {
        Role::Client => protocol,
        Role::Publisher => protocol.publishers().unwrap_or(protocol),
    }
}

impl Connection {
    fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Reconnecting)
    }

    fn flush(&mut self) -> Result<()> {
        if self.is_connecting() {
            return Ok(());
        }
        let mut written = 0;
        while written < self.unsent.len() {
            match self.stream.write(&self.unsent[written..]) {
                Ok(taken) => written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => bail!("could not write: {error}"),
            }
        }
        self.unsent.drain(..written);
        self.stream.flush().context("could not write")
    }
}
