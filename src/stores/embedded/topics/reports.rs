//! Reports that wait to be taken. There is room for so many; past it the oldest are dropped and counted.

use std::collections::VecDeque;

use crate::model::{Reported, TopicReport};
use crate::stores::limits::{REPORTS_MAX, REPORTS_MAX_BYTES};

/// The queue of reports, the oldest first.
#[derive(Debug)]
pub(super) struct ReportQueue {
    most: usize,
    most_bytes: usize,
    waiting: VecDeque<TopicReport>,
    bytes: usize,
    dropped: u64,
}

impl Default for ReportQueue {
    fn default() -> Self {
        Self::with_room(REPORTS_MAX, REPORTS_MAX_BYTES)
    }
}

impl ReportQueue {
    fn with_room(most: usize, most_bytes: usize) -> Self {
        Self {
            most,
            most_bytes,
            waiting: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    pub(super) fn add(&mut self, report: TopicReport) {
        self.bytes += size(&report);
        self.waiting.push_back(report);
        while self.waiting.len() > 1
            && (self.waiting.len() > self.most || self.bytes > self.most_bytes)
        {
            self.pop();
            self.dropped += 1;
        }
    }

    /// Takes the oldest out.
    pub(super) fn take(&mut self, most: usize) -> Vec<TopicReport> {
        let count = most.min(self.waiting.len());
        (0..count).filter_map(|_| self.pop()).collect()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn pop(&mut self) -> Option<TopicReport> {
        let report = self.waiting.pop_front()?;
        self.bytes -= size(&report);
        Some(report)
    }
}

/// About how many bytes of memory it takes.
fn size(report: &TopicReport) -> usize {
    let text = match &report.what {
        Reported::Joined(user) | Reported::Left(user) => user.len(),
        Reported::Published { by, message } => {
            by.user.as_ref().map_or(0, |user| user.len()) + message.as_str().len()
        }
        Reported::Occupied | Reported::Vacated | Reported::Missed | Reported::Count(_) => 0,
    };
    size_of::<TopicReport>() + report.topic.as_str().len() + text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ClusterConnectionId, ConnectionId, JsonText, ProcessId, Publisher, Timestamp, TopicId,
    };

    fn report(at: u64, what: Reported) -> TopicReport {
        TopicReport {
            topic: TopicId::new("1/a").unwrap(),
            at: Timestamp(at),
            what,
        }
    }

    fn published(bytes: usize) -> Reported {
        Reported::Published {
            by: Publisher {
                connection: ClusterConnectionId {
                    process: ProcessId(1),
                    connection: ConnectionId(1),
                },
                user: None,
            },
            message: JsonText::of(&"x".repeat(bytes)).unwrap(),
        }
    }

    #[test]
    fn past_the_bound_the_oldest_are_dropped_and_counted() {
        let mut queue = ReportQueue::with_room(9, usize::MAX);
        for at in 0..=9 {
            queue.add(report(at, Reported::Missed));
        }
        assert_eq!(queue.dropped(), 1);
        let first = queue.take(2);
        assert_eq!(first[0].at, Timestamp(1));
        assert_eq!(first[1].at, Timestamp(2));
        assert_eq!(queue.take(usize::MAX).len(), 7);
        assert_eq!(queue.take(1), []);
    }

    #[test]
    fn large_reports_are_bounded_by_their_bytes_and_one_always_fits() {
        let mut queue = ReportQueue::with_room(9, 1_000);
        queue.add(report(1, published(2_000)));
        assert_eq!(queue.dropped(), 0);
        queue.add(report(2, Reported::Occupied));
        assert_eq!(queue.dropped(), 1);
        assert_eq!(queue.take(9), [report(2, Reported::Occupied)]);
        assert_eq!(queue.bytes, 0);
    }
}
