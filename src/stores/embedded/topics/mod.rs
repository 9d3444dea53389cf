//! The store of topics of a gateway that is alone: who is in which stands in memory, and all that happens is told at once.
//!
//! One lock holds it all, and the feed and the answers are called under it: so what is told has one order, that in which it happened.
//!
//! - `occupants` is who is in one topic, `kept` the last messages, `reports` what waits for the apps' own servers.

mod kept;
mod occupants;
mod reports;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, Weak};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{
    Clock, ClusterConnectionId, ConnectionId, Entered, Occupancy, ProcessId, Publication, Reported,
    TopicEntry, TopicEvent, TopicId, TopicQuery, TopicReport, TopicRules, TopicsFound, lock,
};
use crate::stores::{EnterAnswer, EnterError, StoreError, TopicFeed, TopicStore};

use kept::KeptMessages;
use occupants::{Came, Occupants};
use reports::ReportQueue;

/// Topics in memory.
pub struct EmbeddedTopicStore {
    process: ProcessId,
    feed: Weak<dyn TopicFeed>,
    clock: Clock,
    shared: Arc<Shared>,
}

/// What outlives a call.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    reported: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Those with a connection.
    topics: BTreeMap<TopicId, Occupants>,
    kept: KeptMessages,
    reports: ReportQueue,
}

impl EmbeddedTopicStore {
    /// A store of this process that reports to `feed`, by this clock.
    pub fn new(process: ProcessId, feed: Weak<dyn TopicFeed>, clock: Clock) -> Self {
        Self {
            process,
            feed,
            clock,
            shared: Arc::default(),
        }
    }

    fn let_in(
        &self,
        state: &mut State,
        connection: ConnectionId,
        entry: TopicEntry,
        rules: TopicRules,
    ) -> Result<Entered, EnterError> {
        let TopicEntry {
            topic,
            member,
            wants_last,
        } = entry;
        let is_member = member.is_some();
        let occupants = state.topics.entry(topic.clone()).or_default();
        let there = occupants.connections();
        let came = match occupants.enter(connection, member, rules) {
            Ok(came) => came,
            Err(error) => {
                state.forget_if_empty(&topic);
                return Err(error);
            }
        };
        let mut entered = Entered {
            members: Vec::new(),
            last: None,
            connections: occupants.connections(),
        };
        if is_member {
            entered.members = occupants.members();
        }
        if wants_last {
            let kept = state.kept.last(&topic, Instant::now());
            entered.last = kept.map(|(message, _)| message);
        }
        if let Came::Anew { joined } = came {
            let mut reports = Vec::new();
            if there == 0 {
                reports.push(Reported::Occupied);
            }
            if let Some(member) = joined {
                reports.push(Reported::Joined(Arc::clone(&member.user)));
                if there > 0 {
                    let by = Some(ClusterConnectionId {
                        process: self.process,
                        connection,
                    });
                    self.tell(&topic, TopicEvent::Joined { member, by });
                }
            }
            if there > 0 && rules.tells_count {
                self.tell(&topic, TopicEvent::Count(entered.connections));
            }
            reports.push(Reported::Count(entered.connections));
            if wants_last && entered.last.is_none() {
                reports.push(Reported::Missed);
            }
            self.report(state, &topic, rules, reports);
        }
        Ok(entered)
    }

    fn let_out(&self, state: &mut State, topic: &TopicId, connection: ConnectionId) {
        let Some(occupants) = state.topics.get_mut(topic) else {
            return;
        };
        let Some(left) = occupants.leave(connection) else {
            return;
        };
        let (there, rules) = (occupants.connections(), occupants.rules);
        state.forget_if_empty(topic);
        let mut reports = Vec::new();
        if let Some(user) = left {
            reports.push(Reported::Left(Arc::clone(&user)));
            if there > 0 {
                self.tell(topic, TopicEvent::Left { user });
            }
        }
        reports.push(Reported::Count(there));
        if there == 0 {
            reports.push(Reported::Vacated);
        } else if rules.tells_count {
            self.tell(topic, TopicEvent::Count(there));
        }
        self.report(state, topic, rules, reports);
    }

