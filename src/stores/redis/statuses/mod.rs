//! Statuses that many nodes share: modules' changes go to Redis, and followed statuses come from there, this node's own included.
//!
//! - `interest` is what the table follows, `whole` the modules of which it follows everything, `reader` the connection that reads it, `pace` how much it asks for at a time.
//! - `outgoing` has the changes of this node's modules, `writer` the connection that writes them to Redis.
//! - `acts` says to which acts the values belong that this node's modules have written.
//! - `health` says whether both are there; `line` is the queue that both sides use.
//!
//! The store's own calls only take a note under a lock; the futures that [`RedisStatusStore::new`] gives do the work.

mod acts;
mod health;
mod interest;
mod line;
mod outgoing;
mod pace;
#[cfg(test)]
mod properties;
mod reader;
#[cfg(test)]
mod tests;
mod whole;
mod writer;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::model::{BindingKey, ModuleId, State, StatusChange, SystemId};
use crate::stores::redis::commands::Commands;
use crate::stores::redis::keyspace;
use crate::stores::redis::limits::{READS_UNDER_WAY, READS_WAITING};
use crate::stores::redis::link::Link;
use crate::stores::redis::payload::statuses;
use crate::stores::{StatusStore, StoreError, StoreFeed};

use acts::Acts;
use health::Health;
use interest::Interest;
use outgoing::Outgoing;
use reader::Reader;
use writer::Writer;

pub use writer::{MayWrite, WriteFence};

/// Statuses in Redis.
pub struct RedisStatusStore {
    interest: Arc<Interest>,
    outgoing: Arc<Outgoing>,
    acts: Arc<Acts>,
    health: Arc<Health>,
    may_write: MayWrite,
    reads: mpsc::Sender<Read>,
}

/// A request for all statuses of a module.
#[derive(Debug)]
struct Read {
    module: ModuleId,
    answer: oneshot::Sender<State>,
}

impl RedisStatusStore {
    /// A store that reports to `feed`, and its work: futures that run until they are dropped, each to be spawned.
    pub fn new(
        link: &Link,
        feed: Weak<dyn StoreFeed>,
        fence: WriteFence,
    ) -> (Arc<Self>, Vec<BoxFuture<'static, ()>>) {
        let health = Arc::new(Health::new(link.place()));
        let interest = Arc::new(Interest::default());
        let outgoing = Arc::new(Outgoing::new(
            health.metrics.merged.clone(),
            health.metrics.waiting.clone(),
        ));
        let acts = Arc::new(Acts::default());
        let (reads, asked) = mpsc::channel(READS_WAITING);
        let reader = Reader::new(
            link.clone(),
            Arc::clone(&interest),
            Arc::clone(&acts),
            feed,
            Arc::clone(&health),
        );
        let may_write = Arc::clone(&fence.may_write);
        let writer = Writer::new(link, fence, Arc::clone(&outgoing), Arc::clone(&health));
        let work = vec![
            reader.run().boxed(),
            writer.run().boxed(),
            answer_reads(Commands::new(link.clone()), asked).boxed(),
        ];
        let store = Arc::new(Self {
            interest,
            outgoing,
            acts,
            health,
            may_write,
            reads,
        });
        (store, work)
    }

    /// Whether Redis is there, as it changes.
    pub fn connected(&self) -> watch::Receiver<bool> {
        self.health.follow()
    }

    /// Waits until Redis has everything that was written, at most this long. Says whether it has.
    pub async fn flush(&self, within: Duration) -> bool {
        timeout(within, self.outgoing.drained()).await.is_ok()
    }
}

impl StatusStore for RedisStatusStore {
    fn write(&self, changes: Vec<StatusChange>) {
        for change in &changes {
            // Before it can come back.
            self.acts.wrote(change);
        }
        self.outgoing.write(changes);
    }

    fn follow(&self, key: &BindingKey) {
        self.interest.follow(key);
    }

    fn unfollow(&self, key: &BindingKey) {
        self.interest.unfollow(key);
    }

    fn follow_module(&self, module: &ModuleId) {
        self.interest.follow_module(module);
    }

    fn unfollow_module(&self, module: &ModuleId) {
        self.interest.unfollow_module(module);
    }

    fn follow_system(&self, system: &SystemId) {
        self.interest.follow_system(system);
    }

    fn unfollow_system(&self, system: &SystemId) {
        self.interest.unfollow_system(system);
    }

    fn keeps_values(&self) -> bool {
        true
    }

    fn flush(&self, modules: Vec<ModuleId>) -> BoxFuture<'static, ()> {
        let outgoing = Arc::clone(&self.outgoing);
        Box::pin(async move { outgoing.drained_of(&modules).await })
    }

    fn trouble(&self) -> Option<&'static str> {
        self.health.trouble()
    }

    fn adopt(&self, module: &ModuleId, state: &State) {
        self.outgoing.adopt(module, state);
    }

    fn release(&self, module: &ModuleId) {
        if !(self.may_write)() {
            // The writer may be waiting for an answer, and would not know of a lease that was lost meanwhile.
            self.outgoing.hold();
        }
        self.outgoing.release(module);
        self.acts.forget(module);
    }

    /// A module that this node has adopted is answered from the mirror. When Redis cannot be asked, the answer is dropped.
    fn read(
        &self,
        module: &ModuleId,
        answer: oneshot::Sender<State>,
    ) -> Result<(), oneshot::Sender<State>> {
        let module = module.clone();
        match self.outgoing.state(&module) {
            // The caller may have gone, which does no harm.
            Some(state) => drop(answer.send(state)),
            // Full: it is dropped.
            None => drop(self.reads.try_send(Read { module, answer })),
        }
        Ok(())
    }
}

impl fmt::Debug for RedisStatusStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStatusStore").finish_non_exhaustive()
    }
}

async fn answer_reads(commands: Commands, mut asked: mpsc::Receiver<Read>) {
    let commands = &commands;
    stream::poll_fn(|context| asked.poll_recv(context))
        .for_each_concurrent(READS_UNDER_WAY, |Read { module, answer }| async move {
            match read(commands, &module).await {
                // The caller may have gone, which does no harm.
                Ok(state) => drop(answer.send(state)),
                Err(error) => tracing::debug!(%module, %error, "could not read statuses"),
            }
        })
        .await;
}

async fn read(commands: &Commands, module: &ModuleId) -> Result<State, StoreError> {
    let mut command = redis::cmd("HGETALL");
    command.arg(keyspace::status(module));
    let mut state: State = statuses(commands.read(&command).await?).collect();
    state.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(state)
}
