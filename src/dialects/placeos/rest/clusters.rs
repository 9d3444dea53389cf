//! The shapes of PlaceOS's list of nodes, as its pages read them: which nodes there are, and what runs on each.
//!
//! Of what a PlaceOS core says of itself, the load of its processor and memory is left out: a node of riser does not ask the others for theirs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::dialects::placeos::rest::address::host_of;
use crate::dialects::placeos::rest::cores::{CoreStatus, Edges, LocalCount, by_driver};
use crate::model::{DriverRef, ModuleId, Node};

/// A node: `GET /cluster`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClusterNode)]
pub struct NodeShape<'a> {
    /// Of this run of it.
    id: &'a str,
    /// Where the other nodes ask it.
    uri: &'a str,
    hostname: &'a str,
    /// Under the name by which PlaceOS's client reads it.
    run_counts: LocalCount,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<CoreStatus>,
}

impl<'a> NodeShape<'a> {
    /// A node on which these modules run.
    pub fn new(node: &'a Node, modules: &[(ModuleId, DriverRef)]) -> Self {
        let uri = node.uri.as_str();
        Self {
            id: node.id.as_str(),
            uri,
            hostname: host_of(uri).unwrap_or_default(),
            run_counts: LocalCount::of(modules),
            status: None,
        }
    }

    /// The same with what runs there: `include_status=true`. As compiled count the drivers of its modules.
    #[must_use]
    pub fn with_status(self, modules: &[(ModuleId, DriverRef)]) -> Self {
        let mut drivers: Vec<DriverRef> = Vec::new();
        for (_, driver) in modules {
            if !drivers.contains(driver) {
                drivers.push(driver.clone());
            }
        }
        Self {
            status: Some(CoreStatus::new(modules, &drivers)),
            ..self
        }
    }
}

/// The modules of one driver on a node: `GET /cluster/{id}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClusterProcess)]
pub struct NodeProcesses {
    driver: String,
    /// The modules once more, beside `local`, where PlaceOS's client reads them.
    modules: Vec<String>,
    running: bool,
    local: LocalProcess,
    edge: Edges,
}

#[derive(Debug, Serialize, ToSchema)]
struct LocalProcess {
    modules: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ProcessStatus>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProcessStatus {
    running: bool,
    module_instances: usize,
}

impl NodeProcesses {
    /// The modules that run on a node, by their drivers; with a status of each: `include_status=true`.
    pub fn of(modules: &[(ModuleId, DriverRef)], include_status: bool) -> Vec<Self> {
        let drivers = by_driver(modules).into_iter();
        let of_driver = |(driver, modules): (String, Vec<String>)| Self {
            driver,
            running: true,
            local: LocalProcess {
                modules: modules.clone(),
                status: include_status.then_some(ProcessStatus {
                    running: true,
                    module_instances: modules.len(),
                }),
            },
            modules,
            edge: Edges {},
        };
        drivers.map(of_driver).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{NodeId, NodeUri};

    fn modules() -> [(ModuleId, DriverRef); 3] {
        [("mod-2", "b"), ("mod-3", "a"), ("mod-1", "b")].map(|(id, driver)| {
            let driver = DriverRef::LinkedIn(driver.to_owned());
            (ModuleId::new(id).unwrap(), driver)
        })
    }

    #[test]
    fn a_node_has_a_host_and_counts_what_runs_there() {
        let node = Node {
            id: NodeId::new("01").unwrap(),
            uri: NodeUri::new("http://10.0.0.7:3000").unwrap(),
        };
        let plain = NodeShape::new(&node, &modules());
        let plain = serde_json::to_value(plain).unwrap();
        assert_eq!(
            plain,
            json!({"id": "01", "uri": "http://10.0.0.7:3000", "hostname": "10.0.0.7", "run_counts": {"drivers": 2, "modules": 3}})
        );
        let whole = NodeShape::new(&node, &modules()).with_status(&modules());
        let whole = serde_json::to_value(whole).unwrap();
        assert_eq!(whole["status"]["compiled_drivers"], json!(["b", "a"]));
        assert_eq!(whole["status"]["run_count"]["local"]["modules"], 3);
    }

    #[test]
    fn what_runs_on_a_node_is_told_by_drivers() {
        let plain = serde_json::to_value(NodeProcesses::of(&modules(), false)).unwrap();
        let of_b = json!({"driver": "b", "modules": ["mod-1", "mod-2"], "running": true, "local": {"modules": ["mod-1", "mod-2"]}, "edge": {}});
        assert_eq!((plain[0]["driver"].as_str(), &plain[1]), (Some("a"), &of_b));
        let whole = serde_json::to_value(NodeProcesses::of(&modules(), true)).unwrap();
        let status = json!({"running": true, "module_instances": 2});
        assert_eq!(whole[1]["local"]["status"], status);
    }
}
