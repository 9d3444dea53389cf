//! What every store of messages promises, as tests that each store runs by the same names.
//!
//! A store joins by [`message_store_suite`] and a [`MessageFixture`] of its own.
//! Each test has two nodes, which are one and the same where a store is a single process's: so what holds for one node holds for several that share a store.
//! `told` keeps what a node is told; `random` holds a store to a plain model, whatever happens in whatever order.

mod bounds;
mod random;
mod reading;
mod subscribing;
mod told;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::{
    DeviceId, Mark, Message, MessageLevel, MessageNumber, Notice, ServiceKey, Subscription,
    Timestamp, Unread,
};
use crate::stores::{MessageStore, Sent, StoreError, Subscribed, Tally};

pub(in crate::stores) use random::random_operations;
pub(in crate::stores) use told::Told;

/// All of them, for the macro.
pub(in crate::stores) mod tests {
    pub(in crate::stores) use super::bounds::*;
    pub(in crate::stores) use super::reading::*;
    pub(in crate::stores) use super::subscribing::*;
    pub(in crate::stores) use super::told::tests::*;
}

/// How long anything here may take on a busy machine.
pub(in crate::stores) const PATIENCE: Duration = Duration::from_secs(60);

/// A place for messages, empty at first.
pub(in crate::stores) trait MessageFixture: Sized {
    /// A place of its own for one test.
    async fn new() -> Self;

    /// Two nodes over this place, at work. Called once. Where only one process can use the place, they are the same one.
    fn nodes(&self) -> [Node; 2];
}

/// A node: its store, what the store tells, and the store's work, which ends with the node.
#[derive(Clone)]
pub(in crate::stores) struct Node {
    pub(in crate::stores) store: Arc<dyn MessageStore>,
    pub(in crate::stores) told: Arc<Told>,
    _work: Arc<JoinSet<()>>,
}

impl Node {
    /// A node whose store does this work.
    pub(in crate::stores) fn new(
        store: Arc<dyn MessageStore>,
        told: Arc<Told>,
        work: Vec<BoxFuture<'static, ()>>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        for task in work {
            tasks.spawn(task);
        }
        Self {
            store,
            told,
            _work: Arc::new(tasks),
        }
    }

    pub(in crate::stores) async fn subscribe(&self, device: &str, service: &str) -> Subscribed {
        self.subscribe_at(device, service, at(0)).await
    }

    pub(in crate::stores) async fn subscribe_at(
        &self,
        device: &str,
        service: &str,
        at: Timestamp,
    ) -> Subscribed {
        let (device, service) = (device_id(device), key(service));
        within(self.store.subscribe(device, service, at)).await
    }

    pub(in crate::stores) async fn unsubscribe(&self, device: &str, service: &str) -> bool {
        let (device, service) = (device_id(device), key(service));
        within(self.store.unsubscribe(device, service)).await
    }

    pub(in crate::stores) async fn subscriptions(&self, device: &str) -> Vec<Subscription> {
        within(self.store.subscriptions(device_id(device))).await
    }

    pub(in crate::stores) async fn send(&self, service: &str, text: &str) -> Sent {
        self.send_at(service, text, at(0)).await
    }

    pub(in crate::stores) async fn send_at(
        &self,
        service: &str,
        text: &str,
        at: Timestamp,
    ) -> Sent {
        within(self.store.send(key(service), notice(text), at)).await
    }

    pub(in crate::stores) async fn unread(&self, device: &str) -> Unread {
        within(self.store.unread(device_id(device))).await
    }

    pub(in crate::stores) async fn take(&self, device: &str) -> Unread {
        within(self.store.take(device_id(device), at(0))).await
    }

    /// The device has read so far, by the number of a message of the service.
    pub(in crate::stores) async fn read(&self, device: &str, service: &str, number: MessageNumber) {
        let mark = Mark {
            service: key(service),
            number,
        };
        within(self.store.read(device_id(device), vec![mark], at(0))).await;
    }

    pub(in crate::stores) async fn read_all(&self, device: &str) {
        within(self.store.read_all(device_id(device), at(0))).await;
    }

    pub(in crate::stores) async fn forget(&self, service: &str) {
        within(self.store.forget(key(service))).await;
    }

    pub(in crate::stores) async fn tally(&self, service: &str) -> Tally {
        let tallies = within(self.store.tallies(vec![key(service)])).await;
        let [tally] = <[Tally; 1]>::try_from(tallies).unwrap();
        tally
    }

    pub(in crate::stores) async fn expire(&self, before: Timestamp) -> u64 {
        within(self.store.expire(before)).await
    }
}

