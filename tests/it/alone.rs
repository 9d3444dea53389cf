//! What clients see of a gateway that is alone. `on_redis.rs` runs the same tests, of the same files, where the gateway stands on a Redis.

use crate::harness::Deployment;

/// What the gateways of these tests stand on.
const DEPLOYMENT: Deployment = Deployment::Alone;

#[path = "bind.rs"]
mod bind;
#[path = "debug.rs"]
mod debug;
#[path = "exec.rs"]
mod exec;
#[path = "page.rs"]
mod page;
