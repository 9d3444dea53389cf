//! Helpers for this dialect's tests.

use crate::model::{
    BindingPath, DriverRef, EntryInfo, Module, ModuleId, ModuleIndex, ModuleName, ModulePath,
    Secret, Source, StatusName, System, SystemId, Version, Zone, ZoneId,
};

/// When the entries of these tests were made.
pub(super) const CREATED: u64 = 1_700_000_000;

/// When they last changed.
pub(super) const UPDATED: u64 = 1_700_000_007;

/// What is known of them.
pub(super) const INFO: EntryInfo = EntryInfo {
    source: Source::File,
    version: Version(3),
    created_at: CREATED,
    updated_at: UPDATED,
    place: 1,
};

/// A status by its place.
pub(super) fn path(system: &str, module: &str, index: u32, status: &str) -> BindingPath {
    BindingPath {
        module: ModulePath {
            system: SystemId::new(system).unwrap(),
            module: ModuleName::new(module).unwrap(),
            index: ModuleIndex::new(index).unwrap(),
        },
        status: StatusName::new(status).unwrap(),
    }
}

/// A system with something in every field.
pub(super) fn system() -> System {
    System {
        id: SystemId::new("sys-1").unwrap(),
        name: "Board Room".to_owned(),
        display_name: Some("The Board Room".to_owned()),
        description: "Level 1".to_owned(),
        email: Some("board@example.com".to_owned()),
        capacity: 8,
        bookable: true,
        features: vec!["vc".to_owned(), "whiteboard".to_owned()],
        map_id: Some("map-1".to_owned()),
        timezone: Some("Etc/UTC".to_owned()),
        support_url: None,
        zones: vec![
            ZoneId::new("zone-hq").unwrap(),
            ZoneId::new("zone-l1").unwrap(),
        ],
        modules: vec![
            ModuleId::new("mod-d1").unwrap(),
            ModuleId::new("mod-d2").unwrap(),
        ],
    }
}

/// A zone inside another.
pub(super) fn zone() -> Zone {
    Zone {
        id: ZoneId::new("zone-l1").unwrap(),
        name: "Level 1".to_owned(),
        display_name: None,
        description: String::new(),
        tags: vec!["level".to_owned(), "quiet".to_owned()],
        parent_id: Some(ZoneId::new("zone-hq").unwrap()),
    }
}

/// A module at this address, with a password in its settings.
pub(super) fn module(uri: Option<&str>) -> Module {
    Module {
        id: ModuleId::new("mod-d1").unwrap(),
        driver: DriverRef::LinkedIn("pjlink".to_owned()),
        name: Some(ModuleName::new("Projector").unwrap()),
        uri: uri.map(str::to_owned),
        settings: Secret::new(r#"{"password":"hunter2"}"#),
    }
}
