//! What the machine has to give: two cores, or three where there are, and open files enough.
//!
//! Each lack is one line that says what to do, found before anything is measured.

use std::fs;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

/// Files that a process has open beside its connections.
const SPARE_FILES: usize = 64;

/// How the kernel's table of sockets says that one listens.
const LISTENING: &str = "0A";

/// A core of its own for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Tool,
    /// For what a server works with, such as a Redis: a core of its own where there is a third, else the server's.
    Beside,
}

/// The cores that are used, as this process found them: later it has pinned itself to one.
static CORES: OnceLock<Vec<usize>> = OnceLock::new();

/// Takes what the machine gives: raises the limit of open files and sees that there are two cores.
pub(crate) fn prepare() -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).with_context(|| {
            format!("could not raise the limit of open files from {soft} to {hard}")
        })?;
    }
    let set = sched_getaffinity(Pid::from_raw(0))?;
    let allowed = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false));
    let cores = CORES.get_or_init(|| allowed.take(3).collect());
    if cores.len() < 2 {
        bail!(
            "two cores are needed, one for the server and one for this tool; it may use only one"
        );
    }
    Ok(())
}

/// Puts this thread, and what it starts, on the core of a side.
pub(crate) fn pin(side: Side) -> Result<()> {
    let cores = CORES.get().map(Vec::as_slice).unwrap_or_default();
    let core = match side {
        Side::Server => cores.first(),
        Side::Tool => cores.get(1),
        Side::Beside => cores.get(2).or(cores.first()),
    };
    let mut set = CpuSet::new();
    set.set(*core.context("the machine has not been looked at")?)?;
    sched_setaffinity(Pid::from_raw(0), &set).context("could not choose a core")
}

/// Whether what a server works with has a core of its own.
pub(crate) fn has_core_beside() -> bool {
    CORES.get().is_some_and(|cores| cores.len() > 2)
}

/// How many connections the limits of open files of the tool and of the server allow.
pub(crate) fn connections_max(server: u32) -> Result<usize> {
    let (tool, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let server = open_files_max(server)?;
    let least = usize::try_from(tool.min(server)).unwrap_or(usize::MAX);
    Ok(least.saturating_sub(SPARE_FILES))
}

/// An error unless so many connections are allowed.
pub(crate) fn allow(connections: usize, server: u32) -> Result<()> {
    let (tool, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let needed = u64::try_from(connections + SPARE_FILES)?;
    for (side, limit) in [("this tool", tool), ("the server", open_files_max(server)?)] {
        if limit < needed {
            bail!(
                "{side} may open {limit} files and {connections} connections need {needed}: \
                 raise the limit (`ulimit -n {needed}`, as root) or give fewer with --connections"
            );
        }
    }
    Ok(())
}

/// An error unless this process listens on this port: the figures would be another's.
pub(crate) fn listens(pid: u32, port: u16) -> Result<()> {
    let directory = format!("/proc/{pid}/fd");
    let files = fs::read_dir(&directory)
        .with_context(|| format!("there is no process {pid}, or it is somebody else's"))?;
    let sockets: Vec<String> = files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_str()?;
            Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();
    let suffix = format!(":{port:04X}");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        for line in table.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, _, LISTENING, _, _, _, _, _, inode, ..] = fields[..]
                && local.ends_with(&suffix)
                && sockets.iter().any(|socket| socket == inode)
            {
                return Ok(());
            }
        }
    }
    bail!("process {pid} does not listen on port {port}")
}

/// The soft limit of another process.
fn open_files_max(pid: u32) -> Result<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits"))
        .with_context(|| format!("there is no process {pid}, or it is somebody else's"))?;
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("the kernel says nothing of open files")?;
    Ok(soft.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_connections_than_files_is_an_error_that_says_what_to_do() {
        let pid = std::process::id();
        allow(1, pid).unwrap();
        let error = allow(usize::MAX / 2, pid).unwrap_err().to_string();
        assert!(error.starts_with("this tool may open "), "{error}");
        assert!(error.contains("ulimit -n"), "{error}");
    }
}
