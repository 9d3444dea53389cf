//! A device as its driver sees it: a handle that sends commands, and what is said of the device before it starts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::actor::{self, Shared};
use super::command::Command;
use super::errors;
use super::limits::{POLL_MIN, WAIT_MAX};
use super::link::Link;
use super::message::Message;
use super::queue::{Job, Source, Wants};
use crate::{Context, Error};

/// A device; clones share it. Its connection ends with the module.
///
/// `Q` is what is sent and `A` what comes back: bytes and a [`Message`] unless the transport has types of its own.
pub struct Device<Q = Vec<u8>, A = Message> {
    shared: Arc<Shared<Q, A>>,
    source: Source,
}

/// A device that is being described; [`start`](Self::start) connects it.
#[must_use = "nothing is connected before `start`"]
pub struct DeviceBuilder<Q = Vec<u8>, A = Message> {
    context: Context,
    pub(super) link: Box<dyn Link<Q, A>>,
    pub(super) hooks: Hooks<Q, A>,
}

type Hook<Q, A> = Box<dyn Fn(Device<Q, A>) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// How a device behaves, and what its driver does when something happens.
pub(super) struct Hooks<Q, A> {
    pub(super) connected: Option<Hook<Q, A>>,
    pub(super) poll: Option<(Duration, Hook<Q, A>)>,
    pub(super) message: Box<dyn Fn(A) + Send + Sync>,
    pub(super) pause: Duration,
    pub(super) answers: Answers,
}

/// Whether a device says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// It answers, so it is connected when it has.
    Yes,
    /// It never does, so it is connected when its connection is open.
    Never,
}

impl<Q: Clone + Send + 'static, A: Send + 'static> Device<Q, A> {
    /// Describes a device that `link` leads to.
    pub fn over(context: &Context, link: impl Link<Q, A>) -> DeviceBuilder<Q, A> {
        DeviceBuilder {
            context: context.clone(),
            link: Box::new(link),
            hooks: Hooks {
                connected: None,
                poll: None,
                message: Box::new(drop),
                pause: Duration::ZERO,
                answers: Answers::Yes,
            },
        }
    }

    /// Sends a command and waits until its bytes are written.
    ///
    /// It fails at once while the device is not connected, when the queue is full, and when a later command of its name replaces it.
    /// A future that is dropped takes its command out of the queue.
    pub async fn send(&self, command: impl Into<Command<Q, A>>) -> Result<(), Error> {
        self.run(command.into(), Wants::Sent).await.map(drop)
    }

    /// Sends a command and waits for its answer. It fails as [`send`](Self::send) does, and when the answer does not come in time.
    pub async fn ask(&self, command: impl Into<Command<Q, A>>) -> Result<A, Error> {
        let answer = self.run(command.into(), Wants::Answer).await?;
        answer.ok_or_else(|| Error::new("the command ended without an answer"))
    }

    async fn run(&self, command: Command<Q, A>, wants: Wants) -> Result<Option<A>, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.offer(Job {
            command,
            wants,
            source: self.source,
            reply,
            met_closed: false,
        });
        let gone = |_| Err(errors::not_connected("the module has stopped"));
        answer.await.unwrap_or_else(gone)
    }
}

impl<Q, A> Device<Q, A> {
    pub(super) fn of(shared: Arc<Shared<Q, A>>, source: Source) -> Self {
        Self { shared, source }
    }
}

impl<Q: Clone + Send + 'static, A: Send + 'static> DeviceBuilder<Q, A> {
    /// Runs on every new connection before any call: to sign in, and to ask for reports. The device that it gets takes commands before `connected` is true.
    ///
    /// After an error the connection is closed and tried again later, after one with the code [`REFUSED`](super::REFUSED) in the times for a wrong password.
    pub fn on_connected<Work>(
        mut self,
        hook: impl Fn(Device<Q, A>) -> Work + Send + Sync + 'static,
    ) -> Self
    where
        Work: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.hooks.connected = Some(Box::new(move |device| Box::pin(hook(device))));
        self
    }

    /// Reads everything: when the device has been away, before `connected` is true, and then once per period.
    ///
    /// An error is logged once until another one comes; one with the code [`REFUSED`](super::REFUSED) or [`AWAY`](super::AWAY) closes the connection.
    pub fn poll<Work>(
        mut self,
        period: Duration,
        hook: impl Fn(Device<Q, A>) -> Work + Send + Sync + 'static,
    ) -> Self
    where
        Work: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let period = period.clamp(POLL_MIN, WAIT_MAX);
        self.hooks.poll = Some((period, Box::new(move |device| Box::pin(hook(device)))));
        self
    }

    /// Takes what the device says by itself. It must not wait.
    pub fn on_message(mut self, hook: impl Fn(A) + Send + Sync + 'static) -> Self {
        self.hooks.message = Box::new(hook);
        self
    }

    /// How long the device is left alone after each command.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.hooks.pause = pause.min(WAIT_MAX);
        self
    }

    /// The device never answers: it counts as connected when its connection is open.
    pub fn never_answers(mut self) -> Self {
        self.hooks.answers = Answers::Never;
        self
    }

    /// Connects the device, and keeps it connected until the module stops.
    pub fn start(self) -> Device<Q, A> {
        // Here and not by the task: the gateway takes a module for connected that has said nothing when its start is over.
        self.context.set_connected(false);
        let shared = Arc::new(Shared::new());
        let running = actor::run(
            self.context.clone(),
            self.link,
            self.hooks,
            Arc::clone(&shared),
        );
        self.context.spawn(running);
        Device::of(shared, Source::Call)
    }
}

impl<Q, A> Clone for Device<Q, A> {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.shared), self.source)
    }
}

impl<Q, A> fmt::Debug for Device<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

impl<Q, A> fmt::Debug for DeviceBuilder<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceBuilder").finish_non_exhaustive()
    }
}
