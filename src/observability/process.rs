//! What the process takes of the machine, under the names that Prometheus's own client libraries give it.
//!
//! It is read at each scrape, and written as text: CPU time is a counter of fractions, which the recorder does not have.
//! A figure that the system does not give is left out.

use std::fmt::Write as _;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

const STATUS: &str = "/proc/self/status";
const OPEN_FILES: &str = "/proc/self/fd";

/// The measures of a process that began to measure at this time.
pub(super) fn render(began: SystemTime) -> String {
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, about: &str, value: Option<f64>| {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {value}\n"
            );
        }
    };
    let status = fs::read_to_string(STATUS).unwrap_or_default();
    let began = began.duration_since(UNIX_EPOCH).ok();
    put(
        "process_cpu_seconds_total",
        "counter",
        "CPU time of all threads, in user and system mode",
        Some(cpu_seconds()),
    );
    put(
        "process_resident_memory_bytes",
        "gauge",
        "Memory that is in use and not swapped out",
        kibibytes(&status, "VmRSS:"),
    );
    put(
        "process_virtual_memory_bytes",
        "gauge",
        "Memory that is addressed, whether used or not",
        kibibytes(&status, "VmSize:"),
    );
    put(
        "process_open_fds",
        "gauge",
        "Files and connections that are open",
        open_files(),
    );
    put(
        "process_max_fds",
        "gauge",
        "How many files and connections may be open",
        files_max(),
    );
    put(
        "process_threads",
        "gauge",
        "Threads",
        field(&status, "Threads:"),
    );
    put(
        "process_start_time_seconds",
        "gauge",
        "When the process began, in Unix seconds",
        began.map(|began| began.as_secs_f64()),
    );
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no process lives for that many seconds"
)]
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A line such as `Threads: 7`.
fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A line such as `VmRSS: 1234 kB`.
fn kibibytes(status: &str, name: &str) -> Option<f64> {
    field(status, name).map(|kibibytes| kibibytes * 1024.0)
}

#[expect(clippy::cast_precision_loss, reason = "far fewer files can be open")]
fn open_files() -> Option<f64> {
    // Newer kernels say it at once; a list of ten thousand connections takes a while to read.
    let told = fs::metadata(OPEN_FILES).ok()?.len();
    let count = match told {
        0 => fs::read_dir(OPEN_FILES).ok()?.count() as u64,
        told => told,
    };
    Some(count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "far fewer files can be open")]
fn files_max() -> Option<f64> {
    let (soft, _) = rlimit::getrlimit(rlimit::Resource::NOFILE).ok()?;
    Some(soft as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_takes() {
        let text = render(UNIX_EPOCH + std::time::Duration::from_millis(1_500));
        let value = |name: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{name} ")));
            let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
            let (_, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 1e5, "{text}");
        assert!(value("process_open_fds") >= 3.0, "{text}");
        assert!(
            value("process_max_fds") >= value("process_open_fds"),
            "{text}"
        );
        assert!(value("process_threads") >= 1.0, "{text}");
        assert!(value("process_cpu_seconds_total") >= 0.0, "{text}");
        assert!(
            (value("process_start_time_seconds") - 1.5).abs() < 1e-9,
            "{text}"
        );
        assert!(text.contains("# TYPE process_cpu_seconds_total counter\n"));
    }

    #[test]
    fn what_the_system_does_not_tell_is_left_out() {
        let status = "Name:\triser\nVmRSS:\t    1200 kB\nThreads:\t7\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(1_228_800.0));
        assert_eq!(field(status, "Threads:"), Some(7.0));
        assert_eq!(kibibytes(status, "VmSize:"), None);
        assert_eq!(kibibytes("VmSize: much", "VmSize:"), None);
    }
}
