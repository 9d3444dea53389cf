//! What a process asks about other modules: each request is read, handed to the module's sink, and answered when the sink has.
//!
//! It is apart from `listener`, which reads on meanwhile. Requests begin in the order in which they came, and all of them end with the process.
//! Who may ask what, and when a call is answered at the latest, is the core's to say.
//!
//! A process that does not read fills no memory: an answer is written as a line only when there is room for it,
//! a follow takes its next item only when the one before it has gone, and requests without an answer are bounded by their number and their bytes.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use driver_sdk::BoxFuture;
use driver_sdk::process::protocol::system::{
    CallModule, Describe, Described, Follow, Item, Number, Publish, Read, Value, notification,
    request,
};
use driver_sdk::process::protocol::{self, Failure, LINE_MAX_BYTES, Returned, code};
use futures_util::future::{FutureExt, TryFutureExt};
use futures_util::stream::{BoxStream, StreamExt};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};

use super::limits::{REQUEST_BYTES_MAX, REQUESTS_MAX};
use super::listener::read;
use super::log::ModuleLog;
use super::peer::Peer;
use crate::driver_host::{
    CallResult, ChannelName, Followed, ModuleCall, ModulePlace, ModuleSink, RequestFailed,
    SystemDescription, SystemRef,
};
use crate::model::{FunctionName, InvalidId, JsonText, StatusName};

/// The code of an answer that is longer than a line may be.
const TOO_LARGE: i64 = 413;

/// The requests of one process.
pub(super) struct Requests {
    peer: Arc<Peer>,
    sink: Arc<dyn ModuleSink>,
    log: Arc<ModuleLog>,
    /// Room for requests that have no answer yet.
    room: Arc<Semaphore>,
    /// Room for their bytes.
    bytes: Arc<Semaphore>,
    /// The answers and follows that are under way.
    tasks: JoinSet<()>,
    /// The follows by their numbers.
    follows: HashMap<u64, AbortHandle>,
}

/// A request as it was read.
pub(super) enum Asked {
    Describe(SystemRef),
    Read(ModulePlace, StatusName),
    Call(ModuleCall),
    Publish(ChannelName, JsonText),
    Follow(u64, Followed),
}

/// What a request came to.
enum Reply {
    Described(SystemDescription),
    Value(Option<JsonText>),
    Returned(CallResult),
    Done,
}

/// The room that a request takes until its answer is written.
struct Room {
    _request: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Requests {
    pub(super) fn new(peer: Arc<Peer>, sink: Arc<dyn ModuleSink>, log: Arc<ModuleLog>) -> Self {
        Self {
            peer,
            sink,
            log,
            room: Arc::new(Semaphore::new(REQUESTS_MAX)),
            bytes: Arc::new(Semaphore::new(REQUEST_BYTES_MAX)),
            tasks: JoinSet::new(),
            follows: HashMap::new(),
        }
    }

    /// Reads a request; `None` for a method that there is not, and an error for what does not fit.
    pub(super) fn read(&self, method: &str, params: &str) -> Option<Result<Asked, String>> {
        let asked = match method {
            request::DESCRIBE_SYSTEM => describe(params),
            request::READ_STATUS => read_status(params),
            request::CALL_MODULE => call_module(params, &self.peer),
            request::PUBLISH => publish(params),
            request::FOLLOW => follow(params),
            _ => return None,
        };
        Some(asked)
    }

    /// Begins a request whose line has so many bytes.
    ///
    /// Waits only to refuse what is too much: until the process has read something of what it asked for before.
    pub(super) async fn begin(
        &mut self,
        id: &RawValue,
        asked: Result<Asked, String>,
        bytes: usize,
    ) {
        // What has ended is forgotten.
        while self.tasks.try_join_next().is_some() {}
        let Some(room) = self.take_room(bytes) else {
            let why = format!(
                "too many requests of the driver wait for their answers ({REQUESTS_MAX} requests or {REQUEST_BYTES_MAX} bytes at most); this one did nothing"
            );
            let failure = failed(RequestFailed::new(RequestFailed::BUSY, why));
            self.peer.say(|| reply_line(id, Err(failure))).await;
            return;
        };
        let sink = &self.sink;
        let reply: BoxFuture<'static, Result<Reply, Failure>> = match asked {
            Err(reason) => ready(Err(Failure {
                code: code::INVALID_PARAMS,
                message: format!("the parameters cannot be used: {reason}"),
            }))
            .boxed(),
            Ok(Asked::Describe(system)) => {
                let described = sink.describe_system(&system);
                described.map_ok(Reply::Described).map_err(failed).boxed()
            }
            Ok(Asked::Read(module, status)) => {
                let value = sink.read_status(&module, &status);
                value.map_ok(Reply::Value).map_err(failed).boxed()
            }
            Ok(Asked::Call(call)) => {
                let result = sink.call_module(call);
                result.map_ok(Reply::Returned).map_err(failed).boxed()
            }
            Ok(Asked::Publish(channel, message)) => {
                let published = sink.publish(&channel, message).map_err(failed);
                ready(published.map(|()| Reply::Done)).boxed()
            }
            Ok(Asked::Follow(number, what)) => match self.begin_follow(number, what) {
                Ok(items) => return self.follow(id, number, items, room),
                Err(failure) => ready(Err(failure)).boxed(),
            },
        };
        let (peer, id) = (Arc::clone(&self.peer), id.to_owned());
        self.tasks.spawn(async move {
            let reply = reply.await;
            peer.say(|| reply_line(&id, reply)).await;
            drop(room);
        });
    }

