//! The store that many nodes share: statuses, documents, the catalog and the registry of nodes in one Redis, beside PlaceOS's own programs.
//!
//! - `address` says which Redis, and how it is reached.
//! - `link` opens connections to it and finds out whether it can be used.
//! - `settings` is what an operator says about that.
//! - `keyspace` has the names of all keys and channels.

mod address;
mod keyspace;
mod link;
mod settings;

pub use address::{BadRedisAddress, RedisAddress, RedisTls};
pub use link::Link;
pub use settings::RedisSettings;
