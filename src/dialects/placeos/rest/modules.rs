//! The shape of a module: where its device is, its condition and which driver it runs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::ZoneShape;
use crate::dialects::placeos::rest::address::{Device, LOGIC_ROLE, Role};
use crate::dialects::placeos::rest::documents::{Shown, fields_schema};
use crate::model::{EntryInfo, Module, System};

/// A module: `GET /modules`, `GET /modules/{id}`, and within a complete system. Its settings are not part of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Module)]
pub struct ModuleShape<'a> {
    #[serde(flatten)]
    #[schema(schema_with = fields_schema::<Module>)]
    fields: Shown<'a, Module>,
    #[schema(value_type = Option<String>)]
    edge_id: Option<()>,
    control_system_id: Option<&'a str>,
    name: &'a str,
    role: u8,
    ip: &'a str,
    port: u16,
    tls: bool,
    udp: bool,
    uri: &'a str,
    connected: bool,
    /// Riser's own: why it is connected or not.
    condition: Condition,
    has_runtime_error: bool,
    error_timestamp: Option<u64>,
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
    name: String,
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
    /// Its condition.
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

/// Words that people write in a way of their own.
const SPELLED: [(&str, &str); 5] = [
    ("http", "HTTP"),
    ("json", "JSON"),
    ("lan", "LAN"),
    ("mqtt", "MQTT"),
    ("pjlink", "PJLink"),
];

impl DriverFacts<'_> {
    /// What people call the driver: the words of its id. A process is called by its command.
    pub(super) fn name(&self) -> String {
        let is_word = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
        if !self.id.chars().all(is_word) {
            return self.id.to_owned();
        }
        let words = self.id.split(['_', '-']).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(capitalised).collect();
        words.join(" ")
    }
}

fn capitalised(word: &str) -> String {
    let spelled = SPELLED.iter().find(|(plain, _)| *plain == word);
    if let Some((_, spelled)) = spelled {
        return (*spelled).to_owned();
    }
    let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}", first.to_uppercase())
}

/// The condition of a module. PlaceOS's `running` says no more than whether it is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It is not to run.
    Stopped,
    /// No node runs it yet.
    Waiting,
    /// The lease of its node is over, or the gateway cannot find out its state.
    Unreachable,
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
            fields: Shown::of(module),
            edge_id: None,
            control_system_id: system
                .filter(|_| device.role == Role::Logic)
                .map(|system| system.id.as_str()),
            name: driver.module_name,
            role,
            ip: device.host,
            port: device.port,
            tls: device.tls,
            udp: device.udp,
            uri: device.uri,
            connected: condition == Condition::Connected,
            condition,
            has_runtime_error: failed_at.is_some(),
            error_timestamp: failed_at,
            created_at: info.created_at,
            updated_at: info.updated_at,
            driver: ModuleDriver {
                id: driver.id,
                name: driver.name(),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::placeos::testing::{CREATED, INFO, module, system};

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
    fn a_module_says_whether_it_is_to_run_and_why_it_is_not_connected() {
        for (condition, said, running, connected) in [
            (Condition::Stopped, "stopped", false, false),
            (Condition::Waiting, "waiting", true, false),
            (Condition::Unreachable, "unreachable", true, false),
            (Condition::Disconnected, "disconnected", true, false),
            (Condition::Connected, "connected", true, true),
        ] {
            let mut module = module(None);
            module.running = (!running).then_some(false);
            let facts = ModuleFacts {
                driver: DRIVER,
                condition,
                failed_at: None,
                system: None,
            };
            let shape = serde_json::to_value(ModuleShape::new(&module, facts, &INFO)).unwrap();
            assert_eq!(shape["condition"], said);
            assert_eq!(
                (&shape["running"], &shape["connected"]),
                (&json!(running), &json!(connected)),
                "{said}"
            );
        }
    }

    #[test]
    fn a_driver_is_called_by_the_words_of_its_id() {
        for (id, name) in [
            ("demo_display", "Demo Display"),
            ("http_json", "HTTP JSON"),
            ("process: python3 x.py", "process: python3 x.py"),
        ] {
            assert_eq!(DriverFacts { id, ..DRIVER }.name(), name);
        }
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
}