/// Waits for a store, but not forever.
pub(in crate::stores) async fn within<T>(answer: impl Future<Output = Result<T, StoreError>>) -> T {
    let answer = timeout(PATIENCE, answer).await;
    answer.expect("the store answers").unwrap()
}

pub(in crate::stores) fn key(service: &str) -> ServiceKey {
    ServiceKey::new(service).unwrap()
}

pub(in crate::stores) fn device_id(device: &str) -> DeviceId {
    DeviceId::new(device).unwrap()
}

/// So many seconds after the test has begun, as the nodes' clocks have it.
pub(in crate::stores) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_760_000_000 + seconds)
}

/// A text alone, as most senders have it.
pub(in crate::stores) fn notice(text: &str) -> Notice {
    Notice {
        text: text.to_owned(),
        title: String::new(),
        link: String::new(),
        level: MessageLevel::USUAL,
    }
}

/// What messages say, in their order.
pub(in crate::stores) fn texts(messages: &[Arc<Message>]) -> Vec<&str> {
    let texts = messages.iter().map(|message| &*message.notice.text);
    texts.collect()
}

/// That these messages are all that is unread.
#[track_caller]
pub(in crate::stores) fn assert_all(unread: &Unread, expected: &[&str]) {
    assert_eq!(texts(&unread.messages), expected);
    assert!(!unread.more, "there are more than {expected:?}");
}

/// Runs the tests of the suite with a fixture.
macro_rules! message_store_suite {
    ($fixture:ty: $($test:ident)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let fixture = <$fixture as $crate::stores::message_suite::MessageFixture>::new().await;
                let nodes = $crate::stores::message_suite::MessageFixture::nodes(&fixture);
                $crate::stores::message_suite::tests::$test(nodes).await;
            }
        )+

        #[test]
        fn whatever_happens_the_store_does_as_the_model_does() {
            $crate::stores::message_suite::random_operations::<$fixture>();
        }
    };
    ($fixture:ty) => {
        $crate::stores::message_suite::message_store_suite! {
            $fixture:
            a_device_gets_what_is_sent_after_it_has_subscribed
            to_subscribe_twice_changes_nothing
            a_device_that_subscribes_anew_skips_what_it_had_not_read
            a_subscription_that_is_not_there_cannot_end
            subscriptions_are_listed_the_oldest_first
            of_a_service_that_is_forgotten_nothing_is_left
            a_service_has_so_many_subscriptions_and_no_more
            a_device_has_so_many_subscriptions_and_no_more
            each_device_takes_a_message_once
            a_message_comes_as_it_was_sent
            messages_of_several_services_come_in_the_order_in_which_they_were_sent
            of_many_who_take_at_a_time_each_message_comes_to_one
            to_look_at_what_is_unread_marks_nothing
            a_mark_moves_forward_alone
            a_mark_beyond_the_last_message_skips_nothing_later
            all_can_be_read_without_a_look
            a_device_is_known_to_have_looked
            of_too_many_unread_the_oldest_is_dropped_and_counted
            an_answer_has_so_many_messages_and_no_more
            an_answer_has_so_many_bytes_and_no_more
            what_is_too_old_is_dropped_and_counted
            what_a_service_has_sent_is_counted_for_good
            a_message_is_told_in_order_whether_a_device_is_subscribed_or_not
            a_subscription_is_told_when_it_begins_and_when_it_ends
        }
    };
}

pub(in crate::stores) use message_store_suite;
