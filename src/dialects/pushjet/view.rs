//! The services by their keys, once for all listeners of a process: frames show each as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{BuildingView, ServiceKey, ServiceView};

/// The services of the building.
#[derive(Debug, Clone, Default)]
pub struct View(Arc<BTreeMap<ServiceKey, Arc<ServiceView>>>);

impl View {
    /// A service; `None` where there is none of this key.
    pub(super) fn service(&self, key: &ServiceKey) -> Option<&Arc<ServiceView>> {
        self.0.get(key)
    }

    /// Whether both were made of the same services.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl crate::dialects::View for View {
    /// The one before is taken over where no service has changed, so that listeners pass over all other changes of the building.
    fn new(building: &Arc<BuildingView>, before: &Self) -> Self {
        let services = building.services.iter();
        let is_known = |service: &ServiceView| {
            before
                .service(&service.key)
                .is_some_and(|it| **it == *service)
        };
        if services.len() == before.0.len() && services.clone().all(is_known) {
            return before.clone();
        }
        let services = services.map(|service| (service.key.clone(), Arc::new(service.clone())));
        Self(Arc::new(services.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::View as _;
    use crate::dialects::pushjet::stage::service;

    fn view(services: &[(char, &str)], before: &View) -> View {
        let services = services.iter().map(|(key, name)| service(*key, name));
        let building = BuildingView {
            services: services.collect(),
            ..BuildingView::default()
        };
        View::new(&Arc::new(building), before)
    }

    #[test]
    fn a_view_is_another_only_when_a_service_is() {
        let first = view(&[('a', "Boiler"), ('b', "Door")], &View::default());
        let name = |view: &View| Some(view.service(&service('b', "").key)?.name.clone());
        assert_eq!(name(&first).as_deref(), Some("Door"));
        assert!(view(&[('b', "Door"), ('a', "Boiler")], &first).is(&first));
        for other in [
            &[('a', "Boiler")][..],
            &[('a', "Boiler"), ('b', "Gate")],
            &[('a', "Boiler"), ('c', "Door")],
        ] {
            assert!(!view(other, &first).is(&first), "{other:?}");
        }
    }
}
