//! The connection that reads everything followed: subscriptions and reads share it, so a read cannot be older than a message that was published before it.
//!
//! 1. Connect, subscribe to the changes of systems.
//! 2. Ask for a batch: end subscriptions, read systems, begin subscriptions, read whole modules or statuses, all in one write.
//! 3. Until the answer is here, pass on published messages. Then pass on first the messages from before the answer, then the answer.
//! 4. Again from 2, or wait for something to do, and ask from time to time whether the connection lives.
//!
//! At any fault the connection is dropped, and everything followed is read again on the next one.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use futures_util::future::{BoxFuture, FutureExt, OptionFuture};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value};
use tokio::time::{Instant, sleep, sleep_until};

use crate::model::{
    Backoff, BindingKey, ModuleId, Origin, State, StatusChange, StatusName, StatusValue, SystemId,
};
use crate::stores::redis::inbox::Inbox;
use crate::stores::redis::limits::{ANSWER_DEADLINE, PING_INTERVAL, RESTART_GRACE};
use crate::stores::redis::link::Link;
use crate::stores::redis::payload::{self, Faults, concerns_one_key, slots, text};
use crate::stores::redis::statuses::acts::Acts;
use crate::stores::redis::statuses::health::{Health, Side};
use crate::stores::redis::statuses::interest::{Batch, Interest};
use crate::stores::redis::statuses::pace::Pace;
use crate::stores::redis::statuses::whole::Listening;
use crate::stores::redis::{backoff, keyspace};
use crate::stores::{StoreError, StoreFeed};

/// The task that reads. There is one.
pub(super) struct Reader {
    link: Link,
    interest: Arc<Interest>,
    acts: Arc<Acts>,
    feed: Weak<dyn StoreFeed>,
    health: Arc<Health>,
    pace: Pace,
    /// That of whole modules, which are larger.
    module_pace: Pace,
    faults: Faults,
    backoff: Backoff,
    /// Which run of the server was read last.
    last_run: Option<String>,
}

impl Reader {
    pub(super) fn new(
        link: Link,
        interest: Arc<Interest>,
        acts: Arc<Acts>,
        feed: Weak<dyn StoreFeed>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            link,
            interest,
            acts,
            feed,
            health,
            pace: Pace::default(),
            module_pace: Pace::default(),
            faults: Faults::default(),
            backoff: backoff(),
            last_run: None,
        }
    }

    /// Reads until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let error = match self.connect().await {
                Ok(session) => session.run().await,
                Err(error) => error,
            };
            self.interest.end();
            self.health.metrics.subscriptions.set(0.0);
            self.health.down(Side::Reader, &error);
            sleep(self.backoff.pause()).await;
        }
    }

    async fn connect(&mut self) -> Result<ReaderSession<'_>, StoreError> {
        let inbox = Arc::new(Inbox::default());
        let (mut connection, server) = self
            .link
            .connect(ANSWER_DEADLINE, Some(inbox.on_push()))
            .await?;
        connection
            .subscribe(keyspace::LOOKUP_CHANGE)
            .await
            .map_err(|error| self.link.failed(&error))?;
        let last_run = self.last_run.replace(server.run_id.clone());
        if last_run.is_some_and(|last| last != server.run_id) {
            sleep(RESTART_GRACE).await;
        }
        let (systems, modules, statuses) = self.interest.begin();
        tracing::debug!(
            systems,
            modules,
            statuses,
            version = server.version,
            "reading everything followed"
        );
        self.health.metrics.resynced.increment(statuses as u64);
        self.health.up(Side::Reader);
        self.pace.begin();
        self.module_pace.begin();
        Ok(ReaderSession {
            connection,
            inbox,
            pending: None,
            quiet_since: Instant::now(),
            began: Some(Instant::now()),
            reader: self,
        })
    }
}

impl Reader {
    /// The pace at which batches are asked for: those of whole modules, or the others.
    fn pace_of(&mut self, is_of_modules: bool) -> &mut Pace {
        match is_of_modules {
            true => &mut self.module_pace,
            false => &mut self.pace,
        }
    }

    /// A status as it was read.
    fn as_read(&self, key: BindingKey, value: Option<StatusValue>) -> StatusChange {
        StatusChange {
            act: self.acts.last(&key, value.as_ref()),
            key,
            value,
            origin: Origin::Snapshot,
        }
    }
}

/// The reader while it has a connection.
struct ReaderSession<'a> {
    connection: MultiplexedConnection,
    inbox: Arc<Inbox>,
    /// What was asked for and is not answered yet.
    pending: Option<PendingBatch>,
    /// When the last answer came.
    quiet_since: Instant,
    /// When it began, until everything has been read.
    began: Option<Instant>,
    reader: &'a mut Reader,
}

struct PendingBatch {
    batch: Batch,
    reply: BoxFuture<'static, RedisResult<Vec<Value>>>,
}

/// What a session waits for.
enum Event {
    Answered(RedisResult<Vec<Value>>),
    Published,
    /// There may be something to ask for.
    Interest,
    /// It is time to ask whether the connection lives.
    Quiet,
}

