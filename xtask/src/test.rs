//! Everything that CI checks, cheapest first, and the test runner last: its summary is how the run ends.
//!
//! The tests' own build has every program that a step runs, and no step has another one made:
//! the features of what we depend on differ with the packages that are chosen, so a build of `riser` alone would compile a third of them, and riser, once more.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::load;
use crate::setup;
use crate::step::{run as run_program, step};

/// For what compiles nothing.
const QUICK: Duration = Duration::from_secs(2 * 60);

/// For what may compile the whole workspace on two cores.
pub(crate) const BUILD: Duration = Duration::from_secs(30 * 60);

pub(crate) fn run(root: &Path) -> Result<()> {
    setup::run(root)?;
    step("format", || {
        run_program(cargo().args(["fmt", "--all", "--check"]), root, QUICK)
    })?;
    step("lints", || {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked"];
        let deny = ["--", "-D", "warnings"];
        run_program(cargo().args(clippy).args(deny), root, BUILD)?;
        // The micro benches need a feature that nothing else has. What they depend on is that of the whole workspace, which has been checked.
        let benches = ["clippy", "--workspace", "--bench", "micro"];
        let feature = ["--features", "riser/bench", "--locked"];
        run_program(cargo().args(benches).args(feature).args(deny), root, BUILD)
    })?;
    step("documentation", || {
        let doc = ["doc", "--workspace", "--no-deps", "--locked"];
        run_program(
            cargo().args(doc).env("RUSTDOCFLAGS", "-D warnings"),
            root,
            BUILD,
        )
    })?;
    step("licences, bans and sources", || {
        // Not advisories: their database is on the network and changes under an unchanged commit.
        let check = ["--locked", "check", "licenses", "bans", "sources"];
        run_program(setup::tool(root, "cargo-deny").args(check), root, QUICK)
    })?;
    step("build", || {
        let build = ["nextest", "run", "--workspace", "--locked", "--no-run"];
        let mut nextest = setup::tool(root, "cargo-nextest");
        run_program(nextest.args(build), root, BUILD)
    })?;
    step("examples in the documentation", || {
        run_program(
            cargo().args(["test", "--doc", "--workspace", "--locked"]),
            root,
            BUILD,
        )
    })?;
    step("the gateway inside of another program", || {
        let examples = root.join("target/debug/examples");
        ["embedded", "automation"].iter().try_for_each(|example| {
            run_program(&mut Command::new(examples.join(example)), root, QUICK)
        })
    })?;
    step("drivers in Python", || {
        // Without site-packages: the library needs nothing but Python.
        let tests = ["-S", "-m", "unittest", "discover"];
        let mut python = Command::new("python3");
        python.args(tests).env("PYTHONDONTWRITEBYTECODE", "1");
        run_program(&mut python, &root.join("drivers/python"), QUICK)
    })?;
    load::smoke(root)?;
    step("clients in Python", || {
        let tests = ["-S", "-m", "unittest", "discover"];
        let mut python = Command::new("python3");
        python.args(tests).env("PYTHONDONTWRITEBYTECODE", "1");
        python.env("RISER_BINARY", root.join("target/debug/riser"));
        run_program(&mut python, &root.join("clients/python"), QUICK)
    })?;
    // Without a line of ours behind it: the run ends with the runner's summary.
    let nextest = ["nextest", "run", "--workspace", "--locked"];
    run_program(
        setup::tool(root, "cargo-nextest").args(nextest),
        root,
        BUILD,
    )
    .context("the step 'tests' failed")
}

pub(crate) fn cargo() -> Command {
    Command::new(setup::CARGO)
}
