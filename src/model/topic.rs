//! Topics: channels of apps, with no status behind them. Who is in one, what is published to it, and what is reported of it.

use std::fmt;
use std::sync::Arc;

use driver_types::{InvalidId, JsonText};

use crate::model::{AppId, ConnectionId, Timestamp, TopicId};

/// The mark between app and channel in a topic's name. No app has it in its id.
const APP_END: char = '/';

/// The topic of the bus. No topic of an app is called so, since it has no [`APP_END`].
const BUS: &str = "riser:bus";

impl TopicId {
    /// The topic of a channel of an app.
    ///
    /// # Errors
    ///
    /// When the two together are no id: too long, or with control characters.
    pub fn of_app(app: &AppId, channel: &str) -> Result<Self, InvalidId> {
        Self::new(&format!("{app}{APP_END}{channel}"))
    }

    /// The topic by which nodes tell each other what is announced on their bus. It is of no app, and no client or module may use it.
    pub fn bus() -> Self {
        Self::new(BUS).expect("the name is an id")
    }

    /// Whether it is [that of the bus](Self::bus).
    pub fn is_bus(&self) -> bool {
        self.as_str() == BUS
    }

    /// The app, as far as the name has one.
    pub fn app(&self) -> &str {
        self.as_str().split_once(APP_END).map_or("", |(app, _)| app)
    }

    /// The channel of its app.
    pub fn channel(&self) -> &str {
        let name = self.as_str();
        name.split_once(APP_END)
            .map_or(name, |(_, channel)| channel)
    }
}

/// A node of the cluster for as long as its process lives: drawn at its start, so no two processes have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(pub u64);

/// A connection that no other of the cluster is mistaken for, on whatever node and after whatever restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterConnectionId {
    /// Whose connection it is.
    pub process: ProcessId,
    /// Which of that process's connections.
    pub connection: ConnectionId,
}

impl ClusterConnectionId {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (process, connection) = text.split_once('.')?;
        Some(Self {
            process: ProcessId(number(process)?),
            connection: ConnectionId(number(connection)?),
        })
    }
}

/// Digits alone: `parse` takes a sign too.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Two whole numbers and a dot between them, as Pusher's clients want the id of a socket.
impl fmt::Display for ClusterConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process.0, self.connection)
    }
}

/// A user in a topic, by however many connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user's id in the app.
    pub user: Arc<str>,
    /// What the user says of themselves. The latest connection's counts.
    pub info: Option<JsonText>,
}

/// How a connection comes into a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEntry {
    /// The topic.
    pub topic: TopicId,
    /// As which user, in a topic whose members are known to each other.
    pub member: Option<Member>,
    /// Whether the last message that is [kept](Publication::kept) belongs into the answer.
    pub wants_last: bool,
}

/// What is there of a topic when a connection has come into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entered {
    /// Its members, where the connection came as one of them: itself included, in the order of their ids.
    pub members: Vec<Member>,
    /// The last message that is kept, where it is wanted.
    pub last: Option<JsonText>,
    /// How many connections are in it.
    pub connections: u64,
}

/// A message on its way to those in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic: TopicId,
    /// The message.
    pub message: JsonText,
    /// The connection that does not get it: as a rule the one that published it.
    pub except: Option<ClusterConnectionId>,
    /// Whether it is the topic's last message for those who come later.
    pub kept: bool,
    /// Of a message that a client published: the client's connection, and who it is in the topic.
    pub by: Option<Publisher>,
}

/// A client that has published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Its connection.
    pub connection: ClusterConnectionId,
    /// Who it is in the topic, where its members are known to each other.
    pub user: Option<Arc<str>>,
}

/// Something that happened to a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicEvent {
    /// A message was published.
    Message {
        /// The message.
        message: JsonText,
        /// The connection that does not get it.
        except: Option<ClusterConnectionId>,
    },
    /// A user's first connection has come.
    Joined {
        /// The user.
        member: Member,
        /// That connection, which does not get it: it learns of itself by the answer.
        by: Option<ClusterConnectionId>,
    },
    /// A user's last connection has gone.
    Left {
        /// The user's id in the app.
        user: Arc<str>,
    },
    /// So many connections are in it.
    Count(u64),
}

/// Something that happened in an app's topics, for the app's own server. Reports of one topic come in the order in which they happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicReport {
    /// The topic.
    pub topic: TopicId,
    /// When it happened, by the clock of the node or the store where it did.
    pub at: Timestamp,
    /// What.
    pub what: Reported,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// The first connection has come.
    Occupied,
    /// The last connection has gone.
    Vacated,
    /// A user's first connection has come.
    Joined(Arc<str>),
    /// A user's last connection has gone.
    Left(Arc<str>),
    /// A connection has come that wanted the last message, and there was none.
    Missed,
    /// A client has published.
    Published {
        /// The client.
        by: Publisher,
        /// The message.
        message: JsonText,
    },
    /// So many connections are in it.
    Count(u64),
}

/// What is asked of topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicQuery {
    /// Which topics with this beginning have a connection, and how many connections and users each has.
    Occupied {
        /// How their names begin, the app included.
        prefix: String,
    },
    /// How many connections and users are in each of these, in their order.
    Counts(Vec<TopicId>),
    /// The users in a topic, in the order of their ids.
    Users(TopicId),
    /// The last message that is kept of a topic, and for how long it is yet.
    Last(TopicId),
}

/// The answer to a [`TopicQuery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicsFound {
    /// These topics, in the order of their names.
    Occupied(Vec<(TopicId, Occupancy)>),
    /// So many, in the order of the question.
    Counts(Vec<Occupancy>),
    /// These users.
    Users(Vec<Arc<str>>),
    /// That message, and the seconds for which it is kept yet.
    Last(Option<(JsonText, u64)>),
}

/// How many are in a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Connections.
    pub connections: u64,
    /// Users, where its members are known to each other.
    pub users: u64,
}

/// What an app's topics allow and tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicRules {
    /// The most users that may be in a topic; `None` for no bound.
    pub members_max: Option<u32>,
    /// Whether those in a topic are told how many they are.
    pub tells_count: bool,
    /// Whether what happens is [reported](TopicReport).
    pub reports: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_read_as_it_is_written() {
        let id = ClusterConnectionId {
            process: ProcessId(184_467),
            connection: ConnectionId(2_954),
        };
        assert_eq!(id.to_string(), "184467.2954");
        assert_eq!(ClusterConnectionId::parse("184467.2954"), Some(id));
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".2",
            "+1.2",
            "1.-2",
            "1.2.3",
            "1.2\n",
            "99999999999999999999.1",
        ] {
            assert_eq!(ClusterConnectionId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_topic_is_of_an_app_and_a_channel() {
        let app = AppId::new("4201").unwrap();
        let topic = TopicId::of_app(&app, "private-a").unwrap();
        assert_eq!((topic.app(), topic.channel()), ("4201", "private-a"));
        let foreign = TopicId::new("alone").unwrap();
        assert_eq!((foreign.app(), foreign.channel()), ("", "alone"));
        let bus = TopicId::bus();
        assert_eq!((bus.is_bus(), bus.app()), (true, ""));
        assert!(!topic.is_bus());
    }
}
