//! What a connection can follow, the events of it, and what a queue may do with an event whose follower is behind.

use std::sync::Arc;

use driver_types::{Act, Clearance, JsonText, LogLevel, ModuleId, StatusName};

use crate::model::{
    BindingPath, CallNews, ClusterConnectionId, DeviceId, EntryId, MessageNews, ModulePath,
    Revision, ServiceKey, Timestamp, TopicEvent, TopicId,
};

/// What can be followed. Closed, so that a further dialect's needs show up in every match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One status.
    Status(Arc<BindingPath>),
    /// All statuses of the module at a place, whichever it has: each as if it were followed by its name, all by one watch.
    /// An emptied slot shows each of them as `null`, once and after the settle time, as it does where they are followed singly.
    Module(Arc<ModulePath>),
    /// The log of one module.
    Log(ModuleId),
    /// The building: which of its zones, systems, modules and metadata are new, changed or gone. A new follower reads the present state by itself.
    Directory,
    /// What modules, people and rules announce by name, on whichever node.
    Bus,
    /// What of it is announced by this name. It costs nothing where others are announced, however many are followed.
    Announced(Arc<str>),
    /// Which functions are called and which procedures run. Of this node alone, and for administrators.
    Calls,
    /// A channel with no status behind it. It is [entered](crate::model::Request::Enter), which says who its follower is.
    Topic(TopicId),
    /// What a service sends. Who knows its key may follow it.
    Service(ServiceKey),
    /// What a device is subscribed to, and whether its messages may have been missed.
    Device(DeviceId),
}

/// Something that happened to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A status has a value.
    Value {
        /// The status as the follower named it: one module may stand in two systems.
        path: Arc<BindingPath>,
        /// The value; `None` when it was removed or no module stands there any more.
        value: Option<JsonText>,
        /// The value that the follower got before; `None` when there was none, or when the follower is new.
        old: Option<JsonText>,
        /// When this node learned of it.
        at: Timestamp,
        /// What brought it about.
        cause: Cause,
        /// The place of this change in the node's order.
        revision: Revision,
    },
    /// An entry of the building is new, changed or gone.
    Entry {
        /// Which.
        id: EntryId,
        /// Whether the follower knew it before.
        old: Presence,
        /// Whether it is there now.
        new: Presence,
        /// When this node learned of it.
        at: Timestamp,
    },
    /// A module wrote a log line.
    Line(Arc<LogLine>),
    /// Something was announced on the bus.
    Bus(Arc<BusEvent>),
    /// A call has begun, or come to its end.
    Call(Arc<CallNews>),
    /// Something happened to a topic.
    Topic(Arc<TopicNews>),
    /// Something happened to messages.
    Message(Arc<MessageNews>),
}

/// Whether an entry of the building is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not, or no longer.
    Absent,
}

/// Something that was announced by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEvent {
    /// Its name.
    pub name: Arc<str>,
    /// What belongs to it.
    pub data: JsonText,
    /// The clearance of the caller who announced it.
    pub level: Clearance,
    /// What it belongs to.
    pub act: Arc<Act>,
    /// When it was announced, by the clock of the node on which it was.
    pub at: Timestamp,
}

/// Something that happened to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicNews {
    /// The topic.
    pub topic: TopicId,
    /// What.
    pub event: TopicEvent,
}

/// The cause of an event, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The module published it by itself.
    Module,
    /// The module published it in a call that belongs to this act.
    Act(Arc<Act>),
    /// The store answered so when it was read: when it happened is not known.
    Store,
    /// Another module stands at this place, or none.
    Building,
    /// Nothing has happened: the follower is new and gets the present state.
    Follow,
}

/// What a queue may do with an event that cannot be sent at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep<'e> {
    /// Of all events of a subject with this key the newest alone matters.
    Latest(Key<'e>),
    /// It may be dropped, and how many were is counted.
    Lossy,
    /// Each must arrive: bounded in bytes, past which the connection is closed.
    All,
}

/// Which state of its subject an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key<'e> {
    /// This status.
    Status(&'e StatusName),
    /// This entry of the building.
    Entry(&'e EntryId),
    /// How many are in a topic.
    Count,
    /// The last message of a service: one that was passed over is found by its number.
    Message,
}

/// A [`Key`] to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyBuf {
    /// This status.
    Status(StatusName),
    /// This entry of the building.
    Entry(EntryId),
    /// How many are in a topic.
    Count,
    /// The last message of a service.
    Message,
}

impl Key<'_> {
    /// The same, to be kept.
    pub fn to_buf(self) -> KeyBuf {
        match self {
            Self::Status(name) => KeyBuf::Status(name.clone()),
            Self::Entry(id) => KeyBuf::Entry(id.clone()),
            Self::Count => KeyBuf::Count,
            Self::Message => KeyBuf::Message,
        }
    }
}

