//! When a connection is in a topic: from the answer to its entry on, and until it leaves or ends.
//!
//! The store of topics is a double that answers when the test says so.

use std::rc::Rc;
use std::sync::Arc;

use super::{World, run};
use crate::core::tests::late_topics::LateTopics;
use crate::core::tests::testkit::TestCore;
use crate::dialects::{Form, Splice, Step};
use crate::model::{
    CloseReason, ClusterConnectionId, JsonText, ProcessId, Request, Ticket, TopicEntry, TopicEvent,
    TopicId,
};

fn topic() -> TopicId {
    TopicId::new("4201/room").unwrap()
}

struct Bench {
    world: World,
    topics: Arc<LateTopics>,
}

impl Bench {
    async fn new() -> Self {
        let (topics, make) = LateTopics::new(topic());
        let world = World::of(TestCore::with_topics(make).await);
        for (_, wire) in &world.clients {
            wire.allow(usize::MAX);
        }
        Self { world, topics }
    }

    fn ask(&self, client: usize, ticket: u32, request: Request) {
        let connection = Rc::clone(&self.world.clients[client].0);
        let step = Step::Request {
            ticket: Ticket(ticket),
            request,
            form: Form::Told,
            splice: Splice::new(client.to_string()),
        };
        self.world.worker.perform(&connection, step);
    }

    fn enter(&self, client: usize, ticket: u32) {
        let entry = TopicEntry {
            topic: topic(),
            member: None,
            wants_last: false,
        };
        self.ask(client, ticket, Request::Enter(entry));
    }

    /// What a client got, by what is new in each event.
    async fn heard(&self, client: usize) -> Vec<String> {
        self.world.round().await;
        let messages = self.world.clients[client].1.messages();
        messages
            .iter()
            .map(|message| message["new"].to_string())
            .collect()
    }

    fn watches(&self) -> usize {
        self.world.worker.table.borrow().subjects.len()
    }
}

#[test]
fn what_happens_before_the_answer_is_not_sent_and_what_happens_after_it_is() {
    run(async {
        let bench = Bench::new().await;
        bench.enter(0, 1);
        bench.topics.say(1);
        bench.topics.let_in();
        bench.topics.say(2);
        bench.enter(1, 1);
        bench.topics.say(3);
        assert_eq!(bench.heard(0).await, ["2", "3"]);
        bench.topics.let_in();
        bench.topics.say(4);
        assert_eq!(bench.heard(0).await, ["2", "3", "4"]);
        assert_eq!(bench.heard(1).await, ["4"]);
    });
}

#[test]
fn a_connection_is_spared_what_it_did_itself() {
    run(async {
        let bench = Bench::new().await;
        for client in [0, 1] {
            bench.enter(client, 1);
            bench.topics.let_in();
        }
        let own = bench.world.core.core.topics.process();
        let by = |process| {
            let connection = bench.world.clients[0].0.id;
            Some(ClusterConnectionId {
                process,
                connection,
            })
        };
        let said = |number: &str, except| TopicEvent::Message {
            message: JsonText::parse(number).unwrap(),
            except,
        };
        bench.topics.tell(said("1", by(own)));
        let other = ProcessId(own.0 ^ 1);
        bench.topics.tell(said("2", by(other)));
        assert_eq!(
            bench.heard(0).await,
            ["2"],
            "of another process it is another"
        );
        assert_eq!(bench.heard(1).await, ["1", "2"]);
    });
}

#[test]
fn who_leaves_before_the_answer_does_not_come_in() {
    run(async {
        let bench = Bench::new().await;
        bench.enter(0, 1);
        bench.ask(0, 2, Request::Leave(topic()));
        assert_eq!(bench.topics.left(), [0]);
        bench.topics.let_in();
        bench.topics.say(1);
        assert!(bench.heard(0).await.is_empty());
        assert_eq!(bench.watches(), 0);
    });
}

#[test]
fn who_is_refused_leaves_nothing_behind() {
    run(async {
        let bench = Bench::new().await;
        bench.enter(0, 1);
        bench.topics.refuse();
        bench.topics.say(1);
        assert!(bench.heard(0).await.is_empty());
        assert_eq!(bench.watches(), 0);
    });
}

#[test]
fn a_connection_that_ends_leaves_what_it_is_in_and_what_it_is_entering() {
    run(async {
        let bench = Bench::new().await;
        bench.enter(0, 1);
        bench.topics.let_in();
        bench.enter(1, 1);
        bench.world.round().await;
        for client in [0, 1] {
            let connection = &bench.world.clients[client].0;
            bench.world.worker.close(connection, CloseReason::GoingAway);
        }
        assert_eq!(bench.topics.left(), [0, 1]);
        assert_eq!(bench.watches(), 0);
        bench.topics.let_in();
        bench.world.round().await;
        assert_eq!(bench.watches(), 0);
    });
}

#[test]
fn to_enter_again_adds_nothing() {
    run(async {
        let bench = Bench::new().await;
        for ticket in [1, 2] {
            bench.enter(0, ticket);
            bench.topics.let_in();
            bench.world.round().await;
        }
        bench.topics.say(1);
        assert_eq!(bench.heard(0).await, ["1"]);
        bench.ask(0, 3, Request::Leave(topic()));
        bench.ask(0, 4, Request::Leave(topic()));
        assert_eq!(bench.topics.left(), [0]);
        assert_eq!(bench.watches(), 0);
    });
}
