//! Clients that all bind the same, and what is checked of all that they get.
//!
//! Most scenarios are one of these sets and a rhythm of changes; those whose clients differ have tables of their own.

use anyhow::{Result, bail};

use crate::account::now;
use crate::engine::{Engine, Reading};
use crate::machine;
use crate::protocol::{Message, NewValue, Protocol, Role, Stamp};
use crate::scenario::PATIENCE;
use crate::target::Running;

/// How many first values are published at a time: no module's queue is full of them.
const SET_AT_ONCE: usize = 100;

/// Clients that are connected and bound, and one that publishes.
pub(super) struct Clients<'a> {
    pub(super) engine: Engine,
    pub(super) protocol: &'a dyn Protocol,
    pub(super) connections: usize,
    pub(super) bindings: usize,
    /// How many clients have joined one by one.
    joined: usize,
    /// The newest sequence number of each binding of each connection.
    seen: Vec<u64>,
    sequence: u64,
    bytes: usize,
}

/// Whether every change has to arrive, or only ever newer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    Never,
    Allowed,
}

impl<'a> Clients<'a> {
    /// Connects and binds: every client the same statuses, one publisher beside them.
    pub(super) fn bound(
        server: &'a Running,
        connections: usize,
        bindings: usize,
        bytes: usize,
    ) -> Result<Self> {
        let mut clients = Self::none_yet(server, connections, bindings, bytes)?;
        clients
            .engine
            .open_clients(clients.protocol, connections, PATIENCE)?;
        clients.bind()?;
        if clients.protocol.publishers().is_some() {
            clients.subscribe()?;
        }
        Ok(clients)
    }

    /// The same before anyone is connected: clients [join](Self::join), and the [publisher](Self::join_publisher) behind them.
    pub(super) fn none_yet(
        server: &'a Running,
        connections: usize,
        bindings: usize,
        bytes: usize,
    ) -> Result<Self> {
        machine::allow(connections + 1, server.pid())?;
        Ok(Self {
            engine: Engine::of(server)?,
            protocol: server.protocol(),
            connections,
            bindings,
            joined: 0,
            seen: vec![0; connections * bindings],
            sequence: 0,
            bytes,
        })
    }

    /// Gives every status its first value while there are no clients, by a publisher that goes again.
    pub(super) fn set_all(&mut self, server: &Running) -> Result<()> {
        let mut engine = Engine::of(server)?;
        engine.open(self.protocol, Role::Publisher, 1, PATIENCE)?;
        let last = self.sequence + self.bindings as u64;
        while self.sequence < last {
            let some = SET_AT_ONCE.min(usize::try_from(last - self.sequence)?);
            let mut out = Vec::new();
            let mut unacknowledged = self.changes(some, &mut out)?;
            engine.send(0, &out)?;
            let what = "the first values to be taken";
            wait(&mut engine, self.protocol, what, &mut |_, message| {
                if matches!(message, Message::Done { .. }) {
                    unacknowledged -= 1;
                }
                Ok(unacknowledged == 0)
            })?;
        }
        Ok(())
    }

    /// Connects and binds one client more, and waits until it has the value of every status.
    pub(super) fn join(&mut self) -> Result<()> {
        let client = self.joined;
        self.joined += 1;
        self.engine
            .open(self.protocol, Role::Client, self.joined, PATIENCE)?;
        let mut out = Vec::new();
        self.protocol.bind_all(client, self.bindings, &mut out);
        self.engine.send(client, &out)?;
        let its_own = client * self.bindings..self.joined * self.bindings;
        let give_up = now() + PATIENCE;
        while self.seen[its_own.clone()].contains(&0) {
            self.turn(Gaps::Never, &mut |_, _| {})?;
            if now() > give_up {
                bail!("waited {PATIENCE:?} for the values of statuses that have one");
            }
        }
        Ok(())
    }

    /// Connects the publisher, once all clients have joined.
    pub(super) fn join_publisher(&mut self) -> Result<()> {
        self.engine.open(
            self.protocol,
            Role::Publisher,
            self.connections + 1,
            PATIENCE,
        )
    }

    /// Publishes a status that was not there before, and waits until all clients that get such have it.
    /// They may get others again with it, so nothing is published behind it.
    pub(super) fn add_status(mut self) -> Result<()> {
        let new = self.bindings;
        let mut value = Vec::new();
        let stamp = Stamp {
            sequence: self.sequence + 1,
            sent_nanos: crate::account::nanos(),
        };
        stamp.write(self.bytes, &mut value);
        let mut out = Vec::new();
        self.protocol.publish(stamp.sequence, new, &value, &mut out);
        self.engine.send(self.connections, &out)?;
        let mut missing = self.connections;
        let what = "all clients to have a new status";
        wait(&mut self.engine, self.protocol, what, &mut |_, message| {
            if let Message::Change { binding, value } = message
                && binding == new
                && Stamp::read(value) == Some(stamp)
            {
                missing -= 1;
            }
            Ok(missing == 0)
        })
    }

    /// Waits until changes come through. In Redis they take another way than the binds, which succeed before riser has subscribed there;
    /// clients of Home Assistant learn of a status with its first value.
    fn subscribe(&mut self) -> Result<()> {
        let mut unacknowledged = self.publish(self.bindings)?;
        let last = self.sequence;
        let first = last + 1 - self.bindings as u64;
        let give_up = now() + PATIENCE;
        while unacknowledged > 0 || !(first..=last).all(|sequence| self.all_have(sequence)) {
            let acknowledged = self.turn(Gaps::Allowed, &mut |_, _| {})?;
            unacknowledged = unacknowledged.saturating_sub(acknowledged);
            if now() > give_up {
                bail!("waited {PATIENCE:?} for the first value of every binding");
            }
        }
        Ok(())
    }

