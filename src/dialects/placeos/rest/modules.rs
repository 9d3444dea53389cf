//! The shape of a module: where its device is, how it fares and which driver it runs.

use serde::Serialize;

use crate::dialects::placeos::rest::admission::name_and_port;
use crate::model::{Module, SystemId};

/// A module: `GET /modules`, `GET /modules/{id}`, and within a complete system. Its settings are not part of it.
#[derive(Debug, Serialize)]
pub struct ModuleShape<'a> {
    id: &'a str,
    driver_id: &'a str,
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
    alert_level: Option<()>,
    running: bool,
    connected: bool,
    notes: &'static str,
    ignore_connected: bool,
    ignore_startstop: bool,
    has_runtime_error: bool,
    error_timestamp: Option<()>,
    launch_on_execute: bool,
    created_at: u64,
    updated_at: u64,
    driver: DriverShape<'a>,
}

#[derive(Debug, Serialize)]
struct DriverShape<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    module_name: &'a str,
    role: u8,
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
    pub fn new(
        module: &'a Module,
        driver: DriverFacts<'a>,
        condition: Condition,
        system: Option<&'a SystemId>,
        time: u64,
    ) -> Self {
        let device = Device::of(module.uri.as_deref());
        let role = device.role.number();
        Self {
            id: module.id.as_str(),
            driver_id: driver.id,
            edge_id: None,
            control_system_id: system
                .filter(|_| device.role == Role::Logic)
                .map(SystemId::as_str),
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
            has_runtime_error: false,
            error_timestamp: None,
            launch_on_execute: false,
            created_at: time,
            updated_at: time,
            driver: DriverShape {
                id: driver.id,
                name: driver.id,
                description: driver.description,
                module_name: driver.module_name,
                role,
            },
        }
    }
}

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
            Self::Logic => 99,
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
    /// Credentials in a URI stay inside the gateway.
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
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (secret, authority) = match authority.rsplit_once('@') {
            Some((_, authority)) => (true, authority),
            None => (false, authority),
        };
        let (host, port) = name_and_port(authority);
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(0);
        let url = if secret { "" } else { uri.unwrap_or_default() };
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
    use crate::dialects::placeos::testing::system;
    use crate::model::{DriverRef, ModuleId, ModuleName, Secret};

    const TIME: u64 = 1_700_000_000;

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
        let condition = Condition::Disconnected;
        let shape = ModuleShape::new(&module, DRIVER, condition, Some(&system.id), TIME);
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
        assert_eq!(shape["control_system_id"], Value::Null);
        assert!(!shape.to_string().contains("hunter2"));
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
        assert_eq!(Device::of(Some("https://h/x?y")).uri, "https://h/x?y");
        let secret = Device::of(Some("https://user:secret@h/x"));
        assert!(!format!("{secret:?}").contains("secret"));
        let secret = Device::of(Some("tls://user:secret@h:23"));
        assert_eq!((secret.host, secret.port, secret.tls), ("h", 23, true));
    }
}
