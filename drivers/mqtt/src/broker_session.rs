//! The conversation with the broker: who connects, what is subscribed to, what a message brings about.
//!
//! Separate from the driver's block because connection, poll, messages and calls share it.
//!
//! - Each connection begins with a clean session: the module subscribes to all of its topics again, whatever the broker remembers,
//!   and the broker sends what it has kept of them. So a broker that has lost its sessions loses no status.
//! - Then the module says at its availability topic that it is there; the broker says that it is not when the connection ends.
//! - A ping behind each subscription comes back when the broker has sent what it has kept, so `connected` turns true with the statuses there.
//! - Topics that discovery finds later are subscribed to by a task of their own, since a message must not wait.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use driver_sdk::transport::{self, REFUSED};
use driver_sdk::{Context, Error, JsonText, Status, debug, warn};
use tokio::sync::Notify;

use crate::limits::{PACKET_MAX_BYTES, SUBSCRIBE_TOPICS_MAX, WARNINGS_MAX};
use crate::packet::{Connect, Packet, Publish, Request, Retain, SUBSCRIPTION_REFUSED};
use crate::payload;
use crate::settings::{ONLINE, Settings};
use crate::topic::Topic;
use crate::topic_table::{Change, SubscriptionChanges, TopicTable};

/// The broker, as commands go to it.
pub(crate) type Device = transport::Device<Request, Packet>;

type Command = transport::Command<Request, Packet>;

/// The code of a call whose arguments the module does not take.
const BAD_ARGUMENTS: u16 = 400;

/// The code of a payload that is longer than allowed, as HTTP has it.
const TOO_LARGE: u16 = 413;

/// The conversation of one module.
pub(crate) struct BrokerSession {
    context: Context,
    connect: Connect,
    availability: Option<Topic>,
    topics: Mutex<TopicTable>,
    /// The number of the last packet that the broker acknowledges.
    id: AtomicU16,
    /// Whether topics that discovery finds are subscribed to at once. While a connection begins its first poll does it.
    is_live: AtomicBool,
    /// Discovery has changed the topics that are wanted.
    topics_changed: Notify,
    /// What has been said on this connection.
    warnings: Mutex<BTreeSet<String>>,
}

