//! The shape of a module: where its device is, how it fares and which driver it runs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::ZoneShape;
use crate::dialects::placeos::rest::admission::name_and_port;
use crate::model::{EntryInfo, Module, System};

/// A module: `GET /modules`, `GET /modules/{id}`, and within a complete system. Its settings are not part of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Module)]
pub struct ModuleShape<'a> {
    id: &'a str,
    driver_id: &'a str,
    #[schema(value_type = Option<String>)]
    edge_id: Option<()>,
    control_system_id: Option<&'a str>,
    name: &'a str,
    custom_name: Option<&'a str>,
    role: u8,
    ip: &'a str,
    port: u16,
    tls: bool,
    udp: bool,
    makebreak: bool,
    uri: &'a str,
    #[schema(value_type = Option<String>)]
    alert_level: Option<()>,
    running: bool,
    connected: bool,
    notes: &'static str,
    ignore_connected: bool,
    ignore_startstop: bool,
    has_runtime_error: bool,
    error_timestamp: Option<u64>,
    launch_on_execute: bool,
    created_at: u64,
    updated_at: u64,
    driver: ModuleDriver<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_system: Option<ControlSystem<'a>>,
}

/// What a module says of its driver.
#[derive(Debug, Serialize, ToSchema)]
struct ModuleDriver<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    module_name: &'a str,
    role: u8,
}

/// The system that a logic module belongs to.
#[derive(Debug, Serialize, ToSchema)]
struct ControlSystem<'a> {
    name: &'a str,
    zone_data: Vec<ZoneShape<'a>>,
}

/// What a module's shape needs to know beside the module.
#[derive(Debug, Clone, Copy)]
pub struct ModuleFacts<'a> {
    /// Its driver.
    pub driver: DriverFacts<'a>,
    /// How it fares.
    pub condition: Condition,
    /// When it last ended with a fault, in Unix seconds.
    pub failed_at: Option<u64>,
    /// The system through which it is looked at, or the first that it stands in.
    pub system: Option<&'a System>,
}

/// What a module's shape needs to know of its driver.
#[derive(Debug, Clone, Copy)]
pub struct DriverFacts<'a> {
    /// The id by which the building file names it.
    pub id: &'a str,
    /// What it does, for people.
    pub description: &'a str,
    /// What its modules are called unless the building file says otherwise.
    pub module_name: &'a str,
}

/// How a module fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It does not run.
    Stopped,
    /// It runs, and its status `connected` is false.
    Disconnected,
    /// It runs.
    Connected,
}

impl<'a> ModuleShape<'a> {
    /// A module with its driver. Of a logic module clients want the system that it belongs to.
    pub fn new(module: &'a Module, facts: ModuleFacts<'a>, info: &EntryInfo) -> Self {
        let ModuleFacts {
            driver,
            condition,
            failed_at,
            system,
        } = facts;
        let device = Device::of(module.uri.as_deref());
        let role = device.role.number();
        Self {
            id: module.id.as_str(),
            driver_id: driver.id,
            edge_id: None,
            control_system_id: system
                .filter(|_| device.role == Role::Logic)
                .map(|system| system.id.as_str()),
            name: driver.module_name,
            custom_name: module.name.as_ref().map(|name| name.as_str()),
            role,
            ip: device.host,
            port: device.port,
            tls: device.tls,
            udp: device.udp,
            makebreak: false,
            uri: device.uri,
            alert_level: None,
            running: condition != Condition::Stopped,
            connected: condition == Condition::Connected,
            notes: "",
            ignore_connected: false,
            ignore_startstop: false,
            has_runtime_error: failed_at.is_some(),
            error_timestamp: failed_at,
            launch_on_execute: false,
            created_at: info.created_at,
            updated_at: info.updated_at,
            driver: ModuleDriver {
                id: driver.id,
                name: driver.id,
                description: driver.description,
                module_name: driver.module_name,
                role,
            },
            control_system: None,
        }
    }

    /// The same with the system that a logic module belongs to; any other module belongs to none.
    #[must_use]
    pub fn within(self, system: &'a System, zones: Vec<ZoneShape<'a>>) -> Self {
        let control_system = (self.role == LOGIC_ROLE).then(|| ControlSystem {
            name: &system.name,
            zone_data: zones,
        });
        Self {
            control_system,
            ..self
        }
    }
}

/// Whether a module has no device: PlaceOS's logic modules.
pub(super) fn is_logic(module: &Module) -> bool {
    Device::of(module.uri.as_deref()).role == Role::Logic
}

/// The host of a module's device, where it has one.
pub fn device_host(module: &Module) -> Option<&str> {
    let device = Device::of(module.uri.as_deref());
    match device.role {
        Role::Logic => None,
        Role::Ssh | Role::Device => Some(device.host),
        Role::Service | Role::Websocket => {
            let (_, rest) = module.uri.as_deref()?.split_once("://")?;
            Some(name_and_port(authority(rest).1).0)
        }
    }
}

/// The credentials and the address in what stands behind a URI's scheme.
fn authority(rest: &str) -> (Option<&str>, &str) {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((credentials, address)) => (Some(credentials), address),
        None => (None, authority),
    }
}

/// What a ping found: `POST /modules/{id}/ping`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ping)]
pub struct PingShape {
    /// The address that was tried, or the name when it has none.
    pub host: String,
    /// Whether it answered.
    pub pingable: bool,
    /// What may make the result misleading.
    pub warning: Option<String>,
    /// Why it could not be tried, or why no answer came.
    pub exception: Option<String>,
}

/// PlaceOS's number for a module without a device.
pub(super) const LOGIC_ROLE: u8 = 99;