/// What a follower got before an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Old {
    /// Nothing.
    Nothing,
    /// This value of a status.
    Value(Option<JsonText>),
    /// That an entry is there, or not.
    Entry(Presence),
}

impl Event {
    /// What a queue may do with it. Every queue asks this, and nothing else decides.
    pub fn keep(&self) -> Keep<'_> {
        match self {
            Self::Value { path, .. } => Keep::Latest(Key::Status(&path.status)),
            Self::Entry { id, .. } => Keep::Latest(Key::Entry(id)),
            Self::Line(_) => Keep::Lossy,
            Self::Topic(news) => match news.event {
                TopicEvent::Count(_) => Keep::Latest(Key::Count),
                TopicEvent::Message { .. }
                | TopicEvent::Joined { .. }
                | TopicEvent::Left { .. } => Keep::All,
            },
            Self::Message(news) => match **news {
                MessageNews::Sent(_) => Keep::Latest(Key::Message),
                // Few: a device has some dozens of subscriptions.
                MessageNews::Subscribed { .. } | MessageNews::Missed => Keep::All,
            },
            Self::Bus(_) | Self::Call(_) => Keep::All,
        }
    }

    /// Which of its subject's states it is about, where the newest alone matters.
    pub fn key(&self) -> Option<Key<'_>> {
        match self.keep() {
            Keep::Latest(key) => Some(key),
            Keep::Lossy | Keep::All => None,
        }
    }

    /// Whether it is a state, which later followers get too, and not only something that happened or has gone.
    pub fn is_standing(&self) -> bool {
        match self {
            Self::Value { value, .. } => value.is_some(),
            Self::Entry { .. }
            | Self::Line(_)
            | Self::Bus(_)
            | Self::Call(_)
            | Self::Topic(_)
            | Self::Message(_) => false,
        }
    }

    /// The value that a status has by it; `None` where that is none, and for any other event.
    pub fn into_value(self) -> Option<JsonText> {
        match self {
            Self::Value { value, .. } => value,
            Self::Entry { .. }
            | Self::Line(_)
            | Self::Bus(_)
            | Self::Call(_)
            | Self::Topic(_)
            | Self::Message(_) => None,
        }
    }

    /// The connection that does not get it.
    pub fn except(&self) -> Option<ClusterConnectionId> {
        match self {
            Self::Topic(news) => match news.event {
                TopicEvent::Message { except, .. } => except,
                TopicEvent::Joined { by, .. } => by,
                TopicEvent::Left { .. } | TopicEvent::Count(_) => None,
            },
            Self::Value { .. }
            | Self::Entry { .. }
            | Self::Line(_)
            | Self::Bus(_)
            | Self::Call(_)
            | Self::Message(_) => None,
        }
    }

    /// About how many bytes of it came from a driver or a caller.
    pub fn size(&self) -> usize {
        match self {
            Self::Value { value, .. } => value.as_ref().map_or(0, |value| value.as_str().len()),
            Self::Entry { .. } => 0,
            Self::Line(line) => line.message.len(),
            Self::Bus(event) => event.name.len() + event.data.as_str().len(),
            Self::Call(news) => news.size(),
            Self::Topic(news) => match &news.event {
                TopicEvent::Message { message, .. } => message.as_str().len(),
                TopicEvent::Joined { member, .. } => {
                    let info = member.info.as_ref();
                    member.user.len() + info.map_or(0, |info| info.as_str().len())
                }
                TopicEvent::Left { user } => user.len(),
                TopicEvent::Count(_) => 0,
            },
            Self::Message(news) => match &**news {
                MessageNews::Sent(message) => message.notice.size(),
                MessageNews::Subscribed { .. } | MessageNews::Missed => 0,
            },
        }
    }

    /// What its follower got before.
    pub fn old(&self) -> Old {
        match self {
            Self::Value { old, .. } => Old::Value(old.clone()),
            Self::Entry { old, .. } => Old::Entry(*old),
            Self::Line(_) | Self::Bus(_) | Self::Call(_) | Self::Topic(_) | Self::Message(_) => {
                Old::Nothing
            }
        }
    }

    /// It replaces earlier events; `first` is what the follower got before the earliest of them.
    pub fn set_old(&mut self, first: Old) {
        match (self, first) {
            (Self::Value { old, .. }, Old::Value(first)) => *old = first,
            (Self::Value { old, .. }, Old::Nothing | Old::Entry(_)) => *old = None,
            (Self::Entry { old, .. }, Old::Entry(first)) => *old = first,
            (
                Self::Entry { .. }
                | Self::Line(_)
                | Self::Bus(_)
                | Self::Call(_)
                | Self::Topic(_)
                | Self::Message(_),
                _,
            ) => {}
        }
    }
}

/// One line of a module's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which module.
    pub module: ModuleId,
    /// The driver, for people: PlaceOS's `klass`.
    pub driver: Arc<str>,
    /// How much it matters.
    pub level: LogLevel,
    /// The text; may hold line breaks.
    pub message: String,
}
