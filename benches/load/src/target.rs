//! The servers that can be measured: how each is made ready and started, and what its clients speak.
//!
//! A family of peers has a file of its own below; each server says on stdout where it listens.

mod install;
mod web;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::machine::{self, Side};
use crate::protocol::{Ids, PlaceOs, Protocol};

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

struct TempFile(PathBuf);

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
        }
    }

    /// Starts the server on its core and waits until it is ready.
    pub(crate) fn start(self, riser: &Path, workers: usize, ids: Ids) -> Result<Running> {
        let mut files = Vec::new();
        let mut command;
        match self {
            Self::Riser => {
                let path = std::env::temp_dir().join(format!("load-{}.yaml", std::process::id()));
                std::fs::write(&path, BUILDING).context("could not write the building file")?;
                command = Command::new(riser);
                command
                    .args(["serve", "--listen", "127.0.0.1:0", "--building"])
                    .arg(&path)
                    .args(["--workers", &workers.to_string()]);
                files.push(TempFile(path));
            }
            Self::Limit => {
                command = Command::new(std::env::current_exe()?);
                command.arg("limit");
            }
            Self::Uws => command = web::uws(),
            Self::Bun => command = web::bun(),
            Self::Node => command = web::node(),
        }
        let protocol = PlaceOs {
            key: "load.secret".to_owned(),
            ids,
            bindings: BINDINGS_PER_CLIENT,
        };
        Running::start(self.name(), command, Box::new(protocol), files)
    }
}

impl Running {
    fn start(
        name: &'static str,
        mut command: Command,
        protocol: Box<dyn Protocol>,
        files: Vec<TempFile>,
    ) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // A child inherits the core of the thread that starts it.
        machine::pin(Side::Server)?;
        let child = command.spawn();
        machine::pin(Side::Tool)?;
        let mut child = child.with_context(|| format!("could not start {name}: {command:?}"))?;
        match ready_address(&mut child) {
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
