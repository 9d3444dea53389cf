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

mod bench;
mod load;
mod new_driver;
mod package;
mod setup;
mod side_by_side;
mod soak;
mod step;
mod test;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

struct Task {
    name: &'static str,
    /// What may stand behind the name.
    takes: &'static str,
    does: &'static str,
    run: fn(&Path, &[String]) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task {
        name: "setup",
        takes: "",
        does: "install what the tests need: Debian, node and python packages, cargo tools",
        run: |root, arguments| none("setup", arguments).and_then(|()| setup::run(root)),
    },
    Task {
        name: "test",
        takes: "",
        does: "set up, then everything that CI checks: format, lints, docs, licences, load, tests",
        run: |root, arguments| none("test", arguments).and_then(|()| test::run(root)),
    },
    Task {
        name: "soak",
        takes: "[--list] [--seconds N] [STAGE …]",
        does: "run for long what CI runs for a moment, all stages or the named ones",
        run: soak::run,
    },
    Task {
        name: "bench",
        takes: "[NAME …]",
        does: "measure single steps of the hot paths, all or those whose name contains a word",
        run: bench::run,
    },
    Task {
        name: "load",
        takes: "[--all] [--record]",
        does: "compare riser with the least possible server and uWebSockets, or with every peer",
        run: load::run,
    },
    Task {
        name: "new-driver",
        takes: "NAME",
        does: "make drivers/NAME, a driver with a passing test, and link it in",
        run: new_driver::run,
    },
    Task {
        name: "package",
        takes: "[--check]",
        does: "make the Debian package; with --check install, use, remove and purge it in a fresh Debian",
        run: package::run,
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
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = manifest.parent().context("xtask stands in the workspace")?;
    (task.run)(root, rest)
}

/// Refuses what stands behind the name of a task that takes nothing.
fn none(name: &str, arguments: &[String]) -> Result<()> {
    match arguments.first() {
        Some(argument) => bail!("{name} takes no argument, but was given {argument}"),
        None => Ok(()),
    }
}

fn list() {
    println!("cargo xtask TASK\n");
    for task in TASKS {
        let Task {
            name, takes, does, ..
        } = task;
        println!("  {:24} {does}", format!("{name} {takes}"));
    }
}
