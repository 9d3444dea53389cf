//! What is sent to a device, and how.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::limits::{ANSWER_TIMEOUT, PRIORITY, WAIT_MAX};
use super::message::Message;

/// What is sent to a device, and how: bytes and the [`Message`] that answers them, unless the transport has types of its own.
pub struct Command<Q = Vec<u8>, A = Message> {
    pub(super) payload: Option<Q>,
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) priority: u8,
    pub(super) timeout: Duration,
    pub(super) pause: Duration,
    pub(super) retries: u32,
    pub(super) answer: Option<Arc<IsAnswer<A>>>,
}

/// Whether a message answers a command.
pub(super) type IsAnswer<A> = dyn Fn(&A) -> bool + Send + Sync;

impl Command {
    /// A command of these bytes, with the delimiter that the device expects.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(bytes.into())
    }
}

impl<Q, A> Command<Q, A> {
    /// A command with a payload of the transport's type.
    pub fn of(payload: Q) -> Self {
        Self {
            payload: Some(payload),
            ..Self::listen()
        }
    }

    /// Sends nothing and waits for what the device says by itself, such as its greeting.
    pub fn listen() -> Self {
        Self {
            payload: None,
            name: None,
            priority: PRIORITY,
            timeout: ANSWER_TIMEOUT,
            pause: Duration::ZERO,
            retries: 0,
            answer: None,
        }
    }

    /// A later command of the same name replaces this one while it still waits in the queue: a slider then sends where it is, and not where it was. The call that it replaces is answered with an error.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Commands of a higher priority are sent first, those of one priority in the order in which they came. It is 50 if nothing is said.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// How long the device has for its answer, 5 s if nothing is said.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(WAIT_MAX);
        self
    }

    /// How long the device is left alone after this command, as many are after power was switched on.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause.min(WAIT_MAX);
        self
    }

    /// The device may run this command twice without harm, so it is sent up to so many times more when its answer does not come.
    #[must_use]
    pub fn idempotent(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Which messages answer this command; all others go to the device's `on_message`. Without it the next message is the answer.
    #[must_use]
    pub fn answered_by(mut self, is_answer: impl Fn(&A) -> bool + Send + Sync + 'static) -> Self {
        self.answer = Some(Arc::new(is_answer));
        self
    }
}

impl From<&str> for Command {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Command {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Vec<u8>> for Command {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for Command {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl<Q, A> fmt::Debug for Command<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The payload may hold a password.
        f.debug_struct("Command")
            .field("name", &self.name)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}
