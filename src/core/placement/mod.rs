//! Which node runs which module, where several share a building.
//!
//! - `rendezvous` picks the node of a module from the list of nodes, as every other program on the store does; `map` has that list.
//! - `lease` says how long this node may act, and `keeper` keeps it and runs this node's share.

mod keeper;
mod lease;
mod map;
mod rendezvous;

pub(super) use keeper::Keeper;
pub(super) use lease::Tenure;
pub use lease::{Lease, Uptime, since_boot};
pub(super) use map::Map;
