//! What riser has missed: every status changes in Redis while its subscriptions are lost, and nobody is told.
//!
//! Nothing is published, so each client must get the new value of each status because riser reads it again by itself.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use redis::Connection;

use crate::account::{Cpu, nanos, now};
use crate::engine::Engine;
use crate::machine;
use crate::protocol::keyspace::field;
use crate::protocol::{MODULES, Message, Protocol, Role, Stamp};
use crate::scenario::{Figures, PATIENCE, Size, named};
use crate::target::{RedisServer, Running};

/// Statuses of the last step; each step before has a tenth.
const MOST: usize = 100_000;

/// How many steps there are.
const STEPS: u32 = 3;

/// Bindings of a connection, some less than a connection may have.
const BINDINGS: usize = 5_000;

const BYTES: usize = 300;

/// Fields that are written by one command.
const FIELDS: usize = 500;

/// How the subscriptions are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// Redis ends every connection that subscribes.
    Killed,
    /// Redis itself ends, and starts again with its data.
    Restarted,
}

struct Panels<'a> {
    engine: Engine,
    protocol: &'a dyn Protocol,
    /// The round of the newest value of each status.
    seen: Vec<u64>,
    bytes: usize,
}

/// From the loss until every client has every value, in steps of statuses.
pub(super) fn steps(server: &Running, size: Size, loss: Loss) -> Result<Figures> {
    let redis = server
        .redis()
        .context("it has no Redis whose loss could be seen")?;
    let most = size.connections.unwrap_or(MOST);
    machine::allow(most.div_ceil(BINDINGS), server.pid())?;
    let mut panels = Panels {
        engine: Engine::of(server)?,
        protocol: server.protocol(),
        seen: Vec::new(),
        bytes: size.bytes.unwrap_or(BYTES),
    };
    let mut figures = Figures::new();
    let mut round = 0;
    for step in (0..STEPS).rev() {
        let statuses = (most / 10_usize.pow(step)).max(panels.seen.len() + 1);
        round += 1;
        panels.write(&mut redis.connect()?, statuses, round)?;
        panels.bind(statuses, round)?;
        round += 1;
        panels.write(&mut redis.connect()?, statuses, round)?;
        let mut insert = |what: &str, time: Duration| {
            let name = named(&format!("{what} ms at {statuses:>6}"));
            figures.insert(name, time.as_secs_f64() * 1e3);
        };
        let before = lose(redis, server, loss)?;
        if loss == Loss::Restarted {
            redis.connect()?;
            insert("Redis up after", now() - before.at);
        }
        panels.wait_for(round)?;
        insert("true after", now() - before.at);
        insert("CPU", Cpu::of(server.pid())?.since(before.server).total);
        insert("Redis CPU", Cpu::of(redis.pid())?.since(before.redis).total);
    }
    Ok(figures)
}

/// When the loss was, and what both had used by then.
struct Before {
    at: Duration,
    server: Cpu,
    redis: Cpu,
}

/// Brings the loss about.
fn lose(redis: &RedisServer, server: &Running, loss: Loss) -> Result<Before> {
    match loss {
        Loss::Killed => {
            let mut connection = redis.connect()?;
            let before = Before {
                at: now(),
                server: Cpu::of(server.pid())?,
                redis: Cpu::of(redis.pid())?,
            };
            let killed: usize = redis::cmd("CLIENT")
                .arg(&["KILL", "TYPE", "pubsub"])
                .query(&mut connection)?;
            if killed == 0 {
                bail!("riser had no subscriptions in Redis");
            }
            Ok(before)
        }
        Loss::Restarted => {
            redis.stop()?;
            // Counted from its start, so what it takes to read its data is in all figures.
            let before = Before {
                at: now(),
                server: Cpu::of(server.pid())?,
                redis: Cpu::default(),
            };
            redis.start_again()?;
            Ok(before)
        }
    }
}

impl Panels<'_> {
    /// Writes a round's values into Redis, and tells nobody.
    fn write(&self, redis: &mut Connection, statuses: usize, round: u64) -> Result<()> {
        let stamp = Stamp {
            sequence: round,
            sent_nanos: nanos(),
        };
        let mut value = Vec::new();
        stamp.write(self.bytes, &mut value);
        for module in 0..MODULES.min(statuses) {
            let of_module: Vec<usize> = (module..statuses).step_by(MODULES).collect();
            for some in of_module.chunks(FIELDS) {
                let mut command = redis::cmd("HSET");
                command.arg(field(module).0);
                for status in some {
                    command.arg(field(*status).1).arg(&value);
                }
                command
                    .exec(redis)
                    .context("could not write statuses into Redis")?;
            }
        }
        Ok(())
    }

    /// Binds further statuses until there are so many, and waits for the value of each.
    fn bind(&mut self, statuses: usize, round: u64) -> Result<()> {
        let from = self.seen.len();
        self.seen.resize(statuses, 0);
        let connections = statuses.div_ceil(BINDINGS);
        self.engine
            .open(self.protocol, Role::Client, connections, PATIENCE)?;
        let mut out = Vec::new();
        for connection in from / BINDINGS..connections {
            out.clear();
            let first = (connection * BINDINGS).max(from);
            for status in first..statuses.min((connection + 1) * BINDINGS) {
                self.protocol.bind(connection, status, &mut out);
            }
            self.engine.send(connection, &out)?;
        }
        // Those that were bound before are a round behind, as nobody was told of it.
        self.wait(&|seen| seen[from..].iter().all(|seen| *seen == round))
    }

    /// Waits until every status has the value of a round.
    fn wait_for(&mut self, round: u64) -> Result<()> {
        self.wait(&|seen| seen.iter().all(|seen| *seen == round))
    }

    fn wait(&mut self, enough: &dyn Fn(&[u64]) -> bool) -> Result<()> {
        let end = now() + PATIENCE;
        let Self {
            engine,
            protocol,
            seen,
            ..
        } = self;
        let mut news = true;
        while !(news && enough(seen)) {
            news = false;
            engine.turn(*protocol, &mut |connection, message| {
                if let Message::Change { binding, value } = message {
                    let round = Stamp::read(value).map(|stamp| stamp.sequence);
                    match (round, seen.get_mut(binding)) {
                        (Some(round), Some(last))
                            if binding / BINDINGS == connection && round > *last =>
                        {
                            *last = round;
                        }
                        _ => bail!(
                            "connection {connection} got the value of round {round:?} of status {binding} again, or of another's"
                        ),
                    }
                    news = true;
                }
                Ok(())
            })?;
            if now() > end {
                let newest = seen.iter().max().copied().unwrap_or(0);
                let behind = seen.iter().filter(|seen| **seen < newest).count();
                bail!(
                    "waited {PATIENCE:?}, and {behind} of {} statuses are behind the others",
                    seen.len()
                );
            }
        }
        Ok(())
    }
}
