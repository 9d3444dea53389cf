//! Clients that all bind the same, and what is checked of all that they get.
//!
//! Most scenarios are one of these sets and a rhythm of changes; those whose clients differ have tables of their own.

use anyhow::{Result, bail};

use crate::account::now;
use crate::engine::{Engine, Reading};
use crate::machine;
use crate::protocol::{Message, Protocol, Stamp};
use crate::scenario::PATIENCE;
use crate::target::Running;

/// Clients that are connected and bound, and one that publishes.
pub(super) struct Clients<'a> {
    pub(super) engine: Engine,
    pub(super) protocol: &'a dyn Protocol,
    pub(super) connections: usize,
    pub(super) bindings: usize,
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
        machine::allow(connections + 1, server.pid())?;
        let mut clients = Self {
            engine: Engine::of(server)?,
            protocol: server.protocol(),
            connections,
            bindings,
            seen: vec![0; connections * bindings],
            sequence: 0,
            bytes,
        };
        clients
            .engine
            .open_clients(clients.protocol, connections, PATIENCE)?;
        clients.bind_all()?;
        if clients.protocol.publishers().is_some() {
            clients.subscribe()?;
        }
        Ok(clients)
    }

    /// Waits until changes that take another way than the binds come through: a bind succeeds before riser has subscribed in Redis.
    fn subscribe(&mut self) -> Result<()> {
        self.publish(self.bindings)?;
        let last = self.sequence;
        let first = last + 1 - self.bindings as u64;
        let mut unacknowledged = self.bindings;
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

    fn bind_all(&mut self) -> Result<()> {
        let mut out = Vec::new();
        for connection in 0..self.connections {
            out.clear();
            for binding in 0..self.bindings {
                self.protocol.bind(connection, binding, &mut out);
            }
            self.engine.send(connection, &out)?;
        }
        let wanted = self.connections * self.bindings;
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

    /// Publishes this many changes, to the statuses in turn, in one write.
    pub(super) fn publish(&mut self, changes: usize) -> Result<()> {
        let mut out = Vec::new();
        let mut value = Vec::new();
        for _ in 0..changes {
            self.sequence += 1;
            value.clear();
            Stamp {
                sequence: self.sequence,
                sent_nanos: crate::account::nanos(),
            }
            .write(self.bytes, &mut value);
            let status = usize::try_from(self.sequence)? % self.bindings;
            self.protocol
                .publish(self.sequence, status, &value, &mut out);
        }
        self.engine.send(self.connections, &out)
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
                Message::Ping { .. } | Message::Other => {}
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
