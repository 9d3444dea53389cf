//! The cargo tools: built from source at fixed versions, so that a new release of a tool changes nothing here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{CARGO, INSTALL};
use crate::step::{output_of, run_apart};

pub(super) struct CargoTool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// How it is asked for its version.
    question: &'static [&'static str],
}

/// What the tests need.
pub(super) const CARGO_TOOLS: &[CargoTool] = &[
    CargoTool {
        name: "cargo-deny",
        version: "0.20.2",
        question: &["--version"],
    },
    CargoTool {
        name: "cargo-nextest",
        version: "0.9.143",
        question: &["nextest", "--version"],
    },
];

/// For `cargo xtask package` alone, so the tests do not wait for it.
pub(super) const CARGO_DEB: CargoTool = CargoTool {
    name: "cargo-deb",
    version: "3.8.0",
    question: &["deb", "--version"],
};

/// The tools run for seconds: quick to build matters more than quick to run.
const CHEAP_BUILD: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
];

impl CargoTool {
    /// Builds it, unless it is there already. What the build prints goes to the file `output`.
    pub(super) fn install(&self, root: &Path, output: &Path) -> Result<()> {
        let own = own_path(root, self.name);
        if self.is(&own) || !own.exists() && self.is(Path::new(self.name)) {
            return Ok(());
        }
        let mut install = Command::new(CARGO);
        install
            .args(["install", "--quiet", "--locked", "--force"])
            .args(["--no-default-features", "--version", self.version])
            .arg("--root")
            .arg(root.join(".tools"))
            .arg(self.name)
            .envs(CHEAP_BUILD.iter().copied());
        run_apart(&mut install, root, INSTALL, output)
    }

    /// Whether this program is the tool, in the right version.
    fn is(&self, program: &Path) -> bool {
        let said = output_of(Command::new(program).args(self.question));
        said.is_some_and(|said| said.split_whitespace().nth(1) == Some(self.version))
    }
}

/// A cargo tool that the set-up has provided: ours, or the machine's where that has the right version.
pub(crate) fn tool(root: &Path, name: &str) -> Command {
    let ours = own_path(root, name);
    Command::new(if ours.exists() { ours } else { name.into() })
}

fn own_path(root: &Path, name: &str) -> PathBuf {
    root.join(".tools/bin").join(name)
}
