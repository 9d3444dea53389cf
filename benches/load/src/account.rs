//! What a process has used, from the kernel's own accounts.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_gettime};

/// A point on the monotonic clock, shared with nobody.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every system has a monotonic clock");
    Duration::from(now)
}

/// Nanoseconds on the monotonic clock.
pub(crate) fn nanos() -> u64 {
    u64::try_from(now().as_nanos()).unwrap_or(u64::MAX)
}

/// Processor time that a process has used, user and system.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// Time on a processor, to the nanosecond.
    pub(crate) total: Duration,
    /// In user space, in ticks of the kernel's clock.
    pub(crate) user: Duration,
    /// In the kernel, likewise.
    pub(crate) system: Duration,
}

impl Cpu {
    /// What a process has used, and all that it has started.
    pub(crate) fn with_descendants(pid: u32) -> Result<Self> {
        let mut used = Self::of(pid)?;
        for pid in descendants(pid) {
            // One may have ended since; what it used is then its parent's.
            let Ok(cpu) = Self::of(pid) else { continue };
            used.total += cpu.total;
            used.user += cpu.user;
            used.system += cpu.system;
        }
        Ok(used)
    }

    /// What process `pid` has used.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = task?.path().join("schedstat");
            let Ok(text) = fs::read_to_string(path) else {
                continue;
            };
            total += text
                .split_whitespace()
                .next()
                .and_then(|nanos| nanos.parse::<u64>().ok())
                .unwrap_or(0);
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} is not there"))?;
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace()
            .collect();
        let ticks = |field: usize| -> Duration {
            let ticks: u64 = fields
                .get(field)
                .and_then(|ticks| ticks.parse().ok())
                .unwrap_or(0);
            Duration::from_millis(ticks * 10)
        };
        let (user, system) = (ticks(11), ticks(12));
        Ok(Self {
            // Threads that have ended are in the ticks alone.
            total: Duration::from_nanos(total).max(user + system),
            user,
            system,
        })
    }

    /// What was used since an earlier account.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    /// The share of user space.
    pub(crate) fn user_share(self) -> f64 {
        let both = (self.user + self.system).as_secs_f64();
        if both > 0.0 {
            self.user.as_secs_f64() / both
        } else {
            0.0
        }
    }
}

/// The processes that a process has started, and those that they have.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut at = 0;
    while let Some(pid) = family.get(at) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten();
        let children = tasks
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|children| {
                let children = children.split_whitespace().map(str::parse);
                children.flatten().collect::<Vec<u32>>()
            })
            .collect();
        family.extend(children);
        at += 1;
    }
    family.split_off(1)
}

/// Resident memory of a process in bytes: all of it, and the part that is no file.
pub(crate) fn resident(pid: u32) -> Result<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> u64 {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kib| kib.parse::<u64>().ok())
            .unwrap_or(0)
            * 1024
    };
    Ok((field("VmRSS:"), field("RssAnon:")))
}
