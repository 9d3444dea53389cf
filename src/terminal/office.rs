//! The whole building of a running gateway, for `riser apply` and `riser export`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;

use crate::terminal::block_on;
use crate::terminal::error::TerminalError;
use crate::terminal::gateway::{Gateway, GatewayOptions};
use crate::terminal::rest::{Resource, Rest};

/// A running gateway, as an administrator's key opens it.
pub struct Office(Gateway);

impl Office {
    /// Connects to nothing yet.
    pub fn new(
        options: &GatewayOptions,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, TerminalError> {
        Ok(Self(Gateway::new(options, environment)?))
    }

    /// The building as the text of a building file.
    pub fn export(&self) -> Result<String, TerminalError> {
        let body = self.ask("export", Method::GET, building(), String::new())?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Makes the building that of a file, or tells what that would change: a line for each entry.
    pub fn apply(&self, text: String, dry_run: bool) -> Result<String, TerminalError> {
        let resource = match dry_run {
            true => building().with("dry_run", "true"),
            false => building(),
        };
        let body = self.ask("apply", Method::PUT, resource, text)?;
        let applied: Applied =
            serde_json::from_slice(&body).map_err(|error| TerminalError::Failed {
                what: "apply".to_owned(),
                reason: error.to_string(),
            })?;
        let mut lines = String::new();
        for Changed { change, entry } in applied.changes {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{change} {entry}");
        }
        Ok(lines)
    }

    fn ask(
        &self,
        what: &str,
        method: Method,
        resource: Resource,
        body: String,
    ) -> Result<Bytes, TerminalError> {
        block_on(async {
            let mut rest = Rest::new(&self.0);
            let answer = rest.send(what, method, resource, body.into()).await?;
            Ok(answer.into_body())
        })?
    }
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

fn building() -> Resource {
    Resource::at(["building"])
}

#[derive(Deserialize)]
struct Applied {
    changes: Vec<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    change: String,
    entry: String,
}
