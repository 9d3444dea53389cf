//! Topics that many nodes share: who is in which stands in Redis, and what happens is published there.
//!
//! - Each change is a script, so Redis decides in one step whether it is a user's first or last connection, and tells all nodes in one order. `scripts` has them; `scripts/common.lua` says what stands in which key.
//! - `table` is what this process has in topics, `topic` one of them with a copy of who is in it; `publications` are the messages that wait; `batch` makes commands of what waits there.
//! - `speaker` makes connections, and `session` is one, which also renews this process's lease and takes out processes whose own has lapsed. `wire` has the texts that travel, `names` the keys and channels.
//! - `reporter` holds reports until they are taken; `queries` answers what is asked.
//!
//! The store's own calls only take a note under a lock; the futures that [`RedisTopicStore::new`] gives do the work.

mod batch;
mod names;
mod publications;
mod queries;
mod reporter;
mod scripts;
mod session;
mod speaker;
mod table;
#[cfg(test)]
mod tests;
mod topic;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::model::{
    ConnectionId, ProcessId, Publication, ServiceName, TopicEntry, TopicId, TopicQuery,
    TopicReport, TopicRules, TopicsFound, lock,
};
use crate::stores::redis::commands::Commands;
use crate::stores::redis::link::Link;
use crate::stores::{EnterAnswer, StoreError, TopicFeed, TopicStore};

use names::Names;
use publications::{Outgoing, Published};
use queries::Queries;
use reporter::Reporter;
use speaker::Speaker;
use table::Table;

/// Topics in Redis.
pub struct RedisTopicStore {
    link: Link,
    shared: Arc<Shared>,
    queries: Arc<Queries>,
}

/// What the store's calls and its work share.
struct Shared {
    table: Mutex<Table>,
    reporter: Reporter,
    /// There may be something to send.
    came: Notify,
    /// There may be an earlier deadline.
    has_deadline: Notify,
}

impl RedisTopicStore {
    /// A store of this process, which shares topics with all of its service, that reports to `feed`; and its work: futures that run until they are dropped, each to be spawned.
    /// All processes must have leases of the same length.
    pub fn new(
        link: &Link,
        service: &ServiceName,
        process: ProcessId,
        feed: Weak<dyn TopicFeed>,
        lease: Duration,
    ) -> (Arc<Self>, Vec<BoxFuture<'static, ()>>) {
        let shared = Arc::new(Shared {
            table: Mutex::new(Table::new(feed)),
            reporter: Reporter::default(),
            came: Notify::new(),
            has_deadline: Notify::new(),
        });
        let names = Names::new(service);
        let speaker = Speaker::new(
            link.clone(),
            names.clone(),
            process,
            lease,
            Arc::clone(&shared),
        );
        let work = vec![
            speaker.run().boxed(),
            keep_deadlines(Arc::clone(&shared)).boxed(),
        ];
        let store = Arc::new(Self {
            link: link.clone(),
            shared,
            queries: Arc::new(Queries {
                commands: Commands::new(link.clone()),
                names,
            }),
        });
        (store, work)
    }
}

/// Answers what Redis does not answer in time.
async fn keep_deadlines(shared: Arc<Shared>) {
    loop {
        let next = lock(&shared.table).expire(Instant::now());
        match next {
            Some(deadline) => sleep_until(deadline).await,
            None => shared.has_deadline.notified().await,
        }
    }
}

impl Shared {
    /// Takes reports, as soon as there are any.
    async fn take_reports(&self, most: usize) -> Vec<TopicReport> {
        loop {
            let taken = self.reporter.take(most, Instant::now());
            if !taken.is_empty() {
                return taken;
            }
            self.came.notify_one();
            self.reporter.came().await;
        }
    }
}

impl TopicStore for RedisTopicStore {
    fn enter(
        &self,
        connection: ConnectionId,
        entry: TopicEntry,
        rules: TopicRules,
        answer: EnterAnswer,
    ) {
        let mut table = lock(&self.shared.table);
        table.enter(connection, entry, rules, answer, Instant::now());
        drop(table);
        self.shared.came.notify_one();
        self.shared.has_deadline.notify_one();
    }

    fn leave(&self, topic: &TopicId, connection: ConnectionId) {
        lock(&self.shared.table).leave(topic, connection);
        self.shared.came.notify_one();
    }

    fn publish(
        &self,
        publication: Publication,
        rules: TopicRules,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (answer, published) = oneshot::channel();
        let outgoing = Outgoing::new(publication, rules, answer, Instant::now());
        lock(&self.shared.table).publish(outgoing);
        self.shared.came.notify_one();
        self.shared.has_deadline.notify_one();
        let link = self.link.clone();
        async move {
            match published.await {
                Ok(Published::Done) => Ok(()),
                Ok(Published::Uncertain) => Err(StoreError::Uncertain {
                    place: link.place(),
                    detail: "the connection was lost".to_owned(),
                }),
                // Dropped with the store's work.
                Ok(Published::NotSent) | Err(_) => {
                    Err(link.unreachable("the message could not be sent in time"))
                }
            }
        }
        .boxed()
    }

    fn query(&self, query: TopicQuery) -> BoxFuture<'static, Result<TopicsFound, StoreError>> {
        let queries = Arc::clone(&self.queries);
        async move { queries.find(query).await }.boxed()
    }

    fn reports(&self, most: usize) -> BoxFuture<'static, Result<Vec<TopicReport>, StoreError>> {
        let shared = Arc::clone(&self.shared);
        async move { Ok(shared.take_reports(most).await) }.boxed()
    }

    fn reports_dropped(&self) -> u64 {
        self.shared.reporter.dropped()
    }
}

impl fmt::Debug for RedisTopicStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTopicStore")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}
