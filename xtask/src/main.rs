//! The project's own tasks: `cargo xtask` alone lists them.
//!
//! One door for people and for CI, so that what is green here is green there.
//! It needs Rust, a C compiler, Node, Python and, on a machine that lacks a package, Debian's apt; it sets up the rest itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: what it prints is what it is for"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a plain program of threads and processes, with no runtime to block and no clock to pause"
)]

mod setup;
mod step;
mod test;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

struct Task {
    name: &'static str,
    does: &'static str,
    run: fn(&Path) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task {
        name: "setup",
        does: "install what the tests need: Debian, node and python packages, cargo tools",
        run: setup::run,
    },
    Task {
        name: "test",
        does: "set up, then everything that CI checks: format, lints, docs, licences, tests",
        run: test::run,
    },
];

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        list();
        return Ok(());
    };
    let task = TASKS
        .iter()
        .find(|task| task.name == name)
        .with_context(|| format!("there is no task {name}; cargo xtask lists them"))?;
    if let Some(argument) = rest.first() {
        bail!("{name} takes no argument, but was given {argument}");
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().context("xtask stands in the workspace")?;
    (task.run)(root)
}

fn list() {
    println!("cargo xtask TASK\n");
    for Task { name, does, .. } in TASKS {
        println!("  {name:8} {does}");
    }
}
