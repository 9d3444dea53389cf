//! What the module asks the gateway about other modules, and how an answer finds who asked.
//!
//! It is apart from the module's sink because it keeps what is under way: requests without an answer, and follows.
//! Both are bounded. Nothing here waits: a request goes to the outbox, and its answer is a future.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use driver_types::{Followed, JsonText, LogLevel, RequestFailed};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::futures::TaskLocalFuture;

use super::outbox::Outbox;
use super::protocol::system::{Follow, Item, Number, notification, request};
use super::protocol::{self, Failure, LINE_MAX_BYTES, code};
use crate::reading;

/// Requests without an answer, as many as the gateway takes of a process. Past it a request fails at once, so that a driver which asks in a loop fills no memory.
const REQUESTS_MAX: usize = 512;

/// What the module follows at a time, as much as the gateway lets a module follow.
const FOLLOWS_MAX: usize = 1_024;

/// Messages of a channel that wait until the driver takes them. Past it a message is left out, with a warning in the log, since the answers behind it have to be read.
const MESSAGES_MAX: usize = 256;

/// The code of a request that is longer than a line may be.
const TOO_LARGE: u16 = 413;

/// The code of a request that the gateway does not understand.
const BAD_REQUEST: u16 = 400;

/// The code of a failure that has no HTTP-like code.
const OTHER: u16 = 500;

tokio::task_local! {
    /// The id of the gateway's call that is being carried out.
    static CALL: u64;
}

/// Runs the future of the gateway's call of this id, so that the calls made in it name it.
pub(super) fn within<F: Future>(call: u64, future: F) -> TaskLocalFuture<u64, F> {
    CALL.scope(call, future)
}

/// The id of the call whose future is being polled; `None` outside of calls.
pub(super) fn call() -> Option<u64> {
    CALL.try_with(|id| *id).ok()
}

/// The requests of the module.
pub(super) struct Requests {
    outbox: Arc<Outbox>,
    under_way: Mutex<UnderWay>,
}

#[derive(Default)]
struct UnderWay {
    /// The id of the last request.
    last_request: u64,
    waiting: HashMap<u64, Waiter>,
    /// The number of the last follow.
    last_follow: u64,
    follows: HashMap<u64, Inlet>,
}

