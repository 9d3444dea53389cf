//! Services as those see them who are told what they send: with the time when each was made, which is no part of the service itself.

use crate::core::directory::{Directory, Stored};
use crate::model::{Service, ServiceKey, ServiceView, Timestamp};

impl Directory {
    /// All of them.
    pub(in crate::core) fn service_views(&self) -> impl Iterator<Item = ServiceView> {
        self.services.values().map(view_of)
    }

    /// A service by its public key.
    pub fn service_view(&self, key: &ServiceKey) -> Option<ServiceView> {
        self.services.get(key).map(view_of)
    }
}

fn view_of(stored: &Stored<Service>) -> ServiceView {
    let Service {
        key, name, icon, ..
    } = &*stored.entry;
    ServiceView {
        key: key.clone(),
        name: name.clone(),
        icon: icon.clone(),
        created: Timestamp::from_secs(stored.info.created_at),
    }
}
