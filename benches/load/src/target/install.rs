//! What peers need before they can be started, made once and kept: found, installed from a lock file, or built.
//!
//! Nothing is guessed: an error says what is missing and what to type.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long one program may take that installs or builds.
const INSTALL_DEADLINE: Duration = Duration::from_mins(10);

/// What is written beside an installation: what it was made of.
const STAMP: &str = ".made-of";

/// Where the sources of a peer lie.
pub(super) fn sources(peer: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(peer)
}

/// Where a peer is built, outside of what is committed.
pub(super) fn built(peer: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/peers")
        .join(peer)
}

/// Fails with the line that installs a program unless it can be started.
pub(super) fn require(program: &str, install: &str) -> Result<()> {
    let mut question = Command::new(program);
    question
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match question.status() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("it needs {program}: {install}"),
        Err(error) => Err(error).with_context(|| format!("could not start {program}")),
        Ok(_) => Ok(()),
    }
}

/// Whether a folder was made of just this.
pub(super) fn is_made_of(folder: &Path, ingredients: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == ingredients)
}

/// Notes what a folder was made of, once it is complete.
pub(super) fn note(folder: &Path, ingredients: &str) -> Result<()> {
    let path = folder.join(STAMP);
    fs::write(&path, ingredients).with_context(|| format!("could not write {}", path.display()))
}

/// Installs a peer's node packages beside its sources, unless they are those of its lock file already.
pub(super) fn npm_ci(peer: &str) -> Result<()> {
    let folder = sources(peer);
    let modules = folder.join("node_modules");
    let lock = read(&folder.join("package-lock.json"))?;
    if is_made_of(&modules, &lock) {
        return Ok(());
    }
    require("npm", "apt-get install npm")?;
    if let Err(error) = run(Command::new("npm").arg("ci").current_dir(&folder)) {
        bail!("{error:#}; by hand: npm ci --prefix benches/load/peers/{peer}");
    }
    note(&modules, &lock)
}

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

/// Runs a program to its end and returns what it printed; its last words are the error.
pub(super) fn run(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start {program}"))?;
    let pid = child.id();
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        // Nobody listens any more when it took too long.
        let _ = sender.try_send(child.wait_with_output());
    });
    let Ok(output) = receiver.recv_timeout(INSTALL_DEADLINE) else {
        // It may end by itself just now, which is as good.
        let _ = kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGKILL);
        bail!("{program} took longer than {INSTALL_DEADLINE:?}");
    };
    let output = output.with_context(|| format!("could not read from {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let cause = said
            .lines()
            .find(|line| line.contains("error"))
            .or(said.lines().last())
            .unwrap_or("no word of why");
        bail!("{program} failed: {}", cause.trim());
    }
    Ok(output.stdout)
}