impl ReaderSession<'_> {
    /// Runs until the connection is of no more use, and returns the reason.
    async fn run(mut self) -> StoreError {
        loop {
            self.ask_on();
            let event = self.next_event().await;
            if let Err(error) = self.handle(event) {
                if let Some(asked) = &self.pending {
                    let is_of_modules = !asked.batch.modules.is_empty();
                    let pace = self.reader.pace_of(is_of_modules);
                    pace.lost(asked.batch.reads());
                }
                return error;
            }
        }
    }

    /// Asks for the next batch unless there is one under way.
    fn ask_on(&mut self) {
        if self.pending.is_some() {
            return;
        }
        let (max, max_modules) = (self.reader.pace.batch(), self.reader.module_pace.batch());
        let batch = self.reader.interest.next_batch(max, max_modules);
        let subscribed = self.reader.interest.subscribed();
        let metrics = &self.reader.health.metrics;
        // As a float for the gauge: exact below 2^53.
        metrics.subscriptions.set(subscribed as f64);
        if batch.is_empty() {
            self.all_read();
        } else {
            self.ask(batch);
        }
    }

    fn all_read(&mut self) {
        if let Some(began) = self.began.take() {
            self.reader.pace.complete();
            self.reader.module_pace.complete();
            self.reader.backoff.reset();
            tracing::debug!(took = ?began.elapsed(), "everything followed has been read");
        }
    }

    /// Sends a batch; an empty one asks whether the connection lives.
    fn ask(&mut self, batch: Batch) {
        let commands = commands(&batch);
        let mut connection = self.connection.clone();
        let count = commands.len();
        self.pending = Some(PendingBatch {
            batch,
            reply: async move { connection.send_packed_commands(&commands, 0, count).await }
                .boxed(),
        });
    }

    /// Every arm may be dropped and waited for again: the reply stays where it is, and the rest are conditions.
    async fn next_event(&mut self) -> Event {
        let is_idle = self.pending.is_none();
        let reply: OptionFuture<_> = self.pending.as_mut().map(|asked| &mut asked.reply).into();
        let end = self.reader.interest.next_end();
        tokio::select! {
            biased;
            Some(reply) = reply => Event::Answered(reply),
            () = self.inbox.came() => Event::Published,
            () = self.reader.interest.changed(), if is_idle => Event::Interest,
            Some(()) = OptionFuture::from(end.map(sleep_until)), if is_idle => Event::Interest,
            () = sleep_until(self.quiet_since + PING_INTERVAL), if is_idle => Event::Quiet,
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Published => self.pass_on(),
            Event::Interest => Ok(()),
            Event::Quiet => {
                self.ask(Batch::default());
                Ok(())
            }
            Event::Answered(reply) => {
                // What was published before the answer is there already, since one task reads the wire.
                self.pass_on()?;
                let reply = reply.map_err(|error| self.reader.link.failed(&error))?;
                self.quiet_since = Instant::now();
                let batch = self.pending.take().map(|asked| asked.batch);
                self.take_up(batch.unwrap_or_default(), reply)
            }
        }
    }

    /// Passes on what was published, all of it at once.
    fn pass_on(&mut self) -> Result<(), StoreError> {
        let content = self.inbox.empty();
        if content.gap {
            self.reader.health.metrics.gaps.increment(1);
            return Err(self.unreachable("messages came faster than they were taken up"));
        }
        let mut changes = Vec::with_capacity(content.messages.len());
        for message in content.messages {
            let channel = String::from_utf8_lossy(&message.channel);
            if channel == keyspace::LOOKUP_CHANGE {
                self.system_changed(&message.payload);
                continue;
            }
            let keys = self.reader.interest.published(&channel, message.by);
            if keys.is_empty() {
                continue;
            }
            let value = payload::published(&message.payload);
            let acts = &self.reader.acts;
            changes.extend(keys.into_iter().map(|key| StatusChange {
                act: acts.came_back(&key, value.as_ref()),
                key,
                value: value.clone(),
                origin: Origin::Push,
            }));
        }
        self.tell(changes);
        if content.ended {
            return Err(self.unreachable("the connection was closed"));
        }
        Ok(())
    }

    fn system_changed(&mut self, payload: &[u8]) {
        match SystemId::new(&String::from_utf8_lossy(payload)) {
            Ok(system) => self.reader.interest.system_changed(&system),
            Err(error) => {
                let faults = &mut self.reader.faults;
                faults.tell(keyspace::LOOKUP_CHANGE, &error.to_string());
            }
        }
    }

    /// Passes on what a batch has brought: first the slots, then the statuses.
    fn take_up(&mut self, batch: Batch, reply: Vec<Value>) -> Result<(), StoreError> {
        let (reads, is_of_modules) = (batch.reads(), !batch.modules.is_empty());
        let mut bytes = 0;
        let mut values = reply.into_iter();
        for channel in &batch.unsubscribe {
            self.check(values.next(), || keyspace::status_channel(channel))?;
        }
        if batch.listening.is_some() {
            self.check(values.next(), || keyspace::ALL_STATUSES.to_owned())?;
        }
        for system in batch.systems {
            let key = keyspace::system(&system);
            let value = self.check(values.next(), || key.clone())?;
            bytes += size(&value);
            let slots = slots(&key, value, &mut self.reader.faults);
            if let Some(feed) = self.reader.feed.upgrade() {
                feed.mapped(system, slots);
            }
        }
        for channel in &batch.subscribe {
            self.check(values.next(), || keyspace::status_channel(channel))?;
        }
        for module in batch.modules {
            let value = self.check(values.next(), || keyspace::status(&module))?;
            bytes += size(&value);
            self.take_up_module(&module, payload::statuses(value).collect());
        }
        let mut changes = Vec::with_capacity(reads);
        for (module, names) in batch.statuses {
            let value = self.check(values.next(), || keyspace::status(&module))?;
            bytes += size(&value);
            let fields = if let Value::Array(fields) = value {
                fields
            } else {
                // What is not a hash has no fields.
                vec![Value::Nil; names.len()]
            };
            for (status, field) in names.into_iter().zip(fields) {
                let key = BindingKey {
                    module: module.clone(),
                    status,
                };
                if self.reader.interest.was_read(&key) {
                    let value = text(&field).map(payload::kept);
                    changes.push(self.reader.as_read(key, value));
                }
            }
        }
        if reads > 0 {
            self.reader.pace_of(is_of_modules).came(reads, bytes);
        }
        self.tell(changes);
        Ok(())
    }

    /// Passes on what was read of a whole module: its statuses, and those that are followed and that it does not have.
    fn take_up_module(&self, module: &ModuleId, state: State) {
        let names: HashSet<StatusName> = state.iter().map(|(name, _)| name.clone()).collect();
        let interest = &self.reader.interest;
        let Some(read) = interest.module_was_read(module, &names) else {
            return;
        };
        let there = state.into_iter().map(|(name, value)| (name, Some(value)));
        let there = there.filter(|(name, _)| !read.newer.contains(name));
        let missing = read.missing.iter().map(|name| (name.clone(), None));
        let all: Vec<_> = there.chain(missing).collect();
        let changes = all.into_iter().map(|(status, value)| {
            let key = BindingKey {
                module: module.clone(),
                status,
            };
            self.reader.as_read(key, value)
        });
        self.tell(changes.collect());
        interest.module_was_told(module, |name| {
            names.contains(name) || read.newer.contains(name) || read.missing.contains(name)
        });
    }

    /// An answer; nothing where only this key is at fault, which is logged.
    fn check(
        &mut self,
        answer: Option<Value>,
        key: impl FnOnce() -> String,
    ) -> Result<Value, StoreError> {
        match answer {
            Some(Value::ServerError(error)) if concerns_one_key(&error) => {
                self.reader.faults.tell(&key(), error.code());
                Ok(Value::Nil)
            }
            Some(Value::ServerError(error)) => Err(self.reader.link.failed(&error.into())),
            Some(value) => Ok(value),
            None => Err(self.unreachable("an answer is missing")),
        }
    }

    fn tell(&self, mut changes: Vec<StatusChange>) {
        if !changes.is_empty()
            && let Some(feed) = self.reader.feed.upgrade()
        {
            feed.changed(&mut changes);
        }
    }

    fn unreachable(&self, detail: &str) -> StoreError {
        self.reader.link.unreachable(detail)
    }
}

