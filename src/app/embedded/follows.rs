//! What a program around the gateway follows: a status, and what is announced by a name.
//!
//! A status is a state, so its newest value is all that is kept; of what is announced nothing is left out, and a program that is too far behind is told so.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::core::{Core, Delivery, Outlet, OutletId};
use crate::model::{BindingPath, Event, JsonText, Subject};

use super::GatewayError;

/// One status that is followed; dropping it ends that.
pub struct Binding {
    core: Arc<Core>,
    /// Cancelled when the gateway has ended.
    ended: CancellationToken,
    outlet: OutletId,
    values: watch::Receiver<Option<JsonText>>,
}

impl Binding {
    pub(super) fn new(core: Arc<Core>, ended: CancellationToken, path: BindingPath) -> Self {
        let (set, values) = watch::channel(None);
        let outlet = core.follows.attach(Arc::new(Latest(set)));
        core.follows.watch(outlet, Subject::Status(Arc::new(path)));
        Self {
            core,
            ended,
            outlet,
            values,
        }
    }

    /// The value that the status has, the first time, and after that the next one; `null` when it is gone.
    ///
    /// Who waits too long gets the newest value, since a status is a state: those in between are left out.
    pub async fn next(&mut self) -> Result<JsonText, GatewayError> {
        let changed = {
            let changed = pin!(self.values.changed());
            let ended = pin!(self.ended.cancelled());
            match select(changed, ended).await {
                Either::Left((changed, _)) => changed.is_ok(),
                Either::Right(((), _)) => false,
            }
        };
        if !changed {
            return Err(GatewayError::Ended);
        }
        let value = self.values.borrow_and_update().clone();
        Ok(value.unwrap_or_else(JsonText::null))
    }

    /// The same values as a stream, which ends with the gateway.
    pub fn into_stream(self) -> impl Stream<Item = JsonText> + Send {
        stream::unfold(self, |mut binding| async {
            let value = binding.next().await.ok()?;
            Some((value, binding))
        })
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.core.follows.detach(self.outlet);
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}

/// The outlet of one binding, which keeps the newest value.
struct Latest(watch::Sender<Option<JsonText>>);

impl Outlet for Latest {
    fn push(&self, batch: &mut Vec<Delivery>) {
        for delivery in batch.drain(..) {
            match delivery {
                Delivery::Event {
                    event: Event::Value { value, .. },
                    ..
                } => {
                    self.0.send_replace(value);
                }
                // A binding follows one status, makes no requests, and is no connection that could be closed.
                Delivery::Event {
                    event:
                        Event::Entry { .. }
                        | Event::Line(_)
                        | Event::Bus(_)
                        | Event::Call(_)
                        | Event::Topic(_)
                        | Event::Message(_),
                    ..
                }
                | Delivery::Reply { .. }
                | Delivery::Close { .. } => {}
            }
        }
    }
}

/// Something that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its name.
    pub name: Arc<str>,
    /// What belongs to it.
    pub data: JsonText,
}

/// What is announced by one name; dropping it ends that.
pub struct Subscription {
    name: String,
    events: BoxStream<'static, Event>,
    /// Cancelled when the gateway has ended.
    ended: CancellationToken,
}

impl Subscription {
    pub(super) fn new(
        name: &str,
        events: BoxStream<'static, Event>,
        ended: CancellationToken,
    ) -> Self {
        Self {
            name: name.to_owned(),
            events,
            ended,
        }
    }

    /// The next announcement. One that was not taken in time is not left out: the subscription ends with [`GatewayError::Behind`].
    pub async fn next(&mut self) -> Result<Announcement, GatewayError> {
        loop {
            let event = {
                let event = self.events.next();
                let ended = pin!(self.ended.cancelled());
                match select(event, ended).await {
                    Either::Left((event, _)) => event,
                    Either::Right(((), _)) => return Err(GatewayError::Ended),
                }
            };
            let Some(event) = event else {
                return Err(match self.ended.is_cancelled() {
                    true => GatewayError::Ended,
                    false => GatewayError::Behind,
                });
            };
            if let Event::Bus(event) = event
                && *event.name == *self.name
            {
                return Ok(Announcement {
                    name: Arc::clone(&event.name),
                    data: event.data.clone(),
                });
            }
        }
    }

    /// The same as a stream, which ends with the gateway, and when the program is too far behind.
    pub fn into_stream(self) -> impl Stream<Item = Announcement> + Send {
        stream::unfold(self, |mut subscription| async {
            let announced = subscription.next().await.ok()?;
            Some((announced, subscription))
        })
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
