//! A building as a file: whole, so that reading it gives the same building again, or as anybody may see it, with `***` for every value that may be a secret.

use indexmap::IndexSet;
use serde_json::{Map, Value, json};

use crate::model::{
    ApiKey, Building, Clearance, DeviceKind, JsonText, KeySecret, Metadata, Module, Password,
    Secret, System, User, Zone,
};

use super::variables;

const MASK: &str = "***";

/// How deep kept JSON may be to be written as YAML: what the reader takes, less the lists and maps around it.
const TREE_DEPTH_MAX: usize = 20;

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
    // Texts, numbers, lists and maps with texts as keys: there is nothing in it that YAML cannot say, and JSON is YAML too.
    serde_saphyr::to_string(&building).unwrap_or_else(|_| building.to_string())
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
        ("id", text(id.as_str())),
        ("name", text(name)),
        ("display_name", optional(display_name.as_deref())),
        ("description", not_empty(description)),
        ("tags", texts(tags)),
        (
            "parent_id",
            optional(parent_id.as_ref().map(|id| id.as_str())),
        ),
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
        ("id", text(id.as_str())),
        ("name", text(name)),
        ("display_name", optional(display_name.as_deref())),
        ("description", not_empty(description)),
        ("email", optional(email.as_deref())),
        ("capacity", (*capacity > 0).then(|| json!(capacity))),
        ("bookable", bookable.then(|| json!(true))),
        ("features", texts(features)),
        ("map_id", optional(map_id.as_deref())),
        ("timezone", optional(timezone.as_deref())),
        ("support_url", optional(support_url.as_deref())),
        ("zones", ids(zones.iter().map(|id| id.as_str()))),
        ("modules", ids(modules.iter().map(|id| id.as_str()))),
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
    let uri = uri.as_deref();
    let [settings, as_json] = kept(reader, &module.settings(), "settings", "settings_json");
    entry([
        ("id", text(id.as_str())),
        ("driver", text(driver.as_str())),
        ("name", optional(name.as_ref().map(|name| name.as_str()))),
        (
            "uri",
            match reader {
                Reader::Trusted => optional(uri),
                Reader::Anybody => optional(uri.map(without_user).as_deref()),
            },
        ),
        settings,
        as_json,
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
        ("id", text(id.as_str())),
        ("email", text(email)),
        ("name", text(name)),
        ("level", text(word(*level))),
        ("groups", texts(groups)),
        ("password", optional(plain)),
        ("password_hash", optional(hash)),
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
    let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    entry([
        ("id", text(id.as_str())),
        ("secret", optional(plain)),
        ("secret_hash", optional(hash)),
        ("user", text(user.as_str())),
        ("level", text(word(*level))),
        // None at all are not the ones that hold without the key.
        ("scopes", texts(&scopes).or_else(|| Some(json!([])))),
        ("systems", ids(systems.iter().map(|id| id.as_str()))),
        ("zones", ids(zones.iter().map(|id| id.as_str()))),
        (
            "fixed_device",
            (*device == DeviceKind::Fixed).then(|| json!(true)),
        ),
        ("expires", expires.map(|expires| json!(expires.to_string()))),
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
    let [details, as_json] = kept(reader, details, "details", "details_json");
    entry([
        ("parent", text(id.parent.as_str())),
        ("name", text(id.name.as_str())),
        ("description", not_empty(description)),
        details,
        as_json,
        ("editors", texts(editors)),
    ])
}

/// A key of an entry, and its value if there is one.
type Field = (&'static str, Option<Value>);

/// JSON that is kept, under the one of two keys that gives it back byte for byte: as YAML for people, or as a text.
fn kept(
    reader: Reader,
    json: &JsonText,
    as_yaml: &'static str,
    as_json: &'static str,
) -> [Field; 2] {
    let nothing = (as_json, None);
    if json.as_str() == "{}" {
        return [(as_yaml, None), nothing];
    }
    let tree = json.to::<Value>().ok();
    if reader == Reader::Anybody {
        return [(as_yaml, Some(tree.map_or(json!(MASK), mask))), nothing];
    }
    let tree = tree.filter(|tree| {
        // A key without a value counts as left out.
        let again = tree.to_string();
        !tree.is_null() && depth(tree) <= TREE_DEPTH_MAX && again == json.as_str()
    });
    match tree {
        Some(tree) if as_yaml == "settings" => [(as_yaml, Some(escaped(tree))), nothing],
        Some(tree) => [(as_yaml, Some(tree)), nothing],
        // As it is: nothing is filled in there.
        None => [
            (as_yaml, None),
            (as_json, Some(Value::String(json.as_str().to_owned()))),
        ],
    }
}

/// How many lists and maps stand in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Settings whose texts are read as they are, and ask for no variable.
fn escaped(settings: Value) -> Value {
    match settings {
        Value::String(text) => Value::String(variables::escape(&text)),
        Value::Array(items) => items.into_iter().map(escaped).collect(),
        Value::Object(map) => {
            let escaped = map.into_iter().map(|(key, value)| (key, escaped(value)));
            Value::Object(escaped.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => settings,
    }
}

fn secret(reader: Reader, secret: &Secret) -> &str {
    match reader {
        Reader::Trusted => secret.expose(),
        Reader::Anybody => MASK,
    }
}

/// A map of what is there.
fn entry<const N: usize>(fields: [Field; N]) -> Value {
    let there = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let map: Map<String, Value> = there.collect();
    Value::Object(map)
}

fn text(text: &str) -> Option<Value> {
    Some(Value::String(variables::escape(text)))
}

fn optional(given: Option<&str>) -> Option<Value> {
    given.and_then(text)
}

fn not_empty(given: &str) -> Option<Value> {
    optional(Some(given).filter(|text| !text.is_empty()))
}

fn texts(given: &[String]) -> Option<Value> {
    (!given.is_empty()).then(|| given.iter().filter_map(|item| text(item)).collect())
}

/// Each id once: a store of an earlier version may have one twice, which a file cannot say.
fn ids<'a>(given: impl Iterator<Item = &'a str>) -> Option<Value> {
    let once: IndexSet<&str> = given.collect();
    (!once.is_empty()).then(|| once.into_iter().filter_map(text).collect())
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
    use crate::building_file::KnownDriver;

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
        let read = |text: &str| {
            crate::building_file::read(
                "b.yaml",
                text,
                &[KnownDriver::any("virtual")],
                &[],
                &BTreeMap::new(),
            )
        };
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
        let read = |text: &str| {
            crate::building_file::read(
                "b.yaml",
                text,
                &[KnownDriver::any("virtual")],
                &[],
                &BTreeMap::new(),
            )
        };
        let building = read(&file).unwrap();

        let written = write(&building);

        assert_eq!(read(&written).unwrap(), building, "{written}");
    }

    mod properties {
        use proptest::prelude::*;

        use super::*;
        use crate::model::{
            DriverRef, Expiry, KEY_HASH_PREFIX, KeyId, MetadataId, MetadataName, ModuleId,
            ModuleName, ParentId, Scope, SystemId, UserId, ZoneId,
        };

        /// Texts that YAML could take for something else, or lose a part of.
        fn text() -> impl Strategy<Value = String> {
            prop_oneof![
                4 => any::<String>(),
                4 => "[ \\n\\t:#'\"\\\\{}\\[\\],&*!|>%@`$?~=<.0-9a-e_-]{0,24}",
                2 => prop::sample::select(vec![
                    "", "~", "null", "true", "yes", "On", "0123", "1e3", "0x1F", ".inf", "1_000", "<<", "=",
                    "---", "...", "- a", "? a", "a: b", "a #b", "#a", " a", "a ", "\n", "a\n", "\n\na\n\n", "\ta\n b",
                    "${ENV:HOME}", "$${ENV:HOME}", "$$${", "${", "\u{85}", "\u{2028}x", "\u{feff}", "\u{0}", "\u{7f}",
                    "\u{fffe}", "\u{ffff}", "\r\n", "a\rb", "2001-01-01", "12:30:45", "!!str x", "&a", "*a",
                ]).prop_map(str::to_owned),
                1 => "[a-z ]{90,200}",
                1 => "[a-z \\n]{90,200} *",
            ]
        }

        /// Text as ids are made of it.
        fn id() -> impl Strategy<Value = String> {
            text().prop_map(|text| {
                let plain: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
                format!("{plain}-")
            })
        }

        /// JSON texts with spaces, escapes, long numbers and names that are there twice.
        fn json() -> impl Strategy<Value = String> {
            let scalar = prop_oneof![
                text().prop_map(|text| Value::from(text).to_string()),
                any::<f64>().prop_filter_map("finite", |number| {
                    serde_json::Number::from_f64(number).map(|number| number.to_string())
                }),
                any::<i64>().prop_map(|number| number.to_string()),
                any::<u64>().prop_map(|number| number.to_string()),
                prop::sample::select(vec![
                    "null",
                    "true",
                    "1e400",
                    "-0",
                    "-0.0",
                    "1E+2",
                    "590295810358705651712",
                    "0.1234567890123456789012345",
                    "\"\\ud800\"",
                    "\"\\u0041\"",
                    "[ ]",
                    "{ }",
                    "1.0",
                    "1e21",
                ])
                .prop_map(str::to_owned),
            ];
            scalar.prop_recursive(4, 24, 4, |inside| {
                let space = prop::sample::select(vec!["", "", "", " ", "\n"]);
                prop_oneof![
                    (prop::collection::vec(inside.clone(), 0..4), space.clone())
                        .prop_map(|(items, space)| format!("[{space}{}]", items.join(","))),
                    (prop::collection::vec((text(), inside), 0..4), space).prop_map(
                        |(members, space)| {
                            let members: Vec<String> = members
                                .into_iter()
                                .map(|(name, value)| {
                                    format!("{}:{space}{value}", Value::from(name))
                                })
                                .collect();
                            format!("{{{}}}", members.join(","))
                        }
                    ),
                ]
            })
        }

        fn building() -> impl Strategy<Value = Building> {
            let texts = prop::collection::vec(text(), 16);
            let ids = (id(), id(), id(), id(), id(), id());
            (texts, ids, json(), json(), any::<u32>(), any::<bool>()).prop_map(
                |(t, (a, b, c, d, e, f), settings, details, capacity, is)| {
                    let mut texts = t.into_iter();
                    let mut text = || texts.next().unwrap_or_default();
                    let zone = ZoneId::new(&a).unwrap();
                    let system = SystemId::new(&b).unwrap();
                    let module = ModuleId::new(&c).unwrap();
                    let user = UserId::new(&d).unwrap();
                    let settings = if settings.starts_with('{') {
                        settings
                    } else {
                        format!("{{\"a\":{settings}}}")
                    };
                    Building {
                        zones: vec![Zone {
                            id: zone.clone(),
                            name: text(),
                            display_name: is.then(&mut text),
                            description: text(),
                            tags: vec![text(), text()],
                            parent_id: None,
                        }],
                        systems: vec![System {
                            id: system.clone(),
                            name: text(),
                            display_name: None,
                            description: text(),
                            email: Some(text()),
                            capacity,
                            bookable: is,
                            features: vec![text()],
                            map_id: is.then(&mut text),
                            timezone: is.then(|| "Europe/London".to_owned()),
                            support_url: Some(text()),
                            zones: vec![zone.clone()],
                            modules: vec![module.clone()],
                        }],
                        modules: vec![Module {
                            id: module,
                            driver: DriverRef::LinkedIn("virtual".to_owned()),
                            name: is.then(|| ModuleName::new(&e).unwrap()),
                            uri: Some(text()),
                            settings: Secret::new(settings),
                        }],
                        users: vec![User {
                            id: user.clone(),
                            email: text(),
                            name: text(),
                            level: Clearance::Support,
                            groups: vec![text()],
                            password: is.then(|| {
                                Password::Hashed(Secret::new(format!("$argon2{}", text())))
                            }),
                        }],
                        api_keys: vec![ApiKey {
                            id: KeyId::new(&f.replace('.', "-")).unwrap(),
                            secret: KeySecret::Hashed(Secret::new(format!("{KEY_HASH_PREFIX}{a}"))),
                            user,
                            level: Clearance::Admin,
                            scopes: if is {
                                vec![]
                            } else {
                                vec![Scope::parse("systems.read").unwrap()]
                            },
                            systems: vec![system],
                            zones: vec![],
                            device: match is {
                                true => DeviceKind::Fixed,
                                false => DeviceKind::Personal,
                            },
                            expires: is.then(|| Expiry::from_secs(1_801_332_000).unwrap()),
                        }],
                        metadata: vec![Metadata {
                            id: MetadataId {
                                parent: ParentId::new(zone.as_str()).unwrap(),
                                name: MetadataName::new(&e).unwrap(),
                            },
                            description: text(),
                            details: JsonText::parse(&details).unwrap(),
                            editors: vec![text()],
                        }],
                    }
                },
            )
        }

        proptest! {
            // Each case reads a whole building twice, and finding a smaller one takes longest.
            #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(8)))]

            #[test]
            fn what_is_written_is_read_as_the_same_building(building in building()) {
                let written = write(&building);
                let read = crate::building_file::read("b.yaml", &written, &[KnownDriver::any("virtual")], &[], &BTreeMap::new());
                match read {
                    Ok(read) => prop_assert_eq!(&read, &building, "{}", written),
                    Err(problems) => prop_assert!(false, "{}\n{}", problems, written),
                }
                // What anybody may see is YAML too.
                prop_assert!(super::super::super::node::Node::read(&masked(&building)).is_ok());
            }
        }
    }
}
