//! What comes of following something: a stream of values of a type.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use driver_types::{ChannelName, JsonText};
use futures_util::stream::{BoxStream, Stream, StreamExt};
use serde::de::DeserializeOwned;

use crate::{Context, reading, warn};

/// What is followed, as it comes. It ends with the module that follows.
#[must_use = "what is followed is followed until this is dropped"]
pub struct Follow<T>(BoxStream<'static, T>);

impl<T> Follow<T> {
    /// Waits for what comes next; `None` when nothing will. Giving up the wait loses nothing.
    pub async fn next(&mut self) -> Option<T> {
        self.0.next().await
    }
}

impl<T: DeserializeOwned + Send + 'static> Follow<Option<T>> {
    /// The values of a status.
    pub(super) fn values(
        context: Context,
        what: String,
        texts: BoxStream<'static, JsonText>,
    ) -> Self {
        let value = move |text: JsonText| {
            if text.is_null() {
                return None;
            }
            let read = reading::read(text.as_str());
            read.inspect_err(|error| warn!(context, "the value of {what} was not taken: {error}"))
                .ok()
        };
        Self(texts.map(value).boxed())
    }
}

impl<T: DeserializeOwned + Send + 'static> Follow<T> {
    /// The messages of a channel.
    pub(super) fn messages(
        context: Context,
        channel: ChannelName,
        texts: BoxStream<'static, JsonText>,
    ) -> Self {
        let message = move |text: JsonText| {
            let read = reading::read(text.as_str());
            let read = read.inspect_err(|error| {
                warn!(
                    context,
                    "a message of the channel '{channel}' was not taken: {error}"
                );
            });
            ready(read.ok())
        };
        Self(texts.filter_map(message).boxed())
    }
}

impl Follow<()> {
    /// That something has happened.
    pub(super) fn notices(texts: BoxStream<'static, JsonText>) -> Self {
        Self(texts.map(drop).boxed())
    }
}

impl<T> Stream for Follow<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<T>> {
        self.0.poll_next_unpin(task)
    }
}

impl<T> fmt::Debug for Follow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").finish_non_exhaustive()
    }
}
