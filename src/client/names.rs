//! What a shell completes: the names that the gateway knows at this moment.
//!
//! A key press must neither hang nor print an error: after any failure there are no names.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::client::address;
use crate::client::block_on;
use crate::client::error::ClientError;
use crate::client::gateway::{Gateway, GatewayOptions};
use crate::client::limits::{COMPLETION_DEADLINE, PAGE};
use crate::client::lists;
use crate::client::rest::{Resource, Rest};
use crate::client::status::functions_of;

/// The names that a gateway knows. Each call takes a second at most.
#[derive(Debug)]
pub struct Names(Option<Gateway>);

/// A name and a few words about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What is typed.
    pub name: String,
    /// For people; may be empty.
    pub about: String,
}

impl Names {
    /// Of the gateway that the command would talk to.
    pub fn new(options: &GatewayOptions, environment: &BTreeMap<String, String>) -> Self {
        Self(Gateway::new(options, environment).ok())
    }

    /// All systems.
    pub fn systems(&self) -> Vec<Name> {
        self.ask(async |rest| {
            let systems = lists::find_systems(rest, None).await?;
            let name = |system: lists::SystemShape| Name {
                name: system.id,
                about: system.name,
            };
            Ok(systems.into_iter().map(name).collect())
        })
    }

    /// The modules of a system, each with its index.
    pub fn modules(&self, system: &str) -> Vec<Name> {
        self.ask(async |rest| {
            let types: BTreeMap<String, u32> = rest
                .get(system, Resource::at(["systems", system, "types"]))
                .await?;
            let slugs = types
                .iter()
                .flat_map(|(name, count)| (1..=*count).map(move |index| format!("{name}_{index}")));
            Ok(slugs.map(Name::bare).collect())
        })
    }

    /// The statuses that a module has.
    pub fn statuses(&self, system: &str, module: &str) -> Vec<Name> {
        self.ask(async |rest| {
            let module = with_index(module);
            let state: BTreeMap<String, serde::de::IgnoredAny> = rest
                .get(system, Resource::at(["systems", system, &module]))
                .await?;
            Ok(state.into_keys().map(Name::bare).collect())
        })
    }

    /// The functions of a module that the key may call.
    pub fn functions(&self, system: &str, module: &str) -> Vec<Name> {
        self.ask(async |rest| {
            let functions = functions_of(rest, system, &with_index(module)).await?;
            let mut names: Vec<Name> = functions
                .into_iter()
                .map(|(name, function)| Name {
                    about: function.order.join(", "),
                    name,
                })
                .collect();
            names.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(names)
        })
    }

    /// What a function takes at a place, where that is one of few.
    pub fn arguments(&self, system: &str, module: &str, function: &str, place: usize) -> Vec<Name> {
        self.ask(async |rest| {
            let functions = functions_of(rest, system, &with_index(module)).await?;
            let values = functions.get(function).and_then(|function| {
                let parameter = function.order.get(place)?;
                let schema = function.params.get(parameter)?;
                Some((parameter, values_of(schema)))
            });
            let Some((parameter, values)) = values else {
                return Ok(Vec::new());
            };
            let name = |name| Name {
                name,
                about: parameter.clone(),
            };
            Ok(values.into_iter().map(name).collect())
        })
    }

    /// The ids of all modules.
    pub fn module_ids(&self) -> Vec<Name> {
        self.entries("module")
    }

    /// The public halves of all API keys.
    pub fn keys(&self) -> Vec<Name> {
        self.entries("api_key")
    }

    /// All users.
    pub fn users(&self) -> Vec<Name> {
        self.entries("user")
    }

    /// All zones.
    pub fn zones(&self) -> Vec<Name> {
        self.entries("zone")
    }

    /// The ids of all entries of a kind.
    fn entries(&self, kind: &str) -> Vec<Name> {
        #[derive(Deserialize)]
        struct EntryShape {
            id: String,
            #[serde(default)]
            name: String,
        }
        self.ask(async |rest| {
            let resource = Resource::at([&format!("{kind}s")]);
            let entries: Vec<EntryShape> = rest.list(kind, resource, PAGE).await?;
            let name = |EntryShape { id, name }| Name {
                about: if name == id { String::new() } else { name },
                name: id,
            };
            Ok(entries.into_iter().map(name).collect())
        })
    }

    fn ask(
        &self,
        question: impl AsyncFnOnce(&mut Rest<'_>) -> Result<Vec<Name>, ClientError>,
    ) -> Vec<Name> {
        let Some(gateway) = &self.0 else {
            return Vec::new();
        };
        let mut rest = Rest::new(gateway);
        let answer = block_on(async { timeout(COMPLETION_DEADLINE, question(&mut rest)).await });
        match answer {
            Ok(Ok(Ok(names))) => names,
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Vec::new(),
        }
    }
}

impl Name {
    /// A name that says all.
    pub fn bare(name: String) -> Self {
        Self {
            name,
            about: String::new(),
        }
    }
}

/// The values that a schema lists, as one types them.
fn values_of(schema: &Map<String, Value>) -> Vec<String> {
    let word = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    let constants = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| schema.get(*key)?.as_array());
    let constants = constants.flatten().filter_map(|one| one.get("const"));
    let listed = schema.get("enum").and_then(Value::as_array);
    let mut values: Vec<String> = listed
        .into_iter()
        .flatten()
        .chain(constants)
        .map(word)
        .collect();
    let is_switch = match schema.get("type") {
        Some(Value::String(kind)) => kind == "boolean",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "boolean"),
        _ => false,
    };
    if is_switch && values.is_empty() {
        values = ["false", "true"].map(str::to_owned).to_vec();
    }
    values
}

/// `Display` as `Display_1`, which says the same and can be no other module's name.
fn with_index(module: &str) -> String {
    match address::slug(module) {
        Ok((name, index)) => format!("{name}_{index}"),
        Err(_) => module.to_owned(),
    }
}
