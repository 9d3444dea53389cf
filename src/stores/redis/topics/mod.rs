//! Topics that many nodes share: who is in which stands in Redis, and what happens is published there.
//!
//! - Each change is a script, so Redis decides in one step whether it is a user's first or last connection, and tells all nodes in one order. `scripts` has them; `scripts/common.lua` says what stands in which key.
//! - `table` is what this process has in topics, `topic` one of them with a copy of who is in it; `publications` are the messages that wait; `batch` makes commands of what waits there.
//! - `speaker` makes connections, and `session` is one, which also renews this process's lease and takes out processes whose own has lapsed. `wire` has the texts that travel.
//! - `reporter` holds reports until they are taken.
//!
//! The store's own calls only take a note under a lock; the futures that [`RedisTopicStore::new`] gives do the work.

mod batch;
mod publications;
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
use redis::Value;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::model::{
    ConnectionId, Occupancy, ProcessId, Publication, TopicEntry, TopicId, TopicQuery, TopicReport,
    TopicRules, TopicsFound, lock,
};
use crate::stores::limits::KEPT_FOR;
use crate::stores::redis::commands::Commands;
use crate::stores::redis::keyspace::TOPICS;
use crate::stores::redis::limits::TOPIC_PAGE;
use crate::stores::redis::link::Link;
use crate::stores::{EnterAnswer, StoreError, TopicFeed, TopicStore};

use publications::{Outgoing, Published};
use reporter::Reporter;
use speaker::Speaker;
use table::Table;
use wire::KeptMessage;

/// Topics in Redis.
pub struct RedisTopicStore {
    link: Link,
    shared: Arc<Shared>,
    queries: Arc<Commands>,
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
    /// A store of this process that reports to `feed`, and its work: futures that run until they are dropped, each to be spawned.
    /// All processes must have leases of the same length.
    pub fn new(
        link: &Link,
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
        let speaker = Speaker::new(link.clone(), process, lease, Arc::clone(&shared));
        let work = vec![
            speaker.run().boxed(),
            keep_deadlines(Arc::clone(&shared)).boxed(),
        ];
        let store = Arc::new(Self {
            link: link.clone(),
            shared,
            queries: Arc::new(Commands::new(link.clone())),
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
        async move { find(&queries, query).await }.boxed()
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

async fn find(queries: &Commands, query: TopicQuery) -> Result<TopicsFound, StoreError> {
    match query {
        TopicQuery::Occupied { prefix } => occupied(queries, &prefix).await,
        TopicQuery::Counts(topics) => {
            let counts = counts(queries, &topics).await?;
            Ok(TopicsFound::Counts(counts))
        }
        TopicQuery::Users(topic) => {
            let mut commands = redis::pipe();
            commands.cmd("HKEYS").arg(format!("{TOPICS}users/{topic}"));
            let (mut users,): (Vec<String>,) = queries.ask(&commands).await?;
            users.sort_unstable();
            let users = users.into_iter().map(Arc::from);
            Ok(TopicsFound::Users(users.collect()))
        }
        TopicQuery::Last(topic) => last(queries, &topic).await,
    }
}

async fn last(queries: &Commands, topic: &TopicId) -> Result<TopicsFound, StoreError> {
    let mut commands = redis::pipe();
    commands
        .cmd("HGET")
        .arg(format!("{TOPICS}last"))
        .arg(topic.as_str())
        .cmd("TIME");
    let (kept, (seconds, micros)): (Option<Vec<u8>>, (u64, u64)) = queries.ask(&commands).await?;
    let now = Duration::from_secs(seconds) + Duration::from_micros(micros);
    let last = kept.and_then(|text| {
        let kept = KeptMessage::parse(&text)?;
        let until = Duration::from_micros(kept.since) + KEPT_FOR;
        let left = until.checked_sub(now)?;
        Some((kept.message, left.as_secs()))
    });
    Ok(TopicsFound::Last(last))
}

async fn counts(queries: &Commands, topics: &[TopicId]) -> Result<Vec<Occupancy>, StoreError> {
    let mut all = Vec::with_capacity(topics.len());
    for page in topics.chunks(TOPIC_PAGE) {
        let mut commands = redis::pipe();
        for topic in page {
            commands
                .cmd("HGET")
                .arg(format!("{TOPICS}counts"))
                .arg(topic.as_str())
                .cmd("HLEN")
                .arg(format!("{TOPICS}users/{topic}"));
        }
        let counts: Vec<Option<u64>> = queries.ask(&commands).await?;
        all.extend(counts.chunks_exact(2).map(|pair| Occupancy {
            connections: pair[0].unwrap_or(0),
            users: pair[1].unwrap_or(0),
        }));
    }
    Ok(all)
}

/// Reads the names page by page, so that a large answer holds up no other client of Redis.
async fn occupied(queries: &Commands, prefix: &str) -> Result<TopicsFound, StoreError> {
    let mut found = Vec::new();
    let mut from = format!("[{prefix}");
    // Behind all that begins so: no text of UTF-8 has this byte.
    let to = [b"[", prefix.as_bytes(), b"\xff"].concat();
    loop {
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(format!("{TOPICS}index")).arg(&from).arg(&to);
        command.arg("LIMIT").arg(0).arg(TOPIC_PAGE);
        let answer = queries.read(&command).await?;
        let names = answer.as_sequence().unwrap_or_default();
        let is_all = names.len() < TOPIC_PAGE;
        let topics: Vec<TopicId> = names.iter().filter_map(name).collect();
        if let Some(last) = topics.last() {
            from = format!("({last}");
        }
        let is_stuck = topics.is_empty();
        let counts = counts(queries, &topics).await?;
        let each = topics.into_iter().zip(counts);
        // One may have become empty since its name was read.
        found.extend(each.filter(|(_, count)| count.connections > 0));
        if is_all || is_stuck {
            return Ok(TopicsFound::Occupied(found));
        }
    }
}

fn name(value: &Value) -> Option<TopicId> {
    let bytes = crate::stores::redis::payload::text(value)?;
    TopicId::new(std::str::from_utf8(bytes).ok()?).ok()
}
