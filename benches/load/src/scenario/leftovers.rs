//! What a server holds for its clients: open files, and riser's own tables. When all have gone, so must this have.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::account::now;
use crate::scenario::PATIENCE;
use crate::target::Running;

/// riser's gauges of what clients hold.
const GAUGES: [&str; 3] = ["riser_connections", "riser_bindings", "riser_watches"];

/// How long one look at the gauges may take.
const LOOK_DEADLINE: Duration = Duration::from_secs(5);

/// The most that is read of them.
const LOOK_MAX_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Holdings {
    files: usize,
    /// `None` from a server that is not riser.
    gauges: Option<[f64; GAUGES.len()]>,
}

impl Holdings {
    /// What a server holds at this moment.
    pub(super) fn of(server: &Running) -> Result<Self> {
        let gauges = gauges(server)?;
        if gauges.is_none() && server.is_riser() {
            bail!("riser says nothing of its tables at /metrics");
        }
        let pid = server.pid();
        let files = fs::read_dir(format!("/proc/{pid}/fd"))
            .with_context(|| format!("could not count the open files of process {pid}"))?
            .count();
        Ok(Self { files, gauges })
    }

    /// Waits until a server holds no more than this again.
    pub(super) fn wait_for_return(&self, server: &Running) -> Result<()> {
        let give_up = now() + PATIENCE;
        loop {
            let here = Self::of(server)?;
            let left = here.beyond(self);
            if left.is_empty() {
                return Ok(());
            }
            if now() > give_up {
                bail!(
                    "all clients have gone for {PATIENCE:?}, and left over are {}",
                    left.join(", ")
                );
            }
        }
    }

    fn beyond(&self, start: &Self) -> Vec<String> {
        let mut left = Vec::new();
        if self.files > start.files {
            left.push(format!("{} open files", self.files - start.files));
        }
        if let (Some(here), Some(start)) = (self.gauges, start.gauges) {
            for ((name, here), start) in GAUGES.into_iter().zip(here).zip(start) {
                if here > start {
                    left.push(format!("{name} {}", here - start));
                }
            }
        }
        left
    }
}

/// riser's gauges; `None` when the server has no such page.
fn gauges(server: &Running) -> Result<Option<[f64; GAUGES.len()]>> {
    let address = server.metrics_address();
    let mut stream = TcpStream::connect_timeout(&address, LOOK_DEADLINE)
        .with_context(|| format!("could not connect to {address}"))?;
    stream.set_read_timeout(Some(LOOK_DEADLINE))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")?;
    let mut first = [0; 12];
    if stream.read_exact(&mut first).is_err() || !first.ends_with(b" 200") {
        return Ok(None);
    }
    let mut text = String::new();
    stream
        .take(LOOK_MAX_BYTES)
        .read_to_string(&mut text)
        .context("could not read /metrics")?;
    Ok(read(&text))
}

fn read(text: &str) -> Option<[f64; GAUGES.len()]> {
    // A gauge with labels is as high as its series together.
    let gauge = |name: &str| -> Option<f64> {
        let series: Vec<f64> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(head, _)| head.split('{').next() == Some(name))
            .filter_map(|(_, value)| value.trim().parse().ok())
            .collect();
        (!series.is_empty()).then(|| series.iter().sum())
    };
    let [first, second, third] = GAUGES.map(gauge);
    Some([first?, second?, third?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_at_the_start_is_named() {
        let page = |bindings: u32| {
            read(&format!(
                "# HELP riser_bindings x\r\nriser_bindings {bindings}\nriser_connections{{dialect=\"placeos\"}} 0\nriser_connections{{dialect=\"pusher\"}} 0\nriser_watches 1\n"
            ))
        };
        let start = Holdings {
            files: 9,
            gauges: page(0),
        };
        let here = Holdings {
            files: 11,
            gauges: page(3),
        };
        assert_eq!(here.beyond(&start), ["2 open files", "riser_bindings 3"]);
        assert!(start.beyond(&here).is_empty());
        assert_eq!(read("riser_bindings 3"), None);
    }
}
