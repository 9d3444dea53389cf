//! The shape of settings: which there are, and never what they say.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use crate::model::{EntryInfo, Module};

/// PlaceOS's level for settings whose text is never shown.
const NEVER_SHOWN: u8 = 3;

/// The settings of one module: `GET /settings`, `GET /modules/{id}/settings`, `GET /systems/{id}/settings`.
///
/// They may hold passwords, so a client gets their names alone, as PlaceOS does for what is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub struct SettingsShape<'a> {
    id: String,
    parent_id: &'a str,
    encryption_level: u8,
    settings_string: &'static str,
    keys: Vec<String>,
    created_at: u64,
    updated_at: u64,
}

impl<'a> SettingsShape<'a> {
    /// The settings of a module, if it has any.
    pub fn of(module: &'a Module, info: &EntryInfo) -> Option<Self> {
        let settings: BTreeMap<String, IgnoredAny> = module.settings().to().unwrap_or_default();
        (!settings.is_empty()).then(|| Self {
            id: format!("sets-{}", module.id),
            parent_id: module.id.as_str(),
            encryption_level: NEVER_SHOWN,
            settings_string: "",
            keys: settings.into_keys().collect(),
            created_at: info.created_at,
            updated_at: info.updated_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, UPDATED};
    use crate::model::{DriverRef, ModuleId, Secret};

    fn module(settings: &str) -> Module {
        Module {
            driver: DriverRef::LinkedIn("pjlink".to_owned()),
            settings: Secret::new(settings),
            ..Module::new(&ModuleId::new("mod-d1").unwrap())
        }
    }

    #[test]
    fn settings_are_named_and_not_told() {
        let module = module(r#"{"password":"hunter2","login":{"name":"ann"}}"#);
        let shape = SettingsShape::of(&module, &INFO).unwrap();
        assert_eq!(
            serde_json::to_value(shape).unwrap(),
            json!({
                "id": "sets-mod-d1", "parent_id": "mod-d1", "encryption_level": 3, "settings_string": "",
                "keys": ["login", "password"], "created_at": CREATED, "updated_at": UPDATED,
            })
        );
    }

    #[test]
    fn a_module_without_settings_has_no_document() {
        for settings in ["{}", "null"] {
            assert!(SettingsShape::of(&module(settings), &INFO).is_none());
        }
    }
}
