//! `riser systems` and `riser modules`: the systems and modules of a building, and their state.

use serde::{Deserialize, Serialize};

use crate::client::error::ClientError;
use crate::client::gateway::Gateway;
use crate::client::limits::PAGE;
use crate::client::output::{Output, Row};
use crate::client::rest::{Resource, Rest};
use crate::model::SystemId;

/// Prints the systems that match a text, or all.
pub(super) async fn systems(
    gateway: &Gateway,
    text: Option<&str>,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut rest = Rest::new(gateway);
    let mut rows = Vec::new();
    for system in find_systems(&mut rest, text).await? {
        let modules = modules_of(&mut rest, &system.id).await?;
        rows.push(SystemRow {
            running: modules.iter().filter(|module| module.running).count(),
            connected: modules.iter().filter(|module| module.connected).count(),
            modules: modules.len(),
            id: system.id,
            name: system.name,
            email: system.email,
            capacity: system.capacity,
        });
    }
    if rows.is_empty() {
        output.say("there is no such system, or the key reaches none");
    }
    output.table(&rows)
}

/// Prints the modules of a system, or of all systems, in their order.
pub(super) async fn modules(
    gateway: &Gateway,
    system: Option<&SystemId>,
    output: &mut Output<'_>,
) -> Result<(), ClientError> {
    let mut rest = Rest::new(gateway);
    let systems = match system {
        Some(system) => vec![system.as_str().to_owned()],
        None => {
            let systems = find_systems(&mut rest, None).await?;
            systems.into_iter().map(|system| system.id).collect()
        }
    };
    let mut rows = Vec::new();
    for system in systems {
        rows.extend(modules_of(&mut rest, &system).await?);
    }
    if rows.is_empty() {
        output.say("there is no module, or the key reaches none");
    }
    output.table(&rows)
}

/// A system as the gateway lists it.
#[derive(Debug, Deserialize)]
pub(super) struct SystemShape {
    pub(super) id: String,
    pub(super) name: String,
    email: Option<String>,
    #[serde(default)]
    capacity: u32,
}

/// All systems that match a text.
pub(super) async fn find_systems(
    rest: &mut Rest<'_>,
    text: Option<&str>,
) -> Result<Vec<SystemShape>, ClientError> {
    let mut resource = Resource::at(["systems"]);
    if let Some(text) = text {
        resource = resource.with("q", text);
    }
    rest.list("the systems", resource, PAGE).await
}

/// A system with its modules, as far as they are of interest.
#[derive(Deserialize)]
struct CompleteShape {
    id: String,
    #[serde(default)]
    modules: Vec<String>,
    #[serde(default)]
    module_data: Vec<ModuleShape>,
}

#[derive(Deserialize)]
struct ModuleShape {
    id: String,
    name: String,
    custom_name: Option<String>,
    #[serde(default)]
    running: bool,
    #[serde(default)]
    connected: bool,
    /// Riser's own; other gateways say no more than the two above.
    condition: Option<String>,
    driver_id: Option<String>,
    driver: Option<DriverShape>,
}

#[derive(Deserialize)]
struct DriverShape {
    name: String,
}

/// The modules of one system, in the order that gives like-named ones their index.
pub(super) async fn modules_of(
    rest: &mut Rest<'_>,
    system: &str,
) -> Result<Vec<ModuleRow>, ClientError> {
    let resource = Resource::at(["systems", system]).with("complete", "true");
    let system: CompleteShape = rest.get(system, resource).await?;
    Ok(rows(system))
}

