//! What all requests of Pushjet's clients share: how fast each may go, and who may make services.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{ServiceKey, source_of};
use crate::server::http::kit::{Pace, Paces};
use crate::server::limits::{
    NEW_SUBSCRIPTIONS_PER_MINUTE, PACED_ADDRESSES_MAX, PACED_SERVICES_MAX,
};
use crate::server::{CreateSettings, PushjetSettings};

/// How fast the door opens, and to whom.
#[derive(Debug)]
pub(in crate::server) struct PushjetDoor {
    messages: Paces<ServiceKey>,
    newcomers: Paces<IpAddr>,
    is_demo: AtomicBool,
}

impl Default for PushjetDoor {
    fn default() -> Self {
        Self {
            messages: Paces::new(PACED_SERVICES_MAX),
            newcomers: Paces::new(PACED_ADDRESSES_MAX),
            is_demo: AtomicBool::new(false),
        }
    }
}

impl PushjetDoor {
    /// The building is the demo, which lets anyone make a service.
    pub(in crate::server) fn show_the_demo(&self) {
        self.is_demo.store(true, Ordering::Relaxed);
    }

    /// Who may make a service.
    pub(super) fn creation(&self, settings: &PushjetSettings) -> CreateSettings {
        settings
            .create
            .unwrap_or_else(|| match self.is_demo.load(Ordering::Relaxed) {
                true => CreateSettings::Anyone,
                false => CreateSettings::Credentials,
            })
    }

    /// Whether a service may send one message more.
    pub(super) fn admits_message(&self, service: &ServiceKey, settings: &PushjetSettings) -> bool {
        let pace = Pace {
            times: settings.messages_per_second,
            within: Duration::from_secs(1),
        };
        pace.times == 0 || self.messages.admits(service, pace, Instant::now())
    }

    /// Whether somebody may subscribe or make a service once more.
    pub(super) fn admits_newcomer(&self, address: IpAddr) -> bool {
        let pace = Pace {
            times: NEW_SUBSCRIPTIONS_PER_MINUTE,
            within: Duration::from_secs(60),
        };
        let source = source_of(address);
        self.newcomers.admits(&source, pace, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anyone_makes_services_in_the_demo_unless_the_operator_has_said_otherwise() {
        let door = PushjetDoor::default();
        let creation = |create| {
            let messages_per_second = 0;
            door.creation(&PushjetSettings {
                create,
                messages_per_second,
            })
        };
        assert_eq!(creation(None), CreateSettings::Credentials);
        door.show_the_demo();
        assert_eq!(creation(None), CreateSettings::Anyone);
        let said = CreateSettings::Credentials;
        assert_eq!(creation(Some(said)), said);
    }
}
