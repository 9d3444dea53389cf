//! Installs what the tests need and the machine lacks, inside the project wherever that is possible.
//!
//! Tests find the parts at fixed places below the workspace's root, so that a plain `cargo nextest run` works after one set-up:
//!
//! - node packages in `tests/clients/node/node_modules`
//! - a Python with its packages at `.tools/venv/bin/python`
//! - cargo tools in `.tools/bin`
//!
//! A part that is there and unchanged is left alone, so a second set-up costs nothing. Nothing is skipped silently.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::{output_of, run as run_program, step};

/// The cargo that runs us, and so the toolchain that the project is built with.
pub(crate) const CARGO: &str = env!("CARGO");

/// For what a package registry sends us, and for what a cargo tool takes to build.
const INSTALL: Duration = Duration::from_secs(20 * 60);

/// Debian packages, each with a program that shows it is there.
const DEBIAN_PACKAGES: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("redis-server", "redis-server"),
];

/// Interpreters with the oldest version that the clients in `tests/clients` run on, and the packages that bring them.
const INTERPRETERS: &[(&str, Version, &str)] = &[
    ("node", Version(20, 0), "nodejs npm"),
    ("python3", Version(3, 11), "python3 python3-venv"),
];

struct CargoTool {
    name: &'static str,
    version: &'static str,
    /// How it is asked for its version.
    question: &'static [&'static str],
}

/// Built from source at these versions, so that a new release of a tool changes nothing here.
const CARGO_TOOLS: &[CargoTool] = &[
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
const CARGO_DEB: CargoTool = CargoTool {
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

pub(crate) fn run(root: &Path) -> Result<()> {
    step("Debian packages", || debian_packages(root, DEBIAN_PACKAGES))?;
    step("interpreters", interpreters)?;
    step("node packages", || node_packages(root))?;
    step("python packages", || python_packages(root))?;
    for tool in CARGO_TOOLS {
        let CargoTool { name, version, .. } = tool;
        step(&format!("{name} {version}"), || cargo_tool(root, tool))?;
    }
    Ok(())
}

/// What makes a Debian package.
pub(crate) fn cargo_deb(root: &Path) -> Result<Command> {
    cargo_tool(root, &CARGO_DEB)?;
    Ok(tool(root, CARGO_DEB.name))
}

/// A cargo tool that the set-up has provided: ours, or the machine's where that has the right version.
pub(crate) fn tool(root: &Path, name: &str) -> Command {
    let ours = own_tool(root, name);
    Command::new(if ours.exists() { ours } else { name.into() })
}

fn own_tool(root: &Path, name: &str) -> PathBuf {
    root.join(".tools/bin").join(name)
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
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
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

fn node_packages(root: &Path) -> Result<()> {
    let folder = root.join("tests/clients/node");
    let inputs = [".npmrc", "package.json", "package-lock.json"];
    let stamp = Stamp::of(&folder, &inputs, "")?;
    let modules = folder.join("node_modules");
    if stamp.is_in(&modules) {
        return Ok(());
    }
    // It empties the folder first, so a stamp is there only with a complete installation.
    let install = ["ci", "--no-progress", "--loglevel=error"];
    run_program(Command::new("npm").args(install), &folder, INSTALL)
        .context("it needs npm (apt-get install npm); by hand: npm ci in tests/clients/node")?;
    stamp.put_into(&modules)
}

fn python_packages(root: &Path) -> Result<()> {
    let folder = root.join("tests/clients/python");
    let version = output_of(Command::new("python3").arg("--version")).unwrap_or_default();
    let stamp = Stamp::of(&folder, &["requirements.txt"], &version)?;
    let venv = root.join(".tools/venv");
    if stamp.is_in(&venv) {
        return Ok(());
    }
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&venv);
    run_program(&mut create, root, INSTALL).context("apt-get install python3-venv may help")?;
    let mut install = Command::new(venv.join("bin/python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--no-deps"])
        .args(["--requirement", "requirements.txt"]);
    run_program(&mut install, &folder, INSTALL)?;
    // Every package is pinned by name, those that others need too; this says if one was forgotten.
    let mut check = Command::new(venv.join("bin/python"));
    check.args(["-m", "pip", "--disable-pip-version-check", "check"]);
    run_program(&mut check, &folder, INSTALL)?;
    stamp.put_into(&venv)
}

/// What an installation was made from, kept inside it: the files themselves, so there is nothing to hash.
struct Stamp(String);

impl Stamp {
    const FILE: &str = ".made-from";

    fn of(folder: &Path, files: &[&str], also: &str) -> Result<Self> {
        let mut text = also.to_owned();
        for file in files {
            let path = folder.join(file);
            text += &fs::read_to_string(&path)
                .with_context(|| format!("could not read {}", path.display()))?;
        }
        Ok(Self(text))
    }

    fn is_in(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(Self::FILE)).is_ok_and(|text| text == self.0)
    }

    fn put_into(&self, folder: &Path) -> Result<()> {
        let path = folder.join(Self::FILE);
        fs::write(&path, &self.0).with_context(|| format!("could not write {}", path.display()))
    }
}

fn cargo_tool(root: &Path, tool: &CargoTool) -> Result<()> {
    let own = own_tool(root, tool.name);
    if is_version(&own, tool) {
        return Ok(());
    }
    if !own.exists() && is_version(Path::new(tool.name), tool) {
        return Ok(());
    }
    let mut install = Command::new(CARGO);
    install
        .args(["install", "--quiet", "--locked", "--force"])
        .args(["--no-default-features", "--version", tool.version])
        .arg("--root")
        .arg(root.join(".tools"))
        .arg(tool.name)
        .envs(CHEAP_BUILD.iter().copied());
    run_program(&mut install, root, INSTALL)
}

fn is_version(program: &Path, tool: &CargoTool) -> bool {
    let said = output_of(Command::new(program).args(tool.question));
    said.is_some_and(|said| said.split_whitespace().nth(1) == Some(tool.version))
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
    fn a_changed_file_makes_an_installation_stale() {
        let folder = env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        fs::write(folder.join("lock"), "1").expect("it can be written");
        let stamp = Stamp::of(&folder, &["lock"], "").expect("the file is there");
        assert!(!stamp.is_in(&folder));

        stamp.put_into(&folder).expect("it can be written");
        assert!(stamp.is_in(&folder));

        fs::write(folder.join("lock"), "2").expect("it can be written");
        let changed = Stamp::of(&folder, &["lock"], "").expect("the file is there");
        assert!(!changed.is_in(&folder));
        fs::remove_dir_all(&folder).expect("it can be removed");
    }

    #[test]
    fn a_program_on_the_path_is_found() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }
}
