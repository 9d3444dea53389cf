//! What stands in the table and in its queue, without a server.

use std::collections::VecDeque;

use super::*;
use crate::stores::redis::topics::batch::{Answered, Batch, Batcher};
use crate::stores::redis::topics::scripts::{Scripts, SessionId};
use crate::stores::redis::topics::table::Table;
use crate::stores::redis::topics::wire::ProcessNote;
use crate::stores::topic_suite::{QUIET, id};

const TOPIC: &str = "4201/a";

/// A table that is connected, and what its store would send.
struct Bench {
    table: Table,
    scripts: Scripts,
    told: Arc<Told>,
}

impl Bench {
    fn new() -> Self {
        let told = Arc::new(Told::default());
        let feed = Arc::downgrade(&told) as Weak<dyn TopicFeed>;
        let mut table = Table::new(feed);
        assert_eq!(table.connected(), VecDeque::new());
        Self {
            table,
            scripts: Scripts::default(),
            told,
        }
    }

    fn enter(&mut self, connection: u64) {
        let entry = TopicEntry {
            topic: id(TOPIC),
            member: None,
            wants_last: false,
        };
        let told = Arc::clone(&self.told);
        let answer = Box::new(move |answer| told.answered(TOPIC, connection, answer));
        let connection = ConnectionId(connection);
        self.table
            .enter(connection, entry, QUIET, answer, Instant::now());
    }

    fn leave(&mut self, connection: u64) {
        self.table.leave(&id(TOPIC), ConnectionId(connection));
    }

    /// Sends what is in the queue, and says how many commands that are.
    fn send(&mut self) -> usize {
        self.batch(|batcher, table| batcher.take_queue(table))
    }

    fn restore(&mut self, mut topics: VecDeque<TopicId>) -> usize {
        let mut to_read = VecDeque::new();
        self.batch(|batcher, table| batcher.restore(table, &mut topics, &mut to_read))
    }

    fn batch(&mut self, fill: impl FnOnce(&mut Batcher<'_>, &mut Table)) -> usize {
        let session = SessionId {
            process: ProcessId(1),
            number: 1,
        };
        let mut batcher = Batcher::new(&self.scripts, session);
        fill(&mut batcher, &mut self.table);
        let Batch { commands, answers } = batcher.batch;
        assert_eq!(commands.len(), answers.len());
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Answered::Command))
        );
        commands.len()
    }

    /// Redis lets all in whose entries were sent.
    fn let_in(&mut self) {
        let mut requests: Vec<u64> = self.table.sent.keys().copied().collect();
        requests.sort_unstable();
        for request in requests {
            let answer = ProcessNote::Answer {
                request,
                is_full: false,
                connections: 1,
                last: None,
                members: Some(Vec::new()),
            };
            self.table.take_process_note(answer, Instant::now());
        }
    }
}

#[tokio::test]
async fn a_leave_before_its_topic_is_told_afresh_is_not_told_again() {
    let mut bench = Bench::new();
    bench.enter(1);
    bench.enter(2);
    assert_eq!(bench.send(), 3, "a subscription and two entries");
    bench.let_in();
    bench.table.lost();
    let topics = bench.table.connected();
    assert_eq!(topics, [id(TOPIC)]);
    bench.leave(1);
    assert_eq!(bench.restore(topics), 2, "a subscription and what is in it");
    bench.leave(2);
    assert_eq!(
        bench.send(),
        2,
        "the second leave and the subscription's end"
    );
    assert!(bench.table.topics.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_piles_up_while_redis_is_away() {
    let mut bench = Bench::new();
    bench.enter(1);
    bench.send();
    bench.let_in();
    bench.enter(2);
    bench.send();
    bench.table.lost();
    for number in 3..100 {
        bench.enter(number);
        bench.leave(number);
        tokio::time::advance(Duration::from_millis(100)).await;
        bench.table.expire(Instant::now());
    }
    bench.leave(1);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(bench.table.expire(Instant::now()), None);
    assert!(bench.table.queue.is_empty());
    assert!(bench.table.topics.is_empty());
    assert_eq!(bench.told.of(TOPIC).len(), 99, "each is answered once");
    assert_eq!(bench.table.connected(), VecDeque::new());
    assert_eq!(bench.send(), 0);
}

#[tokio::test]
async fn who_has_left_before_the_entry_was_sent_is_not_sent() {
    let mut bench = Bench::new();
    bench.enter(1);
    bench.leave(1);
    assert_eq!(bench.send(), 0);
    bench.told.until_of(TOPIC, &["1 out: Unavailable"]).await;
    assert_eq!(bench.send(), 0);
    assert!(bench.table.topics.is_empty());
}
