//! One scenario on one server: one that is started for it, or one that runs already on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::machine;
use crate::print;
use crate::scenario::{Scenario, Size};
use crate::target::{Running, Target};

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    scenario: Scenario,
    /// The server to start.
    #[arg(long, default_value = "riser", conflicts_with = "address")]
    target: Target,
    /// Where a server runs already, on this machine: ADDRESS:PORT. It needs the building that `load building` prints.
    #[arg(long, requires = "pid")]
    address: Option<SocketAddr>,
    /// The API key it lets in.
    #[arg(long, default_value = crate::target::KEY, requires = "address")]
    key: String,
    /// Its process.
    #[arg(long, requires = "address")]
    pid: Option<u32>,
    #[command(flatten)]
    size: Size,
    /// riser's binary.
    #[arg(long, default_value = "target/release/riser")]
    riser: PathBuf,
    /// riser's worker threads.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

/// Runs it once and prints the figures, one a line.
pub(crate) fn run(run: &Run) -> Result<()> {
    machine::prepare()?;
    let layout = run.scenario.layout(run.size);
    let mut server = match (run.address, run.pid) {
        (Some(address), Some(pid)) => {
            if !address.ip().is_loopback() {
                bail!("{address} is not on this machine: only loopback addresses are measured");
            }
            machine::listens(pid, address.port())?;
            Running::already(address, pid, &run.key, layout)
        }
        _ => {
            run.target.prepare(&run.riser)?;
            run.target.start(&run.riser, run.workers, layout)?
        }
    };
    let figures = run
        .scenario
        .run(&server, run.size)
        .map_err(|error| server.blame(error))?;
    let width = figures.keys().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut lines = String::new();
    for (name, figure) in &figures {
        lines.push_str(&format!("{name:width$}  {}\n", digits(*figure)));
    }
    print(&lines)
}

/// Enough digits for figures small and large.
fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1000.0 => format!("{figure:.0}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.4}"),
    }
}
