//! The shape of settings: which there are, and never what they say.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use crate::model::{EntryInfo, JsonText, Secret};

/// PlaceOS's level for settings whose text is never shown.
const NEVER_SHOWN: u8 = 3;

/// The settings of one zone, system or module: `GET /settings`, `GET /modules/{id}/settings`, `GET /systems/{id}/settings`.
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
    /// The settings of the entry of this id, if it has any.
    pub fn of(parent: &'a str, settings: &Secret, info: &EntryInfo) -> Option<Self> {
        let settings = JsonText::parse(settings.expose()).ok()?;
        let settings: BTreeMap<String, IgnoredAny> = settings.to().ok()?;
        (!settings.is_empty()).then(|| Self {
            id: format!("sets-{parent}"),
            parent_id: parent,
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

    #[test]
    fn settings_are_named_and_not_told() {
        let settings = Secret::new(r#"{"password":"hunter2","login":{"name":"ann"}}"#);
        let shape = SettingsShape::of("mod-d1", &settings, &INFO).unwrap();
        assert_eq!(
            serde_json::to_value(shape).unwrap(),
            json!({
                "id": "sets-mod-d1", "parent_id": "mod-d1", "encryption_level": 3, "settings_string": "",
                "keys": ["login", "password"], "created_at": CREATED, "updated_at": UPDATED,
            })
        );
    }

    #[test]
    fn what_has_no_settings_has_no_document() {
        for settings in ["{}", "null"] {
            let shape = SettingsShape::of("mod-d1", &Secret::new(settings), &INFO);
            assert!(shape.is_none());
        }
    }
}
