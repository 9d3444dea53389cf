//! What is done to a server, each scenario one word on the command line.
//!
//! Every delivery is checked: the right connection and binding, in order, none twice, the last one true.
//! A run with one wrong delivery is an error and has no figure.

mod bare;
mod churn;
mod connect;
mod exec;
mod fanout;
mod growth;
mod idle;
mod ledger;
mod leftovers;
mod mixed;
mod rate;
mod resync;
mod slow;
mod spread;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::account::{Cpu, now};
use crate::engine::{Engine, Reading};
use crate::machine;
use crate::protocol::{Ids, Message, Protocol, Stamp};
use crate::scenario::resync::Loss;
use crate::target::Running;

/// How long anything that a scenario waits for may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// One change at a time to 1000 connections: the next when all have it.
    Fanout,
    /// 32 changes pending to 1000 connections.
    Pending,
    /// 32 changes pending, every client with ids of its own.
    Own,
    /// Bursts of 20 changes to 500 connections.
    Burst,
    /// 50 changes a second to 1000 connections: latency at an easy rate.
    Easy,
    /// 500 changes a second to 1000 connections: latency at the edge.
    Overload,
    /// Calls over 64 connections, one at a time on each.
    Exec,
    /// Calls over one connection.
    Trip,
    /// Connect, authenticate and bind, over and over.
    Connect,
    /// Memory of idle connections.
    Idle,
    /// Memory of further bindings.
    Bindings,
    /// One change at a time to 1000, 2000, 4000 and 8000 connections: the cost of a notify must not grow.
    Growth,
    /// One status changes while up to 100 000 bindings of others exist: the cost of a change must not grow.
    Spread,
    /// Half of the clients bind and unbind all the time, while changes go by.
    Churn,
    /// A campus at work: 2000 panels with 20 bindings each, 200 consoles that call. With --seconds 600 a soak.
    Mixed,
    /// 20 of 100 clients stop reading for a while; p99 is the latency of the others.
    Slow,
    /// 500 of 1000 clients do.
    SlowHalf,
    /// All do.
    SlowAll,
    /// Redis drops riser's subscriptions to 1000, 10 000, 100 000 statuses, which change meanwhile: until all are true again.
    Resync,
    /// Redis has stopped and starts again with its data, likewise: from its start.
    Restart,
}

/// The figures of both sides' loads: how much of a core each used.
pub(crate) const SERVER_LOAD: &str = "server load";
pub(crate) const TOOL_LOAD: &str = "tool load";

/// How much of a core the Redis below riser used.
const REDIS_LOAD: &str = "Redis load";

/// What a run measured, by name. All are "per something" or times, so that runs of different length compare.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// How a run is sized; what is absent is the scenario's own.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Size {
    /// How many connections.
    #[arg(long)]
    pub(crate) connections: Option<usize>,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// The size of a value in bytes.
    #[arg(long)]
    pub(crate) bytes: Option<usize>,
}

/// A figure's name that is put together, such as one for each step. It is kept for good: there are few, however many rounds.
pub(super) fn named(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = name.to_owned().leak();
    names.insert(kept);
    kept
}

