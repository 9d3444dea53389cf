//! A server that runs: how it is started, what scenarios ask of it, and how one that has ended is told from one that is wrong.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::account::{nanos, now};
use crate::machine::{self, Side};
use crate::protocol::{Layout, PlaceOs, Protocol};
use crate::stream::Trust;
use crate::target::{
    Child, Folder, Launch, Ready, RedisServer, Target, TempFile, accepts, ready_address,
};

/// How long a server whose connections break may take to be seen to have ended.
const END_DEADLINE: Duration = Duration::from_millis(200);

/// A server that runs. One that was started for this ends when this is dropped.
pub(crate) struct Running {
    name: &'static str,
    child: Option<Child>,
    pid: u32,
    address: SocketAddr,
    trust: Trust,
    /// Where riser tells its measures without encryption.
    metrics: SocketAddr,
    protocol: Box<dyn Protocol>,
    /// Further nodes; they end before what they stand on does.
    _others: Vec<Child>,
    redis: Option<RedisServer>,
    _files: Vec<TempFile>,
    _folders: Vec<Folder>,
}

impl Running {
    pub(super) fn start(name: &'static str, launch: Launch) -> Result<Self> {
        let Launch {
            mut command,
            protocol,
            ready,
            trust,
            metrics,
            others,
            redis,
            files,
            folders,
            warm_up,
        } = launch;
        command
            .stdin(Stdio::null())
            .stdout(match ready {
                Ready::Says => Stdio::piped(),
                Ready::Accepts(_) => Stdio::null(),
            })
            .stderr(Stdio::null());
        // A child inherits the core of the thread that starts it.
        machine::pin(Side::Server)?;
        let child = command.spawn();
        machine::pin(Side::Tool)?;
        let child = child.with_context(|| format!("could not start {name}: {command:?}"))?;
        let mut child = Child(child);
        let address = match ready {
            Ready::Says => ready_address(&mut child.0),
            Ready::Accepts(address) => accepts(&mut child.0, address),
        };
        let address = address.and_then(|address| warm_up(address).map(|()| address));
        let address = address.with_context(|| format!("{name} did not come up"))?;
        Ok(Self {
            name,
            pid: child.0.id(),
            child: Some(child),
            address,
            trust,
            metrics: metrics.unwrap_or(address),
            protocol,
            _others: others,
            redis,
            _files: files,
            _folders: folders,
        })
    }

    /// A server that speaks as riser does, and was not started for this.
    pub(crate) fn already(address: SocketAddr, pid: u32, key: &str, layout: Layout) -> Self {
        // The server may still have the values of an earlier run.
        let prefix = format!("s{:x}-", nanos());
        Self {
            name: "the server",
            child: None,
            pid,
            address,
            trust: None,
            metrics: address,
            protocol: Box::new(PlaceOs {
                prefix,
                ..PlaceOs::new(key, layout)
            }),
            _others: Vec::new(),
            redis: None,
            _files: Vec::new(),
            _folders: Vec::new(),
        }
    }

    /// Says of an error that the server has ended, where that is its cause.
    pub(crate) fn blame(&mut self, error: anyhow::Error) -> anyhow::Error {
        let give_up = now() + END_DEADLINE;
        while now() < give_up {
            let end = match &mut self.child {
                Some(child) => match child.0.try_wait() {
                    Ok(Some(status)) => status.to_string(),
                    Ok(None) | Err(_) => continue,
                },
                None if Path::new(&format!("/proc/{}", self.pid)).exists() => continue,
                None => "its process is gone".to_owned(),
            };
            return error.context(format!("{} ended in the run ({end})", self.name));
        }
        error
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it must show of itself.
    pub(crate) fn trust(&self) -> Trust {
        self.trust.clone()
    }

    /// Where riser tells its measures.
    pub(crate) fn metrics_address(&self) -> SocketAddr {
        self.metrics
    }

    /// The Redis below it.
    pub(crate) fn redis(&self) -> Option<&RedisServer> {
        self.redis.as_ref()
    }

    /// Whether it was started as this project's gateway.
    pub(crate) fn is_riser(&self) -> bool {
        [
            Target::Riser,
            Target::RiserHa,
            Target::RiserPusher,
            Target::RiserPlatypush,
            Target::RiserTriggers,
            Target::RiserTls,
            Target::RiserRedis,
            Target::RiserRemote,
        ]
        .map(Target::name)
        .contains(&self.name)
    }

    pub(crate) fn protocol(&self) -> &dyn Protocol {
        &*self.protocol
    }
}
