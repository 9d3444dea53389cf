//! The micro benches: what single steps of the hot paths cost.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::step::run as run_program;
use crate::test::cargo;

/// For an optimised build of everything on two slow cores, and a minute or two of measuring.
const BOUND: Duration = Duration::from_secs(60 * 60);

/// Builds and runs them; `arguments` are words of which a bench's name has one, or options of divan.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let bench = [
        "bench",
        "--locked",
        "--bench",
        "micro",
        "--features",
        "bench",
    ];
    run_program(cargo().args(bench).arg("--").args(arguments), root, BOUND)
}
