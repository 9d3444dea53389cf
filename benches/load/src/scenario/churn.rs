//! Bind and unbind under load: half of the clients do nothing else, the others and the changes go on.
//!
//! Each bind has a number of its own, so that a value of an ended binding is known from one of the next.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now};
use crate::engine::Engine;
use crate::machine;
use crate::protocol::{Message, Protocol};
use crate::scenario::ledger::Ledger;
use crate::scenario::{Figures, Loads, PATIENCE, Random, Samples, Size};
use crate::target::Running;

const CONNECTIONS: usize = 200;
const STATUSES: usize = 100;

/// Bindings of each client that keeps them.
const KEPT: usize = 10;

/// Changes a second.
const RATE: u32 = 500;

/// How long nothing must come of an ended binding once all is quiet.
const QUIET: Duration = Duration::from_millis(200);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    None,
    Asked,
    Bound,
    Ending,
}

/// What one client and one status have to do with each other.
#[derive(Debug, Clone, Copy)]
struct Follow {
    stage: Stage,
    number: usize,
    /// The first value must not be older.
    owed: u64,
    seen: u64,
}

struct Churn<'a> {
    protocol: &'a dyn Protocol,
    ledger: Ledger,
    follows: Vec<Follow>,
    connections: usize,
    churners: usize,
    /// What each churner waits for: the status, and since when.
    under_way: Vec<Option<(usize, u64)>>,
    binds: usize,
    random: Random,
    trips: Samples,
    latency: Samples,
    requests: u64,
}

/// Binds and unbinds per second, and what the others notice.
pub(super) fn closed(server: &Running, size: Size) -> Result<Figures> {
    let connections = size.connections.unwrap_or(CONNECTIONS).max(2);
    machine::allow(connections + 1, server.pid())?;
    let unbound = Follow {
        stage: Stage::None,
        number: 0,
        owed: 0,
        seen: 0,
    };
    let mut churn = Churn {
        protocol: server.protocol(),
        ledger: Ledger::new(STATUSES, size.bytes.unwrap_or(100)),
        follows: vec![unbound; connections * STATUSES],
        connections,
        churners: connections / 2,
        under_way: vec![None; connections / 2],
        binds: 0,
        random: Random::new(),
        trips: Samples::new(),
        latency: Samples::new(),
        requests: 0,
    };
    let mut engine = Engine::of(server)?;
    engine.open_clients(churn.protocol, connections, PATIENCE)?;
    for status in 0..STATUSES {
        churn.publish(&mut engine, status)?;
    }
    churn.settle(&mut engine)?;
    for connection in churn.churners..connections {
        for at in 0..KEPT {
            let status = (connection + at * (STATUSES / KEPT)) % STATUSES;
            churn.bind(&mut engine, connection, status)?;
        }
    }
    churn.settle(&mut engine)?;
    (churn.latency, churn.trips) = (Samples::new(), Samples::new());

    let mut figures = Figures::new();
    let loads = Loads::begin(server)?;
    let mut next = now();
    let end = next + Duration::from_secs(size.seconds);
    while now() < end {
        if now() >= next {
            let status = churn.random.below(STATUSES);
            churn.publish(&mut engine, status)?;
            next += Duration::from_secs(1) / RATE;
        }
        for connection in 0..churn.churners {
            if churn.under_way[connection].is_none() {
                churn.step(&mut engine, connection)?;
            }
        }
        churn.turn(&mut engine)?;
    }
    let (cpu, took) = loads.end(&mut figures)?;
    let requests = churn.requests as f64;
    churn.settle(&mut engine)?;
    let quiet = now() + QUIET;
    while now() < quiet {
        churn.turn(&mut engine)?;
    }
    figures.insert("requests/s", requests / took.as_secs_f64());
    figures.insert("CPU µs/request", cpu.total.as_secs_f64() * 1e6 / requests);
    figures.insert("trip p50 µs", churn.trips.quantile(0.5) / 1e3);
    figures.insert("trip p99 µs", churn.trips.quantile(0.99) / 1e3);
    figures.insert("notify p50 ms", churn.latency.quantile(0.5) / 1e6);
    figures.insert("notify p99 ms", churn.latency.quantile(0.99) / 1e6);
    Ok(figures)
}