/// Who learns the answer to a request.
enum Waiter {
    /// A future, unless it was dropped.
    Future(oneshot::Sender<Result<JsonText, Failure>>),
    /// The log, when the answer is a failure of what these words name.
    Log(&'static str),
    /// The follow of this number, which ends when the answer is a failure.
    Follow(u64),
}

/// Where what is followed comes in.
enum Inlet {
    /// The latest value counts.
    Latest(watch::Sender<Option<JsonText>>),
    /// Each message counts.
    Each(mpsc::Sender<JsonText>),
}

impl Requests {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            under_way: Mutex::default(),
        }
    }

    /// Asks, and reads the answer. The request is on its way when this returns; dropping the future gives up the answer alone.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> BoxFuture<'static, Result<T, RequestFailed>> {
        let (sender, answer) = oneshot::channel();
        let sent = self.send(method, params, Waiter::Future(sender));
        Box::pin(async move {
            sent?;
            let answer = answer.await.map_err(|_| {
                let why =
                    "the gateway gave no answer; whether the request had its effect is not known";
                RequestFailed::new(RequestFailed::UNANSWERED, why)
            })?;
            let answer = answer.map_err(failed)?;
            reading::cut(answer.as_str()).map_err(|error| {
                let why = format!("the gateway's answer cannot be used: {}", error.message());
                RequestFailed::new(OTHER, why)
            })
        })
    }

    /// Tells something that the gateway answers; a failure of it is a warning in the log.
    pub(super) fn tell(
        &self,
        method: &'static str,
        params: impl Serialize,
    ) -> Result<(), RequestFailed> {
        self.send(method, params, Waiter::Log(method))
    }

    /// Follows something until the stream is dropped. What the gateway refuses ends, with a warning in the log.
    pub(super) fn follow(
        self: &Arc<Self>,
        what: &Followed,
    ) -> Result<BoxStream<'static, JsonText>, RequestFailed> {
        let (inlet, values) = match what {
            Followed::Status(..) | Followed::Modules(_) => {
                let (sender, values) = watch::channel(None);
                (Inlet::Latest(sender), latest(values).boxed())
            }
            Followed::Channel(_) => {
                let (sender, messages) = mpsc::channel(MESSAGES_MAX);
                (Inlet::Each(sender), each(messages).boxed())
            }
        };
        let follow = {
            let mut under_way = self.under_way();
            if under_way.follows.len() >= FOLLOWS_MAX {
                let why = format!("a module follows {FOLLOWS_MAX} things at most");
                return Err(RequestFailed::new(RequestFailed::BUSY, why));
            }
            under_way.last_follow += 1;
            let follow = under_way.last_follow;
            under_way.follows.insert(follow, inlet);
            follow
        };
        let requests = Arc::clone(self);
        // From here on what is given up is unfollowed.
        let following = Following {
            requests,
            follow,
            values,
        };
        let what = what.into();
        let params = Follow { follow, what };
        let sent = self.send(request::FOLLOW, params, Waiter::Follow(follow));
        if let Err(failure) = sent {
            self.under_way().follows.remove(&follow);
            return Err(failure);
        }
        Ok(following.boxed())
    }

    fn send(
        &self,
        method: &str,
        params: impl Serialize,
        waiter: Waiter,
    ) -> Result<(), RequestFailed> {
        let mut under_way = self.under_way();
        if under_way.waiting.len() >= REQUESTS_MAX {
            let why = format!(
                "the module waits for the answers to {REQUESTS_MAX} requests; this one was not made"
            );
            return Err(RequestFailed::new(RequestFailed::BUSY, why));
        }
        let id = under_way.last_request + 1;
        let line = protocol::request(id, method, params);
        if line.len() > LINE_MAX_BYTES {
            let why = format!("the request has more than {LINE_MAX_BYTES} bytes; it was not made");
            return Err(RequestFailed::new(TOO_LARGE, why));
        }
        under_way.last_request = id;
        under_way.waiting.insert(id, waiter);
        // Under the lock: the gateway gets requests in the order of their ids.
        self.outbox.answer(line);
        Ok(())
    }

    /// Takes the gateway's answer to a request.
    pub(super) fn answered(&self, id: u64, answer: Result<JsonText, Failure>) {
        let waiter = self.under_way().waiting.remove(&id);
        match (waiter, answer) {
            // Who gave it up does not want it.
            (Some(Waiter::Future(sender)), answer) => drop(sender.send(answer)),
            (Some(Waiter::Log(what)), Err(failure)) => self.warn(&format!(
                "the gateway refused the request '{what}': {}",
                failure.message
            )),
            (Some(Waiter::Follow(follow)), Err(failure)) => {
                self.under_way().follows.remove(&follow);
                self.warn(&format!(
                    "the gateway refused to let the module follow something: {}",
                    failure.message
                ));
            }
            (Some(Waiter::Log(_) | Waiter::Follow(_)), Ok(_)) | (None, _) => {}
        }
    }

    /// Takes a notification of the gateway. One that is not known is passed over.
    pub(super) fn notified(&self, method: &str, params: &str) {
        match method {
            notification::FOLLOWED => {
                if let Ok(item) = reading::cut::<Item>(params) {
                    self.followed(item);
                }
            }
            notification::FOLLOW_ENDED => {
                if let Ok(Number { follow }) = reading::cut(params) {
                    self.under_way().follows.remove(&follow);
                }
            }
            _ => {}
        }
    }

    fn followed(&self, Item { follow, value }: Item) {
        let is_taken = match self.under_way().follows.get(&follow) {
            Some(Inlet::Latest(sender)) => {
                sender.send_replace(Some(value));
                true
            }
            Some(Inlet::Each(sender)) => !matches!(
                sender.try_send(value),
                Err(mpsc::error::TrySendError::Full(_))
            ),
            // It was given up while this was on its way.
            None => true,
        };
        if !is_taken {
            self.warn(&format!(
                "a message was left out: {MESSAGES_MAX} messages of the channel wait for the driver"
            ));
        }
    }

    fn unfollow(&self, follow: u64) {
        if self.under_way().follows.remove(&follow).is_some() {
            let line = protocol::notification(notification::UNFOLLOW, Number { follow });
            self.outbox.answer(line);
        }
    }

    fn warn(&self, message: &str) {
        self.outbox.line(LogLevel::Warn, message);
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream of what is followed, which tells the gateway when it is dropped.
struct Following {
    requests: Arc<Requests>,
    follow: u64,
    values: BoxStream<'static, JsonText>,
}

impl Stream for Following {
    type Item = JsonText;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<JsonText>> {
        self.values.poll_next_unpin(task)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.requests.unfollow(self.follow);
    }
}

/// The values from the first on. One that a newer one has replaced is left out.
fn latest(values: watch::Receiver<Option<JsonText>>) -> impl Stream<Item = JsonText> + Send {
    stream::unfold(values, |mut values| async {
        values.changed().await.ok()?;
        let value = values.borrow_and_update().clone();
        Some((value?, values))
    })
}

/// Each message.
fn each(messages: mpsc::Receiver<JsonText>) -> impl Stream<Item = JsonText> + Send {
    stream::unfold(messages, |mut messages| async {
        let message = messages.recv().await?;
        Some((message, messages))
    })
}

/// The failure as drivers see it.
fn failed(failure: Failure) -> RequestFailed {
    let code = match failure.code {
        code::INVALID_PARAMS => BAD_REQUEST,
        // A gateway that is older than this kit.
        code::METHOD_NOT_FOUND => RequestFailed::UNAVAILABLE,
        other => u16::try_from(other).unwrap_or(OTHER),
    };
    RequestFailed::new(code, failure.message)
}

#[cfg(test)]
mod tests {
    use driver_types::{ChannelName, ModulePlace, StatusName, SystemRef};
    use serde_json::{Value, json};

    use super::super::protocol::system::{Publish, Read, Value as ReadValue};
    use super::*;

    fn requests() -> Arc<Requests> {
        Arc::new(Requests::new(Arc::default()))
    }

    /// What the gateway gets that it has not got yet.
    fn sent(requests: &Requests) -> Vec<Value> {
        let mut text = Vec::new();
        requests.outbox.close();
        requests.outbox.write_to(&mut text);
        let lines = std::str::from_utf8(&text).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn power() -> Followed {
        let place = ModulePlace {
            system: SystemRef::Own,
            slot: "Display_1".parse().unwrap(),
        };
        Followed::Status(place, StatusName::new("power").unwrap())
    }

    fn alarms() -> Followed {
        Followed::Channel(ChannelName::new("alarms").unwrap())
    }

    fn followed(requests: &Requests, value: impl Into<Value>) {
        let params = json!({"follow": 1, "value": value.into()});
        requests.notified("followed", &params.to_string());
    }

    fn ask(requests: &Requests) -> BoxFuture<'static, Result<ReadValue, RequestFailed>> {
        let Followed::Status(place, status) = power() else {
            unreachable!("it is one")
        };
        let module = (&place).into();
        let status = status.to_string();
        requests.ask(request::READ_STATUS, Read { module, status })
    }

    fn publish(requests: &Requests, message: JsonText) -> Result<(), RequestFailed> {
        let channel = "alarms".to_owned();
        requests.tell(request::PUBLISH, Publish { channel, message })
    }

    #[tokio::test]
    async fn an_answer_finds_who_asked_in_whichever_order_it_comes() {
        let requests = requests();
        let (one, other) = (ask(&requests), ask(&requests));
        let ids: Vec<Value> = sent(&requests)
            .iter()
            .map(|line| line["id"].clone())
            .collect();
        assert_eq!(ids, [1, 2]);
        let value = JsonText::parse(r#"{"value": 7}"#).unwrap();
        requests.answered(2, Ok(value));
        let message = "could not find module Display_1".to_owned();
        requests.answered(1, Err(Failure { code: 404, message }));
        assert_eq!(other.await.unwrap().value.as_str(), "7");
        assert_eq!(one.await.unwrap_err().code, RequestFailed::NOT_FOUND);
        // What nobody asked for, and what was answered before, does no harm.
        requests.answered(2, Ok(JsonText::null()));
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_used_is_a_failure() {
        let requests = requests();
        let asked = ask(&requests);
        requests.answered(1, Ok(JsonText::boolean(true)));
        let failure = asked.await.unwrap_err();
        assert!(
            failure
                .message
                .starts_with("the gateway's answer cannot be used: "),
            "{failure}"
        );
        let asked = ask(&requests);
        let (code, message) = (code::METHOD_NOT_FOUND, String::new());
        requests.answered(2, Err(Failure { code, message }));
        assert_eq!(asked.await.unwrap_err().code, RequestFailed::UNAVAILABLE);
    }

    #[tokio::test]
    async fn requests_without_an_answer_are_bounded_and_too_long_ones_are_not_made() {
        let requests = requests();
        for _ in 0..REQUESTS_MAX {
            publish(&requests, JsonText::null()).unwrap();
        }
        assert_eq!(publish(&requests, JsonText::null()).unwrap_err().code, 429);
        assert_eq!(ask(&requests).await.unwrap_err().code, 429);
        assert_eq!(requests.follow(&power()).err().unwrap().code, 429);
        requests.answered(7, Ok(JsonText::null()));
        let long = JsonText::of(&"x".repeat(LINE_MAX_BYTES)).unwrap();
        assert_eq!(publish(&requests, long).unwrap_err().code, TOO_LARGE);
        publish(&requests, JsonText::null()).unwrap();
        assert_eq!(sent(&requests).len(), REQUESTS_MAX + 1);
    }

    #[tokio::test]
    async fn a_follower_that_is_behind_gets_the_latest_value_and_each_message() {
        let requests = requests();
        let mut values = requests.follow(&power()).unwrap();
        for n in 0..3 {
            followed(&requests, n);
        }
        assert_eq!(values.next().await.unwrap().as_str(), "2");
        followed(&requests, Value::Null);
        requests.notified("follow_ended", r#"{"follow": 1}"#);
        assert!(values.next().await.unwrap().is_null());
        assert_eq!(values.next().await, None);

        let requests = self::requests();
        let messages = requests.follow(&alarms()).unwrap();
        for n in 0..=MESSAGES_MAX {
            followed(&requests, n);
        }
        requests.notified("follow_ended", r#"{"follow": 1}"#);
        assert_eq!(messages.count().await, MESSAGES_MAX);
        let told = sent(&requests).pop().unwrap();
        assert_eq!(told["params"]["level"], "warn", "{told}");
    }

    #[tokio::test]
    async fn a_follow_that_is_dropped_is_given_up_and_one_that_is_refused_ends() {
        let requests = requests();
        drop(requests.follow(&power()).unwrap());
        let lines = sent(&requests);
        assert_eq!(lines[0]["method"], "follow");
        assert_eq!(lines[1]["method"], "unfollow");
        assert_eq!(lines[0]["params"]["follow"], lines[1]["params"]["follow"]);

        let mut values = requests.follow(&power()).unwrap();
        let message = "a module follows 1024 things at most".to_owned();
        requests.answered(2, Err(Failure { code: 429, message }));
        assert_eq!(values.next().await, None);
        drop(values);
        let lines = sent(&requests);
        assert_eq!(lines.len(), 2, "a request and a warning: {lines:?}");
        assert_eq!(lines[1]["method"], "log");
    }

    #[tokio::test]
    async fn the_call_that_is_carried_out_is_known_inside_of_it_alone() {
        assert_eq!(call(), None);
        assert_eq!(within(7, async { call() }).await, Some(7));
    }
}
