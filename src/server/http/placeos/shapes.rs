//! Entries as the dialect writes them, with what the directory knows of each beside its content.

use crate::core::{Directory, ModuleEntry};
use crate::dialects::placeos::rest::{
    MetadataByName, MetadataShape, SettingsShape, SystemShape, UserShape, ZoneShape,
};
use crate::model::{Clearance, EntryId, EntryInfo, System, User, Zone};
use crate::server::http::placeos::access::zones_of;

/// What is known of an entry of this directory.
pub(super) fn info(directory: &Directory, id: EntryId) -> EntryInfo {
    *directory
        .info(&id)
        .expect("what a directory has is known to it")
}

/// The settings of a zone, if it has any.
pub(super) fn zone_settings<'a>(
    directory: &Directory,
    zone: &'a Zone,
) -> Option<SettingsShape<'a>> {
    let info = info(directory, EntryId::Zone(zone.id.clone()));
    SettingsShape::of(zone.id.as_str(), &zone.settings, &info)
}

/// The settings of a system, if it has any.
pub(super) fn system_settings<'a>(
    directory: &Directory,
    system: &'a System,
) -> Option<SettingsShape<'a>> {
    let info = info(directory, EntryId::System(system.id.clone()));
    SettingsShape::of(system.id.as_str(), &system.settings, &info)
}

/// A module's own settings, if it has any.
pub(super) fn module_settings(entry: &ModuleEntry) -> Option<SettingsShape<'_>> {
    let module = &entry.module;
    SettingsShape::of(module.id.as_str(), &module.settings, &entry.info)
}

/// A system by itself.
pub(super) fn system_shape<'a>(directory: &Directory, system: &'a System) -> SystemShape<'a> {
    let info = info(directory, EntryId::System(system.id.clone()));
    SystemShape::new(system, &info)
}

/// A zone by itself.
pub(super) fn zone_shape<'a>(directory: &Directory, zone: &'a Zone) -> ZoneShape<'a> {
    let info = info(directory, EntryId::Zone(zone.id.clone()));
    ZoneShape::new(zone, &info)
}

/// The zones around a system.
pub(super) fn zone_shapes<'a>(directory: &'a Directory, system: &'a System) -> Vec<ZoneShape<'a>> {
    zones_of(directory, system)
        .map(|zone| zone_shape(directory, zone))
        .collect()
}

/// A user, with this clearance in the place of their own.
pub(super) fn user_shape<'a>(
    directory: &Directory,
    user: &'a User,
    clearance: Clearance,
) -> Option<UserShape<'a>> {
    // The caller may have been deleted since the request was authenticated.
    let info = directory.info(&EntryId::User(user.id.clone()))?;
    Some(UserShape::new(user, clearance, info))
}

/// The metadata of a parent, all of it or the one of this name.
pub(super) fn metadata_of<'a>(
    directory: &'a Directory,
    parent: &str,
    name: Option<&str>,
) -> MetadataByName<'a> {
    directory
        .metadata()
        .filter(|metadata| {
            metadata.id.parent.as_str() == parent
                && name.is_none_or(|name| metadata.id.name.as_str() == name)
        })
        .map(|metadata| {
            let info = info(directory, EntryId::Metadata(metadata.id.clone()));
            MetadataShape::new(metadata, &info)
        })
        .collect()
}
