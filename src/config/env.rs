//! The environment as a layer: `RISER_KEEP_ALIVE__PING_AFTER` is `keep_alive.ping_after`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::keys;

const PREFIX: &str = "RISER_";

/// The terminal client's own variables.
const NOT_OURS: &[&str] = &["RISER_URL", "RISER_API_KEY", "RISER_CONTEXT"];

/// The environment of the process as text. What is not UTF-8 gets U+FFFD in place of the odd bytes, and is refused where it is used.
pub fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> BTreeMap<String, String> {
    let text = |raw: OsString| raw.to_string_lossy().into_owned();
    variables
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// PlaceOS's own name for the key by which its tokens are verified, and ours. Ours wins.
const JWT_PUBLIC: (&str, &str) = ("JWT_PUBLIC", "RISER_JWT_PUBLIC");

/// What the environment sets.
pub(super) struct EnvLayer {
    /// The variables of known settings.
    pub(super) known: config::Map<String, String>,
    /// Variables with our prefix that set nothing.
    pub(super) unknown: Vec<String>,
}

/// Picks out our variables. One without a value counts as not set, as container files are wont to pass them on.
pub(super) fn layer(environment: &BTreeMap<String, String>) -> EnvLayer {
    let mut layer = EnvLayer {
        known: config::Map::new(),
        unknown: Vec::new(),
    };
    let (placeos, ours) = JWT_PUBLIC;
    if let Some(key) = environment.get(placeos).filter(|key| !key.is_empty()) {
        layer.known.insert(ours.to_owned(), key.clone());
    }
    for (name, value) in environment {
        if !name.starts_with(PREFIX)
            || NOT_OURS.contains(&name.as_str())
            || is_from_kubernetes(name, value)
        {
            continue;
        }
        if !keys::KEYS.iter().any(|key| variable(key.name) == *name) {
            layer.unknown.push(name.clone());
        } else if !value.is_empty() {
            layer.known.insert(name.clone(), value.clone());
        }
    }
    layer
}

/// Kubernetes sets such variables in every container, for each service: beside a service named `riser` they begin as ours do.
fn is_from_kubernetes(name: &str, value: &str) -> bool {
    name.starts_with("RISER_SERVICE_")
        || name.starts_with("RISER_PORT_")
        || name == "RISER_PORT" && value.contains("://")
}

/// The variables as a source for the crate that merges the layers.
pub(super) fn source(known: config::Map<String, String>) -> config::Environment {
    config::Environment::with_prefix("RISER")
        .prefix_separator("_")
        .separator("__")
        .source(Some(known))
}

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}