/// The commands of a batch, each of which has one answer. A subscription to several channels would have several.
fn commands(batch: &Batch) -> Pipeline {
    let mut commands = redis::pipe();
    for key in &batch.unsubscribe {
        commands
            .cmd("UNSUBSCRIBE")
            .arg(keyspace::status_channel(key));
    }
    match batch.listening {
        Some(Listening::Begin) => {
            commands.cmd("PSUBSCRIBE").arg(keyspace::ALL_STATUSES);
        }
        Some(Listening::End) => {
            commands.cmd("PUNSUBSCRIBE").arg(keyspace::ALL_STATUSES);
        }
        None => {}
    }
    for system in &batch.systems {
        commands.cmd("HGETALL").arg(keyspace::system(system));
    }
    for key in &batch.subscribe {
        commands.cmd("SUBSCRIBE").arg(keyspace::status_channel(key));
    }
    for module in &batch.modules {
        commands.cmd("HGETALL").arg(keyspace::status(module));
    }
    for (module, names) in &batch.statuses {
        let read = commands.cmd("HMGET").arg(keyspace::status(module));
        for name in names {
            read.arg(name.as_str());
        }
    }
    if commands.is_empty() {
        commands.cmd("PING");
    }
    commands
}

/// About how many bytes an answer had.
fn size(value: &Value) -> usize {
    /// What goes with each value on the wire.
    const FRAME: usize = 8;
    if let Value::Array(values) = value {
        values.iter().map(size).sum()
    } else if let Value::Map(pairs) = value {
        pairs.iter().map(|(a, b)| size(a) + size(b)).sum()
    } else {
        FRAME + text(value).map_or(0, <[u8]>::len)
    }
}
