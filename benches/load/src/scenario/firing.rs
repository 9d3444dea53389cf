//! What a trigger adds between what happens and what is done of it: an action by a call, by an event and by the edge of a status, in turn and one at a time.
//!
//! The action is the same for all three: a status is set, which a client follows. Before the next one it has to have this one, and no other.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::account::{nanos, now};
use crate::engine::Engine;
use crate::protocol::{Announcer, Message, Protocol, Role, number};
use crate::scenario::{Figures, Loads, PATIENCE, Samples, Size, named, wait};
use crate::target::{KEY, Running, TARGETS};

/// As many as a floor of a building has.
const TRIGGERS: usize = 100;

/// How long it goes on before it is measured.
const WARM_UP: Duration = Duration::from_millis(300);

/// How long a trigger that may not have come up yet is waited for before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The client's connection, and behind it that of who calls.
const CLIENT: usize = 0;
const CALLER: usize = 1;

/// The ways to have something done, in their turn.
const WAYS: [Way; 3] = [Way::Call, Way::Event, Way::Edge];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Call,
    Event,
    Edge,
}

/// How many triggers a building has for this.
pub(crate) fn triggers(size: Size) -> usize {
    size.triggers.unwrap_or(TRIGGERS).max(2)
}

/// A client, one who calls, and one who announces events.
pub(super) struct Building<'a> {
    pub(super) clients: Engine,
    pub(super) protocol: &'a dyn Protocol,
    events: Engine,
    announcer: Announcer,
    requests: u64,
    announced: u64,
}

/// The time of each way, and of the ways by triggers as a multiple of a call's.
pub(super) fn trips(server: &Running, size: Size) -> Result<Figures> {
    let mut building = Building::of(server)?;
    for target in 0..TARGETS {
        building.bind(target)?;
    }
    let pairs = triggers(size) / 2;
    building.await_triggers(pairs)?;
    let mut latency = WAYS.map(|_| Samples::new());
    rounds(
        &mut building,
        pairs,
        WARM_UP,
        &mut WAYS.map(|_| Samples::new()),
    )?;
    let mut figures = Figures::new();
    let loads = Loads::begin(server)?;
    rounds(
        &mut building,
        pairs,
        Duration::from_secs(size.seconds),
        &mut latency,
    )?;
    loads.end(&mut figures)?;
    let call = latency[0].quantile(0.5);
    for (way, samples) in WAYS.into_iter().zip(&mut latency) {
        let name = way.name();
        let median = samples.quantile(0.5);
        figures.insert(named(&format!("{name} p50 µs")), median / 1e3);
        figures.insert(
            named(&format!("{name} p99 µs")),
            samples.quantile(0.99) / 1e3,
        );
        if way != Way::Call {
            figures.insert(named(&format!("{name} ÷ call")), median / call);
        }
    }
    Ok(figures)
}

/// Each way in turn, each time by the triggers of another pair: none of them may fire too often.
fn rounds(
    building: &mut Building<'_>,
    pairs: usize,
    time: Duration,
    latency: &mut [Samples; WAYS.len()],
) -> Result<()> {
    let end = now() + time;
    for pair in (0..pairs).cycle() {
        for (way, samples) in WAYS.into_iter().zip(&mut *latency) {
            samples.offer(building.trip(way, pair)?);
        }
        if now() >= end {
            break;
        }
    }
    Ok(())
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Event => "event",
            Self::Edge => "edge",
        }
    }
}

impl<'a> Building<'a> {
    pub(super) fn of(server: &'a Running) -> Result<Self> {
        if !server.is_riser() {
            bail!("the triggers are those of a riser that the tool has started");
        }
        let protocol = server.protocol();
        let (mut clients, mut events) = (Engine::of(server)?, Engine::of(server)?);
        clients.open(protocol, Role::Client, CALLER + 1, PATIENCE)?;
        let announcer = Announcer::new(KEY);
        events.open(&announcer, Role::Client, 1, PATIENCE)?;
        Ok(Self {
            clients,
            protocol,
            events,
            announcer,
            requests: 0,
            announced: 0,
        })
    }

    /// The client follows a status.
    pub(super) fn bind(&mut self, status: usize) -> Result<()> {
        let mut out = Vec::new();
        self.protocol.bind(CLIENT, status, &mut out);
        self.clients.send(CLIENT, &out)?;
        let what = "the bind to succeed";
        wait(&mut self.clients, self.protocol, what, &mut |_, message| {
            Ok(matches!(message, Message::Done { .. }))
        })
    }

