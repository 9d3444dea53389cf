//! The shape of a driver: the code of which modules are instances.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::{DriverFacts, address};
use crate::model::{Configuration, JsonText, UriPresence};

/// A driver: `GET /drivers`, `GET /drivers/{id}`.
///
/// Here a driver comes with the gateway, so it has no repository and no commit, and its role is that of a module without a device:
/// how a device is reached is said by the module's URI.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Driver)]
pub struct DriverShape<'a> {
    id: &'a str,
    name: &'a str,
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
            name: driver.id,
            description: driver.description,
            module_name: driver.module_name,
            role: address::LOGIC_ROLE,
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
}

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
                "id": "pjlink", "name": "pjlink", "description": "Projectors", "module_name": "Display", "role": 99,
                "default_uri": null, "default_port": null, "file_name": "", "commit": "", "repository_id": null,
                "ignore_connected": false, "json_schema": {}, "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
            })
        );
    }
}
