//! The servers that can be measured: how each is made ready and started, and what its clients speak.
//!
//! A family of peers has a file of its own below.

mod brokers;
mod building;
mod install;
mod own;
mod platypush;
mod redis_server;
mod running;
mod web;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use building::app;
pub(crate) use building::{KEY, TARGETS, building};
use building::{procedure, with_triggers};
pub(crate) use redis_server::RedisServer;
pub(crate) use running::Running;

use crate::account::{self, now};
use crate::protocol::{Layout, PlaceOs, Protocol};
use crate::stream::Trust;

/// How long a server may take to say that it is ready.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A server that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Target {
    /// This project's gateway.
    Riser,
    /// The same, by Home Assistant's websocket.
    RiserHa,
    /// The same, by Pusher's protocol.
    RiserPusher,
    /// The same, by Platypush's `POST /execute`.
    RiserPlatypush,
    /// The same with triggers.
    RiserTriggers,
    /// The same by TLS.
    RiserTls,
    /// The same on a Redis, where the changes are published.
    RiserRedis,
    /// The same on a Redis, and its modules run on another node.
    RiserRemote,
    /// The least that a server can do.
    Limit,
    /// uWebSockets, C++.
    Uws,
    /// Bun's own websocket server, JavaScript.
    Bun,
    /// Node.js with ws.
    Node,
    /// Redis, publish and subscribe; no websocket.
    Redis,
    /// NATS over websockets.
    Nats,
    /// Mosquitto, MQTT over websockets.
    Mosquitto,
    /// Sockudo, Pusher's protocol.
    Sockudo,
    /// Platypush, of whose protocol `POST /execute` is.
    Platypush,
}

/// How a server is started.
struct Launch {
    command: Command,
    protocol: Box<dyn Protocol>,
    ready: Ready,
    trust: Trust,
    /// Where riser tells its measures, when not beside everything else.
    metrics: Option<SocketAddr>,
    /// Further nodes that have been started already.
    others: Vec<Child>,
    /// What it stands on.
    redis: Option<RedisServer>,
    files: Vec<TempFile>,
    folders: Vec<Folder>,
    /// What is waited for once it is ready.
    warm_up: Box<dyn FnOnce(SocketAddr) -> Result<()>>,
}

/// A process that ends when this is dropped, with all that it has started.
struct Child(process::Child);

/// How a server shows that it is ready.
enum Ready {
    /// A line on stdout says where it listens.
    Says,
    /// It accepts connections there.
    Accepts(SocketAddr),
}

struct TempFile(PathBuf);

/// A folder that goes with all that is in it.
struct Folder(PathBuf);

