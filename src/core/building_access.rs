//! The port for code inside the gateway that acts on the building: rules, logic drivers, a console.
//!
//! Such code has no connection and no dialect, but a caller like any other: each request is authorized and audited as those of clients are.
//! It waits for what it gets, where a connection is served by a worker; so there is a queue of its own behind each follow.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::{self, BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::{Notify, oneshot};

use crate::core::limits::{FOLLOW_EVENTS_MAX, MODULE_CALL_DEADLINE};
use crate::core::{
    AccessControl, Caller, Calls, Delivery, Follows, ModuleAccess, Outlet, OutletId, ReplySlot,
    Resolver, Topics,
};
use crate::driver_host::CallChain;
use crate::model::{
    Audience, ConnectionId, Event, ExecRequest, Failure, First, FollowId, JsonText, Keep, LogLevel,
    LogLine, ModuleAddress, ModuleId, Publication, Reply, Request, Subject, TopicEntry, TopicId,
    lock,
};

/// What code inside the gateway can do with the building.
pub trait BuildingAccess: Send + Sync + 'static {
    /// Finds a module of this building for a caller who may have that access to it.
    fn resolve(
        &self,
        caller: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<ModuleId, Failure>;

    /// Calls a function. The call begins at once; dropping the future gives up the answer alone.
    fn call(
        &self,
        caller: &Caller,
        call: ExecRequest,
    ) -> BoxFuture<'static, Result<Reply, Failure>>;

    /// The same for a module, within the calls that led to it. It waits as long as a module waits for another.
    fn call_within(
        &self,
        caller: &Caller,
        call: ExecRequest,
        chain: &CallChain,
    ) -> BoxFuture<'static, Result<Reply, Failure>>;

    /// Publishes a message to a topic.
    fn publish(&self, caller: &Caller, topic: TopicId, message: JsonText) -> Result<(), Failure>;

    /// Announces something by name on the bus, with the caller's level.
    fn announce(&self, caller: &Caller, name: &str, data: JsonText);

    /// Follows a subject: what is known of it now, and then what happens, until the stream is dropped.
    ///
    /// A follower that is behind gets the latest value of each status, and the number of log lines that it missed.
    /// The stream ends with the rights of its caller, and when the gateway stops.
    fn follow(
        &self,
        caller: &Caller,
        subject: Subject,
    ) -> Result<BoxStream<'static, Event>, Failure>;
}

/// The port over the other ports of the core.
pub(super) struct InternalAccess {
    pub(super) access: Arc<AccessControl>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) calls: Arc<Calls>,
    pub(super) follows: Arc<Follows>,
    pub(super) topics: Arc<Topics>,
    /// How many connections there were inside the gateway: who follows a topic is in it by one.
    pub(super) connections: AtomicU64,
}

impl InternalAccess {
    /// Begins a call that the caller may make, with a slot for its answer.
    fn begin(
        &self,
        caller: &Caller,
        call: ExecRequest,
        exec: impl FnOnce(&Calls, ExecRequest, ReplySlot),
    ) -> BoxFuture<'static, Result<Reply, Failure>> {
        if let Err(failure) = self.access.authorize(caller, &Request::Call(call.clone())) {
            return future::ready(Err(failure)).boxed();
        }
        let (answer, answered) = oneshot::channel();
        exec(&self.calls, call, ReplySlot::caller(answer));
        answered
            .map(|answer| answer.expect("a slot is always answered"))
            .boxed()
    }
}

impl BuildingAccess for InternalAccess {
    fn resolve(
        &self,
        caller: &Caller,
        module: &ModuleAddress,
        access: ModuleAccess,
    ) -> Result<ModuleId, Failure> {
        self.resolver.resolve(caller, module, access)
    }

