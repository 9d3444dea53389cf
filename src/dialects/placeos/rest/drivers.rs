//! The shape of a driver: the code of which modules are instances.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::amends::{Rules, changed};
use crate::dialects::placeos::rest::documents::{SentBack, Unreadable};
use crate::dialects::placeos::rest::{DriverFacts, address};
use crate::model::{Configuration, JsonText, UriPresence};

/// A driver: `GET /drivers`, `GET /drivers/{id}`.
///
/// Here a driver comes with the gateway, so it has no repository and no commit.
/// Its role says how its modules reach their devices where they must have one; a module of any other is without a device, unless it has a URI.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Driver)]
pub struct DriverShape<'a> {
    id: &'a str,
    name: String,
    description: &'a str,
    module_name: &'a str,
    role: u8,
    default_uri: Option<&'static str>,
    #[schema(value_type = Option<u16>)]
    default_port: Option<()>,
    file_name: &'static str,
    commit: &'static str,
    #[schema(value_type = Option<String>)]
    repository_id: Option<()>,
    ignore_connected: bool,
    #[schema(value_type = Object)]
    json_schema: JsonText,
    created_at: u64,
    updated_at: u64,
}

impl<'a> DriverShape<'a> {
    /// A driver as the gateway knows it, with what it takes of a module.
    pub fn new(driver: DriverFacts<'a>, takes: &Configuration, time: u64) -> Self {
        Self {
            id: driver.id,
            name: driver.name(),
            description: driver.description,
            module_name: driver.module_name,
            role: address::role_of(takes.uri),
            default_uri: match takes.uri.presence {
                UriPresence::Default(uri) => Some(uri),
                UriPresence::Never | UriPresence::Optional | UriPresence::Needed => None,
            },
            default_port: None,
            file_name: "",
            commit: "",
            repository_id: None,
            ignore_connected: false,
            json_schema: (takes.schema)(),
            created_at: time,
            updated_at: time,
        }
    }

    /// Looks whether a document leaves a driver as it is, since all of it comes with the gateway.
    ///
    /// # Errors
    ///
    /// Why the body is no document, or every field that it would change.
    pub fn unchanged_by(&self, body: &[u8]) -> Result<(), Unreadable> {
        changed(body, self, &RULES).map(drop)
    }
}

const RULES: Rules = Rules {
    place: "a driver",
    kept: &[],
    sent_back: &[
        ("default_port", SentBack::Number(1)),
        // Those that are there stand at `/settings`.
        ("settings", SentBack::List),
        ("update_available", SentBack::Anything),
    ],
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_driver_has_every_field_that_clients_read() {
        let driver = DriverFacts {
            id: "pjlink",
            description: "Projectors",
            module_name: "Display",
        };
        assert_eq!(
            serde_json::to_value(DriverShape::new(driver, &Configuration::ANY, 1_700_000_000))
                .unwrap(),
            json!({
                "id": "pjlink", "name": "PJLink", "description": "Projectors", "module_name": "Display", "role": 99,
                "default_uri": null, "default_port": null, "file_name": "", "commit": "", "repository_id": null,
                "ignore_connected": false, "json_schema": {}, "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
            })
        );
    }
}
