//! The suite that every store of topics passes, on this one.

use super::*;
use crate::model::Timestamp;
use crate::stores::topic_suite::{ALL, Node, Told, TopicFixture, topic_store_suite};

struct Memory;

impl TopicFixture for Memory {
    async fn new() -> Self {
        Self
    }

    fn node(&self, process: u64) -> Node {
        let told = Arc::new(Told::default());
        let feed = Arc::downgrade(&told) as Weak<dyn TopicFeed>;
        let clock: Clock = Arc::new(|| Timestamp::from_secs(1_760_000_000));
        let store = EmbeddedTopicStore::new(ProcessId(process), feed, clock);
        Node::new(process, Arc::new(store), told, vec![])
    }
}

topic_store_suite!(Memory);

#[tokio::test]
async fn a_report_says_when_it_happened_and_waits_for_its_taker() {
    let node = Memory.node(7).with(ALL);
    let taker = node.store.reports(1);
    node.enter(1, "4201/a", None);
    let [report] = &taker.await.unwrap()[..] else {
        panic!("more than one");
    };
    assert_eq!(report.what, Reported::Occupied);
    assert_eq!(report.at, Timestamp::from_secs(1_760_000_000));
}