    fn call(
        &self,
        caller: &Caller,
        call: ExecRequest,
    ) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.begin(caller, call, |calls, call, slot| {
            calls.exec(caller, call, slot);
        })
    }

    fn call_within(
        &self,
        caller: &Caller,
        call: ExecRequest,
        chain: &CallChain,
    ) -> BoxFuture<'static, Result<Reply, Failure>> {
        self.begin(caller, call, |calls, call, slot| {
            calls.exec_within(caller, call, chain, MODULE_CALL_DEADLINE, slot);
        })
    }

    fn publish(&self, caller: &Caller, topic: TopicId, message: JsonText) -> Result<(), Failure> {
        let publication = Publication {
            topic,
            message,
            except: None,
            kept: false,
            by: None,
        };
        let request = Request::Publish(publication.clone());
        self.access.authorize(caller, &request)?;
        let (answer, _) = oneshot::channel();
        self.topics.publish(publication, ReplySlot::caller(answer));
        Ok(())
    }

    fn announce(&self, caller: &Caller, name: &str, data: JsonText) {
        self.follows
            .announce(caller, Arc::from(name), data, rand::random());
    }

    fn follow(
        &self,
        caller: &Caller,
        subject: Subject,
    ) -> Result<BoxStream<'static, Event>, Failure> {
        let request = Request::Follow {
            id: FollowId(0),
            subject: subject.clone(),
            first: First::Events,
        };
        self.access.authorize(caller, &request)?;
        let queue = Arc::new(FollowQueue::default());
        let outlet = self.follows.attach(Arc::clone(&queue) as Arc<dyn Outlet>);
        self.follows.watch(outlet, subject.clone());
        let connection = ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed));
        if let Subject::Topic(topic) = &subject {
            // Messages come by the watch, so nobody waits for the answer.
            let (answer, _) = oneshot::channel();
            let entry = TopicEntry {
                topic: topic.clone(),
                member: None,
                wants_last: false,
            };
            let slot = ReplySlot::caller(answer);
            self.topics.enter(connection, entry, slot);
        }
        let follower = Follower {
            access: Arc::clone(&self.access),
            follows: Arc::clone(&self.follows),
            topics: Arc::clone(&self.topics),
            connection,
            caller: caller.clone(),
            subject,
            outlet,
            queue,
        };
        let events = stream::unfold(follower, |follower| async {
            let event = follower.next().await?;
            Some((event, follower))
        });
        Ok(events.boxed())
    }
}

/// The reading end of one follow.
struct Follower {
    access: Arc<AccessControl>,
    follows: Arc<Follows>,
    topics: Arc<Topics>,
    connection: ConnectionId,
    caller: Caller,
    subject: Subject,
    outlet: OutletId,
    queue: Arc<FollowQueue>,
}

impl Follower {
    /// The next event; `None` when the follow has ended.
    async fn next(&self) -> Option<Event> {
        loop {
            let woken = self.queue.wake.notified();
            // At each event: credentials end by an order to close, but also by the clock alone, and rights with the building.
            if lock(&self.queue.state).ended
                || !self.access.still_admits(&self.caller)
                || !self.access.may_go_on(&self.caller, &self.subject)
            {
                return None;
            }
            if let Some(event) = lock(&self.queue.state).take() {
                return Some(event);
            }
            woken.await;
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Subject::Topic(topic) = &self.subject {
            self.topics.leave(topic, self.connection);
        }
        self.follows.detach(self.outlet);
    }
}

/// The outlet of one follow.
#[derive(Default)]
struct FollowQueue {
    state: Mutex<Waiting>,
    wake: Notify,
}

/// Bounded by [`FOLLOW_EVENTS_MAX`] and the number of statuses that are followed.
#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    /// How many log lines were dropped, and the last of them.
    missed: Option<(u64, Arc<LogLine>)>,
    ended: bool,
}

impl Waiting {
    fn put(&mut self, event: Event) {
        if self.events.len() < FOLLOW_EVENTS_MAX {
            self.events.push_back(event);
            return;
        }
        match event.keep() {
            Keep::Latest(key) => {
                let is_same = |older: &&mut Event| older.key() == Some(key);
                match self.events.iter_mut().rev().find(is_same) {
                    Some(older) => {
                        let first = older.old();
                        *older = event;
                        older.set_old(first);
                    }
                    None => self.events.push_back(event),
                }
            }
            Keep::Lossy => {
                if let Event::Line(line) = event {
                    let before = self.missed.take().map_or(0, |(missed, _)| missed);
                    self.missed = Some((before + 1, line));
                }
            }
            // A follower that is this far behind has missed an event that must not be missed.
            Keep::All => self.ended = true,
        }
    }

    fn take(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| {
            let (missed, last) = self.missed.take()?;
            Some(Event::Line(Arc::new(LogLine {
                level: LogLevel::Warn,
                message: format!("{missed} log lines were dropped because too many came at once"),
                ..LogLine::clone(&last)
            })))
        })
    }
}

impl Outlet for FollowQueue {
    fn push(&self, batch: &mut Vec<Delivery>) {
        let mut state = lock(&self.state);
        for delivery in batch.drain(..) {
            match delivery {
                Delivery::Event { event, .. } => state.put(event),
                Delivery::Close { audience, .. } => match audience {
                    Audience::All => state.ended = true,
                    // The follower looks whether its caller was meant.
                    Audience::Credential(_)
                    | Audience::Connection(_)
                    | Audience::User(_)
                    | Audience::AppUser { .. } => {}
                },
                // No slot of an answer names this outlet.
                Delivery::Reply { .. } => {}
            }
        }
        drop(state);
        self.wake.notify_one();
    }
}
