//! The store that many nodes share: statuses, documents, the catalog and the registry of nodes in one Redis, beside PlaceOS's own programs.
//!
//! - `address` says which Redis, and how it is reached.
//! - `link` opens connections to it and finds out whether it can be used.
//! - `keyspace` has the names of all keys and channels.
//! - `documents` keeps the building and the sign-ins, and tells each node what the others commit.

mod address;
mod documents;
mod keyspace;
mod link;
#[cfg(test)]
mod testkit;

pub use address::{BadRedisAddress, RedisAddress, RedisTls};
pub use documents::RedisDocumentStore;
pub use link::Link;