impl Scenario {
    /// The word on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Pending => "pending",
            Self::Own => "own",
            Self::Burst => "burst",
            Self::Easy => "easy",
            Self::Overload => "overload",
            Self::Exec => "exec",
            Self::Trip => "trip",
            Self::Connect => "connect",
            Self::Idle => "idle",
            Self::Bindings => "bindings",
            Self::Growth => "growth",
            Self::Spread => "spread",
            Self::Churn => "churn",
            Self::Mixed => "mixed",
            Self::Slow => "slow",
            Self::SlowHalf => "slow-half",
            Self::SlowAll => "slow-all",
            Self::Resync => "resync",
            Self::Restart => "restart",
        }
    }

    /// What it is, in one line.
    pub(crate) fn help(self) -> String {
        self.to_possible_value()
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }

    /// How the clients of this scenario number their bindings.
    pub(crate) fn ids(self) -> Ids {
        if self == Self::Own {
            Ids::Own
        } else {
            Ids::Alike
        }
    }

    /// Whether it is about what happens to the Redis below a server.
    pub(crate) fn is_about_redis(self) -> bool {
        matches!(self, Self::Resync | Self::Restart)
    }

    /// Does it to a server that has just been started.
    pub(crate) fn run(self, server: &Running, size: Size) -> Result<Figures> {
        let asks_for_more = matches!(self, Self::Churn | Self::Mixed);
        if asks_for_more && server.protocol().publishers().is_some() {
            bail!(
                "a change that Redis has confirmed is still on its way to riser, and whoever binds then may first get the one before"
            );
        }
        match self {
            Self::Fanout => fanout::closed(server, size, 1000, 1),
            Self::Pending | Self::Own => fanout::closed(server, size, 1000, 32),
            Self::Burst => fanout::closed(server, size, 500, 20),
            Self::Easy => rate::open(server, size, 50),
            Self::Overload => rate::open(server, size, 500),
            Self::Exec => exec::closed(server, size, 64),
            Self::Trip => exec::closed(server, size, 1),
            Self::Connect => connect::storm(server, size),
            Self::Idle => idle::connections(server, size),
            Self::Bindings => idle::bindings(server, size),
            Self::Growth => growth::steps(server, size),
            Self::Spread => spread::steps(server, size),
            Self::Churn => churn::closed(server, size),
            Self::Mixed => mixed::campus(server, size),
            Self::Slow => slow::stopped(server, size, &slow::SOME),
            Self::SlowHalf => slow::stopped(server, size, &slow::HALF),
            Self::SlowAll => slow::stopped(server, size, &slow::ALL),
            Self::Resync => resync::steps(server, size, Loss::Killed),
            Self::Restart => resync::steps(server, size, Loss::Restarted),
        }
    }
}

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

fn check(
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

/// The loads of both sides while something was measured.
pub(super) struct Loads {
    server: u32,
    redis: Option<(u32, Cpu)>,
    before: (Cpu, Cpu),
    began: Duration,
}

impl Loads {
    pub(super) fn begin(server: &Running) -> Result<Self> {
        let redis = server.redis().map(|redis| redis.pid());
        let redis = redis.map(|pid| Cpu::of(pid).map(|cpu| (pid, cpu)));
        Ok(Self {
            server: server.pid(),
            redis: redis.transpose()?,
            before: (Cpu::of(server.pid())?, Cpu::of(std::process::id())?),
            began: now(),
        })
    }

    /// Ends the measurement: what the server used and how long it took. Both loads become figures.
    pub(super) fn end(self, figures: &mut Figures) -> Result<(Cpu, Duration)> {
        let took = now() - self.began;
        let server = Cpu::of(self.server)?.since(self.before.0);
        let tool = Cpu::of(std::process::id())?.since(self.before.1);
        if let Some((pid, before)) = self.redis {
            let redis = Cpu::of(pid)?.since(before);
            figures.insert(REDIS_LOAD, redis.total.as_secs_f64() / took.as_secs_f64());
        }
        figures.insert(SERVER_LOAD, server.total.as_secs_f64() / took.as_secs_f64());
        figures.insert(TOOL_LOAD, tool.total.as_secs_f64() / took.as_secs_f64());
        Ok((server, took))
    }
}

/// The value below which this share of the samples lies. Sorts them.
pub(super) fn quantile(samples: &mut [u64], share: f64) -> f64 {
    samples.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    let at = (samples.len() as f64 * share) as usize;
    samples
        .get(at.min(samples.len().saturating_sub(1)))
        .map_or(0.0, |sample| *sample as f64)
}

/// Numbers that look random, the same in every run (xorshift).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

/// Takes samples evenly, so that memory is bounded whatever the rate.
#[derive(Debug)]
pub(super) struct Samples {
    values: Vec<u64>,
    every: u64,
    offered: u64,
}

/// How many samples are kept; their order statistics are steady long before that.
const SAMPLES_MAX: usize = 1 << 20;

impl Samples {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::new(),
            every: 1,
            offered: 0,
        }
    }

    pub(super) fn offer(&mut self, sample: u64) {
        self.offered += 1;
        if !self.offered.is_multiple_of(self.every) {
            return;
        }
        if self.values.len() == SAMPLES_MAX {
            let mut keep = false;
            self.values.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
        self.values.push(sample);
    }

    /// Takes those of another, each once.
    pub(super) fn append(&mut self, other: Self) {
        for sample in other.values {
            self.offer(sample);
        }
    }

    pub(super) fn quantile(&mut self, share: f64) -> f64 {
        quantile(&mut self.values, share)
    }
}