    fn take_message(&self, state: &mut State, publication: Publication, rules: TopicRules) {
        let Publication {
            topic,
            message,
            except,
            kept,
            by,
        } = publication;
        if kept {
            state.kept.keep(&topic, &message, Instant::now());
        }
        if let Some(by) = by {
            let message = message.clone();
            let published = Reported::Published { by, message };
            self.report(state, &topic, rules, vec![published]);
        }
        if state.topics.contains_key(&topic) {
            self.tell(&topic, TopicEvent::Message { message, except });
        }
    }

    fn tell(&self, topic: &TopicId, event: TopicEvent) {
        if let Some(feed) = self.feed.upgrade() {
            feed.happened(topic, event);
        }
    }

    fn report(&self, state: &mut State, topic: &TopicId, rules: TopicRules, all: Vec<Reported>) {
        if !rules.reports || all.is_empty() {
            return;
        }
        let at = (self.clock)();
        for what in all {
            state.reports.add(TopicReport {
                topic: topic.clone(),
                at,
                what,
            });
        }
        self.shared.reported.notify_one();
    }
}

impl State {
    fn forget_if_empty(&mut self, topic: &TopicId) {
        if let Some(occupants) = self.topics.get(topic)
            && occupants.connections() == 0
        {
            self.topics.remove(topic);
        }
    }

    fn find(&mut self, query: TopicQuery) -> TopicsFound {
        match query {
            TopicQuery::Occupied { prefix } => TopicsFound::Occupied(self.occupied(&prefix)),
            TopicQuery::Counts(topics) => {
                let counts = topics.iter().map(|topic| self.occupancy(topic));
                TopicsFound::Counts(counts.collect())
            }
            TopicQuery::Users(topic) => {
                let occupants = self.topics.get(&topic);
                TopicsFound::Users(occupants.map(Occupants::users).unwrap_or_default())
            }
            TopicQuery::Last(topic) => {
                let kept = self.kept.last(&topic, Instant::now());
                TopicsFound::Last(kept.map(|(message, left)| (message, left.as_secs())))
            }
        }
    }

    fn occupied(&self, prefix: &str) -> Vec<(TopicId, Occupancy)> {
        let bounds = (Bound::Included(prefix), Bound::Unbounded);
        let from_there = self.topics.range::<str, _>(bounds);
        let with_it = from_there.take_while(|(topic, _)| topic.as_str().starts_with(prefix));
        let each = with_it.map(|(topic, occupants)| (topic.clone(), occupants.occupancy()));
        each.collect()
    }

    fn occupancy(&self, topic: &TopicId) -> Occupancy {
        let occupants = self.topics.get(topic);
        occupants.map(Occupants::occupancy).unwrap_or_default()
    }
}

impl Shared {
    /// Takes reports, as soon as there are any.
    async fn take_reports(&self, most: usize) -> Vec<TopicReport> {
        loop {
            let reported = self.reported.notified();
            let taken = lock(&self.state).reports.take(most);
            if !taken.is_empty() {
                return taken;
            }
            reported.await;
        }
    }
}

impl TopicStore for EmbeddedTopicStore {
    fn enter(
        &self,
        connection: ConnectionId,
        entry: TopicEntry,
        rules: TopicRules,
        answer: EnterAnswer,
    ) {
        let mut state = lock(&self.shared.state);
        answer(self.let_in(&mut state, connection, entry, rules));
    }

    fn leave(&self, topic: &TopicId, connection: ConnectionId) {
        self.let_out(&mut lock(&self.shared.state), topic, connection);
    }

    /// Published before it returns, so the order is that of the calls.
    fn publish(
        &self,
        publication: Publication,
        rules: TopicRules,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        self.take_message(&mut lock(&self.shared.state), publication, rules);
        ready(Ok(())).boxed()
    }

    fn query(&self, query: TopicQuery) -> BoxFuture<'static, Result<TopicsFound, StoreError>> {
        let found = lock(&self.shared.state).find(query);
        ready(Ok(found)).boxed()
    }

    fn reports(&self, most: usize) -> BoxFuture<'static, Result<Vec<TopicReport>, StoreError>> {
        let shared = Arc::clone(&self.shared);
        async move { Ok(shared.take_reports(most).await) }.boxed()
    }

    fn reports_dropped(&self) -> u64 {
        lock(&self.shared.state).reports.dropped()
    }
}

impl fmt::Debug for EmbeddedTopicStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedTopicStore")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}
