//! Bodies of answers that are the same for every building, and how those that are not are put together.

use serde::Serialize;

use crate::model::{BuildingView, Zone};

/// The version of Home Assistant that clients take this for: from it they tell what they may ask.
pub const VERSION: &str = "2025.4.0";

/// The body of a 401.
pub const UNAUTHORIZED: &str = "401: Unauthorized";

/// The body of a 404 of a path that is not there.
pub const NOT_FOUND: &str = "404: Not Found";

/// `GET /api/core/state`.
pub const CORE_STATE: &str = r#"{"state":"RUNNING","recorder_state":{"migration_in_progress":false,"migration_is_live":false}}"#;

/// The parts of Home Assistant that clients find here, by which some decide what they show.
pub const COMPONENTS: &[&str] = &[
    "api",
    "auth",
    "binary_sensor",
    "button",
    "climate",
    "config",
    "cover",
    "frontend",
    "homeassistant",
    "http",
    "light",
    "lovelace",
    "media_player",
    "number",
    "select",
    "sensor",
    "switch",
    "webhook",
    "websocket_api",
];

/// What anybody can listen to.
pub const EVENTS: &[&str] = &[
    "state_changed",
    "area_registry_updated",
    "call_service",
    "device_registry_updated",
    "entity_registry_updated",
    "floor_registry_updated",
    "service_registered",
    "service_removed",
];

/// A body with one message.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// The message.
    pub message: &'a str,
}

/// The body of a 400 that says nothing more, which is a text.
#[derive(Debug, Clone, Copy)]
pub struct BadRequest;

impl BadRequest {
    /// The text.
    pub const TEXT: &'static str = "400: Bad Request";
}

#[derive(Serialize)]
struct Config<'a> {
    latitude: f64,
    longitude: f64,
    elevation: u32,
    radius: u32,
    unit_system: UnitSystem,
    location_name: &'a str,
    time_zone: &'a str,
    components: &'static [&'static str],
    config_dir: &'static str,
    whitelist_external_dirs: [&'static str; 0],
    allowlist_external_dirs: [&'static str; 0],
    allowlist_external_urls: [&'static str; 0],
    version: &'static str,
    config_source: &'static str,
    recovery_mode: bool,
    safe_mode: bool,
    debug: bool,
    state: &'static str,
    external_url: Option<&'static str>,
    internal_url: Option<&'static str>,
    currency: &'static str,
    country: Option<&'static str>,
    language: &'static str,
}

#[derive(Serialize)]
struct UnitSystem {
    length: &'static str,
    accumulated_precipitation: &'static str,
    area: &'static str,
    mass: &'static str,
    pressure: &'static str,
    temperature: &'static str,
    volume: &'static str,
    wind_speed: &'static str,
}

/// The tags of a zone by whose name a building is called, the better one first.
const NAMING_TAGS: [&str; 2] = ["building", "org"];

/// What a building without such a zone is called.
const NAMELESS: &str = "riser";

/// The time zone of a building whose systems name none.
const UTC: &str = "UTC";

/// `GET /api/config` and the command `get_config`: what clients ask of an installation, called by a zone that the client may see.
/// Where it stands on the globe is not known.
pub fn config(building: &BuildingView, may_see: impl Fn(&Zone) -> bool) -> String {
    let tagged = |tag: &&str| {
        let zones = building.zones.iter();
        let mut tagged = zones.filter(|zone| zone.tags.iter().any(|own| own == tag));
        tagged.find(|zone| may_see(zone))
    };
    let zone = NAMING_TAGS.iter().find_map(tagged);
    let systems = building.systems.iter();
    let mut time_zones = systems.filter_map(|view| view.system.timezone.as_deref());
    let config = Config {
        latitude: 0.0,
        longitude: 0.0,
        elevation: 0,
        radius: 100,
        unit_system: UnitSystem {
            length: "km",
            accumulated_precipitation: "mm",
            area: "m²",
            mass: "g",
            pressure: "Pa",
            temperature: "°C",
            volume: "L",
            wind_speed: "m/s",
        },
        location_name: zone.map_or(NAMELESS, |zone| &zone.name),
        time_zone: time_zones.next().unwrap_or(UTC),
        components: COMPONENTS,
        config_dir: "/config",
        whitelist_external_dirs: [],
        allowlist_external_dirs: [],
        allowlist_external_urls: [],
        version: VERSION,
        config_source: "storage",
        recovery_mode: false,
        safe_mode: false,
        debug: false,
        state: "RUNNING",
        external_url: None,
        internal_url: None,
        currency: "EUR",
        country: None,
        language: "en",
    };
    serde_json::to_string(&config).expect("the shape has text keys")
}

#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    service_documentation: &'static str,
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414) of a gateway that is called by this address.
pub fn server_metadata(address: &str) -> String {
    let metadata = Metadata {
        issuer: address,
        authorization_endpoint: format!("{address}/auth/authorize"),
        token_endpoint: format!("{address}/auth/token"),
        revocation_endpoint: format!("{address}/auth/revoke"),
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        service_documentation: "https://developers.home-assistant.io/docs/auth_api",
    };
    serde_json::to_string(&metadata).expect("the shape has text keys")
}

/// A list of states, each JSON already.
pub fn changed_states(states: &[String]) -> String {
    format!("[{}]", states.join(","))
}

/// The answer to a call that wanted a response: the states that it changed, and the response, both JSON already.
pub fn calls_answer(states: &[String], response: &str) -> String {
    let states = changed_states(states);
    format!(r#"{{"changed_states":{states},"service_response":{response}}}"#)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_building_that_runs_says_so_with_a_version_of_numbers() {
        let config = config(&BuildingView::default(), |_| true);
        let config: Value = serde_json::from_str(&config).unwrap();
        assert_eq!(config["state"], "RUNNING");
        assert_eq!(config["location_name"], NAMELESS);
        assert_eq!(config["time_zone"], UTC);
        assert_eq!(config["debug"], false);
        assert_eq!(config["whitelist_external_dirs"], serde_json::json!([]));
        let version = config["version"].as_str().unwrap();
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()));
        assert!(config["components"].as_array().unwrap().len() > 10);
    }

    #[test]
    fn what_is_json_already_stays_as_it_is() {
        let states = [r#"{"a":1e400}"#.to_owned(), "{}".to_owned()];
        assert_eq!(
            calls_answer(&states, r#"{"x":123456789012345678901234567890}"#),
            r#"{"changed_states":[{"a":1e400},{}],"service_response":{"x":123456789012345678901234567890}}"#
        );
    }
}