fn rows(system: CompleteShape) -> Vec<ModuleRow> {
    let CompleteShape {
        id,
        modules,
        mut module_data,
    } = system;
    module_data.sort_by_key(|module| modules.iter().position(|id| *id == module.id));
    let mut rows: Vec<ModuleRow> = Vec::with_capacity(module_data.len());
    for module in module_data {
        let custom = module.custom_name.filter(|name| !name.is_empty());
        let name = custom.unwrap_or(module.name);
        let name_of_driver = module.driver.map(|driver| driver.name);
        // Riser's drivers are called by their ids in building files; PlaceOS's ids say nothing to people.
        let driver = match module.condition {
            Some(_) => module.driver_id.or(name_of_driver),
            None => name_of_driver.or(module.driver_id),
        };
        let before = rows.iter().filter(|row| row.module == name).count();
        rows.push(ModuleRow {
            system: id.clone(),
            module: name,
            index: before + 1,
            id: module.id,
            driver: driver.unwrap_or_default(),
            running: module.running && !no_node_runs(module.condition.as_deref()),
            state: state(module.running, module.connected, module.condition),
            connected: module.connected,
        });
    }
    rows
}

/// Whether a module does not run although it is to, by riser's own word.
fn no_node_runs(condition: Option<&str>) -> bool {
    matches!(condition, Some("waiting" | "unreachable"))
}

/// The state of a module, in a word.
fn state(running: bool, connected: bool, condition: Option<String>) -> String {
    condition.unwrap_or_else(|| {
        let state = match (running, connected) {
            (false, _) => "stopped",
            (true, false) => "disconnected",
            (true, true) => "connected",
        };
        state.to_owned()
    })
}

#[derive(Debug, Serialize)]
struct SystemRow {
    id: String,
    name: String,
    email: Option<String>,
    capacity: u32,
    modules: usize,
    running: usize,
    connected: usize,
}

impl Row for SystemRow {
    const HEADINGS: &'static [&'static str] = &["SYSTEM", "NAME", "CONNECTED", "EMAIL"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            format!("{} of {}", self.connected, self.modules),
            self.email.clone().unwrap_or_default(),
        ]
    }
}

/// A module in its place.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct ModuleRow {
    system: String,
    module: String,
    index: usize,
    pub(super) id: String,
    driver: String,
    running: bool,
    connected: bool,
    state: String,
}

impl ModuleRow {
    /// `Display_2`.
    pub(super) fn slug(&self) -> String {
        format!("{}_{}", self.module, self.index)
    }

    pub(super) fn system(&self) -> &str {
        &self.system
    }

    pub(super) fn driver(&self) -> &str {
        &self.driver
    }

    /// Its state, in the gateway's word.
    pub(super) fn state(&self) -> &str {
        &self.state
    }
}

impl Row for ModuleRow {
    const HEADINGS: &'static [&'static str] = &["SYSTEM", "MODULE", "STATE", "DRIVER", "ID"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.system.clone(),
            self.slug(),
            self.state().to_owned(),
            self.driver.clone(),
            self.id.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_counted_by_name_in_the_order_of_their_system() {
        let system: CompleteShape = serde_json::from_str(
            r#"{"id":"sys-1","modules":["a","b","c","d","e"],"module_data":[
                {"id":"c","name":"Virtual","custom_name":"Display","running":true,"connected":true,"driver_id":"virtual"},
                {"id":"a","name":"Display","custom_name":null,"running":true,"driver":{"name":"PJLink"}},
                {"id":"b","name":"Lights","custom_name":"","new":1},
                {"id":"d","name":"Lights","running":true,"connected":false,"condition":"waiting"},
                {"id":"e","name":"Lights","running":true,"connected":false,"condition":"unreachable"}
            ]}"#,
        )
        .unwrap();
        let rows = rows(system);
        let cells: Vec<String> = rows.iter().map(|row| row.cells().join(" ")).collect();
        assert_eq!(
            cells,
            [
                "sys-1 Display_1 disconnected PJLink a",
                "sys-1 Lights_1 stopped  b",
                "sys-1 Display_2 connected virtual c",
                "sys-1 Lights_2 waiting  d",
                "sys-1 Lights_3 unreachable  e",
            ]
        );
    }
}
