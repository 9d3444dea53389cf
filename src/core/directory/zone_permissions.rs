//! The permissions of a building's zones for groups of people. `core::access` applies them to a call, and a dialect reads their text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Metadata, System, Zone, ZoneId, ZonePermissions};

/// How the permissions of zones are written.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct PermissionForms {
    /// Of which zone some metadata says what, if it is about that.
    pub(in crate::core) read: fn(&Metadata) -> Option<(ZoneId, ZonePermissions)>,
    /// Whether permissions hold in the systems of a zone at all.
    pub(in crate::core) governs: fn(&Zone) -> bool,
}

/// What all zones of a building say, of groups in lower case.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Permissions {
    of_zones: HashMap<ZoneId, Arc<ZonePermissions>>,
    /// The zones in whose systems they hold.
    governing: HashSet<ZoneId>,
}

impl Permissions {
    /// What these metadata say of these zones.
    pub(in crate::core) fn of<'a>(
        zones: impl Iterator<Item = &'a Zone> + Clone,
        metadata: impl Iterator<Item = &'a Metadata>,
        forms: PermissionForms,
    ) -> Self {
        // Other entries have metadata of the same name, which is nobody's permission.
        let known: HashSet<&ZoneId> = zones.clone().map(|zone| &zone.id).collect();
        let said = metadata
            .filter_map(forms.read)
            .filter(|(zone, _)| known.contains(zone));
        let of_zones = said.map(|(zone, mut permissions)| {
            let ZonePermissions {
                refused,
                support,
                admin,
            } = &mut permissions;
            for group in refused.iter_mut().chain(support).chain(admin) {
                *group = group.to_lowercase();
            }
            (zone, Arc::new(permissions))
        });
        Self {
            of_zones: of_zones.collect(),
            governing: zones
                .filter(|zone| (forms.governs)(zone))
                .map(|zone| zone.id.clone())
                .collect(),
        }
    }

    /// Whether no zone says anything.
    pub(in crate::core) fn is_empty(&self) -> bool {
        self.of_zones.is_empty()
    }

    /// A zone of which these and those say something else.
    pub(in crate::core) fn first_difference<'a>(&'a self, other: &'a Self) -> Option<&'a ZoneId> {
        let mut zones = self.of_zones.keys().chain(other.of_zones.keys());
        zones.find(|zone| self.of_zones.get(*zone) != other.of_zones.get(*zone))
    }

    /// What the zones of a system say there, in the system's order.
    pub(in crate::core) fn in_system<'a>(
        &'a self,
        system: &'a System,
    ) -> impl Iterator<Item = &'a ZonePermissions> {
        let mut zones = system.zones.iter();
        let governed = zones.any(|zone| self.governing.contains(zone));
        let zones = if governed { &system.zones[..] } else { &[] };
        let said = zones.iter().filter_map(|zone| self.of_zones.get(zone));
        said.map(|permissions| &**permissions)
    }
}
