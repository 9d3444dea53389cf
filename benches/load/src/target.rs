//! The servers that can be measured: how each is made ready and started, and what its clients speak.
//!
//! A family of peers has a file of its own below.

mod brokers;
mod install;
mod web;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::now;
use crate::protocol::{Ids, Numbering, PlaceOs, Protocol};

/// The core that servers run on; the tool takes the other.
const SERVER_CORE: usize = 0;
const TOOL_CORE: usize = 1;

/// How long a server may take to say that it is ready.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A server that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Target {
    /// This project's gateway.
    Riser,
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
}

/// The bindings that a protocol's ids are spread over when every client has its own.
const BINDINGS_PER_CLIENT: usize = 1;

/// The building that riser is measured with.
const BUILDING: &str = "systems:
  - {id: sys-1, name: Load, modules: [mod-load]}
modules:
  - {id: mod-load, driver: virtual, name: Load}
users:
  - {id: user-load, email: load@example.test, name: Load, level: admin}
api_keys:
  - {id: load, secret: secret, user: user-load, level: admin}
";

/// A server that runs, and ends when this is dropped.
pub(crate) struct Running {
    child: Child,
    address: SocketAddr,
    protocol: Box<dyn Protocol>,
    _files: Vec<TempFile>,
}

/// How a server is started.
struct Launch {
    command: Command,
    protocol: Box<dyn Protocol>,
    ready: Ready,
    files: Vec<TempFile>,
}

/// How a server shows that it is ready.
enum Ready {
    /// A line on stdout says where it listens.
    Says,
    /// It accepts connections there.
    Accepts(SocketAddr),
}

struct TempFile(PathBuf);

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
            Self::Limit => "limit",
            Self::Uws => "uws",
            Self::Bun => "bun",
            Self::Node => "node",
            Self::Redis => "redis",
            Self::Nats => "nats",
            Self::Mosquitto => "mosquitto",
            Self::Sockudo => "sockudo",
        }
    }

    /// Whether a comparison has failed without it. Of the others, each may be missing on a machine.
    pub(crate) fn is_essential(self) -> bool {
        matches!(self, Self::Riser | Self::Limit)
    }

    /// Builds or installs what the server needs, once. An error names what is missing, and what to type.
    pub(crate) fn prepare(self, riser: &Path) -> Result<()> {
        match self {
            Self::Riser if !riser.exists() => bail!(
                "there is no {}: cargo build --release -p riser",
                riser.display()
            ),
            Self::Riser | Self::Limit => Ok(()),
            Self::Uws => web::prepare_uws(),
            Self::Bun => web::prepare_bun(),
            Self::Node => web::prepare_node(),
            Self::Redis => brokers::prepare_redis(),
            Self::Nats => brokers::prepare_nats(),
            Self::Mosquitto => brokers::prepare_mosquitto(),
            Self::Sockudo => brokers::prepare_sockudo(),
        }
    }

    /// Starts the server on its core and waits until it is ready.
    pub(crate) fn start(self, riser: &Path, workers: usize, ids: Ids) -> Result<Running> {
        let numbering = Numbering {
            ids,
            bindings: BINDINGS_PER_CLIENT,
        };
        let launch = match self {
            Self::Riser => {
                let file = TempFile::write("building.yaml", BUILDING)?;
                let mut command = Command::new(riser);
                command
                    .args(["serve", "--listen", "127.0.0.1:0", "--building"])
                    .arg(&file.0)
                    .args(["--workers", &workers.to_string()]);
                Launch::placeos(command, numbering, vec![file])
            }
            Self::Limit => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("limit");
                Launch::placeos(command, numbering, Vec::new())
            }
            Self::Uws => Launch::placeos(web::uws(), numbering, Vec::new()),
            Self::Bun => Launch::placeos(web::bun(), numbering, Vec::new()),
            Self::Node => Launch::placeos(web::node(), numbering, Vec::new()),
            Self::Redis => brokers::redis(ids)?,
            Self::Nats => brokers::nats(numbering)?,
            Self::Mosquitto => brokers::mosquitto(ids)?,
            Self::Sockudo => brokers::sockudo(ids)?,
        };
        Running::start(self.name(), launch)
    }
}

impl Launch {
    /// A server that speaks as riser does, and says where it listens.
    fn placeos(command: Command, numbering: Numbering, files: Vec<TempFile>) -> Self {
        Self {
            command,
            protocol: Box::new(PlaceOs {
                key: "load.secret".to_owned(),
                numbering,
            }),
            ready: Ready::Says,
            files,
        }
    }
}

impl Running {
    fn start(name: &'static str, launch: Launch) -> Result<Self> {
        let Launch {
            mut command,
            protocol,
            ready,
            files,
        } = launch;
        command
            .stdin(Stdio::null())
            .stdout(match ready {
                Ready::Says => Stdio::piped(),
                Ready::Accepts(_) => Stdio::null(),
            })
            .stderr(Stdio::null());
        // A child inherits the core of the thread that starts it.
        pin(SERVER_CORE)?;
        let child = command.spawn();
        pin(TOOL_CORE)?;
        let mut child = child.with_context(|| format!("could not start {name}: {command:?}"))?;
        let address = match ready {
            Ready::Says => ready_address(&mut child),
            Ready::Accepts(address) => accepts(&mut child, address),
        };
        match address {
            Ok(address) => Ok(Self {
                child,
                address,
                protocol,
                _files: files,
            }),
            Err(error) => {
                end(&mut child);
                Err(error).with_context(|| format!("{name} did not come up"))
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn protocol(&self) -> &dyn Protocol {
        &*self.protocol
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended already, which is what is wanted.
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = child.wait();
}

fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set)
        .context("could not choose a core; two are needed, one for the server and one for the tool")
}

/// Reads the line `… ready http://ADDRESS` off a server's output.
fn ready_address(child: &mut Child) -> Result<SocketAddr> {
    let stdout = child.stdout.take().context("the output is piped")?;
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once(" ready http://") {
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

/// Tries until somebody accepts, on the tool's own core.
fn accepts(child: &mut Child, address: SocketAddr) -> Result<SocketAddr> {
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
