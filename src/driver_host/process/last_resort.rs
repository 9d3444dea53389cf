//! What ends the drivers' processes when the gateway itself is killed.
//!
//! A driver ends when its stdin ends, but what it started may not, nor a driver that hangs; and a gateway that is killed ends nobody.
//! So a shell stands by from the first process on. It reads from a pipe which process groups there are, and when the pipe ends, as it does with the gateway, it kills those that are left.
//! It does nothing else: as long as the gateway lives, the gateway ends processes itself.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

use rustix::io::ioctl_fionbio;
use rustix::process::Pid;

use crate::model::lock;

/// Reads `+12` for a group that has begun and `-12` for one that has ended. Signals to the gateway's terminal are not for it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=
while read -r change; do
  case $change in
    +*) groups="$groups ${change#+}" ;;
    -*) left=
        for group in $groups; do [ "$group" = "${change#-}" ] || left="$left $group"; done
        groups=$left ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
"#;

/// Knows the process groups of all drivers.
#[derive(Default)]
pub(super) struct LastResort(Mutex<State>);

#[derive(Default)]
struct State {
    groups: BTreeSet<i32>,
    shell: Option<Shell>,
    has_warned: bool,
}

/// A shell that stands by.
struct Shell {
    child: Child,
    changes: ChildStdin,
}

impl LastResort {
    /// A group has begun.
    pub(super) fn add(&self, group: Pid) {
        let group = group.as_raw_nonzero().get();
        let mut state = lock(&self.0);
        state.groups.insert(group);
        state.tell(&format!("+{group}\n"));
    }

    /// A group has ended.
    pub(super) fn remove(&self, group: Pid) {
        let group = group.as_raw_nonzero().get();
        let mut state = lock(&self.0);
        if state.groups.remove(&group) {
            state.tell(&format!("-{group}\n"));
        }
    }
}

impl State {
    /// Tells the shell. One that is gone, or does not read, is replaced by one that is told of all groups.
    fn tell(&mut self, change: &str) {
        if let Some(shell) = &mut self.shell
            && shell.takes(change)
        {
            return;
        }
        self.shell = None;
        if self.groups.is_empty() {
            return;
        }
        let all: String = self.groups.iter().map(|it| format!("+{it}\n")).collect();
        match Shell::start() {
            Ok(mut shell) => self.shell = shell.takes(&all).then_some(shell),
            Err(error) if !self.has_warned => {
                self.has_warned = true;
                tracing::warn!(%error, "no shell stands by to end the drivers' processes if the gateway is killed; they end by themselves when they notice");
            }
            Err(_) => {}
        }
    }
}

impl Shell {
    fn start() -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let changes = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        ioctl_fionbio(&changes, true)?;
        Ok(Self { child, changes })
    }

    /// Writes without waiting. What does not fit into the pipe is a shell that does not read.
    fn takes(&mut self, change: &str) -> bool {
        let written = self.changes.write(change.as_bytes());
        written.is_ok_and(|written| written == change.len())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It is our own child and was not waited for, so the number is its own. With its pipe closed it would kill what runs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for LastResort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastResort").finish_non_exhaustive()
    }
}
