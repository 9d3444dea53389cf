//! The cost of a change as bindings of other statuses become more: none of them has to do with it.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::now;
use crate::engine::Engine;
use crate::machine;
use crate::protocol::{Message, Protocol, Stamp};
use crate::scenario::{Figures, Loads, PATIENCE, Size, named, wait};
use crate::target::Running;

const CONNECTIONS: usize = 500;

/// Those who follow the status that changes; few, so that finding them is a good part of the cost.
const FOLLOWERS: usize = 10;

/// Bindings of each connection, step by step.
const STEPS: [usize; 4] = [1, 10, 100, 200];

/// The status that changes.
const CHANGING: usize = 0;

struct Spread<'a> {
    engine: Engine,
    protocol: &'a dyn Protocol,
    connections: usize,
    followers: usize,
    bytes: usize,
    /// The newest value of each follower.
    seen: Vec<u64>,
    sequence: u64,
}

/// One change at a time, in steps of bindings on one server.
pub(super) fn steps(server: &Running, size: Size) -> Result<Figures> {
    let connections = size.connections.unwrap_or(CONNECTIONS);
    machine::allow(connections + 1, server.pid())?;
    let mut spread = Spread {
        engine: Engine::of(server)?,
        protocol: server.protocol(),
        connections,
        followers: FOLLOWERS.min(connections),
        bytes: size.bytes.unwrap_or(100),
        seen: vec![0; FOLLOWERS.min(connections)],
        sequence: 0,
    };
    let Spread {
        engine, protocol, ..
    } = &mut spread;
    engine.open_clients(*protocol, connections, PATIENCE)?;
    let mut figures = Figures::new();
    let mut costs = Vec::new();
    let mut each = 0;
    for step in STEPS {
        spread.bind(each, step)?;
        each = step;
        spread.changes(Duration::from_millis(300))?;
        let loads = Loads::begin(server)?;
        let changes = spread.changes(Duration::from_secs(size.seconds))?;
        let (cpu, _) = loads.end(&mut figures)?;
        let cost = cpu.total.as_secs_f64() * 1e6 / changes as f64;
        let bindings = connections * step;
        figures.insert(named(&format!("CPU µs at {bindings:>6}")), cost);
        costs.push(cost);
    }
    if let [first, .., last] = costs[..] {
        figures.insert("growth", last / first);
    }
    Ok(figures)
}

impl Spread<'_> {
    /// Gives every connection its bindings from one number to another. But for the one that changes, no two have the same status.
    fn bind(&mut self, from: usize, to: usize) -> Result<()> {
        let mut out = Vec::new();
        for connection in 0..self.connections {
            out.clear();
            for binding in from..to {
                let status = if binding == 0 && connection < self.followers {
                    CHANGING
                } else {
                    1 + binding * self.connections + connection
                };
                self.protocol.bind(connection, status, &mut out);
            }
            self.engine.send(connection, &out)?;
        }
        let mut missing = self.connections * (to - from);
        let what = "every bind to succeed";
        wait(&mut self.engine, self.protocol, what, &mut |_, message| {
            if matches!(message, Message::Done { .. }) {
                missing -= 1;
            }
            Ok(missing == 0)
        })
    }

    /// Changes, each when all followers have the last one, and says how many.
    fn changes(&mut self, time: Duration) -> Result<u64> {
        let end = now() + time;
        let mut changes = 0;
        let (mut value, mut out) = (Vec::new(), Vec::new());
        while now() < end {
            self.sequence += 1;
            value.clear();
            out.clear();
            let stamp = Stamp {
                sequence: self.sequence,
                sent_nanos: 0,
            };
            stamp.write(self.bytes, &mut value);
            let request = self.sequence;
            self.protocol.publish(request, CHANGING, &value, &mut out);
            self.engine.send(self.connections, &out)?;
            let (mut missing, mut answered) = (self.followers, false);
            let seen = &mut self.seen;
            let what = "all followers to have a change";
            wait(
                &mut self.engine,
                self.protocol,
                what,
                &mut |from, message| {
                    match message {
                        Message::Change { binding, value } => {
                            let got = Stamp::read(value).map(|stamp| stamp.sequence);
                            match seen.get_mut(from) {
                                Some(last) if binding == CHANGING && got == Some(*last + 1) => {
                                    *last += 1;
                                }
                                _ => bail!(
                                    "connection {from} got change {got:?} of status {binding} \
                                 when {request} was the newest of status {CHANGING}"
                                ),
                            }
                            missing -= 1;
                        }
                        Message::Done { .. } => answered = true,
                        Message::Ping { .. }
                        | Message::Members(_)
                        | Message::Several { .. }
                        | Message::Other => {}
                    }
                    Ok(missing == 0 && answered)
                },
            )?;
            changes += 1;
        }
        Ok(changes)
    }
}
