//! A building as a file that anybody may see: every secret, and every value that may be one, is `***`.

use serde_json::{Map, Value, json};

use crate::model::{
    ApiKey, Building, Clearance, Module, Password, Scope, ScopeAccess, System, User, Zone,
};

const MASK: &str = "***";

/// The building in the form of a building file. What was left out of the file, and holds by default, is left out here too.
pub fn masked(building: &Building) -> String {
    let Building {
        zones,
        systems,
        modules,
        users,
        api_keys,
    } = building;
    let building = json!({
        "zones": zones.iter().map(zone).collect::<Vec<_>>(),
        "systems": systems.iter().map(system).collect::<Vec<_>>(),
        "modules": modules.iter().map(module).collect::<Vec<_>>(),
        "users": users.iter().map(user).collect::<Vec<_>>(),
        "api_keys": api_keys.iter().map(api_key).collect::<Vec<_>>(),
    });
    // Texts, numbers, lists and maps with texts as keys: there is nothing in it that YAML cannot say.
    serde_saphyr::to_string(&building).unwrap_or_default()
}

fn zone(zone: &Zone) -> Value {
    let Zone {
        id,
        name,
        display_name,
        description,
        tags,
        parent_id,
    } = zone;
    entry([
        ("id", json!(id.as_str())),
        ("name", json!(name)),
        ("display_name", json!(display_name)),
        ("description", json!(description)),
        ("tags", json!(tags)),
        ("parent_id", json!(parent_id.as_ref().map(|id| id.as_str()))),
    ])
}

fn system(system: &System) -> Value {
    let System {
        id,
        name,
        display_name,
        description,
        email,
        capacity,
        bookable,
        features,
        map_id,
        timezone,
        support_url,
        zones,
        modules,
    } = system;
    entry([
        ("id", json!(id.as_str())),
        ("name", json!(name)),
        ("display_name", json!(display_name)),
        ("description", json!(description)),
        ("email", json!(email)),
        (
            "capacity",
            json!(Some(*capacity).filter(|&people| people > 0)),
        ),
        ("bookable", json!(bookable.then_some(true))),
        ("features", json!(features)),
        ("map_id", json!(map_id)),
        ("timezone", json!(timezone)),
        ("support_url", json!(support_url)),
        ("zones", texts(zones.iter().map(|id| id.as_str()))),
        ("modules", texts(modules.iter().map(|id| id.as_str()))),
    ])
}

fn module(module: &Module) -> Value {
    let Module {
        id,
        driver,
        name,
        uri,
        settings: _,
    } = module;
    let settings: Value = module.settings().to().unwrap_or_default();
    entry([
        ("id", json!(id.as_str())),
        ("driver", json!(driver.as_str())),
        ("name", json!(name.as_ref().map(|name| name.as_str()))),
        ("uri", json!(uri.as_deref().map(without_user))),
        ("settings", mask(settings)),
    ])
}

fn user(user: &User) -> Value {
    let User {
        id,
        email,
        name,
        level,
        groups,
        password,
    } = user;
    let (plain, hash) = match password {
        Some(Password::Plain(_)) => (Some(MASK), None),
        Some(Password::Hashed(_)) => (None, Some(MASK)),
        None => (None, None),
    };
    entry([
        ("id", json!(id.as_str())),
        ("email", json!(email)),
        ("name", json!(name)),
        ("level", json!(word(*level))),
        ("groups", json!(groups)),
        ("password", json!(plain)),
        ("password_hash", json!(hash)),
    ])
}

fn api_key(key: &ApiKey) -> Value {
    let ApiKey {
        id,
        secret: _,
        user,
        level,
        scopes,
        systems,
        zones,
    } = key;
    entry([
        ("id", json!(id.as_str())),
        ("secret", json!(MASK)),
        ("user", json!(user.as_str())),
        ("level", json!(word(*level))),
        (
            "scopes",
            json!(scopes.iter().map(scope).collect::<Vec<_>>()),
        ),
        ("systems", texts(systems.iter().map(|id| id.as_str()))),
        ("zones", texts(zones.iter().map(|id| id.as_str()))),
    ])
}

/// A map without what is absent or empty.
fn entry<const N: usize>(keys: [(&str, Value); N]) -> Value {
    let is_there = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let there = keys.into_iter().filter(|(_, value)| is_there(value));
    let map: Map<String, Value> = there.map(|(key, value)| (key.to_owned(), value)).collect();
    Value::Object(map)
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    texts.collect()
}

/// Which settings there are may be seen; what they are is known to their driver alone, and a PIN is a number.
fn mask(settings: Value) -> Value {
    match settings {
        Value::Object(map) => {
            let masked = map.into_iter().map(|(key, value)| (key, mask(value)));
            Value::Object(masked.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(mask).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json!(MASK),
    }
}

/// A device's address without who signs in there, and without a query, where tokens stand.
fn without_user(uri: &str) -> String {
    let (uri, query) = match uri.split_once('?') {
        Some((uri, _)) => (uri, "?***"),
        None => (uri, ""),
    };
    let Some((scheme, rest)) = uri.split_once("://") else {
        return format!("{uri}{query}");
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASK}@{host}{path}{query}"),
        None => format!("{scheme}://{rest}{query}"),
    }
}

fn word(level: Clearance) -> &'static str {
    match level {
        Clearance::User => "user",
        Clearance::Support => "support",
        Clearance::Admin => "admin",
    }
}

fn scope(scope: &Scope) -> String {
    let Scope { name, access } = scope;
    match access {
        ScopeAccess::Full => name.clone(),
        ScopeAccess::Read => format!("{name}.read"),
        ScopeAccess::Write => format!("{name}.write"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const FILE: &str = r#"
zones: [{id: zone-1, name: HQ, tags: [org]}]
systems: [{id: sys-1, name: Board Room, capacity: 8, bookable: true, zones: [zone-1], modules: [mod-1]}]
modules:
  - id: mod-1
    driver: virtual
    name: Display
    uri: tcp://admin:hunter2@10.0.0.7:4352/x?token=hunter2
    settings: {password: hunter2, pin: 4711, list: [hunter2], inner: {on: true}}
users:
  - {id: user-1, email: ann@example.test, level: admin, password: hunter2}
  - {id: user-2, email: eve@example.test, password_hash: $argon2id$hunter2}
api_keys: [{id: panel, secret: hunter2, user: user-1, scopes: [systems.read], systems: [sys-1]}]
"#;

    #[test]
    fn secrets_are_masked_and_the_rest_is_the_file() {
        let read =
            |text: &str| crate::building::read("b.yaml", text, &["virtual"], &BTreeMap::new());
        let building = read(FILE).unwrap();

        let shown = masked(&building);

        assert!(
            !shown.contains("hunter2") && !shown.contains("4711"),
            "{shown}"
        );
        assert!(
            shown.contains("uri: tcp://***@10.0.0.7:4352/x?***"),
            "{shown}"
        );
        // A hash must look like one, which a masked one does not.
        let again = read(
            &shown
                .replace("password_hash: \"***\"", "password_hash: $argon2")
                .replace("password_hash: '***'", "password_hash: $argon2"),
        )
        .unwrap();
        assert_eq!(
            (&again.zones, &again.systems),
            (&building.zones, &building.systems)
        );
        assert_eq!(
            again.modules[0].settings().as_str(),
            r#"{"password":"***","pin":"***","list":["***"],"inner":{"on":"***"}}"#
        );
        assert_eq!(again.api_keys[0].scopes, building.api_keys[0].scopes);
        assert_eq!(again.users[1].name, building.users[1].name);
    }
}