    fn take_room(&self, bytes: usize) -> Option<Room> {
        let bytes = u32::try_from(bytes).ok()?;
        let (room, all_bytes) = (Arc::clone(&self.room), Arc::clone(&self.bytes));
        Some(Room {
            _request: room.try_acquire_owned().ok()?,
            _bytes: all_bytes.try_acquire_many_owned(bytes).ok()?,
        })
    }

    fn begin_follow(
        &mut self,
        number: u64,
        what: Followed,
    ) -> Result<BoxStream<'static, JsonText>, Failure> {
        self.follows.retain(|_, follow| !follow.is_finished());
        if self.follows.contains_key(&number) {
            return Err(Failure {
                code: code::INVALID_PARAMS,
                message: format!("follow: there is a follow of the number {number} already"),
            });
        }
        self.sink.follow(what).map_err(failed)
    }

    /// Answers, and sends on what comes until there is no more.
    fn follow(
        &mut self,
        id: &RawValue,
        follow: u64,
        mut items: BoxStream<'static, JsonText>,
        room: Room,
    ) {
        let (peer, log) = (Arc::clone(&self.peer), Arc::clone(&self.log));
        let id = id.to_owned();
        let task = self.tasks.spawn(async move {
            peer.say(|| reply_line(&id, Ok(Reply::Done))).await;
            drop(room);
            while let Some(value) = items.next().await {
                // An item has less than this around it.
                if value.as_str().len() > LINE_MAX_BYTES / 2 {
                    log.warn("followed", || {
                        format!(
                            "what the driver follows came to more than {} bytes and was left out",
                            LINE_MAX_BYTES / 2
                        )
                    });
                    continue;
                }
                let item = Item { follow, value };
                let line = || protocol::notification(notification::FOLLOWED, item);
                peer.say(line).await;
            }
            let line = || protocol::notification(notification::FOLLOW_ENDED, Number { follow });
            peer.say(line).await;
        });
        self.follows.insert(follow, task);
    }

    /// Ends a follow. There may be none any more.
    pub(super) fn unfollow(&mut self, params: &str) -> Result<(), String> {
        let Number { follow } = read(params)?;
        if let Some(task) = self.follows.remove(&follow) {
            task.abort();
        }
        Ok(())
    }
}

fn describe(params: &str) -> Result<Asked, String> {
    let system: Describe = read(params)?;
    Ok(Asked::Describe(system.try_into().map_err(invalid)?))
}

fn read_status(params: &str) -> Result<Asked, String> {
    let Read { module, status } = read(params)?;
    let module = module.try_into().map_err(invalid)?;
    Ok(Asked::Read(
        module,
        StatusName::new(&status).map_err(invalid)?,
    ))
}

fn call_module(params: &str, peer: &Peer) -> Result<Asked, String> {
    let CallModule {
        module,
        function,
        arguments,
        call,
    } = read(params)?;
    if !arguments.as_str().starts_with(['[', '{']) {
        return Err("arguments: expected an array or an object".to_owned());
    }
    Ok(Asked::Call(ModuleCall {
        module: module.try_into().map_err(invalid)?,
        function: FunctionName::new(&function).map_err(invalid)?,
        arguments,
        // A call that has its answer leads to nothing that waits for it.
        chain: call.map(|id| peer.chain_of(id)).unwrap_or_default(),
    }))
}

fn publish(params: &str) -> Result<Asked, String> {
    let Publish { channel, message } = read(params)?;
    let channel = ChannelName::new(&channel).map_err(invalid)?;
    Ok(Asked::Publish(channel, message))
}

fn follow(params: &str) -> Result<Asked, String> {
    let Follow { follow, what } = read(params)?;
    Ok(Asked::Follow(follow, what.try_into().map_err(invalid)?))
}

fn invalid(error: InvalidId) -> String {
    error.to_string()
}

fn failed(failure: RequestFailed) -> Failure {
    Failure {
        code: failure.code.into(),
        message: failure.message,
    }
}

/// The answer as a line, which is never longer than one may be.
fn reply_line(id: &RawValue, reply: Result<Reply, Failure>) -> String {
    let line = match reply {
        Ok(Reply::Described(system)) => protocol::answer(id, Described::from(&system)),
        Ok(Reply::Value(value)) => {
            let value = value.unwrap_or_else(JsonText::null);
            protocol::answer(id, Value { value })
        }
        Ok(Reply::Returned(CallResult { value, code })) => {
            protocol::answer(id, Returned { value, code })
        }
        Ok(Reply::Done) => protocol::answer(id, ()),
        Err(Failure { code, message }) => protocol::failure(id, code, message),
    };
    if line.len() <= LINE_MAX_BYTES {
        return line;
    }
    let why =
        format!("the answer has more than {LINE_MAX_BYTES} bytes; what was asked for is done");
    protocol::failure(id, TOO_LARGE, why)
}
