//! The bus of all nodes: what is announced on one is told to those who follow the bus on any other.
//!
//! It goes by a [topic](TopicId::bus) that each process is in once, and that nobody else may name.
//! On the node where something is announced its followers are told before anything else, and what comes back of it is passed over.
//! What the store cannot publish is heard on that node alone, and counted.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::core::limits::BUS_ENTRY_RETRY;
use crate::core::metrics::CoreMetrics;
use crate::core::subscriptions::Subscriptions;
use crate::model::{
    Act, BusEvent, Clearance, ClusterConnectionId, ConnectionId, JsonText, ProcessId, Publication,
    Timestamp, TopicEntry, TopicEvent, TopicId, TopicRules,
};
use crate::stores::{TopicFeed, TopicStore};

/// By which each process is in the topic: the last number that a connection inside the gateway could have.
const CONNECTION: ConnectionId = ConnectionId(u64::MAX);

/// Tells other nodes what is announced here.
pub(super) struct Bus {
    pub(super) store: Arc<dyn TopicStore>,
    /// The process in which it is.
    pub(super) process: ProcessId,
    pub(super) metrics: Arc<CoreMetrics>,
    pub(super) main: Handle,
}

/// Hears what other nodes announce. What else happens to topics passes.
pub(super) struct BusFeed {
    subscriptions: Arc<Subscriptions>,
    process: ProcessId,
}

/// An event as it travels. A further field of a newer riser is passed over.
#[derive(Serialize, Deserialize)]
struct Announced {
    name: String,
    data: JsonText,
    level: String,
    act: u128,
    user: Option<String>,
    /// In microseconds since 1970.
    at: u64,
}

impl Bus {
    /// Enters the topic. From then on the store keeps the process in it, also over a loss of what it stands on.
    pub(super) async fn enter(&self) {
        while !self.try_enter().await {
            sleep(BUS_ENTRY_RETRY).await;
        }
    }

    async fn try_enter(&self) -> bool {
        let (answer, entered) = oneshot::channel();
        let entry = TopicEntry {
            topic: TopicId::bus(),
            member: None,
            wants_last: false,
        };
        let answer = Box::new(move |result: Result<_, _>| {
            // Cannot fail: its other end is below.
            let _ = answer.send(result.is_ok());
        });
        let rules = TopicRules::default();
        self.store.enter(CONNECTION, entry, rules, answer);
        entered.await.unwrap_or(false)
    }

    /// Tells the other nodes of an event, in the order of the calls, and never waits.
    pub(super) fn tell(&self, event: &BusEvent) {
        let publication = Publication {
            topic: TopicId::bus(),
            message: text(event),
            except: Some(connection(self.process)),
            kept: false,
            by: None,
        };
        let told = self.store.publish(publication, TopicRules::default());
        let untold = self.metrics.bus_untold.clone();
        // Bounded by the room of the store for messages and by its deadline.
        drop(self.main.spawn(async move {
            if told.await.is_err() {
                untold.increment(1);
            }
        }));
    }
}

impl BusFeed {
    pub(super) fn new(subscriptions: Arc<Subscriptions>, process: ProcessId) -> Self {
        Self {
            subscriptions,
            process,
        }
    }

    fn hear(&self, message: &JsonText) {
        match read(message) {
            Some(event) => self.subscriptions.tell_bus(&event),
            None => {
                tracing::warn!(
                    "an event of another node cannot be read and is passed over; let all nodes have the same riser, and no other program publish to its topics"
                );
            }
        }
    }
}

impl TopicFeed for BusFeed {
    fn happened(&self, topic: &TopicId, event: TopicEvent) {
        if !topic.is_bus() {
            self.subscriptions.happened(topic, event);
            return;
        }
        match event {
            TopicEvent::Message { except, .. } if except == Some(connection(self.process)) => {}
            TopicEvent::Message { message, .. } => self.hear(&message),
            // Nobody is counted there, or has a name.
            TopicEvent::Joined { .. } | TopicEvent::Left { .. } | TopicEvent::Count(_) => {}
        }
    }
}

/// By which a process is in the topic.
fn connection(process: ProcessId) -> ClusterConnectionId {
    ClusterConnectionId {
        process,
        connection: CONNECTION,
    }
}

fn text(event: &BusEvent) -> JsonText {
    let announced = Announced {
        name: event.name.to_string(),
        data: event.data.clone(),
        level: event.level.as_str().to_owned(),
        act: event.act.id,
        user: event.act.user.as_deref().map(str::to_owned),
        at: event.at.0,
    };
    JsonText::of(&announced).expect("the shape has text keys")
}

fn read(message: &JsonText) -> Option<Arc<BusEvent>> {
    let announced: Announced = message.to().ok()?;
    let levels = [Clearance::User, Clearance::Support, Clearance::Admin];
    let level = levels
        .into_iter()
        .find(|level| level.as_str() == announced.level)?;
    Some(Arc::new(BusEvent {
        name: Arc::from(announced.name),
        data: announced.data,
        level,
        act: Arc::new(Act {
            id: announced.act,
            user: announced.user.map(Arc::from),
        }),
        at: Timestamp(announced.at),
    }))
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