    /// Sets a status by a call, without waiting for what comes of it.
    fn set(&mut self, status: usize, value: i64) -> Result<()> {
        self.requests += 1;
        let mut out = Vec::new();
        let value = value.to_string();
        self.protocol
            .publish(self.requests, status, value.as_bytes(), &mut out);
        self.clients.send(CALLER, &out)
    }

    /// Sets a status and waits until that is answered and, where the client follows the status, until it has the value.
    pub(super) fn set_and_wait(&mut self, status: usize, value: i64, is_bound: bool) -> Result<()> {
        self.set(status, value)?;
        let (text, last) = (value.to_string(), self.requests);
        let (mut is_answered, mut has_come) = (false, !is_bound);
        let what = "a status to be set";
        wait(
            &mut self.clients,
            self.protocol,
            what,
            &mut |from, message| {
                match message {
                    Message::Done { request } => is_answered |= request == last,
                    Message::Change { binding, value } => {
                        let is_it = binding == status && value.starts_with(text.as_bytes());
                        if !is_it || has_come {
                            bail!(
                                "connection {from} got a change of status {binding} that nobody made"
                            );
                        }
                        has_come = true;
                    }
                    Message::Ping { .. }
                    | Message::Members(_)
                    | Message::Several { .. }
                    | Message::Other => {}
                }
                Ok(is_answered && has_come)
            },
        )
    }

    /// Announces the event of a number, without waiting for what comes of it.
    fn announce(&mut self, event: usize, value: u64) -> Result<()> {
        self.announced += 1;
        let mut out = Vec::new();
        let value = value.to_string();
        self.announcer
            .publish(self.announced, event, value.as_bytes(), &mut out);
        self.events.send(0, &out)
    }

    /// Announces it, and waits until that is answered.
    pub(super) fn announce_and_wait(&mut self, event: usize) -> Result<()> {
        self.announce(event, 0)?;
        let what = "an event to be announced";
        wait(
            &mut self.events,
            &self.announcer,
            what,
            &mut |_, message| Ok(matches!(message, Message::Done { .. })),
        )
    }

    /// Has something done and returns the nanoseconds until the client has seen it. What a trigger waits for is as before afterwards.
    fn trip(&mut self, way: Way, pair: usize) -> Result<u64> {
        let Some(took) = self.try_trip(way, pair, PATIENCE)? else {
            bail!(
                "after {PATIENCE:?} nothing has come of the {} of pair {pair}",
                way.name()
            );
        };
        Ok(took)
    }

    /// The same; `None` when nothing comes of it in this time.
    fn try_trip(&mut self, way: Way, pair: usize, patience: Duration) -> Result<Option<u64>> {
        let (target, edge) = (pair % TARGETS, TARGETS + pair);
        let value = self.requests + self.announced + 1;
        let (sent, give_up) = (nanos(), now() + patience);
        match way {
            Way::Call => self.set(target, i64::try_from(value)?)?,
            Way::Event => self.announce(pair, value)?,
            Way::Edge => self.set(edge, i64::try_from(value)?)?,
        }
        let mut came = None;
        while came.is_none() && now() < give_up {
            self.clients.turn(self.protocol, &mut |from, message| {
                if let Message::Change { binding, value: seen } = message {
                    let seen = number(seen).map(|(seen, _)| seen);
                    if (from, binding, seen) != (CLIENT, target, Some(value)) {
                        bail!("connection {from} got {seen:?} of status {binding}, where {value} of status {target} was set");
                    }
                    if came.replace(nanos()).is_some() {
                        bail!("the {} of pair {pair} had its action done twice", way.name());
                    }
                }
                Ok(())
            })?;
            self.events.turn(&self.announcer, &mut |_, _| Ok(()))?;
        }
        match way {
            Way::Call | Way::Event => {}
            Way::Edge => self.set_and_wait(edge, 0, false)?,
        }
        Ok(came.map(|came| came.saturating_sub(sent)))
    }

    /// Waits until the triggers of all pairs fire. They come up behind the server, and what happens before goes by them.
    fn await_triggers(&mut self, pairs: usize) -> Result<()> {
        let give_up = now() + PATIENCE;
        for pair in 0..pairs {
            for way in [Way::Event, Way::Edge] {
                while self.try_trip(way, pair, RETRY)?.is_none() {
                    if now() > give_up {
                        bail!(
                            "the trigger of the {} of pair {pair} has not come up in {PATIENCE:?}",
                            way.name()
                        );
                    }
                }
            }
        }
        Ok(())
    }
}
