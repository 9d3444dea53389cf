//! What a gateway says of itself: its version, the platform it speaks as, the scopes it knows.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::directory::PLATFORM_VERSION;

/// What answers: `GET /version`, and of every service `GET /cluster/versions`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionShape {
    service: &'static str,
    commit: &'static str,
    version: &'static str,
    build_time: &'static str,
    platform_version: &'static str,
}

impl VersionShape {
    /// This gateway. Its builds are told apart by their version alone.
    pub fn of_this_gateway() -> Self {
        Self {
            service: env!("CARGO_PKG_NAME"),
            commit: "",
            version: env!("CARGO_PKG_VERSION"),
            build_time: "",
            platform_version: PLATFORM_VERSION,
        }
    }
}

/// As which release of the platform the gateway speaks: `GET /platform`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Platform)]
pub struct PlatformShape {
    version: &'static str,
    changelog: &'static str,
}

impl PlatformShape {
    /// The platform whose protocol this is.
    pub fn of_this_gateway() -> Self {
        Self {
            version: PLATFORM_VERSION,
            changelog: "",
        }
    }
}

/// The parts of the API that a scope can name.
const SCOPES: [&str; 20] = [
    "public",
    "control",
    "systems",
    "zones",
    "modules",
    "drivers",
    "settings",
    "metadata",
    "users",
    "api_keys",
    "domains",
    "triggers",
    "building",
    "entities",
    "commands",
    "apps",
    "services",
    "procedures",
    "hooks",
    "signal",
];

/// Every scope that credentials can have: `GET /scopes`.
pub fn scopes() -> Vec<String> {
    SCOPES
        .iter()
        .flat_map(|name| ["", ".read", ".write"].map(|access| format!("{name}{access}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;

    #[test]
    fn every_scope_is_one_that_can_be_given() {
        let scopes = scopes();
        assert_eq!(scopes[..3], ["public", "public.read", "public.write"]);
        assert!(scopes.iter().all(|scope| Scope::parse(scope).is_some()));
    }

    #[test]
    fn the_version_is_the_packages() {
        let version = serde_json::to_value(VersionShape::of_this_gateway()).unwrap();
        assert_eq!(version["service"], "riser");
        assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    }
}
