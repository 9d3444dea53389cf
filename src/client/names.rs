//! What a shell completes: the names that the gateway knows at this moment.
//!
//! A key press must neither hang nor complain: whatever goes wrong, there are no names.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio::time::timeout;

use crate::client::address;
use crate::client::block_on;
use crate::client::error::ClientError;
use crate::client::gateway::{Gateway, GatewayOptions};
use crate::client::limits::COMPLETION_DEADLINE;
use crate::client::lists;
use crate::client::rest::{Resource, Rest};

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
            Ok(slugs.map(bare).collect())
        })
    }

    /// The statuses that a module has.
    pub fn statuses(&self, system: &str, module: &str) -> Vec<Name> {
        self.ask(async |rest| {
            let module = with_index(module);
            let state: BTreeMap<String, serde::de::IgnoredAny> = rest
                .get(system, Resource::at(["systems", system, &module]))
                .await?;
            Ok(state.into_keys().map(bare).collect())
        })
    }

    /// The functions of a module that the key may call.
    pub fn functions(&self, system: &str, module: &str) -> Vec<Name> {
        #[derive(Deserialize)]
        struct FunctionShape {
            #[serde(default)]
            order: Vec<String>,
        }
        self.ask(async |rest| {
            let module = with_index(module);
            let resource = Resource::at(["systems", system, "functions", &module]);
            let functions: BTreeMap<String, FunctionShape> = rest.get(system, resource).await?;
            let name = |(name, function): (String, FunctionShape)| Name {
                about: function.order.join(", "),
                name,
            };
            Ok(functions.into_iter().map(name).collect())
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

fn bare(name: String) -> Name {
    Name {
        name,
        about: String::new(),
    }
}

/// `Display` as `Display_1`, which says the same and can be no other module's name.
fn with_index(module: &str) -> String {
    match address::slug(module) {
        Ok((name, index)) => format!("{name}_{index}"),
        Err(_) => module.to_owned(),
    }
}
