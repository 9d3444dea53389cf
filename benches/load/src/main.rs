//! Drives riser or a peer with many clients, checks every delivery, and says what it cost.
//!
//! The server has one core and this tool the other; both loads are among the figures.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tables go to stdout, progress to stderr"
)]

mod account;
mod compare;
mod engine;
mod limit;
mod machine;
mod protocol;
mod run;
mod scenario;
mod stream;
mod table;
mod target;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::compare::Comparison;
use crate::run::Run;

/// Drives riser or a peer with many clients, checks every delivery, and says what it cost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the least-possible server, the yardstick
    Limit {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Run servers side by side and print their figures as ratios to the first
    Compare(Comparison),
    /// Run one scenario on one server and print its figures
    Run(Run),
    /// Print the building that a server which runs already needs
    Building {
        /// For a run of `entities` with so many
        #[arg(long)]
        entities: Option<usize>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Limit { listen } => limit::serve(listen),
        Command::Compare(comparison) => compare::run(&comparison),
        Command::Run(one) => run::run(&one),
        Command::Building { entities } => {
            print(&target::building(scenario::entities::modules(entities)))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nload: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Prints on stdout. Whoever reads only the first lines has what is wanted.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("could not print the figures")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
