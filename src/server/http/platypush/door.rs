//! What all requests of Platypush's clients share: how fast strangers may call hooks, and whether the first user is being made.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
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
    registering: AtomicBool,
}

impl Default for PlatypushDoor {
    fn default() -> Self {
        Self {
            unknown_hooks: Paces::new(PACED_ADDRESSES_MAX),
            registering: AtomicBool::new(false),
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

    /// The one place for who makes the first user; `None` while another has it.
    pub(super) fn register(&self) -> Option<Registering<'_>> {
        let is_free = !self.registering.swap(true, Ordering::AcqRel);
        is_free.then_some(Registering(&self.registering))
    }
}

/// Held while the first user is made.
pub(super) struct Registering<'d>(&'d AtomicBool);

impl Drop for Registering<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_makes_the_first_user() {
        let door = PlatypushDoor::default();
        let first = door.register();
        assert!(first.is_some() && door.register().is_none());
        drop(first);
        assert!(door.register().is_some());
    }
}
