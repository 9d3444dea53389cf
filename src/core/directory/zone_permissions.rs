//! What the zones of a building say about groups of people. What that means for a call is said by `core::access`; how it is written is a dialect's to read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Metadata, ZoneId, ZonePermissions};

/// How the permissions of a zone are written: of which zone some metadata says what, if it is about that.
pub(in crate::core) type ReadPermissions = fn(&Metadata) -> Option<(ZoneId, ZonePermissions)>;

/// What all zones of a building say, of groups in lower case.
#[derive(Debug, Clone, Default)]
pub(in crate::core) struct Permissions(HashMap<ZoneId, Arc<ZonePermissions>>);

impl Permissions {
    /// What these metadata say.
    pub(in crate::core) fn of<'m>(
        metadata: impl Iterator<Item = &'m Metadata>,
        read: ReadPermissions,
    ) -> Self {
        let permissions = metadata.filter_map(read).map(|(zone, mut permissions)| {
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
        Self(permissions.collect())
    }

    /// Whether no zone says anything.
    pub(in crate::core) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a zone says.
    pub(in crate::core) fn of_zone(&self, zone: &ZoneId) -> Option<&ZonePermissions> {
        self.0.get(zone).map(|permissions| &**permissions)
    }
}