impl Folder {
    /// A folder for a server to write in; one at a time of each name.
    fn make(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("could not make {}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl TempFile {
    /// A file for a server to read; one at a time of each name.
    fn write(name: &str, content: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("load-{}-{name}", std::process::id()));
        std::fs::write(&path, content)
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Target {
    /// The word in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Riser => "riser",
            Self::RiserHa => "riser-ha",
            Self::RiserPusher => "riser-pusher",
            Self::RiserPlatypush => "riser-platypush",
            Self::RiserTriggers => "riser-triggers",
            Self::RiserTls => "riser-tls",
            Self::RiserRedis => "riser-redis",
            Self::RiserRemote => "riser-remote",
            Self::Limit => "limit",
            Self::Uws => "uws",
            Self::Bun => "bun",
            Self::Node => "node",
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Mosquitto => "mosquitto",
            Self::Sockudo => "sockudo",
            Self::Platypush => "platypush",
        }
    }

    /// Whether a comparison has failed without it. Of the others, each may be missing on a machine.
    pub(crate) fn is_essential(self) -> bool {
        matches!(
            self,
            Self::Riser
                | Self::RiserHa
                | Self::RiserPusher
                | Self::RiserPlatypush
                | Self::RiserTriggers
                | Self::RiserTls
                | Self::RiserRedis
                | Self::RiserRemote
                | Self::Limit
        )
    }

    /// Whether it is riser with a Redis below.
    pub(crate) fn stands_on_redis(self) -> bool {
        matches!(self, Self::RiserRedis | Self::RiserRemote)
    }

    /// Whether who binds a status gets the value that it has, published by whomever.
    pub(crate) fn keeps_values(self) -> bool {
        match self {
            Self::Riser
            | Self::RiserHa
            | Self::RiserTriggers
            | Self::RiserTls
            | Self::RiserRemote
            | Self::Limit
            | Self::Uws
            | Self::Bun
            | Self::Node => true,
            // Those of riser on Redis are kept there, and its clients may get one late.
            Self::RiserRedis | Self::Redis | Self::Nats | Self::Mosquitto => false,
            // A channel that says so keeps one, and none here does.
            Self::RiserPusher | Self::Sockudo => false,
            // Nobody binds anything there.
            Self::RiserPlatypush | Self::Platypush => false,
        }
    }

    /// Whether it speaks Pusher's protocol, whose channels pages and servers publish to.
    pub(crate) fn has_channels(self) -> bool {
        matches!(self, Self::RiserPusher | Self::Sockudo)
    }

    /// Whether its clients ask and are answered, and no more.
    pub(crate) fn answers_alone(self) -> bool {
        matches!(self, Self::RiserPlatypush | Self::Platypush)
    }

    /// Builds or installs what the server needs, once. An error names what is missing, and what to type.
    pub(crate) fn prepare(self, riser: &Path) -> Result<()> {
        match self {
            Self::Riser
            | Self::RiserHa
            | Self::RiserPusher
            | Self::RiserPlatypush
            | Self::RiserTriggers
            | Self::RiserTls => own::prepare(riser),
            Self::RiserRedis | Self::RiserRemote => own::prepare_on_redis(riser),
            Self::Limit => Ok(()),
            Self::Uws => web::prepare_uws(),
            Self::Bun => web::prepare_bun(),
            Self::Node => web::prepare_node(),
            Self::Redis => brokers::prepare_redis(),
            Self::Nats => brokers::prepare_nats(),
            Self::Mosquitto => brokers::prepare_mosquitto(),
            Self::Sockudo => brokers::prepare_sockudo(),
            Self::Platypush => platypush::prepare(),
        }
    }

    /// Starts the server on its core and waits until it is ready.
    pub(crate) fn start(self, riser: &Path, workers: usize, layout: Layout) -> Result<Running> {
        let ids = layout.ids;
        let launch = match self {
            Self::Riser => own::riser(riser, workers, layout)?,
            Self::RiserHa => own::riser_ha(riser, workers, layout)?,
            Self::RiserPusher => own::riser_pusher(riser, workers, layout)?,
            Self::RiserPlatypush => own::riser_platypush(riser, workers, layout)?,
            Self::RiserTriggers => own::riser_triggers(riser, workers, layout)?,
            Self::RiserTls => own::riser_tls(riser, workers, layout)?,
            Self::RiserRedis => own::riser_redis(riser, workers, layout)?,
            Self::RiserRemote => own::riser_remote(riser, workers, layout)?,
            Self::Limit => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("limit");
                Launch::placeos(command, layout, Vec::new())
            }
            Self::Uws => Launch::placeos(web::uws(), layout, Vec::new()),
            Self::Bun => Launch::placeos(web::bun(), layout, Vec::new()),
            Self::Node => Launch::placeos(web::node(), layout, Vec::new()),
            Self::Redis => brokers::redis(ids)?,
            Self::Nats => brokers::nats(layout.numbering())?,
            Self::Mosquitto => brokers::mosquitto(ids)?,
            Self::Sockudo => brokers::sockudo(layout)?,
            Self::Platypush => platypush::platypush()?,
        };
        Running::start(self.name(), launch)
    }
}

impl Launch {
    /// A server that needs nothing else.
    fn new(command: Command, protocol: Box<dyn Protocol>, ready: Ready) -> Self {
        Self {
            command,
            protocol,
            ready,
            trust: None,
            metrics: None,
            others: Vec::new(),
            redis: None,
            files: Vec::new(),
            folders: Vec::new(),
            warm_up: Box::new(|_| Ok(())),
        }
    }

    /// A server that speaks as riser does, and says where it listens.
    fn placeos(command: Command, layout: Layout, files: Vec<TempFile>) -> Self {
        Self {
            files,
            ..Self::new(command, Box::new(PlaceOs::new(KEY, layout)), Ready::Says)
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted, and so may any that it has started.
        let started = account::descendants(self.0.id());
        let _ = self.0.kill();
        for pid in started
            .into_iter()
            .filter_map(|pid| i32::try_from(pid).ok())
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}

/// Reads the line `… ready http://ADDRESS`, or `https`, off a server's output.
fn ready_address(child: &mut process::Child) -> Result<SocketAddr> {
    let stdout = child.stdout.take().context("the output is piped")?;
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let url = line.split_once(" ready http");
            if let Some((_, address)) = url.and_then(|(_, rest)| rest.split_once("://")) {
                // The tool may have given up waiting.
                let _ = sender.try_send(address.to_owned());
            }
        }
    });
    match receiver.recv_timeout(START_DEADLINE) {
        Ok(address) => address.parse().context("an address"),
        Err(RecvTimeoutError::Disconnected) => bail!("it ended before it was ready"),
        Err(RecvTimeoutError::Timeout) => bail!("it was not ready in {START_DEADLINE:?}"),
    }
}

/// An address that nobody listens on. Somebody else may take it before the server does, which then ends at once.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("no port is free")
}

/// Tries until somebody accepts, on the tool's own core.
fn accepts(child: &mut process::Child, address: SocketAddr) -> Result<SocketAddr> {
    let give_up = now() + START_DEADLINE;
    while TcpStream::connect_timeout(&address, START_DEADLINE).is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("it ended before it was ready: {status}");
        }
        if now() > give_up {
            bail!("it was not ready in {START_DEADLINE:?}");
        }
    }
    Ok(address)
}
