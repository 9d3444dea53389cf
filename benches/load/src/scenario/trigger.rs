//! A server that publishes as fast as it is answered, over connections that stay: each has one request under way at all times.
//!
//! One client is in the channel, and has to get all of it, what one connection sent in its order.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::account::{nanos, now};
use crate::engine::Engine;
use crate::protocol::{Message, Protocol, Role, Stamp};
use crate::scenario::{Figures, Loads, PATIENCE, Samples, Size, wait};
use crate::target::Running;

/// The connections of the server.
const CONNECTIONS: usize = 64;

/// The client's connection; those of the server come behind it.
const CLIENT: usize = 0;

/// The channel, as a status has a number.
const CHANNEL: usize = 0;

/// The size of a value.
const BYTES: usize = 100;

/// What each connection has sent, and what the client has of it.
struct Senders {
    /// The number of the last event of each, and when it was sent. Numbers are counted through all connections, so that each tells whose it is.
    sent: Vec<(u64, u64)>,
    /// The newest of each that the client has.
    seen: Vec<u64>,
    /// Those whose last request has been answered.
    idle: Vec<usize>,
    answered: u64,
    latency: Samples,
}

/// Throughput and time of requests.
pub(super) fn closed(server: &Running, size: Size) -> Result<Figures> {
    let count = size.connections.unwrap_or(CONNECTIONS).max(1);
    let bytes = size.bytes.unwrap_or(BYTES);
    let protocol = server.protocol();
    let mut engine = Engine::of(server)?;
    engine.open(protocol, Role::Client, 1, PATIENCE)?;
    engine.open(protocol, Role::Publisher, 1 + count, PATIENCE)?;
    let mut out = Vec::new();
    protocol.bind(CLIENT, CHANNEL, &mut out);
    engine.send(CLIENT, &out)?;
    wait(
        &mut engine,
        protocol,
        "the bind to succeed",
        &mut |_, message| Ok(matches!(message, Message::Done { .. })),
    )?;

    let mut senders = Senders::new(count);
    let mut figures = Figures::new();
    let loads = Loads::begin(server)?;
    let end = now() + Duration::from_secs(size.seconds);
    while now() < end {
        senders.send(&mut engine, protocol, bytes)?;
        senders.turn(&mut engine, protocol)?;
    }
    let (cpu, took) = loads.end(&mut figures)?;
    let answered = senders.answered as f64;
    senders.settle(&mut engine, protocol)?;
    figures.insert("requests/s", answered / took.as_secs_f64());
    figures.insert("CPU µs/request", cpu.total.as_secs_f64() * 1e6 / answered);
    figures.insert("p50 µs", senders.latency.quantile(0.5) / 1e3);
    figures.insert("p99 µs", senders.latency.quantile(0.99) / 1e3);
    Ok(figures)
}

impl Senders {
    fn new(count: usize) -> Self {
        Self {
            sent: (0..count as u64).map(|sender| (sender, 0)).collect(),
            seen: (0..count as u64).collect(),
            idle: (0..count).collect(),
            answered: 0,
            latency: Samples::new(),
        }
    }

    /// Has each that is idle send its next event.
    fn send(&mut self, engine: &mut Engine, protocol: &dyn Protocol, bytes: usize) -> Result<()> {
        for sender in self.idle.drain(..) {
            let sequence = self.sent[sender].0 + self.seen.len() as u64;
            let stamp = Stamp {
                sequence,
                sent_nanos: nanos(),
            };
            self.sent[sender] = (sequence, stamp.sent_nanos);
            let (mut value, mut out) = (Vec::new(), Vec::new());
            stamp.write(bytes, &mut value);
            protocol.publish(sequence, CHANNEL, &value, &mut out);
            engine.send(sender + 1, &out)?;
        }
        Ok(())
    }

    fn turn(&mut self, engine: &mut Engine, protocol: &dyn Protocol) -> Result<()> {
        engine.turn(protocol, &mut |connection, message| match message {
            Message::Change { binding, value } => self.arrived(connection, binding, value),
            Message::Done { .. } => self.answered(connection),
            Message::Ping { .. }
            | Message::Members(_)
            | Message::Several { .. }
            | Message::Other => Ok(()),
        })?;
        Ok(())
    }

    fn answered(&mut self, connection: usize) -> Result<()> {
        let sender = connection.checked_sub(1);
        let sender = sender.context("the client was answered, which asked nothing")?;
        self.answered += 1;
        let (_, since) = self.sent[sender];
        self.latency.offer(nanos().saturating_sub(since));
        self.idle.push(sender);
        Ok(())
    }

    /// Checks an event of the client's: the next one of its sender.
    fn arrived(&mut self, connection: usize, channel: usize, value: &[u8]) -> Result<()> {
        let stamp = Stamp::read(value).context("the client got an event that nobody sent")?;
        let sequence = stamp.sequence;
        let count = self.seen.len() as u64;
        let sender = usize::try_from(sequence % count)?;
        let (last, (newest, _)) = (&mut self.seen[sender], self.sent[sender]);
        if (connection, channel) != (CLIENT, CHANNEL) {
            bail!("connection {connection} got event {sequence} in channel {channel}");
        }
        if sequence != *last + count || sequence > newest {
            bail!("event {sequence} of connection {sender} came after {last}, of {newest}");
        }
        *last = sequence;
        Ok(())
    }

    /// Waits until everything is answered and has arrived.
    fn settle(&mut self, engine: &mut Engine, protocol: &dyn Protocol) -> Result<()> {
        let give_up = now() + PATIENCE;
        loop {
            let mut pairs = self.seen.iter().zip(&self.sent);
            let all_have_come = pairs.all(|(seen, (newest, _))| seen == newest);
            if all_have_come && self.idle.len() == self.seen.len() {
                return Ok(());
            }
            self.turn(engine, protocol)?;
            if now() > give_up {
                bail!(
                    "after {PATIENCE:?} not all requests are answered, or not all events are there"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senders() -> Senders {
        let mut senders = Senders::new(3);
        senders.sent = vec![(3, 0), (7, 0), (5, 0)];
        senders
    }

    fn event(sequence: u64) -> Vec<u8> {
        let mut value = Vec::new();
        let stamp = Stamp {
            sequence,
            sent_nanos: 1,
        };
        stamp.write(0, &mut value);
        value
    }

    #[test]
    fn events_of_several_connections_may_come_in_any_order() {
        for order in [[3, 4, 7, 5], [4, 5, 3, 7], [5, 4, 7, 3]] {
            let mut senders = senders();
            for sequence in order {
                let arrived = senders.arrived(CLIENT, CHANNEL, &event(sequence));
                arrived.expect("it is the next of its connection");
            }
        }
    }

    #[test]
    fn an_event_that_is_missing_doubled_or_of_nobody_is_an_error() {
        for order in [&[7][..], &[3, 3], &[4, 7, 4], &[3, 6]] {
            let mut senders = senders();
            let mut arrived = order
                .iter()
                .map(|sequence| senders.arrived(CLIENT, CHANNEL, &event(*sequence)));
            assert!(arrived.any(|arrived| arrived.is_err()), "{order:?}");
        }
        let elsewhere = senders().arrived(CLIENT, 1, &event(3));
        assert!(elsewhere.is_err());
    }
}
