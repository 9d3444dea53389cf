//! Starts the process of a driver: which program, in which folder, with which environment and limits.
//!
//! No shell is between the gateway and the program. What the gateway's own environment has beside [`PASSED_ON`] stays in the gateway.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, getrlimit};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};

use crate::model::DriverProcess;

/// The variables of the gateway that a process has too, where they are set.
const PASSED_ON: [&str; 5] = ["PATH", "HOME", "LANG", "TZ", "PYTHONPATH"];

/// Where programs are looked for when the gateway itself has no PATH, as POSIX shells do.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How much each process may take. A process that is refused more fails, and its module starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessSettings {
    /// Bytes of memory that it may write to; 0 for as many as there are. Default 1 GiB.
    pub memory_bytes: usize,
    /// Files that it may have open; 0 for as many as the gateway. Default 1 024, a shell's.
    pub files: usize,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            memory_bytes: 1024 * 1024 * 1024,
            files: 1_024,
        }
    }
}

/// Where and how processes are started.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    limits: ProcessSettings,
}

/// A process that was started.
pub(super) struct Launched {
    pub(super) child: Child,
    pub(super) id: Pid,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
    /// Tells of the end of any child.
    pub(super) children: SignalStream,
}

/// Why a process was not started.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    #[error("the folder {0:?}, in which drivers run, cannot be used: {1}")]
    Folder(PathBuf, io::Error),
    #[error("there is no program {0:?} in PATH; install it, or name its path")]
    NotInPath(String),
    #[error("there is no program {0:?}; correct `command`")]
    NotThere(PathBuf),
    #[error(
        "{0:?} is not executable; make it so with chmod +x, or name its interpreter first, as in `command: [python3, …]`"
    )]
    NotExecutable(PathBuf),
    #[error("{0:?} cannot be run: the interpreter that its first line names is not there")]
    Interpreter(PathBuf),
    #[error("{0:?} cannot be run: {1}")]
    Refused(PathBuf, io::Error),
}

impl Launch {
    /// `environment` is the gateway's.
    pub(super) fn new(
        folder: PathBuf,
        environment: &BTreeMap<String, String>,
        limits: ProcessSettings,
    ) -> Self {
        let passed_on = PASSED_ON.iter().filter_map(|name| {
            let (name, value) = environment.get_key_value(*name)?;
            Some((name.clone(), value.clone()))
        });
        Self {
            folder,
            environment: passed_on.collect(),
            limits,
        }
    }

    /// Starts a process as the leader of a group of its own. Blocks for a moment; a runtime has to be at hand.
    pub(super) fn start(&self, process: &DriverProcess) -> Result<Launched, LaunchError> {
        let unusable = |error| LaunchError::Folder(self.folder.clone(), error);
        let folder = std::fs::canonicalize(&self.folder).map_err(unusable)?;
        let mut environment = self.environment.clone();
        environment.extend(process.env().iter().cloned());
        let path = environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
        let program = find(process.program(), &folder, path)?;
        let refused = |error: io::Error| match error.kind() == io::ErrorKind::NotFound {
            true => LaunchError::Interpreter(program.clone()),
            false => LaunchError::Refused(program.clone(), error),
        };
        // First: a child that ends before anybody listens is told of all the same.
        let children = signal(SignalKind::child()).map_err(refused)?;
        let mut child = Command::new(&program)
            .args(process.arguments())
            .current_dir(&folder)
            .env_clear()
            .envs(&environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(refused)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let parts = (
            id.and_then(Pid::from_raw),
            child.stdin.take(),
            child.stdout.take(),
            child.stderr.take(),
        );
        let (Some(id), Some(stdin), Some(stdout), Some(stderr)) = parts else {
            unreachable!(
                "a child that was not waited for has its id, and the pipes were asked for"
            );
        };
        self.limit(id);
        Ok(Launched {
            child,
            id,
            stdin,
            stdout,
            stderr,
            children,
        })
    }

    /// Limits a process that has just begun, and with it all that it starts.
    fn limit(&self, id: Pid) {
        let limits = [
            (Resource::Data, self.limits.memory_bytes),
            (Resource::Nofile, self.limits.files),
        ];
        for (resource, limit) in limits {
            if limit == 0 {
                continue;
            }
            // Nobody may raise a limit above that of the gateway.
            let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let limit = Some(u64::try_from(limit).unwrap_or(u64::MAX).min(most));
            let new = Rlimit {
                current: limit,
                maximum: limit,
            };
            if let Err(error) = set_limit(id, resource, new) {
                tracing::warn!(?resource, %error, "a driver's process could not be limited");
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn set_limit(id: Pid, resource: Resource, new: Rlimit) -> rustix::io::Result<()> {
    match rustix::process::prlimit(Some(id), resource, new) {
        // It has ended by itself.
        Ok(_) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(target_os = "linux"))]
fn set_limit(_: Pid, _: Resource, _: Rlimit) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOSYS)
}

/// The path of a program: as it is named, from `folder` on, or found in PATH.
fn find(program: &str, folder: &Path, path: &str) -> Result<PathBuf, LaunchError> {
    if program.contains('/') {
        let program = folder.join(program);
        return match std::fs::metadata(&program) {
            Err(_) => Err(LaunchError::NotThere(program)),
            Ok(found) if is_executable(&found) => Ok(program),
            Ok(_) => Err(LaunchError::NotExecutable(program)),
        };
    }
    let mut plain = None;
    for place in std::env::split_paths(OsStr::new(path)) {
        let program = folder.join(place).join(program);
        match std::fs::metadata(&program) {
            Ok(found) if is_executable(&found) => return Ok(program),
            Ok(found) if found.is_file() => plain = plain.or(Some(program)),
            Ok(_) | Err(_) => {}
        }
    }
    Err(match plain {
        Some(plain) => LaunchError::NotExecutable(plain),
        None => LaunchError::NotInPath(program.to_owned()),
    })
}

fn is_executable(found: &std::fs::Metadata) -> bool {
    found.is_file() && found.permissions().mode() & 0o111 != 0
}
