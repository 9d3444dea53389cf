//! What clients see of a gateway on a Redis: the same tests, of the same files, as in `alone.rs`.

use crate::harness::Deployment;

/// What the gateways of these tests stand on.
const DEPLOYMENT: Deployment = Deployment::Redis;

#[path = "bind.rs"]
mod bind;
#[path = "debug.rs"]
mod debug;
#[path = "exec.rs"]
mod exec;
#[path = "page.rs"]
mod page;
