//! The permissions of a building's zones for groups of people. `core::access` applies them to a call, and a dialect reads their text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{Metadata, PermissionsRead, System, Zone, ZoneId, ZonePermissions};

/// How the permissions of zones are written.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct PermissionForms {
    /// What some metadata of a zone says, if it is about that.
    pub(in crate::core) read: fn(&Metadata) -> Option<PermissionsRead>,
    /// Whether permissions hold in the systems of a zone at all.
    pub(in crate::core) governs: fn(&Zone) -> bool,
}

/// What all zones of a building say, of groups in lower case.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Permissions {
    of_zones: HashMap<ZoneId, Arc<PermissionsRead>>,
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
        // Other entries have metadata of the same name, which permits nothing.
        let known: HashMap<&str, &ZoneId> = zones
            .clone()
            .map(|zone| (zone.id.as_str(), &zone.id))
            .collect();
        let of_zones = metadata.filter_map(|metadata| {
            let zone = *known.get(metadata.id.parent.as_str())?;
            let mut said = (forms.read)(metadata)?;
            if let Ok(ZonePermissions {
                refused,
                support,
                admin,
            }) = &mut said
            {
                for group in refused.iter_mut().chain(support).chain(admin) {
                    *group = group.to_lowercase();
                }
            }
            Some((zone.clone(), Arc::new(said)))
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

    /// The zones that say something which cannot be read.
    pub(in crate::core) fn unreadable(&self) -> impl Iterator<Item = &ZoneId> {
        let said = self.of_zones.iter();
        said.filter_map(|(zone, said)| said.is_err().then_some(zone))
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
    ) -> impl Iterator<Item = &'a PermissionsRead> {
        let mut zones = system.zones.iter();
        let governed = zones.any(|zone| self.governing.contains(zone));
        let zones = if governed { &system.zones[..] } else { &[] };
        let said = zones.iter().filter_map(|zone| self.of_zones.get(zone));
        said.map(|permissions| &**permissions)
    }
}