impl BrokerSession {
    pub(crate) fn new(context: Context, settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            connect: settings.connect(context.module())?,
            availability: settings.availability(context.module())?,
            topics: Mutex::new(TopicTable::new(settings)),
            id: AtomicU16::new(0),
            is_live: AtomicBool::new(false),
            topics_changed: Notify::new(),
            warnings: Mutex::default(),
            context,
        })
    }

    /// Begins a connection.
    pub(crate) async fn begin(&self, device: &Device) -> Result<(), Error> {
        self.is_live.store(false, Ordering::SeqCst);
        lock(&self.warnings).clear();
        let connect = Command::of(Request::Connect(self.connect.clone()));
        let is_answer = |packet: &Packet| matches!(packet, Packet::Connected { .. });
        if let Packet::Connected { code } = device.ask(connect.answered_by(is_answer)).await? {
            accepted(code)?;
        }
        let subscribe = self.topics().all_topics();
        let unsubscribe = Vec::new();
        let changes = SubscriptionChanges {
            subscribe,
            unsubscribe,
        };
        self.tell(device, &changes).await?;
        if let Some(topic) = &self.availability {
            let birth = Publish {
                id: self.next_id(),
                topic: topic.as_str().to_owned(),
                payload: ONLINE.into(),
                retain: Retain::Yes,
            };
            self.send(device, birth).await?;
        }
        Ok(())
    }

    /// Asks the broker for a sign of life, and subscribes to what discovery has found meanwhile.
    pub(crate) async fn poll(&self, device: &Device) -> Result<(), Error> {
        ping(device).await?;
        let changes = self.topics().subscription_changes();
        if !changes.is_empty() {
            if let Err(error) = self.tell(device, &changes).await {
                self.topics().was_not_told(changes);
                return Err(error);
            }
            ping(device).await?;
        }
        self.is_live.store(true, Ordering::SeqCst);
        // What has come since is the task's.
        self.topics_changed.notify_one();
        Ok(())
    }

    /// Subscribes to what discovery finds while the connection lives. It never ends.
    pub(crate) async fn follow_discovery(self: Arc<Self>, device: Device) {
        loop {
            self.topics_changed.notified().await;
            if !self.is_live.load(Ordering::SeqCst) {
                continue;
            }
            let changes = self.topics().subscription_changes();
            if let Err(error) = self.tell(&device, &changes).await {
                // The next connection begins with all topics, and the next poll looks again.
                debug!(self.context, "the topics of new things: {error}");
                self.topics().was_not_told(changes);
            }
        }
    }

    /// Takes what the broker says by itself.
    pub(crate) fn take(&self, packet: Packet) {
        match packet {
            Packet::Message { topic, payload } => {
                let changes = self.topics().take(&topic, &payload);
                changes.into_iter().for_each(|change| self.apply(change));
            }
            Packet::TooLong { topic } => self.warn_once(format!(
                "a message at '{topic}' that is longer than {PACKET_MAX_BYTES} bytes was dropped"
            )),
            Packet::UnreadableTopic => {
                self.warn_once("a message whose topic is no text was dropped".to_owned());
            }
            // An acknowledgement that comes too late: its caller has an error already.
            Packet::Connected { .. }
            | Packet::Published { .. }
            | Packet::Subscribed { .. }
            | Packet::Unsubscribed { .. }
            | Packet::Pong => {}
        }
    }

    /// Sends a value as the command or the thing of this name takes it.
    pub(crate) async fn set(
        &self,
        device: &Device,
        name: &str,
        value: JsonText,
    ) -> Result<(), Error> {
        let message = self.topics().set(self.next_id(), name, value)?;
        self.send(device, message).await
    }

    /// Publishes a message.
    pub(crate) async fn publish(
        &self,
        device: &Device,
        topic: &str,
        value: &JsonText,
        retain: Retain,
    ) -> Result<(), Error> {
        let topic = Topic::new(topic).map_err(|error| error.with_code(BAD_ARGUMENTS))?;
        let message = Publish {
            id: self.next_id(),
            topic: topic.as_str().to_owned(),
            payload: payload::bytes(value)?,
            retain,
        };
        self.send(device, message).await
    }

    /// Sends a message and waits until the broker has it. It is never sent again.
    async fn send(&self, device: &Device, message: Publish) -> Result<(), Error> {
        if message.payload.len() > PACKET_MAX_BYTES {
            let error = format_args!("a payload has at most {PACKET_MAX_BYTES} bytes");
            return Err(Error::new(error).with_code(TOO_LARGE));
        }
        let id = message.id;
        let command = Command::of(Request::Publish(message));
        let is_answer = move |packet: &Packet| *packet == Packet::Published { id };
        device.ask(command.answered_by(is_answer)).await.map(drop)
    }

    /// Tells the broker which topics are wanted, and which no more.
    async fn tell(&self, device: &Device, changes: &SubscriptionChanges) -> Result<(), Error> {
        for filters in changes.subscribe.chunks(SUBSCRIBE_TOPICS_MAX) {
            self.subscribe(device, filters).await?;
        }
        for filters in changes.unsubscribe.chunks(SUBSCRIBE_TOPICS_MAX) {
            let id = self.next_id();
            let filters = filters.to_vec();
            let command = Command::of(Request::Unsubscribe { id, filters });
            let is_answer = move |packet: &Packet| *packet == Packet::Unsubscribed { id };
            device.ask(command.answered_by(is_answer)).await?;
        }
        Ok(())
    }

    async fn subscribe(&self, device: &Device, filters: &[String]) -> Result<(), Error> {
        let id = self.next_id();
        let command = Command::of(Request::Subscribe {
            id,
            filters: filters.to_vec(),
        });
        let is_answer =
            move |packet: &Packet| matches!(packet, Packet::Subscribed { id: of, .. } if *of == id);
        let answer = device.ask(command.answered_by(is_answer)).await?;
        if let Packet::Subscribed { codes, .. } = answer {
            for (filter, code) in filters.iter().zip(codes) {
                if code == SUBSCRIPTION_REFUSED {
                    self.warn_once(format!("the broker refuses the topic '{filter}'"));
                }
            }
        }
        Ok(())
    }

    fn apply(&self, change: Change) {
        match change {
            Change::Set(name, value) => {
                let set = Status::named(name.as_str()).map_err(Error::from);
                let set = set.and_then(|status| self.context.try_set(&status, &value));
                if let Err(error) = set {
                    self.warn_once(format!("the status '{name}' was not published: {error}"));
                }
            }
            Change::Topics => self.topics_changed.notify_one(),
            Change::Note(note) => debug!(self.context, "{note}"),
            Change::Warning(warning) => self.warn_once(warning),
        }
    }

    fn warn_once(&self, warning: String) {
        let mut warnings = lock(&self.warnings);
        if warnings.len() < WARNINGS_MAX && warnings.insert(warning.clone()) {
            warn!(self.context, "{warning}");
        }
    }

    /// The number of the next packet, which is not 0.
    fn next_id(&self) -> u16 {
        let count = |id: u16| Some(id.checked_add(1).unwrap_or(1));
        let last = self
            .id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        count(last.unwrap_or(0)).unwrap_or(1)
    }

    fn topics(&self) -> MutexGuard<'_, TopicTable> {
        lock(&self.topics)
    }
}

async fn ping(device: &Device) -> Result<(), Error> {
    let is_answer = |packet: &Packet| *packet == Packet::Pong;
    let ping = Command::of(Request::Ping).answered_by(is_answer);
    device.ask(ping).await.map(drop)
}

/// Whether the broker takes the connection (MQTT 3.1.1, 3.2.2.3).
fn accepted(code: u8) -> Result<(), Error> {
    let why = match code {
        0 => return Ok(()),
        1 => "the broker does not speak MQTT 3.1.1",
        2 => "the broker refuses the client id",
        3 => "the broker takes no connections at the moment",
        4 | 5 => {
            let error = Error::new("the broker refuses the user name or the password");
            return Err(error.with_code(REFUSED));
        }
        _ => "the broker refuses the connection",
    };
    Err(Error::new(why))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
