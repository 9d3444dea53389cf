//! The Redis that a riser is put on: empty, of its own, and ended with it.
//!
//! Its data is in a folder of its own, so that it can be stopped and started again with what it had.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use redis::{Client, Connection, RedisResult};

use crate::account::now;
use crate::machine::{self, Side};
use crate::target::{Child, Folder, START_DEADLINE, free_address};

pub(crate) struct RedisServer {
    address: SocketAddr,
    process: RefCell<Child>,
    folder: Folder,
}

impl RedisServer {
    /// Starts one that has nothing, and waits until it answers.
    pub(super) fn start() -> Result<Self> {
        let address = free_address()?;
        let folder = Folder::make(&format!("load-redis-{}", address.port()))?;
        let server = Self {
            address,
            process: RefCell::new(spawn(address, folder.path())?),
            folder,
        };
        server.connect()?;
        Ok(server)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.borrow().0.id()
    }

    /// The address as riser takes it.
    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// A connection to it, once it has started and has read its data.
    pub(crate) fn connect(&self) -> Result<Connection> {
        let give_up = now() + START_DEADLINE;
        loop {
            let error = match self.try_connect() {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            if let Some(status) = self.process.borrow_mut().0.try_wait()? {
                bail!("redis-server ended before it was ready: {status}");
            }
            if now() > give_up {
                bail!("redis-server was not ready in {START_DEADLINE:?}: {error}");
            }
        }
    }

    fn try_connect(&self) -> RedisResult<Connection> {
        let mut connection = Client::open(self.url())?.get_connection()?;
        // While it reads its data it refuses this.
        redis::cmd("PING").exec(&mut connection)?;
        Ok(connection)
    }

    /// Stops it, keeping its data.
    pub(crate) fn stop(&self) -> Result<()> {
        let mut connection = self.connect()?;
        // It ends without a word, and the library can only call that an error.
        let _ = redis::cmd("SHUTDOWN").arg("SAVE").exec(&mut connection);
        let status = self.process.borrow_mut().0.wait()?;
        if !status.success() {
            bail!("redis-server did not stop as it was told: {status}");
        }
        Ok(())
    }

    /// Starts it again with the data that it had.
    pub(crate) fn start_again(&self) -> Result<()> {
        *self.process.borrow_mut() = spawn(self.address, self.folder.path())?;
        Ok(())
    }
}

fn spawn(address: SocketAddr, folder: &Path) -> Result<Child> {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A child inherits the core of the thread that starts it.
    machine::pin(Side::Beside)?;
    let child = command.spawn();
    machine::pin(Side::Tool)?;
    Ok(Child(child.context("could not start redis-server")?))
}
