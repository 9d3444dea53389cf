//! The port for topics: who is in which, what is published, what is reported.
//!
//! Separate from the statuses, because a topic has no value that outlives those in it, and its members belong to the node that serves them.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::model::{
    ConnectionId, Entered, Publication, TopicEntry, TopicEvent, TopicId, TopicQuery, TopicReport,
    TopicRules, TopicsFound,
};
use crate::stores::StoreError;

/// What the core asks of topics. But for the futures nothing here waits.
///
/// Connections that are let in are those of this process. In a store that many nodes share, what they are in ends with the process, at the latest when its lease does.
pub trait TopicStore: Send + Sync + 'static {
    /// Lets a connection of this process into a topic. A connection is in a topic once, however often it enters.
    ///
    /// The answer is given in order with what [`TopicFeed::happened`] tells of the topic: what was told before is in it, and what is told after is not.
    fn enter(
        &self,
        connection: ConnectionId,
        entry: TopicEntry,
        rules: TopicRules,
        answer: EnterAnswer,
    );

    /// Lets a connection out of a topic, or keeps it from coming in. An entry that was not answered yet is answered all the same: the connection is out by then, or goes at once.
    fn leave(&self, topic: &TopicId, connection: ConnectionId);

    /// Publishes to a topic, also where no connection is in it. Messages of one process to one topic arrive in the order of the calls, none of them twice; the answer comes when the message is on its way to all.
    /// With [`StoreError::Uncertain`] it may be, and after any other error it is not.
    fn publish(
        &self,
        publication: Publication,
        rules: TopicRules,
    ) -> BoxFuture<'static, Result<(), StoreError>>;

    /// Answers from counts that are kept, without asking other nodes.
    fn query(&self, query: TopicQuery) -> BoxFuture<'static, Result<TopicsFound, StoreError>>;

    /// Waits for reports, and takes the oldest of them from the store: at most `most`, in the order in which they happened.
    /// Of the processes that share a store one at a time gets them. It may be dropped at any time, and nothing is lost by that.
    /// When that process ends, another may be given again what was taken last.
    ///
    /// Reports beyond a bound are dropped, the oldest first, and counted.
    fn reports(&self, most: usize) -> BoxFuture<'static, Result<Vec<TopicReport>, StoreError>>;

    /// How many reports were dropped since the process began.
    fn reports_dropped(&self) -> u64;
}

/// How an entry is answered. Called once, with the store's lock of the topic held: it must not call the store. Dropped without a call only when the store ends.
pub type EnterAnswer = Box<dyn FnOnce(Result<Entered, EnterError>) + Send>;

/// Why a connection is not let into a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnterError {
    /// The topic has as many members as it may.
    Full,
    /// The store does not answer. The connection is not in the topic.
    Unavailable,
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the channel has as many members as it may have",
            Self::Unavailable => "channels are not to be had at the moment; try again",
        })
    }
}

/// How topics report to the core. Called with the store's lock of the topic held, so that the order is that of the calls: it must not call the store.
pub trait TopicFeed: Send + Sync + 'static {
    /// Something happened to a topic that a connection of this process is in.
    fn happened(&self, topic: &TopicId, event: TopicEvent);
}