/// How a module reaches its device, which PlaceOS calls the role of its driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ssh,
    Device,
    Service,
    Websocket,
    Logic,
}

impl Role {
    fn number(self) -> u8 {
        match self {
            Self::Ssh => 0,
            Self::Device => 1,
            Self::Service => 2,
            Self::Websocket => 3,
            Self::Logic => LOGIC_ROLE,
        }
    }
}

/// A module's URI as PlaceOS's fields: a host and port, or a URL.
#[derive(Debug, PartialEq, Eq)]
struct Device<'a> {
    role: Role,
    host: &'a str,
    port: u16,
    tls: bool,
    udp: bool,
    uri: &'a str,
}

impl<'a> Device<'a> {
    /// Credentials in a URI stay inside the gateway, and so does its query, where tokens stand.
    fn of(uri: Option<&'a str>) -> Self {
        let nothing = Self {
            role: Role::Logic,
            host: "",
            port: 0,
            tls: false,
            udp: false,
            uri: "",
        };
        let Some((scheme, rest)) = uri.and_then(|uri| uri.split_once("://")) else {
            return nothing;
        };
        let (credentials, address) = authority(rest);
        let (host, port) = name_and_port(address);
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(0);
        let url = match (credentials, uri) {
            (None, Some(uri)) => uri.split(['?', '#']).next().unwrap_or_default(),
            _ => "",
        };
        let at = |role| Self {
            role,
            host,
            port,
            ..nothing
        };
        let service = |role| Self {
            role,
            uri: url,
            ..nothing
        };
        match scheme.to_ascii_lowercase().as_str() {
            "ssh" => at(Role::Ssh),
            "http" | "https" => service(Role::Service),
            "ws" | "wss" => service(Role::Websocket),
            scheme => Self {
                tls: scheme.contains("tls") || scheme.contains("ssl"),
                udp: scheme == "udp",
                ..at(Role::Device)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, system};
    use crate::model::{DriverRef, ModuleId, ModuleName, Secret};

    fn module(uri: Option<&str>) -> Module {
        Module {
            id: ModuleId::new("mod-d1").unwrap(),
            driver: DriverRef::LinkedIn("pjlink".to_owned()),
            name: Some(ModuleName::new("Projector").unwrap()),
            uri: uri.map(str::to_owned),
            settings: Secret::new(r#"{"password":"hunter2"}"#),
        }
    }

    const DRIVER: DriverFacts<'_> = DriverFacts {
        id: "pjlink",
        description: "Projectors",
        module_name: "Display",
    };

    #[test]
    fn a_module_says_where_its_device_is_and_none_of_its_settings() {
        let module = module(Some("tcp://10.0.0.7:4352"));
        let system = system();
        let facts = ModuleFacts {
            driver: DRIVER,
            condition: Condition::Disconnected,
            failed_at: Some(CREATED - 1),
            system: Some(&system),
        };
        let shape = ModuleShape::new(&module, facts, &INFO).within(&system, Vec::new());
        let shape = serde_json::to_value(shape).unwrap();
        assert_eq!(shape["role"], 1);
        assert_eq!(
            (&shape["ip"], &shape["port"]),
            (&json!("10.0.0.7"), &json!(4352))
        );
        assert_eq!(
            (&shape["running"], &shape["connected"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(
            (&shape["name"], &shape["custom_name"]),
            (&json!("Display"), &json!("Projector"))
        );
        assert_eq!(
            (&shape["has_runtime_error"], &shape["error_timestamp"]),
            (&json!(true), &json!(CREATED - 1))
        );
        assert_eq!(shape["control_system_id"], Value::Null);
        assert_eq!(shape.get("control_system"), None);
        assert!(!shape.to_string().contains("hunter2"));
    }

    #[test]
    fn a_module_without_a_device_belongs_to_its_system() {
        let (module, system) = (module(None), system());
        let facts = ModuleFacts {
            driver: DRIVER,
            condition: Condition::Connected,
            failed_at: None,
            system: Some(&system),
        };
        let shape = ModuleShape::new(&module, facts, &INFO).within(&system, Vec::new());
        let shape = serde_json::to_value(shape).unwrap();
        assert_eq!(shape["control_system_id"], "sys-1");
        assert_eq!(
            shape["control_system"],
            json!({"name": "Board Room", "zone_data": []})
        );
    }

    #[test]
    fn a_device_has_a_host_and_a_logic_module_has_none() {
        let host = |uri| device_host(&module(uri)).map(str::to_owned);
        assert_eq!(
            host(Some("tcp://10.0.0.7:4352")).as_deref(),
            Some("10.0.0.7")
        );
        assert_eq!(host(Some("https://a:b@h:8443/x")).as_deref(), Some("h"));
        assert_eq!(host(None), None);
    }

    #[test]
    fn a_uri_becomes_a_role_and_its_credentials_stay_inside() {
        let role = |uri| Device::of(Some(uri)).role;
        assert_eq!(role("ssh://h"), Role::Ssh);
        assert_eq!(Device::of(Some("tcp://[::1]")).host, "[::1]");
        assert_eq!(role("https://h/x"), Role::Service);
        assert_eq!(role("wss://h/x"), Role::Websocket);
        assert_eq!(role("udp://h:1"), Role::Device);
        assert_eq!(Device::of(None).role, Role::Logic);
        assert_eq!(Device::of(Some("https://h/x?y=secret")).uri, "https://h/x");
        let secret = Device::of(Some("https://user:secret@h/x"));
        assert!(!format!("{secret:?}").contains("secret"));
        let secret = Device::of(Some("tls://user:secret@h:23"));
        assert_eq!((secret.host, secret.port, secret.tls), ("h", 23, true));
    }
}
