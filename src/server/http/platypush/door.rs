//! What all requests of Platypush's clients share: how fast strangers may call hooks.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::dialects::platypush::limits::UNKNOWN_HOOKS_PER_SECOND;
use crate::model::source_of;
use crate::server::http::kit::{Pace, Paces};
use crate::server::limits::PACED_ADDRESSES_MAX;

/// What they share.
#[derive(Debug)]
pub(in crate::server) struct PlatypushDoor {
    unknown_hooks: Paces<IpAddr>,
}

impl Default for PlatypushDoor {
    fn default() -> Self {
        Self {
            unknown_hooks: Paces::new(PACED_ADDRESSES_MAX),
        }
    }
}

impl PlatypushDoor {
    /// Whether an address may call one more hook that there is not.
    pub(super) fn admits_unknown_hook(&self, address: IpAddr) -> bool {
        let pace = Pace {
            times: UNKNOWN_HOOKS_PER_SECOND,
            within: Duration::from_secs(1),
        };
        let source = source_of(address);
        self.unknown_hooks.admits(&source, pace, Instant::now())
    }
}
