//! A building as a file: whole, so that reading it gives the same building again, or as anybody may see it, with `***` for every value that may be a secret.

use serde_json::{Map, Value, json};

use crate::model::{
    ApiKey, Building, Clearance, DeviceKind, KeySecret, Metadata, Module, Password, Secret, System,
    User, Zone,
};

const MASK: &str = "***";

/// Who is to read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// Whoever may have everything, hashes and the settings of devices too.
    Trusted,
    /// Anybody.
    Anybody,
}

/// The building in the form of a building file, with all that it takes to read it back: hashes of secrets, settings of modules.
pub fn write(building: &Building) -> String {
    write_for(Reader::Trusted, building)
}

/// The same as anybody may see it.
pub fn masked(building: &Building) -> String {
    write_for(Reader::Anybody, building)
}

/// What was left out of the file, and holds by default, is left out here too.
fn write_for(reader: Reader, building: &Building) -> String {
    let Building {
        zones,
        systems,
        modules,
        users,
        api_keys,
        metadata,
    } = building;
    let building = json!({
        "zones": zones.iter().map(zone).collect::<Vec<_>>(),
        "systems": systems.iter().map(system).collect::<Vec<_>>(),
        "modules": modules.iter().map(|entry| module(reader, entry)).collect::<Vec<_>>(),
        "users": users.iter().map(|entry| user(reader, entry)).collect::<Vec<_>>(),
        "api_keys": api_keys.iter().map(|entry| api_key(reader, entry)).collect::<Vec<_>>(),
        "metadata": metadata.iter().map(|entry| attached(reader, entry)).collect::<Vec<_>>(),
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

fn module(reader: Reader, module: &Module) -> Value {
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
        (
            "uri",
            match reader {
                Reader::Trusted => json!(uri),
                Reader::Anybody => json!(uri.as_deref().map(without_user)),
            },
        ),
        ("settings", shown(reader, settings)),
    ])
}

fn user(reader: Reader, user: &User) -> Value {
    let User {
        id,
        email,
        name,
        level,
        groups,
        password,
    } = user;
    let (plain, hash) = match password {
        Some(Password::Plain(password)) => (Some(secret(reader, password)), None),
        Some(Password::Hashed(hash)) => (None, Some(secret(reader, hash))),
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

fn api_key(reader: Reader, key: &ApiKey) -> Value {
    let ApiKey {
        id,
        secret: kept,
        user,
        level,
        scopes,
        systems,
        zones,
        device,
        expires,
    } = key;
    let (plain, hash) = match kept {
        KeySecret::Plain(plain) => (Some(secret(reader, plain)), None),
        KeySecret::Hashed(hash) => (None, Some(secret(reader, hash))),
    };
    entry([
        ("id", json!(id.as_str())),
        ("secret", json!(plain)),
        ("secret_hash", json!(hash)),
        ("user", json!(user.as_str())),
        ("level", json!(word(*level))),
        (
            "scopes",
            json!(scopes.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ),
        ("systems", texts(systems.iter().map(|id| id.as_str()))),
        ("zones", texts(zones.iter().map(|id| id.as_str()))),
        (
            "fixed_device",
            json!((*device == DeviceKind::Fixed).then_some(true)),
        ),
        ("expires", json!(expires.map(|expires| expires.to_string()))),
    ])
}

/// What apps keep is theirs, and may be a secret.
fn attached(reader: Reader, metadata: &Metadata) -> Value {
    let Metadata {
        id,
        description,
        details,
        editors,
    } = metadata;
    let details: Value = details.to().unwrap_or_default();
    entry([
        ("parent", json!(id.parent.as_str())),
        ("name", json!(id.name.as_str())),
        ("description", json!(description)),
        ("details", shown(reader, details)),
        ("editors", json!(editors)),
    ])
}

fn secret(reader: Reader, secret: &Secret) -> &str {
    match reader {
        Reader::Trusted => secret.expose(),
        Reader::Anybody => MASK,
    }
}

fn shown(reader: Reader, value: Value) -> Value {
    match reader {
        Reader::Trusted => value,
        Reader::Anybody => mask(value),
    }
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
            |text: &str| crate::building_file::read("b.yaml", text, &["virtual"], &BTreeMap::new());
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

    #[test]
    fn what_is_written_whole_is_read_as_the_same_building() {
        let file = format!(
            "{FILE}metadata: [{{parent: zone-1, name: settings, description: d, details: {{a: [1, 1.0, '1', null, {{}}]}}, editors: [g]}}]"
        );
        let read =
            |text: &str| crate::building_file::read("b.yaml", text, &["virtual"], &BTreeMap::new());
        let building = read(&file).unwrap();

        let written = write(&building);

        assert_eq!(read(&written).unwrap(), building, "{written}");
    }
}
