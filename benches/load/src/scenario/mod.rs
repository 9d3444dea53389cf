//! What is done to a server, each scenario one word on the command line.
//!
//! Every delivery is checked: the right connection and binding, in order, none twice, the last one true.
//! A run with one wrong delivery is an error and has no figure.

mod bare;
mod churn;
mod clients;
mod connect;
pub(crate) mod entities;
mod exec;
mod fanout;
mod firing;
mod growth;
mod idle;
mod ledger;
mod leftovers;
mod mixed;
mod presence;
mod rate;
mod resync;
mod samples;
mod slow;
mod spread;
mod topics;
mod trigger;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::account::{Cpu, now};
use crate::protocol::{Ids, Layout, MODULES, Publishers};
use crate::scenario::clients::{Clients, Gaps, check, wait};
use crate::scenario::resync::Loss;
use crate::scenario::samples::{Random, Samples};
use crate::target::{Running, Target};

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
    /// 1000 clients that each follow 500 entities of 50 modules: one change at a time, then 32 pending; a message has 250 bytes.
    Entities,
    /// A server publishes to a channel of 1000 clients: one event at a time, then batches of 32; a message has 250 bytes.
    Topics,
    /// 64 connections of a server publish to a channel, one request at a time on each.
    Trigger,
    /// 1000 clients become members of a channel, 20 at a time, and all are told of each; then they leave likewise.
    Presence,
    /// A trigger's action after an event and after the edge of a status, beside the same action by a call; one at a time.
    Firing,
    /// What 10 000 triggers cost that do not fire: memory, and the cost of an event that none waits for, of a change that none does, and of one that one does.
    Watched,
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
    /// How many entities each client follows, where it follows many; ten are in a module.
    #[arg(long)]
    pub(crate) entities: Option<usize>,
    /// How many triggers the building has, where it has any; half of them wait for events and half for statuses.
    #[arg(long)]
    pub(crate) triggers: Option<usize>,
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
            Self::Entities => "entities",
            Self::Topics => "topics",
            Self::Trigger => "trigger",
            Self::Presence => "presence",
            Self::Firing => "firing",
            Self::Watched => "watched",
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

    /// What its clients follow.
    pub(crate) fn layout(self, size: Size) -> Layout {
        Layout {
            ids: if self == Self::Own {
                Ids::Own
            } else {
                Ids::Alike
            },
            modules: if self == Self::Entities {
                entities::modules(size.entities)
            } else {
                MODULES
            },
            publishers: if matches!(self, Self::Topics | Self::Trigger) {
                Publishers::Server
            } else {
                Publishers::Client
            },
            triggers: if self == Self::Firing {
                firing::triggers(size)
            } else {
                watched::triggers(size)
            },
        }
    }

    /// Whether a server and what its clients speak have all that this asks for, so that it belongs among everything that is done to it.
    pub(crate) fn fits(self, target: Target) -> bool {
        if target.answers_alone() {
            return matches!(self, Self::Exec | Self::Trip);
        }
        match self {
            Self::Fanout | Self::Pending | Self::Burst | Self::Easy | Self::Overload => true,
            // Clients name channels and number nothing; of what is published there each counts, and not the last one alone.
            Self::Own | Self::Slow | Self::SlowHalf | Self::SlowAll => {
                target != Target::RiserPusher
            }
            Self::Entities => target.keeps_values(),
            Self::Topics => target.has_channels() || target == Target::Limit,
            Self::Trigger | Self::Presence => target.has_channels(),
            Self::Connect | Self::Idle => target != Target::RiserHa,
            Self::Exec
            | Self::Trip
            | Self::Bindings
            | Self::Growth
            | Self::Spread
            | Self::Churn
            | Self::Mixed => !matches!(target, Target::RiserHa | Target::RiserPusher),
            Self::Firing => target == Target::RiserTriggers,
            Self::Watched => matches!(target, Target::Riser | Target::RiserTriggers),
            Self::Resync | Self::Restart => target.stands_on_redis(),
        }
    }

    /// Does it to a server that has just been started.
    pub(crate) fn run(self, server: &Running, size: Size) -> Result<Figures> {
        let asks_for_more = matches!(self, Self::Churn | Self::Mixed);
        if asks_for_more && server.redis().is_some() {
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
            Self::Entities => entities::followed(server, size),
            Self::Topics => topics::published(server, size),
            Self::Trigger => trigger::closed(server, size),
            Self::Presence => presence::cycles(server, size),
            Self::Firing => firing::trips(server, size),
            Self::Watched => watched::cost(server, size),
            Self::Resync => resync::steps(server, size, Loss::Killed),
            Self::Restart => resync::steps(server, size, Loss::Restarted),
        }
    }
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
            before: (
                Cpu::with_descendants(server.pid())?,
                Cpu::of(std::process::id())?,
            ),
            began: now(),
        })
    }

    /// Ends the measurement: what the server used and how long it took. Both loads become figures.
    pub(super) fn end(self, figures: &mut Figures) -> Result<(Cpu, Duration)> {
        let took = now() - self.began;
        let server = Cpu::with_descendants(self.server)?.since(self.before.0);
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
