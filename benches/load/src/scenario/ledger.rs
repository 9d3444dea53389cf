//! What was published, status by status, and whether what arrives can be true.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use crate::account::nanos;
use crate::protocol::{Protocol, Stamp};

/// The statuses of a scenario that has many, and their values. A sequence number tells the status that it is of.
pub(super) struct Ledger {
    statuses: usize,
    newest: Vec<u64>,
    acknowledged: Vec<u64>,
    under_way: HashMap<u64, u64>,
    requests: u64,
    bytes: usize,
}

impl Ledger {
    pub(super) fn new(statuses: usize, bytes: usize) -> Self {
        Self {
            statuses,
            newest: vec![0; statuses],
            acknowledged: vec![0; statuses],
            under_way: HashMap::new(),
            requests: 0,
            bytes,
        }
    }

    /// Appends the request that publishes the next value of a status.
    pub(super) fn publish(&mut self, protocol: &dyn Protocol, status: usize, out: &mut Vec<u8>) {
        let newest = &mut self.newest[status];
        let first = (self.statuses + status) as u64;
        *newest = (*newest + self.statuses as u64).max(first);
        self.requests += 1;
        self.under_way.insert(self.requests, *newest);
        let mut value = Vec::new();
        let stamp = Stamp {
            sequence: *newest,
            sent_nanos: nanos(),
        };
        stamp.write(self.bytes, &mut value);
        protocol.publish(self.requests, status, &value, out);
    }

    /// Notes that the server has answered a publish.
    pub(super) fn done(&mut self, request: u64) -> Result<()> {
        let sequence = self
            .under_way
            .remove(&request)
            .with_context(|| format!("publish {request} was answered, which was not under way"))?;
        let status = usize::try_from(sequence)? % self.statuses;
        let acknowledged = &mut self.acknowledged[status];
        *acknowledged = (*acknowledged).max(sequence);
        Ok(())
    }

    /// Whether every publish has been answered.
    pub(super) fn is_settled(&self) -> bool {
        self.under_way.is_empty()
    }

    /// The newest value of a status.
    pub(super) fn newest(&self, status: usize) -> u64 {
        self.newest[status]
    }

    /// The newest that was answered: whoever binds from here on is owed it or a newer one.
    pub(super) fn acknowledged(&self, status: usize) -> u64 {
        self.acknowledged[status]
    }

    /// Checks a value of a status against the last one that the same binding had.
    pub(super) fn check(&self, status: usize, value: &[u8], last: &mut u64) -> Result<Stamp> {
        let Some(stamp) = Stamp::read(value) else {
            let text = String::from_utf8_lossy(&value[..value.len().min(80)]);
            bail!("a value that nobody published: {text}");
        };
        let sequence = stamp.sequence;
        if usize::try_from(sequence)? % self.statuses != status {
            bail!("change {sequence} came as one of status {status}");
        }
        if sequence <= *last || sequence > self.newest[status] {
            bail!("change {sequence} of status {status} came after {last}");
        }
        *last = sequence;
        Ok(stamp)
    }
}