impl Churn<'_> {
    fn publish(&mut self, engine: &mut Engine, status: usize) -> Result<()> {
        let mut out = Vec::new();
        self.ledger.publish(self.protocol, status, &mut out);
        engine.send(self.connections, &out)
    }

    /// Binds what is not bound and ends what is, a status at random.
    fn step(&mut self, engine: &mut Engine, connection: usize) -> Result<()> {
        let status = self.random.below(STATUSES);
        self.under_way[connection] = Some((status, nanos()));
        let follow = &mut self.follows[connection * STATUSES + status];
        if follow.stage == Stage::None {
            return self.bind(engine, connection, status);
        }
        follow.stage = Stage::Ending;
        let mut out = Vec::new();
        self.protocol
            .unbind(follow.number as u64, status, &mut out)?;
        engine.send(connection, &out)
    }

    fn bind(&mut self, engine: &mut Engine, connection: usize, status: usize) -> Result<()> {
        let number = self.binds * STATUSES + status;
        self.binds += 1;
        self.follows[connection * STATUSES + status] = Follow {
            stage: Stage::Asked,
            number,
            owed: self.ledger.acknowledged(status),
            seen: 0,
        };
        let mut out = Vec::new();
        self.protocol.bind_as(number, status, &mut out)?;
        engine.send(connection, &out)
    }

    fn turn(&mut self, engine: &mut Engine) -> Result<()> {
        let protocol = self.protocol;
        engine.turn(protocol, &mut |connection, message| match message {
            Message::Change { binding, value } => self.change(connection, binding, value),
            Message::Done { request } if connection == self.connections => {
                self.ledger.done(request)
            }
            Message::Done { request } => self.done(connection, request),
            Message::Ping { .. }
            | Message::Members(_)
            | Message::Several { .. }
            | Message::Other => Ok(()),
        })?;
        Ok(())
    }

    fn change(&mut self, connection: usize, number: usize, value: &[u8]) -> Result<()> {
        let status = number % STATUSES;
        let Some(follow) = self.follows.get_mut(connection * STATUSES + status) else {
            bail!("the publisher got a value of status {status}, which it never bound");
        };
        if follow.number != number || matches!(follow.stage, Stage::None | Stage::Asked) {
            bail!(
                "connection {connection} got a value of its binding {number} of status {status}; \
                 its newest is {} and {}",
                follow.number,
                match follow.stage {
                    Stage::None => "its end has been confirmed",
                    Stage::Asked => "has not been confirmed yet",
                    Stage::Bound | Stage::Ending => "goes on",
                }
            );
        }
        let first = follow.seen == 0;
        let stamp = self.ledger.check(status, value, &mut follow.seen)?;
        if first && stamp.sequence < follow.owed {
            bail!(
                "connection {connection} bound status {status} after change {} was confirmed, and first got {}",
                follow.owed,
                stamp.sequence
            );
        }
        if connection >= self.churners {
            let taken = nanos().saturating_sub(stamp.sent_nanos);
            self.latency.offer(taken);
        } else if first && follow.stage == Stage::Bound {
            self.finish(connection);
        }
        Ok(())
    }

    fn done(&mut self, connection: usize, request: u64) -> Result<()> {
        let status = if connection < self.churners {
            self.under_way[connection].map(|(status, _)| status)
        } else {
            usize::try_from(request)
                .ok()
                .and_then(|number| number.checked_sub(1))
                .map(|number| number % STATUSES)
        };
        let follow = status.and_then(|status| self.follows.get_mut(connection * STATUSES + status));
        match follow {
            Some(follow) if follow.stage == Stage::Asked && request == follow.number as u64 + 1 => {
                follow.stage = Stage::Bound;
            }
            Some(follow) if follow.stage == Stage::Ending && request == follow.number as u64 => {
                follow.stage = Stage::None;
                self.finish(connection);
            }
            _ => bail!(
                "connection {connection} was answered request {request}, which was not under way"
            ),
        }
        Ok(())
    }

    /// A churner has what it asked for: the end of a binding, or a binding and its value.
    fn finish(&mut self, connection: usize) {
        if let Some((_, since)) = self.under_way[connection].take() {
            self.trips.offer(nanos().saturating_sub(since));
            self.requests += 1;
        }
    }

    /// Waits until nothing is under way and every binding has the last value of its status.
    fn settle(&mut self, engine: &mut Engine) -> Result<()> {
        let give_up = now() + PATIENCE;
        loop {
            self.turn(engine)?;
            let waiting = self.under_way.iter().flatten().count();
            let behind = self.follows.iter().enumerate().filter(|(at, follow)| {
                follow.stage != Stage::None && follow.seen != self.ledger.newest(at % STATUSES)
            });
            let behind = behind.count();
            if waiting == 0 && behind == 0 && self.ledger.is_settled() {
                return Ok(());
            }
            if now() > give_up {
                bail!(
                    "after {PATIENCE:?} {waiting} clients wait for a bind's value or an unbind's success, \
                     and {behind} bindings lack the last value"
                );
            }
        }
    }
}
