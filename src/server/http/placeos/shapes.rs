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

/// The settings of a zone, as far as such a caller is told them.
pub(super) fn zone_settings<'a>(
    directory: &Directory,
    zone: &'a Zone,
    who: Clearance,
) -> Vec<SettingsShape<'a>> {
    let info = info(directory, EntryId::Zone(zone.id.clone()));
    let settings = (&zone.settings, &zone.settings_levels);
    SettingsShape::of(zone.id.as_str(), settings, &info, who)
}

/// The settings of a system, as far as such a caller is told them.
pub(super) fn system_settings<'a>(
    directory: &Directory,
    system: &'a System,
    who: Clearance,
) -> Vec<SettingsShape<'a>> {
    let info = info(directory, EntryId::System(system.id.clone()));
    let settings = (&system.settings, &system.settings_levels);
    SettingsShape::of(system.id.as_str(), settings, &info, who)
}

/// A module's own settings, as far as such a caller is told them.
pub(super) fn module_settings(entry: &ModuleEntry, who: Clearance) -> Vec<SettingsShape<'_>> {
    let module = &entry.module;
    let settings = (&module.settings, &module.settings_levels);
    SettingsShape::of(module.id.as_str(), settings, &entry.info, who)
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
