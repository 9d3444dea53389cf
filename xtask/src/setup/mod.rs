//! Installs what the tests need and the machine lacks, inside the project wherever that is possible.
//!
//! Tests find the parts at fixed places below the workspace's root, so that a plain `cargo nextest run` works after one set-up:
//!
//! - what a foreign client needs, in its folder below `tests/clients` (`clients`)
//! - cargo tools in `.tools/bin` (`cargo_tools`)
//!
//! A part that is there and unchanged is left alone, so a second set-up costs nothing. Nothing is skipped silently.

mod cargo_tools;
mod clients;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(crate) use self::cargo_tools::tool;
use self::cargo_tools::{CARGO_DEB, CARGO_TOOLS, CargoTool};
use crate::side_by_side::{Job, side_by_side};
use crate::step::{output_of, run as run_program, step};

/// The cargo that runs us, and so the toolchain that the project is built with.
pub(crate) const CARGO: &str = env!("CARGO");

/// For what a package registry sends us, and for what a cargo tool takes to build.
const INSTALL: Duration = Duration::from_secs(20 * 60);

/// Debian packages, each with a program that shows it is there.
const DEBIAN_PACKAGES: &[(&str, &str)] = &[
    // A browser without a screen, in which foreign pages run.
    ("chromium-headless-shell", "chromium-headless-shell"),
    ("curl", "curl"),
    ("mosquitto", "mosquitto"),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
];

/// Where Debian keeps programs that run as services, which a user's PATH need not have.
const SERVERS: &[&str] = &["/usr/sbin"];

/// Interpreters with the oldest version that the clients in `tests/clients` run on, and the packages that bring them.
const INTERPRETERS: &[(&str, Version, &str)] = &[
    ("node", Version(20, 0), "nodejs npm"),
    ("python3", Version(3, 11), "python3 python3-venv"),
];

/// How many parts are made at a time. Environments wait for a registry most of the time.
/// The two cargo tools compute for minutes, and take no longer side by side than one after the other.
const AT_A_TIME: usize = 4;

pub(crate) fn run(root: &Path) -> Result<()> {
    step("Debian packages", || debian_packages(root, DEBIAN_PACKAGES))?;
    step("interpreters", interpreters)?;
    let clients = clients::find(root)?;
    let outputs = Outputs::new(root)?;
    // What takes longest on a new machine starts first.
    let tools = CARGO_TOOLS.iter().map(|tool| {
        let CargoTool { name, version, .. } = tool;
        let output = outputs.of(name);
        Job {
            name: format!("{name} {version}"),
            work: Box::new(move || tool.install(root, &output)),
        }
    });
    let environments = clients.iter().map(|environment| {
        let name = environment.name();
        let output = outputs.of(&name);
        Job {
            name,
            work: Box::new(move || environment.make(&output)),
        }
    });
    side_by_side(AT_A_TIME, tools.chain(environments).collect())
}

/// What makes a Debian package.
pub(crate) fn cargo_deb(root: &Path) -> Result<Command> {
    let output = Outputs::new(root)?.of(CARGO_DEB.name);
    CARGO_DEB.install(root, &output)?;
    Ok(tool(root, CARGO_DEB.name))
}

/// A file for each part that is made, which has what the last program that was run for it said: whoever waits can look.
struct Outputs(PathBuf);

impl Outputs {
    fn new(root: &Path) -> Result<Self> {
        let folder = root.join(".tools/output");
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Self(folder))
    }

    fn of(&self, part: &str) -> PathBuf {
        self.0.join(part.replace(' ', "_"))
    }
}

/// Installs those Debian packages whose programs the machine lacks.
pub(crate) fn debian_packages(root: &Path, packages: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(_, program)| !is_on_path(program))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let advice = || format!("install by hand: apt-get install {}", missing.join(" "));
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        // A package that brings a service leaves it stopped: tests start their own. The two are systemd's and sysvinit's words for it.
        apt.env("SYSTEMD_OFFLINE", "1").env("RUNLEVEL", "1");
        apt
    };
    run_program(apt().args(["-qq", "update"]), root, INSTALL).with_context(advice)?;
    let install = ["-qq", "install", "--yes", "--no-install-recommends"];
    run_program(apt().args(install).args(&missing), root, INSTALL).with_context(advice)
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(SERVERS.iter().map(PathBuf::from));
    folders
        .into_iter()
        .any(|folder| folder.join(program).is_file())
}

fn interpreters() -> Result<()> {
    for (program, oldest, packages) in INTERPRETERS {
        let said = output_of(Command::new(program).arg("--version"));
        let found = said.as_deref().and_then(Version::find_in);
        if found.is_none_or(|found| found < *oldest) {
            let Version(major, minor) = oldest;
            let said = said.map_or("found none".to_owned(), |said| {
                format!("found {}", said.trim())
            });
            bail!(
                "{program} {major}.{minor} or later is needed, {said}: apt-get install {packages}"
            );
        }
    }
    Ok(())
}

/// The first two numbers of a version, which is all that is asked of an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    /// In what a program says of itself: `v20.20.2`, `Python 3.11.7`.
    fn find_in(text: &str) -> Option<Self> {
        let from = text.find(|character: char| character.is_ascii_digit())?;
        let mut numbers = text[from..].split(|character: char| !character.is_ascii_digit());
        let mut next = || numbers.next()?.parse().ok();
        Some(Self(next()?, next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_program_says() {
        let check = |said: &str, expected| assert_eq!(Version::find_in(said), expected, "{said}");
        check("v20.20.2\n", Some(Version(20, 20)));
        check("Python 3.11.7\n", Some(Version(3, 11)));
        check("Python 3.9", Some(Version(3, 9)));
        check("no number", None);
        assert!(Version(3, 9) < Version(3, 11));
    }

    #[test]
    fn a_program_on_the_path_is_found() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }
}
