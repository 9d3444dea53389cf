//! The store that many nodes share: statuses, topics, messages, documents, the catalog and the registry of nodes in one Redis, beside PlaceOS's own programs.
//!
//! - `address` says which Redis, and how it is reached; `settings` has the operator's settings for it.
//! - `link` opens connections to it and finds out whether it can be used; `connection` keeps one for as long as it works, `commands` asks again on another, `inbox` has what was published to one.
//! - `keyspace` has the names of all keys and channels, `payload` what the bytes there mean.
//! - `statuses` is the store of statuses, `topics` that of topics, `messages` that of messages, `registry` says which nodes there are.
//! - `catalog` says where modules stand and what they offer, of which `interface` is the JSON.
//! - `documents` keeps the building and the sign-ins, and reports to each node what the others commit.

mod address;
mod catalog;
mod commands;
mod connection;
mod documents;
mod inbox;
mod interface;
mod keyspace;
mod limits;
mod link;
mod messages;
mod metrics;
mod payload;
mod registry;
mod settings;
mod statuses;
#[cfg(test)]
mod testkit;
mod topics;

use crate::model::Backoff;
use crate::stores::redis::limits::{RETRY_FIRST, RETRY_MAX};

pub use address::{BadRedisAddress, RedisAddress, RedisTls};
pub use catalog::RedisCatalog;
pub use documents::RedisDocumentStore;
pub use limits::TOPIC_LEASE;
pub use link::Link;
pub use messages::RedisMessageStore;
pub use registry::{RedisRegistry, fresh_node_id};
pub use settings::RedisSettings;
pub use statuses::{MayWrite, RedisStatusStore, WriteFence};
pub use topics::RedisTopicStore;

/// The pauses between tries to reach Redis.
pub fn backoff() -> Backoff {
    Backoff::new(RETRY_FIRST, RETRY_MAX)
}