    fn bind(&mut self) -> Result<()> {
        let mut out = Vec::new();
        let mut wanted = 0;
        for connection in 0..self.connections {
            out.clear();
            wanted += self.protocol.bind_all(connection, self.bindings, &mut out);
            self.engine.send(connection, &out)?;
        }
        let mut done = 0;
        let protocol = self.protocol;
        wait(
            &mut self.engine,
            protocol,
            "every bind to succeed",
            &mut |_, message| {
                if matches!(message, Message::Done { .. }) {
                    done += 1;
                }
                Ok(done >= wanted)
            },
        )
    }

    /// Publishes this many changes, to the statuses in turn, in one write. Returns how many successes come of it.
    pub(super) fn publish(&mut self, changes: usize) -> Result<usize> {
        let mut out = Vec::new();
        let successes = self.changes(changes, &mut out)?;
        self.engine.send(self.connections, &out)?;
        Ok(successes)
    }

    /// Appends the requests to publish the next changes, and returns how many successes come of it.
    fn changes(&mut self, changes: usize, out: &mut Vec<u8>) -> Result<usize> {
        let mut values = Vec::new();
        for _ in 0..changes {
            self.sequence += 1;
            let mut value = Vec::new();
            Stamp {
                sequence: self.sequence,
                sent_nanos: crate::account::nanos(),
            }
            .write(self.bytes, &mut value);
            values.push(NewValue {
                request: self.sequence,
                status: usize::try_from(self.sequence)? % self.bindings,
                value,
            });
        }
        Ok(self.protocol.publish_all(&values, out))
    }

    /// Lets a client read or not.
    pub(super) fn set_reading(&mut self, connection: usize, reading: Reading) -> Result<()> {
        let Self {
            engine,
            protocol,
            connections,
            bindings,
            seen,
            ..
        } = self;
        engine.set_reading(
            *protocol,
            connection,
            reading,
            &mut |connection, message| {
                if let Message::Change { binding, value } = message {
                    check(
                        connection,
                        *connections,
                        binding,
                        *bindings,
                        value,
                        seen,
                        Gaps::Allowed,
                    )?;
                }
                Ok(())
            },
        )
    }

    /// The newest change that was published.
    pub(super) fn published(&self) -> u64 {
        self.sequence
    }

    /// Serves what is ready, checks it, and calls `arrived` with the connection and stamp of each change. Returns how many publishes were acknowledged.
    pub(super) fn turn(
        &mut self,
        gaps: Gaps,
        arrived: &mut dyn FnMut(usize, Stamp),
    ) -> Result<usize> {
        let Self {
            engine,
            protocol,
            connections,
            bindings,
            seen,
            ..
        } = self;
        let mut acknowledged = 0;
        engine.turn(*protocol, &mut |connection, message| {
            match message {
                Message::Change { binding, value } => {
                    let stamp = check(
                        connection,
                        *connections,
                        binding,
                        *bindings,
                        value,
                        seen,
                        gaps,
                    )?;
                    arrived(connection, stamp);
                }
                Message::Done { .. } => acknowledged += 1,
                Message::Ping { .. }
                | Message::Members(_)
                | Message::Several { .. }
                | Message::Other => {}
            }
            Ok(())
        })?;
        Ok(acknowledged)
    }

    /// Whether every client has the newest value of every status.
    pub(super) fn all_have(&self, sequence: u64) -> bool {
        self.missing(sequence) == 0
    }

    /// How many clients lack the newest value of their last status.
    pub(super) fn missing(&self, sequence: u64) -> usize {
        let status = usize::try_from(sequence).unwrap_or(0) % self.bindings;
        (0..self.connections)
            .filter(|connection| self.seen[connection * self.bindings + status] != sequence)
            .count()
    }
}

pub(super) fn check(
    connection: usize,
    connections: usize,
    binding: usize,
    bindings: usize,
    value: &[u8],
    seen: &mut [u64],
    gaps: Gaps,
) -> Result<Stamp> {
    let Some(stamp) = Stamp::read(value) else {
        bail!(
            "connection {connection} got a value that nobody published: {}",
            String::from_utf8_lossy(&value[..value.len().min(80)])
        );
    };
    if connection >= connections || binding >= bindings {
        bail!("connection {connection} got a value of binding {binding}, which it never bound");
    }
    if usize::try_from(stamp.sequence)? % bindings != binding {
        bail!(
            "connection {connection} got change {} on binding {binding}",
            stamp.sequence
        );
    }
    let last = &mut seen[connection * bindings + binding];
    let next = *last == 0 || stamp.sequence == *last + bindings as u64;
    if stamp.sequence <= *last || (gaps == Gaps::Never && !next) {
        bail!(
            "connection {connection} got change {} after {last}",
            stamp.sequence
        );
    }
    *last = stamp.sequence;
    Ok(stamp)
}

/// Turns until `enough` says so, bounded.
pub(super) fn wait(
    engine: &mut Engine,
    protocol: &dyn Protocol,
    what: &str,
    enough: &mut dyn FnMut(usize, Message<'_>) -> Result<bool>,
) -> Result<()> {
    let end = now() + PATIENCE;
    let mut done = false;
    while !done {
        engine.turn(protocol, &mut |connection, message| {
            done |= enough(connection, message)?;
            Ok(())
        })?;
        if now() > end {
            bail!("waited {PATIENCE:?} for {what}");
        }
    }
    Ok(())
}
