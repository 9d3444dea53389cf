//! The store that many nodes share: statuses, documents, the catalog and the registry of nodes in one Redis, beside PlaceOS's own programs.
//!
//! - `address` says which Redis, and how it is reached.
//! - `link` opens connections to it and finds out whether it can be used.
//! - `settings` is what an operator says about that.
//! - `keyspace` has the names of all keys and channels.
//! - `documents` keeps the building and the sign-ins, and tells each node what the others commit.

mod address;
mod documents;
mod keyspace;
mod link;
mod registry;
mod settings;
#[cfg(test)]
mod testkit;

pub use address::{BadRedisAddress, RedisAddress, RedisTls};
pub use documents::RedisDocumentStore;
pub use link::Link;
pub use registry::{RedisRegistry, fresh_node_id};
pub use settings::RedisSettings;
